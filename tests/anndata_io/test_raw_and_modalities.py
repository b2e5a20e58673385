"""Layers that are in `raw`, or in the modalities of a MuData file."""

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest

from scifate_sklearn import open_anndata, prepare_anndata, prepare_moments
from scifate_sklearn.anndata_io import find_layers, open_parts
from scifate_sklearn.datasets import make_labelled_cells

OPTIONS = {"gene_filter_rate": 0.05, "cell_filter_UMI": 10}
RAW = {"nt_layers": ("new", "raw/X"), **OPTIONS}


@pytest.fixture(scope="module")
def cells():
    return make_labelled_cells(n_cells=60, n_tfs=4, n_targets=8, molecules=60, random_state=0)


@pytest.fixture(params=["same genes", "more genes in another order"])
def adata(request, cells):
    """Return cells whose counts of total RNA are in `raw` only, and X is scaled."""
    counts = cells.adata.copy()
    counts.X = counts.layers["total"].copy()
    adata = counts.copy()
    if request.param != "same genes":
        other = counts[:, :3].copy()
        other.var_names = ["x", "y", "z"]
        counts = anndata.concat([other, counts], axis=1)[:, ::-1].copy()
    adata.raw = counts
    adata.X = np.log1p(adata.X.toarray()) - 1
    del adata.layers["total"]
    return adata


def same(one, other):
    for a, b in zip(one, other, strict=True):
        pd.testing.assert_frame_equal(a, b, check_exact=True)


def test_raw(cells, adata, tmp_path):
    expected = prepare_anndata(cells.adata, cells.tf_names, **OPTIONS)
    same(prepare_anndata(adata, cells.tf_names, **RAW), expected)
    adata.write_h5ad(tmp_path / "cells.h5ad")
    with open_anndata(tmp_path / "cells.h5ad", ("new", "raw/X")) as opened:
        same(prepare_anndata(opened, cells.tf_names, **RAW), expected)
        sums = prepare_moments(opened, cells.tf_names, chunk_size=7, random_state=0, **RAW)
    known = prepare_moments(cells.adata, cells.tf_names, chunk_size=7, random_state=0, **OPTIONS)
    np.testing.assert_allclose(sums.moments.xx, known.moments.xx)


def test_raw_is_found_by_its_name(cells, adata, tmp_path):
    expected = prepare_anndata(cells.adata, cells.tf_names, **OPTIONS)
    auto = {"nt_layers": "auto", **OPTIONS}
    same(prepare_anndata(adata, cells.tf_names, **auto), expected)
    adata.write_h5ad(tmp_path / "cells.h5ad")
    with open_anndata(tmp_path / "cells.h5ad", "auto") as opened:
        assert find_layers(opened)[:2] == ("new", "raw/X")
        same(prepare_anndata(opened, cells.tf_names, **auto), expected)


def test_raw_without_a_gene(cells, adata):
    adata.raw = adata.raw.to_adata()[:, adata.var_names[:-1]].copy()
    with pytest.raises(ValueError, match=r"'raw/X' lacks 1 of the 12 genes of adata, such as"):
        prepare_anndata(adata, cells.tf_names, **RAW)


def test_raw_with_names_that_occur_twice(cells, adata):
    other = adata.raw.to_adata()[:, ::-1].copy()
    other.var_names = ["A"] * other.n_vars
    adata.raw = other
    with pytest.raises(ValueError, match="names occur twice"):
        prepare_anndata(adata, cells.tf_names, **RAW)


def test_raw_that_is_absent(cells):
    with pytest.raises(
        ValueError, match=r"names the layer 'raw/X'.*There are: 'X', 'new', 'total'"
    ):
        prepare_anndata(cells.adata, cells.tf_names, **RAW)


@pytest.fixture
def write(tmp_path, cells):
    def write(**modalities):
        path = tmp_path / "cells.h5mu"
        with h5py.File(path, "w") as file:
            for name, part in modalities.items():
                anndata.io.write_elem(file, f"mod/{name}", part)
        return path

    return write


def part(cells, layer):
    return anndata.AnnData(cells.adata.layers[layer], cells.adata.obs, cells.adata.var)


def test_modalities(cells, write):
    path = write(old=part(cells, "new"), rna=part(cells, "total"))
    expected = prepare_anndata(cells.adata, cells.tf_names, **OPTIONS)
    layers = ("old/X", "rna/X")
    with open_anndata(path, layers) as adata:
        found = prepare_anndata(adata, cells.tf_names, nt_layers=layers, **OPTIONS)
    same(found, expected)
    with (
        pytest.raises(ValueError, match=r"'new', which adata does not have.*'old/X', 'rna/X'"),
        open_anndata(path),
    ):
        pass


def other_genes(adata):
    other = adata[:, :3].copy()
    other.var_names = ["x", "y", "z"]
    return other


def test_layers_of_a_modality_are_found_by_their_names(cells, write):
    expected = prepare_anndata(cells.adata, cells.tf_names, **OPTIONS)
    path = write(adt=other_genes(part(cells, "total")), rna=cells.adata)
    with open_anndata(path, "auto") as adata:
        assert find_layers(adata)[:2] == ("rna/new", "rna/total")
        same(prepare_anndata(adata, cells.tf_names, nt_layers="auto", **OPTIONS), expected)
    path = write(newRNA=part(cells, "new"), RNA=part(cells, "total"))
    with open_anndata(path, "auto") as adata:
        same(prepare_anndata(adata, cells.tf_names, nt_layers="auto", **OPTIONS), expected)


def test_raw_of_a_modality_has_its_genes(cells, write):
    rna = cells.adata.copy()
    rna.X = rna.layers.pop("total")
    rna.raw = rna
    layers = ("rna/new", "rna/raw/X")
    expected = prepare_anndata(cells.adata, cells.tf_names, **OPTIONS)
    with open_anndata(write(rna=rna), layers) as adata:
        same(prepare_anndata(adata, cells.tf_names, nt_layers=layers, **OPTIONS), expected)
    rna.raw = rna.raw.to_adata()[:, ::-1].copy()
    path = write(rna=rna)
    with (
        pytest.raises(ValueError, match="rna/raw/X has other genes than its modality"),
        open_anndata(path, layers),
    ):
        pass
    with open_parts(path) as (parts, others):
        assert [list(each.layers) for each in parts] == [["rna/X", "rna/new"]]
        assert others == ["rna/raw/X"]


def test_parts_are_modalities_with_the_same_cells_and_genes(cells, write, tmp_path):
    total, fewer = part(cells, "total"), part(cells, "total")[:-1].copy()
    path = write(a=total, b=other_genes(total), c=part(cells, "new"), d=fewer)
    with open_parts(path) as (parts, others):
        found = [(list(each.layers), each.shape) for each in parts]
    assert found == [(["a/X", "c/X"], (60, 12)), (["b/X"], (60, 3)), (["d/X"], (59, 12))]
    assert others == []
    cells.adata.write_h5ad(tmp_path / "cells.h5ad")
    with open_parts(tmp_path / "cells.h5ad") as (parts, others):
        assert [set(each.layers) for each in parts] == [{"new", "total"}]


@pytest.mark.parametrize(
    ("select", "what"),
    [
        (lambda a: a[::-1], "different cells, or in another order"),
        (lambda a: a[:-1], "different cells"),
        (lambda a: a[:, ::-1], "different genes"),
        (lambda a: a[:, 1:], "different genes"),
    ],
)
def test_modalities_that_do_not_fit(cells, write, select, what):
    path = write(new=select(part(cells, "new")).copy(), rna=part(cells, "total"))
    layers = ("new/X", "rna/X")
    with pytest.raises(ValueError, match=what) as caught, open_anndata(path, layers):
        pass
    assert str(caught.value).startswith(f"{path}: the layers new/X, rna/X are of")


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_columns_of_the_obs_of_all_modalities(cells, write, order):
    path = write(rna=part(cells, "total"))
    obs = cells.adata.obs.assign(batch=pd.Categorical(["a", "b"] * 30), depth=range(60))
    with h5py.File(path, "r+") as file:
        anndata.io.write_elem(file, "obs", obs.iloc[order])
    with open_anndata(path, ("rna/X",)) as adata:
        pd.testing.assert_frame_equal(adata.obs, obs)
    with h5py.File(path, "r+") as file:
        anndata.io.write_elem(file, "obs", obs.iloc[1:])
    with open_anndata(path, ("rna/X",)) as adata:  # other cells
        assert "batch" not in adata.obs
