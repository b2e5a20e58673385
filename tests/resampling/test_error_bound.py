"""Comparison of the bounds of Shah & Samworth with optimisation and random distributions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize_scalar

from scifate_sklearn.resampling._error_bound import largest_tails, r_concave_bound, worst_case_bound


def largest_tail_by_optimiser(mean, least, n, r):
    """Return the largest tail: for each k, optimise a between weight 0 and full weight at k + 1."""
    i, lowest, highest = np.arange(n + 1), np.log(1e-9), np.log(1e9)

    def curve(log_a, k):
        return (1 + i[: k + 1] / np.exp(log_a)) ** (1 / r)

    def excess(log_a, k):
        return (i[: k + 1] * curve(log_a, k)).sum() / curve(log_a, k).sum() - mean

    def root(k):
        return highest if excess(highest, k) <= 0 else brentq(excess, lowest, highest, args=(k,))

    def tail(log_a, k):
        w = curve(log_a, k)
        return 1 - (k + 1 - mean) * w[:least].sum() / ((k + 1 - i[: k + 1]) * w).sum()

    best = 0.0
    for k in range(max(1, int(2 * mean), least - 1), n):
        ends = root(k + 1), root(k)
        if ends[0] < ends[1]:
            inside = minimize_scalar(lambda a, k=k: -tail(a, k), bounds=ends, method="bounded")
            best = max(best, -inside.fun, tail(ends[0], k), tail(ends[1], k))
    return best


@pytest.mark.parametrize("r", [-0.5, -0.25])
@pytest.mark.parametrize(("mean", "least", "n"), [(0.5, 4, 20), (2.0, 10, 30), (0.01, 2, 20)])
def test_largest_tail_equals_the_optimiser(mean, least, n, r):
    found = largest_tails(np.array([mean]), least, n, r)[0]
    assert found == pytest.approx(largest_tail_by_optimiser(mean, least, n, r), rel=1e-3)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([-0.5, -0.25]))
def test_no_r_concave_distribution_has_a_larger_tail(seed, r):
    rng, n = np.random.default_rng(seed), 12
    size = rng.integers(2, n + 2)
    # A distribution is r-concave for r < 0 if its power r is convex: steps that increase.
    power = np.cumsum(np.sort(rng.normal(size=size) * rng.gamma(1.0)))
    probability = np.zeros(n + 1)
    start = rng.integers(0, n + 2 - size)
    probability[start : start + size] = (power - power.min() + rng.gamma(0.5) + 1e-3) ** (1 / r)
    probability /= probability.sum()
    mean = probability @ np.arange(n + 1)
    for least in range(1, n + 1):
        bound = largest_tails(np.array([mean]), least, n, r)[0]
        assert probability[least:].sum() <= bound * (1 + 1e-3) + 1e-12


def test_limits():
    assert largest_tails(np.array([0.0, 1.1, 5.0]), 3, 10, -0.5).tolist() == [0, 1, 1]
    tails = largest_tails(np.linspace(0.01, 2.5, 50), 6, 12, -0.25)
    assert (np.diff(tails) > 0).all()


def test_worst_case_is_the_formula():
    q, p = np.array([2.0, 0.0, 8.0]), np.array([40.0, 40.0, 10.0])
    np.testing.assert_allclose(worst_case_bound(q, p, 0.75), [0.2, 0.0, 8.0 / 0.75])
    assert worst_case_bound(np.zeros(1), np.zeros(1), 0.9).tolist() == [0.0]


@pytest.mark.parametrize("threshold", [0.6, 0.75, 0.9, 1.0])
def test_assumptions_tighten_the_bound(threshold):
    q, p = np.array([0.0, 0.5, 2.0, 10.0]), np.full(4, 100.0)
    worst, r_concave = worst_case_bound(q, p, threshold), r_concave_bound(q, p, threshold, 50)
    assert (r_concave <= worst).all()
    assert (r_concave[1:] < 0.7 * worst[1:]).all()
    assert (np.diff(r_concave) > 0).all()
