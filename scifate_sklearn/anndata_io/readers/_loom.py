"""Loom files: velocyto, kb, pyroe and others.

Genes × cells: ``matrix`` and ``layers`` are dense arrays in chunks. In those of velocyto, `matrix`
is the sum of the layers.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp

from ...files import prefix_errors
from .._contents import Contents
from .._conventions import sole_match
from .._frames import decoded
from .._hdf5_check import check_file
from .._plugins import check_filters
from ._source import COUNT, Block, CellSource, Reading, table

# Attributes with names, the first that is there counts.
CELLS = ("CellID", "barcode", "barcodes", "obs_names", "cell_names", "cells")
GENES = ("Gene", "gene_name", "gene_ids", "gene_id", "target_name", "var_names", "Accession")
_MATRIX = "X"


def is_loom(contents: Contents) -> bool:
    """Return whether a file is a loom file."""
    return "matrix" in contents.arrays and (contents.has("layers") or contents.has("row_attrs"))


def read_loom(path: Path) -> CellSource:
    """Return the cells of a loom file.

    Raises
    ------
    ValueError
        If the file is damaged, refers to other files, or has one matrix only.
    """
    with _opened(path) as file:
        check_file(file)
        check_filters(file)
        arrays = _arrays(file)
        if len(arrays) == 1:
            raise ValueError(f"it has one matrix and no layers, so that it has no new RNA. {COUNT}")
        obs = _frame(file, "col_attrs", CELLS, arrays[_MATRIX].shape[1])
        var = _frame(file, "row_attrs", GENES, arrays[_MATRIX].shape[0])
        width = _width(arrays)
    named = sole_match(arrays)

    def read(reading: Reading) -> Iterator[Block]:
        with _opened(path) as file:
            arrays = _arrays(file)
            size = _block_size(width, len(var), reading)
            for start in range(0, len(obs), size):
                yield {name: _rows(array, start, start + size) for name, array in arrays.items()}

    return CellSource(
        path=path,
        obs=obs,
        var=var,
        layers=tuple(arrays),
        new=named.new,
        total=named.total,
        read=read,
        symbols=_symbols(var),
    )


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    import h5py

    try:
        with prefix_errors(path), h5py.File(path, "r") as file:
            yield file
    except (OSError, RuntimeError, KeyError) as error:  # those of h5py
        raise ValueError(f"{path} is a damaged loom file: {error}") from error


def _arrays(file: Any) -> dict[str, Any]:
    """Return the matrix and the layers by name, all of the same shape."""
    layers = file.get("layers", {})
    arrays = {_MATRIX: file["matrix"], **{name: layers[name] for name in layers}}
    for name, array in arrays.items():
        shape = getattr(array, "shape", None)
        if shape is None or len(shape) != 2 or array.dtype.kind not in "biuf":
            raise ValueError(f"{name} is not a matrix of numbers.")
        if shape != arrays[_MATRIX].shape:
            raise ValueError(
                f"the layer {name!r} is {shape}, and the matrix {arrays[_MATRIX].shape}."
            )
    return arrays


def _frame(file: Any, group: str, known: tuple[str, ...], size: int) -> pd.DataFrame:
    """Return the attributes of cells or genes that have one value each."""
    if group not in file:
        raise ValueError(f"it has no {group}, the names of its cells or genes.")
    columns = {
        name: decoded(array[()])
        for name, array in file[group].items()
        if getattr(array, "ndim", 0) == 1 and array.dtype.kind in "biufSO"
    }
    wrong = next((name for name, values in columns.items() if len(values) != size), None)
    if wrong is not None:
        raise ValueError(
            f"{group}/{wrong} has {len(columns[wrong]):,} values, and the matrix {size:,}."
        )
    index = next((name for name in known if name in columns), None)
    if index is None:
        raise ValueError(
            f"{group} has none of {', '.join(known)}; there are "
            f"{', '.join(columns) or 'none'}. Rename the one that has the names."
        )
    return pd.DataFrame(table(map(str, columns.pop(index)), index, columns))


def _symbols(var: pd.DataFrame) -> str:
    """Return the column with the symbols, empty if these are the names or absent."""
    named = [name for name in ("Gene", "gene_name", "gene_symbol") if name in var]
    return named[0] if named else ""


def _width(arrays: dict[str, Any]) -> int:
    """Return the number of cells in the widest chunk."""
    return max(array.chunks[1] if array.chunks else 1 for array in arrays.values())


def _block_size(width: int, n_genes: int, reading: Reading) -> int:
    """Return a number of cells, if possible of whole chunks, each of which is then read once."""
    size = max(1, reading.budget // max(1, n_genes))
    return size if size < width else size // width * width


def _rows(array: Any, start: int, stop: int) -> Any:
    dense = np.ascontiguousarray(array[:, start:stop])
    return sp.csr_array(dense).T.tocsr()
