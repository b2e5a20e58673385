"""Files with the names of cells and genes."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...files import read_text

_ENDINGS = ("", ".gz")


def find(folder: Path, *names: str) -> Path:
    """Return the file with one of these names, possibly with ``.gz``.

    Raises
    ------
    FileNotFoundError
        If there is none.
    """
    found = find_any(folder, *names)
    if found is None:
        raise FileNotFoundError(f"{folder} has no file {' or '.join(names)} (or with .gz).")
    return found


def find_any(folder: Path, *names: str) -> Path | None:
    """Return the file with one of these names, possibly with ``.gz``; None if there is none."""
    paths = (folder / f"{name}{ending}" for name in names for ending in _ENDINGS)
    return next((path for path in paths if path.is_file()), None)


def read_columns(path: Path, names: Sequence[str], delimiter: str = "\t") -> pd.DataFrame:
    """Return the first columns of a table without header, as text.

    Parameters
    ----------
    path : Path
    names : sequence of str
        Names for the columns. Further columns of the file are left out, missing ones too.
    delimiter : str

    Returns
    -------
    DataFrame
    """
    # There may be millions of lines, of which no more than one copy is made.
    lines = _lines(path)
    columns = {}
    for name in names:
        columns[name] = _objects([line.partition(delimiter)[0].strip() for line in lines])
        if not all(delimiter in line for line in lines):
            break
        lines = [line.partition(delimiter)[2] for line in lines]
    return pd.DataFrame(columns)


def read_table(path: Path) -> pd.DataFrame:
    """Return a table with header, as text.

    Raises
    ------
    ValueError
        If rows have other numbers of fields than the header.
    """
    lines = _lines(path)
    delimiter = max("\t,", key=lines[0].count) if lines else ","
    rows = list(csv.reader(lines, delimiter=delimiter))
    header, rows = ([], []) if not rows else (rows[0], rows[1:])
    if len(set(header)) < len(header) or any(len(row) != len(header) for row in rows):
        raise ValueError(f"{path} is not a table with one field per column of its header.")
    columns = {name: _objects([row[i] for row in rows]) for i, name in enumerate(header)}
    return pd.DataFrame(columns)


def _objects(texts: list[str]) -> NDArray[np.object_]:
    return np.array([*texts, None], object)[:-1]  # None keeps NumPy from making another type


def _lines(path: Path) -> list[str]:
    text = read_text(path)
    return text.removesuffix("\n").split("\n") if text else []
