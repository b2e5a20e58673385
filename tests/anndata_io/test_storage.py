"""Tests that storage and chunk size of the layers do not change matrices and networks."""

import tracemalloc

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from simulated_fits import fixtures_of
from sklearn.model_selection import GroupKFold, ShuffleSplit

from scifate_sklearn import SciFateRegressor, open_anndata, prepare_anndata, prepare_moments
from scifate_sklearn.anndata_io._files import open_store, write_uns
from scifate_sklearn.anndata_io._layers import Layer

OPTIONS = {"cell_filter_UMI": 60, "gene_filter_rate": 0.2}
FITTED = ("coef_", "intercept_", "r2_", "cv_mse_", "cv_mse_se_")


cells, inputs, model = fixtures_of((240, 10, 40), OPTIONS)


def stored_as(adata, change):
    """Return the cells with both layers converted."""
    layers = {name: change(adata.layers[name].toarray()) for name in ("new", "total")}
    return ad.AnnData(obs=adata.obs, var=adata.var, layers=layers)


IN_MEMORY = {
    "dense": np.asarray,
    "fortran": np.asfortranarray,
    "csr": sp.csr_matrix,
    "csr_array": sp.csr_array,
    "csc": sp.csc_matrix,
    "unsorted": lambda dense: unsorted(sp.csr_array(dense)),
    "float32": lambda dense: sp.csr_matrix(dense.astype(np.float32)),
    "int64": lambda dense: sp.csr_matrix(dense.astype(np.int64)),
    "uint16": lambda dense: dense.astype(np.uint16),
}
IN_FILES = [
    (writer, fmt) for writer in ("write_h5ad", "write_zarr") for fmt in ("dense", "csr", "csc")
]


def unsorted(matrix):
    """Return a matrix with descending column indices and a duplicate of its first entry."""
    order = np.lexsort(
        (-matrix.indices, np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr)))
    )
    data, indices, indptr = matrix.data[order], matrix.indices[order], matrix.indptr.copy()
    halves = np.concatenate([[data[0] / 2] * 2, data[1:]])
    indptr[1:] += 1
    return sp.csr_array((halves, np.concatenate([indices[:1], indices]), indptr), matrix.shape)


def assert_same_network(one, two):
    for name in ("lambda_", "lambda_min_", "lambda_1se_"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name), err_msg=name)
    for name in FITTED:
        np.testing.assert_allclose(
            getattr(one, name), getattr(two, name), rtol=1e-9, atol=1e-9, err_msg=name
        )
    assert list(one.target_names_in_) == list(two.target_names_in_)
    assert list(one.feature_names_in_) == list(two.feature_names_in_)


def assert_same_frames(prepared, inputs):
    pd.testing.assert_frame_equal(prepared.cells, inputs.cells)
    pd.testing.assert_frame_equal(prepared.genes, inputs.genes)


@pytest.mark.parametrize("fmt", IN_MEMORY)
def test_in_memory(cells, inputs, model, fmt):
    adata = stored_as(cells.adata, IN_MEMORY[fmt])
    for own, expected in zip(
        prepare_anndata(adata, cells.tf_names, **OPTIONS), inputs, strict=True
    ):
        pd.testing.assert_frame_equal(own, expected, check_exact=True)
    prepared = prepare_moments(adata, cells.tf_names, **OPTIONS)
    assert_same_frames(prepared, inputs)
    assert_same_network(SciFateRegressor().fit_moments(prepared.moments), model)


@pytest.mark.parametrize(("writer", "fmt"), IN_FILES)
def test_in_files(tmp_path, cells, inputs, model, writer, fmt):
    getattr(stored_as(cells.adata, IN_MEMORY[fmt]), writer)(tmp_path / "cells")
    with open_anndata(tmp_path / "cells") as adata:
        assert not isinstance(adata.layers["new"], (np.ndarray, sp.spmatrix, sp.sparray))
        for own, expected in zip(
            prepare_anndata(adata, cells.tf_names, **OPTIONS), inputs, strict=True
        ):
            pd.testing.assert_frame_equal(own, expected, check_exact=True)
        prepared = prepare_moments(adata, cells.tf_names, chunk_size=50, **OPTIONS)
    assert_same_frames(prepared, inputs)
    assert_same_network(SciFateRegressor().fit_moments(prepared.moments), model)


@pytest.mark.slow
@pytest.mark.parametrize("chunk_size", [1, 7, 100, 239, 240, 10**9, None])
@pytest.mark.parametrize("fmt", ["dense", "csr"])
def test_chunks_of_any_size(cells, model, fmt, chunk_size):
    adata = stored_as(cells.adata, IN_MEMORY[fmt])
    prepared = prepare_moments(adata, cells.tf_names, chunk_size=chunk_size, **OPTIONS)
    assert_same_network(SciFateRegressor().fit_moments(prepared.moments), model)


def test_chunks_without_a_kept_cell(cells):
    """Chunks whose cells are all below the filter are skipped."""
    adata = cells.adata.copy()
    adata.layers["new"][20:80] = 0
    adata.layers["total"][20:80] = 0
    inputs = prepare_anndata(adata, cells.tf_names, **OPTIONS)
    assert 0 < len(inputs.cells) <= 180
    prepared = prepare_moments(adata, cells.tf_names, chunk_size=20, **OPTIONS)
    model = SciFateRegressor().fit(inputs.tf_matrix, inputs.target_matrix)
    assert_same_network(SciFateRegressor().fit_moments(prepared.moments), model)


def test_backed_x(tmp_path, cells, model):
    adata = cells.adata.copy()
    adata.X = adata.layers["total"]
    adata.write_h5ad(tmp_path / "cells.h5ad")
    options = OPTIONS | {"nt_layers": ("new", "X")}
    backed = ad.read_h5ad(tmp_path / "cells.h5ad", backed="r")
    prepared = prepare_moments(backed, cells.tf_names, **options)
    backed.file.close()
    assert_same_network(SciFateRegressor().fit_moments(prepared.moments), model)
    with open_anndata(tmp_path / "cells.h5ad", layers=("new", "X")) as opened:
        assert list(opened.layers) == ["new"]
        prepared = prepare_moments(opened, cells.tf_names, **options)
    assert_same_network(SciFateRegressor().fit_moments(prepared.moments), model)


@pytest.mark.parametrize("fmt", ["dense", "csr"])
def test_sums_of_layers(tmp_path, cells, model, fmt):
    adata = cells.adata.copy()
    change = IN_MEMORY[fmt]
    new, total = (adata.layers[name].toarray() for name in ("new", "total"))
    adata.layers = {"new": change(new), "old": change(total - new)}
    options = OPTIONS | {"nt_layers": ("new", "old + new")}
    adata.write_h5ad(tmp_path / "cells.h5ad")
    prepared = prepare_moments(adata, cells.tf_names, **options)
    assert_same_network(SciFateRegressor().fit_moments(prepared.moments), model)
    with open_anndata(tmp_path / "cells.h5ad", options["nt_layers"]) as opened:
        inputs = prepare_anndata(opened, cells.tf_names, **options)
    again = SciFateRegressor().fit(inputs.tf_matrix, inputs.target_matrix)
    np.testing.assert_array_equal(again.coef_, model.coef_)
    adata.layers["old + new"] = np.zeros(
        adata.shape
    )  # a layer of exactly this name takes precedence
    with pytest.raises(ValueError, match="No gene is left"):
        prepare_moments(adata, cells.tf_names, **options)


@pytest.mark.parametrize("fmt", ["dense", "csr", "csc"])
@pytest.mark.parametrize("regulators", ["counts", "values"])
def test_values_with_gaps(tmp_path, cells, fmt, regulators):
    """Velocities that are negative, far from 0 or not finite give the same from chunks."""
    rng = np.random.default_rng(0)
    velocity = cells.adata.layers["new"].toarray() - rng.uniform(0, 30, cells.adata.n_vars)
    velocity[:, 3] += 1e6
    velocity[5, 7], velocity[100, 8], velocity[:, 9] = np.nan, np.inf, 4.5
    adata = ad.AnnData(
        obs=cells.adata.obs,
        var=cells.adata.var,
        layers={"v": IN_MEMORY[fmt](velocity), "total": cells.adata.layers["total"]},
    )
    options = OPTIONS | {
        "nt_layers": ("v", "total"), "response": "values", "regulators": regulators,
    }  # fmt: skip
    with pytest.warns(UserWarning, match="2 of .* targets were left out"):
        inputs = prepare_anndata(adata, cells.tf_names, **options)
    model = SciFateRegressor().fit(inputs.tf_matrix, inputs.target_matrix)
    adata.write_h5ad(tmp_path / "cells.h5ad")
    with (
        open_anndata(tmp_path / "cells.h5ad", ("v", "total")) as opened,
        pytest.warns(UserWarning, match="2 of .* targets were left out"),
    ):
        prepared = prepare_moments(opened, cells.tf_names, chunk_size=33, **options)
    assert_same_frames(prepared, inputs)
    assert_same_network(SciFateRegressor().fit_moments(prepared.moments), model)


def test_faults_are_counted_over_all_chunks(cells):
    adata = stored_as(cells.adata, np.asarray)
    adata.layers["new"][[3, 200], 5] = -1.0, -2.5
    with pytest.raises(ValueError, match=r"layer 'new' has 2 negative .* smallest -2.5"):
        prepare_moments(adata, cells.tf_names, chunk_size=10)


@pytest.mark.parametrize(
    "cv", [5, ShuffleSplit(4, random_state=0), [(np.arange(50, 150), np.arange(50))] * 2]
)
def test_any_splitter(cells, inputs, cv):
    model = SciFateRegressor(cv=cv, random_state=7).fit(inputs.tf_matrix, inputs.target_matrix)
    prepared = prepare_moments(cells.adata, cells.tf_names, cv=cv, random_state=7, **OPTIONS)
    assert_same_network(SciFateRegressor().fit_moments(prepared.moments), model)


def test_groups_are_those_of_the_kept_cells(cells, inputs):
    adata = cells.adata.copy()
    adata.obs["batch"] = np.arange(adata.n_obs) % 7
    groups = adata.obs.loc[inputs.cells.index, "batch"]
    model = SciFateRegressor(cv=GroupKFold(3)).fit(
        inputs.tf_matrix, inputs.target_matrix, groups=groups
    )
    for given in ("batch", adata.obs["batch"].to_numpy()):
        for cv in (GroupKFold(3), 3):  # a number of folds means the same
            prepared = prepare_moments(adata, cells.tf_names, cv=cv, groups=given, **OPTIONS)
            assert_same_network(SciFateRegressor().fit_moments(prepared.moments), model)
    with pytest.raises(ValueError, match=r"`groups` names the column 'lane', which adata.obs"):
        prepare_moments(adata, cells.tf_names, groups="lane", **OPTIONS)
    with pytest.raises(ValueError, match=r"one label for each of the 240 cells .* shape \(3,\)"):
        prepare_moments(adata, cells.tf_names, groups=[1, 2, 3], **OPTIONS)
    with pytest.raises(
        ValueError, match=r"`groups` has 7 group\(s\) .* the 10 folds .* Set `cv` to"
    ):
        prepare_moments(adata, cells.tf_names, groups="batch", **OPTIONS)


def test_groups_of_each_repeat(cells, inputs):
    groups = pd.Series(np.arange(cells.adata.n_obs) // 9, cells.adata.obs_names)
    prepare = {"cv": 3, "groups": groups, "n_repeats": 2, "random_state": 5, **OPTIONS}
    prepared = prepare_moments(cells.adata, cells.tf_names, **prepare)
    kept, folds = groups.loc[inputs.cells.index], []
    for seed in (5, 6):
        splitter = GroupKFold(3, shuffle=True, random_state=seed)
        folds += splitter.split(inputs.tf_matrix, groups=kept)
    for k, (_, test) in enumerate(folds):
        assert prepared.moments.n_cells[k] == len(test)


def test_chunk_size_must_be_positive(cells):
    with pytest.raises(ValueError, match="chunk_size must be a number of cells from 1, got 0"):
        prepare_moments(cells.adata, cells.tf_names, chunk_size=0)


def test_a_file_without_the_layer(tmp_path, cells):
    cells.adata.write_h5ad(tmp_path / "cells.h5ad")
    with pytest.raises(
        ValueError, match=r"^`layers` names the layer 'spliced'.* There are: .*'new'"
    ):
        open_anndata(tmp_path / "cells.h5ad", ("new", "spliced")).__enter__()


def test_missing_and_unreadable_files(tmp_path, cells):
    with pytest.raises(FileNotFoundError, match=r"cells.h5ad does not exist"):
        open_anndata(tmp_path / "cells.h5ad").__enter__()
    (tmp_path / "text.h5ad").write_text("cells")
    (tmp_path / "folder").mkdir()
    cells.adata.write_h5ad(tmp_path / "whole.h5ad")
    content = (tmp_path / "whole.h5ad").read_bytes()
    (tmp_path / "cut.h5ad").write_bytes(content[: len(content) // 2])
    for name in ("text.h5ad", "folder", "cut.h5ad"):
        with pytest.raises(ValueError, match=f"{name} is not a readable h5ad file or zarr folder"):
            open_anndata(tmp_path / name).__enter__()


def test_a_file_not_written_by_anndata(tmp_path):
    import h5py

    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["layers/new"] = file["layers/total"] = np.ones((3, 2))
    with pytest.raises(ValueError, match=r"other.h5 is not a readable h5ad"):
        open_anndata(tmp_path / "other.h5").__enter__()


@pytest.mark.slow
@pytest.mark.parametrize("where", ["memory", "file"])
def test_memory_does_not_grow_with_the_cells(tmp_path, where):
    """Only vectors of 8 bytes for each cell and the names of the cells grow with the cells."""
    peaks = []
    rng = np.random.default_rng(0)
    for n_cells in (2_000, 20_000):
        counts = [sp.random_array((n_cells, 300), density=0.1, format="csr", rng=rng) for _ in "ab"]
        adata = ad.AnnData(
            obs=pd.DataFrame(index=pd.RangeIndex(n_cells).astype(str)),
            var=pd.DataFrame(index=[f"Gene{j}" for j in range(300)]),
            layers={
                name: sp.csr_matrix(c.ceil())
                for name, c in zip(("new", "total"), counts, strict=True)
            },
        )
        if where == "file":
            adata.write_h5ad(tmp_path / "cells.h5ad")
            del adata
            with open_anndata(tmp_path / "cells.h5ad") as opened:
                peaks.append(peak_of_preparing(opened))
        else:
            peaks.append(peak_of_preparing(adata))
    assert peaks[1] - peaks[0] < 400 * 18_000
    assert 400 * 18_000 < 18_000 * 30 * 2 * 12  # growth of the sparse layers


def peak_of_preparing(adata):
    tracemalloc.start()
    prepare_moments(
        adata, [f"Gene{j}" for j in range(10)], cell_filter_UMI=0, gene_filter_rate=0.0,
        chunk_size=500,
    )  # fmt: skip
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_a_read_error_names_layer_and_cells(cells):
    class Failing(np.ndarray):
        def __getitem__(self, key):
            raise OSError("Can't read data (inflate() failed)")

    adata = stored_as(cells.adata, np.asarray)
    layer = Layer("new", (adata.layers["new"].view(Failing),))
    with pytest.raises(ValueError, match=r"'new': cells 3 to 5 .*inflate\(\) failed.*damaged"):
        layer.rows(3, 5)


def test_write_uns_to_a_file_without_uns(tmp_path, cells):
    import h5py

    cells.adata.write_h5ad(tmp_path / "cells.h5ad")
    with h5py.File(tmp_path / "cells.h5ad", "r+") as file:
        del file["uns"]
    with open_store(tmp_path / "cells.h5ad", "r+") as store:
        write_uns(store, "scifate", {"run": "text"})
    assert ad.read_h5ad(tmp_path / "cells.h5ad").uns["scifate"]["run"] == "text"
