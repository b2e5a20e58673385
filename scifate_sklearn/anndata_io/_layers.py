"""Row-wise reading of AnnData layers in any storage format."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from ..preprocessing import Matrix, check_intact, check_real, convert_types
from ._conventions import RAW, sole_match
from ._formats import describe_object
from ._stored import Rows, StoredRows, is_backed_sparse, open_rows, warn_of_missing_chunks

if TYPE_CHECKING:
    from anndata import AnnData

# Sample of a layer: numbers of runs, and of cells in each.
_N_RUNS, _RUN = 10, 50

_CLOSED = (
    "cannot be read because its file was closed. Use the AnnData within the block of "
    "`open_anndata`."
)


@dataclass(frozen=True)
class Layer:
    """Counts or values (n_cells, n_genes), read in ranges of cells.

    Attributes
    ----------
    name : str
        Name given by the user; a sum of layers is written with plus signs.
    parts : tuple
        Matrices that add up to the layer: NumPy arrays, SciPy's CSR matrices, CSR matrices and
        dense arrays in a file, or Dask arrays. Never modified.
    """

    name: str
    parts: tuple[Any, ...]

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return int(self.parts[0].shape[0])

    @property
    def is_dask(self) -> bool:
        """Whether a part of the layer is a Dask array."""
        return any(map(is_dask, self.parts))

    @property
    def n_stored(self) -> int:
        """Approximate number of stored entries."""
        return max(map(_n_stored, self.parts))

    def rows(self, start: int, stop: int) -> Matrix:
        """Read a range of cells, as a dense array or as CSR in canonical format.

        Parameters
        ----------
        start, stop : int
            First cell, and the cell after the last one.

        Returns
        -------
        {ndarray, csr_array} of shape (stop - start, n_genes)
            May share memory with the layer; must not be modified.

        Raises
        ------
        ValueError
            If the cells cannot be read from their file.
        """
        try:
            parts = [_computed(part[start:stop]) for part in self.parts]
        except Exception as error:  # h5py and zarr raise errors of many types
            if isinstance(error, MemoryError | PermissionError):
                raise
            raise ValueError(
                f"layer {self.name!r}: cells {start} to {stop} cannot be read from their file "
                f"({error}). {_advice(error)}"
            ) from error
        return add_parts(parts, self.name)

    def sample(self) -> Matrix:
        """Read up to 500 cells, in runs at equal distances."""
        if self.n_cells <= _N_RUNS * _RUN:
            return self.rows(0, self.n_cells)
        # Runs are read faster than single cells.
        starts = np.arange(_N_RUNS) * (self.n_cells - _RUN) // (_N_RUNS - 1)
        runs: list[Any] = [self.rows(int(start), int(start) + _RUN) for start in starts]
        if isinstance(runs[0], np.ndarray):
            return np.vstack(runs)
        return sp.csr_array(sp.vstack(runs, format="csr"))


def _computed(part: Any) -> Any:
    return part.compute() if is_dask(part) else part


def _advice(error: Exception) -> str:
    """Return what to do about cells that cannot be read."""
    if isinstance(error, OSError) and error.errno is not None:
        return "Check that the disk of the file can be reached."
    return "The file is damaged; write it again."


def add_parts(parts: Sequence[Any], name: str) -> Matrix:
    """Return the sum of the parts of a layer, dense or as CSR without duplicate entries."""
    matrices: list[Any] = [_as_matrix(part, name) for part in parts]
    if len(matrices) == 1:
        return matrices[0]
    # Sums of small integer types would overflow.
    total = sum(matrix.astype(np.float64) for matrix in matrices)
    return total if isinstance(total, np.ndarray) else sp.csr_array(total)


def check_anndata(adata: object) -> None:
    """Raise if `adata` is not an AnnData, or has no cells or no genes.

    Raises
    ------
    TypeError
        If it lacks attributes of an AnnData.
    ValueError
        If it is empty, or its file has been closed.
    """
    slots = ("layers", "obs_names", "var_names", "uns")
    try:
        is_anndata = not isinstance(adata, type) and all(hasattr(adata, slot) for slot in slots)
    except RuntimeError as error:  # of h5py, which anndata asks for the shape of a layer
        raise ValueError(f"adata {_CLOSED}") from error
    advice = describe_object(adata)  # some of these have the attributes of an AnnData
    if advice or not is_anndata:
        raise TypeError(f"adata must be an AnnData, got {type(adata).__name__}.{advice}")
    n_cells, n_genes = len(adata.obs_names), len(adata.var_names)  # type: ignore[attr-defined]
    if n_cells == 0 or n_genes == 0:
        raise ValueError(f"adata is empty: {n_cells} cells and {n_genes} genes.")


def layer_names(adata: "AnnData") -> list[str]:
    """Return the names of all layers: X and raw, where they exist, and those in ``layers``."""
    names = ["X"] if adata.X is not None else []
    names += list(adata.layers)
    return names if getattr(adata, "raw", None) is None else list(dict.fromkeys([*names, RAW]))


def layer_parts(
    name: str, available: Sequence[str], argument: str = "nt_layers", has_auto: bool = False
) -> list[str]:
    """Return the names of the layers that add up to `name`.

    Parameters
    ----------
    name : str
        Name of a layer, or a sum of layers such as ``"spliced+unspliced"``.
    available : sequence of str
        Names of the layers, including ``"X"`` if that matrix exists.
    argument : str, default="nt_layers"
        Name of the user's argument, for the error message.
    has_auto : bool, default=False
        Whether this argument can be "auto", as `nt_layers` can.

    Returns
    -------
    list of str

    Raises
    ------
    ValueError
        If a layer does not exist, or is named twice.
    """
    if name in available:
        return [name]
    names = [part.strip() for part in name.split("+")]
    missing = [part for part in names if part not in available]
    if missing:
        found = _recognised(available, argument) if has_auto or argument == "nt_layers" else ""
        raise ValueError(
            f"`{argument}` names the layer {missing[0]!r}, which adata does not have. There are: "
            f"{', '.join(map(repr, available)) or 'none'}.{found}"
        )
    repeated = next((part for part in names if names.count(part) > 1), None)
    if repeated is not None:
        raise ValueError(f"`{argument}` adds the layer {repeated!r} to itself; name it once.")
    return names


def _recognised(available: Sequence[str], argument: str) -> str:
    """Return which layers would be found by their names, if only two would."""
    new, total, _ = sole_match(available)
    if not new:
        return ""
    return f" `{argument}='auto'` takes {new!r} as new and {total!r} as total RNA."


def read_layer(adata: "AnnData", name: str, argument: str = "nt_layers") -> Layer:
    """Return a layer or a sum of layers, to be read in ranges of cells.

    Parameters
    ----------
    adata : AnnData of shape (n_cells, n_genes)
        Never modified.
    name : str
        Name of a layer, or names of several layers joined by plus signs; ``"X"`` means ``adata.X``
        unless a layer has that name, ``"raw/X"`` the columns of ``adata.raw.X`` that are genes of
        `adata`.
    argument : str, default="nt_layers"
        Name of the user's argument, for the error message.

    Returns
    -------
    Layer

    Raises
    ------
    ValueError
        If the layer does not exist or is damaged.
    TypeError
        If the layer is of an unknown type or does not hold real numbers.
    """
    stored = ({"X": adata.X} if adata.X is not None else {}) | dict(adata.layers)
    raw = getattr(adata, "raw", None)
    if raw is not None and RAW not in stored:
        stored[RAW] = raw.X
    named = layer_parts(name, list(stored), argument)
    rows = {part: _in_rows(stored[part], part) for part in named}
    parts = [_of_genes(part, adata) if each == RAW else part for each, part in rows.items()]
    for part in parts:
        # Objects in a Dask array may be numbers, which is known only when a chunk is computed.
        if not (is_dask(part) and part.dtype == object):
            check_real(part, f"layer {name!r}")
    return Layer(name, tuple(parts))


@dataclass(frozen=True)
class _Columns:
    """Some columns of a matrix that is read by rows."""

    matrix: Any
    columns: NDArray[np.intp]

    ndim = 2

    @property
    def shape(self) -> tuple[int, int]:
        return self.matrix.shape[0], len(self.columns)

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(self.matrix.dtype)

    def __getitem__(self, rows: Rows) -> Any:
        return self.matrix[rows[0] if isinstance(rows, tuple) else rows][:, self.columns]


def _of_genes(part: Any, adata: "AnnData") -> Any:
    """Return the columns of ``raw`` that are genes of `adata`, in its order."""
    given = adata.raw.var_names
    if given.equals(adata.var_names):
        return part
    if not (given.is_unique and adata.var_names.is_unique):
        raise ValueError(
            f"layer {RAW!r} has other genes than adata, and names occur twice, so that the genes "
            "cannot be matched. Make the names unique first."
        )
    columns = given.get_indexer(adata.var_names)
    if (columns < 0).any():
        absent = adata.var_names[columns < 0]
        raise ValueError(
            f"layer {RAW!r} lacks {len(absent):,} of the {adata.n_vars:,} genes of adata, such as "
            f"{absent[0]!r}."
        )
    return _Columns(part, columns)


def is_sparse(stored: Any) -> bool:
    """Return whether this is a SciPy sparse matrix, without narrowing its type for mypy."""
    return bool(sp.issparse(stored))


def is_dask(stored: Any) -> bool:
    """Return whether this is a Dask array, without importing Dask."""
    return hasattr(stored, "__dask_graph__")


def _in_rows(stored: Any, name: str) -> Any:
    """Return a matrix that can be sliced by rows; CSC matrices are converted in memory."""
    if _is_closed(stored):
        raise ValueError(f"layer {name!r} {_CLOSED}")
    if isinstance(stored, np.ndarray) or is_sparse(stored):
        matrix = _supported(stored, name)
        return sp.csr_array(matrix) if is_sparse(matrix) else np.asarray(matrix)
    if is_backed_sparse(stored):
        return open_rows(stored, f"layer {name!r}")
    if is_dask(stored):
        return stored
    if _is_dense_in_file(stored):
        warn_of_missing_chunks(stored, f"layer {name!r}")
        return stored
    raise TypeError(
        f"layer {name!r} is a {type(stored).__name__}; NumPy arrays, SciPy sparse matrices, "
        "backed layers of h5ad and zarr files, and Dask arrays are supported."
    )


def _is_closed(stored: Any) -> bool:
    """Return whether a layer is in an HDF5 file that has been closed."""
    in_file = stored.group if is_backed_sparse(stored) else stored
    return type(in_file).__module__.startswith("h5py.") and not in_file


def _supported(matrix: Any, name: str) -> Any:
    """Return an intact matrix of supported types."""
    label = f"layer {name!r}"
    matrix = convert_types(matrix, label)
    check_intact(matrix, label)
    return matrix


def _is_dense_in_file(stored: Any) -> bool:
    return type(stored).__module__.split(".")[0] in ("h5py", "zarr") and hasattr(stored, "dtype")


def _n_stored(part: Any) -> int:
    if is_sparse(part) or isinstance(part, StoredRows):
        return int(part.nnz)
    return int(np.prod(part.shape))


def _as_matrix(rows: Any, name: str) -> Matrix:
    """Return cells as an array or as CSR in canonical format."""
    rows = _supported(rows, name)
    if not is_sparse(rows):
        return np.asarray(rows)
    matrix: Any = sp.csr_array(rows)
    if not matrix.has_canonical_format:
        # Duplicate entries would be counted twice. `sum_duplicates` mutates in place, so copy.
        matrix = matrix.copy()
        matrix.sum_duplicates()
    return matrix
