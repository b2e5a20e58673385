"""Repeated cross-validation: the mean of the curves of several seeds, and one final fit."""

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import KFold

from scifate_sklearn import (
    PermutationFDR,
    SciFateRegressor,
    StabilitySelection,
    prepare_anndata,
    prepare_moments,
)
from scifate_sklearn.datasets import make_labelled_cells
from scifate_sklearn.moments import Moments

SEEDS = (7, 8, 9)


@pytest.fixture(scope="module")
def cells():
    return make_labelled_cells(150, 10, 30, random_state=0)


@pytest.fixture(scope="module")
def matrices(cells):
    inputs = prepare_anndata(cells.adata, cells.tf_names, cell_filter_UMI=0)
    return inputs.tf_matrix, inputs.target_matrix


def repeated(**options):
    return SciFateRegressor(random_state=7, n_repeats=3, **options)


@pytest.mark.parametrize("weight", [None, "uneven"])
def test_curves_are_the_means_over_the_seeds(matrices, weight):
    given = None if weight is None else np.random.default_rng(0).uniform(0.5, 2.0, 150)
    single = [
        SciFateRegressor(random_state=seed, path="full").fit(*matrices, sample_weight=given)
        for seed in SEEDS
    ]
    found = repeated(path="full").fit(*matrices, sample_weight=given)
    mean = np.mean([model.cv_mse_ for model in single], axis=0)
    np.testing.assert_allclose(found.cv_mse_, mean, rtol=1e-9)
    # The standard error does not decrease with the repeats: its square has the mean of the squares
    # and the variance between the repeats.
    within = np.mean([model.cv_mse_se_**2 for model in single], axis=0)
    between = np.mean([(model.cv_mse_ - mean) ** 2 for model in single], axis=0)
    np.testing.assert_allclose(found.cv_mse_se_**2, within + between / 9, rtol=1e-6)
    best = found.cv_mse_.argmin(axis=1)
    np.testing.assert_array_equal(found.lambda_min_, found.lambdas_[best])


def test_an_adaptive_path_selects_the_same(matrices):
    for rule in ("1se", "min"):
        adaptive = repeated(lambda_rule=rule).fit(*matrices)
        full = repeated(lambda_rule=rule, path="full").fit(*matrices)
        np.testing.assert_array_equal(adaptive.lambda_, full.lambda_)
        np.testing.assert_allclose(adaptive.coef_, full.coef_, atol=1e-9)


def test_one_repeat_is_the_plain_fit(matrices):
    plain, one = SciFateRegressor().fit(*matrices), SciFateRegressor(n_repeats=1).fit(*matrices)
    np.testing.assert_array_equal(one.coef_, plain.coef_)
    np.testing.assert_array_equal(one.cv_mse_, plain.cv_mse_)


def test_moments_of_files_give_the_same(cells, matrices, tmp_path):
    prepared = prepare_moments(
        cells.adata, cells.tf_names, cell_filter_UMI=0, random_state=7, n_repeats=3
    )
    expected = repeated(path="full").fit(*matrices)
    prepared.moments.save(tmp_path / "moments.npz")
    loaded = Moments.load(tmp_path / "moments.npz")
    for moments in (prepared.moments, loaded):
        found = SciFateRegressor(path="full").fit_moments(moments)
        np.testing.assert_array_equal(found.lambda_, expected.lambda_)
        np.testing.assert_allclose(found.cv_mse_se_, expected.cv_mse_se_, rtol=1e-8)
    plain = prepare_moments(cells.adata, cells.tf_names, cell_filter_UMI=0)
    with pytest.raises(ValueError, match="folds of different kinds"):
        plain.moments + loaded


def test_with_engine_glmnet(matrices):
    pytest.importorskip("glmnet")
    tfs, new = matrices[0], matrices[1].iloc[:, :3]
    found = repeated(engine="glmnet", tol=1e-10).fit(tfs, new)
    expected = repeated(path="full").fit(tfs, new)
    np.testing.assert_array_equal(found.lambda_, expected.lambda_)
    np.testing.assert_allclose(found.cv_mse_se_, expected.cv_mse_se_, rtol=1e-4)


def test_permutations_and_halves_use_the_same_folds(matrices):
    controlled = PermutationFDR(repeated(), n_permutations=1).fit(*matrices)
    pd.testing.assert_frame_equal(controlled.regressor_.links_, repeated().fit(*matrices).links_)
    StabilitySelection(repeated(), n_resamples=4).fit(*matrices)
    with pytest.raises(ValueError, match='resample="folds"'):
        StabilitySelection(repeated(), n_resamples=4, resample="folds").fit(*matrices)


def test_a_random_state_is_drawn_from(matrices):
    one, two = (
        SciFateRegressor(random_state=np.random.RandomState(0), n_repeats=2).fit(*matrices)
        for _ in range(2)
    )
    np.testing.assert_array_equal(one.lambda_, two.lambda_)


@pytest.mark.parametrize("cv", [KFold(3), [(np.arange(50), np.arange(50, 60))] * 2])
def test_a_splitter_cannot_be_repeated(matrices, cv):
    with pytest.raises(ValueError, match="`n_repeats`=3 requires a number of folds as `cv`"):
        repeated(cv=cv).fit(*matrices)
