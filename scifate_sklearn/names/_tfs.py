"""TF names: validation, and matching with gene names."""

import os
from collections.abc import Collection, Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._warnings import warn
from ._covariates import are_covariates
from ._examples import examples
from ._matching import Hint, explain_mismatch
from ._tf_lists import TFNames


def match_tfs(
    tf_names: Iterable[str],
    gene_names: NDArray[np.object_],
    *,
    reserved: Collection[str] = (),
    hint: Hint | None = None,
) -> NDArray[np.bool_]:
    """Return which genes are TFs: those whose name is exactly one of `tf_names`.

    Parameters
    ----------
    tf_names : iterable of str
        Names of TFs; many may be absent from the data. Of `TFNames`, ``originals`` are TFs too
        if a gene has exactly this name.
    gene_names : ndarray of str of shape (n_genes,)
        Names of the genes.
    reserved : collection of str, default=()
        Names of covariates, which a TF must not share; nor may it begin with `OBS_PREFIX`.
    hint : callable, optional
        Returns the caller's advice for a cause from `find_cause`, for the end of the message.

    Returns
    -------
    ndarray of bool of shape (n_genes,)
        True for TFs, at least one.

    Raises
    ------
    TypeError
        If `tf_names` is a string or holds anything but strings.
    ValueError
        If `tf_names` is empty, a TF has a reserved name, or no name matches; the message then shows
        examples of both sides and the likely cause.
    """
    wanted = check_tf_names(tf_names)
    wanted += _originals_in(tf_names, gene_names)
    is_tf = np.asarray(pd.Index(gene_names).isin(wanted))
    if not is_tf.any():
        cause = explain_mismatch(wanted, gene_names, "tf_names", "the gene names", hint)
        raise ValueError(
            f"None of the {len(wanted):,} names in `tf_names` is among the {len(gene_names):,} "
            f"gene names (TFs: {examples(wanted)}; genes: {examples(gene_names)}). {cause}"
        )
    taken = gene_names[is_tf][are_covariates(gene_names[is_tf], reserved)]
    if taken.size:
        raise ValueError(f"The TF {min(taken)!r} has the name of a covariate; rename that gene.")
    return is_tf


def _originals_in(tf_names: Iterable[str], gene_names: NDArray[np.object_]) -> list[str]:
    """Return the texts of a file of TFs that are names of genes as they are."""
    if not isinstance(tf_names, TFNames) or not tf_names.originals:
        return []
    known = set(gene_names)
    found = [name for name in tf_names.originals if name in known]
    if found:
        warn(
            f"The list of TFs has {examples(found)}, usually no name as it is. Genes of the cells "
            "have exactly this name, so it is taken as a TF."
        )
    return found


def check_tf_names(tf_names: Iterable[str]) -> list[str]:
    """Return the names of TFs, each once, in their order.

    Raises
    ------
    TypeError
        If `tf_names` is not a collection of strings.
    ValueError
        If `tf_names` is empty.
    """
    if isinstance(tf_names, str | bytes | os.PathLike):
        raise TypeError(
            f"tf_names must be a collection of names, got the string {str(tf_names)!r}; read a "
            "file with read_tf_names(path)."
        )
    # Iterating over a table would yield the names of its columns.
    if not isinstance(tf_names, Iterable) or getattr(tf_names, "ndim", 1) != 1:
        raise TypeError(
            f"tf_names must be a collection of names, got {type(tf_names).__name__}; of a table "
            "pass one column."
        )
    # The items of a pyarrow array are no strings.
    given = tf_names.to_pylist() if hasattr(tf_names, "to_pylist") else list(tf_names)
    others = [name for name in given if not isinstance(name, str)]
    if others:
        raise TypeError(f"tf_names must be strings, found others ({examples(others)}).")
    if not given:
        raise ValueError("tf_names is empty; pass the names of the possible regulators.")
    return list(dict.fromkeys(given))
