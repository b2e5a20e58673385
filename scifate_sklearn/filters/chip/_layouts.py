"""Layouts of evidence tables: the columns of known sources that hold TFs and targets.

Two kinds of tables use the column names ``source`` and ``target`` with opposite meanings. Those of
decoupler (DoRothEA, CollecTRI) go from the TF (``source``) to the gene (``target``), those of
Harmonizome from the gene (``source``) to its attribute (``target``), which is the TF. They are
distinguished by their other columns; if that is not possible, an error is raised.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...files import AdvisedError
from ...names import (
    RowUse,
    as_flags,
    check_unique,
    column_key,
    examples,
    known_columns,
    rename_columns,
)
from .._tables import NamedRows
from ._signs import Direction, select_direction
from ._sources import SOURCE_NAMES, SourceTable

TF_COLUMNS = ("TF", "tf", "id")
TARGET_COLUMNS = ("target", "linked_gene_name", "gene_symbol", "gene")
PEAK_COLUMN = "peak"
CONFIDENCE_COLUMN = "confidence"
SOURCE_COLUMN = "source"

# In a table with `source` and `target`, any of the first identifies decoupler, all of the second
# Harmonizome.
_DECOUPLER_MARKS = frozenset(
    ("weight", "mor", "likelihood", "confidence", "sign_decision", "sign.decision", "resources")
)
_HARMONIZOME_MARKS = frozenset(("source_desc", "target_desc"))
_HARMONIZOME_COLUMNS = _HARMONIZOME_MARKS | {"source_id", "target_id"}
# Known however they are written, except `id`, which is dynamo's in lower case only.
KNOWN_COLUMNS = (
    "TF",
    "tf",
    *TARGET_COLUMNS,
    PEAK_COLUMN,
    CONFIDENCE_COLUMN,
    SOURCE_COLUMN,
    *sorted(_DECOUPLER_MARKS | _HARMONIZOME_COLUMNS),
    *SOURCE_NAMES,
)
# Keys of columns that may be meant as `peak`: flags, or numbers of peaks.
_LIKE_PEAK = re.compile(
    r"(has|is|n|num|number|numberof|nof|chip|chipseq|encode)?"
    r"(peaks?|bound|binding|binds)(counts?|numbers?|flag)?"
)
# With it, a table of TFs and targets is one of links, whose names are those of the cells.
_LINKS_COLUMN = "coef"
# First field of Harmonizome's second header.
_SECOND_HEADER = "GeneSym"
# Networks have several times more genes than TFs; otherwise the columns are swapped.
_MOST_TFS_PER_GENE = 5


@dataclass(frozen=True)
class EvidenceTable:
    """Evidence in a table of any known source, one row per pair.

    Attributes
    ----------
    tf, target : Series of shape (n_rows,)
        Names, without additions such as ``(human)``.
    peak : Series of shape (n_rows,) or None
        Whether the pair is bound; None if the table lists bound pairs only.
    rows : RowUse
        Number of rows that are used, and reasons why others are not.
    """

    tf: "pd.Series[Any]"
    target: "pd.Series[Any]"
    peak: "pd.Series[Any] | None"
    rows: RowUse

    @classmethod
    def from_table(
        cls,
        table: pd.DataFrame,
        source: str,
        confidence: Collection[str] | None = None,
        own: Collection[str] = (),
        direction: Direction = "both",
    ) -> Self:
        """Find the columns of a table, and drop rows without evidence or without names.

        Parameters
        ----------
        table : DataFrame
            The table as read or given.
        source : str
            Name of the argument or file, for messages.
        confidence : collection of str, optional
            Keep rows with these values of the column ``confidence`` only.
        own : collection of str, default=()
            Names of genes in the data, which are names whatever they look like.
        direction : {"both", "up", "down"}, default="both"
            Keep rows of activation ("up") or repression ("down") only.

        Returns
        -------
        EvidenceTable
            Without Harmonizome's second header, rows of other confidence or direction, and rows
            without usable names.

        Raises
        ------
        TypeError, ValueError
            As `evidence_columns` and `select_direction`; or if `confidence` is not a collection of
            values that occur.

        Warns
        -----
        UserWarning
            As `NamedRows.from_table`.
        """
        check_table(table, source)
        given = SourceTable.from_table(table)
        columns = evidence_columns(given.table, source)
        table = rename_columns(given.table, KNOWN_COLUMNS)
        table = table.iloc[1:] if _has_second_header(table) else table
        rows = table if confidence is None else _select_confidence(table, source, confidence)
        directed = rows[select_direction(rows, columns["TF"], direction, source)]
        named = NamedRows.from_table(
            directed,
            columns,
            source,
            allow_any=_LINKS_COLUMN in table.columns,
            own=own,
            unites_signs=direction == "both",
        )
        use = replace(named.rows, n_rows=len(table))
        use = use.without("other confidence", len(table) - len(rows))
        use = use.without("other direction", len(rows) - len(directed))
        use = given.counted(use)
        kept = named.table
        peak = kept[PEAK_COLUMN] if PEAK_COLUMN in kept.columns else None
        return cls(kept[columns["TF"]], kept[columns["target"]], peak, use)

    def without(self, reason: str, is_kept: NDArray[np.bool_]) -> Self:
        """Return the rows to keep; the others are counted under a reason."""
        return replace(
            self,
            tf=self.tf[is_kept],
            target=self.target[is_kept],
            peak=None if self.peak is None else self.peak[is_kept],
            rows=self.rows.without(reason, int(np.count_nonzero(~is_kept))),
        )

    def flags(self) -> NDArray[np.bool_]:
        """Return whether each pair is bound."""
        return np.ones(len(self.tf), np.bool_) if self.peak is None else as_flags(self.peak)


def evidence_columns(table: pd.DataFrame, source: str) -> dict[str, str]:
    """Return the columns of `table` that hold ``TF`` and ``target``.

    Raises
    ------
    ValueError
        If the TF or the target column is missing or occurs more than once, or ``source`` and
        ``target`` are ambiguous.
    """
    check_once(table.columns, source)
    table = rename_columns(table, KNOWN_COLUMNS)
    found = {
        "TF": _first_of(TF_COLUMNS, table.columns),
        "target": _first_of(TARGET_COLUMNS, table.columns),
    }
    if {SOURCE_COLUMN, "target"} <= set(table.columns) and found["TF"] in (None, "id"):
        if found["TF"]:
            _refuse_ambiguous(source)
        found = _by_source(table, source)
    _check_found(found, table, source)
    like_peak = [name for name in table.columns if _LIKE_PEAK.fullmatch(column_key(name))]
    if like_peak and PEAK_COLUMN not in table.columns:
        raise ValueError(
            f"{source} has the column {like_peak[0]!r}. If it tells which pairs have a peak, call "
            "it 'peak'; if all pairs are bound, remove it."
        )
    return {role: name for role, name in found.items() if name is not None}


def check_table(table: object, source: str) -> None:
    """Raise TypeError if evidence is not a DataFrame."""
    if not isinstance(table, pd.DataFrame):
        raise TypeError(
            f"{source} must be a pandas DataFrame with the columns TF, target and optionally "
            f"peak, got {type(table).__name__}. Files are for `BindingReference.read`."
        )


def check_once(columns: Iterable[Any], source: str) -> None:
    """Raise ValueError if a column of evidence occurs more than once."""
    columns = list(columns)
    names = ["TF", "id", *TARGET_COLUMNS, PEAK_COLUMN, CONFIDENCE_COLUMN]
    # In a table with a column of TFs, `source` has no meaning.
    has_tfs = not set(TF_COLUMNS).isdisjoint(known_columns(columns, KNOWN_COLUMNS).values())
    check_unique(columns, names if has_tfs else [*names, SOURCE_COLUMN], source)


def _first_of(accepted: tuple[str, ...], columns: "pd.Index[Any]") -> str | None:
    return next((name for name in accepted if name in columns), None)


def _check_found(found: dict[str, str | None], table: pd.DataFrame, source: str) -> None:
    missing = [role for role, name in found.items() if name is None]
    if missing:
        problem = (
            f"{source} has no column for {' and '.join(missing)}; found "
            f"{examples([str(name) for name in table.columns], 8)}. The first line must have the "
            f"names of the columns: one of {TF_COLUMNS} for TFs, one of {TARGET_COLUMNS} for "
            "targets, and optionally 'peak' (0/1)."
        )
        raise AdvisedError(
            problem,
            "Gene sets are for `BindingReference.from_gmt`.",
            "Files of gene sets must be called *.gmt.",
        )


def _has_second_header(table: pd.DataFrame) -> bool:
    is_named_twice = SOURCE_COLUMN in table.columns and table.columns.is_unique and len(table)
    return bool(is_named_twice) and str(table[SOURCE_COLUMN].iloc[0]).strip() == _SECOND_HEADER


def _by_source(table: pd.DataFrame, source: str) -> dict[str, str | None]:
    """Return the roles of ``source`` and ``target``, given the other columns."""
    names = set(table.columns)
    if names >= _HARMONIZOME_MARKS or _has_second_header(table):
        return {"TF": "target", "target": SOURCE_COLUMN}
    marks = names & _DECOUPLER_MARKS
    if not marks or names & _HARMONIZOME_COLUMNS:
        _refuse_ambiguous(source)
    if marks == {"weight"}:
        # Harmonizome's tables have weights too, and may have lost their other columns.
        _check_direction(table, source)
    return {"TF": SOURCE_COLUMN, "target": "target"}


def _check_direction(table: pd.DataFrame, source: str) -> None:
    n_sources, n_targets = table[SOURCE_COLUMN].nunique(), table["target"].nunique()
    if n_sources > _MOST_TFS_PER_GENE * n_targets:
        raise ValueError(
            f"{source} has {n_sources:,} names in 'source', where decoupler's tables have the TFs, "
            f"but only {n_targets:,} in 'target'. It seems to be Harmonizome's, whose 'target' is "
            "the TF. Rename the column of TFs to 'TF' and that of genes to 'target'."
        )


def _refuse_ambiguous(source: str) -> None:
    raise ValueError(
        f"{source} has the columns 'source' and 'target', either of which may be the TF: 'source' "
        "in decoupler's tables (with weight, mor, confidence or sign_decision), 'target' in "
        "Harmonizome's (with source_desc and target_desc). Rename the column of TFs to 'TF' and "
        "that of genes to 'target'."
    )


def _select_confidence(
    rows: pd.DataFrame, source: str, confidence: Collection[str]
) -> pd.DataFrame:
    if isinstance(confidence, str | bytes) or not isinstance(confidence, Collection):
        raise TypeError(
            f"`confidence` must be a collection of levels such as ('A', 'B'), got {confidence!r}."
        )
    if CONFIDENCE_COLUMN not in rows.columns:
        raise ValueError(
            f"{source} has no column {CONFIDENCE_COLUMN!r} to select {list(confidence)} from; "
            "leave `confidence` out."
        )
    levels = rows[CONFIDENCE_COLUMN].astype(str).str.strip()
    unknown = [level for level in confidence if level not in set(levels)]
    if unknown or not confidence:
        raise ValueError(
            f"`confidence` must hold values of the column in {source}, got {list(confidence)}; "
            f"found {examples(set(levels), 8)}."
        )
    return rows[levels.isin(list(confidence))]
