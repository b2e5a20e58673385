"""All targets at given penalties, without cross-validation."""

from dataclasses import replace

import numpy as np
import pytest

from scifate_sklearn import SciFateRegressor
from scifate_sklearn.fitting import Fit, FitParameters, TrainingData
from scifate_sklearn.moments import FoldLayout
from scifate_sklearn.regressor import read_cells


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 6))
    return X, X @ rng.normal(size=(6, 70)) + rng.normal(size=(80, 70))


def parameters_of(model, n_jobs=None):
    return replace(FitParameters.from_estimator(model), n_jobs=n_jobs)


@pytest.mark.parametrize("lambdas", ["paper", "auto"])
@pytest.mark.parametrize("path", ["full", "adaptive"])
def test_equals_the_models_of_the_fit(data, lambdas, path):
    model = SciFateRegressor(lambdas=lambdas, path=path, cor_threshold=0.1).fit(*data)
    moments = read_cells(model, *data, None, None).moments
    whole = TrainingData(replace(moments.whole, layout=FoldLayout.whole_only(1)))
    grid = np.atleast_2d(model.lambdas_)
    for n_jobs in (None, 2):
        fit = Fit.from_data(parameters_of(model, n_jobs), whole)
        coef, n_unconverged = fit.solve_at(grid, model.lambda_)
        np.testing.assert_allclose(coef, model.coef_, rtol=0, atol=1e-12)
        assert n_unconverged == 0


def test_no_penalty_means_no_model(data):
    model = SciFateRegressor()
    fit = Fit.from_data(parameters_of(model), read_cells(model, *data, None, None))
    grid = np.geomspace(10, 1e-3, 100)
    coef, _ = fit.solve_at(grid[None], np.where(np.arange(70) < 40, np.nan, grid[99]))
    assert not coef[:40].any()
    assert coef[40:].any(axis=1).all()
