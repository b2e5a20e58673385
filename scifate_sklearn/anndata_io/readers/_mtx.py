"""Matrix Market files, read in blocks of cells."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import IO, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ._entries import Blocks, entry_type
from ._opened import GET_AGAIN, opened
from ._source import Reading

_BANNER = b"%%MatrixMarket"
# Longer lines before the entries are those of another format.
_LONGEST_LINE = 2**16
# Bytes that are parsed together, and the longest line of an entry.
_PART = 2**24
_LARGEST = 2**31 - 1


@dataclass(frozen=True)
class MatrixMarket:
    """A file of positions and numbers, gzip-compressed or not, of which the header is read.

    Attributes
    ----------
    path : Path
    shape : (int, int)
        Rows and columns.
    n_entries : int
    n_values : int
        Numbers of an entry. STARsolo up to version 2.7.8 writes three in place of one.
    is_integer : bool
        Whether the header says so.
    rows, columns : ndarray of int, default=None
        New positions of rows and columns, -1 for those that are left out.
    """

    path: Path
    shape: tuple[int, int]
    n_entries: int
    n_values: int
    is_integer: bool
    rows: NDArray[np.int64] | None = field(default=None, repr=False)
    columns: NDArray[np.int64] | None = field(default=None, repr=False)

    @classmethod
    def from_path(cls, path: Path, n_values: int = 1) -> Self:
        """Read the header.

        Parameters
        ----------
        path : Path
        n_values : int, default=1
            Numbers that an entry must have.

        Raises
        ------
        ValueError
            If it is not that of a sparse matrix of real or integer numbers, or the file is damaged.
        OSError
            If the file cannot be read.
        """
        with opened(path) as file:
            number = _read_banner(_line(file))
            sizes = next((line for line in iter(lambda: _line(file), b"") if _is_read(line)), b"")
            n_rows, n_columns, n_entries = _read_sizes(sizes)
            first = next((line for line in iter(lambda: _line(file), b"") if _is_read(line)), b"")
            if first and len(first.split()) != 2 + n_values:
                raise ValueError(
                    f"its first entry is {first[:40]!r}, not a position and {n_values} number(s)."
                )
        return cls(path, (n_rows, n_columns), n_entries, n_values, number == b"integer")

    @property
    def number(self) -> Any:
        """Type of the numbers."""
        return np.int32 if self.is_integer else np.float64

    def parts(self, is_cells_by_genes: bool) -> Iterator[NDArray[Any]]:
        """Yield records of entries, in the order of the file.

        Raises
        ------
        ValueError
            If the file is damaged, has other numbers of entries than it declares, or positions
            outside the matrix.
        """
        kind = entry_type(self.number, self.n_values)
        n_read = 0
        with opened(self.path) as file:
            for text in _texts(file):
                records = self._parse(text, kind, is_cells_by_genes)
                n_read += len(records)
                if n_read > self.n_entries:
                    break
                yield self._mapped(records, is_cells_by_genes)
            if n_read != self.n_entries:
                raise ValueError(
                    f"it declares {self.n_entries:,} entries, and has "
                    f"{'more' if n_read > self.n_entries else f'{n_read:,}'}. {GET_AGAIN}"
                )

    def _parse(self, text: bytes, kind: np.dtype[Any], is_cells_by_genes: bool) -> NDArray[Any]:
        numbers = _numbers(text, self.n_values, self.is_integer)
        positions = numbers[0].to_numpy(), numbers[1].to_numpy()
        for what, found, size in zip(("row", "column"), positions, self.shape, strict=True):
            if len(found) and not 1 <= found.min() <= found.max() <= size:
                wrong = found[(found < 1) | (found > size)][0]
                raise ValueError(f"an entry is in {what} {wrong:,}, but there are {size:,}.")
        records = np.empty(len(numbers), kind)
        cells, genes = positions if is_cells_by_genes else positions[::-1]
        records["cell"], records["gene"] = cells - 1, genes - 1
        for i in range(self.n_values):
            values = numbers[2 + i].to_numpy()
            if self.is_integer and len(values) and np.abs(values).max() > _LARGEST:
                raise ValueError(f"an entry is {values[np.abs(values).argmax()]:,}, too many.")
            records["values"][:, i] = values
        return records

    def _mapped(self, records: NDArray[Any], is_cells_by_genes: bool) -> NDArray[Any]:
        """Return the records at their new positions."""
        names = ("cell", "gene") if is_cells_by_genes else ("gene", "cell")
        for name, places in zip(names, (self.rows, self.columns), strict=True):
            if places is not None:
                records[name] = places[records[name]]
                records = records[records[name] >= 0]
        return records


def read_matrices(
    files: Mapping[str, MatrixMarket],
    shape: tuple[int, int],
    reading: Reading,
    *,
    is_cells_by_genes: bool,
) -> Iterator[dict[str, Any]]:
    """Yield blocks of cells of several files at once.

    Parameters
    ----------
    files : mapping of str to MatrixMarket
    shape : (int, int)
        Numbers of cells and genes, after the positions were changed.
    reading : Reading
    is_cells_by_genes : bool
        Whether rows are cells.

    Yields
    ------
    dict of str to csr_array
        With the names of the files; a number is added, from 0, if entries have several values.
    """
    n_entries = max(file.n_entries for file in files.values())
    found = []
    for file in files.values():
        kind = entry_type(file.number, file.n_values)
        blocks = Blocks.from_budget(file.path, shape, n_entries, kind, reading)
        found.append(blocks.matrices(file.parts(is_cells_by_genes), reading))
    for matrices in zip(*found, strict=True):
        yield {
            name if len(parts) == 1 else f"{name}{i}": part
            for name, parts in zip(files, matrices, strict=True)
            for i, part in enumerate(parts)
        }


def n_fields(start: bytes) -> int:
    r"""Return the number of fields of the first entry, given the first bytes of a file.

    >>> n_fields(b"%%MatrixMarket matrix coordinate real general\n%\n2 2 1\n1 2 0.5\n")
    3
    """
    lines = [line for line in start.split(b"\n") if _is_read(line)]
    return len(lines[1].split()) if len(lines) > 1 else 0


def check_shape(file: MatrixMarket, expected: tuple[int, int], names: tuple[Path, Path]) -> None:
    """Raise ValueError if a matrix has other numbers of rows or columns than there are names.

    Parameters
    ----------
    file : MatrixMarket
    expected : (int, int)
        Numbers of names of rows and of columns.
    names : (Path, Path)
        Files with these names.
    """
    for what, found, number, path in zip(
        ("rows", "columns"), file.shape, expected, names, strict=True
    ):
        if found != number:
            raise ValueError(
                f"{file.path} has {found:,} {what}, but {path} has {number:,} names. Both must be "
                "of the same run of the tool."
            )


def _line(file: IO[bytes]) -> bytes:
    line = file.readline(_LONGEST_LINE)
    if len(line) == _LONGEST_LINE:
        raise ValueError("it has a long line before its entries; it is not a Matrix Market file.")
    return line


def _is_read(line: bytes) -> bool:
    return not line.startswith(b"%") and bool(line.strip())


def _read_banner(line: bytes) -> bytes:
    """Return the type of the numbers."""
    words = line.lower().split()
    if not line.startswith(_BANNER) or len(words) < 5:
        raise ValueError(f"it begins with {line[:40]!r}, not with %%MatrixMarket and its kind.")
    if words[1:3] != [b"matrix", b"coordinate"] or words[3] not in (b"integer", b"real"):
        kind = b" ".join(words[1:]).decode("ascii", "replace")
        raise ValueError(f"it is a '{kind}'; 'matrix coordinate real' or 'integer' is read.")
    if words[4] != b"general":
        raise ValueError("it is symmetric; a matrix of cells and genes is 'general'.")
    return words[3]


def _read_sizes(line: bytes) -> tuple[int, int, int]:
    sizes = line.split()
    if len(sizes) != 3 or not all(re.fullmatch(rb"\d{1,18}", size) for size in sizes):
        raise ValueError(f"it has no line with its three sizes, but {line[:40]!r}.")
    n_rows, n_columns, n_entries = map(int, sizes)
    if max(n_rows, n_columns) > _LARGEST or n_entries > n_rows * n_columns:
        raise ValueError(
            f"it declares {n_entries:,} entries in {n_rows:,} rows and {n_columns:,} columns."
        )
    return n_rows, n_columns, n_entries


def _texts(file: IO[bytes]) -> Iterator[bytes]:
    """Yield parts of the text after the header, each of whole lines."""
    _skip_header(file)
    rest = b""
    while block := file.read(_PART):
        end = block.rfind(b"\n") + 1
        if not end and len(rest) + len(block) > _PART:
            raise ValueError("it has a line that is too long for an entry.")
        if end:
            yield rest + block[:end]
            rest = block[end:]
        else:
            rest += block
    if rest:
        yield rest


def _skip_header(file: IO[bytes]) -> None:
    _line(file)
    while not _is_read(_line(file)):
        pass


def _numbers(text: bytes, n_values: int, is_integer: bool) -> pd.DataFrame:
    """Return the columns of the entries."""
    is_plain = not any(each in text for each in (b"\t", b"  ", b" \n", b"\r"))
    n_columns = 2 + n_values
    kinds = [np.int64, np.int64] + n_values * [np.int64 if is_integer else np.float64]
    # The default is faster, but not exact where there are decimals.
    is_exact = is_integer or not any(each in text for each in (b".", b"e", b"E"))
    try:
        numbers = pd.read_csv(
            BytesIO(text),
            sep=" " if is_plain else r"\s+",
            header=None,
            names=list(range(n_columns)),
            dtype=dict(enumerate(kinds)),
            na_filter=False,
            float_precision=None if is_exact else "round_trip",
        )
    except (ValueError, OverflowError) as error:
        found = " ".join(str(error).split())  # pandas ends some with a newline
        raise ValueError(f"its entries are not {n_columns} numbers each ({found}).") from error
    if not isinstance(numbers.index, pd.RangeIndex):
        raise ValueError(f"it has entries of more than {n_columns} numbers.")
    return numbers
