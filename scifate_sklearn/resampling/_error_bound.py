"""Error bounds of stability selection.

Let q be the expected number of links of a target that are selected on half of the cells, p the
number of possible links, and θ = q/p. A *low-probability* link is selected on half of the cells
with a probability of at most θ, i.e. no more often than a link drawn at random. The bounds are on
the expected number of low-probability links with a frequency of at least τ (R. D. Shah, R. J.
Samworth, "Variable selection with error control: another look at stability selection", J. R. Stat.
Soc. B 75, 2013).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Values of the parameter of the extremal distributions, from nearly all mass on zero to nearly
# uniform; the neighbourhood of the best value is searched again this many times.
_SHAPES = np.geomspace(1e-5, 1e6, 600)
_REFINEMENTS, _REFINED = 2, 40


def worst_case_bound(q: Floats, p: Floats, threshold: float) -> Floats:
    """Return q²/(p (2τ − 1)), their Theorem 1, at most q/τ (Markov's inequality).

    It holds for all data and selection rules, with or without exchangeability, if the selection on
    each half depends on that half only. It is proved for the expected q; callers pass an estimate.

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

    It holds if, for each low-probability link and B pairs of halves, the frequency has a
    −1/4-concave distribution, and the share of pairs in which both halves select the link a
    −1/2-concave one. This is an empirical assumption of the authors. The bound is much tighter.
    """
    at_both = smallest_count(2.0 * threshold - 1.0, n_pairs)
    at_all = smallest_count(threshold, 2 * n_pairs)
    # Many targets share the same number of links.
    share, inverse = np.unique(_share(q, p), return_inverse=True)
    both = largest_tails(share**2 * n_pairs, at_both, n_pairs, -0.5)
    all_ = largest_tails(share * 2 * n_pairs, at_all, 2 * n_pairs, -0.25)
    bound = p * np.minimum(both, all_)[inverse]
    return np.minimum(bound, worst_case_bound(q, p, threshold))


def largest_tails(means: Floats, least: int, n: int, r: float) -> Floats:
    """Return the largest P(X ≥ least) over r-concave X on 0, ..., n with at most each mean.

    For r < 0, X is r-concave if its probabilities to the power of r are convex. The extremal X
    (Appendix A.4 of the paper) have probabilities ∝ (a + i)^(1/r) for i ≤ k, and at k + 1 the
    probability that gives the mean, at most as large as the curve there. a is searched for. If
    `least` is below about twice the mean, other distributions may be extremal, and 1 is returned.

    Parameters
    ----------
    means : ndarray of shape (n_means,)
        At most `n`.
    least : int
    n : int
    r : float
        Negative.
    """
    curves = _Curves.from_shapes(_SHAPES, n, r)
    return np.array([_largest_tail(mean, least, n, r, curves) for mean in means])


def _largest_tail(mean: float, least: int, n: int, r: float, curves: _Curves) -> float:
    if mean <= 0.0:
        return float(least <= 0)
    if least < np.ceil(2.0 * mean) + 1:  # other distributions may be extremal
        return 1.0
    best = 0.0
    for _ in range(1 + _REFINEMENTS):
        tails = curves.tails(mean, least)
        i, last = int(tails.argmax()), len(tails) - 1
        best = max(best, float(tails[i]))
        around = curves.shapes[[max(i - 1, 0), min(i + 1, last)]]
        curves = _Curves.from_shapes(np.geomspace(around[0], around[1], _REFINED), n, r)
    return best


@dataclass(frozen=True)
class _Curves:
    """Distributions ∝ (a + i)^(1/r) on 0, ..., k: one row for each a, one column for each k.

    ``total`` is the sum relative to the probability of 0, ``mean`` the mean.
    """

    shapes: Floats
    total: Floats
    mean: Floats

    @classmethod
    def from_shapes(cls, shapes: Floats, n: int, r: float) -> _Curves:
        i = np.arange(n + 1)
        curve = (1.0 + i / shapes[:, None]) ** (1.0 / r)
        total = curve.cumsum(axis=1)
        return cls(shapes, total, (i * curve).cumsum(axis=1) / total)

    def tails(self, mean: float, least: int) -> Floats:
        """Return P(X ≥ least) of the X with this mean, if its curve is long enough."""
        # The mean grows with the length: take the longest curve with at most this mean.
        k = np.count_nonzero(self.mean <= mean, axis=1) - 1
        rows, last = np.arange(len(k)), self.mean.shape[1] - 1
        below = self.total[rows, least - 1] / self.total[rows, k]
        # The remaining probability is at k + 1; a complete curve has none.
        share = np.where(k < last, (k + 1 - mean) / (k + 1 - self.mean[rows, k]), 1.0)
        return np.where(k + 1 >= least, 1.0 - share * below, 0.0)


def _share(q: Floats, p: Floats) -> Floats:
    return np.divide(q, p, out=np.zeros_like(q), where=p > 0)


def smallest_count(share: float, n: int) -> int:
    """Return the smallest count out of n that is at least this share, up to rounding."""
    return int(np.ceil(share * n - 1e-9))
