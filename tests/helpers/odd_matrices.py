"""Unusual but valid matrices, and tables of named cases."""

import numpy as np
import pytest
import scipy.sparse as sp


def cases(table):
    """Return the rows of a table as parameters; the first column holds their ids."""
    return [pytest.param(*row[1:], id=row[0]) for row in table]


def put(value, dtype=np.float64):
    """Return a function that writes a value into one entry of a matrix."""

    def change(A):
        A = A.astype(dtype)
        A[5, 1] = value
        return A

    return change


def unsorted_csr(A):
    S = sp.csr_matrix(A)
    for i in range(len(A)):
        row = slice(S.indptr[i], S.indptr[i + 1])
        S.indices[row], S.data[row] = S.indices[row][::-1].copy(), S.data[row][::-1].copy()
    S.has_sorted_indices = False
    return S


def stored_twice_csr(A):
    """Return CSR with every entry stored as two halves, and +1 and −1 added to the first."""
    rows, columns = np.nonzero(A)
    half = A[rows, columns] / 2
    order = np.argsort(np.r_[rows, rows, 0, 0], kind="stable")
    data = np.r_[half, half, 1.0, -1.0][order]
    indices = np.r_[columns, columns, 0, 0][order]
    counts = np.bincount(np.r_[rows, rows, 0, 0], minlength=len(A))
    S = sp.csr_matrix((data, indices, np.r_[0, np.cumsum(counts)]), shape=A.shape)
    assert not S.has_canonical_format
    return S


def with_stored_zeros(A):
    n, p = A.shape
    return sp.csr_matrix((A.ravel(), np.tile(np.arange(p), n), np.arange(n + 1) * p), shape=A.shape)
