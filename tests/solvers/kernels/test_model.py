import numpy as np
import pytest

from scifate_sklearn.solvers.kernels import _model as kernels
from scifate_sklearn.solvers.kernels._model import EVER, IS_FACTORED, KNOWN, MEMBERS


def ever(model):
    return model.ever[: model.counts[EVER]].tolist()


def members(model):
    return model.members[: model.counts[MEMBERS]].tolist()


def test_clear_resets_the_model(make_problem, new_model):
    G, g = make_problem(0)
    model = new_model(g)
    model.b[[1, 4]] = 1.0, -2.0
    kernels.factor_anew(G, g, np.ones(6), 0.0, 0.0, model)
    model.counts[KNOWN] = 2
    kernels.clear(model, 2.0 * g)
    for array in (model.b, model.sign, model.is_member, model.is_ever):
        assert not array.any()
    np.testing.assert_array_equal(model.r, 2.0 * g)
    np.testing.assert_array_equal(model.r_before, 2.0 * g)
    assert model.counts.tolist() == [0, 1, 0, 0]


def test_models_do_not_overlap():
    models = kernels.new_models(2, 5)
    first, second = (kernels.model_of(models, k) for k in range(2))
    kernels.clear(first, np.ones(5))
    kernels.clear(second, np.full(5, 2.0))
    assert first.r.tolist() == [1.0] * 5
    for name in ("b", "r", "ever", "members", "factor", "held", "counts", "data"):
        assert not np.shares_memory(getattr(first, name), getattr(second, name))
    for name in ("rows", "products", "solution", "packed", "work", "candidates", "is_in_work"):
        assert np.shares_memory(getattr(first, name), getattr(second, name))


@pytest.mark.parametrize("size", [0, 1, 4, 5, 11])
def test_factor_anew_takes_the_coefficients_that_are_not_zero(
    make_problem, new_model, cholesky_of, lower, size
):
    G, g = make_problem(size, p=12)
    rng = np.random.default_rng(size)
    v, right, model = rng.uniform(0, 2, 12), rng.normal(size=12), new_model(g)
    at = np.sort(rng.permutation(12)[:size])
    model.b[at] = rng.normal(size=size)
    model.is_member[:], model.sign[:] = True, 7.0  # from an earlier active set
    assert kernels.factor_anew(G, right, v, 0.2, 0.0, model)
    assert members(model) == ever(model) == at.tolist()
    assert model.counts[IS_FACTORED] == 1
    assert np.flatnonzero(model.is_member).tolist() == at.tolist()
    np.testing.assert_array_equal(model.sign, v * np.sign(model.b))
    L, data, signs = cholesky_of(G + 0.2 * np.diag(v), at, right, model.sign)
    np.testing.assert_allclose(lower(model.factor, size), L, atol=1e-12)
    np.testing.assert_allclose(model.data[:size], data, atol=1e-12)
    np.testing.assert_allclose(model.signs[:size], signs, atol=1e-12)


def test_collinear_members_are_listed_but_not_factored(make_problem, new_model):
    G, g = make_problem(1, p=9, copies=2)
    model = new_model(g)
    model.b[[0, 2, 3, 5, 6, 7]] = 1.0
    assert not kernels.factor_anew(G, g, np.ones(9), 0.0, 0.0, model)
    assert members(model) == ever(model) == [0, 2, 3, 5, 6, 7]
    assert model.counts[IS_FACTORED] == 0
    assert kernels.factor_anew(G, g, np.ones(9), 0.0, 1e-8, model)
    assert model.counts[IS_FACTORED] == 1


def test_ever_keeps_the_order_in_which_features_joined(make_problem, new_model):
    G, g = make_problem(2)
    model = new_model(g)
    for support, expected in [([4], [4]), ([1, 4], [4, 1]), ([0], [4, 1, 0]), ([1], [4, 1, 0])]:
        model.b[:] = 0.0
        model.b[support] = 1.0
        kernels.factor_anew(G, g, np.ones(6), 0.0, 0.0, model)
        assert ever(model) == expected
        assert members(model) == support


def test_solve_members_counts_wrong_signs(make_problem, new_model):
    G, g = make_problem(3)
    v, l1, at = np.array([0.0, 1, 1, 2, 1, 1]), 0.1, [0, 2, 3, 5]
    model = new_model(g)
    model.b[at] = 1.0, 1.0, -1.0, 1.0
    kernels.factor_anew(G, g, v, 0.0, 0.0, model)
    n_wrong = kernels.solve_members(l1, model)
    sign = np.array([1.0, 1.0, -1.0, 1.0])
    expected = np.linalg.solve(G[np.ix_(at, at)], g[at] - l1 * v[at] * sign)
    np.testing.assert_allclose(model.b[at], expected, atol=1e-13)
    assert n_wrong == ((expected * sign <= 0) & (v[at] > 0)).sum()


def test_a_member_at_zero_has_the_wrong_sign_unless_it_is_unpenalized(new_model):
    g = np.array([0.3, 0.0])
    model = new_model(g)
    model.b[:] = 1.0
    kernels.factor_anew(np.eye(2), g, np.array([1.0, 0.0]), 0.0, 0.0, model)
    assert kernels.solve_members(0.3, model) == 1
    assert not model.b.any()
