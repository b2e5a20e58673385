"""Lower bound of the multiply-adds of a path, given its supports.

At each (training set, penalty) whose solution has s of p predictors, a method that certifies its
solutions has to

* evaluate the gradient of all predictors: p s,
* solve for the coefficients of the support by its triangular factor: s²/2,
* extend that factor by each predictor that enters: s²/2,
* evaluate the held-out error, a symmetric quadratic form: s²/2.

The model on all cells needs the same down to λ_1se, without held-out errors. The bound
does not depend on the package: supports come from scikit-learn's `lasso_path`. The search for the
support is not counted, so no method reaches the bound.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
import report
from numpy.typing import NDArray
from problems import Problem
from sklearn.linear_model import lasso_path

from scifate_sklearn.solvers._selection import paper_grid

# Whether each predictor is in the model: (n_features, n_lambdas) for each training set, and last
# for all cells.
Supports = list[NDArray[np.bool_]]


@dataclass(frozen=True)
class Bound:
    """Multiply-adds of one target, and the mean support at the penalties visited."""

    parts: dict[str, float]
    mean_support: float

    @property
    def total(self) -> float:
        """All multiply-adds."""
        return sum(self.parts.values())


def supports(problem: Problem, t: int) -> Supports:
    """Return the supports along the whole grid on each training set, and on all cells."""
    everyone = np.arange(len(problem.X))
    return [_path(problem, t, rows) for rows in (*(train for train, _ in problem.splits), everyone)]


def _path(problem: Problem, t: int, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
    X, y = problem.X[rows], problem.Y[rows, t]
    X = np.asfortranarray((X - X.mean(axis=0)) / X.std(axis=0))
    y = y - y.mean()
    gram, cross = X.T @ X, X.T @ y
    _, coef, _ = lasso_path(
        X, y, alphas=paper_grid(), precompute=gram, Xy=cross, tol=1e-6, max_iter=100_000
    )
    return coef != 0


def count(supports: Supports, model: Any, t: int, n_features: int) -> Bound:
    """Add up the multiply-adds at the penalties that a fitted model visited for target t."""
    n_visited = int(np.isfinite(model.cv_mse_[t]).sum())
    last = int(np.argmin(np.abs(model.lambdas_ - model.lambda_1se_[t]))) + 1
    visited = [member[:, :n_visited] for member in supports[:-1]] + [supports[-1][:, :last]]
    parts = {"gradient": 0.0, "solve": 0.0, "factor": 0.0, "held out": 0.0}
    for member in visited:
        size = member.sum(axis=0).astype(float)
        entering = (member[:, 1:] & ~member[:, :-1]).sum(axis=0)
        parts["gradient"] += n_features * size.sum()
        parts["solve"] += (size**2).sum() / 2
        parts["factor"] += (entering * size[1:] ** 2).sum() / 2
        parts["held out"] += (size**2).sum() / 2 if member is not visited[-1] else 0.0
    sizes = np.concatenate([member.sum(axis=0) for member in visited])
    return Bound(parts, float(np.mean(sizes)))


def rates(p: int) -> dict[str, float]:
    """Return multiply-adds per second of NumPy on a Gram matrix of p predictors, one thread.

    The matrix-vector product is the rate for a single target. The matrix-matrix product would be
    the rate if many targets shared a support.
    """
    rng = np.random.default_rng(0)
    # All p columns, so that the overhead of a NumPy call is negligible.
    gram = np.asfortranarray(rng.normal(size=(p, p)))
    one, many = rng.normal(size=p), np.asfortranarray(rng.normal(size=(p, 256)))
    return {
        "dgemv speed": p * p / _seconds(lambda: gram @ one),
        "dgemm speed": p * p * 256 / _seconds(lambda: gram @ many),
    }


def _seconds(call: Callable[[], object], calls: int = 50) -> float:
    """Return the time of one call, as the median over batches of calls."""
    batches = [report.seconds(lambda: [call() for _ in range(calls)]) for _ in range(7)]
    return median(batches) / calls
