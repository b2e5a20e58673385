import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from scifate_sklearn.filters.chip._fisher import (
    CORRECTIONS,
    adjust_pvalues,
    fisher_exact,
    haldane_log_odds_ratio,
    odds_ratio,
)

counts = st.integers(0, 400)
tables = st.tuples(counts, counts, counts, counts)


@given(tables, st.sampled_from(["two-sided", "greater", "less"]))
@settings(max_examples=200, deadline=None)
def test_agrees_with_scipy(table, alternative):
    a, b, c, d = table
    expected = scipy.stats.fisher_exact([[a, b], [c, d]], alternative=alternative).pvalue
    np.testing.assert_allclose(fisher_exact(a, b, c, d, alternative), expected, rtol=1e-8)


@given(tables)
@settings(max_examples=100, deadline=None)
def test_transposed_and_rotated_tables_have_the_same_p(table):
    a, b, c, d = table
    p = fisher_exact(a, b, c, d)
    np.testing.assert_allclose(fisher_exact(a, c, b, d), p, rtol=1e-12)
    np.testing.assert_allclose(fisher_exact(d, c, b, a), p, rtol=1e-12)
    assert 0 < p <= 1


@given(tables)
@settings(max_examples=100, deadline=None)
def test_tails_add_up_to_one_and_the_observed_table(table):
    a, b, c, d = table
    both = fisher_exact(a, b, c, d, "greater") + fisher_exact(a, b, c, d, "less")
    observed = scipy.stats.hypergeom.pmf(a, a + b + c + d, a + c, a + b) if any(table) else 1
    np.testing.assert_allclose(both, 1 + observed, rtol=1e-8)


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
@pytest.mark.parametrize(
    "table", [(0, 0, 3, 4), (3, 4, 0, 0), (0, 3, 0, 4), (3, 0, 4, 0), (0,) * 4]
)
def test_empty_margin_gives_one(table, alternative):
    assert fisher_exact(*table, alternative) == 1.0


def test_ties_count_as_in_r():
    # Probabilities of a = 0 … 2 are 1/6, 4/6, 1/6: a = 0 is as unlikely as the observed table.
    assert fisher_exact(2, 0, 0, 2) == pytest.approx(1 / 3, rel=1e-14)


def test_tiny_p_of_large_counts_keeps_its_digits():
    # All of the 1000 links at the 1000 peaks among 100,000 genes: p is one hypergeometric term.
    log_p = -sum(np.log((99_000 + i) / i) for i in range(1, 1001)) / np.log(10)
    assert log_p < -2000
    assert fisher_exact(1000, 0, 0, 99_000) == 0.0
    exact = 1.0
    for i in range(1, 61):
        exact *= i / (99_940 + i)
    assert exact < 1e-200
    np.testing.assert_allclose(fisher_exact(60, 0, 0, 99_940, "greater"), exact, rtol=1e-12)


def test_shapes_broadcast_and_arguments_stay_untouched():
    a = np.array([[1, 2], [3, 4]])
    before = a.copy()
    p = fisher_exact(a, 5, [6, 7], 8)
    assert p.shape == (2, 2)
    assert p[1, 0] == fisher_exact(3, 5, 6, 8)
    np.testing.assert_array_equal(a, before)
    assert fisher_exact([], [], [], []).shape == (0,)


@pytest.mark.parametrize("bad", [-1, 1.5, np.nan, np.inf])
def test_counts_must_be_whole(bad):
    with pytest.raises(ValueError, match="whole numbers"):
        fisher_exact([1, bad], 2, 3, 4)


def test_unknown_alternative():
    with pytest.raises(ValueError, match=r"`alternative` must be one of .*, got 'bigger'"):
        fisher_exact(1, 2, 3, 4, "bigger")


def test_odds_ratio_of_zeros():
    ratio = odds_ratio([6, 0, 3, 0], [2, 3, 0, 0], [1, 4, 5, 6], [4, 5, 6, 7])
    np.testing.assert_array_equal(ratio, [12.0, 0.0, np.inf, np.nan])


def test_haldane_log_odds_ratio():
    assert haldane_log_odds_ratio(6, 2, 1, 4) == pytest.approx(np.log(6.5 * 4.5 / (2.5 * 1.5)))
    assert np.isfinite(haldane_log_odds_ratio(0, 0, 0, 0))


def test_adjust_pvalues_by_hand():
    p = [0.01, 0.04, 0.03, 0.005]
    np.testing.assert_allclose(adjust_pvalues(p, "holm"), [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(adjust_pvalues(p, "fdr_bh"), [0.02, 0.04, 0.04, 0.02])
    np.testing.assert_allclose(
        adjust_pvalues(p, "fdr_by"), np.multiply([0.02, 0.04, 0.04, 0.02], 25 / 12)
    )
    assert all(adjust_pvalues([], method).shape == (0,) for method in CORRECTIONS)


def adjusted_by_definition(p, method):
    """Return min or max over the ranks, as R's p.adjust is documented, by plain loops."""
    n = len(p)
    order = sorted(range(n), key=p.__getitem__)
    scale = sum(1 / i for i in range(1, n + 1)) if method == "fdr_by" else 1.0
    adjusted = [0.0] * n
    for i, position in enumerate(order):
        if method == "holm":
            value = max((n - j) * p[order[j]] for j in range(i + 1))
        else:
            value = min(scale * n / (j + 1) * p[order[j]] for j in range(i, n))
        adjusted[position] = min(1.0, value)
    return adjusted


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.permutations(range(30)))
def test_corrections_equal_their_definitions_in_any_order_of_p(p, permutation):
    p, n = np.array(p), len(p)
    order = [i for i in permutation if i < n]
    for method in CORRECTIONS:
        np.testing.assert_allclose(
            adjust_pvalues(p, method), adjusted_by_definition(p, method), rtol=1e-12, atol=1e-300
        )
        adjusted = adjust_pvalues(p, method)
        np.testing.assert_array_equal(adjust_pvalues(p[order], method), adjusted[order])
        assert (adjusted >= p).all()
        assert (adjusted <= 1).all()


@pytest.mark.parametrize("bad", [[0.5, np.nan], [-0.1], [1.1], [[0.5]]])
def test_adjust_pvalues_rejects_other_numbers(bad):
    with pytest.raises(ValueError, match="from 0 to 1"):
        adjust_pvalues(bad)


def test_unknown_correction():
    with pytest.raises(ValueError, match="`method` must be one of"):
        adjust_pvalues([0.5], "bonferroni")
