import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scifate_sklearn.solvers.kernels import _descent as descent


def descend(G, g, v, l1, l2, model, tol=1e-14, max_iter=1000):
    return descent.descend(G, g, v, l1, l2, tol, max_iter, model)


@pytest.mark.parametrize("seed", range(3))
def test_descent_finds_the_minimum(make_problem, new_model, penalties, minimum, kind, seed):
    G, g = make_problem(seed)
    alpha, v = penalties(kind, 6, seed)
    model = new_model(g)
    for penalty in (0.3, 0.01, 0.1):
        l1, l2 = penalty * alpha, penalty * (1 - alpha)
        n_iter, gap = descend(G, g, v, l1, l2, model)
        assert n_iter >= 1
        assert gap <= 1e-14
        np.testing.assert_allclose(model.b, minimum(G, g, v, l1, l2), atol=1e-7)
        np.testing.assert_allclose(model.r, g - G @ model.b, atol=1e-14)


def test_descent_solves_singular_problems(singular_problem, new_model, violation):
    G, g, alpha, v = singular_problem
    model = new_model(g)
    _, gap = descend(G, g, v, 0.02 * alpha, 0.02 * (1 - alpha), model)
    assert gap <= 1e-14
    assert violation(G, g, model.b, v, 0.02 * alpha, 0.02 * (1 - alpha)) < 1e-7


def test_an_optimal_start_takes_no_round(make_problem, new_model):
    G, g = make_problem(3)
    assert descend(G, g, np.ones(6), np.abs(g).max(), 0.0, new_model(g)) == (0, 0.0)


@pytest.mark.parametrize("max_iter", [0, 1, 2])
def test_max_iter_ends_the_search(make_problem, new_model, max_iter):
    G, g = make_problem(5, n=30, p=20)
    n_iter, gap = descend(G, g, np.ones(20), 0.01, 0.0, new_model(g), max_iter=max_iter)
    assert n_iter == max_iter
    assert gap > 1e-14


def test_the_search_ends_at_rounding_error(make_problem, new_model):
    G, g = make_problem(5)
    n_iter, gap = descend(G, g, np.ones(6), 0.01, 0.0, new_model(g), tol=-1.0)
    assert n_iter < 100
    assert 0.0 <= gap < 1e-14


@pytest.mark.parametrize("seed", range(3))
def test_a_sweep_minimizes_over_one_coefficient_after_the_other(make_problem, objective, seed):
    G, g = make_problem(seed, constants=1)
    rng = np.random.default_rng(seed)
    v, l1, l2 = rng.uniform(0, 2, 6), 0.2, 0.1
    b = rng.normal(size=6) * (np.arange(6) < 5)
    r = g - G @ b
    for j in (4, 0, 5):
        descent.sweep(G, np.array([j]), 1, v, l1, l2, b, r)
        at_minimum = objective(G, g, b, v, l1, l2)
        for shift in (-1e-4, 1e-4):
            moved = b.copy()
            moved[j] += shift
            assert objective(G, g, moved, v, l1, l2) > at_minimum
    np.testing.assert_allclose(r, g - G @ b, atol=1e-14)
    assert b[5] == 0.0  # a constant feature never enters


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), l2=st.sampled_from([0.0, 0.2]), has_free=st.booleans())
def test_newton_steps_lower_the_objective_and_flip_no_penalized_sign(
    make_problem, new_model, objective, seed, l2, has_free
):
    G, g = make_problem(seed)
    rng = np.random.default_rng(seed)
    v = rng.uniform(0.1, 2, 6) * (np.arange(6) >= has_free)
    model = new_model(g)
    before = rng.normal(size=6) * (rng.random(6) < 0.7)
    model.b[:] = before
    model.r[:] = g - G @ before
    is_full = descent.newton_step(G, v, 0.1, l2, model)
    after, support = model.b, np.flatnonzero(before)
    assert objective(G, g, after, v, 0.1, l2) <= objective(G, g, before, v, 0.1, l2) + 1e-13
    assert (after * before >= 0)[v > 0].all()
    assert not after[before == 0].any()
    np.testing.assert_allclose(model.r, g - G @ after, atol=1e-12)
    if is_full:
        gradient = model.r - l2 * v * after - 0.1 * v * np.sign(before)
        np.testing.assert_allclose(gradient[support], 0, atol=1e-10)
    else:
        assert np.count_nonzero(after) == support.size - 1
        assert (v[support] > 0)[after[support] == 0].all()


def test_a_newton_step_removes_the_copy_of_larger_penalty(new_model, objective):
    G, g, v = np.ones((2, 2)), np.array([0.8, 0.8]), np.array([1.0, 2.0])
    model = new_model(g)
    model.b[:], model.r[:] = [0.3, 0.2], g - 0.5
    before = objective(G, g, model.b, v, 0.1, 0.0)
    assert not descent.newton_step(G, v, 0.1, 0.0, model)
    assert model.b[0] > 0.3
    assert model.b[1] == 0.0
    assert objective(G, g, model.b, v, 0.1, 0.0) < before
    np.testing.assert_allclose(model.r, g - G @ model.b, atol=1e-15)


def test_a_newton_step_without_any_curvature_does_nothing(new_model):
    model = new_model(np.ones(2))
    model.b[:] = 0.3, 0.2
    assert not descent.newton_step(np.zeros((2, 2)), np.ones(2), 0.1, 0.0, model)
    assert model.b.tolist() == [0.3, 0.2]


@pytest.mark.parametrize("p", [31, 32, 64])
def test_a_large_model_is_swept_more_often(new_model, monkeypatch, p):
    sweeps, original = [], descent.sweep
    monkeypatch.setattr(descent, "sweep", lambda *a: (sweeps.append(a), original(*a)))
    g = np.ones(p)
    descend(np.eye(p), g, np.ones(p), 0.1, 0.0, new_model(g), max_iter=1)
    assert len(sweeps) == 1 + p // descent.SIZE_PER_SWEEP
