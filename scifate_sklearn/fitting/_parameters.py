"""Parameters of a fit, which an estimator passes to the solvers."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from .._warnings import warn
from ..moments import Moments, Samples
from ..solvers import (
    CELL_RULE,
    CRITERIA,
    ENGINES,
    GLMNET,
    Checkpoint,
    Convention,
    Engine,
    GeometricGrid,
    Identity,
    LambdaRule,
    LassoProblem,
    Selection,
    SolverSettings,
    engines_that_read,
    every_predictor,
    identify,
    select_candidates,
)
from ._checks import own_positions, penalty_grid
from ._penalties import relative_penalties


@dataclass(frozen=True)
class FitParameters:
    """Parameters of a fit, under the names and with the values of `SciFateRegressor`.

    Attributes
    ----------
    engine : str
        A key of `ENGINES`.
    lambda_rule, lambdas, alpha, exclude_self, standardize, fit_intercept, penalty_factor, path :
        As in `SciFateRegressor`; `lambdas` may also be a `GeometricGrid`.
    cor_threshold : float or None
        Prefilter on the absolute correlation of penalised predictors.
    tol, max_iter, n_jobs :
        As in `SciFateRegressor`.
    convention : Convention, default=GLMNET
    fits_every_target : bool, default=False
        Fit a model of all predictors to every target. Otherwise those of `select_candidates`.
    keeps_errors : bool, default=False
        Keep the held-out error of every test set.
    """

    engine: str
    lambda_rule: LambdaRule
    lambdas: Any
    alpha: float
    cor_threshold: float | None
    exclude_self: bool
    standardize: bool
    fit_intercept: bool
    penalty_factor: Any
    path: str
    tol: float
    max_iter: int
    n_jobs: int | None
    convention: Convention = GLMNET
    fits_every_target: bool = False
    keeps_errors: bool = False

    @classmethod
    def from_estimator(cls, estimator: Any) -> Self:
        """Return the parameters of a `SciFateRegressor`."""
        names = {field.name for field in fields(cls)} & set(estimator.get_params(deep=False))
        return cls(**{name: getattr(estimator, name) for name in names})

    def selection(self, moments: Moments) -> Selection:
        """Return the rule that selects the penalties of a fit to these moments."""
        layout = moments.layout
        share = layout.training @ moments.weight / (layout.total @ moments.weight)
        return Selection(
            self.lambda_rule,
            self.convention.weighs_folds,
            self.keeps_errors,
            layout.n_repeats,
            float(layout.total @ moments.n_cells),
            float(share.mean()) if layout.n_folds else 1.0,
        )

    @property
    def reads_samples(self) -> bool:
        """Whether the engine needs the samples, not only their moments."""
        return ENGINES[self.engine].reads == "samples"

    @property
    def is_cross_validated(self) -> bool:
        """Whether folds are needed; an information criterion needs none."""
        return not (isinstance(self.lambda_rule, str) and self.lambda_rule in CRITERIA)

    @property
    def reads_residuals(self) -> bool:
        """Whether the rule needs a pass over the samples after the cross-validation."""
        return isinstance(self.lambda_rule, str) and self.lambda_rule == CELL_RULE

    def require_moments_suffice(self, what: str, advice: str = "") -> None:
        """Raise ValueError if the engine reads the samples.

        Parameters
        ----------
        what : str
            Method or option that the error message names.
        advice : str, default=""
            The end of the message.
        """
        if self.reads_samples:
            raise ValueError(
                f"{what} needs an engine that reads moments ({engines_that_read('moments')}), got "
                f'engine="{self.engine}", which reads the cells. {advice}'.rstrip()
            )

    def candidates(
        self, moments: Moments, penalty_factor: NDArray[np.float64]
    ) -> NDArray[np.bool_]:
        """Return the predictors (n_targets, n_features) that may enter each target's model."""
        excluded = own_positions(moments, self.exclude_self)
        if self.fits_every_target:
            return every_predictor(moments, excluded)
        return select_candidates(moments, self.cor_threshold, excluded, penalty_factor)

    def problem(self, moments: Moments) -> LassoProblem:
        """Return the problem for these moments."""
        factor = relative_penalties(self.penalty_factor, moments)
        return LassoProblem(moments, self.candidates(moments, factor), factor)

    def make_engine(self, moments: Moments, samples: Samples | None) -> Engine:
        """Return an engine for the predictors of these moments and samples."""
        entry = ENGINES[self.engine]
        needs_path = self.reads_residuals or not self.is_cross_validated
        if needs_path and not entry.has_path:
            known = ", ".join(f'"{name}"' for name, each in ENGINES.items() if each.has_path)
            raise ValueError(
                f'`lambda_rule`="{self.lambda_rule}" requires an engine that gives the models of a '
                f'path ({known}), got engine="{self.engine}".'
            )
        is_geometric = isinstance(self.lambdas, GeometricGrid)
        settings = SolverSettings(
            self.lambdas if is_geometric else penalty_grid(self.lambdas),
            float(self.alpha),
            bool(self.standardize),
            bool(self.fit_intercept),
            float(self.tol),
            int(self.max_iter),
            # An adaptive path may stop before the penalty of another rule.
            self.path if self.lambda_rule in ("1se", "min", CELL_RULE) else "full",
            self.convention,
        )
        return entry.make(moments.predictors, settings, samples)

    def identity(self, moments: Moments) -> Identity:
        """Return all that determines the results of a fit, for a checkpoint.

        Raises
        ------
        ValueError
            If the rule is a callable.
        """
        if callable(self.lambda_rule):
            raise ValueError(
                "`checkpoint` needs a named rule or a number as `lambda_rule`: a callable cannot "
                "be compared with that of an earlier run."
            )
        # The number of workers does not change the result; the last fields are of the package.
        internal = {"n_jobs", "convention", "fits_every_target", "keeps_errors"}
        names = [field.name for field in fields(self) if field.name not in internal]
        return identify({name: getattr(self, name) for name in names}, moments)

    def checkpoint(
        self, directory: str | os.PathLike[str] | None, moments: Moments
    ) -> AbstractContextManager[Checkpoint | None]:
        """Return the context of the finished blocks of this fit, of None without a directory.

        Raises
        ------
        ValueError
            If the rule is a callable.
        """
        if directory is None:
            return nullcontext()
        return Checkpoint(directory, self.identity(moments))

    def warn_unconverged(self, n_unconverged: int) -> None:
        """Warn if problems were not solved to `tol`."""
        if n_unconverged:
            warn(
                f"{n_unconverged} problems (target, fold, penalty) stopped at a duality "
                f"gap above tol={self.tol:g}; raise `max_iter`, now {self.max_iter}, or `tol`.",
                ConvergenceWarning,
            )
