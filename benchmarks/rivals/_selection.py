"""λ_min and λ_1se of a rival that reports the error of each fold at each penalty."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scifate_sklearn.solvers._selection import cv_curve, min_and_1se, paper_grid

if TYPE_CHECKING:
    from problems import Problem


def select(problem: Problem, errors: NDArray[np.float64]) -> tuple[float, float]:
    """Apply the package's own rules to held-out errors (n_folds, n_lambdas) on the paper's grid."""
    weight = np.array([len(test) for _, test in problem.splits], np.float64)
    mse, mse_se = cv_curve(errors[None], weight)
    grid = paper_grid()
    i_min, i_1se = min_and_1se(mse, mse_se)
    return float(grid[i_min[0]]), float(grid[i_1se[0]])
