"""sci-fate's files: matrices of all and of new RNA, tables of cells and genes.

Two layouts: that of GEO (GSM3770930_A549_gene_count.txt.gz and others, Matrix Market in spite of
their names), and folders `full_RNA` and `new_RNA`. Genes × cells.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from .._contents import Contents
from ._mtx import MatrixMarket, check_shape, read_matrices
from ._names import find, read_table
from ._source import Block, CellSource, Reading, table

_NEW = re.compile(r"(?P<prefix>.*)gene_count_newly_synthesi[sz]ed\.(txt|mtx)(\.gz)?")
_FOLDERS = {"total": "full_RNA", "new": "new_RNA"}
_CELL, _GENE, _SYMBOL = "sample", "gene_id", "gene_short_name"


def is_scifate(contents: Contents) -> bool:
    """Return whether a folder has one of the layouts."""
    if contents.kind != "folder":
        return False
    has_files = any(map(_NEW.fullmatch, contents.names))
    return has_files or {*_FOLDERS.values()} <= {*contents.groups}


def read_scifate(path: Path) -> CellSource:
    """Return the cells of a folder of sci-fate."""
    new = next((m for m in map(_NEW.fullmatch, _names(path)) if m), None)
    if new is None:
        folders = {layer: path / name for layer, name in _FOLDERS.items()}
        paths = {layer: find(folder, "gene_count.mtx") for layer, folder in folders.items()}
        tables = [
            (find(folder, "df_cell.tsv"), find(folder, "df_gene.tsv"))
            for folder in folders.values()
        ]
    else:
        prefix = new["prefix"]
        total = find(path, *(f"{prefix}gene_count.{each}" for each in ("txt", "mtx")))
        paths = {"total": total, "new": path / new[0]}
        annotated = (f"{prefix}{each}_annotate" for each in ("cell", "gene"))
        cells, genes = (find(path, *(f"{name}.{e}" for e in ("txt", "csv"))) for name in annotated)
        tables = [(cells, genes)]
    return _source(path, paths, tables)


def _names(path: Path) -> list[str]:
    return sorted(each.name for each in path.iterdir())


def _source(path: Path, paths: dict[str, Path], tables: list[tuple[Path, Path]]) -> CellSource:
    cells, genes = tables[0]
    obs, var = _frame(cells, _CELL), _frame(genes, _GENE)
    for other_cells, other_genes in tables[1:]:
        for file, name, known in ((other_cells, _CELL, obs), (other_genes, _GENE, var)):
            if not _frame(file, name).index.equals(known.index):
                raise ValueError(f"{file} has other names than that of the other folder.")
    files = {layer: MatrixMarket.from_path(each) for layer, each in paths.items()}
    for matrix in files.values():
        check_shape(matrix, (len(var), len(obs)), (genes, cells))

    def read(reading: Reading) -> Iterator[Block]:
        return read_matrices(files, (len(obs), len(var)), reading, is_cells_by_genes=False)

    return CellSource(
        path=path,
        obs=obs,
        var=var,
        layers=("new", "total"),
        new="new",
        total="total",
        read=read,
        symbols=_SYMBOL if _SYMBOL in var else "",
    )


def _frame(path: Path, name: str) -> pd.DataFrame:
    found = read_table(path)
    if name not in found:
        raise ValueError(f"{path} has no column {name!r}.")
    return pd.DataFrame(table(found[name], name, found.drop(columns=name)))
