"""Calibration and power of `DifferentialLinks` at q = 0.1 on simulated groups of cells.

    python benchmarks/differential.py --json differential.json

Each run simulates two groups of cells. Either no link differs between them, so that the share of
the data sets with any kept difference is that of false discoveries, or the sign of one effect
differs in a third of the targets.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import report

report.use_threads(1)

import numpy as np
import pandas as pd
from null_cells import simulate
from numpy.typing import NDArray

from scifate_sklearn import DifferentialLinks, SciFateRegressor

FDR = 0.1
N_PER_GROUP, N_TFS, N_TARGETS = 1000, 30, 30
# Effects of the TFs of a target, in standard deviations of its noise.
EFFECT, N_TRUE = 0.3, 3


@dataclass(frozen=True)
class TwoGroups:
    """TFs and targets of two groups of cells, and the links that differ between them."""

    tfs: pd.DataFrame
    targets: pd.DataFrame
    is_other: NDArray[np.bool_]
    changed: set[tuple[str, str]]


class Kind(NamedTuple):
    """How groups of a kind are simulated from a seed, and how often."""

    simulate: Callable[[int], TwoGroups]
    runs: int = 100


def divide_at_random(seed: int) -> TwoGroups:
    """Divide cells of one kind (`null_cells.py`) into two groups of 75."""
    cells = simulate(seed, share_driven=0.5)
    n_cells = len(cells.tfs)
    is_other = np.random.default_rng(seed).permutation(n_cells) < n_cells // 2
    return TwoGroups(cells.tfs, cells.targets, is_other, set())


def simulate_groups(seed: int, n_changed: int = 0, shift: float = 0.0) -> TwoGroups:
    """Simulate groups of cells; of the first targets, an effect has another sign in the second.

    TFs share programmes, and each target depends on three of them. `shift` is the standard
    deviation of the differences between the groups in the levels of TFs and targets.
    """
    rng = np.random.default_rng(seed)
    n_cells = 2 * N_PER_GROUP
    is_other = np.arange(n_cells) >= N_PER_GROUP
    shared = rng.normal(size=(n_cells, 4)) @ rng.normal(size=(4, N_TFS))
    X = 0.4 * shared + rng.normal(size=(n_cells, N_TFS))
    X = X / X.std(axis=0) + np.outer(is_other, shift * rng.normal(size=N_TFS))
    Y = rng.normal(size=(n_cells, N_TARGETS))
    Y += np.outer(is_other, shift * rng.normal(size=N_TARGETS))
    changed = set()
    for t in range(N_TARGETS):
        parents = rng.choice(N_TFS, N_TRUE, replace=False)
        effects = EFFECT * rng.choice([-1.0, 1.0], N_TRUE)
        Y[:, t] += X[:, parents] @ effects
        if t < n_changed:
            Y[is_other, t] -= 2 * effects[0] * X[is_other, parents[0]]
            changed.add((f"TF{parents[0]}", f"gene{t}"))
    tfs = pd.DataFrame(X, columns=[f"TF{j}" for j in range(N_TFS)])
    targets = pd.DataFrame(Y, columns=[f"gene{t}" for t in range(N_TARGETS)])
    return TwoGroups(tfs, targets, is_other, changed)


KINDS = {
    "no difference, 75 cells per group": Kind(divide_at_random),
    "no difference, 1,000 cells per group": Kind(simulate_groups),
    "levels differ, links do not, 1,000 cells per group": Kind(partial(simulate_groups, shift=0.5)),
    "signs differ, 1,000 cells per group": Kind(partial(simulate_groups, n_changed=10), runs=20),
}


def run(cells: TwoGroups, seed: int) -> dict[str, float]:
    """Return what is tested, kept, false and found in one simulation."""
    model = DifferentialLinks(SciFateRegressor(lambda_rule="min"), fdr=FDR, random_state=seed)
    pairs = model.fit(cells.tfs, cells.targets, condition=cells.is_other).differences_
    kept = set(pairs.loc[pairs["kept"], ["TF", "target"]].itertuples(index=False, name=None))
    return {
        "tested": len(pairs),
        "kept": len(kept),
        "any": float(len(kept) > 0),
        "false": len(kept - cells.changed) / max(1, len(kept)),
        "found": len(kept & cells.changed) / max(1, len(cells.changed)),
    }


def summary(title: str, runs: list[dict[str, float]]) -> dict[str, Any]:
    """Return a row of the table: means over the runs, and their standard errors."""
    row: dict[str, Any] = {"cells": title, "runs": len(runs)}
    for name in runs[0]:
        values = np.array([result[name] for result in runs])
        row[name] = float(values.mean())
        row[f"{name}, standard error"] = float(values.std(ddof=1) / np.sqrt(len(runs)))
    return row


def shown(row: dict[str, Any]) -> list[str]:
    """Return a row as text."""
    cells = [row["cells"], str(row["runs"]), f"{row['tested']:.0f}", f"{row['kept']:.1f}"]
    for name in ("any", "false", "found"):
        cells.append(f"{row[name]:.3f} ± {row[f'{name}, standard error']:.3f}")
    return cells


def main() -> None:
    """Print one row for each kind of groups."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=100, help="most simulations of a kind")
    parser.add_argument("--json", default=None)
    options = parser.parse_args()
    rows = []
    for title, kind in KINDS.items():
        report.progress(title)
        seeds = range(min(kind.runs, options.runs))
        rows.append(summary(title, [run(kind.simulate(seed), seed) for seed in seeds]))
    header = ["cells", "runs", "pairs tested", "kept", "data sets with any"]
    header += ["false differences", "planted ones found"]
    machine = report.machine()
    print(report.describe(machine), report.table(header, map(shown, rows)), sep="\n\n")
    report.save_json(options.json, {"machine": machine, "rows": rows})


if __name__ == "__main__":
    main()
