"""TF names: lists and tables of their sources, validation, and matching with gene names."""

import os
from collections.abc import Collection, Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..files import find_delimiter, read_text, split_fields, unescape_formula
from ._examples import examples
from ._matching import Hint, explain_mismatch

# The columns that identify a source, and the one with the symbols of its TFs.
_LAYOUTS = (
    (("TF",), "TF"),  # RcisTarget's motif annotation
    (("#motif_id", "gene_name"), "gene_name"),  # cisTarget's motif annotation (.tbl)
    (("Species", "Symbol", "Ensembl", "Family"), "Symbol"),  # AnimalTFDB
    (("HGNC symbol", "Is TF?"), "HGNC symbol"),  # Lambert et al. 2018
)
# Lambert's table holds all genes that were examined.
_VERDICT_COLUMN = "Is TF?"
_IS_TF = "Yes"
_QUOTES = "\"'"


def read_tf_names(path: str | os.PathLike[str], *, column: str | None = None) -> list[str]:
    """Read the names of TFs from a file.

    Parameters
    ----------
    path : path-like
        A plain list, one name a line, or a table with a header (delimited by tabs, commas or
        semicolons, whatever its extension): with a column ``TF`` (RcisTarget's motif annotation),
        cisTarget's ``.tbl`` (column ``gene_name``), AnimalTFDB's (column ``Symbol``) or that of
        Lambert et al. 2018 (column ``HGNC symbol``, rows whose ``Is TF?`` is Yes). It may be
        gzip-compressed.
    column : str, optional
        Column with the names, for other tables or other names, such as AnimalTFDB's ``Ensembl`` or
        Lambert's ``Ensembl ID``.

    Returns
    -------
    list of str
        Each name once, in the order of the file; rows without a name are left out.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is not UTF-8 text or holds no name; or if it is a table of several columns, none
        of them known, or without `column`, or with two such columns.

    References
    ----------
    Lambert, S. A. et al. (2018). The Human Transcription Factors. Cell 172, 650–665.
    """
    lines = [line for line in read_text(path).split("\n") if line.strip()]
    rows = split_fields(lines, find_delimiter(lines[0] if lines else ""), path)
    rows = [[_unquoted(field) for field in row] for row in rows]
    header = rows[0] if rows else []
    column = column if column is not None else _known_column(header)
    if column is not None:
        lines = _column_of(rows, column, path)
    elif sum(map(bool, header)) > 1:
        raise ValueError(
            f"{path} has no column 'TF' (found {examples(header)}). Pass the name of the column "
            "with the TFs as `column`."
        )
    names = [name for name in dict.fromkeys(map(_unquoted, lines)) if name]
    if not names:
        raise ValueError(f"{path} holds no TF name.")
    return names


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
        Names of TFs; many may be absent from the data.
    gene_names : ndarray of str of shape (n_genes,)
        Names of the genes.
    reserved : collection of str, default=()
        Names of covariates, which a TF must not share.
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
    is_tf = np.asarray(pd.Index(gene_names).isin(wanted))
    if not is_tf.any():
        cause = explain_mismatch(wanted, gene_names, "tf_names", "the gene names", hint)
        raise ValueError(
            f"None of the {len(wanted):,} tf_names is among the {len(gene_names):,} gene names "
            f"(TFs: {examples(wanted)}; genes: {examples(gene_names)}). {cause}"
        )
    taken = sorted(set(gene_names[is_tf]) & set(reserved))
    if taken:
        raise ValueError(f"The TF {taken[0]!r} has the name of a covariate; rename that gene.")
    return is_tf


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
    given = list(tf_names)
    others = [name for name in given if not isinstance(name, str)]
    if others:
        raise TypeError(f"tf_names must be strings, found others ({examples(others)}).")
    if not given:
        raise ValueError("tf_names is empty; pass the names of the possible regulators.")
    return list(dict.fromkeys(given))


def _known_column(header: list[str]) -> str | None:
    return next((name for marks, name in _LAYOUTS if set(marks) <= set(header)), None)


def _column_of(rows: list[list[str]], column: str, path: str | os.PathLike[str]) -> list[str]:
    """Return the fields of a column; in Lambert's table, only those of TFs."""
    header = rows[0] if rows else []
    if column not in header:
        raise ValueError(f"{path} has no column {column!r} (found {examples(header)}).")
    if header.count(column) > 1:
        raise ValueError(
            f"{path} has {header.count(column)} columns called {column!r}; rename all but one."
        )
    index = header.index(column)
    verdict = header.index(_VERDICT_COLUMN) if _VERDICT_COLUMN in header else None
    return [
        row[index]
        for row in rows[1:]
        if len(row) > index and (verdict is None or row[verdict : verdict + 1] == [_IS_TF])
    ]


def _unquoted(text: str) -> str:
    return unescape_formula(text.strip()).strip(_QUOTES)
