"""Delimited tables: header, comments, lines of rows, and numbers of fields."""

import csv
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress, pairwise
from typing import Self

import numpy as np
from numpy.typing import NDArray

_DELIMITERS = ("\t", ",", ";")
_COMMENTS = ("#", "%", "!")
# Errors of Excel in its languages: #N/A, #NV (German), #I/T (Danish), #NAME?, #¡VALOR! (Spanish).
# LibreOffice has Err:502.
_SPREADSHEET_ERROR = re.compile(
    r"#(?:n/?a n/a|n/?[avdb]|i/t|[нn]/[дd]|getting_data|yok|puuttuu|saknas|hiányzik|"
    r"není_k_dispozici|[¡¿]?[^\W\d_][^\s,;]*[!?])|err:\d+",
    re.IGNORECASE,
)
MAX_FIELDS = 10_000
_EXCEL_DELIMITER = re.compile(r'"?sep=(.)"?', re.IGNORECASE)


@dataclass(frozen=True)
class DelimitedText:
    """A table as text: without comments, blank lines and empty rows.

    Attributes
    ----------
    header : list of str
        Fields of the first line.
    delimiter : str
        Tab, comma or semicolon.
    lines : list of str
        The other lines.
    numbers : ndarray of int of shape (n_lines,)
        Number of each of these lines in the file, from 1.
    header_line : str
        The first line.
    header_number : int
        Its number in the file; 0 if there is none.
    """

    header: list[str]
    delimiter: str
    lines: list[str]
    numbers: NDArray[np.intp]
    header_line: str
    header_number: int

    @classmethod
    def from_text(cls, text: str, is_known: Callable[[str], bool]) -> Self:
        """Find the header and the rows.

        Lines that begin with ``#``, ``%`` or ``!`` are comments, unless they are a header of known
        columns, or rows of a table whose first column is not known and may hold any text. Excel's
        line ``sep=;`` sets the delimiter.

        Parameters
        ----------
        text : str
            Content of a file, from `decode_text`.
        is_known : callable
            Returns whether a name is that of a known column.

        Returns
        -------
        DelimitedText

        Raises
        ------
        ValueError
            If the first line has more than 10,000 fields.
        """
        lines = text.split("\n")
        delimiter = None
        for i, line in enumerate(lines):
            if match := _EXCEL_DELIMITER.fullmatch(line.strip()):
                delimiter = match[1]
            elif line.strip():
                fields = _fields(line, delimiter or find_delimiter(line))
                if len(fields) > MAX_FIELDS:
                    raise ValueError(
                        f"line {i + 1:,} has {len(fields):,} fields, more than {MAX_FIELDS:,}; "
                        "give a table with one row per line"
                    )
                n_known = sum(map(is_known, fields))
                if not is_comment(line) or n_known >= min(2, len(fields)):
                    delimiter = delimiter or find_delimiter(line)
                    # Any text may be in the first column, unless it is a known one.
                    is_named = len(fields) == 1 or is_known(fields[0])
                    is_row = _are_rows(lines, i, delimiter, 0 if is_named else len(fields))
                    kept = list(compress(lines, is_row))
                    return cls(fields, delimiter, kept, np.flatnonzero(is_row) + 1, line, i + 1)
        return cls([], _DELIMITERS[0], [], np.empty(0, np.intp), "", 0)

    def rows(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return for each row the number of its fields and of its first line.

        Raises
        ------
        ValueError
            If a quotation mark encloses whole rows.
        """
        has_quotes = [i for i, line in enumerate(self.lines) if '"' in line]
        if any(self.lines[i].count('"') % 2 for i in has_quotes):
            return self._rows_of_several_lines()
        counts = np.array([line.count(self.delimiter) + 1 for line in self.lines], np.intp)
        for i in has_quotes:
            counts[i] = len(_fields(self.lines[i], self.delimiter))
        return counts, self.numbers

    def columns(
        self, counts: NDArray[np.intp], lines: NDArray[np.intp], path: str | os.PathLike[str]
    ) -> list[str | None]:
        """Return a name per field of the longest row; None for fields without one.

        R writes row names that have no field in the header, and spreadsheets write delimiters after
        the last field.

        Parameters
        ----------
        counts, lines : ndarray of int of shape (n_rows,)
            From `rows`.
        path : path-like
            The file, for the error message.

        Raises
        ------
        ValueError
            If rows have more fields than the header, and these are neither numbers of rows nor
            empty.
        """
        n_fields, header = len(self.header), [field.strip() for field in self.header]
        if not (counts > n_fields).any():
            return [*header]
        fields = split_fields((f"{line}\n" for line in self.lines), self.delimiter, path)
        n_named = [
            max((i for i, field in enumerate(row, 1) if field.strip()), default=0) for row in fields
        ]
        is_wrong = np.array(n_named) > n_fields
        if not is_wrong.any():
            return [*header, *[None] * (int(counts.max()) - n_fields)]
        numbers = [row[0].strip() for row in fields]
        if (counts == n_fields + 1).all() and numbers == [
            str(i) for i in range(1, 1 + len(fields))
        ]:
            return [None, *header]
        first = int(is_wrong.argmax())
        raise ValueError(
            f"{path} is not a table with one row per line: it has more fields in its rows than in "
            f"its header ({n_named[first]} in line {lines[first]:,}, {n_fields} in the header). "
            "Name every column, and write the file without row names; quote fields that hold the "
            "delimiter."
        )

    def _rows_of_several_lines(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        reader = csv.reader(self.lines, delimiter=self.delimiter)
        counts, ends = [], [0]
        try:
            for row in reader:
                counts.append(len(row))
                ends.append(reader.line_num)
        except csv.Error as error:
            raise ValueError(f"line {self.numbers[ends[-1]]:,}: {error}.") from error
        for start, stop in pairwise(ends):
            self._check_quotes(start, stop)
        return np.array(counts, np.intp), self.numbers[ends[:-1]]

    def _check_quotes(self, start: int, stop: int) -> None:
        """Raise ValueError if one row consists of several lines that are rows themselves."""
        n_delimiters = max(1, len(self.header) - 1)
        is_row = [line.count(self.delimiter) >= n_delimiters for line in self.lines[start:stop]]
        # The first and the last line of a field that has several lines hold parts of one row.
        if len(is_row) > 1 and (all(is_row) or any(is_row[1:-1])):
            raise ValueError(
                f"line {self.numbers[start]:,} has a quotation mark that is closed in line "
                f"{self.numbers[stop - 1]:,} only, so that whole rows are one field; remove it, or "
                "close it."
            )


def _are_rows(lines: list[str], header: int, delimiter: str, n_fields: int) -> NDArray[np.bool_]:
    """Return which lines are rows: those below the header that are neither empty nor comments.

    Lines with `n_fields` fields are no comments, even if they begin as one.
    """
    empty = f' "{delimiter}'
    is_row = np.fromiter((bool(line.strip().strip(empty)) for line in lines), np.bool_, len(lines))
    is_row[: header + 1] = False
    for i in _comments(lines, header + 1):
        is_row[i] &= len(_fields(lines[i], delimiter)) == n_fields
    return is_row


def find_delimiter(header: str) -> str:
    """Return the tab, comma or semicolon that occurs most often in the first line of a table."""
    return max(_DELIMITERS, key=header.count)


def split_fields(
    lines: Iterable[str], delimiter: str, path: str | os.PathLike[str]
) -> list[list[str]]:
    """Return the fields of each row; quoted fields may hold delimiters and line ends.

    Parameters
    ----------
    lines : iterable of str
        Lines of a table.
    delimiter : str
        From `find_delimiter`.
    path : path-like
        The file, for the error message.

    Raises
    ------
    ValueError
        If the lines are not delimited text.
    """
    rows: list[list[str]] = []
    try:
        for row in csv.reader(lines, delimiter=delimiter):
            rows.append(row)
            if len(row) > MAX_FIELDS:
                raise csv.Error(f"a row has {len(row):,} fields, more than {MAX_FIELDS:,}")
        return rows
    except csv.Error as error:
        raise ValueError(f"{path} is not a table: {error}.") from error


def is_repeated_header(fields: Sequence[str], header: Sequence[str]) -> bool:
    """Return whether a row is the header again, as in files that were joined.

    Raises
    ------
    ValueError
        If it has the names of the header in another order.
    """
    names, expected = ([each.strip().lower() for each in row] for row in (fields, header))
    if names == expected:
        return True
    if len(names) > 1 and sorted(names) == sorted(expected):
        raise ValueError("has the columns of the header in another order")
    return False


def is_comment(line: str) -> bool:
    """Return whether a line begins with ``#``, ``%`` or ``!``, but not with an error value."""
    if not line.startswith(_COMMENTS):
        return False
    first = re.split(r"[\t,;]", line, maxsplit=1)[0]
    return not is_spreadsheet_error(first)


def is_spreadsheet_error(text: str) -> bool:
    """Return whether a field is an error of a spreadsheet, such as ``#N/A`` or ``#NAME?``."""
    return _SPREADSHEET_ERROR.fullmatch(text.strip()) is not None


def _fields(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return line.split(delimiter)


def _comments(lines: list[str], start: int) -> Iterator[int]:
    """Yield the comments below the header that are not within a quoted field."""
    candidates = [i for i in range(start, len(lines)) if is_comment(lines[i])]
    done, n_quotes = start, 0
    for i in candidates:
        n_quotes += sum(line.count('"') for line in lines[done:i])
        done = i
        if n_quotes % 2 == 0:
            yield i
