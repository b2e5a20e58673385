"""Layers of an AnnData in rows, whatever they are stored as and wherever."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from ..preprocessing import Matrix, check_intact, check_real

if TYPE_CHECKING:
    from anndata import AnnData

KINDS = ("counts", "values")


@dataclass(frozen=True)
class Layer:
    """Counts or values (n_cells, n_genes), to be read some cells at a time.

    Attributes
    ----------
    name : str
        What the user calls it; sums have plus signs.
    parts : tuple
        What adds up to it: NumPy arrays, SciPy's CSR matrices, anndata's backed CSR matrices,
        dense arrays of h5py and zarr, or Dask arrays. Never modified.
    is_counts : bool
        True for counts, False for values.
    """

    name: str
    parts: tuple[Any, ...]
    is_counts: bool

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return int(self.parts[0].shape[0])

    @property
    def is_dask(self) -> bool:
        """Whether Dask holds it, or a part of it."""
        return any(map(is_dask, self.parts))

    @property
    def n_stored(self) -> int:
        """How many numbers are stored, about."""
        return max(map(_n_stored, self.parts))

    def rows(self, start: int, stop: int) -> Matrix:
        """Return some cells: a dense array, or CSR in canonical format; read only.

        Raises
        ------
        ValueError
            If they cannot be read from their file.
        """
        try:
            parts = [part[start:stop] for part in self.parts]
        except Exception as error:  # h5py and zarr raise whatever they stumble over
            raise ValueError(
                f"layer {self.name!r}: cells {start} to {stop} cannot be read from their file "
                f"({error}). It is damaged; write it again."
            ) from error
        return add_parts(parts, self.name)


def add_parts(parts: Sequence[Any], name: str) -> Matrix:
    """Return the sum of some cells of each part: dense, or CSR without entries stored twice."""
    matrices: list[Any] = [_as_matrix(part, name) for part in parts]
    if len(matrices) == 1:
        return matrices[0]
    # In double precision, because small integers would wrap around.
    total = sum(matrix.astype(np.float64) for matrix in matrices)
    return total if isinstance(total, np.ndarray) else sp.csr_array(total)


def read_layers(
    adata: "AnnData", nt_layers: Sequence[str], response: str, regulators: str
) -> tuple[Layer, Layer]:
    """Return the layers of the response and of the regulators.

    Parameters
    ----------
    adata : AnnData of shape (n_cells, n_genes)
        Never modified.
    nt_layers : (str, str)
        Layer of the response and layer of the regulators.
    response, regulators : {"counts", "values"}
        What they hold.

    Raises
    ------
    TypeError
        If a layer is of an unknown kind or does not hold real numbers.
    ValueError
        If a layer is missing.
    """
    new, total = check_layer_names(nt_layers)
    return (
        read_layer(adata, new, response == KINDS[0]),
        read_layer(adata, total, regulators == KINDS[0]),
    )


def check_anndata(adata: object) -> None:
    """Raise if `adata` is no AnnData or has no cells or genes.

    Raises
    ------
    TypeError
        If it lacks what an AnnData has.
    ValueError
        If it is empty.
    """
    if isinstance(adata, type) or not all(
        hasattr(adata, slot) for slot in ("layers", "obs_names", "var_names", "uns")
    ):
        raise TypeError(f"adata must be an AnnData, got {type(adata).__name__}.")
    n_cells, n_genes = len(adata.obs_names), len(adata.var_names)  # type: ignore[attr-defined]
    if n_cells == 0 or n_genes == 0:
        raise ValueError(f"adata is empty: {n_cells} cells and {n_genes} genes.")


def check_layer_names(nt_layers: Sequence[str]) -> tuple[str, str]:
    """Return the names of the new and the total layer.

    Raises
    ------
    ValueError
        If `nt_layers` is not two names.
    """
    # Sets have no order, and text would be its letters.
    names = list(nt_layers) if isinstance(nt_layers, list | tuple | np.ndarray) else []
    if len(names) != 2 or not all(isinstance(name, str) for name in names):
        raise ValueError(
            "nt_layers must be two layer names, that of the new and that of the total RNA, such as "
            f"('new', 'total'); got {nt_layers!r}."
        )
    return names[0], names[1]


def layer_parts(name: str, there: Sequence[str]) -> list[str]:
    """Return the names of the layers that add up to `name`.

    Parameters
    ----------
    name : str
        A layer that is there, or the sum of some: ``"spliced+unspliced"``.
    there : sequence of str
        Names of the layers; ``"X"`` among them if there is such a matrix.

    Raises
    ------
    ValueError
        If one is not there.
    """
    if name in there:
        return [name]
    names = [part.strip() for part in name.split("+")]
    missing = [part for part in names if part not in there]
    if missing:
        raise ValueError(
            f"nt_layers names the layer {missing[0]!r}, which adata does not have. There are: "
            f"{', '.join(map(repr, there)) or 'none'}."
        )
    return names


def read_layer(adata: "AnnData", name: str, is_counts: bool) -> Layer:
    """Return a layer, or the sum of layers.

    Parameters
    ----------
    adata : AnnData of shape (n_cells, n_genes)
        Never modified.
    name : str
        Name of a layer, or of several with plus signs between them; ``"X"`` means ``adata.X``
        unless a layer has that name.
    is_counts : bool

    Raises
    ------
    ValueError
        If there is no such layer.
    TypeError
        If it is of an unknown kind or does not hold real numbers.
    """
    stored = ({"X": adata.X} if adata.X is not None else {}) | dict(adata.layers)
    parts = [_in_rows(stored[part], part) for part in layer_parts(name, list(stored))]
    for part in parts:
        check_real(part, f"layer {name!r}")
    return Layer(name, tuple(parts), is_counts)


def is_sparse(stored: Any) -> bool:
    """Tell whether this is a SciPy sparse matrix; without telling type checkers of which kind."""
    return bool(sp.issparse(stored))


def is_dask(stored: Any) -> bool:
    """Tell whether this is a Dask array, without importing Dask."""
    return hasattr(stored, "__dask_graph__")


def _in_rows(stored: Any, name: str) -> Any:
    """Return what can be read row by row; columns are turned into rows in memory."""
    if isinstance(stored, np.ndarray) or is_sparse(stored):
        check_intact(stored, f"layer {name!r}")
        return sp.csr_array(stored) if is_sparse(stored) else np.asarray(stored)
    if _is_backed_sparse(stored):
        _check_backed(stored, name)
        if stored.format == "csr":
            return stored
        columns = stored.to_memory()
        check_intact(columns, f"layer {name!r}")
        return sp.csr_array(columns)
    if is_dask(stored) or _is_dense_in_file(stored):
        return stored
    raise TypeError(
        f"layer {name!r} is a {type(stored).__name__}; NumPy arrays, SciPy sparse matrices, "
        "backed layers of h5ad and zarr files, and Dask arrays are understood."
    )


def _is_backed_sparse(stored: Any) -> bool:
    return hasattr(stored, "to_memory") and hasattr(stored, "format") and hasattr(stored, "group")


def _check_backed(stored: Any, name: str) -> None:
    """Raise unless the parts of a sparse matrix in a file are there and fit together."""
    try:
        starts = np.asarray(stored.group["indptr"][:])
        sizes = {stored.group[part].shape[0] for part in ("data", "indices")}
        n_rows = stored.shape[stored.format == "csc"]
        is_whole = len(starts) == n_rows + 1 and {int(starts[-1])} == sizes and starts[0] == 0
    except Exception as error:  # h5py and zarr raise whatever they stumble over
        raise ValueError(
            f"layer {name!r} is a damaged sparse matrix ({error}); write the file again."
        ) from error
    if not is_whole or (np.diff(starts) < 0).any():
        raise ValueError(
            f"layer {name!r} is a damaged sparse matrix: its entries and where each row starts "
            "contradict each other; write the file again."
        )


def _is_dense_in_file(stored: Any) -> bool:
    return type(stored).__module__.split(".")[0] in ("h5py", "zarr") and hasattr(stored, "dtype")


def _n_stored(part: Any) -> int:
    if is_sparse(part):
        return int(part.nnz)
    if _is_backed_sparse(part):
        return int(part.group["indptr"][-1])
    return int(np.prod(part.shape))


def _as_matrix(rows: Any, name: str) -> Matrix:
    """Return some cells as an array or as CSR in canonical format."""
    check_intact(rows, f"layer {name!r}")
    if not is_sparse(rows):
        return np.asarray(rows)
    matrix: Any = sp.csr_array(rows)
    if not matrix.has_canonical_format:
        # Entries stored twice would count twice as positive; summing works in place, so copy.
        matrix = matrix.copy()
        matrix.sum_duplicates()
    return matrix
