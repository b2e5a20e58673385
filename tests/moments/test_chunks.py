"""Moments of chunks and of batches, compared with those of all cells at once."""

import itertools
import tracemalloc

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import KFold, LeaveOneOut, ShuffleSplit, TimeSeriesSplit

from scifate_sklearn import RSampleKFold, SciFateRegressor
from scifate_sklearn.moments import Moments, plan_folds

N, P, Q = 90, 5, 3
SUMS = ("n_cells", "weight", "x_sum", "y_sum", "xx", "xy", "yy")
SPLITTERS = {
    "partition": RSampleKFold(4),
    "general": ShuffleSplit(3, random_state=0),
    "overlapping": TimeSeriesSplit(3),
    "ungrouped": KFold(45),
    "leave-one-out": LeaveOneOut(),
}
FORMS = {
    "dense": lambda A: A,
    "fortran": np.asfortranarray,
    "csr": sp.csr_array,
    "csc": sp.csc_matrix,
    "frame": lambda A: pd.DataFrame(A).set_axis([f"c{j}" for j in range(A.shape[1])], axis=1),
    "single": lambda A: A.astype(np.float32),
}


def make_data(seed=0):
    rng = np.random.default_rng(seed)
    X = rng.integers(-999, 999, (N, P)) / 256 * (rng.random((N, P)) < 0.5)  # exact in any precision
    Y = X[:, :Q] + rng.integers(-999, 999, (N, Q)) / 256 * (rng.random((N, Q)) < 0.6)
    return X, Y, rng.uniform(0, 2, N) * (rng.random(N) < 0.9)


def cut(cuts, *arrays):
    edges = [0, *sorted(cuts), len(arrays[0])]
    for start, stop in itertools.pairwise(edges):
        yield tuple(A[start:stop] for A in arrays)


def assert_same(one, two, rtol=1e-9, atol=1e-9):
    one = one.around(two.x_shift, two.y_shift)
    for name in SUMS:
        np.testing.assert_allclose(
            getattr(one, name), getattr(two, name), rtol=rtol, atol=atol, err_msg=name
        )


@pytest.mark.parametrize("splitter", SPLITTERS.values(), ids=SPLITTERS)
@settings(max_examples=15, deadline=None)
@given(
    cuts=st.sets(st.integers(1, N - 1), max_size=8),
    forms=st.tuples(st.sampled_from(list(FORMS)), st.sampled_from(list(FORMS))),
    is_weighted=st.booleans(),
)
def test_chunks_of_any_size_and_kind_make_the_same_moments(splitter, cuts, forms, is_weighted):
    X, Y, weight = make_data()
    plan = plan_folds(splitter.split(X), N)
    whole = Moments.from_arrays(X, Y, plan, weight if is_weighted else None)
    x_form, y_form = (FORMS[form] for form in forms)
    chunks = ((x_form(x), y_form(y), w)[: 2 + is_weighted] for x, y, w in cut(cuts, X, Y, weight))
    streamed = Moments.from_chunks(chunks, plan)
    assert_same(streamed, whole, atol=1e-11)
    assert streamed.layout is plan.layout


@pytest.mark.parametrize("form", ["dense", "fortran", "csr"])
def test_one_chunk_gives_the_same_bits(form):
    X, Y = (FORMS[form](A) for A in make_data()[:2])
    plan = plan_folds(RSampleKFold(4).split(X), N)
    whole, streamed = Moments.from_arrays(X, Y, plan), Moments.from_chunks([(X, Y)], plan)
    for name in (*SUMS, "x_shift", "y_shift"):
        np.testing.assert_array_equal(getattr(streamed, name), getattr(whole, name))


def exact_covariance(X):
    X = X.astype(np.longdouble)
    X = X - X.mean(axis=0)
    return (X.T @ X / len(X)).astype(float)


def covariance(moments):
    whole = moments.whole
    return whole.xx[0] / whole.weight[0] - np.outer(whole.x_mean[0], whole.x_mean[0])


@pytest.mark.parametrize("form", ["dense", "csr"])
@pytest.mark.parametrize(
    "level",
    [
        np.full(N, 1e8),
        np.repeat([0.0, 1e8, 1e8], N // 3),  # the first chunk is unlike the others
        np.repeat([1e8, 0.0, 1e8], N // 3),
        np.arange(N) * 1e6,
    ],
    ids=["constant", "late", "early", "drift"],
)
def test_offsets_do_not_cancel_for_any_first_chunk(form, level):
    rng = np.random.default_rng(0)
    X = np.round(rng.normal(size=(N, P)), 3)
    X[:, 0] += level
    X[:, 1] = level  # constant within chunks
    X[:30, 2] = 7.0  # constant in the first one
    plan = plan_folds(RSampleKFold(4).split(X), N)
    chunks = ((FORMS[form](x), FORMS[form](x)) for (x,) in cut([30, 60], X))
    moments = Moments.from_chunks(chunks, plan)
    exact = exact_covariance(X)
    scale = np.sqrt(np.outer(np.diag(exact), np.diag(exact)))
    assert np.abs(covariance(moments) - exact).max() <= 1e-9 * max(scale.max(), 1.0)
    inner = np.ix_([2, 3, 4], [2, 3, 4])
    np.testing.assert_allclose(covariance(moments)[inner], exact[inner], rtol=1e-9, atol=1e-10)
    if np.ptp(level) == 0:
        assert not moments.xx[:, 1].any()
        np.testing.assert_allclose(covariance(moments), exact, rtol=1e-8, atol=1e-9)


def test_memory_does_not_grow_with_the_cells():
    n = 200_000
    plan = plan_folds(KFold(3).split(np.empty((n, 1))), n)
    chunk = np.ones((2_000, 20))
    tracemalloc.start()
    try:
        Moments.from_chunks(((chunk, chunk) for _ in range(n // 2_000)), plan)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4e6  # the sorted rows are 1.6 MB; the cells would be 64


def batches():
    X, Y, weight = make_data(1)
    parts = []
    for x, y, w in cut([40], X, Y, weight):
        plan = plan_folds(RSampleKFold(4).split(x), len(x))
        parts.append((x, y, w, plan))
    return parts


def together(parts):
    """Return the cells of both batches, and folds that join the folds of both."""
    (x1, y1, w1, plan1), (x2, y2, w2, plan2) = parts
    n = len(x1)
    cells = np.arange(n + len(x2))
    splits = []
    for rows1, rows2 in zip(plan1.parts, plan2.parts, strict=True):
        test = np.concatenate([rows1, n + rows2])
        splits.append((np.setdiff1d(cells, test), test))
    return np.vstack([x1, x2]), np.vstack([y1, y2]), np.concatenate([w1, w2]), splits


def test_batches_add_up():
    parts = batches()
    X, Y, weight, splits = together(parts)
    whole = Moments.from_arrays(X, Y, plan_folds(splits, N), weight)
    first, second = (Moments.from_arrays(x, y, plan, w) for x, y, w, plan in parts)
    assert_same(first + second, whole)
    assert_same(second + first, whole)
    np.testing.assert_allclose((first + second).x_shift, X.mean(axis=0), atol=0.5)


def test_a_grown_network_is_that_of_all_cells():
    parts = batches()
    X, Y, _, splits = together(parts)
    first, second = (Moments.from_arrays(x, y, plan) for x, y, _, plan in parts)
    options = {"exclude_self": False, "tol": 1e-14}
    grown = SciFateRegressor(**options).fit_moments(first + second)
    whole = SciFateRegressor(cv=splits, **options).fit(X, Y)
    np.testing.assert_allclose(grown.coef_, whole.coef_, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(grown.lambda_, whole.lambda_)
    assert (whole.coef_ != 0).any()


def test_sums_stay_symmetric_and_constants_constant():
    parts = batches()
    for x, *_ in parts:
        x[:, 4] = 0.1
    first, second = (Moments.from_arrays(x, y, plan, w) for x, y, w, plan in parts)
    total = first + second
    np.testing.assert_array_equal(total.xx, total.xx.transpose(0, 2, 1))
    assert not total.xx[:, 4].any()
    assert total.x_shift[4] == 0.1


def test_a_sum_takes_the_names_of_either():
    parts = batches()
    names = np.array(list("abcde"), object)
    (x1, y1, w1, plan1), (x2, y2, w2, plan2) = parts
    named = Moments.from_arrays(x1, y1, plan1, w1, names, names[:3])
    unnamed = Moments.from_arrays(x2, y2, plan2, w2)
    for total in (named + unnamed, unnamed + named):
        assert total.feature_names.tolist() == list("abcde")
        assert total.target_names.tolist() == list("abc")


def test_around_another_shift_is_the_same():
    X, Y, weight = make_data(2)
    moments = Moments.from_arrays(X, Y, plan_folds(RSampleKFold(4).split(X), N), weight)
    moved = moments.around(moments.x_shift + np.arange(5), moments.y_shift - 3.0)
    assert moments.around(moments.x_shift, moments.y_shift) is moments
    assert np.abs(moved.xx - moments.xx).max() > 1
    assert_same(moved, moments, atol=1e-11)


def test_moments_that_do_not_match_cannot_be_added():
    X, Y, weight = make_data(3)
    names, plan = np.array(list("abcde"), object), plan_folds(RSampleKFold(4).split(X), N)
    moments = Moments.from_arrays(X, Y, plan, weight, names, names[:3])
    with pytest.raises(ValueError, match="Moments of 5 and of 4 predictors cannot be added"):
        moments + Moments.from_arrays(X[:, :4], Y, plan)
    with pytest.raises(ValueError, match="Moments of 3 and of 2 targets cannot be added"):
        moments + Moments.from_arrays(X, Y[:, :2], plan)
    with pytest.raises(ValueError, match="number 0 is 'a' in one, 'e' in the other"):
        moments + Moments.from_arrays(X, Y, plan, weight, names[::-1], names[:3])
    for splitter in (RSampleKFold(5), ShuffleSplit(4, random_state=0)):
        other = Moments.from_arrays(X, Y, plan_folds(splitter.split(X), N))
        with pytest.raises(ValueError, match=r"cannot be added\. Split both by the same kind"):
            moments + other
    with pytest.raises(TypeError, match="unsupported operand"):
        moments + 1


NAN = np.where(np.eye(30, P) > 0, np.nan, 1.0)


@pytest.mark.parametrize(
    ("chunk", "message"),
    [
        ((NAN, np.ones((30, Q))), "X of chunk 1 contains NaN"),
        ((np.ones((30, P)), sp.csr_array(NAN[:, :Q])), "Y of chunk 1 contains NaN"),
        ((np.full((30, P), "x"), np.ones((30, Q))), "could not convert string to float"),
        ((np.ones((30, P)), np.ones((29, Q))), "inconsistent numbers of samples"),
        ((np.ones((30, P - 1)), np.ones((30, Q))), "chunk 1 has 4 predictors and 3 targets, but"),
        ((np.ones((30, P)), np.ones((30, Q + 1))), "chunk 1 has 5 predictors and 4 targets, but"),
        ((np.ones((0, P)), np.ones((0, Q))), "0 sample"),
        ((np.ones(30), np.ones((30, Q))), "Expected 2D array, got 1D array"),
        ((np.ones((30, P)), np.ones((30, Q)), -np.ones(30)), "sample_weight of chunk 1 must be"),
        ((np.ones((30, P)), np.ones((30, Q)), NAN[:, 0]), "sample_weight of chunk 1 contains NaN"),
        ((np.ones((30, P)), np.ones((30, Q)), np.ones(3)), "inconsistent numbers of samples"),
        ((np.ones((30, P)),), r"chunk 1 must be \(X, Y\) or"),
        (np.ones((30, P)), r"chunk 1 must be \(X, Y\) or"),
    ],
)
def test_errors_name_the_chunk(chunk, message):
    plan = plan_folds(KFold(3).split(np.empty((60, 1))), 60)
    with pytest.raises(ValueError, match=message):
        Moments.from_chunks([(np.ones((30, P)), np.ones((30, Q))), chunk], plan)


@pytest.mark.parametrize("n_chunks", [0, 1, 3])
def test_too_few_or_too_many_cells(n_chunks):
    plan = plan_folds(KFold(3).split(np.empty((60, 1))), 60)
    chunks = [(np.ones((30, P)), np.ones((30, Q)))] * n_chunks
    with pytest.raises(ValueError, match=f"hold {30 * n_chunks} cells, but `plan` is for 60"):
        Moments.from_chunks(chunks, plan)


@pytest.mark.parametrize("names", [["a", "b"], ["a", "b", "a"], [["a", "b", "c"]]])
def test_names_that_do_not_match_the_columns(names):
    X, Y, _ = make_data()
    plan = plan_folds(RSampleKFold(4).split(X), N)
    for make in (
        lambda: Moments.from_arrays(X, Y, plan, None, None, names),
        lambda: Moments.from_chunks([(X, Y)], plan, None, names),
    ):
        with pytest.raises(ValueError, match="`target_names` must be 3 different names"):
            make()


def test_names_may_be_any_sequence():
    X, Y, _ = make_data()
    plan = plan_folds(RSampleKFold(4).split(X), N)
    for names in (list("abc"), pd.Index(list("abc")), np.array(list("abc"))):
        moments = Moments.from_chunks([(X, Y)], plan, None, names)
        assert moments.target_names.tolist() == list("abc")
        assert moments.target_names.dtype == object
