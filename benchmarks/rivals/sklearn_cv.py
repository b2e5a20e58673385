"""scikit-learn's ``LassoCV(precompute=True)``: same folds and grid, tolerance 1e-4.

It does not standardize predictors on each training set (they are z-scored over all cells), so its
curve differs a little from glmnet's. It has no one-standard-error rule; the package's own is
applied to its ``mse_path_``. `max_iter` is raised, because the default of 1,000 warns.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sklearn.linear_model import LassoCV

from scifate_sklearn.solvers._selection import paper_grid

from . import RivalFit
from ._selection import select

if TYPE_CHECKING:
    from problems import Problem

NAME = "LassoCV(precompute=True)"
PACKAGE = "scikit-learn"


def fit(problem: Problem, t: int) -> RivalFit:
    """Fit one target."""
    model = LassoCV(alphas=paper_grid(), cv=problem.splits, precompute=True, max_iter=100_000)
    y = problem.Y[:, t].copy()
    start = time.perf_counter()
    model.fit(problem.X, y)
    seconds = time.perf_counter() - start
    return RivalFit(seconds, *select(problem, model.mse_path_.T))
