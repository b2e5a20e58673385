"""Moments from malformed chunks, sums of moments that do not match, malicious files of moments."""

import io
import itertools
import json
import os
import zipfile

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from odd_matrices import cases, put, stored_twice_csr, unsorted_csr

from scifate_sklearn import RSampleKFold, SciFateRegressor
from scifate_sklearn.files import _archive as archive
from scifate_sklearn.moments import Moments, plan_folds

N, P, Q, K = 40, 4, 3, 4
KIND = "moments of cells"


def make_plan(n_cells=N, n_folds=K):
    return plan_folds(RSampleKFold(n_folds).split(np.empty((n_cells, 1))), n_cells)


@pytest.fixture(scope="module")
def clean(matrices):
    return Moments.from_arrays(*matrices(), make_plan())


def assert_same_moments(moments, expected, check):
    for array in archive_arrays(moments).values():
        assert array.dtype.kind != "f" or np.isfinite(array).all()
    one, two = (SciFateRegressor().fit_moments(m) for m in (moments, expected))
    check.well_formed(one)
    check.same_model(one, two)


def archive_arrays(moments):
    sums = ("n_cells", "weight", "x_shift", "y_shift", "x_sum", "y_sum", "xx", "xy", "yy")
    parts = ("training", "held_out", "training_of", "total")
    arrays = {name: getattr(moments, name) for name in sums}
    return arrays | {f"layout_{name}": getattr(moments.layout, name) for name in parts}


# ---------------------------------------------------------------------------- chunks


def cut(X, Y, *stops):
    edges = [0, *stops, len(X)]
    return [(X[a:b], Y[a:b]) for a, b in itertools.pairwise(edges)]


SAME_CELLS = [
    ("one cell a chunk", lambda X, Y: cut(X, Y, *range(1, N))),
    ("chunks of very unequal size", lambda X, Y: cut(X, Y, 1, 2, 38)),
    ("generator", lambda X, Y: (chunk for chunk in cut(X, Y, 13))),
    ("lists of lists", lambda X, Y: [[x.tolist(), y.tolist()] for x, y in cut(X, Y, 13)]),
    ("frames with other indices each", lambda X, Y: [
        (pd.DataFrame(x, index=range(len(x), 0, -1)), pd.DataFrame(y)) for x, y in cut(X, Y, 13)]),
    ("another type in every chunk", lambda X, Y: [
        (x.astype(dtype), y.astype(dtype))
        for (x, y), dtype in zip(cut(X, Y, 9, 20, 30), ("f2", "i1", ">f8", object), strict=True)]),
    ("dense and sparse in turn", lambda X, Y: [
        (make(x), make(y))
        for (x, y), make in zip(cut(X, Y, 9, 20), (sp.csr_array, np.asarray, sp.coo_matrix),
                                strict=True)]),
    ("sparse X, dense Y", lambda X, Y: [(sp.csc_matrix(x), y) for x, y in cut(X, Y, 13)]),
    ("unsorted CSR", lambda X, Y: [(unsorted_csr(x), unsorted_csr(y)) for x, y in cut(X, Y, 13)]),
    ("CSR with entries stored twice", lambda X, Y: [
        (stored_twice_csr(x), stored_twice_csr(y)) for x, y in cut(X, Y, 13)]),
    ("views and Fortran order", lambda X, Y: cut(np.asfortranarray(X), np.repeat(Y, 2, 1)[:, ::2],
                                                 13)),
    ("a chunk of zeros", lambda X, Y: [(0 * X[:0].sum(0) + x, y) for x, y in cut(X, Y, 1)]),
    ("weights of one", lambda X, Y: [(x, y, np.ones(len(x))) for x, y in cut(X, Y, 13)]),
    ("integer weights in one chunk", lambda X, Y: [
        (x, y, [1] * len(x)) if k else (x, y) for k, (x, y) in enumerate(cut(X, Y, 13))]),
    ("weights of 1e25", lambda X, Y: [(x, y, np.full(len(x), 1e25)) for x, y in cut(X, Y, 13)]),
]  # fmt: skip


@pytest.mark.parametrize("make", cases(SAME_CELLS))
def test_the_same_cells_in_any_chunks(make, matrices, clean, check):
    with check.few_warnings():
        moments = Moments.from_chunks(make(*matrices()), make_plan())
    assert_same_moments(moments, clean, check)


def test_chunks_that_are_far_apart(matrices, check):
    X, Y = matrices()
    X[20:] += 1e3
    Y[20:] -= 1e3
    with check.few_warnings():
        moments = Moments.from_chunks(cut(X, Y, 20), make_plan())
    one = SciFateRegressor().fit_moments(moments)
    two = SciFateRegressor().fit_moments(Moments.from_arrays(X, Y, make_plan()))
    check.well_formed(one)
    check.same_model(one, two, rtol=1e-7)


def broken(A):
    S = sp.csr_matrix(A)
    S.indices[2] = 10**6
    return S


WRONG_MATRICES = [
    ("NaN", put(np.nan), ValueError, "contains NaN"),
    ("infinity in float32", put(np.inf, "f4"), ValueError, "contains infinity"),
    ("None", put(None, object), ValueError, "contains NaN"),
    ("word", put("high", object), ValueError, "to float: 'high'"),
    ("sparse NaN", lambda A: sp.csc_matrix(put(np.nan)(A)), ValueError, "contains NaN"),
    ("complex", lambda A: A + 1j, ValueError, "Complex data"),
    ("dates", lambda A: A.astype("datetime64[s]"), TypeError, "must hold real numbers"),
    ("masked", lambda A: np.ma.masked_equal(A, A[0, 0]), ValueError, "masked value"),
    ("broken CSR", broken, ValueError, "is a damaged sparse matrix"),
    ("1-D", lambda A: A[:, 0], ValueError, "(?s).*Expected 2D array"),
    ("no cells", lambda A: A[:0], ValueError, r"0 sample\(s\)"),
    ("no columns", lambda A: A[:, :0], ValueError, r"0 feature\(s\)"),
    ("ragged", lambda A: [[1.0], [1.0, 2.0]], ValueError, "inhomogeneous"),
    ("None itself", lambda A: None, ValueError, "(?s).*Expected 2D array"),
    ("1e200", lambda A: A * 1e200, ValueError, r"of \d columns.*Rescale"),
    ("1e-200", lambda A: A * 1e-200, ValueError, r"of \d columns.*Rescale"),
]


@pytest.mark.parametrize("which", ["X", "Y"])
@pytest.mark.parametrize(("form", "error", "message"), cases(WRONG_MATRICES))
def test_invalid_matrices_in_the_second_chunk(form, error, message, which, matrices, check):
    chunks = [list(chunk) for chunk in cut(*matrices(), 20)]
    chunks[1]["XY".index(which)] = form(chunks[1]["XY".index(which)])
    with check.refused(error, f"(?s){which} of chunk 1.*{message.removeprefix('(?s)')}"):
        Moments.from_chunks(chunks, make_plan())


WRONG_CHUNKS = [
    ("one matrix", lambda X, Y: [X, Y], "chunk 0 must be"),
    ("four things", lambda X, Y: [(X, Y, np.ones(N), 1)], "chunk 0 must be"),
    ("dictionary", lambda X, Y: [{"X": X, "Y": Y}], "chunk 0 must be"),
    ("nothing", lambda X, Y: [], "hold 0 cells, but `plan` is for 40"),
    ("too many cells", lambda X, Y: [(X, Y), (X, Y)], "hold 80 cells, but `plan` is for 40"),
    ("too few cells", lambda X, Y: [(X[1:], Y[1:])], "hold 39 cells"),
    ("other columns", lambda X, Y: [(X[:20], Y[:20]), (X[20:, 1:], Y[20:])],
     "chunk 1 has 3 predictors and 3 targets"),
    ("X and Y of other lengths", lambda X, Y: [(X[:20], Y[:19])], "chunk 0.*inconsistent numbers"),
    ("weights of another length", lambda X, Y: [(X, Y, [1.0])], "chunk 0.*inconsistent numbers"),
    ("weights in two dimensions", lambda X, Y: [(X, Y, np.ones((N, 2)))], "sample_weight of chunk"),
    ("one number as weights", lambda X, Y: [(X, Y, 1.0)], "sample_weight of chunk 0.*scalar"),
    ("negative weights", lambda X, Y: [(X, Y, -np.ones(N))], "sample_weight of chunk 0 must be"),
    ("NaN as weights", lambda X, Y: [(X, Y, [np.nan] * N)], "sample_weight of chunk 0.*NaN"),
    ("weights as text", lambda X, Y: [(X, Y, ["much"] * N)], "sample_weight of chunk 0.*'much'"),
    ("masked weights", lambda X, Y: [(X, Y, np.ma.masked_equal(np.arange(N), 3))],
     "sample_weight of chunk 0 has 1 masked"),
    ("weights of 1e300", lambda X, Y: [(X, Y, np.full(N, 1e300))], "sample_weight of chunk.*Resc"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "message"), cases(WRONG_CHUNKS))
def test_invalid_chunks(make, message, matrices, check):
    with check.refused((ValueError, TypeError), message):
        Moments.from_chunks(make(*matrices()), make_plan())


def test_chunks_that_are_not_iterable(check):
    with check.refused(TypeError, "'int' object is not iterable"):
        Moments.from_chunks(3, make_plan())


@pytest.mark.parametrize("weight", [np.zeros(N), np.eye(1, N, 7)[0]], ids=["none", "one cell"])
def test_cells_without_weight_have_no_network(weight, matrices, check):
    with check.few_warnings():
        moments = Moments.from_chunks([(*matrices(), weight)], make_plan())
    with check.refused(ValueError, r"training set of fold \d has no cells of positive weight"):
        SciFateRegressor().fit_moments(moments)


WRONG_NAMES = [
    ("twice", ["a", "b", "a", "c"]),
    ("too few", ["a", "b"]),
    ("two rows", [["a", "b", "c", "d"]]),
    ("text", "abcd" * 2),
    ("one number", 4),
    ("NaN", ["a", "b", np.nan, "d"]),
    ("None", ["a", None, "c", "d"]),
    ("numbers", [1, 2, 3, 4]),
    ("lists", [["a"], ["b"], ["c"], ["d"]]),
]


@pytest.mark.parametrize("names", cases(WRONG_NAMES))
def test_invalid_names(names, matrices, check):
    with check.refused(ValueError, "`feature_names` must be 4 different names"):
        Moments.from_chunks([matrices()], make_plan(), names)


# ---------------------------------------------------------------------------- sums

WRONG_SUMS = [
    ("another type", lambda X, Y: 1, TypeError, "unsupported operand"),
    ("None", lambda X, Y: None, TypeError, "unsupported operand"),
    ("fewer TFs", lambda X, Y: Moments.from_arrays(X[:, 1:], Y, make_plan()), ValueError,
     "Moments of 4 and of 3 predictors cannot be added"),
    ("fewer targets", lambda X, Y: Moments.from_arrays(X, Y[:, 1:], make_plan()), ValueError,
     "Moments of 3 and of 2 targets cannot be added"),
    ("other folds", lambda X, Y: Moments.from_arrays(X, Y, make_plan(n_folds=5)), ValueError,
     "Moments of 4 and of 5 folds.*Split both"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "error", "message"), cases(WRONG_SUMS))
def test_moments_that_do_not_match_cannot_be_added(make, error, message, matrices, clean, check):
    with check.refused(error, message):
        clean + make(*matrices())


def test_cells_without_weight_add_nothing(matrices, clean, check):
    X, Y = matrices()
    nothing = Moments.from_chunks([(X + 5, Y - 5, np.zeros(N))], make_plan())
    with check.few_warnings():
        for total in (clean + nothing, nothing + clean):
            assert_same_moments(total, clean, check)


# ---------------------------------------------------------------------------- files


def npy(array):
    file = io.BytesIO()
    np.lib.format.write_array(file, array, allow_pickle=True)
    return file.getvalue()


def npy_with_header(header, data=b"", version=b"\x01\x00"):
    header = header.encode("latin-1") + b"\n"
    return b"\x93NUMPY" + version + len(header).to_bytes(2, "little") + header + data


def with_members(arrays, change):
    """Return an archive with changed bytes in some members."""
    header = {"kind": KIND, "version": 1, "sha256": archive.checksum(arrays)}
    members = {f"{name}.npy": npy(array) for name, array in arrays.items()}
    members = {"header.npy": npy(np.array(json.dumps(header)))} | members
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as zipped:
        for name, content in change(members).items():
            zipped.writestr(name, content)
    return file.getvalue()


def member(name, content):
    return lambda members: members | {name: content}


def header_of(text):
    return member("header.npy", npy(np.array(text)))


class Bomb:
    def __reduce__(self):
        return os.mkdir, ("bomb",)


SPEC = "{{'descr': {}, 'fortran_order': {}, 'shape': {}}}"
HOSTILE = [
    ("pickle as weight", member("weight.npy", npy(np.array([Bomb()], object)))),
    ("pickle as header", member("header.npy", npy(np.array([Bomb()], object)))),
    ("pickle as an additional member", member("extra.npy", npy(np.array([Bomb()], object)))),
    ("code in the npy header", member("weight.npy", npy_with_header("__import__('os')"))),
    ("npy header that is not a dictionary", member("weight.npy", npy_with_header("[1, 2]"))),
    ("npy header that lacks the shape", member("weight.npy", npy_with_header("{'descr': '<f8'}"))),
    ("npy header that never ends", member("weight.npy", b"\x93NUMPY\x01\x00\xff\xff{")),
    ("npy header of nested brackets", member("weight.npy", npy_with_header("(" * 5000))),
    ("npy of an unknown version", member("weight.npy", npy_with_header("{}", version=b"\x09\x00"))),
    ("npy without its magic", member("weight.npy", b"NOT NUMPY")),
    ("empty member", member("weight.npy", b"")),
    ("negative shape", member("weight.npy", npy_with_header(SPEC.format("'<f8'", False, (-1,))))),
    ("shape beyond memory",
     member("weight.npy", npy_with_header(SPEC.format("'<f8'", False, (10**18,))))),
    ("shape that overflows to zero",
     member("weight.npy", npy_with_header(SPEC.format("'<f8'", False, (2**32, 2**32))))),
    ("shape of booleans",
     member("weight.npy", npy_with_header(SPEC.format("'<f8'", False, (True,)), bytes(8)))),
    ("shape of text", member("weight.npy", npy_with_header(SPEC.format("'<f8'", False, "'4'")))),
    ("unknown type", member("weight.npy", npy_with_header(SPEC.format("'<q9'", 0, (4,))))),
    ("type of size zero",
     member("weight.npy", npy_with_header(SPEC.format("'|V0'", False, (10**9,))))),
    ("records of objects",
     member("weight.npy", npy_with_header(SPEC.format("[('a', '|O')]", False, (4,)), bytes(32)))),
    ("fewer bytes than declared",
     member("weight.npy", npy_with_header(SPEC.format("'<f8'", False, (4,)), bytes(31)))),
    ("more bytes than declared",
     member("weight.npy", npy_with_header(SPEC.format("'<f8'", False, (4,)), bytes(33)))),
    ("header that is not JSON", header_of("{not json")),
    ("header that is a list", header_of("[1, 2, 3]")),
    ("header of nested brackets", header_of("[" * 100_000)),
    ("header that lacks the checksum", header_of(json.dumps({"kind": KIND, "version": 1}))),
    ("header with another checksum",
     header_of(json.dumps({"kind": KIND, "version": 1, "sha256": "0" * 64}))),
    ("header with a number as checksum",
     header_of(json.dumps({"kind": KIND, "version": 1, "sha256": 0}))),
    ("header of numbers", member("header.npy", npy(np.arange(3.0)))),
    ("version as text", header_of(json.dumps({"kind": KIND, "version": "1", "sha256": ""}))),
    ("version of the future", header_of(json.dumps({"kind": KIND, "version": 99, "sha256": ""}))),
    ("no header", lambda members: {k: v for k, v in members.items() if k != "header.npy"}),
    ("nothing", lambda members: {}),
    ("a path out of the archive", member("../../escape.npy", npy(np.ones(2)))),
    ("an absolute path", member("/tmp/escape.npy", npy(np.ones(2)))),
    ("a folder", member("folder/", b"")),
    ("a name that is a method", member("save.npy", npy(np.ones(2)))),
    ("a name that is not an identifier", member("whole sums.npy", npy(np.ones(2)))),
    ("a text file", member("README.txt", b"hello")),
]  # fmt: skip


@pytest.mark.parametrize("change", cases(HOSTILE))
def test_hostile_members(change, clean, tmp_path, monkeypatch, check):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "hostile.npz"
    path.write_bytes(with_members(archive_arrays(clean), change))
    with check.refused(ValueError, r"hostile\.npz (is|holds|has) .*"):
        Moments.load(path)
    assert [file.name for file in tmp_path.iterdir()] == ["hostile.npz"]


def changed(**arrays):
    return lambda moments: archive_arrays(moments) | arrays


ODD_ARRAYS = [
    ("big-endian", lambda m: archive_arrays(m) | {"weight": m.weight.astype(">f8")}),
    ("single precision", lambda m: archive_arrays(m) | {"xx": m.xx.astype("f4")}),
    ("complex", lambda m: archive_arrays(m) | {"xy": m.xy + 0j}),
    ("dates", lambda m: archive_arrays(m) | {"yy": m.yy.astype("datetime64[s]")}),
    ("words", changed(yy=np.full((K, Q), "many"))),
    ("records", changed(yy=np.zeros((K, Q), [("a", "f8")]))),
    ("one number", changed(weight=np.array(40.0))),
    ("a shift in two dimensions", lambda m: archive_arrays(m) | {"x_shift": m.x_shift[:, None]}),
    ("a shift of one number", changed(x_shift=np.array(0.0))),
    ("NaN in a shift", changed(x_shift=np.full(P, np.nan))),
    ("infinite number of cells", changed(n_cells=np.full(K, np.inf))),
    ("negative number of cells", changed(n_cells=np.full(K, -10.0))),
    ("booleans as training sets", lambda m: archive_arrays(m)
     | {"layout_training": m.layout.training.astype(bool)}),
    ("training sets of numbers", changed(layout_training=np.full((K, K), 2.0))),
    ("training sets as one number", changed(layout_training=np.array(1.0))),
    ("totals in two dimensions", changed(layout_total=np.ones((1, K)))),
    ("totals as one number", changed(layout_total=np.array(1.0))),
    ("one part as a number", changed(layout_held_out=np.array(0))),
    ("parts as unsigned", changed(layout_held_out=np.arange(K).astype(np.uint64))),
    ("numbers as names", changed(feature_names=np.arange(4))),
    ("names in two dimensions", changed(feature_names=np.array([list("abcd")]))),
    ("names of targets as one text", changed(target_names=np.array("abc"))),
]  # fmt: skip


@pytest.mark.parametrize("make", cases(ODD_ARRAYS))
def test_valid_files_of_odd_arrays(make, clean, tmp_path, check):
    path = tmp_path / "odd.npz"
    archive.write_arrays(path, KIND, 1, make(clean))
    with check.refused(ValueError, r"odd\.npz holds no valid moments"):
        Moments.load(path)


CONTRADICTIONS = [
    ("a negative square", lambda m: archive_arrays(m) | {"yy": -m.yy}, "are not sums over cells"),
    ("a correlation above one", lambda m: archive_arrays(m) | {"xy": 100 * m.xy}, "are not sums"),
    ("means beyond the squares", lambda m: archive_arrays(m) | {"x_sum": m.x_sum + 1e6},
     "are not sums"),
    ("TFs that correlate above one", lambda m: archive_arrays(m)
     | {"xx": m.xx + 1e5 * (1 - np.eye(P))}, "are not sums"),
    ("weight without cells", lambda m: archive_arrays(m) | {"n_cells": 0 * m.n_cells},
     "are not sums|training set"),
    ("cells without weight", lambda m: archive_arrays(m) | {"weight": 0 * m.weight},
     "are not sums"),
    ("squares of 1e300", lambda m: archive_arrays(m) | {"xx": m.xx * 1e300, "xy": m.xy * 1e150},
     "too large for double precision"),
    ("targets of 1e150", lambda m: archive_arrays(m) | {"yy": m.yy * 1e300, "xy": m.xy * 1e150},
     "too large for double precision"),
    ("a fold without training cells", lambda m: archive_arrays(m)
     | {"layout_training": np.zeros((K, K))}, "training set of fold 0 has no cell"),
    ("a total of nothing", lambda m: archive_arrays(m) | {"layout_total": np.zeros(K)},
     "Cross-validation needs cells"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "message"), cases(CONTRADICTIONS))
def test_valid_files_of_sums_that_contradict_each_other(make, message, clean, tmp_path, check):
    path = tmp_path / "contradiction.npz"
    archive.write_arrays(path, KIND, 1, make(clean))
    with check.refused(ValueError, message):
        SciFateRegressor().fit_moments(Moments.load(path))


SAME_FILES = [
    ("Fortran order", lambda m: {k: np.asfortranarray(v) for k, v in archive_arrays(m).items()}),
    ("non-contiguous", lambda m: archive_arrays(m) | {"xy": np.repeat(m.xy, 2, axis=2)[:, :, ::2]}),
    ("names of unusual characters", lambda m: archive_arrays(m)
     | {"feature_names": np.array(["α", "β\n", "", "../../etc/passwd"])}),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("make", cases(SAME_FILES))
def test_unusual_but_valid_files(make, clean, tmp_path, check):
    archive.write_arrays(tmp_path / "right.npz", KIND, 1, make(clean))
    with check.few_warnings():
        loaded = Moments.load(tmp_path / "right.npz")
    assert_same_moments(loaded, clean, check)


WRONG_PATHS = [
    ("a folder", lambda folder: folder, OSError),
    ("nothing there", lambda folder: folder / "nothing.npz", FileNotFoundError),
    ("below a file", lambda folder: folder / "file" / "moments.npz", OSError),
    ("a name too long", lambda folder: folder / ("x" * 300), OSError),
    ("a null byte", lambda folder: f"{folder}/a\0b", ValueError),
    ("empty text", lambda folder: "", OSError),
    ("a dangling link", lambda folder: folder / "link", FileNotFoundError),
]


@pytest.mark.parametrize(("make", "error"), cases(WRONG_PATHS))
def test_paths_that_are_not_files(make, error, clean, tmp_path, check):
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with check.refused(error, ""):
        Moments.load(make(tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "link"]


# ---------------------------------------------------------------------------- hypothesis


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    stops=st.lists(st.integers(1, N - 1), unique=True, max_size=6).map(sorted),
    dtypes=st.lists(st.sampled_from(["f4", "f8", "i1", "i8"]), min_size=7, max_size=7),
    containers=st.lists(
        st.sampled_from([np.asarray, np.asfortranarray, sp.csr_array, sp.csc_matrix]),
        min_size=7,
        max_size=7,
    ),
    hole=st.sampled_from([None, None, np.nan, np.inf]),
)
def test_any_cut_type_and_container(stops, dtypes, containers, hole, matrices, clean, check):
    X, Y = matrices()
    chunks = [
        tuple(make(A.astype(dtype)) for A in c)
        for c, make, dtype in zip(cut(X, Y, *stops), containers, dtypes, strict=False)
    ]
    if hole is not None:
        chunks[-1] = (chunks[-1][0], put_last(cut(X, Y, *stops)[-1][1], hole))
        name = "NaN" if np.isnan(hole) else "infinity"
        with check.refused(ValueError, f"Y of chunk {len(chunks) - 1}.*contains {name}"):
            Moments.from_chunks(chunks, make_plan())
        return
    with check.few_warnings():
        moments = Moments.from_chunks(chunks, make_plan())
    assert_same_moments(moments, clean, check)


def put_last(A, value):
    A = A.copy()
    A[-1, -1] = value
    return A


@settings(max_examples=50, deadline=None, derandomize=True)
@given(data=st.data())
def test_any_member_of_any_bytes(clean, tmp_path_factory, check, data):
    """Random bytes in place of one member, with all checksums of the archive recomputed."""
    names = [f"{name}.npy" for name in ["header", *archive_arrays(clean)]]
    name, junk = data.draw(st.sampled_from(names)), data.draw(st.binary(max_size=200))
    start = data.draw(st.sampled_from([b"", b"\x93NUMPY\x01\x00", b"\x93NUMPY\x02\x00"]))
    path = tmp_path_factory.mktemp("bytes") / "random.npz"
    path.write_bytes(with_members(archive_arrays(clean), member(name, start + junk)))
    with check.refused(ValueError, r"random\.npz is "):
        Moments.load(path)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    name=st.sampled_from(["weight", "n_cells", "x_sum", "y_sum", "xx", "xy", "yy", "x_shift"]),
    factor=st.sampled_from([-1.0, 0.0, 1e-8, 0.5, 2.0, 1e8, 1e100, 1e200]),
    position=st.integers(0, 3),
)
def test_any_wrong_sum(name, factor, position, clean, tmp_path_factory, check):
    """One wrong number causes an error or a well-formed result."""
    arrays = archive_arrays(clean)
    array = arrays[name].copy()
    array.ravel()[position] *= factor
    path = tmp_path_factory.mktemp("sums") / "wrong.npz"
    archive.write_arrays(path, KIND, 1, arrays | {name: array})
    with check.few_warnings():
        model, message = try_fit(path)
    if model is None:
        assert "oments" in message or "weight" in message
    else:
        check.well_formed(model)


def try_fit(path):
    """Return the model and no message, or no model and the message of the ValueError."""
    try:
        return SciFateRegressor().fit_moments(Moments.load(path)), ""
    except ValueError as error:
        return None, str(error)
