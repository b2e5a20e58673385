"""Links as the edges of one network: checked, each pair once, with values of plain types."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..files import AdvisedError
from ..links import PAIR, by_pair, check_links, check_named
from ..names import examples

GROUP = "group"
_ONE_GROUP = "Select the rows of one group (`group` of export_links does)"
NODE_COLUMNS = ("is_tf", "is_target")
# The types of pandas that become numbers and flags; all others become text.
_TYPES: dict[str, type] = {
    "boolean": bool,
    "integer": int,
    "floating": float,
    "mixed-integer-float": float,
}


@dataclass(frozen=True)
class Edges:
    """Edges of one network, with attributes of Python's types.

    Attributes
    ----------
    pairs : list of (str, str)
        TF and target of each edge.
    types : dict of type
        bool, int, float or str for each attribute: the columns of the links but TF and target.
    columns : dict of list
        The values of each attribute, None where they are missing.
    """

    pairs: list[tuple[str, str]]
    types: dict[str, type]
    columns: dict[str, list[Any]]

    @classmethod
    def from_links(cls, links: object, caller: str) -> "Edges":
        """Take the links as edges; rows that repeat one with the same values count once.

        Raises
        ------
        TypeError, ValueError
            As `checked_links`, and if two rows of one pair differ.
        """
        table = checked_links(links, caller)
        types = {name: _type_of(table[name]) for name in table.columns.drop(PAIR)}
        plain = {name: _plain(table[name], kind) for name, kind in types.items()}
        table = pd.DataFrame({**{name: table[name] for name in PAIR}, **plain}).drop_duplicates()
        _check_pairs(table, caller)
        pairs = list(zip(table["TF"], table["target"], strict=True))
        return cls(pairs, types, {name: table[name].tolist() for name in types})

    def attributes(self) -> Iterator[dict[str, Any]]:
        """Yield the attributes of each edge that are not missing."""
        names = list(self.columns)
        for values in zip(*self.columns.values(), strict=True):
            pairs = zip(names, values, strict=True)
            yield {name: value for name, value in pairs if value is not None}

    def nodes(self) -> dict[str, dict[str, bool]]:
        """Return for each gene, sorted, whether it is a TF and whether it is a target."""
        tfs, targets = map(set, zip(*self.pairs, strict=True))
        return {
            name: dict(zip(NODE_COLUMNS, (name in tfs, name in targets), strict=True))
            for name in sorted(tfs | targets)
        }

    def interactions(self, caller: str) -> list[str]:
        """Return "activates" or "represses" for each edge.

        Raises
        ------
        ValueError
            If a coefficient is 0.
        """
        coefs = self.columns["coef"]
        require_signs(pd.Series(coefs), caller)
        return ["activates" if coef > 0 else "represses" for coef in coefs]


def checked_links(links: object, caller: str) -> pd.DataFrame:
    """Return the links with names as text, and rows counted from 0.

    Raises
    ------
    TypeError, ValueError
        If it is not a links table, has no rows, lacks a name, or repeats the name of a column.
    """
    table = check_named(check_links(links, caller))
    if not len(table):
        raise AdvisedError(
            f"{caller}: the links table has no rows, so there is nothing to export.",
            "`link_ledger` says why links were dropped.",
            "If it is of a run, its ledger.csv says why links were dropped, and links.csv has all "
            "of them.",
        )
    columns = pd.Index([str(name) for name in table.columns])
    if not columns.is_unique:
        repeated = examples(columns[columns.duplicated()].unique(), 3)
        raise ValueError(
            f"{caller}: the links table repeats the name of a column ({repeated}); rename it."
        )
    table = table.set_axis(columns, axis=1).reset_index(drop=True)
    return table.assign(**{name: table[name].astype(str).astype(object) for name in PAIR})


def coefs_by_pair(links: object, caller: str) -> pd.DataFrame:
    """Return ``TF``, ``target`` and ``coef``, each pair once, sorted by the names.

    Raises
    ------
    TypeError, ValueError
        As `checked_links`; if there are several groups; or if two rows of a pair have different
        coefficients.
    """
    table = checked_links(links, caller)
    if GROUP in table.columns and (groups := table[GROUP].astype(str).unique()).size > 1:
        raise AdvisedError(
            f"{caller}: the links are of {len(groups)} groups ({examples(groups)}), but the result "
            "holds one network.",
            f"{_ONE_GROUP}, or drop the column group to unite them.",
            "Choose one of them with --group.",
        )
    return by_pair(table, ["coef"], caller).reset_index()


def links_of_group(links: pd.DataFrame, group: str | int) -> pd.DataFrame:
    """Return the links of one group.

    Raises
    ------
    ValueError
        If there is no column ``group``, or it does not have this group.
    """
    if GROUP not in links.columns:
        raise ValueError(f"`group` is {group!r}, but the links have no column {GROUP!r}.")
    names = links[GROUP].astype(str)
    if not (is_chosen := names == str(group)).any():
        raise ValueError(
            f"`group` is {group!r}, but the groups of the links are {examples(names.unique())}."
        )
    return links[is_chosen]


def require_signs(coef: "pd.Series[Any]", caller: str) -> None:
    """Raise ValueError if a coefficient is 0, which is neither activation nor repression."""
    if n_zero := int(np.count_nonzero(coef == 0)):
        raise ValueError(
            f"{caller}: {n_zero:,} links have a coefficient of 0, which is neither activation nor "
            "repression; drop these rows."
        )


def _check_pairs(table: pd.DataFrame, caller: str) -> None:
    is_repeated = table.duplicated(PAIR)
    if not is_repeated.any():
        return
    tf, target = table.loc[is_repeated, PAIR].iloc[0]
    rows = table[(table["TF"] == tf) & (table["target"] == target)]
    differ = [name for name in table.columns if len(rows[name].drop_duplicates()) > 1]
    is_grouped = GROUP in differ
    raise AdvisedError(
        f"{caller}: {int(is_repeated.sum()):,} row(s) repeat a pair with different values, for "
        f"example {tf} → {target} in {examples(differ)}; a network has one edge for each pair.",
        f"{_ONE_GROUP}." if is_grouped else "Keep one row for each pair.",
        "Choose one group with --group." if is_grouped else "Keep one row for each pair.",
    )


def _type_of(column: "pd.Series[Any]") -> type:
    found = pd.api.types.infer_dtype(column.astype(object), skipna=True)
    return _TYPES.get(found, str)


def _plain(column: "pd.Series[Any]", kind: type) -> "pd.Series[Any]":
    """Return values of one of Python's types, None for missing ones and for empty text."""
    # pandas' own floats hold NaN beside NA, and call only the latter missing.
    is_missing = column.isna().to_numpy(bool)
    values = [
        None if lacks or value != value or value == "" else kind(value)
        for value, lacks in zip(column.tolist(), is_missing.tolist(), strict=True)
    ]
    return pd.Series(values, column.index, dtype=object)
