"""Weighted sums, products and squares of predictors and targets, part by part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ._plan import FoldLayout, FoldPlan

# A dense float64 array or a SciPy CSR matrix: the stubs have no common type for both.
Matrix: TypeAlias = Any
# The sums of one part or of all, by the names of their fields.
Sums: TypeAlias = dict[str, NDArray[np.float64]]

_SUMS = ("n_cells", "weight", "x_sum", "y_sum", "xx", "xy", "yy")

# Dense cells are copied in chunks of at most 4 MiB: shift and weight then change what is still in
# the processor's cache, and the products are large enough for BLAS at full speed.
_CHUNK_SIZE = 2**19
_CHUNK_CELLS = 2048
# Few cells show that most columns are not constant.
_GLANCE_CELLS = 64


@dataclass(frozen=True)
class Moments:
    """Everything a cross-validated LASSO needs to know about the cells.

    All sums are weighted and taken around a shift, so that large means do not cancel:
    with x̃ = x − x_shift, ỹ = y − y_shift and the cells i of part k,

    * ``weight[k]`` = Σ wᵢ, ``x_sum[k]`` = Σ wᵢ x̃ᵢ, ``y_sum[k]`` = Σ wᵢ ỹᵢ,
    * ``xx[k]`` = Σ wᵢ x̃ᵢ x̃ᵢᵀ, ``xy[k]`` = Σ wᵢ x̃ᵢ ỹᵢᵀ, ``yy[k]`` = Σ wᵢ ỹᵢ².

    Attributes
    ----------
    n_cells : ndarray of shape (n_parts,)
        Cells with positive weight.
    weight : ndarray of shape (n_parts,)
    x_shift, y_shift : ndarray of shape (n_features,), (n_targets,)
    x_sum, y_sum : ndarray of shape (n_parts, n_features), (n_parts, n_targets)
    xx : ndarray of shape (n_parts, n_features, n_features)
    xy : ndarray of shape (n_parts, n_features, n_targets)
    yy : ndarray of shape (n_parts, n_targets)
    layout : FoldLayout
        Which parts make up which training and test sets.
    feature_names, target_names : ndarray of str or None
    """

    n_cells: NDArray[np.float64]
    weight: NDArray[np.float64]
    x_shift: NDArray[np.float64]
    y_shift: NDArray[np.float64]
    x_sum: NDArray[np.float64]
    y_sum: NDArray[np.float64]
    xx: NDArray[np.float64]
    xy: NDArray[np.float64]
    yy: NDArray[np.float64]
    layout: FoldLayout
    feature_names: NDArray[np.object_] | None = None
    target_names: NDArray[np.object_] | None = None

    @property
    def n_features(self) -> int:
        """Number of predictors."""
        return self.x_shift.size

    @property
    def n_targets(self) -> int:
        """Number of targets."""
        return self.y_shift.size

    @property
    def x_mean(self) -> NDArray[np.float64]:
        """Means (n_parts, n_features) of the predictors, relative to the shift."""
        return self.x_sum / self.weight[:, None]

    @property
    def y_mean(self) -> NDArray[np.float64]:
        """Means (n_parts, n_targets) of the targets, relative to the shift."""
        return self.y_sum / self.weight[:, None]

    @cached_property
    def whole(self) -> Moments:
        """The sums over all cells, as one part."""
        return self.combine(self.layout.total[None, :])

    def combine(self, member: NDArray[np.float64]) -> Moments:
        """Add parts up: one new part for each row of the 0/1 matrix (n_sets, n_parts).

        Training sets are sums of folds, never the whole minus a fold, so nothing cancels.
        """

        def add(sums: NDArray[np.float64]) -> NDArray[np.float64]:
            return (member @ sums.reshape(len(sums), -1)).reshape(-1, *sums.shape[1:])

        # A set that is one part is there already.
        if np.all(np.count_nonzero(member, axis=1) == 1):
            return self.take(member.argmax(axis=1))
        return self._map_sums(add)

    def take(self, parts: NDArray[np.intp]) -> Moments:
        """Return the given parts, in that order; consecutive parts are not copied."""
        everything = np.arange(len(self.weight))
        if np.array_equal(parts, everything):
            return self
        run = slice(parts[0], parts[0] + len(parts)) if len(parts) else slice(0)
        index = run if np.array_equal(parts, everything[run]) else parts
        return self._map_sums(lambda sums: sums[index])

    def _map_sums(self, change: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Moments:
        changed: dict[str, Any] = {name: change(getattr(self, name)) for name in _SUMS}
        return replace(self, **changed)

    @classmethod
    def from_arrays(
        cls,
        X: Matrix,
        Y: Matrix,
        plan: FoldPlan,
        sample_weight: NDArray[np.float64] | None = None,
        feature_names: NDArray[np.object_] | None = None,
        target_names: NDArray[np.object_] | None = None,
    ) -> Moments:
        """Sum over the cells, each part in turn.

        Parameters
        ----------
        X, Y : ndarray or CSR matrix of shape (n_cells, n_features), (n_cells, n_targets)
            Finite numbers; sparse matrices are never made dense.
        plan : FoldPlan
            From `plan_folds`.
        sample_weight : ndarray of shape (n_cells,), default=None
            Non-negative; None means 1 for every cell.
        feature_names, target_names : ndarray of str, default=None

        Returns
        -------
        Moments
        """
        weight = np.ones(X.shape[0]) if sample_weight is None else sample_weight
        x_shift, y_shift = _shift(X), _shift(Y)
        # Each part is summed into its place: stacking finished parts would need twice the memory.
        sums = _zero_sums(len(plan.parts), X.shape[1], Y.shape[1])
        is_dense = isinstance(X, np.ndarray) and isinstance(Y, np.ndarray)
        sum_part = _sum_dense_part if is_dense else _sum_sparse_part
        for k, rows in enumerate(plan.parts):
            # With the dots even single numbers are views, to be written in place.
            part = {name: stack[k, ...] for name, stack in sums.items()}
            sum_part(X, Y, weight, x_shift, y_shift, rows, part)
        return cls(
            **sums,
            x_shift=x_shift,
            y_shift=y_shift,
            layout=plan.layout,
            feature_names=feature_names,
            target_names=target_names,
        )


def _zero_sums(n_parts: int, p: int, q: int) -> Sums:
    shapes = ((), (), (p,), (q,), (p, p), (p, q), (q,))
    return {n: np.zeros((n_parts, *shape)) for n, shape in zip(_SUMS, shapes, strict=True)}


def _shift(A: Matrix) -> NDArray[np.float64]:
    """Return the column means, exactly the column's value where it is constant."""
    if not isinstance(A, np.ndarray):
        low, high = (_dense(getattr(A, which)(axis=0)).ravel() for which in ("min", "max"))
        mean = np.asarray(A.mean(axis=0), np.float64).ravel()
        return np.where(low == high, low, mean)
    shift = A.mean(axis=0, dtype=np.float64)
    constant = _constant_columns(A)
    shift[constant] = A[0, constant]
    return shift


def _constant_columns(A: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the columns that hold one value only, reading little of those that do not."""
    columns = np.arange(A.shape[1])
    for cells in _slices(len(A), _GLANCE_CELLS):
        columns = columns[(A[cells, columns] == A[0, columns]).all(axis=0)]
        if columns.size == 0:
            break
    return columns


def _sum_dense_part(
    X: NDArray[np.float64],
    Y: NDArray[np.float64],
    weight: NDArray[np.float64],
    x_shift: NDArray[np.float64],
    y_shift: NDArray[np.float64],
    rows: NDArray[np.intp],
    part: Sums,
) -> None:
    """Add the sums over the rows to the zeros in `part`, chunk by chunk."""
    n_cells, n_targets = _chunk_shape(X.shape[1])
    for start in range(0, len(rows), n_cells):
        cells = rows[start : start + n_cells]
        w = weight[cells]
        root = np.sqrt(w)
        A = _weigh_dense(X, cells, root, x_shift)
        part["n_cells"] += np.count_nonzero(w)
        part["weight"] += w.sum()
        part["x_sum"] += root @ A
        _add_product(A, A, part["xx"], start == 0)
        for block in _slices(Y.shape[1], n_targets):
            B = _weigh_dense(Y[:, block], cells, root, y_shift[block])
            part["y_sum"][block] += root @ B
            part["yy"][block] += _squares(B)
            _add_product(A, B, part["xy"][:, block], start == 0)


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


def _sum_sparse_part(
    X: Matrix,
    Y: Matrix,
    weight: NDArray[np.float64],
    x_shift: NDArray[np.float64],
    y_shift: NDArray[np.float64],
    rows: NDArray[np.intp],
    part: Sums,
) -> None:
    """Set `part` to the sums over the rows; one of X and Y may be dense."""
    w = weight[rows]
    root = np.sqrt(w)
    A, a = _weigh(X, rows, root, x_shift)
    B, b = _weigh(Y, rows, root, y_shift)
    total = w.sum()
    x_sum, y_sum = _dense(root @ A), _dense(root @ B)
    part["n_cells"][...] = np.count_nonzero(w)
    part["weight"][...] = total
    part["x_sum"][...] = x_sum - total * a
    part["y_sum"][...] = y_sum - total * b
    # Sparse products are taken around 0 and moved to the shift afterwards (a, b are 0 elsewhere).
    part["xx"][...] = _dense(A.T @ A)
    part["xx"] += total * np.outer(a, a) - np.outer(a, x_sum) - np.outer(x_sum, a)
    part["xy"][...] = _dense(A.T @ B)
    part["xy"] += total * np.outer(a, b) - np.outer(a, y_sum) - np.outer(x_sum, b)
    part["yy"][...] = _squares(B) + b * (total * b - 2 * y_sum)


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
