"""Realised false discovery rate of `PermutationFDR` and `LinkTest` at q = 0.1 on simulated cells.

    python benchmarks/calibration.py --rules min --json calibration.json

Each run simulates cells of a kind (`null_cells.py`, `known_networks.py`). The realised FDR is the
mean share of false links among those that are kept (0 if none is).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import report

report.use_threads(1)

import numpy as np
from known_networks import labelled
from null_cells import (
    NullCells,
    false_shares,
    simulate,
    simulate_batches,
    simulate_depth,
    simulate_types,
)

from scifate_sklearn import LinkTest, PermutationFDR, SciFateRegressor

FDR = 0.1
TESTS = {
    "permutations, B = 1": partial(PermutationFDR, n_permutations=1),
    "permutations, B = 10": partial(PermutationFDR, n_permutations=10),
    "permutations, B = 20": partial(PermutationFDR, n_permutations=20),
    "t test": LinkTest,
    "t test of selected TFs": partial(LinkTest, pairs="selected"),
}


class Kind(NamedTuple):
    """How cells of a kind are simulated from a seed, and how often."""

    simulate: Callable[[int], NullCells]
    runs: int = 100


def simulate_labelled(seed: int, noise: str) -> NullCells:
    """Simulate labelled cells, where new RNA is the response; links are those of the network."""
    network = labelled(noise, seed)[0]
    is_true = np.zeros((network.Y.shape[1], len(network.tfs)), bool)
    target = network.Y.columns.get_indexer(network.gold["target"])
    is_true[target, network.tfs.get_indexer(network.gold["TF"])] = True
    return NullCells(network.X, network.Y, is_true)


KINDS = {
    "no target depends on TFs": Kind(partial(simulate, share_driven=0.0)),
    "half of them do": Kind(partial(simulate, share_driven=0.5)),
    "half of them do, not linearly": Kind(partial(simulate, share_driven=0.5, is_linear=False)),
    "depth drives TFs and targets, no regulation": Kind(simulate_depth),
    "a batch drives TFs and targets, no regulation": Kind(simulate_batches),
    "the same, with the batch as a covariate": Kind(
        partial(simulate_batches, covariates=["batch"])
    ),
    "linear cell types, left out": Kind(simulate_types),
    "linear cell types, as covariates": Kind(partial(simulate_types, as_covariates=True)),
    "nonlinear cell types, left out": Kind(partial(simulate_types, is_linear=False)),
    "nonlinear cell types, as covariates": Kind(
        partial(simulate_types, is_linear=False, as_covariates=True)
    ),
    "labelled cells, low noise": Kind(partial(simulate_labelled, noise="low"), runs=10),
    "labelled cells, medium noise": Kind(partial(simulate_labelled, noise="medium"), runs=10),
}


def run(cells: NullCells, seed: int, rule: str, test: str) -> dict[str, float]:
    """Return the kept links of one simulation and the shares of false ones."""
    regressor = SciFateRegressor(lambda_rule=rule, covariates=cells.covariates)
    model = TESTS[test](regressor, fdr=FDR, random_state=seed)
    kept = model.fit(cells.tfs, cells.targets).transform(cells.tfs)
    return {"links": len(model.links_), "kept": len(kept), **false_shares(cells, kept)}


def summary(title: str, rule: str, test: str, runs: list[dict[str, float]]) -> Any:
    """Return a row of the table: means over the runs, and their standard errors."""
    row: dict[str, Any] = {"cells": title, "lambda_rule": rule, "test": test}
    row["runs"] = len(runs)
    for name in runs[0]:
        values = np.array([result[name] for result in runs])
        row[name] = float(values.mean())
        row[f"{name}, standard error"] = float(values.std(ddof=1) / np.sqrt(len(runs)))
    return row


def shown(row: dict[str, Any]) -> list[str]:
    """Return a row as text."""
    cells = [str(row[name]) for name in ("cells", "lambda_rule", "test", "runs")]
    cells += [f"{row['links']:.1f}", f"{row['kept']:.1f}"]
    for name in ("of_null_targets", "of_wrong_tfs"):
        cells.append(f"{row[name]:.3f} ± {row[f'{name}, standard error']:.3f}")
    return [*cells, f"{row['found']:.2f}"]


def main() -> None:
    """Print one row for each rule, kind of cells and test."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=100, help="most simulations of a kind")
    parser.add_argument("--rules", nargs="+", default=["min", "1se"], help="lambda_rule")
    parser.add_argument("--cells", default="", help="only kinds of cells that contain this text")
    parser.add_argument("--json", default=None)
    options = parser.parse_args()
    rows = []
    for rule in options.rules:
        for title, kind in KINDS.items():
            if options.cells not in title:
                continue
            simulated = [kind.simulate(seed) for seed in range(min(kind.runs, options.runs))]
            for test in TESTS:
                report.progress(f"{title}, {rule}, {test}")
                runs = [run(cells, s, rule, test) for s, cells in enumerate(simulated)]
                rows.append(summary(title, rule, test, runs))
    header = ["cells", "λ rule", "test", "runs", "links", "kept"]
    header += ["FDR: links of null targets", "FDR: links to wrong TFs", "true links found"]
    machine = report.machine()
    print(report.describe(machine), report.table(header, map(shown, rows)), sep="\n\n")
    report.save_json(options.json, {"machine": machine, "rows": rows})


if __name__ == "__main__":
    main()
