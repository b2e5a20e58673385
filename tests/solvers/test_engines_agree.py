"""Curves, selection and models of the shared-Gram engine, compared with glmnet."""

import builtins
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.model_selection import GroupKFold, LeaveOneOut, ShuffleSplit

from scifate_sklearn import SciFateRegressor, prepare_anndata
from scifate_sklearn.solvers._glmnet import import_glmnet

TIGHT = {"engine": "glmnet", "tol": 1e-24, "max_iter": 1_000_000}


def simulate(seed: int = 0, n: int = 120, p: int = 25, q: int = 4) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4)) @ rng.normal(size=(4, p)) + rng.normal(size=(n, p))
    X = 3 + X * rng.uniform(0.5, 2, size=p)
    Y = X[:, :q] - X[:, q : 2 * q] + 3 * rng.normal(size=(n, q))
    return X, Y


def full_paths(**params: Any) -> SciFateRegressor:
    return SciFateRegressor(path="full", **params)


def assert_same_fit(ours: SciFateRegressor, judge: SciFateRegressor) -> None:
    np.testing.assert_allclose(ours.lambdas_, judge.lambdas_, rtol=1e-10)
    np.testing.assert_allclose(ours.cv_mse_, judge.cv_mse_, rtol=1e-8)
    np.testing.assert_allclose(ours.cv_mse_se_, judge.cv_mse_se_, rtol=1e-7)
    np.testing.assert_allclose(ours.lambda_1se_, judge.lambda_1se_, rtol=1e-10)
    np.testing.assert_allclose(ours.lambda_min_, judge.lambda_min_, rtol=1e-10)
    np.testing.assert_allclose(ours.coef_, judge.coef_, atol=1e-8)
    np.testing.assert_allclose(ours.intercept_, judge.intercept_, atol=1e-7)
    np.testing.assert_allclose(ours.r2_, judge.r2_, atol=1e-8)
    assert (np.asarray(ours.dual_gap_) <= ours.tol).all()
    assert (np.asarray(judge.dual_gap_) <= 1e-9).all()


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"lambda_rule": "min"},
        {"lambda_rule": 0.123},
        {"lambdas": "auto"},
        {"lambdas": "auto", "lambda_rule": 0.2},
        {"lambdas": [2.0, 1.0, 0.5, 0.1]},
        {"alpha": 0.3},
        {"standardize": False},
        {"fit_intercept": False, "standardize": False},
        {"cor_threshold": 0.2},
        {"penalty_factor": np.r_[np.zeros(2), np.inf, np.ones(21), 3.0]},
        {"cv": ShuffleSplit(5, random_state=0)},
        {"cv": 3},
    ],
    ids=str,
)
def test_simulated(params: dict[str, Any]) -> None:
    X, Y = simulate()
    ours = full_paths(**params).fit(X, Y)
    assert_same_fit(ours, full_paths(**{**params, **TIGHT}).fit(X, Y))


def test_weights_and_groups() -> None:
    X, Y = simulate(1)
    rng = np.random.default_rng(1)
    extra = {
        "sample_weight": rng.integers(0, 4, len(X)).astype(float),
        "groups": rng.integers(0, 6, len(X)),
    }
    ours = full_paths(cv=GroupKFold(3)).fit(X, Y, **extra)
    judge = full_paths(cv=GroupKFold(3), **TIGHT).fit(X, Y, **extra)
    assert_same_fit(ours, judge)


def test_more_predictors_than_cells_and_single_cell_folds() -> None:
    X, Y = simulate(2, n=20, p=30)
    ours = full_paths(cv=LeaveOneOut(), lambdas=[2.0, 1.0, 0.5]).fit(X, Y)
    judge = full_paths(cv=LeaveOneOut(), lambdas=[2.0, 1.0, 0.5], **TIGHT).fit(X, Y)
    assert_same_fit(ours, judge)


def test_constant_in_one_training_set() -> None:
    X, Y = simulate(3, n=60)
    X[:, 0], Y[:, 0] = 0.0, 0.0
    X[:6, 0], Y[:6, 0] = np.arange(6), np.arange(6)
    first = np.arange(60) < 6
    splits = [(np.flatnonzero(~first), np.flatnonzero(first))]
    splits += [(np.flatnonzero(np.arange(60) % 3 != k), np.arange(60)[k::3]) for k in range(3)]
    ours = full_paths(cv=splits).fit(X, Y)
    assert_same_fit(ours, full_paths(cv=splits, **TIGHT).fit(X, Y))


@pytest.mark.parametrize("lambdas", ["paper", "auto"])
def test_no_model(lambdas: str) -> None:
    X, Y = simulate(4)
    Y[:, 1] = 5.0
    for params in ({}, TIGHT):
        model = full_paths(lambdas=lambdas, **params).fit(X, Y)
        assert np.isnan(model.lambda_[1])
        assert not model.coef_[1].any()
        assert model.intercept_[1] == 5.0


def test_sparse_input() -> None:
    X, Y = simulate(5)
    judge = full_paths(**TIGHT).fit(sp.csr_array(X), sp.csr_array(Y))
    assert_same_fit(full_paths().fit(X, Y), judge)


@pytest.mark.slow
def test_real_cells(shared: Path) -> None:
    data = shared / "data"
    adata = anndata.read_h5ad(data / "veloviz_pancreas" / "pancreas_739x7192.h5ad")
    adata.layers["total"] = adata.layers["spliced"] + adata.layers["unspliced"]
    inputs = prepare_anndata(
        adata,
        (data / "rcistarget_tf" / "TF_mgi.txt").read_text().split(),
        nt_layers=("unspliced", "total"),
        cell_filter_UMI=1000,
    )
    strongest = ["Nnat", "Gcg", "Rbfox3", "Pax6"]
    targets = inputs.target_matrix[inputs.target_matrix.columns.intersection(strongest)]
    ours = full_paths().fit(inputs.tf_matrix, targets)
    assert len(ours.links_) > 0
    judge = full_paths(**{**TIGHT, "tol": 1e-20}).fit(inputs.tf_matrix, targets)
    assert_same_fit(ours, judge)


def test_glmnet_that_cannot_converge_is_an_error() -> None:
    X, Y = simulate(6)
    with pytest.raises(RuntimeError, match="raise `tol` or `max_iter`"):
        full_paths(engine="glmnet", tol=1e-300, max_iter=1).fit(X, Y)


def test_missing_glmnet_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real_import = builtins.__import__

    def without_glmnet(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "glmnet":
            raise ImportError(name)
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_glmnet)
    with pytest.raises(ImportError, match="python-glmnet"):
        import_glmnet()
