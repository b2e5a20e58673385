"""Text tables with a row for each gene and a column for each cell."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ._opened import GET_AGAIN, opened

# That of a million cells with names of 200 letters.
_LONGEST_LINE = 2**28


@dataclass(frozen=True)
class WideTable:
    """A table, gzip-compressed or not, of which the header and the names of the rows are read.

    Attributes
    ----------
    path : Path
    delimiter : str
    columns : list of str
        The header.
    names : DataFrame of n_rows rows
        The text columns.
    """

    path: Path
    delimiter: str
    columns: list[str]
    names: pd.DataFrame

    @classmethod
    def from_path(cls, path: Path, text: Sequence[str] | None = None) -> Self:
        """Read the header and the columns of text.

        Parameters
        ----------
        path : Path
        text : sequence of str, default=None
            Names of the columns of text; None for the first column.

        Raises
        ------
        ValueError
            If a column is missing or repeated, or the file is damaged.
        """
        columns, delimiter = _read_columns(path)
        text = columns[:1] if text is None else text
        with opened(path) as file:
            _read_line(file)
            missing = [name for name in text if name not in columns]
            if missing:
                raise ValueError(f"it has no column {missing[0]!r}.")
            repeated = pd.Index(columns).duplicated()
            if repeated.any():
                raise ValueError(f"its column {columns[repeated.argmax()]!r} is there twice.")
            counted = _Counted(file, delimiter)
            positions = [columns.index(name) for name in text]
            parts = list(_read(counted, delimiter, len(columns), positions, str, 10_000))
            n_rows = sum(map(len, parts))
            if counted.n_delimiters != n_rows * (len(columns) - 1):
                raise ValueError(
                    f"its rows have other numbers of fields than its header ({len(columns)}). "
                    f"{GET_AGAIN}"
                )
        names = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=positions)
        return cls(path, delimiter, columns, names.set_axis([*text], axis=1))

    def parts(self, columns: Sequence[str], budget: int) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield the first row of each part, and numbers of shape (n_rows_of_the_part, n_columns).

        Parameters
        ----------
        columns : sequence of str
        budget : int
            Largest number of numbers in a part, if it has several rows.

        Raises
        ------
        ValueError
            If a field is neither a number nor ``NA``, which is returned as NaN.
        """
        places = {name: place for place, name in enumerate(self.columns)}
        positions = [places[name] for name in columns]
        n_rows, start = max(1, budget // max(1, len(columns))), 0
        with opened(self.path) as file:
            _read_line(file)
            n_columns = len(self.columns)
            for part in _read(file, self.delimiter, n_columns, positions, np.float64, n_rows):
                yield start, part.to_numpy(np.float64)
                start += len(part)


class _Counted:
    """A file whose delimiters are counted."""

    def __init__(self, file: IO[bytes], delimiter: str) -> None:
        self._file = file
        self._delimiter = delimiter.encode()
        self.n_delimiters = 0

    def read(self, size: int = -1) -> bytes:
        content = self._file.read(size)
        self.n_delimiters += content.count(self._delimiter)
        return content

    def __iter__(self) -> Iterator[bytes]:  # pandas requires it
        return iter(self._file)


def _read_columns(path: Path) -> tuple[list[str], str]:
    """Return the names of the columns, and the delimiter."""
    with opened(path) as file:
        header, first = (_read_line(file) for _ in range(2))
    delimiter = max("\t,", key=header.count)
    columns = [name.strip().strip('"') for name in header.split(delimiter)]
    # R writes no field above the names of the rows.
    is_shorter = first.count(delimiter) == header.count(delimiter) + 1
    return (["", *columns] if is_shorter else columns), delimiter


def _read_line(file: IO[bytes]) -> str:
    line = file.readline(_LONGEST_LINE)
    if len(line) == _LONGEST_LINE:
        raise ValueError("it has a line that is too long for a table of cells.")
    return line.decode("utf-8").rstrip("\r\n")


def _read(
    file: Any, delimiter: str, n_columns: int, columns: list[int], kind: Any, n_rows: int
) -> Iterator[pd.DataFrame]:
    """Yield columns of rows that follow each other."""
    try:
        reader = pd.read_csv(
            file,
            sep=delimiter,
            header=None,
            names=list(range(n_columns)),
            index_col=False,
            usecols=columns,
            dtype=kind,
            keep_default_na=False,
            na_values=[] if kind is str else ["NA"],
            float_precision="round_trip",
            chunksize=n_rows,
            low_memory=False,
        )
        for part in reader:
            yield part[columns]
    except (ValueError, OverflowError) as error:
        found = " ".join(str(error).split())  # pandas ends some with a newline
        raise ValueError(f"a field is not a number, or a row is damaged ({found}).") from error
