"""Opening of h5ad and zarr files without reading the layers."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from ._conventions import AUTO, RAW, find_names
from ._formats import recognise
from ._hdf5_check import check_file
from ._layers import layer_parts
from ._plugins import check_filters, import_zarr, zarr_version
from ._slots import ModalityError, Stored, open_matrix
from ._zarr_check import check_folder
from ._zip import is_zipped_zarr, unzipped

if TYPE_CHECKING:
    from anndata import AnnData


@contextmanager
def open_anndata(
    path: str | os.PathLike[str],
    layers: Sequence[str] | Literal["auto", "all"] = ("new", "total"),
) -> Iterator["AnnData"]:
    """Open an h5ad file or a zarr folder without reading its layers.

    anndata's ``backed`` mode, in contrast, reads all layers except ``X``.

    The file may come from an unknown source: it is refused if it refers to other files (external
    and soft links, external storage, virtual datasets, symbolic links in a zarr folder), if a zarr
    array has a codec that is not known to be safe, or if it declares far more data than it holds.

    Parameters
    ----------
    path : path-like
        File or folder written by anndata, of any version since 0.5; a zipped zarr folder; or a
        MuData file (h5mu), whose layers have the name of their modality in front: ``"rna/X"``,
        ``"rna/counts"``. New and total RNA may be in two modalities of the same cells and genes.
        ``obs`` is that of the modality, with the columns that only the file's own ``obs`` has.
    layers : sequence of str, "auto" or "all", default=("new", "total")
        Layers to open. ``"X"`` is the matrix ``adata.X``, ``"raw/X"`` that of ``adata.raw``,
        ``"a+b"`` stands for two layers. "auto" opens those of new and total RNA
        (`scifate_sklearn.anndata_io.find_layers`).

    Yields
    ------
    AnnData
        With ``obs`` and ``var`` in memory and the layers in the file. The file is closed at the end
        of the ``with`` block.

    Raises
    ------
    ValueError
        If a layer does not exist, the file refers to other files or may run code, it is damaged,
        or it has another format; the message then names the format and what to do.
    FileNotFoundError
        If `path` does not exist.
    ImportError
        If the file needs a package that is not installed, such as filters of HDF5.

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
        raise FileNotFoundError(f"{path} does not exist.")
    with open_store(path, "r") as store:
        stored = _stored(path, store)
        yield _assemble(path, stored, _layer_names(layers, list(stored.matrices)))


@contextmanager
def open_parts(path: Path) -> Iterator[tuple[list["AnnData"], list[str]]]:
    """Open all layers of a file, as `open_anndata` opens some of them.

    Parameters
    ----------
    path : Path

    Yields
    ------
    parts : list of AnnData
        One, or of a MuData file one for all modalities with the same cells and genes.
    others : list of str
        Layers that cannot be opened: ``raw`` of modalities with other genes.
    """
    with open_store(path, "r") as store:
        stored = _stored(path, store)
        try:
            together, others = stored.parts()
        except Exception as error:  # h5py, zarr and anndata raise errors of many types
            raise unreadable(path, error) from error
        yield [_assemble(path, stored, set(names)) for names in together], others


@contextmanager
def open_store(path: Path, mode: Literal["r", "r+"]) -> Iterator[Any]:
    """Open an h5ad file or a zarr folder.

    Parameters
    ----------
    path : Path
    mode : {"r", "r+"}
        Read only, or read and write.

    Yields
    ------
    h5py.File or zarr.Group

    Raises
    ------
    ValueError
        If it is neither of these, refers to other files, or may run code.
    ImportError
        If the package zarr is missing or too old.
    """
    with ExitStack() as stack:
        folder = path
        if mode == "r" and is_zipped_zarr(path):
            folder = _enter(stack, path)
        opened = _open_folder if folder.is_dir() else _open_file
        yield stack.enter_context(opened(folder, mode))


def _enter(stack: ExitStack, path: Path) -> Path:
    """Return the temporary folder of a zipped zarr folder."""
    try:
        return stack.enter_context(unzipped(path))
    except ValueError as error:
        raise unreadable(path, error) from error


@contextmanager
def _open_file(path: Path, mode: Literal["r", "r+"]) -> Iterator[Any]:
    import h5py

    if not path.is_file():  # opening a pipe would wait for a writer
        raise unreadable(path, OSError("it is not a regular file"))
    try:
        _check_format(path)
        file = h5py.File(path, mode)
    except OSError as error:
        raise unreadable(path, error) from error
    with file:
        _check(path, check_file, file)
        yield file


@contextmanager
def _open_folder(path: Path, mode: Literal["r", "r+"]) -> Iterator[Any]:
    _check_format(path)
    zarr = import_zarr(path)
    _check(path, check_folder, path)
    # zarr 3 does not allow changes to a folder that was opened by its consolidated metadata.
    is_zarr_3 = zarr_version() >= 3
    options: dict[str, Any] = {"use_consolidated": False} if mode == "r+" and is_zarr_3 else {}
    try:
        store = zarr.open_group(str(path), mode=mode, **options)
    except Exception as error:  # zarr raises errors of many types
        raise unreadable(path, error) from error
    yield store
    if mode == "r+":
        zarr.consolidate_metadata(store.store)


def _check_format(path: Path) -> None:
    """Raise ValueError if a file or folder has another format, with its name and what to do."""
    try:
        found = recognise(path)
    except Exception as error:  # damaged files raise errors of many types
        raise unreadable(path, error) from error
    if found:
        raise ValueError(
            f"{path} is not a readable h5ad file or zarr folder, but {found.name}. "
            f"{found.advise(path)}"
        )


def _check(path: Path, check: Callable[[Any], None], store: Any) -> None:
    try:
        check(store)
    except Exception as error:  # damaged files raise errors of many types
        raise unreadable(path, error) from error


def write_uns(store: Any, key: str, content: dict[str, Any]) -> None:
    """Write ``uns[key]`` to an open file.

    Parameters
    ----------
    store : h5py.File or zarr.Group
        Opened by `open_store` in the mode "r+".
    key : str
    content : dict of str
        DataFrames, arrays, strings, numbers, and dicts of these.
    """
    import anndata

    if "uns" not in store:
        anndata.io.write_elem(store, "uns", {})
    anndata.io.write_elem(store["uns"], key, _writable(content))


def _writable(content: Any) -> Any:
    """Return content whose text is of Python's type; early anndata writes no text of pandas 3."""
    if isinstance(content, dict):
        return {str(key): _writable(value) for key, value in content.items()}
    if not isinstance(content, pd.DataFrame):
        return content
    text = {name: object for name in content if pd.api.types.is_string_dtype(content[name])}
    return content.astype(text).set_axis(content.columns.astype(object), axis=1)


def _stored(path: Path, store: Any) -> Stored:
    try:
        return Stored.from_store(store)
    except Exception as error:
        raise unreadable(path, error) from error


def _assemble(path: Path, stored: Stored, names: set[str]) -> "AnnData":
    import anndata

    try:
        matrices = {name: each for name, each in stored.matrices.items() if name in names}
        for part in [*stored.tables(names), *matrices.values()]:
            check_filters(part)
        parts = {name: open_matrix(each) for name, each in matrices.items()}
        x, raw = parts.pop("X", None), parts.pop(RAW, None)
        kept = {} if raw is None else {"raw": {"X": raw, "var": stored.raw_genes()}}
        return anndata.AnnData(X=x, layers=parts, **stored.frames(names), **kept)
    except ImportError as error:
        raise ImportError(f"{path}: {error}") from error
    except ModalityError as error:
        raise ValueError(f"{path}: {error}") from error
    except Exception as error:  # h5py, zarr and anndata raise errors of many types
        raise unreadable(path, error) from error


def _layer_names(layers: Sequence[str] | str, stored: list[str]) -> set[str]:
    """Return the names of the layers to open."""
    if isinstance(layers, str) and layers == "all":
        return set(stored)
    wanted = find_names(stored)[:2] if isinstance(layers, str) and layers == AUTO else layers
    return {part for name in wanted for part in layer_parts(name, stored, "layers")}


def unreadable(path: Path, error: Exception) -> ValueError:
    """Return the error about a file that is refused or damaged."""
    return ValueError(f"{path} is not a readable h5ad file or zarr folder: {error}")
