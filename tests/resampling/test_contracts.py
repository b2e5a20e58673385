"""Compatibility of PermutationFDR and StabilitySelection with scikit-learn."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Lasso
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn_names import EXPECTED_FAILURES, NamedXy

from scifate_sklearn import (
    BindingReference,
    EncodeLinkFilter,
    PermutationFDR,
    SciFateRegressor,
    StabilitySelection,
)
from scifate_sklearn.links import LINK_COLUMNS

# The checks set `cv` only on estimators that have this parameter; here the regressor has it.
DEPENDS_ON_FOLDS = dict.fromkeys(
    (
        "check_sample_weight_equivalence_on_dense_data",
        "check_sample_weight_equivalence_on_sparse_data",
    ),
    "repeats cells, which changes the folds of the regressor",
)


class PermutationFDRNamedXy(NamedXy, PermutationFDR):
    """All checks pass except those that change the folds."""


class StabilitySelectionNamedXy(NamedXy, StabilitySelection):
    """All checks pass except those that change the folds."""


LASSO = SciFateRegressor(cv=3)


@pytest.mark.slow
@parametrize_with_checks(
    [PermutationFDR(LASSO, n_permutations=1), StabilitySelection(LASSO, n_resamples=2)],
    expected_failed_checks=lambda estimator: EXPECTED_FAILURES,
)
def test_estimator_checks(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks(
    [
        PermutationFDRNamedXy(LASSO, n_permutations=1),
        StabilitySelectionNamedXy(LASSO, n_resamples=2),
    ],
    expected_failed_checks=lambda estimator: DEPENDS_ON_FOLDS,
)
def test_estimator_checks_with_the_names_of_scikit_learn(estimator, check):
    check(estimator)


MINIMUM = SciFateRegressor(lambda_rule="min", cv=5)
BOTH = [
    pytest.param(PermutationFDR(MINIMUM, n_permutations=4, fdr=0.3), id="fdr"),
    pytest.param(StabilitySelection(MINIMUM, n_resamples=4), id="stability"),
]


@pytest.fixture(params=BOTH)
def model(request):
    return clone(request.param)


@pytest.fixture
def reference(tfs, new):
    rng = np.random.default_rng(2)
    pairs = pd.MultiIndex.from_product([tfs.columns, new.columns], names=["TF", "target"])
    table = pairs.to_frame(index=False).assign(peak=rng.random(len(pairs)) < 0.5)
    return BindingReference.from_table(table)


def test_predicts_and_scores_as_the_regressor(model, tfs, new, weight):
    fitted, alone = model.fit(tfs, new), clone(MINIMUM).fit(tfs, new)
    np.testing.assert_array_equal(fitted.predict(tfs), alone.predict(tfs))
    assert fitted.score(tfs, new, weight) == alone.score(tfs, new, weight)
    assert fitted.n_features_in_ == len(tfs.columns)
    assert fitted.feature_names_in_.tolist() == tfs.columns.tolist()
    assert fitted.target_names_in_.tolist() == new.columns.tolist()


def test_one_target_and_arrays(model, tfs, new):
    fitted = model.fit(tfs, new).fit(tfs.to_numpy(), new["g0"].to_numpy())
    assert not hasattr(fitted, "feature_names_in_")
    assert fitted.predict(tfs.to_numpy()).shape == (len(tfs),)
    assert set(fitted.links_["target"]) == {"y0"}
    if isinstance(fitted, StabilitySelection):
        assert fitted.frequency_.shape == (len(tfs.columns),)


def test_in_front_of_a_filter(model, tfs, new, reference):
    pipe = Pipeline([("weigh", model), ("encode", EncodeLinkFilter(reference, q_threshold=1.0))])
    links = pipe.fit(tfs, new).transform(tfs)
    expected = [*LINK_COLUMNS, model.evidence_column]
    assert links.columns.tolist()[: len(expected)] == expected
    given = pipe["encode"].ledger_
    pd.testing.assert_frame_equal(given[expected], model.transform(tfs), check_names=False)
    pd.testing.assert_frame_equal(model.fit_transform(tfs, new), model.transform(tfs))
    assert model.get_feature_names_out().tolist() == expected


def test_grid_search_over_the_regressor(model, tfs, new, reference):
    pipe = Pipeline([("weigh", model), ("encode", EncodeLinkFilter(reference))])
    grid = {"weigh__regressor__lambda_rule": ["1se", "min"]}
    search = GridSearchCV(pipe, grid, cv=KFold(2), error_score="raise").fit(tfs, new)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    best = clone(pipe).set_params(**search.best_params_).fit(tfs, new)
    pd.testing.assert_frame_equal(search.transform(tfs), best.transform(tfs))
    assert cross_val_score(model, tfs, new, cv=2).shape == (2,)


def test_round_trip_clone_and_repr(model, tfs, new):
    fitted = model.fit(tfs, new)
    back = pickle.loads(pickle.dumps(fitted))
    assert set(vars(back)) == set(vars(fitted))
    pd.testing.assert_frame_equal(back.ledger_, fitted.ledger_)
    pd.testing.assert_frame_equal(back.transform(tfs), fitted.transform(tfs))
    fresh = clone(fitted)
    with pytest.raises(NotFittedError):
        fresh.transform(tfs)
    pd.testing.assert_frame_equal(fresh.fit(tfs, new).links_, fitted.links_)
    assert "SciFateRegressor(cv=5, lambda_rule='min')" in repr(model)
    assert model.set_output(transform="pandas") is model


def test_groups_and_weights_are_routed(model, tfs, new, weight):
    groups = np.repeat(np.arange(20), 6)
    model.set_params(regressor__cv=GroupKFold(4))
    direct = clone(model).fit(tfs, new, sample_weight=weight, groups=groups)
    with config_context(enable_metadata_routing=True):
        asking = clone(model).set_fit_request(sample_weight=True, groups=True)
        piped = Pipeline([("weigh", asking)]).fit(tfs, new, sample_weight=weight, groups=groups)
    pd.testing.assert_frame_equal(piped["weigh"].links_, direct.links_)


@pytest.mark.parametrize("way", [PermutationFDR, StabilitySelection])
def test_other_regressors_and_parameters_are_refused(way, tfs, new):
    with pytest.raises(ValueError, match=r"'regressor' parameter of .* must be an instance of"):
        way(Lasso()).fit(tfs, new)
    with pytest.raises(ValueError, match="'alpha' parameter of SciFateRegressor"):
        way(SciFateRegressor(alpha=3)).fit(tfs, new)
    with pytest.raises(ValueError, match="`tf_matrix`"):
        way(SciFateRegressor()).fit(tfs.assign(T0=np.nan), new)


def test_errors_about_columns_name_the_estimator(model, tfs, new):
    fitted = model.fit(tfs, new)
    for method in (fitted.predict, fitted.transform):
        with pytest.raises(ValueError, match="feature names should match"):
            method(tfs.rename(columns={"T0": "other"}))


def test_progress_is_shown_on_request(model, tfs, new, capsys):
    model.fit(tfs, new)
    assert capsys.readouterr().err == ""
    model.set_params(verbose=1).fit(tfs, new)
    assert "4/4" in capsys.readouterr().err


def test_the_fit_to_all_cells_resumes_from_a_checkpoint(model, tfs, new, tmp_path):
    plain = clone(model).fit(tfs, new)
    model.set_params(regressor__checkpoint=tmp_path / "fit")
    for _ in range(2):
        pd.testing.assert_frame_equal(model.fit(tfs, new).links_, plain.links_)
    assert list((tmp_path / "fit").rglob("targets-*"))
