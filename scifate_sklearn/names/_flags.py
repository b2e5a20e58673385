"""Columns of flags: numbers, booleans and their words."""

from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ._examples import examples
from ._missing import is_missing
from ._rows import places

_TRUE = frozenset(("1", "true", "t", "yes", "y", "bound"))
_FALSE = frozenset(("0", "false", "f", "no", "n", "unbound", "not bound"))


def as_flags(column: "pd.Series[Any]") -> NDArray[np.bool_]:
    """Return a column of flags as booleans.

    Parameters
    ----------
    column : Series of shape (n_rows,)
        0 and 1, also as ``1.0`` or ``1,0``; false and true, f and t, no and yes, n and y, unbound
        and bound, in any letter case.

    Returns
    -------
    ndarray of bool of shape (n_rows,)

    Raises
    ------
    ValueError
        If it holds other values, or none in a row; the message names the first of these rows.
    """
    try:
        codes, uniques = pd.factorize(column, use_na_sentinel=False)
    except TypeError as error:
        raise ValueError(
            f"Column {column.name!r} must hold 0/1 or False/True ({error})."
        ) from error
    flags = [_flag(value) for value in uniques]
    wrong = [value for value, flag in zip(uniques, flags, strict=True) if flag is None]
    if wrong:
        is_wrong = np.array([flag is None for flag in flags])[codes]
        advice = "Write 1 for true and 0 for false"
        if any(map(is_missing, wrong)):
            advice = "Write 0 where there is none, and remove rows for which it is unknown"
        raise ValueError(
            f"Column {column.name!r} must hold 0/1 or False/True, found {examples(wrong, 3)} "
            f"({places(column.index, is_wrong)}). {advice}."
        )
    return np.array(flags, dtype=np.bool_)[codes]


def _flag(value: object) -> bool | None:
    text = str(value).strip().strip("\"'").lower()
    with suppress(ValueError):
        text = f"{float(text.replace(',', '.')):g}"
    if text in _TRUE:
        return True
    return False if text in _FALSE else None
