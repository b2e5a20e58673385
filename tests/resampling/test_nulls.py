"""Comparison of q-values and curves with direct counts and with Benjamini & Hochberg."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from scifate_sklearn.resampling._nulls import empirical_q, fdr_curve

# Few values, so that there are ties.
sizes = st.lists(st.integers(1, 30).map(lambda k: k / 10), max_size=25).map(
    lambda values: np.array(values, float)
)


def q_by_hand(observed, null, n_permutations):
    q = []
    for t in observed:
        rates = [
            (1 + sum(null >= s)) / (n_permutations * sum(observed >= s)) for s in observed if s <= t
        ]
        q.append(min(1.0, *rates))
    return np.array(q)


@given(sizes, sizes, st.integers(1, 20))
def test_equals_counting_by_hand(observed, null, n_permutations):
    found = empirical_q(observed, null, n_permutations)
    np.testing.assert_allclose(found, q_by_hand(observed, null, n_permutations), rtol=1e-15)


@given(sizes, sizes, st.integers(1, 20))
def test_larger_links_have_smaller_q_in_any_unit(observed, null, n_permutations):
    q = empirical_q(observed, null, n_permutations)
    order = np.argsort(observed)
    assert (np.diff(q[order]) <= 0).all()
    assert ((q >= 0) & (q <= 1)).all()
    np.testing.assert_array_equal(empirical_q(4 * observed, 4 * null, n_permutations), q)


def test_is_benjamini_hochberg_up_to_the_data_in_the_denominator():
    rng = np.random.default_rng(0)
    observed, null = rng.gamma(2.0, size=400) + 0.5, rng.gamma(2.0, size=8000)
    n_null = (null[None, :] >= observed[:, None]).sum(axis=1)
    p = (1 + n_null) / (20 * len(observed))
    np.testing.assert_allclose(empirical_q(observed, null, 20), false_discovery_control(p))


def test_curve_counts_at_least_as_large():
    curve = fdr_curve(np.array([0.2, 0.1, 0.2, 0.4]), np.array([0.1, 0.3, 0.05]), 2)
    assert curve.columns.tolist() == ["threshold", "control_number", "real_number", "FDR"]
    assert curve["threshold"].tolist() == [0.1, 0.2, 0.4]
    assert curve["control_number"].tolist() == [1.0, 0.5, 0.0]
    assert curve["real_number"].tolist() == [4, 3, 1]
    np.testing.assert_allclose(curve["FDR"], [0.25, 0.5 / 3, 0.0])


def test_nothing_observed():
    assert empirical_q(np.empty(0), np.array([1.0]), 10).shape == (0,)
    assert len(fdr_curve(np.empty(0), np.array([1.0]), 10)) == 0
