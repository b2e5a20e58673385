"""Coordinate descent with Newton steps, for problems that the active-set method does not solve.

It is slower, but decreases the objective for any data: also if columns are collinear or if the
active set does not settle.
"""

import numpy as np

from ._cholesky import back_substitute
from ._compile import inlined, kernel
from ._model import MEMBERS, factor_anew
from ._objective import duality_gap, renew_gradient
from ._rows import subtract_row

# Addition to the diagonal of a singular Hessian, as a share of it.
COLLINEAR_RIDGE = 1e-8

# Rounds allowed without halving the gap: with exact Newton steps, after which the remaining gap is
# rounding error; and with any steps, so that the search ends.
PATIENCE = 10
LAST_PATIENCE = 10_000

# A Newton step costs about size/6 sweeps, so large problems make several sweeps before each.
SIZE_PER_SWEEP = 32


@inlined
def sweep(G, candidates, size, v, l1, l2, b, r):
    """Minimize (1) over each candidate in turn, in place, keeping r = g − G b.

    Features that are constant in this training set (zero on the diagonal) never enter.
    """
    for a in range(size):
        j = candidates[a]
        if G[j, j] <= 0.0:
            continue
        target = r[j] + G[j, j] * b[j]
        excess = max(abs(target) - l1 * v[j], 0.0)
        step = np.sign(target) * excess / (G[j, j] + l2 * v[j]) - b[j]
        if step != 0.0:
            b[j] += step
            subtract_row(r, G[j], step, r.size)


@inlined
def newton_step(G, v, l1, l2, model):
    """Move the non-zero coefficients towards the minimum of (1) for their signs, in place.

    With fixed signs (1) is quadratic, so the full step is exact. It is shortened if a coefficient
    reaches 0 before. In both cases (1) decreases. If columns are collinear (always so with more of
    them than cells), a small ridge directs the step along the null vector that lowers Σ l1 v |b|,
    until a coefficient leaves.

    Returns whether the step was full and exact.
    """
    b, r, right = model.b, model.r, model.packed
    for j in range(b.size):
        if b[j] != 0.0:
            right[j] = r[j] - l2 * v[j] * b[j] - np.sign(b[j]) * l1 * v[j]
    is_exact = factor_anew(G, right, v, l2, 0.0, model)
    if not is_exact and not factor_anew(G, right, v, l2, COLLINEAR_RIDGE, model):
        return False
    size, step = model.counts[MEMBERS], model.data
    back_substitute(model.factor, model.inverse, size, step)
    length, first = 1.0, -1
    for a in range(size):
        j = model.members[a]
        if b[j] * (b[j] + length * step[a]) < 0.0 and l1 * v[j] > 0.0:
            length, first = -b[j] / step[a], j
    for a in range(size):
        j = model.members[a]
        change = -b[j] if j == first else length * step[a]
        b[j] += change
        subtract_row(r, G[j], change, r.size)
    return is_exact and first < 0


@inlined
def enlarge(G, v, l1, r, is_in_work, work, n_work):
    """Append the features that are not optimal at 0 to `work`; return its new size."""
    for j in range(r.size):
        if not is_in_work[j] and abs(r[j]) > l1 * v[j] and G[j, j] > 0.0:
            is_in_work[j] = True
            work[n_work] = j
            n_work += 1
    return n_work


@inlined
def descend_on_work(G, g, v, l1, l2, tol, max_iter, n_work, model):
    """Minimize (1) over the first `n_work` features in `work`, in place; return the rounds."""
    b, r, work = model.b, model.r, model.work
    lowest, n_idle, n_rounds_idle = np.inf, 0, 0
    for n_iter in range(max_iter):
        renew_gradient(G, g, b, work, n_work, r)
        gap = duality_gap(g, b, r, work, n_work, v, l1, l2, 1.0)
        if gap <= tol or n_idle >= PATIENCE or n_rounds_idle >= LAST_PATIENCE:
            return n_iter
        has_halved = gap <= 0.5 * lowest
        lowest = min(lowest, gap)
        n_idle = 0 if has_halved else n_idle + 1
        n_rounds_idle = 0 if has_halved else n_rounds_idle + 1
        for _ in range(1 + n_work // SIZE_PER_SWEEP):
            sweep(G, work, n_work, v, l1, l2, b, r)
        if not newton_step(G, v, l1, l2, model):
            n_idle = 0
    return max_iter


@kernel
def descend(G, g, v, l1, l2, tol, max_iter, model):
    """Minimize (1) from a warm start, in place, until its duality gap is at most tol.

    Sweeps find the support and the signs of a working set, Newton steps its values. Features that
    are not optimal at 0 are added to the working set. If no step improves the gap any more, the
    remaining gap is rounding error.

    Returns
    -------
    n_iter, gap
        Number of rounds, and the gap; r is g − G b, the factor must be recomputed.
    """
    b, r, work, candidates = model.b, model.r, model.work, model.candidates
    n_work, n_candidates = np.intp(0), np.intp(0)
    for j in range(b.size):
        if v[j] < np.inf:
            candidates[n_candidates] = j
            n_candidates += 1
        model.is_in_work[j] = b[j] != 0.0
        if model.is_in_work[j]:
            work[n_work] = j
            n_work += 1
    n_iter, inner_tol, is_last = 0, 0.5 * tol, False
    while True:
        renew_gradient(G, g, b, work, n_work, r)
        gap = duality_gap(g, b, r, candidates, n_candidates, v, l1, l2, 1.0)
        if gap <= tol or n_iter >= max_iter or is_last:
            return n_iter, gap
        size = n_work
        n_work = enlarge(G, v, l1, r, model.is_in_work, work, n_work)
        is_last = n_work == size and n_iter > 0
        if is_last:  # only a tighter solution of the same set can help
            inner_tol *= 0.01
        n_iter += descend_on_work(G, g, v, l1, l2, inner_tol, max_iter - n_iter, n_work, model)
