"""A Cholesky factor that grows and shrinks with the active set.

Row i of the lower triangular L, A = L Lᵀ, belongs to the i-th member of the set. Rows are stored
with zeros from behind their diagonal to the next multiple of `LANES`, and loops run that far.
Two right-hand sides come along, forward-substituted.
"""

import numpy as np

from .compile import kernel, summing
from .rows import padded, subtract_four_rows, subtract_row

# Members that join together: their rows are computed in one pass over the factor.
GROUP = 4

# A pivot below this share of the diagonal entry means collinear columns.
SINGULAR = 1e-12


@summing
def eliminate_group(rows, members, size, factor, inverse):
    """In place: solve L Zᵀ = A[old members, new ones] for rows `size` to `size + 3` of L.

    `rows` (4, p) are the rows of the new ones. Two old rows at a time, since their eight sums keep
    the processor's pipelines filled.
    """
    for pair in range((size + 1) // 2):
        i, k = 2 * pair, 2 * pair + 1
        a0, a1, a2, a3 = 0.0, 0.0, 0.0, 0.0
        b0, b1, b2, b3 = 0.0, 0.0, 0.0, 0.0
        for t in range(padded(i)):
            upper, lower = factor[i, t], factor[k, t]
            z0, z1 = factor[size, t], factor[size + 1, t]
            z2, z3 = factor[size + 2, t], factor[size + 3, t]
            a0 += upper * z0
            a1 += upper * z1
            a2 += upper * z2
            a3 += upper * z3
            b0 += lower * z0
            b1 += lower * z1
            b2 += lower * z2
            b3 += lower * z3
        j, scale = members[i], inverse[i]
        z0, z1 = (rows[0, j] - a0) * scale, (rows[1, j] - a1) * scale
        z2, z3 = (rows[2, j] - a2) * scale, (rows[3, j] - a3) * scale
        factor[size, i], factor[size + 1, i] = z0, z1
        factor[size + 2, i], factor[size + 3, i] = z2, z3
        if k < size:
            j, scale, known = members[k], inverse[k], factor[k, i]
            factor[size, k] = (rows[0, j] - b0 - known * z0) * scale
            factor[size + 1, k] = (rows[1, j] - b1 - known * z1) * scale
            factor[size + 2, k] = (rows[2, j] - b2 - known * z2) * scale
            factor[size + 3, k] = (rows[3, j] - b3 - known * z3) * scale


@summing
def group_products(factor, size, data, signs, products):
    """In place: (Z Zᵀ, Z data, Z signs) as 4 × 6, Z being rows `size` to `size + 3`."""
    p00, p10, p11, p20, p21, p22, p30, p31, p32, p33 = (0.0,) * 10
    d0, d1, d2, d3, s0, s1, s2, s3 = (0.0,) * 8
    for t in range(size):
        z0, z1 = factor[size, t], factor[size + 1, t]
        z2, z3 = factor[size + 2, t], factor[size + 3, t]
        u, w = data[t], signs[t]
        p00 += z0 * z0
        p10 += z1 * z0
        p11 += z1 * z1
        p20 += z2 * z0
        p21 += z2 * z1
        p22 += z2 * z2
        p30 += z3 * z0
        p31 += z3 * z1
        p32 += z3 * z2
        p33 += z3 * z3
        d0 += z0 * u
        d1 += z1 * u
        d2 += z2 * u
        d3 += z3 * u
        s0 += z0 * w
        s1 += z1 * w
        s2 += z2 * w
        s3 += z3 * w
    products[0, 0], products[0, 4], products[0, 5] = p00, d0, s0
    products[1, 0], products[1, 1], products[1, 4], products[1, 5] = p10, p11, d1, s1
    products[2, 0], products[2, 1], products[2, 2] = p20, p21, p22
    products[2, 4], products[2, 5] = d2, s2
    products[3, 0], products[3, 1], products[3, 2], products[3, 3] = p30, p31, p32, p33
    products[3, 4], products[3, 5] = d3, s3


@kernel
def append(
    A, v, l2, share, members, size, n_new, right, sign, factor, inverse, data, signs, rows, products
):
    """In place: factor the `n_new` (at most `GROUP`) members that follow the first `size`.

    Parameters
    ----------
    A : (p, p)
        Of which the members' rows and columns are factored.
    v, l2, share : (p,), float, float
        l2 v is added to the diagonal, and then `share` of the sum.
    members, size, n_new :
        The members in the order of the factor; those from `size` on are new.
    right, sign : (p,)
        Two right-hand sides, by feature.
    factor, inverse, data, signs :
        L, its inverse pivots, and L⁻¹ times the right-hand sides; extended in place.
    rows, products : (4, p), (4, 6)
        Scratch. A group is always whole: what is computed for its spare rows is never read.

    Returns
    -------
    int
        How many it could take: fewer than `n_new` where one is collinear with those before it.
    """
    for q in range(GROUP):
        for t in range(padded(size + GROUP)):
            factor[size + q, t] = 0.0
    for q in range(n_new):  # memory is read fastest in order, so whole rows are fetched
        j = members[size + q]
        for t in range(rows.shape[1]):
            rows[q, t] = A[j, t]
    eliminate_group(rows, members, size, factor, inverse)
    group_products(factor, size, data, signs, products)
    for q in range(n_new):
        row = size + q
        j = members[row]
        diagonal = (rows[q, j] + l2 * v[j]) * (1.0 + share)
        pivot = diagonal - products[q, q]
        first, second = right[j] - products[q, 4], sign[j] - products[q, 5]
        for i in range(q):
            known = rows[q, members[size + i]] - products[q, i]
            for c in range(i):
                known -= factor[row, size + c] * factor[size + i, size + c]
            known *= inverse[size + i]
            factor[row, size + i] = known
            pivot -= known * known
            first -= known * data[size + i]
            second -= known * signs[size + i]
        if not pivot > SINGULAR * diagonal:
            return q
        factor[row, row] = np.sqrt(pivot)
        inverse[row] = 1.0 / factor[row, row]
        data[row], signs[row] = first * inverse[row], second * inverse[row]
    return n_new


@kernel
def back_substitute(factor, inverse, size, x):
    """In place: x ← L⁻ᵀ x, four rows at a time; x has room for the next multiple of `LANES`."""
    end = size
    while end >= 4:
        end -= 4
        x3 = x[end + 3] * inverse[end + 3]
        x2 = (x[end + 2] - x3 * factor[end + 3, end + 2]) * inverse[end + 2]
        x1 = x[end + 1] - x3 * factor[end + 3, end + 1] - x2 * factor[end + 2, end + 1]
        x1 *= inverse[end + 1]
        x0 = x[end] - x3 * factor[end + 3, end] - x2 * factor[end + 2, end]
        x0 = (x0 - x1 * factor[end + 1, end]) * inverse[end]
        # Beyond the four rows' own columns, which are written below, the factor is 0.
        subtract_four_rows(x, factor, end, end + 1, end + 2, end + 3, x0, x1, x2, x3, padded(end))
        x[end], x[end + 1], x[end + 2], x[end + 3] = x0, x1, x2, x3
    while end > 0:
        end -= 1
        x[end] *= inverse[end]
        subtract_row(x, factor, end, x[end], end)


@kernel
def remove(factor, inverse, data, signs, size, position):
    """In place: take one member out.

    Without its row, L is a factor with one column too many, which Givens rotations of that column
    with each later one empty (Golub & Van Loan, Matrix Computations, section 6.5).
    """
    cosine, sine = np.empty(size), np.empty(size)
    carried_data, carried_signs = data[position], signs[position]
    for source in range(position + 1, size):
        row = source - 1
        for t in range(position):
            factor[row, t] = factor[source, t]
        carried = factor[source, position]
        for k in range(position, row):
            entry = factor[source, k + 1]
            factor[row, k] = cosine[k] * entry + sine[k] * carried
            carried = cosine[k] * carried - sine[k] * entry
        entry = factor[source, source]
        pivot = np.sqrt(entry * entry + carried * carried)
        c, s = entry / pivot, carried / pivot
        cosine[row], sine[row] = c, s
        factor[row, row], inverse[row] = pivot, 1.0 / pivot
        entry, data[row] = data[source], c * data[source] + s * carried_data
        carried_data = c * carried_data - s * entry
        entry, signs[row] = signs[source], c * signs[source] + s * carried_signs
        carried_signs = c * carried_signs - s * entry
