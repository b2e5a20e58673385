"""Simulated total counts, shares of new RNA in them, and estimates of new RNA."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from count_data import Pair, csr

Array: TypeAlias = np.ndarray
Rng: TypeAlias = np.random.Generator

# Share of the new molecules that are recognised by their conversions.
DETECTED = 0.6


def total_counts(rng: Rng, n_cells: int, n_genes: int, depth: float, spread: float) -> Array:
    """Draw counts of genes whose means differ (sd of their logarithms), in cells of any size."""
    means = depth * rng.lognormal(0, spread, n_genes)
    sizes = rng.lognormal(0, 0.4, (n_cells, 1))
    return rng.poisson(sizes * means * rng.gamma(3, 1 / 3, (n_cells, n_genes))).astype(float)


def _falling(rng: Rng, total: Array, share: float) -> Array:
    """Return shares that fall with expression, as those of stable RNA do."""
    stability = np.sqrt(total.mean(axis=0) + 0.1)
    return np.minimum(share * np.median(stability) / stability, 1)


SHARES: dict[str, Callable[[Rng, Array, float], Array]] = {
    "one share": lambda rng, total, share: np.full(total.shape[1], share),
    "a share per gene": lambda rng, total, share: rng.beta(1.5, 1.5 / share - 1.5, total.shape[1]),
    "falling with expression": _falling,
    "a share per cell": lambda rng, total, share: np.minimum(
        share * rng.lognormal(0, 0.5, (total.shape[0], 1)), 1
    ),
}


def _recognised(rng: Rng, total: Array, share: Array) -> Array:
    return rng.binomial(total.astype(int), share * DETECTED) / DETECTED


def _shrunken(rng: Rng, total: Array, share: Array) -> Array:
    """Return posterior means with a prior of the gene that weighs as much as five reads."""
    seen = _recognised(rng, total, share) + 5 * share.mean(axis=0)
    return np.minimum(seen / (total + 5), 1) * total


ESTIMATES: dict[str, Callable[[Rng, Array, Array], Array]] = {
    "exact": lambda rng, total, share: share * total,
    "noisy": lambda rng, total, share: (
        np.minimum(share * rng.lognormal(0, 0.5, total.shape), 1) * total
    ),
    "maximum likelihood": lambda rng, total, share: np.minimum(
        _recognised(rng, total, share), total
    ),
    "shares of four digits": lambda rng, total, share: (
        np.round(np.minimum(_recognised(rng, total, share) / np.maximum(total, 1), 1), 4) * total
    ),
    "posterior means": _shrunken,
}


def estimated(seed: int, estimate: str, share: float | None = None) -> Pair:
    """Draw cells, genes, depth and shares by a seed, and estimate new RNA."""
    rng = np.random.default_rng(seed)
    n_cells, n_genes = rng.choice([5, 20, 60, 200]), rng.choice([8, 50, 200])
    depth, spread = rng.choice([0.3, 1, 3, 10, 30, 100]), rng.choice([0.5, 1, 1.5])
    total = total_counts(rng, n_cells, n_genes, depth, spread)
    drawn = rng.choice([0.01, 0.05, 0.2, 0.4])
    kind = rng.choice(list(SHARES))
    shares = np.broadcast_to(SHARES[kind](rng, total, share or drawn), total.shape)
    return Pair(csr(ESTIMATES[estimate](rng, total, shares)), csr(total))
