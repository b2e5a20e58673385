"""Sums over the cells of one part: around a shift, weighted, chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

# A dense float64 array or a SciPy CSR matrix: the stubs have no common type for both.
Matrix: TypeAlias = Any
# The sums of one part or of all, by the names of their fields.
Sums: TypeAlias = dict[str, NDArray[np.float64]]

SUMS = ("n_cells", "weight", "x_sum", "y_sum", "xx", "xy", "yy")

# Dense cells are copied in chunks of at most 4 MiB: shift and weight then change what is still in
# the processor's cache, and the products are large enough for BLAS at full speed.
_CHUNK_SIZE = 2**19
_CHUNK_CELLS = 2048
# Sparse cells are taken so many entries at a time, which bounds the copies of them.
_CHUNK_ENTRIES = 2**22
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
    """Return the weighted column means, exactly the column's value where it is constant."""
    if not isinstance(A, np.ndarray):
        low, high = (_dense(getattr(A, which)(axis=0)).ravel() for which in ("min", "max"))
        return np.where(low == high, low, _column_mean(A, weight))
    shift = _column_mean(A, weight)
    constant = _constant_columns(A)
    shift[constant] = A[0, constant]
    return shift


def column_spread(
    A: Matrix, columns: NDArray[np.intp], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the weighted standard deviations of some columns."""
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
) -> None:
    """Add the sums over the rows of each part to what is in `sums` already."""
    is_dense = isinstance(X, np.ndarray) and isinstance(Y, np.ndarray)
    add_part = _add_dense_part if is_dense else _add_sparse_part
    for k, rows in enumerate(parts):
        rows = rows[weight[rows] > 0]
        # With the dots even single numbers are views, to be written in place.
        part = {name: stack[k, ...] for name, stack in sums.items()}
        add_part(X, Y, weight, x_shift, y_shift, rows, part)


def _add_dense_part(
    X: NDArray[np.float64],
    Y: NDArray[np.float64],
    weight: NDArray[np.float64],
    x_shift: NDArray[np.float64],
    y_shift: NDArray[np.float64],
    rows: NDArray[np.intp],
    part: Sums,
) -> None:
    """Add the sums over the rows to `part`, chunk by chunk."""
    n_cells, n_targets = _chunk_shape(X.shape[1])
    for chunk in _slices(len(rows), n_cells):
        cells, is_first = rows[chunk], not part["weight"] > 0
        w = weight[cells]
        root = np.sqrt(w)
        A = _weigh_dense(X, cells, root, x_shift)
        part["n_cells"] += np.count_nonzero(w)
        part["weight"] += w.sum()
        part["x_sum"] += root @ A
        _add_product(A, A, part["xx"], is_first)
        for block in _slices(Y.shape[1], n_targets):
            B = _weigh_dense(Y[:, block], cells, root, y_shift[block])
            part["y_sum"][block] += root @ B
            part["yy"][block] += _squares(B)
            _add_product(A, B, part["xy"][:, block], is_first)


def _chunk_shape(n_features: int) -> tuple[int, int]:
    """Return the cells in a chunk of X, and the targets in a chunk of Y on these cells."""
    n_cells = max(1, min(_CHUNK_CELLS, _CHUNK_SIZE // max(1, n_features)))
    return n_cells, max(1, _CHUNK_SIZE // n_cells)


def _slices(size: int, step: int) -> list[slice]:
    return [slice(start, start + step) for start in range(0, size, step)]


def _weigh_dense(
    A: NDArray[np.float64],
    rows: NDArray[np.intp],
    root: NDArray[np.float64],
    shift: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return √w (A − shift) for the given rows, always in new memory."""
    # In column order `take` is twice as fast as indexing; in any other it may copy all of A first.
    chunk = np.take(A.T, rows, axis=1).T if A.flags.f_contiguous else A[rows]
    chunk = chunk.astype(np.float64, copy=False)
    chunk -= shift
    if np.any(root != 1.0):
        chunk *= root[:, None]
    return chunk


def _add_product(
    A: NDArray[np.float64], B: NDArray[np.float64], out: NDArray[np.float64], is_first: bool
) -> None:
    """Add AᵀB to `out`; the first product is written there without an array in between."""
    if is_first:
        np.matmul(A.T, B, out=out)
    else:
        out += A.T @ B


def _add_sparse_part(
    X: Matrix,
    Y: Matrix,
    weight: NDArray[np.float64],
    x_shift: NDArray[np.float64],
    y_shift: NDArray[np.float64],
    rows: NDArray[np.intp],
    part: Sums,
) -> None:
    """Add the sums over the rows to `part`, chunk by chunk; one of X and Y may be dense."""
    for chunk in _slices(len(rows), _chunk_cells(X, Y)):
        w = weight[rows[chunk]]
        root = np.sqrt(w)
        A, a = _weigh(X, rows[chunk], root, x_shift)
        B, b = _weigh(Y, rows[chunk], root, y_shift)
        total = w.sum()
        x_sum, y_sum = _dense(root @ A), _dense(root @ B)
        part["n_cells"] += np.count_nonzero(w)
        part["weight"] += total
        part["x_sum"] += x_sum - total * a
        part["y_sum"] += y_sum - total * b
        # Sparse products are taken around 0, and moved to the shift where that is left to do.
        part["xx"] += _moved(A.T @ A, a, a, x_sum, x_sum, total)
        part["xy"] += _moved(A.T @ B, a, b, x_sum, y_sum, total)
        part["yy"] += _squares(B) + b * (total * b - 2 * y_sum)


def _chunk_cells(X: Matrix, Y: Matrix) -> int:
    """Return the cells in a chunk of matrices of which at least one is sparse."""
    n_entries = sum(A.size if isinstance(A, np.ndarray) else A.nnz for A in (X, Y))
    return max(1, _CHUNK_ENTRIES * X.shape[0] // max(1, n_entries))


def _moved(
    product: Matrix,
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    a_sum: NDArray[np.float64],
    b_sum: NDArray[np.float64],
    total: float,
) -> NDArray[np.float64]:
    """Return Σ w (x − a)(y − b)ᵀ from Σ w x yᵀ, Σ w x, Σ w y and Σ w."""
    moved = _dense(product)
    moved += np.outer(a, total * b - b_sum)
    moved -= np.outer(a_sum, b)
    return moved


def _weigh(
    A: Matrix, rows: NDArray[np.intp], root: NDArray[np.float64], shift: NDArray[np.float64]
) -> tuple[Matrix, NDArray[np.float64]]:
    """Return √w (A − shift) and the shift that is still to be applied to its products.

    A sparse column without zeros is shifted like a dense one. In any other the zeros make the
    spread as large as the mean, so that nothing cancels when its products are shifted afterwards.
    """
    if isinstance(A, np.ndarray):
        return _weigh_dense(A, rows, root, shift), np.zeros_like(shift)
    A = sp.csr_array(A[rows], dtype=np.float64)
    A.sum_duplicates()
    is_full = np.bincount(A.indices, minlength=A.shape[1]) == A.shape[0]
    applied = np.where(is_full, shift, 0.0)
    data = (A.data - applied[A.indices]) * np.repeat(root, np.diff(A.indptr))
    return sp.csr_array((data, A.indices, A.indptr), shape=A.shape), shift - applied


def _dense(A: Matrix) -> NDArray[np.float64]:
    return np.asarray(A if isinstance(A, np.ndarray) else A.toarray(), np.float64)


def _squares(B: Matrix) -> NDArray[np.float64]:
    if not isinstance(B, np.ndarray):
        return np.asarray(B.multiply(B).sum(axis=0), np.float64).ravel()
    return np.einsum("ij,ij->j", B, B)
