"""Inputs, results and errors of SciFateRegressor."""

import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneOut,
    ShuffleSplit,
    TimeSeriesSplit,
)

from scifate_sklearn import RSampleKFold, SciFateRegressor
from scifate_sklearn.links import LINK_COLUMNS
from scifate_sklearn.moments import Moments, plan_folds

N, P = 90, 6
TFS = ["Pax6", "Sox2", "Myc", "Nkx2-1", "new_size_factor", "labeling_ratio"]
TARGETS = ["Neurog3", "Myc", "Ins1", "Pax6", "Gcg"]
SETTINGS = [{}, {"lambdas": "auto"}, {"path": "adaptive"}, {"alpha": 0.5, "lambda_rule": "min"}]


@pytest.fixture
def tfs():
    rng = np.random.default_rng(0)
    cells = [f"cell{i}" for i in range(N)]
    return pd.DataFrame(rng.normal([0, 1, -2, 5, 0, 0], size=(N, P)), cells, TFS)


@pytest.fixture
def new(tfs):
    rng = np.random.default_rng(1)
    effects = rng.normal(size=(P, len(TARGETS))) * (rng.random((P, len(TARGETS))) < 0.6)
    noise = rng.normal(size=(N, len(TARGETS)))
    values = tfs.to_numpy() @ effects + noise
    values[:, 1], values[:, 3] = tfs["Myc"] + 0.3 * noise[:, 1], tfs["Pax6"] + 0.3 * noise[:, 3]
    values[:, 1] += 0.5 * tfs["Sox2"]
    return pd.DataFrame(values, tfs.index, TARGETS)


@pytest.fixture(name="X")
def tf_array(tfs):
    return tfs.to_numpy()


@pytest.fixture(name="Y")
def new_array(new):
    return new.to_numpy()


def fit(X, Y, fit_params=None, **params):
    return SciFateRegressor(**params).fit(X, Y, **(fit_params or {}))


def assert_same_models(one, two, rtol=1e-9):
    np.testing.assert_allclose(one.coef_, two.coef_, rtol=rtol, atol=1e-9)
    np.testing.assert_allclose(one.intercept_, two.intercept_, rtol=rtol, atol=1e-9)
    np.testing.assert_allclose(one.lambda_, two.lambda_, rtol=1e-9)
    np.testing.assert_allclose(one.cv_mse_, two.cv_mse_, rtol=1e-8)
    np.testing.assert_allclose(one.cv_mse_se_, two.cv_mse_se_, rtol=1e-6)


def explicit_splits(n, k=5, seed=0):
    return list(KFold(k, shuffle=True, random_state=seed).split(np.zeros(n)))


# --------------------------------------------------------------------------------- shapes and names

CONTAINERS = {
    "DataFrame": lambda A: pd.DataFrame(A),
    "C array": np.ascontiguousarray,
    "Fortran array": np.asfortranarray,
    "lists": lambda A: A.tolist(),
    "csr_matrix": sp.csr_matrix,
    "csr_array": sp.csr_array,
    "csc_matrix": sp.csc_matrix,
    "csc_array": sp.csc_array,
}


@pytest.mark.parametrize("settings", SETTINGS[:2])
@pytest.mark.parametrize("container", CONTAINERS)
def test_every_container_gives_the_same_models(container, settings, X, Y):
    # Sparse matrices need zeros, as log(1 + count) has.
    X, Y = np.maximum(X, 0.2) - 0.2, np.maximum(Y, -0.5) + 0.5
    dense = fit(X, Y, **settings)
    assert_same_models(fit(CONTAINERS[container](X), Y, **settings), dense)
    both = fit(CONTAINERS[container](X), CONTAINERS[container](Y), **settings)
    assert_same_models(both, dense)
    np.testing.assert_allclose(both.predict(CONTAINERS[container](X)), dense.predict(X), atol=1e-9)
    assert both.score(CONTAINERS[container](X), CONTAINERS[container](Y)) == pytest.approx(
        dense.score(X, Y)
    )


def test_integers_and_float32_are_converted_exactly(X, Y):
    counts = np.round(3 * X).astype(int)
    assert_same_models(fit(counts, Y), fit(counts.astype(float), Y))
    small = X.astype(np.float32)
    assert_same_models(fit(small, Y), fit(small.astype(float), Y))
    assert fit(small, Y).coef_.dtype == np.float64


@pytest.mark.parametrize("lambdas", ["paper", "auto"])
def test_shapes_of_a_fit_to_many_targets(lambdas, X, Y):
    model = fit(X, Y, lambdas=lambdas)
    q, k = Y.shape[1], model.cv_mse_.shape[1]
    assert model.coef_.shape == (q, P)
    for name in ("intercept_", "lambda_", "lambda_min_", "lambda_1se_", "r2_", "n_iter_"):
        assert getattr(model, name).shape == (q,)
    assert model.dual_gap_.shape == (q,)
    assert model.cv_mse_.shape == model.cv_mse_se_.shape == (q, k)
    assert model.lambdas_.shape == ((100,) if lambdas == "paper" else (q, k))
    assert model.predict(X).shape == Y.shape
    assert model.n_features_in_ == P


@pytest.mark.parametrize("lambdas", ["paper", "auto"])
@pytest.mark.parametrize("form", ["array", "Series", "list"])
def test_one_target_given_as_1d(form, lambdas, X, Y):
    y = {"array": Y[:, 0], "Series": pd.Series(Y[:, 0], name="Ins1"), "list": Y[:, 0].tolist()}[
        form
    ]
    model = fit(X, y, lambdas=lambdas)
    column = fit(X, Y[:, :1], lambdas=lambdas)
    assert model.coef_.shape == (P,)
    assert np.ndim(model.intercept_) == np.ndim(model.lambda_) == np.ndim(model.r2_) == 0
    assert model.lambdas_.shape == model.cv_mse_.shape == model.cv_mse_se_.shape
    assert model.predict(X).shape == (N,)
    assert model.target_names_in_.tolist() == ["Ins1" if form == "Series" else "y0"]
    np.testing.assert_array_equal(model.coef_, column.coef_[0])
    assert model.intercept_ == column.intercept_[0]
    assert column.coef_.shape == (1, P)
    assert column.predict(X).shape == (N, 1)
    assert model.score(X, y) == pytest.approx(column.score(X, Y[:, :1]))


def test_a_column_vector_raises_no_warning(X, Y):
    with warnings.catch_warnings():
        warnings.simplefilter("error", DataConversionWarning)
        fit(X, Y[:, :1])


def test_names(tfs, new):
    model = fit(tfs, new)
    assert model.feature_names_in_.tolist() == TFS
    assert model.target_names_in_.tolist() == TARGETS
    assert set(model.links_["TF"]) <= set(TFS[:4])
    unnamed = fit(tfs.to_numpy(), new.to_numpy())
    assert not hasattr(unnamed, "feature_names_in_")
    assert unnamed.target_names_in_.tolist() == [f"y{i}" for i in range(len(TARGETS))]
    assert set(unnamed.links_["TF"]) <= {f"x{i}" for i in range(P)}


def test_names_that_are_not_strings_are_replaced(tfs, new):
    model = fit(tfs.to_numpy(), new.set_axis(range(len(TARGETS)), axis=1))
    assert model.target_names_in_.tolist() == [f"y{i}" for i in range(len(TARGETS))]
    assert fit(tfs, new["Gcg"].rename(None)).target_names_in_.tolist() == ["y0"]


@pytest.mark.parametrize("settings", SETTINGS)
def test_links_are_the_nonzero_coefficients(settings, tfs, new):
    model = fit(tfs, new, **settings)
    assert tuple(model.links_.columns) == LINK_COLUMNS
    assert model.links_.index.equals(pd.RangeIndex(len(model.links_)))
    expected = [
        (TFS[j], TARGETS[t], model.coef_[t, j], model.r2_[t], model.lambda_[t])
        for t in range(len(TARGETS))
        for j in range(4)
        if model.coef_[t, j] != 0
    ]
    assert list(model.links_.itertuples(index=False, name=None)) == expected
    assert len(expected) > 3


# ------------------------------------------------------------------------ self links and covariates


@pytest.mark.parametrize("settings", SETTINGS)
def test_never_a_self_link(settings, tfs, new):
    new = pd.concat([new, tfs[["Sox2", "Nkx2-1"]]], axis=1)
    model = fit(tfs, new, **settings)
    links = model.links_
    assert not (links["TF"] == links["target"]).any()
    for t, target in enumerate(model.target_names_in_):
        if target in TFS:
            assert model.coef_[t, TFS.index(target)] == 0
    others = fit(tfs.drop(columns="Myc"), new[["Myc"]], **settings)
    np.testing.assert_allclose(
        np.delete(model.coef_[TARGETS.index("Myc")], TFS.index("Myc")), others.coef_[0], atol=1e-9
    )


def test_self_links_on_request(tfs, new):
    model = fit(tfs, new, exclude_self=False)
    pairs = set(zip(model.links_["TF"], model.links_["target"], strict=True))
    assert {("Myc", "Myc"), ("Pax6", "Pax6")} <= pairs


def test_a_named_series_excludes_its_own_tf(tfs, new):
    model = fit(tfs, new["Myc"])
    assert model.coef_[TFS.index("Myc")] == 0
    np.testing.assert_array_equal(model.coef_, fit(tfs, new).coef_[TARGETS.index("Myc")])


def test_covariates_predict_but_never_link(tfs, new):
    new = new.assign(Gcg=new["Gcg"] + 3 * tfs["labeling_ratio"])
    model = fit(tfs, new)
    assert model.coef_[-1, TFS.index("labeling_ratio")] > 1
    assert not model.links_["TF"].isin(["labeling_ratio", "new_size_factor"]).any()
    none = fit(tfs, new, covariates=())
    np.testing.assert_array_equal(none.coef_, model.coef_)
    assert ("labeling_ratio", "Gcg") in set(
        zip(none.links_["TF"], none.links_["target"], strict=True)
    )
    other = fit(tfs, new, covariates=["Sox2", "not there"])
    assert "Sox2" not in set(other.links_["TF"])


# --------------------------------------------------------------------------------------- parameters


def test_penalty_factor_array_series_and_rescaling(tfs, new):
    factor = np.array([1.0, 0.5, 2.0, 0.0, 1.0, 3.0])
    model = fit(tfs, new, penalty_factor=factor, cor_threshold=None)
    assert_same_models(fit(tfs, new, penalty_factor=7 * factor, cor_threshold=None), model)
    assert_same_models(fit(tfs, new, penalty_factor=factor.tolist(), cor_threshold=None), model)
    series = pd.Series(factor, TFS).drop("Pax6").sample(frac=1, random_state=0)
    assert_same_models(fit(tfs, new, penalty_factor=series, cor_threshold=None), model)
    assert_same_models(fit(tfs, new, penalty_factor=np.full(P, 4.0)), fit(tfs, new))


@pytest.mark.parametrize("engine", ["gram", "glmnet"])
def test_a_table_of_penalty_factors_is_one_series_for_each_target(engine, tfs, new):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.uniform(0.2, 3.0, (P, len(TARGETS))), TFS, TARGETS)
    table.iloc[0, 1], table.iloc[2, 0] = np.inf, 0.0
    model = fit(tfs, new, penalty_factor=table, engine=engine)
    for t, name in enumerate(TARGETS):
        alone = fit(tfs, new[[name]], penalty_factor=table[name], engine=engine)
        np.testing.assert_array_equal(alone.lambda_, model.lambda_[[t]])
        np.testing.assert_allclose(alone.coef_[0], model.coef_[t], rtol=1e-9, atol=1e-12)
    assert not np.allclose(model.coef_, fit(tfs, new, engine=engine).coef_)


def test_a_table_of_penalty_factors_is_aligned_by_name(tfs, new):
    table = pd.DataFrame(1.0, TFS, TARGETS)
    table.loc["Pax6", TARGETS[0]], table.loc["Sox2", TARGETS[1]] = 0.3, 4.0
    before = table.copy()
    model = fit(tfs, new, penalty_factor=table)
    known = table.loc[["Sox2", "Pax6"], [TARGETS[1], TARGETS[0]]]
    wider = known.assign(other_target=7.0)
    wider.loc["other_TF"] = 9.0
    for other in (table.sample(frac=1, axis=0, random_state=0), known, wider):
        assert_same_models(fit(tfs, new, penalty_factor=other), model)
    assert_same_models(fit(tfs, new, penalty_factor=5 * table), model)
    pd.testing.assert_frame_equal(table, before)
    moments = Moments.from_arrays(
        tfs.to_numpy(), new.to_numpy(), plan_folds(RSampleKFold().split(tfs), len(tfs)),
        feature_names=TFS, target_names=TARGETS,
    )  # fmt: skip
    assert_same_models(SciFateRegressor(penalty_factor=table).fit_moments(moments), model)


def table_of_ones(**changes):
    return pd.DataFrame(1.0, TFS, TARGETS).assign(**changes)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (table_of_ones().T, "predictors in rows and targets .*Pass `penalty_factor.T`"),
        (
            table_of_ones().add_prefix("x", axis=0),
            "no predictor of the data in its index.*rows, tar",
        ),
        (table_of_ones().add_prefix("x"), "no target of the data in its columns: found 'x"),
        (pd.DataFrame(), "no predictor of the data in its index: found none"),
        (table_of_ones(**{TARGETS[0]: np.nan}), "must hold numbers >= 0"),
        (table_of_ones(**{TARGETS[0]: -1.0}), "must hold numbers >= 0"),
        (table_of_ones(**{TARGETS[0]: 0.0}), "at least one > 0 for each target"),
        (table_of_ones(**{TARGETS[0]: "much"}), "`penalty_factor`: could not convert string"),
        (pd.concat([table_of_ones()] * 2), "names a predictor more than once, for example"),
        (pd.concat([table_of_ones()] * 2, axis=1), "names a target more than once, for example"),
    ],
)
def test_bad_tables_of_penalty_factors(table, message, tfs, new):
    with pytest.raises(ValueError, match=message):
        fit(tfs, new, penalty_factor=table)


def test_a_table_of_penalty_factors_needs_names(tfs, new):
    with pytest.raises(ValueError, match="needs names: give the targets as a DataFrame"):
        SciFateRegressor(penalty_factor=table_of_ones()).fit(tfs, new.to_numpy())


def test_infinite_factors_exclude_and_zero_is_unpenalised(tfs, new):
    factor = np.array([np.inf, 1.0, 1.0, 0.0, 1.0, 1.0])
    model = fit(tfs, new, penalty_factor=factor, cor_threshold=None, lambda_rule=10.0)
    assert not model.coef_[:, 0].any()
    slope = [np.polyfit(tfs["Nkx2-1"], new[t], 1)[0] for t in TARGETS]
    np.testing.assert_allclose(model.coef_[:, 3], slope, rtol=1e-6)


@pytest.mark.parametrize(
    ("factor", "message"),
    [
        (np.ones(P - 1), r"`penalty_factor` has shape \(5,\), but there are 6 predictors"),
        (np.ones((P, 1)), r"`penalty_factor` has shape \(6, 1\)"),
        ([1, 1, -1, 1, 1, 1], "must hold numbers >= 0"),
        ([1, 1, np.nan, 1, 1, 1], "must hold numbers >= 0"),
        (np.zeros(P), "at least one > 0"),
        (pd.Series({"Sox2": 1.0, "Sox22": 2.0}), r"names 1 predictor.* lack, for example 'Sox22'"),
    ],
)
def test_bad_penalty_factors(factor, message, tfs, new):
    with pytest.raises(ValueError, match=message):
        fit(tfs, new, penalty_factor=factor)


def test_a_fixed_penalty_on_and_off_the_grid(X, Y):
    reference = fit(X, Y)
    on = fit(X, Y, lambda_rule=float(reference.lambdas_[40]))
    np.testing.assert_array_equal(on.lambdas_, reference.lambdas_)
    np.testing.assert_array_equal(on.lambda_, reference.lambdas_[40])
    off = fit(X, Y, lambda_rule=0.1234)
    assert off.lambdas_.shape == (101,)
    assert (np.diff(off.lambdas_) < 0).all()
    np.testing.assert_array_equal(off.lambda_, 0.1234)
    position = off.lambdas_.tolist().index(0.1234)
    np.testing.assert_allclose(np.delete(off.cv_mse_, position, 1), reference.cv_mse_, rtol=1e-8)
    left, right = off.cv_mse_[:, position - 1], off.cv_mse_[:, position + 1]
    middle = off.cv_mse_[:, position]
    assert (middle <= np.maximum(left, right) + 1e-3).all()
    np.testing.assert_allclose(off.r2_, np.maximum(0, 1 - middle / Y.var(axis=0, ddof=1)))


def test_a_callable_rule(X, Y):
    curves = []

    def between(curve):
        curves.append(curve)
        return curve.lambdas[curve.lambdas >= curve.lambda_min][-3]

    model = fit(X, Y, lambda_rule=between)
    step = np.searchsorted(-model.lambdas_, -model.lambda_min_)
    np.testing.assert_array_equal(model.lambda_, model.lambdas_[step - 2])
    assert len(curves) == Y.shape[1]
    as_1se = fit(X, Y, lambda_rule=lambda curve: curve.lambda_1se)
    np.testing.assert_array_equal(as_1se.coef_, fit(X, Y).coef_)


@pytest.mark.parametrize("penalty", [np.nan, 0.77777, -1])
def test_a_callable_that_returns_an_invalid_penalty(penalty, X, Y):
    with pytest.raises(ValueError, match=r"`lambda_rule` returned .* not on the penalty grid"):
        fit(X, Y, lambda_rule=lambda curve: penalty)


def test_given_grids_are_sorted_and_unique(X, Y):
    model = fit(X, Y, lambdas=[0.1, 1.0, 0.1, 0.01])
    assert model.lambdas_.tolist() == [1.0, 0.1, 0.01]
    assert_same_models(model, fit(X, Y, lambdas=np.array([1.0, 0.1, 0.01])))
    assert set(model.lambda_) <= {1.0, 0.1, 0.01}


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ([], r"got 0 value\(s\)\."),
        ([0.1, 0.0], r"got 2 value\(s\) from 0 to 0.1"),
        ([0.1, -1.0], "positive, finite"),
        ([0.1, np.nan], "positive, finite"),
        ([np.inf, 1.0], "positive, finite"),
    ],
)
def test_bad_grids(grid, message, X, Y):
    with pytest.raises(ValueError, match=message):
        fit(X, Y, lambdas=grid)


def test_automatic_grids_start_at_the_empty_model(X, Y):
    model = fit(X, Y, lambdas="auto", cor_threshold=None)
    Z, R = (X - X.mean(axis=0)) / X.std(axis=0), Y - Y.mean(axis=0)
    np.testing.assert_allclose(model.lambdas_[:, 0], np.abs(R.T @ Z / N).max(axis=1), rtol=1e-9)
    known = ~np.isnan(model.lambdas_)
    np.testing.assert_array_equal(known, ~np.isnan(model.cv_mse_))
    assert known.any(axis=0).all()
    assert (np.diff(known.astype(int), axis=1) <= 0).all()


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_grids_of_unequal_length_are_padded(alpha, X, Y):
    # Seven targets make blocks of 2, 2, 2 and 1, so one block has constant targets only.
    Y = np.column_stack([Y, np.full((N, 2), 2.0)])
    model = fit(X, Y, lambdas="auto", alpha=alpha, lambda_rule=0.1234)
    n_known = np.isfinite(model.lambdas_).sum(axis=1)
    # Ridge paths go through all 100 penalties and the given one; constant targets have none.
    assert n_known.max() == model.lambdas_.shape[1] == model.cv_mse_.shape[1]
    assert (n_known.max() == 101) == (alpha == 0)
    assert n_known[-1] == 0
    for t in range(5):
        alone = fit(X, Y[:, t], lambdas="auto", alpha=alpha, lambda_rule=0.1234)
        np.testing.assert_allclose(alone.lambdas_, model.lambdas_[t, : n_known[t]], rtol=1e-12)
        np.testing.assert_allclose(alone.coef_, model.coef_[t], atol=1e-9)


def test_a_fit_does_not_change_the_moments(X, Y):
    """If the sums of a block are contiguous, the solver must copy them and not work on a view."""
    splits = list(RSampleKFold(5).split(X))
    moments = Moments.from_arrays(X, Y[:, :1], plan_folds(splits, len(X)))
    before = moments.xy.copy()
    one, two = (SciFateRegressor().fit_moments(moments).coef_ for _ in range(2))
    np.testing.assert_array_equal(moments.xy, before)
    np.testing.assert_array_equal(one, two)


def test_adaptive_paths_with_predictors_that_only_help_jointly():
    """Similar predictors with opposite effects: curves are flat until both of a pair enter."""
    rng = np.random.default_rng(3)
    n, p, q = 150, 100, 40
    X = rng.normal(size=(n, p))
    X[:, 1::2] = X[:, ::2] + 0.3 * rng.normal(size=(n, p // 2))
    effects = np.zeros((p, q))
    for t in range(q):
        first = 2 * rng.choice(p // 2, 8, replace=False)
        effects[first, t], effects[first + 1, t] = 1.0, -1.0
    Y = X @ effects + 0.5 * rng.standard_t(3, size=(n, q))
    full, adaptive = (fit(X, Y, path=path, cor_threshold=None) for path in ("full", "adaptive"))
    np.testing.assert_array_equal(adaptive.lambda_, full.lambda_)
    np.testing.assert_array_equal(adaptive.lambda_min_, full.lambda_min_)
    # Some minima follow a rise of the curve.
    mse = full.cv_mse_
    rise = np.maximum.accumulate(mse, axis=1) - mse[:, :1]
    last = np.arange(q), mse.argmin(axis=1)
    assert (rise[last] > 0.25 * full.cv_mse_se_[last]).any()


@pytest.mark.parametrize("rule", [0.002, lambda curve: curve.lambdas[-1]])
def test_custom_rules_use_whole_curves(X, Y, rule):
    model = fit(X, Y, lambda_rule=rule, path="adaptive")
    assert not np.isnan(model.cv_mse_).any()
    assert (model.lambda_ <= 0.002).all()


def test_adaptive_paths_choose_the_same_models(X, Y):
    full, adaptive = fit(X, Y), fit(X, Y, path="adaptive")
    np.testing.assert_array_equal(adaptive.lambda_, full.lambda_)
    np.testing.assert_array_equal(adaptive.lambda_min_, full.lambda_min_)
    np.testing.assert_array_equal(adaptive.coef_, full.coef_)
    visited = ~np.isnan(adaptive.cv_mse_)
    np.testing.assert_array_equal(adaptive.cv_mse_[visited], full.cv_mse_[visited])


def test_ridge_uses_every_predictor(X, Y):
    model = fit(X, Y, alpha=0.0, cor_threshold=None)
    assert (model.coef_ != 0).all()
    assert (model.r2_ > 0).any()


def test_standardize_false_penalizes_the_raw_scale(X, Y):
    scaled = X / X.std(axis=0)
    plain = fit(scaled, Y, standardize=False, lambda_rule=0.1, cor_threshold=None)
    standardized = fit(X, Y, lambda_rule=0.1, cor_threshold=None)
    np.testing.assert_allclose(plain.coef_ / X.std(axis=0), standardized.coef_, atol=1e-8)


def test_without_intercept(X, Y):
    model = fit(X, Y, fit_intercept=False, lambda_rule=1e-6, cor_threshold=None)
    np.testing.assert_array_equal(model.intercept_, 0.0)
    least_squares = np.linalg.lstsq(X, Y, rcond=None)[0].T
    np.testing.assert_allclose(model.coef_, least_squares, atol=1e-4)


def test_correlation_filter(X, Y):
    correlation = np.abs(np.corrcoef(X, Y, rowvar=False)[P:, :P])
    threshold = np.sort(correlation[0])[2] + 1e-6
    model = fit(X, Y, cor_threshold=threshold, alpha=0.0)
    for t, row in enumerate(correlation > threshold):
        expected = row if row.sum() >= 2 else np.zeros(P, bool)
        np.testing.assert_array_equal(model.coef_[t] != 0, expected)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"lambda_rule": "2se"}, "lambda_rule"),
        ({"lambda_rule": 0.0}, "lambda_rule"),
        ({"engine": "cuda"}, "engine"),
        ({"path": "fast"}, "path"),
        ({"lambdas": "log"}, "lambdas"),
        ({"alpha": 1.5}, "alpha"),
        ({"cv": 1}, "cv"),
        ({"cor_threshold": -0.1}, "cor_threshold"),
        ({"tol": 0.0}, "tol"),
        ({"max_iter": 0}, "max_iter"),
        ({"covariates": "labeling_ratio"}, "covariates"),
    ],
)
def test_bad_parameters_are_named(params, message, X, Y):
    with pytest.raises(ValueError, match=f"The '{message}' parameter of SciFateRegressor"):
        fit(X, Y, **params)


# ------------------------------------------------------------------------------------------ moments


def moments_of(tfs, new, cv=10, weight=None, names=True):
    plan = plan_folds(RSampleKFold(cv).split(np.zeros(len(tfs))), len(tfs))
    names = (np.array(TFS, object), np.array(TARGETS, object)) if names else ()
    return Moments.from_arrays(np.asarray(tfs), np.asarray(new), plan, weight, *names)


@pytest.mark.parametrize("settings", SETTINGS)
def test_fit_moments_equals_fit(settings, tfs, new):
    model, direct = SciFateRegressor(**settings), fit(tfs, new, **settings)
    assert model.fit_moments(moments_of(tfs, new)) is model
    np.testing.assert_array_equal(model.coef_, direct.coef_)
    np.testing.assert_array_equal(model.cv_mse_, direct.cv_mse_)
    pd.testing.assert_frame_equal(model.links_, direct.links_)
    np.testing.assert_array_equal(model.predict(tfs), direct.predict(tfs))


def test_fit_moments_without_names_removes_earlier_names(tfs, new):
    model = fit(tfs, new).fit_moments(moments_of(tfs, new, names=False))
    assert not hasattr(model, "feature_names_in_")
    assert model.target_names_in_[0] == "y0"
    np.testing.assert_array_equal(model.coef_, fit(tfs.to_numpy(), new.to_numpy()).coef_)


def test_fit_moments_errors(tfs, new):
    with pytest.raises(TypeError, match="`moments` must be a Moments, got DataFrame"):
        SciFateRegressor().fit_moments(tfs)
    needs = r'fit_moments needs an engine .* \("gram"\), got engine="glmnet"'
    with pytest.raises(ValueError, match=needs):
        SciFateRegressor(engine="glmnet").fit_moments(moments_of(tfs, new))


# -------------------------------------------------------------------------------- weights and folds


@pytest.mark.parametrize("settings", SETTINGS)
def test_integer_weights_are_repeated_cells(settings, X, Y):
    weight = np.random.default_rng(3).integers(0, 4, N)
    repeated = np.repeat(np.arange(N), weight)
    folds = np.random.default_rng(4).integers(0, 4, N)
    splits = [(np.flatnonzero(folds != k), np.flatnonzero(folds == k)) for k in range(4)]
    copies = folds[repeated]
    copied_splits = [(np.flatnonzero(copies != k), np.flatnonzero(copies == k)) for k in range(4)]
    weighted = fit(X, Y, {"sample_weight": weight}, cv=splits, **settings)
    twins = fit(X[repeated], Y[repeated], cv=copied_splits, **settings)
    np.testing.assert_allclose(weighted.coef_, twins.coef_, atol=1e-7)
    np.testing.assert_allclose(weighted.lambda_, twins.lambda_, rtol=1e-9)
    for t in range(Y.shape[1]):
        known = ~(np.isnan(weighted.cv_mse_[t]) | np.isnan(twins.cv_mse_[t]))
        np.testing.assert_allclose(weighted.cv_mse_[t, known], twins.cv_mse_[t, known], rtol=1e-7)


@pytest.mark.parametrize("settings", SETTINGS)
def test_zero_weight_drops_the_cell(settings, X, Y):
    weight = (np.arange(N) % 5 != 2).astype(float)
    kept = np.flatnonzero(weight)
    splits = explicit_splits(N)
    place = np.full(N, -1)
    place[kept] = np.arange(len(kept))
    fewer = [tuple(place[side][place[side] >= 0] for side in split) for split in splits]
    Y_wild = np.where(weight[:, None] > 0, Y, 1e3)
    weighted = fit(X, Y_wild, {"sample_weight": weight}, cv=splits, **settings)
    dropped = fit(X[kept], Y[kept], cv=fewer, **settings)
    np.testing.assert_allclose(weighted.coef_, dropped.coef_, atol=1e-7)
    np.testing.assert_allclose(weighted.lambda_, dropped.lambda_, rtol=1e-8)
    np.testing.assert_allclose(weighted.r2_, dropped.r2_, rtol=1e-6)


def test_only_relative_weights_matter(X, Y):
    weight = np.random.default_rng(6).uniform(0.1, 3, N)
    one = fit(X, Y, {"sample_weight": weight})
    assert_same_models(fit(X, Y, {"sample_weight": 1e6 * weight}), one)
    assert_same_models(fit(X, Y, {"sample_weight": np.full(N, 3.0)}), fit(X, Y))
    assert np.abs(one.coef_ - fit(X, Y).coef_).max() > 1e-4


def test_a_test_fold_without_weight_is_left_out(X, Y):
    splits = explicit_splits(N, 4)
    weight = np.ones(N)
    weight[splits[0][1]] = 0
    model = fit(X, Y, {"sample_weight": weight}, cv=splits)
    three = [(np.setdiff1d(train, splits[0][1]), test) for train, test in splits[1:]]
    kept = np.flatnonzero(weight)
    place = np.cumsum(weight).astype(int) - 1
    dropped = fit(X[kept], Y[kept], cv=[(place[a], place[b]) for a, b in three])
    np.testing.assert_allclose(model.cv_mse_, dropped.cv_mse_, rtol=1e-8)
    np.testing.assert_allclose(model.cv_mse_se_, dropped.cv_mse_se_, rtol=1e-6)


class TestFoldsWithoutWeight:
    """They do not count, so the fit is that of the other cells."""

    FOLD = RSampleKFold().fold_ids(N)

    def splits(self, rows):
        numbers = np.arange(rows.sum())
        fold = self.FOLD[rows]
        return [(numbers[fold != k], numbers[fold == k]) for k in np.unique(fold)]

    @pytest.mark.parametrize("settings", SETTINGS)
    def test_equals_a_fit_without_their_cells(self, settings, X, Y):
        is_used = self.FOLD <= 3
        with pytest.warns(UserWarning, match=r"^7 of 10 test sets have no cells .* the other 3\.$"):
            weighted = fit(X, Y, {"sample_weight": is_used.astype(float)}, **settings)
        alone = fit(X[is_used], Y[is_used], cv=self.splits(is_used), **settings)
        assert_same_models(weighted, alone)

    def test_standard_error_by_hand(self, X, Y):
        """R divides by 10 - 1 instead of 3 - 1 (docs/differences.md)."""
        is_used, settings = self.FOLD <= 3, {"path": "full", "cor_threshold": None}
        weights = {"sample_weight": is_used.astype(float)}
        with pytest.warns(UserWarning, match="7 of 10"):
            model = fit(X, Y[:, 0], weights, **settings)
        one_fold = ([split, split] for split in self.splits(is_used))
        curves = [fit(X[is_used], Y[is_used, 0], cv=cv, **settings).cv_mse_ for cv in one_fold]
        size = np.bincount(self.FOLD[is_used])[1:]
        mean = np.average(curves, axis=0, weights=size)
        variance = np.average((curves - mean) ** 2, axis=0, weights=size)
        np.testing.assert_allclose(model.cv_mse_se_, np.sqrt(variance / 2), rtol=1e-6)

    def test_moments(self, X, Y):
        weight = (self.FOLD > 2).astype(float)
        plan = plan_folds(RSampleKFold().split(X), N)
        moments = Moments.from_arrays(X, Y, plan, sample_weight=weight)
        with pytest.warns(UserWarning, match="2 of 10 test sets have no cells of positive weight"):
            model = SciFateRegressor().fit_moments(moments)
        with pytest.warns(UserWarning, match="2 of 10"):
            assert_same_models(model, fit(X, Y, {"sample_weight": weight}))

    def test_no_warning_if_every_fold_has_weight(self, X, Y):
        weight = (np.arange(N) % 2).astype(float)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            fit(X, Y, {"sample_weight": weight})


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.zeros(N), "`sample_weight` is zero for all cells"),
        (-np.ones(N), "[Nn]egative"),
        (np.ones(N - 1), "sample_weight"),
        (np.full(N, np.nan), "NaN"),
    ],
)
def test_bad_weights(weight, message, X, Y):
    with pytest.raises(ValueError, match=message):
        fit(X, Y, {"sample_weight": weight})


def brute_force_curve(X, Y, splits, lambdas, grouped):
    """Return cvm and cvsd of separate fits on each training set."""
    errors, weights = [], []
    for train, test in splits:
        residuals = []
        for penalty in lambdas:
            model = SciFateRegressor(
                lambda_rule=float(penalty), lambdas=lambdas, cor_threshold=None, cv=3, tol=1e-13
            ).fit(X[train], Y[train])
            residuals.append((Y[test] - model.predict(X[test])) ** 2)
        squares = np.stack(residuals, axis=-1)
        errors += [squares.mean(axis=0)] if grouped else list(squares)
        weights += [len(test)] if grouped else [1] * len(test)
    errors, weights = np.array(errors), np.array(weights, float)
    cvm = np.average(errors, axis=0, weights=weights)
    variance = np.average((errors - cvm) ** 2, axis=0, weights=weights) / (len(weights) - 1)
    return cvm, np.sqrt(variance)


GRID = np.array([0.8, 0.2, 0.05])
SPLITTERS = {
    "KFold": KFold(4, shuffle=True, random_state=0),
    "ShuffleSplit": ShuffleSplit(4, test_size=0.3, random_state=0),
    "TimeSeriesSplit": TimeSeriesSplit(4),
    "iterable": explicit_splits(N, 4),
}


@pytest.mark.parametrize("splitter", SPLITTERS)
def test_curves_of_any_splitter_against_separate_fits(splitter, X, Y):
    cv = SPLITTERS[splitter]
    model = fit(X, Y, cv=cv, lambdas=GRID, cor_threshold=None, tol=1e-13)
    splits = cv if isinstance(cv, list) else list(cv.split(X))
    cvm, cvsd = brute_force_curve(X, Y, splits, GRID, grouped=True)
    np.testing.assert_allclose(model.cv_mse_, cvm, rtol=1e-6)
    np.testing.assert_allclose(model.cv_mse_se_, cvsd, rtol=1e-5)
    np.testing.assert_array_equal(model.lambda_min_, GRID[cvm.argmin(axis=1)])
    bound = (cvm + cvsd)[np.arange(len(cvm)), cvm.argmin(axis=1)]
    np.testing.assert_array_equal(model.lambda_, GRID[(cvm <= bound[:, None]).argmax(axis=1)])


@pytest.mark.parametrize("cv", [LeaveOneOut(), KFold(8)], ids=["leave one out", "8 of 20"])
def test_tiny_folds_are_ungrouped_as_in_cv_glmnet(cv, X, Y):
    X, Y = X[:20], Y[:20]
    model = fit(X, Y, cv=cv, lambdas=GRID, cor_threshold=None, tol=1e-13)
    cvm, cvsd = brute_force_curve(X, Y, list(cv.split(X)), GRID, grouped=False)
    np.testing.assert_allclose(model.cv_mse_, cvm, rtol=1e-6)
    np.testing.assert_allclose(model.cv_mse_se_, cvsd, rtol=1e-5)


def test_an_integer_cv_means_the_folds_of_r(X, Y):
    by_int = fit(X, Y, cv=6, random_state=7)
    assert_same_models(by_int, fit(X, Y, cv=RSampleKFold(6, seed=7)))
    assert np.abs(by_int.cv_mse_ - fit(X, Y, cv=6).cv_mse_).max() > 1e-6
    from_generator = fit(X, Y, cv=6, random_state=np.random.RandomState(3))
    again = fit(X, Y, cv=6, random_state=np.random.RandomState(3))
    np.testing.assert_array_equal(from_generator.cv_mse_, again.cv_mse_)
    # An adaptive path may stop early with some of these folds.
    assert np.isfinite(fit(X, Y, cv=6, random_state=None, path="full").cv_mse_).all()


def test_groups_stay_together(X, Y):
    groups = np.arange(N) % 9
    model = fit(X, Y, {"groups": groups}, cv=GroupKFold(3))
    assert_same_models(model, fit(X, Y, cv=list(GroupKFold(3).split(X, groups=groups))))


def test_fewer_cells_than_folds(X, Y):
    with pytest.raises(ValueError, match="samples are too few for `n_splits` = 10 folds"):
        fit(X[:8], Y[:8])


# ----------------------------------------------------------------------------------- printed output


def test_verbose_shows_a_bar_on_stderr_only(X, Y, capsys):
    fit(X, Y, verbose=1)
    out, err = capsys.readouterr()
    assert out == ""
    assert "5/5" in err
    assert "target" in err


def test_silent_by_default(X, Y, capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit(X, Y).predict(X)
    assert capsys.readouterr() == ("", "")


def test_too_few_sweeps_warn_once(X, Y):
    with pytest.warns(ConvergenceWarning, match=r"problems .* raise `max_iter`, now 1,") as caught:
        model = fit(X, Y, lambdas=[1e-3], cor_threshold=None, max_iter=1, tol=1e-60)
    assert len(caught) == 1
    assert (model.dual_gap_ > model.tol).any()


# ---------------------------------------------------------- unmodified inputs, reproducible results


def frozen(A):
    A = A.copy()
    for part in [A] if isinstance(A, np.ndarray) else [A.data, A.indices, A.indptr]:
        part.flags.writeable = False
    return A


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("form", [np.asarray, np.asfortranarray, sp.csr_array, sp.csc_matrix])
def test_read_only_inputs(form, settings, X, Y):
    weight, grid = frozen(np.linspace(1, 2, N)), frozen(GRID)
    given = frozen(form(X)), frozen(form(Y))
    params = {"lambdas": grid, "penalty_factor": frozen(np.ones(P)), **settings}
    model = fit(*given, {"sample_weight": weight}, **params)
    model.predict(given[0])
    model.score(*given)
    assert_same_models(model, fit(X, Y, {"sample_weight": weight.copy()}, **params))


def test_arguments_are_not_modified(tfs, new):
    tfs_before, new_before = tfs.copy(), new.copy()
    csr = sp.csr_matrix(tfs.to_numpy())
    csr_before, factor = csr.copy(), pd.Series({"Myc": 2.0})
    grid = [0.1, 1.0]
    model = fit(tfs, new, penalty_factor=factor, lambdas=grid)
    model.predict(tfs)
    model.score(tfs, new)
    fit(csr, new)
    pd.testing.assert_frame_equal(tfs, tfs_before)
    pd.testing.assert_frame_equal(new, new_before)
    assert (csr != csr_before).nnz == 0
    assert factor.to_dict() == {"Myc": 2.0}
    assert grid == [0.1, 1.0]


FITTED = ["coef_", "intercept_", "lambda_", "cv_mse_", "cv_mse_se_", "r2_", "n_iter_", "dual_gap_"]


@pytest.mark.parametrize("settings", SETTINGS)
def test_bit_equal_for_any_number_of_workers(settings, X, Y):
    Y = np.hstack([Y + 0.1 * i for i in range(8)])
    one, two = fit(X, Y, n_jobs=1, **settings), fit(X, Y, n_jobs=2, **settings)
    for name in FITTED:
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name), err_msg=name)


@pytest.mark.parametrize("settings", SETTINGS)
def test_order_and_selection_of_targets_do_not_matter(settings, tfs, new):
    model = fit(tfs, new, **settings)
    order = [3, 0, 4, 1, 2]
    shuffled = fit(tfs, new.iloc[:, order], **settings)
    for chosen, positions in [(shuffled, order), (fit(tfs, new[["Gcg"]], **settings), [4])]:
        np.testing.assert_allclose(chosen.coef_, model.coef_[positions], atol=1e-9)
        np.testing.assert_array_equal(chosen.lambda_ > 0, model.lambda_[positions] > 0)
        np.testing.assert_allclose(chosen.lambda_, model.lambda_[positions], rtol=1e-12)


def test_the_same_call_gives_the_same_bits(tfs, new):
    one, two = fit(tfs, new), fit(tfs, new)
    for name in FITTED:
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name), err_msg=name)


def test_the_order_of_cells_does_not_matter_if_folds_follow(X, Y):
    splits = explicit_splits(N)
    order = np.random.default_rng(9).permutation(N)
    place = np.argsort(order)
    moved = [(place[train], place[test]) for train, test in splits]
    assert_same_models(fit(X[order], Y[order], cv=moved), fit(X, Y, cv=splits))


@pytest.mark.parametrize("alpha", [1.0, 0.5])
def test_equivariance(alpha, X, Y):
    model = fit(X, Y, alpha=alpha)
    scale, shift = np.array([1e-3, 1e3, 2.0, 7.0, 0.5, 30.0]), np.arange(P) * 100.0
    moved = fit(X * scale + shift, Y, alpha=alpha)
    np.testing.assert_allclose(moved.coef_ * scale, model.coef_, atol=1e-7)
    np.testing.assert_allclose(moved.predict(X * scale + shift), model.predict(X), atol=1e-6)
    grid = model.lambdas_
    stretched = fit(X, 5.0 * Y - 3.0, alpha=alpha, lambdas=5.0 * grid)
    np.testing.assert_allclose(stretched.lambda_, 5.0 * model.lambda_, rtol=1e-12)
    np.testing.assert_allclose(stretched.coef_, 5.0 * model.coef_, atol=1e-6)
    np.testing.assert_allclose(stretched.cv_mse_, 25.0 * model.cv_mse_, rtol=1e-7)
    np.testing.assert_allclose(stretched.r2_, model.r2_, atol=1e-7)


def test_velocity_like_input(tfs, new):
    velocity = 1e-3 * (new - new.mean()) - 5e-3
    assert (velocity.to_numpy() < 0).mean() > 0.5
    model = fit(tfs, velocity, lambdas="auto")
    assert len(model.links_) > 3
    assert model.score(tfs, velocity) > 0.1


# ------------------------------------------------------------------------------------ invalid input


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
def test_nan_and_infinity(value, form, X, Y):
    bad_X, bad_Y = X.copy(), Y.copy()
    bad_X[3, 2] = bad_Y[3, 2] = value
    message = r"contains (NaN|infinity): 1 value.*row 3, column 2"
    with pytest.raises(ValueError, match=f"`tf_matrix` {message}"):
        fit(form(bad_X), Y)
    with pytest.raises(ValueError, match=f"`target_matrix` {message}"):
        fit(X, form(bad_Y))
    with pytest.raises(ValueError, match=f"`tf_matrix` {message}"):
        fit(X, Y).predict(form(bad_X))


def for_constant_columns(test):
    """Run a test for several constants, matrix types and settings."""
    for name, values in {
        "form": [np.asarray, sp.csr_array],
        "value": [0.0, 0.1, -7.7, 1e6 + 0.1],
        "params": [{}, {"cor_threshold": None}, {"lambdas": "auto"}],
    }.items():
        test = pytest.mark.parametrize(name, values)(test)
    return test


@for_constant_columns
def test_a_constant_tf_is_never_used(form, value, params, X, Y):
    X = X.copy()
    X[:, 1] = value
    model = fit(form(X), Y, **params)
    assert not model.coef_[:, 1].any()
    others = fit(np.delete(X, 1, axis=1), Y, **params)
    np.testing.assert_allclose(np.delete(model.coef_, 1, axis=1), others.coef_, atol=1e-9)
    np.testing.assert_array_equal(model.lambda_ > 0, True)


def assert_no_model(model, t, mean):
    assert not model.coef_[t].any()
    assert np.isnan([model.lambda_[t], model.lambda_min_[t], model.lambda_1se_[t]]).all()
    assert np.isnan(model.r2_[t])
    assert np.isnan(model.cv_mse_[t]).all()
    assert model.intercept_[t] == pytest.approx(mean, rel=1e-12, abs=1e-12)
    assert model.target_names_in_[t] not in set(model.links_["target"])
    assert (model.n_iter_[t], model.dual_gap_[t]) == (0, 0)


@for_constant_columns
def test_a_constant_target_gets_no_model(form, value, params, X, Y):
    Y = Y.copy()
    Y[:, 2] = value
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = fit(X, form(Y), **params)
    assert_no_model(model, 2, value)
    others = fit(X, np.delete(Y, 2, axis=1), **params)
    np.testing.assert_allclose(np.delete(model.coef_, 2, axis=0), others.coef_, atol=1e-9)
    np.testing.assert_allclose(model.predict(X)[:, 2], value)


@pytest.mark.parametrize("params", [{}, {"lambdas": "auto"}, {"lambda_rule": 0.3}])
def test_only_constant_targets(params, X):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = fit(X, np.full((N, 2), 3.0), **params)
        single = fit(X, np.full(N, 3.0), **params)
    for t in range(2):
        assert_no_model(model, t, 3.0)
    assert len(model.links_) == 0
    assert tuple(model.links_.columns) == LINK_COLUMNS
    assert np.isnan(single.lambda_)
    assert single.intercept_ == 3.0


def test_a_target_that_is_constant_in_a_training_set(X, Y):
    Y = Y.copy()
    splits = explicit_splits(N, 3)
    Y[splits[0][0], 0] = 2.0
    Y[splits[0][1], 0] += X[splits[0][1], 0]
    model = fit(X, Y, cv=splits, cor_threshold=None)
    assert np.isfinite(model.cv_mse_).all()
    assert np.isfinite(fit(X, Y, cv=splits, lambdas="auto", cor_threshold=None).coef_).all()


def test_fewer_than_two_regulators_pass_the_prefilter(X, Y):
    one = fit(X[:, :1], Y)
    for t in range(Y.shape[1]):
        assert_no_model(one, t, Y[:, t].mean())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(fit(X, Y, cor_threshold=0.99).links_) == 0


def test_self_exclusion_leaves_one_regulator(tfs, new):
    model = fit(tfs[["Myc", "Sox2"]], new)
    assert_no_model(model, TARGETS.index("Myc"), new["Myc"].mean())
    assert "Neurog3" in model.target_names_in_


def test_cells_that_do_not_match(tfs, new):
    with pytest.raises(ValueError, match=r"in another order; align them with\s.*loc"):
        fit(tfs, new.iloc[::-1])
    with pytest.raises(
        ValueError, match="name different cells: 'cell0' against 'c0' at position 0"
    ):
        fit(tfs, new.set_axis([f"c{i}" for i in range(N)]))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        fit(tfs, new.iloc[:-1])
    with pytest.raises(ValueError, match="in another order"):
        fit(tfs, new["Gcg"].iloc[::-1])


def test_rows_without_names_match_any_names(tfs, new):
    expected = fit(tfs, new)
    assert_same_models(fit(tfs.reset_index(drop=True), new), expected)
    assert_same_models(
        fit(tfs, new.to_numpy(), exclude_self=False), fit(tfs, new, exclude_self=False)
    )


def test_repeated_names(tfs, new):
    twice = tfs.set_axis(["Myc", *TFS[1:]], axis=1)
    with pytest.raises(ValueError, match=r"`tf_matrix` has 1 column name.* 'Myc'.*ambiguous"):
        fit(twice, new)
    with pytest.raises(ValueError, match=r"`target_matrix` has 1 column name.* 'Gcg'"):
        fit(tfs, new.set_axis(["Gcg", *TARGETS[1:]], axis=1))


def test_other_columns_at_predict(tfs, new, X):
    model = fit(tfs, new)
    for method in (model.predict, model.transform):
        with pytest.raises(ValueError, match="feature names should match"):
            method(tfs.rename(columns={"Myc": "Mycn"}))
        with pytest.raises(ValueError, match="feature names"):
            method(tfs[TFS[::-1]])
    unnamed = fit(X, new.to_numpy())
    for method in (unnamed.predict, unnamed.transform):
        with pytest.raises(
            ValueError, match="X has 5 features, but SciFateRegressor is expecting 6"
        ):
            method(X[:, :5])


def test_invalid_matrices(X, Y):
    words = X.astype(object)
    words[0, 0] = "high"
    with pytest.raises(ValueError, match="could not convert string to float: 'high'"):
        fit(words, Y)
    with pytest.raises(ValueError, match="dim 3"):
        fit(X[:, :, None], Y)
    with pytest.raises(ValueError, match="dim 3"):
        fit(X, Y[:, :, None])
    with pytest.raises(ValueError, match="Reshape your data"):
        fit(X[:, 0], Y)
    with pytest.raises(ValueError, match=r"0 sample\(s\)"):
        fit(X[:0], Y[:0])
    with pytest.raises(ValueError, match=r"0 feature\(s\)"):
        fit(X[:, :0], Y)
    with pytest.raises(ValueError, match="minimum of 2 is required"):
        fit(X[:1], Y[:1])
    with pytest.raises(ValueError, match="target"):
        fit(X, None)


def test_matrices_without_columns(tfs, new):
    with pytest.raises(ValueError, match="`target_matrix` has no columns"):
        fit(tfs, new.iloc[:, :0])
    with pytest.raises(ValueError, match="`tf_matrix` has no columns"):
        fit(tfs.iloc[:, :0], new)
    with pytest.raises(ValueError, match=r"0 feature\(s\)"):
        fit(tfs, new.to_numpy()[:, :0])
