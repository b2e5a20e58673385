"""Paths along the grid that glmnet makes from the data of each training set."""

import numpy as np

from .active_set import advance
from .compile import entry_point, kernel
from .held_out import held_out_error
from .model import EVER, clear, model_of, new_models
from .objective import EMPTY_MODEL_PENALTY, smallest_empty_penalty
from .paths import path_step


@kernel
def may_enter(v):
    """Say whether any feature may enter the model."""
    return np.isfinite(v).any()


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
    path[0] = b
    grid[0, 0] = smallest_empty_penalty(r, v) / max(alpha, 1e-3)
    unconverged = int(gap > tol)
    explained = (b * (g + r)).sum()
    for i in range(1, n_lambdas):
        grid[0, i] = grid[0, 0] * ratio ** (i / (n_lambdas - 1))
        _, gap = advance(G, g, v, alpha, grid[0, i], path_step(grid, 0, i), tol, max_iter, model)
        unconverged += gap > tol
        path[i] = b
        before, explained = explained, (b * (g + r)).sum()
        if i >= 4 and (explained - before < 1e-5 * explained or explained > 0.999):
            return i + 1, unconverged
    return n_lambdas, unconverged


@entry_point
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


@entry_point
def automatic_grids(G, linear, y_scale, factors, ratios, alpha, tol, max_iter, lambdas):
    """Write glmnet's data-driven grid of each target of a block into `lambdas` (q, n_lambdas).

    Entries past the end of a path are NaN. Returns the number of unconverged problems.
    """
    n_targets, p = factors.shape
    models = new_models(np.intp(1), p)
    grid, path = np.empty((1, lambdas.shape[1])), np.empty((lambdas.shape[1], p))
    unconverged = 0
    for t in range(n_targets):
        model = model_of(models, np.intp(0))
        lambdas[t] = np.nan
        if y_scale[t] == 0.0 or not may_enter(factors[t]):
            continue
        n_solved, failed = automatic_path(
            G, linear[t], factors[t], alpha, ratios[t], tol, max_iter, model, grid, path
        )
        lambdas[t, :n_solved] = grid[0, :n_solved] * y_scale[t]
        unconverged += failed
    return unconverged


@entry_point
def automatic_errors(sets, targets, ratios, n_solved, alpha, tol, max_iter, errors):
    """Held-out errors of a block of targets where each training set has its own automatic grid.

    The models of fold k are interpolated to the target's `lambdas` (q, n_lambdas), NaN-padded, as
    ``cv.glmnet`` does with ``alignment = "lambda"``. `ratios` is (q, n_folds), and `n_solved` the
    length of a fold's grid.
    """
    n_targets, n_folds, p = targets.linear.shape
    models = new_models(np.intp(1), p)
    grid, path = np.empty((1, n_solved)), np.empty((n_solved, p))
    unconverged = 0
    for t in range(n_targets):
        model = model_of(models, np.intp(0))
        errors[t] = np.nan
        for k in range(n_folds):
            length, scale = 1, targets.y_scale[t, k]
            path[0], model.counts[EVER] = 0.0, 0
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
