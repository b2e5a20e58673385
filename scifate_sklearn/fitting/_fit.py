"""One fit: parameters, data, and the engine that solves them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ..moments import Moments, Samples
from ..solvers import (
    CRITERIA,
    BlockFit,
    Checkpoint,
    Engine,
    LassoProblem,
    fit_all,
    select_by_cells,
    solve_all,
)
from ._checks import check_folds
from ._chunks import Chunks, read_chunks
from ._data import TrainingData
from ._parameters import FitParameters


@dataclass(frozen=True)
class Fit:
    """Models of all targets of one data set.

    Attributes
    ----------
    parameters : FitParameters
    problem : LassoProblem
    samples : Samples or None
        None if only the moments are known.
    chunks : iterable of (X, Y) or (X, Y, sample_weight), default=None
        The samples, for one further pass, if only their moments are in memory.
    """

    parameters: FitParameters
    problem: LassoProblem
    samples: Samples | None
    chunks: Chunks | None = None

    @classmethod
    def from_data(cls, parameters: FitParameters, data: TrainingData) -> Self:
        """Return the fit of training data, not solved yet.

        Raises
        ------
        ValueError
            If the data are to be cross-validated and a training set, or every test set but one, has
            no weight; or if `penalty_factor` does not match the data.
        """
        if data.moments.layout.n_folds and parameters.is_cross_validated:
            check_folds(data.moments, data.rows)
        return cls(parameters, parameters.problem(data.moments), data.samples, data.chunks)

    @cached_property
    def engine(self) -> Engine:
        """The engine, made when it is first needed."""
        return self.parameters.make_engine(self.problem.moments, self.samples)

    def cross_validate(
        self, checkpoint: Checkpoint | None = None, verbose: bool = False
    ) -> BlockFit:
        """Select the penalty of each target by cross-validation, and fit it on all samples.

        Parameters
        ----------
        checkpoint : Checkpoint or None, default=None
            Folder of finished blocks.
        verbose : bool, default=False
            Show a progress bar.

        Raises
        ------
        ValueError
            If folds are needed but the moments have none, or the samples are needed but unknown.
        """
        if self.parameters.is_cross_validated and not self.problem.moments.layout.n_folds:
            raise ValueError(
                "`moments` have no folds, so that they can be fitted with the information criteria "
                f"only ({', '.join(CRITERIA)}), got `lambda_rule`={self.parameters.lambda_rule!r}."
            )
        selection = self.parameters.selection(self.problem.moments)
        n_jobs = self.parameters.n_jobs
        if not self.parameters.reads_residuals:
            return fit_all(self.engine, self.problem, selection, n_jobs, checkpoint, verbose)
        cells = self._cells_again()
        fits = fit_all(self.engine, self.problem, selection, n_jobs, checkpoint, verbose)
        is_checked = self.samples is None
        return select_by_cells(self.engine, self.problem, fits, cells, n_jobs, is_checked)

    def _cells_again(self) -> Chunks:
        """Return the samples, for a rule that reads them after the cross-validation."""
        if self.samples is not None:
            return [(self.samples.X, self.samples.Y, self.samples.weight)]
        if self.chunks is None:
            raise ValueError(
                f'`lambda_rule`="{self.parameters.lambda_rule}" reads the cells again after the '
                "cross-validation, and only their moments are known. Give "
                "`SciFateRegressor.fit_moments` the `chunks` of the cells, or choose another rule."
            )
        return read_chunks(self.chunks, self.problem.moments)

    def solve_at(
        self, lambdas: NDArray[np.float64], chosen: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], int]:
        """Fit each target at a given penalty, without cross-validation.

        Parameters
        ----------
        lambdas : ndarray of shape (n_targets, n_lambdas) or (1, n_lambdas)
            Decreasing penalties, of each target or of all.
        chosen : ndarray of shape (n_targets,)
            The penalty of each target, one of its `lambdas`; NaN means no model.

        Returns
        -------
        coef : ndarray of shape (n_targets, n_features)
        n_unconverged : int
        """
        position = np.where(np.isnan(chosen), -1, (lambdas == chosen[:, None]).argmax(axis=1))
        n_jobs = self.parameters.n_jobs
        solution = solve_all(self.engine, self.problem, lambdas, position, n_jobs)
        return solution.coef, solution.n_unconverged

    def solve_along(self, lambdas: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the coefficients (n_lambdas, n_features) of the only target at each penalty.

        Parameters
        ----------
        lambdas : ndarray of shape (n_lambdas,)
            Decreasing penalties.
        """
        path = [self.solve_at(lambdas[None], np.array([each]))[0][0] for each in lambdas]
        return np.array(path)


@dataclass(frozen=True)
class PermutedFits:
    """Fits of the same predictors, folds and weights to permuted targets.

    Attributes
    ----------
    parameters : FitParameters
    engine : Engine
    moments : Moments
        Without products of the targets: each permutation needs as much memory for its own.
    samples : Samples
    """

    parameters: FitParameters
    engine: Engine
    moments: Moments
    samples: Samples

    @classmethod
    def from_fit(cls, fit: Fit, samples: Samples) -> Self:
        """Return permuted fits that share the engine of a fit of these samples."""
        moments = replace(fit.problem.moments, xy=np.empty((0, 0, 0)))
        return cls(fit.parameters, fit.engine, moments, samples)

    def cross_validate(self, Y: Any, order: NDArray[np.intp]) -> BlockFit:
        """Fit permuted targets.

        Parameters
        ----------
        Y : ndarray or CSR matrix of shape (n_samples, n_targets)
        order : ndarray of int of shape (n_samples,)
            Row i of the predictors is paired with row ``order[i]`` of `Y`.
        """
        own = self.samples
        moments = self.moments.reordered(own.X, Y, own.plan, own.weight, order)
        engine, parameters = self.engine, self.parameters
        if parameters.reads_samples:
            engine = parameters.make_engine(moments, replace(own, Y=Y[order]))
        problem, selection = parameters.problem(moments), parameters.selection(moments)
        n_jobs = parameters.n_jobs
        fits = fit_all(engine, problem, selection, n_jobs, None, verbose=False)
        if not parameters.reads_residuals:
            return fits
        cells = [(own.X, Y[order], own.weight)]
        return select_by_cells(engine, problem, fits, cells, n_jobs, is_checked=False)
