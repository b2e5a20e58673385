"""Folders of kb-python, cells × genes: `nac` (mature, nascent, ambiguous), former `lamanno`."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .._contents import Contents
from ._lamanno import read_lamanno
from ._mtx import MatrixMarket, check_shape, read_matrices
from ._names import find, find_any, read_columns
from ._source import Block, CellSource, Reading, add_up, table

NAC = ("mature", "nascent", "ambiguous")
_NASCENT = re.compile(r"(.*)\.nascent\.mtx(\.gz)?")
_FOLDERS = ("counts_filtered", "counts_unfiltered")


def is_kb(contents: Contents) -> bool:
    """Return whether a folder is the output of kb-python with unspliced RNA."""
    within = [contents.groups[name] for name in _FOLDERS if name in contents.groups]
    return contents.kind == "folder" and any(map(_has_matrices, [contents.names, *within]))


def read_kb(path: Path) -> CellSource:
    """Return the cells of a folder of kb-python; filtered ones, if there are."""
    folders = (path, *(path / name for name in _FOLDERS))
    folder = next((f for f in folders if f.is_dir() and _has_matrices(_names(f))), path)
    prefix = next((m[1] for m in map(_NASCENT.fullmatch, sorted(_names(folder))) if m), None)
    return read_lamanno(path, folder) if prefix is None else _read_nac(path, folder, prefix)


def _names(folder: Path) -> frozenset[str]:
    return frozenset(each.name for each in folder.iterdir())


def _has_matrices(names: frozenset[str]) -> bool:
    is_lamanno = {"unspliced.barcodes.txt", "unspliced.genes.txt"} <= names
    return is_lamanno or any(map(_NASCENT.fullmatch, names))


def _read_nac(path: Path, folder: Path, prefix: str) -> CellSource:
    barcodes, genes = (find(folder, f"{prefix}.{each}.txt") for each in ("barcodes", "genes"))
    cells, ids = (read_columns(file, ["name"])["name"] for file in (barcodes, genes))
    files = {name: MatrixMarket.from_path(find(folder, f"{prefix}.{name}.mtx")) for name in NAC}
    for file in files.values():
        check_shape(file, (len(cells), len(ids)), (barcodes, genes))
    symbols = _read_symbols(folder, prefix, len(ids))

    def read(reading: Reading) -> Iterator[Block]:
        return read_matrices(files, (len(cells), len(ids)), reading, is_cells_by_genes=True)

    return CellSource(
        path=path,
        obs=table(cells, "barcode"),
        var=table(ids, "gene_id", symbols),
        layers=NAC,
        new="nascent",
        total=add_up(NAC),
        read=read,
        symbols=next(iter(symbols), ""),
        notes=(f"The matrices are those of {folder}.",),
    )


def _read_symbols(folder: Path, prefix: str, n_genes: int) -> dict[str, NDArray[np.object_]]:
    file = find_any(folder, f"{prefix}.genes.names.txt")
    if file is None:
        return {}
    symbols = read_columns(file, ["name"])["name"]
    if len(symbols) != n_genes:
        raise ValueError(f"{file} has {len(symbols):,} names for {n_genes:,} genes.")
    return {"gene_symbol": symbols.to_numpy()}
