"""R's cv.glmnet with type.gaussian="covariance": same folds, grid, rules; thresh 1e-7."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import RivalFit, _r

if TYPE_CHECKING:
    from problems import Problem

NAME = "R cv.glmnet, covariance"
PACKAGE = None
absent, version = _r.absent, _r.version


def fit(problem: Problem, t: int) -> RivalFit:
    """Fit one target in R, where it is timed with proc.time (to the millisecond)."""
    return _r.fit(problem, t, "covariance")
