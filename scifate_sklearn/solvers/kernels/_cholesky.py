"""Cholesky factor that grows and shrinks with the active set.

Row i of the lower triangular L, A = L Lᵀ, belongs to the i-th member of the set. It is stored as a
triangle, with zeros after the diagonal up to the next multiple of `LANES`, and loops run that far.
Two forward-substituted right-hand sides are kept up to date.
"""

import numpy as np

from ._compile import fused, kernel
from ._rows import four_rows, padded, subtract_four_rows, subtract_row, triangle_row
from ._sums import WIDTH, no_sums, plus_products, total

# Members that join together: their rows are computed in one pass over the factor.
GROUP = 4

# A pivot below this share of the diagonal entry indicates collinear columns.
SINGULAR = 1e-12


@fused
def eliminate_group(rows, size, factor, inverse):
    """Solve L Zᵀ = A[old members, new members] for rows `size` to `size + 3` of L, in place.

    `rows` (4, p) are the new members' rows of A[:, members]. Two old rows are processed at a time,
    since their eight sums keep the processor's pipelines filled.
    """
    z0, z1, z2, z3 = four_rows(factor, size)
    for pair in range((size + 1) // 2):
        i, k = 2 * pair, 2 * pair + 1
        upper, lower = triangle_row(factor, i), triangle_row(factor, k)
        s0, s1, s2, s3 = no_sums(), no_sums(), no_sums(), no_sums()
        u0, u1, u2, u3 = no_sums(), no_sums(), no_sums(), no_sums()
        for four in range(padded(i) // WIDTH):
            t = WIDTH * four
            s0, u0 = plus_products(s0, upper, z0, t), plus_products(u0, lower, z0, t)
            s1, u1 = plus_products(s1, upper, z1, t), plus_products(u1, lower, z1, t)
            s2, u2 = plus_products(s2, upper, z2, t), plus_products(u2, lower, z2, t)
            s3, u3 = plus_products(s3, upper, z3, t), plus_products(u3, lower, z3, t)
        a0, a1, a2, a3 = total(s0), total(s1), total(s2), total(s3)
        b0, b1, b2, b3 = total(u0), total(u1), total(u2), total(u3)
        scale = inverse[i]
        z0[i], z1[i] = (rows[0, i] - a0) * scale, (rows[1, i] - a1) * scale
        z2[i], z3[i] = (rows[2, i] - a2) * scale, (rows[3, i] - a3) * scale
        if k < size:
            scale, known = inverse[k], lower[i]
            z0[k] = (rows[0, k] - b0 - known * z0[i]) * scale
            z1[k] = (rows[1, k] - b1 - known * z1[i]) * scale
            z2[k] = (rows[2, k] - b2 - known * z2[i]) * scale
            z3[k] = (rows[3, k] - b3 - known * z3[i]) * scale


@fused
def group_products(factor, size, data, signs, products):
    """Write (Z Zᵀ, Z data, Z signs) to `products` (4, 6), Z being rows `size` to `size + 3` of L.

    All are 0 from `size` to the next multiple of `LANES`.
    """
    z0, z1, z2, z3 = four_rows(factor, size)
    p00, p10, p11, p20, p21 = no_sums(), no_sums(), no_sums(), no_sums(), no_sums()
    p22, p30, p31, p32, p33 = no_sums(), no_sums(), no_sums(), no_sums(), no_sums()
    d0, d1, d2, d3 = no_sums(), no_sums(), no_sums(), no_sums()
    s0, s1, s2, s3 = no_sums(), no_sums(), no_sums(), no_sums()
    for four in range(padded(size) // WIDTH):
        t = WIDTH * four
        p00, p10 = plus_products(p00, z0, z0, t), plus_products(p10, z1, z0, t)
        p11, p20 = plus_products(p11, z1, z1, t), plus_products(p20, z2, z0, t)
        p21, p22 = plus_products(p21, z2, z1, t), plus_products(p22, z2, z2, t)
        p30, p31 = plus_products(p30, z3, z0, t), plus_products(p31, z3, z1, t)
        p32, p33 = plus_products(p32, z3, z2, t), plus_products(p33, z3, z3, t)
        d0, d1 = plus_products(d0, z0, data, t), plus_products(d1, z1, data, t)
        d2, d3 = plus_products(d2, z2, data, t), plus_products(d3, z3, data, t)
        s0, s1 = plus_products(s0, z0, signs, t), plus_products(s1, z1, signs, t)
        s2, s3 = plus_products(s2, z2, signs, t), plus_products(s3, z3, signs, t)
    products[0, 0], products[0, 4], products[0, 5] = total(p00), total(d0), total(s0)
    products[1, 0], products[1, 1] = total(p10), total(p11)
    products[1, 4], products[1, 5] = total(d1), total(s1)
    products[2, 0], products[2, 1], products[2, 2] = total(p20), total(p21), total(p22)
    products[2, 4], products[2, 5] = total(d2), total(s2)
    products[3, 0], products[3, 1] = total(p30), total(p31)
    products[3, 2], products[3, 3] = total(p32), total(p33)
    products[3, 4], products[3, 5] = total(d3), total(s3)


@kernel
def append(
    A, v, l2, share, members, size, n_new, right, sign, factor, inverse, data, signs, rows, products
):
    """Factor the `n_new` (at most `GROUP`) members that follow the first `size`, in place.

    Parameters
    ----------
    A : (p, p)
        The members' rows and columns of it are factored.
    v, l2, share : (p,), float, float
        l2 v is added to the diagonal, and then `share` of the sum.
    members, size, n_new :
        The members in the order of the factor; those from `size` on are new.
    right, sign : (p,)
        Two right-hand sides, by feature.
    factor, inverse, data, signs :
        L, its inverse pivots, and L⁻¹ times the right-hand sides; extended in place.
    rows, products : (4, p), (4, 6)
        Scratch. A group always has four rows; the results of unused rows are never read.

    Returns
    -------
    int
        Number of members that were factored: fewer than `n_new` if one is collinear with those
        before it.
    """
    for row in four_rows(factor, size):
        for t in range(row.size):
            row[t] = 0.0
    for t in range(size, padded(size)):
        data[t], signs[t] = 0.0, 0.0
    for q in range(n_new):
        source = A[members[size + q]]
        for i in range(size + q + 1):
            rows[q, i] = source[members[i]]
    eliminate_group(rows, size, factor, inverse)
    group_products(factor, size, data, signs, products)
    for q in range(n_new):
        new = size + q
        row, j = triangle_row(factor, new), members[new]
        diagonal = (rows[q, new] + l2 * v[j]) * (1.0 + share)
        pivot = diagonal - products[q, q]
        first, second = right[j] - products[q, 4], sign[j] - products[q, 5]
        for i in range(q):
            known = rows[q, size + i] - products[q, i]
            other = triangle_row(factor, size + i)
            for c in range(size, size + i):
                known -= row[c] * other[c]
            known *= inverse[size + i]
            row[size + i] = known
            pivot -= known * known
            first -= known * data[size + i]
            second -= known * signs[size + i]
        if not pivot > SINGULAR * diagonal:
            return q
        row[new] = np.sqrt(pivot)
        inverse[new] = 1.0 / row[new]
        data[new], signs[new] = first * inverse[new], second * inverse[new]
    return n_new


@kernel
def back_substitute(factor, inverse, size, x):
    """Compute x ← L⁻ᵀ x in place, four rows at a time; x is padded to a multiple of `LANES`."""
    end = size
    while end >= 4:
        end -= 4
        l0, l1, l2, l3 = four_rows(factor, end)
        x3 = x[end + 3] * inverse[end + 3]
        x2 = (x[end + 2] - x3 * l3[end + 2]) * inverse[end + 2]
        x1 = (x[end + 1] - x3 * l3[end + 1] - x2 * l2[end + 1]) * inverse[end + 1]
        x0 = (x[end] - x3 * l3[end] - x2 * l2[end] - x1 * l1[end]) * inverse[end]
        # Beyond the four rows' own columns, which are written below, the factor is 0.
        subtract_four_rows(x, (l0, l1, l2, l3), (x0, x1, x2, x3), padded(end))
        x[end], x[end + 1], x[end + 2], x[end + 3] = x0, x1, x2, x3
    while end > 0:
        end -= 1
        x[end] *= inverse[end]
        subtract_row(x, triangle_row(factor, end), x[end], end)


@kernel
def remove(factor, inverse, data, signs, size, position, cosine, sine):
    """Remove one member, in place.

    Without its row, L has one column too many. Givens rotations of that column with each later one
    set it to 0 (Golub & Van Loan, Matrix Computations, section 6.5). `cosine` and
    `sine` (size,) are scratch.
    """
    carried_data, carried_signs = data[position], signs[position]
    for source in range(position + 1, size):
        at = source - 1
        old, row = triangle_row(factor, source), triangle_row(factor, at)
        for t in range(position):
            row[t] = old[t]
        carried = old[position]
        for k in range(position, at):
            entry = old[k + 1]
            row[k] = cosine[k] * entry + sine[k] * carried
            carried = cosine[k] * carried - sine[k] * entry
        entry = old[source]
        pivot = np.sqrt(entry * entry + carried * carried)
        c, s = entry / pivot, carried / pivot
        cosine[at], sine[at] = c, s
        row[at], inverse[at] = pivot, 1.0 / pivot
        entry, data[at] = data[source], c * data[source] + s * carried_data
        carried_data = c * carried_data - s * entry
        entry, signs[at] = signs[source], c * signs[source] + s * carried_signs
        carried_signs = c * carried_signs - s * entry
