"""Growth of the time with cells, predictors and targets; moments and solve separately, one thread.

    python benchmarks/scaling.py axes --json scaling.json --plot scaling.png
    python benchmarks/scaling.py axes --quick
    python benchmarks/scaling.py depth

`axes` varies n, p and q, one at a time, and fits the exponents b of time = a · size^b.
`depth` compares solves from known moments of 4,000 and of 100,000 cells of the same network.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import report

report.use_threads(1)

import numpy as np
from problems import Problem, first_cells, simulated

from scifate_sklearn import SciFateRegressor
from scifate_sklearn.moments import Moments, plan_folds

PATHS = ("adaptive", "full")
MEASURES = ("moments", "adaptive", "full")
TITLES = {"n": "cells n", "p": "predictors p", "q": "targets q"}
RANGES = {
    "n": (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000),
    "p": (50, 100, 200, 400, 800, 1_500),
    "q": (10, 30, 100, 300, 1_000, 3_000, 10_000),
}
QUICK = {"n": (500, 1_000, 2_000), "p": (20, 40, 80), "q": (5, 10, 20)}
# Arrays alive at once while a problem is simulated, as multiples of X and Y.
COPIES = 2.5
# Seconds at one size after which it is not measured again.
PATIENCE = 120.0


@dataclass(frozen=True)
class Size:
    """Cells, predictors and targets."""

    n: int
    p: int
    q: int

    def with_axis(self, axis: str, value: int) -> Size:
        """Return this size with one number replaced."""
        return Size(**{**asdict(self), axis: value})

    @property
    def gigabytes(self) -> float:
        """Memory needed to simulate a problem of this size."""
        return 8e-9 * COPIES * self.n * (self.p + self.q)


def make_moments(problem: Problem) -> Moments:
    """Sum over the cells, as `fit` does."""
    return Moments.from_arrays(problem.X, problem.Y, plan_folds(problem.splits, len(problem.X)))


def solve(moments: Moments, path: str) -> SciFateRegressor:
    """Fit all targets from moments."""
    model = SciFateRegressor(path=path, cor_threshold=None, exclude_self=False)
    return model.fit_moments(moments)


def visited(model: SciFateRegressor) -> float:
    """Return the median number of penalties that targets were cross-validated at."""
    return float(np.median(np.isfinite(model.cv_mse_).sum(axis=1)))


def measure(size: Size, repeats: int) -> dict[str, Any]:
    """Return the median seconds of each part at one size."""
    problem = simulated(size.n, size.p, size.q)
    moments = make_moments(problem)
    spent: dict[str, list[float]] = {name: [] for name in MEASURES}
    for _ in range(repeats):
        if sum(map(sum, spent.values())) > PATIENCE:
            break
        spent["moments"].append(report.seconds(lambda: make_moments(problem)))
        for path in PATHS:
            spent[path].append(report.seconds(lambda path=path: solve(moments, path)))
    result = asdict(size) | {name: median(values) for name, values in spent.items()}
    times = ", ".join(f"{name} {report.duration(result[name])}" for name in MEASURES)
    report.progress(f"n={size.n:,} p={size.p:,} q={size.q:,}: {times}")
    return result


def vary(axis: str, values: tuple[int, ...], base: Size, options: argparse.Namespace) -> list[Any]:
    """Measure along one axis, without sizes that do not fit in memory."""
    points = []
    for value in values:
        size = base.with_axis(axis, value)
        if size.gigabytes > options.memory:
            report.progress(
                f"{axis} = {value:,} left out: needs {size.gigabytes:.1f} GB, "
                f"--memory allows {options.memory:g}"
            )
            continue
        points.append(measure(size, options.repeats))
    return points


def exponent(sizes: list[int], times: list[float]) -> float | None:
    """Return b of time = a · size^b by least squares on logarithms."""
    if len(sizes) < 2:
        return None
    return float(np.polyfit(np.log(sizes), np.log(times), 1)[0])


def exponents(axis: str, points: list[dict[str, Any]]) -> dict[str, dict[str, float | None]]:
    """Return the exponent over all sizes, and over the upper half, which has less overhead."""
    upper = points[len(points) // 2 :] if len(points) > 3 else points
    return {
        name: {
            "all": exponent([point[axis] for point in points], [p[name] for p in points]),
            "upper half": exponent([point[axis] for point in upper], [p[name] for p in upper]),
        }
        for name in MEASURES
    }


def axes(options: argparse.Namespace) -> dict[str, Any]:
    """Vary each of n, p and q around the base."""
    base = Size(300, 20, 5) if options.quick else Size(options.n, options.p, options.q)
    measure(Size(200, 10, 2), 1)  # compile
    ranges = QUICK if options.quick else RANGES
    points = {axis: vary(axis, ranges[axis], base, options) for axis in options.axes.split(",")}
    return {
        "base": asdict(base),
        "points": points,
        "exponents": {axis: exponents(axis, found) for axis, found in points.items()},
    }


def axes_markdown(result: dict[str, Any]) -> str:
    """Return a table for each axis and a table of exponents."""
    parts = [f"Base: {', '.join(f'{k} = {v:,}' for k, v in result['base'].items())}. One thread."]
    for axis, points in result["points"].items():
        rows = [
            [f"{point[axis]:,}", *(report.duration(point[name]) for name in MEASURES)]
            for point in points
        ]
        header = [TITLES[axis], "moments", "solve, adaptive", "solve, full"]
        parts.append(report.table(header, rows))
    rows = [
        [f"{TITLES[axis]}, {which}", *(_exponent(found[name][which]) for name in MEASURES)]
        for axis, found in result["exponents"].items()
        for which in ("all", "upper half")
    ]
    header = ["exponent of", "moments", "solve, adaptive", "solve, full"]
    return "\n\n".join([*parts, report.table(header, rows)])


def _exponent(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def plot(result: dict[str, Any], path: str) -> None:
    """Draw time against each size on logarithmic axes."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    found = result["points"]
    figure, panels = plt.subplots(
        1, len(found), figsize=(4.2 * len(found), 3.8), sharey=True, squeeze=False
    )
    for panel, (axis, points) in zip(panels[0], found.items(), strict=True):
        draw_panel(panel, axis, points, result)
    panels[0, 0].set_ylabel("seconds, one thread")
    figure.tight_layout()
    figure.savefig(path, dpi=160)
    report.progress(f"written: {path}")


def draw_panel(panel: Any, axis: str, points: list[dict[str, Any]], result: dict[str, Any]) -> None:
    """Draw one size's three curves, labelled with their exponents."""
    styles = {"moments": ("o", "#4d4d4d"), "adaptive": ("s", "#1b7837"), "full": ("^", "#762a83")}
    sizes = [point[axis] for point in points]
    for name, (marker, colour) in styles.items():
        power = _exponent(result["exponents"][axis][name]["upper half"])
        label = f"{'moments' if name == 'moments' else 'solve, ' + name}, ${axis}^{{{power}}}$"
        times = [point[name] for point in points]
        panel.loglog(sizes, times, marker=marker, color=colour, markersize=5, label=label)
    others = ", ".join(f"{k} = {v:,}" for k, v in result["base"].items() if k != axis)
    panel.set_title(others, fontsize=10)
    panel.set_xlabel(TITLES[axis])
    panel.set_xticks(sizes, [_ticklabel(size) for size in sizes])
    panel.set_xticks([], minor=True)
    panel.grid(True, which="major", color="#dddddd", linewidth=0.6)
    panel.legend(fontsize=8, frameon=False)
    panel.spines[["top", "right"]].set_visible(False)


def _ticklabel(size: int) -> str:
    if size >= 1_000_000:
        return f"{size / 1e6:g}M"
    return f"{size / 1e3:g}k" if size >= 10_000 else f"{size:,}"


def depth(options: argparse.Namespace) -> dict[str, Any]:
    """Alternate solves from the moments of few and of many cells of the same network."""
    few, many = (300, 3_000) if options.quick else (4_000, 100_000)
    p, q = (20, 5) if options.quick else (options.p, options.q)
    measure(Size(200, 10, 2), 1)  # compile
    report.progress(f"simulating {many:,} cells, p = {p}, q = {q}")
    problem = simulated(many, p, q)
    moments = {n: make_moments(first_cells(problem, n)) for n in (few, many)}
    spent: dict[tuple[str, int], list[float]] = {}
    models = {}
    for repeat in range(options.repeats):
        for path in PATHS:
            for n in (few, many):
                fit = _Solve(moments[n], path)
                spent.setdefault((path, n), []).append(report.seconds(fit) / q)
                models[path, n] = fit.model
        report.progress(f"repeat {repeat + 1} of {options.repeats}")
    per_target = {key: median(values) for key, values in spent.items()}
    return {
        "sizes": [few, many],
        "p": p,
        "q": q,
        "paths": {path: _compare_depth(path, few, many, per_target, models) for path in PATHS},
    }


class _Solve:
    """A call whose result is kept, so that it can be timed."""

    def __init__(self, moments: Moments, path: str) -> None:
        self._arguments = moments, path

    def __call__(self) -> None:
        self.model = solve(*self._arguments)


def _compare_depth(
    path: str, few: int, many: int, per_target: dict[Any, float], models: dict[Any, Any]
) -> dict[str, Any]:
    return {
        "seconds": {n: per_target[path, n] for n in (few, many)},
        "ratio": per_target[path, many] / per_target[path, few],
        "penalties visited": {n: visited(models[path, n]) for n in (few, many)},
        "support at λ_1se": {
            n: float(np.median((models[path, n].coef_ != 0).sum(axis=1))) for n in (few, many)
        },
    }


def depth_markdown(result: dict[str, Any]) -> str:
    """Return the table of both sizes."""
    few, many = result["sizes"]
    rows = [
        [
            path,
            *(report.duration(found["seconds"][n]) for n in (few, many)),
            f"{found['ratio']:.2f}",
            *(f"{found['penalties visited'][n]:g}" for n in (few, many)),
            *(f"{found['support at λ_1se'][n]:g}" for n in (few, many)),
        ]
        for path, found in result["paths"].items()
    ]
    header = ["path", f"n = {few:,}", f"n = {many:,}", "ratio"]
    header += [f"penalties, n = {n:,}" for n in (few, many)]
    header += [f"support, n = {n:,}" for n in (few, many)]
    return (
        f"Solve time per target (all {result['q']} at once, p = {result['p']}, one thread); "
        "medians over repeats; penalties cross-validated and predictors at λ_1se: medians over "
        "targets. Goal: ratio of the full path at most 1.15.\n\n" + report.table(header, rows)
    )


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, p in (("axes", 100), ("depth", 400)):
        command = commands.add_parser(name)
        command.add_argument("--p", type=int, default=p, help=f"predictors (default {p})")
        command.add_argument("--q", type=int, default=64, help="targets (default 64)")
        command.add_argument("--repeats", type=int, default=5 if name == "depth" else 3)
        command.add_argument("--quick", action="store_true", help="small sizes, for a trial run")
        command.add_argument("--json", help="file for all numbers")
    only = commands.choices["axes"]
    only.add_argument("--n", type=int, default=4000, help="cells (default 4000)")
    only.add_argument("--axes", default="n,p,q", help="sizes to vary")
    only.add_argument(
        "--memory", type=float, default=8.0, help="largest memory of a problem, in GB"
    )
    only.add_argument("--plot", help="file for a figure (png)")
    return parser.parse_args()


def main() -> None:
    """Run the chosen measurements, print and write them."""
    options = parse()
    run, as_text = {"axes": (axes, axes_markdown), "depth": (depth, depth_markdown)}[
        options.command
    ]
    result = {"machine": report.machine(), "options": vars(options), **run(options)}
    print(report.describe(result["machine"]) + "\n\n" + as_text(result))
    report.save_json(options.json, result)
    if options.command == "axes" and options.plot:
        plot(result, options.plot)


if __name__ == "__main__":
    main()
