"""LinkTest: equality with statsmodels, calibration, and its contracts."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from scipy import stats

from scifate_sklearn import (
    LinkTest,
    RSampleKFold,
    SciFateRegressor,
    open_anndata,
    prepare_anndata,
    prepare_moments,
)
from scifate_sklearn.anndata_io import iterate_cells
from scifate_sklearn.datasets import make_labelled_cells
from scifate_sklearn.links import LINK_COLUMNS
from scifate_sklearn.moments import Moments, plan_folds

sm = pytest.importorskip("statsmodels.api", reason="statsmodels is the reference")


def draw(n=160, p=8, q=6, n_own=2, seed=0):
    """Return correlated TFs and targets with unequal noise; the first targets are TFs."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) @ rng.normal(size=(p, p)) + 3.0
    Y = X[:, :3] @ rng.normal(size=(3, q)) + np.abs(X[:, :1]) * rng.normal(size=(n, q))
    Y[:, :n_own] = X[:, :n_own] + rng.normal(size=(n, n_own))
    names = [f"TF{t}" if t < n_own else f"gene{t}" for t in range(q)]
    tfs = pd.DataFrame(X, columns=[f"TF{j}" for j in range(p)])
    return tfs, pd.DataFrame(Y, columns=names)


def by_statsmodels(tfs, new, weight):
    """Return t and p of all pairs by statsmodels, NaN for a TF as its own target."""
    t = pd.DataFrame(np.nan, new.columns, tfs.columns)
    p = t.copy()
    used = weight > 0
    for target in new:
        X = tfs.drop(columns=target, errors="ignore")
        model = sm.WLS(new[target][used], sm.add_constant(X[used]), weights=weight[used])
        result = model.fit(cov_type="HC3", use_t=True)
        t.loc[target, X.columns] = result.tvalues[1:]
        p.loc[target, X.columns] = result.pvalues[1:]
    return t.to_numpy(), p.to_numpy()


@pytest.mark.parametrize("is_weighted", [False, True])
@pytest.mark.parametrize("is_sparse", [False, True])
def test_equals_statsmodels(is_weighted, is_sparse):
    tfs, new = draw()
    rng = np.random.default_rng(1)
    weight = rng.uniform(0.5, 2.0, 160) * (np.arange(160) != 3) if is_weighted else np.ones(160)
    expected_t, expected_p = by_statsmodels(tfs, new, weight)
    given = (tfs, new)
    if is_sparse:
        given = [
            pd.DataFrame.sparse.from_spmatrix(sp.csr_matrix(A), columns=A.columns)
            for A in (tfs, new)
        ]
    tested = LinkTest(SciFateRegressor()).fit(*given, sample_weight=weight)
    np.testing.assert_allclose(tested.t_, expected_t, rtol=1e-10, atol=1e-11)
    np.testing.assert_allclose(tested.p_, expected_p, rtol=1e-9)
    tested_pairs = np.isfinite(expected_p)
    q = stats.false_discovery_control(expected_p[tested_pairs])
    np.testing.assert_allclose(tested.q_[tested_pairs], q, rtol=1e-9)
    assert np.isnan(tested.q_[~tested_pairs]).all()


def test_chunks_and_moments_give_the_same():
    tfs, new = draw()
    X, Y = tfs.to_numpy(), new.to_numpy()
    expected = LinkTest(SciFateRegressor()).fit(tfs, new)
    plan = plan_folds(RSampleKFold(10, seed=123456).split(X), len(X))
    moments = Moments.from_arrays(X, Y, plan, None, tfs.columns, new.columns)
    for step in (1, 7, 160):
        chunks = ((X[k : k + step], sp.csr_matrix(Y[k : k + step])) for k in range(0, 160, step))
        found = LinkTest(SciFateRegressor()).fit_moments(moments, chunks)
        np.testing.assert_allclose(found.t_, expected.t_, rtol=1e-9)
        pd.testing.assert_frame_equal(found.ledger_, expected.ledger_, rtol=1e-8)
    for wrong in ([(X[:100], Y[:100])], [(X, Y[:, ::-1])], []):
        with pytest.raises(ValueError, match="`chunks` and `moments` are not of the same cells"):
            LinkTest(SciFateRegressor()).fit_moments(moments, wrong)


def test_columns_ledger_and_kept_links():
    tfs, new = draw()
    tested = LinkTest(SciFateRegressor(lambda_rule="min"), fdr=0.05).fit(tfs, new)
    assert list(tested.links_.columns) == [*LINK_COLUMNS, "t", "t_p", "t_q"]
    kept = tested.transform(tfs)
    assert 0 < len(kept) < len(tested.links_)
    assert (kept["t_q"] <= 0.05).all()
    dropped = tested.ledger_.query("not kept")
    assert dropped["reason"].eq("t test: q above 0.05").all()
    assert len(dropped) + len(kept) == len(tested.links_)
    assert list(tested.get_feature_names_out()) == list(kept.columns)
    row = tested.links_.iloc[0]
    t = tested.t_[new.columns.get_loc(row["target"]), tfs.columns.get_loc(row["TF"])]
    assert row["t"] == t


def test_covariates_are_predictors_but_are_not_tested():
    tfs, new = draw()
    with_depth = tfs.rename(columns={"TF7": "new_size_factor"})
    tested = LinkTest(SciFateRegressor()).fit(with_depth, new)
    np.testing.assert_allclose(tested.t_, LinkTest(SciFateRegressor()).fit(tfs, new).t_)
    assert np.isnan(tested.q_[:, 7]).all()
    assert np.isfinite(tested.q_[:, 6]).all()


def test_a_tf_in_a_single_cell_is_not_tested():
    tfs, new = draw()
    tfs["TF7"] = np.where(np.arange(160) == 5, 12.0, -0.1)
    tested = LinkTest(SciFateRegressor()).fit(tfs, new)
    assert np.isnan(tested.q_[:, 7]).all()
    # The cell has a predictor of its own, so the other tests are those without it.
    without = LinkTest(SciFateRegressor()).fit(tfs.drop(columns="TF7").drop(5), new.drop(5))
    np.testing.assert_allclose(tested.t_[:, :7], without.t_, rtol=1e-6)


def test_constant_columns_are_not_tested():
    tfs, new = draw()
    tfs["TF7"], new["gene5"] = 1.0, 2.0
    tested = LinkTest(SciFateRegressor()).fit(tfs, new)
    assert np.isnan(tested.p_[:, 7]).all()
    assert np.isnan(tested.p_[5]).all()
    without = LinkTest(SciFateRegressor()).fit(tfs.drop(columns="TF7"), new)
    np.testing.assert_allclose(tested.t_[:, :7], without.t_, rtol=1e-9)


def test_too_few_cells_are_refused_and_few_are_warned_about():
    tfs, new = draw(n=23)
    with pytest.raises(ValueError, match="at least 3 cells for each predictor, got 23 cells for 8"):
        LinkTest(SciFateRegressor(cv=3)).fit(tfs, new)
    tfs, new = draw(n=79)
    with pytest.warns(UserWarning, match="79 cells for 8 predictors; with fewer than 10"):
        LinkTest(SciFateRegressor()).fit(tfs, new)


def test_dependent_predictors_are_named():
    tfs, new = draw()
    tfs["TF7"] = tfs["TF5"] - tfs["TF6"]
    with pytest.raises(ValueError, match=r"3 columns are linearly dependent.*TF5.*TF6.*TF7"):
        LinkTest(SciFateRegressor()).fit(tfs, new)


def test_by_keeps_fewer_than_bh_and_single_targets_have_one_dimension():
    tfs, new = draw()
    bh, by = (LinkTest(SciFateRegressor(), method=m).fit(tfs, new) for m in ("fdr_bh", "fdr_by"))
    assert (by.q_ >= bh.q_)[np.isfinite(by.q_)].all()
    single = LinkTest(SciFateRegressor()).fit(tfs, new["gene4"])
    np.testing.assert_allclose(single.t_, bh.t_[4])


class TestSelected:
    @pytest.mark.parametrize(("rule", "selects"), [("1se", "min"), ("bic", "bic")])
    def test_tests_what_the_other_half_selects(self, rule, selects):
        tfs, new = draw(n=400)
        tested = LinkTest(SciFateRegressor(lambda_rule=rule), pairs="selected").fit(tfs, new)
        order = np.random.RandomState(123456).permutation(400)
        p = np.full((2, *tested.p_.shape), np.nan)
        for k, rows in enumerate((order[:200], order[200:])):
            mine = np.isin(np.arange(400), rows)
            lasso = SciFateRegressor(lambda_rule=selects).fit(tfs, new, sample_weight=mine)
            for t, target in enumerate(new):
                chosen = np.flatnonzero(lasso.coef_[t])
                if len(chosen):
                    X = sm.add_constant(tfs.iloc[~mine, chosen])
                    result = sm.OLS(new[target][~mine], X).fit(cov_type="HC3", use_t=True)
                    p[k, t, chosen] = result.pvalues[1:]
        expected = np.minimum(2.0 * np.fmin(*p), 1.0)
        assert np.isnan(expected).any()
        np.testing.assert_allclose(tested.p_, expected, rtol=1e-8)
        assert (np.isnan(tested.t_) == np.isnan(expected)).all()

    def test_is_reproducible_and_respects_groups(self):
        tfs, new = draw(n=400)
        groups = np.repeat(np.arange(20), 20)
        one, two = (
            LinkTest(SciFateRegressor(), pairs="selected", random_state=3).fit(
                tfs, new, groups=groups
            )
            for _ in range(2)
        )
        np.testing.assert_array_equal(one.q_, two.q_)
        with pytest.raises(ValueError, match="`groups` has only one group"):
            LinkTest(SciFateRegressor(), pairs="selected").fit(tfs, new, groups=np.zeros(400))


FROM_50 = {"cell_filter_UMI": 50}


@pytest.fixture(scope="module")
def cells():
    return make_labelled_cells(300, 8, 30, random_state=0)


@pytest.fixture(scope="module")
def expected(cells):
    inputs = prepare_anndata(cells.adata, cells.tf_names, **FROM_50)
    return LinkTest(SciFateRegressor()).fit(inputs.tf_matrix, inputs.target_matrix)


def fitted_to(adata, cells, **options):
    prepared = prepare_moments(adata, cells.tf_names, **FROM_50)
    chunks = iterate_cells(adata, prepared, **FROM_50, **options)
    return LinkTest(SciFateRegressor()).fit_moments(prepared.moments, chunks)


@pytest.mark.parametrize("chunk_size", [None, 7])
def test_a_second_pass_over_a_file(cells, expected, chunk_size, tmp_path):
    cells.adata.write_h5ad(tmp_path / "cells.h5ad")
    with open_anndata(tmp_path / "cells.h5ad") as adata:
        found = fitted_to(adata, cells, chunk_size=chunk_size)
    np.testing.assert_allclose(found.t_, expected.t_, rtol=1e-9)
    pd.testing.assert_frame_equal(found.links_, expected.links_, rtol=1e-8)


def test_layers_held_by_dask(cells, expected):
    dask = pytest.importorskip("dask.array")
    adata = cells.adata.copy()
    for name in ("new", "total"):
        adata.layers[name] = dask.from_array(adata.layers[name].toarray(), chunks=(90, -1))
    np.testing.assert_allclose(fitted_to(adata, cells).t_, expected.t_, rtol=1e-9)


def test_batches_that_were_added(cells):
    one, two = cells.adata[:200], cells.adata[200:]
    first = prepare_moments(one, cells.tf_names, **FROM_50)
    both = first + prepare_moments(two, like=first, **FROM_50)
    chunks = [chunk for part in (one, two) for chunk in iterate_cells(part, both, **FROM_50)]
    found = LinkTest(SciFateRegressor()).fit_moments(both.moments, chunks)
    whole = pd.concat([pd.DataFrame(Y, columns=both.target_names) for _, Y in chunks])
    tfs = pd.concat([pd.DataFrame(X, columns=both.feature_names) for X, _ in chunks])
    expected = LinkTest(SciFateRegressor()).fit(tfs, whole)
    np.testing.assert_allclose(found.t_, expected.t_, rtol=1e-9)


def test_other_cells_are_refused(cells):
    prepared = prepare_moments(cells.adata[:200], cells.tf_names, **FROM_50)
    with pytest.raises(ValueError, match=r"of the .* kept cells are not in `prepared`"):
        next(iterate_cells(cells.adata, prepared, **FROM_50))
    chunks = iterate_cells(cells.adata[:150], prepared, **FROM_50)
    with pytest.raises(ValueError, match="`chunks` and `moments` are not of the same cells"):
        LinkTest(SciFateRegressor()).fit_moments(prepared.moments, chunks)


def test_other_links_of_the_same_data():
    tfs, new = draw()
    tested = LinkTest(SciFateRegressor()).fit(tfs, new)
    pd.testing.assert_frame_equal(tested.test_links(tested.regressor_.links_), tested.ledger_)
    other = SciFateRegressor(lambda_rule="min").fit(tfs, new).links_
    expected = LinkTest(SciFateRegressor(lambda_rule="min")).fit(tfs, new).ledger_
    assert len(expected) > len(tested.ledger_)
    pd.testing.assert_frame_equal(tested.test_links(other), expected)
    with pytest.raises(ValueError, match=r"LinkTest\.test_links: `links` has 1 row"):
        tested.test_links(other.head(1).assign(TF="nobody"))
