"""Annotations of TFs to motifs, with their confidence, from RcisTarget and cisTarget."""

import os
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...files import AdvisedError, prefix_errors
from ...names import (
    are_missing,
    as_flags,
    check_unique,
    examples,
    known_columns,
    places,
)
from .._tables import NamedRows, read_table
from ._rankings import MotifRankings

ANNOTATION_COLUMNS = ("motif", "TF", "confidence")
HIGH, LOW = "high", "low"

_RENAMED = {"#motif_id": "motif", "motif_id": "motif", "gene_name": "TF"}
_FLAG_COLUMNS = ("directAnnotation", "inferred_Orthology", "inferred_MotifSimil")
_SOURCE_COLUMN = "annotationSource"
_KNOWN_COLUMNS = (
    *ANNOTATION_COLUMNS,
    *_RENAMED,
    *_FLAG_COLUMNS,
    _SOURCE_COLUMN,
    "description",
    "similar_motif_id",
)
# Values of RcisTarget's column `annotationSource`.
_CONFIDENCE_OF_SOURCE = {
    "directannotation": HIGH,
    "inferredby_orthology": HIGH,
    "inferredby_motifsimilarity": LOW,
    "inferredby_motifsimilarity_n_orthology": LOW,
}


def read_motif_annotations(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read the annotations of TFs to motifs.

    Parameters
    ----------
    path : path-like
        RcisTarget's table as csv (columns ``motif``, ``TF``, ``directAnnotation``,
        ``inferred_Orthology``, ``inferred_MotifSimil`` or ``annotationSource``), cisTarget's
        ``motifs-*.tbl`` (``#motif_id``, ``gene_name``, ``description``), or any delimited text with
        the columns ``motif``, ``TF`` and optionally ``confidence``; gzip-compressed or not.

    Returns
    -------
    DataFrame
        Columns ``motif``, ``TF`` and ``confidence``: "high" if the TF, or an ortholog of it, is
        annotated to the motif itself, "low" if it is annotated to a similar motif. One row per
        pair, with its highest confidence. ``attrs["rows"]`` tells how many rows of the file are
        used: ``n_rows``, ``n_used``, and ``unused``, their number by reason.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is empty, damaged or binary, lacks a column, or holds another value where a
        code is expected.

    Warns
    -----
    UserWarning
        If rows are not used because a name is missing or is a date.

    Notes
    -----
    In a ``.tbl`` an annotation has low confidence if it has a similar motif (column
    ``similar_motif_id``, or else the word "similar" in ``description``), and high confidence
    otherwise. The text of ``description`` may be free.
    """
    table = read_table(path, known=_KNOWN_COLUMNS, check_header=_check_header)
    if not len(table):
        raise ValueError(f"{path} has a header, but no rows.")
    return normalize_annotations(table, source=str(path))


def normalize_annotations(table: pd.DataFrame, source: str = "`annotations`") -> pd.DataFrame:
    """Return a table of any known source as motif, TF and confidence.

    Parameters
    ----------
    table : DataFrame
        RcisTarget's or cisTarget's columns, or ``motif``, ``TF`` and optionally
        ``confidence`` ("high" or "low"; all are high without it).
    source : str, default="`annotations`"
        Name of the argument or file, for error messages.

    Returns
    -------
    DataFrame
        As from `read_motif_annotations`.

    Raises
    ------
    TypeError
        If `table` is not a DataFrame.
    ValueError
        If a column is missing, no row has usable names, or a column has unexpected values.
    """
    if not isinstance(table, pd.DataFrame):
        raise TypeError(
            f"{source} must be a pandas DataFrame or the path of a file, got "
            f"{type(table).__name__}."
        )
    _check_header(table.columns, source)
    names = known_columns(table.columns, _KNOWN_COLUMNS)
    table = table.rename(columns={old: _RENAMED.get(new, new) for old, new in names.items()})
    named = NamedRows.from_table(table, {"motif": "motif", "TF": "TF"}, source)
    table = named.table
    confidence = _confidence(table, source)
    is_annotated = confidence != ""
    rows = named.rows.without("no annotation", int(np.count_nonzero(~is_annotated)))
    pairs = table.loc[is_annotated, ["motif", "TF"]].assign(confidence=confidence[is_annotated])
    # "high" sorts before "low", so the first row of a pair has its highest confidence.
    pairs = pairs.astype(object).sort_values(list(ANNOTATION_COLUMNS), kind="stable")
    distinct = pairs.drop_duplicates(["motif", "TF"]).reset_index(drop=True)
    rows = rows.without("repeated pair", len(pairs) - len(distinct))
    # Plain values, which every format of tables can store.
    use = {"n_rows": rows.n_rows, "n_used": rows.n_used, "unused": dict(rows.unused)}
    # Annotations that were normalised before keep the numbers of their file.
    before = table.attrs.get("rows", use)
    distinct.attrs["rows"] = before if before["n_used"] == len(distinct) else use
    return distinct


def as_annotations(annotations: pd.DataFrame | str | os.PathLike[str]) -> pd.DataFrame:
    """Return annotations from a table or a path as motif, TF and confidence."""
    if isinstance(annotations, str | os.PathLike):
        return read_motif_annotations(annotations)
    return normalize_annotations(annotations)


def annotations_in(
    annotations: pd.DataFrame, rankings: MotifRankings, confidence: str
) -> pd.DataFrame:
    """Return the annotations of motifs in a ranking database with sufficient confidence.

    Parameters
    ----------
    annotations : DataFrame
        From `as_annotations`.
    rankings : MotifRankings
    confidence : {"high", "low"}
        Lowest confidence to return.

    Raises
    ------
    ValueError
        If no annotation is left.
    """
    in_database = annotations["motif"].isin(rankings.motifs)
    if not in_database.any():
        advice = "Use the same motif collection (such as v9 or v10) for both"
        raise AdvisedError(
            "No annotated motif is in the ranking database (annotations: "
            f"{examples(set(annotations['motif']))}; rankings: {examples(set(rankings.motifs))}).",
            f"{advice}, and check that `rankings` has one row per motif.",
            f"{advice}.",
        )
    used = annotations[in_database & (annotations["confidence"].eq(HIGH) | (confidence == LOW))]
    if not len(used):
        raise AdvisedError(
            "All annotations of motifs in the ranking database are of low confidence.",
            'Use `confidence="low"` to include them.',
            "Add annotations of TFs to the motifs themselves, not to similar ones.",
        )
    return used.reset_index(drop=True)


def _check_header(columns: Iterable[Any], source: str) -> None:
    """Raise ValueError for missing or repeated columns of motifs, TFs and confidence."""
    found = [str(column) for column in columns]
    known = [name for column in found for name in known_columns([column], _KNOWN_COLUMNS).values()]
    renamed = [_RENAMED.get(name, name) for name in known]
    for name in ("motif", "TF"):
        if renamed.count(name) != 1:
            raise ValueError(
                f"{source} requires one column of motifs (called 'motif' or '#motif_id') and one "
                f"of TFs ('TF' or 'gene_name'), but has {renamed.count(name)} for {name!r}; found "
                f"{examples(found, 8)}."
            )
    others = [name for name in _KNOWN_COLUMNS if _RENAMED.get(name, name) not in ("motif", "TF")]
    check_unique(found, others, source)


def _confidence(table: pd.DataFrame, source: str) -> NDArray[np.object_]:
    """Return "high", "low" or, for rows without annotation, "" per row."""
    if "confidence" in table.columns:
        levels = {HIGH: HIGH, LOW: LOW}
        return _from_codes(table["confidence"], levels, "'high' and 'low'", source)
    if set(_FLAG_COLUMNS) <= set(table.columns):
        with prefix_errors(source):
            return _from_flags(*(as_flags(table[name]) for name in _FLAG_COLUMNS))
    some = [name for name in _FLAG_COLUMNS if name in table.columns]
    if some and _SOURCE_COLUMN not in table.columns:
        raise ValueError(
            f"{source} has {examples(some)}, but not all of {examples(_FLAG_COLUMNS)}; add the "
            "others, or a column 'confidence' with 'high' and 'low'."
        )
    if _SOURCE_COLUMN in table.columns:
        codes = "RcisTarget's codes, such as 'directAnnotation', or nothing"
        column = table[_SOURCE_COLUMN]
        return _from_codes(column, _CONFIDENCE_OF_SOURCE, codes, source, allow_missing=True)
    if "similar_motif_id" in table.columns:
        is_similar = ~are_missing(table["similar_motif_id"])
    elif "description" in table.columns:
        text = table["description"].astype(str)
        is_similar = text.str.contains("similar", case=False).to_numpy(np.bool_)
    else:
        is_similar = np.zeros(len(table), np.bool_)
    return np.where(is_similar, LOW, HIGH).astype(object)


def _from_codes(
    column: "pd.Series[Any]",
    codes: Mapping[str, str],
    expected: str,
    source: str,
    *,
    allow_missing: bool = False,
) -> NDArray[np.object_]:
    """Return the confidence that each code stands for; raise an error for other text."""
    found = column.astype(str).str.strip().str.lower().map(codes)
    is_wrong = found.isna().to_numpy(np.bool_)
    if allow_missing:
        is_wrong = is_wrong & ~are_missing(column)
    if is_wrong.any():
        raise ValueError(
            f"{source}: column {column.name!r} must hold {expected}, found "
            f"{column[is_wrong].tolist()[0]!r} ({places(column.index, is_wrong)})."
        )
    return found.fillna("").to_numpy(object)


def _from_flags(
    direct: NDArray[np.bool_], orthology: NDArray[np.bool_], similarity: NDArray[np.bool_]
) -> NDArray[np.object_]:
    # A TF whose ortholog is annotated to a similar motif has the confidence of the similarity.
    is_high = direct | (orthology & ~similarity)
    return np.select([is_high, similarity], [HIGH, LOW], "").astype(object)
