"""Paths along glmnet's automatic grid, which depends on the data of each training set."""

import numpy as np

from ._active_set import advance
from ._compile import entry_point, kernel
from ._held_out import held_out_error
from ._model import EVER, clear, model_of
from ._objective import EMPTY_MODEL_PENALTY, smallest_empty_penalty
from ._paths import path_step


@kernel
def may_enter(v):
    """Return whether any feature may enter the model."""
    lowest = np.inf
    for j in range(v.size):
        lowest = min(lowest, v[j])
    return lowest < np.inf


@kernel
def explained_share(b, g, r):
    """Return the share of the deviance that a model explains, bᵀ(g + r)."""
    share = 0.0
    for j in range(b.size):
        share += b[j] * (g[j] + r[j])
    return share


@kernel
def automatic_path(G, g, v, alpha, ratio, tol, max_iter, model, grid, path):
    """Solve along glmnet's data-driven grid until its stopping rules end the path.

    The grid starts at the smallest penalty with an empty model and decreases geometrically to
    ``ratio`` times that. From the fifth penalty on it ends where the explained fraction of the
    deviance exceeds 0.999 or has grown by less than 1e-5 of itself (``glmnet.control``: devmax,
    fdev, mnlam).

    `grid` (1, n_lambdas) and `path` (n_lambdas, p) are output, for ‖y‖²/n = 1.

    Returns
    -------
    n_solved, unconverged
        Number of penalties solved, and how many of them did not reach `tol`.
    """
    n_lambdas, b, r = grid.shape[1], model.b, model.r
    clear(model, g)
    _, gap = advance(G, g, v, alpha, EMPTY_MODEL_PENALTY, 0.0, tol, max_iter, model)
    for j in range(b.size):
        path[0, j] = b[j]
    grid[0, 0] = smallest_empty_penalty(r, v) / max(alpha, 1e-3)
    unconverged = int(gap > tol)
    explained = explained_share(b, g, r)
    for i in range(1, n_lambdas):
        grid[0, i] = grid[0, 0] * ratio ** (i / (n_lambdas - 1))
        _, gap = advance(G, g, v, alpha, grid[0, i], path_step(grid, 0, i), tol, max_iter, model)
        unconverged += gap > tol
        for j in range(b.size):
            path[i, j] = b[j]
        before, explained = explained, explained_share(b, g, r)
        if i >= 4 and (explained - before < 1e-5 * explained or explained > 0.999):
            return i + 1, unconverged
    return n_lambdas, unconverged


@entry_point
def interpolate_path(lambdas, path, penalty, out):
    """Write the coefficients at any penalty to `out`, linear in λ between the solved ones.

    Outside the range of the decreasing `lambdas` those of the nearest penalty are used, as in R's
    ``predict``.
    """
    right = 0
    while right < lambdas.size - 1 and lambdas[right] > penalty:
        right += 1
    left, share = right, 0.0
    if right > 0 and lambdas[right] <= penalty:
        left = right - 1
        share = (penalty - lambdas[right]) / (lambdas[left] - lambdas[right])
    for j in range(out.size):
        out[j] = share * path[left, j] + (1.0 - share) * path[right, j]


@entry_point
def automatic_grids(
    models, grid, path, G, linear, y_scale, factors, ratios, alpha, tol, max_iter, lambdas
):
    """Write glmnet's data-driven grid of each target of a block into `lambdas` (q, n_lambdas).

    Entries beyond the end of a path are NaN. `grid` (1, n_lambdas) and `path` (n_lambdas, p) are
    scratch. Returns the number of unconverged problems.
    """
    unconverged = 0
    for t in range(lambdas.shape[0]):
        model = model_of(models, np.intp(0))
        lambdas[t] = np.nan
        if y_scale[t] == 0.0 or not may_enter(factors[t]):
            continue
        n_solved, failed = automatic_path(
            G, linear[t], factors[t], alpha, ratios[t], tol, max_iter, model, grid, path
        )
        for i in range(n_solved):
            lambdas[t, i] = grid[0, i] * y_scale[t]
        unconverged += failed
    return unconverged


@entry_point
def automatic_errors(models, grid, path, sets, targets, ratios, alpha, tol, max_iter, errors):
    """Write the held-out errors of a block if each training set has its own automatic grid.

    The models of fold k are interpolated to the target's `lambdas` (q, n_lambdas), NaN-padded, as
    ``cv.glmnet`` does with ``alignment = "lambda"``. `ratios` is (q, n_folds); `grid` (1, n) and
    `path` (n, p) are scratch for the n penalties of a fold.
    """
    n_targets, n_folds, _ = targets.linear.shape
    unconverged = 0
    for t in range(n_targets):
        model = model_of(models, np.intp(0))
        errors[t] = np.nan
        for k in range(n_folds):
            length, scale = 1, targets.y_scale[t, k]
            model.counts[EVER] = 0
            path[0] = 0.0
            if scale > 0.0 and may_enter(targets.factors[t]):
                length, failed = automatic_path(
                    sets.grams[k], targets.linear[t, k], targets.factors[t], alpha, ratios[t, k],
                    tol, max_iter, model, grid, path,
                )  # fmt: skip
                unconverged += failed
            for u in range(sets.first_unit[k], sets.first_unit[k + 1]):
                n_known = 0
                for i in range(targets.lambdas.shape[1]):
                    if np.isnan(targets.lambdas[t, i]):
                        break
                    scaled = targets.lambdas[t, i] / scale if scale > 0.0 else np.inf
                    interpolate_path(grid[0, :length], path[:length], scaled, model.b)
                    gain = held_out_error(
                        model, targets.held_linear[t, u], sets.held_grams[u], n_known
                    )
                    errors[t, u, i] = targets.held_square[t, u] + scale * scale * gain
                    n_known = model.counts[EVER]
    return unconverged
