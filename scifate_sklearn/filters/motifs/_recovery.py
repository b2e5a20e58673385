"""Recovery of targets by motifs, on arrays: AUC, NES and leading edge.

`ranks` holds the ranks, from 0, of a TF's targets (rows) under all motifs (columns). All counts are
integers, so that results do not depend on the order of motifs and targets.

Sources: Imrichová et al. 2015 (i-cisTarget), Aibar et al. 2017 (RcisTarget).
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Ranks = NDArray[np.integer[Any]]

# Number of ranks per block that fits into the processor's cache.
_BLOCK = 1 << 18

# Largest relative error of a bound that is taken for rounding.
_ROUNDING = 1e-12


def recovered_areas(ranks: Ranks, sizes: Sequence[int], n_top: int) -> Counts:
    """Return the areas under the recovery curves of nested sets of targets.

    With r₁ < … < r_m the ranks below T and r_{m+1} = T, the area Σ i·(r_{i+1} − r_i) is
    Σ (T − r_i), which requires no sorting.

    Parameters
    ----------
    ranks : ndarray of int of shape (n_targets, n_motifs)
        Ranks of the targets. A set of size k consists of the first k targets.
    sizes : sequence of int of length n_sets
        Sizes of the sets, in any order.
    n_top : int
        T, the number of top ranks that are counted.

    Returns
    -------
    ndarray of shape (n_sets, n_motifs)
        Areas, in ranks × targets; divided by T·|set| they are the AUC.
    """
    n_targets, n_motifs = ranks.shape
    bounds = sorted({0, n_targets, *sizes})
    # T may exceed the largest value of the type; then all ranks are below T.
    capped = np.minimum(ranks, min(n_top, np.iinfo(ranks.dtype).max))
    areas = {0: np.zeros(n_motifs, dtype=np.int64)}
    for start, stop in pairwise(bounds):
        missed = capped[start:stop].sum(axis=0, dtype=np.int64)
        areas[stop] = areas[start] + (n_top * (stop - start) - missed)
    return np.array([areas[size] for size in sizes], dtype=np.int64).reshape(len(sizes), n_motifs)


def normalized_scores(areas: Counts) -> Floats:
    """Return the normalized enrichment scores (NES): (AUC − mean) / sd over the motifs, ddof 1.

    Parameters
    ----------
    areas : ndarray of int of shape (n_motifs,)
        Areas under the recovery curves; their unit cancels.

    Returns
    -------
    ndarray of shape (n_motifs,)
        NaN if all areas are the same.
    """
    n_motifs = len(areas)
    deviations = areas.astype(np.float64) - int(areas.sum()) / n_motifs
    # `fsum` rounds once, so the sum does not depend on the order.
    variance = math.fsum(deviations * deviations) / (n_motifs - 1)
    # In floats, equal areas may differ from their mean.
    sd = math.sqrt(variance) if areas.min() < areas.max() else math.nan
    return deviations / sd


def highest_score(n_motifs: int) -> float:
    """Return the highest possible NES: that of a motif if all others recover nothing."""
    return (n_motifs - 1) / math.sqrt(n_motifs)


def recovery_bounds(ranks: Ranks, sizes: Sequence[int], n_ranks: int) -> Floats:
    """Return mean + 2 sd (ddof 1) over all motifs of the number of targets recovered by each rank.

    The matrix of all curves, n_motifs × n_ranks, is not required. Sums and sums of squares over the
    motifs suffice, and they change only at ranks where a target is recovered: the k-th target of a
    motif adds k² − (k − 1)² = 2k − 1 to the sum of squares from its rank on.

    Parameters
    ----------
    ranks : ndarray of int of shape (n_targets, n_motifs)
        Ranks of the targets, as for `recovered_areas`.
    sizes : sequence of int of length n_sets
        Sizes of the sets, in decreasing order.
    n_ranks : int
        Number of ranks, from 0.

    Returns
    -------
    ndarray of shape (n_sets, n_ranks)
    """
    ranks = ranks[: max(sizes, default=0)]
    n_targets, n_motifs = ranks.shape
    recovered = np.zeros((len(sizes), n_ranks), dtype=np.int64)
    squares = np.zeros_like(recovered)
    # Number of sets that contain each target; these are the largest ones.
    n_in = (np.reshape(sizes, (-1, 1)) > np.arange(n_targets)).sum(axis=0)
    block = max(1, _BLOCK // max(n_targets, 1))
    for start in range(0, n_motifs, block):
        keys = _sorted_recoveries(ranks[:, start : start + block], n_in, n_ranks, len(sizes) + 1)
        for i in range(len(sizes)):
            pairs, n_in_sets = _split(keys, len(sizes) + 1)
            rank, before = _positions(pairs[n_in_sets > i], n_ranks)
            count = np.bincount(rank, minlength=n_ranks)
            recovered[i] += count
            # bincount sums in float64, which holds integers exactly up to 2⁵³.
            twice = 2 * np.bincount(rank, weights=before, minlength=n_ranks)
            squares[i] += count + twice.astype(np.int64)
    total, total_of_squares = recovered.cumsum(axis=1), squares.cumsum(axis=1)
    variance = (n_motifs * total_of_squares - total * total) / (n_motifs * (n_motifs - 1))
    bounds: Floats = total / n_motifs + 2.0 * np.sqrt(variance)
    return bounds


def _sorted_recoveries(
    ranks: Ranks, labels: NDArray[np.intp], n_ranks: int, n_labels: int
) -> NDArray[np.integer[Any]]:
    """Return one sorted number for each target that a motif ranks below `n_ranks`.

    The number is (motif · n_ranks + rank) · n_labels + label of the target.
    """
    n_motifs = ranks.shape[1]
    cells = np.flatnonzero(ranks < n_ranks)
    # 32-bit integers are sorted and divided faster.
    is_short = n_motifs * n_ranks * n_labels <= np.iinfo(np.int32).max
    dtype = np.int32 if is_short else np.int64
    target = cells // n_motifs
    motif = (cells - target * n_motifs).astype(dtype)
    keys = motif * dtype(n_ranks) + ranks.ravel()[cells].astype(dtype)
    keys = keys * dtype(n_labels) + labels.astype(dtype)[target]
    keys.sort()
    return keys


def _split(
    keys: NDArray[np.integer[Any]], n_low: int
) -> tuple[NDArray[np.integer[Any]], NDArray[np.integer[Any]]]:
    """Return quotient and remainder; NumPy's `divmod` is many times slower."""
    high = keys // keys.dtype.type(n_low)
    return high, keys - high * keys.dtype.type(n_low)


def _positions(
    pairs: NDArray[np.integer[Any]], n_ranks: int
) -> tuple[NDArray[np.integer[Any]], NDArray[np.intp]]:
    """Return the rank of each recovery, and the number of earlier ones by the same motif.

    Parameters
    ----------
    pairs : ndarray of int of shape (n_recoveries,)
        motif · n_ranks + rank, sorted.
    """
    motif, rank = _split(pairs, n_ranks)
    is_first = np.diff(motif, prepend=-1) != 0
    starts = np.flatnonzero(is_first)
    before = np.arange(len(motif)) - np.repeat(starts, np.diff(starts, append=len(motif)))
    return rank, before


def leading_edge(ranks: Ranks, bound: Floats) -> int:
    """Return the rank at which a motif's recovery curve exceeds a bound most.

    Parameters
    ----------
    ranks : ndarray of int of shape (n_targets,)
        Ranks of the targets under one motif.
    bound : ndarray of shape (n_ranks,)
        One row of `recovery_bounds`.

    Returns
    -------
    int
        The first such rank, from 0; targets up to this rank are the leading edge.
    """
    n_ranks = len(bound)
    curve = np.cumsum(np.bincount(ranks[ranks < n_ranks], minlength=n_ranks))
    distance = curve - bound
    # Distances that are equal may differ by the rounding of the bound.
    rounding = _ROUNDING * max(float(bound.max()), 1.0)
    return int(np.argmax(distance >= distance.max() - rounding))
