"""Which TF binds which motif, and how surely: annotations of RcisTarget and cisTarget."""

import os
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...names import as_flags, examples, name_codes
from ..chip._reading import read_table
from ._rankings import MotifRankings

ANNOTATION_COLUMNS = ("motif", "TF", "confidence")
HIGH, LOW = "high", "low"

_RENAMED = {"#motif_id": "motif", "motif_id": "motif", "gene_name": "TF"}
_FLAGS = ("directAnnotation", "inferred_Orthology", "inferred_MotifSimil")
# RcisTarget's column `annotationSource`; what is not here is not annotated at all.
_CONFIDENCE_OF_SOURCE = {
    "directAnnotation": HIGH,
    "inferredBy_Orthology": HIGH,
    "inferredBy_MotifSimilarity": LOW,
    "inferredBy_MotifSimilarity_n_Orthology": LOW,
}
_DIRECT = "gene is directly annotated"


def read_motif_annotations(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read which TFs are annotated to which motifs.

    Parameters
    ----------
    path : path-like
        RcisTarget's table as csv (columns ``motif``, ``TF``, ``directAnnotation``,
        ``inferred_Orthology``, ``inferred_MotifSimil`` or ``annotationSource``), cisTarget's
        ``motifs-*.tbl`` (``#motif_id``, ``gene_name``, ``description``), or any delimited text with
        the columns ``motif``, ``TF`` and maybe ``confidence``; gzip-compressed or not.

    Returns
    -------
    DataFrame
        Columns ``motif``, ``TF`` and ``confidence``: "high" where the TF, or an ortholog of it, is
        annotated to the motif itself, "low" where it is to a similar motif. One row per pair, with
        its highest confidence.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is empty, damaged or binary, or lacks a column.
    """
    table = read_table(path)
    return normalise_annotations(table, source=str(path))


def normalise_annotations(table: pd.DataFrame, source: str = "`annotations`") -> pd.DataFrame:
    """Return any of the tables that `read_motif_annotations` reads as motif, TF and confidence.

    Parameters
    ----------
    table : DataFrame
        RcisTarget's or cisTarget's columns, or ``motif``, ``TF`` and maybe ``confidence`` ("high"
        or "low"; all are high without it).
    source : str, default="`annotations`"
        What the table is, for error messages.

    Returns
    -------
    DataFrame
        As from `read_motif_annotations`.

    Raises
    ------
    TypeError
        If `table` is no DataFrame.
    ValueError
        If a column or a name is missing, or a value is none of those expected.
    """
    if not isinstance(table, pd.DataFrame):
        raise TypeError(
            f"{source} must be a pandas DataFrame or the path of a file, got "
            f"{type(table).__name__}."
        )
    table = table.rename(columns=_RENAMED)
    _check_columns(table, source)
    confidence = _confidence(table, source)
    is_annotated = confidence != ""
    codes = {name: name_codes(table.loc[is_annotated, name]) for name in ("motif", "TF")}
    known = {name: names[rows] for name, (rows, names) in codes.items()}
    pairs = pd.DataFrame({**known, "confidence": confidence[is_annotated]}, dtype=object)
    # "high" sorts before "low", so the first row of a pair is its surest.
    pairs = pairs.sort_values(list(ANNOTATION_COLUMNS), kind="stable")
    return pairs.drop_duplicates(["motif", "TF"]).reset_index(drop=True)


def as_annotations(annotations: pd.DataFrame | str | os.PathLike[str]) -> pd.DataFrame:
    """Return annotations of a table or a path as motif, TF and confidence."""
    if isinstance(annotations, str | os.PathLike):
        return read_motif_annotations(annotations)
    return normalise_annotations(annotations)


def annotations_in(
    annotations: pd.DataFrame, rankings: MotifRankings, confidence: str
) -> pd.DataFrame:
    """Return the annotations of motifs in a ranking database with enough confidence.

    Parameters
    ----------
    annotations : DataFrame
        From `as_annotations`.
    rankings : MotifRankings
    confidence : {"high", "low"}
        The least that is enough.

    Raises
    ------
    ValueError
        If none is left.
    """
    in_database = annotations["motif"].isin(rankings.motifs)
    if not in_database.any():
        raise ValueError(
            "No annotated motif is in the ranking database: `annotations` have "
            f"{examples(set(annotations['motif']))}; `rankings` have "
            f"{examples(rankings.motifs)}. Take both from one motif collection "
            "(such as v9 or v10), and check that `rankings` has one row per motif."
        )
    used = annotations[in_database & (annotations["confidence"].eq(HIGH) | (confidence == LOW))]
    if not len(used):
        raise ValueError(
            "All `annotations` of motifs in the ranking database are of low confidence; "
            'use `confidence="low"` to take them.'
        )
    return used.reset_index(drop=True)


def _check_columns(table: pd.DataFrame, source: str) -> None:
    for name in ("motif", "TF"):
        count = int(np.count_nonzero(table.columns == name))
        if count != 1:
            found = ", ".join(repr(str(column)[:40]) for column in table.columns[:8])
            raise ValueError(
                f"{source} needs one column of each motif (called 'motif' or '#motif_id') and TF "
                f"('TF' or 'gene_name'), but has {count} for {name!r}; found {found}."
            )


def _confidence(table: pd.DataFrame, source: str) -> NDArray[np.object_]:
    """Return "high", "low" or, for what is no annotation, "" per row."""
    if "confidence" in table.columns:
        return _given_confidence(table["confidence"], source)
    if set(_FLAGS) <= set(table.columns):
        return _from_flags(*(as_flags(table[name]) for name in _FLAGS))
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
    # A TF whose ortholog is annotated to a similar motif is as unsure as the similarity.
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
