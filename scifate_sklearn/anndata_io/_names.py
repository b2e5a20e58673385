"""Names of the genes of an AnnData object: symbols, duplicates, TFs."""

import os
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._warnings import warn
from ..files import AdvisedError
from ..names import (
    Cause,
    are_missing,
    date_symbols,
    describe_dates,
    examples,
    read_gene_table,
    translated,
)
from ..names import match_tfs as match_names

Names = NDArray[np.object_]
GeneSymbols: TypeAlias = str | Mapping[str, str] | pd.DataFrame | os.PathLike[str] | None

# Predictors that `prepare_anndata` adds to the TFs.
COVARIATES = ("new_size_factor", "labeling_ratio")


def gene_names(var: pd.DataFrame, gene_symbols: GeneSymbols) -> Names:
    """Return the name of each gene.

    Parameters
    ----------
    var : DataFrame of n_genes rows
        ``adata.var``.
    gene_symbols : str, mapping, DataFrame, path-like or None
        Column with symbols, None for the index. Missing symbols, in any spelling, are replaced by
        the index. Words such as "NA" are missing if several genes share them, as a single gene may
        have this name. Or a table of the symbols of ids, or its file.

    Returns
    -------
    ndarray of str of shape (n_genes,)
        Names, possibly not unique.

    Raises
    ------
    TypeError, ValueError
        If there is no such column, or more than one; or if the table is none, or has none of the
        genes.

    Warns
    -----
    UserWarning
        If the table lacks most of the genes.
    """
    ids = var.index.astype(str).to_numpy(dtype=object)
    if gene_symbols is None:
        return ids
    if isinstance(gene_symbols, Mapping | pd.DataFrame | os.PathLike):
        return _translated(ids, gene_symbols)
    if not isinstance(gene_symbols, str) or gene_symbols not in var.columns:
        raise ValueError(
            f"gene_symbols names the column {gene_symbols!r}, which adata.var does not have. "
            f"There are: {', '.join(map(repr, var.columns)) or 'none'}."
        )
    column = var[gene_symbols]
    if column.ndim > 1:
        raise ValueError(
            f"gene_symbols names {column.shape[1]} columns of adata.var that are all called "
            f"{gene_symbols!r}; rename all but one."
        )
    symbols = column.astype(str).to_numpy(dtype=object)
    _warn_about_dates(symbols, gene_symbols)
    return np.where(column.isna().to_numpy() | _are_placeholders(symbols), ids, symbols)


def _translated(ids: Names, table: Any) -> Names:
    """Return the symbols of ids by a table; ids that it lacks stay as they are."""
    if isinstance(table, os.PathLike):
        table = read_gene_table(table)
    symbols = translated(ids, table)
    n_found = sum(symbol is not None for symbol in symbols)
    if not n_found and len(ids):
        known = table["old"] if isinstance(table, pd.DataFrame) else table
        raise AdvisedError(
            f"The table of gene names has none of the {len(ids):,} genes of `adata` "
            f"(genes: {examples(ids, 3)}; table: {examples(list(known)[:1000], 3)}).",
            "Pass as `gene_symbols` that of the cells' species, with the kind of ids they have.",
            "Give --gene-names that of the cells' species, with the kind of ids they have.",
        )
    if 2 * n_found < len(ids):
        warn(
            f"The table of gene names has symbols of {n_found:,} of {len(ids):,} genes only; the "
            "others keep their names."
        )
    found = np.array([symbol or "" for symbol in symbols], dtype=object)
    return np.where(_are_placeholders(found), ids, found)


def _warn_about_dates(symbols: Names, column: str) -> None:
    found = {name: date_symbols(name) for name in pd.unique(symbols)}
    dates = {name: text for name, text in found.items() if text is not None}
    if dates:
        warn(
            f"Column {column!r} of adata.var has {len(dates):,} symbols that a spreadsheet made "
            f"dates ({describe_dates(dates)}). They are used as they are; restore the symbols."
        )


def _are_placeholders(symbols: Names) -> NDArray[np.bool_]:
    """Return which texts stand for a missing symbol; a word such as "NA" does if it is shared."""
    texts = pd.Series(symbols).str.strip().str.lower()
    is_shared = texts.duplicated(keep=False).to_numpy()
    codes, uniques = pd.factorize(texts)
    return np.asarray(
        are_missing(uniques, allow_words=True)[codes] | (are_missing(uniques)[codes] & is_shared)
    )


def are_named(names: Names) -> NDArray[np.bool_]:
    """Return whether each gene has a name: spaces are none."""
    return np.array([bool(name.strip()) for name in names], bool)


def shared_names(names: Names) -> NDArray[np.intp]:
    """Return the positions of genes that share their name with another."""
    return np.flatnonzero(pd.Series(names).duplicated(keep=False) & are_named(names))


def keep_one_of_each(
    names: Names, shared: NDArray[np.intp], magnitude: NDArray[np.float64], layer: str
) -> NDArray[np.bool_]:
    """Return the columns to keep so that names are unique: of each name the largest one.

    Columns without a name are not kept: no link could be tested or read back.

    Parameters
    ----------
    names : ndarray of str of shape (n_genes,)
        Names, possibly not unique.
    shared : ndarray of int of shape (n_shared,)
        From `shared_names`.
    magnitude : ndarray of shape (n_shared,)
        Sum of absolute values of these columns. The largest is kept, of equal ones the first; a
        column with NaN is kept only if there is no other.
    layer : str
        Name of the summed layer, for the warning.

    Returns
    -------
    ndarray of bool of shape (n_genes,)
        True for the columns to keep.

    Warns
    -----
    UserWarning
        If columns are dropped, with their number and examples.
    """
    keep = are_named(names)
    if not keep.all():
        warn(
            f"{np.count_nonzero(~keep)} of {names.size} gene columns were dropped because they "
            f"have no name, the first at position {np.argmin(keep)}; name them in adata.var_names."
        )
    if shared.size == 0:
        return keep
    sums = pd.Series(np.where(np.isnan(magnitude), -1.0, magnitude), index=shared)
    dropped = np.setdiff1d(shared, sums.groupby(names[shared], sort=False).idxmax())
    keep[dropped] = False
    warn(
        f"{dropped.size} of {names.size} gene columns were dropped because they share "
        f"their name with another ({examples(pd.unique(names[dropped]))}); of each name the column "
        f"with the largest sum in layer {layer!r} was kept."
    )
    return keep


def match_tfs(tf_names: Iterable[str], names: Names) -> NDArray[np.bool_]:
    """Return which genes are TFs, as `scifate_sklearn.names.match_tfs`, without covariates.

    Errors advise on the arguments of `prepare_anndata`.
    """
    return match_names(tf_names, names, reserved=COVARIATES, hint=_advice)


def _advice(cause: Cause | None) -> str:
    """Return what to change in the call of `prepare_anndata`."""
    if cause == "case":
        return "Use the TF list of the cells' species."
    if cause == "our_ids":
        return "Pass symbols of TFs."
    if cause == "their_ids":
        return (
            "Pass gene_symbols: the column of adata.var that holds symbols, or a table of ids and "
            "symbols (on the command line --gene-names)."
        )
    if cause is None:
        return "gene_symbols may name a column of adata.var with other names."
    return ""
