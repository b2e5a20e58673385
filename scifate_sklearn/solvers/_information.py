"""Selection of penalties by information criteria, from the fit to all samples alone.

With n samples, the mean squared error e of a model with k coefficients out of m candidates, the
criteria are n log e plus

* AIC: 2 k (Akaike 1974),
* BIC: k log n (Schwarz 1978),
* EBIC: k log n + 2 log C(m, k) (Chen & Chen 2008, with γ = 1).

k is the number of non-zero coefficients, an unbiased estimate of the degrees of freedom of the
LASSO (Zou, Hastie & Tibshirani 2007).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from ._problem import Floats, TargetBlock

CRITERIA = ("aic", "bic", "ebic")


def criterion_cost(rule: str, block: TargetBlock, n: float, n_features: int) -> Floats:
    """Return the cost (n_block, n_features + 1) of k coefficients, relative to n log e.

    Parameters
    ----------
    rule : {"aic", "bic", "ebic"}
    block : TargetBlock
    n : float
        Number of samples.
    n_features : int
    """
    k = np.arange(n_features + 1.0)
    cost = np.tile(k * (2.0 if rule == "aic" else np.log(n)), (len(block), 1))
    if rule == "ebic":
        m = np.maximum(block.n_candidates[:, None], k)
        cost += 2.0 * (gammaln(m + 1.0) - gammaln(k + 1.0) - gammaln(m - k + 1.0))
    cost /= n
    return cost


def best_by_criterion(errors: Floats, sizes: NDArray[np.intp], cost: Floats) -> NDArray[np.intp]:
    """Return the position of the lowest criterion on each grid; −1 where no error is known."""
    criterion = np.log(np.maximum(errors, np.finfo(float).tiny))
    criterion += np.take_along_axis(cost, sizes, axis=1)
    criterion[np.isnan(errors)] = np.inf
    best = criterion.argmin(axis=1)
    return np.where(np.isfinite(criterion).any(axis=1), best, -1)
