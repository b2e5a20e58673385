"""Tables of evidence: delimited text and parquet files, and rows with usable names."""

import io
import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._warnings import warn
from ..files import (
    MAX_FIELDS,
    DelimitedText,
    decode_text,
    is_parquet,
    is_repeated_header,
    prefix_errors,
    read_content,
    size_limit,
    unescape_formula,
)
from ..names import (
    LINE,
    REPRESSION,
    CleanNames,
    RowUse,
    clean_names,
    column_key,
    describe_dates,
    examples,
    places,
    serial_dates,
)

_VALUE_BYTES = 8
_ROW_OF_ERROR = re.compile(r"starting at row (\d+)")


def read_table(
    path: str | os.PathLike[str],
    *,
    known: Sequence[str],
    check_header: Callable[[Sequence[str], str], None],
    missing_header: Callable[[str], Sequence[str] | None] | None = None,
) -> pd.DataFrame:
    """Read a parquet or delimited text file; the format is detected from the content.

    Text may be gzip-compressed, UTF-8 or UTF-16, with any line ends (LF, CRLF, CR) and tabs, commas
    or semicolons between fields, whatever its extension. Comments (``#``, ``%``, ``!``), empty rows
    and repeated headers are left out. Values stay strings, so that genes called ``NA`` or
    ``MARCH1`` are kept.

    Parameters
    ----------
    path : path-like
        The file.
    known : sequence of str
        Names of columns that the caller knows; they identify a header that begins with ``#``.
    check_header : callable
        Raises an error for names of columns that the caller does not accept. Its arguments are the
        names in the file, which may repeat, and the path.
    missing_header : callable, optional
        Returns the names of the columns of a known file without a header, given its first line;
        None for other files. If this line has tabs, these are the delimiter.

    Returns
    -------
    DataFrame
        Of text, its index called ``"line"`` has the line of each row in the file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is empty, damaged, binary or not a table; the message names the line.
    ImportError
        If the file is parquet and pyarrow is not installed.
    """
    content = read_content(path)
    if is_parquet(content):
        return _read_parquet(content, path)
    return _parse(_find_rows(content, path, known, check_header, missing_header), path)


def _find_rows(
    content: bytes,
    path: str | os.PathLike[str],
    known: Sequence[str],
    check_header: Callable[[Sequence[str], str], None],
    missing_header: Callable[[str], Sequence[str] | None] | None,
) -> DelimitedText:
    """Return the rows of a text file, with a checked header."""
    keys = set(map(column_key, known))
    lines = require_lines(decode_text(content, path), path)
    with prefix_errors(path):
        text = DelimitedText.from_text(lines, lambda name: column_key(name) in keys)
    names = None if missing_header is None else missing_header(text.header_line)
    if names is not None:
        text = replace(
            text,
            header=list(names),
            delimiter="\t" if "\t" in text.header_line else text.delimiter,
            lines=[text.header_line, *text.lines],
            numbers=np.concatenate([[text.header_number], text.numbers]),
        )
    else:
        check_header([field.strip() for field in text.header], str(path))
    return text


def require_lines(text: str, path: str | os.PathLike[str]) -> str:
    """Return text unchanged; raise an error if it has no line that is not empty."""
    if not text.strip():
        raise ValueError(f"{Path(path)} is empty; it should hold TFs and their targets or motifs.")
    return text


@dataclass(frozen=True)
class NamedRows:
    """Rows of a table whose names can be used.

    Attributes
    ----------
    table : DataFrame
        Rows with usable names, without additions to these.
    rows : RowUse
        Number of rows that are used, and reasons why others are not.
    """

    table: pd.DataFrame
    rows: RowUse

    @classmethod
    def from_table(
        cls,
        table: pd.DataFrame,
        roles: Mapping[str, str],
        source: str,
        *,
        allow_any: bool = False,
        own: Collection[str] = (),
        unites_signs: bool = True,
    ) -> Self:
        """Keep the rows whose names can be used, and warn about the others.

        Parameters
        ----------
        table : DataFrame
            A table, perhaps from `read_table`.
        roles : mapping of str to str
            The columns of names, by what they name ("TF", "target", "motif").
        source : str
            The argument or file, for messages.
        allow_any : bool, default=False
            Whether all text is a name, as in links tables.
        own : collection of str, default=()
            Names of genes in the data, which are names whatever they look like.
        unites_signs : bool, default=True
            Whether the rows may be of activated and of repressed targets, for the warning.

        Returns
        -------
        NamedRows

        Raises
        ------
        ValueError
            If there are rows but none has all names, or if a column cannot hold names.

        Warns
        -----
        UserWarning
            If names are missing or are dates, or if regulons of repressed targets are used.
        """
        with prefix_errors(source):
            cleaned = {
                role: clean_names(table[column], allow_any=allow_any, own=own)
                for role, column in roles.items()
            }
        is_usable = np.logical_and.reduce([names.is_usable for names in cleaned.values()])
        rows, problems = RowUse(len(table)), []
        is_counted = np.zeros(len(table), np.bool_)
        for role, names in cleaned.items():
            for reason, is_affected in (
                (f"no {role}", names.is_missing),
                (f"{role} is a date", names.is_date),
            ):
                is_new = is_affected & ~is_counted
                is_counted |= is_new
                rows = rows.without(reason, int(np.count_nonzero(is_new)))
                if is_new.any():
                    problems.append(_problem(reason, is_new, names, table.index))
        _report(problems, rows, source)
        plain = {roles[role]: names.names for role, names in cleaned.items()}
        notes = _notes(cleaned, source, unites_signs)
        table = table.assign(**plain)
        # Without a copy of large tables, if possible.
        return cls(table if is_usable.all() else table[is_usable], replace(rows, notes=notes))


def _problem(
    reason: str, is_affected: NDArray[np.bool_], names: CleanNames, index: "pd.Index[Any]"
) -> str:
    text = f"{reason}: {np.count_nonzero(is_affected):,} ({places(index, is_affected)})"
    if not reason.endswith("date"):
        return text
    found = {name: names.dates[name] for name in pd.unique(names.names[is_affected])}
    return f"{text}, {describe_dates(found)}"


def _report(problems: list[str], rows: RowUse, source: str) -> None:
    """Warn about rows without usable names; raise an error if no other row is left."""
    if not problems:
        return
    found = "; ".join(problems)
    if not rows.n_used:
        raise ValueError(f"{source}: no row has usable names ({found}). Fill in the names.")
    is_date = any("is a date" in problem for problem in problems)
    advice = "Format the column as text before you enter symbols into a spreadsheet. "
    warn(
        f"{source}: {rows.n_rows - rows.n_used:,} of {rows.n_rows:,} rows are not used ({found}). "
        f"{advice if is_date else ''}Correct these rows, or remove them."
    )


def _notes(cleaned: Mapping[str, CleanNames], source: str, unites_signs: bool) -> tuple[str, ...]:
    """Return the changes of names, and warn about signs and about numbers that were dates."""
    notes = []
    for role, names in cleaned.items():
        serials = serial_dates(pd.unique(names.names))
        if serials:
            warn(
                f"{source}: {len(serials):,} {role} names are numbers that a spreadsheet may have "
                f"made of symbols ({describe_dates(serials)}). They are used as they are; restore "
                "the symbols."
            )
        for addition, changed in names.additions.items():
            notes.append(
                f"{addition} removed from {len(changed):,} {role} names ({examples(changed, 3)})"
            )
            if addition == REPRESSION and unites_signs:
                warn(
                    f"{source}: {len(changed):,} {role} names are regulons of repressed targets "
                    f"({examples(changed, 3)}). Their targets are used like those of activated "
                    "ones, because binding evidence has no sign; remove these rows or sets if "
                    "they are no evidence."
                )
    return tuple(notes)


def _parse(text: DelimitedText, path: str | os.PathLike[str]) -> pd.DataFrame:
    """Return the rows as a table of text, whose index is the line of each row."""
    with prefix_errors(path):
        counts, lines = text.rows()
    fields = text.columns(counts, lines, path)
    numbered = iter(_unique([field for field in fields if field is not None]))
    names = [None if field is None else next(numbered) for field in fields]
    options: dict[str, Any] = {
        "sep": text.delimiter,
        "header": None,
        "names": range(len(names)),
        "dtype": str,
        "keep_default_na": False,
        "index_col": False,
        "skip_blank_lines": False,
    }
    if not len(counts):
        return pd.DataFrame(columns=[name for name in names if name], dtype=object)
    try:
        body, header = io.BytesIO("\n".join(text.lines).encode()), text.header
        has_apostrophes = any("'" in line for line in text.lines)
        del text  # its lines take more memory than the table
        table: pd.DataFrame = pd.read_csv(body, **options)
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        _refuse(error, lines, path)
    if len(table) != len(lines):
        raise ValueError(f"{path} is not a table with one row per line; check its quotation marks.")
    table.index = pd.Index(lines, name=LINE)
    table = table.apply(lambda column: column.str.strip())
    if has_apostrophes:
        table = table.map(unescape_formula, na_action="ignore")
    table = _without_repeated_header(table, header, path)
    is_named = [name is not None for name in names]
    return table.loc[:, is_named].set_axis([name for name in names if name is not None], axis=1)


def _refuse(error: Exception, lines: NDArray[np.intp], path: str | os.PathLike[str]) -> NoReturn:
    found = str(error)
    if match := _ROW_OF_ERROR.search(found):
        line = lines[min(int(match[1]), len(lines) - 1)]
        found = f"line {line:,} has a quotation mark that is never closed; remove it, or close it."
    raise ValueError(f"{path} is not a table with one row per line: {found}") from error


def _unique(header: Sequence[str]) -> list[str]:
    """Return names of columns with a number after those that occurred before."""
    seen: dict[str, int] = {}
    names = []
    for name in header:
        seen[name] = seen.get(name, -1) + 1
        names.append(f"{name}.{seen[name]}" if seen[name] else name)
    return names


def _without_repeated_header(
    table: pd.DataFrame, header: Sequence[str], path: str | os.PathLike[str]
) -> pd.DataFrame:
    """Return a table without the headers of other files that were appended to the first."""
    names = {name.lower() for name in header}
    codes, uniques = pd.factorize(table[0])
    is_header = np.isin(codes, [i for i, text in enumerate(uniques) if text.lower() in names])
    for i in np.flatnonzero(is_header):
        fields = table.iloc[i].dropna().astype(str).tolist()
        try:
            is_header[i] = is_repeated_header(fields[: len(header)], header)
        except ValueError as error:
            raise ValueError(
                f"{path}: line {table.index[int(i)]:,} {error}; join tables of equal columns only."
            ) from error
    return table[~is_header] if is_header.any() else table


def _read_parquet(content: bytes, path: str | os.PathLike[str]) -> pd.DataFrame:
    try:
        _check_parquet_size(content)
        return pd.read_parquet(io.BytesIO(content), engine="pyarrow")
    except ImportError as error:
        raise ImportError(
            f"{path} is a parquet file; reading it requires pyarrow: pip install pyarrow."
        ) from error
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} is a damaged parquet file ({error}); get it again.") from error


def _check_parquet_size(content: bytes) -> None:
    """Raise an error for a table that takes far more memory than the size of the file explains."""
    import pyarrow.parquet

    metadata = pyarrow.parquet.read_metadata(io.BytesIO(content))
    if metadata.num_columns > MAX_FIELDS:
        raise ValueError(f"it has {metadata.num_columns:,} columns, more than {MAX_FIELDS:,}")
    # Lists have more values than rows.
    n_values = metadata.num_rows * metadata.num_columns
    for group in map(metadata.row_group, range(metadata.num_row_groups)):
        listed = (group.column(i).num_values for i in range(group.num_columns))
        n_values += sum(max(each - group.num_rows, 0) for each in listed)
    declared = n_values * _VALUE_BYTES
    limit = size_limit(len(content))
    if declared > limit:
        raise ValueError(
            f"it declares {metadata.num_rows:,} rows of {metadata.num_columns:,} columns, more "
            f"than {limit:,} bytes, the limit for a file of {len(content):,} bytes"
        )
