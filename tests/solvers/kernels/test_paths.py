import numpy as np
import pytest

from scifate_sklearn.solvers.kernels import _paths as paths
from scifate_sklearn.solvers.kernels._model import new_models

N_LAMBDAS = 25


@pytest.mark.parametrize(
    ("i", "expected"), [(0, 0.0), (1, 0.0), (2, 0.25), (3, 0.0), (4, 0.0), (5, 1.0)]
)
def test_path_step(i, expected):
    assert (
        paths.path_step(np.array([[np.nan] * 6, [8.0, 4.0, 3.0, 3.0, 2.0, 0.0]]), 1, i) == expected
    )


@pytest.mark.parametrize(
    ("last", "is_falling", "may_end", "expected"),
    [
        (0, True, False, 3),  # until the first of the models may have a member
        (3, True, False, 9),
        (3, True, True, 9),
        (3, False, True, 5),
        (3, False, False, 15),
        (18, True, True, 20),
        (19, False, True, 20),
    ],
)
def test_next_turn(last, is_falling, may_end, expected):
    targets = empty_down_to(0.0, 17.5, 3.0)
    assert paths.next_turn(targets, 0, 20, last, is_falling, may_end) == expected


def empty_down_to(*penalties):
    """Return a target of one feature whose models are empty down to these penalties."""
    lambdas, nothing = np.arange(20.0, 0.0, -1.0)[None], np.empty((1, 0))
    scale = np.array([penalties])
    return paths.Targets(
        np.ones((1, len(penalties), 1)), scale, nothing, nothing, np.ones((1, 1)),
        lambdas, np.array([19]), scale, np.ones_like(scale),
    )  # fmt: skip


@pytest.mark.parametrize(("empty_from", "expected"), [(np.inf, 1), (30.0, 1), (0.0, 7)])
def test_the_first_turn_is_at_least_one_penalty_and_at_most_all(empty_from, expected):
    assert paths.next_turn(empty_down_to(empty_from), 0, 7, 0, True, False) == expected


def make_arguments(make_problem, n_targets=5, n_folds=4, p=5, units_per_fold=1):
    """Return sets and targets; the last target is constant, the one before it in a training set.

    The first feature matters in training and test sets alike. The last one does not in the test
    sets, so that the errors fall, and rise again where it enters.
    """
    rng = np.random.default_rng(0)
    n_units = n_folds * units_per_fold
    sets = paths.Sets(
        np.array([make_problem(k, p=p)[0] for k in range(n_folds)]),
        np.array([make_problem(70 + u, p=p)[0] for u in range(n_units)]),
        units_per_fold * np.arange(n_folds + 1),
        rng.uniform(5, 8, n_units),
        1,
    )
    y_scale = rng.uniform(0.9, 1.1, (n_targets, n_folds))
    y_scale[-1], y_scale[-2, 0] = 0.0, 0.0
    v = rng.uniform(0.5, 2, (n_targets, p))
    v[1, 0], v[2, 3] = 0.0, np.inf
    truth = rng.normal(size=(n_targets, p)) * 0.02
    truth[:, 0] = 0.9
    held_linear = np.einsum("uij,tj->tui", sets.held_grams, truth)
    truth[:, -1] += 0.4
    targets = paths.Targets(
        np.einsum("kij,tj->tki", sets.grams, truth), y_scale,
        held_linear, rng.uniform(1.0, 1.1, (n_targets, n_units)), v,
        np.tile(np.geomspace(2, 0.001, N_LAMBDAS), (n_targets, 1)),
        np.full(n_targets, N_LAMBDAS - 1), y_scale, np.ones_like(y_scale),
    )  # fmt: skip
    return sets, targets


def follow(sets, targets, adaptive, alpha, max_iter=1000):
    n_targets, n_folds, p = targets.linear.shape
    errors = np.full((n_targets, len(sets.held_weight), targets.lambdas.shape[1]), np.nan)
    coef, gaps = np.zeros((n_targets, n_folds, p)), np.zeros((n_targets, n_folds))
    n_iter = np.zeros((n_targets, n_folds), np.intp)
    targets = targets._replace(alpha=np.full_like(targets.y_scale, alpha))
    failed = paths.follow_grids(
        new_models(n_folds if adaptive else 1, p), sets, targets, adaptive, 1e-14, max_iter,
        errors, coef, n_iter, gaps,
    )  # fmt: skip
    return errors, failed, coef, n_iter, gaps


@pytest.mark.parametrize("alpha", [1.0, 0.5, 0.0])
@pytest.mark.parametrize("units_per_fold", [1, 3])
def test_errors_are_those_of_single_solves(make_problem, minimum, alpha, units_per_fold):
    sets, targets = make_arguments(make_problem, n_folds=2, units_per_fold=units_per_fold)
    errors, failed, coef, n_iter, gaps = follow(sets, targets, False, alpha)
    assert failed == 0
    assert (gaps <= 1e-14).all()
    assert np.isfinite(errors).all()
    for t, k in np.ndindex(targets.y_scale.shape):
        scale, G, g = targets.y_scale[t, k], sets.grams[k], targets.linear[t, k]
        assert (n_iter[t, k] > 0) == (scale > 0)
        for i in range(0, N_LAMBDAS, 6):
            b = np.zeros(5)
            if scale > 0:
                penalty = targets.lambdas[t, i] / scale
                b = minimum(G, g, targets.factors[t], penalty * alpha, penalty * (1 - alpha))
            for u in range(sets.first_unit[k], sets.first_unit[k + 1]):
                gain = b @ sets.held_grams[u] @ b - 2 * targets.held_linear[t, u] @ b
                expected = targets.held_square[t, u] + scale**2 * gain
                assert errors[t, u, i] == pytest.approx(expected, rel=1e-8)
        np.testing.assert_allclose(coef[t, k], b, atol=1e-8)  # of the last penalty


@pytest.mark.parametrize("alpha", [1.0, 0.5, 0.0])
@pytest.mark.parametrize("units_per_fold", [1, 3])
def test_an_adaptive_path_is_the_full_path_up_to_its_stop(make_problem, alpha, units_per_fold):
    sets, targets = make_arguments(make_problem, units_per_fold=units_per_fold)
    full = follow(sets, targets, False, alpha)[0]
    assert (targets.stop == N_LAMBDAS - 1).all()
    adaptive, failed, *_ = follow(sets, targets, True, alpha)
    assert failed == 0
    stopped = 0
    for t, stop in enumerate(targets.stop):
        np.testing.assert_allclose(adaptive[t, :, : stop + 1], full[t, :, : stop + 1], rtol=1e-8)
        expected, _, _ = paths.stop_of_path(full[t], sets.held_weight, 1, 0, N_LAMBDAS, 0, np.inf)
        assert stop == (expected if expected >= 0 else N_LAMBDAS - 1)
        # A turn may continue beyond the stop for a few penalties; later ones are not written.
        assert np.isnan(adaptive[t, :, stop + paths.FLAT_STRIDE :]).all()
        stopped += stop < N_LAMBDAS - paths.FLAT_STRIDE
    assert stopped > 0 or alpha == 0.0
    assert targets.stop[-1] == N_LAMBDAS - 1  # the constant target


@pytest.mark.parametrize("adaptive", [False, True])
def test_nothing_is_done_beyond_the_given_stop(make_problem, adaptive):
    sets, targets = make_arguments(make_problem)
    whole = follow(sets, targets, False, 1.0)
    targets.stop[:] = -1, 0, 3, 9, 24
    errors, _, coef, n_iter, _ = follow(sets, targets, adaptive, 1.0)
    for t, stop in enumerate([-1, 0, 3, 9, 24]):
        np.testing.assert_allclose(errors[t, :, : stop + 1], whole[0][t, :, : stop + 1], rtol=1e-10)
        assert np.isnan(errors[t, :, stop + 1 :]).all()
    assert not coef[0].any()
    assert not n_iter[0].any()
    assert (n_iter[1:4] < whole[3][1:4]).any()


def test_sets_without_test_units_have_models_only(make_problem, minimum):
    sets, targets = make_arguments(make_problem, n_folds=1, n_targets=3)
    y_scale = np.array([[2.0], [0.5], [1.0]])
    sets = paths.Sets(sets.grams, sets.held_grams[:0], np.zeros(2, np.intp), np.empty(0), 1)
    targets = targets._replace(
        y_scale=y_scale,
        unit=y_scale,
        held_linear=np.empty((3, 0, 5)),
        held_square=np.empty((3, 0)),
    )
    targets.stop[:] = 24, 12, -1
    errors, failed, coef, _, gaps = follow(sets, targets, False, 1.0)
    assert errors.shape == (3, 0, N_LAMBDAS)
    assert failed == 0
    assert (gaps <= 1e-14).all()
    for t, stop in enumerate([24, 12]):
        l1 = targets.lambdas[t, stop] / y_scale[t, 0]
        expected = minimum(sets.grams[0], targets.linear[t, 0], targets.factors[t], l1, 0.0)
        np.testing.assert_allclose(coef[t, 0], expected, atol=1e-10)
    assert not coef[2].any()


def test_problems_that_do_not_converge_are_counted(make_problem, monkeypatch):
    def stuck(G, g, v, alpha, penalty, step, tol, max_iter, model):
        return 5, 2.0 * tol

    monkeypatch.setattr(paths, "advance", stuck)
    sets, targets = make_arguments(make_problem)
    _, failed, _, n_iter, gaps = follow(sets, targets, False, 1.0)
    # The second target, with an unpenalized feature, is never empty; the last one always.
    assert (n_iter[1] == 5 * N_LAMBDAS).all()
    assert not n_iter[-1].any()
    assert 5 * failed == n_iter.sum()
    assert (gaps[n_iter > 0] == 2e-14).all()


@pytest.mark.parametrize("adaptive", [False, True])
def test_the_inputs_are_left_alone(make_problem, adaptive):
    sets, targets = make_arguments(make_problem)
    # An adaptive path lowers `stop`.
    inputs = [array for name, array in targets._asdict().items() if name != "stop"]
    before = [array.copy() for array in (*sets[:-1], *inputs)]
    follow(sets, targets, adaptive, 1.0)
    for array, copy in zip((*sets[:-1], *inputs), before, strict=True):
        np.testing.assert_array_equal(array, copy)
