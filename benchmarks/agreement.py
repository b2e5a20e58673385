"""Agreement in numbers with R and scikit-learn, as the pages in docs/ state it.

    python benchmarks/agreement.py --json agreement.json

R's results are those of the folder ``reference`` beside the data: the paper's pipeline on every
second target of the mouse pancreas, at glmnet's ``thresh`` of 1e-13 and at its default of 1e-7.
`LassoCV` is run with several values of `tol`.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import report

report.use_threads(1)

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from problems import pancreas_inputs, reference_folder
from sklearn.datasets import make_regression
from sklearn.linear_model import LassoCV

from scifate_sklearn import MultiOutputLassoCV, SciFateRegressor
from scifate_sklearn.anndata_io import SciFateInputs

Rows = list[dict[str, Any]]
Floats = NDArray[np.float64]


def relative(ours: Any, theirs: Any) -> float:
    """Return the largest relative difference."""
    ours, theirs = np.asarray(ours, float), np.asarray(theirs, float)
    return float(np.max(np.abs(ours - theirs) / np.abs(theirs)))


def with_r(folder: Path, every: int) -> Rows:
    """Compare the pancreas with the paper's pipeline in R."""
    inputs = pancreas_inputs()
    cells = pd.read_csv(folder / "cells.csv")
    size = relative(inputs.cells["size_factor"], cells["size_factor"])
    rows: Rows = [{"quantity": "size factors, relative", "thresh": "", "value": f"{size:.1e}"}]
    for thresh in ("tight", "default"):
        report.progress(f"R's results, {thresh}")
        rows += [{"thresh": thresh, **row} for row in _compare_fits(inputs, folder, thresh, every)]
    return rows


def _compare_fits(inputs: SciFateInputs, folder: Path, thresh: str, every: int) -> Rows:
    table = pd.read_csv(folder / f"{thresh}_targets.csv").set_index("gene")[::every]
    links = pd.read_csv(folder / f"{thresh}_links.csv", keep_default_na=False)
    coef = links.pivot(index="linked_gene", columns="id", values="corcoef")
    coef = coef.reindex(index=table.index, columns=inputs.tf_matrix.columns).fillna(0.0)
    model = SciFateRegressor(n_jobs=-1).fit(inputs.tf_matrix, inputs.target_matrix[table.index])
    rows: Rows = []
    for name, column in (("lambda_1se_", "l1se"), ("lambda_min_", "lmin")):
        same = np.isclose(getattr(model, name), table[column], rtol=1e-9)
        rows.append({"quantity": name, "value": f"{same.sum():,} of {same.size:,} identical"})
    log_ratio = np.abs(np.log(model.lambdas_[:, None] / table["l1se"].to_numpy()))
    place = np.arange(len(table)), log_ratio.argmin(axis=0)
    for name, column in (("cv_mse_", "cvm"), ("cv_mse_se_", "cvsd")):
        found = relative(getattr(model, name)[place], table[column])
        rows.append({"quantity": f"{column} at lambda_1se, relative", "value": f"{found:.1e}"})
    largest = float(np.abs(model.coef_ - coef.to_numpy()).max())
    return [*rows, {"quantity": "coefficients, absolute", "value": f"{largest:.1e}"}]


def with_scikit_learn() -> Rows:
    """Compare `MultiOutputLassoCV` with one `LassoCV` per output."""
    X, Y = make_regression(n_samples=300, n_features=40, n_targets=20, noise=10.0, random_state=0)
    ours = MultiOutputLassoCV().fit(X, Y)
    rows: Rows = []
    for tol in (1e-4, 1e-6, 1e-8, 1e-10):
        report.progress(f"LassoCV, tol={tol:g}")
        fits = [LassoCV(cv=5, max_iter=1_000_000, tol=tol).fit(X, y) for y in Y.T]
        change = np.abs(np.array([fit.alpha_ for fit in fits]) / ours.alpha_ - 1.0)
        largest = np.abs(np.array([fit.coef_ for fit in fits]) - ours.coef_).max()
        rows.append(
            {
                "tol": f"{tol:g}",
                "other penalty": f"{(change > 1e-9).sum()} of {len(fits)}",
                "by up to": f"{change.max():.0%}",
                "largest difference of a coefficient": f"{largest:.0e}",
            }
        )
    return rows


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--every", type=int, default=1, help="compare every n-th target with R")
    parser.add_argument("--json", default=None)
    options = parser.parse_args()
    tables = {
        "R": with_r(reference_folder("r_pancreas"), options.every),
        "LassoCV": with_scikit_learn(),
    }
    machine = report.machine()
    print(report.describe(machine))
    for name, rows in tables.items():
        columns = list(dict.fromkeys(key for row in rows for key in row))
        shown = [[str(row.get(column, "")) for column in columns] for row in rows]
        print(f"\n{name}\n", report.table(columns, shown), sep="\n")
    report.save_json(options.json, {"machine": machine, **tables})


if __name__ == "__main__":
    main()
