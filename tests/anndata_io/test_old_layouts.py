"""Files of old anndata versions, and of other writers: the same as from anndata itself."""

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GroupKFold

from scifate_sklearn import open_anndata, prepare_anndata, prepare_moments
from scifate_sklearn.datasets import make_labelled_cells

OPTIONS = {"gene_filter_rate": 0.05, "cell_filter_UMI": 10}
# They say that the layout is old.
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")


@pytest.fixture(scope="module")
def cells():
    return make_labelled_cells(n_cells=60, n_tfs=4, n_targets=8, molecules=60, random_state=0)


def write_sparse(file, name, matrix):
    """Write CSR as h5sparse did."""
    group = file.create_group(name)
    group.attrs["h5sparse_format"] = b"csr"
    group.attrs["h5sparse_shape"] = np.array(matrix.shape)
    for part in ("data", "indices", "indptr"):
        group[part] = getattr(matrix, part)


def write_dense(file, name, matrix):
    file[name] = matrix.toarray()


def records(names, text, **columns):
    """Return an array of records, whose first field has the names."""
    fields = [("index", text), *((name, values.dtype) for name, values in columns.items())]
    table = np.empty(len(names), fields)
    table["index"] = [name.encode() for name in names]
    for name, values in columns.items():
        table[name] = values
    return table


@pytest.fixture(params=["bytes", "text"])
def old_file(request, cells, tmp_path):
    """Return a file as anndata 0.6 wrote it, with categories in ``uns``."""
    path = tmp_path / "cells.h5ad"
    text = "S20" if request.param == "bytes" else h5py.string_dtype()
    write = write_sparse if request.param == "bytes" else write_dense
    n_cells, n_genes = cells.adata.shape
    batch = np.arange(n_cells, dtype="i1") % 3
    with h5py.File(path, "w") as file:
        for name in ("new", "total"):
            write(file, f"layers/{name}", cells.adata.layers[name].tocsr())
        size = np.arange(n_cells, dtype=">f4")
        file["obs"] = records(cells.adata.obs_names, text, batch=batch, size=size)
        symbols = np.array([f"S{i}".encode() for i in range(n_genes)])
        file["var"] = records(cells.adata.var_names, text, symbol=symbols)
        file["uns/batch_categories"] = np.array([b"c", b"a", b"b"])
        file["uns/other_categories"] = np.array([b"x"])
    return path


def test_compound_tables(cells, old_file):
    known = anndata.read_h5ad(old_file)
    with open_anndata(old_file) as adata:
        pd.testing.assert_frame_equal(adata.var, known.var)
        pd.testing.assert_frame_equal(adata.obs, known.obs, check_dtype=False)
        assert list(adata.obs["batch"].cat.categories) == ["c", "a", "b"]
        for one, other in zip(
            prepare_anndata(adata, cells.tf_names, **OPTIONS),
            prepare_anndata(known, cells.tf_names, **OPTIONS),
            strict=True,
        ):
            pd.testing.assert_frame_equal(one, other, check_exact=True)
        folds = {"groups": "batch", "cv": GroupKFold(3)}
        sums = [prepare_moments(a, cells.tf_names, **OPTIONS, **folds) for a in (adata, known)]
        np.testing.assert_allclose(sums[0].moments.xx, sums[1].moments.xx)
        tfs = [f"S{list(cells.adata.var_names).index(tf)}" for tf in cells.tf_names]
        prepared = prepare_anndata(adata, tfs, gene_symbols="symbol", **OPTIONS)
        assert set(prepared.tf_matrix) >= set(prepared.genes.index[prepared.genes["is_tf"]])


def test_one_category_and_codes_that_are_none(cells, old_file):
    with h5py.File(old_file, "r+") as file:
        file["uns/size_categories"] = b"only"  # the column has numbers
        del file["uns/batch_categories"]
        file["uns/batch_categories"] = np.array([b"too few"])
    with open_anndata(old_file) as adata:
        assert adata.obs["batch"].dtype == np.int8
        assert adata.obs["size"].dtype == np.float32


def test_tables_without_attributes(cells, tmp_path):
    path = tmp_path / "cells.h5ad"
    cells.adata.write_h5ad(path)
    with h5py.File(path, "r+") as file:
        for name, names in (("obs", cells.adata.obs_names), ("var", cells.adata.var_names)):
            del file[name]
            file[f"{name}/_index"] = np.array([each.encode() for each in names])
            file[f"{name}/number"] = np.arange(len(names))
    with open_anndata(path) as adata:
        assert list(adata.obs_names) == list(cells.adata.obs_names)
        assert list(adata.var.columns) == ["number"]
        prepare_anndata(adata, cells.tf_names, **OPTIONS)
    with h5py.File(path, "r+") as file:
        del file["obs/_index"]
    with pytest.raises(ValueError, match="/obs has no names of its rows"), open_anndata(path):
        pass


def test_tables_that_are_none(cells, tmp_path):
    path = tmp_path / "cells.h5ad"
    cells.adata.write_h5ad(path)
    with h5py.File(path, "r+") as file:
        del file["obs"]
        file["obs"] = np.arange(60.0)
    with pytest.raises(ValueError, match="must be tables, found an array"), open_anndata(path):
        pass


REAL = [
    "h5ad_ages/anndata_0.5.0_pbmc68k_80x200.h5ad",
    "h5ad_ages/anndata_0.7.0_generated.h5ad",
    "h5ad_ages/zellkonverter_krumsiek11_0.7.h5ad",
    "h5ad_ages/seuratdisk_RNA.h5ad",
    "h5ad_ages/mudataseurat_RNA.h5ad",
    "h5ad_ages/sceasy_default.h5ad",
    "h5ad_ages/anndataR_example.h5ad",
    "h5ad_ages/anndata_0.12_nullable_string.h5ad",
    "alevin_fry/dg50_pyroe_raw.h5ad",
    "dynast/scNT_count.h5ad",
]


@pytest.mark.parametrize("name", REAL)
def test_real_files(name, shared):
    path = shared / "data" / "formats" / name
    if not path.exists():
        pytest.skip(f"{path} is absent")
    known = anndata.read_h5ad(path)
    layers = [*known.layers, *([] if known.X is None else ["X"])]
    with open_anndata(path, layers) as adata:
        pd.testing.assert_frame_equal(adata.obs, known.obs)
        pd.testing.assert_frame_equal(adata.var, known.var)
        for layer in layers:
            options = {"nt_layers": (layer, layer), "response": "values", "regulators": "values"}
            one, other = (
                prepare_anndata(each, known.var_names[:5], **options) for each in (adata, known)
            )
            pd.testing.assert_frame_equal(one.target_matrix, other.target_matrix, check_exact=True)
