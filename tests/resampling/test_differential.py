"""DifferentialLinks: planted differences, calibration without any, and its contracts."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from scifate_sklearn import DifferentialLinks, SciFateRegressor

sm = pytest.importorskip("statsmodels.api", reason="statsmodels is the reference")

LASSO = SciFateRegressor(lambda_rule="min")
COLUMNS = ["TF", "target", "coef_reference", "coef_other", "difference", "t", "q", "kept"]


def draw(n=150, p=8, q=10, n_changed=3, effect=0.5, seed=0):
    """Return two groups of cells; of the first targets one effect has another sign in the second.

    Returns
    -------
    tfs, new : DataFrame
    is_other : ndarray of bool
    changed : set of (TF, target)
    """
    rng = np.random.default_rng(seed)
    X = 0.5 * rng.normal(size=(2 * n, 2)) @ rng.normal(size=(2, p)) + rng.normal(size=(2 * n, p))
    is_other, Y, changed = np.arange(2 * n) >= n, np.zeros((2 * n, q)), set()
    for t in range(q):
        tfs = rng.choice(p, 3, replace=False)
        Y[:, t] = effect * X[:, tfs].sum(axis=1)
        if t < n_changed:
            Y[is_other, t] -= 2 * effect * X[is_other, tfs[0]]
            changed.add((f"TF{tfs[0]}", f"gene{t}"))
    Y += rng.normal(size=Y.shape)
    names = [f"TF{j}" for j in range(p)], [f"gene{t}" for t in range(q)]
    return pd.DataFrame(X, columns=names[0]), pd.DataFrame(Y, columns=names[1]), is_other, changed


def pairs_of(table):
    return set(table[["TF", "target"]].itertuples(index=False, name=None))


def test_planted_differences_are_found():
    tfs, new, is_other, changed = draw()
    compared = DifferentialLinks(LASSO).fit(tfs, new, condition=is_other)
    found = compared.differences_
    assert list(found.columns) == COLUMNS
    assert compared.groups_.tolist() == [False, True]
    kept = found[found["kept"]]
    assert changed <= pairs_of(kept)
    assert len(kept) <= len(changed) + 1  # a nominal rate of 0.1
    assert len(found) > 2 * len(kept)
    kept = kept[kept["target"].isin(["gene0", "gene1", "gene2"])]
    np.testing.assert_allclose(kept["coef_reference"], 0.5, atol=0.25)
    np.testing.assert_allclose(kept["coef_other"], -0.5, atol=0.25)
    np.testing.assert_array_equal(kept["difference"], kept["coef_other"] - kept["coef_reference"])
    assert (found["kept"] == (found["q"] <= 0.1)).all()


@pytest.mark.parametrize("n_others", [150, 18])  # 18 cells suffice for six of eight TFs
def test_effects_and_t_equal_statsmodels(n_others):
    tfs, new, is_other, _ = draw()
    new["gene9"] += np.abs(tfs["TF0"]) * np.random.default_rng(1).normal(size=300)
    tfs, new, is_other = (each[: 150 + n_others] for each in (tfs, new, is_other))
    found = DifferentialLinks(LASSO, n_permutations=1).fit(tfs, new, condition=is_other)
    for target, rows in found.differences_.groupby("target"):
        used = rows["TF"].tolist()
        one, two = (
            sm.OLS(new[target][cells], sm.add_constant(tfs.loc[cells, used])).fit(cov_type="HC3")
            for cells in (~is_other, is_other)
        )
        np.testing.assert_allclose(rows["coef_reference"], one.params[used], rtol=1e-9)
        np.testing.assert_allclose(rows["coef_other"], two.params[used], rtol=1e-9)
        t = (two.params - one.params) / np.sqrt(one.bse**2 + two.bse**2)
        np.testing.assert_allclose(rows["t"], t[used], rtol=1e-9)


def test_candidates_are_those_that_either_group_selects():
    tfs, new, is_other, _ = draw()
    found = DifferentialLinks(LASSO, n_permutations=1).fit(tfs, new, condition=is_other)
    expected = set()
    for group in (is_other, ~is_other):
        expected |= pairs_of(clone(LASSO).fit(tfs, new, sample_weight=group).links_)
    assert pairs_of(found.differences_) == expected


def test_the_reference_can_be_chosen():
    tfs, new, is_other, _ = draw()
    condition = np.where(is_other, "treated", "control")
    one = DifferentialLinks(LASSO, n_permutations=1).fit(tfs, new, condition=condition)
    two = DifferentialLinks(LASSO, n_permutations=1, reference="treated")
    two.fit(tfs, new, condition=pd.Series(condition, tfs.index))
    assert one.groups_.tolist() == ["control", "treated"]
    assert two.groups_.tolist() == ["treated", "control"]
    np.testing.assert_allclose(two.differences_["t"], -one.differences_["t"], rtol=1e-9)


def test_labels_are_permuted_within_strata_only():
    tfs, new, is_other, _ = draw()
    strata = np.resize(["a", "b"], 300)
    fitted = [
        DifferentialLinks(LASSO).fit(tfs, new, condition=is_other, strata=each).differences_
        for each in (None, strata, strata)
    ]
    pd.testing.assert_frame_equal(fitted[1], fitted[2])
    pd.testing.assert_series_equal(fitted[0]["t"], fitted[1]["t"])
    assert not fitted[0]["q"].equals(fitted[1]["q"])
    with pytest.raises(ValueError, match="`strata`: each stratum has cells of one condition only"):
        DifferentialLinks(LASSO).fit(tfs, new, condition=is_other, strata=is_other)


def test_covariates_are_predictors_but_are_not_compared():
    tfs, new, is_other, _ = draw()
    tfs = tfs.rename(columns={"TF7": "new_size_factor"})
    found = DifferentialLinks(LASSO, n_permutations=1).fit(tfs, new, condition=is_other)
    assert "new_size_factor" not in set(found.differences_["TF"])
    target, rows = next(iter(found.differences_.groupby("target")))
    used = [*rows["TF"], "new_size_factor"]
    model = sm.OLS(new[target][is_other], sm.add_constant(tfs.loc[is_other, used])).fit()
    np.testing.assert_allclose(rows["coef_other"], model.params[rows["TF"]], rtol=1e-9)


@pytest.mark.parametrize(
    ("condition", "options", "error", "message"),
    [
        (np.zeros(300), {}, ValueError, "`condition` must have two different labels.*got 1"),
        (np.arange(300) % 3, {}, ValueError, "`condition` must have two different labels.*got 3"),
        (np.ones(299), {}, ValueError, r"`condition` has the shape \(299,\)"),
        (["a", None] * 150, {}, ValueError, "`condition` is missing for 150 cell"),
        (["a", 1] * 150, {}, TypeError, "`condition` is of mixed type"),
        (np.arange(300) % 2, {"reference": 5}, ValueError, "`reference`=5 is not a label"),
        (pd.Series(0, range(1, 301)), {}, ValueError, "condition"),
    ],
)
def test_invalid_conditions(condition, options, error, message):
    tfs, new, *_ = draw()
    with pytest.raises(error, match=message):
        DifferentialLinks(LASSO, **options).fit(tfs, new, condition=condition)


@pytest.mark.slow
def test_data_without_a_difference():
    n_found = 0
    for seed in range(50):
        tfs, new, *_ = draw(n=75, n_changed=0, seed=seed)
        is_other = np.random.default_rng(seed).permutation(150) < 75
        found = DifferentialLinks(LASSO, random_state=seed).fit(tfs, new, condition=is_other)
        n_found += found.differences_["kept"].any()
    assert n_found <= 6  # 12 % of the runs


@pytest.mark.slow
def test_power_for_small_effects():
    hits = [
        len(changed & pairs_of(found.query("kept"))) / len(changed)
        for seed in range(3)
        for tfs, new, is_other, changed in [draw(n=1000, effect=0.3, seed=seed)]
        for found in [DifferentialLinks(LASSO).fit(tfs, new, condition=is_other).differences_]
    ]
    assert np.mean(hits) >= 0.8
