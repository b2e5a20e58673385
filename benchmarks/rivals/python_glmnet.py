"""python-glmnet's public estimator, ``ElasticNet(alpha=1, lambda_path=grid, n_splits=10)``.

Its folds can be given as groups: ten groups and ten splits make each group a fold. It averages the
folds with equal weights, glmnet with weights by the number of cells, which differ by one at most.
On flat curves it may therefore choose a neighbouring penalty. Threshold 1e-7, glmnet's default.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from scifate_sklearn.solvers._selection import paper_grid

from . import RivalFit

if TYPE_CHECKING:
    from problems import Problem

NAME = "python-glmnet"
PACKAGE = "python-glmnet"


def fit(problem: Problem, t: int) -> RivalFit:
    """Fit one target."""
    from glmnet import ElasticNet

    folds, y = problem.fold_ids, problem.Y[:, t].copy()
    model = ElasticNet(
        alpha=1,
        lambda_path=paper_grid(),
        n_splits=len(problem.splits),
        scoring="mean_squared_error",
    )
    start = time.perf_counter()
    model.fit(problem.X, y, groups=folds)
    seconds = time.perf_counter() - start
    return RivalFit(seconds, float(model.lambda_max_), float(model.lambda_best_[0]))
