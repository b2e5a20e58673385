"""Penalties selected by information criteria, from the fit to all cells alone."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import gammaln
from sklearn.linear_model import lasso_path
from sklearn.model_selection import GridSearchCV

from scifate_sklearn import PermutationFDR, SciFateRegressor, StabilitySelection
from scifate_sklearn.moments import FoldPlan, Moments, plan_folds
from scifate_sklearn.preprocessing import RSampleKFold

RULES = ("aic", "bic", "ebic")


def draw(n=200, p=12, q=6, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) + 0.5 * rng.normal(size=(n, 1))
    Y = X[:, :3] @ rng.normal(size=(3, q)) + rng.normal(size=(n, q))
    tfs = pd.DataFrame(X, columns=[f"TF{j}" for j in range(p)])
    return tfs, pd.DataFrame(Y, columns=[f"gene{t}" for t in range(q)])


def by_scikit_learn(tfs, y, lambdas, rule):
    """Return the penalty with the lowest criterion along the path of scikit-learn."""
    Z = ((tfs - tfs.mean()) / tfs.std(ddof=0)).to_numpy()
    Z = Z[:, np.abs(tfs.corrwith(y)) > 0.03]
    centred, n, m = y.to_numpy() - y.mean(), len(y), Z.shape[1]
    _, coef, _ = lasso_path(Z, centred, alphas=lambdas, tol=1e-12, max_iter=10**5)
    rss, k = ((centred[:, None] - Z @ coef) ** 2).sum(axis=0), (coef != 0).sum(axis=0)
    criterion = n * np.log(rss / n) + k * (2.0 if rule == "aic" else np.log(n))
    if rule == "ebic":
        criterion += 2.0 * (gammaln(m + 1) - gammaln(k + 1) - gammaln(m - k + 1))
    return lambdas[criterion.argmin()]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(("n", "p"), [(200, 12), (60, 40), (40, 60)])
def test_penalties_equal_those_along_the_path_of_scikit_learn(rule, n, p):
    tfs, new = draw(n, p)
    lambdas = np.geomspace(3.0, 0.05, 40)  # not to where 40 cells are interpolated
    found = SciFateRegressor(lambda_rule=rule, lambdas=lambdas).fit(tfs, new)
    expected = [by_scikit_learn(tfs, new[name], lambdas, rule) for name in new]
    np.testing.assert_allclose(found.lambda_, expected)
    assert np.isnan(found.cv_mse_).all()
    assert np.isnan([found.lambda_min_, found.lambda_1se_, found.r2_]).all()
    at = SciFateRegressor(lambda_rule=float(found.lambda_[0]), lambdas=lambdas).fit(tfs, new)
    np.testing.assert_allclose(found.coef_[0], at.coef_[0], atol=1e-10)


@pytest.mark.parametrize("rule", RULES)
def test_no_seed_and_no_fold_matters(rule):
    tfs, new = draw()
    expected = SciFateRegressor(lambda_rule=rule).fit(tfs, new)
    for options in ({"random_state": 7}, {"cv": 3}, {"n_jobs": 2}, {"path": "full"}):
        found = SciFateRegressor(lambda_rule=rule, **options).fit(tfs, new)
        np.testing.assert_array_equal(found.coef_, expected.coef_)
    X, Y = tfs.to_numpy(), new.to_numpy()
    for plan in (FoldPlan.whole_only(200), plan_folds(RSampleKFold(5).split(X), 200)):
        moments = Moments.from_arrays(X, Y, plan, None, tfs.columns, new.columns)
        found = SciFateRegressor(lambda_rule=rule).fit_moments(moments)
        np.testing.assert_array_equal(found.lambda_, expected.lambda_)
        np.testing.assert_allclose(found.coef_, expected.coef_, atol=1e-9)


def test_a_path_that_ends_early_selects_the_same(monkeypatch):
    from scifate_sklearn.solvers import _gram

    tfs, new = draw(n=400, p=30)
    expected = SciFateRegressor(lambda_rule="bic").fit(tfs, new)
    without_bound = lambda self, linear: np.zeros(len(linear))  # noqa: E731
    monkeypatch.setattr(_gram.GramEngine, "_unexplained", without_bound)
    found = SciFateRegressor(lambda_rule="bic").fit(tfs, new)
    np.testing.assert_array_equal(found.coef_, expected.coef_)


def test_automatic_grids_covariates_and_constant_targets():
    tfs, new = draw()
    tfs = tfs.rename(columns={"TF11": "new_size_factor"})
    new["gene5"] = 1.0
    found = SciFateRegressor(lambda_rule="bic", lambdas="auto").fit(tfs, new)
    assert np.isnan(found.lambda_).tolist() == [False] * 5 + [True]
    assert not found.coef_[5].any()
    assert not found.links_["TF"].eq("new_size_factor").any()


def test_in_a_search_with_permutations_and_halves():
    tfs, new = draw()
    grid = {"lambda_rule": ["1se", "min", "bic", "ebic"]}
    search = GridSearchCV(SciFateRegressor(), grid, cv=3).fit(tfs, new)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    controlled = PermutationFDR(SciFateRegressor(lambda_rule="bic"), n_permutations=10)
    assert 0 < len(controlled.fit(tfs, new).transform(tfs)) <= len(controlled.links_)
    for penalty in ("fit", "cv"):
        stable = StabilitySelection(
            SciFateRegressor(lambda_rule="ebic"), n_resamples=4, penalty=penalty
        )
        assert stable.fit(tfs, new).frequency_[:, :3].max() == 1.0


def test_halves_of_whole_folds_need_folds():
    stable = StabilitySelection(SciFateRegressor(lambda_rule="bic"), resample="folds")
    with pytest.raises(ValueError, match='resample="folds" needs folds, and there are none'):
        stable.fit(*draw())


def test_checkpoints_resume(tmp_path):
    tfs, new = draw()
    options = {"lambda_rule": "bic", "checkpoint": tmp_path / "folder"}
    first = SciFateRegressor(**options).fit(tfs, new)
    again = SciFateRegressor(**options).fit(tfs, new)
    np.testing.assert_array_equal(again.coef_, first.coef_)


def test_engine_glmnet_is_refused():
    tfs, new = draw()
    with pytest.raises(ValueError, match='`lambda_rule`="bic" requires an engine'):
        SciFateRegressor(lambda_rule="bic", engine="glmnet").fit(tfs, new)


def test_moments_without_folds_need_a_criterion():
    tfs, new = draw()
    moments = Moments.from_arrays(tfs.to_numpy(), new.to_numpy(), FoldPlan.whole_only(200))
    with pytest.raises(ValueError, match="`moments` have no folds"):
        SciFateRegressor().fit_moments(moments)
