"""Tests of prepare_anndata with malformed layers, names and options."""

import pathlib
import warnings

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from scifate_sklearn import SciFateRegressor, prepare_anndata

N_CELLS, N_GENES = 40, 10
GENES = [f"Gene{i}" for i in range(N_GENES)]
TFS = ["Gene1", "Gene3", "Gene5", "Gene7"]
LAYERS = ("new", "total")
UMI = 10


def make_counts():
    rng = np.random.default_rng(0)
    depth = rng.uniform(0.5, 2, size=(N_CELLS, 1))
    total = rng.poisson(rng.permutation(np.geomspace(1, 20, N_GENES)) * depth).astype(float)
    return {"new": rng.binomial(total.astype(int), 0.4).astype(float), "total": total}


def make_adata(names=GENES, layers=None, **columns):
    layers = make_counts() | (layers or {})
    n_cells = layers["total"].shape[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # anndata warns if names are not strings or not unique
        adata = ad.AnnData(
            obs=pd.DataFrame(index=[f"cell{i}" for i in range(n_cells)]),
            var=pd.DataFrame(columns, index=pd.Index(names)),
        )
        for name, layer in layers.items():
            adata.layers[name] = layer
    return adata


def prepare(adata, tf_names=TFS, **options):
    return prepare_anndata(adata, tf_names, **{"cell_filter_UMI": UMI, **options})


def as_values(layer):
    """Return the option for a layer that holds values."""
    return {"response" if layer == "new" else "regulators": "values"}


def cases(table):
    return [pytest.param(*row[1:], id=row[0]) for row in table]


def assert_same_inputs(inputs, expected, rtol=1e-9):
    for frame, same in zip(inputs, expected, strict=True):
        pd.testing.assert_frame_equal(frame, same, rtol=rtol, atol=1e-12)


def assert_well_formed(inputs):
    assert not inputs.tf_matrix.isna().any(axis=None)
    assert not inputs.target_matrix.isna().any(axis=None)
    assert np.isfinite(inputs.tf_matrix.to_numpy()).all()
    assert np.isfinite(inputs.target_matrix.to_numpy()).all()
    assert inputs.genes.index.is_unique
    assert inputs.tf_matrix.columns.is_unique


@pytest.fixture(scope="module")
def clean():
    return {
        ("new", "counts"): prepare(make_adata()),
        ("total", "counts"): prepare(make_adata()),
        ("new", "values"): prepare(make_adata(), response="values"),
        ("total", "values"): prepare(make_adata(), regulators="values"),
    }


# ---------------------------------------------------------------------------- the same counts


def read_only(A):
    A.flags.writeable = False
    return A


def unsorted_csr(A):
    S = sp.csr_matrix(A[:, ::-1])
    S.indices = (A.shape[1] - 1 - S.indices).astype(S.indices.dtype)
    S.has_sorted_indices = False
    return S


def stored_twice(make):
    def change(A):
        S = make(A)
        halves = (np.repeat(S.data / 2, 2), np.repeat(S.indices, 2), 2 * S.indptr)
        return type(S)(halves, shape=S.shape)

    return change


def with_stored_zeros(A):
    n, p = A.shape
    return sp.csr_matrix((A.ravel(), np.tile(np.arange(p), n), np.arange(n + 1) * p), shape=A.shape)


def with_int64_indices(A):
    S = sp.csr_array(A)
    S.indices, S.indptr = S.indices.astype(np.int64), S.indptr.astype(np.int64)
    return S


SAME_COUNTS = [
    *((t, lambda A, t=t: A.astype(t)) for t in ("f2", "f4", "longdouble", ">f8")),
    *((t, lambda A, t=t: A.astype(t)) for t in ("i1", "u2", ">i4")),
    ("Fortran order", np.asfortranarray),
    ("strided view", lambda A: np.repeat(np.repeat(A, 2, 0), 3, 1)[::2, ::3]),
    ("backward view", lambda A: A[::-1].copy()[::-1]),
    ("read-only", read_only),
    ("masked array without masks", np.ma.array),
    ("frame", lambda A: pd.DataFrame(A, [f"cell{i}" for i in range(N_CELLS)], GENES)),
    ("negative zeros", lambda A: np.where(A == 0, -0.0, A)),
    ("CSR of uint8", lambda A: sp.csr_matrix(A.astype(np.uint8))),
    ("CSC of float32", lambda A: sp.csc_array(A.astype(np.float32))),
    ("unsorted CSR", unsorted_csr),
    ("CSR with entries stored twice", stored_twice(sp.csr_matrix)),
    ("CSC with entries stored twice", stored_twice(sp.csc_array)),
    ("CSR with stored zeros", with_stored_zeros),
    ("CSR with int64 indices", with_int64_indices),
]  # fmt: skip


@pytest.mark.parametrize("kind", ["counts", "values"])
@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("form", cases(SAME_COUNTS))
def test_the_same_numbers_in_any_storage(form, layer, kind, clean, check):
    adata = make_adata(layers={layer: form(make_counts()[layer])})
    before = check.fingerprint(adata.layers[layer])
    with check.few_warnings():
        inputs = prepare(adata, **(as_values(layer) if kind == "values" else {}))
    assert_well_formed(inputs)
    assert_same_inputs(inputs, clean[layer, kind])
    check.same_input(adata.layers[layer], before)


# ---------------------------------------------------------------------------- invalid counts


def put(value, dtype=float):
    def change(A):
        A = A.astype(dtype)
        A[3, 1] = value
        return A

    return change


def broken(make, part, position, value):
    def change(A):
        S = make(A)
        getattr(S, part)[position] = value
        return S

    return change


NOT_REAL = "layer '{layer}' must hold real numbers, found dtype"
DAMAGED = "layer '{layer}' is a damaged sparse matrix"
NOT_NUMERIC = [
    ("objects that are text", lambda A: A.astype(str).astype(object), TypeError, NOT_REAL[:-5]),
    ("text", lambda A: A.astype(str), TypeError, NOT_REAL),
    ("truth values", lambda A: A > 0, TypeError, NOT_REAL),
    ("sparse truth values", lambda A: sp.csr_matrix(A > 0), TypeError, NOT_REAL),
    ("complex", lambda A: A + 1j, TypeError, NOT_REAL),
    ("durations", lambda A: A.astype("timedelta64[s]"), TypeError, NOT_REAL),
    ("masked", lambda A: np.ma.masked_equal(A, A[3, 1]), ValueError, "'{layer}' has .*masked"),
    ("CSR with a gene beyond", broken(sp.csr_matrix, "indices", 3, 10**6), ValueError, DAMAGED),
    ("CSR with a negative gene", broken(sp.csr_array, "indices", 3, -2), ValueError, DAMAGED),
    ("CSR whose cells go backwards", broken(sp.csr_matrix, "indptr", 4, 0), ValueError, DAMAGED),
    ("CSR whose cells end beyond", broken(sp.csr_matrix, "indptr", -1, 10**9), ValueError, DAMAGED),
    ("CSC with a cell beyond", broken(sp.csc_matrix, "indices", 3, 10**6), ValueError, DAMAGED),
]  # fmt: skip


@pytest.mark.parametrize("kind", ["counts", "values"])
@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize(("form", "error", "message"), cases(NOT_NUMERIC))
def test_layers_without_real_numbers(form, error, message, layer, kind, check):
    adata = make_adata(layers={layer: form(make_counts()[layer])})
    with check.refused(error, message.format(layer=layer)):
        prepare(adata, **(as_values(layer) if kind == "values" else {}))


NOT_COUNTS = [
    ("NaN", put(np.nan), "has 1 NaN or infinite"),
    ("infinity in float32", put(np.inf, "f4"), "has 1 NaN or infinite"),
    ("all NaN", lambda A: A * np.nan, "has 400 NaN or infinite"),
    ("CSR with NaN", lambda A: sp.csr_matrix(put(np.nan)(A)), "has 1 NaN or infinite"),
    ("negative", put(-1.0), r"has 1 negative value\(s\).*`(response|regulators)='values'`"),
    ("negative and tiny", put(-5e-324), r"has 1 negative value"),
    ("negative int8", put(-128, "i1"), r"has 1 negative value\(s\), the smallest -128"),
    ("CSC with a negative", lambda A: sp.csc_matrix(put(-2.0)(A)), "has 1 negative"),
    ("logarithms", lambda A: np.log(A + 0.1), "negative.*Pass raw counts, neither logged"),
    ("1e150", lambda A: A * 1e150, "has values up to .*too large to be counts"),
    ("1e308", put(1e308), "has values up to 1e.308, too large to be counts"),
    ("beyond double precision", put(np.longdouble("1e4000"), "longdouble"), "too large to be"),
]


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize(("form", "message"), cases(NOT_COUNTS))
def test_layers_without_valid_counts(form, message, layer, check):
    adata = make_adata(layers={layer: form(make_counts()[layer])})
    with check.refused(ValueError, f"layer '{layer}' .*{message}"):
        prepare(adata)


# ---------------------------------------------------------------------------- extreme numbers


@pytest.mark.parametrize("make", [np.asarray, sp.csr_matrix], ids=["dense", "CSR"])
@pytest.mark.parametrize("power", [-300, -150, -30, 30, 150, 300])
@pytest.mark.parametrize("layer", LAYERS)
def test_values_on_extreme_scales(layer, power, make, clean, check):
    """A z-score does not depend on the scale."""
    adata = make_adata(layers={layer: make(make_counts()[layer] * 10.0**power)})
    with check.few_warnings():
        inputs = prepare(adata, **as_values(layer))
    assert_well_formed(inputs)
    which = "target_matrix" if layer == "new" else "tf_matrix"
    expected = getattr(clean[layer, "values"], which)
    if layer == "total":
        assert list(inputs.tf_matrix.columns) == list(expected.columns)
    np.testing.assert_allclose(
        getattr(inputs, which)[expected.columns[:4]],
        expected[expected.columns[:4]],
        rtol=1e-9,
        atol=1e-12,
    )


@pytest.mark.parametrize("value", [1.7e308, -1.7e308, 5e-324])
@pytest.mark.parametrize("layer", LAYERS)
def test_one_extreme_value(layer, value, check):
    adata = make_adata(layers={layer: put(value)(make_counts()[layer])})
    with check.few_warnings():
        inputs = prepare(adata, **as_values(layer))
    assert_well_formed(inputs)
    frame = inputs.target_matrix if layer == "new" else inputs.tf_matrix
    np.testing.assert_allclose(frame["Gene1"].std(), 1.0, rtol=1e-9)


def test_values_from_end_to_end_of_double_precision(check):
    values = np.where(make_counts()["new"] > 3, 1.7e308, -1.7e308)
    with check.few_warnings():
        inputs = prepare(make_adata(layers={"new": values}), response="values")
    assert_well_formed(inputs)
    np.testing.assert_allclose(inputs.target_matrix["Gene1"].std(), 1.0, rtol=1e-9)


def test_values_beyond_double_precision_are_left_out(check):
    values = put(np.longdouble("1e4000"), "longdouble")(make_counts()["new"])
    with check.few_warnings() as caught:
        inputs = prepare(make_adata(layers={"new": values}), response="values")
    assert_well_formed(inputs)
    assert "Gene1" not in inputs.target_matrix
    assert "1 of 10 targets were left out" in str(caught[0].message)


HUGE = [
    ("int64 near its end", lambda A: (A * 2.0**57).astype(np.int64)),
    ("uint64 beyond int64", lambda A: (A * 2.0**58).astype(np.uint64)),
    ("int32 whose sums overflow", lambda A: (A * 2.0**25).astype(np.int32)),
    ("float32 beyond whole numbers", lambda A: (A * 2.0**80).astype(np.float32)),
    ("1e80", lambda A: A * 2.0**265),
]


@pytest.mark.parametrize("make", [np.asarray, sp.csr_matrix], ids=["dense", "CSR"])
@pytest.mark.parametrize("form", cases(HUGE))
def test_huge_counts(form, make, check):
    counts = make_counts()
    counts = {name: np.minimum(layer, 31) for name, layer in counts.items()}
    huge = {name: form(layer) for name, layer in counts.items()}
    assert all((layer >= 0).all() for layer in huge.values())
    with check.few_warnings():
        inputs = prepare(make_adata(layers={name: make(layer) for name, layer in huge.items()}))
        floats = {name: layer.astype(np.float64) for name, layer in huge.items()}
        expected = prepare(make_adata(layers=floats))
    assert_well_formed(inputs)
    assert_same_inputs(inputs, expected)
    ratio = counts["new"].sum(axis=1) / counts["total"].sum(axis=1)
    np.testing.assert_allclose(inputs.cells["labeling_ratio"], ratio, rtol=1e-9)


TINY = [
    ("1e-150", lambda A: A * 1e-150, "does not hold counts but fractions"),
    ("fractions below one half", lambda A: A / 1e3, "does not hold counts but fractions"),
    ("all zero", lambda A: 0 * A, "No gene is left.*Lower gene_filter_rate, or check nt_layers"),
    ("no stored entries", lambda A: sp.csr_matrix(A.shape), "No gene is left"),
]


@pytest.mark.parametrize(("form", "message"), cases(TINY))
def test_counts_too_small_to_count(form, message, check):
    with check.refused(ValueError, message):
        prepare(make_adata(layers={"total": form(make_counts()["total"])}))


def test_counts_that_round_to_nothing(check):
    total = make_counts()["total"] / 1e3
    total[0] *= 1370.0
    with check.refused(ValueError, r"39 of 40 cell\(s\) have no total counts left after rounding"):
        prepare(make_adata(layers={"total": total}), cell_filter_UMI=0)


# ---------------------------------------------------------------------------- odd shapes

ODD_CELLS = [
    ("one cell", lambda A: A[:1]),
    ("two cells", lambda A: A[:2]),
    ("all cells the same", lambda A: np.repeat(A[:1], N_CELLS, axis=0)),
    ("one cell with everything", lambda A: np.where(np.arange(len(A))[:, None] == 3, 1e6 * A, A)),
]


@pytest.mark.parametrize("form", cases(ODD_CELLS))
def test_odd_cells(form, check):
    layers = {name: form(layer) for name, layer in make_counts().items()}
    with check.few_warnings():
        inputs = prepare(make_adata(layers=layers))
    assert_well_formed(inputs)
    for frame in (inputs.tf_matrix, inputs.target_matrix):
        sd = frame.std(ddof=1) if len(frame) > 1 else frame.max()
        assert (np.isclose(sd, 1.0) | (sd == 0.0)).all()


def test_one_gene(check):
    layers = {name: layer[:, 3:4] for name, layer in make_counts().items()}
    with check.few_warnings():
        inputs = prepare(make_adata(["Gene3"], layers), cell_filter_UMI=0)
        model = SciFateRegressor(cv=3).fit(inputs.tf_matrix, inputs.target_matrix)
    assert_well_formed(inputs)
    check.well_formed(model)


@pytest.mark.parametrize("shape", [(0, N_GENES), (0, 0)], ids=["no cells", "nothing"])
def test_nothing(shape, check):
    layers = {name: np.empty(shape) for name in LAYERS}
    with check.refused(ValueError, f"adata is empty: 0 cells and {shape[1]} genes"):
        prepare(make_adata(GENES[: shape[1]], layers))


# ---------------------------------------------------------------------------- names

WRONG_TFS = [
    ("None", None, TypeError, "tf_names must be a collection of names, got NoneType"),
    ("number", 3, TypeError, "tf_names must be a collection of names, got int"),
    ("one name", "Gene1", TypeError, r"got the string 'Gene1'; read a file with read_tf_names"),
    ("bytes", b"Gene1", TypeError, "tf_names must be a collection.*read_tf_names"),
    ("path", pathlib.Path("tfs.txt"), TypeError, "'tfs.txt'; read a file with read_tf_names"),
    ("table", pd.DataFrame({"TF": TFS}), TypeError, "got DataFrame; of a table pass one column"),
    ("array of two dimensions", np.array([TFS]), TypeError, "tf_names must be .*got ndarray"),
    ("array of none", np.array("Gene1"), TypeError, "tf_names must be .*got ndarray"),
    ("lists in a list", [["Gene1"], ["Gene3"]], TypeError, r"must be strings.*\['Gene1'\]"),
    ("None among names", ["Gene1", None], TypeError, r"must be strings, found others \(None\)"),
    ("NaN among names", ["Gene1", np.nan], TypeError, r"must be strings, found others \(nan\)"),
    ("numbers", [1, 3], TypeError, r"must be strings, found others \(1, 3\)"),
    ("bytes among names", [b"Gene1"], TypeError, "must be strings, found others"),
    ("empty", [], ValueError, "tf_names is empty"),
    ("empty name", [""], ValueError, "None of the 1 names .* is among the 10 gene names"),
    ("upper case", ["GENE1"], ValueError, "match when letter case is ignored"),
    ("spaces around", [" Gene1 "], ValueError, "None of the 1 names in .*such as blanks"),
]  # fmt: skip


@pytest.mark.parametrize(("tf_names", "error", "message"), cases(WRONG_TFS))
def test_invalid_tf_names(tf_names, error, message, check):
    with check.refused(error, message):
        prepare(make_adata(), tf_names)


SAME_TFS = [
    ("Series", pd.Series(TFS, index=[5, 5, 6, 6])),
    ("Index", pd.Index(TFS)),
    ("array", np.array(TFS)),
    ("array of objects", np.array(TFS, object)),
    ("categories", pd.Series(TFS, dtype="category")),
    ("set", set(TFS)),
    ("generator", (name for name in TFS)),
    ("repeated", TFS[::-1] * 3),
    ("with 50,000 others", [*TFS, *map(str, range(50_000))]),
]


@pytest.mark.parametrize("tf_names", cases(SAME_TFS))
def test_tf_names_in_any_container(tf_names, clean, check):
    with check.few_warnings():
        inputs = prepare(make_adata(), tf_names)
    assert_same_inputs(inputs, clean["new", "counts"])


@pytest.mark.parametrize("name", ["new_size_factor", "labeling_ratio"])
def test_a_tf_with_the_name_of_a_covariate(name, check):
    with check.refused(ValueError, f"The TF '{name}' has the name of a covariate; rename"):
        prepare(make_adata([name, *GENES[1:]]), [name, *TFS])
    with check.few_warnings():  # genes that are not TFs may have this name
        assert name in prepare(make_adata([name, *GENES[1:]])).target_matrix


UNUSUAL = ["\t.", "a b", "a\nb", "a,b", '"', "../../x", "a" * 10_000, "é", "e\u0301", "=1+1"]


def test_unusual_gene_names_are_kept_unchanged(clean, check):
    with check.few_warnings():
        inputs = prepare(make_adata(UNUSUAL), [UNUSUAL[i] for i in (1, 3, 5, 7)])
        model = SciFateRegressor(cv=3).fit(inputs.tf_matrix, inputs.target_matrix)
    assert list(inputs.target_matrix.columns) == UNUSUAL
    np.testing.assert_array_equal(inputs.tf_matrix, clean["new", "counts"].tf_matrix)
    check.well_formed(model)
    assert set(model.links_["TF"]) <= {UNUSUAL[i] for i in (1, 3, 5, 7)}


SYMBOLS = [
    ("all missing", [np.nan] * N_GENES, GENES),
    ("None and empty", [None, "", " ", *GENES[3:]], GENES),
    ("categories with a missing one", pd.Categorical([None, *GENES[1:]]), GENES),
    ("nullable strings", pd.array([pd.NA, *GENES[1:]], "string"), GENES),
    ("Arrow strings", pd.array([pd.NA, *GENES[1:]], "string[pyarrow]"), GENES),
]


@pytest.mark.parametrize(("symbols", "expected"), cases(SYMBOLS))
def test_missing_symbols(symbols, expected, clean, check):
    with check.few_warnings():
        inputs = prepare(make_adata(symbol=symbols), gene_symbols="symbol")
    assert list(inputs.genes.index) == expected
    assert_same_inputs(inputs, clean["new", "counts"])


def test_all_genes_with_the_same_name(check):
    with check.few_warnings() as caught:
        inputs = prepare(make_adata(symbol=["Gene1"] * 10), gene_symbols="symbol")
    assert_well_formed(inputs)
    assert list(inputs.genes.index) == ["Gene1"]
    assert "9 of 10 gene columns were dropped" in str(caught[0].message)


def test_symbols_that_are_numbers(check):
    with check.refused(
        ValueError, "None of the 4 names in `tf_names` is among .*genes: '0', '1', '2'"
    ):
        prepare(make_adata(symbol=range(10)), gene_symbols="symbol")


def test_cells_with_the_same_name(clean, check):
    adata = make_adata()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        adata.obs_names = ["cell"] * N_CELLS
    with check.few_warnings():
        inputs = prepare(adata)
    np.testing.assert_array_equal(inputs.tf_matrix, clean["new", "counts"].tf_matrix)
    assert list(inputs.cells.index) == ["cell"] * N_CELLS


def test_two_columns_of_symbols_with_the_same_name(check):
    adata = make_adata(symbol=GENES)
    adata.var = pd.concat([adata.var, adata.var], axis=1)
    with check.refused(ValueError, "gene_symbols names 2 columns of adata.var.*'symbol'; rename"):
        prepare(adata, gene_symbols="symbol")


# ---------------------------------------------------------------------------- options

TWO_NAMES = "`nt_layers` must be two layer names"
A_FRACTION = "`gene_filter_rate` must be a fraction"
A_NUMBER = "`cell_filter_UMI` must be a number"
WRONG_OPTIONS = [
    ("gene_filter_rate: text", {"gene_filter_rate": "0.1"}, A_FRACTION),
    ("gene_filter_rate: None", {"gene_filter_rate": None}, A_FRACTION),
    ("gene_filter_rate: array", {"gene_filter_rate": np.ones(2) / 2}, "`gene_filter_rate` must be"),
    ("gene_filter_rate: complex", {"gene_filter_rate": 0.1j}, "`gene_filter_rate` must be"),
    ("gene_filter_rate: per cent", {"gene_filter_rate": 10}, A_FRACTION),
    ("cell_filter_UMI: text", {"cell_filter_UMI": "10"}, A_NUMBER),
    ("cell_filter_UMI: None", {"cell_filter_UMI": None}, A_NUMBER),
    ("cell_filter_UMI: NaN", {"cell_filter_UMI": np.nan}, A_NUMBER),
    ("cell_filter_UMI: 10**400", {"cell_filter_UMI": 10**400}, A_NUMBER),
    ("nt_layers: None", {"nt_layers": None}, TWO_NAMES),
    ("nt_layers: number", {"nt_layers": 3}, TWO_NAMES),
    ("nt_layers: text", {"nt_layers": "new,total"}, TWO_NAMES),
    ("nt_layers: set", {"nt_layers": {"new", "total"}}, TWO_NAMES),
    ("nt_layers: dictionary", {"nt_layers": {"new": 1, "total": 2}}, TWO_NAMES),
    ("nt_layers: bytes", {"nt_layers": (b"new", b"total")}, TWO_NAMES),
    ("nt_layers: three", {"nt_layers": ("new", "total", "X")}, TWO_NAMES),
    ("nt_layers: empty names", {"nt_layers": ("", "")}, "names the layer '', which adata does not"),
    ("nt_layers: a path", {"nt_layers": ("../new", "total")}, "layer '../new', which adata does"),
    ("nt_layers: other case", {"nt_layers": ("New", "total")}, "There are: 'new', 'total'"),
    ("response: list", {"response": ["counts"]}, "`response` must be 'counts' or 'values'"),
    ("response: array", {"response": np.array(["counts", "x"])}, "`response` must be 'counts'"),
    ("regulators: truth value", {"regulators": True}, "`regulators` must be 'counts' or 'values'"),
    ("gene_symbols: number", {"gene_symbols": 3}, "gene_symbols names the column 3"),
    ("gene_symbols: list", {"gene_symbols": ["symbol"]}, "gene_symbols names the column"),
    ("gene_symbols: empty", {"gene_symbols": ""}, "gene_symbols names the column ''"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "message"), cases(WRONG_OPTIONS))
def test_invalid_options(options, message, check):
    with check.refused(ValueError, message):
        prepare(make_adata(), **options)


NOT_ANNDATA = [
    ("None", None),
    ("path", "cells.h5ad"),
    ("class", ad.AnnData),
    ("array", make_counts()["total"]),
    ("dictionary", {"layers": make_counts()}),
    ("layers", make_adata().layers),
]


@pytest.mark.parametrize("adata", cases(NOT_ANNDATA))
def test_other_objects_than_anndata(adata, check):
    with check.refused(TypeError, f"adata must be an AnnData, got {type(adata).__name__}"):
        prepare(adata)


def test_a_layer_on_disk(tmp_path, check):
    adata = make_adata()
    adata.X = sp.csr_matrix(adata.layers["total"])
    adata.write_h5ad(tmp_path / "cells.h5ad")
    backed = ad.read_h5ad(tmp_path / "cells.h5ad", backed="r")
    with check.few_warnings():
        inputs = prepare(backed, nt_layers=("new", "X"))
    backed.file.close()
    pd.testing.assert_frame_equal(inputs.tf_matrix, prepare(make_adata()).tf_matrix)


def test_one_layer_as_both(check):
    with check.few_warnings():
        inputs = prepare(make_adata(), nt_layers=("total", "total"))
    assert_well_formed(inputs)
    assert (inputs.cells["labeling_ratio"] == 1).all()
    assert "labeling_ratio" not in inputs.tf_matrix


# ---------------------------------------------------------------------------- hypothesis

CONTAINERS = {
    "dense": np.asarray,
    "Fortran": np.asfortranarray,
    "CSR": sp.csr_matrix,
    "CSC": sp.csc_array,
    "unsorted": unsorted_csr,
    "stored twice": stored_twice(sp.csr_array),
}


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    layer=st.sampled_from(LAYERS),
    kind=st.sampled_from(["counts", "values"]),
    container=st.sampled_from(list(CONTAINERS)),
    dtype=st.sampled_from(["f4", "f8", "i1", "i8", "u4"]),
    hole=st.sampled_from([None, np.nan, np.inf, -np.inf, -1.0]),
    cell=st.integers(0, N_CELLS - 1),
    gene=st.integers(0, N_GENES - 1),
)
def test_any_invalid_entry_anywhere(layer, kind, container, dtype, hole, cell, gene, clean, check):
    counts = make_counts()[layer]
    if hole is not None:
        counts[cell, gene] = hole
    elif not (container == "stored twice" and dtype[0] != "f"):  # halves are not integers
        counts = counts.astype(dtype)
    adata = make_adata(layers={layer: CONTAINERS[container](counts)})
    options = as_values(layer) if kind == "values" else {}
    is_wrong = hole is not None and (kind == "counts" or (layer == "total" and hole != -1.0))
    if is_wrong and (kind == "counts" or GENES[gene] in TFS):
        with check.refused(ValueError, f"layer '{layer}' has "):
            prepare(adata, **options)
        return
    with check.few_warnings():
        inputs = prepare(adata, **options)
    assert_well_formed(inputs)
    left_out = [GENES[gene]] if layer == "new" and hole not in (None, -1.0) else []
    assert [name for name in GENES if name not in inputs.target_matrix] == left_out
    if hole is None:
        assert_same_inputs(inputs, clean[layer, kind])


@settings(max_examples=40, deadline=None, derandomize=True)
@given(powers=st.lists(st.integers(-323, 305), min_size=N_GENES, max_size=N_GENES))
def test_values_of_any_scale(powers, clean, check):
    counts = make_counts()["new"]
    values = counts * 10.0 ** np.array(powers, float)
    with check.few_warnings():
        inputs = prepare(make_adata(layers={"new": values}), response="values")
    assert_well_formed(inputs)
    ordinary = np.abs(powers) < 300  # denormal numbers have fewer digits
    np.testing.assert_allclose(
        inputs.target_matrix.loc[:, ordinary],
        clean["new", "values"].target_matrix.loc[:, ordinary],
        rtol=1e-9,
        atol=1e-12,
    )


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    names=st.lists(
        st.text(min_size=1, max_size=4).filter(str.strip), min_size=N_GENES, max_size=N_GENES
    ),
    wanted=st.lists(st.integers(0, N_GENES - 1), min_size=1, max_size=4),
)
def test_any_names(names, wanted, check):
    tf_names = [names[i] for i in wanted]
    with check.few_warnings():
        inputs = prepare(make_adata(names), tf_names)
    assert_well_formed(inputs)
    assert set(inputs.genes.index) == set(names)
    assert set(inputs.genes.index[inputs.genes["is_tf"]]) == set(tf_names)
