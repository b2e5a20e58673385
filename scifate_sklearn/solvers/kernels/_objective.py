"""Gradient and duality gap of the objective."""

import numpy as np

from ._compile import entry_point, kernel
from ._rows import subtract_eight_rows, subtract_row

# glmnet's "infinite" first penalty, at which only unpenalized coefficients are not 0.
EMPTY_MODEL_PENALTY = 9.9e35


@kernel
def renew_gradient(G, g, b, members, size, r):
    """Compute r ← g − G b in place; only the first `size` of the `members` of b are not 0."""
    for j in range(r.size):
        r[j] = g[j]
    done = 0
    while done + 8 <= size:
        i, j, k, m = members[done], members[done + 1], members[done + 2], members[done + 3]
        s, t, u, w = members[done + 4], members[done + 5], members[done + 6], members[done + 7]
        rows = G[i], G[j], G[k], G[m], G[s], G[t], G[u], G[w]
        subtract_eight_rows(r, rows, (b[i], b[j], b[k], b[m], b[s], b[t], b[u], b[w]), r.size)
        done += 8
    while done < size:
        j = members[done]
        subtract_row(r, G[j], b[j], r.size)
        done += 1


@kernel
def duality_gap(g, b, r, members, size, v, l1, l2, scale):
    """Return an upper bound on the excess of (1) over its minimum.

    Features that are not among the first `size` of the `members` must be 0 and optimal:
    |r| ≤ l1 v up to 1/scale.

    The ridge part is absorbed into the data (Zou & Hastie, J. R. Stat. Soc. B 67, 2005, lemma 1),
    so that r̃ⱼ = rⱼ − l2 vⱼ bⱼ and ‖R̃‖² = ‖y − Xb‖²/n + l2 Σ vⱼ bⱼ² are gradient and residual of a
    LASSO. With the dual point s·R̃, s ≤ 1 the largest feasible scaling,

        gap = ½ ‖R̃‖² (1 − s)² + Σⱼ (l1 vⱼ |bⱼ| − s bⱼ r̃ⱼ).

    No large terms cancel, so gaps far below the rounding error of (1) are meaningful. Coordinates
    without an l1 part constrain the dual to r̃ⱼ = 0 and are bounded directly: by r̃ⱼ²/(2 l2 vⱼ) if
    they have a ridge part, else by confining them to |b| ≤ 1 + 2|bⱼ|.
    """
    residual = 1.0
    for a in range(size):
        j = members[a]
        reduced = r[j] - l2 * v[j] * b[j]
        residual += b[j] * (l2 * v[j] * b[j] - g[j] - r[j])
        if l1 * v[j] > 0.0 and abs(reduced) * scale > l1 * v[j]:
            scale = l1 * v[j] / abs(reduced)
    gap = 0.5 * max(residual, 0.0) * (1.0 - scale) ** 2
    for a in range(size):
        j = members[a]
        reduced = r[j] - l2 * v[j] * b[j]
        if l1 * v[j] > 0.0:
            gap += l1 * v[j] * abs(b[j]) - scale * b[j] * reduced
        elif l2 * v[j] > 0.0:
            gap += 0.5 * reduced * reduced / (l2 * v[j])
        else:
            gap += (1.0 + 2.0 * abs(b[j])) * abs(scale * reduced) - scale * b[j] * reduced
    return max(gap, 0.0)


@entry_point
def duality_gap_of(g, b, r, members, v, l1, l2):
    """Return the `duality_gap` of a model from another solver."""
    return duality_gap(g, b, r, members, members.size, v, l1, l2, 1.0)


@kernel
def smallest_empty_penalty(r, v):
    """Return the smallest penalty that keeps every penalized coefficient at 0."""
    largest = 0.0
    for j in range(r.size):
        if v[j] > 0.0:
            largest = max(largest, abs(r[j]) / v[j])
    return largest


@kernel
def empty_model_penalty(g, v, alpha, unit):
    """Return the smallest penalty with an empty model, inf if there is none.

    The penalty is on the target's scale, `unit` times that of standardized coordinates. The unit 0
    marks a constant target, whose model is always empty.
    """
    if unit == 0.0:
        return 0.0
    if alpha == 0.0:
        return np.inf
    for j in range(v.size):
        if v[j] == 0.0:
            return np.inf
    return smallest_empty_penalty(g, v) / alpha * unit
