"""Operations on dense and sparse matrices that the sums and their shift share."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

# A dense float64 array or a SciPy CSR matrix: the stubs have no common type for both.
Matrix: TypeAlias = Any

# Sparse cells are read this many entries at a time: stored ones, or all once they are dense.
CHUNK_ENTRIES = 2**22


def slices(size: int, step: int) -> list[slice]:
    """Return consecutive slices that cover all positions.

    Parameters
    ----------
    size : int
        Number of positions.
    step : int
        Largest length of a slice.

    Returns
    -------
    list of slice
    """
    return [slice(start, start + step) for start in range(0, size, step)]


def sparse_chunk_cells(*matrices: Matrix) -> int:
    """Return the number of cells in one chunk of sparse matrices."""
    n_entries = sum(A.nnz for A in matrices)
    return max(1, CHUNK_ENTRIES * matrices[0].shape[0] // max(1, n_entries))


def canonical(A: Matrix) -> Matrix:
    """Return A as CSR without duplicate entries; the result may share memory with A."""
    A = sp.csr_array(A)
    if not A.has_canonical_format:
        A = A.copy()  # sum_duplicates works in place
        A.sum_duplicates()
    return A


def dense(A: Matrix) -> NDArray[np.float64]:
    """Return a matrix as a float64 array, without a copy where it is one already.

    Parameters
    ----------
    A : ndarray or sparse matrix of shape (n_rows, n_columns)

    Returns
    -------
    ndarray of shape (n_rows, n_columns)
    """
    return np.asarray(A if isinstance(A, np.ndarray) else A.toarray(), np.float64)
