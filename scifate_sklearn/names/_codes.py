"""Conversion of columns of names: plain names, integer codes, and rows united by name."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ._additions import plain_name
from ._dates import date_symbols
from ._missing import is_missing, is_word
from ._rows import places


def as_names(values: Iterable[Any]) -> NDArray[np.object_]:
    """Return values as an object array of strings."""
    return np.array([str(value) for value in values], dtype=object)


def name_codes(column: "pd.Series[Any]") -> tuple[NDArray[np.intp], NDArray[np.object_]]:
    """Code a column of names by their order of appearance.

    Parameters
    ----------
    column : Series of shape (n_rows,)
        Names; other values are converted to strings.

    Returns
    -------
    codes : ndarray of shape (n_rows,)
        Position in `names`.
    names : ndarray of shape (n_names,)
        Unique names.

    Raises
    ------
    ValueError
        If a name is missing or empty.
    """
    codes, uniques = _factorize(column)
    # Coded twice, because 1 and "1" become the same name; the second time over few values.
    recode, names = pd.factorize(as_names(uniques))
    lacks_name = codes < 0
    codes = recode[codes] if len(names) else codes
    lacks_name |= np.isin(codes, np.flatnonzero(names == ""))
    if lacks_name.any():
        raise ValueError(
            f"Column {column.name!r} lacks a name in {lacks_name.sum():,} row(s) "
            f"({places(column.index, lacks_name)}); fill these in or remove the rows."
        )
    return codes, names


@dataclass(frozen=True)
class CleanNames:
    """Names of a column without additions.

    Attributes
    ----------
    names : Series of shape (n_rows,)
        Names; "" where there is none.
    is_missing, is_date : ndarray of bool of shape (n_rows,)
        Rows without a name, and rows whose name is a date (see `date_symbols`).
    dates : mapping of str to str
        The symbols that each date may stand for.
    additions : mapping of str to list of str
        Names that have changed, by the kind of addition (see `plain_name`).
    originals : tuple of str
        Texts that are not used as they are: words for missing names, such as ``nan``, dates, and
        names with additions.
    """

    names: "pd.Series[Any]"
    is_missing: NDArray[np.bool_]
    is_date: NDArray[np.bool_]
    dates: Mapping[str, str]
    additions: Mapping[str, list[str]]
    originals: tuple[str, ...]

    @property
    def is_usable(self) -> NDArray[np.bool_]:
        """Rows with a name that is no date."""
        return ~(self.is_missing | self.is_date)


def clean_names(
    column: "pd.Series[Any]", *, allow_any: bool = False, own: Collection[str] = ()
) -> CleanNames:
    """Return the names of a column without additions.

    Parameters
    ----------
    column : Series of shape (n_rows,)
        Names; other values are converted to strings.
    allow_any : bool, default=False
        Whether all text is a name, as in links tables. Only empty cells are missing then.
    own : collection of str, default=()
        Names of genes in the data: these are names as they are, whatever they look like.

    Returns
    -------
    CleanNames

    Raises
    ------
    ValueError
        If the column holds lists or other objects that cannot be names.
    """
    codes, uniques = _factorize(column)
    texts, own = as_names(uniques), frozenset(own)
    is_own = np.array([text in own for text in texts], np.bool_)
    # The last code, -1, is that of missing values.
    lacks_name = np.array([*(_is_no_name(name, allow_any) for name in uniques), True], np.bool_)
    lacks_name[:-1] &= ~is_own
    plain: list[str] = list(texts)
    dates: dict[str, str] = {}
    additions: dict[str, list[str]] = {}
    for i in np.flatnonzero(~(lacks_name[:-1] | is_own)) if not allow_any else ():
        plain[i], addition = plain_name(texts[i])
        if addition:
            additions.setdefault(addition, []).append(texts[i])
        if (symbols := date_symbols(plain[i])) is not None:
            dates[plain[i]] = symbols
    words = [text for text, no in zip(texts, lacks_name, strict=False) if no and is_word(text)]
    names = np.array([*plain, ""], dtype=object)
    names[lacks_name] = ""
    is_date = np.array([name in dates for name in names], np.bool_)
    return CleanNames(
        pd.Series(names[codes], column.index, dtype=object, name=column.name),
        lacks_name[codes],
        is_date[codes],
        dates,
        additions,
        (*words, *dates, *(text for changed in additions.values() for text in changed)),
    )


def _is_no_name(value: object, allow_any: bool) -> bool:
    return not str(value).strip() if allow_any else is_missing(value)


def _factorize(column: "pd.Series[Any]") -> tuple[NDArray[np.intp], Any]:
    try:
        return pd.factorize(column)
    except TypeError as error:
        raise ValueError(f"Column {column.name!r} must hold names ({error}).") from error


def rename_rows(
    names: NDArray[np.object_],
    status: NDArray[np.int8],
    new_name: Callable[[str], str | None],
) -> tuple[NDArray[np.object_], NDArray[np.int8]]:
    """Rename the rows of a matrix and unite rows of the same name by their maximum.

    Parameters
    ----------
    names : ndarray of shape (n_rows,)
        Old names.
    status : ndarray of shape (n_rows, n_columns)
        The matrix.
    new_name : callable
        Returns the new name of an old one, or None to drop the row.

    Returns
    -------
    names : ndarray of shape (n_new_rows,)
        New names, in order of appearance.
    status : ndarray of shape (n_new_rows, n_columns)
        The matrix with united rows.
    """
    codes, renamed = pd.factorize(np.array([new_name(name) for name in names], dtype=object))
    order = np.argsort(codes, kind="stable")[np.count_nonzero(codes < 0) :]
    if not len(order):
        return as_names([]), status[:0]
    starts = np.searchsorted(codes[order], np.arange(len(renamed)))
    return as_names(renamed), np.maximum.reduceat(status[order], starts, axis=0)
