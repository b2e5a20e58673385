"""Least-squares effects of selected TFs on each target, with robust variances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..fitting import TrainingData
from ..moments import dense
from ..solvers import RobustProblem

Floats = NDArray[np.float64]

# Fewest samples for each predictor of a model.
LEAST_SAMPLES = 3


@dataclass(frozen=True)
class Effects:
    """Effects of selected predictors on their targets; NaN for all other pairs.

    Attributes
    ----------
    coef : ndarray of shape (n_targets, n_features)
        Least-squares coefficients on the scale of the input.
    t : ndarray of shape (n_targets, n_features)
        The coefficients over their HC3 standard errors.
    df : ndarray of int of shape (n_targets,)
        Residual degrees of freedom, 0 without a model.
    """

    coef: Floats
    t: Floats
    df: NDArray[np.intp]

    @property
    def variance(self) -> Floats:
        """Sampling variance of the coefficients."""
        return np.asarray((self.coef / self.t) ** 2, np.float64)


def strongest(priority: Floats, *parts: TrainingData) -> list[NDArray[np.intp]]:
    """Return the predictors of each target's model, those with the highest priority first.

    Parameters
    ----------
    priority : ndarray of shape (n_targets, n_features)
        Positive for selected predictors.
    *parts : TrainingData
        The model is fitted to each of them. If one has fewer than three samples for each selected
        predictor, those with the lowest priority are left out.
    """
    n = min(round(float(part.moments.layout.total @ part.moments.n_cells)) for part in parts)
    n_selected = np.count_nonzero(priority > 0, axis=1)
    order = np.argsort(-priority, axis=1, kind="stable")[:, : n // LEAST_SAMPLES]
    return [own[:count] for own, count in zip(order, n_selected, strict=True)]


def effects_of(data: TrainingData, predictors: list[NDArray[np.intp]]) -> Effects:
    """Return the effects of some predictors on each target, one model per target.

    Parameters
    ----------
    data : TrainingData
        Samples without weight are not used.
    predictors : list of ndarray of int
        Of each target; at most one for three samples.
    """
    samples = data.require_samples("effects_of")
    rows = np.flatnonzero(samples.weight > 0)
    X, Y, weight = dense(samples.X[rows]), samples.Y[rows], samples.weight[rows]
    n_targets = data.moments.n_targets
    problem = RobustProblem.from_moments(data.moments, np.full(n_targets, -1, np.intp))
    coef = np.full((n_targets, data.moments.n_features), np.nan)
    t, df = coef.copy(), np.zeros(n_targets, np.intp)
    for target, used in enumerate(predictors):
        if len(used):
            part = problem.take(used, target)
            t[target, used] = part.statistics(part.sums(X[:, used], Y[:, [target]], weight))[0]
            coef[target, used] = part.input_coef[:, 0]
            df[target] = part.df[0]
    return Effects(coef, t, df)
