"""Links tables in files."""

import io
import os
import re
import warnings
from typing import Any

import pandas as pd

from ..files import find_delimiter, read_text, unescape_formula
from ..names import examples
from ._table import check_links

# Columns whose values are names whatever they look like, such as genes called 1 or NA.
_NAMES = ("TF", "target", "group")
_MISSING = ("", "NA", "nan", "NaN")
_FLAGS = ("True", "False")
_INTEGER = re.compile(r"[+-]?\d{1,18}")
_NUMBER = re.compile(r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|inf)")


def read_links(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Return the links table of a file that `scifate run` or pandas has written.

    Parameters
    ----------
    path : path-like
        Text with commas, semicolons or tabs, gzip-compressed or not. Numbers are read exactly;
        apostrophes before formulas are removed.

    Returns
    -------
    DataFrame

    Raises
    ------
    OSError, ValueError
        If the file is missing, damaged or no links table, or repeats the name of a column; the
        message names it.
    """
    return check_links(read_table(path), str(path))


def read_table(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Return a table that `scifate run` has written, with the names of genes as text.

    Parameters
    ----------
    path : path-like
        As for `read_links`.

    Returns
    -------
    DataFrame

    Raises
    ------
    OSError, ValueError
        If the file is missing or damaged; the message names it.
    """
    table = _read_text(path)
    columns = {
        name: _names(table[name]) if name in _NAMES else _values(table[name])
        for name in table.columns
    }
    return pd.DataFrame(columns)


def _read_text(path: str | os.PathLike[str]) -> pd.DataFrame:
    text = read_text(path)
    separator = find_delimiter(text.split("\n", 1)[0])
    options: dict[str, Any] = {"dtype": str, "keep_default_na": False, "index_col": False}
    try:
        with warnings.catch_warnings():
            # pandas only warns about rows with more fields than the header.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            header = pd.read_csv(io.StringIO(text), sep=separator, header=None, nrows=1, dtype=str)
            _check_header(header.iloc[0].dropna(), path)
            return pd.read_csv(io.StringIO(text), sep=separator, **options)
    except (pd.errors.ParserError, pd.errors.ParserWarning, pd.errors.EmptyDataError) as error:
        raise ValueError(f"{path} is not a table: {error}") from error


def _check_header(names: "pd.Series[Any]", path: str | os.PathLike[str]) -> None:
    """Raise ValueError if a name is repeated, which pandas would change."""
    if not names.is_unique:
        repeated = examples(names[names.duplicated()].unique())
        raise ValueError(f"{path} repeats the name of a column ({repeated}); rename or drop one.")


def _names(texts: "pd.Series[Any]") -> "pd.Series[Any]":
    return pd.Series([unescape_formula(text) for text in texts], texts.index, dtype=object)


def _values(texts: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return numbers or flags if all texts are such, otherwise text; missing values are NaN.

    The parser of pandas does not read every float exactly, Python's does.
    """
    present = texts.astype(object)[~texts.isin(_MISSING).to_numpy(bool)]
    found: pd.Series[Any]
    if len(present) and present.isin(_FLAGS).all():
        found = present == "True"
    elif all(map(_INTEGER.fullmatch, present)):
        found = present.astype("int64")
    elif all(map(_NUMBER.fullmatch, present)):
        found = present.map(float)
    else:
        found = _names(present)
    return found.reindex(texts.index)
