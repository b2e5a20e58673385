"""Comparison with rivals: same predictors, penalties and folds, one thread, one run.

    python benchmarks/compare.py --n 4000 --p 400 --q 256 --rival-targets 64 --json out.json
    python benchmarks/compare.py --problem pancreas --rivals r_covariance,sklearn_cv

The package fits all q targets at once with each path, moments included, several times. In between,
rivals fit the first targets one by one, so that slow phases of the machine affect both sides.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import report

report.use_threads(1)

import numpy as np
import rivals
from problems import PREFILTER, PROBLEMS, Problem, simulated
from rivals import Rival, RivalFit

from scifate_sklearn import SciFateRegressor

PATHS = ("adaptive", "full")


@dataclass
class Record:
    """The measurements so far."""

    ours: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    models: dict[str, SciFateRegressor] = field(default_factory=dict)
    theirs: dict[str, list[tuple[int, RivalFit]]] = field(default_factory=lambda: defaultdict(list))
    failed: dict[str, str] = field(default_factory=dict)


def fit_ours(problem: Problem, path: str, is_prefiltered: bool, record: Record) -> None:
    """Fit all targets once and note the seconds per target."""
    model = SciFateRegressor(
        path=path,
        cv=problem.splits,
        cor_threshold=PREFILTER if is_prefiltered else None,
        exclude_self=False,
    )
    spent = report.seconds(lambda: model.fit(problem.X, problem.Y))
    record.ours[path].append(spent / problem.Y.shape[1])
    record.models[path] = model
    report.progress(f"ours, {path}: {report.duration(record.ours[path][-1])} per target")


def fit_rival(problem: Problem, t: int, is_prefiltered: bool, rival: Rival, record: Record) -> None:
    """Fit one target once; a rival that fails is reported and skipped from then on."""
    if rival.name in record.failed:
        return
    try:
        # A prefiltered problem holds one target.
        record.theirs[rival.name].append((t, rival.fit(problem, 0 if is_prefiltered else t)))
    except Exception as error:
        record.failed[rival.name] = f"failed on target {t}: {type(error).__name__}: {error}"
        report.progress(f"{rival.name} {record.failed[rival.name]}")


def run(problem: Problem, present: list[Rival], options: argparse.Namespace) -> Record:
    """Alternate between all rivals on one target and the package on all targets."""
    record = Record()
    n_targets = min(options.rival_targets, problem.Y.shape[1])
    when = np.linspace(0, n_targets, options.repeats, endpoint=False).astype(int)
    for t in range(n_targets):
        for _ in range(np.count_nonzero(when == t)):
            for path in PATHS:
                fit_ours(problem, path, options.prefilter, record)
        given = problem.prefiltered(t) if options.prefilter else problem
        if given.X.shape[1] < 2:  # no model, as in the paper
            continue
        start = time.perf_counter()
        for rival in present:
            fit_rival(given, t, options.prefilter, rival, record)
        spent = report.duration(time.perf_counter() - start)
        report.progress(f"target {t + 1} of {n_targets}: all rivals in {spent}")
    return record


def warm_up(present: list[Rival]) -> Record:
    """Compile and import everything on a small problem."""
    small, record = simulated(200, 10, 2), Record()
    report.progress("warming up: ours")
    for path in PATHS:
        fit_ours(small, path, False, record)
    for rival in present:
        report.progress(f"warming up: {rival.name}")
        fit_rival(small, 0, False, rival, record)
    return record


def summarise(record: Record) -> dict[str, Any]:
    """Return medians, ratios and agreement as plain numbers."""
    ours = {path: median(times) for path, times in record.ours.items()}
    models = record.models
    different = {
        rule: int((getattr(models["adaptive"], rule) != getattr(models["full"], rule)).sum())
        for rule in ("lambda_1se_", "lambda_min_")
    }
    supports = (models["full"].coef_ != 0).sum(axis=1)
    return {
        "ours": {path: {"seconds": ours[path], "repeats": record.ours[path]} for path in PATHS},
        "rivals": {
            name: _summarise_rival(fits, ours, models["full"])
            for name, fits in record.theirs.items()
        },
        "worst_dual_gap": {path: float(models[path].dual_gap_.max()) for path in PATHS},
        "support": {
            "median": float(np.median(supports)),
            "largest": int(supports.max()),
            "targets_without_links": int((supports == 0).sum()),
        },
        "targets": len(supports),
        "targets_where_adaptive_differs": different,
        "failed": record.failed,
    }


def _summarise_rival(
    numbered: list[tuple[int, RivalFit]], ours: dict[str, float], full: SciFateRegressor
) -> dict[str, Any]:
    targets, fits = [t for t, _ in numbered], [fit for _, fit in numbered]
    seconds = [fit.seconds for fit in fits]
    return {
        "seconds": median(seconds),
        "targets": len(fits),
        "ratios": {path: median(seconds) / ours[path] for path in PATHS},
        "lambda_1se_equal": _n_equal([fit.lambda_1se for fit in fits], full.lambda_1se_[targets]),
        "lambda_min_equal": _n_equal([fit.lambda_min for fit in fits], full.lambda_min_[targets]),
        "fits": [{"target": t, **vars(fit)} for t, fit in numbered],
    }


def _n_equal(theirs: list[float | None], ours: np.ndarray) -> int | None:
    if None in theirs:
        return None
    return int(np.isclose(theirs, ours, rtol=1e-6).sum())


def markdown(result: dict[str, Any]) -> str:
    """Return the table and the sentences around it."""
    summary, ours = result["summary"], result["summary"]["ours"]
    header = (
        "rival",
        "per target",
        *(f"× {path} ({report.duration(ours[path]['seconds'])})" for path in PATHS),
        "same λ_1se",
        "same λ_min",
    )
    by_time = sorted(summary["rivals"].items(), key=lambda item: -item[1]["seconds"])
    rows = [_rival_row(name, rival, result["rival_versions"][name]) for name, rival in by_time]
    return "\n\n".join(
        [
            f"**{result['problem']}**: {result['shape']}. {report.describe(result['machine'])}",
            report.table(header, rows),
            _remarks(summary),
            *(f"Not compared: {name} ({why})." for name, why in result["absent"].items()),
            *(f"Failed: {name}, {why}." for name, why in summary["failed"].items()),
        ]
    )


def _rival_row(name: str, rival: dict[str, Any], version: str | None) -> list[str]:
    n = rival["targets"]
    agreement = [rival["lambda_1se_equal"], rival["lambda_min_equal"]]
    return [
        f"{name} {version or ''}".strip(),
        report.duration(rival["seconds"]),
        *(report.short(rival["ratios"][path]) for path in PATHS),
        *("unknown" if equal is None else f"{equal} of {n}" for equal in agreement),
    ]


def _remarks(summary: dict[str, Any]) -> str:
    different, support = summary["targets_where_adaptive_differs"], summary["support"]
    gap = max(summary["worst_dual_gap"].values())
    repeats = len(summary["ours"]["full"]["repeats"])
    return (
        f"Medians: over targets for rivals, over {repeats} fit{'s' if repeats > 1 else ''} of "
        f"all {summary['targets']} targets for the package (moments included). Agreement is with "
        f'`path="full"`. The adaptive path chooses another λ_1se on '
        f"{different['lambda_1se_']} and another λ_min on {different['lambda_min_']} of "
        f"{summary['targets']} targets. Worst duality gap {gap:.1e} of the target's mean square. "
        f"Predictors in a model: median {support['median']:g}, largest {support['largest']}; "
        f"{support['targets_without_links']} targets have none."
    )


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n", type=int, default=4000, help="cells (simulated)")
    parser.add_argument("--p", type=int, default=400, help="predictors (simulated)")
    parser.add_argument("--q", type=int, default=256, help="targets (simulated)")
    parser.add_argument("--problem", default="simulated", choices=["simulated", *PROBLEMS])
    parser.add_argument("--rival-targets", type=int, default=64, help="targets that rivals fit")
    parser.add_argument("--repeats", type=int, default=5, help="fits of all targets by the package")
    parser.add_argument("--rivals", help=f"of {','.join(rivals.MODULES)}; default: all present")
    parser.add_argument(
        "--prefilter",
        action="store_true",
        help=f"give all only predictors with |correlation| > {PREFILTER}, target by target",
    )
    parser.add_argument("--json", help="file for all numbers")
    return parser.parse_args()


def make_problem(options: argparse.Namespace) -> Problem:
    """Return the chosen problem, or exit with one line if its data are missing."""
    if options.problem == "simulated":
        return simulated(options.n, options.p, options.q)
    try:
        return PROBLEMS[options.problem]()
    except FileNotFoundError as error:
        raise SystemExit(str(error)) from error


def main() -> None:
    """Run the comparison and print it."""
    options = parse()
    problem = make_problem(options)
    present, absent = rivals.load(options.rivals.split(",") if options.rivals else None)
    report.progress(f"{problem.name}; rivals: {'; '.join(rival.name for rival in present)}")
    for name, why in absent.items():
        report.progress(f"not compared: {name} ({why})")
    failed = warm_up(present).failed
    present = [rival for rival in present if rival.name not in failed]
    record = run(problem, present, options)
    record.failed.update(failed)
    n, p = problem.X.shape
    prefilter = ", prefiltered" if options.prefilter else ""
    result = {
        "problem": problem.name,
        "shape": f"n = {n:,}, p = {p:,}, q = {problem.Y.shape[1]:,}{prefilter}",
        "options": vars(options),
        "machine": report.machine(),
        "rival_versions": {rival.name: rival.version for rival in present},
        "absent": absent,
        "summary": summarise(record),
    }
    print(markdown(result))
    report.save_json(options.json, result)


if __name__ == "__main__":
    main()
