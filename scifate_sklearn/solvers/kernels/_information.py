"""Paths of all targets on all samples, for criteria that need no held-out error."""

import numpy as np

from ._compile import entry_point, kernel
from ._model import model_of
from ._paths import follow


@kernel
def count_nonzero(b):
    """Return the number of non-zero coefficients."""
    size = 0
    for j in range(b.size):
        size += b[j] != 0.0
    return size


@entry_point
def follow_whole(
    models, sets, targets, cost, least, floor, tol, max_iter, errors, sizes, coef, n_iter, gaps
):
    """Follow a block of targets along their grids, on the set of all samples.

    The criterion of a model with k coefficients and the error e is log e + cost[k]. The path of a
    target ends, and ``targets.stop`` is lowered, where no model with as many coefficients or more
    can have a lower criterion than the best so far.

    Parameters
    ----------
    models : Models
        One; overwritten.
    sets : Sets
        The only set, which is its own test unit.
    targets : Targets
    cost, least : (q, p + 1)
        The cost of k coefficients, and the least cost of k or more.
    floor : (q,)
        A lower bound of the error of any model.
    tol, max_iter :
        As in `advance`.
    errors : (q, 1, n_lambdas), sizes : (q, n_lambdas)
        Output up to ``targets.stop``: mean squared errors, and numbers of coefficients.
    coef : (q, 1, p), n_iter : (q, 1), gaps : (q, 1)
        Output, as in `follow_grids`.

    Returns
    -------
    int
        Number of problems (target, penalty) that did not reach `tol`.
    """
    unconverged, tiny = 0, np.finfo(np.float64).tiny
    for t in range(targets.linear.shape[0]):
        model, best, i = model_of(models, np.intp(0)), np.inf, np.intp(0)
        bound = np.log(max(floor[t], tiny))
        while i <= targets.stop[t]:
            unconverged += follow(
                sets, targets, t, np.intp(0), i, i + 1, tol, max_iter, model, errors, coef, n_iter,
                gaps,
            )  # fmt: skip
            size = count_nonzero(model.b)
            sizes[t, i] = size
            best = min(best, np.log(max(errors[t, 0, i], tiny)) + cost[t, size])
            if bound + least[t, size] > best:
                targets.stop[t] = i
            i += 1
    return unconverged
