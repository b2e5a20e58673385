"""Fisher's exact test and corrections for multiple tests, equal to R's.

Each 2×2 table is R's ``matrix(c(a, b, c, d), 2)``::

              peak   no peak
    link        a       b
    no link     c       d

(R fills columns first; the test does not change when a table is transposed.)
"""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import false_discovery_control

Alternative = Literal["two-sided", "greater", "less"]
Correction = Literal["holm", "fdr_bh", "fdr_by"]

ALTERNATIVES = ("two-sided", "greater", "less")
CORRECTIONS = ("holm", "fdr_bh", "fdr_by")
_SCIPY_METHODS: dict[str, Literal["bh", "by"]] = {"fdr_bh": "bh", "fdr_by": "by"}

# Tables are as unlikely as the observed one up to this factor (R's fisher.test, relErr).
R_TIE_TOLERANCE = 1 + 1e-7


def fisher_exact(
    a: ArrayLike,
    b: ArrayLike,
    c: ArrayLike,
    d: ArrayLike,
    alternative: Alternative = "two-sided",
) -> NDArray[np.float64]:
    """Return p-values of Fisher's exact test, as R's ``fisher.test``.

    With the margins fixed, a is hypergeometric. ``"two-sided"`` sums the probabilities of all
    tables that are no more likely than the observed one (times 1 + 1e-7, R's rule for ties),
    ``"greater"`` those with at least a, ``"less"`` those with at most a.

    Parameters
    ----------
    a, b, c, d : array-like of int
        Counts, of shapes that broadcast together.
    alternative : {"two-sided", "greater", "less"}
        ``"greater"`` means an odds ratio above 1.

    Returns
    -------
    ndarray of float64, of the broadcast shape
        p-values; 1 if a margin is empty, 0 (as in R) if p is below about 1e-308.

    Raises
    ------
    ValueError
        If a count is negative, not whole or not finite, or `alternative` is unknown.

    Notes
    -----
    Relative to the mode every probability is a running product of the ratios
    P(x + 1) / P(x) = (m − x)(k − x) / ((x + 1)(n − k + x + 1)), in R's names: m = a + c, n = b + d,
    k = a + b. The ratios are exact quotients of whole numbers, so the relative error grows only
    with the number of factors (at most 2e-11 after 1e5 of them). Differences of ``lgamma`` are far
    less accurate, because large terms cancel.
    """
    if alternative not in ALTERNATIVES:
        raise ValueError(f"`alternative` must be one of {ALTERNATIVES}, got {alternative!r}.")
    tables = _as_tables(a, b, c, d)
    rows = tables.reshape(-1, 4).tolist()
    pvalues = [_one_pvalue(*row, alternative=alternative) for row in rows]
    return np.array(pvalues, dtype=np.float64).reshape(tables.shape[:-1])


def _as_tables(*counts: ArrayLike) -> NDArray[np.int64]:
    """Stack the four counts along a last axis, as whole numbers."""
    stacked = np.stack(np.broadcast_arrays(*counts), axis=-1)
    with np.errstate(invalid="ignore"):
        whole = stacked.astype(np.int64)
    if (whole != stacked).any() or (whole < 0).any():
        wrong = stacked[(whole != stacked) | (whole < 0)]
        raise ValueError(f"Counts must be whole numbers ≥ 0, got {wrong[0]!s}.")
    return whole


def _one_pvalue(a: int, b: int, c: int, d: int, *, alternative: Alternative) -> float:
    smallest = max(0, a - d)
    weights = _relative_pmf(a + c, b + d, a + b)
    observed = a - smallest
    if alternative == "greater":
        extreme = weights[observed:]
    elif alternative == "less":
        extreme = weights[: observed + 1]
    else:
        extreme = weights[weights <= weights[observed] * R_TIE_TOLERANCE]
    # Over the complete support the quotient is 1 up to rounding in the last place.
    return min(1.0, float(extreme.sum() / weights.sum()))


def _relative_pmf(m: int, n: int, k: int) -> NDArray[np.float64]:
    """P(x) / P(mode) over the support max(0, k − n) … min(m, k) of the hypergeometric law."""
    low, high = max(0, k - n), min(m, k)
    mode = min(max((m + 1) * (k + 1) // (m + n + 2), low), high)
    up = np.arange(mode, high, dtype=np.float64)
    down = np.arange(mode, low, -1, dtype=np.float64)
    rising = (m - up) * (k - up) / ((up + 1) * (n - k + up + 1))
    falling = down * (n - k + down) / ((m - down + 1) * (k - down + 1))
    return np.concatenate([np.cumprod(falling)[::-1], [1.0], np.cumprod(rising)])


def odds_ratio(a: ArrayLike, b: ArrayLike, c: ArrayLike, d: ArrayLike) -> NDArray[np.float64]:
    """Return sample odds ratios a·d / (b·c).

    This is the unconditional estimate, as scipy's and dynamo's; R's ``fisher.test`` reports the
    conditional maximum likelihood estimate instead, which is slightly closer to 1.

    Parameters
    ----------
    a, b, c, d : array-like of int
        Counts, of shapes that broadcast together.

    Returns
    -------
    ndarray of float64, of the broadcast shape
        0 if only a·d is zero, inf if only b·c is zero, nan if both are (an empty margin).
    """
    a, b, c, d = (np.asarray(count, dtype=np.float64) for count in (a, b, c, d))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(a * d / (b * c), dtype=np.float64)


def haldane_log_odds_ratio(a: float, b: float, c: float, d: float) -> float:
    """Return the log odds ratio with 0.5 added to each count, finite for every table.

    References
    ----------
    Haldane, J. B. S. (1956). The estimation and significance of the logarithm of a ratio of
    frequencies. Annals of Human Genetics 20, 309–311.
    """
    return float(np.log(a + 0.5) + np.log(d + 0.5) - np.log(b + 0.5) - np.log(c + 0.5))


def adjust_pvalues(p: ArrayLike, method: Correction = "holm") -> NDArray[np.float64]:
    """Correct p-values for their number, as R's ``p.adjust``.

    With p₍₁₎ ≤ … ≤ p₍ₙ₎: ``"holm"`` is max over j ≤ i of (n + 1 − j)·p₍ⱼ₎ (family-wise error rate),
    ``"fdr_bh"`` is min over j ≥ i of n/j·p₍ⱼ₎ (false discovery rate, Benjamini–Hochberg), and
    ``"fdr_by"`` is that times 1 + 1/2 + … + 1/n (Benjamini–Yekutieli, for dependent tests), all at
    most 1.

    Parameters
    ----------
    p : array-like of shape (n,)
        p-values.
    method : {"holm", "fdr_bh", "fdr_by"}
        The correction.

    Returns
    -------
    ndarray of shape (n,)
        Adjusted p-values, in the order of `p`.

    Raises
    ------
    ValueError
        If `method` is unknown, `p` is not one-dimensional or a value is outside [0, 1] or NaN.
    """
    p = np.asarray(p, dtype=np.float64)
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise ValueError("`p` must be one-dimensional with values from 0 to 1, without NaN.")
    if method == "holm":
        return _holm(p)
    if method not in _SCIPY_METHODS:
        raise ValueError(f"`method` must be one of {CORRECTIONS}, got {method!r}.")
    if not len(p):
        return p.copy()
    return np.asarray(false_discovery_control(p, method=_SCIPY_METHODS[method]))


def _holm(p: NDArray[np.float64]) -> NDArray[np.float64]:
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.maximum.accumulate(np.arange(len(p), 0, -1) * p[order])
    return np.minimum(adjusted, 1.0)
