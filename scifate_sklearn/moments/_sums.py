"""Sums over the cells of each part: around a shift, weighted, chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.linalg.blas import dgemm

from ._cells import Shift, WeightedCells
from ._matrices import CHUNK_ENTRIES, Matrix, canonical, dense, slices, sparse_chunk_cells

# The sums of one part or of all, by the names of their fields.
Sums: TypeAlias = dict[str, NDArray[np.float64]]
# Rows of X, and the rows of Y that they are paired with.
RowPairs: TypeAlias = tuple[NDArray[np.intp], NDArray[np.intp]]

SUMS = ("n_cells", "weight", "x_sum", "y_sum", "xx", "xy", "yy")
# The sums that depend on the targets.
TARGET_SUMS = ("y_sum", "xy", "yy")

# Dense cells are copied in chunks of at most 4 MiB: shift and weight then change numbers that are
# still in the processor's cache, and the products are large enough for BLAS at full speed.
_CHUNK_SIZE = 2**19
_CHUNK_CELLS = 2048
# Approximate cost of a multiplication of sparse matrices, relative to one of dense matrices.
_SPARSE_COST = 128


def sum_shapes(n_parts: int, p: int, q: int) -> dict[str, tuple[int, ...]]:
    """Return the shape of each sum of `n_parts` parts, p predictors and q targets."""
    shapes = ((), (), (p,), (q,), (p, p), (p, q), (q,))
    return {name: (n_parts, *shape) for name, shape in zip(SUMS, shapes, strict=True)}


def zero_sums(n_parts: int, p: int, q: int, names: Iterable[str] = SUMS) -> Sums:
    """Return the named sums of `n_parts` parts without cells."""
    shapes = sum_shapes(n_parts, p, q)
    return {name: np.zeros(shapes[name]) for name in names}


def add_cells(
    cells: WeightedCells,
    shift: Shift,
    parts: Iterable[NDArray[np.intp]],
    sums: Sums,
    order: NDArray[np.intp] | None = None,
) -> None:
    """Add the sums over the rows of each part to `sums`, in place.

    Row i of X is paired with row ``order[i]`` of Y. Only the sums that `sums` holds are computed:
    without xx, those of the targets.
    """
    add_part = _add_sparse_part if _is_sparse_faster(cells, shift) else _add_dense_part
    weight = cells.weight
    for k, rows in enumerate(parts):
        rows = rows[weight[rows] > 0]
        # With the ellipsis even single numbers are views, which can be written in place.
        part = {name: stack[k, ...] for name, stack in sums.items()}
        if "xx" in part:
            part["n_cells"] += len(rows)
            part["weight"] += weight[rows].sum()
        add_part(cells, shift, (rows, rows if order is None else order[rows]), part)


def _is_sparse_faster(cells: WeightedCells, shift: Shift) -> bool:
    """Return whether both matrices are sparse and few of their numbers differ from the shift."""
    if isinstance(cells.X, np.ndarray) or isinstance(cells.Y, np.ndarray):
        return False
    shares = [
        (A.nnz + A.shape[0] * np.count_nonzero(column)) / max(1, A.shape[0] * A.shape[1])
        for A, column in ((cells.X, shift.x), (cells.Y, shift.y))
    ]
    return _SPARSE_COST * shares[0] * shares[1] < 1.0


def _add_dense_part(cells: WeightedCells, shift: Shift, rows: RowPairs, part: Sums) -> None:
    """Add the sums over the rows to `part`, chunk by chunk; X, Y or both may be sparse."""
    X, Y, weight = cells.X, cells.Y, cells.weight
    n_cells, n_targets = _chunk_shape(X.shape[1])
    if not isinstance(Y, np.ndarray):  # cutting columns takes longer than densifying all of them
        n_targets = max(1, Y.shape[1])
        n_cells = max(1, min(n_cells, CHUNK_ENTRIES // n_targets))
    # Never both: NumPy and SciPy may each have a BLAS, whose threads would wait for each other's.
    add_product = _add_product_in_place if n_targets >= Y.shape[1] else _add_product
    x_rows, y_rows = rows
    for chunk in slices(len(x_rows), n_cells):
        root = np.sqrt(weight[x_rows[chunk]])
        A = _weigh_dense(X, x_rows[chunk], root, shift.x)
        if "xx" in part:
            part["x_sum"] += _weighted_sums(root, A)
            add_product(A, A, part["xx"])
        for block in slices(Y.shape[1], n_targets):
            B = _weigh_dense(Y[:, block], y_rows[chunk], root, shift.y[block])
            part["y_sum"][block] += _weighted_sums(root, B)
            part["yy"][block] += _squares(B)
            add_product(A, B, part["xy"][:, block])


def _chunk_shape(n_features: int) -> tuple[int, int]:
    """Return the number of cells in a chunk of X, and of targets in a chunk of Y."""
    n_cells = max(1, min(_CHUNK_CELLS, _CHUNK_SIZE // max(1, n_features)))
    return n_cells, max(1, _CHUNK_SIZE // n_cells)


def _weigh_dense(
    A: Matrix, rows: NDArray[np.intp], root: NDArray[np.float64], shift: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return √w (A − shift) for the given rows, in newly allocated memory."""
    if not isinstance(A, np.ndarray):
        chunk = dense(A[rows])
    elif A.flags.f_contiguous:
        # Twice as fast as indexing; in any other memory order np.take may copy all of A first.
        chunk = np.take(A.T, rows, axis=1).T
    else:
        chunk = A[rows]
    chunk = chunk.astype(np.float64, copy=False)
    if shift.any():
        chunk -= shift
    if np.any(root != 1.0):
        chunk *= root[:, None]
    return chunk


def _add_product(A: NDArray[np.float64], B: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    out += A.T @ B


def _add_product_in_place(
    A: NDArray[np.float64], B: NDArray[np.float64], out: NDArray[np.float64]
) -> None:
    """Add AᵀB to a C-contiguous `out` without an intermediate array."""
    # BLAS expects column-major arrays (outᵀ += Bᵀ A) and would copy row-major ones.
    left, right = B.flags.f_contiguous, not A.flags.f_contiguous
    product = dgemm(
        1.0, B if left else B.T, A.T if right else A, 1.0, out.T,
        trans_a=left, trans_b=right, overwrite_c=True,
    )  # fmt: skip
    if not np.may_share_memory(product, out):  # SciPy may have made a copy
        out[...] = product.T


def _weighted_sums(root: NDArray[np.float64], A: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.einsum("i,ij->j", root, A)


def _add_sparse_part(cells: WeightedCells, shift: Shift, rows: RowPairs, part: Sums) -> None:
    """Add the sums over the rows to `part`, chunk by chunk, by products of sparse matrices."""
    x_rows, y_rows = rows
    for chunk in slices(len(x_rows), sparse_chunk_cells(cells.X, cells.Y)):
        root = np.sqrt(cells.weight[x_rows[chunk]])
        A = _weigh_sparse(cells.X, x_rows[chunk], root, shift.x)
        B = _weigh_sparse(cells.Y, y_rows[chunk], root, shift.y)
        transposed = A.T.tocsr()
        if "xx" in part:
            part["x_sum"] += root @ A
            part["xx"] += dense(transposed @ A)
        part["y_sum"] += root @ B
        part["xy"] += dense(transposed @ B)
        part["yy"] += _squares(B)


def _weigh_sparse(
    A: Matrix, rows: NDArray[np.intp], root: NDArray[np.float64], shift: NDArray[np.float64]
) -> Matrix:
    """Return √w (A − shift) for the given rows; zeros in columns without a shift are not stored."""
    A = canonical(A[rows]).astype(np.float64, copy=False)
    shifted = np.flatnonzero(shift)
    if shifted.size:
        n, m = A.shape[0], shifted.size
        row = np.tile(shift[shifted], n), np.tile(shifted, n), np.arange(0, n * m + 1, m)
        A = A - sp.csr_array(row, shape=A.shape)
    data = A.data * np.repeat(root, np.diff(A.indptr))
    return sp.csr_array((data, A.indices, A.indptr), shape=A.shape)


def _squares(B: Matrix) -> NDArray[np.float64]:
    if not isinstance(B, np.ndarray):
        return np.asarray(B.multiply(B).sum(axis=0), np.float64).ravel()
    return np.einsum("ij,ij->j", B, B)
