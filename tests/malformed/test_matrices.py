"""Tests of SciFateRegressor with malformed matrices, weights, folds and parameters."""

import decimal
import fractions
import re

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from odd_matrices import cases, put, stored_twice_csr, unsorted_csr, with_stored_zeros
from sklearn.model_selection import KFold, ShuffleSplit

from scifate_sklearn import SciFateRegressor

ARGUMENTS = ("tf_matrix", "target_matrix")


def fit(X, Y, fit_params=None, **params):
    return SciFateRegressor(**{"cv": 3, **params}).fit(X, Y, **(fit_params or {}))


def try_fit(*args, **params):
    """Return the model and no message, or no model and the message of the ValueError."""
    try:
        return fit(*args, **params), ""
    except ValueError as error:
        return None, str(error)


# -------------------------------------------------------------------- the same numbers, other types


def strided(A):
    wide = np.full((2 * len(A), 3 * A.shape[1]), np.nan)
    wide[::2, ::3] = A
    return wide[::2, ::3]


def unaligned(A):
    packed = np.zeros(A.shape, np.dtype([("pad", "u1"), ("value", "f8")]))
    packed["value"] = A
    assert not packed["value"].flags.aligned
    return packed["value"]


def read_only(A):
    A.flags.writeable = False
    return A


def on_disk(A, tmp_path_factory):
    path = tmp_path_factory.mktemp("maps") / "matrix.npy"
    np.save(path, A)
    return np.load(path, mmap_mode="r")


def read_only_csr(A):
    S = sp.csr_matrix(A)
    for part in (S.data, S.indices, S.indptr):
        part.flags.writeable = False
    return S


def with_int64_indices(A):
    S = sp.csr_matrix(A)
    S.indices, S.indptr = S.indices.astype(np.int64), S.indptr.astype(np.int64)
    return S


def with_room_to_spare(A):
    """Return CSR whose arrays are longer than the number of entries."""
    S = sp.csr_matrix(A)
    S.data, S.indices = np.r_[S.data, np.ones(7)], np.r_[S.indices, [99] * 7].astype(np.int32)
    return S


def stored_twice_coo(A):
    rows, columns = np.nonzero(A)
    half = A[rows, columns] / 2
    return sp.coo_matrix((np.r_[half, half], (np.r_[rows, rows], np.r_[columns, columns])), A.shape)


class WithArray:
    """An object that NumPy converts to an array by its method `__array__`."""

    def __init__(self, A):
        self.A = A

    def __array__(self, dtype=None, copy=None):
        return np.array(self.A, dtype)


def named(A, **options):
    columns = [f"{'TF' if A.shape[1] == 4 else 'gene'}{j}" for j in range(A.shape[1])]
    return pd.DataFrame(A, columns=columns, **options)


def with_two_levels(A):
    return pd.DataFrame(A, columns=pd.MultiIndex.from_product([["a"], range(A.shape[1])]))


SAME_NUMBERS = [
    *((f"{t}", lambda A, t=t: A.astype(t)) for t in ("float32", "float16", "longdouble", ">f8")),
    *((f"{t}", lambda A, t=t: A.astype(t)) for t in ("int8", "int16", ">i4", "int64")),
    ("Fortran order", np.asfortranarray),
    ("strided view", strided),
    ("backward view", lambda A: A[::-1, ::-1].copy()[::-1, ::-1]),
    ("unaligned", unaligned),
    ("read-only", read_only),
    ("memory map", on_disk),
    ("numbers in object dtype", lambda A: A.astype(object)),
    ("Decimal objects", lambda A: np.vectorize(decimal.Decimal, otypes=[object])(A.astype(int))),
    ("Fraction objects", lambda A: np.vectorize(fractions.Fraction, otypes=[object])(A)),
    ("numbers as text", lambda A: A.astype(str)),
    ("tuple of lists", lambda A: tuple(A.tolist())),
    ("object with __array__", WithArray),
    ("masked array without masks", np.ma.array),
    ("frame of float16, int and float", lambda A: named(A).astype({named(A).columns[0]: int})),
    ("frame of nullable Int64", lambda A: named(A).astype("Int64")),
    ("frame of nullable Float32", lambda A: named(A).astype("Float32")),
    ("frame of Arrow doubles", lambda A: named(A).astype("float64[pyarrow]")),
    ("frame of objects", lambda A: named(A).astype(object)),
    ("frame of categories", lambda A: named(A).astype("category")),
    ("frame of sparse columns", lambda A: named(A).astype(pd.SparseDtype(float, 0.0))),
    ("frame with two levels of columns", with_two_levels),
    ("frame with one name for all rows", lambda A: named(A, index=["cell"] * len(A))),
    ("read-only CSR", read_only_csr),
    ("unsorted CSR", unsorted_csr),
    ("CSR with entries stored twice", stored_twice_csr),
    ("CSR with stored zeros", with_stored_zeros),
    ("CSR with int64 indices", with_int64_indices),
    ("CSR with room to spare", with_room_to_spare),
    ("CSR of int8", lambda A: sp.csr_array(A.astype(np.int8))),
    ("CSR of float32", lambda A: sp.csr_array(A.astype(np.float32))),
    ("COO with entries stored twice", stored_twice_coo),
    *((f"{f.upper()}", lambda A, f=f: sp.csr_matrix(A).asformat(f)) for f in ("csc", "bsr", "dia")),
    *((f"{f.upper()}", lambda A, f=f: sp.csr_matrix(A).asformat(f)) for f in ("lil", "dok")),
]


@pytest.fixture(scope="module")
def clean(matrices):
    model = fit(*matrices())
    assert model.coef_.any(axis=1).all()
    return model


@pytest.mark.parametrize("argument", ARGUMENTS)
@pytest.mark.parametrize("form", cases(SAME_NUMBERS))
def test_the_same_numbers_in_any_storage(form, argument, matrices, clean, check, tmp_path_factory):
    X, Y = matrices()
    A = X if argument == "tf_matrix" else Y
    A = form(A, tmp_path_factory) if form is on_disk else form(A)
    before = check.fingerprint(A)
    with check.few_warnings():
        model = fit(A, Y) if argument == "tf_matrix" else fit(X, A)
    check.well_formed(model)
    check.same_model(model, clean)
    check.same_input(A, before)
    if argument == "tf_matrix":
        with check.few_warnings():
            predicted = model.predict(A)
        np.testing.assert_allclose(predicted, clean.predict(X), rtol=1e-9, atol=1e-9)


def test_truth_values_are_0_and_1(matrices, check):
    X, Y = matrices()
    for container in (np.asarray, sp.csr_array):
        model = fit(container(X > 0), Y > 0)
        check.well_formed(model)
        check.same_model(model, fit((X > 0).astype(float), (Y > 0).astype(float)))


LARGE_INTEGERS = [
    ("uint8 beyond 127", np.uint8, 0, 255),
    ("int8 whose differences overflow", np.int8, -128, 127),
    ("int16 whose squares overflow", np.int16, -(2**15), 2**15 - 1),
    ("int32 whose squares overflow", np.int32, -(2**31), 2**31 - 1),
    ("int64 whose sums overflow", np.int64, -(2**63), 2**63 - 2**11),
    ("uint64 beyond int64", np.uint64, 0, 2**64 - 2**12),
]


@pytest.mark.parametrize("container", [np.asarray, sp.csr_matrix], ids=["dense", "CSR"])
@pytest.mark.parametrize(("dtype", "low", "high"), cases(LARGE_INTEGERS))
def test_integers_do_not_wrap_around(dtype, low, high, container, matrices, check):
    X, Y = matrices()
    share = (X - X.min()) / np.ptp(X)
    # Over the whole range of the type, and exact in double precision.
    numbers = np.round(low + share * (float(high) - float(low)))
    numbers = np.clip(numbers, float(low), float(high))
    integers = numbers.astype(dtype)
    np.testing.assert_array_equal(integers.astype(np.float64), numbers)
    with check.few_warnings():
        model = fit(container(integers), Y)
    check.well_formed(model)
    check.same_model(model, fit(numbers, Y))


# --------------------------------------------------------------------------------- invalid matrices


def masked(A):
    mask = np.zeros(A.shape, bool)
    mask[5, 1] = True
    return np.ma.array(A, mask=mask)


def broken_csr(part, position, value):
    def change(A):
        S = sp.csr_matrix(A)
        getattr(S, part)[position] = value
        return S

    return change


def broken_coo(A):
    S = sp.coo_matrix(A)
    S.row[3] = 10**6
    return S


def no_finite(what):
    return rf"`{{argument}}`.*contains {what}"


WRONG_MATRICES = [
    ("NaN", put(np.nan), ValueError, no_finite("NaN")),
    ("infinity", put(np.inf), ValueError, no_finite("infinity")),
    ("minus infinity", put(-np.inf), ValueError, no_finite("infinity")),
    ("NaN in float32", put(np.nan, np.float32), ValueError, no_finite("NaN")),
    ("infinity in float16", put(np.inf, np.float16), ValueError, no_finite("infinity")),
    ("too large for double", put(np.longdouble("1e4000"), np.longdouble), ValueError,
     no_finite("infinity")),
    ("all NaN", lambda A: np.full(A.shape, np.nan), ValueError, no_finite("NaN")),
    ("NaN row", lambda A: np.vstack([A[1:], np.full(A.shape[1], np.nan)]), ValueError,
     no_finite("NaN")),
    ("infinities that cancel", lambda A: put(-np.inf)(np.vstack([A[1:], A[:1] * 0 + np.inf])),
     ValueError, no_finite("infinity")),
    ("None among objects", put(None, object), ValueError, no_finite("NaN")),
    ("pd.NA among objects", put(pd.NA, object), ValueError, no_finite("NaN")),
    ("infinity among objects", put(np.inf, object), ValueError, no_finite("infinity")),
    ("Decimal NaN", put(decimal.Decimal("NaN"), object), ValueError, no_finite("NaN")),
    ("NaT among objects", put(pd.NaT, object), ValueError, no_finite("NaN")),
    ("a word among objects", put("high", object), ValueError, "`{argument}`.*to float: 'high'"),
    ("a decimal comma", put("1,5", object), ValueError, "`{argument}`.*to float: '1,5'"),
    ("words", lambda A: np.full(A.shape, "high"), ValueError, "`{argument}`.*to float"),
    ("complex", lambda A: A + 1j, ValueError, "`{argument}`.*Complex data not supported"),
    ("complex CSR", lambda A: sp.csr_matrix(A + 1j), ValueError, "`{argument}`.*Complex data"),
    ("dates", lambda A: A.astype("datetime64[s]"), TypeError,
     "`{argument}` must hold real numbers, found dtype datetime64"),
    ("durations", lambda A: A.astype("timedelta64[s]"), TypeError,
     "`{argument}` must hold real numbers, found dtype timedelta64"),
    ("frame with one column of dates",
     lambda A: named(A).assign(day=pd.date_range("2020", periods=len(A), tz="UTC")), TypeError,
     "`{argument}` must hold real numbers, found dtype datetime64"),
    ("records", lambda A: np.rec.fromarrays(A.T), TypeError, "`{argument}`.*Cannot cast"),
    ("ragged lists", lambda A: [list(row[: 1 + i % 2]) for i, row in enumerate(A)], ValueError,
     "`{argument}`.*inhomogeneous"),
    ("arrays in arrays", lambda A: np.frompyfunc(lambda v: np.array([v, v]), 1, 1)(A), ValueError,
     "`{argument}`.*sequence"),
    ("dictionary", lambda A: {"Pax6": A}, TypeError, "`{argument}`.*'dict'"),
    ("generator", lambda A: (row for row in A), TypeError, "`{argument}`.*'generator'"),
    ("path", lambda A: "matrix.csv", ValueError, "`{argument}`.*to float: 'matrix.csv'"),
    ("number", lambda A: 3.0, (ValueError, TypeError), "`{argument}`.*scalar"),
    ("three dimensions", lambda A: A[:, :, None], ValueError, "`{argument}`.*dim 3"),
    ("no cells", lambda A: A[:0], ValueError, r"`{argument}`.*0 sample\(s\)"),
    ("no columns", lambda A: A[:, :0], ValueError, r"`{argument}`.*0 feature\(s\)"),
    ("frame without columns", lambda A: named(A).iloc[:, :0], ValueError,
     "`{argument}` has no columns"),
    ("np.matrix", np.matrix, TypeError, "`{argument}`.*np.matrix is not supported"),
    ("masked entry", masked, ValueError, r"`{argument}` has 1 masked value\(s\).*fill the values"),
    ("all masked", lambda A: np.ma.masked_all_like(A), ValueError, "`{argument}` has .* masked"),
    ("missing in nullable frame", lambda A: named(A).astype("Int64").mask(A > 5), ValueError,
     no_finite("NaN")),
    ("missing in Arrow frame", lambda A: named(A).astype("float64[pyarrow]").mask(A > 5),
     ValueError, no_finite("NaN")),
    ("frame of words as categories", lambda A: named(A).gt(0).astype(str).astype("category"),
     ValueError, "`{argument}`.*to float"),
    ("frame with a name twice", lambda A: pd.DataFrame(A).rename(columns=lambda _: "Myc"),
     ValueError, "`{argument}` has 1 column name.* more than once.*'Myc'.*Rename or drop"),
    ("CSR with NaN", lambda A: sp.csr_matrix(put(np.nan)(A)), ValueError, no_finite("NaN")),
    ("CSC with infinity", lambda A: sp.csc_array(put(np.inf)(A)), ValueError,
     no_finite("infinity")),
    ("CSR with a column beyond", broken_csr("indices", 3, 10**6), ValueError,
     "`{argument}` is a damaged sparse matrix.*make it again"),
    ("CSR with a negative column", broken_csr("indices", 3, -7), ValueError,
     "`{argument}` is a damaged sparse matrix"),
    ("CSR whose rows go backwards", broken_csr("indptr", 4, 0), ValueError,
     "`{argument}` is a damaged sparse matrix"),
    ("CSR whose rows end beyond", broken_csr("indptr", -1, 10**9), ValueError,
     "`{argument}` is a damaged sparse matrix"),
    ("CSR whose rows begin late", broken_csr("indptr", 0, 1), ValueError,
     "`{argument}` is a damaged sparse matrix"),
    ("CSC with a row beyond", lambda A: broken_csr("indices", 3, 10**6)(A.T).T, ValueError,
     "`{argument}` is a damaged sparse matrix"),
    ("COO with a row beyond", broken_coo, ValueError, "`{argument}` is a damaged sparse matrix"),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:the matrix subclass")
@pytest.mark.parametrize("argument", ARGUMENTS)
@pytest.mark.parametrize(("form", "error", "message"), cases(WRONG_MATRICES))
def test_invalid_matrices(form, error, message, argument, matrices, check):
    X, Y = matrices()
    wrong = form(X if argument == "tf_matrix" else Y)
    with check.refused(error, "(?s)" + message.format(argument=argument)):
        fit(wrong, Y) if argument == "tf_matrix" else fit(X, wrong)


WRONG_AT_PREDICT = {
    name: (form, error, message)
    for name, form, error, message in WRONG_MATRICES
    if name in ("NaN", "infinity among objects", "durations", "masked entry", "three dimensions",
                "CSR with a column beyond", "CSR whose rows go backwards", "a word among objects")
}  # fmt: skip


@pytest.mark.parametrize(
    ("form", "error", "message"), WRONG_AT_PREDICT.values(), ids=WRONG_AT_PREDICT
)
def test_invalid_matrices_at_predict(form, error, message, matrices, clean, check):
    X, Y = matrices()
    message = "(?s)" + message.format(argument="tf_matrix")
    for call in (clean.predict, clean.transform, lambda A: clean.score(A, Y)):
        with check.refused(error, message):
            call(form(X))


def test_predictions_that_overflow(matrices, clean, check):
    X, _ = matrices()
    with check.refused(ValueError, "`tf_matrix` holds numbers too large to predict from"):
        clean.predict(np.sign(clean.coef_[:1]) * np.full_like(X, 1.7e308))


def test_scores_of_masked_targets(matrices, clean, check):
    X, Y = matrices()
    with check.refused(ValueError, r"`target_matrix` has 1 masked"):
        clean.score(X, masked(Y))


WRONG_PAIRS = [
    ("one cell", lambda X, Y: (X[:1], Y[:1]), r"`tf_matrix`.*minimum of 2 is required"),
    ("a 1-D tf_matrix", lambda X, Y: (X[:, 0], Y), r"(?s)`tf_matrix`.*Expected 2D array"),
    ("targets of one cell less", lambda X, Y: (X, Y[1:]),
     "`tf_matrix` and `target_matrix` have inconsistent numbers of samples: 40 and 39"),
    ("transposed targets", lambda X, Y: (X, Y.T), "inconsistent numbers of samples: 40 and 3"),
    ("one row of targets", lambda X, Y: (X, Y[:1]), "inconsistent numbers of samples: 40 and 1"),
    ("CSR with one cell less", lambda X, Y: (sp.csr_matrix(X[1:]), Y), "samples: 39 and 40"),
    ("no targets", lambda X, Y: (X, None), "`target_matrix`.*the target y is None"),
    ("no TFs", lambda X, Y: (None, Y), "(?s)`tf_matrix`.*Expected 2D array"),
    ("cells in another order",
     lambda X, Y: (named(X).add_prefix("a").rename("c{}".format),
                   named(Y).rename("c{}".format)[::-1]),
     "`target_matrix` has the cells of `tf_matrix` in another order; align them"),
    ("other cells", lambda X, Y: (named(X).rename("c{}".format), named(Y).rename("d{}".format)),
     "`tf_matrix` and `target_matrix` name different cells: 'c0'"),
    ("cells named by numbers and text",
     lambda X, Y: (named(X, index=[*range(39), "last"]), named(Y, index=["first", *range(39)])),
     "`tf_matrix` and `target_matrix` name different cells"),
    ("fewer cells than folds", lambda X, Y: (X[:2], Y[:2]), "too few for `n_splits` = 3 folds"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "message"), cases(WRONG_PAIRS))
def test_matrices_that_do_not_match(change, message, matrices, check):
    X, Y = matrices()
    with check.refused(ValueError, message):
        fit(*change(X, Y))


def test_columns_named_by_numbers_and_text(matrices, check):
    X, Y = matrices()
    with check.refused(TypeError, r"(?s)`tf_matrix`.*names.*\['int', 'str'\]"):
        fit(pd.DataFrame(X, columns=["Pax6", 1, 2, 3]), Y)


# -------------------------------------------------------------------------------- unusual but valid


def no_model(model, t):
    return not model.coef_[t].any() and np.isnan(model.lambda_[t]) and np.isnan(model.r2_[t])


@pytest.mark.parametrize("lambdas", ["paper", "auto"])
@pytest.mark.parametrize("container", [np.asarray, sp.csr_matrix], ids=["dense", "CSR"])
class TestOddShapes:
    @pytest.mark.slow
    def test_one_tf(self, container, lambdas, matrices, check):
        X, Y = matrices()
        with check.few_warnings():
            model = fit(container(X[:, :1]), Y, lambdas=lambdas)
        check.well_formed(model)
        assert all(no_model(model, t) for t in range(3))
        np.testing.assert_allclose(model.intercept_, Y.mean(axis=0))

    def test_fewer_cells_than_tfs(self, container, lambdas, matrices, check):
        X, Y = matrices()
        wide = np.hstack([X, np.random.default_rng(1).normal(size=(len(X), 60))])[:20]
        with check.few_warnings():
            model = fit(container(wide), Y[:20], lambdas=lambdas)
        check.well_formed(model)
        assert np.abs(model.coef_).argmax(axis=1).tolist() == [0, 1, 3]

    @pytest.mark.parametrize("n_cells", [3, 4, 6])
    def test_hardly_more_cells_than_folds(self, n_cells, container, lambdas, matrices, check):
        X, Y = matrices()
        with check.few_warnings():
            model = fit(container(X[:n_cells]), Y[:n_cells], lambdas=lambdas)
        check.well_formed(model)

    def test_collinear_tfs(self, container, lambdas, matrices, check):
        X, Y = matrices()
        twice = np.hstack([X, X, -2 * X[:, :2], X[:, :1] + X[:, 1:2]])
        with check.few_warnings():
            model = fit(container(twice), Y, lambdas=lambdas)
        check.well_formed(model)
        # Predictions at a penalty are the same for either copy.
        one, two = (fit(A, Y, lambda_rule=0.3, cor_threshold=None) for A in (twice[:, :8], X))
        np.testing.assert_allclose(one.predict(twice[:, :8]), two.predict(X), rtol=1e-5, atol=1e-5)

    def test_one_tf_fifty_times(self, container, lambdas, matrices, check):
        X, Y = matrices()
        with check.few_warnings():
            model = fit(container(np.repeat(X[:, :1], 50, axis=1)), Y, lambdas=lambdas)
        check.well_formed(model)

    @pytest.mark.parametrize("value", [0.0, 7.0, 0.1, -1e100, 5e-324])
    def test_constant_columns(self, value, container, lambdas, matrices, clean, check):
        X, Y = matrices()
        constant = np.full((len(X), 1), value)
        if 0 < abs(value) < 1e-100:
            with check.refused(ValueError, "`tf_matrix` has 1 of 5 columns.*Rescale"):
                fit(container(np.hstack([X, constant])), Y, lambdas=lambdas)
            return
        with check.few_warnings():
            model = fit(container(np.hstack([X, constant])), Y, lambdas=lambdas)
        check.well_formed(model)
        assert not model.coef_[:, 4].any()
        np.testing.assert_allclose(
            model.coef_[:, :4], fit(X, Y, lambdas=lambdas).coef_, rtol=1e-9, atol=1e-12
        )

    @pytest.mark.parametrize("value", [0.0, 7.0, 0.1, -1e50])
    def test_constant_targets(self, value, container, lambdas, matrices, check):
        X, Y = matrices()
        Y[:, 1] = value
        with check.few_warnings():
            model = fit(X, container(Y), lambdas=lambdas)
        check.well_formed(model)
        assert no_model(model, 1)
        assert model.intercept_[1] == pytest.approx(value, rel=1e-12)
        assert not any(no_model(model, t) for t in (0, 2))

    def test_zeros_only(self, container, lambdas, matrices, check):
        X, Y = matrices()
        with check.few_warnings():
            model = fit(container(0 * X), container(0 * Y), lambdas=lambdas)
        check.well_formed(model)
        assert all(no_model(model, t) for t in range(3))

    def test_identical_cells(self, container, lambdas, matrices, check):
        X, Y = matrices()
        X, Y = np.repeat(X[:1], 40, axis=0), np.repeat(Y[:1], 40, axis=0)
        with check.few_warnings():
            model = fit(container(X), container(Y), lambdas=lambdas)
        check.well_formed(model)
        assert all(no_model(model, t) for t in range(3))

    def test_a_target_that_is_a_tf(self, container, lambdas, matrices, check):
        X, _ = matrices()
        with check.few_warnings():
            model = fit(container(X), container(X), lambdas=lambdas)
        check.well_formed(model)
        assert np.abs(model.coef_).argmax(axis=1).tolist() == [0, 1, 2, 3]

    def test_huge_counts(self, container, lambdas, matrices, check):
        X, Y = matrices()
        counts = np.round((X - X.min() + 1) * 1e15)
        with check.few_warnings():
            model = fit(container(counts), Y, lambdas=lambdas)
        check.well_formed(model)
        expected = fit(X, Y, lambdas=lambdas)
        np.testing.assert_allclose(model.coef_ * 1e15, expected.coef_, rtol=1e-9, atol=1e-12)

    def test_one_outlier(self, container, lambdas, matrices, check):
        X, Y = matrices()
        X[7, 2] = 1e100
        with check.few_warnings():
            model = fit(container(X), Y, lambdas=lambdas)
        check.well_formed(model)


# ----------------------------------------------------------------------------------- extreme scales

POWERS = [-320, -300, -200, -150, -100, -50, 50, 100, 150, 200, 300]
COLUMNS = {"all columns": slice(None), "one column": slice(1, 2)}


@pytest.mark.parametrize("columns", COLUMNS.values(), ids=COLUMNS)
@pytest.mark.parametrize("container", [np.asarray, sp.csr_matrix], ids=["dense", "CSR"])
@pytest.mark.parametrize("power", POWERS)
def test_tfs_on_extreme_scales(power, container, columns, matrices, clean, check):
    X, Y = matrices()
    X[:, columns] *= 10.0**power
    if abs(power) > 100:
        with check.refused(ValueError, r"`tf_matrix` has \d of 4 columns.*Rescale the columns"):
            fit(container(X), Y)
        return
    with check.few_warnings():
        model = fit(container(X), Y)
    check.well_formed(model)
    coef = model.coef_.copy()
    coef[:, columns] *= 10.0**power
    np.testing.assert_allclose(coef, clean.coef_, rtol=1e-6)
    np.testing.assert_allclose(model.predict(X), clean.predict(matrices()[0]), rtol=1e-6)


@pytest.mark.parametrize("columns", COLUMNS.values(), ids=COLUMNS)
@pytest.mark.parametrize("container", [np.asarray, sp.csr_matrix], ids=["dense", "CSR"])
@pytest.mark.parametrize("power", POWERS)
def test_targets_on_extreme_scales(power, container, columns, matrices, check):
    X, Y = matrices()
    expected = fit(X, Y, lambdas="auto")
    Y[:, columns] *= 10.0**power
    if abs(power) > 50:
        with check.refused(ValueError, r"`target_matrix` has \d of 3 columns.*Rescale the columns"):
            fit(X, container(Y), lambdas="auto")
        return
    with check.few_warnings():
        model = fit(X, container(Y), lambdas="auto")
    check.well_formed(model)
    scale = np.ones(3)
    scale[columns] = 10.0**power
    np.testing.assert_allclose(model.coef_ / scale[:, None], expected.coef_, rtol=1e-6)
    np.testing.assert_allclose(model.lambda_ / scale, expected.lambda_, rtol=1e-6)
    np.testing.assert_allclose(model.r2_, expected.r2_, rtol=1e-6)


@pytest.mark.parametrize("power", [-50, 50])
def test_the_grid_of_the_paper_on_extreme_scales(power, matrices, check):
    """The penalties are absolute, so models are empty or near least squares."""
    X, Y = matrices()
    with check.few_warnings():
        model = fit(X, Y * 10.0**power, cor_threshold=None)
    check.well_formed(model)
    if power < 0:
        assert not model.coef_.any()
        return
    A = np.column_stack([X, np.ones(len(X))])
    expected = np.linalg.lstsq(A, Y, rcond=None)[0][:4].T
    np.testing.assert_allclose(model.coef_ / 10.0**power, expected, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("offset", [1e8, 1e12, -1e12])
def test_numbers_far_from_zero(offset, matrices, clean, check):
    X, Y = matrices()
    with check.few_warnings():
        model = fit(X + offset, Y)
    check.well_formed(model)
    np.testing.assert_allclose(model.coef_, clean.coef_, rtol=1e-9)


# ------------------------------------------------------------------------------------------ weights

N = 40
WRONG_WEIGHTS = [
    ("NaN", np.r_[np.nan, np.ones(N - 1)], ValueError, "`sample_weight`.*contains NaN"),
    ("infinity", np.r_[np.inf, np.ones(N - 1)], ValueError, "`sample_weight`.*contains infinity"),
    ("negative", np.r_[-1.0, np.ones(N - 1)], ValueError, "`sample_weight`"),
    ("too few", np.ones(3), ValueError, r"`sample_weight`.*\(3,\), expected \(40,\)"),
    ("two columns", np.ones((N, 2)), ValueError, "`sample_weight`.*must be 1D"),
    ("words", ["much"] * N, ValueError, "`sample_weight`.*to float: 'much'"),
    ("None", [None] * N, ValueError, "`sample_weight`.*NaN"),
    ("zeros", np.zeros(N), ValueError, "`sample_weight` is zero for all cells"),
    ("complex", np.ones(N) + 1j, ValueError, "`sample_weight`.*Complex"),
    ("masked", np.ma.array(np.ones(N), mask=np.arange(N) < 2), ValueError,
     r"`sample_weight` has 2 masked"),
    ("durations", np.arange(N).astype("timedelta64[s]"), TypeError,
     "`sample_weight` must hold real numbers"),
    ("1e300", np.full(N, 1e300), ValueError, "`sample_weight` has .*Rescale"),
    ("denormal", np.full(N, 1e-310), ValueError, "`sample_weight` has .*Rescale"),
    ("one cell only", np.r_[1.0, np.zeros(N - 1)], ValueError,
     r"training set of fold \d has no cells of positive weight \(`sample_weight`\)"),
]  # fmt: skip


@pytest.mark.parametrize(("weight", "error", "message"), cases(WRONG_WEIGHTS))
def test_invalid_weights(weight, error, message, matrices, check):
    with check.refused(error, "(?s)" + message):
        fit(*matrices(), {"sample_weight": weight})


def test_weights_that_leave_one_test_set(matrices, check):
    weight = np.ones(N)
    weight[:10] = 0
    folds = [(np.arange(20, 40), np.arange(5)), (np.arange(20, 40), np.arange(5, 15))]
    with check.refused(ValueError, r"`sample_weight`\) in at least two test sets, found them in 1"):
        fit(*matrices(), {"sample_weight": weight}, cv=folds)


SAME_WEIGHTS = [
    ("one number", 2.5, np.ones(N)),
    ("truth values", np.arange(N) > 5, (np.arange(N) > 5).astype(float)),
    ("int8", np.tile(np.int8([1, 127]), N // 2), np.tile([1.0, 127.0], N // 2)),
    ("objects", np.ones(N).astype(object), np.ones(N)),
    ("1e25", np.full(N, 1e25), np.ones(N)),
    ("1e-25", np.full(N, 1e-25), np.ones(N)),
    ("Series with another index", pd.Series(1.0, index=range(N, 0, -1)), np.ones(N)),
    ("read-only", np.broadcast_to(1.0, N), np.ones(N)),
]


@pytest.mark.parametrize(("weight", "same"), cases(SAME_WEIGHTS))
def test_weights_of_any_type(weight, same, matrices, check):
    X, Y = matrices()
    with check.few_warnings():
        model = fit(X, Y, {"sample_weight": weight})
    check.well_formed(model)
    check.same_model(model, fit(X, Y, {"sample_weight": same}))


def test_weights_of_very_unequal_size(matrices, check):
    weight = np.where(np.arange(N) % 2, 1.0, 1e-300)
    with check.few_warnings():
        model = fit(*matrices(), {"sample_weight": weight}, cv=KFold(4))
    check.well_formed(model)
    expected = fit(*matrices(), {"sample_weight": np.arange(N) % 2}, cv=KFold(4))
    np.testing.assert_allclose(model.coef_, expected.coef_, rtol=1e-9)


# -------------------------------------------------------------------------------------------- folds

HALVES = [(np.arange(20), np.arange(20, 40)), (np.arange(20, 40), np.arange(20))]


def changed(change):
    return [(change(train), change(test)) for train, test in HALVES]


WRONG_FOLDS = [
    ("truth values", changed(lambda rows: np.isin(np.arange(N), rows)), ValueError,
     "`cv`: fold 0 must hold lists of row numbers, got 1 dimension.* of bool; np.flatnonzero"),
    ("fractions", changed(lambda rows: rows + 0.5), ValueError, "`cv`: fold 0 must .* of float64"),
    ("cells out of bounds", changed(lambda rows: rows + 5), ValueError,
     "`cv`: fold 0 has row numbers from 25 to 44, but there are 40 cells"),
    ("negative cells", changed(lambda rows: rows - 40), ValueError, "`cv`: fold 0 has row numbers"),
    ("names", [(["a"], ["b"])] * 2, ValueError, "`cv`: fold 0 must hold lists of row numbers"),
    ("columns of cells", changed(lambda rows: rows[:, None]), ValueError, "got 2 dimension"),
    ("triples", [(*pair, pair[0]) for pair in HALVES], ValueError, r"pair \(train, test\)"),
    ("numbers", [1, 2, 3], ValueError, r"`cv`: fold 0 must be a pair \(train, test\)"),
    ("ragged", [([[0, 1], [2]], [3])] * 2, ValueError, "`cv`: fold 0 must"),
    ("empty list", [], ValueError, "`cv` must give at least 2 folds, got 0"),
    ("one fold", HALVES[:1], ValueError, "`cv` must give at least 2 folds, got 1"),
    ("empty test set", [(np.arange(N), [])] * 2, ValueError, "fold 0 has 40 training and 0 test"),
    ("text", "ten", ValueError, r"`cv`: fold 0 must be a pair"),
    ("class instead of splitter", KFold, TypeError, "`cv` is the class KFold; pass an instance"),
    ("1", 1, ValueError, "'cv' parameter"),
    ("3.0", 3.0, ValueError, "'cv' parameter"),
    ("None", None, ValueError, "'cv' parameter"),
    ("more folds than cells", 41, ValueError, "samples are too few for `n_splits` = 41 folds"),
]  # fmt: skip


@pytest.mark.parametrize(("cv", "error", "message"), cases(WRONG_FOLDS))
def test_invalid_folds(cv, error, message, matrices, check):
    with check.refused(error, message):
        fit(*matrices(), cv=cv)


SAME_FOLDS = [
    ("generator", lambda: iter(HALVES)),
    ("lists", lambda: [[list(map(int, rows)) for rows in pair] for pair in HALVES]),
    ("uint8", lambda: changed(lambda rows: rows.astype(np.uint8))),
    ("unsorted", lambda: changed(lambda rows: rows[::-1])),
    ("read-only", lambda: changed(read_only)),
]


@pytest.mark.parametrize("make", cases(SAME_FOLDS))
def test_folds_of_any_type(make, matrices, check):
    with check.few_warnings():
        model = fit(*matrices(), cv=make())
    check.well_formed(model)
    check.same_model(model, fit(*matrices(), cv=KFold(2)))


@pytest.mark.parametrize(
    "cv",
    [
        [([0, 1], [2, 3]), ([4, 5], [6, 7])],
        [([0], [1]), ([2], [3])],
        ShuffleSplit(2, train_size=2, test_size=1, random_state=0),
        [(np.arange(N), np.arange(N))] * 2,
    ],
    ids=["two training cells", "one training cell", "ShuffleSplit", "test cells trained on"],
)
def test_folds_of_few_cells(cv, matrices, check):
    with check.few_warnings():
        model = fit(*matrices(), cv=cv)
    check.well_formed(model)


# --------------------------------------------------------------------------------------- parameters

NO_NUMBER = "`lambdas` must hold positive, finite penalties"
WRONG_PARAMETERS = [
    ("lambdas: NaN", {"lambdas": [1.0, np.nan]}, ValueError, NO_NUMBER),
    ("lambdas: negative", {"lambdas": [1.0, -1.0]}, ValueError, NO_NUMBER),
    ("lambdas: None", {"lambdas": [None]}, ValueError, NO_NUMBER),
    ("lambdas: words", {"lambdas": ["a"]}, ValueError, "`lambdas`.*to float: 'a'"),
    ("lambdas: complex", {"lambdas": [1j]}, TypeError, "`lambdas`.*'complex'"),
    ("lambdas: two rows", {"lambdas": [[1, 0.1], [1, 0.2]]}, ValueError, "`lambdas` must be one"),
    ("lambdas: masked", {"lambdas": np.ma.array([1.0, 0.1], mask=[0, 1])}, ValueError,
     "`lambdas` has 1 masked"),
    ("lambdas: durations", {"lambdas": np.array([1, 2], "timedelta64[s]")}, TypeError, "`lambdas`"),
    ("lambdas: number", {"lambdas": 0.1}, ValueError, "'lambdas' parameter"),
    ("penalty_factor: NaN", {"penalty_factor": [np.nan, 1, 1, 1]}, ValueError,
     "`penalty_factor` must hold numbers"),
    ("penalty_factor: words", {"penalty_factor": ["a"] * 4}, ValueError, "`penalty_factor`.*'a'"),
    ("penalty_factor: complex", {"penalty_factor": [1j] * 4}, TypeError, "`penalty_factor`"),
    ("penalty_factor: one row", {"penalty_factor": np.ones((1, 4))}, ValueError,
     r"`penalty_factor` has shape \(1, 4\)"),
    ("penalty_factor: masked", {"penalty_factor": np.ma.masked_equal([1, 1, 1, 2], 2)},
     ValueError, "`penalty_factor` has 1 masked"),
    ("penalty_factor: 1e300", {"penalty_factor": [1e300, 1, 1, 1]}, ValueError,
     "`penalty_factor` has .*Rescale"),
    ("lambda_rule: NaN", {"lambda_rule": np.nan}, ValueError, "'lambda_rule' parameter"),
    ("lambda_rule: infinity", {"lambda_rule": np.inf}, ValueError, "'lambda_rule' parameter"),
    ("lambda_rule: array", {"lambda_rule": np.array([0.1])}, ValueError, "'lambda_rule' parameter"),
    ("lambda_rule: returns None", {"lambda_rule": lambda curve: None}, ValueError,
     "`lambda_rule` returned None"),
    ("lambda_rule: returns text", {"lambda_rule": lambda curve: "min"}, ValueError,
     "`lambda_rule` returned 'min'"),
    ("alpha: NaN", {"alpha": np.nan}, ValueError, "'alpha' parameter"),
    ("tol: NaN", {"tol": np.nan}, ValueError, "'tol' parameter"),
    ("cor_threshold: NaN", {"cor_threshold": np.nan}, ValueError, "'cor_threshold' parameter"),
    ("max_iter: 10**30", {"max_iter": 10**30}, ValueError, "'max_iter' parameter"),
    ("n_jobs: 0", {"n_jobs": 0}, ValueError, "'n_jobs' parameter of .* Got 0"),
    ("random_state: beyond R", {"random_state": 2**32 - 1}, ValueError, "seed = 4294967295 is no"),
    ("covariates: text", {"covariates": "new_size_factor"}, ValueError, "'covariates' parameter"),
]  # fmt: skip


@pytest.mark.parametrize(("params", "error", "message"), cases(WRONG_PARAMETERS))
def test_invalid_parameters(params, error, message, matrices, check):
    with check.refused(error, message):
        fit(*matrices(), **params)


def test_a_series_of_factors_that_names_a_tf_twice(matrices, check):
    X, Y = matrices()
    factor = pd.Series([1.0, 2.0], index=["TF1", "TF1"])
    with check.refused(ValueError, "`penalty_factor` names a predictor more than once.*'TF1'"):
        fit(named(X), Y, penalty_factor=factor)


EXTREME_PARAMETERS = [
    ("huge penalties", {"lambdas": [1e300, 1e200]}, lambda model: not model.coef_.any()),
    ("one penalty", {"lambdas": [0.1]}, lambda model: (model.lambda_ == 0.1).all()),
    ("all TFs excluded", {"penalty_factor": [np.inf] * 4}, lambda model: not model.coef_.any()),
    ("tiny factors", {"penalty_factor": [1e-25] * 4}, lambda model: model.coef_.any()),
    ("threshold near 1", {"cor_threshold": 0.999999}, lambda model: not model.coef_.any()),
    ("covariates that are not text", {"covariates": (1, None)}, lambda model: len(model.links_)),
]


@pytest.mark.parametrize(("params", "expected"), cases(EXTREME_PARAMETERS))
def test_parameters_at_their_limits(params, expected, matrices, check):
    with check.few_warnings():
        model = fit(*matrices(), **params)
    check.well_formed(model)
    assert expected(model)


# --------------------------------------------------------------------------------------- hypothesis

LAYOUTS = {
    "C": np.ascontiguousarray,
    "Fortran": np.asfortranarray,
    "strided": lambda A: np.repeat(np.repeat(A, 2, axis=0), 3, axis=1)[::2, ::3],
    "backward": lambda A: A[::-1].copy()[::-1],
    "read-only": read_only,
    "CSR": sp.csr_matrix,
    "unsorted CSR": lambda A: unsorted_csr(np.asarray(A)),
    "COO": sp.coo_array,
}
NOT_FINITE = {"NaN": np.nan, "infinity": np.inf, "-infinity": -np.inf}


@settings(max_examples=50, deadline=None, derandomize=True)
@given(data=st.data())
def test_any_type_layout_and_hole(data, matrices, check):
    """The result of the clean double precision array, or an error that names the argument."""
    clean = list(matrices())
    given = list(matrices())
    which = data.draw(st.sampled_from([0, 1]))
    dtype = data.draw(st.sampled_from(["f2", "f4", "f8", ">f8", "i1", "i4", "i8"]))
    layout = data.draw(st.sampled_from(list(LAYOUTS)))
    hole = data.draw(st.sampled_from([None, None, *NOT_FINITE])) if "f" in dtype else None
    if layout not in ("CSR", "unsorted CSR", "COO") or dtype != "f2":
        given[which] = given[which].astype(dtype)
    if hole is not None:
        row = data.draw(st.integers(0, N - 1))
        given[which][row, data.draw(st.integers(0, clean[which].shape[1] - 1))] = NOT_FINITE[hole]
    if layout in ("CSR", "unsorted CSR", "COO"):  # SciPy has the byte order of the machine only
        given[which] = given[which].astype(given[which].dtype.newbyteorder("="))
    given[which] = LAYOUTS[layout](given[which])
    if hole is not None:
        name = "NaN" if hole == "NaN" else "infinity"
        with check.refused(ValueError, f"(?s)`{ARGUMENTS[which]}`.*contains {name}"):
            fit(*given)
        return
    before = check.fingerprint(given[which])
    with check.few_warnings():
        model = fit(*given)
    check.well_formed(model)
    check.same_model(model, fit(*clean))
    check.same_input(given[which], before)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    powers=st.lists(st.integers(-323, 307), min_size=7, max_size=7),
    container=st.sampled_from([np.asarray, sp.csr_array]),
)
def test_any_scale_of_every_column(powers, container, matrices, check):
    """Coefficients right to 1e-6, or an error that names the argument and says to rescale."""
    X, Y = matrices()
    expected = fit(X, Y, lambdas="auto")
    scale = 10.0 ** np.array(powers, float)
    x_scale, y_scale = scale[:4], scale[4:]
    with check.few_warnings():
        model, message = try_fit(container(X * x_scale), container(Y * y_scale), lambdas="auto")
    if model is None:
        assert re.match("(?s)`(tf|target)_matrix`.*(Rescale|infinity)", message)
        assert np.abs(powers[:4]).max() > 100 or np.abs(powers[4:]).max() > 50
        return
    check.well_formed(model)
    np.testing.assert_allclose(model.coef_ * x_scale / y_scale[:, None], expected.coef_, rtol=1e-6)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(data=st.data())
def test_any_moderate_scale_of_every_column(data, matrices, check):
    X, Y = matrices()
    x_scale = 10.0 ** np.array(data.draw(st.lists(st.integers(-120, 120), min_size=4, max_size=4)))
    y_scale = 10.0 ** np.array(data.draw(st.lists(st.integers(-55, 55), min_size=3, max_size=3)))
    expected = fit(X, Y, lambdas="auto")
    with check.few_warnings():
        model = fit(X * x_scale, Y * y_scale, lambdas="auto")
    check.well_formed(model)
    np.testing.assert_allclose(model.coef_ * x_scale / y_scale[:, None], expected.coef_, rtol=1e-6)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    n_cells=st.integers(1, 9),
    n_tfs=st.integers(0, 6),
    n_targets=st.integers(0, 3),
    cv=st.integers(2, 4),
    values=st.lists(st.sampled_from([0.0, 1.0, -1.0, 2.0]), min_size=8, max_size=8),
)
def test_any_tiny_shape(n_cells, n_tfs, n_targets, cv, values, check):
    """Few cells, few values: constant columns, collinear ones, targets that are TFs."""
    X = np.resize(values, (n_cells, n_tfs)) * 1.0
    Y = np.resize(values[::-1], (n_cells, n_targets)) * 1.0
    with check.few_warnings():
        model, message = try_fit(X, Y, cv=cv)
    if model is None:
        assert re.search("`t[a-z]*_matrix`|`n_splits` = ", message)
        assert n_cells < max(2, cv) or 0 in (n_tfs, n_targets)
        return
    check.well_formed(model)
