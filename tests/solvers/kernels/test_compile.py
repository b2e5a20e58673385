"""Compiled kernels give the results of their Python source; few can be called from Python."""

import re
from pathlib import Path

import numpy as np
import pytest

import scifate_sklearn
from scifate_sklearn.solvers import kernels

TOL = 1e-14


def dispatchers(modules):
    return {
        name: value
        for module in modules
        for name, value in vars(module).items()
        if hasattr(value, "py_func")
    }


def test_numba_is_imported_in_the_kernels_only():
    root = Path(scifate_sklearn.__file__).parent
    imports_numba = re.compile(r"^\s*(from|import) (numba|llvmlite)\b", re.MULTILINE)
    folders = {
        path.parent.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        if imports_numba.search(path.read_text(encoding="utf-8"))
    }
    assert folders == {"solvers/kernels"}


def test_what_the_package_exports_can_be_called_and_nothing_else(modules):
    has_wrapper = {
        name
        for name, kernel in dispatchers(modules).items()
        if not kernel.targetoptions.get("no_cpython_wrapper", False)
    }
    exported = {name for name, value in vars(kernels).items() if hasattr(value, "py_func")}
    assert has_wrapper == exported
    assert "follow_grids" in has_wrapper


def test_every_kernel_is_cached_and_releases_the_gil(modules):
    for kernel in dispatchers(modules).values():
        assert kernel.targetoptions["nogil"]
        assert not kernel.targetoptions["_nrt"]  # they allocate no arrays and count no references
        assert kernel.targetoptions["error_model"] == "numpy"
        assert type(kernel._cache).__name__ != "NullCache"


def make_arguments(data, shape, factors, n_folds, units_per_fold, n_targets=4):
    """Return sets and targets of folds of the rows of one matrix, as in `GramEngine`."""
    X, Y = data(3, q=n_targets, **shape)
    unit_of = np.arange(len(X)) % (n_folds * units_per_fold)
    grams, linear, scales, held_grams, held_linear, held_square = [], [], [], [], [], []
    for k in range(n_folds):
        train = unit_of // units_per_fold != k
        # Columns and targets count as constant if their deviation is rounding error.
        deviation, y_scale = X[train].std(axis=0), Y[train].std(axis=0)
        y_scale[-1] = 0.0 if k % 2 else y_scale[-1]
        inverse = np.where(deviation > 1e-12, 1.0, 0.0) / np.where(deviation > 1e-12, deviation, 1)
        y_inverse = np.divide(1.0, y_scale, out=np.zeros(n_targets), where=y_scale > 0)
        mean, y_mean = X[train].mean(axis=0), Y[train].mean(axis=0)
        Z, W = (X - mean) * inverse, Y - y_mean
        grams.append(Z[train].T @ Z[train] / train.sum())
        linear.append(((Z[train].T @ W[train]) / train.sum() * y_inverse).T)
        scales.append(y_scale)
        for u in range(k * units_per_fold, (k + 1) * units_per_fold):
            test = unit_of == u
            held_grams.append(Z[test].T @ Z[test] / test.sum())
            held_linear.append(((Z[test].T @ W[test]) / test.sum() * y_inverse).T)
            held_square.append((W[test] ** 2).mean(axis=0))
    p = X.shape[1]
    v = np.random.default_rng(0).uniform(0.5, 2, (n_targets, p))
    if factors == "mixed":
        v[:, 0], v[1, 1], v[2, :] = 0.0, np.inf, np.inf
        v[2, 3] = 0.0
    sets = kernels.Sets(
        np.array(grams),
        np.array(held_grams),
        units_per_fold * np.arange(n_folds + 1),
        np.bincount(unit_of).astype(float),
        1,
    )
    targets = kernels.Targets(
        np.ascontiguousarray(np.array(linear).transpose(1, 0, 2)),
        np.ascontiguousarray(np.array(scales).T),
        np.ascontiguousarray(np.array(held_linear).transpose(1, 0, 2)),
        np.ascontiguousarray(np.array(held_square).T),
        v,
        np.tile(np.geomspace(1, 0.01, 12), (n_targets, 1)),
        np.full(n_targets, 11),
        np.ascontiguousarray(np.array(scales).T),
        np.ones((n_targets, n_folds)),
    )
    return sets, targets


def follow(sets, targets, adaptive, alpha):
    n_targets, n_folds, p = targets.linear.shape
    targets = targets._replace(stop=targets.stop.copy(), alpha=np.full_like(targets.y_scale, alpha))
    errors = np.full((n_targets, len(sets.held_weight), 12), np.nan)
    coef, gaps = np.zeros((n_targets, n_folds, p)), np.zeros((n_targets, n_folds))
    n_iter = np.zeros((n_targets, n_folds), np.intp)
    models = kernels.new_models(n_folds if adaptive else 1, p)
    failed = kernels.follow_grids(
        models, sets, targets, adaptive, TOL, 1000, errors, coef, n_iter, gaps
    )
    assert failed == 0
    return errors, coef, targets.stop


def automatic(sets, targets, alpha):
    n_targets, n_folds, p = targets.linear.shape
    models, grid, path = kernels.new_models(1, p), np.empty((1, 15)), np.empty((15, p))
    ratios = np.full((n_targets, n_folds), 1e-2)
    lambdas = np.empty((n_targets, 15))
    failed = kernels.automatic_grids(
        models, grid, path, sets.grams[0], targets.linear[:, 0].copy(),
        targets.y_scale[:, 0].copy(), targets.factors, ratios[:, 0].copy(), alpha, TOL, 1000,
        lambdas,
    )  # fmt: skip
    errors = np.empty((n_targets, len(sets.held_weight), 15))
    targets = targets._replace(lambdas=lambdas)
    failed += kernels.automatic_errors(
        models, grid, path, sets, targets, ratios, alpha, TOL, 1000, errors
    )
    assert failed == 0
    return lambdas, errors


# Data, penalty factors, folds, and test units in each.
CASES = {
    "regular": ({"p": 6}, "random", 4, 1),
    "mixed penalties": ({"p": 6}, "mixed", 4, 1),
    "several test units": ({"p": 6}, "mixed", 4, 3),
    "wide": ({"n": 12, "p": 18}, "random", 4, 1),
    "wide, mixed penalties": ({"n": 12, "p": 18}, "mixed", 4, 1),
    "copies": ({"p": 8, "copies": 3}, "random", 4, 1),
    "copies, mixed penalties": ({"p": 8, "copies": 3}, "mixed", 4, 2),
    "constants": ({"p": 7, "constants": 2}, "mixed", 4, 1),
    "leave-one-out": ({"n": 9, "p": 5}, "random", 9, 1),
}


@pytest.fixture(params=list(CASES))
def problem(request, standardized):
    return make_arguments(standardized, *CASES[request.param])


@pytest.fixture(params=[1.0, 0.5, 0.0])
def alpha(request):
    return request.param


def assert_equal(compiled, python, atol=1e-10):
    for one, other in zip(compiled, python, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=atol)


@pytest.mark.parametrize("adaptive", [False, True])
def test_follow_grids(problem, alpha, adaptive, as_python):
    compiled = follow(*problem, adaptive, alpha)
    as_python()
    assert_equal(compiled, follow(*problem, adaptive, alpha))


@pytest.mark.slow
def test_automatic_grids_and_errors(problem, alpha, as_python):
    compiled = automatic(*problem, alpha)
    assert np.isfinite(compiled[1]).any()
    as_python()
    assert_equal(compiled, automatic(*problem, alpha))


def test_interpolate_path(as_python):
    lambdas, path = np.array([3.0, 2.0, 1.0]), np.random.default_rng(0).normal(size=(3, 4))
    results = []
    for _ in range(2):
        out = np.empty((3, 4))
        for row, penalty in zip(out, (5.0, 2.2, 0.1), strict=True):
            kernels.interpolate_path(lambdas, path, penalty, row)
        results.append(out)
        as_python()
    assert_equal(results[:1], results[1:])


def test_duality_gap_of(as_python, make_problem):
    G, g = make_problem(0)
    b = np.array([0.3, -0.2, 0.0, 0.1, 0.0, 1.0])
    v = np.array([0.0, 1, 2, 1, 1, np.inf])
    arguments = g, b, g - G @ b, np.arange(5), v, 0.1, 0.2
    compiled = kernels.duality_gap_of(*arguments)
    assert compiled > 0.01
    as_python()
    assert_equal([compiled], [kernels.duality_gap_of(*arguments)])
