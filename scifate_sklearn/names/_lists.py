"""Files with the names of TFs: plain lists, and tables of the sources that people have."""

import csv
import gzip
import os
import zlib
from pathlib import Path

_SEPARATORS = ("\t", ",", ";")
_N_EXAMPLES = 5

# The columns that tell a source, and the one with the symbols of its TFs.
_LAYOUTS = (
    (("TF",), "TF"),  # RcisTarget's motif annotation
    (("#motif_id", "gene_name"), "gene_name"),  # cisTarget's motif annotation (.tbl)
    (("Species", "Symbol", "Ensembl", "Family"), "Symbol"),  # AnimalTFDB
    (("HGNC symbol", "Is TF?"), "HGNC symbol"),  # Lambert et al. 2018
)
# Lambert's table has all genes that were looked at.
_VERDICT_COLUMN = "Is TF?"
_IS_TF = "Yes"


def read_tf_names(path: str | os.PathLike[str], *, column: str | None = None) -> list[str]:
    """Read the names of TFs from a file.

    Parameters
    ----------
    path : path-like
        A plain list, one name a line, or a table with a header (separated by tabs, commas or
        semicolons, whatever the file is called): with a column ``TF`` (RcisTarget's motif
        annotation), cisTarget's ``.tbl`` (its ``gene_name``), AnimalTFDB's (its ``Symbol``) or that
        of Lambert et al. 2018 (``HGNC symbol`` where ``Is TF?`` says Yes). It may be compressed
        with gzip.
    column : str, optional
        Column of the table with the names, for other tables or other names, as AnimalTFDB's
        ``Ensembl`` or Lambert's ``Ensembl ID``.

    Returns
    -------
    list of str
        Each name once, in the order of the file; rows without one are left out.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it has several columns but no known one, the column is there more than once or not at
        all, there is no name at all, or it is not text.

    References
    ----------
    Lambert, S. A. et al. (2018). The Human Transcription Factors. Cell 172, 650–665.
    """
    lines = _read_lines(Path(path))
    rows = _cells(lines, path)
    header = rows[0] if rows else []
    column = column if column is not None else _known_column(header)
    if column is not None:
        lines = _column_of(rows, column, path)
    elif sum(map(bool, header)) > 1:
        raise ValueError(
            f"{path} has no column 'TF' (found {_examples(header)}). Name the one with the TFs in "
            "`column`."
        )
    names = [name for name in dict.fromkeys(line.strip().strip("\"'") for line in lines) if name]
    if not names:
        raise ValueError(f"{path} holds no TF name.")
    return names


def _known_column(header: list[str]) -> str | None:
    return next((name for marks, name in _LAYOUTS if set(marks) <= set(header)), None)


def _column_of(rows: list[list[str]], column: str, path: str | os.PathLike[str]) -> list[str]:
    """Return the fields of a column, of Lambert's table those of TFs."""
    header = rows[0] if rows else []
    if column not in header:
        raise ValueError(f"{path} has no column {column!r} (found {_examples(header)}).")
    if header.count(column) > 1:
        raise ValueError(
            f"{path} has {header.count(column)} columns called {column!r}; rename all but one."
        )
    index = header.index(column)
    verdict = header.index(_VERDICT_COLUMN) if _VERDICT_COLUMN in header else None
    return [
        row[index]
        for row in rows[1:]
        if len(row) > index and (verdict is None or row[verdict : verdict + 1] == [_IS_TF])
    ]


def _read_lines(path: Path) -> list[str]:
    content = path.read_bytes()
    try:
        # A downloaded file has lost its extension, but gzip announces itself.
        text = gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
        decoded = text.decode("utf-8-sig")
    except (UnicodeDecodeError, OSError, EOFError, zlib.error) as error:
        raise ValueError(
            f"{path} is not a readable text file: {error}. Save it as UTF-8 text."
        ) from error
    if "\0" in decoded:
        raise ValueError(f"{path} is not a readable text file: it is binary, or not UTF-8.")
    lines = decoded.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [line for line in lines if line.strip()]


def _cells(lines: list[str], path: str | os.PathLike[str]) -> list[list[str]]:
    """Return the fields of each line; quoted ones may hold separators."""
    separator = max(_SEPARATORS, key=lines[0].count) if lines else _SEPARATORS[0]
    try:
        rows = list(csv.reader(lines, delimiter=separator))
    except csv.Error as error:
        raise ValueError(f"{path} is not a table: {error}.") from error
    return [[cell.strip().strip("\"'") for cell in row] for row in rows]


def _examples(names: list[str]) -> str:
    return ", ".join(names[:_N_EXAMPLES]) + (", ..." if len(names) > _N_EXAMPLES else "")
