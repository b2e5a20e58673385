"""Time per target of each solver on the same problem, folds and grid, one thread, one run.

    python benchmarks/compare.py --n 4000 --p 400 --q 128 --rival-targets 3

The shared-Gram engine fits all q targets (its moments included); slow rivals fit the first few.
Rivals alternate with it target by target, so that drift of the machine hits both.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from statistics import median

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np
import sklearn
from problems import Problem, simulated
from sklearn.linear_model import LassoCV

import scifate_sklearn
from scifate_sklearn import SciFateRegressor
from scifate_sklearn.solvers.selection import paper_grid

Timing = tuple[float, SciFateRegressor | None]


def fit(problem: Problem, targets: slice, **params: object) -> Timing:
    """Fit with the package; return seconds per target and the model."""
    model = SciFateRegressor(cv=problem.splits, exclude_self=False, **params)
    start = time.perf_counter()
    model.fit(problem.X, problem.Y[:, targets])
    return (time.perf_counter() - start) / model.coef_.shape[0], model


def glmnet(problem: Problem, t: int) -> Timing:
    """Fit one target with python-glmnet, at glmnet's default threshold."""
    return fit(problem, slice(t, t + 1), engine="glmnet", tol=1e-7)


def glmnet_tight(problem: Problem, t: int) -> Timing:
    """Fit one target with python-glmnet, at the threshold that `engine="glmnet"` has by default."""
    return fit(problem, slice(t, t + 1), engine="glmnet")


def lasso_cv(problem: Problem, t: int) -> Timing:
    """Fit one target with scikit-learn; no prefilter, and no one-standard-error rule."""
    model = LassoCV(alphas=paper_grid(), cv=problem.splits, precompute=True, max_iter=10_000)
    start = time.perf_counter()
    model.fit(problem.X, problem.Y[:, t])
    return time.perf_counter() - start, None


RIVALS: dict[str, Callable[[Problem, int], Timing]] = {
    "python-glmnet, thresh 1e-7": glmnet,
    "python-glmnet, thresh 1e-12": glmnet_tight,
    "LassoCV(precompute=True)": lasso_cv,
}


def compare(problem: Problem, n_rival_targets: int, repeats: int = 3) -> dict[str, object]:
    """Return seconds per target and ratios of medians."""
    everything = slice(0, problem.Y.shape[1])
    fit(problem, slice(0, 1))  # compile
    seconds: dict[str, list[float]] = {}
    models = {}
    for repeat in range(max(repeats, n_rival_targets)):
        for path in ("adaptive", "full"):
            if repeat < repeats:
                spent, models[path] = fit(problem, everything, path=path)
                seconds.setdefault(path, []).append(spent)
        if repeat < n_rival_targets:
            for name, rival in RIVALS.items():
                spent, model = rival(problem, repeat)
                seconds.setdefault(name, []).append(spent)
                if model is not None:
                    assert np.isclose(model.lambda_1se_[0], models["full"].lambda_1se_[repeat])
    per_target = {name: median(values) for name, values in seconds.items()}
    return {
        "problem": problem.name,
        "seconds_per_target": per_target,
        "ratios": {
            f"{rival} / {path}": per_target[rival] / per_target[path]
            for rival in RIVALS
            for path in ("adaptive", "full")
        },
        "targets_with_another_lambda_1se": int(
            (models["adaptive"].lambda_1se_ != models["full"].lambda_1se_).sum()
        ),
        "targets_with_another_lambda_min": int(
            (models["adaptive"].lambda_min_ != models["full"].lambda_min_).sum()
        ),
        "worst_dual_gap": float(models["full"].dual_gap_.max()),
        "median_support": float(np.median((models["full"].coef_ != 0).sum(axis=1))),
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scikit-learn": sklearn.__version__,
            "scifate_sklearn": scifate_sklearn.__version__,
        },
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, one thread used",
    }


def main() -> None:
    """Print the comparison as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=4000)
    parser.add_argument("--p", type=int, default=400)
    parser.add_argument("--q", type=int, default=128)
    parser.add_argument("--rival-targets", type=int, default=3)
    options = parser.parse_args()
    problem = simulated(options.n, options.p, options.q)
    print(json.dumps(compare(problem, options.rival_targets), indent=2))


if __name__ == "__main__":
    main()
