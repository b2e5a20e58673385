"""Links tables in files."""

import io
import os

import pandas as pd

from ..files import find_delimiter, read_text, split_fields, unescape_formula
from ._table import check_links

# Columns whose values are text whatever they look like, such as genes called 1 or NA.
_NAMES = ("TF", "target", "group")
_MISSING = ["", "NA", "nan", "NaN"]


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
        If the file is missing, damaged or no links table; the message names it.
    """
    text = read_text(path)
    start = text.split("\n", 1)[0]
    delimiter = find_delimiter(start)
    header = next(iter(split_fields([start], delimiter, path)), [])
    missing = {name: _MISSING for name in header if name not in _NAMES}
    try:
        table = pd.read_csv(
            io.StringIO(text),
            sep=delimiter,
            dtype=dict.fromkeys(_NAMES, str),
            na_values=missing,
            keep_default_na=False,
            float_precision="round_trip",
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise ValueError(f"{path} is not a table: {error}") from error
    texts = {
        name: [unescape_formula(each) if isinstance(each, str) else each for each in table[name]]
        for name in table.select_dtypes(object).columns
    }
    return check_links(pd.DataFrame({**table, **texts}), str(path))
