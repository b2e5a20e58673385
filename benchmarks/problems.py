"""The problems that solvers are compared on: predictors, targets and the folds they share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scifate_sklearn import RSampleKFold


@dataclass(frozen=True)
class Problem:
    """Z-scored predictors (n, p) and targets (n, q), with the folds of R."""

    name: str
    X: NDArray[np.float64]
    Y: NDArray[np.float64]
    splits: list[tuple[NDArray[np.intp], NDArray[np.intp]]]


def simulated(n: int, p: int, q: int, n_programmes: int = 20, seed: int = 0) -> Problem:
    """Simulate cells whose TFs share programmes (|correlation| up to about 0.7).

    Each target answers to ten TFs, which explain about a quarter of its variance.
    """
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=(n, n_programmes)) @ rng.normal(size=(n_programmes, p))
    X = 0.5 * shared / np.sqrt(n_programmes) * 2 + rng.normal(size=(n, p))
    effects = np.zeros((p, q))
    for t in range(q):
        effects[rng.choice(p, min(10, p), replace=False), t] = rng.normal(size=min(10, p))
    signal = X @ effects
    Y = 0.6 * signal / signal.std(axis=0) + rng.normal(size=(n, q))
    splits = list(RSampleKFold(10).split(X))
    return Problem(f"simulated n={n} p={p} q={q}", _zscore(X), _zscore(Y), splits)


def _zscore(A: NDArray[np.float64]) -> NDArray[np.float64]:
    return (A - A.mean(axis=0)) / A.std(axis=0, ddof=1)
