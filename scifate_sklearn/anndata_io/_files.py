"""Files of cells, opened without reading the cells."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ._layers import layer_parts

if TYPE_CHECKING:
    from anndata import AnnData


@contextmanager
def open_anndata(
    path: str | os.PathLike[str], layers: Sequence[str] = ("new", "total")
) -> Iterator["AnnData"]:
    """Open an h5ad file or a zarr folder, and leave the layers in it.

    anndata's own ``backed`` mode leaves only ``X`` in the file.

    Parameters
    ----------
    path : path-like
        A file that anndata wrote.
    layers : sequence of str, default=("new", "total")
        The layers to have; ``"X"`` is the matrix itself, ``"a+b"`` asks for two.

    Yields
    ------
    AnnData
        With ``obs`` and ``var`` in memory, and these layers in the file, which is closed at the
        end of the ``with`` block.

    Raises
    ------
    ValueError
        If there is no such layer, or the file is not one that anndata wrote, or damaged.
    FileNotFoundError
        If there is nothing.

    Examples
    --------
    >>> import os, tempfile
    >>> from scifate_sklearn import prepare_moments
    >>> from scifate_sklearn.datasets import make_labelled_cells
    >>> cells = make_labelled_cells(n_cells=100, n_tfs=5, n_targets=20, random_state=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "cells.h5ad")
    ...     cells.adata.write_h5ad(path)
    ...     with open_anndata(path) as adata:
    ...         prepared = prepare_moments(adata, cells.tf_names, cell_filter_UMI=0)
    >>> len(prepared.cells)
    100
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"There is no {path}.")
    with open_store(path, "r") as store:
        yield _assemble(path, store, layers)


@contextmanager
def open_store(path: Path, mode: Literal["r", "r+"]) -> Iterator[Any]:
    """Open an h5ad file or a zarr folder, for reading ("r") or changing ("r+").

    Parameters
    ----------
    path : Path
    mode : {"r", "r+"}

    Yields
    ------
    h5py.File or zarr.Group

    Raises
    ------
    ValueError
        If it is neither.
    """
    with (_open_folder if path.is_dir() else _open_file)(path, mode) as store:
        yield store


@contextmanager
def _open_file(path: Path, mode: Literal["r", "r+"]) -> Iterator[Any]:
    import h5py

    try:
        file = h5py.File(path, mode)
    except OSError as error:
        raise _unreadable(path, error) from error
    with file:
        yield file


@contextmanager
def _open_folder(path: Path, mode: Literal["r", "r+"]) -> Iterator[Any]:
    import zarr

    # What a folder holds may be listed in one place, which zarr 3 does not let one change.
    has_list = mode == "r+" and int(zarr.__version__.split(".")[0]) >= 3
    options: dict[str, Any] = {"use_consolidated": False} if has_list else {}
    try:
        store = zarr.open_group(str(path), mode=mode, **options)
    except Exception as error:  # zarr raises whatever it stumbles over
        raise _unreadable(path, error) from error
    yield store
    if mode == "r+":
        zarr.consolidate_metadata(store.store)


def write_uns(store: Any, key: str, content: dict[str, Any]) -> None:
    """Write ``uns[key]`` of a file that is open for changing.

    Parameters
    ----------
    store : h5py.File or zarr.Group
        From `open_store` with the mode "r+".
    key : str
    content : dict of str
        What anndata can write: tables, arrays, texts, numbers, and dicts of these.
    """
    import anndata

    if "uns" not in store:
        anndata.io.write_elem(store, "uns", {})
    anndata.io.write_elem(store["uns"], key, content)


def _assemble(path: Path, store: Any, layers: Sequence[str]) -> "AnnData":
    import anndata

    try:
        stored = {"X": store["X"]} if "X" in store else {}
        stored |= dict(store["layers"]) if "layers" in store else {}
    except Exception as error:
        raise _unreadable(path, error) from error
    names = {part for name in layers for part in layer_parts(name, list(stored))}
    try:
        parts = {name: _open_matrix(stored[name]) for name in names}
        x = parts.pop("X", None)
        frames = {name: anndata.io.read_elem(store[name]) for name in ("obs", "var")}
        return anndata.AnnData(X=x, layers=parts, **frames)
    except Exception as error:  # h5py, zarr and anndata raise whatever they stumble over
        raise _unreadable(path, error) from error


def _open_matrix(stored: Any) -> Any:
    """Return a matrix that stays in the file: dense as it is, sparse as anndata reads it."""
    import anndata

    if hasattr(stored, "dtype"):
        return stored
    return anndata.io.sparse_dataset(stored)


def _unreadable(path: Path, error: Exception) -> ValueError:
    return ValueError(f"{path} is not a readable h5ad file or zarr folder: {error}")
