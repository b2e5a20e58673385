"""A predictor whose penalty factor is 0 is in the model, whatever its correlation."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from scifate_sklearn import (
    PermutationFDR,
    RSampleKFold,
    SciFateRegressor,
    StabilitySelection,
)
from scifate_sklearn.moments import Moments, plan_folds

N, TFS, TARGETS = 80, ["A", "B", "C", "D", "E"], ["g", "B", "h"]
ENGINES = ["gram", "glmnet"]


@pytest.fixture
def tfs():
    values = np.random.default_rng(0).normal(size=(N, len(TFS)))
    return pd.DataFrame(values, [f"cell{i}" for i in range(N)], TFS)


@pytest.fixture
def new(tfs):
    """Targets that are hardly correlated with A: by less than the threshold, by 10⁻³."""
    noise = np.random.default_rng(1).normal(size=(N, len(TARGETS)))
    values = tfs[["B", "C", "D"]].to_numpy() + 0.5 * noise
    a = tfs["A"] - tfs["A"].mean()
    values -= np.outer(a, a @ values) / (a @ a)
    return pd.DataFrame(values + 1e-3 * np.outer(a, [1, 1, 1]), tfs.index, TARGETS)


def fit(tfs, new, factor, **params):
    return SciFateRegressor(penalty_factor=factor, **params).fit(tfs, new)


FORMS = {
    "array": np.array([0.0, 1.0, 1.0, 1.0, 1.0]),
    "list of integers": [0, 1, 1, 1, 1],
    "Series": pd.Series({"A": 0.0}),
    "table": pd.DataFrame({name: {"A": 0.0, "D": 1.0} for name in TARGETS}),
    "array with infinity": np.array([0.0, 1.0, np.inf, 1.0, 1.0]),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("form", list(FORMS))
def test_every_form(form, engine, tfs, new):
    assert not fit(tfs, new, None, engine=engine).coef_[:, 0].any()
    model = fit(tfs, new, FORMS[form], engine=engine)
    assert model.coef_[:, 0].all()
    assert (model.links_["TF"] == "A").sum() == len(TARGETS)
    excluded = np.isinf(np.ravel(FORMS[form])[:5])
    assert not (model.coef_.any(axis=0) & excluded).any()


@pytest.mark.parametrize(
    "params",
    [
        {"lambdas": "auto"},
        {"lambda_rule": "min"},
        {"lambda_rule": 10.0},
        {"alpha": 0.5},
        {"alpha": 0.0},
        {"path": "full", "standardize": False},
        {"fit_intercept": False},
        {"cv": 40},
        {"cor_threshold": 0.99},
        {"cor_threshold": None},
        {"lambdas": "auto", "cor_threshold": 0.99},
    ],
    ids=str,
)
def test_every_parameter(params, tfs, new):
    models = [fit(tfs, new, FORMS["Series"], engine=engine, **params) for engine in ENGINES]
    for model in models:
        assert model.coef_[:, 0].all()
        assert np.isfinite(model.lambda_).all()
        assert model.dual_gap_.max() < 1e-5
    np.testing.assert_allclose(models[0].coef_, models[1].coef_, atol=1e-4)


@pytest.mark.parametrize("engine", ENGINES)
def test_alone_it_is_a_linear_regression(engine, tfs, new):
    model = fit(tfs, new, FORMS["Series"], engine=engine, cor_threshold=0.99)
    expected = LinearRegression().fit(tfs[["A"]], new)
    np.testing.assert_allclose(model.coef_[:, 0], expected.coef_[:, 0], rtol=1e-8)
    np.testing.assert_allclose(model.intercept_, expected.intercept_, rtol=1e-8)
    assert not model.coef_[:, 1:].any()


def test_targets_and_constants_are_never_in_the_model(tfs, new):
    """`exclude_self` and the rule of constant targets are stronger."""
    factor = pd.Series({"A": 0.0, "B": 0.0})
    model = fit(tfs.assign(A=3.0), new.assign(h=1.0), factor)
    assert not model.coef_[:, 0].any()
    assert not model.coef_[1, 1]
    assert model.coef_[0, 1]
    assert np.isnan(model.lambda_[2])
    assert not model.coef_[2].any()
    alone = fit(tfs.assign(A=3.0), new[["B"]], factor, cor_threshold=0.999)
    assert np.isnan(alone.lambda_[0])


def test_constant_in_a_training_set(tfs, new):
    fold = RSampleKFold(5).fold_ids(N)
    model = fit(tfs.assign(A=np.where(fold == 2, tfs["A"], 0.0)), new, FORMS["Series"], cv=5)
    assert model.coef_[:, 0].all()


def test_moments(tfs, new):
    plan = plan_folds(RSampleKFold().split(tfs), N)
    moments = Moments.from_arrays(
        tfs.to_numpy(), new.to_numpy(), plan, feature_names=TFS, target_names=TARGETS
    )
    model = SciFateRegressor(penalty_factor=FORMS["Series"]).fit_moments(moments)
    assert model.coef_[:, 0].all()
    np.testing.assert_allclose(model.coef_, fit(tfs, new, FORMS["Series"]).coef_, atol=1e-12)


def test_each_pair_of_a_table(tfs, new):
    table = pd.DataFrame({"g": {"A": 0.0, "E": 1.0}, "h": {"A": 1.0, "E": 0.0}})
    is_in = fit(tfs, new, table, cor_threshold=0.5).coef_[:, [0, 4]].astype(bool)
    assert is_in.tolist() == [[True, False], [False, False], [False, True]]


def test_permutations_and_halves(tfs, new):
    regressor = SciFateRegressor(penalty_factor=FORMS["Series"], cv=5)
    for penalty in ("cv", "fit"):
        halves = StabilitySelection(regressor, n_resamples=10, penalty=penalty)
        assert (halves.fit(tfs, new).frequency_[:, 0] == 1).all()
    permuted = PermutationFDR(regressor, n_permutations=3).fit(tfs, new)
    assert (permuted.regressor_.links_["TF"] == "A").sum() == len(TARGETS)


def test_penalised_predictors_are_filtered_as_before(tfs, new):
    """Factors above 0 do not change which predictors pass."""
    for factor in (None, [1e-20, 1, 1, 1, 1], [7] * 5):
        assert not fit(tfs, new, factor).coef_[:, 0].any()
