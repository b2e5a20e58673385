"""Folders of kb-python's former workflow `lamanno`: spliced and unspliced matrices, cells × genes.

Each matrix has names of its own. Those that both have are kept, as kb does.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ._mtx import MatrixMarket, check_shape, read_matrices
from ._names import find, read_columns
from ._source import Block, CellSource, Reading, add_up, check_names, table

LAYERS = ("spliced", "unspliced")


def read_lamanno(path: Path, folder: Path) -> CellSource:
    """Return the cells of both matrices.

    Parameters
    ----------
    path : Path
        That the user gave.
    folder : Path
        The one with the matrices.
    """
    files = {layer: _read_file(folder, layer) for layer in LAYERS}
    (first, *first_names), (second, *second_names) = files.values()
    names = zip(first_names, second_names, strict=True)
    cells, genes = (one[one.isin(other)] for one, other in names)
    matrices = {
        "spliced": _at(first, (cells, genes), first_names),
        "unspliced": _at(second, (cells, genes), second_names),
    }

    def read(reading: Reading) -> Iterator[Block]:
        return read_matrices(matrices, (len(cells), len(genes)), reading, is_cells_by_genes=True)

    n_lonely = len(first_names[0].symmetric_difference(second_names[0]))
    return CellSource(
        path=path,
        obs=table(cells, "barcode"),
        var=table(genes, "gene_id"),
        layers=LAYERS,
        new="unspliced",
        total=add_up(LAYERS),
        read=read,
        notes=(f"{n_lonely:,} cells are left out, because only one matrix has them.",)
        if n_lonely
        else (),
    )


def _read_file(folder: Path, layer: str) -> tuple[MatrixMarket, "pd.Index[Any]", "pd.Index[Any]"]:
    """Return a matrix, the names of its cells and those of its genes."""
    paths = find(folder, f"{layer}.barcodes.txt"), find(folder, f"{layer}.genes.txt")
    cells, genes = (pd.Index(read_columns(path, ["name"])["name"]) for path in paths)
    check_names(cells, f"cells of {paths[0]}")
    check_names(genes, f"genes of {paths[1]}")
    file = MatrixMarket.from_path(find(folder, f"{layer}.mtx"))
    check_shape(file, (len(cells), len(genes)), paths)
    return file, cells, genes


def _at(
    file: MatrixMarket, names: tuple["pd.Index[Any]", "pd.Index[Any]"], own: list["pd.Index[Any]"]
) -> MatrixMarket:
    """Return a matrix with the rows and columns of `names`."""
    rows, columns = (
        kept.get_indexer(each).astype(np.int64) for kept, each in zip(names, own, strict=True)
    )
    return replace(file, rows=rows, columns=columns)
