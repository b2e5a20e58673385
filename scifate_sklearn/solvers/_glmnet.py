"""glmnet engine, for comparison: glmnet's Fortran solver on the same grid, folds and masks."""

from __future__ import annotations

import warnings
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..moments import Moments, Samples
from ..preprocessing import to_dense
from . import kernels
from ._engine import Solution
from ._gram import N_AUTOMATIC, StandardizedSets, StandardizedTargets, inverse
from ._problem import Floats, SolverSettings, TargetBlock


def import_glmnet() -> ModuleType:
    """Import python-glmnet and return its module.

    Raises
    ------
    ImportError
        If it is not installed; the message says how to build it.
    """
    try:
        import glmnet
    except ImportError as error:
        raise ImportError(
            'engine="glmnet" needs python-glmnet (imports as `glmnet`), which has wheels for '
            "CPython 3.10-3.13 on Linux x86-64 and macOS arm64 only. Elsewhere install a "
            "Fortran compiler (gfortran) and run `pip install --no-binary :all: python-glmnet`, "
            'or use the default engine="gram", which gives the same models. The '
            "older package named `glmnet` on PyPI does not work."
        ) from error
    return glmnet


class GlmnetEngine:
    """One call of glmnet per target and training set.

    Parameters
    ----------
    predictors : Moments
        Without targets.
    settings : SolverSettings
        ``tol`` is passed as glmnet's own convergence threshold, which bounds the change of
        coefficients, not the duality gap.
    samples : Samples
    """

    def __init__(self, predictors: Moments, settings: SolverSettings, samples: Samples) -> None:
        import_glmnet()
        self.settings = settings
        weight, plan = samples.weight, samples.plan
        self._X, self._Y = to_dense(samples.X), to_dense(samples.Y)
        self._weight, self._plan = weight, plan
        layout = plan.layout
        unit_weight = np.array(
            [weight[plan.held_out_rows(u)].sum() for u in range(len(layout.held_out))]
        )
        self._units = np.flatnonzero(unit_weight > 0)
        self._unit_weight = unit_weight[self._units]
        self._whole = StandardizedSets.from_moments(predictors.whole, settings)

    @property
    def unit_weight(self) -> Floats:
        """Weight of each test unit."""
        return self._unit_weight

    def grids(self, block: TargetBlock) -> Floats:
        """Return the penalties (n_block, n_lambdas) of each target, NaN-padded."""
        given = self.settings.given_grids(block)
        if given is not None:
            return given
        grids = np.full((len(block), N_AUTOMATIC), np.nan)
        all_cells = np.arange(len(self._weight))
        for t, grid in enumerate(grids):
            own, _, _ = self._path(block, t, all_cells, None)
            grid[: len(own)] = own
        return grids

    def errors(self, block: TargetBlock, lambdas: Floats) -> tuple[Floats, int]:
        """Return held-out errors (n_block, n_units, n_lambdas) and 0; failures raise."""
        errors = np.full((len(block), len(self._units), lambdas.shape[1]), np.nan)
        for t, grid in enumerate(lambdas):
            solved = np.isfinite(grid)
            if solved.any():
                errors[t][:, solved] = self._target_errors(block, t, grid[solved])
        return errors, 0

    def _target_errors(self, block: TargetBlock, t: int, lambdas: Floats) -> Floats:
        training_of = self._plan.layout.training_of[self._units]
        errors = np.empty((len(self._units), len(lambdas)))
        given = None if self.settings.lambdas is None else lambdas
        y = self._Y[:, block.positions[t]]
        for k in np.unique(training_of):
            own, coef, intercept = self._path(block, t, self._plan.training_rows(k), given)
            if given is None:
                coef, intercept = _interpolate(own, coef, intercept, lambdas)
            for u in np.flatnonzero(training_of == k):
                rows = self._plan.held_out_rows(self._units[u])
                residual = y[rows, None] - intercept - self._X[rows] @ coef
                errors[u] = np.average(residual**2, axis=0, weights=self._weight[rows])
        return errors

    def solve(self, block: TargetBlock, lambdas: Floats, stop: NDArray[np.intp]) -> Solution:
        """Return the models on all cells at ``lambdas[t, stop[t]]``; −1 means no model."""
        coef = np.zeros(block.factors.shape)
        all_cells = np.arange(len(self._weight))
        for t in map(int, np.flatnonzero(stop >= 0)):
            path = lambdas[t, : stop[t] + 1]
            coef[t] = self._path(block, t, all_cells, path)[1][:, -1]
        y = self._whole.standardize(block.sums.combine(self._plan.layout.total[None]))
        intercept = self._whole.intercept(coef, block.sums, y.center)
        gap = self._gaps(block, y, coef, lambdas, stop)
        # glmnet's threshold is not a gap, and a path that it cannot finish raises an error.
        return Solution(coef, intercept, np.full(len(coef), -1, np.intp), gap, n_unconverged=0)

    def _gaps(
        self,
        block: TargetBlock,
        y: StandardizedTargets,
        coef: Floats,
        lambdas: Floats,
        stop: NDArray[np.intp],
    ) -> Floats:
        """Return the duality gap of each model, computed as in the other engine."""
        unit = inverse(self._whole.coordinates.inverse_scale[0])
        gaps = np.zeros(len(coef))
        for t in np.flatnonzero(stop >= 0):
            b = coef[t] * unit / y.scale[t, 0]
            penalty = lambdas[t, stop[t]] / y.scale[t, 0]
            gaps[t] = kernels.duality_gap_of(
                y.linear[t, 0],
                b,
                y.linear[t, 0] - self._whole.gram[0] @ b,
                np.flatnonzero(np.isfinite(block.factors[t])),
                block.factors[t],
                penalty * self.settings.alpha,
                penalty * (1.0 - self.settings.alpha),
            )
        return gaps

    def _path(
        self, block: TargetBlock, t: int, rows: NDArray[np.intp], lambdas: Floats | None
    ) -> tuple[Floats, Floats, Floats]:
        """Return penalties, coefficients (n_features, n_lambdas) and intercepts of one path."""
        settings = self.settings
        rows = rows[self._weight[rows] > 0]
        members = np.flatnonzero(np.isfinite(block.factors[t]))
        X, w = self._X[np.ix_(rows, members)], self._weight[rows]
        y = self._Y[rows, block.positions[t]]
        if members.size == 0 or np.ptp(y) == 0 or not np.ptp(X, axis=0).any():
            return self._null_path(y, w, lambdas)
        factors = block.factors[t, members]
        # glmnet rescales the given factors to a mean of 1. Infinite factors, which count in R, are
        # not passed to glmnet; the penalties compensate for that.
        rescaled = factors.mean()
        ratio = 1e-2 if len(rows) < block.candidates[t].sum() else 1e-4
        model = import_glmnet().ElasticNet(
            alpha=settings.alpha,
            n_lambda=N_AUTOMATIC,
            min_lambda_ratio=ratio,
            lambda_path=None if lambdas is None else lambdas * rescaled,
            standardize=settings.standardize,
            fit_intercept=settings.fit_intercept,
            n_splits=0,
            tol=settings.tol,
            max_iter=min(settings.max_iter * N_AUTOMATIC, np.iinfo(np.int32).max),
        )
        _fit_glmnet(model, X, y, w, factors)
        coef = np.zeros((self._X.shape[1], len(model.intercept_path_)))
        coef[members] = model.coef_path_
        return model.lambda_path_ / rescaled, coef, model.intercept_path_

    def _null_path(
        self, y: Floats, weight: Floats, lambdas: Floats | None
    ) -> tuple[Floats, Floats, Floats]:
        grid = np.array([1.0]) if lambdas is None else lambdas
        mean = np.average(y, weights=weight) if self.settings.fit_intercept else 0.0
        zeros = np.zeros((self._X.shape[1], len(grid)))
        return grid, zeros, np.full(len(grid), mean)


def _fit_glmnet(model: Any, X: Floats, y: Floats, weight: Floats, factors: Floats) -> None:
    """Fit python-glmnet's model; raise RuntimeError if it does not finish the path."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        try:
            model.fit(X, y, weight, relative_penalties=factors)
        except (RuntimeWarning, ValueError) as error:
            raise RuntimeError(
                f"glmnet did not finish ({error}). If it did not converge to its threshold "
                f"tol={model.tol:g} within {model.max_iter} passes, raise `tol` or `max_iter`."
            ) from error


def _interpolate(
    own: Floats, coef: Floats, intercept: Floats, lambdas: Floats
) -> tuple[Floats, Floats]:
    """Return coefficients and intercepts at `lambdas`, linear between a fold's own penalties."""
    path = np.ascontiguousarray(np.vstack([intercept, coef]).T)
    out = np.empty((len(lambdas), path.shape[1]))
    for row, penalty in zip(out, lambdas, strict=True):
        kernels.interpolate_path(own, path, penalty, row)
    return out[:, 1:].T, out[:, 0]
