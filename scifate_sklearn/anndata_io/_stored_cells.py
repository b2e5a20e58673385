"""Cells of h5ad files, zarr folders and MuData files, in blocks."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import scipy.sparse as sp

from ._conventions import RAW, sole_match
from ._files import open_store, unreadable
from ._layers import add_parts
from ._plugins import check_filters
from ._slots import Stored, open_matrix
from ._stored import is_backed_sparse, open_rows
from .readers import Block, CellSource, Reading

# Columns of ``var`` in which tools write the symbols.
_SYMBOLS = ("gene_name", "gene_symbol", "gene_symbols", "gene_short_name")


def read_stored(path: Path, modality: str | None = None) -> CellSource:
    """Return the cells of a file of anndata or MuData.

    Parameters
    ----------
    path : Path
    modality : str, default=None
        That of MuData; may be None if there is only one.

    Raises
    ------
    ValueError
        If there are several modalities and none is named, no layers, or the file is refused.
    """
    with open_store(path, "r") as store:
        with _explained(path):
            stored = Stored.from_store(store)
        prefix = _prefix(stored, modality, path)
        names = [name.removeprefix(prefix) for name in stored.matrices if name.startswith(prefix)]
        with _explained(path):
            frames = stored.frames([f"{prefix}X"])
        notes = [f"{RAW} is left out: `scifate run` takes it from {path}."] if RAW in names else []
    layers = tuple(name for name in names if name != RAW)
    if not layers:
        raise ValueError(f"{path} has neither X nor layers.")
    named = sole_match(layers)
    return CellSource(
        path=path,
        obs=frames["obs"],
        var=frames["var"],
        layers=layers,
        new=named.new,
        total=named.total,
        read=partial(
            _read,
            path,
            {name: f"{prefix}{name}" for name in layers},
            (len(frames["obs"]), len(frames["var"])),
        ),
        symbols=next((name for name in _SYMBOLS if name in frames["var"]), ""),
        notes=(*([f"Recognised: {named.source}."] if named.source else []), *notes),
        are_counts=False,
    )


def _read(
    path: Path, layers: dict[str, str], shape: tuple[int, int], reading: Reading
) -> Iterator[Block]:
    """Yield blocks of layers, each given by its name and its place in the file."""
    with open_store(path, "r") as store, _explained(path):
        matrices = Stored.from_store(store).matrices
        parts = {name: _rows(matrices[place], name) for name, place in layers.items()}
        for name, part in parts.items():
            if tuple(part.shape) != shape:
                raise ValueError(
                    f"layer {name!r} is {tuple(part.shape)}, for {shape} cells and genes."
                )
        size = max(1, reading.budget // shape[1])
        for start in range(0, shape[0], size):
            rows = slice(start, start + size)
            # This checks the indices too.
            checked = {name: add_parts([part[rows]], name) for name, part in parts.items()}
            yield {name: sp.csr_array(part) for name, part in checked.items()}


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Name the file in errors of h5py, zarr and anndata, which are of many types."""
    try:
        yield
    except ImportError as error:
        raise ImportError(f"{path}: {error}") from error
    except Exception as error:
        raise unreadable(path, error) from error


def _prefix(stored: Stored, modality: str | None, path: Path) -> str:
    """Return what is in front of the names of the layers."""
    names = [name for name in stored.cells if name]
    if not names:
        if modality is not None:
            raise ValueError(f"`modality`: {path} is no MuData file, so it has no modalities.")
        return ""
    if modality is None and len(names) > 1:
        raise ValueError(
            f"{path} has the modalities {', '.join(names)}: name one of them (`modality`). If new "
            "and total RNA are two modalities, `scifate run` and `open_anndata` take them from the "
            f"file, as the layers {names[0]}/X and {names[1]}/X for example."
        )
    if modality is not None and modality not in names:
        raise ValueError(
            f"`modality` is {modality!r}; {path} has the modalities {', '.join(names)}."
        )
    return f"{modality or names[0]}/"


def _rows(stored: Any, name: str) -> Any:
    """Return a matrix that is read by rows."""
    check_filters(stored)
    matrix = open_matrix(stored)
    return open_rows(matrix, f"layer {name!r}") if is_backed_sparse(matrix) else matrix
