"""Prior networks of RegVelo and CellOracle: matrices of 0 and 1."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..links import pair_positions
from ._edges import coefs_by_pair

# One byte each.
_MOST_ENTRIES = 5 * 10**8
_PEAK, _GENE = "peak_id", "gene_short_name"


def to_regvelo(links: pd.DataFrame) -> pd.DataFrame:
    """Return links as a prior network of RegVelo, targets × regulators.

    Parameters
    ----------
    links : DataFrame
        Links table of one network, with at least ``TF``, ``target`` and ``coef``. Rows that repeat
        a link with the same coefficient count once.

    Returns
    -------
    DataFrame of int8, shape (n_genes, n_genes)
        1 in the row of the target and the column of the TF of each link, else 0. Rows and columns
        are all genes of the links, sorted.

    Raises
    ------
    TypeError, ValueError
        If `links` is not a links table, has no rows, lacks a name, has several groups, repeats a
        pair with different coefficients, or has too many genes for a matrix.

    Notes
    -----
    ``regvelo.pp.set_prior_grn(adata, prior)`` takes rows as targets and columns as regulators (its
    argument ``gt_net``). It stores the transpose, regulators × targets, in
    ``adata.uns["skeleton"]``; the model takes targets × regulators again:
    ``REGVELOVI(adata, W=torch.tensor(adata.uns["skeleton"].to_numpy()).T, ...)``.

    The matrix is square because ``set_prior_grn`` sets the diagonal to 0 by position, which
    removes self-loops from a square matrix and arbitrary links from any other. It has no weights
    because RegVelo multiplies them by a correlation, and drops links whose product is below 0.01.
    """
    table = coefs_by_pair(links, "to_regvelo")
    genes = pd.Index(sorted({*table["TF"], *table["target"]}))
    matrix = _links_matrix(table, genes, genes, "to_regvelo")
    return pd.DataFrame(matrix, genes.rename("target"), genes.rename(None))


def to_celloracle(links: pd.DataFrame) -> pd.DataFrame:
    """Return links as a base network of CellOracle, targets × TFs.

    Parameters
    ----------
    links : DataFrame
        As for `to_regvelo`.

    Returns
    -------
    DataFrame, shape (n_targets, 2 + n_tfs)
        One row per target: ``peak_id``, a text that names no peak, since links have none;
        ``gene_short_name``, the target; then a column for each TF, 1 where it has a link to the
        target, else 0.

    Raises
    ------
    TypeError, ValueError
        As `to_regvelo`, and if a TF is called ``peak_id`` or ``gene_short_name``.

    Notes
    -----
    ``Oracle.import_TF_data(TF_info_matrix=table)``, or the path of a parquet file as
    ``TF_info_matrix_path``, drops ``peak_id``, sums the rows of each target, and takes the TFs with
    a positive sum as its candidate regulators. Signs are not used: CellOracle estimates its own.
    """
    table = coefs_by_pair(links, "to_celloracle")
    targets, tfs = (pd.Index(table[name].unique()).sort_values() for name in ("target", "TF"))
    if taken := [name for name in (_PEAK, _GENE) if name in tfs]:
        raise ValueError(f"to_celloracle: {taken[0]!r} is a column of CellOracle, but a TF is too.")
    found = pd.DataFrame(_links_matrix(table, targets, tfs, "to_celloracle"), columns=tfs)
    found.insert(0, _PEAK, [f"peak_{target}" for target in targets])
    found.insert(1, _GENE, targets)
    return found


def _links_matrix(
    table: pd.DataFrame, targets: "pd.Index[str]", tfs: "pd.Index[str]", caller: str
) -> NDArray[np.int8]:
    """Return 1 for each link in a matrix of targets × TFs, else 0."""
    n_entries = len(targets) * len(tfs)
    if n_entries > _MOST_ENTRIES:
        raise ValueError(
            f"{caller}: the matrix would have {len(targets):,} × {len(tfs):,} entries, more than "
            f"{_MOST_ENTRIES:,}; keep the links of fewer genes."
        )
    matrix = np.zeros((len(targets), len(tfs)), np.int8)
    target, tf = pair_positions(table, targets.to_numpy(object), tfs.to_numpy(object))
    matrix[target, tf] = 1
    return matrix
