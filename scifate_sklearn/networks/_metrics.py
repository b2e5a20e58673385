"""Metrics of a ranking, from the number of candidates and edges that share each score."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score


class Tally(NamedTuple):
    """Candidates and edges per distinct score, the highest first: ties are one entry.

    Attributes
    ----------
    n, hits : ndarray of shape (n_scores,)
        Number of candidates with the score, and number of edges among them.
    """

    n: NDArray[np.int64]
    hits: NDArray[np.int64]

    @classmethod
    def from_scores(cls, values: NDArray[np.float64], is_edge: NDArray[np.bool_]) -> "Tally":
        """Count scores ≥ 0."""
        return Ranked.from_scores(values, is_edge).tally()


@dataclass(frozen=True, eq=False)
class Ranked:
    """Candidates by the rank of their score, to be counted with several weights.

    Attributes
    ----------
    level : ndarray of int of shape (n_candidates,)
        Rank of the score among the distinct ones, from 1 for the lowest positive one; 0 for 0.
    is_edge : ndarray of bool of shape (n_candidates,)
    """

    level: NDArray[np.intp]
    is_edge: NDArray[np.bool_]

    @classmethod
    def from_scores(cls, values: NDArray[np.float64], is_edge: NDArray[np.bool_]) -> "Ranked":
        """Rank scores ≥ 0; those equal to 0, most of a large network, are not sorted."""
        level = np.zeros(len(values), np.intp)
        is_scored = values > 0
        level[is_scored] = np.unique(values[is_scored], return_inverse=True)[1] + 1
        return cls(level, is_edge)

    def tally(self, weight: NDArray[np.int64] | None = None) -> Tally:
        """Count the candidates; with `weight` (n_candidates,), as often as it says."""
        n_levels = int(self.level.max(initial=0)) + 1
        of_edges = None if weight is None else weight[self.is_edge]
        n = np.bincount(self.level, weight, n_levels)
        hits = np.bincount(self.level[self.is_edge], of_edges, n_levels)
        found = np.flatnonzero(n)[::-1]
        return Tally(n[found].astype(np.int64), hits[found].astype(np.int64))


def average_precision(tally: Tally) -> float:
    """Return the area under the precision-recall curve, Σ (R_s − R_{s−1}) P_s."""
    return float(average_precision_score(**_weighted(tally)))


def roc_auc(tally: Tally) -> float:
    """Return the probability that an edge ranks above another pair, ties counted half."""
    return float(roc_auc_score(**_weighted(tally)))


def _weighted(tally: Tally) -> dict[str, NDArray[Any]]:
    """Return one entry for the edges and one for the other pairs of each score, with their number.

    Candidates without a score, which can be millions, are a single tie.
    """
    n_scores = len(tally.n)
    return {
        "y_true": np.repeat([True, False], n_scores),
        "y_score": np.tile(np.arange(n_scores, 0, -1), 2),
        "sample_weight": np.concatenate([tally.hits, tally.n - tally.hits]).astype(np.float64),
    }


def early_precision(tally: Tally) -> float:
    """Return the expected share of edges among the first ``n_edges`` candidates."""
    n_first = tally.hits.sum()
    n_until, hits_until = np.cumsum(tally.n), np.cumsum(tally.hits)
    at = int(np.searchsorted(n_until, n_first))  # position of the last of them, possibly in a tie
    n_left = n_first - (n_until[at] - tally.n[at])
    hits_above = hits_until[at] - tally.hits[at]
    return float((hits_above + n_left * tally.hits[at] / tally.n[at]) / n_first)
