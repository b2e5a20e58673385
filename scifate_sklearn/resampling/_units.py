"""Random permutations and pairs of halves of cells, groups of cells or folds."""

from __future__ import annotations

from collections.abc import Iterator
from math import comb
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..fitting import group_labels

Rows = NDArray[np.intp]

# This many units have 6e16 pairs of halves; two random pairs are then practically never equal.
_MANY_UNITS = 60


def rows_by_group(groups: Any, weight: NDArray[np.float64]) -> list[Rows]:
    """Return the rows of each group, in the order in which they appear.

    Cells without weight count as absent.

    Parameters
    ----------
    groups : array-like of shape (n_cells,)
    weight : ndarray of shape (n_cells,)

    Raises
    ------
    TypeError, ValueError
        As from `group_labels`.
    """
    labels = group_labels(groups, weight)
    present = np.flatnonzero(weight > 0)
    codes, _ = pd.factorize(labels[present])
    in_groups = present[np.argsort(codes, kind="stable")]
    return np.split(in_groups, np.bincount(codes).cumsum()[:-1])


def rows_of(units: Rows | list[Rows], drawn: Rows) -> Rows:
    """Return the rows of the units that are drawn.

    Parameters
    ----------
    units : ndarray of int, or list of ndarray of int
        The row of each unit, or its rows.
    drawn : ndarray of int
    """
    if isinstance(units, list):
        return np.concatenate([units[unit] for unit in drawn])
    return units[drawn]


def permuted(rng: np.random.RandomState, strata: list[Rows], n_cells: int) -> Rows:
    """Return an order of all rows that permutes the rows of each stratum."""
    order = np.arange(n_cells)
    for rows in strata:
        order[rows] = rng.permutation(rows)
    return order


def n_pairs_of(n_units: int) -> int:
    """Return the number of complementary pairs of halves; of an odd number one unit is left out.

    The result for more than 60 units is that for 60, because the number itself would have as many
    digits as there are units.
    """
    n_units = min(n_units, _MANY_UNITS)
    half = n_units // 2
    return comb(n_units, 2 * half) * comb(2 * half, half) // 2 if half else 0


def complementary_pairs(
    rng: np.random.RandomState, n_units: int, n_pairs: int
) -> Iterator[tuple[Rows, Rows]]:
    """Yield different pairs of halves that have no unit in common.

    Repeated pairs are skipped if there are at most 60 units. With more units, the probability of a
    repetition is below 1e-10 for 1000 pairs, and remembering the pairs would take memory.

    Parameters
    ----------
    rng : RandomState
    n_units : int
    n_pairs : int
        At most `n_pairs_of` the units.

    Yields
    ------
    first, second : ndarray of int of shape (n_units // 2,)
        Ascending.
    """
    half = n_units // 2
    seen: set[frozenset[bytes]] = set()
    n_drawn = 0
    while n_drawn < n_pairs:
        order = rng.permutation(n_units)
        first, second = np.sort(order[:half]), np.sort(order[half : 2 * half])
        if n_units <= _MANY_UNITS:
            pair = frozenset((first.tobytes(), second.tobytes()))
            if pair in seen:
                continue
            seen.add(pair)
        n_drawn += 1
        yield first, second
