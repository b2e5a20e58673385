"""Layers of new and total RNA that are found by the names that tools give them."""

import logging

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from scifate_sklearn import open_anndata, prepare_anndata, prepare_moments
from scifate_sklearn.anndata_io import find_layers, iterate_cells
from scifate_sklearn.anndata_io._conventions import CONVENTIONS
from scifate_sklearn.datasets import make_labelled_cells

OPTIONS = {"cell_filter_UMI": 0, "gene_filter_rate": 0}
SPLICING = ("spliced", "unspliced", "ambiguous")


def with_layers(*names, x=False):
    layers = {name: np.ones((2, 3)) for name in names}
    return ad.AnnData(X=np.ones((2, 3)) if x else None, layers=layers)


@pytest.mark.parametrize(
    ("names", "new", "total"),
    [
        (["new", "total"], "new", "total"),
        (["new", "total", *SPLICING, "X_new", "X_total"], "new", "total"),
        (["new", "total", "uu", "ul", "su", "sl"], "new", "total"),
        (["new", "total", "new_estimated"], "new", "total"),
        (["new_estimated", "total"], "new_estimated", "total"),
        (["new", "old", *SPLICING], "new", "new+old"),
        (["labeled_TC", "unlabeled_TC", "total", *SPLICING], "labeled_TC", "total"),
        (["labeled_TC", "labeled_TC_est", "X_l_TC", "total"], "labeled_TC", "total"),
        (["labeled_GA_TC", "total"], "labeled_GA_TC", "total"),
        (["X_l_TC", "X_n_TC", "X_l_TC_est", "X_n_TC_est"], "X_l_TC", "X_l_TC+X_n_TC"),
        (["uu", "ul", "su", "sl", "spliced", "unspliced"], "ul+sl", "uu+ul+su+sl"),
        (["X_new", "X_total"], "X_new", "X_total"),
        (["spliced", "unspliced"], "unspliced", "spliced+unspliced"),
        (["matrix", *SPLICING], "unspliced", "spliced+unspliced+ambiguous"),
        (["mature", "nascent", "ambiguous"], "nascent", "mature+nascent+ambiguous"),
        (["unspliced"], "unspliced", "X+unspliced"),
        (["new", "raw/X"], "new", "raw/X"),
        (["new", "old", "raw/X"], "new", "new+old"),
        (["newRNA", "raw/X"], "newRNA", "raw/X"),
        (["newRNA/X", "newRNA/counts", "RNA/X", "RNA/counts"], "newRNA/counts", "RNA/counts"),
        (["newRNA/X", "RNA/X"], "newRNA/X", "RNA/X"),
        (["rna/new", "rna/total", "rna/X", "adt/X"], "rna/new", "rna/total"),
        (["rna/spliced", "rna/unspliced"], "rna/unspliced", "rna/spliced+rna/unspliced"),
        (["rna/unspliced", "rna/X", "rna/raw/X"], "rna/unspliced", "rna/X+rna/unspliced"),
        (["rna/new", "rna/raw/X", "rna/X"], "rna/new", "rna/raw/X"),
    ],
)
def test_names_of_each_tool(names, new, total):
    adata = with_layers(*names, x=True)
    assert find_layers(adata)[:2] == (new, total)
    used = {part for name in (new, total) for part in name.split("+")} - {"X"}
    # `open_anndata` opens only these.
    assert find_layers(with_layers(*used, x=True))[:2] == (new, total)


def test_every_convention_is_tested():
    """And it can be the only one that applies."""
    assert len({each.source for each in CONVENTIONS}) == len(CONVENTIONS) == 14


@pytest.mark.parametrize(
    ("names", "candidates"),
    [
        (["X_new", "X_total", *SPLICING], ["X_new and X_total", "unspliced and spliced"]),
        (["labeled_TC", "labeled_GA", "total"], ["labeled_TC and total", "labeled_GA and total"]),
        (["labeled_TC", "new", "total"], ["labeled_TC and total", "new and total"]),
        (["nascent", "mature", "spliced", "unspliced"], ["nascent and", "unspliced and"]),
        (["a/new", "a/total", "b/new", "b/total"], ["a/new and a/total", "b/new and b/total"]),
    ],
)
def test_candidates_of_ambiguous_names(names, candidates):
    with pytest.raises(ValueError, match=f"^{len(candidates)} pairs of layers") as error:
        find_layers(with_layers(*names))
    assert all(each in str(error.value) for each in candidates)


def test_no_names_are_known():
    with pytest.raises(ValueError, match=r"No layers .* among those of adata \('X', 'counts'\)"):
        find_layers(with_layers("counts", x=True))
    with pytest.raises(ValueError, match=r"No layers .* \(none\)"):
        find_layers(ad.AnnData(obs=pd.DataFrame(index=["a"]), var=pd.DataFrame(index=["b"])))
    with pytest.raises(TypeError, match="must be an AnnData"):
        find_layers({"new": 1, "total": 2})


def test_a_missing_layer_names_those_that_would_be_found():
    adata = with_layers(*SPLICING)
    with pytest.raises(ValueError, match=r"`nt_layers='auto'` takes 'unspliced' as new"):
        prepare_anndata(adata, ["0"])
    with pytest.raises(ValueError, match=r"or 'auto'; got 'Auto'"):
        prepare_anndata(adata, ["0"], nt_layers="Auto")


@pytest.mark.parametrize("store", ["cells.h5ad", "cells.zarr"])
def test_prepared_as_with_the_names(tmp_path, store, caplog):
    cells = make_labelled_cells(60, 5, 20, molecules=80, random_state=0)
    adata, names = cells.adata, cells.tf_names
    new, total = (adata.layers[name] for name in ("new", "total"))
    adata.layers = {"unspliced": new, "spliced": total - new, "counts": total}
    adata.X = None
    getattr(adata, f"write_{store[6:]}")(tmp_path / store)
    layers = ("unspliced", "spliced+unspliced")
    expected = prepare_anndata(adata, names, nt_layers=layers, **OPTIONS)
    with caplog.at_level(logging.INFO, "scifate_sklearn"):
        inputs = prepare_anndata(adata, names, nt_layers="auto", **OPTIONS)
    pd.testing.assert_frame_equal(inputs.tf_matrix, expected.tf_matrix)
    assert "layers: unspliced (new RNA) and spliced+unspliced (total RNA)" in caplog.text
    with open_anndata(tmp_path / store, "auto") as opened:
        assert set(opened.layers) == {"unspliced", "spliced"}
        prepared = prepare_moments(opened, names, nt_layers="auto", **OPTIONS)
        chunks = iterate_cells(opened, prepared, nt_layers="auto", cell_filter_UMI=0)
        rows = np.vstack([X for X, _ in chunks])
    np.testing.assert_allclose(rows, expected.tf_matrix, atol=1e-8)
    with open_anndata(tmp_path / store, "all") as opened:
        assert set(opened.layers) == {"unspliced", "spliced", "counts"}
