"""Moments of the same cells with their targets reordered, or of a subset of the cells."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.model_selection import KFold, ShuffleSplit

from scifate_sklearn.moments import FoldLayout, FoldPlan, Moments, plan_folds

N = 60
SPLITTERS = [KFold(4, shuffle=True, random_state=0), ShuffleSplit(3, random_state=0), KFold(30)]


@pytest.fixture
def cells():
    rng = np.random.default_rng(3)
    X, Y = 5.0 + rng.normal(size=(N, 4)), rng.normal(size=(N, 3)) - 2.0
    weight = rng.uniform(0.5, 2.0, N)
    weight[::7] = 0.0
    return X, Y, weight


def order_of(weight):
    order, rows = np.arange(N), np.flatnonzero(weight)
    order[rows] = np.random.default_rng(4).permutation(rows)
    return order


def assert_same(one, two, **tolerance):
    for name in ("n_cells", "weight", "x_sum", "y_sum", "xx", "xy", "yy"):
        np.testing.assert_allclose(getattr(one, name), getattr(two, name), **tolerance)


@pytest.mark.parametrize("cv", SPLITTERS, ids=["partition", "general", "cells"])
@pytest.mark.parametrize("as_matrix", [np.asarray, sp.csr_array, None])
def test_reordered_equals_summing_again(cells, cv, as_matrix):
    X, Y, weight = cells
    if as_matrix is None:  # sparse enough for products of sparse matrices
        keep = np.random.default_rng(5).random((N, 7)) < 0.06
        X, Y = X * keep[:, :4], Y * keep[:, 4:]
    make = as_matrix or sp.csr_array
    plan, order = plan_folds(cv.split(X), N), order_of(weight)
    moments = Moments.from_arrays(make(X), make(Y), plan, weight)
    found = moments.reordered(make(X), make(Y), plan, weight, order)
    expected = Moments.from_arrays(make(X), make(Y[order]), plan, weight)
    assert_same(found, expected.around(found.x_shift, found.y_shift), rtol=1e-10, atol=1e-10)
    assert found.xx is moments.xx


def test_the_same_order_gives_the_same_bits(cells):
    X, Y, weight = cells
    plan = plan_folds(KFold(5).split(X), N)
    moments = Moments.from_arrays(X, Y, plan, weight)
    assert_same(moments.reordered(X, Y, plan, weight, np.arange(N)), moments, rtol=0, atol=0)


def test_a_subset_of_the_cells_around_the_shift_of_all(cells):
    X, Y, weight = cells
    everything = Moments.from_arrays(X, Y, plan_folds(KFold(5).split(X), N), weight)
    half = np.where(np.arange(N) % 2, weight, 0.0)
    plan = FoldPlan((np.arange(N),), FoldLayout.whole_only(1))
    found = Moments.from_arrays(X, Y, plan, half, around=everything)
    alone = Moments.from_arrays(X, Y, plan, half)
    np.testing.assert_array_equal(found.x_shift, everything.x_shift)
    np.testing.assert_array_equal(found.y_shift, everything.y_shift)
    assert_same(found, alone.around(found.x_shift, found.y_shift), rtol=1e-12, atol=1e-12)
    assert found.n_cells[0] == np.count_nonzero(half)


def test_layout_of_a_partition_is_that_of_the_plan():
    plan = plan_folds(KFold(4).split(np.zeros((N, 1))), N)
    layout = FoldLayout.partition(np.arange(4))
    layout.check()
    for name in ("training", "held_out", "training_of", "total"):
        np.testing.assert_array_equal(getattr(layout, name), getattr(plan.layout, name))
