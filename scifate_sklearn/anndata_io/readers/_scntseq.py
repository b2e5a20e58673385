"""Matrices of scNT-seq and Well-TEMP-seq: rows `GENE--C` (new) and `GENE--T` (old molecules).

A molecule with a T>C conversion is C, so that total RNA is C + T. Rows without a molecule are
absent (wulabupenn/scNT-seq, Generate_T_C_matrix.R).
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp

from .._contents import Contents
from ._mtx import MatrixMarket, check_shape, read_matrices
from ._names import find, read_columns
from ._source import Block, CellSource, Reading, check_names, table
from ._tables import read_wide
from ._wide import WideTable

_ROW = re.compile(rb'"?[^\t,\n]+--[CT]"?')
_GENES = ("genes.tsv", "features.tsv")


def is_scntseq(contents: Contents) -> bool:
    """Return whether the rows of a table or of a folder with `matrix.mtx` have such names."""
    if contents.kind == "folder":
        starts = [contents.peek(name) for name in _GENES if contents.has_file("matrix.mtx", name)]
        return any(_ROW.match(start) for start in starts)
    if contents.kind != "file" or not contents.is_text:
        return False
    # The first line has the names of the cells.
    return not _ROW.match(contents.head) and bool(_ROW.match(contents.second_line()))


def read_scntseq(path: Path) -> CellSource:
    """Return the cells of a table, or of a folder with `matrix.mtx`."""
    return _read_folder(path) if path.is_dir() else _read_table(path)


def _read_table(path: Path) -> CellSource:
    wide = WideTable.from_path(path)
    cells = wide.columns[1:]

    def read(reading: Reading) -> Iterator[Any]:
        for (matrix,) in read_wide(wide, cells, reading):
            yield matrix

    return _source(path, cells, [*wide.names.iloc[:, 0]], read, path)


def _read_folder(path: Path) -> CellSource:
    barcodes, features = find(path, "barcodes.tsv"), find(path, *_GENES)
    cells = read_columns(barcodes, ["barcode"])["barcode"]
    rows = read_columns(features, ["row"])["row"]
    file = MatrixMarket.from_path(find(path, "matrix.mtx"))
    check_shape(file, (len(rows), len(cells)), (features, barcodes))

    def read(reading: Reading) -> Iterator[Any]:
        shape = len(cells), len(rows)
        for block in read_matrices({"all": file}, shape, reading, is_cells_by_genes=False):
            yield block["all"]

    return _source(path, [*cells], [*rows], read, features)


def _source(
    path: Path, cells: Sequence[str], rows: Sequence[str], read: Any, file: Path
) -> CellSource:
    """Return cells whose matrices have a column per row of the file."""
    genes, is_new, is_old = _select(rows, file)

    def read_layers(reading: Reading) -> Iterator[Block]:
        for matrix in read(reading):
            new = matrix @ is_new
            yield {"new": new, "total": new + matrix @ is_old}

    return CellSource(
        path=path,
        obs=table(cells, "barcode"),
        var=table(genes, "gene_symbol"),
        layers=("new", "total"),
        new="new",
        total="total",
        read=read_layers,
        notes=("New RNA is GENE--C, total RNA is GENE--C + GENE--T.",),
    )


def _select(rows: Sequence[str], file: Path) -> tuple[pd.Index, Any, Any]:
    """Return the genes, and matrices (n_rows, n_genes) that select the rows of new and old RNA."""
    check_names(pd.Index(rows), f"rows of {file}")
    # Names of genes may hold hyphens.
    parts = [name.rpartition("--") for name in rows]
    kinds = np.array([kind for *_, kind in parts])
    wrong = next(
        (row for row, kind in zip(rows, kinds, strict=True) if kind not in ("C", "T")), None
    )
    if wrong is not None or not all(gene for gene, *_ in parts):
        raise ValueError(f"{file}: the row {wrong!r} does not end in --C or --T.")
    codes, genes = pd.factorize(pd.Index([gene for gene, *_ in parts], dtype=object))
    selected = []
    for kind in "CT":
        places = np.flatnonzero(kinds == kind)
        ones = np.ones(len(places), np.int32), (places, codes[places])
        selected.append(sp.csr_array(ones, shape=(len(parts), len(genes))))
    return pd.Index(genes), *selected
