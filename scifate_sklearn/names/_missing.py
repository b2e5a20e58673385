"""Missing values: their spellings in tables of R, pandas, databases and spreadsheets.

A cell is missing if its text is one of `_MARKS`, a line, an error of a spreadsheet, or one of
`_WORDS`. No gene has one of the marks as its name, but some are called like a word (``na`` and
``nan`` of *Drosophila*). The words are therefore names

- in links tables, because these hold the names of the user's cells, and
- where every name occurs once: as index or columns of a matrix, or as the symbol of one gene.
"""

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..files import is_spreadsheet_error

_BRACKETS = (("<", ">"), ("(", ")"), ("[", "]"))
# Empty values of R, which it writes for genes without a match, and of Python.
_EMPTY = (*(f"{kind}(0)" for kind in ("character", "logical", "integer", "numeric", "factor")),)
_MARKS = frozenset(
    (
        *("?", "??", "*", "/", "\\", "\\n", "…", "n/a", "n.a.", "n.a", "n/d", "n.d."),
        *("na_character_", "na_integer_", "na_real_", "na_complex_", "nat", "-nan", "+nan"),
        *(f"{sign}1.#{kind}" for sign in ("", "-") for kind in ("nan", "qnan", "snan", "ind")),
        *("none?", "null?", "(blank)", "(empty)", "[]", "{}", "list()", "set()", *_EMPTY),
        *(f"{a}{word}{b}" for word in ("na", "nan", "null", "none", "nat") for a, b in _BRACKETS),
    )
)
_WORDS = frozenset(("na", "nan", "null", "none", "nil"))
# Lines of any length in place of a name, and columns that were too narrow for their values.
_LINE = re.compile(r"[-‐‑‒–—―−._]+|#+")
_QUOTES = "\"'`“”„‟‘’‚«»"


def is_missing(value: object, *, allow_words: bool = False) -> bool:
    """Return whether a cell of a table holds no value.

    Parameters
    ----------
    value : object
        A cell: text, or a missing value of Python, NumPy or pandas.
    allow_words : bool, default=False
        Whether words such as ``NA`` and ``none`` are values.

    Returns
    -------
    bool
    """
    if not isinstance(value, str):
        return pd.api.types.is_scalar(value) and bool(pd.isna(value))  # type: ignore[call-overload]
    text = _plain(value)
    if not text or text in _MARKS or _LINE.fullmatch(text) or is_spreadsheet_error(text):
        return True
    return not allow_words and text in _WORDS


def is_word(value: str) -> bool:
    """Return whether a missing value is a word, which may be the name of a gene."""
    return _plain(value) in _WORDS


def _plain(value: str) -> str:
    return value.strip().strip(_QUOTES).strip().lower()


def are_missing(values: Iterable[Any], *, allow_words: bool = False) -> NDArray[np.bool_]:
    """Return which cells hold no value, as `is_missing` does for one."""
    return np.array([is_missing(value, allow_words=allow_words) for value in values], np.bool_)
