"""Names, numbers and missing values of arrays and data frames of any library."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.utils.validation import _get_feature_names

from ..preprocessing import check_intact, naming

Names: TypeAlias = NDArray[np.object_]


def column_names(data: Any) -> Names | None:
    """Return the column names of a frame, or the name of a series; None without names.

    The numbers 0, 1, ... that pandas gives to columns without names are not names. Nor are names of
    several levels.
    """
    if isinstance(data, pd.DataFrame):
        n_columns = data.shape[1]
        is_numbered = n_columns and data.columns.equals(pd.RangeIndex(n_columns))
        if is_numbered or isinstance(data.columns, pd.MultiIndex):
            return None
        return np.asarray(data.columns, object)
    if isinstance(data, pd.Series):
        return None if data.name is None or _is_zero(data.name) else np.array([data.name], object)
    return _names_of_others(data)


def _names_of_others(data: Any) -> Names | None:
    """Return the names of a table or series of another library, such as Polars or pyarrow."""
    # The same frames as those whose names scikit-learn keeps.
    names: Names | None = _get_feature_names(data)
    if names is not None:
        return names
    name = getattr(data, "name", None)
    is_series = len(getattr(data, "shape", ())) == 1
    return np.array([name], object) if is_series and isinstance(name, str) and name else None


def _is_zero(name: object) -> bool:
    return isinstance(name, Integral) and int(name) == 0


def real_numbers(given: Any, argument: str) -> NDArray[np.float64]:
    """Return numbers of any type as float64, with NaN for missing ones.

    Parameters
    ----------
    given : array-like, Series or DataFrame
    argument : str
        For messages.

    Raises
    ------
    TypeError, ValueError
        If something is not a real number; the message names the argument.
    """
    check_intact(given, f"`{argument}`")
    with naming(f"`{argument}`"):
        # NumPy would drop imaginary parts with a warning only.
        if np.iscomplexobj(given):
            raise TypeError("must hold real numbers, found 'complex' ones.")
        if isinstance(given, pd.Series | pd.DataFrame):
            # As objects, because nullable integers and categories cannot hold NaN.
            values = np.where(given.isna(), np.nan, given.astype(object))
            return values.astype(np.float64)
        return np.asarray(given, np.float64)


@contextmanager
def naming_values(data: Any, argument: str) -> Iterator[None]:
    """Name the argument, and the place of its first missing value, in errors of the block.

    Parameters
    ----------
    data : object
        Given as `argument`, converted in the block.
    argument : str
    """
    try:
        with naming(f"`{argument}`"):
            yield
    except (TypeError, ValueError) as error:
        if problem := _missing_values(data):
            raise ValueError(f"`{argument}` {problem}") from error
        raise


def _missing_values(data: Any) -> str:
    """Return what is missing or infinite, and where it is first; empty if nothing is."""
    is_sparse = sp.issparse(data)
    try:
        entries = data.tocoo() if is_sparse else None
        values = np.asarray(data) if entries is None else entries.data
        missing = np.asarray(pd.isna(values), bool)
        infinite = np.isinf(np.where(missing, 0.0, values).astype(np.float64))
    except (TypeError, ValueError):  # not numbers, or not a matrix
        return ""
    places = np.argwhere(missing | infinite)
    if not places.size or places.shape[1] > 2:
        return ""
    if entries is not None:
        places = np.column_stack([entries.row, entries.col])[places[:, 0]]
        places = places[np.lexsort(places.T[::-1])]
    kinds = (("NaN", missing), ("infinity", infinite))
    found = " and ".join(name for name, mask in kinds if mask.any())
    axes = zip(("row", "column"), ("index", "columns"), places[0].tolist(), strict=False)
    first = ", ".join(f"{word} {at}{_label(data, axis, at)}" for word, axis, at in axes)
    return (
        f"contains {found}: {len(places)} value(s) are missing or infinite, the first in {first}. "
        "Replace them, or remove their rows or columns."
    )


def _label(data: Any, axis: str, position: int) -> str:
    """Return the label of a row or column in brackets, empty if it has none of its own."""
    labels = getattr(data, axis, None)
    if not isinstance(labels, pd.Index) or isinstance(labels, pd.RangeIndex):
        return ""
    return f" ({labels[position]!r})"
