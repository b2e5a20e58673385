"""Compatibility of SciFateRegressor with scikit-learn: checks, pipelines, searches, pickles."""

import copy
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    cross_val_predict,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn_names import EXPECTED_FAILURES, NamedXy

from scifate_sklearn import BindingReference, EncodeLinkFilter, SciFateRegressor, prepare_anndata
from scifate_sklearn.datasets import make_labelled_cells
from scifate_sklearn.links import LINK_COLUMNS


class SciFateRegressorNamedXy(NamedXy, SciFateRegressor):
    """All checks pass."""


def expected_failures(estimator):
    return EXPECTED_FAILURES if type(estimator) is SciFateRegressor else {}


# xfail is strict: a declared failure that passes is an error, so the list of failures is exact.
@parametrize_with_checks(
    [SciFateRegressor(), SciFateRegressorNamedXy()],
    expected_failed_checks=expected_failures,
)
def test_estimator_checks(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def cells():
    return make_labelled_cells(200, 8, 60, capture_efficiency=0.5, random_state=0)


@pytest.fixture(scope="module")
def inputs(cells):
    return prepare_anndata(cells.adata, cells.tf_names, cell_filter_UMI=0)


@pytest.fixture
def tf_matrix(inputs):
    return inputs.tf_matrix.copy()


@pytest.fixture
def new_rna(inputs):
    return inputs.target_matrix.copy()


@pytest.fixture
def pipe(cells):
    reference = BindingReference.from_table(cells.reference)
    return Pipeline([("lasso", SciFateRegressor()), ("encode", EncodeLinkFilter(reference))])


def test_pipeline_of_the_design(pipe, tf_matrix, new_rna, cells):
    links = pipe.fit(tf_matrix, new_rna).transform(tf_matrix)
    lasso = SciFateRegressor().fit(tf_matrix, new_rna)
    expected = EncodeLinkFilter(BindingReference.from_table(cells.reference)).fit_transform(
        lasso.links_
    )
    pd.testing.assert_frame_equal(links, expected)
    assert list(links.columns[: len(LINK_COLUMNS)]) == list(LINK_COLUMNS)
    assert 0 < len(links) < len(lasso.links_)
    pd.testing.assert_frame_equal(pipe.fit_transform(tf_matrix, new_rna), expected)


def test_grid_search_of_the_design(pipe, tf_matrix, new_rna):
    grid = {"lasso__lambda_rule": ["1se", "min"], "encode__coef_threshold": [0.03, 0.04, 0.05]}
    search = GridSearchCV(pipe, grid).fit(tf_matrix, new_rna)
    scores = search.cv_results_["mean_test_score"]
    assert scores.shape == (6,)
    assert np.isfinite(scores).all()
    assert len(np.unique(scores)) > 1
    best = clone(pipe).set_params(**search.best_params_).fit(tf_matrix, new_rna)
    pd.testing.assert_frame_equal(search.transform(tf_matrix), best.transform(tf_matrix))


def test_grid_search_ranks_rules_by_held_out_r2(tf_matrix, new_rna):
    search = GridSearchCV(SciFateRegressor(), {"alpha": [0.5, 1.0]}, cv=KFold(3))
    search.fit(tf_matrix, new_rna)
    by_hand = cross_val_score(SciFateRegressor(alpha=0.5), tf_matrix, new_rna, cv=KFold(3))
    assert search.cv_results_["mean_test_score"][0] == pytest.approx(by_hand.mean(), abs=1e-12)


def test_behind_a_scaler_in_a_pipeline(tf_matrix, new_rna):
    shifted = 3.0 + 2.0 * tf_matrix
    scaled = make_pipeline(StandardScaler(), SciFateRegressor()).set_output(transform="pandas")
    links = scaled.fit(shifted, new_rna).transform(shifted)
    direct = SciFateRegressor().fit(shifted, new_rna)
    assert links["TF"].tolist() == direct.links_["TF"].tolist()
    np.testing.assert_allclose(scaled.predict(shifted), direct.predict(shifted), rtol=1e-9)


def test_clone_keeps_parameters_but_not_the_fit(tf_matrix, new_rna):
    lambdas = np.array([0.5, 0.1])
    fitted = SciFateRegressor(lambdas=lambdas, cv=KFold(4), alpha=0.7).fit(tf_matrix, new_rna)
    copied = clone(fitted)
    assert copied.alpha == 0.7
    assert copied.lambdas is not lambdas
    np.testing.assert_array_equal(copied.lambdas, lambdas)
    with pytest.raises(NotFittedError):
        copied.predict(tf_matrix)
    np.testing.assert_array_equal(copied.fit(tf_matrix, new_rna).coef_, fitted.coef_)


def pickled(estimator):
    return pickle.loads(pickle.dumps(estimator))


def joblib_dumped(estimator, path):
    joblib.dump(estimator, path)
    return joblib.load(path)


@pytest.mark.parametrize("way", ["pickle", "deepcopy", "joblib"])
def test_round_trip_keeps_predictions_and_links(way, tf_matrix, new_rna, tmp_path):
    fitted = SciFateRegressor().fit(tf_matrix, new_rna)
    back = {
        "pickle": lambda: pickled(fitted),
        "deepcopy": lambda: copy.deepcopy(fitted),
        "joblib": lambda: joblib_dumped(fitted, tmp_path / "fit.joblib"),
    }[way]()
    np.testing.assert_array_equal(back.predict(tf_matrix), fitted.predict(tf_matrix))
    pd.testing.assert_frame_equal(back.links_, fitted.links_)
    pd.testing.assert_frame_equal(back.transform(tf_matrix), fitted.transform(tf_matrix))
    assert set(vars(back)) == set(vars(fitted))


def test_fitted_pipeline_pickles(pipe, tf_matrix, new_rna):
    links = pipe.fit_transform(tf_matrix, new_rna)
    pd.testing.assert_frame_equal(pickled(pipe).transform(tf_matrix), links)


def test_parameters_survive_set_and_get():
    model = SciFateRegressor()
    defaults = {
        "engine": "gram", "lambda_rule": "1se", "lambdas": "paper", "alpha": 1.0, "cv": 10,
        "cor_threshold": 0.03, "exclude_self": True,
        "covariates": ("new_size_factor", "labeling_ratio"), "standardize": True,
        "fit_intercept": True, "penalty_factor": None, "path": "adaptive", "n_repeats": 1,
        "n_jobs": None,
        "random_state": 123456, "verbose": 0, "checkpoint": None,
    }  # fmt: skip
    assert model.get_params().items() >= defaults.items()
    assert set(model.get_params()) == {*defaults, "tol", "max_iter"}
    assert model.set_params(alpha=0.3, lambda_rule="min") is model
    assert (model.get_params()["alpha"], model.lambda_rule) == (0.3, "min")
    with pytest.raises(ValueError, match="Invalid parameter 'alfa'"):
        model.set_params(alfa=1)


def test_set_params_then_refit_equals_a_fresh_fit(tf_matrix, new_rna):
    model = SciFateRegressor().fit(tf_matrix, new_rna.iloc[:, 0])
    model.set_params(lambda_rule="min", lambdas="auto").fit(tf_matrix, new_rna)
    fresh = SciFateRegressor(lambda_rule="min", lambdas="auto").fit(tf_matrix, new_rna)
    np.testing.assert_array_equal(model.coef_, fresh.coef_)
    np.testing.assert_array_equal(model.lambdas_, fresh.lambdas_)


def test_refit_on_arrays_removes_names(tf_matrix, new_rna):
    model = SciFateRegressor().fit(tf_matrix, new_rna)
    model.fit(tf_matrix.to_numpy(), new_rna.to_numpy())
    assert not hasattr(model, "feature_names_in_")
    assert model.target_names_in_[0] == "y0"
    assert set(model.links_["TF"]) <= {f"x{i}" for i in range(tf_matrix.shape[1])}


def test_repr_and_html(tf_matrix, new_rna, pipe):
    assert repr(SciFateRegressor()) == "SciFateRegressor()"
    assert repr(SciFateRegressor(alpha=0.5, lambda_rule="min")) == (
        "SciFateRegressor(alpha=0.5, lambda_rule='min')"
    )
    html = SciFateRegressor(alpha=0.5)._repr_html_()
    assert "SciFateRegressor" in html
    assert "alpha" in html
    fitted_html = pipe.fit(tf_matrix, new_rna)._repr_html_()
    assert "EncodeLinkFilter" in fitted_html
    assert "SciFateRegressor" in fitted_html


@pytest.mark.parametrize("container", ["default", "pandas"])
def test_links_are_a_frame_under_every_output_setting(container, pipe, tf_matrix, new_rna):
    with config_context(transform_output=container):
        alone = SciFateRegressor().fit(tf_matrix, new_rna)
        assert isinstance(alone.transform(tf_matrix), pd.DataFrame)
        assert isinstance(alone.fit_transform(tf_matrix, new_rna), pd.DataFrame)
        piped = pipe.fit_transform(tf_matrix, new_rna)
    pd.testing.assert_frame_equal(alone.transform(tf_matrix), alone.links_)
    pd.testing.assert_frame_equal(piped, clone(pipe).fit_transform(tf_matrix, new_rna))


def test_set_output_on_estimator_and_pipeline(pipe, tf_matrix, new_rna):
    model = SciFateRegressor()
    assert model.set_output(transform="pandas") is model
    links = pipe.set_output(transform="pandas").fit_transform(tf_matrix, new_rna)
    assert isinstance(links, pd.DataFrame)
    assert links["coef"].dtype == np.float64


def test_get_feature_names_out(tf_matrix, new_rna):
    model = SciFateRegressor()
    with pytest.raises(NotFittedError):
        model.get_feature_names_out()
    model.fit(tf_matrix, new_rna)
    assert model.get_feature_names_out().tolist() == model.transform(tf_matrix).columns.tolist()


@pytest.mark.parametrize("method", ["predict", "transform"])
def test_unfitted_raises(method, tf_matrix):
    with pytest.raises(NotFittedError, match="SciFateRegressor"):
        getattr(SciFateRegressor(), method)(tf_matrix)


def test_transform_gives_a_copy(tf_matrix, new_rna):
    model = SciFateRegressor().fit(tf_matrix, new_rna)
    links = model.transform(tf_matrix)
    links["coef"] = 0.0
    assert (model.links_["coef"] != 0).all()


def test_keyword_calls(tf_matrix, new_rna):
    model = SciFateRegressor().fit(tf_matrix=tf_matrix, target_matrix=new_rna)
    positional = SciFateRegressor().fit(tf_matrix, new_rna)
    np.testing.assert_array_equal(model.coef_, positional.coef_)
    pd.testing.assert_frame_equal(model.transform(tf_matrix=tf_matrix), positional.links_)
    np.testing.assert_array_equal(model.predict(tf_matrix=tf_matrix), positional.predict(tf_matrix))
    assert model.score(tf_matrix=tf_matrix, target_matrix=new_rna) == positional.score(
        tf_matrix, new_rna
    )
    links = SciFateRegressor().fit_transform(tf_matrix=tf_matrix, target_matrix=new_rna)
    pd.testing.assert_frame_equal(links, positional.links_)


def test_cross_validation_helpers(tf_matrix, new_rna):
    scores = cross_val_score(SciFateRegressor(), tf_matrix, new_rna, cv=3)
    assert scores.shape == (3,)
    assert np.isfinite(scores).all()
    predicted = cross_val_predict(SciFateRegressor(), tf_matrix, new_rna, cv=3)
    assert predicted.shape == new_rna.shape
    result = cross_validate(
        SciFateRegressor(), tf_matrix, new_rna, cv=KFold(3), scoring="neg_mean_squared_error"
    )
    train, test = next(KFold(3).split(tf_matrix))
    model = SciFateRegressor().fit(tf_matrix.iloc[train], new_rna.iloc[train])
    residual = new_rna.iloc[test].to_numpy() - model.predict(tf_matrix.iloc[test])
    assert result["test_score"][0] == pytest.approx(-(residual**2).mean(), abs=1e-12)


class RecordingGroupKFold(GroupKFold):
    """GroupKFold that records the groups of each call."""

    seen: list = []  # noqa: RUF012

    def split(self, X, y=None, groups=None):
        self.seen.append(None if groups is None else np.asarray(groups))
        return super().split(X, y, groups)


@pytest.fixture
def groups(tf_matrix):
    return np.arange(len(tf_matrix)) % 7


@pytest.fixture
def weight(tf_matrix):
    return np.random.default_rng(5).uniform(0.2, 2.0, len(tf_matrix))


def test_groups_reach_the_splitter(tf_matrix, new_rna, groups):
    RecordingGroupKFold.seen.clear()
    model = SciFateRegressor(cv=RecordingGroupKFold(4)).fit(tf_matrix, new_rna, groups=groups)
    np.testing.assert_array_equal(RecordingGroupKFold.seen[0], groups)
    splits = list(GroupKFold(4).split(tf_matrix, groups=groups))
    by_hand = SciFateRegressor(cv=splits).fit(tf_matrix, new_rna)
    np.testing.assert_array_equal(model.cv_mse_, by_hand.cv_mse_)
    with pytest.raises(ValueError, match="groups"):
        SciFateRegressor(cv=GroupKFold(4)).fit(tf_matrix, new_rna)


def test_metadata_routing_through_a_pipeline(pipe, tf_matrix, new_rna, groups, weight):
    direct = SciFateRegressor(cv=GroupKFold(4)).fit(
        tf_matrix, new_rna, sample_weight=weight, groups=groups
    )
    with config_context(enable_metadata_routing=True):
        lasso = SciFateRegressor(cv=GroupKFold(4))
        lasso.set_fit_request(sample_weight=True, groups=True)
        routed = Pipeline([("lasso", lasso), *pipe.steps[1:]])
        routed.fit(tf_matrix, new_rna, sample_weight=weight, groups=groups)
        transformed = routed.transform(tf_matrix)
        score = routed.score(tf_matrix)
    np.testing.assert_array_equal(routed["lasso"].coef_, direct.coef_)
    assert np.isfinite(score)
    expected = clone(pipe["encode"]).fit_transform(direct.links_)
    pd.testing.assert_frame_equal(transformed, expected)


def score_of_links(estimator, X, y):
    """Score without weights, which GridSearchCV would pass to a filter that cannot use them."""
    return estimator.score(X)


def test_metadata_routing_through_a_grid_search(pipe, tf_matrix, new_rna, groups, weight):
    RecordingGroupKFold.seen.clear()
    with config_context(enable_metadata_routing=True):
        lasso = SciFateRegressor(cv=RecordingGroupKFold(3))
        lasso.set_fit_request(sample_weight=True, groups=True)
        routed = Pipeline([("lasso", lasso), *pipe.steps[1:]])
        search = GridSearchCV(
            routed,
            {"lasso__lambda_rule": ["1se", "min"]},
            cv=GroupKFold(3),
            scoring=score_of_links,
            error_score="raise",
        )
        search.fit(tf_matrix, new_rna, sample_weight=weight, groups=groups)
    outer = [train for train, _ in GroupKFold(3).split(tf_matrix, groups=groups)]
    inner = RecordingGroupKFold.seen
    assert len(inner) == 2 * len(outer) + 1
    for seen, train in zip(inner[: len(outer)], outer, strict=True):
        np.testing.assert_array_equal(seen, groups[train])
    np.testing.assert_array_equal(inner[-1], groups)
    rule = search.best_params_["lasso__lambda_rule"]
    by_hand = SciFateRegressor(cv=GroupKFold(3), lambda_rule=rule).fit(
        tf_matrix, new_rna, sample_weight=weight, groups=groups
    )
    np.testing.assert_array_equal(search.best_estimator_["lasso"].coef_, by_hand.coef_)


def test_groups_through_a_grid_search_of_the_whole_pipeline(pipe, tf_matrix, new_rna, groups):
    with config_context(enable_metadata_routing=True):
        lasso = SciFateRegressor(cv=GroupKFold(3)).set_fit_request(groups=True)
        routed = Pipeline([("lasso", lasso), *pipe.steps[1:]])
        search = GridSearchCV(
            routed, {"encode__coef_threshold": [0.03, 0.05]}, cv=GroupKFold(3), error_score="raise"
        )
        search.fit(tf_matrix, new_rna, groups=groups)
    by_hand = SciFateRegressor(cv=GroupKFold(3)).fit(tf_matrix, new_rna, groups=groups)
    np.testing.assert_array_equal(search.best_estimator_["lasso"].coef_, by_hand.coef_)


def test_metadata_routing_of_the_estimator_alone_in_a_search(tf_matrix, new_rna, weight):
    with config_context(enable_metadata_routing=True):
        model = SciFateRegressor(cv=3)
        model.set_fit_request(sample_weight=True, groups=False)
        model.set_score_request(sample_weight=True)
        search = GridSearchCV(model, {"alpha": [1.0]}, cv=KFold(2), error_score="raise")
        search.fit(tf_matrix, new_rna, sample_weight=weight)
    train, test = next(KFold(2).split(tf_matrix))
    by_hand = SciFateRegressor(cv=3).fit(
        tf_matrix.iloc[train], new_rna.iloc[train], sample_weight=weight[train]
    )
    score = by_hand.score(tf_matrix.iloc[test], new_rna.iloc[test], sample_weight=weight[test])
    assert search.cv_results_["split0_test_score"][0] == pytest.approx(score, abs=1e-14)


def test_unrequested_metadata_is_an_error(pipe, tf_matrix, new_rna, weight):
    with config_context(enable_metadata_routing=True), pytest.raises(Exception, match="requested"):
        pipe.fit(tf_matrix, new_rna, sample_weight=weight)


def test_requests_name_the_metadata_only():
    with config_context(enable_metadata_routing=True):
        requests = SciFateRegressor().get_metadata_routing()
        assert set(requests.fit.requests) == {"sample_weight", "groups"}
        assert set(requests.score.requests) == {"sample_weight"}
        assert not requests.predict.requests
        assert not requests.transform.requests


def test_metadata_without_routing(pipe, tf_matrix, new_rna, weight):
    pipe.fit(tf_matrix, new_rna, lasso__sample_weight=weight)
    direct = SciFateRegressor().fit(tf_matrix, new_rna, sample_weight=weight)
    np.testing.assert_array_equal(pipe["lasso"].coef_, direct.coef_)
