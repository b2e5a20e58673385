import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.model_selection import KFold, ShuffleSplit

from scifate_sklearn.moments import Moments, plan_folds
from scifate_sklearn.solvers._problem import LassoProblem, correlations, select_candidates

N, P, Q = 50, 6, 4
SPLITTERS = [KFold(5), ShuffleSplit(3, random_state=0)]


def make_data(seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, P)) * 10.0 ** rng.integers(-3, 4, P) + rng.normal(size=P)
    Y = X[:, :Q] / X[:, :Q].std(axis=0) + rng.normal(size=(N, Q))
    X[:, 4], Y[:, 3] = 0.1, -7.3
    return X, Y


def make_moments(X, Y, weight=None, splitter=SPLITTERS[0]):
    return Moments.from_arrays(X, Y, plan_folds(splitter.split(np.zeros(N)), N), weight)


def correlations_of(moments):
    whole = moments.targets(slice(None)).combine(moments.layout.total[None])
    return correlations(moments.predictors.whole, whole)


@pytest.mark.parametrize("splitter", SPLITTERS, ids=["partition", "general"])
@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
def test_correlations_are_those_of_all_cells(splitter, form):
    X, Y = make_data()
    ours = correlations_of(make_moments(form(X), form(Y), splitter=splitter))
    varying = np.array([0, 1, 2, 3, 5])
    expected = np.corrcoef(X[:, varying], Y[:, :3], rowvar=False)[5:, :5]
    np.testing.assert_allclose(ours[:3, varying], expected, rtol=1e-9, atol=1e-14)
    assert not ours[:, 4].any()
    assert not ours[3].any()


def test_weighted_correlations():
    X, Y = make_data(1)
    weight = np.random.default_rng(2).integers(0, 4, N).astype(float)
    repeated = np.repeat(np.arange(N), weight.astype(int))
    ours = correlations_of(make_moments(X, Y, weight))
    expected = np.corrcoef(X[repeated][:, :4], Y[repeated][:, :3], rowvar=False)[4:, :4]
    np.testing.assert_allclose(ours[:3, :4], expected, rtol=1e-9)


@pytest.mark.parametrize("threshold", [0.0, 0.03, 0.2, 0.6, 0.9])
def test_candidates_against_a_loop(threshold):
    X, Y = make_data(3)
    moments = make_moments(X, Y)
    excluded = np.array([0, 5, -1, 2])
    chosen = select_candidates(moments, threshold, excluded)
    for t in range(3):
        expected = {
            j
            for j in (0, 1, 2, 3, 5)
            if abs(np.corrcoef(X[:, j], Y[:, t])[0, 1]) > threshold and j != excluded[t]
        }
        assert set(np.flatnonzero(chosen[t])) == (expected if len(expected) >= 2 else set())
    assert not chosen[3].any()


def test_no_threshold_keeps_everything_of_targets_that_vary():
    moments = make_moments(*make_data(4))
    chosen = select_candidates(moments, None, np.array([1, -1, -1, -1]))
    expected = np.ones((Q, P), bool)
    expected[0, 1], expected[3] = False, False
    np.testing.assert_array_equal(chosen, expected)
    assert select_candidates(moments, None)[0].all()


def test_one_candidate_is_too_few():
    X, Y = make_data(5)
    moments = make_moments(X[:, :2], Y)
    assert select_candidates(moments, None, np.array([-1, 0, -1, -1])).sum(axis=1).tolist() == [
        2, 0, 2, 0,
    ]  # fmt: skip


def test_block_factors_against_a_loop():
    rng = np.random.default_rng(6)
    moments = make_moments(*make_data(6))
    candidates = rng.random((Q, P)) < 0.7
    candidates[1] = False
    # Rows in which the third is infinite, for below.
    factors = np.array([[0.5, 2.0, np.inf, 0.0, 3.0, 1.0]]).repeat(Q, axis=0)
    factors[:, [0, 4]] *= rng.uniform(0.5, 2.0, (Q, 1))
    problem = LassoProblem(moments, candidates, factors)
    assert problem.n_targets == Q
    ours = problem.block(slice(0, Q)).factors
    for t in np.flatnonzero(candidates.any(axis=1)):
        factor = factors[t]
        members = np.flatnonzero(candidates[t])
        counted = [1.0 if np.isinf(factor[j]) else factor[j] for j in members]
        for j in range(P):
            share = factor[j] * len(members) / sum(counted)
            assert ours[t, j] == pytest.approx(share if candidates[t, j] else np.inf)
    np.testing.assert_array_equal(problem.block(slice(2, 4)).factors, ours[2:4])
    expected = candidates.copy()
    expected[:, 2] = False
    np.testing.assert_array_equal(problem.block(slice(0, Q)).n_candidates, expected.sum(axis=1))


def test_block_factors_where_all_are_unpenalized():
    candidates = np.array([[True, True, False]])
    X, Y = make_data(7)
    problem = LassoProblem(
        make_moments(X[:, :3], Y[:, :1]), candidates, np.array([[0.0, 0.0, 1.0]])
    )
    np.testing.assert_array_equal(problem.block(slice(0, 1)).factors, [[0.0, 0.0, np.inf]])


def test_target_variance_is_ddof_1():
    X, Y = make_data(8)
    problem = LassoProblem(make_moments(X, Y), np.ones((Q, P), bool), np.ones((Q, P)))
    np.testing.assert_allclose(
        problem.block(slice(0, 3)).variance, Y[:, :3].var(axis=0, ddof=1), rtol=1e-12
    )
    assert problem.block(slice(3, 4)).variance == 0
