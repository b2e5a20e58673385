"""What is drawn: cells, groups of cells or folds; permutations of them, and pairs of halves."""

from __future__ import annotations

from collections.abc import Iterator
from math import comb
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Rows = NDArray[np.intp]


def rows_by_group(groups: Any, weight: NDArray[np.float64]) -> list[Rows]:
    """Return the rows of each group, in the order in which they appear.

    Cells without weight count as absent.

    Parameters
    ----------
    groups : array-like of shape (n_cells,)
    weight : ndarray of shape (n_cells,)

    Raises
    ------
    ValueError
        If `groups` has another shape, or does not say of a cell where it belongs.
    """
    labels = np.asarray(groups)
    if labels.shape != weight.shape:
        raise ValueError(
            f"`groups` has the shape {labels.shape}, but there are {len(weight)} cells; give the "
            "group of each."
        )
    present = np.flatnonzero(weight > 0)
    codes, _ = pd.factorize(labels[present])
    if (codes < 0).any():
        raise ValueError(
            f"`groups` is missing for {np.count_nonzero(codes < 0)} cell(s), the first of them in "
            f"row {present[codes < 0][0]}; give them a group or leave them out."
        )
    return [present[codes == group] for group in range(codes.max() + 1)]


def permuted(rng: np.random.RandomState, strata: list[Rows], n_cells: int) -> Rows:
    """Return an order of all rows in which those of each stratum have changed places."""
    order = np.arange(n_cells)
    for rows in strata:
        order[rows] = rng.permutation(rows)
    return order


def n_pairs_of(n_units: int) -> int:
    """Return how many complementary pairs of halves there are; of odd numbers one stays out."""
    half = n_units // 2
    return comb(n_units, 2 * half) * comb(2 * half, half) // 2 if half else 0


def complementary_pairs(
    rng: np.random.RandomState, n_units: int, n_pairs: int
) -> Iterator[tuple[Rows, Rows]]:
    """Yield different pairs of halves, which have no unit in common.

    Parameters
    ----------
    rng : RandomState
    n_units : int
    n_pairs : int
        Not more than there are.

    Yields
    ------
    first, second : ndarray of int of shape (n_units // 2,)
        Ascending.
    """
    half = n_units // 2
    seen: set[frozenset[bytes]] = set()
    while len(seen) < n_pairs:
        order = rng.permutation(n_units)
        first, second = np.sort(order[:half]), np.sort(order[half : 2 * half])
        pair = frozenset((first.tobytes(), second.tobytes()))
        if pair not in seen:
            seen.add(pair)
            yield first, second
