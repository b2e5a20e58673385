"""Data with a known network: predictors, targets and true edges."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from problems import bsubtilis_tables, dream4_gold, dream4_table, sergio_inputs

from scifate_sklearn import prepare_anndata
from scifate_sklearn.datasets import make_labelled_cells

DREAM4_NETWORKS = (1, 2, 3, 4, 5)
# The share of molecules that are sequenced, and of new molecules that are recognised as new.
NOISE = {
    "low": {"capture_efficiency": 0.3, "labelling_efficiency": 0.9},
    "medium": {"capture_efficiency": 0.1, "labelling_efficiency": 0.8},
    "high": {"capture_efficiency": 0.03, "labelling_efficiency": 0.6},
}


@dataclass(frozen=True, eq=False)
class KnownNetwork:
    """Z-scored predictors (TFs and covariates) and targets, by name, and the true edges."""

    name: str
    X: pd.DataFrame
    Y: pd.DataFrame
    gold: pd.DataFrame
    tfs: pd.Index

    @property
    def size(self) -> str:
        """Return the numbers of samples, TFs, targets and edges as text."""
        sizes = (len(self.X), len(self.tfs), self.Y.shape[1])
        return f"{' × '.join(map(str, sizes))}, {len(self.gold)}"

    def thinned(self, n_targets: int) -> KnownNetwork:
        """Keep the first targets, for a trial run."""
        Y = self.Y.iloc[:, :n_targets]
        return replace(self, Y=Y, gold=self.gold[self.gold["target"].isin(Y.columns)])


def dream4_multifactorial(network: int) -> KnownNetwork:
    """DREAM4 in silico, size 100: 100 perturbed steady states, each gene on all others."""
    expression = dream4_table("multifactorial", network)
    X = (expression - expression.mean()) / expression.std()
    gold = dream4_gold("multifactorial", network)
    return KnownNetwork(f"dream4/{network}", X, X, gold, X.columns)


def sergio_ds4() -> KnownNetwork:
    """SERGIO's simulated cells DS4 without technical noise, unspliced on total RNA."""
    inputs, gold = sergio_inputs()
    tfs = inputs.genes.index[inputs.genes["is_tf"]]
    return KnownNetwork("sergio/DS4", inputs.tf_matrix, inputs.target_matrix, gold, tfs)


def bsubtilis() -> KnownNetwork:
    """*B. subtilis* microarrays (Arrieta-Ortiz et al. 2015): genes with known edges, on all TFs.

    The candidates are pairs of the TFs that have a known edge.
    """
    expression, gold, tfs = bsubtilis_tables()
    X = (expression - expression.mean()) / expression.std()
    targets = pd.Index(sorted(set(gold["target"])))
    known = pd.Index([name for name in tfs if name in set(gold["TF"])])
    return KnownNetwork("B. subtilis", X[tfs], X[targets], gold, known)


def labelled(noise: str, seed: int, n_cells: int = 1000) -> tuple[KnownNetwork, KnownNetwork]:
    """Labelled cells (50 TFs, 200 targets): their new RNA, and their total RNA as the response.

    All genes are kept at all levels of noise, so that the candidates are the same. The targets are
    the genes that are not TFs, because TFs have no regulators in this simulation.
    """
    cells = make_labelled_cells(n_cells, random_state=seed, **NOISE[noise])
    new, total = (
        prepare_anndata(
            cells.adata,
            cells.tf_names,
            nt_layers=layers,
            gene_filter_rate=0,
            cell_filter_UMI=0,
        )
        for layers in (("new", "total"), ("total", "total"))
    )
    targets = new.target_matrix.columns.difference(cells.tf_names, sort=False)
    tfs = pd.Index(cells.tf_names)
    of_new, of_total = (
        KnownNetwork(
            f"labelled/{noise}", new.tf_matrix, inputs.target_matrix[targets], cells.network, tfs
        )
        for inputs in (new, total)
    )
    return of_new, replace(of_total, name=f"labelled/{noise}, total")


def all_networks(n_seeds: int) -> Iterator[KnownNetwork]:
    """Yield every network; labelled cells once per seed, with their new RNA as the response."""
    for network in DREAM4_NETWORKS:
        yield dream4_multifactorial(network)
    yield sergio_ds4()
    yield bsubtilis()
    for noise in NOISE:
        for seed in range(n_seeds):
            yield labelled(noise, seed)[0]


def draw_prior(network: KnownNetwork, *, is_right: bool, seed: int) -> pd.DataFrame:
    """Draw half as many pairs as there are edges: true edges, or pairs without an edge."""
    rng = np.random.default_rng(seed)
    n_named = len(network.gold) // 2
    edges = pd.MultiIndex.from_frame(network.gold)
    if is_right:
        return network.gold.iloc[np.sort(rng.choice(len(edges), n_named, replace=False))]
    pairs = pd.MultiIndex.from_product([network.tfs, network.Y.columns], names=edges.names)
    others = pairs[pairs.get_level_values(0) != pairs.get_level_values(1)].difference(edges)
    chosen = others[np.sort(rng.choice(len(others), n_named, replace=False))]
    return chosen.to_frame(index=False)
