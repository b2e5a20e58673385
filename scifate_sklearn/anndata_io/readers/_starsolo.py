"""Folders `Velocyto` of STARsolo.

Genes × cells. From version 2.7.9, there is one file for each layer; before, there was one file
whose entries have five fields: gene, cell, spliced, unspliced, ambiguous (STAR,
SoloFeature_outputResults.cpp).
"""

from collections.abc import Iterator
from pathlib import Path

from .._contents import Contents
from ._mtx import MatrixMarket, check_shape, n_fields, read_matrices
from ._names import find, find_any, read_columns
from ._source import Block, CellSource, Reading, add_up, table

LAYERS = ("spliced", "unspliced", "ambiguous")


def read_starsolo(path: Path) -> CellSource:
    """Return the cells of a folder `Solo.out`, `Velocyto`, or of one within it.

    Filtered cells are preferred to all barcodes.
    """
    folder = _with_matrices(path)
    barcodes, features = (find(folder, name) for name in ("barcodes.tsv", "features.tsv"))
    cells = read_columns(barcodes, ["barcode"])
    genes = read_columns(features, ["gene_id", "gene_symbol"])
    files = _files(folder)
    shape = len(cells), len(genes)
    for file in files.values():
        check_shape(file, shape[::-1], (features, barcodes))

    def read(reading: Reading) -> Iterator[Block]:
        for block in read_matrices(files, shape, reading, is_cells_by_genes=False):
            yield dict(zip(LAYERS, block.values(), strict=True))

    is_raw = folder.name == "raw"
    return CellSource(
        path=path,
        obs=table(cells["barcode"], "barcode"),
        var=table(genes["gene_id"], "gene_id", genes.filter(["gene_symbol"])),
        layers=LAYERS,
        new="unspliced",
        total=add_up(LAYERS),
        read=read,
        symbols="gene_symbol" if "gene_symbol" in genes else "",
        notes=(
            f"The matrices are those of {folder}.",
            *(["It has all barcodes, most of them without a cell."] if is_raw else ()),
        ),
    )


def is_starsolo(contents: Contents) -> bool:
    """Return whether a folder is that of STARsolo, and holds Velocyto's counts."""
    if contents.kind != "folder":
        return False
    if "Velocyto" in contents.groups or contents.has_file("spliced.mtx", "features.tsv"):
        return True
    within = [contents.groups[name] for name in ("filtered", "raw") if name in contents.groups]
    if contents.path.name == "Velocyto" or any("spliced.mtx" in names for names in within):
        return True
    # Up to version 2.7.8.
    is_named = contents.has_file("matrix.mtx", "features.tsv")
    return is_named and n_fields(contents.peek("matrix.mtx")) == len(LAYERS) + 2


def _with_matrices(path: Path) -> Path:
    """Return the folder that has the matrices."""
    within = (*(f"Velocyto/{kind}" for kind in ("filtered", "raw")), "filtered", "raw")
    for folder in (path, *(path / name for name in within)):
        if find_any(folder, "features.tsv") and find_any(folder, "spliced.mtx", "matrix.mtx"):
            return folder
    raise FileNotFoundError(f"{path} has no folder Velocyto with matrices and features.tsv.")


def _files(folder: Path) -> dict[str, MatrixMarket]:
    if find_any(folder, "spliced.mtx"):
        return {name: MatrixMarket.from_path(find(folder, f"{name}.mtx")) for name in LAYERS}
    return {"": MatrixMarket.from_path(find(folder, "matrix.mtx"), n_values=len(LAYERS))}
