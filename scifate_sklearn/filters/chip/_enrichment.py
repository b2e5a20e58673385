"""2×2 tables of strong links and peaks, and Fisher's test of all TFs."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...names import name_codes
from ._fisher import Alternative, Correction, adjust_pvalues, fisher_exact, odds_ratio
from ._reference import NO_PEAK, PEAK, UNTESTED, BindingReference

COUNT_COLUMNS = ("link_peak", "link_no_peak", "no_link_peak", "no_link_no_peak")


def lookup_pairs(
    reference: BindingReference, links: pd.DataFrame
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return row (TF) and column (target) of each link in the reference, -1 if missing there."""
    tf, tfs = name_codes(links["TF"])
    gene, genes = name_codes(links["target"])
    row = pd.Index(reference.tfs).get_indexer(pd.Index(tfs))
    column = pd.Index(reference.genes).get_indexer(pd.Index(genes))
    return row[tf], column[gene]


def pair_status(reference: BindingReference, links: pd.DataFrame) -> NDArray[np.int8]:
    """Return per link 2 with a peak, 1 if tested without a peak, 0 if not tested."""
    tf, gene = lookup_pairs(reference, links)
    is_known = (tf >= 0) & (gene >= 0)
    return np.where(is_known, reference.status[tf, gene], np.int8(UNTESTED))


def count_tables(
    status: NDArray[np.int8], tf: NDArray[np.intp], gene: NDArray[np.intp]
) -> NDArray[np.int64]:
    """Count [link] × [peak] over each TF's tested genes.

    Parameters
    ----------
    status : ndarray of shape (n_tfs, n_genes)
        0 not tested, 1 without a peak, 2 with a peak.
    tf, gene : ndarray of shape (n_links,)
        Row and column of each link; repeated links count once.

    Returns
    -------
    ndarray of shape (n_tfs, 4)
        Columns `COUNT_COLUMNS`.
    """
    n_tfs, n_genes = status.shape
    tf, gene = np.divmod(np.unique(tf * n_genes + gene), max(n_genes, 1))
    status_of_link = status[tf, gene]
    counts = np.empty((n_tfs, 4), dtype=np.int64)
    for column, value in enumerate((PEAK, NO_PEAK)):
        with_link = np.bincount(tf[status_of_link == value], minlength=n_tfs)
        counts[:, column] = with_link
        counts[:, column + 2] = np.count_nonzero(status == value, axis=1) - with_link
    return counts


def count_links(
    reference: BindingReference, strong: pd.DataFrame, in_universe: NDArray[np.bool_]
) -> pd.DataFrame:
    """Count the 2×2 tables of the TFs that have a strong link and are in the reference.

    Parameters
    ----------
    reference : BindingReference
        The evidence.
    strong : DataFrame
        Links above the threshold.
    in_universe : ndarray of bool, shape (n_genes,)
        Genes of the reference that are counted.

    Returns
    -------
    DataFrame
        ``TF`` and `COUNT_COLUMNS`, in the order of the reference.
    """
    tf, gene = lookup_pairs(reference, strong)
    rows = np.unique(tf[tf >= 0])
    status = reference.status[rows][:, in_universe]
    is_counted = (tf >= 0) & (gene >= 0)
    is_counted[is_counted] = in_universe[gene[is_counted]]
    column = np.cumsum(in_universe) - 1
    counts = count_tables(status, np.searchsorted(rows, tf[is_counted]), column[gene[is_counted]])
    table = pd.DataFrame(counts, columns=list(COUNT_COLUMNS))
    table.insert(0, "TF", reference.tfs[rows])
    return table


def enrichment_table(
    counts: pd.DataFrame,
    *,
    alternative: Alternative,
    correction: Correction,
    q_threshold: float,
) -> pd.DataFrame:
    """Return the counts of `count_links` with odds ratio, p, q and the verdict.

    Returns
    -------
    DataFrame
        One row per TF, smallest p first: ``TF``, the counts, ``odds_ratio``, ``p``, ``q``, ``kept``
        (bool) and ``verdict`` (text).
    """
    cells = counts[list(COUNT_COLUMNS)].to_numpy()
    a, b, c, d = cells.T
    p = fisher_exact(a, b, c, d, alternative)
    q = adjust_pvalues(p, correction)
    tested = counts.assign(odds_ratio=odds_ratio(a, b, c, d), p=p, q=q, kept=q < q_threshold)
    tested["verdict"] = np.select(
        [has_empty_margin(cells), ~tested["kept"], tested["odds_ratio"] > 1],
        ["empty margin", "not significant", "enriched"],
        "depleted",
    ).astype(object)
    return tested.sort_values(["p", "TF"], kind="stable", ignore_index=True)


def pooled_counts(counts: pd.DataFrame) -> NDArray[np.int64]:
    """Return the four counts summed over all TFs, of shape (4,)."""
    total: NDArray[np.int64] = counts[list(COUNT_COLUMNS)].to_numpy(np.int64).sum(axis=0)
    return total


def pooled_test(counts: pd.DataFrame, alternative: Alternative) -> dict[str, float]:
    """Return the four counts summed over all TFs, with their ``odds_ratio`` and ``p``."""
    a, b, c, d = cells = pooled_counts(counts).tolist()
    return {
        **dict(zip(COUNT_COLUMNS, cells, strict=True)),
        "odds_ratio": float(odds_ratio(a, b, c, d)),
        "p": float(fisher_exact(a, b, c, d, alternative)),
    }


def has_empty_margin(cells: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return whether a row or a column of [[a, b], [c, d]] is empty; `cells` is (…, 4)."""
    a, b, c, d = np.moveaxis(cells, -1, 0)
    return np.asarray((a + b == 0) | (c + d == 0) | (a + c == 0) | (b + d == 0))
