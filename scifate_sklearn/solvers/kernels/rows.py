"""Inner loops over the rows of a matrix.

A matrix is two-dimensional, or a triangle: the rows of a lower triangle one behind the other, each
as long as the next multiple of `LANES`, so that they take as little of the cache as they can.

Loops start at 0, without which numba does not vectorise them, and short ones run to the next
multiple of `LANES`: a remainder that does not fill the vector registers costs more than the rest.
"""

from .compile import inlined, shared, summing
from .views import part_of

# Numbers that an unrolled inner loop takes at once.
LANES = 16


@shared
def padded(n):
    """Return n rounded up to a multiple of `LANES`."""
    return (n + LANES - 1) // LANES * LANES


@shared
def triangle_start(i):
    """Return where row i of a triangle starts; its first i rows take as many numbers."""
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


@summing
def subtract_row(x, row, factor, n):
    """In place: x ← x − factor · row over the first n numbers."""
    for t in range(n):
        x[t] -= factor * row[t]


@summing
def subtract_four_rows(x, first, second, third, fourth, a, b, c, d, n):
    """In place: x ← x − a · first − b · second − c · third − d · fourth, in one pass over x."""
    for t in range(n):
        x[t] -= a * first[t] + b * second[t] + c * third[t] + d * fourth[t]
