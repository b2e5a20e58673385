"""Inner loops over the rows of a matrix.

Rows are named by their index, not passed as slices: making a slice costs as much as a short row.
All loops start at 0, without which numba does not vectorise them, and short ones run to the next
multiple of `LANES`: a remainder that does not fill the vector registers costs more than the rest.
"""

from .compile import inlined, summing

# Numbers that an unrolled inner loop takes at once.
LANES = 16


@inlined
def padded(n):
    """Return n rounded up to a multiple of `LANES`."""
    return (n + LANES - 1) // LANES * LANES


@summing
def subtract_row(x, A, i, factor, n):
    """In place: x ← x − factor · A[i] over the first n columns."""
    for t in range(n):
        x[t] -= factor * A[i, t]


@summing
def subtract_four_rows(x, A, i, j, k, m, a, b, c, d, n):
    """In place: x ← x − a A[i] − b A[j] − c A[k] − d A[m], reading and writing x once."""
    for t in range(n):
        x[t] -= a * A[i, t] + b * A[j, t] + c * A[k, t] + d * A[m, t]
