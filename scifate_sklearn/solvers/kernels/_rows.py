"""Inner loops over the rows of a matrix.

A matrix is two-dimensional, or a triangle: the rows of a lower triangle in one vector, each padded
to a multiple of `LANES`, which takes little of the cache.

Loops start at 0, since numba does not vectorize others. Short ones run to the next multiple of
`LANES`: a remainder that does not fill the vector registers costs more than the rest.
"""

from ._compile import fused, inlined, shared
from ._views import part_of

# Numbers that an unrolled inner loop processes at once.
LANES = 16


@shared
def padded(n):
    """Return n rounded up to a multiple of `LANES`."""
    return (n + LANES - 1) // LANES * LANES


@shared
def triangle_start(i):
    """Return the position of row i of a triangle, which is the length of its first i rows."""
    block = i // LANES
    return LANES * (block + 1) * (LANES // 2 * block + i % LANES)


@inlined
def triangle_row(triangle, i):
    """Return a view of row i of a triangle, padded."""
    return part_of(triangle, triangle_start(i), padded(i + 1))


@inlined
def four_rows(triangle, i):
    """Return rows i to i + 3 of a triangle."""
    return (
        triangle_row(triangle, i),
        triangle_row(triangle, i + 1),
        triangle_row(triangle, i + 2),
        triangle_row(triangle, i + 3),
    )


@fused
def subtract_row(x, row, factor, n):
    """Compute x ← x − factor · row over the first n numbers, in place."""
    for t in range(n):
        x[t] -= factor * row[t]


@fused
def subtract_four_rows(x, rows, factors, n):
    """Compute x ← x − Σ factors · rows for four rows, in place and in one pass over x."""
    r0, r1, r2, r3 = rows
    a0, a1, a2, a3 = factors
    for t in range(n):
        x[t] -= a0 * r0[t] + a1 * r1[t] + a2 * r2[t] + a3 * r3[t]


@fused
def subtract_eight_rows(x, rows, factors, n):
    """Compute x ← x − Σ factors · rows for eight rows, in place and in one pass over x."""
    r0, r1, r2, r3, r4, r5, r6, r7 = rows
    a0, a1, a2, a3, a4, a5, a6, a7 = factors
    for t in range(n):
        first = a0 * r0[t] + a1 * r1[t] + a2 * r2[t] + a3 * r3[t]
        x[t] -= first + (a4 * r4[t] + a5 * r5[t] + a6 * r6[t] + a7 * r7[t])
