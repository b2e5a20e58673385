"""Tests of prepare_anndata against plain NumPy, for every type of layer, and of its errors."""

import logging
import subprocess
import sys
import warnings

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from scifate_sklearn.anndata_io import SciFateInputs, prepare_anndata, read_tf_names

FORMATS = {
    "dense": np.asarray,
    "csr_matrix": sp.csr_matrix,
    "csc_matrix": sp.csc_matrix,
    "csr_array": sp.csr_array,
    "csc_array": sp.csc_array,
}
N_CELLS, N_GENES = 60, 25
TFS = ["Gene3", "Gene7", "Gene11", "Gene20", "Absent1"]


def make_counts(seed=0, n_cells=N_CELLS, n_genes=N_GENES):
    rng = np.random.default_rng(seed)
    mean = rng.permutation(np.geomspace(0.03, 8, n_genes)) * rng.uniform(0.1, 2, size=(n_cells, 1))
    total = rng.poisson(mean).astype(np.float64)
    return rng.binomial(total.astype(int), 0.4).astype(np.float64), total


def make_adata(new, total, fmt="dense", dtype=np.float32, **layers):
    names = pd.Index([f"Gene{i}" for i in range(new.shape[1])])
    cells = pd.Index([f"cell{i}" for i in range(new.shape[0])])
    layers = {"new": new, "total": total, **layers}
    return ad.AnnData(
        obs=pd.DataFrame(index=cells),
        var=pd.DataFrame({"symbol": names.str.upper()}, index=names),
        layers={name: FORMATS[fmt](layer.astype(dtype)) for name, layer in layers.items()},
    )


def brute_force_filters(new, total, rate, umi):
    n = len(new)
    genes = ((new > 0).sum(0) > rate * n) & ((total > 0).sum(0) > rate * n)
    return genes, total[:, genes].sum(1) > umi


def brute_force(new, total, rate, umi):
    """Follow the formulas of `prepare_anndata` on dense arrays, without covariates."""
    genes, cells = brute_force_filters(new, total, rate, umi)
    new, total = new[cells][:, genes], total[cells][:, genes]
    t = np.round(total).sum(1)
    s = t / np.exp(np.log(t).mean())

    def z(x):
        x = np.log(x / s[:, None] + 0.1)
        return (x - x.mean(0)) / x.std(0, ddof=1)

    return genes, cells, s, new.sum(1) / total.sum(1), z(new), z(total)


def snapshot(adata):
    """Return copies of the layers, tables and keys."""
    arrays = []
    for layer in [adata.X, *adata.layers.values()]:
        if sp.issparse(layer):
            arrays += [layer.data.copy(), layer.indices.copy(), layer.indptr.copy()]
        elif layer is not None:
            arrays.append(np.array(layer))
    return arrays, adata.obs.copy(), adata.var.copy(), list(adata.uns), list(adata.layers)


def assert_unchanged(adata, before):
    arrays, obs, var, uns, layers = snapshot(adata)
    for now, then in zip(arrays, before[0], strict=True):
        np.testing.assert_array_equal(now, then)
    pd.testing.assert_frame_equal(obs, before[1])
    pd.testing.assert_frame_equal(var, before[2])
    assert (uns, layers) == before[3:]


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("dtype", [np.float32, np.int64])
def test_equals_brute_force(fmt, dtype):
    new, total = make_counts()
    adata = make_adata(new, total, fmt, dtype)
    before = snapshot(adata)
    inputs = prepare_anndata(adata, TFS, cell_filter_UMI=20)
    genes, cells, s, ratio, z_new, z_total = brute_force(new, total, 0.1, 20)
    assert 0 < genes.sum() < N_GENES
    assert 0 < cells.sum() < N_CELLS

    assert isinstance(inputs, SciFateInputs)
    names = adata.var_names[genes]
    assert list(inputs.genes.index) == list(inputs.target_matrix.columns) == list(names)
    assert list(inputs.cells.index) == list(adata.obs_names[cells])
    np.testing.assert_allclose(inputs.target_matrix, z_new, rtol=1e-10, atol=1e-12)
    is_tf = names.isin(TFS)
    tfs = inputs.tf_matrix[names[is_tf]]
    np.testing.assert_allclose(tfs, z_total[:, is_tf], rtol=1e-10, atol=1e-12)
    assert list(inputs.tf_matrix.columns[is_tf.sum() :]) == ["new_size_factor", "labeling_ratio"]
    for covariate, value in (("new_size_factor", s), ("labeling_ratio", ratio)):
        expected = (value - value.mean()) / value.std(ddof=1)
        np.testing.assert_allclose(inputs.tf_matrix[covariate], expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(inputs.cells["size_factor"], s, rtol=1e-13)
    np.testing.assert_allclose(inputs.cells["labeling_ratio"], ratio, rtol=1e-13)
    np.testing.assert_array_equal(inputs.cells["total_umi"], total[cells][:, genes].sum(1))
    np.testing.assert_array_equal(inputs.genes["n_cells_new"], (new > 0).sum(0)[genes])
    np.testing.assert_array_equal(inputs.genes["n_cells_total"], (total > 0).sum(0)[genes])
    np.testing.assert_array_equal(inputs.genes["is_tf"], is_tf)
    np.testing.assert_array_equal(inputs.genes["position"], np.flatnonzero(genes))
    for frame in inputs:
        assert not frame.isna().any(axis=None)
    assert_unchanged(adata, before)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    rate=st.sampled_from([0.0, 0.05, 0.1, 0.3]),
    umi=st.integers(0, 30),
    fmt=st.sampled_from(list(FORMATS)),
)
def test_filters_equal_brute_force(seed, rate, umi, fmt):
    new, total = make_counts(seed, n_cells=20, n_genes=12)
    genes, cells = brute_force_filters(new, total, rate, umi)
    adata = make_adata(new, total, fmt)
    options = {"gene_filter_rate": rate, "cell_filter_UMI": umi}
    if not genes.any() or not cells.any():
        with pytest.raises(ValueError, match=r"No (gene|cell) is left"):
            prepare_anndata(adata, adata.var_names, **options)
        return
    inputs = prepare_anndata(adata, adata.var_names, **options)
    assert list(inputs.genes.index) == list(adata.var_names[genes])
    assert list(inputs.cells.index) == list(adata.obs_names[cells])


@pytest.mark.parametrize("fmt", FORMATS)
def test_view_equals_copy(fmt):
    adata = make_adata(*make_counts(), fmt)
    view = adata[::2, 2:]
    assert view.is_view
    copy = prepare_anndata(view.copy(), TFS, cell_filter_UMI=20)
    for frame, expected in zip(prepare_anndata(view, TFS, cell_filter_UMI=20), copy, strict=True):
        pd.testing.assert_frame_equal(frame, expected)
    assert view.is_view


def test_x_may_be_named_and_a_layer_called_x_takes_precedence():
    adata = make_adata(*make_counts())
    expected = prepare_anndata(adata, TFS, cell_filter_UMI=20)
    adata.X = adata.layers["total"]
    options = {"nt_layers": ["new", "X"], "cell_filter_UMI": 20}
    pd.testing.assert_frame_equal(prepare_anndata(adata, TFS, **options)[0], expected[0])
    adata.layers["X"], adata.X = adata.X, np.full(adata.shape, np.nan)
    pd.testing.assert_frame_equal(prepare_anndata(adata, TFS, **options)[0], expected[0])


def test_entries_stored_twice_are_summed_not_counted_twice():
    new, total = make_counts()
    adata = make_adata(new, total, "csr_matrix", np.float64)
    expected = prepare_anndata(adata, TFS, cell_filter_UMI=20)
    coo = sp.coo_array(total)
    rows, columns = np.tile(coo.row, 2), np.tile(coo.col, 2)
    order = np.argsort(rows, kind="stable")
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(total)))])
    halves = np.tile(coo.data / 2, 2)[order]
    adata.layers["total"] = sp.csr_matrix((halves, columns[order], indptr), shape=total.shape)
    before = snapshot(adata)
    for frame, same in zip(prepare_anndata(adata, TFS, cell_filter_UMI=20), expected, strict=True):
        pd.testing.assert_frame_equal(frame, same)
    assert_unchanged(adata, before)


def test_symbols_match_and_name_the_columns():
    adata = make_adata(*make_counts())
    plain = prepare_anndata(adata, TFS, cell_filter_UMI=20)
    symbols = [name.upper() for name in TFS]
    inputs = prepare_anndata(adata, symbols, cell_filter_UMI=20, gene_symbols="symbol")
    assert list(inputs.genes.index) == list(plain.genes.index.str.upper())
    np.testing.assert_array_equal(inputs.tf_matrix, plain.tf_matrix)


@pytest.mark.parametrize("missing", [np.nan, None, "", "  "])
@pytest.mark.parametrize("dtype", [object, "category"])
def test_missing_symbols_fall_back_to_var_names(missing, dtype):
    adata = make_adata(*make_counts())
    symbols = adata.var["symbol"].astype(object)
    symbols[["Gene3", "Gene24"]] = missing
    adata.var["symbol"] = symbols.astype(dtype)
    inputs = prepare_anndata(
        adata, ["Gene3", "GENE7"], gene_filter_rate=0, cell_filter_UMI=0, gene_symbols="symbol"
    )
    assert list(inputs.tf_matrix.columns[:2]) == ["Gene3", "GENE7"]
    assert "Gene24" in inputs.genes.index


@pytest.mark.parametrize("fmt", FORMATS)
def test_the_largest_of_columns_that_share_a_name_is_kept(fmt):
    new, total = make_counts()
    total[:, 4] = 2 * total[:, 9] + 2
    total[:, [5, 6, 9]] = total[:, [6, 6, 9]] + 1
    new[:, [4, 5, 6, 9]] = 1
    adata = make_adata(new, total, fmt)
    names = adata.var_names.to_numpy(dtype=object).copy()
    names[[4, 9]], names[[5, 6]] = "Double", "Tie"
    adata.var_names = names
    before = snapshot(adata)
    with pytest.warns(
        UserWarning, match=r"2 of 25 gene columns .*\('Tie', 'Double'\).* 'total'"
    ) as log:
        inputs = prepare_anndata(adata, ["Double", "Tie"], cell_filter_UMI=20)
    assert log[0].filename == __file__
    assert inputs.genes.index.is_unique
    assert inputs.genes.loc["Double", "position"] == 4
    assert inputs.genes.loc["Tie", "position"] == 5
    assert list(inputs.tf_matrix.columns[:2]) == ["Double", "Tie"]
    assert_unchanged(adata, before)


def test_constant_covariates_are_left_out():
    _, total = make_counts()
    total[:, -1] = 100 - total[:, :-1].sum(axis=1) + total.sum()
    adata = make_adata(total * 0.3, total, dtype=np.float64)
    inputs = prepare_anndata(adata, TFS, gene_filter_rate=0, cell_filter_UMI=0)
    assert list(inputs.tf_matrix.columns) == TFS[:4]
    np.testing.assert_allclose(inputs.cells["labeling_ratio"], 0.3)
    np.testing.assert_allclose(inputs.cells["size_factor"], 1)


def test_velocities_as_response():
    new, total = make_counts()
    velocity = np.random.default_rng(1).normal(size=new.shape)
    velocity[3, [3, 5]], velocity[7, 8] = np.nan, np.inf
    adata = make_adata(new, total, dtype=np.float64, velocity=velocity)
    before = snapshot(adata)
    options = {"nt_layers": ("velocity", "total"), "cell_filter_UMI": 20, "response": "values"}
    with pytest.warns(UserWarning, match=r"of \d+ targets were left out .* 'velocity'") as log:
        inputs = prepare_anndata(adata, TFS, **options)
    assert log[0].filename == __file__
    n = len(total)
    genes = (total > 0).sum(0) > 0.1 * n
    cells = total[:, genes].sum(1) > 20
    np.testing.assert_array_equal(inputs.genes["position"], np.flatnonzero(genes))
    targets = genes & np.isfinite(velocity[cells]).all(axis=0)
    assert targets.sum() < genes.sum()
    assert list(inputs.target_matrix.columns) == list(adata.var_names[targets])
    kept = velocity[cells][:, targets]
    expected = (kept - kept.mean(0)) / kept.std(0, ddof=1)
    np.testing.assert_allclose(inputs.target_matrix, expected, rtol=1e-10, atol=1e-12)
    assert inputs.tf_matrix.columns[-1] == "new_size_factor"
    assert "Gene3" in inputs.tf_matrix  # velocity not finite, counts finite
    assert inputs.cells["labeling_ratio"].isna().all()
    assert_unchanged(adata, before)


def test_not_finite_velocities_of_dropped_cells_do_not_matter():
    new, total = make_counts()
    total[0] = 0
    new[0] = np.nan
    adata = make_adata(new, total, dtype=np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        inputs = prepare_anndata(adata, TFS, cell_filter_UMI=20, response="values")
    assert "cell0" not in inputs.cells.index


def test_activities_as_regulators():
    new, total = make_counts()
    activity = np.random.default_rng(1).normal(size=new.shape)
    activity[:, 0] = np.nan  # not a TF
    adata = make_adata(new, total, dtype=np.float64, activity=activity)
    inputs = prepare_anndata(adata, TFS, nt_layers=("new", "activity"), regulators="values")
    genes = (new > 0).sum(0) > 0.1 * len(new)
    assert list(inputs.genes.index) == list(adata.var_names[genes])
    assert len(inputs.cells) == N_CELLS
    assert inputs.cells.isna().all(axis=None)
    tfs = [name for name in TFS[:4] if name in inputs.genes.index]
    assert list(inputs.tf_matrix.columns) == tfs
    x = activity[:, [int(name[4:]) for name in tfs]]
    np.testing.assert_allclose(inputs.tf_matrix, (x - x.mean(0)) / x.std(0, ddof=1), rtol=1e-10)
    y = np.log(new[:, genes] + 0.1)
    expected = (y - y.mean(0)) / y.std(0, ddof=1)
    np.testing.assert_allclose(inputs.target_matrix, expected, rtol=1e-10, atol=1e-12)


def test_values_on_both_sides_skip_all_filters():
    values = np.random.default_rng(2).normal(size=(2, 30, 6))
    values[1, :, 5] = 4.0
    adata = make_adata(*values, dtype=np.float64)
    inputs = prepare_anndata(
        adata, ["Gene1", "Gene5"], response="values", regulators="values", gene_filter_rate=0.9
    )
    assert inputs.target_matrix.shape == (30, 6)
    assert list(inputs.tf_matrix.columns) == ["Gene1", "Gene5"]
    np.testing.assert_array_equal(inputs.tf_matrix["Gene5"], 0)  # constant


def test_not_finite_activity_of_a_shared_name_is_not_preferred():
    values = np.random.default_rng(2).normal(size=(2, 30, 4))
    values[1, :, 0] = np.nan
    adata = make_adata(*values, dtype=np.float64)
    adata.var_names = ["A", "A", "B", "C"]
    with pytest.warns(UserWarning, match="1 of 4 gene columns"):
        inputs = prepare_anndata(adata, ["A", "B"], response="values", regulators="values")
    assert inputs.genes.loc["A", "position"] == 1


def test_logs_what_was_kept(caplog):
    with caplog.at_level(logging.INFO, logger="scifate_sklearn"):
        inputs = prepare_anndata(make_adata(*make_counts()), TFS, cell_filter_UMI=20)
    assert f"kept {len(inputs.genes)} of 25 genes" in caplog.text
    assert f"{len(inputs.cells)} of 60 cells" in caplog.text


def test_import_does_not_load_anndata():
    code = "import sys, scifate_sklearn.anndata_io; print('anndata' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def broken(layer, value, dtype=np.float64):
    adata = make_adata(*make_counts(), dtype=dtype)
    adata.layers[layer][0, 0] = value
    return adata


@pytest.mark.parametrize(
    ("layer", "value", "message"),
    [
        ("new", -1, r"layer 'new' has 1 negative value\(s\).*`response='values'`"),
        ("total", -1, r"layer 'total' has 1 negative"),
        ("new", np.nan, r"layer 'new' has 1 NaN or infinite"),
        ("total", np.inf, r"layer 'total' has 1 NaN or infinite"),
    ],
)
def test_bad_counts(layer, value, message):
    with pytest.raises(ValueError, match=message):
        prepare_anndata(broken(layer, value), TFS)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"nt_layers": ("X_new", "total")}, "'X_new', which adata does not have.*'new', 'total'"),
        ({"nt_layers": ("new", "total+total")}, "`nt_layers` adds the layer 'total' to itself"),
        ({"nt_layers": ("new", "X")}, "layer 'X', which adata does not have"),
        ({"nt_layers": "new"}, "`nt_layers` must be two layer names.*got 'new'"),
        ({"nt_layers": ["new"]}, "`nt_layers` must be two layer names"),
        ({"nt_layers": ["new", 3]}, "`nt_layers` must be two layer names"),
        ({"gene_symbols": "name"}, "gene_symbols names the column 'name'.*There are: 'symbol'"),
        ({"response": "rates"}, "`response` must be 'counts' or 'values', got 'rates'"),
        ({"regulators": None}, "`regulators` must be 'counts' or 'values', got None"),
        ({"gene_filter_rate": 1.0}, "`gene_filter_rate` must be a fraction"),
        ({"gene_filter_rate": -0.1}, "`gene_filter_rate` must be a fraction"),
        ({"gene_filter_rate": float("nan")}, "`gene_filter_rate` must be a fraction"),
        ({"cell_filter_UMI": -1}, "`cell_filter_UMI` must be a number of counts"),
        ({"cell_filter_UMI": float("inf")}, "`cell_filter_UMI` must be a number of counts"),
        ({"gene_filter_rate": 0.999}, r"No gene is left: none of 25.*0.999 x 60 cells.*Lower gene"),
        ({}, r"No cell is left: none of 60 has more than cell_filter_UMI = 10000.*best has \d+\)"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        prepare_anndata(make_adata(*make_counts()), TFS, **options)


def test_missing_layer_lists_x_too():
    adata = make_adata(*make_counts())
    adata.X = adata.layers["total"]
    with pytest.raises(
        ValueError, match=r"layer 'all', which adata does not have. There are: 'X', 'new', 'total'"
    ):
        prepare_anndata(adata, TFS, nt_layers=("new", "all"))


def test_no_tf_passes_the_gene_filter():
    new, total = make_counts()
    new[:, 3] = 0
    with pytest.raises(
        ValueError, match=r"No TF is left: none of 1 has counts.*best has them in 0"
    ):
        prepare_anndata(make_adata(new, total), ["Gene3"], cell_filter_UMI=20)


def test_cells_without_counts():
    new, total = make_counts()
    total[0] = 0
    total[0, 24] = 0.2
    adata = make_adata(np.minimum(new, total), total, dtype=np.float64)
    with pytest.raises(
        ValueError, match=r"1 of 60 cell\(s\) have no total counts .*cell_filter_UMI"
    ):
        prepare_anndata(adata, TFS, cell_filter_UMI=0)


def test_regulator_values_must_be_finite():
    new, total = make_counts()
    total[2, 7] = np.nan
    adata = make_adata(new, total, dtype=np.float64)
    with pytest.raises(ValueError, match=r"layer 'total' has NaN .* 1 of the TFs \('Gene7'\)"):
        prepare_anndata(adata, TFS, gene_filter_rate=0, regulators="values")


def test_no_target_is_finite():
    new, total = make_counts()
    new[:] = np.nan
    adata = make_adata(new, total, dtype=np.float64)
    with pytest.raises(ValueError, match=r"No target is left: each of .* in layer 'new'"):
        prepare_anndata(adata, TFS, cell_filter_UMI=20, response="values")


@pytest.mark.parametrize("options", [{}, {"response": "values"}])
def test_layer_of_complex_numbers(options):
    adata = make_adata(*make_counts(), dtype=np.complex128)
    with pytest.raises(TypeError, match="layer 'new' must hold real numbers, found dtype complex"):
        prepare_anndata(adata, TFS, **options)


def test_unknown_kind_of_layer():
    adata = make_adata(*make_counts())
    odd = type("Odd", (), {name: getattr(adata, name) for name in ("obs_names", "var_names")})()
    odd.uns, odd.X, odd.layers, odd.var = {}, None, {"new": "counts", "total": "counts"}, adata.var
    with pytest.raises(TypeError, match="layer 'new' is a str; NumPy arrays, SciPy sparse"):
        prepare_anndata(odd, TFS)


def test_other_objects_than_anndata():
    with pytest.raises(TypeError, match="adata must be an AnnData, got DataFrame"):
        prepare_anndata(pd.DataFrame(), TFS)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0)])
def test_empty_anndata(shape):
    with pytest.raises(ValueError, match=f"adata is empty: {shape[0]} cells and {shape[1]} genes"):
        prepare_anndata(make_adata(np.zeros(shape), np.zeros(shape)), TFS)


def test_fifty_real_cells(shared):
    """Prepare 27,998 genes whose symbols are duplicated once the suffix "-1" is removed."""
    adata = ad.read_h5ad(shared / "data" / "scvelo_tests" / "pancreas_50obs.h5ad")
    adata.var["symbol"] = adata.var_names.str.replace(r"-1$", "", regex=True)
    tf_names = read_tf_names(shared / "data" / "rcistarget_tf" / "TF_mgi.txt")
    before = snapshot(adata)
    with pytest.warns(UserWarning, match="gene columns were dropped because they share"):
        inputs = prepare_anndata(
            adata,
            tf_names,
            nt_layers=("unspliced", "spliced"),
            cell_filter_UMI=1000,
            gene_symbols="symbol",
        )
    assert_unchanged(adata, before)
    assert inputs.genes.index.is_unique
    assert inputs.genes["is_tf"].sum() > 50
    assert np.isfinite(inputs.tf_matrix.to_numpy()).all()


def test_labelled_k562_cells(shared):
    adata = ad.read_h5ad(shared / "data" / "nascseq2_k562" / "k562_new_total_613x199.h5ad")
    tf_names = read_tf_names(shared / "data" / "rcistarget_tf" / "TF_hgnc.txt")
    with pytest.raises(ValueError, match=r"in the gene names only: translate one side. Pass gene"):
        prepare_anndata(adata, tf_names, cell_filter_UMI=100)
    inputs = prepare_anndata(adata, tf_names, cell_filter_UMI=100, gene_symbols="symbol")
    assert inputs.target_matrix.shape == (613, 118)
    assert {"NFYA", "ETV1", "E2F2"} < set(inputs.tf_matrix.columns)
    assert inputs.cells["labeling_ratio"].between(0, 1).all()
