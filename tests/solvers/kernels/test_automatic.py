import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scifate_sklearn.solvers.kernels import _automatic as automatic
from scifate_sklearn.solvers.kernels._model import new_models
from scifate_sklearn.solvers.kernels._paths import Sets, Targets

N_LAMBDAS = 12


@given(penalty=st.floats(0.01, 20))
def test_interpolate_path_is_np_interp(penalty):
    lambdas = np.array([9.0, 3.0, 2.0, 0.1])
    path = np.random.default_rng(0).normal(size=(4, 3))
    out = np.empty(3)
    automatic.interpolate_path(lambdas, path, penalty, out)
    expected = [np.interp(penalty, lambdas[::-1], path[::-1, j]) for j in range(3)]
    np.testing.assert_allclose(out, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("penalty", [0.1, 1.0, 5.0, np.inf])
def test_interpolate_a_path_of_one(penalty):
    out = np.empty(2)
    automatic.interpolate_path(np.array([1.0]), np.array([[2.0, 3.0]]), penalty, out)
    assert out.tolist() == [2.0, 3.0]


@pytest.mark.parametrize("v", [[np.inf, np.inf], [np.inf, 0.0], [1.0, 2.0]])
def test_may_enter(v):
    assert automatic.may_enter(np.array(v)) == (min(v) < np.inf)


def solve_path(new_model, G, g, v, alpha=1.0, ratio=1e-4, tol=1e-14, max_iter=1000, n=100):
    grid, path = np.full((1, n), np.nan), np.full((n, g.size), np.nan)
    n_solved, failed = automatic.automatic_path(
        G, g, v, alpha, ratio, tol, max_iter, new_model(g), grid, path
    )
    assert np.isnan(grid[0, n_solved:]).all()
    return grid[0, :n_solved], path[:n_solved], failed


def test_automatic_path_follows_glmnets_rules(make_problem, new_model, minimum, penalties, kind):
    G, g = make_problem(4, n=60)
    alpha, v = penalties(kind, 6, 4)
    lambdas, path, failed = solve_path(new_model, G, g, v, alpha)
    assert failed == 0
    null = minimum(G, g, v, 1e9, 1e9 if alpha < 1 else 0.0)
    at = np.isfinite(v) & (v > 0)
    largest = (np.abs(g - G @ null)[at] / v[at]).max() / max(alpha, 1e-3)
    assert lambdas[0] == pytest.approx(largest, rel=1e-6)
    np.testing.assert_allclose(lambdas, lambdas[0] * 1e-4 ** (np.arange(len(lambdas)) / 99))
    np.testing.assert_allclose(path[0], null, atol=1e-8)
    for i in range(1, len(lambdas), 15):
        b = minimum(G, g, v, lambdas[i] * alpha, lambdas[i] * (1 - alpha))
        np.testing.assert_allclose(path[i], b, atol=1e-7)
    explained = [b @ (2 * g - G @ b) for b in path]
    has_ended = [
        i >= 4 and (explained[i] - explained[i - 1] < 1e-5 * explained[i] or explained[i] > 0.999)
        for i in range(len(path))
    ]
    assert not any(has_ended[:-1])
    assert has_ended[-1] or len(path) == 100


def test_automatic_path_ends_where_the_deviance_is_explained(new_model):
    one = np.array([1.0])
    lambdas, _, _ = solve_path(new_model, one[None], one, one)
    # R² = 1 − λ² for a target that is the predictor itself.
    assert 1 - lambdas[-1] ** 2 > 0.999 >= 1 - lambdas[-2] ** 2


def test_automatic_path_has_at_least_five_penalties(new_model):
    one = np.array([1.0])
    lambdas, _, _ = solve_path(new_model, one[None], one, one, ratio=1e-12, n=8)
    assert len(lambdas) == 5
    assert 1 - lambdas[1] ** 2 > 0.999


def test_automatic_path_goes_to_the_end_and_counts_failures(make_problem, new_model):
    G, g = make_problem(8)
    lambdas, _, failed = solve_path(new_model, G, g, np.ones(6), tol=-1.0, max_iter=1, n=4)
    assert len(lambdas) == failed == 4


def test_automatic_grids_of_a_block(make_problem, new_model):
    G, g = make_problem(9)
    factors = np.ones((4, 6))
    factors[2], factors[3, 1:] = np.inf, np.inf
    linear, y_scale = np.array([g, -2 * g / 3, g, g]), np.array([2.0, 0.0, 1.0, 0.5])
    lambdas = np.full((4, 30), 7.0)
    ratios = np.array([1e-2, 1e-2, 1e-2, 1e-4])
    failed = automatic.automatic_grids(
        new_models(1, 6), np.empty((1, 30)), np.empty((30, 6)), G, linear, y_scale, factors, ratios,
        0.8, 1e-14, 1000, lambdas,
    )  # fmt: skip
    assert failed == 0
    assert np.isnan(lambdas[1:3]).all()  # constant; without candidates
    for t in (0, 3):
        expected, _, _ = solve_path(
            new_model, G, linear[t], factors[t], 0.8, ratios[t], n=30
        )  # fmt: skip
        np.testing.assert_allclose(lambdas[t, : len(expected)], expected * y_scale[t])
        assert np.isnan(lambdas[t, len(expected) :]).all()


def test_automatic_errors_are_those_of_interpolated_models(make_problem, new_model):
    n_folds, n_targets, p, units = 2, 4, 5, np.array([0, 1, 4])
    rng = np.random.default_rng(0)
    problems = [make_problem(k, p=p) for k in range(n_folds)]
    held = [make_problem(50 + u, n=20, p=p) for u in range(4)]
    sets = Sets(
        np.array([G for G, _ in problems]), np.array([H for H, _ in held]), units, np.ones(4), 1
    )
    y_scale = np.array([[0.0, 0.5], [1.3, 0.7], [1.0, 1.0], [2.0, 1.0]])
    factors = np.ones((n_targets, p))
    factors[2], factors[3, 0] = np.inf, 0.0
    lambdas = np.tile(np.geomspace(1, 0.01, N_LAMBDAS), (n_targets, 1))
    lambdas[3, 7:] = np.nan
    targets = Targets(
        np.array([[g for _, g in problems]] * n_targets), y_scale,
        np.array([[h for _, h in held]] * n_targets), rng.uniform(0.5, 2, (n_targets, 4)),
        factors, lambdas, np.zeros(n_targets, np.intp), y_scale, np.full_like(y_scale, 0.9),
    )  # fmt: skip
    ratios = np.full((n_targets, n_folds), 1e-3)
    errors = np.zeros((n_targets, 4, N_LAMBDAS))
    failed = automatic.automatic_errors(
        new_models(1, p), np.empty((1, 40)), np.empty((40, p)), sets, targets, ratios, 0.9, 1e-14,
        1000, errors,
    )  # fmt: skip
    assert failed == 0
    for t, k in np.ndindex(y_scale.shape):
        scale = y_scale[t, k]
        if scale > 0 and np.isfinite(factors[t]).any():
            grid, path, _ = solve_path(new_model, *problems[k], factors[t], 0.9, 1e-3, n=40)
        else:
            grid, path = np.ones(1), np.zeros((1, p))
        for i, u in np.ndindex(N_LAMBDAS, 4):
            if not units[k] <= u < units[k + 1]:
                continue
            penalty = lambdas[t, i] / scale if scale > 0 else 1.0
            b = np.array([np.interp(penalty, grid[::-1], path[::-1, j]) for j in range(p)])
            H, h = held[u]
            expected = targets.held_square[t, u] + scale**2 * (b @ H @ b - 2 * h @ b)
            np.testing.assert_allclose(errors[t, u, i], expected, rtol=1e-9)
    assert np.isnan(errors[3, :, 7:]).all()
    assert np.isfinite(errors[:3]).all()
