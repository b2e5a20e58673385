"""glmnet's Fortran solver in the package's own cross-validation, `engine="glmnet"`.

Same folds, grid and rules. The threshold is glmnet's default 1e-7, not the 1e-12 that the engine
has by default. Unlike R and python-glmnet it runs the path on all cells only as far as λ_1se.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from scifate_sklearn import SciFateRegressor

from . import RivalFit

if TYPE_CHECKING:
    from problems import Problem

NAME = 'engine="glmnet"'
PACKAGE = "python-glmnet"


def fit(problem: Problem, t: int) -> RivalFit:
    """Fit one target."""
    model = SciFateRegressor(
        engine="glmnet", tol=1e-7, cor_threshold=None, exclude_self=False, cv=problem.splits
    )
    y = problem.Y[:, t].copy()
    start = time.perf_counter()
    model.fit(problem.X, y)
    seconds = time.perf_counter() - start
    return RivalFit(seconds, float(model.lambda_min_), float(model.lambda_1se_))
