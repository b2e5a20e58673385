"""Time of 100 halves of stability selection and of 10 permutations, compared with the fit.

    python benchmarks/resampling.py --problem pancreas --threads 2 --json resampling.json

Wall-clock and processor seconds (user + system, all threads) of one call each, including the fit to
all cells that is part of it.
"""

from __future__ import annotations

import argparse
import resource
from collections.abc import Callable
from typing import Any

import report


def processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def timed(name: str, call: Callable[[], Any]) -> dict[str, Any]:
    report.progress(name)
    before = processor_seconds()
    return {"what": name, "wall": report.seconds(call), "cpu": processor_seconds() - before}


def measure(name: str, n_jobs: int) -> list[dict[str, Any]]:
    """Time each estimator on one problem, after compilation."""
    from problems import PROBLEMS

    from scifate_sklearn import PermutationFDR, SciFateRegressor, StabilitySelection

    problem = PROBLEMS[name]()
    regressor = SciFateRegressor(cv=problem.splits, n_jobs=n_jobs)
    models = {
        "fit": regressor,
        "100 halves of the cells": StabilitySelection(regressor),
        "100 halves of the folds": StabilitySelection(regressor, resample="folds"),
        "10 permutations": PermutationFDR(regressor),
    }
    for model in models.values():
        model.fit(problem.X[:, :10], problem.Y[:, :4])
    return [
        timed(what, lambda model=model: model.fit(problem.X, problem.Y))
        for what, model in models.items()
    ]


def main() -> None:
    """Print a row for each estimator."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--problem", default="pancreas")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", default=None)
    options = parser.parse_args()
    report.use_threads(options.threads)
    rows = measure(options.problem, options.threads)
    machine = report.machine()
    shown = [
        [row["what"], report.duration(row["wall"]), report.duration(row["cpu"])] for row in rows
    ]
    print(report.describe(machine), report.table(["", "wall", "processor"], shown), sep="\n\n")
    report.save_json(options.json, {"machine": machine, "problem": options.problem, "rows": rows})


if __name__ == "__main__":
    main()
