import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import ElasticNet

from scifate_sklearn.solvers.kernels import _active_set as active_set
from scifate_sklearn.solvers.kernels import _model as model
from scifate_sklearn.solvers.kernels._model import EVER, IS_FACTORED, MEMBERS

TOL = 1e-14
ONES = np.ones(6)


@pytest.fixture
def descents(monkeypatch):
    """Return a list that has an item for every call of `descend`."""
    calls, original = [], active_set.descend

    def descend(*arguments):
        calls.append(arguments)
        return original(*arguments)

    monkeypatch.setattr(active_set, "descend", descend)
    return calls


@pytest.fixture(
    scope="module",
    params=["lasso", "elastic net", "ridge", "unpenalized", "excluded", "mixed", "mixed ridge"],
)
def kind_of_path(request):
    return request.param


def advance(G, g, v, alpha, penalty, made, step=0.0, tol=TOL, max_iter=1000):
    return active_set.advance(G, g, v, alpha, penalty, step, tol, max_iter, made)


def follow(G, g, v, alpha, made, lambdas, check):
    """Advance along a path, extrapolating; check every solution."""
    for i, penalty in enumerate(lambdas):
        step = 0.0
        if i >= 2:
            step = min(1.0, (lambdas[i - 1] - penalty) / (lambdas[i - 2] - lambdas[i - 1]))
        n_iter, gap = advance(G, g, v, alpha, penalty, made, step)
        assert gap <= TOL
        assert n_iter >= 1
        assert check(G, g, made.b, v, penalty * alpha, penalty * (1 - alpha)) < 1e-7
        np.testing.assert_allclose(made.r, g - G @ made.b, atol=1e-14)
        ever = made.ever[: made.counts[EVER]]
        assert len(set(ever)) == len(ever)
        assert set(np.flatnonzero(made.b)) <= set(ever)
        members = made.members[: made.counts[MEMBERS]]
        assert sorted(members) == np.flatnonzero(made.is_member).tolist()
        assert not made.b[~made.is_member].any()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
@pytest.mark.parametrize("p", [6, 20])
def test_a_path_satisfies_the_optimality_conditions(
    make_problem, new_model, violation, penalties, kind_of_path, seed, p
):
    G, g = make_problem(seed, p=p)
    alpha, v = penalties(kind_of_path, p, seed)
    lambdas = np.geomspace(np.abs(g).max(), 1e-3, 8)
    follow(G, g, v, alpha, new_model(g), lambdas, violation)


def test_paths_of_singular_problems(singular_problem, new_model, violation):
    G, g, alpha, v = singular_problem
    lambdas = np.geomspace(np.abs(g).max(), 0.02, 6)
    follow(G, g, v, alpha, new_model(g), lambdas, violation)


def test_a_lasso_is_settled_without_descent(make_problem, new_model, violation, descents):
    G, g = make_problem(0, n=100, p=20)
    follow(G, g, np.ones(20), 1.0, new_model(g), np.geomspace(1, 1e-3, 30), violation)
    assert descents == []


@pytest.mark.parametrize("alpha", [1.0, 0.4])
def test_models_equal_scikit_learns(standardized, new_model, alpha):
    X, Y = standardized(5, n=50, p=12)
    G, g = X.T @ X / 50, X.T @ Y[:, 0] / 50
    made = new_model(g)
    for penalty in (0.3, 0.1, 0.02):
        advance(G, g, np.ones(12), alpha, penalty, made)
        reference = ElasticNet(
            alpha=penalty, l1_ratio=alpha, fit_intercept=False, tol=1e-14, max_iter=100_000
        )
        np.testing.assert_allclose(made.b, reference.fit(X, Y[:, 0]).coef_, atol=1e-7)


@pytest.mark.parametrize("order", ["down", "up", "same"])
def test_a_warm_start_from_anywhere_ends_at_the_minimum(
    make_problem, new_model, penalties, minimum, kind, order
):
    G, g = make_problem(7)
    alpha, v = penalties(kind, 6, 7)
    lambdas = {"down": [0.4, 0.01], "up": [0.01, 0.4], "same": [0.1, 0.1]}[order]
    made = new_model(g)
    for penalty in lambdas:
        advance(G, g, v, alpha, penalty, made, step=0.5)
    expected = minimum(G, g, v, lambdas[1] * alpha, lambdas[1] * (1 - alpha))
    np.testing.assert_allclose(made.b, expected, atol=1e-10)


def test_a_wrong_prediction_is_corrected(make_problem, new_model, minimum):
    G, g = make_problem(8)
    made = new_model(g)
    made.r_before[:] = 50.0 * np.random.default_rng(0).normal(size=6)  # all join, some leave
    advance(G, g, ONES, 1.0, 0.2, made, step=1.0)
    np.testing.assert_allclose(made.b, minimum(G, g, ONES, 0.2, 0.0), atol=1e-12)
    assert made.counts[EVER] > made.counts[MEMBERS] == np.count_nonzero(made.b)


@pytest.mark.parametrize("max_rounds", [0, 1])
def test_descent_solves_what_has_not_settled(
    make_problem, new_model, minimum, descents, cholesky_of, lower, monkeypatch, max_rounds
):
    monkeypatch.setattr(active_set, "MAX_ROUNDS", max_rounds)
    G, g = make_problem(9)
    made = new_model(g)
    for penalty in (0.3, 0.05):
        n_before = len(descents)
        n_iter, gap = advance(G, g, ONES, 1.0, penalty, made, step=0.1)
        assert len(descents) == n_before + 1
        assert gap <= TOL
        assert n_iter >= 1
        np.testing.assert_allclose(made.b, minimum(G, g, ONES, penalty, 0.0), atol=1e-10)
        at = np.flatnonzero(made.b)
        assert made.members[: made.counts[MEMBERS]].tolist() == at.tolist()
        assert made.counts[IS_FACTORED] == 1  # ready for the next penalty
        L, data, signs = cholesky_of(G, at, g, np.sign(made.b))
        np.testing.assert_allclose(lower(made.factor, at.size), L, atol=1e-12)
        np.testing.assert_allclose(made.data[: at.size], data, atol=1e-12)
        np.testing.assert_allclose(made.signs[: at.size], signs, atol=1e-12)


def test_descent_solves_copies_that_join(make_problem, new_model, violation, descents):
    G, g = make_problem(10, p=8, copies=4)
    made = new_model(g)
    _, gap = advance(G, g, np.ones(8), 1.0, 0.05, made)
    assert len(descents) == 1
    assert gap <= TOL
    assert violation(G, g, made.b, np.ones(8), 0.05, 0.0) < 1e-8


def test_unconverged_models_are_reported(make_problem, new_model, monkeypatch):
    monkeypatch.setattr(active_set, "MAX_ROUNDS", 0)
    G, g = make_problem(11)
    made = new_model(g)
    n_iter, gap = advance(G, g, ONES, 1.0, 0.05, made, max_iter=0)
    assert n_iter == 0
    assert gap > 0.01
    assert not made.b.any()


@pytest.mark.parametrize("rounds", ["max_iter", "MAX_ROUNDS"])
def test_a_prediction_without_violations_does_not_settle_a_model(new_model, monkeypatch, rounds):
    """The predicted |r| is 0.1, so that no feature joins, but r is 0.5 and its limit 0.3."""
    g = np.array([0.5])
    made = new_model(g)
    made.r_before[:] = 0.9
    if rounds == "MAX_ROUNDS":
        monkeypatch.setattr(active_set, "MAX_ROUNDS", 1)
    max_iter = 1 if rounds == "max_iter" else 1000
    _, gap = advance(np.eye(1), g, np.ones(1), 1.0, 0.3, made, 1.0, max_iter=max_iter)
    excess = 0.5 * (made.b[0] - 0.2) ** 2
    assert gap >= excess - 1e-15
    assert max_iter == 1 or excess < 1e-14


def test_no_tolerance_can_be_met_below_rounding_but_the_search_ends(make_problem, new_model):
    G, g = make_problem(12)
    n_iter, gap = advance(G, g, ONES, 1.0, 0.05, new_model(g), tol=-1.0)
    assert n_iter < 100
    assert 0.0 <= gap < 1e-14


@pytest.mark.parametrize("n_joining", [0, 1, 4, 5, 9])
def test_join_takes_exactly_the_violating_features(new_model, n_joining):
    p = 12
    G, g, v = np.eye(p), np.zeros(p), np.linspace(1, 2, p)
    made = new_model(g)
    v[11] = np.inf
    joining = np.sort(np.random.default_rng(n_joining).permutation(11)[:n_joining])
    made.r[:] = 0.3 * np.where(np.arange(p) % 2, 1, -1) * np.where(np.isinf(v), 1.0, v)
    made.r[joining] *= 1.1
    assert active_set.join(G, g, v, 0.3, 0.0, made) == n_joining
    assert made.members[: made.counts[MEMBERS]].tolist() == joining.tolist()
    np.testing.assert_array_equal(made.sign[joining], (v * np.sign(made.r))[joining])
    assert active_set.join(G, g, v, 0.3, 0.0, made) == 0


def test_join_reports_collinear_features(new_model):
    made = new_model(np.zeros(3))
    made.r[:] = 1.0
    assert active_set.join(np.ones((3, 3)), np.zeros(3), np.ones(3), 0.5, 0.0, made) == -1


@pytest.mark.parametrize("penalty", [0.0, 0.5])
def test_excluded_features_never_violate(penalty):
    v, r = np.array([np.inf, 1.0, np.inf]), np.array([9.0, 9.0, 0.0])
    assert active_set.count_violations(r, v, penalty, np.zeros(3, bool)) == 1
    assert active_set.count_violations(r, v, penalty, np.ones(3, bool)) == 0


def test_leave_removes_wrong_signs_only(make_problem, new_model, cholesky_of, lower):
    G, g = make_problem(13, p=8)
    v, made = np.r_[0.0, np.ones(7)], new_model(g)
    made.b[:7] = 1.0
    model.factor_anew(G, g, v, 0.0, 0.0, made)
    made.b[:7] = -1.0, 1.0, -1.0, 2.0, 0.0, 1.0, -1.0  # the first is unpenalized
    active_set.leave(made)
    stay = [0, 1, 3, 5]
    assert made.members[: made.counts[MEMBERS]].tolist() == stay
    assert np.flatnonzero(made.is_member).tolist() == stay
    assert made.b.tolist() == [-1, 1, 0, 2, 0, 1, 0, 0]
    assert made.sign.tolist() == [0, 1, 0, 1, 0, 1, 0, 0]
    L, data, signs = cholesky_of(G, stay, g, made.sign)
    np.testing.assert_allclose(lower(made.factor, 4), L, atol=1e-12)
    np.testing.assert_allclose(made.data[:4], data, atol=1e-12)
    np.testing.assert_allclose(made.signs[:4], signs, atol=1e-12)


def test_extrapolate_moves_on_by_a_share_of_the_last_move():
    r, r_before = np.array([2.0, 5.0]), np.array([1.0, 7.0])
    active_set.extrapolate(r, r_before, 0.5)
    assert r.tolist() == [2.5, 4.0]
    assert r_before.tolist() == [2.0, 5.0]


def test_extrapolation_is_exact_between_knots(make_problem, new_model):
    G, g = make_problem(9)
    made = new_model(g)
    for penalty in (0.03, 0.0298, 0.0296):
        forecast, before = made.r.copy(), made.r_before.copy()
        active_set.extrapolate(forecast, before, 1.0)
        support = np.count_nonzero(made.b)
        advance(G, g, ONES, 1.0, penalty, made)
    assert np.count_nonzero(made.b) == support
    np.testing.assert_allclose(forecast, made.r, atol=1e-12)
