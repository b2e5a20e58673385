"""Held-out error of a model, from the moments of the held-out cells."""

from ._compile import fused, inlined, kernel
from ._model import EVER
from ._rows import four_rows, padded, triangle_row
from ._sums import WIDTH, no_sums, plus_products, total


@kernel
def gather_square(A, members, first, last, out):
    """Write rows `first` to `last` of the triangle A[members][:, members] to `out`, padded by 0."""
    for a in range(first, last):
        source, row = A[members[a]], triangle_row(out, a)
        for c in range(a + 1):
            row[c] = source[members[c]]
        for c in range(a + 1, row.size):
            row[c] = 0.0


@fused
def four_dots(rows, packed, n):
    """Return the products of four rows with the first n numbers of `packed`; n is `padded`."""
    r0, r1, r2, r3 = rows
    s0, s1, s2, s3 = no_sums(), no_sums(), no_sums(), no_sums()
    u0, u1, u2, u3 = no_sums(), no_sums(), no_sums(), no_sums()
    # Eight independent chains of additions, since each addition waits for the previous one.
    for pair in range(n // (2 * WIDTH)):
        t = 2 * WIDTH * pair
        s0, u0 = plus_products(s0, r0, packed, t), plus_products(u0, r0, packed, t + WIDTH)
        s1, u1 = plus_products(s1, r1, packed, t), plus_products(u1, r1, packed, t + WIDTH)
        s2, u2 = plus_products(s2, r2, packed, t), plus_products(u2, r2, packed, t + WIDTH)
        s3, u3 = plus_products(s3, r3, packed, t), plus_products(u3, r3, packed, t + WIDTH)
    return (
        total(s0) + total(u0),
        total(s1) + total(u1),
        total(s2) + total(u2),
        total(s3) + total(u3),
    )


@kernel
def quadratic_error(b, linear, members, size, gram, packed):
    """Return bᵀHb − 2 hᵀb, the held-out error of a model minus that of the null model.

    `gram` is H for the first `size` of the members, as a triangle; `packed` is scratch.
    """
    for t in range(padded(size)):
        packed[t] = 0.0
    error = 0.0
    for start in range(0, size, 4):
        sums = four_dots(four_rows(gram, start), packed, padded(start))
        for q in range(min(4, size - start)):
            a = start + q
            row, j = triangle_row(gram, a), members[a]
            known = sums[q] - linear[j]
            for t in range(start, a):
                known += row[t] * packed[t]
            packed[a] = b[j]
            error += b[j] * (2.0 * known + row[a] * b[j])
    return error


@inlined
def held_out_error(model, linear, gram, n_known):
    """Return the mean squared error of a model on a test unit minus that of the null model.

    The unit's Gram matrix is kept for the features that have been members, in their order. It only
    grows along a path, so each entry is fetched once. Its first `n_known` rows are known already.
    """
    size = model.counts[EVER]
    gather_square(gram, model.ever, n_known, size, model.held)
    return quadratic_error(model.b, linear, model.ever, size, model.held, model.packed)
