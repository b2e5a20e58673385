"""Penalties selected by one standard error over cells."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.linear_model import lasso_path
from sklearn.model_selection import GridSearchCV, KFold

from scifate_sklearn import (
    LinkTest,
    PermutationFDR,
    SciFateRegressor,
    StabilitySelection,
    seed_stability,
)
from scifate_sklearn.moments import Moments, plan_folds
from scifate_sklearn.preprocessing import RSampleKFold

LAMBDAS = np.geomspace(3.0, 0.02, 40)


def draw(n=120, p=15, q=12, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) + 0.5 * rng.normal(size=(n, 1))
    Y = X[:, :4] @ rng.normal(size=(4, q)) + 2.0 * rng.standard_t(5, size=(n, q))
    tfs = pd.DataFrame(X, columns=[f"TF{j}" for j in range(p)])
    return tfs, pd.DataFrame(Y, columns=[f"gene{t}" for t in range(q)])


def by_hand(tfs, new, cvm, share, weight=None):
    """Return the penalties, given the cross-validated errors and the share of a training set."""
    n = len(tfs)
    weight = np.ones(n) if weight is None else weight
    w = weight / weight.sum()
    chosen = []
    for name, errors in zip(new, cvm, strict=True):
        y = new[name].to_numpy()
        x_mean, y_mean = w @ tfs.to_numpy(), w @ y
        X = tfs.to_numpy() - x_mean
        X = X / np.sqrt(w @ X**2)
        cor = w @ (X * (y - y_mean)[:, None]) / np.sqrt(w @ (y - y_mean) ** 2)
        X = X[:, np.abs(cor) > 0.03]
        root = np.sqrt(n * w)
        _, coef, _ = lasso_path(
            root[:, None] * X, root * (y - y_mean), alphas=LAMBDAS, tol=1e-13, max_iter=10**6
        )
        residual = (y - y_mean)[:, None] - X @ coef
        rss, k = w @ residual**2, (coef != 0).sum(axis=0)
        gcv = rss / (1 - np.minimum((k + 1) / n, 0.99)) ** 2
        curve = (errors + rss + (gcv - rss) / share) / 2
        curve[k > n / 2] = np.inf
        low = curve.argmin()
        square = residual[:, low] ** 2
        sd = np.sqrt(w @ (square - w @ square) ** 2)
        bound = curve[low] * (1 + sd / (w @ square) / np.sqrt(n - 1))
        chosen.append(LAMBDAS[np.argmax(curve <= bound)])
    return np.array(chosen)


@pytest.mark.parametrize("n_repeats", [1, 2])
@pytest.mark.parametrize(("n", "p"), [(120, 15), (60, 80)])
def test_penalties_are_those_of_the_formulas(n, p, n_repeats):
    tfs, new = draw(n, p)
    found = SciFateRegressor(
        lambda_rule="1se_cells", lambdas=LAMBDAS, path="full", n_repeats=n_repeats
    ).fit(tfs, new)
    plain = SciFateRegressor(lambdas=LAMBDAS, path="full", n_repeats=n_repeats).fit(tfs, new)
    np.testing.assert_array_equal(found.cv_mse_, plain.cv_mse_)
    np.testing.assert_allclose(found.lambda_, by_hand(tfs, new, plain.cv_mse_, 0.9))
    assert (found.lambda_ != plain.lambda_).any()
    np.testing.assert_array_equal(found.lambda_1se_, plain.lambda_1se_)


def test_models_are_those_at_the_penalties():
    tfs, new = draw()
    found = SciFateRegressor(lambda_rule="1se_cells").fit(tfs, new)
    for t in range(3):
        fixed = SciFateRegressor(lambda_rule=float(found.lambda_[t])).fit(tfs, new)
        np.testing.assert_allclose(found.coef_[t], fixed.coef_[t], atol=1e-10)
        np.testing.assert_allclose(found.intercept_[t], fixed.intercept_[t], atol=1e-10)
        np.testing.assert_allclose(found.r2_[t], fixed.r2_[t], rtol=1e-9)


def test_weights_and_unequal_folds():
    tfs, new = draw()
    weight = np.random.default_rng(1).integers(1, 4, len(tfs)).astype(float)
    cv = [(np.arange(30, 120), np.arange(30)), (np.arange(100), np.arange(100, 120))]
    options = {"lambdas": LAMBDAS, "path": "full", "cv": cv}
    found, plain = (
        SciFateRegressor(lambda_rule=rule, **options).fit(tfs, new, sample_weight=weight)
        for rule in ("1se_cells", "1se")
    )
    share = (weight[30:].sum() + weight[:100].sum()) / 2 / weight.sum()
    np.testing.assert_allclose(found.lambda_, by_hand(tfs, new, plain.cv_mse_, share, weight))


def test_other_ways_to_fit_give_the_same(tmp_path):
    tfs, new = draw()
    regressor = SciFateRegressor(lambda_rule="1se_cells")
    expected = regressor.fit(tfs, new)
    for options in ({"n_jobs": 2}, {"path": "full"}, {"checkpoint": tmp_path}) * 2:
        found = SciFateRegressor(lambda_rule="1se_cells", **options).fit(tfs, new)
        np.testing.assert_array_equal(found.coef_, expected.coef_)
    sparse = SciFateRegressor(lambda_rule="1se_cells", exclude_self=False)
    found = sparse.fit(sp.csr_matrix(tfs), sp.csr_matrix(new))
    np.testing.assert_allclose(found.coef_, expected.coef_, atol=1e-9)
    one = SciFateRegressor(lambda_rule="1se_cells").fit(tfs, new["gene3"])
    np.testing.assert_array_equal(one.coef_, expected.coef_[3])
    assert one.lambda_ == expected.lambda_[3]


def moments_of(tfs, new):
    X, Y = tfs.to_numpy(), new.to_numpy()
    plan = plan_folds(RSampleKFold(10, seed=123456).split(X), len(X))
    return Moments.from_arrays(X, Y, plan, None, tfs.columns, new.columns)


def test_moments_need_the_cells_again():
    tfs, new = draw()
    expected = SciFateRegressor(lambda_rule="1se_cells").fit(tfs, new)
    moments = moments_of(tfs, new)
    regressor = SciFateRegressor(lambda_rule="1se_cells")
    parts = ((tfs.to_numpy()[rows], new.to_numpy()[rows]) for rows in (slice(50), slice(50, None)))
    found = regressor.fit_moments(moments, parts)
    np.testing.assert_array_equal(found.lambda_, expected.lambda_)
    np.testing.assert_allclose(found.coef_, expected.coef_, atol=1e-9)
    with pytest.raises(ValueError, match="fit_moments` the `chunks` of the cells"):
        regressor.fit_moments(moments)
    X, Y = tfs.to_numpy(), new.to_numpy()
    others = [(X[:50], Y[:50]), (X + 1.0, Y), (X, Y[::-1]), (X, Y[:, ::-1]), (X[:, ::-1], Y)]
    for wrong in ([], *([each] for each in [*others, (X, 10.0 * Y)])):
        with pytest.raises(ValueError, match="not of the same cells"):
            regressor.fit_moments(moments, wrong)
    plain = SciFateRegressor().fit_moments(moments, None)  # other rules need no chunks
    np.testing.assert_allclose(plain.coef_, SciFateRegressor().fit(tfs, new).coef_, atol=1e-9)


def test_chunks_of_other_types():
    da = pytest.importorskip("dask.array", reason="needs the extra `dask`")
    tfs, new = draw()
    moments = moments_of(tfs, new)
    regressor = SciFateRegressor(lambda_rule="1se_cells")
    expected = regressor.fit_moments(moments, [(tfs.to_numpy(), new.to_numpy())]).lambda_
    lazy = da.from_array(tfs.to_numpy(), chunks=(50, -1))
    chunks = (
        (tfs, new),
        (sp.coo_array(tfs), new, np.ones(len(tfs))),
        (lazy, new, None),
        (tfs.to_numpy().tolist(), new),
    )
    for chunk in chunks:
        np.testing.assert_array_equal(regressor.fit_moments(moments, [chunk]).lambda_, expected)
        LinkTest(SciFateRegressor()).fit_moments(moments, [chunk])
    for chunk, message in (
        ((tfs[tfs.columns[::-1]], new), "X of a chunk has other columns"),
        ((tfs.iloc[:, 1:].to_numpy(), new), "X of a chunk has the shape"),
        ((tfs, new.where(new < 1.0)), "Y of a chunk has NaN"),
        ((tfs[:7], new), "7 rows of X, 120 of Y"),
        ((tfs,), "got 1 values"),
    ):
        for fit in (regressor.fit_moments, LinkTest(SciFateRegressor()).fit_moments):
            with pytest.raises(ValueError, match=message):
                fit(moments, [chunk])


@pytest.mark.parametrize(
    "parameters",
    [{"alpha": 0.0}, {"alpha": 0.01}, {"penalty_factor": np.r_[np.zeros(35), np.ones(5)]}],
)
def test_a_curve_without_folds_is_not_required(parameters):
    """Where more than n/2 coefficients are in every model, the cross-validated curve is used."""
    tfs, new = draw(n=60, p=40)
    found = SciFateRegressor(lambda_rule="1se_cells", cor_threshold=None, **parameters)
    assert np.isfinite(found.fit(tfs, new).lambda_).all()


def test_numbers_on_the_verge_of_rounding():
    tfs, new = draw()
    more = new.assign(
        nearly=np.where(np.arange(len(new)) % 2, 0.3, 0.1 + 0.2),
        far=1.7e9 + 1e-3 * new["gene0"],
        large=1e12 * new["gene0"],
    )
    found = SciFateRegressor(lambda_rule="1se_cells").fit(tfs, more)
    expected = SciFateRegressor(lambda_rule="1se_cells").fit(tfs, new)
    np.testing.assert_array_equal(found.lambda_[:12], expected.lambda_)


def test_targets_without_a_model():
    tfs, new = draw()
    new = new.assign(constant=1.0, perfect=tfs["TF0"] * 2.0)
    found = SciFateRegressor(lambda_rule="1se_cells").fit(tfs, new)
    constant, perfect = (new.columns.get_loc(name) for name in ("constant", "perfect"))
    assert np.isnan(found.lambda_[constant])
    assert not found.coef_[constant].any()
    assert np.isfinite(found.lambda_[perfect])
    assert found.coef_[perfect, 0] > 1.0


def test_links_depend_less_on_the_seed():
    tfs, new = draw(n=150, p=30, q=60)
    rules = ("1se", "1se_cells")
    plain, cells = (
        seed_stability(SciFateRegressor(lambda_rule=rule), tfs, new, n_seeds=4).jaccard
        for rule in rules
    )
    assert cells > plain + 0.1


def test_works_in_searches_and_resampling():
    tfs, new = draw()
    regressor = SciFateRegressor(lambda_rule="1se_cells")
    fitted = regressor.fit(tfs, new)
    found = PermutationFDR(regressor, n_permutations=3).fit(tfs, new)
    pd.testing.assert_frame_equal(found.links_.drop(columns="q"), fitted.links_)
    assert (found.links_["q"] < 0.5).any()
    stable = StabilitySelection(regressor, n_resamples=4).fit(tfs, new)
    assert len(stable.links_) == len(fitted.links_)
    search = GridSearchCV(regressor, {"lambda_rule": ["1se", "1se_cells"]}, cv=KFold(3))
    assert search.fit(tfs, new).best_score_ > 0
    halves = StabilitySelection(regressor, n_resamples=4, resample="folds", penalty="cv")
    with pytest.raises(ValueError, match="halves of folds do not have"):
        halves.fit(tfs, new)
    with pytest.raises(ValueError, match="requires an engine that gives the models of a path"):
        SciFateRegressor(lambda_rule="1se_cells", engine="glmnet").fit(tfs, new)
