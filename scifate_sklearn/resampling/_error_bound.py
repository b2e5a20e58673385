"""Bounds on the links that stability selection keeps although they are rarely selected.

A *low-probability* link of a target is one that half of the cells select with a probability of at
most θ. Let q be the expected number of links that half of the cells select, out of p that they
could, and θ = q/p: what is selected no more often than links drawn at random would be. R. D. Shah
and R. J. Samworth, "Variable selection with error control: another look at stability selection",
J. R. Stat. Soc. B 75, 2013, bound the expected number of these with a frequency of at least τ.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Values of the one parameter that the extremal distributions have, from nearly all mass on zero
# to nearly uniform, and how often the neighbourhood of the best is searched again.
_SHAPES = np.geomspace(1e-5, 1e6, 1500)
_REFINEMENTS = 3


def worst_case_bound(q: Floats, p: Floats, threshold: float) -> Floats:
    """Return q²/(p (2τ − 1)), their Theorem 1, at most q/τ (Markov's inequality).

    Holds whatever the data and the selection, with or without exchangeability.

    Parameters
    ----------
    q, p : ndarray of shape (n_targets,)
        Expected number of links selected on half of the cells, and number of possible links.
    threshold : float in (0.5, 1]
        τ.
    """
    share = _share(q, p)
    return np.minimum(share * q / (2.0 * threshold - 1.0), q / threshold)


def r_concave_bound(q: Floats, p: Floats, threshold: float, n_pairs: int) -> Floats:
    """Return p min{D(θ², 2τ − 1, B, −1/2), D(θ, τ, 2B, −1/4)}, their equation (8).

    Holds if the frequencies over B pairs of halves of each low-probability link have −1/4-concave
    distributions, and the shares of pairs of which both halves select it −1/2-concave ones. That is
    not proved but what they found in practice, and much tighter.
    """
    bound = np.empty(len(q))
    at_both = _smallest_count(2.0 * threshold - 1.0, n_pairs)
    at_all = _smallest_count(threshold, 2 * n_pairs)
    for t, share in enumerate(_share(q, p)):
        tails = (
            largest_tail(share**2 * n_pairs, at_both, n_pairs, -0.5),
            largest_tail(share * 2 * n_pairs, at_all, 2 * n_pairs, -0.25),
        )
        bound[t] = p[t] * min(tails)
    return np.minimum(bound, worst_case_bound(q, p, threshold))


def largest_tail(mean: float, least: int, n: int, r: float) -> float:
    """Return the largest P(X ≥ least) of r-concave X on 0, ..., n with a mean of at most `mean`.

    For r < 0, X is r-concave if the probabilities to the power of r are convex. The extremal X (the
    paper's Appendix A.4) have probabilities ∝ (a + i)^(1/r) for i ≤ k, and at k + 1 what is needed
    for the mean, at most as much as the curve; a is searched for.

    Parameters
    ----------
    mean : float
    least : int
    n : int
    r : float
        Negative.
    """
    if mean <= 0.0:
        return float(least <= 0)
    if least <= mean:
        return 1.0
    shapes, best = _SHAPES, 0.0
    for _ in range(1 + _REFINEMENTS):
        tails = _tails(shapes, mean, least, n, r)
        i = int(tails.argmax())
        best = max(best, float(tails[i]))
        shapes = np.geomspace(shapes[max(i - 1, 0)], shapes[min(i + 1, len(shapes) - 1)], 100)
    return best


def _tails(shapes: Floats, mean: float, least: int, n: int, r: float) -> Floats:
    """Return P(X ≥ least) for each value of a; 0 where no k gives the mean."""
    i = np.arange(n + 1)
    # Relative to the mass at 0, so that nothing overflows.
    mass = (1.0 + i / shapes[:, None]) ** (1.0 / r)
    total, first = mass.cumsum(axis=1), (i * mass).cumsum(axis=1)
    # The longest curve of at most this mean; the mean grows with its length.
    k = np.count_nonzero(first <= mean * total, axis=1) - 1
    rows = np.arange(len(shapes))
    below = total[rows, np.minimum(k, least - 1)]
    room = (k + 1) * total[rows, k] - first[rows, k]
    # On n already, all mass is on the curve, whose mean is at most the one allowed.
    inside = (k + 1 - mean) * below / room
    outside = below / total[rows, k]
    return np.where(k < n, 1.0 - inside, 1.0 - outside)


def _share(q: Floats, p: Floats) -> Floats:
    return np.divide(q, p, out=np.zeros_like(q), where=p > 0)


def _smallest_count(share: float, n: int) -> int:
    """Return how many of n are at least this share, but for rounding."""
    return int(np.ceil(share * n - 1e-9))
