"""Simulated cells with known false links, for the calibration of q-values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray

from scifate_sklearn import prepare_anndata

Floats = NDArray[np.float64]

PSEUDOCOUNT = 0.1
N_CELLS, N_TFS, N_TARGETS = 150, 20, 30
# How much deeper sequencing, or more labelling, adds to all genes of a cell.
DEPTH = 0.6
# Logarithmic difference of two batches, and the number of TFs with it.
BATCH, N_SHIFTED = 1.2, 3
# Types of cells, and the standard deviation of what a type adds to a gene.
N_TYPES, TYPE = 4, 0.6
# Programmes that the TFs share, and others that the targets share; TFs of a driven target.
N_PROGRAMMES, N_TRUE = 4, 3


@dataclass(frozen=True)
class NullCells:
    """Z-scored logarithms of counts of TFs and targets, and which links are true.

    ``is_true`` (n_targets, n_tfs) is all False for targets that depend on no TF. Columns of ``tfs``
    that follow the TFs are covariates.
    """

    tfs: pd.DataFrame
    targets: pd.DataFrame
    is_true: NDArray[np.bool_]

    @property
    def covariates(self) -> tuple[str, ...]:
        """Return the names of the covariates."""
        return tuple(self.tfs.columns[self.is_true.shape[1] :])


def simulate(seed: int, share_driven: float, is_linear: bool = True) -> NullCells:
    """Simulate cells, the first targets of which depend on three TFs each.

    The TFs are overdispersed counts with shared programmes (correlations up to about 0.5); the
    targets are counts with other programmes. The TFs of a driven target explain between a fifth
    and half of the variance of its logarithmic rate; if not linearly, by tanh of twice their
    standardized values.
    """
    rng = np.random.default_rng(seed)
    X = _log_counts(rng, 1.0 + 0.7 * _programmes(rng, N_TFS))
    noise = _programmes(rng, N_TARGETS)
    signal, is_true = _regulation(rng, X if is_linear else np.tanh(2.0 * X), share_driven)
    return _named(X, _log_counts(rng, 1.5 + 0.5 * (signal + noise)), is_true)


def simulate_depth(seed: int) -> NullCells:
    """Simulate cells in which depth drives TFs and targets, and targets depend on nothing else.

    The depth is a covariate among the TFs, as in the output of `prepare_anndata`.
    """
    rng = np.random.default_rng(seed)
    depth = rng.normal(size=(N_CELLS, 1))
    X = _log_counts(rng, 1.0 + 0.7 * _programmes(rng, N_TFS) + DEPTH * depth)
    Y = _log_counts(rng, 1.5 + 0.5 * _programmes(rng, N_TARGETS) + DEPTH * depth)
    cells = _named(X, Y, np.zeros((N_TARGETS, N_TFS), bool))
    return replace(cells, tfs=cells.tfs.assign(new_size_factor=_zscore(depth)))


def simulate_batches(seed: int, covariates: Sequence[str] = ()) -> NullCells:
    """Simulate counts of two batches that differ in a few TFs and in all targets; no regulation.

    The batch raises half of these genes and lowers the others, so that the depth of the cells
    hardly depends on it. The counts pass through `prepare_anndata`.

    Parameters
    ----------
    covariates : sequence of str, default=()
        For `prepare_anndata`; the column is called ``batch``.
    """
    rng = np.random.default_rng(seed)
    batch, sizes = rng.integers(0, 2, N_CELLS), (N_TFS, N_TARGETS)
    signs = [np.resize([1.0, -1.0], n) for n in sizes]
    signs[0][N_SHIFTED:] = 0.0
    shifts = [np.outer(batch - 0.5, BATCH * sign) for sign in signs]
    rates = [
        np.exp(mean + spread * _programmes(rng, n) + shift)
        for mean, spread, n, shift in zip((1.0, 1.5), (0.7, 0.5), sizes, shifts, strict=True)
    ]
    new = rng.poisson(np.hstack(rates))
    old = rng.poisson(np.hstack([rates[0], np.full((N_CELLS, N_TARGETS), 4.0)]))
    names = [
        [f"{kind}{k}" for k in range(n)] for kind, n in zip(("TF", "gene"), sizes, strict=True)
    ]
    adata = AnnData(
        obs=pd.DataFrame({"batch": batch.astype(str)}, [f"cell{i}" for i in range(N_CELLS)]),
        var=pd.DataFrame(index=[*names[0], *names[1]]),
        layers={"new": new, "total": new + old},
    )
    inputs = prepare_anndata(
        adata, names[0], gene_filter_rate=0, cell_filter_UMI=0, covariates=covariates
    )
    is_true = np.zeros((N_TARGETS, N_TFS), bool)
    return NullCells(inputs.tf_matrix, inputs.target_matrix[names[1]], is_true)


def simulate_types(seed: int, is_linear: bool = True, as_covariates: bool = False) -> NullCells:
    """Simulate cells of four types that act on all TFs and targets; TFs drive half of the targets.

    A type adds to the logarithmic rates of all genes. If not linearly, the TFs of a driven target
    act by tanh of twice their standardized values, and their effect is multiplied by a number
    between 0 and 2 that depends on the type. The types are left out, or they are covariates: one
    column for each but the first.
    """
    rng = np.random.default_rng(seed)
    types = np.eye(N_TYPES)[rng.integers(N_TYPES, size=N_CELLS)]
    of_tfs, of_targets = (TYPE * types @ rng.normal(size=(N_TYPES, q)) for q in (N_TFS, N_TARGETS))
    X = _log_counts(rng, 1.0 + 0.7 * _programmes(rng, N_TFS) + of_tfs)
    noise = _programmes(rng, N_TARGETS)
    signal, is_true = _regulation(rng, X if is_linear else np.tanh(2.0 * X), 0.5)
    if not is_linear:
        signal *= types @ rng.uniform(0.0, 2.0, size=(N_TYPES, N_TARGETS))
    cells = _named(X, _log_counts(rng, 1.5 + 0.5 * (signal + noise) + of_targets), is_true)
    if not as_covariates:
        return cells
    one_hot = {f"type{k}": types[:, k] for k in range(1, N_TYPES)}
    return replace(cells, tfs=cells.tfs.assign(**one_hot))


def _regulation(
    rng: np.random.Generator, values: Floats, share_driven: float
) -> tuple[Floats, NDArray[np.bool_]]:
    """Return what TFs of these values add to the targets, the first of which they drive."""
    signal = np.zeros((len(values), N_TARGETS))
    is_true = np.zeros((N_TARGETS, N_TFS), bool)
    for t in range(round(share_driven * N_TARGETS)):
        tfs = rng.choice(N_TFS, N_TRUE, replace=False)
        is_true[t, tfs] = True
        response = values[:, tfs] @ rng.choice([-1.0, 1.0], N_TRUE)
        signal[:, t] = rng.uniform(0.5, 1.0) * response / response.std()
    return signal, is_true


def _named(X: Floats, Y: Floats, is_true: NDArray[np.bool_]) -> NullCells:
    names = [f"TF{j}" for j in range(N_TFS)], [f"gene{t}" for t in range(N_TARGETS)]
    return NullCells(pd.DataFrame(X, columns=names[0]), pd.DataFrame(Y, columns=names[1]), is_true)


def _programmes(rng: np.random.Generator, n_genes: int) -> Floats:
    """Return standardized activities; shared programmes explain half of their variance."""
    shared = rng.normal(size=(N_CELLS, N_PROGRAMMES)) @ rng.normal(size=(N_PROGRAMMES, n_genes))
    return _zscore(shared / np.sqrt(N_PROGRAMMES) + rng.normal(size=(N_CELLS, n_genes)))


def _log_counts(rng: np.random.Generator, log_rate: Floats) -> Floats:
    return _zscore(np.log(rng.poisson(np.exp(log_rate)) + PSEUDOCOUNT))


def _zscore(A: Floats) -> Floats:
    return (A - A.mean(axis=0)) / A.std(axis=0, ddof=1)


def false_shares(cells: NullCells, links: pd.DataFrame) -> dict[str, float]:
    """Return the shares of false links, in two senses, and of the true links that are found.

    ``of_null_targets`` counts links of targets that depend on no TF, ``of_wrong_tfs`` all links
    to a TF that does not drive the target, even if it correlates with one that does.
    """
    target = cells.targets.columns.get_indexer(links["target"])
    is_true = cells.is_true[target, cells.tfs.columns.get_indexer(links["TF"])]
    is_null = ~cells.is_true.any(axis=1)[target]
    n_links = max(1, len(links))
    return {
        "of_null_targets": float(is_null.sum() / n_links),
        "of_wrong_tfs": float((~is_true).sum() / n_links),
        "found": float(is_true.sum() / max(1, cells.is_true.sum())),
    }
