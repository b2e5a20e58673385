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


def effects_of(data: TrainingData, priority: Floats) -> Effects:
    """Return the effects of the selected predictors of each target, one model per target.

    Parameters
    ----------
    data : TrainingData
        Samples without weight are not used.
    priority : ndarray of shape (n_targets, n_features)
        Positive for selected predictors. If there are fewer than three samples for each, those with
        the lowest priority are left out.
    """
    samples = data.require_samples("effects_of")
    rows = np.flatnonzero(samples.weight > 0)
    X, Y, weight = dense(samples.X[rows]), samples.Y[rows], samples.weight[rows]
    none = np.full(len(priority), -1, np.intp)
    problem = RobustProblem.from_moments(data.moments, none)
    coef, df = np.full(priority.shape, np.nan), np.zeros(len(priority), np.intp)
    t = coef.copy()
    for target, own in enumerate(priority):
        order = np.argsort(-own, kind="stable")[: np.count_nonzero(own > 0)]
        used = order[: problem.n_cells // LEAST_SAMPLES]
        if len(used):
            part = problem.take(used, target)
            t[target, used] = part.statistics(part.sums(X[:, used], Y[:, [target]], weight))[0]
            coef[target, used] = part.input_coef[:, 0]
            df[target] = part.df[0]
    return Effects(coef, t, df)
