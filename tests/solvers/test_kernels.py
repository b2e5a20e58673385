"""Every kernel as Python (`.py_func`, which coverage sees) and compiled, and what each promises."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numba.core.dispatcher import Dispatcher

from scifate_sklearn.solvers import kernels

KERNELS = sorted(name for name, value in vars(kernels).items() if isinstance(value, Dispatcher))
SEEDS = st.integers(0, 2**32 - 1)


def make_problem(seed, n=40, p=6, q=1):
    """Standardised X'X/n and X'y/n (q, p) of correlated predictors, ‖y‖²/n = 1."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) + 0.7 * rng.normal(size=(n, 1))
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    Y = X @ rng.normal(size=(p, q)) * (rng.random((p, q)) < 0.5)[:1] + rng.normal(size=(n, q))
    Y = (Y - Y.mean(axis=0)) / Y.std(axis=0)
    return X.T @ X / n, np.ascontiguousarray((X.T @ Y / n).T)


def make_sets(seed=0, n_folds=3, p=5, q=4):
    """Arguments of grid_errors and automatic_errors; the last target is constant everywhere."""
    rng = np.random.default_rng(seed)
    grams, linear = zip(*(make_problem(seed + k, 40, p, q) for k in range(n_folds)), strict=True)
    held, held_linear = zip(
        *(make_problem(seed + 50 + k, 20, p, q) for k in range(n_folds)), strict=True
    )
    y_scale = rng.uniform(0.5, 2, (q, n_folds))
    y_scale[-1], y_scale[-2, 0] = 0.0, 0.0
    candidates = rng.random((q, p)) < 0.9
    candidates[-1] = False
    weight = rng.uniform(5, 8, n_folds)
    data = (
        np.stack(grams), np.ascontiguousarray(np.stack(linear, 1)), y_scale, np.stack(held),
        np.ascontiguousarray(np.stack(held_linear, 1)), rng.uniform(0.5, 2, (q, n_folds)),
        np.arange(n_folds), candidates, np.ones((q, p)),
    )  # fmt: skip
    return data, weight


def objective(G, g, b, l1, l2):
    return 0.5 * b @ G @ b - g @ b + l1 @ np.abs(b) + 0.5 * l2 @ b**2


def solve(G, g, l1, l2, tol=1e-15, max_iter=100_000, candidates=None):
    p = len(g)
    b, r = np.zeros(p), g.copy()
    state = np.zeros(p, bool), np.empty(p, np.intp), 0, np.empty((p, p))
    candidates = np.arange(p) if candidates is None else candidates
    _, n_iter, gap = kernels.minimise(G, g, candidates, l1, l2, tol, max_iter, b, r, *state)
    return b, r, n_iter, gap


def penalties(seed, p, kind):
    rng = np.random.default_rng(seed)
    l1, l2 = rng.uniform(0.01, 0.4, p), np.zeros(p)
    if kind in ("elastic net", "mixed"):
        l2 = rng.uniform(0.01, 0.5, p)
    if kind == "ridge":
        l1, l2 = np.zeros(p), rng.uniform(0.01, 0.5, p)
    if kind in ("unpenalised", "mixed"):
        l1[:2], l2[:1] = 0.0, 0.0
    if kind == "unpenalised":
        l2[:2] = 0.0
    return l1, l2


KINDS = ["lasso", "elastic net", "ridge", "unpenalised", "mixed"]


def arguments_of(name):
    """Return (arguments, positions of the output arrays) of each kernel."""
    rng = np.random.default_rng(1)
    G, linear = make_problem(2, p=6, q=3)
    g, p = linear[0].copy(), 6
    l1, l2 = penalties(3, p, "mixed")
    everyone, b = np.arange(p), rng.normal(size=p) * (rng.random(p) < 0.7)
    r = g - G @ b
    factor, lambdas = np.ones(p), np.array([0.5, 0.3, 0.1, 0.03])
    positive = G + 0.1 * np.eye(p)
    data, weight = make_sets()
    q, n_folds = data[2].shape
    errors = np.empty((q, n_folds, 4))
    grids = np.tile(lambdas, (q, 1))
    auto = np.vstack([np.geomspace(1, 0.01, 4)] * q)
    auto[1, 2:], auto[-1] = np.nan, np.nan
    ratios = np.full((q, n_folds), 1e-3)
    target = (
        linear[:, :].copy(),
        np.array([1.3, 0.0, 0.6]),
        rng.random((3, p)) < 0.8,
        np.ones((3, p)),
    )
    target[2][2] = False
    path = np.vstack([np.zeros(p), b])
    return {
        "soft_threshold": [(1.5, 1.0)],
        "subtract_row": [(b.copy(), G, 2, 0.3), 0],
        "subtract_panel": [(positive.copy(), 4, rng.normal(size=(4, p))), 0],
        "renew_gradient": [(G, g, b, np.empty(p)), 3],
        "sweep": [(G, l1, l2, b.copy(), r.copy()), 3, 4],
        "duality_gap": [(g, b, r, everyone, l1, l2)],
        "enlarge": [
            (G, everyone, l1, r, np.zeros(p, bool), np.zeros(p, np.intp), 0, np.zeros((p, p))),
            4, 5, 7,
        ],
        "factorise": [(positive.copy(),), 0],
        "solve_positive_definite": [(positive.copy(), g.copy()), 1],
        "newton_direction": [
            (positive, l1, l2, b, r, np.flatnonzero(b), 0.1, np.empty(np.count_nonzero(b))), 7,
        ],
        "newton_step": [(G, l1, l2, b.copy(), r.copy()), 3, 4],
        "minimise_on_work": [(G, g, l1, l2, 1e-14, 1000, b.copy()), 6],
        "minimise": [
            (G, g, everyone, l1, l2, 1e-14, 1000, b.copy(), r.copy(), b != 0,
             np.r_[np.flatnonzero(b), np.flatnonzero(b == 0)], np.count_nonzero(b),
             G[np.ix_(*[np.r_[np.flatnonzero(b), np.flatnonzero(b == 0)]] * 2)].copy()),
            7, 8,
        ],
        "extrapolate": [(b.copy(), r.copy(), g.copy(), b.copy(), 0.4), 0, 1, 2, 3],
        "path_step": [(lambdas, 2)],
        "set_penalties": [(0.3, 0.7, rng.random(p), np.empty(p), np.empty(p)), 3, 4],
        "quadratic_error": [(b, g, G)],
        "weighted_mean_and_se": [(rng.random(5), rng.random(5))],
        "clearly_worse": [(rng.random(5) + 1, rng.random(5), rng.random(5))],
        "grid_errors": [(*data, weight, grids, False, 0.9, 1e-13, 1000, errors), 15],
        "solve_down_to": [
            (G, *target, np.tile(lambdas, (3, 1)), np.array([3, 2, -1]), 0.9, 1e-13, 1000,
             np.empty((3, p)), np.empty(3, np.intp), np.empty(3)), 10, 11,
        ],
        "automatic_path": [
            (G, g, everyone, factor, 0.8, 1e-3, 1e-13, 1000, np.zeros(20), np.zeros((20, p))), 8, 9,
        ],
        "smallest_empty_penalty": [(G, g, everyone, np.r_[0.0, 2.0, factor[2:]])],
        "empty_model_penalty": [(G, g, everyone, factor, 0.5, 1.3)],
        "interpolate_path": [(lambdas[:2], path, 0.4, np.empty(p)), 3],
        "automatic_grids": [
            (G, *target, np.full(3, 1e-3), 0.8, 1e-13, 1000, np.empty((3, 20))), 9,
        ],
        "automatic_errors": [
            (*data, ratios, auto, 20, 0.9, 1e-13, 1000, errors.copy()), 15,
        ],
    }[name]  # fmt: skip


@pytest.mark.parametrize("name", KERNELS)
def test_python_and_compiled_agree(name):
    arguments, *outputs = arguments_of(name)
    copies = [[a.copy() if isinstance(a, np.ndarray) else a for a in arguments] for _ in range(2)]
    kernel = getattr(kernels, name)
    results = kernel.py_func(*copies[0]), kernel(*copies[1])
    if results[1] is not None:
        np.testing.assert_allclose(*results, rtol=1e-9, atol=1e-13)
    if name == "enlarge":
        outputs = outputs[:2]
    for position in outputs:
        assert not np.array_equal(copies[0][position], arguments[position])
        np.testing.assert_allclose(copies[0][position], copies[1][position], rtol=1e-9, atol=1e-12)
    inputs = set(range(len(arguments))) - set(outputs)
    for position in inputs:
        if name in ("grid_errors", "automatic_errors", "renew_gradient", "duality_gap"):
            np.testing.assert_array_equal(copies[0][position], arguments[position])


@settings(deadline=None)  # the first call compiles
@given(z=st.floats(-5, 5), threshold=st.floats(0, 3))
@pytest.mark.parametrize("function", [kernels.soft_threshold, kernels.soft_threshold.py_func])
def test_soft_threshold(function, z, threshold):
    assert function(z, threshold) == np.sign(z) * max(abs(z) - threshold, 0.0)


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, kind=st.sampled_from(KINDS))
def test_duality_gap_bounds_the_excess(seed, kind):
    G, linear = make_problem(seed)
    g, p = linear[0], 6
    l1, l2 = penalties(seed, p, kind)
    best = solve(G, g, l1, l2)[0]
    rng = np.random.default_rng(seed)
    is_free = (l1 == 0) & (l2 == 0)
    for spread in (0.0, 1e-8, 1e-4, 0.01, 0.3):
        b = best + spread * rng.normal(size=p) * (rng.random(p) < 0.6)
        assume((np.abs(best) <= 1 + 2 * np.abs(b))[is_free].all())
        gap = kernels.duality_gap(g, b, g - G @ b, np.arange(p), l1, l2)
        excess = objective(G, g, b, l1, l2) - objective(G, g, best, l1, l2)
        assert gap >= excess - 1e-14
        assert gap >= -1e-15
        if spread == 0.0:
            assert gap <= 1e-13


def test_duality_gap_of_the_null_model_at_the_largest_penalty_is_zero():
    g = make_problem(1)[1][0]
    l1, l2 = np.full(6, np.abs(g).max()), np.zeros(6)
    assert kernels.duality_gap.py_func(g, np.zeros(6), g, np.arange(6), l1, l2) == 0.0
    assert kernels.duality_gap.py_func(g, np.zeros(6), g, np.arange(6), 0.9 * l1, l2) > 0.0


def test_minimise_max_iter_and_rounding_end_the_search():
    G, linear = make_problem(5, n=30, p=20)
    l1, l2 = np.full(20, 0.01), np.zeros(20)
    *_, n_iter, gap = solve(G, linear[0], l1, l2, max_iter=2)
    assert n_iter <= 2
    assert gap > 1e-15
    # No tolerance can be met below rounding; the search must still end, at a tiny gap.
    *_, n_iter, gap = solve(G, linear[0], l1, l2, tol=1e-30)
    assert n_iter < 10_000
    assert 0 <= gap < 1e-13


@pytest.mark.parametrize("max_iter", [0, 1, 50])
def test_minimise_on_work_counts_its_sweeps(max_iter):
    G, linear = make_problem(6, p=12)
    l1, l2 = np.full(12, 0.02), np.zeros(12)
    b = np.zeros(12)
    n_iter = kernels.minimise_on_work.py_func(G, linear[0], l1, l2, 1e-13, max_iter, b)
    assert n_iter <= max_iter
    assert (b != 0).any() == (max_iter > 0)
    if max_iter == 50:
        np.testing.assert_allclose(b, solve(G, linear[0], l1, l2)[0], atol=1e-8)


@pytest.mark.parametrize("tol", [1e-30, 1e-13])
@pytest.mark.parametrize("p", [4, 25])
def test_minimise_in_python_reaches_the_compiled_minimum(p, tol):
    G, linear = make_problem(7, n=30, p=p)
    l1, l2 = np.full(p, 0.01), np.zeros(p)
    b, r = np.zeros(p), linear[0].copy()
    state = np.zeros(p, bool), np.empty(p, np.intp), 0, np.empty((p, p))
    n_work, n_iter, gap = kernels.minimise.py_func(
        G, linear[0], np.arange(p), l1, l2, tol, 1000, b, r, *state
    )
    assert np.count_nonzero(b) <= n_work <= p
    assert n_iter >= 1
    assert gap < 1e-13
    np.testing.assert_allclose(b, solve(G, linear[0], l1, l2, tol)[0], atol=1e-12)
    np.testing.assert_allclose(r, linear[0] - G @ b, atol=1e-14)


def test_enlarge_skips_optimal_constant_and_present_features():
    G = np.eye(5) + 0.1
    G[3] = G[:, 3] = 0.0
    r, l1 = np.array([0.5, 0.1, -0.9, 4.0, 0.7]), np.full(5, 0.2)
    in_work, work, compact = np.zeros(5, bool), np.zeros(5, np.intp), np.zeros((5, 5))
    in_work[4], work[0], compact[0, 0] = True, 4, G[4, 4]
    for function in (kernels.enlarge.py_func, kernels.enlarge):
        state = in_work.copy(), work.copy(), 1, compact.copy()
        n_work = function(G, np.arange(5), l1, r, *state)
        assert n_work == 3
        assert state[1][:3].tolist() == [4, 0, 2]
        assert np.flatnonzero(state[0]).tolist() == [0, 2, 4]
        np.testing.assert_array_equal(state[3][:3, :3], G[np.ix_([4, 0, 2], [4, 0, 2])])


@pytest.mark.parametrize("n", [*range(1, 10), 16, 33])
def test_solve_positive_definite(n):
    rng = np.random.default_rng(n)
    root = rng.normal(size=(n, n + 3))
    A, x = root @ root.T, rng.normal(size=n)
    solutions = []
    for function in (kernels.solve_positive_definite.py_func, kernels.solve_positive_definite):
        solution, spoiled = x.copy(), A.copy()
        assert function(spoiled, solution)
        np.testing.assert_allclose(A @ solution, x, rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(np.tril(spoiled).T @ np.tril(spoiled), A, rtol=1e-10, atol=1e-12)
        solutions.append(solution)
    np.testing.assert_allclose(*solutions, rtol=1e-8)


@pytest.mark.parametrize("n", [2, 5, 9])
def test_singular_matrices_are_recognised(n):
    rng = np.random.default_rng(n)
    X = rng.normal(size=(30, n))
    X[:, -1] = X[:, 0]
    for function in (kernels.factorise.py_func, kernels.factorise):
        assert not function(X.T @ X)
        assert not function(np.zeros((n, n)))
    for function in (kernels.solve_positive_definite.py_func, kernels.solve_positive_definite):
        assert not function(X.T @ X, np.ones(n))


@settings(max_examples=100, deadline=None)
@given(seed=SEEDS, kind=st.sampled_from(["lasso", "elastic net", "mixed"]))
def test_newton_step_lowers_the_objective_and_flips_no_penalised_sign(seed, kind):
    G, linear = make_problem(seed)
    rng = np.random.default_rng(seed)
    g, b = linear[0], rng.normal(size=6) * (rng.random(6) < 0.7)
    l1, l2 = penalties(seed, 6, kind)
    after, r = b.copy(), g - G @ b
    is_full = kernels.newton_step(G, l1, l2, after, r)
    tolerance = 1e-13 * (1 + abs(objective(G, g, b, l1, l2)))
    assert objective(G, g, after, l1, l2) <= objective(G, g, b, l1, l2) + tolerance
    assert (after * b >= 0)[l1 > 0].all()
    assert not after[b == 0].any()
    np.testing.assert_allclose(r, g - G @ after, atol=1e-12)
    support = np.flatnonzero(b)
    gradient = r - l2 * after - l1 * np.sign(b)
    if is_full:
        np.testing.assert_allclose(gradient[support], 0, atol=1e-10)
    else:
        assert np.count_nonzero(after) == np.count_nonzero(b) - 1


def test_newton_step_empties_the_dearer_of_two_collinear_columns():
    G, g = np.ones((2, 2)), np.array([0.8, 0.8])
    l1, l2 = np.array([0.1, 0.2]), np.zeros(2)
    for function in (kernels.newton_step, kernels.newton_step.py_func):
        b, r = np.array([0.3, 0.2]), g - 0.5
        before = objective(G, g, b, l1, l2)
        assert not function(G, l1, l2, b, r)
        assert (b[0] > 0.3, b[1]) == (True, 0.0)
        assert objective(G, g, b, l1, l2) < before
        np.testing.assert_allclose(r, g - G @ b, atol=1e-15)


def test_newton_step_without_any_curvature_does_nothing():
    for function in (kernels.newton_step, kernels.newton_step.py_func):
        b, r = np.array([0.3, 0.2]), np.ones(2)
        assert not function(np.zeros((2, 2)), np.full(2, 0.1), np.zeros(2), b, r)
        assert b.tolist() == [0.3, 0.2]


def test_newton_step_stops_in_python_where_a_coefficient_vanishes():
    G, linear = make_problem(11)
    b = -0.01 * np.sign(linear[0])
    r = linear[0] - G @ b
    assert not kernels.newton_step.py_func(G, np.full(6, 0.05), np.zeros(6), b, r)
    assert np.count_nonzero(b) == 5


@settings(deadline=None)  # the first call compiles
@given(penalty=st.floats(0.01, 20))
@pytest.mark.parametrize("function", [kernels.interpolate_path, kernels.interpolate_path.py_func])
def test_interpolate_path_is_np_interp(function, penalty):
    lambdas = np.array([9.0, 3.0, 2.0, 0.1])
    path = np.random.default_rng(0).normal(size=(4, 3))
    out = np.empty(3)
    function(lambdas, path, penalty, out)
    expected = [np.interp(penalty, lambdas[::-1], path[::-1, j]) for j in range(3)]
    np.testing.assert_allclose(out, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("penalty", [0.1, 1.0, 5.0])
def test_interpolate_a_path_of_one(penalty):
    out = np.empty(2)
    kernels.interpolate_path.py_func(np.array([1.0]), np.array([[2.0, 3.0]]), penalty, out)
    assert out.tolist() == [2.0, 3.0]


@pytest.mark.parametrize("alpha", [1.0, 0.5, 0.0])
@pytest.mark.parametrize("function", [kernels.automatic_path, kernels.automatic_path.py_func])
def test_automatic_path_follows_glmnets_rules(function, alpha):
    G, linear = make_problem(4, n=60)
    g, p, factor = linear[0], 6, np.ones(6)
    lambdas, path = np.zeros(100), np.zeros((100, p))
    n_solved, failed = function(
        G, g, np.arange(p), factor, alpha, 1e-4, 1e-14, 10_000, lambdas, path
    )
    assert failed == 0
    assert lambdas[0] == pytest.approx(np.abs(g).max() / max(alpha, 1e-3), rel=1e-14)
    np.testing.assert_allclose(
        lambdas[:n_solved], lambdas[0] * 1e-4 ** (np.arange(n_solved) / 99), rtol=1e-12
    )
    assert not path[0].any()
    explained = [b @ (2 * g - G @ b) for b in path[:n_solved]]
    for i in range(n_solved):
        best = solve(G, g, *(np.full(p, lambdas[i] * a) for a in (alpha, 1 - alpha)))[0]
        if i:
            np.testing.assert_allclose(path[i], best, atol=1e-6)
    has_ended = [
        i >= 4 and (explained[i] - explained[i - 1] < 1e-5 * explained[i] or explained[i] > 0.999)
        for i in range(n_solved)
    ]
    assert not any(has_ended[:-1])
    assert has_ended[-1] or n_solved == 100


def test_automatic_path_ends_where_the_deviance_is_explained():
    G = np.array([[1.0]])
    for function in (kernels.automatic_path, kernels.automatic_path.py_func):
        lambdas, path = np.zeros(100), np.zeros((100, 1))
        n_solved, _ = function(
            G, np.array([1.0]), np.arange(1), np.ones(1), 1.0, 1e-4, 1e-14, 100, lambdas, path
        )
        # R² = 1 − λ² for a target that is the predictor itself.
        assert 1 - lambdas[n_solved - 1] ** 2 > 0.999 >= 1 - lambdas[n_solved - 2] ** 2


def test_automatic_path_that_goes_to_the_end_and_counts_failures():
    G, linear = make_problem(8)
    for function in (kernels.automatic_path, kernels.automatic_path.py_func):
        lambdas, path = np.zeros(4), np.zeros((4, 6))
        rest = 1.0, 1e-3, 0.0, 1, lambdas, path
        n_solved, failed = function(G, linear[0], np.arange(6), np.ones(6), *rest)
        assert n_solved == 4
        assert 2 <= failed <= 4


def test_smallest_empty_penalty_ignores_free_and_constant_predictors():
    G, r = np.diag([1.0, 0.0, 1.0, 1.0]), np.array([0.3, 9.0, -0.8, 7.0])
    for function in (kernels.smallest_empty_penalty, kernels.smallest_empty_penalty.py_func):
        factor = np.array([0.5, 1.0, 2.0, 0.0])
        assert function(G, r, np.arange(4), factor) == 0.6


@pytest.mark.parametrize(
    "function", [kernels.empty_model_penalty, kernels.empty_model_penalty.py_func]
)
def test_empty_model_penalty(function):
    G, linear = make_problem(10)
    g, everyone, ones = linear[0], np.arange(6), np.ones(6)
    assert function(G, g, everyone, ones, 0.5, 0.0) == 0.0
    assert function(G, g, everyone, ones, 0.0, 2.0) == np.inf
    assert function(G, g, everyone, np.r_[0.0, ones[1:]], 0.5, 2.0) == np.inf
    bound = function(G, g, everyone, ones, 0.5, 2.0)
    assert bound == pytest.approx(np.abs(g).max() / 0.5 * 2.0)
    for share, is_empty in [(1.001, True), (0.99, False)]:
        l1 = l2 = np.full(6, share * bound / 2.0 * 0.5)
        assert (not solve(G, g, l1, l2)[0].any()) == is_empty


@pytest.mark.parametrize("function", [kernels.path_step, kernels.path_step.py_func])
def test_path_step(function):
    lambdas = np.array([8.0, 4.0, 3.0, 3.0, 2.0, 0.0])
    steps = [function(lambdas, i) for i in range(6)]
    assert steps == [0.0, 0.0, 0.25, 0.0, 0.0, 1.0]


@pytest.mark.parametrize("function", [kernels.extrapolate, kernels.extrapolate.py_func])
def test_extrapolate_is_exact_on_a_linear_path(function):
    # The LASSO path is linear between its knots, and so is the gradient.
    G, linear = make_problem(9)
    g, zero = linear[0], np.zeros(6)
    lambdas = np.array([0.03, 0.0298, 0.0296])
    first, second, third = (solve(G, g, np.full(6, penalty), zero)[0] for penalty in lambdas)
    assert ((first != 0) == (third != 0)).all()
    b, r, b_before, r_before = second.copy(), g - G @ second, first.copy(), g - G @ first
    function(b, r, b_before, r_before, kernels.path_step(lambdas, 2))
    np.testing.assert_allclose(b, third, atol=1e-9)
    np.testing.assert_allclose(r, g - G @ third, atol=1e-9)
    np.testing.assert_array_equal(b_before, second)
    assert not b[second == 0].any()


@pytest.mark.parametrize("adaptive", [False, True])
@pytest.mark.parametrize("function", [kernels.grid_errors, kernels.grid_errors.py_func])
def test_grid_errors_against_single_solves(function, adaptive):
    data, weight = make_sets(2, n_folds=5, q=5)
    grams, linear, y_scale, held, held_linear, square, _, candidates, factors = data
    q, n_folds = y_scale.shape
    lambdas = np.tile(np.geomspace(2, 0.001, 25), (q, 1))
    errors = np.empty((q, n_folds, 25))
    failed = function(*data, weight, lambdas, adaptive, 0.9, 1e-14, 10_000, errors)
    assert failed == 0
    expected = np.empty_like(errors)
    for t, u, i in np.ndindex(errors.shape):
        b, scale, penalty = np.zeros(5), y_scale[t, u], lambdas[t, i]
        if scale > 0:
            l1, l2 = penalty / scale * 0.9 * factors[t], penalty / scale * 0.1 * factors[t]
            b = solve(grams[u], linear[t, u], l1, l2, candidates=np.flatnonzero(candidates[t]))[0]
        expected[t, u, i] = square[t, u] + scale**2 * (b @ held[u] @ b - 2 * held_linear[t, u] @ b)
    if not adaptive:
        np.testing.assert_allclose(errors, expected, rtol=1e-6)
        return
    for t in range(q):
        n_visited = adaptive_stop(expected[t], weight)
        np.testing.assert_allclose(errors[t, :, :n_visited], expected[t, :, :n_visited], rtol=1e-6)
        assert np.isnan(errors[t, :, n_visited:]).all()
    assert np.isnan(errors).any()


def mean_and_se(errors, weight):
    mean = np.average(errors, weights=weight)
    return mean, np.sqrt(np.average((errors - mean) ** 2, weights=weight) / (len(errors) - 1))


def adaptive_stop(errors, weight):
    """Return how many penalties are visited: up to the first that is clearly worse."""
    best = 0
    for i in range(errors.shape[1]):
        if mean_and_se(errors[:, i], weight)[0] < mean_and_se(errors[:, best], weight)[0]:
            best = i
        excess, paired_se = mean_and_se(errors[:, i] - errors[:, best], weight)
        best_se = mean_and_se(errors[:, best], weight)[1]
        if (
            excess > kernels.ADAPTIVE_PAIRED_SE * paired_se
            and excess > kernels.ADAPTIVE_SE * best_se
        ):
            return i + 1
    return errors.shape[1]


def test_solve_down_to_reports_sweeps_and_gaps():
    G, linear = make_problem(12, q=2)
    lambdas = np.tile(np.geomspace(0.5, 0.01, 8), (2, 1))
    for function in (kernels.solve_down_to, kernels.solve_down_to.py_func):
        coef, n_iter, gaps = np.empty((2, 6)), np.empty(2, np.intp), np.empty(2)
        function(
            G, linear, np.array([2.0, 0.5]), np.ones((2, 6), bool), np.ones((2, 6)), lambdas,
            np.array([7, 3]), 1.0, 1e-14, 1000, coef, n_iter, gaps,
        )  # fmt: skip
        for t, (stop, scale) in enumerate([(7, 2.0), (3, 0.5)]):
            l1 = np.full(6, lambdas[t, stop] / scale)
            np.testing.assert_allclose(coef[t], solve(G, linear[t], l1, 0 * l1)[0], atol=1e-7)
        assert (gaps <= 1e-14).all()
        assert (n_iter >= np.array([8, 4])).all()
