"""Validation of user-supplied chunks of cells."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array, check_consistent_length

from ..preprocessing import (
    WEIGHT_MAGNITUDES,
    X_MAGNITUDES,
    Y_MAGNITUDES,
    check_intact,
    check_magnitude,
    convert_sparse,
    naming,
)
from ._cells import WeightedCells
from ._matrices import Matrix


def check_chunk(
    chunk: tuple[Matrix, ...], number: int, expected: tuple[int, int] | None
) -> WeightedCells:
    """Return the validated predictors, targets and weights of a chunk.

    Parameters
    ----------
    chunk : (X, Y) or (X, Y, sample_weight)
    number : int
        Position of the chunk, for messages.
    expected : (int, int) or None
        Numbers of predictors and of targets in the previous chunks.

    Raises
    ------
    ValueError
        If it is not such a tuple, its sizes differ, or it holds NaN, infinity or negative weights.
    """
    if not isinstance(chunk, (tuple, list)) or len(chunk) not in (2, 3):
        raise ValueError(f"chunk {number} must be (X, Y) or (X, Y, sample_weight).")
    X = _check_matrix(chunk[0], f"X of chunk {number}", X_MAGNITUDES)
    Y = _check_matrix(chunk[1], f"Y of chunk {number}", Y_MAGNITUDES)
    weight = np.ones(X.shape[0]) if len(chunk) == 2 else _check_weight(chunk[2], number)
    with naming(f"chunk {number}"):
        check_consistent_length(X, Y, weight)
    if expected is not None and expected != (X.shape[1], Y.shape[1]):
        raise ValueError(
            f"chunk {number} has {X.shape[1]} predictors and {Y.shape[1]} targets, but the "
            f"previous chunks have {expected[0]} and {expected[1]}."
        )
    return WeightedCells(X, Y, weight)


def _check_matrix(A: Matrix, name: str, magnitudes: tuple[float, float]) -> Matrix:
    A = convert_sparse(A, name)
    check_intact(A, name)
    with naming(name):
        A = check_array(A, accept_sparse="csr", dtype=np.float64, input_name=name)
    check_magnitude(A, name, *magnitudes)
    return A


def _check_weight(sample_weight: ArrayLike, number: int) -> NDArray[np.float64]:
    name = f"sample_weight of chunk {number}"
    check_intact(sample_weight, name)
    with naming(name):
        weight = check_array(sample_weight, ensure_2d=False, dtype=np.float64, input_name=name)
    check_magnitude(np.atleast_1d(weight)[:, None], name, *WEIGHT_MAGNITUDES)
    if weight.ndim != 1 or (weight < 0).any():
        raise ValueError(f"{name} must be one number >= 0 for each cell.")
    return np.asarray(weight)
