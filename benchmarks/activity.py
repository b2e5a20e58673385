"""Activity of TFs in cells that the links have not seen, and its specificity for cell types.

    python benchmarks/activity.py --json activity.json

Links are fitted to every second cell. In the other cells, the activity of each TF (`tf_activity`)
is correlated with the TF's own total RNA; the table has the median over the TFs. The expression is
log(x · 10⁴ / sum + 1) of total or of new RNA. "true" are the links of the simulation, with their
effects; "shuffled" are the fitted ones with their TFs permuted. The pancreas cells have no true
links. The second table has the most specific TFs of each cell type (`regulon_specificity`), from
links and activities of all cells.
"""

from __future__ import annotations

import argparse
import warnings
from typing import Any

import report

report.use_threads(1)

import numpy as np
import pandas as pd
import scipy.sparse as sp
from anndata import AnnData
from problems import pancreas_cells, pancreas_inputs

from scifate_sklearn import SciFateRegressor, prepare_anndata, regulon_specificity, tf_activity
from scifate_sklearn.datasets import make_labelled_cells

CAPTURE = (0.1, 0.3)
LAYERS = {"total": "activity from total RNA", "new": "from new RNA"}
NETWORKS = {"true": "true links", "shuffled": "shuffled TFs"}
N_SHOWN = 5


def log_normalised(counts: Any) -> sp.csr_matrix:
    """Return what scanpy's normalize_total and log1p return."""
    sums = np.maximum(np.asarray(counts.sum(axis=1)).ravel(), 1)
    return sp.csr_matrix(sp.diags(1e4 / sums) @ counts).log1p()


def agreement(adata: AnnData, links: pd.DataFrame, layer: str, tfs: pd.DataFrame) -> float:
    """Return the median correlation of activity with the z-scores of the TFs' own RNA."""
    activity = tf_activity(adata, links, layer=layer, key_added=None).activity
    own = [np.corrcoef(activity[tf], tfs[tf])[0, 1] for tf in activity if tf in tfs]
    return float(np.nanmedian(own))


def held_out(
    adata: AnnData, tfs: pd.DataFrame, new: pd.DataFrame, network: pd.DataFrame | None
) -> dict[str, float]:
    """Fit links to every second cell, and compare activities in the others."""
    links = SciFateRegressor().fit(tfs.iloc[::2], new.iloc[::2]).links_
    others = tfs.iloc[1::2]
    cells = adata[others.index].copy()
    found: dict[str, float] = {"links": len(links)}
    for name in LAYERS:
        cells.layers[f"log_{name}"] = log_normalised(cells.layers[name])
        found[name] = agreement(cells, links, f"log_{name}", others)
    if network is not None:
        found["true"] = agreement(cells, network, "log_new", others)
    permuted = np.random.default_rng(0).permutation(links["TF"])
    shuffled = links.assign(TF=permuted).drop_duplicates(["TF", "target"])
    found["shuffled"] = agreement(cells, shuffled, "log_new", others)
    return found


def simulated(capture: float, seeds: int, n_cells: int) -> dict[str, Any]:
    """Return the means over simulated data sets."""
    rows = []
    for seed in range(seeds):
        report.progress(f"simulated, {capture:.0%} of the molecules, seed {seed}")
        cells = make_labelled_cells(n_cells, 20, 150, capture_efficiency=capture, random_state=seed)
        options = {"cell_filter_UMI": 0, "gene_filter_rate": 0.0}
        tfs, new, *_ = prepare_anndata(cells.adata, cells.tf_names, **options)
        network = cells.network.rename(columns={"effect": "coef"})
        rows.append(held_out(cells.adata, tfs, new, network))
    return {"cells": f"simulated, {capture:.0%} sequenced", **pd.DataFrame(rows).mean().to_dict()}


def pancreas() -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the row of the pancreas cells, and the most specific TFs of their types."""
    report.progress("pancreas")
    adata, (tfs, new, *_) = pancreas_cells(), pancreas_inputs()
    adata.layers["new"] = adata.layers["unspliced"]
    row = {"cells": "pancreas", **held_out(adata, tfs, new, None)}
    adata.layers["log"] = log_normalised(adata.layers["total"])
    links = SciFateRegressor().fit(tfs, new).links_
    activity = tf_activity(adata, links, layer="log").activity
    specificity = regulon_specificity(activity, adata.obs["cluster"])
    sizes = adata.obs["cluster"].value_counts()
    types = [
        {"type": name, "n": int(sizes[name]), "tfs": own.nlargest(N_SHOWN).to_dict()}
        for name, own in specificity.iterrows()
    ]
    return row, types


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few simulated cells only")
    parser.add_argument("--json", default=None)
    options = parser.parse_args()
    warnings.filterwarnings("ignore", message=".*get no activity")
    seeds, n_cells = (1, 200) if options.quick else (5, 1000)
    rows = [simulated(capture, seeds, n_cells) for capture in CAPTURE]
    types: list[dict[str, Any]] = []
    if not options.quick:
        row, types = pancreas()
        rows.append(row)
    columns = {"links": "links", **LAYERS, **NETWORKS}
    shown = [
        [row["cells"], f"{row['links']:,.0f}"]
        + [f"{row[name]:.2f}" if name in row else "" for name in list(columns)[1:]]
        for row in rows
    ]
    machine = report.machine()
    print(report.describe(machine), report.table(["cells", *columns.values()], shown), sep="\n\n")
    for each in types:
        named = ", ".join(f"{tf} {value:.2f}" for tf, value in each["tfs"].items())
        print(f"{each['type']} ({each['n']} cells): {named}")
    report.save_json(options.json, {"machine": machine, "rows": rows, "types": types})


if __name__ == "__main__":
    main()
