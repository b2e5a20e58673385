"""Binding evidence from files: delimited text, gene-set (GMT) and parquet files to tables."""

import gzip
import io
import os
import zlib
from collections.abc import Callable
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
    try:
        # The cast is for pandas-stubs, which know no overload with all these options.
        options: dict[str, Any] = {"sep": delimiter, "dtype": str, "keep_default_na": False}
        table: pd.DataFrame = pd.read_csv(io.StringIO(text), **options)
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise ValueError(
            f"{path} is not a table with one line per TF and target: {error}"
        ) from error
    return table.rename(columns=lambda name: str(name).strip())


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
    ValueError
        If the TF or the target column is missing.
    """
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
    columns = {role: name for role, name in found.items() if name is not None}
    return columns | ({"peak": PEAK_COLUMN} if PEAK_COLUMN in table.columns else {})


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
    if not raw.strip():
        raise ValueError(f"{path} is empty; it should hold TFs and their targets.")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise ValueError(
            f"{path} is not UTF-8 text (it begins with {raw[:8]!r}); save it as csv, tsv, GMT or "
            "parquet, from a spreadsheet as 'CSV UTF-8'."
        )
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
