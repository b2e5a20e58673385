"""Comparison of PermutationFDR with separate fits of permuted targets, and its invariances."""

import gc
import weakref

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold
from sklearn.utils import check_random_state

from scifate_sklearn import PermutationFDR, SciFateRegressor
from scifate_sklearn.moments import Moments
from scifate_sklearn.resampling._covariates import CovariateFit
from scifate_sklearn.resampling._units import permuted
from scifate_sklearn.solvers import _gram as gram

FEW = {"n_permutations": 3, "random_state": 5}
REGRESSORS = [
    {},
    {"lambda_rule": "min", "cv": KFold(4), "alpha": 0.5},
    {"lambdas": "auto", "lambda_rule": "min", "cor_threshold": 0.1, "exclude_self": False},
    {"lambda_rule": 0.1, "covariates": ("T1", "absent"), "path": "full"},
    {"lambda_rule": "min", "covariates": ["T1", "T6"], "fit_intercept": False},
]


def by_hand(regressor, tfs, new, weight, n_permutations, seed, strata):
    """Return the sizes of the links, and of the links of permuted targets, from separate fits."""
    links = regressor.fit(tfs, new, sample_weight=weight).links_
    rng, null = check_random_state(seed), []
    for _ in range(n_permutations):
        order = np.arange(len(new))
        for rows in strata:
            order[rows] = rng.permutation(rows)
        fit = fit_by_hand(regressor, tfs, new, weight, strata)
        shuffled = pd.DataFrame(fit + (new.to_numpy() - fit)[order], columns=new.columns)
        null.append(regressor.fit(tfs, shuffled, sample_weight=weight).links_["coef"].abs())
    return links["coef"].abs().to_numpy(), np.concatenate(null)


def fit_by_hand(regressor, tfs, new, weight, strata):
    """Return the part of the targets (n_cells, n_targets) that covariates explain."""
    names = [name for name in regressor.covariates if name in tfs]
    C, Y = tfs[names].to_numpy(), new.to_numpy()
    if not names:
        return np.zeros(Y.shape)
    if regressor.fit_intercept:
        C = np.column_stack([C, *(np.isin(np.arange(len(C)), rows) for rows in strata)])
    root = np.sqrt(np.ones(len(C)) if weight is None else weight)[:, None]
    return C @ np.linalg.lstsq(root * C, root * Y)[0]


@pytest.mark.parametrize("settings", REGRESSORS)
@pytest.mark.parametrize("is_weighted", [False, True])
def test_equals_fitting_permuted_targets_by_hand(settings, is_weighted, tfs, new, weight):
    given = weight if is_weighted else None
    model = PermutationFDR(SciFateRegressor(**settings), **FEW)
    model.fit(tfs, new, sample_weight=given)
    rows = np.flatnonzero(weight) if is_weighted else np.arange(len(new))
    links, null = by_hand(SciFateRegressor(**settings), tfs, new, given, 3, 5, [rows])
    np.testing.assert_array_equal(model.links_["coef"].abs(), links)
    curve = model.fdr_curve_.set_index("threshold")
    # Thresholds are sizes, which both computations give up to rounding; so compare beside them.
    for threshold, control in (curve["control_number"] * 3).items():
        assert np.sum(null >= threshold * (1 + 1e-9)) <= control
        assert control <= np.sum(null >= threshold * (1 - 1e-9))
    q = [
        min((1 + np.sum(null >= s)) / (3 * np.sum(links >= s)) for s in links[links <= t])
        for t in links
    ]
    np.testing.assert_allclose(model.links_["q"], np.minimum(q, 1.0), rtol=1e-12)


@pytest.mark.parametrize("covariates", [(), ("T6",)])
def test_cells_stay_in_their_groups(covariates, tfs, new, batches):
    regressor = SciFateRegressor(cv=5, lambda_rule="min", covariates=covariates)
    model = PermutationFDR(regressor, **FEW).fit(tfs, new, groups=batches)
    strata = [np.flatnonzero(batches == batch) for batch in "abcd"]
    links, null = by_hand(regressor, tfs, new, None, 3, 5, strata)
    expected = [np.sum(null >= t * (1 - 1e-9)) / 3 for t in np.sort(links)]
    np.testing.assert_allclose(model.fdr_curve_["control_number"], expected)


def test_differences_between_groups_are_not_evidence(tfs, batches):
    level = 3.0 * np.searchsorted(list("abcd"), batches)
    noise = np.random.default_rng(9).normal(size=(len(tfs), 3))
    shifted, responding = tfs.iloc[:, :3].add(level, axis=0), noise + level[:, None]
    regressor = SciFateRegressor(cv=5)
    free = PermutationFDR(regressor).fit(shifted, responding)
    within = PermutationFDR(regressor).fit(shifted, responding, groups=batches)
    assert len(free.transform(shifted)) > 0
    assert len(within.transform(shifted)) == 0


def test_threshold_ledger_and_transform_agree(tfs, new):
    model = PermutationFDR(SciFateRegressor(lambda_rule="min"), fdr=0.2).fit(tfs, new)
    size, kept = model.links_["coef"].abs(), model.ledger_["kept"]
    assert 0 < kept.sum() < len(kept)
    np.testing.assert_array_equal(kept, size >= model.threshold_)
    np.testing.assert_array_equal(kept, model.links_["q"] <= 0.2)
    assert set(model.ledger_["reason"]) == {"", "permutation FDR: q above 0.2"}
    assert (model.ledger_["reason"] == "").eq(kept).all()
    pd.testing.assert_frame_equal(model.transform(tfs), model.links_[kept])
    pd.testing.assert_frame_equal(
        model.links_.drop(columns="q"), SciFateRegressor(lambda_rule="min").fit(tfs, new).links_
    )
    at = model.fdr_curve_["threshold"] >= model.threshold_
    assert model.fdr_curve_.loc[at, "real_number"].iloc[0] == kept.sum()


def test_an_unreachable_fdr_keeps_no_link(tfs, new):
    model = PermutationFDR(SciFateRegressor(), n_permutations=1).fit(tfs, new)
    assert model.threshold_ == np.inf
    assert len(model.transform(tfs)) == 0
    assert model.transform(tfs).columns.tolist() == model.get_feature_names_out().tolist()
    nothing = PermutationFDR(SciFateRegressor(lambda_rule=10.0), n_permutations=2).fit(tfs, new)
    assert len(nothing.links_) == len(nothing.fdr_curve_) == 0
    assert nothing.threshold_ == np.inf


def test_depends_neither_on_workers_nor_on_the_number_of_permutations_before(tfs, new):
    def fit(n_jobs, **settings):
        regressor = SciFateRegressor(lambda_rule="min", n_jobs=n_jobs)
        return PermutationFDR(regressor, **settings).fit(tfs, new)

    one, two = fit(None), fit(2)
    pd.testing.assert_frame_equal(one.links_, two.links_, check_exact=True)
    pd.testing.assert_frame_equal(one.fdr_curve_, two.fdr_curve_, check_exact=True)
    other = fit(None, random_state=1)
    assert not one.links_["q"].equals(other.links_["q"])
    generator = fit(None, random_state=np.random.RandomState(123456))
    pd.testing.assert_frame_equal(one.links_, generator.links_, check_exact=True)


def test_target_order_does_not_matter(tfs, new):
    model = PermutationFDR(SciFateRegressor(lambda_rule="min"))
    forward = model.fit(tfs, new).links_.set_index(["target", "TF"])
    backward = model.fit(tfs, new[new.columns[::-1]]).links_.set_index(["target", "TF"])
    backward = backward.loc[forward.index]
    np.testing.assert_allclose(forward["q"], backward["q"], rtol=1e-12)


def test_sparse_matrices_give_the_same(tfs, new):
    dense = PermutationFDR(SciFateRegressor(lambda_rule="min"), **FEW)
    dense.fit(tfs.to_numpy(), new.to_numpy())
    sparse = PermutationFDR(SciFateRegressor(lambda_rule="min"), **FEW)
    sparse.fit(sp.csr_array(tfs.to_numpy()), sp.csr_array(new.to_numpy()))
    np.testing.assert_allclose(dense.links_["q"], sparse.links_["q"], rtol=1e-12)


def test_residuals_of_sparse_matrices_are_the_same(tfs, new, weight):
    """Sparse covariates come in frames, because covariates need names; here as plain matrices."""
    C, Y, strata = tfs[["T1", "T6"]].to_numpy(), new.to_numpy(), [np.flatnonzero(weight)]
    order = permuted(np.random.RandomState(0), strata, len(Y))
    dense = CovariateFit.from_samples(C, Y, Y.mean(axis=0), weight, strata, True)
    given = sp.csr_array(C), sp.csr_array(Y)
    sparse = CovariateFit.from_samples(*given, np.zeros(Y.shape[1]), weight, strata, True)
    expected = dense.permuted(Y, order)
    np.testing.assert_allclose(sparse.permuted(given[1], order), expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(expected[weight == 0], Y[weight == 0])


def test_constant_targets_and_covariates_change_nothing(tfs, new):
    regressor = SciFateRegressor(lambda_rule="min", covariates=("flat",))
    one = PermutationFDR(regressor, **FEW).fit(tfs, new.assign(flat=0.1))
    two = PermutationFDR(regressor, **FEW).fit(tfs.assign(flat=0.3), new.assign(flat=0.1))
    pd.testing.assert_frame_equal(one.links_, two.links_, rtol=1e-9)
    assert one.regressor_.lambda_[:-1].all()
    only = CovariateFit.from_samples(
        tfs[["T1"]].to_numpy(), np.full((len(tfs), 1), 0.1), np.array([0.1]),
        np.ones(len(tfs)), [np.arange(len(tfs))], True,
    )  # fmt: skip
    assert only.slopes.tolist() == [[0.0]]


def depth_data(seed, n_tfs=8, n_targets=12, n_cells=300):
    """Return TFs and targets that depend on the size factor only."""
    rng = np.random.default_rng(seed)
    depth = rng.normal(size=(n_cells, 1))
    X = pd.DataFrame(0.8 * depth + rng.normal(size=(n_cells, n_tfs)))
    Y = pd.DataFrame(depth + rng.normal(size=(n_cells, n_targets)))
    return X.add_prefix("T").assign(new_size_factor=depth), Y.add_prefix("g")


@pytest.mark.parametrize("rule", ["1se", "min"])
def test_effects_of_a_covariate_are_not_evidence(rule):
    n_links, n_kept = [], []
    for seed in range(10):
        tfs, new = depth_data(seed)
        regressor = SciFateRegressor(lambda_rule=rule, cv=4)
        model = PermutationFDR(regressor, random_state=seed)
        n_kept.append(len(model.fit_transform(tfs, new)))
        n_links.append(len(model.links_))
    assert np.count_nonzero(n_links) >= 8
    assert np.count_nonzero(n_kept) <= 3


@pytest.mark.parametrize("covariates", [(), ("T5",)])
def test_both_engines_agree(covariates, tfs, new):
    pytest.importorskip("glmnet", reason="python-glmnet is not installed")
    found = {
        engine: PermutationFDR(
            SciFateRegressor(
                engine=engine, lambda_rule="min", path="full", cv=4, covariates=covariates
            ),
            **FEW,
        ).fit(tfs, new)
        for engine in ("gram", "glmnet")
    }
    np.testing.assert_allclose(found["gram"].links_["q"], found["glmnet"].links_["q"], rtol=1e-9)
    assert len(found["gram"].links_) > 5


def test_gram_matrices_are_made_once(tfs, new, monkeypatch):
    made = []
    original = gram.Coordinates.gram

    def counting(self, sets):
        made.append(len(sets.weight))
        return original(self, sets)

    monkeypatch.setattr(gram.Coordinates, "gram", counting)
    PermutationFDR(SciFateRegressor(cv=5), n_permutations=4).fit(tfs, new)
    assert sorted(made) == [1, 5, 5]


@pytest.mark.slow
@pytest.mark.parametrize("covariates", [(), ("T6",)])
def test_sums_of_one_set_of_targets_only_are_in_memory(covariates, tfs, new, monkeypatch):
    products, alive = [], []
    originals = Moments.from_arrays, Moments.reordered

    def from_arrays(*args, **kwargs):
        moments = originals[0](*args, **kwargs)
        products.append(weakref.ref(moments.xy))
        return moments

    def reordered(self, *args):
        gc.collect()
        alive.append(sum(product() is not None for product in products))
        moments = originals[1](self, *args)
        products.append(weakref.ref(moments.xy))
        return moments

    monkeypatch.setattr(Moments, "from_arrays", from_arrays)
    monkeypatch.setattr(Moments, "reordered", reordered)
    PermutationFDR(SciFateRegressor(covariates=covariates), **FEW).fit(tfs, new)
    assert alive == [0, 0, 0]


def test_inputs_and_regressor_are_not_modified(tfs, new, weight):
    before = tfs.copy(), new.copy(), weight.copy()
    regressor = SciFateRegressor()
    PermutationFDR(regressor, **FEW).fit(tfs, new, sample_weight=weight)
    pd.testing.assert_frame_equal(tfs, before[0])
    pd.testing.assert_frame_equal(new, before[1])
    np.testing.assert_array_equal(weight, before[2])
    assert not hasattr(regressor, "coef_")


def test_groups_of_single_cells_are_refused(tfs, new):
    model = PermutationFDR(SciFateRegressor(cv=3))
    with pytest.raises(ValueError, match="a single cell in each group"):
        model.fit(tfs, new, groups=np.arange(len(tfs)))


def test_permutations_that_do_not_converge_are_counted_once(tfs, new):
    model = PermutationFDR(SciFateRegressor(max_iter=1, tol=1e-15, lambda_rule="min"), **FEW)
    with pytest.warns(ConvergenceWarning) as caught:
        model.fit(tfs, new)
    assert [warning.filename for warning in caught] == [__file__] * 2
