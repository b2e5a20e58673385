"""Validation of user-supplied matrices.

These checks complement those of scikit-learn and SciPy, which drop masks of masked arrays, and read
out of bounds if the indices of a sparse matrix are invalid.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

# Bounds of the largest absolute value of a predictor and of a target. Squares of predictors and
# fourth powers of targets (the squares of squared errors) are summed in double precision, and the
# differences between cells may be 10⁻¹⁶ times the largest value.
X_MAGNITUDES = (1e-130, 1e130)
Y_MAGNITUDES = (1e-60, 1e60)
# Only ratios of weights matter, so weights outside these bounds can be rescaled.
WEIGHT_MAGNITUDES = (1e-30, 1e30)

# Number of stored entries processed at a time.
_CHUNK_ENTRIES = 2**20
_COMPRESSED = ("csr", "csc", "bsr")
# Larger positions are not exact in double precision.
_LARGEST_POSITION = 2**53


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Prefix the messages of errors raised in the block with the name of an argument.

    The messages of scikit-learn and NumPy refer to "X" or to an array.

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
    """Raise if a matrix has masked values, an invalid sparse structure, or dates, or is an AnnData.

    Other objects are accepted without a check.

    Parameters
    ----------
    matrix : object
        A dense or sparse matrix, or any other object passed in its place.
    name : str
        Its name in the error message, such as ```tf_matrix```.

    Raises
    ------
    TypeError
        If it holds dates or durations, which NumPy would convert to numbers; or if it is an
        AnnData, of which NumPy would make an array of objects.
    ValueError
        If an entry of a masked array is masked, or the indices of a sparse matrix are out of bounds
        or inconsistent.
    """
    if isinstance(matrix, np.ma.MaskedArray):
        n_masked = int(np.count_nonzero(np.ma.getmaskarray(matrix)))
        if n_masked:
            raise ValueError(
                f"{name} has {n_masked} masked value(s), and masked arrays are not supported. "
                "Remove those cells or columns, or fill the values with numbers."
            )
    if hasattr(matrix, "obs_names") and hasattr(matrix, "var_names"):
        raise TypeError(
            f"{name} must be a matrix, got {type(matrix).__name__}. `prepare_anndata` makes the "
            "matrices of TFs and targets of an AnnData."
        )
    # DataFrames have one dtype for each column.
    dtypes: Any = getattr(matrix, "dtypes", getattr(matrix, "dtype", None))
    for dtype in np.ravel(dtypes):
        if getattr(dtype, "kind", "") in ("m", "M"):
            raise TypeError(f"{name} must hold real numbers, found dtype {dtype}.")
    if sp.issparse(matrix):
        _check_structure(matrix, name)


def _check_structure(matrix: Any, name: str) -> None:
    with _damage_of(name):
        if matrix.format in _COMPRESSED:
            # Check a new object, because `check_format` may modify the object that it checks.
            parts = (matrix.data, matrix.indices, matrix.indptr)
            type(matrix)(parts, shape=matrix.shape).check_format(full_check=True)
        elif matrix.format == "coo":
            type(matrix)((matrix.data, matrix.coords), shape=matrix.shape)


@contextmanager
def _damage_of(name: str) -> Iterator[None]:
    try:
        yield
    except (ValueError, IndexError, TypeError) as error:
        raise ValueError(
            f"{name} is a damaged sparse matrix ({error}); make it again from its source."
        ) from error


def convert_types(matrix: Any, name: str) -> Any:
    """Return a matrix of a type with which NumPy, SciPy and numba can compute.

    Parameters
    ----------
    matrix : {ndarray, sparse}
        Never modified. Other objects are returned as they are.
    name : str
        Its name in the error message, such as ```tf_matrix```.

    Returns
    -------
    {ndarray, sparse}
        The matrix itself if nothing needs to be converted.

    Raises
    ------
    TypeError
        If objects are not real numbers.
    ValueError
        If positions of a sparse matrix are not whole numbers.
    """
    if isinstance(matrix, np.ndarray):
        return convert_numbers(matrix, name)
    return convert_sparse(matrix, name)


def convert_sparse(matrix: Any, name: str) -> Any:
    """Return a sparse matrix as from `convert_types`, and any other object as it is.

    Parameters
    ----------
    matrix : object
    name : str
        Its name in the error message.

    Returns
    -------
    object
    """
    if not sp.issparse(matrix):
        return matrix
    stored: Any = matrix
    if stored.format not in _COMPRESSED:
        return matrix
    data = convert_numbers(stored.data, name)
    indices, indptr = (convert_positions(part, name) for part in (stored.indices, stored.indptr))
    if data is stored.data and indices is stored.indices and indptr is stored.indptr:
        return matrix
    with _damage_of(name):
        return type(stored)((data, indices, indptr), shape=stored.shape)


def convert_numbers(values: NDArray[Any], name: str) -> NDArray[Any]:
    """Return numbers of a type that every library supports, without loss of precision.

    Half precision becomes single precision, objects that are real numbers become double precision,
    and other byte orders become that of the machine.

    Parameters
    ----------
    values : ndarray
    name : str
        Their name in the error message.

    Returns
    -------
    ndarray
        The values themselves if nothing needs to be converted.

    Raises
    ------
    TypeError
        If objects are not real numbers.
    """
    dtype = values.dtype
    if dtype.kind == "O":
        return _objects_to_floats(values, name)
    if dtype.kind == "f" and dtype.itemsize == 2:
        return values.astype(np.float32)
    return values if dtype.isnative else values.astype(dtype.newbyteorder("="))


def _objects_to_floats(values: NDArray[Any], name: str) -> NDArray[np.float64]:
    text = [type(each).__name__ for each in values.flat if isinstance(each, str | bytes)]
    if text:  # NumPy would read it as a number
        raise TypeError(f"{name} must hold real numbers, found objects of type {text[0]}.")
    try:
        return values.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise TypeError(f"{name} must hold real numbers, found dtype object ({error}).") from error


def convert_positions(values: NDArray[Any], name: str) -> NDArray[Any]:
    """Return indices or starts of a sparse matrix as signed integers of 32 or 64 bits.

    R has no integers of 64 bits, so files from R may have these as double precision.

    Parameters
    ----------
    values : ndarray of shape (n_positions,)
    name : str
        Name of the matrix in the error message.

    Returns
    -------
    ndarray of int32 or int64

    Raises
    ------
    ValueError
        If they are not whole numbers.
    """
    dtype = values.dtype
    if dtype.kind == "i" and dtype.itemsize >= 4 and dtype.isnative:
        return values
    if dtype.kind not in "iuf":
        raise ValueError(f"{name} is a damaged sparse matrix: its indices are of type {dtype}.")
    if values.size and not 0 <= values.min() <= values.max() <= _LARGEST_POSITION:
        raise ValueError(f"{name} is a damaged sparse matrix: it has indices out of bounds.")
    positions = values.astype(np.int64)
    if dtype.kind == "f" and not np.array_equal(positions, values):
        raise ValueError(f"{name} is a damaged sparse matrix: its indices are not whole numbers.")
    return positions


def check_magnitude(matrix: Any, name: str, least: float, most: float) -> None:
    """Raise if the powers of a column's numbers would overflow or underflow.

    Parameters
    ----------
    matrix : ndarray or CSR matrix of shape (n_cells, n_columns)
        Finite real numbers, at least one row.
    name : str
        Its name in the error message.
    least, most : float
        Bounds of the largest absolute value of a column; columns of zeros are accepted.

    Raises
    ------
    ValueError
        If a column exceeds the bounds.
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
    """Return the largest absolute value of each column without copying the matrix."""
    if isinstance(matrix, np.ndarray):
        return np.maximum(matrix.max(axis=0), -matrix.min(axis=0))
    # SciPy's maximum converts CSR to CSC, which doubles the memory.
    largest = np.zeros(matrix.shape[1])
    for start in range(0, matrix.nnz, _CHUNK_ENTRIES):
        # The arrays may be longer than the number of entries.
        entries = slice(start, min(start + _CHUNK_ENTRIES, matrix.nnz))
        np.maximum.at(largest, matrix.indices[entries], np.abs(matrix.data[entries]))
    return largest
