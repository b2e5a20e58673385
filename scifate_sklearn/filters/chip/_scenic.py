"""SCENIC's tables of motifs: ``reg.csv`` of ``pyscenic ctx``, with the targets of each motif."""

import io
import os
import re
from typing import Any

import numpy as np
import pandas as pd

from ...files import find_delimiter, read_start, read_text
from ...names import LINE
from ._signs import EFFECT

# The file has three header lines: the group of each column, its name, and the names of the index.
_GLANCE = 4096
_N_HEADERS = 3
_GROUP, _TF, _TARGETS, _CONTEXT = "Enrichment", "TF", "TargetGenes", "Context"
_REPRESSING = "repressing"

_NUMBER = r"[-+]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?|inf)|nan"
# Names as Python writes them, in single quotes, or in double ones if they contain a single one.
# Since NumPy 2, numbers may be written as np.float64(1.5).
_PAIR = re.compile(
    rf"\((?:'([^'\\]*)'|\"([^\"\\]*)\"), ?(?:np\.float\d\d\()?(?:{_NUMBER})\)?\)(?:, ?)?"
)


def holds_scenic_motifs(path: str | os.PathLike[str]) -> bool:
    """Return whether a file begins as ``reg.csv`` does."""
    lines = read_start(path, _GLANCE).decode("utf-8", "replace").splitlines()[:2]
    return len(lines) == 2 and _GROUP in _fields(lines[0]) and _TARGETS in _fields(lines[1])


def read_scenic_motifs(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read the pairs of TF and target of ``reg.csv``; columns are found by their names.

    Returns
    -------
    DataFrame
        Columns ``TF``, ``target`` and ``effect``, one row per target of a motif. The effect is −1
        in rows whose context is "repressing", as in SCENIC. The index is the line of the motif.

    Raises
    ------
    FileNotFoundError, ValueError
        If the file is missing, damaged, or no such table; the message names the line.
    """
    table = _read(read_text(path), path)
    pairs = [
        (line, str(tf), gene, effect)
        for line, tf, text, effect in zip(
            table.index, table[_TF], table[_TARGETS], _effects(table), strict=True
        )
        for gene in parse_targets(text, f"{path}, line {line:,}")
    ]
    found = pd.DataFrame(pairs, columns=[LINE, "TF", "target", EFFECT])
    return found.set_index(LINE)


def _read(text: str, path: str | os.PathLike[str]) -> pd.DataFrame:
    """Return the motifs as text, the index of the file as columns."""
    top = text.split("\n", _N_HEADERS)[:_N_HEADERS]
    names, index = _fields(top[1]), _fields(top[-1])
    header = [own or other for own, other in zip(names, index, strict=False)]
    if _TF not in header or header.count(_TARGETS) != 1:
        raise ValueError(
            f"{path} begins as SCENIC's table of motifs, but its three header lines do not name "
            f"one column {_TF!r} and one {_TARGETS!r}; write it again with pyscenic ctx."
        )
    try:
        table = pd.read_csv(
            io.StringIO(text),
            sep=find_delimiter(top[1]),
            header=None,
            names=header,
            skiprows=_N_HEADERS,
            dtype=str,
            keep_default_na=False,
            index_col=False,
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError) as error:
        raise ValueError(f"{path} is a damaged table of motifs ({error}); get it again.") from error
    table.index = pd.RangeIndex(_N_HEADERS + 1, _N_HEADERS + 1 + len(table))
    return table.fillna("")


def _fields(line: str) -> list[str]:
    return [field.strip().strip('"') for field in line.split(find_delimiter(line))]


def _effects(table: pd.DataFrame) -> Any:
    """Return −1 for regulons of repressed targets, 1 for others; 0 without a context."""
    if _CONTEXT not in table.columns:
        return np.zeros(len(table), np.int8)
    return np.where(table[_CONTEXT].str.contains(_REPRESSING, regex=False), -1, 1)


def parse_targets(text: str, where: str) -> list[str]:
    """Return the genes in a list of genes and weights as Python writes it; nothing is evaluated.

    >>> parse_targets("[('Pax6', 1.0), ('Myc', 0.5)]", "reg.csv, line 4")
    ['Pax6', 'Myc']
    """
    listed, end, genes = text.strip(), 1, []
    while match := _PAIR.match(listed, end):
        genes.append(match[1] or match[2] or "")
        end = match.end()
    if not listed.startswith("[") or listed[end:] != "]":
        found = listed[end : end + 20] if listed.startswith("[") else listed[:20]
        raise ValueError(
            f"{where}: {_TARGETS} must be a list such as [('Pax6', 1.0), ('Myc', 0.5)], but "
            f"{found!r} is no gene with its weight."
        )
    return genes
