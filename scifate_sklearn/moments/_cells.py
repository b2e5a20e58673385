"""Cells to be summed, and the shift that they are summed around."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ._matrices import Matrix, canonical, dense, slices, sparse_chunk_cells

# A sparse column with at least this share of zeros is summed around 0: its mean is at most ten
# standard deviations away, so that two digits of sixteen cancel and no zero has to be stored.
_SHARE_OF_ZEROS = 0.01
# The first few cells show that most columns are not constant.
_GLANCE_CELLS = 64


@dataclass(frozen=True)
class Shift:
    """Values that are subtracted from each column before it is summed.

    Attributes
    ----------
    x, y : ndarray of shape (n_features,), (n_targets,)
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]


@dataclass(frozen=True)
class WeightedCells:
    """Predictors, targets and weights of some cells.

    Attributes
    ----------
    X, Y : ndarray or CSR matrix of shape (n_cells, n_features), (n_cells, n_targets)
    weight : ndarray of shape (n_cells,)
    """

    X: Matrix
    Y: Matrix
    weight: NDArray[np.float64]

    def mean_shift(self) -> Shift:
        """Return the shift of these cells: their means, computed by `column_shift`."""
        return Shift(column_shift(self.X, self.weight), column_shift(self.Y, self.weight))


def column_shift(A: Matrix, weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the shift of each column: its mean, or exactly its value where it is constant.

    In sparse matrices the shift is 0 for columns with more than a few zeros.
    """
    if not isinstance(A, np.ndarray):
        return _sparse_shift(A, weight)
    shift = _column_mean(A, weight)
    constant = _constant_columns(A)
    shift[constant] = A[0, constant]
    return shift


def _sparse_shift(A: Matrix, weight: NDArray[np.float64]) -> NDArray[np.float64]:
    n, p = A.shape
    first, total_weight = dense(A[:1]).ravel(), max(weight.sum(), np.finfo(float).tiny)
    total, stored_weight, n_first = np.zeros(p), np.zeros(p), np.zeros(p, np.intp)
    for rows in slices(n, sparse_chunk_cells(A)):
        part = canonical(A[rows])
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
    """Return the standard deviations (ddof 0) of the given columns."""
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
    # Sentinel values in cells of weight 0 would move an unweighted mean far from the other cells.
    return dense(weight @ A).ravel() / weight.sum()


def _constant_columns(A: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the columns that hold a single value, reading few rows of those that do not."""
    columns = np.arange(A.shape[1])
    for cells in slices(len(A), _GLANCE_CELLS):
        columns = columns[(A[cells, columns] == A[0, columns]).all(axis=0)]
        if columns.size == 0:
            break
    return columns
