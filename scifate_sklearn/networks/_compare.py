"""Agreement of two networks."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.stats
from numpy.typing import NDArray

from ..links import links_by_pair

CONFIDENCE = 0.95
# R's cor.test requires three pairs for a correlation and four for its interval.
FEWEST_PAIRS, FEWEST_FOR_INTERVAL = 3, 4


@dataclass(frozen=True)
class LinkComparison:
    """Result of `compare_links`; ``pandas.Series(vars(...))`` shows it as a column.

    Attributes
    ----------
    n_a, n_b, n_common : int
        Links of either network, and of both.
    jaccard : float
        Common links over the links of either or both.
    share_a, share_b : float
        Common links over the links of `a`, and of `b`.
    sign_agreement : float
        Share of the common links with the same sign in both networks.
    pearson, pearson_p : float
        Correlation of the coefficients of the common links, and the two-sided p-value of Student's
        t, as R's ``cor.test``.
    pearson_ci : (float, float)
        95 % confidence interval of ``pearson`` by Fisher's z, as R's ``cor.test``.
    spearman : float
        Rank correlation of the same coefficients.
    """

    n_a: int
    n_b: int
    n_common: int
    jaccard: float
    share_a: float
    share_b: float
    sign_agreement: float
    pearson: float
    pearson_p: float
    pearson_ci: tuple[float, float]
    spearman: float


def compare_links(a: pd.DataFrame, b: pd.DataFrame) -> LinkComparison:
    """Compare two networks: their common links, and the coefficients of these.

    Parameters
    ----------
    a, b : DataFrame
        Links tables, with at least ``TF``, ``target`` and ``coef``. Rows that repeat a link with
        the same numbers, as tables with one row per kind of evidence do, count once.

    Returns
    -------
    LinkComparison
        NaN for values that are not defined: shares of an empty network, correlations of fewer than
        three common links or of constant coefficients, the interval of fewer than four.

    Raises
    ------
    TypeError, ValueError
        If `a` or `b` is not a links table, or repeats a pair with different numbers.

    Notes
    -----
    The links are a sample of the pairs that passed a threshold in both networks, so the
    correlation describes the links found twice, not the agreement of all coefficients.

    Examples
    --------
    >>> import pandas as pd
    >>> a = pd.DataFrame({"TF": ["MYC", "MYC"], "target": ["NCL", "CDK4"], "coef": [0.2, 0.1]})
    >>> b = pd.DataFrame({"TF": ["MYC", "E2F1"], "target": ["NCL", "CDK4"], "coef": [0.3, 0.1]})
    >>> result = compare_links(a, b)
    >>> result.n_common, round(result.jaccard, 3), result.sign_agreement
    (1, 0.333, 1.0)
    """
    ours = links_by_pair(a, "compare_links (a)")["coef"]
    theirs = links_by_pair(b, "compare_links (b)")["coef"]
    # Sorted, so that the last digits do not depend on the order of the rows.
    common = ours.index.intersection(theirs.index).sort_values()
    x, y = ours.loc[common].to_numpy(), theirs.loc[common].to_numpy()
    pearson, p, interval = _pearson(x, y)
    return LinkComparison(
        n_a=len(ours),
        n_b=len(theirs),
        n_common=len(common),
        jaccard=_ratio(len(common), len(ours) + len(theirs) - len(common)),
        share_a=_ratio(len(common), len(ours)),
        share_b=_ratio(len(common), len(theirs)),
        sign_agreement=_ratio(int(np.count_nonzero(np.sign(x) == np.sign(y))), len(common)),
        pearson=pearson,
        pearson_p=p,
        pearson_ci=interval,
        spearman=_pearson(scipy.stats.rankdata(x), scipy.stats.rankdata(y))[0],
    )


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else np.nan


def _pearson(
    x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[float, float, tuple[float, float]]:
    """Return r, its p and its confidence interval."""
    nothing = (np.nan, np.nan)
    if len(x) < FEWEST_PAIRS or np.ptp(x) == 0 or np.ptp(y) == 0:
        return np.nan, np.nan, nothing
    test = scipy.stats.pearsonr(x, y)
    if len(x) < FEWEST_FOR_INTERVAL:
        return float(test.statistic), float(test.pvalue), nothing
    low, high = test.confidence_interval(CONFIDENCE)
    return float(test.statistic), float(test.pvalue), (float(low), float(high))
