"""`scifate demo`: simulate, fit, filter, and compare with the known network."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from ..anndata_io import prepare_anndata
from ..datasets import LabelledCells, make_labelled_cells
from ..filters import BindingReference, EncodeLinkFilter
from ..links import strong_links
from ..regressor import SciFateRegressor
from ..solvers import announce_compilation
from ._console import is_interactive, tell

N_TFS, N_TARGETS = 50, 300
# The simulated cells have a few hundred genes instead of several thousand.
CELL_FILTER_UMI = 300

HEADER = """\
{n_cells:,} simulated cells, {n_kept:,} of them with enough RNA; {n_tfs} TFs, {n_genes} genes;
{n_links:,} true links among {n_pairs:,} pairs of a TF and a gene.
"""
FOOTER = """
AUPR ranks all pairs by |coefficient|, those without a link last, so it usually falls where links
are dropped: compare precision. random: the share of true links. The simulated ChIP-seq misses a
fifth of the true links and has a peak at a tenth of the other pairs. "strict" keeps enriched TFs
only, and links with a peak only.

Next, with your own cells:
  scifate run CELLS.h5ad --tfs TFS.txt --encode PEAKS.csv --new new --total total \\
      --cell-filter-umi 1000 --out RESULTS
Without labelling use intron reads: --new unspliced --total spliced+unspliced.
All options: scifate run --help"""


def run_demo(n_cells: int, seed: int, n_jobs: int) -> str:
    """Return a report on the links found in simulated cells."""
    cells = make_labelled_cells(n_cells, N_TFS, N_TARGETS, random_state=seed)
    inputs = prepare_anndata(cells.adata, cells.tf_names, cell_filter_UMI=CELL_FILTER_UMI)
    regressor = SciFateRegressor(n_jobs=n_jobs, verbose=int(is_interactive()))
    with announce_compilation(tell):
        regressor.fit(inputs.tf_matrix, inputs.target_matrix)
    header = HEADER.format(
        n_cells=n_cells,
        n_kept=len(inputs.cells),
        n_tfs=N_TFS,
        n_genes=len(inputs.genes),
        n_links=len(cells.network),
        n_pairs=len(cells.reference),
    )
    agreement = compare(filter_steps(regressor, cells), cells)
    whole = dict.fromkeys(["links", "true"], "{:,.0f}".format)
    table = agreement.to_string(na_rep="", formatters=whole, float_format="{:.2f}".format)
    return f"{header}\n{table}\n{FOOTER}"


def filter_steps(regressor: SciFateRegressor, cells: LabelledCells) -> dict[str, pd.DataFrame]:
    """Return the links that remain after each step."""
    links = regressor.links_
    reference = BindingReference.from_table(cells.reference)
    published = EncodeLinkFilter(reference)
    strict = EncodeLinkFilter.strict(reference, tested_targets=regressor.target_names_in_)
    return {
        "LASSO": links,
        f"|coef| > {published.coef_threshold}": strong_links(links, published.coef_threshold),
        "ChIP filter": published.fit_transform(links),
        "ChIP filter, strict": strict.fit_transform(links),
    }


def compare(steps: dict[str, pd.DataFrame], cells: LabelledCells) -> pd.DataFrame:
    """Compare the links of each step with the network.

    Returns
    -------
    DataFrame
        One row per step, and one for a random ranking: number of ``links``, number of ``true``
        links, ``precision``, ``recall``, ``AUPR`` over all pairs of a TF and another gene.
    """
    pairs = pd.MultiIndex.from_frame(cells.reference[["TF", "target"]])
    is_link = pairs.isin(pd.MultiIndex.from_frame(cells.network[["TF", "target"]]))
    rows = {name: _agreement(links, pairs, is_link) for name, links in steps.items()}
    return pd.DataFrame.from_dict({**rows, "random": {"AUPR": is_link.mean()}}, orient="index")


def _agreement(
    links: pd.DataFrame, pairs: pd.MultiIndex, is_link: NDArray[np.bool_]
) -> dict[str, float]:
    score = links.set_index(["TF", "target"])["coef"].abs().reindex(pairs, fill_value=0.0)
    n_true = int(is_link[score > 0].sum())
    return {
        "links": len(links),
        "true": n_true,
        "precision": n_true / max(len(links), 1),
        "recall": n_true / max(int(is_link.sum()), 1),
        "AUPR": average_precision_score(is_link, score),
    }
