"""Direction of an effect: whether a TF activates or represses a target, by the source."""

import re
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...names import REPRESSION, column_key, plain_name

Direction: TypeAlias = Literal["both", "up", "down"]
DIRECTIONS = ("both", "up", "down")

# Column with 1, −1 or 0 that the readers of known sources add.
EFFECT = "effect"
# Columns of numbers or words: own, of SCENIC+, DoRothEA, TRRUST and RegulonDB.
_SIGNED = (EFFECT, "regulation", "mor", "mode", "interaction", "6)function")
# decoupler's. Those of other tables have no sign.
_SIGNED_BY_SOURCE = "weight"
# Names with the signs of a regulon: those of SCENIC+ have that of TF and gene first.
_NAMES = ("eRegulon_name", "Gene_signature_name")
_SIGNS_OF_EREGULON = re.compile(r"_([+\-−])[/_][+\-−](?:_?\(\d+ ?[gr]\))?$")
_UP = frozenset(("+", "activation", "activator", "activating", "up", "stimulation"))
_DOWN = frozenset(("-", "−", "repression", "repressor", "repressing", "down", "inhibition"))


def select_direction(
    table: pd.DataFrame, tf_column: str, direction: Direction, source: str
) -> NDArray[np.bool_]:
    """Return which rows have a direction.

    Parameters
    ----------
    table : DataFrame
        A table of evidence.
    tf_column : str
        Its column of TFs, whose names may have a sign (``Ar(+)``).
    direction : {"both", "up", "down"}
        Activation, repression, or both and unknown.
    source : str
        Name of the argument or file, for messages.

    Raises
    ------
    ValueError
        If the direction is unknown, or no row has it.
    """
    if direction not in DIRECTIONS:
        raise ValueError(f"`direction` must be one of {DIRECTIONS}, got {direction!r}.")
    if direction == "both":
        return np.ones(len(table), np.bool_)
    signs = _signs(table, tf_column)
    is_kept: NDArray[np.bool_] = signs == (1 if direction == "up" else -1)
    if not is_kept.any():
        n_up, n_down = np.count_nonzero(signs > 0), np.count_nonzero(signs < 0)
        raise ValueError(
            f"`direction` = {direction!r}, but {source} has no such row ({n_up:,} of activation, "
            f"{n_down:,} of repression, {len(signs) - n_up - n_down:,} without a sign); use "
            '"both".'
        )
    return is_kept


def _signs(table: pd.DataFrame, tf_column: str) -> NDArray[np.int8]:
    """Return the sign of each row: 1 activation, −1 repression, 0 unknown or both."""
    by_key = {column_key(name): name for name in table.columns}
    signed = [*_SIGNED, _SIGNED_BY_SOURCE] if tf_column == "source" else _SIGNED
    for names, sign in ((signed, _sign_of_value), (_NAMES, _sign_of_eregulon)):
        for name in names:
            if (column := by_key.get(column_key(name))) is not None:
                return _coded(table[column], sign)
    return _coded(table[tf_column], _sign_of_name)


def _coded(column: "pd.Series[Any]", sign: Callable[[str], int]) -> NDArray[np.int8]:
    codes, values = pd.factorize(column.astype(str))
    return np.array([sign(str(value)) for value in values], np.int8)[codes]


def _sign_of_value(text: str) -> int:
    word = text.strip().lower()
    if word in _UP or word in _DOWN:
        return 1 if word in _UP else -1
    try:
        return int(np.sign(np.nan_to_num(float(word))))
    except ValueError:
        return 0


def _sign_of_eregulon(name: str) -> int:
    match = _SIGNS_OF_EREGULON.search(name.strip())
    return 0 if match is None else 1 if match[1] == "+" else -1


def _sign_of_name(name: str) -> int:
    addition = plain_name(name).addition
    return -1 if addition == REPRESSION else 1 if addition == "sign +" else 0
