"""The slow judge: glmnet's own Fortran solver on the same grid, folds, masks and selection."""

from __future__ import annotations

import warnings
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scifate_sklearn.moments import FoldPlan
from scifate_sklearn.preprocessing import to_dense

from . import kernels
from .engine import Solution
from .gram import N_AUTOMATIC, StandardisedSets
from .problem import Floats, LassoProblem


def import_glmnet() -> ModuleType:
    """Return the module of python-glmnet.

    Raises
    ------
    ImportError
        With the way to build it, where there is no wheel.
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
    problem : LassoProblem
        ``tol`` is passed as glmnet's own convergence threshold, which bounds the change of
        coefficients, not the duality gap.
    X, Y : ndarray or CSR matrix of shape (n_cells, n_features), (n_cells, n_targets)
    weight : ndarray of shape (n_cells,)
    plan : FoldPlan
    """

    def __init__(
        self, problem: LassoProblem, X: Any, Y: Any, weight: Floats, plan: FoldPlan
    ) -> None:
        import_glmnet()
        self.problem = problem
        self._X, self._Y = to_dense(X), to_dense(Y)
        self._weight, self._plan = weight, plan
        layout = plan.layout
        unit_weight = np.array(
            [weight[plan.held_out_rows(u)].sum() for u in range(len(layout.held_out))]
        )
        self._units = np.flatnonzero(unit_weight > 0)
        self._unit_weight = unit_weight[self._units]
        options = problem.standardize, problem.fit_intercept
        self._whole = StandardisedSets.of(problem.moments.whole, *options)

    @property
    def unit_weight(self) -> Floats:
        """Weight of each test unit."""
        return self._unit_weight

    def grids(self, block: slice) -> Floats:
        """Return the penalties (n_block, n_lambdas) of each target, NaN-padded."""
        lambdas = self.problem.lambdas
        targets = range(self.problem.n_targets)[block]
        if lambdas is not None:
            return np.tile(lambdas, (len(targets), 1))
        grids = np.full((len(targets), N_AUTOMATIC), np.nan)
        everyone = np.arange(len(self._weight))
        for grid, t in zip(grids, targets, strict=True):
            own, _, _ = self._path(t, everyone, None)
            grid[: len(own)] = own
        return grids

    def errors(self, block: slice, lambdas: Floats) -> tuple[Floats, int]:
        """Return held-out errors (n_block, n_units, n_lambdas); glmnet counts no failures."""
        targets = range(self.problem.n_targets)[block]
        errors = np.full((len(targets), len(self._units), lambdas.shape[1]), np.nan)
        for row, t in enumerate(targets):
            solved = np.isfinite(lambdas[row])
            if solved.any():
                errors[row][:, solved] = self._target_errors(t, lambdas[row, solved])
        return errors, 0

    def _target_errors(self, t: int, lambdas: Floats) -> Floats:
        training_of = self._plan.layout.training_of[self._units]
        errors = np.empty((len(self._units), len(lambdas)))
        given = None if self.problem.lambdas is None else lambdas
        for k in np.unique(training_of):
            own, coef, intercept = self._path(t, self._plan.training_rows(k), given)
            if given is None:
                coef, intercept = _interpolate(own, coef, intercept, lambdas)
            for u in np.flatnonzero(training_of == k):
                rows = self._plan.held_out_rows(self._units[u])
                residual = self._Y[rows, t, None] - intercept - self._X[rows] @ coef
                errors[u] = np.average(residual**2, axis=0, weights=self._weight[rows])
        return errors

    def solve(self, block: slice, lambdas: Floats, stop: NDArray[np.intp]) -> Solution:
        """Return the models on all cells at ``lambdas[t, stop[t]]``; −1 is no model."""
        targets = range(self.problem.n_targets)[block]
        coef = np.zeros((len(targets), self.problem.moments.n_features))
        everyone = np.arange(len(self._weight))
        for row, t in enumerate(targets):
            if stop[row] >= 0:
                path = lambdas[row, : stop[row] + 1]
                coef[row] = self._path(t, everyone, path)[1][:, -1]
        moments, place = self.problem.moments, self._whole.coordinates
        y_centre = place.y_centre[0, block] + moments.y_shift[block]
        intercept = y_centre - (coef * (place.centre[0] + moments.x_shift)).sum(axis=1)
        gap = self._gaps(block, coef, lambdas, stop)
        # glmnet's threshold is not a gap, and a path it cannot finish is an error.
        return Solution(coef, intercept, np.full(len(coef), -1, np.intp), gap, n_unconverged=0)

    def _gaps(self, block: slice, coef: Floats, lambdas: Floats, stop: NDArray[np.intp]) -> Floats:
        """Return the duality gap of each model, with the certificate of the other engine."""
        problem, whole = self.problem, self._whole
        linear, y_scale = whole.targets(block)
        factors = problem.block_factors(block)
        inverse = whole.coordinates.inverse_scale[0]
        unit = np.divide(1.0, inverse, out=np.zeros_like(inverse), where=inverse > 0)
        gaps = np.zeros(len(coef))
        for t in np.flatnonzero(stop >= 0):
            b = coef[t] * unit / y_scale[t, 0]
            penalty = lambdas[t, stop[t]] / y_scale[t, 0]
            members = np.flatnonzero(np.isfinite(factors[t]))
            gaps[t] = kernels.duality_gap_of(
                linear[t, 0],
                b,
                linear[t, 0] - whole.gram[0] @ b,
                members,
                factors[t],
                penalty * problem.alpha,
                penalty * (1.0 - problem.alpha),
            )
        return gaps

    def _path(
        self, t: int, rows: NDArray[np.intp], lambdas: Floats | None
    ) -> tuple[Floats, Floats, Floats]:
        """Return penalties, coefficients (n_features, n_lambdas) and intercepts of one path."""
        problem = self.problem
        rows = rows[self._weight[rows] > 0]
        target = slice(t, t + 1)
        members = np.flatnonzero(problem.block_candidates(target)[0])
        X, y, w = self._X[np.ix_(rows, members)], self._Y[rows, t], self._weight[rows]
        if members.size == 0 or np.ptp(y) == 0 or not np.ptp(X, axis=0).any():
            return self._null_path(y, w, lambdas)
        factors = problem.block_factors(target)[0, members]
        # glmnet rescales the factors it is given to a mean of 1, and it is not given the
        # infinite ones, which count in R; the penalties make up for it.
        rescaled = factors.mean()
        ratio = 1e-2 if len(rows) < problem.candidates[t].sum() else 1e-4
        model = import_glmnet().ElasticNet(
            alpha=problem.alpha,
            n_lambda=N_AUTOMATIC,
            min_lambda_ratio=ratio,
            lambda_path=None if lambdas is None else lambdas * rescaled,
            standardize=problem.standardize,
            fit_intercept=problem.fit_intercept,
            n_splits=0,
            tol=problem.tol,
            max_iter=min(problem.max_iter * N_AUTOMATIC, np.iinfo(np.int32).max),
        )
        _fit_glmnet(model, X, y, w, factors)
        coef = np.zeros((problem.moments.n_features, len(model.intercept_path_)))
        coef[members] = model.coef_path_
        return model.lambda_path_ / rescaled, coef, model.intercept_path_

    def _null_path(
        self, y: Floats, weight: Floats, lambdas: Floats | None
    ) -> tuple[Floats, Floats, Floats]:
        grid = np.array([1.0]) if lambdas is None else lambdas
        mean = np.average(y, weights=weight) if self.problem.fit_intercept else 0.0
        zeros = np.zeros((self.problem.moments.n_features, len(grid)))
        return grid, zeros, np.full(len(grid), mean)


def _fit_glmnet(model: Any, X: Floats, y: Floats, weight: Floats, factors: Floats) -> None:
    """Fit python-glmnet's model; an unfinished path is an error, not a shorter path."""
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
