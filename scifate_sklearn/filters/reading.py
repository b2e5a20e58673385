"""Binding evidence from files: delimited text, gene-set (GMT) and parquet files to tables."""

import csv
import gzip
import io
import os
import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pandas as pd

TF_COLUMNS = ("TF", "id")
TARGET_COLUMNS = ("target", "linked_gene_name", "gene_symbol")
PEAK_COLUMN = "peak"

_DELIMITERS = ("\t", ",", ";")
_GZIP_MAGIC = b"\x1f\x8b"
_PARQUET_MAGIC = b"PAR1"


def read_table(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read a parquet or delimited text file; what it is is told from its content.

    Text may be gzip-compressed, have a byte-order mark, any line ends (LF, CRLF, CR) and tabs,
    commas or semicolons between fields, whatever the extension says. Values stay strings, so genes
    called ``NA`` or ``MARCH1`` survive.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is empty, damaged, binary or not a table.
    ImportError
        If the file is parquet and pyarrow is not installed.
    """
    path = Path(path)
    raw = _read_bytes(path)
    if raw.startswith(_PARQUET_MAGIC):
        return _read_parquet(path, raw)
    text = _decode(path, raw)
    header = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=header.count)
    # pandas would rename the second of two columns with one name.
    _check_once(next(csv.reader([header], delimiter=delimiter)), str(path))
    try:
        # The cast is for pandas-stubs, which know no overload with all these options.
        options: dict[str, Any] = {"sep": delimiter, "dtype": str, "keep_default_na": False}
        table: pd.DataFrame = pd.read_csv(io.StringIO(text), **options)
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise ValueError(
            f"{path} is not a table with one line per TF and target: {error}"
        ) from error
    # Where rows have one field more than the header, pandas takes the first for their names. R
    # writes such files, and its names are the numbers of the rows.
    if not isinstance(table.index, pd.RangeIndex):
        if list(table.index) != [str(i) for i in range(1, len(table) + 1)]:
            raise ValueError(
                f"{path} has more fields in its rows than in its header; give every column a name, "
                "or write the file without row names and trailing separators."
            )
        table = table.reset_index(drop=True)
    return table.rename(columns=lambda name: str(name).strip()).apply(lambda c: c.str.strip())


def read_gmt(
    path: str | os.PathLike[str], tf_of_set: Callable[[str], str | None]
) -> tuple[list[str], list[str]]:
    """Read a gene-set file, one line per set: name, description, genes, separated by tabs.

    Parameters
    ----------
    path : path-like
        The file, gzip-compressed or not. Weights behind a gene (``GENE,1.0``) are dropped.
    tf_of_set : callable
        From a set's name to its TF; None leaves the set out.

    Returns
    -------
    tfs, targets : list of str
        One entry per gene of a set.

    Raises
    ------
    FileNotFoundError, ValueError
        As `read_table`; and if no line is a gene set.
    """
    path = Path(path)
    tfs: list[str] = []
    targets: list[str] = []
    for line in _decode(path, _read_bytes(path)).split("\n"):
        name, *fields = line.split("\t")
        genes = [field.split(",")[0].strip() for field in fields[1:]]
        genes = [gene for gene in genes if gene]
        tf = tf_of_set(name.strip()) if genes else None
        if tf is not None:
            tfs += [tf] * len(genes)
            targets += genes
    if not tfs:
        raise ValueError(
            f"{path} holds no gene set: a GMT file has lines of the set's name, a description and "
            "its genes, separated by tabs, and `tf_of_set` must name a TF for some of them."
        )
    return tfs, targets


def evidence_columns(table: pd.DataFrame, source: str) -> dict[str, str]:
    """Return which columns of `table` are ``TF``, ``target`` and, if there, ``peak``.

    Raises
    ------
    TypeError
        If `table` is no DataFrame.
    ValueError
        If the TF or the target column is missing, or there is more than one.
    """
    if not isinstance(table, pd.DataFrame):
        raise TypeError(
            f"{source} must be a pandas DataFrame with the columns TF, target and maybe peak, got "
            f"{type(table).__name__}. Files are for `BindingReference.read`."
        )
    found = {
        role: next((name for name in accepted if name in table.columns), None)
        for role, accepted in (("TF", TF_COLUMNS), ("target", TARGET_COLUMNS))
    }
    missing = [role for role, name in found.items() if name is None]
    if missing:
        found_names = ", ".join(repr(str(name)[:40]) for name in table.columns[:8])
        raise ValueError(
            f"{source} has no column for {' and '.join(missing)}; found {found_names}. "
            f"Name the TF column one of {TF_COLUMNS}, the target column one of {TARGET_COLUMNS}; "
            "a column 'peak' (0/1) is optional. Gene sets are for `BindingReference.from_gmt`."
        )
    _check_once(table.columns, source)
    columns = {role: name for role, name in found.items() if name is not None}
    return columns | ({"peak": PEAK_COLUMN} if PEAK_COLUMN in table.columns else {})


def _check_once(columns: Iterable[Any], source: str) -> None:
    counts = Counter(str(name).strip() for name in columns)
    for name in (*TF_COLUMNS, *TARGET_COLUMNS, PEAK_COLUMN):
        if counts[name] > 1:
            raise ValueError(
                f"{source} has {counts[name]} columns called {name!r}; rename all but one."
            )


def _read_bytes(path: Path) -> bytes:
    if not path.is_file():
        raise FileNotFoundError(
            f"There is no file {path}. Give the path of a local file; download a URL first."
        )
    raw = path.read_bytes()
    if raw.startswith(_GZIP_MAGIC):
        try:
            raw = gzip.decompress(raw)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"{path} is a damaged gzip file ({error}); get it again.") from error
    return raw


def _decode(path: Path, raw: bytes) -> str:
    """Return the text of a file with newlines as the only line ends."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise ValueError(
            f"{path} is not UTF-8 text (it begins with {raw[:8]!r}); save it as csv, tsv, GMT or "
            "parquet, from a spreadsheet as 'CSV UTF-8'."
        )
    if not text.strip():
        raise ValueError(f"{path} is empty; it should hold TFs and their targets.")
    return text.replace("\r\n", "\n").replace("\r", "\n").lstrip("\n")


def _read_parquet(path: Path, raw: bytes) -> pd.DataFrame:
    try:
        return pd.read_parquet(io.BytesIO(raw), engine="pyarrow")
    except ImportError as error:
        raise ImportError(
            f"{path} is a parquet file; reading it needs pyarrow: "
            "pip install 'scifate_sklearn[parquet]'."
        ) from error
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} is a damaged parquet file ({error}); get it again.") from error
