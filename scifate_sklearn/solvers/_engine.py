"""The interface of engines, and the fit of one block of targets by any engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from ._cell_errors import CELL_RULE, averaged, fold_free_curve
from ._information import CRITERIA, best_by_criterion, criterion_cost
from ._problem import Floats, SolverSettings, TargetBlock
from ._selection import LambdaRule, apply_rule, cv_curve, insert_penalty, min_and_1se


@dataclass(frozen=True)
class Solution:
    """Models of a block of targets, each at one penalty, on the scale of the input.

    ``n_iter`` counts rounds, −1 if the engine does not report them. ``dual_gap`` is relative to
    the mean square of the (centred) target.
    """

    coef: Floats
    intercept: Floats
    n_iter: NDArray[np.intp]
    dual_gap: Floats
    n_unconverged: int


class Engine(Protocol):
    """Interface of a solver for blocks of targets.

    An engine is made from the moments of the predictors (without targets), the `SolverSettings`,
    and the `Samples` or None: ``Engine(predictors, settings, samples)``. It holds what all targets
    share. It may be copied once to each process or machine, and receives the blocks there.
    """

    settings: SolverSettings

    @property
    def unit_weight(self) -> Floats:
        """Weight of each test unit, in the order of `errors`."""
        ...

    def grids(self, block: TargetBlock) -> Floats:
        """Return the decreasing penalties (n_block, n_lambdas) of each target, NaN-padded."""
        ...

    def errors(self, block: TargetBlock, lambdas: Floats) -> tuple[Floats, int]:
        """Return held-out errors (n_block, n_units, n_lambdas) and the unconverged count."""
        ...

    def solve(self, block: TargetBlock, lambdas: Floats, stop: NDArray[np.intp]) -> Solution:
        """Return the models on all cells at ``lambdas[t, stop[t]]``; −1 means no model."""
        ...


class PathEngine(Engine, Protocol):
    """Engine that also gives the models of all samples along a path."""

    def path(
        self, block: TargetBlock, lambdas: Floats, cost: Floats
    ) -> tuple[Floats, NDArray[np.intp], int]:
        """Return errors and sizes (n_block, n_lambdas) of the models, and the unconverged count.

        Parameters
        ----------
        block : TargetBlock
        lambdas : ndarray of shape (n_block, n_lambdas)
            Decreasing penalties, NaN-padded.
        cost : ndarray of shape (n_block, n_features + 1)
            The cost of k coefficients in the criterion log e + cost[k]. Errors are NaN beyond a
            penalty after which no model can have a lower criterion.
        """
        ...


@dataclass(frozen=True)
class Selection:
    """Rule that selects the penalty of each target from the held-out errors.

    Attributes
    ----------
    rule : "1se", "min", "1se_cells", "aic", "bic", "ebic", float or callable
    weighs_folds : bool, default=True
        Weigh each test unit by the weight of its samples, as glmnet does; otherwise equally, as
        scikit-learn does.
    keeps_errors : bool, default=False
        Keep the held-out error of every test unit.
    n_repeats : int, default=1
        How often the test units cover all samples.
    n_samples : float, default=1.0
        Number of samples, for the rules that use the models of all samples.
    training_share : float, default=1.0
        Mean share of the samples in a training set.
    """

    rule: LambdaRule
    weighs_folds: bool = True
    keeps_errors: bool = False
    n_repeats: int = 1
    n_samples: float = 1.0
    training_share: float = 1.0


@dataclass(frozen=True)
class BlockFit:
    """Fitted models of a block of targets; arrays have one row per target.

    ``errors`` (n_targets, n_units, n_lambdas) is None unless the `Selection` keeps it. ``curve``
    (n_targets, n_lambdas) is that of the rule "1se_cells", whose models are those at its minimum
    until the residuals are known, with ``training_error``; both are None with other rules.
    """

    lambdas: Floats
    cv_mse: Floats
    cv_mse_se: Floats
    lambda_min: Floats
    lambda_1se: Floats
    lambda_: Floats
    r2: Floats
    coef: Floats
    intercept: Floats
    n_iter: NDArray[np.intp]
    dual_gap: Floats
    n_unconverged: int
    errors: Floats | None = None
    curve: Floats | None = None
    training_error: Floats | None = None


def fit_block(engine: Engine, selection: Selection, block: TargetBlock) -> BlockFit:
    """Cross-validate a block of targets, select their penalties and fit them on all samples."""
    if selection.rule in CRITERIA:
        return _fit_by_criterion(cast(PathEngine, engine), selection, block)
    lambdas = insert_penalty(engine.grids(block), selection.rule)
    errors, n_unconverged = engine.errors(block, lambdas)
    weight = engine.unit_weight if selection.weighs_folds else np.ones(errors.shape[1])
    mse, mse_se = cv_curve(errors, weight, selection.n_repeats)
    mse[block.n_candidates == 0], mse_se[block.n_candidates == 0] = np.nan, np.nan
    i_min, i_1se = min_and_1se(mse, mse_se)
    own: dict[str, Floats] = {}
    if selection.rule == CELL_RULE:
        by_path = cast(PathEngine, engine)
        chosen, own, failed = _choose_by_average(by_path, selection, block, lambdas, mse)
        n_unconverged += failed
    else:
        chosen = apply_rule(selection.rule, lambdas, mse, mse_se, i_min, i_1se)
    solution = engine.solve(block, lambdas, chosen)
    return BlockFit(
        lambdas=lambdas,
        cv_mse=mse,
        cv_mse_se=mse_se,
        lambda_min=take(lambdas, i_min),
        lambda_1se=take(lambdas, i_1se),
        lambda_=take(lambdas, chosen),
        r2=cross_validated_r2(take(mse, chosen), block.variance),
        coef=solution.coef,
        intercept=solution.intercept,
        n_iter=solution.n_iter,
        dual_gap=solution.dual_gap,
        n_unconverged=n_unconverged + solution.n_unconverged,
        errors=errors if selection.keeps_errors else None,
        **own,
    )


def _choose_by_average(
    engine: PathEngine, selection: Selection, block: TargetBlock, lambdas: Floats, mse: Floats
) -> tuple[NDArray[np.intp], dict[str, Floats], int]:
    """Return the positions of the minima of m, the fields of the rule, the unconverged count."""
    # Models that are not cross-validated are not needed.
    needed = np.where(np.isnan(mse), np.nan, lambdas)
    no_cost = np.zeros((len(block), block.factors.shape[1] + 1))
    errors, sizes, n_unconverged = engine.path(block, needed, no_cost)
    has_intercept = int(engine.settings.fit_intercept)
    n_fixed = (block.factors == 0.0).sum(axis=1) + has_intercept
    n, share = selection.n_samples, selection.training_share
    free = fold_free_curve(errors, sizes + has_intercept, n, share, n_fixed)
    curve = averaged(mse, free)
    chosen = min_and_1se(curve, curve)[0]
    return chosen, {"curve": curve, "training_error": take(errors, chosen)}, n_unconverged


def _fit_by_criterion(engine: PathEngine, selection: Selection, block: TargetBlock) -> BlockFit:
    """Select penalties by an information criterion; nothing is cross-validated."""
    lambdas = engine.grids(block)
    cost = criterion_cost(str(selection.rule), block, selection.n_samples, block.factors.shape[1])
    errors, sizes, n_unconverged = engine.path(block, lambdas, cost)
    errors[block.n_candidates == 0] = np.nan
    chosen = best_by_criterion(errors, sizes, cost)
    solution = engine.solve(block, lambdas, chosen)
    unknown, none = np.full_like(lambdas, np.nan), np.full(len(block), np.nan)
    return BlockFit(
        lambdas=lambdas,
        cv_mse=unknown,
        cv_mse_se=unknown.copy(),
        lambda_min=none,
        lambda_1se=none.copy(),
        lambda_=take(lambdas, chosen),
        r2=none.copy(),
        coef=solution.coef,
        intercept=solution.intercept,
        n_iter=solution.n_iter,
        dual_gap=solution.dual_gap,
        n_unconverged=n_unconverged + solution.n_unconverged,
    )


def take(values: Floats, position: NDArray[np.intp]) -> Floats:
    """Return ``values[t, position[t]]``, NaN where the position is −1."""
    return np.where(position >= 0, values[np.arange(len(values)), position], np.nan)


def cross_validated_r2(mse: Floats, variance: Floats) -> Floats:
    """Return max(0, 1 − cvm/var(y, ddof 1)), NaN without a model."""
    share = np.divide(mse, variance, out=np.full_like(mse, np.nan), where=variance > 0)
    return np.where(np.isnan(share), np.nan, np.maximum(0.0, 1.0 - share))
