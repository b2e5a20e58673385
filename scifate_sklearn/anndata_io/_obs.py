"""Columns of ``adata.obs`` that arguments name."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from ..names import examples
from ._chunks import Bools, Floats


def in_memory(frame: Any) -> pd.DataFrame:
    """Return ``adata.obs`` or ``adata.var`` as a frame, which lazy reading leaves in the file."""
    return frame if isinstance(frame, pd.DataFrame) else frame.to_memory()


def obs_column(obs: pd.DataFrame, name: str, argument: str) -> "pd.Series[Any]":
    """Return a column of ``adata.obs``.

    Parameters
    ----------
    obs : DataFrame of n_cells rows
    name : str
    argument : str
        The argument that names the column, for messages.

    Raises
    ------
    ValueError
        If there is no such column, or more than one.
    """
    if name not in obs.columns:
        raise ValueError(
            f"`{argument}` names the column {name!r}, which adata.obs does not have. "
            f"There are: {', '.join(map(repr, obs.columns)) or 'none'}."
        )
    column: Any = obs[name]
    if column.ndim > 1:
        raise ValueError(
            f"`{argument}` names {column.shape[1]} columns of adata.obs that are all called "
            f"{name!r}; rename all but one."
        )
    found: pd.Series[Any] = column
    return found


def number_column(obs: pd.DataFrame, name: str, argument: str) -> Floats:
    """Return a column of ``adata.obs`` that holds numbers; NaN where they are missing.

    Raises
    ------
    TypeError
        If it holds others.
    ValueError
        As `obs_column`.
    """
    column = obs_column(obs, name, argument)
    is_other = types.is_bool_dtype(column) or types.is_complex_dtype(column)
    if is_other or not types.is_numeric_dtype(column):
        raise TypeError(
            f"`{argument}`: column {name!r} of adata.obs must hold numbers, found {column.dtype}."
        )
    return column.to_numpy(np.float64, na_value=np.nan)


def check_cells(bad: Bools, cells: pd.Index, found: str, advice: str) -> None:
    """Raise if an entry of a column cannot be used.

    Parameters
    ----------
    bad : ndarray of bool of shape (n_cells,)
    cells : Index of shape (n_cells,)
        Names of the cells.
    found : str
        Start of the message, such as ``"`covariates`: column 'batch' is missing"``.
    advice : str
        End of the message.

    Raises
    ------
    ValueError
        With the number of bad entries and the names of the first cells.
    """
    if bad.any():
        which: Sequence[str] = list(cells[bad].astype(str))
        raise ValueError(
            f"{found} for {np.count_nonzero(bad)} of {len(cells)} cells that pass the filters "
            f"({examples(which, 3)}). {advice}"
        )
