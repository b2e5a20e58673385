"""Active-set method that moves a model from penalty to penalty.

Members with the wrong sign leave and features that violate |r| ≤ l1 v join, until there are none of
either. This is Newton's method for the (semismooth) optimality conditions. From a gradient
extrapolated along λ it settles in one or two rounds. If it does not, or if columns are collinear,
`descend` solves that penalty.
"""

import numpy as np

from ._cholesky import GROUP, remove
from ._compile import inlined, kernel
from ._descent import descend
from ._model import IS_FACTORED, MEMBERS, admit, enlist, factor_anew, solve_members
from ._objective import duality_gap, renew_gradient

# Rounds after which an active set that has not settled is left to `descend`.
MAX_ROUNDS = 25

# Features violate their optimality condition if |r| exceeds l1 v by more than this share of it.
SLACK = 1e-11


@inlined
def extrapolate(r, r_before, step):
    """Move r, in place, by `step` times its last move; store its former value in `r_before`.

    LASSO paths are piecewise linear in λ, so this predicts which features join next.
    """
    for j in range(r.size):
        now = r[j]
        r[j] = now + step * (now - r_before[j])
        r_before[j] = now


@inlined
def count_violations(r, v, limit, is_member):
    """Return the number of features outside the active set that violate their condition."""
    count = 0
    for j in range(r.size):
        count += (abs(r[j]) > limit * v[j]) & (not is_member[j])
    return count


@inlined
def join(G, g, v, l1, l2, model):
    """Add the features that violate their optimality condition to the active set, in place.

    Returns their number, or −1 if one is collinear with the members.
    """
    limit = l1 * (1.0 + SLACK)
    n_joining = count_violations(model.r, v, limit, model.is_member)
    n_new, j = 0, -1
    for left in range(n_joining, 0, -1):
        j += 1
        while not abs(model.r[j]) > limit * v[j] or model.is_member[j]:
            j += 1
        enlist(model, j, v[j] if model.r[j] > 0.0 else -v[j], model.counts[MEMBERS] + n_new)
        n_new += 1
        if n_new == GROUP or left == 1:
            if admit(G, g, v, l2, 0.0, model, n_new) < n_new:
                return -1
            n_new = 0
    return n_joining


@kernel
def leave(model):
    """Remove the members whose coefficients have the wrong sign, in place."""
    for position in range(model.counts[MEMBERS] - 1, -1, -1):
        j = model.members[position]
        if model.sign[j] == 0.0 or model.b[j] * model.sign[j] > 0.0:
            continue
        model.b[j], model.sign[j], model.is_member[j] = 0.0, 0.0, False
        size = model.counts[MEMBERS]
        remove(
            model.factor, model.inverse, model.data, model.signs, size, position,
            model.solution, model.packed,
        )  # fmt: skip
        for later in range(position, size - 1):
            model.members[later] = model.members[later + 1]
        model.counts[MEMBERS] = size - 1


@inlined
def settle(G, g, v, l1, l2, max_rounds, model):
    """Change the active set, in place, until every optimality condition holds.

    Returns
    -------
    n_rounds, is_settled
        Number of rounds, and whether all conditions hold.
    """
    n_rounds, joined = 0, 1
    while n_rounds < max_rounds:
        joined = join(G, g, v, l1, l2, model)
        if joined < 0 or (joined == 0 and n_rounds > 0):
            break
        n_rounds, joined = n_rounds + 1, 1  # the next round finds the features that join then
        while solve_members(l1, model) > 0 and n_rounds < max_rounds:
            leave(model)
            n_rounds += 1
        renew_gradient(G, g, model.b, model.members, model.counts[MEMBERS], model.r)
    return n_rounds, joined == 0


@kernel
def advance(G, g, v, alpha, penalty, step, tol, max_iter, model):
    """Move a model to the next penalty, in place.

    Parameters
    ----------
    G : (p, p), g : (p,)
        Standardized problem.
    v : (p,)
        Penalty factors; infinite for features that may not enter.
    alpha, penalty : float
    step : float
        Distance of the penalty from the last one, in units of the previous move.
    tol, max_iter :
        Duality gap to reach, and maximum number of rounds.
    model : Models
        Views of a single model.

    Returns
    -------
    n_iter, gap
        Number of rounds, and the duality gap; r is g − G b.
    """
    l1, l2 = penalty * alpha, penalty * (1.0 - alpha)
    extrapolate(model.r, model.r_before, step)
    is_factored = model.counts[IS_FACTORED] == 1
    if alpha < 1.0 or not is_factored:  # the ridge part changes the whole factor
        is_factored = factor_anew(G, g, v, l2, 0.0, model)
    n_iter, gap, is_settled = 0, np.inf, False
    if is_factored:
        n_iter, is_settled = settle(G, g, v, l1, l2, min(max_iter, MAX_ROUNDS), model)
    if is_settled:
        feasible = count_violations(model.r, v, l1, model.is_member) == 0
        scale = 1.0 if feasible else 1.0 / (1.0 + SLACK)
        gap = duality_gap(
            g, model.b, model.r, model.members, model.counts[MEMBERS], v, l1, l2, scale
        )
    if gap > tol:
        n_more, gap = descend(G, g, v, l1, l2, tol, max_iter - n_iter, model)
        n_iter += n_more
        factor_anew(G, g, v, l2, 0.0, model)
    return n_iter, gap
