"""Comparison of MultiOutputLassoCV with scikit-learn's estimators, output by output."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import sklearn
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNetCV, Lasso, LassoCV, Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, LeaveOneOut, ShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from scifate_sklearn import MultiOutputLassoCV, SciFateRegressor

N, P, Q = 103, 12, 20  # folds of unequal size
PRECISE = {"tol": 1e-13, "max_iter": 1_000_000}


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N, P)) * rng.uniform(0.5, 2, P) + rng.normal(size=P)
    X[rng.random((N, P)) < 0.3] = 0.0
    truth = rng.normal(size=(P, Q)) * (rng.random((P, Q)) < 0.4)
    return X, X @ truth + rng.normal(size=(N, Q)) * rng.uniform(0.5, 5, Q) + 2.0


@pytest.fixture(scope="module")
def weight():
    return np.random.default_rng(1).uniform(0, 2, N)


def assert_equals_each_output(model, reference, X, Y, **fit_params):
    """Compare with one reference estimator per output."""
    for t in range(Y.shape[1]):
        single = clone(reference).fit(X, Y[:, t], **fit_params)
        assert model.alpha_[t] == pytest.approx(single.alpha_, rel=1e-12)
        grid = model.alphas_ if model.alphas_.ndim == 1 else model.alphas_[t]
        np.testing.assert_allclose(grid, single.alphas_, rtol=1e-12)
        scale = single.mse_path_.max()
        np.testing.assert_allclose(model.mse_path_[t], single.mse_path_, atol=1e-8 * scale, rtol=0)
        np.testing.assert_allclose(model.coef_[t], single.coef_, atol=1e-8, rtol=0)
        assert model.intercept_[t] == pytest.approx(single.intercept_, abs=1e-8)


@parametrize_with_checks([MultiOutputLassoCV(), MultiOutputLassoCV(selection_rule="1se")])
def test_estimator_contract(estimator, check):
    check(estimator)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "make", [np.asarray, sp.csr_array, pytest.param(sp.csc_matrix, marks=pytest.mark.slow)]
)
def test_equals_lasso_cv(data, weight, fit_intercept, weighted, make):
    X, Y = data
    given = {"sample_weight": weight} if weighted else {}
    model = MultiOutputLassoCV(fit_intercept=fit_intercept).fit(make(X), Y, **given)
    reference = LassoCV(fit_intercept=fit_intercept, **PRECISE)
    assert_equals_each_output(model, reference, X, Y, **given)


@pytest.mark.slow
@pytest.mark.parametrize("l1_ratio", [0.9, 0.5, 0.05])
@pytest.mark.parametrize(
    ("fit_intercept", "weighted"), [(True, False), (True, True), (False, True)]
)
def test_equals_elastic_net_cv(data, weight, l1_ratio, fit_intercept, weighted):
    X, Y = data
    options = {"l1_ratio": l1_ratio, "fit_intercept": fit_intercept}
    given = {"sample_weight": weight} if weighted else {}
    model = MultiOutputLassoCV(**options).fit(X, Y, **given)
    assert_equals_each_output(model, ElasticNetCV(**options, **PRECISE), X, Y, **given)


@pytest.mark.parametrize(
    "cv",
    [3, KFold(4, shuffle=True, random_state=0), ShuffleSplit(4, random_state=0), LeaveOneOut()],
    ids=["number", "shuffled", "overlapping", "one by one"],
)
def test_any_folds(data, cv):
    X, Y = data[0][:40], data[1][:40, :3]
    model = MultiOutputLassoCV(cv=cv, alphas=20).fit(X, Y)
    assert_equals_each_output(model, LassoCV(cv=cv, alphas=20, **PRECISE), X, Y)


def test_groups(data):
    X, Y = data[0], data[1][:, :3]
    groups = np.arange(N) // 9
    folds = list(GroupKFold(3).split(X, groups=groups))
    model = MultiOutputLassoCV(cv=GroupKFold(3)).fit(X, Y, groups=groups)
    assert_equals_each_output(model, LassoCV(cv=folds, **PRECISE), X, Y)
    with sklearn.config_context(enable_metadata_routing=True):
        lasso = MultiOutputLassoCV(cv=GroupKFold(3)).set_fit_request(groups=True)
        routed = make_pipeline(StandardScaler(with_std=False), lasso).fit(X, Y, groups=groups)
    np.testing.assert_allclose(routed[-1].coef_, model.coef_, atol=1e-8)


def test_given_penalties(data):
    X, Y = data
    alphas = [0.1, 1.0, 0.03, 0.3]
    model = MultiOutputLassoCV(alphas=alphas).fit(X, Y)
    assert model.alphas_.tolist() == sorted(alphas, reverse=True)
    assert model.mse_path_.shape == (Q, 4, 5)
    assert_equals_each_output(model, LassoCV(alphas=alphas, **PRECISE), X, Y)


def test_ridge_with_given_penalties(data):
    X, Y = data
    model = MultiOutputLassoCV(l1_ratio=0, alphas=[1.0]).fit(X, Y)
    centred = X - X.mean(axis=0)
    expected = np.linalg.solve(centred.T @ centred / N + np.eye(P), centred.T @ Y / N).T
    np.testing.assert_allclose(model.coef_, expected, atol=1e-10)


def test_one_dimension(data):
    X, y = data[0], data[1][:, 0]
    model, single = MultiOutputLassoCV().fit(X, y), LassoCV(**PRECISE).fit(X, y)
    for name in ("alpha_", "alphas_", "mse_path_", "coef_", "intercept_", "n_iter_", "dual_gap_"):
        assert np.shape(getattr(model, name)) == np.shape(getattr(single, name)), name
    np.testing.assert_allclose(model.coef_, single.coef_, atol=1e-8)
    np.testing.assert_allclose(model.predict(X), single.predict(X), atol=1e-8)
    assert model.score(X, y) == pytest.approx(single.score(X, y))


def test_the_one_standard_error_rule(data):
    model = MultiOutputLassoCV(selection_rule="1se").fit(*data)
    for t in range(Q):
        mse = model.mse_path_[t].mean(axis=1)
        error = model.mse_path_[t].std(axis=1, ddof=1) / np.sqrt(5)
        best = mse.argmin()
        first = np.flatnonzero(mse <= mse[best] + error[best])[0]
        assert model.alpha_[t] == model.alphas_[t, first]
    at_minimum = MultiOutputLassoCV().fit(*data)
    assert (model.alpha_ >= at_minimum.alpha_).all()
    assert (model.alpha_ > at_minimum.alpha_).any()


def test_standardize(data):
    """Each training set is standardized separately; coefficients are on the scale of the input."""
    X, Y = data[0], data[1][:, :3]
    model = MultiOutputLassoCV(standardize=True, alphas=[0.3, 0.1]).fit(X, Y)
    folds = [np.arange(N), *(train for train, _ in KFold(5).split(X))]
    tests = [np.arange(N), *(test for _, test in KFold(5).split(X))]
    for t in range(3):
        for k, (train, test) in enumerate(zip(folds, tests, strict=True)):
            scale = X[train].std(axis=0)
            for i, alpha in enumerate(model.alphas_):
                lasso = Lasso(alpha=alpha, **PRECISE).fit(X[train] / scale, Y[train, t])
                if k > 0:
                    error = np.mean((lasso.predict(X[test] / scale) - Y[test, t]) ** 2)
                    assert model.mse_path_[t, i, k - 1] == pytest.approx(error, rel=1e-8)
                elif alpha == model.alpha_[t]:
                    np.testing.assert_allclose(model.coef_[t], lasso.coef_ / scale, atol=1e-8)


def test_the_largest_penalty_of_a_standardized_grid_has_an_empty_model(data):
    X, Y = data
    largest = MultiOutputLassoCV(standardize=True).fit(X, Y).alphas_[:, 0]
    for factor, is_empty in ((1 + 1e-9, True), (1 - 1e-3, False)):
        models = [
            MultiOutputLassoCV(standardize=True, alphas=[factor * alpha]).fit(X, Y[:, t])
            for t, alpha in enumerate(largest)
        ]
        assert all((not model.coef_.any()) == is_empty for model in models)


def test_dual_gap_bounds_the_excess_of_the_objective(data, weight):
    X, Y = data
    share = weight / weight.sum()
    model = MultiOutputLassoCV(l1_ratio=0.7, tol=1e-3).fit(X, Y, sample_weight=weight)
    exact = MultiOutputLassoCV(l1_ratio=0.7).fit(X, Y, sample_weight=weight)

    def objective(fitted, alpha):
        residual = Y - fitted.predict(X)
        size = 0.7 * np.abs(fitted.coef_).sum(axis=1) + 0.15 * (fitted.coef_**2).sum(axis=1)
        return 0.5 * share @ residual**2 + alpha * size

    same = model.alpha_ == exact.alpha_
    assert same.sum() > Q / 2
    excess = objective(model, model.alpha_) - objective(exact, model.alpha_)
    assert (excess[same] <= model.dual_gap_[same] + 1e-12).all()


def test_constant_columns(data):
    X, Y = data[0].copy(), data[1][:, :4].copy()
    X[:, 3], Y[:, 2] = 5.0, 7.0
    for fit_intercept in (True, False):
        model = MultiOutputLassoCV(fit_intercept=fit_intercept).fit(X, Y)
        reference = LassoCV(fit_intercept=fit_intercept, **PRECISE)
        assert_equals_each_output(model, reference, X, Y)


def test_a_fold_without_weight_has_no_error(data):
    X, Y = data[0], data[1][:, :3]
    weight = np.ones(N)
    weight[21:42] = 0  # the second of five folds
    model = MultiOutputLassoCV().fit(X, Y, sample_weight=weight)
    assert model.mse_path_.shape == (3, 100, 5)
    assert np.isnan(model.mse_path_).any(axis=(0, 1)).tolist() == [False, True, False, False, False]
    best = np.nanmean(model.mse_path_, axis=2).argmin(axis=1)
    np.testing.assert_array_equal(model.alpha_, model.alphas_[np.arange(3), best])


@pytest.mark.parametrize("standardize", [False, True])
def test_ridge_without_intercept_fold_by_fold(standardize):
    """A column that is 0 in a training set, though not in all, has no coefficient there."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 6))
    y = X @ rng.normal(size=6) + rng.normal(size=60)
    X[:, 1] = 0.0
    X[12:24, 1] = 1e6 * rng.uniform(0.5, 1.5, 12)
    options = {"fit_intercept": False, "standardize": standardize}
    model = MultiOutputLassoCV(alphas=[1e-6], l1_ratio=0, **options).fit(X, y)
    for k, (train, test) in enumerate(KFold(5).split(X)):
        scale = X[train].std(axis=0) if standardize else np.ones(6)
        scale[scale == 0] = 1.0
        ridge = Ridge(alpha=1e-6 * len(train), fit_intercept=False).fit(X[train] / scale, y[train])
        error = np.mean((ridge.predict(X[test] / scale) - y[test]) ** 2)
        assert model.mse_path_[0, k] == pytest.approx(error, rel=1e-6)


def test_the_grid_of_constant_columns_without_intercept():
    rng = np.random.default_rng(0)
    X = np.c_[np.full(60, 50.0), rng.normal(size=(60, 3))]
    y = 30 + 0.01 * rng.normal(size=60)
    options = {"standardize": True, "fit_intercept": False}
    largest = MultiOutputLassoCV(**options).fit(X, y).alphas_[0]
    assert largest == pytest.approx(50 * y.mean())
    assert not MultiOutputLassoCV(alphas=[1.001 * largest], **options).fit(X, y).coef_.any()
    assert MultiOutputLassoCV(alphas=[0.999 * largest], **options).fit(X, y).coef_[0] > 0


@pytest.mark.parametrize("make", [sp.csr_array, sp.csc_matrix, sp.coo_array])
def test_sparse_outputs(data, make):
    X, Y = data
    Y = np.where(Y > 3, Y, 0.0)
    dense, sparse = MultiOutputLassoCV().fit(X, Y), MultiOutputLassoCV().fit(X, make(Y))
    np.testing.assert_allclose(sparse.coef_, dense.coef_, atol=1e-10)
    assert sparse.score(X, make(Y)) == pytest.approx(dense.score(X, Y))


def test_single_feature(data):
    X, Y = data[0][:, :1], data[1][:, :3]
    assert_equals_each_output(MultiOutputLassoCV().fit(X, Y), LassoCV(**PRECISE), X, Y)


def test_bit_equal_for_any_number_of_workers(data):
    one, three = (MultiOutputLassoCV(n_jobs=n).fit(*data) for n in (1, 3))
    for name in ("coef_", "intercept_", "alpha_", "alphas_", "mse_path_", "dual_gap_", "n_iter_"):
        np.testing.assert_array_equal(getattr(one, name), getattr(three, name))


def test_names_of_columns(data):
    X, Y = data
    frame = pd.DataFrame(X, columns=[f"f{i}" for i in range(P)])
    model = MultiOutputLassoCV().fit(frame, pd.DataFrame(Y))
    assert model.feature_names_in_.tolist() == list(frame.columns)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame[frame.columns[::-1]])


def test_in_a_grid_search(data):
    search = GridSearchCV(MultiOutputLassoCV(), {"selection_rule": ["min", "1se"]}).fit(*data)
    assert search.best_score_ > 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alphas": [0.1, -1.0]}, "`alphas` must hold positive, finite penalties, got 2 value"),
        ({"alphas": []}, "`alphas` must hold positive"),
        ({"alphas": [[0.1]]}, r"`alphas` must be one list of penalties .* shape \(1, 1\)"),
        ({"alphas": np.ma.array([0.1, 0.2], mask=[False, True])}, "`alphas` has 1 masked value"),
        ({"alphas": ["a"]}, "`alphas`: could not convert"),
        ({"l1_ratio": 0}, "`alphas` must be given for `l1_ratio`=0"),
        ({"l1_ratio": 1e-300}, "`alphas` must be given for `l1_ratio`=1e-300"),
        ({"selection_rule": "best"}, "'selection_rule' parameter"),
    ],
)
def test_bad_parameters(data, options, message):
    with pytest.raises(ValueError, match=message):
        MultiOutputLassoCV(**options).fit(*data)


@pytest.mark.parametrize("alphas", [np.array([0.1 + 0j]), pd.to_datetime(["2020-01-01"])])
def test_penalties_that_are_no_real_numbers(data, alphas):
    with pytest.raises(TypeError, match=r"`alphas`:? must hold real numbers"):
        MultiOutputLassoCV(alphas=alphas).fit(*data)


def test_messages_name_the_arguments_of_this_estimator(data):
    X, Y = data
    halves = [(np.arange(50), np.arange(50, N)), (np.arange(50, N), np.arange(50))]
    with pytest.raises(ValueError, match="no samples of positive weight"):
        MultiOutputLassoCV(cv=halves).fit(X, Y, sample_weight=np.arange(N) < 50)
    with pytest.raises(ValueError, match="0 training and 1 test samples"):
        MultiOutputLassoCV(cv=[([], [1]), ([1], [2])]).fit(X, Y)
    with pytest.raises(
        ValueError, match="`X` and `y` have inconsistent numbers of samples: 103 and"
    ):
        MultiOutputLassoCV().fit(X, Y[:-1])
    with pytest.raises(ValueError, match="`sample_weight` is zero for all samples"):
        MultiOutputLassoCV().fit(X, Y, sample_weight=np.zeros(N))
    with pytest.raises(ValueError, match="`y` contains NaN"):
        MultiOutputLassoCV().fit(X, np.where(Y > 0, Y, np.nan))


def test_unconverged_problems_warn_at_the_line_of_the_user(data):
    with pytest.warns(ConvergenceWarning, match="raise `max_iter`") as caught:
        MultiOutputLassoCV(max_iter=1, tol=1e-15).fit(*data)
    assert caught[0].filename == __file__


def test_agrees_with_the_conventions_of_glmnet_where_these_are_the_same(data):
    """Both estimators solve the same problems for folds of equal size, α = 1 and no prefilter."""
    X, Y = data[0][:100], data[1][:100]
    grid = np.geomspace(1, 1e-2, 30)
    generic = MultiOutputLassoCV(alphas=grid, selection_rule="1se", cv=KFold(5)).fit(X, Y)
    ours = SciFateRegressor(
        lambdas=grid, cv=KFold(5), cor_threshold=None, standardize=False, path="full"
    ).fit(X, Y)
    np.testing.assert_array_equal(generic.alpha_, ours.lambda_)
    np.testing.assert_allclose(generic.coef_, ours.coef_, atol=1e-12)
