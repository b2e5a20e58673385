"""Comparison of StabilitySelection with separate fits of halves, and its invariances."""

import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GroupKFold, KFold, LeaveOneOut, ShuffleSplit
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state

from scifate_sklearn import SciFateRegressor, StabilitySelection
from scifate_sklearn.moments import Moments, plan_folds
from scifate_sklearn.preprocessing import RSampleKFold

FEW = {"n_resamples": 4, "random_state": 5}


def halves_by_hand(units, n_resamples, seed):
    """Yield the rows of each half; for few units, a pair may occur more than once."""
    rng, half = check_random_state(seed), len(units) // 2
    for _ in range(n_resamples // 2):
        order = rng.permutation(len(units))
        for drawn in (order[:half], order[half : 2 * half]):
            yield np.sort(np.concatenate([units[unit] for unit in drawn]))


def frequency_by_hand(regressor, fitted, tfs, new, weight, halves):
    """Return the share of halves that select each link, at the penalties of the fit."""
    selected = []
    for rows in halves:
        X, w = tfs.iloc[rows], None if weight is None else weight[rows]
        coef = np.zeros(fitted.coef_.shape)
        for t, target in enumerate(new.columns):
            if np.isfinite(fitted.lambda_[t]):
                model = regressor(lambda_rule=float(fitted.lambda_[t]), cv=2)
                coef[t] = model.fit(X, new[[target]].iloc[rows], sample_weight=w).coef_[0]
        selected.append(coef != 0)
    return np.mean(selected, axis=0)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"lambda_rule": "min", "cv": KFold(4), "alpha": 0.5, "cor_threshold": 0.1},
        {"lambdas": "auto", "lambda_rule": "min", "standardize": False},
    ],
)
@pytest.mark.parametrize("is_weighted", [False, True])
def test_equals_fitting_halves_by_hand(settings, is_weighted, tfs, new, weight):
    new["flat"] = 1.0  # has no model
    given = weight if is_weighted else None
    stable = StabilitySelection(SciFateRegressor(**settings), **FEW)
    stable.fit(tfs, new, sample_weight=given)
    rows = np.flatnonzero(weight) if is_weighted else np.arange(len(tfs))
    kept = {k: v for k, v in settings.items() if k not in ("lambda_rule", "cv", "lambdas")}
    expected = frequency_by_hand(
        lambda **rule: SciFateRegressor(**kept, **rule),
        stable.regressor_,
        tfs,
        new,
        given,
        halves_by_hand(list(rows[:, None]), 4, 5),
    )
    np.testing.assert_array_equal(stable.frequency_, expected)
    assert len(np.unique(expected)) > 2


def test_whole_groups_are_drawn(tfs, new):
    groups = np.repeat(np.arange(15), 8)[::-1]
    regressor = SciFateRegressor(cv=GroupKFold(5), lambda_rule="min")
    stable = StabilitySelection(regressor, **FEW).fit(tfs, new, groups=groups)
    units = [np.flatnonzero(groups == group) for group in range(14, -1, -1)]
    expected = frequency_by_hand(
        SciFateRegressor, stable.regressor_, tfs, new, None, halves_by_hand(units, 4, 5)
    )
    np.testing.assert_array_equal(stable.frequency_, expected)


@pytest.mark.parametrize("n_folds", [10, 7])
@pytest.mark.parametrize("is_weighted", [False, True])
def test_halves_of_folds_equal_halves_of_their_cells(n_folds, is_weighted, tfs, new, weight):
    given = weight if is_weighted else None
    regressor = SciFateRegressor(lambda_rule="min", cv=n_folds)
    stable = StabilitySelection(regressor, resample="folds", **FEW)
    stable.fit(tfs, new, sample_weight=given)
    units = [test for _, test in RSampleKFold(n_folds).split(tfs)]
    expected = frequency_by_hand(
        SciFateRegressor, stable.regressor_, tfs, new, given, halves_by_hand(units, 4, 5)
    )
    np.testing.assert_array_equal(stable.frequency_, expected)


def moments_of(tfs, new, cv=10):
    plan = plan_folds(RSampleKFold(cv).split(tfs), len(tfs))
    names = tfs.columns.to_numpy(object), new.columns.to_numpy(object)
    return Moments.from_arrays(tfs.to_numpy(), new.to_numpy(), plan, None, *names)


@pytest.mark.parametrize("penalty", ["fit", "cv"])
def test_fit_moments_equals_fit(penalty, tfs, new):
    settings = {**FEW, "resample": "folds", "penalty": penalty}
    fitted = StabilitySelection(SciFateRegressor(), **settings).fit(tfs, new)
    from_sums = StabilitySelection(SciFateRegressor(), **settings).fit_moments(moments_of(tfs, new))
    np.testing.assert_array_equal(fitted.frequency_, from_sums.frequency_)
    pd.testing.assert_frame_equal(fitted.links_, from_sums.links_)
    pd.testing.assert_frame_equal(fitted.error_bound_, from_sums.error_bound_)


@pytest.mark.parametrize("resample", ["cells", "folds"])
def test_penalties_selected_on_each_half(resample, tfs, new):
    """Each half is fitted on its own cells, with the folds restricted to these cells."""
    regressor = SciFateRegressor(cv=8)
    stable = StabilitySelection(regressor, resample=resample, penalty="cv", **FEW).fit(tfs, new)
    folds = [test for _, test in RSampleKFold(8).split(tfs)]
    units = folds if resample == "folds" else list(np.arange(len(tfs))[:, None])
    selected = []
    for rows in halves_by_hand(units, 4, 5):
        tests = [np.flatnonzero(np.isin(rows, test)) for test in folds]
        tests = [test for test in tests if len(test)]
        cv = [(np.setdiff1d(np.arange(len(rows)), test), test) for test in tests]
        selected.append(SciFateRegressor(cv=cv).fit(tfs.iloc[rows], new.iloc[rows]).coef_ != 0)
    np.testing.assert_array_equal(stable.frequency_, np.mean(selected, axis=0))


def test_single_cells_as_test_sets(tfs, new):
    """With fewer than three cells per fold, sums are kept per cell, but units are still folds."""
    few = tfs.iloc[:24], new.iloc[:24]
    cv = KFold(12)
    stable = StabilitySelection(SciFateRegressor(cv=cv, lambda_rule="min"), resample="folds", **FEW)
    stable.fit(*few)
    units = [test for _, test in cv.split(few[0])]
    expected = frequency_by_hand(
        SciFateRegressor, stable.regressor_, *few, None, halves_by_hand(units, 4, 5)
    )
    np.testing.assert_array_equal(stable.frequency_, expected)


def test_links_ledger_and_transform_agree(tfs, new):
    stable = StabilitySelection(SciFateRegressor(lambda_rule="min"), threshold=0.9, **FEW)
    stable.fit(tfs, new)
    frequency = pd.DataFrame(stable.frequency_, index=new.columns, columns=tfs.columns)
    for link in stable.links_.itertuples():
        assert link.frequency == frequency.loc[link.target, link.TF]
    kept = stable.ledger_["kept"]
    assert 0 < kept.sum() < len(kept)
    np.testing.assert_array_equal(kept, stable.links_["frequency"] >= 0.9)
    assert set(stable.ledger_["reason"]) == {"", "stability: frequency below 0.9"}
    pd.testing.assert_frame_equal(stable.transform(tfs), stable.links_[kept])
    pd.testing.assert_frame_equal(
        stable.links_.drop(columns="frequency"),
        SciFateRegressor(lambda_rule="min").fit(tfs, new).links_,
    )


def test_rounding_of_the_threshold_drops_nothing(tfs, new):
    threshold = np.arange(0.55, 0.95, 0.05)[1]
    assert threshold > 0.6
    one, two = (
        StabilitySelection(SciFateRegressor(lambda_rule="min"), n_resamples=10, threshold=t)
        .fit(tfs, new)
        .ledger_
        for t in (0.6, threshold)
    )
    assert (one["frequency"] == 0.6).any()
    pd.testing.assert_frame_equal(one, two)


def test_groups_without_warning_where_folds_are_a_number(tfs, new, batches):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stable = StabilitySelection(SciFateRegressor(cv=5), n_resamples=4)
        stable.fit(tfs, new, groups=batches)
    assert set(np.unique(stable.frequency_ * 4)) <= set(range(5))
    np.testing.assert_array_equal(
        stable.regressor_.coef_, SciFateRegressor(cv=5).fit(tfs, new).coef_
    )


def test_error_bound_counts_possible_links(tfs, new):
    regressor = SciFateRegressor(lambda_rule="min", covariates=("T7",))
    stable = StabilitySelection(regressor, **FEW).fit(tfs, new)
    bound = stable.error_bound_
    assert bound.index.tolist() == new.columns.tolist()
    # Of the eight predictors, one is a covariate and one is the last target.
    assert bound["possible"].tolist() == [7, 7, 7, 6]
    excluded = pd.DataFrame(np.inf, tfs.columns[:2], new.columns[1:2])
    other = StabilitySelection(clone(regressor).set_params(penalty_factor=excluded), **FEW)
    other.fit(tfs, new)
    assert other.error_bound_["possible"].tolist() == [7, 5, 7, 6]
    np.testing.assert_allclose(bound["selected"], stable.frequency_[:, :7].sum(axis=1))
    expected = bound["selected"] ** 2 / bound["possible"] / (2 * 0.6 - 1)
    np.testing.assert_allclose(bound["worst_case"], np.minimum(expected, bound["selected"] / 0.6))
    assert (bound["r_concave"] <= bound["worst_case"]).all()


def test_depends_neither_on_workers_nor_on_other_targets(tfs, new):
    def fit(n_jobs, targets, seed=123456):
        regressor = SciFateRegressor(lambda_rule="min", n_jobs=n_jobs)
        return StabilitySelection(regressor, n_resamples=20, random_state=seed).fit(tfs, targets)

    one, two = fit(None, new), fit(2, new)
    np.testing.assert_array_equal(one.frequency_, two.frequency_)
    np.testing.assert_array_equal(
        fit(None, new[new.columns[::-1]]).frequency_[::-1], one.frequency_
    )
    np.testing.assert_array_equal(fit(None, new[["g0", "g2"]]).frequency_, one.frequency_[[0, 2]])
    np.testing.assert_array_equal(fit(None, new["g2"]).frequency_, one.frequency_[2])
    assert not np.array_equal(fit(None, new, seed=1).frequency_, one.frequency_)


def test_scale_does_not_matter(tfs, new):
    """Selection at a penalty does not depend on the units of the TFs."""
    regressor = SciFateRegressor(lambda_rule="min")
    one = StabilitySelection(regressor, **FEW).fit(tfs, new)
    two = StabilitySelection(regressor, **FEW).fit(1e3 + 16.0 * tfs, new)
    np.testing.assert_array_equal(one.frequency_, two.frequency_)


def test_sparse_matrices_give_the_same(tfs, new):
    one, two = (StabilitySelection(SciFateRegressor(lambda_rule="min"), **FEW) for _ in range(2))
    one.fit(tfs.to_numpy(), new.to_numpy())
    two.fit(sp.csr_array(tfs.to_numpy()), sp.csr_array(new.to_numpy()))
    np.testing.assert_array_equal(one.frequency_, two.frequency_)
    assert one.error_bound_["possible"].tolist() == [8] * 4


@pytest.mark.parametrize("penalty", ["fit", "cv"])
def test_both_engines_agree(penalty, tfs, new):
    pytest.importorskip("glmnet", reason="python-glmnet is not installed")
    found = [
        StabilitySelection(
            SciFateRegressor(engine=engine, path="full", cv=4), penalty=penalty, **FEW
        )
        .fit(tfs, new)
        .frequency_
        for engine in ("gram", "glmnet")
    ]
    np.testing.assert_array_equal(*found)


def test_inputs_and_regressor_are_not_modified(tfs, new):
    before, regressor = (tfs.copy(), new.copy()), SciFateRegressor()
    StabilitySelection(regressor, **FEW).fit(tfs, new)
    pd.testing.assert_frame_equal(tfs, before[0])
    pd.testing.assert_frame_equal(new, before[1])
    assert not hasattr(regressor, "coef_")


class TestErrors:
    def fit(self, data, regressor=None, **settings):
        given = {"n_resamples": 4, **settings}
        StabilitySelection(regressor or SciFateRegressor(), **given).fit(*data)

    def test_odd_number(self, tfs, new):
        with pytest.raises(ValueError, match=r"`n_resamples` must be even.*got 5"):
            self.fit((tfs, new), n_resamples=5)

    def test_more_pairs_than_exist(self, tfs, new):
        with pytest.raises(
            ValueError, match=r"127 different pairs of halves, but 10 folds have 126"
        ):
            self.fit((tfs, new), n_resamples=254, resample="folds")
        few = SciFateRegressor(cv=2)
        with pytest.raises(ValueError, match=r"4 cells or groups have 3\. Set it to at most 6\."):
            self.fit((tfs.iloc[:4], new.iloc[:4]), few, n_resamples=8)

    def test_a_single_group(self, tfs, new):
        with pytest.raises(ValueError, match=r"only one group.*at least two are needed"):
            StabilitySelection(SciFateRegressor(), **FEW).fit(tfs, new, groups=["a"] * len(tfs))

    def test_too_few_cells(self, tfs, new):
        with pytest.raises(ValueError, match="needs at least 4 cells of positive weight"):
            self.fit((tfs.iloc[:3], new.iloc[:3]), SciFateRegressor(cv=3))

    def test_folds_that_are_not_a_partition(self, tfs, new):
        with pytest.raises(ValueError, match="needs folds whose test sets are all cells"):
            self.fit((tfs, new), SciFateRegressor(cv=ShuffleSplit(3)), resample="folds")

    def test_too_few_folds_to_cross_validate_halves(self, tfs, new):
        regressor = SciFateRegressor(cv=3)
        with pytest.raises(ValueError, match="cross-validates each half, which needs two folds"):
            self.fit((tfs, new), regressor, resample="folds", penalty="cv")

    def test_engine_that_reads_cells(self, tfs, new):
        glmnet = SciFateRegressor(engine="glmnet")
        needs = r'needs an engine that reads moments \("gram"\), got engine="glmnet"'
        with pytest.raises(ValueError, match=f'resample="folds" {needs}.*Use resample="cells"'):
            self.fit((tfs, new), glmnet, resample="folds")
        with pytest.raises(ValueError, match=f"fit_moments {needs}"):
            StabilitySelection(glmnet).fit_moments(moments_of(tfs, new))

    def test_no_moments(self):
        with pytest.raises(TypeError, match="`moments` must be a Moments, got list"):
            StabilitySelection(SciFateRegressor()).fit_moments([])

    def test_odd_number_with_moments(self, tfs, new):
        with pytest.raises(ValueError, match="must be even"):
            StabilitySelection(SciFateRegressor(), n_resamples=7).fit_moments(moments_of(tfs, new))

    def test_halves_that_do_not_converge_are_counted_once(self, tfs, new):
        regressor = SciFateRegressor(max_iter=1, tol=1e-15, lambda_rule="min")
        with pytest.warns(ConvergenceWarning) as caught:
            self.fit((tfs, new), regressor)
        assert [warning.filename for warning in caught] == [__file__] * 2

    @pytest.mark.parametrize(
        "fit",
        [
            lambda model, tfs, new: model.fit_moments(moments_of(tfs, new)),
            lambda model, tfs, new: model.fit_transform(tfs, new),
            lambda model, tfs, new: Pipeline([("weigh", model)]).fit(tfs, new),
            lambda model, tfs, new: model.regressor.fit(tfs, new),
            lambda model, tfs, new: model.regressor.fit_moments(moments_of(tfs, new)),
        ],
        ids=["moments", "transform", "pipeline", "regressor", "regressor of moments"],
    )
    def test_warnings_name_the_line_of_the_user(self, fit, tfs, new):
        regressor = SciFateRegressor(max_iter=1, tol=1e-15, lambda_rule="min")
        with pytest.warns(ConvergenceWarning) as caught:
            fit(StabilitySelection(regressor, **FEW), tfs, new)
        assert {warning.filename for warning in caught} == {__file__}


def test_leave_one_out_folds(tfs, new):
    few = tfs.iloc[:16], new.iloc[:16]
    by_fold = StabilitySelection(SciFateRegressor(cv=LeaveOneOut()), resample="folds", **FEW)
    by_cell = StabilitySelection(SciFateRegressor(cv=LeaveOneOut()), **FEW)
    np.testing.assert_array_equal(by_fold.fit(*few).frequency_, by_cell.fit(*few).frequency_)
