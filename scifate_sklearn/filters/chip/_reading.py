"""Files of binding evidence: tables and gene sets (GMT)."""

import os
from collections.abc import Callable

import pandas as pd

from ...files import check_lines, read_start, read_text
from .._tables import read_table, require_lines
from ._layouts import check_once

# TRRUST's files have no header, and several references in one field, separated by semicolons.
_TRRUST_COLUMNS = ("TF", "target", "mode", "PMIDs")
_TRRUST_MODES = ("Activation", "Repression", "Unknown")
_GLANCE = 4096
# A set of all 60,000 human genes, with weights, has about 1 MiB.
_LONGEST_SET = 16 * 2**20


def read_evidence(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read a table of evidence, as `read_table` does; TRRUST's files get a header.

    Raises
    ------
    FileNotFoundError, ValueError, ImportError
        As `read_table`; and if a column of evidence occurs more than once.
    """
    return read_table(path, check_header=check_once, missing_header=_trrust_header)


def holds_gene_sets(path: str | os.PathLike[str]) -> bool:
    """Return whether a file is called ``*.gmt``, or begins as Enrichr's files (``*.txt``) do.

    Their sets have no description, so the second field is empty.
    """
    if os.fspath(path).lower().removesuffix(".gz").endswith(".gmt"):
        return True
    fields = read_start(path, _GLANCE).split(b"\n")[0].split(b"\t")
    return len(fields) > 2 and bool(fields[0]) and not fields[1] and bool(fields[2])


def read_gmt(
    path: str | os.PathLike[str], tf_of_set: Callable[[str], str | None]
) -> tuple[list[str], list[str]]:
    """Read a gene-set file, one line per set: name, description, genes, separated by tabs.

    Parameters
    ----------
    path : path-like
        The file, gzip-compressed or not. Weights after a gene (``GENE,1.0``) are dropped.
    tf_of_set : callable
        Returns the TF of a set, given its name; None leaves the set out.

    Returns
    -------
    tfs, targets : list of str
        One entry per gene of a set.

    Raises
    ------
    FileNotFoundError, ValueError
        If the file is missing, empty, damaged or binary, if a line is longer than 16 MiB, or if no
        line is a gene set.
    """
    check_lines(path, _LONGEST_SET)
    tfs: list[str] = []
    targets: list[str] = []
    for line in require_lines(read_text(path), path).split("\n"):
        name, *fields = line.split("\t")
        genes = [field.split(",")[0].strip() for field in fields[1:]]
        genes = [gene for gene in genes if gene]
        tf = tf_of_set(name.strip()) if genes else None
        if tf is not None:
            tfs += [tf] * len(genes)
            targets += genes
    if not tfs:
        raise ValueError(
            f"{path} holds no gene set: each line of a GMT file has the set's name, a description "
            "and its genes, separated by tabs, and `tf_of_set` must return a TF for some of them."
        )
    return tfs, targets


def _trrust_header(line: str) -> tuple[str, ...] | None:
    """Return the columns of a file whose first line is one of TRRUST's links."""
    fields = line.split("\t")
    is_trrust = len(fields) == len(_TRRUST_COLUMNS) and fields[2].strip() in _TRRUST_MODES
    return _TRRUST_COLUMNS if is_trrust else None
