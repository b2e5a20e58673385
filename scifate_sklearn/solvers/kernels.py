"""Every compiled function of the package: coordinate descent on a Gram matrix, and its error.

One problem, in the standardised coordinates of one training set (‖y‖²/n = 1, g = Xᵀy/n,
G = XᵀX/n), is

    min over b of  ½ bᵀGb − gᵀb + Σⱼ l1ⱼ |bⱼ| + ½ Σⱼ l2ⱼ bⱼ²                                  (1)

with l1ⱼ = λ α vⱼ and l2ⱼ = λ (1 − α) vⱼ.

Coordinate descent works on a growing *working set*: the features that have ever violated the
optimality conditions, with a compact copy of their rows of G. An update then touches as many
contiguous numbers as the set has members, however many features there are; all features are looked
at once per round, when the gradient is renewed and the duality gap certifies the solution.
"""

import numpy as np
from numba import njit

_jit = njit(cache=True, nogil=True, error_model="numpy")
# Multiply-adds in one instruction; nothing is reordered, so results stay reproducible.
_fused = njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})

# An adaptive path stops at the first penalty that is clearly worse than the best so far: by more
# than this many standard errors of the paired (fold by fold) difference, and by more than this
# many standard errors of the best CV mean.
ADAPTIVE_PAIRED_SE = 2.5
ADAPTIVE_SE = 0.5

# A pivot of a Cholesky factor below this share of its diagonal entry means collinear columns.
SINGULAR = 1e-12

# What is added to the diagonal of a singular Hessian, as a share of it.
COLLINEAR_RIDGE = 1e-8

# Full Newton steps without a lower gap before the rest of the gap is taken for rounding.
PATIENCE = 10

# A Newton step costs about size/6 sweeps, so a large problem affords several sweeps before each.
SIZE_PER_SWEEP = 32

# glmnet's "infinite" first penalty: only unpenalised coefficients survive it.
EMPTY_MODEL_PENALTY = 9.9e35


@_jit
def soft_threshold(z, threshold):
    """Return sign(z) · max(|z| − threshold, 0)."""
    if z > threshold:
        return z - threshold
    if z < -threshold:
        return z + threshold
    return 0.0


@_fused
def subtract_row(r, A, k, step):
    """In place: r ← r − step · A[k], over the length of r.

    The row is named by its index, here and below: making a slice costs as much as a short row.
    """
    for i in range(r.size):
        r[i] -= step * A[k, i]


@_jit
def renew_gradient(G, g, b, r):
    """In place: r ← g − G b."""
    r[:] = g
    for j in range(b.size):
        if b[j] != 0.0:
            subtract_row(r, G, j, b[j])


@_jit
def sweep(G, l1, l2, b, r):
    """In place: minimise (1) over each coordinate in turn, keeping r = g − G b.

    G may have more rows and columns than b has coordinates; the first ones count.
    """
    for j in range(b.size):
        old = b[j]
        new = soft_threshold(r[j] + G[j, j] * old, l1[j]) / (G[j, j] + l2[j])
        if new != old:
            b[j] = new
            subtract_row(r, G, j, new - old)


@_jit
def duality_gap(g, b, r, members, l1, l2):
    """Return an upper bound on the excess of (1), restricted to `members`, over its minimum.

    The ridge part is absorbed into the data (Zou & Hastie, J. R. Stat. Soc. B 67, 2005, lemma 1),
    so that r̃ⱼ = rⱼ − l2ⱼ bⱼ and ‖R̃‖² = ‖y − Xb‖²/n + Σ l2ⱼ bⱼ² are gradient and residual of a
    LASSO. With the dual point s·R̃, s ≤ 1 the largest feasible scaling,

        gap = ½ ‖R̃‖² (1 − s)² + Σⱼ (l1ⱼ |bⱼ| − s bⱼ r̃ⱼ).

    No large terms cancel, so gaps far below the rounding of (1) itself are meaningful. Coordinates
    without an l1 part constrain the dual to r̃ⱼ = 0 and are bounded directly: by r̃ⱼ²/(2 l2ⱼ) if
    they have a ridge part, else by confining them to |b| ≤ 1 + 2|bⱼ|.
    """
    residual = 1.0
    scale = 1.0
    for j in members:
        reduced = r[j] - l2[j] * b[j]
        residual += b[j] * (l2[j] * b[j] - g[j] - r[j])
        if l1[j] > 0.0 and abs(reduced) * scale > l1[j]:
            scale = l1[j] / abs(reduced)
    gap = 0.5 * max(residual, 0.0) * (1.0 - scale) ** 2
    for j in members:
        reduced = r[j] - l2[j] * b[j]
        if l1[j] > 0.0:
            gap += l1[j] * abs(b[j]) - scale * b[j] * reduced
        elif l2[j] > 0.0:
            gap += 0.5 * reduced * reduced / l2[j]
        else:
            gap += (1.0 + 2.0 * abs(b[j])) * abs(scale * reduced) - scale * b[j] * reduced
    return max(gap, 0.0)


@_jit
def enlarge(G, candidates, l1, r, in_work, work, n_work, compact):
    """In place: append the candidates that are not optimal at 0; return the new size.

    `compact` is the Gram matrix of the working set, `in_work` its membership mask. Features that
    are constant in this training set (zero on the diagonal) never enter.
    """
    for j in candidates:
        if in_work[j] or abs(r[j]) <= l1[j] or G[j, j] <= 0.0:
            continue
        for a in range(n_work):
            compact[n_work, a] = G[j, work[a]]
            compact[a, n_work] = compact[n_work, a]
        compact[n_work, n_work] = G[j, j]
        in_work[j] = True
        work[n_work] = j
        n_work += 1
    return n_work


@_fused
def factorise(A):
    """In place: overwrite the lower triangle of A with L, A = LᵀL (Cholesky from the last pivot).

    Going up from the last row lets every inner loop run from column 0, which vectorises. Four
    pivots at a time, since the rows above, where the time goes, are then read and written a
    quarter as often. Returns False, with A spoiled, where A is numerically singular.
    """
    n = len(A)
    diagonal = np.diag(A).copy()
    panel = np.zeros((4, n))
    for end in range(n, 0, -4):
        start = max(end - 4, 0)
        for k in range(end - 1, start - 1, -1):
            for i in range(k + 1, end):
                step = A[i, k]
                for j in range(k + 1):
                    A[k, j] -= step * A[i, j]
            if A[k, k] <= SINGULAR * diagonal[k]:
                return False
            scale = 1.0 / np.sqrt(A[k, k])
            for j in range(k + 1):
                A[k, j] *= scale
        panel[: end - start] = A[start:end]
        for i in range(start):
            subtract_panel(A, i, panel)
    return True


@_fused
def subtract_panel(A, i, panel):
    """In place: A[i, :i + 1] ← A[i, :i + 1] − Σ panel[k, i] · panel[k, :i + 1] over four rows k."""
    s, t, u, v = panel[0, i], panel[1, i], panel[2, i], panel[3, i]
    for j in range(i + 1):
        A[i, j] -= s * panel[0, j] + t * panel[1, j] + u * panel[2, j] + v * panel[3, j]


@_fused
def solve_positive_definite(A, x):
    """In place: x ← A⁻¹ x; destroys the lower triangle of A. Returns whether A is regular."""
    if not factorise(A):
        return False
    n = x.size
    for k in range(n - 1, -1, -1):
        x[k] /= A[k, k]
        step = x[k]
        for j in range(k):
            x[j] -= step * A[k, j]
    for k in range(n):
        known = 0.0
        for j in range(k):
            known += A[k, j] * x[j]
        x[k] = (x[k] - known) / A[k, k]
    return True


@_jit
def newton_direction(gram, l1, l2, b, r, support, ridge, step):
    """Write the Newton step of the `support` into `step`; return whether it could be solved.

    `ridge` is added to the Hessian, as a share of its diagonal.
    """
    size = support.size
    hessian = np.empty((size, size))
    for a in range(size):
        j = support[a]
        for c in range(a + 1):
            hessian[a, c] = gram[j, support[c]]
        hessian[a, a] = (hessian[a, a] + l2[j]) * (1.0 + ridge)
        step[a] = r[j] - l2[j] * b[j] - np.sign(b[j]) * l1[j]
    return solve_positive_definite(hessian, step)


@_jit
def newton_step(gram, l1, l2, b, r):
    """In place: move the non-zero coefficients towards the minimum of (1) for their signs.

    With the signs fixed (1) is quadratic, so the full step is exact; it ends early where the first
    coefficient reaches 0. Either way (1) decreases. Where columns are collinear (always so with
    more of them than cells) a small ridge turns the step along the null vector that lowers
    Σ l1 |b|, until a coefficient leaves.

    Returns whether the step was full and exact.
    """
    support = np.flatnonzero(b)
    step = np.empty(support.size)
    is_exact = newton_direction(gram, l1, l2, b, r, support, 0.0, step)
    if not is_exact and not newton_direction(gram, l1, l2, b, r, support, COLLINEAR_RIDGE, step):
        return False
    length, first = 1.0, -1
    for a in range(support.size):
        j = support[a]
        if b[j] * (b[j] + length * step[a]) < 0.0 and l1[j] > 0.0:
            length, first = -b[j] / step[a], j
    for a in range(support.size):
        j = support[a]
        change = -b[j] if j == first else length * step[a]
        b[j] += change
        subtract_row(r, gram, j, change)
    return is_exact and first < 0


@_jit
def minimise_on_work(gram, g, l1, l2, tol, max_iter, b):
    """In place: minimise over the whole (small) problem until its gap is at most tol.

    Sweeps find the support and the signs, Newton steps the values. Where full Newton steps have
    stopped helping, what is left of the gap is rounding. Returns the number of rounds.
    """
    members = np.arange(b.size)
    r = np.empty_like(b)
    renew_gradient(gram, g, b, r)
    lowest, n_idle = np.inf, 0
    for n_iter in range(max_iter):
        gap = duality_gap(g, b, r, members, l1, l2)
        if gap <= tol or n_idle >= PATIENCE:
            return n_iter
        n_idle = n_idle + 1 if gap > 0.5 * lowest else 0
        lowest = min(lowest, gap)
        for _ in range(1 + b.size // SIZE_PER_SWEEP):
            sweep(gram, l1, l2, b, r)
        if not newton_step(gram, l1, l2, b, r):
            n_idle = 0
    return max_iter


@_jit
def minimise(G, g, candidates, l1, l2, tol, max_iter, b, r, in_work, work, n_work, compact):
    """In place: solve (1) from the warm start b until the duality gap is at most tol.

    On entry `r` only suggests which features to try; on return it is g − G b.

    Returns
    -------
    n_work, n_iter, gap
        Size of the working set, rounds done (at least 1: the certificate), and the gap.
    """
    n_iter = 1
    inner_tol = 0.5 * tol
    while True:
        size = n_work
        n_work = enlarge(G, candidates, l1, r, in_work, work, n_work, compact)
        is_last = n_iter > 1 and n_work == size
        if is_last:  # nothing to add, so only a tighter solution of the same set can help
            inner_tol *= 0.01
        members = work[:n_work]
        b_work = b[members]
        n_iter += minimise_on_work(
            compact, g[members], l1[members], l2[members],
            inner_tol, max_iter - n_iter, b_work,
        )  # fmt: skip
        b[members] = b_work
        renew_gradient(G, g, b, r)
        gap = duality_gap(g, b, r, candidates, l1, l2)
        if gap <= tol or n_iter >= max_iter or is_last:
            return n_work, n_iter, gap


@_jit
def extrapolate(b, r, b_before, r_before, step):
    """In place: move (b, r) on by `step` times the last move, and remember where it stood.

    LASSO paths are piecewise linear in λ. Coefficients that are 0 stay, so r is only a forecast.
    """
    for j in range(b.size):
        b_now, r_now = b[j], r[j]
        if b_now != 0.0:
            b[j] += step * (b_now - b_before[j])
        r[j] += step * (r_now - r_before[j])
        b_before[j] = b_now
        r_before[j] = r_now


@_jit
def path_step(lambdas, i):
    """Return how far λᵢ lies beyond λᵢ₋₁, in units of the move before; at most 1."""
    if i < 2 or lambdas[i - 2] <= lambdas[i - 1]:
        return 0.0
    return min(1.0, (lambdas[i - 1] - lambdas[i]) / (lambdas[i - 2] - lambdas[i - 1]))


@_jit
def set_penalties(penalty, alpha, factor, l1, l2):
    """In place: l1 ← λ α v and l2 ← λ (1 − α) v."""
    for j in range(factor.size):
        l1[j] = penalty * alpha * factor[j]
        l2[j] = penalty * (1.0 - alpha) * factor[j]


@_jit
def quadratic_error(b, linear, gram):
    """Return bᵀHb − 2 hᵀb, what the model adds to the held-out error of the null model."""
    members = np.flatnonzero(b)
    error = 0.0
    for a in range(members.size):
        j = members[a]
        row = gram[j]
        inner = 0.0
        for c in range(a):
            inner += row[members[c]] * b[members[c]]
        error += b[j] * (2.0 * inner + row[j] * b[j] - 2.0 * linear[j])
    return error


@_jit
def weighted_mean_and_se(errors, weight):
    """Return Σwe/Σw and √[(Σ w (e − mean)²/Σw)/(K − 1)] of K fold errors, as ``cv.glmnet``."""
    total = weight.sum()
    mean = (weight * errors).sum() / total
    variance = (weight * (errors - mean) ** 2).sum() / total
    return mean, np.sqrt(variance / (errors.size - 1))


@_jit
def clearly_worse(errors, best_errors, weight):
    """Say whether fold errors exceed the best ones by more than chance and by enough to matter."""
    excess, paired_se = weighted_mean_and_se(errors - best_errors, weight)
    _, best_se = weighted_mean_and_se(best_errors, weight)
    return excess > ADAPTIVE_PAIRED_SE * paired_se and excess > ADAPTIVE_SE * best_se


@_jit
def grid_errors(
    grams,
    linear,
    y_scale,
    held_grams,
    held_linear,
    held_square,
    training_of,
    candidates,
    factors,
    held_weight,
    lambdas,
    adaptive,
    alpha,
    tol,
    max_iter,
    errors,
):
    """Held-out errors of a block of targets along a given decreasing grid of penalties.

    All training sets advance together, so that an adaptive path knows the CV curve so far.

    Parameters
    ----------
    grams : (n_folds, p, p), linear : (q, n_folds, p), y_scale : (q, n_folds)
        Standardised training problems; ``y_scale`` 0 marks a target that is constant there.
    held_grams : (n_units, p, p), held_linear : (q, n_units, p), held_square : (q, n_units)
        Mean held-out products in the coordinates of the unit's training set; the squares unscaled.
    training_of, held_weight : (n_units,)
        The training set that each test unit evaluates, and the unit's weight.
    candidates : (q, p) bool
    factors : (q, p)
        Penalty factors, rescaled.
    lambdas : (q, n_lambdas)
        On the scale of the targets.
    errors : (q, n_units, n_lambdas)
        Output; NaN beyond the stop of an adaptive path.

    Returns
    -------
    int
        Number of problems (target, fold, penalty) that did not reach `tol`.
    """
    n_folds, p = grams.shape[0], grams.shape[1]
    b, r = np.empty((n_folds, p)), np.empty((n_folds, p))
    b_before, r_before = np.empty((n_folds, p)), np.empty((n_folds, p))
    l1, l2 = np.empty(p), np.empty(p)
    in_work = np.empty((n_folds, p), np.bool_)
    work, n_work = np.empty((n_folds, p), np.intp), np.empty(n_folds, np.intp)
    compact = np.empty((n_folds, p, p))
    empty_from = np.empty(n_folds)
    unconverged = 0
    for t in range(linear.shape[0]):
        chosen = np.flatnonzero(candidates[t])
        b[:], r[:] = 0.0, linear[t]
        b_before[:], r_before[:] = 0.0, linear[t]
        for k in range(n_folds):
            empty_from[k] = empty_model_penalty(
                grams[k], linear[t, k], chosen, factors[t], alpha, y_scale[t, k]
            )
        in_work[:], n_work[:] = False, 0
        lowest, best = np.inf, 0
        errors[t] = np.nan
        for i in range(lambdas.shape[1]):
            step = path_step(lambdas[t], i)
            for k in range(n_folds):
                if lambdas[t, i] >= empty_from[k]:
                    continue
                extrapolate(b[k], r[k], b_before[k], r_before[k], step)
                set_penalties(lambdas[t, i] / y_scale[t, k], alpha, factors[t], l1, l2)
                n_work[k], _, gap = minimise(
                    grams[k], linear[t, k], chosen, l1, l2, tol, max_iter,
                    b[k], r[k], in_work[k], work[k], n_work[k], compact[k],
                )  # fmt: skip
                unconverged += gap > tol
            for u in range(held_square.shape[1]):
                k = training_of[u]
                gain = quadratic_error(b[k], held_linear[t, u], held_grams[u])
                errors[t, u, i] = held_square[t, u] + y_scale[t, k] ** 2 * gain
            if not adaptive:
                continue
            mean, _ = weighted_mean_and_se(errors[t, :, i], held_weight)
            if mean < lowest:
                lowest, best = mean, i
            if clearly_worse(errors[t, :, i], errors[t, :, best], held_weight):
                break
    return unconverged


@_jit
def solve_down_to(
    G, linear, y_scale, candidates, factors, lambdas, stop, alpha, tol, max_iter, coef, n_iter, gaps
):
    """Coefficients of a block of targets at ``lambdas[t, stop[t]]``, warm-started from above.

    `coef` (q, p), `n_iter` (q,) and `gaps` (q,) are output, in the standardised coordinates.
    Targets with ``stop < 0`` are left at 0.
    """
    p = G.shape[0]
    r, l1, l2 = np.empty(p), np.empty(p), np.empty(p)
    b_before, r_before = np.zeros(p), np.zeros(p)
    in_work, work, compact = np.empty(p, np.bool_), np.empty(p, np.intp), np.empty((p, p))
    for t in range(linear.shape[0]):
        coef[t], n_iter[t], gaps[t] = 0.0, 0, 0.0
        if y_scale[t] == 0.0:
            continue
        chosen = np.flatnonzero(candidates[t])
        r[:] = linear[t]
        in_work[:], n_work = False, 0
        for i in range(stop[t] + 1):
            extrapolate(coef[t], r, b_before, r_before, path_step(lambdas[t], i))
            set_penalties(lambdas[t, i] / y_scale[t], alpha, factors[t], l1, l2)
            n_work, sweeps, gaps[t] = minimise(
                G, linear[t], chosen, l1, l2, tol, max_iter,
                coef[t], r, in_work, work, n_work, compact,
            )  # fmt: skip
            n_iter[t] += sweeps


@_jit
def automatic_path(G, g, candidates, factor, alpha, ratio, tol, max_iter, lambdas, path):
    """Solve along glmnet's data-driven grid until its stopping rules end the path.

    The grid starts at the smallest penalty with an empty model and decreases geometrically to
    ``ratio`` times that. From the fifth penalty on it ends where the explained fraction of the
    deviance exceeds 0.999 or has grown by less than 1e-5 of itself (``glmnet.control``: devmax,
    fdev, mnlam).

    `lambdas` (n_lambdas,) and `path` (n_lambdas, p) are output, for ‖y‖²/n = 1.

    Returns
    -------
    n_solved, unconverged
        Number of penalties solved, and how many of them did not reach `tol`.
    """
    n_lambdas, p = path.shape
    b, r = np.zeros(p), g.copy()
    b_before, r_before = np.zeros(p), np.zeros(p)
    l1, l2 = np.empty(p), np.empty(p)
    in_work, work, compact = np.zeros(p, np.bool_), np.empty(p, np.intp), np.empty((p, p))
    set_penalties(EMPTY_MODEL_PENALTY, alpha, factor, l1, l2)
    n_work, _, gap = minimise(
        G, g, candidates, l1, l2, tol, max_iter, b, r, in_work, work, 0, compact
    )
    path[0] = b
    lambdas[0] = smallest_empty_penalty(G, r, candidates, factor) / max(alpha, 1e-3)
    unconverged = int(gap > tol)
    explained = (b * (g + r)).sum()
    for i in range(1, n_lambdas):
        lambdas[i] = lambdas[0] * ratio ** (i / (n_lambdas - 1))
        extrapolate(b, r, b_before, r_before, path_step(lambdas, i))
        set_penalties(lambdas[i], alpha, factor, l1, l2)
        n_work, _, gap = minimise(
            G, g, candidates, l1, l2, tol, max_iter, b, r, in_work, work, n_work, compact
        )
        unconverged += gap > tol
        path[i] = b
        before, explained = explained, (b * (g + r)).sum()
        if i >= 4 and (explained - before < 1e-5 * explained or explained > 0.999):
            return i + 1, unconverged
    return n_lambdas, unconverged


@_jit
def smallest_empty_penalty(G, r, candidates, factor):
    """Return the smallest penalty that keeps every penalised coefficient at 0."""
    largest = 0.0
    for j in candidates:
        if factor[j] > 0.0 and G[j, j] > 0.0:
            largest = max(largest, abs(r[j]) / factor[j])
    return largest


@_jit
def empty_model_penalty(G, g, candidates, factor, alpha, y_scale):
    """Return the penalty, on the target's scale, from which on the model is empty (inf: never)."""
    if y_scale == 0.0:
        return 0.0
    if alpha == 0.0 or (factor[candidates] == 0.0).any():
        return np.inf
    return smallest_empty_penalty(G, g, candidates, factor) / alpha * y_scale


@_jit
def interpolate_path(lambdas, path, penalty, out):
    """Write the coefficients at any penalty, linear in λ between the solved ones, as R's predict.

    Beyond either end of the decreasing `lambdas` the end's coefficients are taken.
    """
    last = lambdas.size - 1
    if penalty >= lambdas[0] or last == 0:
        out[:] = path[0]
    elif penalty <= lambdas[last]:
        out[:] = path[last]
    else:
        right = 1
        while lambdas[right] > penalty:
            right += 1
        left = right - 1
        share = (penalty - lambdas[right]) / (lambdas[left] - lambdas[right])
        out[:] = share * path[left] + (1.0 - share) * path[right]


@_jit
def automatic_grids(G, linear, y_scale, candidates, factors, ratios, alpha, tol, max_iter, lambdas):
    """Write glmnet's data-driven grid of each target of a block into `lambdas` (q, n_lambdas).

    Entries past the end of a path are NaN. Returns the number of unconverged problems.
    """
    path = np.empty((lambdas.shape[1], G.shape[0]))
    unconverged = 0
    for t in range(linear.shape[0]):
        lambdas[t] = np.nan
        chosen = np.flatnonzero(candidates[t])
        if y_scale[t] == 0.0 or chosen.size == 0:
            continue
        grid = np.empty(lambdas.shape[1])
        n_solved, failed = automatic_path(
            G, linear[t], chosen, factors[t], alpha, ratios[t], tol, max_iter, grid, path
        )
        lambdas[t, :n_solved] = grid[:n_solved] * y_scale[t]
        unconverged += failed
    return unconverged


@_jit
def automatic_errors(
    grams,
    linear,
    y_scale,
    held_grams,
    held_linear,
    held_square,
    training_of,
    candidates,
    factors,
    ratios,
    lambdas,
    n_solved,
    alpha,
    tol,
    max_iter,
    errors,
):
    """Held-out errors of a block of targets where each training set has its own automatic grid.

    The models of fold k are interpolated to the target's `lambdas` (q, n_lambdas), NaN-padded, as
    ``cv.glmnet`` does with ``alignment = "lambda"``. The other arguments are those of
    `grid_errors`; `ratios` is (q, n_folds), and `n_solved` the length of a fold's grid.
    """
    n_folds, p = grams.shape[0], grams.shape[1]
    grid, path = np.empty(n_solved), np.empty((n_solved, p))
    b = np.zeros(p)
    unconverged = 0
    for t in range(linear.shape[0]):
        errors[t] = np.nan
        chosen = np.flatnonzero(candidates[t])
        for k in range(n_folds):
            length = 1
            path[0] = 0.0
            if y_scale[t, k] > 0.0 and chosen.size > 0:
                length, failed = automatic_path(
                    grams[k], linear[t, k], chosen, factors[t], alpha, ratios[t, k], tol, max_iter,
                    grid, path,
                )  # fmt: skip
                unconverged += failed
            for i in range(lambdas.shape[1]):
                if np.isnan(lambdas[t, i]):
                    break
                scaled = lambdas[t, i] / y_scale[t, k] if y_scale[t, k] > 0.0 else np.inf
                interpolate_path(grid[:length], path[:length], scaled, b)
                for u in range(training_of.size):
                    if training_of[u] == k:
                        gain = quadratic_error(b, held_linear[t, u], held_grams[u])
                        errors[t, u, i] = held_square[t, u] + y_scale[t, k] ** 2 * gain
    return unconverged
