"""Strata, permutations and pairs of halves."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from scifate_sklearn.resampling._units import (
    complementary_pairs,
    n_pairs_of,
    permuted,
    rows_by_group,
)


def pairs_by_hand(n):
    half, found = n // 2, set()
    for first in combinations(range(n), half):
        for second in combinations(sorted(set(range(n)) - set(first)), half):
            found.add(frozenset((first, second)))
    return found


@pytest.mark.parametrize("n", range(2, 8))
def test_all_pairs_can_be_drawn_and_no_other(n):
    expected = pairs_by_hand(n)
    assert n_pairs_of(n) == len(expected)
    drawn = list(complementary_pairs(np.random.RandomState(0), n, len(expected)))
    assert {frozenset((tuple(a), tuple(b))) for a, b in drawn} == expected
    assert len(drawn) == len(expected)


def test_numbers_of_pairs():
    assert [n_pairs_of(n) for n in (0, 1, 2, 10)] == [0, 0, 1, 126]


def test_permutation_stays_within_strata():
    strata = [np.array([0, 4, 5, 6]), np.array([1, 2])]
    order = permuted(np.random.RandomState(1), strata, 8)
    for rows in strata:
        assert sorted(order[rows]) == rows.tolist()
    assert order[[3, 7]].tolist() == [3, 7]


def test_rows_by_group_leave_out_cells_without_weight():
    weight = np.array([1.0, 0.0, 2.0, 1.0, 0.0])
    found = rows_by_group(["b", "x", "a", "b", None], weight)
    assert [rows.tolist() for rows in found] == [[0, 3], [2]]
    categorical = pd.Series(["b", "x", "a", "b", None], dtype="category")
    assert [rows.tolist() for rows in rows_by_group(categorical, weight)] == [[0, 3], [2]]


def test_errors_name_the_cell():
    with pytest.raises(ValueError, match=r"`groups` has the shape \(2,\), but there are 3 cells"):
        rows_by_group([1, 2], np.ones(3))
    with pytest.raises(ValueError, match=r"missing for 1 cell\(s\), the first of them in row 2"):
        rows_by_group([1.0, 2.0, np.nan], np.ones(3))
