import tracemalloc

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import KFold, ShuffleSplit, TimeSeriesSplit

from scifate_sklearn.moments import Moments, Scale, _cells, _sums, plan_folds

N, P, Q = 60, 5, 3
SUMS = ("n_cells", "weight", "x_sum", "y_sum", "xx", "xy", "yy")
SPLITTERS = [KFold(4, shuffle=True, random_state=0), ShuffleSplit(3, random_state=0), KFold(40)]


def make_data(seed=0, offset=0.0):
    rng = np.random.default_rng(seed)
    X = offset + rng.normal(size=(N, P)) * (rng.random((N, P)) < (1.0 if offset else 0.4))
    Y = offset + rng.normal(size=(N, Q)) * (rng.random((N, Q)) < (1.0 if offset else 0.5))
    return X, Y, rng.uniform(0, 2, N) * (rng.random(N) < 0.9)


def brute_force(X, Y, weight, rows, moments):
    """Return the sums over the rows, added cell by cell."""
    out = {"weight": 0.0, "n_cells": 0, "x_sum": 0, "y_sum": 0, "xx": 0, "xy": 0, "yy": 0}
    for i in rows:
        x, y, w = X[i] - moments.x_shift, Y[i] - moments.y_shift, weight[i]
        out["weight"] += w
        out["n_cells"] += w > 0
        out["x_sum"] += w * x
        out["y_sum"] += w * y
        out["xx"] += w * np.outer(x, x)
        out["xy"] += w * np.outer(x, y)
        out["yy"] += w * y**2
    return out


def assert_equal_sums(moments, part, expected):
    for name, value in expected.items():
        np.testing.assert_allclose(
            getattr(moments, name)[part], value, rtol=1e-9, atol=1e-11, err_msg=name
        )


FORMS = {
    "dense": lambda A: A,
    "fortran": np.asfortranarray,
    "strided": lambda A: np.repeat(np.repeat(A, 2, axis=0), 3, axis=1)[::2, ::3],
    "csr_array": sp.csr_array,
    "csr_matrix": sp.csr_matrix,
}


@pytest.mark.parametrize("splitter", SPLITTERS, ids=["partition", "general", "ungrouped"])
@pytest.mark.parametrize("x_form", FORMS)
@pytest.mark.parametrize("y_form", FORMS)
def test_every_part_against_a_loop(splitter, x_form, y_form):
    X, Y, weight = make_data()
    plan = plan_folds(splitter.split(X), N)
    moments = Moments.from_arrays(FORMS[x_form](X), FORMS[y_form](Y), plan, weight)
    assert (moments.n_features, moments.n_targets) == (P, Q)
    for part, rows in enumerate(plan.parts):
        assert_equal_sums(moments, part, brute_force(X, Y, weight, rows, moments))


@pytest.mark.parametrize("splitter", [*SPLITTERS, TimeSeriesSplit(4)])
def test_training_sets_and_the_whole_are_sums_of_parts(splitter):
    X, Y, weight = make_data(1)
    splits = list(splitter.split(X))
    plan = plan_folds(splits, N)
    moments = Moments.from_arrays(X, Y, plan, weight, np.array(list("abcde"), object))
    training = moments.combine(plan.layout.training)
    for fold, (train, _) in enumerate(splits):
        assert_equal_sums(training, fold, brute_force(X, Y, weight, train, moments))
    assert_equal_sums(moments.whole, 0, brute_force(X, Y, weight, range(N), moments))
    held_out = moments.take(plan.layout.held_out)
    for unit in range(len(plan.layout.held_out)):
        expected = brute_force(X, Y, weight, plan.held_out_rows(unit), moments)
        assert_equal_sums(held_out, unit, expected)
    assert training.feature_names.tolist() == list("abcde")


def test_no_weights_are_ones():
    X, Y, _ = make_data(2)
    plan = plan_folds(KFold(3).split(X), N)
    given_ones = Moments.from_arrays(X, Y, plan, np.ones(N))
    for name in SUMS:
        np.testing.assert_array_equal(
            getattr(Moments.from_arrays(X, Y, plan), name), getattr(given_ones, name)
        )


def test_means_of_the_parts():
    X, Y, weight = make_data(3)
    plan = plan_folds(KFold(3).split(X), N)
    moments = Moments.from_arrays(X, Y, plan, weight)
    for part, rows in enumerate(plan.parts):
        x_mean = np.average(X[rows], axis=0, weights=weight[rows])
        y_mean = np.average(Y[rows], axis=0, weights=weight[rows])
        np.testing.assert_allclose(moments.x_mean[part] + moments.x_shift, x_mean, rtol=1e-12)
        np.testing.assert_allclose(moments.y_mean[part] + moments.y_shift, y_mean, rtol=1e-12)


@pytest.mark.parametrize(
    ("parts", "is_view"),
    [([1, 2], True), ([2], True), ([2, 0], False), ([0, 0], False), ([-1], False), ([], False)],
)
def test_take_copies_only_what_is_not_consecutive(parts, is_view):
    X, Y, _ = make_data(4)
    moments = Moments.from_arrays(X, Y, plan_folds(KFold(3).split(X), N))
    taken = moments.take(np.array(parts, np.intp))
    for name in SUMS:
        np.testing.assert_array_equal(getattr(taken, name), getattr(moments, name)[parts])
    assert np.shares_memory(taken.xy, moments.xy) == is_view
    assert moments.take(np.arange(3)) is moments


def test_sets_of_one_part_are_not_copied():
    X, Y, weight = make_data(13)
    plan = plan_folds(TimeSeriesSplit(4).split(X), N)
    moments = Moments.from_arrays(X, Y, plan, weight)
    for sets, member in (
        (moments.combine(plan.layout.training), plan.layout.training),
        (moments.whole, plan.layout.total[None, :]),
    ):
        assert np.shares_memory(sets.xy, moments.xy)
        for name in SUMS:
            expected = np.tensordot(member, getattr(moments, name), 1)
            np.testing.assert_array_equal(getattr(sets, name), expected)


def set_chunks(monkeypatch, size, cells):
    monkeypatch.setattr(_sums, "_CHUNK_SIZE", size)
    monkeypatch.setattr(_sums, "_CHUNK_CELLS", cells)
    monkeypatch.setattr(_cells, "_GLANCE_CELLS", cells)


@pytest.mark.parametrize("splitter", SPLITTERS, ids=["partition", "general", "ungrouped"])
@pytest.mark.parametrize("form", ["dense", "fortran", "strided"])
@pytest.mark.parametrize(
    ("size", "cells"),
    [(1, 1), (14, 7), (35, 7), (10**6, 15), (10**6, 16), (10**6, 14), (20, 10**6)],
)
def test_chunks_do_not_matter(monkeypatch, splitter, form, size, cells):
    X, Y, weight = make_data(14)
    X[:, 1], Y[:, 2] = 0.1, 1e7 + 0.3
    X, Y = FORMS[form](X), FORMS[form](Y)
    plan = plan_folds(splitter.split(X), N)
    one = Moments.from_arrays(X, Y, plan, weight)
    set_chunks(monkeypatch, size, cells)
    two = Moments.from_arrays(X, Y, plan, weight)
    for name in (*SUMS, "x_shift", "y_shift"):
        np.testing.assert_allclose(
            getattr(two, name), getattr(one, name), rtol=1e-12, atol=1e-12, err_msg=name
        )
    assert not two.xx[:, 1].any()
    assert not two.xy[:, :, 2].any()


@pytest.mark.parametrize("form", FORMS)
def test_same_input_same_bits(form):
    X, Y, weight = make_data(15)
    plan = plan_folds(KFold(4).split(X), N)
    one, two = (Moments.from_arrays(FORMS[form](X), FORMS[form](Y), plan, weight) for _ in range(2))
    for name in (*SUMS, "x_shift", "y_shift"):
        np.testing.assert_array_equal(getattr(two, name), getattr(one, name))


@pytest.mark.parametrize("order", ["C", "F"])
def test_sums_of_single_precision_are_double(order):
    X, Y, weight = make_data(16, offset=1e3)
    X, Y = (np.asarray(A, np.float32, order=order) for A in (X, Y))
    plan = plan_folds(KFold(4).split(X), N)
    single = Moments.from_arrays(X, Y, plan, weight)
    double = Moments.from_arrays(X.astype(float), Y.astype(float), plan, weight)
    for name in SUMS:
        assert getattr(single, name).dtype == np.float64
        np.testing.assert_allclose(
            getattr(single, name), getattr(double, name), rtol=1e-12, atol=1e-9, err_msg=name
        )


@pytest.mark.parametrize("form", FORMS)
def test_one_cell_that_differs_makes_a_column_vary(monkeypatch, form):
    set_chunks(monkeypatch, 100, 7)
    X, Y, _ = make_data(17)
    X[:, 1] = 5.0
    X[-1, 1] = 6.0
    plan = plan_folds(KFold(4).split(X), N)
    moments = Moments.from_arrays(FORMS[form](X), FORMS[form](Y), plan)
    np.testing.assert_allclose(moments.x_shift[1], 5 + 1 / N)
    np.testing.assert_allclose(covariances(moments)[0][1, 1], (1 - 1 / N) / N)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("splitter", [KFold(3), TimeSeriesSplit(3)])
def test_memory_does_not_grow_with_the_cells(order, splitter):
    X, Y = (np.ones((50_000, 20), order=order) for _ in range(2))
    plan = plan_folds(splitter.split(X), len(X))
    tracemalloc.start()
    try:
        Moments.from_arrays(X, Y, plan)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # The weights are 0.4 MB, a chunk 0.3 MB; either input is 8 MB.
    assert peak < 2e6


def covariances(moments):
    whole = moments.whole
    mean_x, mean_y, w = whole.x_mean[0], whole.y_mean[0], whole.weight[0]
    return whole.xx[0] / w - np.outer(mean_x, mean_x), whole.xy[0] / w - np.outer(mean_x, mean_y)


def exact_covariances(X, Y):
    """Return the covariances (ddof 0), computed in extended precision."""
    X, Y = X.astype(np.longdouble), Y.astype(np.longdouble)
    X, Y = X - X.mean(axis=0), Y - Y.mean(axis=0)
    return (X.T @ X / N).astype(float), (X.T @ Y / N).astype(float)


@pytest.mark.parametrize("form", FORMS)
def test_large_offsets_do_not_cancel(form):
    X, Y, _ = make_data(5, offset=1e8)
    plan = plan_folds(KFold(4).split(X), N)
    moments = Moments.from_arrays(FORMS[form](X), FORMS[form](Y), plan)
    for ours, exact in zip(covariances(moments), exact_covariances(X, Y), strict=True):
        np.testing.assert_allclose(ours, exact, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("value", [0.0, -1e15, 1e50])
@pytest.mark.parametrize("size", [N, 20, 1])
@pytest.mark.parametrize("form", FORMS)
def test_values_of_cells_without_weight_do_not_matter(form, size, value):
    X, Y, _ = make_data(13, offset=1e8)
    weight = np.random.default_rng(13).uniform(0.5, 2, N)
    weight[:20], weight[33] = 0.0, 0.0
    plan = plan_folds(KFold(4, shuffle=True, random_state=0).split(X), N)
    kept = Moments.from_arrays(X, Y, plan, weight)
    X[weight == 0], Y[weight == 0] = value, -value
    X, Y = FORMS[form](X), FORMS[form](Y)
    starts = range(0, N, size)
    chunks = [(X[i : i + size], Y[i : i + size], weight[i : i + size]) for i in starts]
    moments = Moments.from_chunks(chunks, plan)
    for ours, expected in zip(covariances(moments), covariances(kept), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-10)


def test_sparse_entries_stored_twice_are_sums():
    X, Y, weight = make_data(12)
    indptr = 2 * P * np.arange(N + 1)
    halves = np.stack([X - 3.0, np.full_like(X, 3.0)], axis=-1).ravel()
    stored = sp.csr_array((halves, np.tile(np.repeat(np.arange(P), 2), N), indptr), shape=X.shape)
    plan = plan_folds(KFold(4).split(X), N)
    dense = Moments.from_arrays(X, Y, plan, weight)
    sparse = Moments.from_arrays(stored, Y, plan, weight)
    np.testing.assert_allclose(sparse.xx, dense.xx, rtol=1e-12, atol=1e-12)
    assert stored.nnz == 2 * X.size


def test_sparse_columns_with_large_values():
    # Half of the entries are 0, so the spread is as large as the mean.
    X, Y, _ = make_data(6)
    X, Y = np.where(X != 0, X + 1e8, 0.0), np.where(Y != 0, Y + 1e8, 0.0)
    plan = plan_folds(KFold(4).split(X), N)
    moments = Moments.from_arrays(sp.csr_array(X), sp.csr_array(Y), plan)
    for ours, exact in zip(covariances(moments), exact_covariances(X, Y), strict=True):
        np.testing.assert_allclose(ours, exact, rtol=1e-9, atol=1e-9 * np.abs(exact).max())


@pytest.mark.parametrize("form", FORMS)
def test_constant_columns_have_no_moments_at_all(form):
    X, Y, weight = make_data(7)
    X[:, 1], Y[:, 2] = 0.1, 1e7 + 0.3
    plan = plan_folds(KFold(4).split(X), N)
    moments = Moments.from_arrays(FORMS[form](X), FORMS[form](Y), plan, weight)
    assert not moments.xx[:, 1].any()
    assert not moments.xy[:, 1].any()
    assert not moments.xy[:, :, 2].any()
    assert not moments.yy[:, 2].any()


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("y_form", [np.array, sp.csr_array])
def test_inputs_are_not_changed(order, y_form):
    X, Y, weight = make_data(8)
    given = np.array(X, order=order), y_form(Y), weight.copy()
    buffers = given[0], given[1].data if sp.issparse(given[1]) else given[1], given[2]
    before = [buffer.copy() for buffer in buffers]
    for buffer in buffers:
        buffer.flags.writeable = False
    Moments.from_arrays(*given[:2], plan_folds(KFold(3).split(X), N), given[2])
    for buffer, expected in zip(buffers, before, strict=True):
        np.testing.assert_array_equal(buffer, expected)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), is_sparse=st.booleans())
def test_order_of_cells_within_parts_does_not_matter(seed, is_sparse):
    rng = np.random.default_rng(seed)
    X, Y, weight = make_data(9)
    form = sp.csr_array if is_sparse else np.asarray
    plan = plan_folds(KFold(4).split(X), N)
    order = np.concatenate([rng.permutation(rows) for rows in plan.parts])
    one = Moments.from_arrays(form(X), form(Y), plan, weight)
    two = Moments.from_arrays(form(X[order]), form(Y[order]), plan, weight[order])
    for name in SUMS:
        np.testing.assert_allclose(
            getattr(two, name), getattr(one, name), rtol=1e-12, atol=1e-12, err_msg=name
        )


@settings(max_examples=30, deadline=None)
@given(power=st.integers(-30, 30), w_power=st.integers(-10, 10), is_sparse=st.booleans())
def test_scaling_by_powers_of_two_is_exact(power, w_power, is_sparse):
    X, Y, weight = make_data(10)
    form = sp.csr_array if is_sparse else np.asarray
    plan = plan_folds(KFold(4).split(X), N)
    scale, w_scale = 2.0**power, 4.0**w_power
    one = Moments.from_arrays(form(X), form(Y), plan, weight)
    two = Moments.from_arrays(form(scale * X), form(Y), plan, w_scale * weight)
    np.testing.assert_array_equal(two.xx, scale**2 * w_scale * one.xx)
    np.testing.assert_array_equal(two.xy, scale * w_scale * one.xy)
    np.testing.assert_array_equal(two.yy, w_scale * one.yy)
    np.testing.assert_array_equal(two.n_cells, one.n_cells)


@settings(max_examples=30, deadline=None)
@given(counts=st.lists(st.integers(0, 3), min_size=N, max_size=N))
def test_integer_weights_are_repeated_cells(counts):
    X, Y, _ = make_data(11)
    counts = np.array(counts)
    counts[:2] = 1
    repeated = np.repeat(np.arange(N), counts)
    half = np.arange(N) < N // 2
    plan = plan_folds([(half.nonzero()[0], (~half).nonzero()[0])] * 2, N)
    first = half[repeated].nonzero()[0]
    second = (~half)[repeated].nonzero()[0]
    if second.size == 0:
        return
    plan_repeated = plan_folds([(first, second)] * 2, len(repeated))
    one = Moments.from_arrays(X, Y, plan, counts.astype(float))
    two = Moments.from_arrays(X[repeated], Y[repeated], plan_repeated)
    for set_one, set_two in zip(covariances(one), covariances(two), strict=True):
        np.testing.assert_allclose(set_one, set_two, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(one.whole.weight, two.whole.weight)


@pytest.mark.parametrize("offset", [0.0, 1e8])
@pytest.mark.parametrize("is_weighted", [False, True])
@pytest.mark.parametrize("splitter", SPLITTERS, ids=["partition", "general", "ungrouped"])
def test_sparse_and_dense_products_agree(monkeypatch, splitter, is_weighted, offset):
    """Both give the same sums, for a full column, one with a single zero and a constant one."""
    X, Y, weight = make_data(3)
    X[:, 0], X[:, 1], Y[:, 0] = offset + np.arange(N) % 7, 3.0, offset + np.arange(N) % 5
    X[5, 0] = 0.0
    plan, moments = plan_folds(splitter.split(X), N), []
    for cost in (0, np.inf):  # sparse products always, and never
        monkeypatch.setattr(_sums, "_SPARSE_COST", cost)
        given = weight if is_weighted else None
        moments.append(Moments.from_arrays(sp.csr_array(X), sp.csr_array(Y), plan, given))
    whole = [m.whole for m in moments]
    np.testing.assert_array_equal(moments[0].x_shift, moments[1].x_shift)
    for name in SUMS:
        one, two = (getattr(m, name) for m in whole)
        np.testing.assert_allclose(one, two, rtol=1e-12, atol=1e-9 * max(1.0, offset), err_msg=name)
    assert (moments[0].whole.xx[0] == moments[0].whole.xx[0].T).all()


def test_the_faster_product_is_used(monkeypatch):
    taken = []
    for name in ("_add_dense_part", "_add_sparse_part"):
        monkeypatch.setattr(_sums, name, lambda *_, name=name: taken.append(name))
    rng, plan = np.random.default_rng(0), plan_folds(KFold(2).split(np.zeros(200)), 200)
    for x_density, y_density in ((0.02, 0.02), (0.5, 0.5), (1.0, 0.001)):
        X = sp.random_array((200, 20), density=x_density, format="csr", rng=rng)
        Y = sp.random_array((200, 30), density=y_density, format="csr", rng=rng)
        Moments.from_arrays(X, Y, plan)
    Moments.from_arrays(X, Y.toarray(), plan)
    assert taken[::2] == [
        "_add_sparse_part", "_add_dense_part", "_add_sparse_part", "_add_dense_part",
    ]  # fmt: skip


def test_zscores():
    X, Y, _ = make_data(4)
    X[:, 0], X[:, 1], Y[:, 0] = 7.5, 1e3 + X[:, 1], -2.0
    plan = plan_folds(KFold(4).split(X), N)
    moments = Moments.from_arrays(X, Y, plan)

    def zscore(A):
        sd = A.std(axis=0, ddof=1)
        return np.where(sd > 0, (A - A.mean(axis=0)) / np.where(sd > 0, sd, 1.0), 0.0)

    expected = Moments.from_arrays(zscore(X), zscore(Y), plan)
    scale = Scale.from_moments(moments)
    back = scale.undo(scale.zscore(moments)).around(moments.x_shift, moments.y_shift)
    for name in SUMS:
        one, two = getattr(back, name), getattr(moments, name)
        np.testing.assert_allclose(one, two, rtol=1e-9, atol=1e-9, err_msg=name)
    for copy in (True, False):
        ours = scale.zscore(moments, copy).around(expected.x_shift, expected.y_shift)
        for name in SUMS:
            np.testing.assert_allclose(
                getattr(ours, name), getattr(expected, name), rtol=1e-9, atol=1e-9, err_msg=name
            )


@pytest.mark.parametrize("order", ["C", "F"])
def test_products_are_added_to_any_memory_layout(order):
    rng = np.random.default_rng(0)
    A, B = (np.asarray(rng.normal(size=(9, n)), order=order) for n in (3, 4))
    for out in (np.ones((3, 4)), np.ones((6, 4))[::2], np.ones((4, 3)).T):
        _sums._add_product_in_place(A, B, out)
        np.testing.assert_allclose(out, 1.0 + A.T @ B, rtol=1e-14)
