"""Arrays and data frames of every type and library give the numbers and names of NumPy's types."""

import anndata
import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GroupKFold

from scifate_sklearn import (
    BindingReference,
    EncodeLinkFilter,
    MultiOutputLassoCV,
    SciFateRegressor,
    compare_links,
    prepare_anndata,
    prepare_moments,
    prior_penalties,
    score_network,
)
from scifate_sklearn.datasets import make_labelled_cells

N = 60
RNG = np.random.default_rng(0)
CELLS = [f"c{i}" for i in range(N)]
X = pd.DataFrame(RNG.integers(0, 9, (N, 4)).astype(float), CELLS, list("ABCD"))
Y = pd.DataFrame({"g": np.round(4 * X["A"] + RNG.normal(size=N)) + 40, "A": X["B"]}, CELLS)
WEIGHT = pd.Series(RNG.integers(1, 4, N), CELLS)
GROUPS = pd.Series(RNG.integers(0, 6, N), CELLS)
FACTOR = pd.Series([0, 3], ["C", "A"])
TABLE = pd.DataFrame({"g": [0, 3], "A": [1, 2]}, ["C", "A"])
LAMBDAS = pd.Series([2, 1, 3])

NULLABLE = ["Int64", "UInt16", "Float64", "category", "object"]
ARROW = ["int64[pyarrow]", "double[pyarrow]"]


def is_installed(dtype):
    if "pyarrow" in dtype:
        pytest.importorskip("pyarrow")


def fit(X=X, Y=Y, weight=None, groups=None, factor=None, lambdas="paper"):
    model = SciFateRegressor(cv=GroupKFold(4), penalty_factor=factor, lambdas=lambdas)
    groups = GROUPS if groups is None else groups
    return model.fit(X, Y, sample_weight=weight, groups=groups)


# Each argument: how to pass it, and its value in NumPy's types.
ARGUMENTS = {
    "tf_matrix": (lambda value: fit(X=value), X),
    "target_matrix": (lambda value: fit(Y=value), Y),
    "sample_weight": (lambda value: fit(weight=value), WEIGHT),
    "groups": (lambda value: fit(groups=value), GROUPS),
    "penalty_factor": (lambda value: fit(factor=value), FACTOR),
    "penalty_factor, table": (lambda value: fit(factor=value), TABLE),
    "lambdas": (lambda value: fit(lambdas=value), LAMBDAS),
}


def assert_same_model(one, two):
    np.testing.assert_array_equal(one.coef_, two.coef_)
    np.testing.assert_array_equal(one.lambda_, two.lambda_)
    pd.testing.assert_frame_equal(one.links_, two.links_)


@pytest.mark.parametrize("dtype", [*NULLABLE, *ARROW])
@pytest.mark.parametrize("argument", list(ARGUMENTS))
def test_types_of_numbers(argument, dtype):
    is_installed(dtype)
    call, plain = ARGUMENTS[argument]
    assert_same_model(call(plain.astype(dtype)), call(plain))


@pytest.mark.parametrize("dtype", [bool, "boolean", "bool[pyarrow]"])
@pytest.mark.parametrize(
    "argument", ["tf_matrix", "target_matrix", "sample_weight", "penalty_factor"]
)
def test_types_of_booleans(argument, dtype):
    is_installed(str(dtype))
    call, plain = ARGUMENTS[argument]
    plain = plain > plain.median()
    assert_same_model(call(plain.astype(dtype)), call(plain.astype(float)))


@pytest.mark.parametrize("dtype", ["Int64", "double[pyarrow]", "object", "category"])
@pytest.mark.parametrize("argument", list(ARGUMENTS))
def test_missing_values(argument, dtype):
    """The message is that of NaN, and shows the place."""
    is_installed(dtype)
    call, plain = ARGUMENTS[argument]
    value = plain.astype(dtype)
    if value.ndim == 2:
        value = value.assign(A=value["A"].where(np.arange(len(value)) != 1, None))
    else:
        value.iloc[1] = None
    name = argument.partition(",")[0]
    expected = {
        "tf_matrix": r"contains NaN: 1 value\(s\).* row 1 \('c1'\), column 0 \('A'\)",
        "target_matrix": r"contains NaN: 1 value\(s\).* row 1 \('c1'\), column 1 \('A'\)",
        "sample_weight": r"contains NaN: 1 value\(s\).* row 1 \('c1'\)",
        "groups": r"is missing for 1 cell\(s\), the first of them in row 1",
        "penalty_factor": "must hold numbers >= 0",
        "lambdas": "must hold positive, finite penalties",
    }[name]
    with pytest.raises(ValueError, match=f"`{name}` {expected}"):
        call(value)


@pytest.mark.parametrize("form", [lambda v: v, np.asarray, lambda v: np.asarray(v).tolist()])
def test_missing_values_among_objects(form):
    bad = X.astype(object)
    bad.iloc[3, 2] = pd.NA
    with pytest.raises(
        ValueError, match=r"`tf_matrix` contains NaN: 1 value.*row 3( .'c3'.)?, column 2"
    ):
        fit(form(bad))
    with pytest.raises(ValueError, match="`tf_matrix` contains NaN"):
        fit().predict(form(bad))
    with pytest.raises(ValueError, match=r"`target_matrix` contains NaN.*row 5"):
        fit().score(X, Y.assign(g=Y["g"].where(Y.index != "c5")))
    with pytest.raises(ValueError, match="`sample_weight` contains NaN"):
        fit().score(X, Y, sample_weight=[pd.NA] * N)
    with pytest.raises(ValueError, match="`X` contains NaN"):
        MultiOutputLassoCV().fit(form(bad), Y)


@pytest.mark.parametrize("dtype", ["string", "string[pyarrow]", "category", "object"])
def test_types_of_names(dtype):
    is_installed(dtype)
    columns, cells = pd.Index(X.columns, dtype=dtype), pd.Index(CELLS, dtype=dtype)
    renamed = X.set_axis(columns, axis=1).set_axis(cells, axis=0)
    groups = GROUPS.map("donor {}".format)
    assert_same_model(fit(renamed, groups=groups.astype(dtype)), fit(groups=groups))
    factor = FACTOR.set_axis(pd.Index(FACTOR.index, dtype=dtype))
    assert_same_model(fit(renamed, factor=factor), fit(factor=FACTOR))


def arrow(frame):
    return pytest.importorskip("pyarrow").Table.from_pandas(frame, preserve_index=False)


def polars(frame):
    pytest.importorskip("pyarrow")
    return pytest.importorskip("polars").from_pandas(frame)


@pytest.mark.parametrize("make", [arrow, polars])
def test_frames_of_other_libraries_keep_their_names(make):
    """Otherwise `exclude_self` would have no effect."""
    expected = fit().links_
    assert not ((expected["TF"] == "A") & (expected["target"] == "A")).any()
    for one, two in ((make(X), make(Y)), (make(X), Y), (X, make(Y))):
        model = fit(one, two, groups=GROUPS.to_numpy())
        pd.testing.assert_frame_equal(model.links_, expected)
        assert model.score(one, two) == pytest.approx(fit().score(X, Y))
    with pytest.raises(ValueError, match="targets of the fit in another order"):
        model.score(X, make(Y[["A", "g"]]))


def test_a_named_series_of_another_library():
    series = type("Series", (np.ndarray,), {"name": "g"})
    model = fit(X, Y["g"].to_numpy().view(series))
    assert list(model.target_names_in_) == ["g"]


def test_cells_in_place_of_a_matrix():
    cells = anndata.AnnData(np.ones((9, 2)))
    with pytest.raises(
        TypeError, match=r"`target_matrix` must be a matrix, got AnnData. `prepare_"
    ):
        SciFateRegressor().fit(np.ones((9, 2)), cells)


def test_factors_with_names_need_predictors_with_names():
    with pytest.raises(ValueError, match=r"`penalty_factor` is a Series with names such as 'C', "):
        fit(X.to_numpy(), factor=FACTOR)
    numbered = pd.Series([0.0, 1.0, 1.0, 3.0])
    model = fit(X.to_numpy(), factor=numbered)
    np.testing.assert_array_equal(model.coef_, fit(X.to_numpy(), factor=numbered.tolist()).coef_)


def test_complex_factors_are_refused():
    with pytest.raises(TypeError, match="`penalty_factor`: must hold real numbers"):
        fit(factor=np.array([1 + 1j, 1, 1, 1]))


@pytest.mark.parametrize("dtype", ["string", "string[pyarrow]", "category"])
def test_columns_of_cells(dtype):
    """Columns of obs and var, also with missing values."""
    is_installed(dtype)
    cells = make_labelled_cells(n_cells=100, n_tfs=5, n_targets=20, random_state=0)
    adata, names = cells.adata, list(cells.adata.var_names)
    adata.var_names = [f"id{i}" for i in range(len(names))]
    adata.var["symbol"] = pd.Series([*names[:-1], None], adata.var_names, dtype=dtype)
    adata.obs["donor"] = pd.Series([f"d{i % 7}" for i in range(100)], adata.obs_names, dtype=dtype)

    def prepare():
        return prepare_moments(
            adata, cells.tf_names, cell_filter_UMI=0, gene_filter_rate=0, gene_symbols="symbol",
            cv=GroupKFold(3), groups="donor",
        )  # fmt: skip

    made = prepare()
    assert list(made.genes.index) == [*names[:-1], adata.var_names[-1]]
    assert all(type(name) is str for name in made.genes.index)
    adata.obs["donor"] = np.arange(100) % 7
    np.testing.assert_array_equal(made.moments.xx, prepare().moments.xx)
    adata.obs["donor"] = pd.Series(
        [None, *[f"d{i % 7}" for i in range(99)]], adata.obs_names, dtype=dtype
    )
    with pytest.raises(ValueError, match="`groups` is missing for 1 cell"):
        prepare()


@pytest.mark.parametrize("dtype", ["Int64", "Int8", "int64[pyarrow]", "boolean"])
def test_numbers_in_columns_of_cells(dtype):
    is_installed(dtype)
    cells = make_labelled_cells(n_cells=100, n_tfs=5, n_targets=20, random_state=0)
    donor = pd.Series(np.arange(100) % 2, cells.adata.obs_names)

    def sums(groups):
        return prepare_moments(
            cells.adata, cells.tf_names, cell_filter_UMI=0, cv=GroupKFold(2), groups=groups
        ).moments.xx

    cells.adata.obs["donor"] = donor.astype(dtype)
    for groups in ("donor", donor.astype(dtype)):
        np.testing.assert_array_equal(sums(groups), sums(donor.to_numpy()))


@pytest.fixture(scope="module")
def network():
    cells = make_labelled_cells(n_cells=200, n_tfs=8, n_targets=30, random_state=0)
    inputs = prepare_anndata(cells.adata, cells.tf_names, cell_filter_UMI=0)
    return SciFateRegressor(cv=5).fit(
        inputs.tf_matrix, inputs.target_matrix
    ).links_, cells.reference


@pytest.mark.parametrize("backend", ["numpy_nullable", "pyarrow"])
def test_tables_of_links_and_evidence(backend, network):
    is_installed(backend)

    def tests(links, reference):
        filtered = EncodeLinkFilter(BindingReference.from_table(reference)).fit(links)
        truth = reference.loc[(reference["peak"] == 1).to_numpy(bool), ["TF", "target"]]
        return [
            filtered.ledger_,
            filtered.enrichment_,
            compare_links(links, network[0]),
            score_network(links, truth),
            prior_penalties(BindingReference.from_table(reference)),
        ]

    converted = [table.convert_dtypes(dtype_backend=backend) for table in network]
    for one, two in zip(tests(*network), tests(*converted), strict=True):
        for a, b in zip(*(np.asarray(each, object).ravel() for each in (one, two)), strict=True):
            assert a is b or a == b or (pd.isna(a) and pd.isna(b))


def test_links_whose_numbers_are_objects():
    """As `DataFrame.from_records` and rows appended one by one make them."""
    links = pd.DataFrame({"TF": ["A", "A"], "target": ["B", "C"], "coef": [0.5, 0.01], "r2": 0.1})
    objects = links.astype(object)
    reference = BindingReference.from_table(links.assign(peak=[1, 0]))
    pd.testing.assert_frame_equal(
        EncodeLinkFilter(reference).fit(objects).ledger_[["coef", "kept"]],
        EncodeLinkFilter(reference).fit(links).ledger_[["coef", "kept"]],
    )
    assert str(compare_links(objects, links)) == str(compare_links(links, links))
    gold = links[:1]
    assert str(score_network(objects, gold)) == str(score_network(links, gold))
    with pytest.raises(ValueError, match="must hold finite numbers"):
        compare_links(objects.assign(coef=[0.5, None]), links)
