"""Names of genes and TFs: symbols, duplicates, matching."""

import os
import re
from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._warnings import warn

Names = NDArray[np.object_]

_ENSEMBL = re.compile(r"ENS[A-Z]*G\d{11}(\.\d+)?")
_N_EXAMPLES = 5

# What `prepare_anndata` adds to the TFs.
COVARIATES = ("new_size_factor", "labeling_ratio")


def gene_names(var: pd.DataFrame, gene_symbols: str | None) -> Names:
    """Return the name of each gene.

    Parameters
    ----------
    var : DataFrame of n_genes rows
        ``adata.var``.
    gene_symbols : str or None
        Column with symbols, None for the index. Where a symbol is missing or empty, the index
        stands in.

    Returns
    -------
    ndarray of str of shape (n_genes,)
        Names, maybe not unique.

    Raises
    ------
    ValueError
        If there is no such column.
    """
    ids = var.index.astype(str).to_numpy(dtype=object)
    if gene_symbols is None:
        return ids
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
    missing = column.isna().to_numpy() | (column.astype(str).str.strip() == "").to_numpy()
    return np.where(missing, ids, symbols)


def shared_names(names: Names) -> NDArray[np.intp]:
    """Return the columns whose name another has too."""
    return np.flatnonzero(pd.Series(names).duplicated(keep=False))


def keep_one_of_each(
    names: Names, shared: NDArray[np.intp], magnitude: NDArray[np.float64], layer: str
) -> NDArray[np.bool_]:
    """Return which columns to keep so that names are unique: of each name the largest one.

    Parameters
    ----------
    names : ndarray of str of shape (n_genes,)
        Names, maybe not unique.
    shared : ndarray of int of shape (n_shared,)
        From `shared_names`.
    magnitude : ndarray of shape (n_shared,)
        Sum of absolute values of these columns: the largest is kept, of equals the first, one with
        NaN only if there is no other.
    layer : str
        Name of the layer they are sums of, for the warning.

    Returns
    -------
    ndarray of bool of shape (n_genes,)
        True for the columns to keep.

    Warns
    -----
    UserWarning
        If columns are dropped: how many, and examples.
    """
    keep = np.ones(names.size, dtype=bool)
    if shared.size == 0:
        return keep
    sums = pd.Series(np.where(np.isnan(magnitude), -1.0, magnitude), index=shared)
    keep[shared] = False
    keep[sums.groupby(names[shared], sort=False).idxmax()] = True
    warn(
        f"{np.count_nonzero(~keep)} of {names.size} gene columns were dropped because they share "
        f"their name with another ({_examples(pd.unique(names[~keep]))}); of each name the column "
        f"with the largest sum in layer {layer!r} was kept."
    )
    return keep


def match_tfs(tf_names: Iterable[str], names: Names) -> NDArray[np.bool_]:
    """Return which genes are TFs: those whose name is exactly one of `tf_names`.

    Parameters
    ----------
    tf_names : iterable of str
        Names of TFs; many may be absent from the data.
    names : ndarray of str of shape (n_genes,)
        Names of the genes.

    Returns
    -------
    ndarray of bool of shape (n_genes,)
        True for TFs, at least one.

    Raises
    ------
    TypeError
        If `tf_names` is a string or holds something else than strings.
    ValueError
        If no name matches; the message shows examples of both sides and guesses the cause.
    """
    wanted = _check_tf_names(tf_names)
    is_tf = np.asarray(pd.Index(names).isin(wanted))
    if not is_tf.any():
        raise ValueError(
            f"None of the {len(wanted)} tf_names is among the {names.size} gene names (TFs: "
            f"{_examples(wanted)}; genes: {_examples(names)}). {_guess_mismatch(wanted, names)}"
        )
    taken = sorted(set(names[is_tf]) & set(COVARIATES))
    if taken:
        raise ValueError(
            f"A TF is called {taken[0]!r}, as one of the covariates is; rename that gene."
        )
    return is_tf


def _check_tf_names(tf_names: Iterable[str]) -> list[str]:
    if isinstance(tf_names, str | bytes | os.PathLike):
        raise TypeError(
            f"tf_names must be a collection of names, got the string {str(tf_names)!r}; read a "
            "file with read_tf_names(path)."
        )
    # Of a table, its columns would be the names.
    if not isinstance(tf_names, Iterable) or getattr(tf_names, "ndim", 1) != 1:
        raise TypeError(
            f"tf_names must be a collection of names, got {type(tf_names).__name__}; of a table "
            "pass one column."
        )
    given = list(tf_names)
    strangers = [name for name in given if not isinstance(name, str)]
    if strangers:
        raise TypeError(f"tf_names must be strings, found others ({_examples(strangers)}).")
    wanted = list(dict.fromkeys(given))
    if not wanted:
        raise ValueError("tf_names is empty; pass the names of the possible regulators.")
    return wanted


def _guess_mismatch(wanted: list[str], names: Names) -> str:
    """Say why no TF name may have matched, and what to do."""
    if {name.casefold() for name in wanted} & {name.casefold() for name in names}:
        return (
            "They match when case is ignored: the list seems to be of another species (mouse "
            "'Pax6', human 'PAX6'); use the list of the cells' species."
        )
    if {_unversioned(name) for name in wanted} & {_unversioned(name) for name in names}:
        return "They match without the Ensembl versions ('.3' at the end): strip those first."
    if _are_ensembl(names) and not _are_ensembl(wanted):
        return (
            "The genes are Ensembl ids and the TFs are not: pass gene_symbols, the column of "
            "adata.var that holds symbols."
        )
    if _are_ensembl(wanted) and not _are_ensembl(names):
        return "The TFs are Ensembl ids and the genes are not: pass symbols of TFs."
    return (
        "Check that both use the same kind of names; gene_symbols may name a column of adata.var."
    )


def _unversioned(name: str) -> str:
    return name.split(".")[0] if _ENSEMBL.fullmatch(name) else name


def _are_ensembl(names: Iterable[str]) -> bool:
    """Tell whether most names are Ensembl gene ids."""
    matches = [_ENSEMBL.fullmatch(name) is not None for name in names]
    return sum(matches) > len(matches) / 2


def _examples(names: Iterable[object]) -> str:
    shown = list(names)
    return ", ".join(map(str, shown[:_N_EXAMPLES])) + (", ..." if len(shown) > _N_EXAMPLES else "")
