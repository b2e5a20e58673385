"""The cross-validation curve and the coefficients of a target along the penalties."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from scifate_sklearn import SciFateRegressor

TFS = ["Pax6", "Sox2", "Myc", "Isl1", "labeling_ratio"]
TARGETS = ["Ins1", "Myc", "Gcg"]


@pytest.fixture(scope="module")
def tfs():
    rng = np.random.default_rng(0)
    return pd.DataFrame(rng.normal(size=(120, 5)), [f"cell{i}" for i in range(120)], TFS)


@pytest.fixture(scope="module")
def new(tfs):
    rng = np.random.default_rng(1)
    effects = np.array([[1, 0.3, 0, 0, 0.2], [0, 0.5, 0, 0, 0], [0.1, 0, 0.4, -0.6, 0]])
    noise = rng.normal(size=(120, 3))
    return pd.DataFrame(tfs.to_numpy() @ effects.T + noise, tfs.index, TARGETS)


class TestCoefficientPath:
    @pytest.mark.parametrize(
        "params",
        [{}, {"alpha": 0.5}, {"lambdas": "auto"}, {"path": "full"}, {"standardize": False},
         {"penalty_factor": pd.Series({"Pax6": 0.0, "Sox2": 2.0})}],
        ids=["default", "elastic net", "auto", "full", "unscaled", "factors"],
    )  # fmt: skip
    def test_each_row_is_the_fit_at_its_penalty(self, tfs, new, params):
        model = SciFateRegressor(**params).fit(tfs, new)
        path = model.coefficient_path(tfs, new, "Gcg")
        assert list(path.columns) == TFS
        assert path.index.is_monotonic_decreasing
        for penalty in path.index[[0, len(path) // 2, len(path) - 1]]:
            one = clone(model).set_params(lambda_rule=float(penalty)).fit(tfs, new)
            np.testing.assert_allclose(path.loc[penalty], one.coef_[2], rtol=1e-6, atol=1e-9)

    @pytest.mark.parametrize("rule", ["1se", "min", "1se_cells", "bic", 0.1])
    def test_the_selected_row_is_that_of_the_fit(self, tfs, new, rule):
        model = SciFateRegressor(lambda_rule=rule).fit(tfs, new)
        for position, target in enumerate(TARGETS):
            path = model.coefficient_path(tfs, new, target)
            row = path.loc[model.lambda_[position]]
            np.testing.assert_allclose(row, model.coef_[position], rtol=1e-9, atol=1e-12)

    def test_a_tf_is_no_predictor_of_itself(self, tfs, new):
        model = SciFateRegressor(cor_threshold=None).fit(tfs, new)
        assert (model.coefficient_path(tfs, new, "Myc")["Myc"] == 0).all()

    def test_weights(self, tfs, new):
        weight = np.random.default_rng(2).uniform(0.1, 2, len(tfs))
        model = SciFateRegressor().fit(tfs, new, sample_weight=weight)
        path = model.coefficient_path(tfs, new, "Ins1", sample_weight=weight)
        np.testing.assert_allclose(path.loc[model.lambda_[0]], model.coef_[0])
        with pytest.raises(ValueError, match="`sample_weight` must be those of the fit"):
            model.coefficient_path(tfs, new, "Ins1")

    def test_other_containers(self, tfs, new):
        X, Y = tfs.to_numpy(), new.to_numpy()
        model = SciFateRegressor().fit(X, Y)
        expected = model.coefficient_path(X, Y, "y2")
        assert list(expected.columns) == ["x0", "x1", "x2", "x3", "x4"]
        sparse = SciFateRegressor().fit(sp.csr_array(X), sp.csr_array(Y))
        path = sparse.coefficient_path(sp.csr_array(X), sp.csr_array(Y), "y2")
        pd.testing.assert_frame_equal(path, expected)
        single = SciFateRegressor().fit(tfs, new["Gcg"])
        series = single.coefficient_path(tfs, new["Gcg"], single.target_names_in_[0])
        np.testing.assert_allclose(series, model.coefficient_path(X, Y, "y2"))

    def test_the_estimator_is_not_changed(self, tfs, new):
        model = SciFateRegressor().fit(tfs, new)
        before = {name: id(value) for name, value in vars(model).items()}
        model.coefficient_path(tfs, new, "Gcg")
        assert {name: id(value) for name, value in vars(model).items()} == before

    def test_other_cells_are_refused(self, tfs, new):
        model = SciFateRegressor().fit(tfs, new)
        with pytest.raises(ValueError, match="must be those of the fit"):
            model.coefficient_path(tfs.iloc[:60], new.iloc[:60], "Gcg")
        with pytest.raises(ValueError, match="must be those of the fit"):
            model.coefficient_path(tfs.rename(columns={"Sox2": "Sox3"}), new, "Gcg")
        with pytest.raises(ValueError, match="`target_matrix` must have the targets of the fit"):
            model.coefficient_path(tfs, new[["Gcg"]], "Gcg")

    def test_unknown_target(self, tfs, new):
        model = SciFateRegressor().fit(tfs, new)
        with pytest.raises(ValueError, match=r"one of the 3 targets .* got 'Gcgg'.* mean 'Gcg'"):
            model.coefficient_path(tfs, new, "Gcgg")
        with pytest.raises(NotFittedError):
            SciFateRegressor().coefficient_path(tfs, new, "Gcg")

    def test_without_a_model(self, tfs, new):
        flat = new.assign(flat=1.0)
        model = SciFateRegressor().fit(tfs, flat)
        with pytest.raises(ValueError, match="'flat' has no model"):
            model.coefficient_path(tfs, flat, "flat")


class TestCVCurve:
    @pytest.mark.parametrize("lambdas", ["paper", "auto"])
    def test_is_that_of_the_attributes(self, tfs, new, lambdas):
        model = SciFateRegressor(lambdas=lambdas).fit(tfs, new)
        for position, target in enumerate(TARGETS):
            curve = model.cv_curve(target)
            known = np.isfinite(model.cv_mse_[position])
            grid = np.broadcast_to(model.lambdas_, model.cv_mse_.shape)[position]
            np.testing.assert_array_equal(curve.lambdas, grid[known])
            np.testing.assert_array_equal(curve.mse, model.cv_mse_[position, known])
            np.testing.assert_array_equal(curve.mse_se, model.cv_mse_se_[position, known])
            assert curve.lambda_min == model.lambda_min_[position]
            assert curve.lambda_1se == model.lambda_1se_[position]

    def test_is_what_a_callable_rule_receives(self, tfs, new):
        seen = []

        def rule(curve):
            seen.append(curve)
            return curve.lambda_min

        model = SciFateRegressor(lambda_rule=rule).fit(tfs, new[["Gcg"]])
        curve = model.cv_curve("Gcg")
        for name, value in vars(seen[0]).items():
            np.testing.assert_array_equal(getattr(curve, name), value)

    def test_of_a_single_target(self, tfs, new):
        model = SciFateRegressor().fit(tfs, new["Gcg"])
        curve = model.cv_curve(model.target_names_in_[0])
        assert curve.lambda_1se == model.lambda_1se_

    def test_errors(self, tfs, new):
        with pytest.raises(NotFittedError):
            SciFateRegressor().cv_curve("Gcg")
        model = SciFateRegressor(lambda_rule="aic").fit(tfs, new)
        with pytest.raises(ValueError, match="'aic', which cross-validates nothing"):
            model.cv_curve("Gcg")
