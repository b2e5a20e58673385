import numpy as np
import pytest

from scifate_sklearn.solvers.kernels import _objective as kernels


@pytest.mark.parametrize("size", range(9))
def test_renew_gradient_reads_members_only(make_problem, size):
    G, g = make_problem(0, p=9)
    rng = np.random.default_rng(size)
    members = rng.permutation(9)
    b = rng.normal(size=9)
    b[members[size:]] = np.nan  # not read
    r = np.full(9, np.nan)
    kernels.renew_gradient(G, g, b, members, size, r)
    at = members[:size]
    np.testing.assert_allclose(r, g - G[:, at] @ b[at], atol=1e-14)


@pytest.mark.parametrize("seed", range(3))
def test_the_gap_is_zero_at_the_minimum(make_problem, penalties, minimum, kind, seed):
    G, g = make_problem(seed)
    alpha, v = penalties(kind, 6, seed)
    for penalty in (0.5, 0.1, 0.01):
        l1, l2 = penalty * alpha, penalty * (1 - alpha)
        b = minimum(G, g, v, l1, l2)
        candidates = np.flatnonzero(np.isfinite(v))
        for members in (candidates, np.flatnonzero(b)):
            gap = kernels.duality_gap(g, b, g - G @ b, members, members.size, v, l1, l2, 1.0)
            assert 0.0 <= gap < 1e-14


@pytest.mark.parametrize("seed", range(3))
def test_the_gap_bounds_the_excess(make_problem, penalties, minimum, objective, kind, seed):
    G, g = make_problem(seed)
    alpha, v = penalties(kind, 6, seed)
    candidates = np.flatnonzero(np.isfinite(v))
    rng = np.random.default_rng(seed)
    for penalty in (0.3, 0.02):
        l1, l2 = penalty * alpha, penalty * (1 - alpha)
        best = minimum(G, g, v, l1, l2)
        for spread in np.geomspace(1e-8, 0.3, 8):
            b = best + spread * rng.normal(size=6) * (rng.random(6) < 0.6) * np.isfinite(v)
            # The condition of the bound for unpenalized coefficients.
            assert (np.abs(best) <= 1 + 2 * np.abs(b))[v == 0.0].all()
            gap = kernels.duality_gap(g, b, g - G @ b, candidates, len(candidates), v, l1, l2, 1.0)
            excess = objective(G, g, b, v, l1, l2) - objective(G, g, best, v, l1, l2)
            assert gap >= excess - 1e-15


def test_the_gap_of_the_null_model_vanishes_from_the_largest_penalty_on(make_problem):
    g, everyone = make_problem(1)[1], np.arange(6)
    largest = np.abs(g).max()
    for l1, is_optimal in [(2 * largest, True), (largest, True), (0.9 * largest, False)]:
        gap = kernels.duality_gap(g, np.zeros(6), g, everyone, 6, np.ones(6), l1, 0.0, 1.0)
        assert (gap == 0.0) == is_optimal


def test_a_slack_of_the_other_features_widens_the_gap(make_problem, minimum):
    G, g = make_problem(2)
    b = minimum(G, g, np.ones(6), 0.1, 0.0)
    arguments = g, b, g - G @ b, np.flatnonzero(b), np.count_nonzero(b), np.ones(6), 0.1, 0.0
    gaps = [kernels.duality_gap(*arguments, 1.0 / (1.0 + slack)) for slack in (0.0, 1e-4, 1e-2)]
    assert gaps[0] < 1e-15 < gaps[1] < gaps[2]


def test_smallest_empty_penalty_ignores_unpenalized_and_excluded_features():
    r, v = np.array([0.3, -9.0, -0.8, 7.0]), np.array([0.5, np.inf, 2.0, 0.0])
    assert kernels.smallest_empty_penalty(r, v) == 0.6
    assert kernels.smallest_empty_penalty(r, np.array([0.0, np.inf, np.inf, 0.0])) == 0.0


def test_empty_model_penalty_is_where_the_first_feature_enters(make_problem, minimum):
    G, g = make_problem(10)
    v = np.array([1.0, 0.5, np.inf, 2.0, 1.0, 1.0])
    bound = kernels.empty_model_penalty(g, v, 0.5, 2.0)
    for share, is_empty in [(1.001, True), (0.99, False)]:
        penalty = share * bound / 2.0 * 0.5
        assert (not minimum(G, g, v, penalty, penalty).any()) == is_empty


def test_models_that_are_always_or_never_empty(make_problem):
    g, ones = make_problem(10)[1], np.ones(6)
    assert kernels.empty_model_penalty(g, ones, 0.5, 0.0) == 0.0
    assert kernels.empty_model_penalty(g, ones, 0.0, 2.0) == np.inf
    assert kernels.empty_model_penalty(g, np.r_[ones[1:], 0.0], 0.5, 2.0) == np.inf
    assert kernels.empty_model_penalty(g, np.full(6, np.inf), 0.5, 2.0) == 0.0
