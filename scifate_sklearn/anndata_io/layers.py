"""Layers of an AnnData as plain arrays, whatever they are stored as."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from scifate_sklearn.preprocessing import Matrix, check_counts
from scifate_sklearn.preprocessing.matrices import check_intact

if TYPE_CHECKING:
    from anndata import AnnData


@dataclass(frozen=True)
class Layers:
    """The layer of the response and that of the regulators, and what they hold.

    Attributes
    ----------
    new, total : {ndarray, csr_array, csc_array} of shape (n_cells, n_genes)
        May share memory with the AnnData: read only.
    names : (str, str)
        What the layers are called.
    new_is_counts, total_is_counts : bool
        True for counts, False for values.
    """

    new: Matrix
    total: Matrix
    names: tuple[str, str]
    new_is_counts: bool
    total_is_counts: bool

    def of_cells(self, keep: NDArray[np.bool_]) -> "Layers":
        """Return the layers of the cells where `keep` is True."""
        return replace(self, new=self.new[keep], total=self.total[keep])

    def of_genes(self, keep: NDArray[np.bool_]) -> "Layers":
        """Return the layers of the genes where `keep` is True."""
        return replace(self, new=self.new[:, keep], total=self.total[:, keep])


def read_layers(
    adata: "AnnData", nt_layers: Sequence[str], response: str, regulators: str
) -> Layers:
    """Return both layers, checked for what they are said to hold.

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
        If a layer is not in memory or does not hold real numbers.
    ValueError
        If a layer is missing, or counts are negative or not finite.
    """
    names = check_layer_names(nt_layers)
    new, total = (read_layer(adata, name) for name in names)
    kinds = (response == "counts", regulators == "counts")
    for name, matrix, is_counts in zip(names, (new, total), kinds, strict=True):
        if is_counts:
            check_counts(matrix, f"layer {name!r}")
        elif matrix.dtype.kind not in "iuf":
            raise TypeError(f"layer {name!r} must hold real numbers, found dtype {matrix.dtype}.")
    return Layers(new, total, names, *kinds)


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


def read_layer(adata: "AnnData", name: str) -> Matrix:
    """Return a layer as it is stored: a dense array or CSR/CSC in canonical format.

    Parameters
    ----------
    adata : AnnData of shape (n_cells, n_genes)
        Never modified.
    name : str
        Name of a layer; ``"X"`` means ``adata.X`` unless a layer has that name.

    Returns
    -------
    {ndarray, csr_array, csc_array} of shape (n_cells, n_genes)
        May share memory with `adata`: read only.

    Raises
    ------
    ValueError
        If there is no such layer.
    TypeError
        If the layer is not in memory (backed, Dask) or of another unknown kind.
    """
    if name in adata.layers:
        return _as_matrix(adata.layers[name], name)
    if name == "X" and adata.X is not None:
        return _as_matrix(adata.X, name)
    there = [*map(repr, adata.layers), *(["'X' (adata.X)"] if adata.X is not None else [])]
    raise ValueError(
        f"nt_layers names the layer {name!r}, which adata does not have. There are: "
        f"{', '.join(there) or 'none'}."
    )


def _as_matrix(stored: Any, name: str) -> Matrix:
    check_intact(stored, f"layer {name!r}")
    if isinstance(stored, np.ndarray):
        return np.asarray(stored)
    if not sp.issparse(stored):
        raise TypeError(
            f"layer {name!r} is a {type(stored).__name__}; NumPy arrays and SciPy sparse matrices "
            "in memory are understood. Load a backed AnnData with adata.to_memory() first."
        )
    sparse: Any = stored
    matrix: sp.csc_array[Any] | sp.csr_array[Any, tuple[int, int]]
    matrix = sp.csc_array(sparse) if sparse.format == "csc" else sp.csr_array(sparse)
    if not matrix.has_canonical_format:
        # Entries stored twice would count twice as positive; summing works in place, so copy.
        matrix = matrix.copy()
        matrix.sum_duplicates()
    return matrix
