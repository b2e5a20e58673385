"""Sparse matrices in h5ad files and zarr folders, read in ranges of rows.

The arrays are read here and not by anndata, whose backed matrices depend on internals of SciPy and
support fewer types than files hold.
"""

from dataclasses import dataclass
from typing import Any, Self, TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from .._warnings import warn
from ..preprocessing import check_intact, convert_numbers, convert_positions

# Rows as a slice, or a tuple of this and of all columns.
Rows: TypeAlias = slice | tuple[slice, slice]


@dataclass(frozen=True)
class StoredRows:
    """CSR matrix in a file.

    Attributes
    ----------
    shape : (int, int)
    starts : ndarray of shape (n_rows + 1,)
        Position of the first entry of each row, and the number of entries.
    data, indices : h5py.Dataset or zarr.Array of shape (n_entries,)
    name : str
        Name for error messages.
    """

    shape: tuple[int, int]
    starts: NDArray[np.int64]
    data: Any
    indices: Any
    name: str

    ndim = 2

    @classmethod
    def from_backed(cls, backed: Any, name: str) -> Self:
        """Return the matrix of an object that anndata's `sparse_dataset` returned.

        Raises
        ------
        ValueError
            If arrays are missing or inconsistent.
        """
        starts = _starts(backed, name)
        return cls(backed.shape, starts, backed.group["data"], backed.group["indices"], name)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the numbers in the file."""
        return np.dtype(self.data.dtype)

    @property
    def nnz(self) -> int:
        """Number of stored entries."""
        return int(self.starts[-1])

    def __getitem__(self, rows: Rows) -> Any:
        """Read a range of rows as a `csr_array`."""
        rows = rows[0] if isinstance(rows, tuple) else rows
        start, stop, _ = rows.indices(self.shape[0])
        entries = slice(int(self.starts[start]), int(self.starts[stop]))
        data = convert_numbers(np.asarray(self.data[entries]), self.name)
        indices = convert_positions(np.asarray(self.indices[entries]), self.name)
        indptr = self.starts[start : stop + 1] - self.starts[start]
        return sp.csr_array((data, indices, indptr), shape=(stop - start, self.shape[1]))


def is_backed_sparse(stored: Any) -> bool:
    """Return whether this is a sparse matrix in a file, as anndata represents it."""
    return hasattr(stored, "to_memory") and hasattr(stored, "format") and hasattr(stored, "group")


def open_rows(backed: Any, name: str) -> Any:
    """Return a sparse matrix in a file, to be read by rows; CSC is read at once and converted.

    Parameters
    ----------
    backed : anndata.abc.CSRDataset or anndata.abc.CSCDataset
    name : str
        Name for error messages.

    Returns
    -------
    {StoredRows, csr_array}

    Raises
    ------
    ValueError
        If the matrix is damaged.
    """
    if backed.format == "csr":
        return StoredRows.from_backed(backed, name)
    starts = _starts(backed, name)
    data = convert_numbers(np.asarray(backed.group["data"][:]), name)
    indices = convert_positions(np.asarray(backed.group["indices"][:]), name)
    columns = sp.csc_array((data, indices, starts), shape=backed.shape)
    check_intact(columns, name)
    return sp.csr_array(columns)


def warn_of_missing_chunks(array: Any, name: str) -> None:
    """Warn if chunks of a dense zarr array are not stored: their values may be lost.

    zarr stores no chunk of zeros, so that this is no error.

    Parameters
    ----------
    array : h5py.Dataset or zarr.Array
    name : str
        Name for the message.
    """
    if n_missing := _n_missing_chunks(array):
        warn(
            f"{name}: {n_missing:,} of {array.nchunks:,} chunks are not in the zarr folder, and "
            f"are read as {array.fill_value}. If these numbers are not all {array.fill_value}, "
            "the folder is incomplete: copy it again."
        )


def _n_missing_chunks(array: Any) -> int:
    """Return how many chunks of a zarr array are not stored, 0 for other arrays."""
    return int(getattr(array, "nchunks", 0) - getattr(array, "nchunks_initialized", 0))


def _check_all_chunks(backed: Any, name: str) -> None:
    """Raise ValueError if a sparse matrix in a zarr folder lacks chunks, which are read as 0."""
    for part in ("indptr", "indices", "data") if backed.group["data"].shape[0] else ():
        if n_missing := _n_missing_chunks(backed.group[part]):
            raise ValueError(
                f"{name} is incomplete: {n_missing:,} of {backed.group[part].nchunks:,} chunks of "
                f"its `{part}` are not in the zarr folder. Copy or write the folder again."
            )


def _starts(backed: Any, name: str) -> NDArray[np.int64]:
    """Return the checked starts of the rows or columns."""
    try:
        starts = np.asarray(backed.group["indptr"][:])
        sizes = {backed.group[part].shape[0] for part in ("data", "indices")}
        n_rows = backed.shape[backed.format == "csc"]
    except Exception as error:  # h5py and zarr raise errors of many types
        raise ValueError(
            f"{name} is a damaged sparse matrix ({error}); write the file again."
        ) from error
    _check_all_chunks(backed, name)
    starts = convert_positions(starts, name).astype(np.int64, copy=False)
    is_whole = len(starts) == n_rows + 1 and {int(starts[-1])} == sizes and starts[0] == 0
    if not is_whole or (np.diff(starts) < 0).any():
        raise ValueError(
            f"{name} is a damaged sparse matrix: its entries and its row starts are "
            "inconsistent; write the file again."
        )
    return starts
