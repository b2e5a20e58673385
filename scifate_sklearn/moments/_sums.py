"""Sums over the cells of one part: around a shift, weighted, chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.linalg.blas import dgemm

# A dense float64 array or a SciPy CSR matrix: the stubs have no common type for both.
Matrix: TypeAlias = Any
# The sums of one part or of all, by the names of their fields.
Sums: TypeAlias = dict[str, NDArray[np.float64]]

SUMS = ("n_cells", "weight", "x_sum", "y_sum", "xx", "xy", "yy")

# Dense cells are copied in chunks of at most 4 MiB: shift and weight then change what is still in
# the processor's cache, and the products are large enough for BLAS at full speed.
_CHUNK_SIZE = 2**19
_CHUNK_CELLS = 2048
# Sparse cells are taken so many entries at a time, stored or, once they are made dense, all.
_CHUNK_ENTRIES = 2**22
# What a multiplication of sparse matrices takes beside one of dense matrices, about.
_SPARSE_COST = 128
# A sparse column with at least this share of zeros is summed around 0: its mean is at most ten
# standard deviations away, so that two digits of sixteen cancel and no zero has to be stored.
_SHARE_OF_ZEROS = 0.01
# Few cells show that most columns are not constant.
_GLANCE_CELLS = 64


def sum_shapes(n_parts: int, p: int, q: int) -> dict[str, tuple[int, ...]]:
    """Return the shape of the sums of so many parts."""
    shapes = ((), (), (p,), (q,), (p, p), (p, q), (q,))
    return {name: (n_parts, *shape) for name, shape in zip(SUMS, shapes, strict=True)}


def zero_sums(n_parts: int, p: int, q: int) -> Sums:
    """Return room for the sums of so many parts."""
    return {name: np.zeros(shape) for name, shape in sum_shapes(n_parts, p, q).items()}


def column_shift(A: Matrix, weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what to sum each column around: its mean, exactly its value where it is constant.

    In sparse matrices 0 for columns with more than a few zeros.
    """
    if not isinstance(A, np.ndarray):
        return _sparse_shift(A, weight)
    shift = _column_mean(A, weight)
    constant = _constant_columns(A)
    shift[constant] = A[0, constant]
    return shift


def _sparse_shift(A: Matrix, weight: NDArray[np.float64]) -> NDArray[np.float64]:
    n, p = A.shape
    first, total_weight = _dense(A[:1]).ravel(), max(weight.sum(), np.finfo(float).tiny)
    total, stored_weight, n_first = np.zeros(p), np.zeros(p), np.zeros(p, np.intp)
    for rows in _slices(n, _chunk_cells(A)):
        part = _canonical(A[rows])
        data = part.data.astype(np.float64, copy=False)
        is_first = data == first[part.indices]
        entry_weight = np.repeat(weight[rows], np.diff(part.indptr))
        total += np.bincount(part.indices, entry_weight * data, minlength=p)
        stored_weight += np.bincount(part.indices, entry_weight, minlength=p)
        n_first += np.bincount(part.indices[is_first], minlength=p)
    mean = np.where(n_first == n, first, total / total_weight)
    return np.where(total_weight - stored_weight < _SHARE_OF_ZEROS * total_weight, mean, 0.0)


def column_spread(
    A: Matrix, columns: NDArray[np.intp], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the standard deviations of some columns."""
    part, weight = A[:, columns][weight > 0], weight[weight > 0]
    mean = _column_mean(part, weight)
    if isinstance(A, np.ndarray):
        return np.sqrt(_column_mean((part - mean) ** 2, weight))
    return np.sqrt(np.maximum(_column_mean(part.multiply(part), weight) - mean**2, 0.0))


def _column_mean(A: Matrix, weight: NDArray[np.float64]) -> NDArray[np.float64]:
    if not weight.any():
        return np.zeros(A.shape[1])
    if np.all(weight == weight[0]):
        return np.asarray(A.mean(axis=0, dtype=np.float64), np.float64).ravel()
    # Sentinels in cells without weight would move a plain mean far from the cells that count.
    return _dense(weight @ A).ravel() / weight.sum()


def _constant_columns(A: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the columns that hold one value only, reading little of those that do not."""
    columns = np.arange(A.shape[1])
    for cells in _slices(len(A), _GLANCE_CELLS):
        columns = columns[(A[cells, columns] == A[0, columns]).all(axis=0)]
        if columns.size == 0:
            break
    return columns


def add_cells(
    X: Matrix,
    Y: Matrix,
    weight: NDArray[np.float64],
    x_shift: NDArray[np.float64],
    y_shift: NDArray[np.float64],
    parts: Iterable[NDArray[np.intp]],
    sums: Sums,
    order: NDArray[np.intp] | None = None,
) -> None:
    """Add the sums over the rows of each part to what is in `sums` already.

    Row i of X goes with row ``order[i]`` of Y. Only the sums that are there are made: without xx,
    what concerns the targets.
    """
    add_part = _add_sparse_part if _is_sparse_faster(X, Y, x_shift, y_shift) else _add_dense_part
    for k, rows in enumerate(parts):
        rows = rows[weight[rows] > 0]
        # With the dots even single numbers are views, to be written in place.
        part = {name: stack[k, ...] for name, stack in sums.items()}
        if "xx" in part:
            part["n_cells"] += len(rows)
            part["weight"] += weight[rows].sum()
        y_rows = rows if order is None else order[rows]
        add_part(X, Y, weight, x_shift, y_shift, rows, y_rows, part)


def _is_sparse_faster(
    X: Matrix, Y: Matrix, x_shift: NDArray[np.float64], y_shift: NDArray[np.float64]
) -> bool:
    """Say whether few enough numbers are other than the shift, in both."""
    if isinstance(X, np.ndarray) or isinstance(Y, np.ndarray):
        return False
    shares = [
        (A.nnz + A.shape[0] * np.count_nonzero(shift)) / max(1, A.shape[0] * A.shape[1])
        for A, shift in ((X, x_shift), (Y, y_shift))
    ]
    return _SPARSE_COST * shares[0] * shares[1] < 1.0


def _add_dense_part(
    X: Matrix,
    Y: Matrix,
    weight: NDArray[np.float64],
    x_shift: NDArray[np.float64],
    y_shift: NDArray[np.float64],
    rows: NDArray[np.intp],
    y_rows: NDArray[np.intp],
    part: Sums,
) -> None:
    """Add the sums over the rows to `part`, chunk by chunk; X, Y or both may be sparse."""
    n_cells, n_targets = _chunk_shape(X.shape[1])
    if not isinstance(Y, np.ndarray):  # to cut columns out of which takes longer than all of them
        n_targets = max(1, Y.shape[1])
        n_cells = max(1, min(n_cells, _CHUNK_ENTRIES // n_targets))
    # Never both: NumPy and SciPy may each have a BLAS, whose threads would wait for each other's.
    add_product = _add_product_in_place if n_targets >= Y.shape[1] else _add_product
    for chunk in _slices(len(rows), n_cells):
        cells = rows[chunk]
        root = np.sqrt(weight[cells])
        A = _weigh_dense(X, cells, root, x_shift)
        if "xx" in part:
            part["x_sum"] += _weighted_sums(root, A)
            add_product(A, A, part["xx"])
        for block in _slices(Y.shape[1], n_targets):
            B = _weigh_dense(Y[:, block], y_rows[chunk], root, y_shift[block])
            part["y_sum"][block] += _weighted_sums(root, B)
            part["yy"][block] += _squares(B)
            add_product(A, B, part["xy"][:, block])


def _chunk_shape(n_features: int) -> tuple[int, int]:
    """Return the cells in a chunk of X, and the targets in a chunk of Y on these cells."""
    n_cells = max(1, min(_CHUNK_CELLS, _CHUNK_SIZE // max(1, n_features)))
    return n_cells, max(1, _CHUNK_SIZE // n_cells)


def _slices(size: int, step: int) -> list[slice]:
    return [slice(start, start + step) for start in range(0, size, step)]


def _weigh_dense(
    A: Matrix, rows: NDArray[np.intp], root: NDArray[np.float64], shift: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return √w (A − shift) for the given rows, always in new memory."""
    if not isinstance(A, np.ndarray):
        chunk = _dense(A[rows])
    elif A.flags.f_contiguous:
        # Twice as fast as indexing; in any other order it may copy all of A first.
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
    """Add AᵀB to a C-contiguous `out`, without an array in between."""
    # BLAS counts by columns, outᵀ += Bᵀ A, and would copy what is stored by rows.
    left, right = B.flags.f_contiguous, not A.flags.f_contiguous
    product = dgemm(
        1.0, B if left else B.T, A.T if right else A, 1.0, out.T,
        trans_a=left, trans_b=right, overwrite_c=True,
    )  # fmt: skip
    if not np.may_share_memory(product, out):  # SciPy may think that it had to copy
        out[...] = product.T


def _weighted_sums(root: NDArray[np.float64], A: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.einsum("i,ij->j", root, A)


def _add_sparse_part(
    X: Matrix,
    Y: Matrix,
    weight: NDArray[np.float64],
    x_shift: NDArray[np.float64],
    y_shift: NDArray[np.float64],
    rows: NDArray[np.intp],
    y_rows: NDArray[np.intp],
    part: Sums,
) -> None:
    """Add the sums over the rows to `part`, chunk by chunk, by products of sparse matrices."""
    for chunk in _slices(len(rows), _chunk_cells(X, Y)):
        cells = rows[chunk]
        root = np.sqrt(weight[cells])
        A = _weigh_sparse(X, cells, root, x_shift)
        B = _weigh_sparse(Y, y_rows[chunk], root, y_shift)
        transposed = A.T.tocsr()
        if "xx" in part:
            part["x_sum"] += root @ A
            part["xx"] += _dense(transposed @ A)
        part["y_sum"] += root @ B
        part["xy"] += _dense(transposed @ B)
        part["yy"] += _squares(B)


def _chunk_cells(*matrices: Matrix) -> int:
    """Return the cells in a chunk of sparse matrices."""
    n_entries = sum(A.nnz for A in matrices)
    return max(1, _CHUNK_ENTRIES * matrices[0].shape[0] // max(1, n_entries))


def _weigh_sparse(
    A: Matrix, rows: NDArray[np.intp], root: NDArray[np.float64], shift: NDArray[np.float64]
) -> Matrix:
    """Return √w (A − shift) for the given rows; zeros of columns without a shift stay unstored."""
    A = _canonical(A[rows]).astype(np.float64, copy=False)
    shifted = np.flatnonzero(shift)
    if shifted.size:
        n, m = A.shape[0], shifted.size
        row = np.tile(shift[shifted], n), np.tile(shifted, n), np.arange(0, n * m + 1, m)
        A = A - sp.csr_array(row, shape=A.shape)
    data = A.data * np.repeat(root, np.diff(A.indptr))
    return sp.csr_array((data, A.indices, A.indptr), shape=A.shape)


def _canonical(A: Matrix) -> Matrix:
    """Return CSR without entries stored twice, which may share memory with A."""
    A = sp.csr_array(A)
    if not A.has_canonical_format:
        A = A.copy()  # for summing works in place
        A.sum_duplicates()
    return A


def _dense(A: Matrix) -> NDArray[np.float64]:
    return np.asarray(A if isinstance(A, np.ndarray) else A.toarray(), np.float64)


def _squares(B: Matrix) -> NDArray[np.float64]:
    if not isinstance(B, np.ndarray):
        return np.asarray(B.multiply(B).sum(axis=0), np.float64).ravel()
    return np.einsum("ij,ij->j", B, B)
