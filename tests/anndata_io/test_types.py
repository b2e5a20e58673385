"""Types of numbers and of indices, in memory and in files: all give the same results."""

import anndata
import dask.array as da
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import zarr

from scifate_sklearn import SciFateRegressor, open_anndata, prepare_anndata, prepare_moments
from scifate_sklearn.datasets import make_labelled_cells

OPTIONS = {"gene_filter_rate": 0.05, "cell_filter_UMI": 10}
# Types with which SciPy, pandas or numba cannot compute, and others that files may have.
NUMBERS = ["f2", ">f2", ">f4", ">f8", "f4", "g", "i1", ">i2", ">i4", "u1", "u2", "u8", ">u8"]
INDICES = ["f8", ">f8", "f4", "u4", "u8", ">u8", "i8", ">i4"]
SPARSE = {"CSR": sp.csr_matrix, "CSC": sp.csc_matrix}
MEMORY = {"dense": np.asarray, "CSR": sp.csr_array, "CSC": sp.csc_matrix}


@pytest.fixture(scope="module")
def cells():
    cells = make_labelled_cells(n_cells=60, n_tfs=4, n_targets=8, molecules=60, random_state=0)
    for frame in (cells.adata.obs, cells.adata.var):
        frame.index = frame.index.astype(object)
    return cells


@pytest.fixture(scope="module")
def counts(cells):
    """Return counts that every type can hold."""
    layers = {name: cells.adata.layers[name].toarray() for name in ("new", "total")}
    return {name: np.minimum(layer, 100).astype(np.float64) for name, layer in layers.items()}


def with_layers(cells, layers):
    return anndata.AnnData(obs=cells.adata.obs, var=cells.adata.var, layers=layers)


@pytest.fixture(scope="module")
def expected(cells, counts):
    return prepare_anndata(with_layers(cells, counts), cells.tf_names, **OPTIONS)


def assert_same(cells, adata, expected, **options):
    options = OPTIONS | options
    for own, right in zip(prepare_anndata(adata, cells.tf_names, **options), expected, strict=True):
        pd.testing.assert_frame_equal(own, right, check_exact=True)
    sums = prepare_moments(adata, cells.tf_names, chunk_size=17, **options)
    assert list(sums.target_names) == list(expected.target_matrix.columns)
    pd.testing.assert_frame_equal(sums.cells, expected.cells)


def cast(matrix, dtype):
    """Return a matrix whose numbers have a type, also one that SciPy does not support."""
    if not sp.issparse(matrix):
        return matrix.astype(dtype)
    matrix.data = matrix.data.astype(dtype)
    return matrix


@pytest.mark.parametrize("dtype", [*NUMBERS, object])
@pytest.mark.parametrize("form", MEMORY)
def test_numbers_in_memory(form, dtype, cells, counts, expected):
    layers = {name: cast(MEMORY[form](layer), dtype) for name, layer in counts.items()}
    assert_same(cells, with_layers(cells, layers), expected)
    assert {layer.dtype for layer in layers.values()} == {np.dtype(dtype)}


@pytest.mark.parametrize("dtype", ["f2", ">f4", ">i4", "u1", object])
def test_numbers_in_dask(dtype, cells, counts, expected):
    layers = {
        name: da.from_array(layer, chunks=(25, -1)).astype(dtype) for name, layer in counts.items()
    }
    assert_same(cells, with_layers(cells, layers), expected)


def replace(store, name, values):
    """Replace an array of an h5ad file or a zarr folder by one of another type."""
    attributes = dict(store[name].attrs)
    del store[name]
    if isinstance(store, h5py.Group):
        store.create_dataset(name, data=values)
    else:
        store.create_array(name, data=values)
    store[name].attrs.update(attributes)


def write_variants(path, kind, adata, edit):
    """Write cells as h5ad or zarr, and edit the layers of the file."""
    if kind == "h5ad":
        adata.write_h5ad(path)
        with h5py.File(path, "r+") as file:
            edit(file["layers"])
        return
    if not hasattr(anndata.settings, "zarr_write_format"):
        pytest.skip(f"anndata {anndata.__version__} writes no chosen format")
    with anndata.settings.override(zarr_write_format=int(kind[-1])):
        adata.write_zarr(path)
    options = {"use_consolidated": False} if zarr.__version__ >= "3" else {}
    edit(zarr.open_group(str(path), mode="r+", **options)["layers"])
    zarr.consolidate_metadata(str(path))


def change_numbers(layer, key, dtype):
    replace(layer, key, layer[key][:].astype(dtype))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("kind", ["h5ad", "zarr2", "zarr3"])
@pytest.mark.parametrize("form", MEMORY)
def test_types_in_files(form, kind, cells, counts, expected, tmp_path):
    """One file holds both layers in all types."""
    numbers, indices = (NUMBERS, INDICES) if kind == "h5ad" else (["f2", ">i4", "u8"], ["f8"])
    indices = [f"indices {dtype}" for dtype in indices] if form in SPARSE else []
    variants = [*numbers, *indices]
    layers = {
        f"{name} {variant}": MEMORY[form](layer)
        for name, layer in counts.items()
        for variant in variants
    }

    def edit(stored):
        for name in layers:
            dtype = name.split()[-1]
            if "indices" in name:
                for key in ("indices", "indptr"):
                    change_numbers(stored[name], key, dtype)
            elif form == "dense":
                change_numbers(stored, name, dtype)
            else:
                change_numbers(stored[name], "data", dtype)

    write_variants(tmp_path / "cells", kind, with_layers(cells, layers), edit)
    with open_anndata(tmp_path / "cells", list(layers)) as adata:
        for variant in variants:
            assert_same(cells, adata, expected, nt_layers=(f"new {variant}", f"total {variant}"))


@pytest.mark.parametrize("key", ["indices", "indptr"])
@pytest.mark.parametrize("value", [2.5, np.nan, np.inf, -1.0, 1e300])
@pytest.mark.parametrize("form", SPARSE)
def test_indices_that_are_not_whole_numbers_are_refused(form, key, value, cells, counts, tmp_path):
    path = tmp_path / "cells.h5ad"
    with_layers(cells, {name: SPARSE[form](layer) for name, layer in counts.items()}).write(path)
    with h5py.File(path, "r+") as file:
        values = file["layers/new"][key][:].astype("f8")
        values[3] = value
        replace(file["layers/new"], key, values)
    with (
        open_anndata(path) as adata,
        pytest.raises(ValueError, match=r"layer 'new'.* damaged"),
    ):
        prepare_moments(adata, cells.tf_names, **OPTIONS)


@pytest.mark.parametrize("dtype", ["f8", ">f8", "u8", ">i4"])
@pytest.mark.parametrize("form", SPARSE)
def test_indices_in_fit(form, dtype, counts):
    x, y = counts["total"][:, :4], counts["new"][:, 4:8]
    right = SciFateRegressor().fit(x, y)

    def odd(matrix):
        matrix = SPARSE[form](matrix)
        matrix.indices = matrix.indices.astype(dtype)
        matrix.indptr = matrix.indptr.astype(dtype)
        return matrix

    model = SciFateRegressor().fit(odd(x), odd(y))
    np.testing.assert_allclose(model.coef_, right.coef_, rtol=0, atol=1e-9)
    np.testing.assert_allclose(model.predict(odd(x)), model.predict(x), rtol=0, atol=1e-9)
    assert model.score(odd(x), odd(y)) == pytest.approx(right.score(x, y), abs=1e-9)


@pytest.mark.parametrize("dtype", ["f2", ">f8", ">i4", "u1", "g", object])
@pytest.mark.parametrize("form", MEMORY)
def test_numbers_in_fit(form, dtype, counts):
    x, y = counts["total"][:, :4], counts["new"][:, 4:8]
    right = SciFateRegressor().fit(x, y)
    model = SciFateRegressor().fit(cast(MEMORY[form](x), dtype), cast(MEMORY[form](y), dtype))
    np.testing.assert_allclose(model.coef_, right.coef_, rtol=0, atol=1e-9)


def test_a_closed_file_is_not_called_damaged(cells, counts, tmp_path):
    for form in MEMORY.values():
        path = tmp_path / "cells.h5ad"
        with_layers(cells, {name: form(layer) for name, layer in counts.items()}).write(path)
        with open_anndata(path) as adata:
            pass
        with pytest.raises(ValueError, match="within the block of `open_anndata`") as caught:
            prepare_moments(adata, cells.tf_names, **OPTIONS)
        assert "damaged" not in str(caught.value)
