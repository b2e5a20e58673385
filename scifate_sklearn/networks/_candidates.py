"""Candidate pairs of a known network, and matrices of scores and edges over them."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..files import prefix_errors
from ..links import INFORMATION_COLUMNS, PAIR, PROBABILITY_COLUMNS, SIGNED_COLUMNS, by_pair
from ..names import are_missing, as_flags, examples, places, rename_columns, require_common

PEAK = "peak"

# Scores or edges by (TF, target), or scores as a matrix of TFs × targets.
Values = pd.Series | pd.DataFrame


@dataclass(frozen=True, eq=False)
class Universe:
    """The TFs and the targets whose pairs are candidates.

    Parameters
    ----------
    tfs, targets : Index of str
        Unique names.
    """

    tfs: "pd.Index[str]"
    targets: "pd.Index[str]"

    @classmethod
    def from_values(
        cls,
        values: Values,
        edges: Values,
        tfs: Collection[str] | None,
        targets: Collection[str] | None,
    ) -> "Universe":
        """Return the universe of the given names, or else of all names that occur.

        Raises
        ------
        TypeError, ValueError
            If a given universe is a text, is empty or repeats a name, or if no names match.
        """
        sides = zip(PAIR, names_of(values), names_of(edges), (tfs, targets), strict=True)
        return cls(*(_one_side(*side) for side in sides))

    def is_pair(self) -> NDArray[np.bool_]:
        """Return whether each pair, (n_tfs, n_targets), is of two different genes."""
        is_pair = np.ones((len(self.tfs), len(self.targets)), np.bool_)
        itself = self.tfs.get_indexer(self.targets)
        of = np.flatnonzero(itself >= 0)
        is_pair[itself[of], of] = False
        return is_pair

    def spread(self, values: Values) -> NDArray[np.float64]:
        """Return the matrix (n_tfs, n_targets) of values, 0 for pairs without a value."""
        matrix = np.zeros((len(self.tfs), len(self.targets)))
        tfs, targets = names_of(values)
        row, column = self.tfs.get_indexer(tfs), self.targets.get_indexer(targets)
        if isinstance(values, pd.DataFrame):
            inside = np.ix_(row >= 0, column >= 0)
            matrix[np.ix_(row[row >= 0], column[column >= 0])] = values.to_numpy()[inside]
            return matrix
        pairs = cast(pd.MultiIndex, values.index)
        row, column = row[pairs.codes[0]], column[pairs.codes[1]]
        is_inside = (row >= 0) & (column >= 0)
        matrix[row[is_inside], column[is_inside]] = values.to_numpy()[is_inside]
        return matrix


def names_of(values: Values) -> tuple["pd.Index[str]", "pd.Index[str]"]:
    """Return the distinct names of TFs and targets."""
    if isinstance(values, pd.DataFrame):
        return values.index, values.columns
    tfs, targets = cast(pd.MultiIndex, values.index).levels
    return tfs, targets


def edges_of(gold: object) -> pd.Series:
    """Return 1 per edge of a known network by (TF, target).

    Raises
    ------
    TypeError, ValueError
        If it is not a table of edges, or is empty.
    """
    edges = pairs_of(gold, "gold")
    if not len(edges):
        raise ValueError("`gold` has no edges.")
    return edges


def pairs_of(table: object, argument: str) -> pd.Series:
    """Return 1 per pair of a table, by (TF, target); with a column ``peak`` only where it is true.

    Raises
    ------
    TypeError, ValueError
        If it is not a table of pairs, or ``peak`` contains anything but flags (see `as_flags`).
    """
    if not isinstance(table, pd.DataFrame):
        raise TypeError(
            f"`{argument}` must be a pandas DataFrame with the columns TF and target, got "
            f"{type(table).__name__}."
        )
    table = rename_columns(table, [*PAIR, PEAK])
    _check_table(table, PAIR, argument)
    rows = table
    if PEAK in table.columns:
        _check_table(table, [PEAK], argument)
        with prefix_errors(f"`{argument}`"):
            rows = table[as_flags(table[PEAK])]
    return by_pair(rows.assign(is_pair=1.0), ["is_pair"], "score_network")["is_pair"]


def values_by_pair(scores: object, by: str) -> Values:
    """Return the validated scores as a series of pairs or as a matrix.

    Raises
    ------
    TypeError, ValueError
        If they are neither a table nor a matrix, or contain anything but finite numbers ≥ 0.
    """
    if not isinstance(scores, pd.DataFrame):
        raise TypeError(
            f"`scores` must be a pandas DataFrame, a table with the columns TF, target and {by} or "
            f"a matrix of TFs × targets, got {type(scores).__name__}."
        )
    if not set(PAIR) <= set(scores.columns):
        return _checked_matrix(scores)
    _check_table(scores, [*PAIR, by], "scores")
    _check_real(scores[[by]], f"Column {by!r} of `scores`")
    values = by_pair(scores, [by], "score_network")[by]
    if by in SIGNED_COLUMNS:
        values = values.abs()
    elif by in PROBABILITY_COLUMNS:
        values = 1.0 - values
    elif by in INFORMATION_COLUMNS:
        values = values.clip(lower=0.0)
    _check_range(values.to_numpy(), f"Column {by!r} of `scores`")
    return values


def _checked_matrix(scores: pd.DataFrame) -> pd.DataFrame:
    what = "`scores` (without the columns TF and target a matrix of TFs × targets)"
    _check_real(scores, what)
    matrix = scores.astype("float64").set_axis(scores.index.astype(str), axis=0)
    matrix = matrix.set_axis(scores.columns.astype(str), axis=1)
    for axis, names in (("TF", matrix.index), ("target", matrix.columns)):
        if not names.is_unique:
            raise ValueError(
                f"{what} repeats the {axis} {names[names.duplicated()][0]!r}; keep one of them."
            )
    itself = matrix.index.get_indexer(matrix.columns)
    values = matrix.to_numpy(copy=True)
    # A gene's score for itself is often undefined, and is not used.
    values[itself[itself >= 0], np.flatnonzero(itself >= 0)] = 0.0
    _check_range(values, what)
    return pd.DataFrame(values, matrix.index, matrix.columns)


def _check_table(table: pd.DataFrame, names: list[str], argument: str) -> None:
    for name in names:
        count = int(np.count_nonzero(table.columns == name))
        if count != 1:
            found = examples(table.columns, 8)
            raise ValueError(
                f"`{argument}` must have one column {name!r}, has {count}; found {found}."
            )
    # A table of scores, like one of links, may hold genes with any name.
    allow_words = argument == "scores"
    for name in set(names).intersection(PAIR):
        codes, uniques = pd.factorize(table[name].astype(object), use_na_sentinel=False)
        lacks_name = are_missing(uniques, allow_words=allow_words)[codes]
        if lacks_name.any():
            raise ValueError(
                f"Column {name!r} of `{argument}` has rows without a name "
                f"({places(table.index, lacks_name)}); drop these rows."
            )


def _check_real(table: pd.DataFrame, what: str) -> None:
    for dtype in table.infer_objects().dtypes:
        is_real = pd.api.types.is_numeric_dtype(dtype)
        if not is_real or pd.api.types.is_complex_dtype(dtype):
            raise ValueError(f"{what} must hold numbers, found {dtype}.")


def _check_range(values: NDArray[np.float64], what: str) -> None:
    if not np.isfinite(values).all():
        raise ValueError(
            f"{what} must hold finite numbers; fill missing values, with 0 if unknown."
        )
    if (values < 0).any():
        raise ValueError(
            f"{what} must hold numbers ≥ 0, found {values.min():g}: pairs without a score count "
            "as 0 and would rank above it. Rank by absolute values."
        )


def _one_side(
    name: str,
    scored: "pd.Index[str]",
    known: "pd.Index[str]",
    given: Collection[str] | None,
) -> "pd.Index[str]":
    """Return the names of one side of the universe, given those in `scores` and `gold`."""
    if given is None:
        if len(scored):
            require_common(scored, known, f"the {name}s of `scores`", "`gold`")
        return scored.union(known)
    argument = f"`{name.lower()}s`"
    if isinstance(given, str):
        raise TypeError(f"{argument} must be a collection of names, got the text {given!r}.")
    names = pd.Index([str(each) for each in given], dtype=object)
    if not len(names) or not names.is_unique:
        raise ValueError(
            f"{argument} must hold distinct names, at least one; got {list(names)[:5]}."
        )
    require_common(known, names, f"the {name}s of `gold`", argument)
    if len(scored):
        require_common(scored, names, f"the {name}s of `scores`", argument)
    return names
