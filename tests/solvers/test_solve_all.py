"""All targets at given penalties, without cross-validation."""

from dataclasses import replace

import numpy as np
import pytest

from scifate_sklearn import SciFateRegressor
from scifate_sklearn.moments import FoldLayout
from scifate_sklearn.solvers._parallel import solve_all


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 6))
    return X, X @ rng.normal(size=(6, 70)) + rng.normal(size=(80, 70))


@pytest.mark.parametrize("lambdas", ["paper", "auto"])
@pytest.mark.parametrize("path", ["full", "adaptive"])
def test_equals_the_models_of_the_fit(data, lambdas, path):
    model = SciFateRegressor(lambdas=lambdas, path=path, cor_threshold=0.1)
    moments, _, _ = model._sum_cells(*data, None, None)
    model._fit_moments(moments, None, is_single=False)
    whole = replace(moments.whole, layout=FoldLayout.whole_only(1))
    grid = np.atleast_2d(model.lambdas_)
    stop = (grid == model.lambda_[:, None]).argmax(axis=1)
    engine, problem = model._make_engine(whole, None), model._make_problem(whole)
    for n_jobs in (None, 2):
        coef, n_unconverged = solve_all(engine, problem, grid, stop, n_jobs)
        np.testing.assert_allclose(coef, model.coef_, rtol=0, atol=1e-12)
        assert n_unconverged == 0


def test_no_penalty_is_no_model(data):
    model = SciFateRegressor()
    moments, _, _ = model._sum_cells(*data, None, None)
    engine, problem = model._make_engine(moments, None), model._make_problem(moments)
    stop = np.where(np.arange(70) < 40, -1, 99)
    coef, _ = solve_all(engine, problem, np.geomspace(10, 1e-3, 100)[None], stop, None)
    assert not coef[:40].any()
    assert coef[40:].any(axis=1).all()
