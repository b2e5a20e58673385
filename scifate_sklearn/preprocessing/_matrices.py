"""Matrices as strangers give them: are they what they seem, and how large are their numbers.

Neither scikit-learn nor SciPy looks at these things: masks are dropped, and sparse matrices with
impossible indices are read beyond their end.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

# What the largest absolute value of a predictor and of a target may be. Squares of predictors are
# summed, and fourth powers of targets (the squares of their squared errors), in double precision;
# the differences between cells may be 10⁻¹⁶ of the largest value.
X_MAGNITUDES = (1e-130, 1e130)
Y_MAGNITUDES = (1e-60, 1e60)
# Only ratios of weights count, so any could be among these.
WEIGHT_MAGNITUDES = (1e-30, 1e30)

# Numbers looked at in one go.
_CHUNK_ENTRIES = 2**20


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Put the name of an argument before the messages of errors raised in the block.

    scikit-learn and NumPy name "X" or an array, whatever the argument is called.

    Parameters
    ----------
    name : str
        Name of the argument, such as ```tf_matrix```.

    Yields
    ------
    None
    """
    try:
        yield
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{name}: {error}") from error


def check_intact(matrix: Any, name: str) -> None:
    """Raise if a matrix hides values, is broken, or holds times; anything else is let pass.

    Parameters
    ----------
    matrix : object
        A dense or sparse matrix, or whatever was given instead of one.
    name : str
        What the error calls it, such as ```tf_matrix```.

    Raises
    ------
    TypeError
        If it holds dates or durations, which would be read as numbers of their units.
    ValueError
        If an entry of a masked array is masked, or a sparse matrix is about rows, columns or values
        that are not there.
    """
    if isinstance(matrix, np.ma.MaskedArray):
        n_masked = int(np.count_nonzero(np.ma.getmaskarray(matrix)))
        if n_masked:
            raise ValueError(
                f"{name} has {n_masked} masked value(s), and masks are not understood. Leave out "
                "those cells or columns, or fill the values in."
            )
    # Frames have a type for each column.
    dtypes: Any = getattr(matrix, "dtypes", getattr(matrix, "dtype", None))
    for dtype in np.ravel(dtypes):
        if getattr(dtype, "kind", "") in ("m", "M"):
            raise TypeError(f"{name} must hold real numbers, found dtype {dtype}.")
    if sp.issparse(matrix):
        _check_structure(matrix, name)


def _check_structure(matrix: Any, name: str) -> None:
    try:
        if matrix.format in ("csr", "csc", "bsr"):
            # Of another object, because the check tidies up what it looks at.
            parts = (matrix.data, matrix.indices, matrix.indptr)
            type(matrix)(parts, shape=matrix.shape).check_format(full_check=True)
        elif matrix.format == "coo":
            type(matrix)((matrix.data, matrix.coords), shape=matrix.shape)
    except (ValueError, IndexError, TypeError) as error:
        raise ValueError(
            f"{name} is a damaged sparse matrix ({error}); make it again from its source."
        ) from error


def check_magnitude(matrix: Any, name: str, least: float, most: float) -> None:
    """Raise if the numbers of a column are so large or small that their powers are not finite.

    Parameters
    ----------
    matrix : ndarray or CSR matrix of shape (n_cells, n_columns)
        Finite real numbers, at least one row.
    name : str
        What the error calls it.
    least, most : float
        Bounds of the largest absolute value of a column that is not all zero.

    Raises
    ------
    ValueError
        If a column is outside them.
    """
    largest = _largest(matrix)
    bad = np.flatnonzero((largest > most) | ((largest > 0) & (largest < least)))
    if bad.size:
        raise ValueError(
            f"{name} has {bad.size} of {largest.size} columns whose largest absolute value is not "
            f"between {least:g} and {most:g}, first column {bad[0]} with {largest[bad[0]]:g}: "
            "their squares would leave the range of double precision. Rescale the columns."
        )


def _largest(matrix: Any) -> NDArray[np.float64]:
    """Return the largest absolute value of each column, without a copy of a large matrix."""
    if isinstance(matrix, np.ndarray):
        return np.maximum(matrix.max(axis=0), -matrix.min(axis=0))
    # SciPy's maximum makes CSC of a CSR matrix, which takes as much memory once more.
    largest = np.zeros(matrix.shape[1])
    for start in range(0, matrix.nnz, _CHUNK_ENTRIES):
        # The arrays may have room behind the last entry.
        entries = slice(start, min(start + _CHUNK_ENTRIES, matrix.nnz))
        np.maximum.at(largest, matrix.indices[entries], np.abs(matrix.data[entries]))
    return largest
