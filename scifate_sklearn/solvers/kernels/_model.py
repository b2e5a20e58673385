"""Model of one training set: its coefficients, its active set and the factor of the latter.

With l1 = λ α and l2 = λ (1 − α), the members A of the active set have signs s, and their
coefficients solve

    (G_AA + l2 diag v) b = g_A − l1 v∘s                                                        (2)

by a Cholesky factor L that members join and leave. L⁻¹g_A and L⁻¹(v∘s) are stored with it, so that
a new penalty costs one back-substitution.
"""

from collections import namedtuple

import numpy as np

from ._cholesky import GROUP, append, back_substitute
from ._compile import inlined, kernel
from ._rows import padded, triangle_start

# The models of several training sets; `model_of` returns views of a single one.
#
# b, r : coefficients, and g − G b; r_before : r one penalty earlier.
# sign : v∘s of the members of the active set, 0 elsewhere.
# is_member, members : the active set, and its order in `factor`.
# is_ever, ever : the features that have been members, in the order in which they joined.
# counts : number of members, whether they are factored, number of features that have been members,
#     and the number of these for which `held` is known.
# factor, inverse, data, signs : L as a triangle, its inverse pivots, L⁻¹g_A and L⁻¹(v∘s).
# held : Gram matrix of the held-out cells as a triangle, see `held_out_error`.
# rows, products, solution, packed, work, candidates, is_in_work : scratch that all models share.
Models = namedtuple(
    "Models",
    "b r r_before sign is_member members is_ever ever counts factor inverse data signs held "
    "rows products solution packed work candidates is_in_work",
)

MEMBERS, IS_FACTORED, EVER, KNOWN = range(4)


def new_models(n: int, p: int) -> Models:
    """Return uninitialized memory for n models of p features; `clear` initializes it."""
    size = p + GROUP
    width, triangle = padded(size), triangle_start(size)
    return Models(
        b=np.empty((n, p)),
        r=np.empty((n, p)),
        r_before=np.empty((n, p)),
        sign=np.empty((n, p)),
        is_member=np.empty((n, p), np.bool_),
        members=np.empty((n, size), np.intp),
        is_ever=np.empty((n, p), np.bool_),
        ever=np.empty((n, p), np.intp),
        counts=np.empty((n, 4), np.intp),
        factor=np.empty((n, triangle)),
        inverse=np.empty((n, width)),
        data=np.empty((n, width)),
        signs=np.empty((n, width)),
        held=np.empty((n, triangle)),
        rows=np.empty((GROUP, p)),
        products=np.empty((GROUP, GROUP + 2)),
        solution=np.empty(width),
        packed=np.empty(width),
        work=np.empty(p, np.intp),
        candidates=np.empty(p, np.intp),
        is_in_work=np.empty(p, np.bool_),
    )


@inlined
def model_of(models, k):
    """Return views of one of several models."""
    return Models(
        models.b[k],
        models.r[k],
        models.r_before[k],
        models.sign[k],
        models.is_member[k],
        models.members[k],
        models.is_ever[k],
        models.ever[k],
        models.counts[k],
        models.factor[k],
        models.inverse[k],
        models.data[k],
        models.signs[k],
        models.held[k],
        models.rows,
        models.products,
        models.solution,
        models.packed,
        models.work,
        models.candidates,
        models.is_in_work,
    )


@inlined
def clear(model, g):
    """Set all coefficients to 0, in place."""
    for j in range(g.size):
        model.b[j], model.sign[j] = 0.0, 0.0
        model.r[j], model.r_before[j] = g[j], g[j]
        model.is_member[j], model.is_ever[j] = False, False
    model.counts[MEMBERS], model.counts[IS_FACTORED] = 0, 1
    model.counts[EVER], model.counts[KNOWN] = 0, 0


@inlined
def admit(G, right, v, l2, share, model, n_new):
    """Factor the `n_new` features listed after the members; return the number of new members."""
    size = model.counts[MEMBERS]
    taken = append(
        G, v, l2, share, model.members, size, n_new, right, model.sign,
        model.factor, model.inverse, model.data, model.signs, model.rows, model.products,
    )  # fmt: skip
    model.counts[MEMBERS] = size + taken
    return taken


@inlined
def enlist(model, j, sign, position):
    """List feature j as the member at a position of the factor, which is computed later."""
    model.is_member[j], model.sign[j], model.members[position] = True, sign, j
    if not model.is_ever[j]:
        model.is_ever[j] = True
        model.ever[model.counts[EVER]] = j
        model.counts[EVER] += 1


@kernel
def factor_anew(G, right, v, l2, share, model):
    """Make the non-zero coefficients the active set, in place; return whether it is regular.

    `right` (p,) is the right-hand side that `data` is computed from. If columns are collinear, all
    are members but not factored.
    """
    size = np.intp(0)
    for j in range(model.b.size):
        model.is_member[j], model.sign[j] = False, 0.0
        if model.b[j] != 0.0:
            enlist(model, j, v[j] if model.b[j] > 0.0 else -v[j], size)
            size += 1
    model.counts[MEMBERS], model.counts[IS_FACTORED] = 0, 1
    for start in range(0, size, GROUP):
        n_new = min(GROUP, size - start)
        if admit(G, right, v, l2, share, model, n_new) < n_new:
            model.counts[MEMBERS], model.counts[IS_FACTORED] = size, 0
            return False
    return True


@inlined
def solve_members(l1, model):
    """Solve (2) for the coefficients of the active set, in place.

    Returns the number of coefficients with the wrong sign.
    """
    size = model.counts[MEMBERS]
    for i in range(size):
        model.solution[i] = model.data[i] - l1 * model.signs[i]
    back_substitute(model.factor, model.inverse, size, model.solution)
    n_wrong = 0
    for i in range(size):
        j, value = model.members[i], model.solution[i]
        model.b[j] = value
        n_wrong += (model.sign[j] != 0.0) & (value * model.sign[j] <= 0.0)
    return n_wrong
