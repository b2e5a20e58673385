"""Realised false discovery rate of `PermutationFDR` at q = 0.1 on simulated cells.

    python benchmarks/calibration.py --runs 200 --json calibration.json

Each run simulates cells (`null_cells.py`). Either no target depends on TFs, or half of the targets
do, or all targets and TFs depend on a covariate. The realised FDR is the mean share of false links
among those that are kept (0 if none is).
"""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any

import report

report.use_threads(1)

import numpy as np
from null_cells import NullCells, false_shares, simulate, simulate_depth

from scifate_sklearn import PermutationFDR, SciFateRegressor

FDR = 0.1
NUMBERS = (1, 10, 20)
KINDS = {
    "no target depends on TFs": partial(simulate, share_driven=0.0),
    "half of them do": partial(simulate, share_driven=0.5),
    "depth drives TFs and targets, no regulation": simulate_depth,
}


def run(cells: NullCells, seed: int, rule: str, n_permutations: int) -> dict[str, float]:
    """Return the kept links of one simulation and the shares of false ones."""
    model = PermutationFDR(
        SciFateRegressor(lambda_rule=rule),
        fdr=FDR,
        n_permutations=n_permutations,
        random_state=seed,
    ).fit(cells.tfs, cells.targets)
    kept = model.transform(cells.tfs)
    return {"links": len(model.links_), "kept": len(kept), **false_shares(cells, kept)}


def summary(title: str, rule: str, n_permutations: int, runs: list[dict[str, float]]) -> Any:
    """Return a row of the table: means over the runs, and their standard errors."""
    row: dict[str, Any] = {"cells": title, "lambda_rule": rule, "permutations": n_permutations}
    row["runs"] = len(runs)
    for name in runs[0]:
        values = np.array([result[name] for result in runs])
        row[name] = float(values.mean())
        row[f"{name}, standard error"] = float(values.std(ddof=1) / np.sqrt(len(runs)))
    return row


def shown(row: dict[str, Any]) -> list[str]:
    """Return a row as text."""
    cells = [str(row[name]) for name in ("cells", "lambda_rule", "permutations", "runs")]
    cells += [f"{row['links']:.1f}", f"{row['kept']:.1f}"]
    for name in ("of_null_targets", "of_wrong_tfs"):
        cells.append(f"{row[name]:.3f} ± {row[f'{name}, standard error']:.3f}")
    return [*cells, f"{row['found']:.2f}"]


def main() -> None:
    """Print one row for each kind of cells, rule and number of permutations."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=200, help="simulations of each kind")
    parser.add_argument("--rules", nargs="+", default=["min", "1se"], help="lambda_rule")
    parser.add_argument("--json", default=None)
    options = parser.parse_args()
    rows = []
    for rule in options.rules:
        for title, simulated_by in KINDS.items():
            simulated = [simulated_by(seed) for seed in range(options.runs)]
            for number in NUMBERS:
                report.progress(f"{title}, {rule}, {number} permutations")
                runs = [run(cells, s, rule, number) for s, cells in enumerate(simulated)]
                rows.append(summary(title, rule, number, runs))
    header = ["cells", "λ rule", "B", "runs", "links", "kept"]
    header += ["FDR: links of null targets", "FDR: links to wrong TFs", "true links found"]
    machine = report.machine()
    print(report.describe(machine), report.table(header, map(shown, rows)), sep="\n\n")
    report.save_json(options.json, {"machine": machine, "rows": rows})


if __name__ == "__main__":
    main()
