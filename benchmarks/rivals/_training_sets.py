"""Cross-validation for solvers that have a path but no usable cross-validation.

As in cv.glmnet, predictors are standardized on each training set, every path runs over the whole
grid, and a last path on all cells ends at λ_1se. The standardized predictors and their Gram
matrices are computed once per problem and are not timed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scifate_sklearn.solvers._selection import paper_grid

from . import RivalFit
from ._selection import select

if TYPE_CHECKING:
    from problems import Problem

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TrainingSet:
    """Standardized predictors of one training set and of the cells it is tested on."""

    rows: NDArray[np.intp]
    test: NDArray[np.intp]
    X: Floats
    X_test: Floats
    gram: Floats

    def cross_products(self, y: Floats) -> Floats:
        """Return X'y/n; the predictors are centred, so y need not be."""
        return self.X.T @ y[self.rows] / len(self.rows)

    def errors(self, y: Floats, coef: Floats) -> Floats:
        """Return the mean squared error on the held-out cells at each penalty."""
        predicted = y[self.rows].mean() + self.X_test @ coef
        return ((y[self.test, None] - predicted) ** 2).mean(axis=0)


# From a training set, all of y and decreasing penalties to coefficients (n_features, n_lambdas).
FoldPath = Callable[[TrainingSet, Floats, Floats], Floats]


def cross_validate(problem: Problem, t: int, path: FoldPath) -> RivalFit:
    """Time the cross-validation of target t."""
    *folds, all_cells = _training_sets(problem)
    y, grid = np.ascontiguousarray(problem.Y[:, t]), paper_grid()
    start = time.perf_counter()
    errors = [fold.errors(y, path(fold, y, grid)) for fold in folds]
    lambda_min, lambda_1se = select(problem, np.array(errors))
    path(all_cells, y, grid[grid >= lambda_1se])
    return RivalFit(time.perf_counter() - start, lambda_min, lambda_1se)


@lru_cache(maxsize=1)
def _training_sets(problem: Problem) -> list[TrainingSet]:
    all_cells = (np.arange(len(problem.X)), np.array([], np.intp))
    return [_standardize(problem.X, *split) for split in (*problem.splits, all_cells)]


def _standardize(X: Floats, rows: NDArray[np.intp], test: NDArray[np.intp]) -> TrainingSet:
    centre, scale = X[rows].mean(axis=0), X[rows].std(axis=0)
    # A predictor that is constant on the training set gets coefficient 0, as in glmnet.
    inverse = np.divide(1.0, scale, out=np.zeros_like(scale), where=scale > 0)
    standard = np.asfortranarray((X[rows] - centre) * inverse)
    gram = np.asfortranarray(standard.T @ standard / len(rows))
    return TrainingSet(rows, test, standard, (X[test] - centre) * inverse, gram)
