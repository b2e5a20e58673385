"""Tables of evidence: delimited text and parquet files, and columns of flags."""

import io
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..files import (
    decode_text,
    find_delimiter,
    read_content,
    size_limit,
    split_fields,
    unescape_formula,
)

_PARQUET_MAGIC = b"PAR1"
_VALUE_BYTES = 8
_FLAGS = {"0": False, "0.0": False, "false": False, "1": True, "1.0": True, "true": True}


def read_table(
    path: str | os.PathLike[str],
    *,
    check_header: Callable[[Sequence[str], str], None],
    missing_header: Callable[[str], Sequence[str] | None] | None = None,
) -> pd.DataFrame:
    """Read a parquet or delimited text file; the format is detected from the content.

    Text may be gzip-compressed, have a byte order mark, any line ends (LF, CRLF, CR) and tabs,
    commas or semicolons between fields, whatever its extension. Values stay strings, so that genes
    called ``NA`` or ``MARCH1`` are kept.

    Parameters
    ----------
    path : path-like
        The file.
    check_header : callable
        Raises an error for names of columns that the caller does not accept. Its arguments are the
        names in the file, which pandas would make unique, and the path.
    missing_header : callable, optional
        Returns the names of the columns of a known tab-separated file without a header, given its
        first line; None for other files.

    Returns
    -------
    DataFrame

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is empty, damaged, binary or not a table.
    ImportError
        If the file is parquet and pyarrow is not installed.
    """
    content = read_content(path)
    if content.startswith(_PARQUET_MAGIC):
        return _read_parquet(content, path)
    text = require_lines(decode_text(content, path), path)
    header = text.partition("\n")[0]
    names = None if missing_header is None else missing_header(header)
    # The annotation is required because pandas-stubs have no overload with all these options.
    options: dict[str, Any] = {"dtype": str, "keep_default_na": False}
    if names is not None:
        options |= {"sep": "\t", "header": None, "names": list(names)}
    else:
        options |= {"sep": find_delimiter(header)}
        fields = split_fields([header], options["sep"], path)[0]
        check_header([field.strip() for field in fields], str(path))
    try:
        table: pd.DataFrame = pd.read_csv(io.StringIO(text), **options)
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise ValueError(f"{path} is not a table with one row per line: {error}") from error
    table = _without_row_names(table, path)
    table = table.rename(columns=lambda name: str(name).strip()).apply(lambda c: c.str.strip())
    return table.map(unescape_formula, na_action="ignore") if "'" in text else table


def require_lines(text: str, path: str | os.PathLike[str]) -> str:
    """Return text from its first line that is not empty; raise an error if there is none."""
    if not text.strip():
        raise ValueError(f"{Path(path)} is empty; it should hold TFs and their targets or motifs.")
    return text.lstrip("\n")


def as_flags(column: "pd.Series[Any]") -> NDArray[np.bool_]:
    """Return a column of 0/1, booleans or their text as booleans.

    Raises
    ------
    ValueError
        If it holds other values.
    """
    try:
        codes, uniques = pd.factorize(column, use_na_sentinel=False)
    except TypeError as error:
        raise ValueError(
            f"Column {column.name!r} must hold 0/1 or False/True ({error})."
        ) from error
    flags = [_FLAGS.get(str(value).strip().lower()) for value in uniques]
    wrong = [value for value, flag in zip(uniques, flags, strict=True) if flag is None]
    if wrong:
        raise ValueError(
            f"Column {column.name!r} must hold 0/1 or False/True, found {wrong[0]!r}"
            + (f" and {len(wrong) - 1} other values." if len(wrong) > 1 else ".")
        )
    return np.array(flags, dtype=np.bool_)[codes]


def _without_row_names(table: pd.DataFrame, path: str | os.PathLike[str]) -> pd.DataFrame:
    """Return a table without R's row names, which have no field in the header."""
    # If rows have one field more than the header, pandas uses the first as the index.
    if isinstance(table.index, pd.RangeIndex):
        return table
    if list(table.index) != [str(i) for i in range(1, len(table) + 1)]:
        raise ValueError(
            f"{path} has more fields in its rows than in its header; name every column, or write "
            "the file without row names and trailing delimiters."
        )
    return table.reset_index(drop=True)


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
