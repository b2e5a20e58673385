"""Names of columns in any letter case, with blanks, dots or underscores between words."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import pandas as pd

from ._additions import without_quotes
from ._examples import examples

_SEPARATORS = re.compile(r"[\W_]+")


def column_key(name: object) -> str:
    """Return the name of a column in lower case, without anything but letters and digits.

    >>> column_key("#Motif ID") == column_key("motif_id")
    True
    """
    return _SEPARATORS.sub("", str(name)).lower()


def known_columns(columns: Iterable[Any], known: Sequence[str]) -> dict[Any, str]:
    """Return the known name of each column that has one, however it is written.

    Parameters
    ----------
    columns : iterable
        Names of the columns of a table.
    known : sequence of str
        Known names. Of several with the same key, the first is used for other spellings.

    Returns
    -------
    dict
        The known name of each such column.
    """
    by_key = {column_key(name): name for name in reversed(known)}
    exact = set(known)
    found = {}
    for column in columns:
        text = without_quotes(str(column))
        if text in exact:
            found[column] = text
        elif (key := column_key(text)) in by_key:
            found[column] = by_key[key]
    return found


def rename_columns(table: pd.DataFrame, known: Sequence[str]) -> pd.DataFrame:
    """Return a table whose known columns have their known names; see `known_columns`."""
    names = known_columns(table.columns, known)
    changed = {old: new for old, new in names.items() if old != new}
    # Renaming copies the table in pandas 2.
    return table.rename(columns=changed) if changed else table


def check_unique(columns: Iterable[Any], names: Collection[str], source: str) -> None:
    """Raise ValueError if a table has several columns of one of these names, however written.

    Parameters
    ----------
    columns : iterable
        Names of the columns of a table.
    names : collection of str
        Names that must not occur twice.
    source : str
        The argument or file, for the message.
    """
    columns = [str(name).strip() for name in columns]
    counts = Counter(map(column_key, columns))
    for name in names:
        if counts[column_key(name)] > 1:
            same = [each for each in columns if column_key(each) == column_key(name)]
            spelled = f" ({examples(same)})" if len(set(same)) > 1 else ""
            raise ValueError(
                f"{source} has {len(same)} columns called {name!r}{spelled}; rename all but one."
            )
