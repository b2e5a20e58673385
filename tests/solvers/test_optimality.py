"""Fits compared with the optimality conditions and scikit-learn's solvers, well-posed or not."""

import warnings

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet, Lasso, LinearRegression, Ridge

from scifate_sklearn import SciFateRegressor

SEEDS = st.integers(0, 2**32 - 1)
SHAPES = {
    "tall": {"n": 60, "p": 8},
    "wide": {"n": 20, "p": 40},
    "duplicates": {"n": 40, "p": 12, "copies": 1.0},
    "near duplicates": {"n": 40, "p": 12, "copies": 0.9999},
}


def make_data(seed, n, p, q=2, copies=0.0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) * 10.0 ** rng.uniform(-2, 2, p) + rng.normal(size=p)
    if copies:
        half, noise = p // 2, rng.normal(size=(n, p // 2))
        Z = (X[:, :half] - X[:, :half].mean(axis=0)) / X[:, :half].std(axis=0)
        X[:, half : 2 * half] = copies * Z + np.sqrt(1 - copies**2) * noise
    effects = rng.normal(size=(p, q)) * (rng.random((p, q)) < 0.4)
    Y = X / X.std(axis=0) @ effects + rng.normal(size=(n, q)) + 3.0
    return X, Y


def fit(X, Y, penalty, **params):
    model = SciFateRegressor(
        lambda_rule=penalty, cor_threshold=None, lambdas=np.geomspace(10, 0.01, 12), cv=3, **params
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        return model.fit(X, Y)


def violation(X, y, coef, intercept, penalty, alpha, factor, standardize):
    """Return the distance of the subgradient of glmnet's objective from 0, standardized."""
    scale = X.std(axis=0) if standardize else np.ones(X.shape[1])
    y_sd = y.std()
    factor = factor / factor.mean()
    beta = coef * scale
    residual = y - intercept - X @ coef
    gradient = (X - X.mean(axis=0)).T @ residual / len(y) / scale
    gradient -= penalty * (1 - alpha) * factor * beta / y_sd
    l1 = penalty * alpha * factor
    at_zero = np.maximum(np.abs(gradient) - l1, 0)
    elsewhere = np.abs(gradient - l1 * np.sign(beta))
    return max(abs(residual.mean()), np.where(beta == 0, at_zero, elsewhere).max()) / y_sd


@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    seed=SEEDS,
    alpha=st.sampled_from([1.0, 1.0, 0.5, 0.0]),
    standardize=st.booleans(),
    has_factors=st.booleans(),
    penalty=st.floats(0.02, 2.0),
)
@pytest.mark.parametrize("shape", SHAPES)
def test_optimality_conditions(shape, seed, alpha, standardize, has_factors, penalty):
    X, Y = make_data(seed, **SHAPES[shape])
    if not standardize:
        X = X / X.std(axis=0) * np.linspace(0.5, 2, X.shape[1])
    rng = np.random.default_rng(seed)
    factor = rng.uniform(0.2, 2, X.shape[1]) if has_factors else np.ones(X.shape[1])
    model = fit(X, Y, penalty, alpha=alpha, standardize=standardize, penalty_factor=factor)
    assert (model.dual_gap_ <= 1e-12).all()
    assert (model.dual_gap_ >= -1e-16).all()  # 0 up to rounding
    np.testing.assert_array_equal(model.lambda_, penalty)
    for t in range(2):
        excess = violation(
            X, Y[:, t], model.coef_[t], model.intercept_[t], penalty, alpha, factor, standardize
        )
        # A gap of 1e-12 leaves up to √(2·1e-12) of gradient where the curvature is 1.
        assert excess < 5e-6


def fit_strictly(X, Y, **params):
    """Fit with four folds; raise an error if a problem stays above tol in any fold."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        return SciFateRegressor(cv=4, **params).fit(X, Y)


@settings(max_examples=10, deadline=None, derandomize=True)
@given(seed=SEEDS, rule=st.sampled_from(["1se", "min"]), lambdas=st.sampled_from(["paper", "auto"]))
@pytest.mark.parametrize("shape", ["tall", "wide", "duplicates"])
def test_every_gap_is_at_most_tol(shape, seed, rule, lambdas):
    X, Y = make_data(seed, **SHAPES[shape])
    model = fit_strictly(X, Y, lambda_rule=rule, lambdas=lambdas)
    assert (model.dual_gap_ <= 1e-12).all()


@settings(max_examples=10, deadline=None, derandomize=True)
@given(seed=SEEDS, rule=st.sampled_from(["1se", "min"]), lambdas=st.sampled_from(["paper", "auto"]))
def test_gaps_of_nearly_collinear_columns(seed, rule, lambdas):
    # With a condition number of 1e5 and λ at 1e-4 of its largest value, rounding the exact
    # coefficients to float64 already opens a gap of about 1e-12.
    X, Y = make_data(seed, **SHAPES["near duplicates"])
    model = fit_strictly(X, Y, lambda_rule=rule, lambdas=lambdas, tol=1e-10)
    assert (model.dual_gap_ <= 1e-10).all()


def standardized(seed, shape):
    X, Y = make_data(seed, **SHAPES[shape])
    return (X - X.mean(axis=0)) / X.std(axis=0), (Y - Y.mean(axis=0)) / Y.std(axis=0)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(seed=SEEDS, penalty=st.floats(0.03, 0.9), alpha=st.sampled_from([1.0, 0.7, 0.3]))
def test_coefficients_are_scikit_learns(seed, penalty, alpha):
    X, Y = standardized(seed, "tall")
    ours = fit(X, Y, penalty, alpha=alpha, tol=1e-14)
    rival = Lasso(penalty) if alpha == 1 else ElasticNet(penalty, l1_ratio=alpha)
    rival.set_params(tol=1e-12, max_iter=1_000_000).fit(X, Y)
    np.testing.assert_allclose(ours.coef_, rival.coef_, atol=1e-6)
    np.testing.assert_allclose(ours.intercept_, rival.intercept_, atol=1e-9)
    np.testing.assert_allclose(ours.predict(X), rival.predict(X), atol=1e-5)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(seed=SEEDS, penalty=st.floats(0.05, 0.9))
@pytest.mark.parametrize("shape", ["wide", "duplicates", "near duplicates"])
def test_predictions_are_scikit_learns_where_coefficients_may_differ(shape, seed, penalty):
    X, Y = standardized(seed, shape)
    ours = fit(X, Y, penalty)
    rival = Lasso(penalty, tol=1e-12, max_iter=1_000_000).fit(X, Y)
    np.testing.assert_allclose(ours.predict(X), rival.predict(X), atol=2e-5)
    np.testing.assert_allclose(
        np.abs(ours.coef_).sum(axis=1), np.abs(rival.coef_).sum(axis=1), atol=2e-5
    )


def test_warm_start_with_a_singular_support():
    # In one fold the path reaches λ = 0.01 with 14 coefficients on 14 (centered) cells.
    X, Y = standardized(1694, "wide")
    fit(X, Y, 0.5)


def test_ridge_is_the_closed_form():
    X, Y = standardized(1, "tall")
    ours = fit(X, Y, 0.4, alpha=0.0, tol=1e-14)
    rival = Ridge(alpha=0.4 * len(X)).fit(X, Y)
    np.testing.assert_allclose(ours.coef_, rival.coef_, atol=1e-7)


def test_unpenalized_predictors_alone_are_least_squares():
    X, Y = make_data(2, n=60, p=5)
    factor = np.array([0.0, 0.0, 1.0, 1.0, 1.0])
    ours = fit(X, Y, 500.0, penalty_factor=factor)
    least_squares = LinearRegression().fit(X[:, :2], Y)
    np.testing.assert_allclose(ours.coef_[:, :2], least_squares.coef_, rtol=1e-6)
    assert not ours.coef_[:, 2:].any()


@settings(max_examples=15, deadline=None, derandomize=True)
@given(seed=SEEDS, factor=st.integers(-3, 3))
def test_duplicates_share_what_one_column_had(seed, factor):
    X, Y = make_data(seed, n=50, p=6)
    single = fit(X, Y, 0.2)
    assume(np.abs(single.coef_).any())
    double = fit(np.hstack([X, X * 2.0**factor]), Y, 0.2)
    joined = double.coef_[:, :6] + 2.0**factor * double.coef_[:, 6:]
    np.testing.assert_allclose(joined * X.std(axis=0), single.coef_ * X.std(axis=0), atol=5e-6)
    np.testing.assert_allclose(double.cv_mse_, single.cv_mse_, rtol=1e-5)
