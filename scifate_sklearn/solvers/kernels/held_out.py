"""Held-out error of a model, from the moments of the held-out cells."""

from .compile import inlined, kernel, summing
from .model import EVER
from .rows import padded


@kernel
def gather_square(A, members, first, last, row, out):
    """In place: rows `first` to `last` of the lower triangle of A[members][:, members].

    They are stored with zeros to the next multiple of `LANES`.

    Each row of A is copied as a whole before (to `row`), for memory is read fastest in order.
    """
    for a in range(first, last):
        j = members[a]
        for t in range(A.shape[1]):
            row[t] = A[j, t]
        for c in range(a + 1):
            out[a, c] = row[members[c]]
        for c in range(a + 1, padded(a)):
            out[a, c] = 0.0


@summing
def four_dots(gram, a, packed):
    """Return the products of rows a to a + 3 with the first a numbers of `packed` (0 behind)."""
    s0, s1, s2, s3 = 0.0, 0.0, 0.0, 0.0
    for t in range(padded(a)):
        x = packed[t]
        s0 += gram[a, t] * x
        s1 += gram[a + 1, t] * x
        s2 += gram[a + 2, t] * x
        s3 += gram[a + 3, t] * x
    return s0, s1, s2, s3


@kernel
def quadratic_error(b, linear, members, size, gram, packed):
    """Return bᵀHb − 2 hᵀb, what a model adds to the held-out error of the null model.

    `gram` is the lower triangle of H for the first `size` of the members; `packed` is scratch.
    """
    for t in range(padded(size)):
        packed[t] = 0.0
    error = 0.0
    for start in range(0, size, 4):
        sums = four_dots(gram, start, packed)
        for q in range(min(4, size - start)):
            a = start + q
            j = members[a]
            known = sums[q] - linear[j]
            for t in range(start, a):
                known += gram[a, t] * packed[t]
            packed[a] = b[j]
            error += b[j] * (2.0 * known + gram[a, a] * b[j])
    return error


@inlined
def held_out_error(model, linear, gram, n_known):
    """Return what a model adds to the mean square of a test unit.

    The unit's Gram matrix is kept for the features that were ever members, in their order: it only
    grows along a path, so that each entry is fetched once. `n_known` rows of it are there already.
    """
    size = model.counts[EVER]
    gather_square(gram, model.ever, n_known, size, model.packed, model.held)
    return quadratic_error(model.b, linear, model.ever, size, model.held, model.packed)
