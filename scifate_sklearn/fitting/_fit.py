"""One fit: parameters, data, and the engine that solves them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ..moments import Moments, Samples
from ..solvers import BlockFit, Checkpoint, Engine, LassoProblem, fit_all, solve_all
from ._checks import check_folds
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
    shared_engine : Engine or None, default=None
        The engine of another fit with the same predictors, folds and weights.
    """

    parameters: FitParameters
    problem: LassoProblem
    samples: Samples | None
    shared_engine: Engine | None = None

    @classmethod
    def from_data(cls, parameters: FitParameters, data: TrainingData) -> Self:
        """Return the fit of training data, not solved yet.

        Raises
        ------
        ValueError
            If the data are to be cross-validated and a training set has no weight, or
            `penalty_factor` does not match the data.
        """
        if data.moments.layout.n_folds:
            check_folds(data.moments)
        return cls(parameters, parameters.problem(data.moments), data.samples)

    @property
    def moments(self) -> Moments:
        """The moments of the samples."""
        return self.problem.moments

    @cached_property
    def engine(self) -> Engine:
        """The engine, made when it is first needed."""
        if self.shared_engine is not None:
            return self.shared_engine
        return self.parameters.make_engine(self.moments, self.samples)

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
        """
        selection, n_jobs = self.parameters.selection, self.parameters.n_jobs
        return fit_all(self.engine, self.problem, selection, n_jobs, checkpoint, verbose)

    def solve_at(
        self, lambdas: NDArray[np.float64], position: NDArray[np.intp]
    ) -> tuple[NDArray[np.float64], int]:
        """Fit each target at a given penalty, without cross-validation.

        Parameters
        ----------
        lambdas : ndarray of shape (n_targets, n_lambdas) or (1, n_lambdas)
            Decreasing penalties, of each target or of all.
        position : ndarray of int of shape (n_targets,)
            The position of each target's penalty; −1 means no model.

        Returns
        -------
        coef : ndarray of shape (n_targets, n_features)
        n_unconverged : int
        """
        return solve_all(self.engine, self.problem, lambdas, position, self.parameters.n_jobs)

    def without_targets(self) -> Self:
        """Return this fit without the products of the targets, for `permuted`.

        Each permutation needs as much memory for products of its own.
        """
        moments = replace(self.moments, xy=np.empty((0, 0, 0)))
        return replace(
            self, problem=replace(self.problem, moments=moments), shared_engine=self.engine
        )

    def permuted(self, Y: Any, order: NDArray[np.intp]) -> Self:
        """Return the fit of the same predictors, folds and weights to permuted targets.

        Parameters
        ----------
        Y : ndarray or CSR matrix of shape (n_samples, n_targets)
        order : ndarray of int of shape (n_samples,)
            Row i of the predictors is paired with row ``order[i]`` of `Y`.
        """
        own = self.samples
        if own is None:
            raise ValueError("Targets can be permuted only if the samples are known.")
        moments = self.moments.reordered(own.X, Y, own.plan, own.weight, order)
        reads_samples = self.parameters.reads_samples
        return replace(
            self,
            problem=self.parameters.problem(moments),
            samples=replace(own, Y=Y[order]) if reads_samples else own,
            shared_engine=None if reads_samples else self.engine,
        )
