"""q-values and the FDR curve from the links of permuted cells."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def count_at_least(sizes: Floats, thresholds: Floats) -> NDArray[np.intp]:
    """Return the number of `sizes` that are at least each threshold."""
    return len(sizes) - np.searchsorted(np.sort(sizes), thresholds, side="left")


def empirical_q(observed: Floats, null: Floats, n_permutations: int) -> Floats:
    """Return min over t' ≤ t of (1 + #{null ≥ t'}) / (B #{observed ≥ t'}), 1 at most, at each t.

    Parameters
    ----------
    observed : ndarray of shape (n_links,)
        Sizes of the links.
    null : ndarray of shape (n_null,)
        Sizes of the links of all permutations together.
    n_permutations : int
        B.
    """
    if len(observed) == 0:
        return np.empty(0)
    thresholds, inverse = np.unique(observed, return_inverse=True)
    n_null, n_observed = (count_at_least(sizes, thresholds) for sizes in (null, observed))
    rate = (1.0 + n_null) / (n_permutations * n_observed)
    # The minimum runs over smaller thresholds: a link is kept together with all larger ones.
    q: Floats = np.minimum(np.minimum.accumulate(rate), 1.0)[inverse]
    return q


def fdr_curve(observed: Floats, null: Floats, n_permutations: int) -> pd.DataFrame:
    """Return the numbers of links and of null links at each threshold that changes them."""
    thresholds = np.unique(observed)
    control = count_at_least(null, thresholds) / n_permutations
    real = count_at_least(observed, thresholds)
    return pd.DataFrame(
        {
            "threshold": thresholds,
            "control_number": control,
            "real_number": real,
            "FDR": control / real,
        }
    )
