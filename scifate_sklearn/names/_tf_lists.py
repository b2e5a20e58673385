"""Files of TF names: plain lists and tables of known sources."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._warnings import warn
from ..files import (
    AdvisedError,
    DelimitedText,
    is_repeated_header,
    prefix_errors,
    read_text,
    split_fields,
    unescape_formula,
)
from ._additions import without_quotes
from ._codes import CleanNames, clean_names
from ._columns import check_unique, column_key
from ._dates import describe_dates
from ._examples import examples
from ._rows import LINE, RowUse, places

# The columns that identify a source, and the one with the symbols of its TFs.
_LAYOUTS = (
    (("TF",), "TF"),  # RcisTarget's motif annotation
    (("#motif_id", "gene_name"), "gene_name"),  # cisTarget's motif annotation (.tbl)
    (("Species", "Symbol", "Ensembl", "Family"), "Symbol"),  # AnimalTFDB
    (("HGNC symbol", "Is TF?"), "HGNC symbol"),  # Lambert et al. 2018
)
# Lambert's table holds all genes that were examined.
_VERDICT_COLUMN = "Is TF?"
_IS_TF = ("yes", "y", "true", "t", "1")
# Tables of links hold the names of the cells, so any text is a name.
_LINKS_COLUMNS = ("TF", "target", "coef")
# Names of the column of row numbers that R and pandas write.
_NUMBER_COLUMNS = ("", "unnamed0")


class TFNames(list[str]):
    """Names of TFs from a file.

    Attributes
    ----------
    rows : RowUse
        Number of rows, how many of them are used, and why others are not.
    originals : tuple of str
        Texts of the file that are not among the names as they are, such as ``nan``, dates and
        ``Ar(+)``. They are TFs if the cells have a gene of exactly this name.
    """

    def __init__(self, names: Iterable[str], rows: RowUse, originals: Iterable[str] = ()) -> None:
        super().__init__(names)
        self.rows = rows
        self.originals = tuple(originals)

    def __repr__(self) -> str:
        return super().__repr__() + (f"  # {self.rows}" if self.rows.unused else "")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (list(self), self.rows, self.originals)


def read_tf_names(path: str | os.PathLike[str], *, column: str | None = None) -> TFNames:
    """Read the names of TFs from a file.

    Parameters
    ----------
    path : path-like
        A plain list, one name a line, or a table with a header (delimited by tabs, commas or
        semicolons, whatever its extension): with a column ``TF`` (RcisTarget's motif annotation),
        cisTarget's ``.tbl`` (column ``gene_name``), AnimalTFDB's (column ``Symbol``) or that of
        Lambert et al. 2018 (column ``HGNC symbol``, rows whose ``Is TF?`` is Yes). It may be
        gzip-compressed. Comments (``#``, ``%``, ``!``) and the row numbers of R and pandas are left
        out; names of columns may be in any letter case.
    column : str, optional
        Column with the names, for other tables or other names, such as AnimalTFDB's ``Ensembl`` or
        Lambert's ``Ensembl ID``.

    Returns
    -------
    TFNames
        A list of str: each name once, in the order of the file, without additions such as
        ``(human)`` and ``(+)``. Its attribute ``rows`` tells how many rows are used. Others have no
        name (``NA``, ``-`` and the like; in tables of links any text is a name), a date in place of
        a name, a repeated name, or are no TF.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is not text or holds no name; if it is a table of several columns, none of them
        known, or without `column`, or with two such columns; or if it holds gene sets.

    Warns
    -----
    UserWarning
        If names are missing or are dates, with the lines of the first of them.

    References
    ----------
    Lambert, S. A. et al. (2018). The Human Transcription Factors. Cell 172, 650–665.
    """
    content = read_text(path)
    with prefix_errors(path):
        text = DelimitedText.from_text(content, _is_known(column))
    header = [without_quotes(field) for field in text.header]
    name = column if column is not None else _known_column(header)
    if name is None and sum(map(bool, header)) < 2 and not _is_row_numbers(header):
        given, rows = _plain_list(text)
    else:
        table = _Table.from_text(text, header, path)
        name = table.other_column() if name is None else name
        given, rows = table.without_row_numbers(text).names(name)
    allow_any = set(_LINKS_COLUMNS) <= set(header)
    return _as_tf_names(clean_names(given, allow_any=allow_any), rows, path)


@dataclass(frozen=True)
class _Table:
    """A table as lists of fields.

    Attributes
    ----------
    header : list of str
    fields : list of list of str
        The fields of each row.
    lines : ndarray of int of shape (n_rows,)
        The line of each row in the file.
    delimiter : str
    path : path-like
    """

    header: list[str]
    fields: list[list[str]]
    lines: NDArray[np.intp]
    delimiter: str
    path: str | os.PathLike[str]

    @classmethod
    def from_text(
        cls, text: DelimitedText, header: list[str], path: str | os.PathLike[str]
    ) -> Self:
        # With line ends, which are part of a quoted name of several lines.
        fields = split_fields((f"{line}\n" for line in text.lines), text.delimiter, path)
        with prefix_errors(path):
            _, lines = text.rows()
            kept = [i for i, row in enumerate(fields) if not is_repeated_header(row, text.header)]
        return cls(header, [fields[i] for i in kept], lines[kept], text.delimiter, path)

    def without_row_numbers(self, text: DelimitedText) -> Self:
        """Return the table without a first field that the header lacks, which R writes.

        Raise an error if rows have other fields beyond those of the header.
        """
        if text.columns(*text.rows(), self.path)[:1] != [None]:
            return self
        return replace(self, fields=[row[1:] for row in self.fields])

    def names(self, column: str) -> tuple["pd.Series[Any]", RowUse]:
        """Return the fields of a column; in Lambert's table, only those of TFs."""
        index = self._position(column)
        rows = self.fields
        is_tf = np.ones(len(rows), np.bool_)
        keys = list(map(column_key, self.header))
        if column_key(_VERDICT_COLUMN) in keys:
            verdict = keys.index(column_key(_VERDICT_COLUMN))
            verdicts = [row[verdict].strip().lower() if len(row) > verdict else "" for row in rows]
            is_tf = np.isin(verdicts, _IS_TF)
        names = [unescape_formula(row[index].strip()) if len(row) > index else "" for row in rows]
        given = pd.Series(names, pd.Index(self.lines, name=LINE), dtype=object, name="TF")
        use = RowUse(len(rows)).without("no TF by verdict", int(np.count_nonzero(~is_tf)))
        return given[is_tf], use

    def other_column(self) -> str:
        """Return the only column beside row numbers; raise an error if there are several."""
        if _holds_gene_sets(self):
            raise AdvisedError(
                f"{self.path} holds gene sets (GMT), not TFs: each line has the name of a set, a "
                "description and genes. Give a file with the name of one TF per line.",
                "Gene sets are evidence, for `BindingReference.read`.",
                "Gene sets are evidence, for --encode.",
            )
        if len(self.header) == 2 and _is_row_numbers(self.header):
            return self.header[1]
        raise AdvisedError(
            f"{self.path} has no column 'TF' (found {examples(self.header)}).",
            "Pass the name of the column with the TFs as `column`.",
            "Give the column with the TFs the name TF.",
        )

    def _position(self, column: str) -> int:
        """Return the position of a column, by its exact name or another spelling of it."""
        if self.header.count(column) == 1:
            return self.header.index(column)
        check_unique(self.header, [column], str(self.path))
        keys = list(map(column_key, self.header))
        if column_key(column) not in keys:
            raise ValueError(
                f"{self.path} has no column {column!r} (found {examples(self.header)})."
            )
        return keys.index(column_key(column))


def _plain_list(text: DelimitedText) -> tuple["pd.Series[Any]", RowUse]:
    """Return the names of a list, one a line, perhaps with delimiters after them."""
    lines = [text.header_line, *text.lines] if text.header else []
    numbers = np.concatenate([[text.header_number], text.numbers]) if text.header else text.numbers
    names = [without_quotes(_only_field(line, text.delimiter)) for line in lines]
    return pd.Series(names, pd.Index(numbers, name=LINE), dtype=object), RowUse(len(names))


def _only_field(line: str, delimiter: str) -> str:
    """Return the only field of a line that is not empty; the line if there are several."""
    fields = [field for field in line.split(delimiter) if field.strip()]
    return unescape_formula((fields[0] if len(fields) == 1 else line).strip())


def _as_tf_names(names: CleanNames, rows: RowUse, path: str | os.PathLike[str]) -> TFNames:
    """Return the usable names, each once, and warn about the others."""
    problems = []
    for reason, is_affected in (("no name", names.is_missing), ("a date", names.is_date)):
        count = int(np.count_nonzero(is_affected))
        rows = rows.without(reason, count)
        if count:
            problems.append(f"{reason}: {count:,} ({places(names.names.index, is_affected)})")
    usable = names.names[names.is_usable]
    distinct = list(dict.fromkeys(usable))
    rows = rows.without("repeated name", len(usable) - len(distinct))
    if not distinct:
        found = problems or [f"{reason}: {count:,}" for reason, count in rows.unused.items()]
        reasons = f" ({'; '.join(found)})" if found else ""
        raise ValueError(f"{path} holds no TF name{reasons}.")
    if problems:
        dates = describe_dates(names.dates)
        warn(
            f"{path}: {rows.unused.get('no name', 0) + rows.unused.get('a date', 0):,} of "
            f"{rows.n_rows:,} rows name no TF and are not used ({'; '.join(problems)}"
            f"{': ' + dates if dates else ''}). Correct these rows, or remove them."
        )
    return TFNames(distinct, rows, names.originals)


def _is_known(column: str | None) -> Any:
    keys = {column_key(name) for marks, _ in _LAYOUTS for name in marks}
    if column is not None:
        keys.add(column_key(column))
    return lambda name: column_key(name) in keys


def _known_column(header: list[str]) -> str | None:
    keys = set(map(column_key, header))
    return next((name for marks, name in _LAYOUTS if set(map(column_key, marks)) <= keys), None)


def _is_row_numbers(header: list[str]) -> bool:
    """Return whether the first column has no name, as that of row numbers."""
    return len(header) > 1 and column_key(header[0]) in _NUMBER_COLUMNS and bool(header[1])


def _holds_gene_sets(table: _Table) -> bool:
    """Return whether lines are gene sets: by the extension, or by their numbers of fields."""
    if os.fspath(table.path).lower().removesuffix(".gz").endswith(".gmt"):
        return True
    lengths = {len(row) for row in table.fields} | {len(table.header)}
    return table.delimiter == "\t" and min(lengths) > 2 and len(lengths) > 1
