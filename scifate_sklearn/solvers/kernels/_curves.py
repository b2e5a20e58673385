"""Held-out errors along a path: their mean, its standard error, and the stopping rule."""

import numpy as np

from ._compile import inlined, kernel

# An adaptive path stops at the first penalty that is worse than the best one so far by more than
# PAIRED_SE standard errors of their difference, fold by fold, and by more than MEAN_SE standard
# errors of the best CV mean; but only if the best is more than DEPTH of these below the first
# penalty, which does not happen on paths of pure noise. A flat curve does not predict its
# continuation, because predictors that help only together join late.
PAIRED_SE = 2.5
MEAN_SE = 0.25
DEPTH = 5.0

# Instead of the position of a penalty: no comparison with another one.
NOTHING = np.intp(-1)


@kernel
def mean_and_se(errors, i, other, weight, n_repeats):
    """Return Σwe/Σw and √[(Σ w (e − mean)²/Σw)/(K − 1)], as ``cv.glmnet``.

    K is the number of units of one of the repeats. e are the errors (n_units, n_lambdas) at penalty
    i, minus those at `other` unless `NOTHING`.
    """
    total, mean, variance = 0.0, 0.0, 0.0
    for k in range(weight.size):
        total += weight[k]
        mean += weight[k] * (errors[k, i] - (errors[k, other] if other >= 0 else 0.0))
    mean /= total
    for k in range(weight.size):
        e = errors[k, i] - (errors[k, other] if other >= 0 else 0.0)
        variance += weight[k] * (e - mean) ** 2
    return mean, np.sqrt(variance / total / (weight.size // n_repeats - 1))


@kernel
def is_deep(errors, best, weight, n_repeats):
    """Return whether the best penalty is clearly better than the first, so that a path may end."""
    _, best_se = mean_and_se(errors, best, NOTHING, weight, n_repeats)
    depth, _ = mean_and_se(errors, np.intp(0), best, weight, n_repeats)
    return depth > DEPTH * best_se


@inlined
def clearly_worse(errors, i, best, weight, n_repeats):
    """Return whether penalty i is clearly worse than the best, and the best `is_deep`."""
    excess, paired_se = mean_and_se(errors, i, best, weight, n_repeats)
    if not excess > PAIRED_SE * paired_se:
        return False
    _, best_se = mean_and_se(errors, best, NOTHING, weight, n_repeats)
    return excess > MEAN_SE * best_se and is_deep(errors, best, weight, n_repeats)


@inlined
def stop_of_path(errors, weight, n_repeats, first, last, best, lowest):
    """Return the stop of an adaptive path among its newest penalties, and the best so far.

    `errors` (n_units, n_lambdas) are known up to `last` (exclusive) and examined from `first` on;
    `best` is the penalty with the lowest CV mean before `first`, `lowest` that mean.

    Returns
    -------
    stop, best, lowest
        The first penalty that is clearly worse, or −1; then `best` and `lowest`, updated.
    """
    for i in range(first, last):
        mean, _ = mean_and_se(errors, i, NOTHING, weight, n_repeats)
        if mean < lowest:
            lowest, best = mean, i
        if clearly_worse(errors, i, best, weight, n_repeats):
            return i, best, lowest
    return -1, best, lowest
