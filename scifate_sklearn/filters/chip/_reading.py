"""Binding evidence from files: delimited text, gene-set (GMT) and parquet files to tables."""

import csv
import gzip
import io
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from ._layouts import check_once

# TRRUST's own files have no header, and several references in one field, separated by semicolons.
_TRRUST_COLUMNS = ("TF", "target", "mode", "PMIDs")
_TRRUST_MODES = ("Activation", "Repression", "Unknown")
_DELIMITERS = ("\t", ",", ";")
_GLANCE = 4096
_GZIP_MAGIC = b"\x1f\x8b"
_PARQUET_MAGIC = b"PAR1"


def read_table(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read a parquet or delimited text file; what it is is told from its content.

    Text may be gzip-compressed, have a byte-order mark, any line ends (LF, CRLF, CR) and tabs,
    commas or semicolons between fields, whatever the extension says. Values stay strings, so genes
    called ``NA`` or ``MARCH1`` survive. TRRUST's files, which have no header, get one.

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
    # The type is for pandas-stubs, which know no overload with all these options.
    options: dict[str, Any] = {"dtype": str, "keep_default_na": False}
    if _is_trrust(header):
        options |= {"sep": "\t", "header": None, "names": list(_TRRUST_COLUMNS)}
    else:
        options |= {"sep": max(_DELIMITERS, key=header.count)}
        # pandas would rename the second of two columns with one name.
        check_once(next(csv.reader([header], delimiter=options["sep"])), str(path))
    try:
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


def holds_gene_sets(path: str | os.PathLike[str]) -> bool:
    """Return whether a file is called ``*.gmt``, or begins as Enrichr's files (``*.txt``) do.

    Their sets have no description, so the second field is empty.
    """
    path = Path(path)
    if path.name.lower().removesuffix(".gz").endswith(".gmt"):
        return True
    try:
        with path.open("rb") as file:
            is_gzip = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
        with gzip.open(path) if is_gzip else path.open("rb") as file:
            fields = file.read(_GLANCE).split(b"\n")[0].split(b"\t")
    except (OSError, EOFError, zlib.error):  # whoever reads it all says what is wrong
        return False
    return len(fields) > 2 and bool(fields[0]) and not fields[1] and bool(fields[2])


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


def _is_trrust(line: str) -> bool:
    """Tell whether a first line is one of TRRUST's links: TF, gene, mode, PubMed ids."""
    fields = line.split("\t")
    return len(fields) == len(_TRRUST_COLUMNS) and fields[2].strip() in _TRRUST_MODES


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
