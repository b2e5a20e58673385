"""Count the targets for which `path="adaptive"` chooses another penalty than `path="full"`.

    python benchmarks/adaptive.py --json adaptive.json

Every target of all real and simulated problems, and of simulations that were made to break the
rule, is fitted with both paths. Targets whose λ_min or λ_1se differ are counted.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import report

report.use_threads(1)

import numpy as np
from numpy.typing import NDArray
from problems import PROBLEMS, Problem, simulated, standardized

from scifate_sklearn import SciFateRegressor

Floats = NDArray[np.float64]

SHAPES = (150, 300, 800, 2500)
PREDICTORS = (60, 150, 240)


def two_scales(rng: np.random.Generator, p: int) -> Floats:
    """Return three strong effects and many weak ones, which enter much later in the path."""
    effects = np.zeros(p)
    effects[rng.choice(p, 3, replace=False)] = 3 * rng.normal(size=3)
    weak = rng.choice(p, p // 3, replace=False)
    effects[weak] += rng.normal(size=len(weak)) * rng.uniform(0.05, 0.3)
    return effects


def dense(rng: np.random.Generator, p: int) -> Floats:
    """Return small effects of all predictors."""
    return rng.normal(size=p) * rng.uniform(0.02, 0.2)


def none(rng: np.random.Generator, p: int) -> Floats:
    """Return no effects."""
    return np.zeros(p)


def suppressors(rng: np.random.Generator, p: int) -> Floats:
    """Return opposite effects of nearly equal predictors, which explain nothing alone."""
    effects = np.zeros(p)
    first = 2 * rng.choice(p // 2, 8, replace=False)
    effects[first], effects[first + 1] = 1.0, -1.0
    return effects


def sparse(rng: np.random.Generator, p: int) -> Floats:
    """Return five effects."""
    effects = np.zeros(p)
    effects[rng.choice(p, 5, replace=False)] = rng.normal(size=5) * rng.uniform(0.05, 1)
    return effects


def adversary(name: str, n: int, p: int, q: int, seed: int) -> Problem:
    """Simulate correlated predictors, one kind of effects, and heavy-tailed noise."""
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=(n, 10)) @ rng.normal(size=(10, p)) / np.sqrt(10)
    X = rng.normal(size=(n, p)) + shared * rng.uniform(0, 1.5)
    if name == "suppressors":
        X[:, 1::2] = X[:, ::2] + 0.3 * rng.normal(size=(n, p // 2))
    effects = np.stack([KINDS[name](rng, p) for _ in range(q)], axis=1)
    Y = X @ effects + rng.standard_t(3, size=(n, q)) * rng.choice([0.3, 1, 3], q)
    return standardized(f"{name} n={n} p={p}", X, Y)


KINDS = {
    "two_scales": two_scales,
    "dense": dense,
    "none": none,
    "suppressors": suppressors,
    "sparse": sparse,
}


def count_differences(problem: Problem, cor_threshold: float | None) -> dict[str, object]:
    """Return the numbers of differing and of all targets, and the share of visited penalties."""
    adaptive, full = (
        SciFateRegressor(
            cv=problem.splits, exclude_self=False, cor_threshold=cor_threshold, path=path
        ).fit(problem.X, problem.Y)
        for path in ("adaptive", "full")
    )
    has_model = np.isfinite(full.lambda_min_)

    def differing(rule: str) -> int:
        return int((getattr(adaptive, rule) != getattr(full, rule))[has_model].sum())

    return {
        "problem": problem.name,
        "targets": int(has_model.sum()),
        "other λ_min": differing("lambda_min_"),
        "other λ_1se": differing("lambda_1se_"),
        "share of penalties visited": f"{np.isfinite(adaptive.cv_mse_[has_model]).mean():.2f}",
    }


def adversaries(n_seeds: int, q: int) -> Iterator[tuple[Problem, float | None]]:
    """Yield simulations that were made to break the rule, with and without prefilter."""
    for seed in range(n_seeds):
        for n in SHAPES:
            for i, name in enumerate(KINDS):
                p = PREDICTORS[(seed + i) % len(PREDICTORS)]
                yield adversary(name, n, p, q, 10_000 * seed + n + i), (0.03, None)[seed % 2]


def thinned(problem: Problem, most: int) -> Problem:
    """Keep every k-th target, so that at most `most` are left."""
    step = -(-problem.Y.shape[1] // most)
    return Problem(problem.name, problem.X, problem.Y[:, ::step], problem.splits)


def main() -> None:
    """Print the counts of each problem, and their sums."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=8, help="simulations of each kind and size")
    parser.add_argument("--targets", type=int, default=100, help="targets of each simulation")
    parser.add_argument("--most", type=int, default=5000, help="targets of a real problem")
    parser.add_argument("--json", default=None)
    options = parser.parse_args()
    rows = []
    for problem, threshold in adversaries(options.seeds, options.targets):
        report.progress(problem.name)
        rows.append(count_differences(problem, threshold))
    for load in PROBLEMS.values():
        problem = thinned(load(), options.most)
        report.progress(problem.name)
        rows.append(count_differences(problem, 0.03))
    report.progress("simulated")
    rows.append(count_differences(simulated(4000, 400, 128, seed=1), None))
    sums = ("targets", "other λ_min", "other λ_1se")
    total = {key: sum(row[key] for row in rows) for key in sums}
    rows.append({"problem": "all", **total, "share of penalties visited": ""})
    print(report.table(list(rows[0]), [list(row.values()) for row in rows]))
    report.save_json(options.json, {"machine": report.machine(), "problems": rows})


if __name__ == "__main__":
    main()
