"""What an engine can do, and the fit of one block of targets by whichever engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ._problem import Floats, Settings, TargetBlock
from ._selection import LambdaRule, apply_rule, cv_curve, insert_penalty, min_and_1se


@dataclass(frozen=True)
class Solution:
    """Models of a block of targets, each at one penalty, on the scale of the inputs.

    ``n_iter`` counts rounds (−1 where the engine does not say), ``dual_gap`` is relative to the
    mean square of the (centred) target.
    """

    coef: Floats
    intercept: Floats
    n_iter: NDArray[np.intp]
    dual_gap: Floats
    n_unconverged: int


class Engine(Protocol):
    """Solves the paths of a block of targets at a time.

    It holds what all targets share; it may be copied to other processes and machines once, and
    gets the blocks there.
    """

    settings: Settings

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
        """Return the models on all cells at ``lambdas[t, stop[t]]``; −1 is no model."""
        ...


@dataclass(frozen=True)
class BlockFit:
    """Everything the estimator reports of a block of targets; arrays have one row a target."""

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


def fit_block(engine: Engine, rule: LambdaRule, block: TargetBlock) -> BlockFit:
    """Cross-validate a block of targets, select their penalties and fit them on all cells."""
    lambdas = insert_penalty(engine.grids(block), rule)
    errors, n_unconverged = engine.errors(block, lambdas)
    mse, mse_se = cv_curve(errors, engine.unit_weight)
    no_model = block.n_candidates == 0
    mse[no_model], mse_se[no_model] = np.nan, np.nan
    i_min, i_1se = min_and_1se(mse, mse_se)
    chosen = apply_rule(rule, lambdas, mse, mse_se, i_min, i_1se)
    solution = engine.solve(block, lambdas, chosen)
    return BlockFit(
        lambdas=lambdas,
        cv_mse=mse,
        cv_mse_se=mse_se,
        lambda_min=_take(lambdas, i_min),
        lambda_1se=_take(lambdas, i_1se),
        lambda_=_take(lambdas, chosen),
        r2=_cross_validated_r2(_take(mse, chosen), block.variance),
        coef=solution.coef,
        intercept=solution.intercept,
        n_iter=solution.n_iter,
        dual_gap=solution.dual_gap,
        n_unconverged=n_unconverged + solution.n_unconverged,
    )


def _take(values: Floats, position: NDArray[np.intp]) -> Floats:
    """Return ``values[t, position[t]]``, NaN where the position is −1."""
    return np.where(position >= 0, values[np.arange(len(values)), position], np.nan)


def _cross_validated_r2(mse: Floats, variance: Floats) -> Floats:
    """Return max(0, 1 − cvm/var(y, ddof 1)), NaN where there is no model."""
    share = np.divide(mse, variance, out=np.full_like(mse, np.nan), where=variance > 0)
    return np.where(np.isnan(share), np.nan, np.maximum(0.0, 1.0 - share))
