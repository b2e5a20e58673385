"""Conversion of names to integer codes, and matrices whose rows are united by name."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray


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
    try:
        codes, uniques = pd.factorize(column)
    except TypeError as error:
        raise ValueError(f"Column {column.name!r} must hold names ({error}).") from error
    # Coded twice, because 1 and "1" become the same name; the second time over few values.
    recode, names = pd.factorize(as_names(uniques))
    is_missing = codes < 0
    codes = recode[codes] if len(names) else codes
    is_missing |= np.isin(codes, np.flatnonzero(names == ""))
    if is_missing.any():
        raise ValueError(
            f"Column {column.name!r} lacks a name in {is_missing.sum():,} row(s), first in row "
            f"{is_missing.argmax():,}; fill these in or remove the rows."
        )
    return codes, names


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
