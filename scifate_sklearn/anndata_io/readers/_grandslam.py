"""Sparse folders of GRAND-SLAM 3: total counts and new-to-total ratios (NTR).

Genes × cells. New RNA is count × NTR, entry by entry, as grandR computes it (R/grandR.R,
``mode.slot``); a missing ratio means that nothing was found to be new.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from .._contents import Contents
from ._mtx import MatrixMarket, check_shape, read_matrices
from ._names import find, read_columns
from ._source import Block, CellSource, Reading, table

_RATIOS = re.compile(r"(?P<label>.+)\.(?P<estimator>[^.]+)\.ntr\.mtx(\.gz)?")
# The defaults of grandR.
_LABEL, _ESTIMATOR = "4sU", "Binom"
_FEATURES = ("gene_id", "gene_symbol", "feature_type", "category", "length")
# Pseudobulks have no symbols.
_NO_SYMBOLS = {"null", ""}


def is_grandslam(contents: Contents) -> bool:
    """Return whether a folder is a sparse one of GRAND-SLAM, or holds one."""
    return contents.kind == "folder" and any(map(_RATIOS.fullmatch, contents.names))


def read_grandslam(path: Path) -> CellSource:
    """Return the cells of a sparse folder of GRAND-SLAM."""
    features, barcodes = (find(path, name) for name in ("features.tsv", "barcodes.tsv"))
    genes, cells = read_columns(features, _FEATURES), read_columns(barcodes, ["barcode"])
    if "gene_symbol" in genes and set(genes["gene_symbol"]) <= _NO_SYMBOLS:
        genes = genes.drop(columns="gene_symbol")
    ratios, notes = _choose(path)
    files = {
        "total": MatrixMarket.from_path(find(path, "matrix.mtx")),
        "ntr": MatrixMarket.from_path(ratios),
    }
    shape = len(cells), len(genes)
    for file in files.values():
        check_shape(file, shape[::-1], (features, barcodes))

    def read(reading: Reading) -> Iterator[Block]:
        for block in read_matrices(files, shape, reading, is_cells_by_genes=False):
            yield {"new": multiply(block["total"], block["ntr"], ratios), "total": block["total"]}

    return CellSource(
        path=path,
        obs=table(cells["barcode"], "barcode"),
        var=table(genes["gene_id"], "gene_id", genes.drop(columns="gene_id")),
        layers=("new", "total"),
        new="new",
        total="total",
        read=read,
        symbols="gene_symbol" if "gene_symbol" in genes else "",
        notes=notes,
    )


def multiply(total: Any, ratio: Any, path: Path) -> Any:
    """Return new counts, or raise ValueError if a ratio is not within 0 and 1."""
    is_wrong = ~((ratio.data >= 0) & (ratio.data <= 1))
    if is_wrong.any():
        raise ValueError(f"{path} has the ratio {ratio.data[is_wrong][0]}, outside of [0, 1].")
    return total.astype(np.float64).multiply(ratio).tocsr()


def _choose(path: Path) -> tuple[Path, tuple[str, ...]]:
    """Return the file of ratios, and what to know about the choice."""
    found = {each: m for each in sorted(path.iterdir()) if (m := _RATIOS.fullmatch(each.name))}
    if not found:
        raise FileNotFoundError(f"{path} has no file of ratios, such as 4sU.Binom.ntr.mtx.gz.")

    def preference(file: Path) -> tuple[bool, bool]:
        return found[file]["label"] == _LABEL, found[file]["estimator"] == _ESTIMATOR

    chosen = max(found, key=preference)
    others = ", ".join(file.name for file in found if file != chosen)
    first = f"New RNA is count × NTR of {chosen.name}, so that it is not integer."
    return chosen, (first, *([f"Other estimates are there: {others}."] if others else []))
