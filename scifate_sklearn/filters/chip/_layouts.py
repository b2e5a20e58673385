"""Which column of an evidence table names the TF, and which its target: layouts of known sources.

Two kinds of tables call their columns ``source`` and ``target`` and mean opposite things: those of
decoupler (DoRothEA, CollecTRI) go from the TF (``source``) to the gene (``target``), those of
Harmonizome from the gene (``source``) to its attribute (``target``), which is the TF. Only their
other columns tell them apart, and where these do not, nothing is guessed.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Any

import pandas as pd

TF_COLUMNS = ("TF", "tf", "id")
TARGET_COLUMNS = ("target", "linked_gene_name", "gene_symbol")
PEAK_COLUMN = "peak"
CONFIDENCE_COLUMN = "confidence"
SOURCE_COLUMN = "source"

# Beside `source` and `target`, one of the first means decoupler, all of the second Harmonizome.
_DECOUPLER_MARKS = frozenset(
    ("weight", "mor", "likelihood", "confidence", "sign_decision", "sign.decision", "resources")
)
_HARMONIZOME_MARKS = frozenset(("source_desc", "target_desc"))
_HARMONIZOME_COLUMNS = _HARMONIZOME_MARKS | {"source_id", "target_id"}
# Harmonizome repeats its header in other words; this is their first.
_SECOND_HEADER = "GeneSym"
# Networks have several times more genes than TFs; one that has not has been turned round.
_MOST_TFS_PER_GENE = 5


def evidence_rows(
    table: pd.DataFrame, source: str, confidence: Collection[str] | None = None
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return the rows of evidence in a table, and which of its columns say what.

    Parameters
    ----------
    table : DataFrame
        The table as read or given.
    source : str
        What to call it in errors.
    confidence : collection of str, optional
        Keep rows with these values of the column ``confidence`` only.

    Returns
    -------
    rows : DataFrame
        `table` without Harmonizome's second header and rows of other confidence.
    columns : dict of str
        Names of the columns that are ``TF``, ``target`` and, if there, ``peak``.

    Raises
    ------
    TypeError, ValueError
        As `evidence_columns`; or if `confidence` is no collection of levels that occur.
    """
    columns = evidence_columns(table, source)
    rows = table.iloc[1:] if _has_second_header(table) else table
    return (rows if confidence is None else _confident(rows, source, confidence)), columns


def evidence_columns(table: pd.DataFrame, source: str) -> dict[str, str]:
    """Return which columns of `table` are ``TF``, ``target`` and, if there, ``peak``.

    Raises
    ------
    TypeError
        If `table` is no DataFrame.
    ValueError
        If the TF or the target column is missing, there is more than one, or ``source`` and
        ``target`` may mean either.
    """
    if not isinstance(table, pd.DataFrame):
        raise TypeError(
            f"{source} must be a pandas DataFrame with the columns TF, target and maybe peak, got "
            f"{type(table).__name__}. Files are for `BindingReference.read`."
        )
    found = {
        "TF": _first_of(TF_COLUMNS, table.columns),
        "target": _first_of(TARGET_COLUMNS, table.columns),
    }
    if {SOURCE_COLUMN, "target"} <= set(table.columns) and found["TF"] in (None, "id"):
        if found["TF"]:
            _refuse_ambiguous(source)
        found = _by_source(table, source)
    _check_found(found, table, source)
    check_once(table.columns, source)
    columns = {role: name for role, name in found.items() if name is not None}
    return columns | ({"peak": PEAK_COLUMN} if PEAK_COLUMN in table.columns else {})


def check_once(columns: Iterable[Any], source: str) -> None:
    """Raise ValueError if a column that means something is there more than once."""
    counts = Counter(str(name).strip() for name in columns)
    names = [*TF_COLUMNS, *TARGET_COLUMNS, PEAK_COLUMN, CONFIDENCE_COLUMN]
    # Beside a column of TFs, a source is anything.
    names += [] if any(counts[name] for name in TF_COLUMNS) else [SOURCE_COLUMN]
    for name in names:
        if counts[name] > 1:
            raise ValueError(
                f"{source} has {counts[name]} columns called {name!r}; rename all but one."
            )


def _first_of(accepted: tuple[str, ...], columns: "pd.Index[Any]") -> str | None:
    return next((name for name in accepted if name in columns), None)


def _check_found(found: dict[str, str | None], table: pd.DataFrame, source: str) -> None:
    missing = [role for role, name in found.items() if name is None]
    if missing:
        found_names = ", ".join(repr(str(name)[:40]) for name in table.columns[:8])
        raise ValueError(
            f"{source} has no column for {' and '.join(missing)}; found {found_names}. "
            f"Name the TF column one of {TF_COLUMNS}, the target column one of {TARGET_COLUMNS}; "
            "a column 'peak' (0/1) is optional. Gene sets are for `BindingReference.from_gmt`."
        )


def _has_second_header(table: pd.DataFrame) -> bool:
    is_named_twice = SOURCE_COLUMN in table.columns and table.columns.is_unique and len(table)
    return bool(is_named_twice) and str(table[SOURCE_COLUMN].iloc[0]).strip() == _SECOND_HEADER


def _by_source(table: pd.DataFrame, source: str) -> dict[str, str | None]:
    """Tell what ``source`` and ``target`` are from the columns beside them."""
    names = set(table.columns)
    if names >= _HARMONIZOME_MARKS or _has_second_header(table):
        return {"TF": "target", "target": SOURCE_COLUMN}
    marks = names & _DECOUPLER_MARKS
    if not marks or names & _HARMONIZOME_COLUMNS:
        _refuse_ambiguous(source)
    if marks == {"weight"}:
        # Harmonizome's weights are all that is left of it where somebody has cut its table.
        _check_direction(table, source)
    return {"TF": SOURCE_COLUMN, "target": "target"}


def _check_direction(table: pd.DataFrame, source: str) -> None:
    n_sources, n_targets = table[SOURCE_COLUMN].nunique(), table["target"].nunique()
    if n_sources > _MOST_TFS_PER_GENE * n_targets:
        raise ValueError(
            f"{source} has {n_sources:,} names in 'source', where decoupler's tables have the TFs, "
            f"but only {n_targets:,} in 'target': it seems to be Harmonizome's, whose 'target' is "
            "the TF. Rename the column of TFs to 'TF' and that of genes to 'target'."
        )


def _refuse_ambiguous(source: str) -> None:
    raise ValueError(
        f"{source} has the columns 'source' and 'target', of which either may be the TF: 'source' "
        "in decoupler's tables (with weight, mor, confidence or sign_decision), 'target' in "
        "Harmonizome's (with source_desc and target_desc). Rename the column of TFs to 'TF' and "
        "that of genes to 'target'."
    )


def _confident(rows: pd.DataFrame, source: str, confidence: Collection[str]) -> pd.DataFrame:
    if isinstance(confidence, str | bytes) or not isinstance(confidence, Collection):
        raise TypeError(
            f"`confidence` must be a collection of levels such as ('A', 'B'), got {confidence!r}."
        )
    if CONFIDENCE_COLUMN not in rows.columns:
        raise ValueError(
            f"{source} has no column {CONFIDENCE_COLUMN!r} to choose {list(confidence)} from; "
            "leave `confidence` out."
        )
    levels = rows[CONFIDENCE_COLUMN].astype(str).str.strip()
    strangers = [level for level in confidence if level not in set(levels)]
    if strangers or not confidence:
        raise ValueError(
            f"`confidence` must name levels of {source}, got {list(confidence)}; there are "
            f"{sorted(set(levels))[:8]}."
        )
    return rows[levels.isin(list(confidence))]
