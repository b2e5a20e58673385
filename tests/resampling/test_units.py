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
    rows_of,
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
    assert n_pairs_of(10**7) == n_pairs_of(61) == n_pairs_of(60) > 5e16


def test_pairs_of_many_units_are_drawn_as_those_of_few():
    drawn = list(complementary_pairs(np.random.RandomState(3), 101, 20))
    rng = np.random.RandomState(3)
    for first, second in drawn:
        order = rng.permutation(101)
        np.testing.assert_array_equal(first, np.sort(order[:50]))
        np.testing.assert_array_equal(second, np.sort(order[50:100]))
    assert len({first.tobytes() for first, _ in drawn}) == len(drawn) == 20


def test_rows_of_cells_and_of_groups():
    drawn, rows = np.array([2, 0]), np.array([3, 5, 8])
    assert rows_of(rows, drawn).tolist() == rows_of(list(rows[:, None]), drawn).tolist() == [8, 3]
    groups = [np.array([0, 4]), np.array([1]), np.array([2, 3])]
    assert rows_of(groups, drawn).tolist() == [2, 3, 0, 4]


def test_rows_by_group_equal_a_search_per_group():
    labels = np.random.default_rng(0).integers(0, 300, 1000)
    found = rows_by_group(labels, np.ones(1000))
    expected = [np.flatnonzero(labels == group) for group in pd.unique(labels)]
    assert [rows.tolist() for rows in found] == [rows.tolist() for rows in expected]
    assert [rows.tolist() for rows in rows_by_group([2, 1, 2], np.ones(3))] == [[0, 2], [1]]


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


@pytest.mark.parametrize("missing", [np.nan, None, pd.NA])
def test_missing_names_in_lists_are_rejected(missing):
    with pytest.raises(ValueError, match=r"missing for 1 cell\(s\), the first of them in row 2"):
        rows_by_group(["a", "b", missing], np.ones(3))
    with pytest.raises(ValueError, match="missing for 1"):
        rows_by_group(pd.Series(["a", missing, "b"]), np.ones(3))
