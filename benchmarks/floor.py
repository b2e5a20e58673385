"""Distance to the limits of the machine, and goals for absolute times and memory.

    python benchmarks/floor.py moments      # time of the moments over the two BLAS calls they need
    python benchmarks/floor.py solve        # time of the solve over its multiply-adds
    python benchmarks/floor.py threads      # two threads over one
    python benchmarks/floor.py first-call   # compilation, cold and from numba's cache
    python benchmarks/floor.py small        # n = 300, p = 50, q = 20
    python benchmarks/floor.py paper        # n = 6,000, p = 500, q = 5,000 on two cores
    python benchmarks/floor.py all --json floor.json

`--quick` shrinks every problem for a trial run; its numbers are meaningless.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import report

if __name__ == "__main__":
    report.use_threads(1)

import numpy as np
import update_bound
from problems import simulated

from scifate_sklearn import SciFateRegressor
from scifate_sklearn.moments import Moments, plan_folds

PATHS = ("adaptive", "full")
CHILD = Path(__file__).with_name("fresh_process.py")


@dataclass(frozen=True)
class Finding:
    """One measured number, and its goal if it has one."""

    what: str
    measured: float
    unit: str
    goal: float | None = None
    is_better_low: bool = True
    remark: str = ""

    @property
    def verdict(self) -> str:
        """Return whether the goal was reached, in words."""
        if self.goal is None:
            return ""
        is_met = self.measured <= self.goal if self.is_better_low else self.measured >= self.goal
        return "met" if is_met else "missed"

    def row(self) -> list[str]:
        """Return a line of the table."""
        bound = "" if self.goal is None else f"{'≤' if self.is_better_low else '≥'} {self.goal:g}"
        goal = f"{bound} {self.unit}".strip() if bound else ""
        return [self.what, report.short(self.measured, self.unit), goal, self.verdict, self.remark]


def model(path: str, splits: Any = 10, n_jobs: int | None = None) -> SciFateRegressor:
    """Return the estimator without prefilter, as the rivals are given the problem."""
    return SciFateRegressor(
        path=path, cv=splits, cor_threshold=None, exclude_self=False, n_jobs=n_jobs
    )


def median_times(calls: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Return the median seconds of each call; the calls alternate."""
    spent: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            spent[name].append(report.seconds(call))
    return {name: median(values) for name, values in spent.items()}


def moments(options: argparse.Namespace) -> list[Finding]:
    """Time the moments and the two matrix products that they require."""
    n, p, q = (1_000, 30, 40) if options.quick else (20_000, 400, 1_000)
    problem = simulated(n, p, q)
    X, Y, plan = problem.X, problem.Y, plan_folds(problem.splits, n)
    spent = median_times(
        {
            "moments": lambda: Moments.from_arrays(X, Y, plan),
            "products": lambda: (X.T @ X, X.T @ Y),
        },
        options.repeats,
    )
    size = f"n={n:,} p={p:,} q={q:,}, one thread"
    parts = f"{report.duration(spent['moments'])} over {report.duration(spent['products'])}"
    ratio = spent["moments"] / spent["products"]
    return [Finding("moments over BLAS X'X and X'Y", ratio, "×", 2.0, remark=f"{parts}; {size}")]


def solve(options: argparse.Namespace) -> list[Finding]:
    """Compare the time of the solve with the multiply-adds that its supports require."""
    n, p, q, sample = (400, 30, 5, 2) if options.quick else (4_000, 400, 64, 8)
    problem = simulated(n, p, q)
    sums = Moments.from_arrays(problem.X, problem.Y, plan_folds(problem.splits, n))
    models = {path: model(path).fit_moments(sums) for path in PATHS}
    calls = {path: lambda path=path: model(path).fit_moments(sums) for path in PATHS}
    spent = median_times(calls, options.repeats)
    report.progress(f"supports of {sample} targets, by scikit-learn")
    supports = [update_bound.supports(problem, t) for t in range(sample)]
    findings = []
    for path in PATHS:
        bounds = [update_bound.count(s, models[path], t, p) for t, s in enumerate(supports)]
        findings += _distance(path, spent[path] / q, bounds, p)
    return findings


def _distance(path: str, spent: float, bounds: list[Any], p: int) -> list[Finding]:
    operations = float(np.mean([bound.total for bound in bounds]))
    size = float(np.mean([bound.mean_support for bound in bounds]))
    parts = ", ".join(
        f"{name} {np.mean([bound.parts[name] for bound in bounds]) / operations:.0%}"
        for name in bounds[0].parts
    )
    findings = []
    for kind, rate in update_bound.rates(p).items():
        floor = operations / rate
        remark = (
            f"{report.duration(spent)} over {report.duration(floor)} per target: "
            f"{operations / 1e6:.3g} M multiply-adds ({parts}; mean support {size:.0f}) at "
            f"{rate / 1e9:.3g} G/s"
        )
        findings.append(
            Finding(f"solve, {path}, over its bound at {kind}", spent / floor, "×", remark=remark)
        )
    return findings


def threads(options: argparse.Namespace) -> list[Finding]:
    """Time one and two workers; BLAS has one thread in both."""
    n, p, q = (400, 30, 16) if options.quick else (4_000, 400, 512)
    problem = simulated(n, p, q)
    sums = Moments.from_arrays(problem.X, problem.Y, plan_folds(problem.splits, n))
    findings = []
    for path in PATHS:
        fits = {jobs: model(path, problem.splits, jobs) for jobs in (1, 2)}
        fits[1].fit(problem.X[:, :5], problem.Y[:, :2])  # compile
        calls = {f"solve {jobs}": lambda m=m: m.fit_moments(sums) for jobs, m in fits.items()}
        calls |= {
            f"fit {jobs}": lambda m=m: m.fit(problem.X, problem.Y) for jobs, m in fits.items()
        }
        spent = median_times(calls, options.repeats)
        for what, goal in (("solve", 1.85), ("fit", None)):
            one, two = spent[f"{what} 1"], spent[f"{what} 2"]
            remark = f"{report.duration(one)} to {report.duration(two)}; n={n:,} p={p:,} q={q:,}"
            name = f"{what}, {path}: n_jobs=2 over n_jobs=1"
            findings.append(Finding(name, one / two, "×", goal, False, remark))
    return findings


def first_call(options: argparse.Namespace) -> list[Finding]:
    """Time the first fit of a process minus the second, without and with a cache."""
    findings = []
    for path in PATHS:
        with tempfile.TemporaryDirectory(prefix="bench_numba_") as cache:
            for what, goal, runs in (("cold", 10.0, 1), ("from cache", 0.5, options.repeats)):
                answers = [
                    in_fresh_process("first-fit", path, NUMBA_CACHE_DIR=cache) for _ in range(runs)
                ]
                extra = median(answer["first"] - answer["second"] for answer in answers)
                importing = report.duration(median(answer["import"] for answer in answers))
                name, remark = f"compilation, {path}, {what}", f"import, not counted: {importing}"
                findings.append(Finding(name, extra, "s", goal, remark=remark))
    return findings


def small(options: argparse.Namespace) -> list[Finding]:
    """Time whole warm fits of a small problem."""
    n, p, q = 300, 50, 20
    problem = simulated(n, p, q)
    fits = {path: model(path, problem.splits) for path in PATHS}
    calls = {path: lambda m=m: m.fit(problem.X, problem.Y) for path, m in fits.items()}
    median_times(calls, 1)  # compile
    spent = median_times(calls, 4 * options.repeats)
    size = f"n={n} p={p} q={q}, one thread"
    return [
        Finding(f"small problem, {path}", 1e3 * spent[path], "ms", 60.0, remark=size)
        for path in PATHS
    ]


def paper(options: argparse.Namespace) -> list[Finding]:
    """Fit a problem of the paper's size in a new process; BLAS threads are not limited."""
    n, p, q = (600, 30, 50) if options.quick else (6_000, 500, 5_000)
    problem = simulated(n, p, q)
    findings = []
    with tempfile.TemporaryDirectory(prefix="bench_paper_") as folder:
        np.save(f"{folder}/X.npy", problem.X)
        np.save(f"{folder}/Y.npy", problem.Y)
        del problem
        for path in PATHS:
            report.progress(f"n={n:,} p={p:,} q={q:,}, {path}")
            answer = in_fresh_process("paper-fit", path, folder, limit_threads=False)
            name, remark = (
                f"paper scale, {path}",
                f"n={n:,} p={p:,} q={q:,}, n_jobs=2, BLAS not limited",
            )
            links = f"{answer['links']:,} links, worst gap {answer['gap']:.0e}"
            findings += [
                Finding(f"{name}: whole fit", answer["seconds"], "s", 60.0, remark=remark),
                Finding(f"{name}: memory above inputs", answer["gb"], "GB", 2.0, remark=links),
            ]
    return findings


def in_fresh_process(*arguments: str, limit_threads: bool = True, **variables: str) -> Any:
    """Run fresh_process.py with these arguments and return its measurements."""
    import json

    environment = os.environ | variables
    if not limit_threads:
        for variable in report.THREAD_VARIABLES:
            environment.pop(variable, None)
    command = [sys.executable, str(CHILD), *arguments]
    answer = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(answer.stdout)


COMMANDS: dict[str, Callable[[argparse.Namespace], list[Finding]]] = {
    "moments": moments,
    "solve": solve,
    "threads": threads,
    "first-call": first_call,
    "small": small,
    "paper": paper,
}


def main() -> None:
    """Run the chosen measurements, and print the values with their goals."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", nargs="+", choices=[*COMMANDS, "all"])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="small problems, for a trial run")
    parser.add_argument("--json", help="file for all numbers")
    options = parser.parse_args()
    findings = []
    for name in COMMANDS if "all" in options.command else options.command:
        report.progress(name)
        findings += COMMANDS[name](options)
    if options.quick:  # goals are for the real sizes
        findings = [replace(finding, goal=None) for finding in findings]
    machine = report.machine()
    header = ("what", "measured", "goal", "", "of")
    print(report.describe(machine) + "\n")
    print(report.table(header, [finding.row() for finding in findings]))
    results = [asdict(finding) | {"verdict": finding.verdict} for finding in findings]
    report.save_json(
        options.json, {"machine": machine, "options": vars(options), "findings": results}
    )


if __name__ == "__main__":
    main()
