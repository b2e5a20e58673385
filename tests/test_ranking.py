"""RidgeRanking: equality with dense algebra, from cells, moments and chunks, and its contracts."""

import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn_names import EXPECTED_FAILURES, NamedXy

from scifate_sklearn import (
    BindingReference,
    EncodeLinkFilter,
    RidgeRanking,
    RSampleKFold,
    SciFateRegressor,
    prepare_anndata,
    prepare_moments,
    score_network,
)
from scifate_sklearn.datasets import make_labelled_cells
from scifate_sklearn.moments import FoldPlan, Moments, plan_folds

LAMBDAS = np.geomspace(1e-3, 10.0, 25)


class RidgeRankingNamedXy(NamedXy, RidgeRanking):
    """All checks pass."""

    def fit(self, X, y, *, sample_weight=None):
        return RidgeRanking.fit(self, X, y, sample_weight=sample_weight)


def expected_failures(estimator):
    return EXPECTED_FAILURES if type(estimator) is RidgeRanking else {}


# xfail is strict: a declared failure that passes is an error, so the list of failures is exact.
@parametrize_with_checks(
    [RidgeRanking(), RidgeRankingNamedXy()], expected_failed_checks=expected_failures
)
def test_estimator_checks(estimator, check):
    check(estimator)


def brute_force(X, Y, own, weight=None, prior_df=50.0):
    """Return coefficients, scores and penalties by dense algebra, target by target."""
    weight = np.ones(len(X)) if weight is None else weight
    n, p, q = weight.sum(), X.shape[1], Y.shape[1]
    mean, center = weight @ X / n, weight @ Y / n
    x_sd = np.sqrt(weight @ (X - mean) ** 2 / n)
    y_sd = np.sqrt(weight @ (Y - center) ** 2 / n)
    root = np.sqrt(weight)[:, None]
    Z, T = root * (X - mean) / x_sd, root * (Y - center) / y_sd
    coef, factor = np.zeros((q, p)), np.zeros((q, p))
    variance, df, lambdas = np.zeros(q), np.zeros(q), np.zeros(q)
    for t in range(q):
        keep = np.flatnonzero(np.arange(p) != own[t])
        A, y, lowest = Z[:, keep], T[:, t], np.inf
        for lam in LAMBDAS:
            inverse = np.linalg.inv(A.T @ A / n + lam * np.eye(len(keep)))
            b = inverse @ (A.T @ y) / n
            edf = 1.0 + np.trace(A @ inverse @ A.T) / n
            # y − A b, which would lose the digits of small residuals.
            residual = lam * np.linalg.solve(A @ A.T / n + lam * np.eye(len(A)), y)
            rss = (residual**2).sum() / n
            criterion = rss / (1.0 - min(edf / n, 0.99)) ** 2
            if criterion < lowest:
                lowest, lambdas[t], coef[t, keep] = criterion, lam, b
                factor[t, keep] = np.diag(inverse @ (A.T @ A / n) @ inverse) / n
                variance[t], df[t] = n * rss / (n - edf), n - edf
    moderated = (prior_df * np.median(variance) + df * variance) / (prior_df + df)
    error = np.sqrt(factor * moderated[:, None])
    score = np.divide(coef, error, out=np.zeros_like(coef), where=error > 0)
    return coef * y_sd[:, None] / x_sd, score, lambdas


def draw(n, p, q, n_own, seed=0):
    """Return frames with shared programmes; the first targets are TFs of the same names."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3)) @ rng.normal(size=(3, p)) + rng.normal(size=(n, p))
    Y = X[:, : min(4, p)] @ rng.normal(size=(min(4, p), q)) + 2.0 * rng.normal(size=(n, q))
    Y[:, :n_own] = X[:, :n_own] + rng.normal(size=(n, n_own))
    X = X * rng.uniform(0.1, 10.0, p) + rng.normal(size=p)
    tfs = pd.DataFrame(X, columns=[f"TF{j}" for j in range(p)])
    names = [f"TF{t}" if t < n_own else f"gene{t}" for t in range(q)]
    own = np.where(np.arange(q) < n_own, np.arange(q), -1)
    return tfs, pd.DataFrame(Y, columns=names), own


@pytest.mark.parametrize(
    ("n", "p", "q"), [(80, 12, 20), (200, 2, 3), (150, 30, 8), (30, 40, 15), (40, 41, 10)]
)
@pytest.mark.parametrize("is_weighted", [False, True])
def test_equals_brute_force(n, p, q, is_weighted):
    tfs, new, own = draw(n, p, q, n_own=min(p, 3))
    weight = np.random.default_rng(1).uniform(0.5, 1.5, n) if is_weighted else None
    ranking = RidgeRanking().fit(tfs, new, sample_weight=weight)
    coef, score, lambdas = brute_force(tfs.to_numpy(), new.to_numpy(), own, weight)
    np.testing.assert_allclose(ranking.lambda_, lambdas, rtol=1e-12)
    np.testing.assert_allclose(ranking.coef_, coef, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(ranking.score_, score, rtol=1e-9, atol=1e-11)


def test_a_weight_of_two_is_a_cell_that_is_repeated():
    tfs, new, _ = draw(60, 8, 10, n_own=2)
    weight = np.where(np.arange(60) < 20, 2.0, 1.0)
    repeated = np.r_[np.arange(60), np.arange(20)]
    one = RidgeRanking().fit(tfs, new, sample_weight=weight)
    two = RidgeRanking().fit(tfs.iloc[repeated], new.iloc[repeated])
    np.testing.assert_allclose(one.score_, two.score_, rtol=1e-9)


def test_weights_that_are_too_small_are_refused():
    tfs, new, _ = draw(60, 8, 10, n_own=2)
    with pytest.raises(ValueError, match="`sample_weight` adds up to 1, but a model has"):
        RidgeRanking().fit(tfs, new, sample_weight=np.full(60, 1 / 60))


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(st.integers(40, 80), st.integers(1, 20), st.integers(2, 8)),
)
def test_without_common_variance_the_other_targets_do_not_matter(seed, shape):
    tfs, new, _ = draw(*shape, n_own=1, seed=seed)
    for options in ({"prior_df": 0.0}, {"prior_variance": 0.5}):
        alone = RidgeRanking(**options).fit(tfs, new.iloc[:, [0]])
        together = RidgeRanking(**options).fit(tfs, new)
        np.testing.assert_allclose(together.score_[0], alone.score_[0], rtol=1e-9, atol=1e-10)


def test_the_order_of_columns_does_not_matter():
    tfs, new, _ = draw(80, 12, 20, n_own=3)
    ranking = RidgeRanking().fit(tfs, new)
    mixed = RidgeRanking().fit(tfs.iloc[:, ::-1], new.iloc[:, ::-1])
    np.testing.assert_allclose(mixed.score_[::-1, ::-1], ranking.score_, rtol=1e-9, atol=1e-10)


def test_moments_chunks_and_sparse_cells_give_the_same():
    tfs, new, _ = draw(90, 12, 20, n_own=3)
    expected = RidgeRanking().fit(tfs, new)
    X, Y = tfs.to_numpy(), new.to_numpy()
    names = tfs.columns, new.columns
    plan = FoldPlan.whole_only(90)
    folds = plan_folds(RSampleKFold(5).split(X), 90)
    chunks = [(X[k : k + 7], Y[k : k + 7]) for k in range(0, 90, 7)]
    for moments in (
        Moments.from_arrays(X, Y, plan, None, *names),
        Moments.from_arrays(X, Y, folds, None, *names),
        Moments.from_chunks(chunks, plan, *names),
    ):
        found = RidgeRanking().fit_moments(moments)
        np.testing.assert_allclose(found.score_, expected.score_, rtol=1e-9, atol=1e-10)
        pd.testing.assert_frame_equal(found.links_, expected.links_, rtol=1e-9)
    csr = RidgeRanking(exclude_self=False).fit(sp.csr_matrix(X), sp.csr_matrix(Y))
    dense = RidgeRanking(exclude_self=False).fit(X, Y)
    np.testing.assert_allclose(csr.score_, dense.score_, rtol=1e-9, atol=1e-10)


def test_layers_held_by_dask():
    da = pytest.importorskip("dask.array", reason="needs the extra `dask`")
    cells = make_labelled_cells(200, 8, 30, random_state=0)
    expected = RidgeRanking().fit_moments(
        prepare_moments(cells.adata, cells.tf_names, cell_filter_UMI=0).moments
    )
    for name in ("new", "total"):
        layer = cells.adata.layers[name].toarray()
        cells.adata.layers[name] = da.from_array(layer, chunks=(60, -1))
    prepared = prepare_moments(cells.adata, cells.tf_names, cell_filter_UMI=0)
    found = RidgeRanking().fit_moments(prepared.moments)
    np.testing.assert_allclose(found.score_, expected.score_, rtol=1e-9, atol=1e-10)


def test_prepared_moments_of_anndata():
    cells = make_labelled_cells(200, 8, 30, random_state=0)
    inputs = prepare_anndata(cells.adata, cells.tf_names, cell_filter_UMI=0)
    prepared = prepare_moments(cells.adata, cells.tf_names, cell_filter_UMI=0)
    one = RidgeRanking().fit(inputs.tf_matrix, inputs.target_matrix)
    two = RidgeRanking().fit_moments(prepared.moments)
    np.testing.assert_allclose(one.score_, two.score_, rtol=1e-9, atol=1e-10)
    # Covariates are predictors, but are not ranked.
    is_covariate = inputs.tf_matrix.columns.isin(RidgeRanking().covariates)
    assert is_covariate.any()
    assert not one.score_[:, is_covariate].any()
    assert one.coef_[:, is_covariate].any()
    assert not one.links_["TF"].isin(RidgeRanking().covariates).any()


def test_links_are_all_ranked_pairs_in_order():
    tfs, new, own = draw(80, 12, 20, n_own=3)
    ranking = RidgeRanking().fit(tfs, new)
    assert len(ranking.links_) == 12 * 20 - 3
    assert (np.diff(ranking.links_["score"].abs()) <= 0).all()
    assert not (ranking.links_["TF"] == ranking.links_["target"]).any()
    assert not ranking.score_[own >= 0, own[own >= 0]].any()
    best = RidgeRanking(n_links=7).fit(tfs, new)
    pd.testing.assert_frame_equal(best.links_, ranking.links_.iloc[:7])
    assert list(best.get_feature_names_out()) == list(best.links_.columns)


def test_constant_columns_are_not_ranked():
    tfs, new, _ = draw(80, 6, 5, n_own=0)
    tfs["TF1"], new["gene2"] = 3.0, 0.1
    ranking = RidgeRanking().fit(tfs, new)
    assert not ranking.score_[:, 1].any()
    assert not ranking.score_[2].any()
    assert np.isnan([ranking.lambda_[2], ranking.edf_[2], ranking.r2_[2]]).all()
    assert ranking.intercept_[2] == pytest.approx(0.1)
    without = RidgeRanking().fit(tfs.drop(columns="TF1"), new.drop(columns="gene2"))
    np.testing.assert_allclose(
        np.delete(np.delete(ranking.score_, 1, 1), 2, 0), without.score_, rtol=1e-9
    )


def test_a_target_whose_only_predictor_is_itself_has_no_model():
    tfs, new, _ = draw(60, 1, 4, n_own=1)
    ranking = RidgeRanking().fit(tfs, new)
    assert np.isnan(ranking.lambda_).tolist() == [True, False, False, False]
    assert ranking.coef_[0, 0] == ranking.score_[0, 0] == 0.0


def test_one_target_has_no_further_dimension():
    tfs, new, _ = draw(80, 6, 5, n_own=0)
    ranking = RidgeRanking().fit(tfs, new["gene1"])
    assert ranking.score_.shape == ranking.coef_.shape == (6,)
    assert np.ndim(ranking.lambda_) == np.ndim(ranking.edf_) == 0
    assert ranking.predict(tfs).shape == (80,)
    assert ranking.score_links(ranking.links_).equals(ranking.links_)


def test_predictions_are_those_of_ridge_regression():
    from sklearn.linear_model import Ridge

    tfs, new, _ = draw(80, 6, 5, n_own=0)
    z = (tfs - tfs.mean()) / tfs.std(ddof=0)
    ranking = RidgeRanking().fit(tfs, new)
    reference = Ridge(alpha=80 * ranking.lambda_[1]).fit(z, new["gene1"])
    np.testing.assert_allclose(ranking.predict(tfs)[:, 1], reference.predict(z), rtol=1e-9)


def test_a_column_of_the_links_table():
    tfs, new, _ = draw(80, 12, 20, n_own=3)
    links = SciFateRegressor(lambda_rule="min").fit(tfs, new).links_
    ranking = RidgeRanking().fit(tfs, new)
    scored = ranking.score_links(links)
    assert list(scored.columns) == [*links.columns, "score"]
    pairs = ranking.links_.set_index(["TF", "target"])["score"]
    expected = [pairs.loc[(tf, target)] for tf, target in links[["TF", "target"]].to_numpy()]
    assert scored["score"].tolist() == expected
    for wrong, message in (
        (links.assign(TF="TFX"), r"whose TF is not one of the fit, for example 'TFX'"),
        (links.assign(target="geneX"), r"whose target is not one of the fit"),
        (links.drop(columns="coef"), r"lacks the column\(s\) coef"),
    ):
        with pytest.raises(ValueError, match=message):
            ranking.score_links(wrong)


def test_before_a_filter_and_after_a_pickle():
    cells = make_labelled_cells(300, 8, 30, random_state=0)
    inputs = prepare_anndata(cells.adata, cells.tf_names, cell_filter_UMI=0)
    ranking = RidgeRanking(n_links=100).fit(inputs.tf_matrix, inputs.target_matrix)
    again = pickle.loads(pickle.dumps(ranking))
    pd.testing.assert_frame_equal(again.transform(inputs.tf_matrix), ranking.links_)
    kept = EncodeLinkFilter(BindingReference.from_table(cells.reference)).fit_transform(
        ranking.links_
    )
    assert "score" in kept.columns


@pytest.mark.parametrize(
    ("option", "value"),
    [("prior_df", -1.0), ("prior_variance", 0.0), ("n_links", 0), ("lambdas", [0.0, 1.0])],
)
def test_invalid_parameters_are_named(option, value):
    tfs, new, _ = draw(30, 4, 3, n_own=0)
    with pytest.raises(ValueError, match=option):
        RidgeRanking(**{option: value}).fit(tfs, new)


def test_ranks_true_links_before_coefficients_do():
    cells = make_labelled_cells(500, 20, 80, random_state=0)
    inputs = prepare_anndata(cells.adata, cells.tf_names, cell_filter_UMI=0, gene_filter_rate=0)
    targets = inputs.target_matrix.columns.difference(cells.tf_names, sort=False)
    X, Y = inputs.tf_matrix, inputs.target_matrix[targets]
    universe = {"tfs": cells.tf_names, "targets": targets}
    ridge = RidgeRanking().fit(X, Y).links_.assign(score=lambda links: links["score"].abs())
    lasso = SciFateRegressor(lambda_rule="min").fit(X, Y).links_
    by_score = score_network(ridge, cells.network, by="score", **universe).aupr
    assert by_score > score_network(lasso, cells.network, **universe).aupr
