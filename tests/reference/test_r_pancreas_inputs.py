"""Comparison of `prepare_anndata` on real cells with the inputs of the paper's R pipeline."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from scifate_sklearn.anndata_io import prepare_anndata, read_tf_names


@pytest.fixture(scope="module")
def inputs(shared):
    adata = ad.read_h5ad(shared / "data" / "veloviz_pancreas" / "pancreas_739x7192.h5ad")
    adata.layers["total"] = adata.layers["spliced"] + adata.layers["unspliced"]
    tf_names = read_tf_names(shared / "data" / "rcistarget_tf" / "TF_mgi.txt")
    return prepare_anndata(adata, tf_names, nt_layers=("unspliced", "total"), cell_filter_UMI=1000)


@pytest.fixture(scope="module")
def reference(shared):
    return shared / "reference" / "r_pancreas"


def test_genes_and_tfs_in_order(inputs, reference):
    genes, tfs = ((reference / f"{name}.txt").read_text().split() for name in ("genes", "tfs"))
    assert (len(genes), len(tfs)) == (2507, 205)
    assert list(inputs.target_matrix.columns) == list(inputs.genes.index) == genes
    assert list(inputs.tf_matrix.columns) == [*tfs, "new_size_factor", "labeling_ratio"]
    assert list(inputs.genes.index[inputs.genes["is_tf"]]) == tfs


def test_size_factors_and_labelling_rate(inputs, reference):
    cells = pd.read_csv(reference / "cells.csv")
    assert list(inputs.cells.index) == list(cells["cell"])
    for ours, r in (("size_factor", "size_factor"), ("labeling_ratio", "labeling_rate")):
        np.testing.assert_allclose(inputs.cells[ours], cells[r], rtol=1e-12)


def test_matrices_are_z_scored(inputs):
    for matrix in (inputs.tf_matrix, inputs.target_matrix):
        assert matrix.shape[0] == 738
        np.testing.assert_allclose(matrix.mean(), 0, atol=1e-12)
        np.testing.assert_allclose(matrix.std(ddof=1), 1, rtol=1e-12)
