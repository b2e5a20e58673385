"""What a ranking is worth, from how many candidates and edges share each score."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Tally(NamedTuple):
    """Candidates and edges per distinct score, the highest first: ties are one entry.

    Attributes
    ----------
    n, hits : ndarray of shape (n_scores,)
        How many candidates have the score, and how many of these are edges.
    """

    n: NDArray[np.int64]
    hits: NDArray[np.int64]

    @classmethod
    def of(cls, values: NDArray[np.float64], is_edge: NDArray[np.bool_]) -> "Tally":
        """Count scores ≥ 0; of a large network most are 0, and these need no sorting."""
        is_scored = values > 0
        _, level, n = np.unique(values[is_scored], return_inverse=True, return_counts=True)
        hits = np.bincount(level[is_edge[is_scored]], minlength=len(n))
        n_rest, hits_rest = np.count_nonzero(~is_scored), np.count_nonzero(is_edge & ~is_scored)
        if n_rest:
            n, hits = np.append(n_rest, n), np.append(hits_rest, hits)
        return cls(n[::-1].astype(np.int64), hits[::-1].astype(np.int64))


def average_precision(tally: Tally) -> float:
    """Return the area under the precision-recall curve, Σ (R_s − R_{s−1}) P_s."""
    precision = np.cumsum(tally.hits) / np.cumsum(tally.n)
    return float((tally.hits * precision).sum() / tally.hits.sum())


def roc_auc(tally: Tally) -> float:
    """Return the probability that an edge ranks above another pair, ties counted half."""
    others = tally.n - tally.hits
    below = others.sum() - np.cumsum(others)
    return float((tally.hits * (below + others / 2)).sum() / (tally.hits.sum() * others.sum()))


def early_precision(tally: Tally) -> float:
    """Return the expected share of edges among the first as many candidates as there are edges."""
    n_first = tally.hits.sum()
    n_until, hits_until = np.cumsum(tally.n), np.cumsum(tally.hits)
    at = int(np.searchsorted(n_until, n_first))  # where the last of them is, perhaps in a tie
    n_left = n_first - (n_until[at] - tally.n[at])
    hits_above = hits_until[at] - tally.hits[at]
    return float((hits_above + n_left * tally.hits[at] / tally.n[at]) / n_first)
