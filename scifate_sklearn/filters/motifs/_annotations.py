"""Annotations of TFs to motifs, with their confidence, from RcisTarget and cisTarget."""

import os
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...names import examples, name_codes
from .._tables import as_flags, read_table
from ._rankings import MotifRankings

ANNOTATION_COLUMNS = ("motif", "TF", "confidence")
HIGH, LOW = "high", "low"

_RENAMED = {"#motif_id": "motif", "motif_id": "motif", "gene_name": "TF"}
_FLAG_COLUMNS = ("directAnnotation", "inferred_Orthology", "inferred_MotifSimil")
# Values of RcisTarget's column `annotationSource`; rows with other values are not annotations.
_CONFIDENCE_OF_SOURCE = {
    "directAnnotation": HIGH,
    "inferredBy_Orthology": HIGH,
    "inferredBy_MotifSimilarity": LOW,
    "inferredBy_MotifSimilarity_n_Orthology": LOW,
}
_DIRECT = "gene is directly annotated"


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
        pair, with its highest confidence.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is empty, damaged or binary, or lacks a column.
    """
    return normalize_annotations(read_table(path, check_header=_check_header), source=str(path))


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
        If a column or a name is missing, or a column has unexpected values.
    """
    if not isinstance(table, pd.DataFrame):
        raise TypeError(
            f"{source} must be a pandas DataFrame or the path of a file, got "
            f"{type(table).__name__}."
        )
    _check_header(table.columns, source)
    table = table.rename(columns=_RENAMED)
    confidence = _confidence(table, source)
    is_annotated = confidence != ""
    codes = {name: name_codes(table.loc[is_annotated, name]) for name in ("motif", "TF")}
    known = {name: names[rows] for name, (rows, names) in codes.items()}
    pairs = pd.DataFrame({**known, "confidence": confidence[is_annotated]}, dtype=object)
    # "high" sorts before "low", so the first row of a pair has its highest confidence.
    pairs = pairs.sort_values(list(ANNOTATION_COLUMNS), kind="stable")
    return pairs.drop_duplicates(["motif", "TF"]).reset_index(drop=True)


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
        raise ValueError(
            "No annotated motif is in the ranking database (`annotations`: "
            f"{examples(set(annotations['motif']))}; `rankings`: "
            f"{examples(set(rankings.motifs))}). Use the same motif collection (such as v9 or v10) "
            "for both, and check that `rankings` has one row per motif."
        )
    used = annotations[in_database & (annotations["confidence"].eq(HIGH) | (confidence == LOW))]
    if not len(used):
        raise ValueError(
            "All `annotations` of motifs in the ranking database are of low confidence; "
            'use `confidence="low"` to include them.'
        )
    return used.reset_index(drop=True)


def _check_header(columns: Iterable[Any], source: str) -> None:
    """Raise ValueError for missing or repeated columns of motifs, TFs and confidence."""
    found = [str(column) for column in columns]
    renamed = [_RENAMED.get(column, column) for column in found]
    for name in ("motif", "TF"):
        if renamed.count(name) != 1:
            raise ValueError(
                f"{source} requires one column of motifs (called 'motif' or '#motif_id') and one "
                f"of TFs ('TF' or 'gene_name'), but has {renamed.count(name)} for {name!r}; found "
                f"{examples(found, 8)}."
            )
    if renamed.count("confidence") > 1:
        raise ValueError(
            f"{source} has {renamed.count('confidence')} columns called 'confidence'; rename all "
            "but one."
        )


def _confidence(table: pd.DataFrame, source: str) -> NDArray[np.object_]:
    """Return "high", "low" or, for rows without annotation, "" per row."""
    if "confidence" in table.columns:
        return _given_confidence(table["confidence"], source)
    if set(_FLAG_COLUMNS) <= set(table.columns):
        return _from_flags(*(as_flags(table[name]) for name in _FLAG_COLUMNS))
    if "annotationSource" in table.columns:
        found = table["annotationSource"].astype(str)
        return found.map(_CONFIDENCE_OF_SOURCE).fillna("").to_numpy(object)
    if "description" in table.columns:
        return _from_description(table)
    return np.full(len(table), HIGH, dtype=object)


def _given_confidence(column: "pd.Series[Any]", source: str) -> NDArray[np.object_]:
    wrong = ~column.isin([HIGH, LOW])
    if wrong.any():
        raise ValueError(
            f"{source}: column 'confidence' must hold 'high' and 'low', found "
            f"{column[wrong].tolist()[0]!r}."
        )
    return column.to_numpy(object)


def _from_flags(
    direct: NDArray[np.bool_], orthology: NDArray[np.bool_], similarity: NDArray[np.bool_]
) -> NDArray[np.object_]:
    # A TF whose ortholog is annotated to a similar motif has the confidence of the similarity.
    is_high = direct | (orthology & ~similarity)
    return np.select([is_high, similarity], [HIGH, LOW], "").astype(object)


def _from_description(table: pd.DataFrame) -> NDArray[np.object_]:
    text = table["description"].astype(str)
    flags = [text.str.strip() == _DIRECT]
    for column, word in (("orthologous_gene_name", "ortholog"), ("similar_motif_id", "similar")):
        if column in table.columns:  # pandas reads "None" as missing
            flags.append(table[column].notna() & (table[column] != "None"))
        else:
            flags.append(text.str.contains(word))
    return _from_flags(*(flag.to_numpy(bool) for flag in flags))
