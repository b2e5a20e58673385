"""Paths of all targets and training sets along a given grid of penalties."""

from collections import namedtuple

import numpy as np

from ._active_set import advance
from ._compile import entry_point, inlined, kernel
from ._curves import is_deep, stop_of_path
from ._held_out import held_out_error
from ._model import EVER, KNOWN, clear, model_of
from ._objective import empty_model_penalty

# Number of penalties that one fold of an adaptive path solves before the next fold continues.
# Larger strides keep matrices in the cache, but solve penalties beyond the stop. STRIDE applies
# while the CV curve falls, LATE_STRIDE once it rises from a minimum after which a path may end, and
# FLAT_STRIDE while the minimum is too shallow for that.
STRIDE = 6
LATE_STRIDE = 2
FLAT_STRIDE = 12

# Training and test sets.
#
# grams : (n_folds, p, p), standardized training sets
# held_grams : (n_units, p, p), mean held-out products in the coordinates of the training set
# first_unit : (n_folds + 1,), the test units k of a training set are first_unit[k] to [k + 1]
# held_weight : (n_units,)
# n_repeats : how often the units cover all cells
Sets = namedtuple("Sets", "grams held_grams first_unit held_weight n_repeats")

# A block of q targets.
#
# linear : (q, n_folds, p), y_scale : (q, n_folds); scale 0 marks a target that is constant there
# held_linear : (q, n_units, p), held_square : (q, n_units); squares are not scaled
# factors : (q, p), penalty factors, infinite for features that may not enter
# lambdas : (q, n_lambdas), decreasing, on the scale of the targets
# stop : (q,), the last penalty to solve, or −1 for none
# unit, alpha : (q, n_folds), in standardized coordinates l1 = λ alpha / unit and
#     l2 = λ (1 − alpha) / unit; unit 0 where y_scale is 0
Targets = namedtuple(
    "Targets", "linear y_scale held_linear held_square factors lambdas stop unit alpha"
)


@kernel
def path_step(lambdas, t, i):
    """Return the distance of λᵢ from λᵢ₋₁ in units of the previous move, at most 1."""
    if i < 2 or lambdas[t, i - 2] <= lambdas[t, i - 1]:
        return 0.0
    return min(1.0, (lambdas[t, i - 1] - lambdas[t, i]) / (lambdas[t, i - 2] - lambdas[t, i - 1]))


@inlined
def follow(sets, targets, t, k, first, last, tol, max_iter, model, errors, coef, n_iter, gaps):
    """Move the model of target t and training set k along the penalties first to last, in place.

    Returns the number of penalties that did not reach `tol`.
    """
    G, g, v = sets.grams[k], targets.linear[t, k], targets.factors[t]
    scale, unit, alpha = targets.y_scale[t, k], targets.unit[t, k], targets.alpha[t, k]
    empty_from, unconverged = empty_model_penalty(g, v, alpha, unit), 0
    units = range(sets.first_unit[k], sets.first_unit[k + 1])
    if first == 0:
        clear(model, g)
    for u in units:
        for i in range(first, last):
            errors[t, u, i] = targets.held_square[t, u]
    for i in range(first, last):
        penalty = targets.lambdas[t, i]
        if penalty >= empty_from:
            continue
        rounds, gap = advance(
            G, g, v, alpha, penalty / unit, path_step(targets.lambdas, t, i), tol, max_iter, model
        )
        unconverged += gap > tol
        n_iter[t, k] += rounds
        gaps[t, k] = gap
        for u in units:
            gain = held_out_error(
                model, targets.held_linear[t, u], sets.held_grams[u], model.counts[KNOWN]
            )
            errors[t, u, i] += scale * scale * gain
            model.counts[KNOWN] = model.counts[EVER] if len(units) == 1 else 0
    for j in range(v.size):
        coef[t, k, j] = model.b[j]
    return unconverged


@inlined
def next_turn(targets, t, end, last, is_falling, may_end):
    """Return the penalty at which the next turn of an adaptive path ends, at most `end`.

    The first turn ends where the first model is not empty. Later strides depend on the CV curve so
    far: on whether its newest penalty is the best, and whether a path may end after this best.
    """
    if last > 0:
        return min(end, last + (STRIDE if is_falling else LATE_STRIDE if may_end else FLAT_STRIDE))
    largest = 0.0
    for k in range(targets.linear.shape[1]):
        empty_from = empty_model_penalty(
            targets.linear[t, k], targets.factors[t], targets.alpha[t, k], targets.unit[t, k]
        )
        largest = max(largest, empty_from)
    last = 1
    while last < end and targets.lambdas[t, last] >= largest:
        last += 1
    return last


@entry_point
def follow_grids(models, sets, targets, adaptive, tol, max_iter, errors, coef, n_iter, gaps):
    """Follow a block of targets along their grids of penalties, on all training sets.

    On an adaptive path all training sets of a target advance together, so that the CV curve is
    known so far.

    Parameters
    ----------
    models : Models
        One for each training set of an adaptive path, else one; overwritten.
    sets : Sets
    targets : Targets
    adaptive : bool
    tol, max_iter :
        As in `advance`.
    errors : (q, n_units, n_lambdas)
        Output: held-out errors up to ``targets.stop``, which an adaptive path lowers. Beyond it,
        some penalties of the last turn are written and the others left unchanged.
    coef : (q, n_folds, p), n_iter : (q, n_folds), gaps : (q, n_folds)
        Output: the models at the last penalty solved, in the standardized coordinates; the rounds
        of the whole path; the duality gaps.

    Returns
    -------
    int
        Number of problems (target, fold, penalty) that did not reach `tol`.
    """
    n_targets, n_folds, _ = targets.linear.shape
    unconverged = 0
    for t in range(n_targets):
        last, best, lowest = np.intp(0), np.intp(0), np.inf
        while last <= targets.stop[t]:
            first, last = last, targets.stop[t] + 1
            if adaptive:
                may_end = is_deep(errors[t], best, sets.held_weight, sets.n_repeats)
                last = next_turn(targets, t, last, first, best == first - 1, may_end)
            for k in range(n_folds):
                unconverged += follow(
                    sets, targets, t, k, first, last, tol, max_iter,
                    model_of(models, k if adaptive else np.intp(0)), errors, coef, n_iter, gaps,
                )  # fmt: skip
            if adaptive:
                stop, best, lowest = stop_of_path(
                    errors[t], sets.held_weight, sets.n_repeats, first, last, best, lowest
                )
                if stop >= 0:
                    targets.stop[t] = stop
    return unconverged
