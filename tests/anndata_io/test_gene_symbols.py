"""Symbols of genes that are called by ids, from a table."""

import warnings

import anndata
import numpy as np
import pandas as pd
import pytest

from scifate_sklearn import prepare_anndata
from scifate_sklearn.datasets import make_labelled_cells
from scifate_sklearn.filters import read_gene_table


@pytest.fixture(scope="module")
def cells():
    return make_labelled_cells(n_cells=120, n_tfs=5, n_targets=15, random_state=0)


def with_ids(cells, version):
    adata = cells.adata.copy()
    adata.var["symbol"] = adata.var_names.to_numpy()
    adata.var_names = [f"ENSG{i:011}{version}" for i in range(adata.n_vars)]
    return adata


@pytest.mark.parametrize("version", ["", ".7"])
@pytest.mark.parametrize("kind", ["mapping", "table", "file"])
def test_a_table_equals_a_column(tmp_path, cells, version, kind):
    adata = with_ids(cells, version)
    expected = prepare_anndata(adata, cells.tf_names, cell_filter_UMI=100, gene_symbols="symbol")
    ids = [f"ENSG{i:011}.2" if version else f"ENSG{i:011}" for i in range(adata.n_vars)]
    path = tmp_path / "features.tsv"
    pd.DataFrame({"id": ids, "symbol": adata.var["symbol"].to_numpy()}).to_csv(
        path, sep="\t", index=False, header=False
    )
    given = {
        "mapping": dict(zip(ids, adata.var["symbol"], strict=True)),
        "table": read_gene_table(path),
        "file": path,
    }[kind]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = prepare_anndata(adata, cells.tf_names, cell_filter_UMI=100, gene_symbols=given)
    for one, other in zip(found, expected, strict=True):
        pd.testing.assert_frame_equal(one, other)


def test_real_versioned_ids(shared):
    name = "anndata_0.12_versioned_ids_symbols_in_column.h5ad"
    adata = anndata.read_h5ad(shared / "data" / "formats" / "h5ad_ages" / name)
    symbols = adata.var["gene_short_name"].astype(str)
    table = {id_.split(".")[0]: symbol for id_, symbol in symbols.items()}
    tfs = list(np.unique(symbols))[:20]
    options = {
        "nt_layers": ("unspliced", "spliced"),
        "cell_filter_UMI": 0,
        "gene_filter_rate": 0.02,
    }
    by_column = prepare_anndata(adata, tfs, gene_symbols="gene_short_name", **options)
    by_table = prepare_anndata(adata, tfs, gene_symbols=table, **options)
    pd.testing.assert_frame_equal(by_table.target_matrix, by_column.target_matrix)


def test_genes_that_the_table_lacks_keep_their_names(cells):
    adata = with_ids(cells, "")
    few = {adata.var_names[i]: adata.var["symbol"].iloc[i] for i in range(3)}
    tfs = [*few.values(), *adata.var_names[3:5]]
    with pytest.warns(UserWarning, match="has symbols of 3 of 20 genes only"):
        found = prepare_anndata(adata, tfs, cell_filter_UMI=100, gene_symbols=few)
    assert set(found.tf_matrix.columns) >= set(tfs)


def test_tables_of_other_genes_are_refused(cells):
    adata = with_ids(cells, "")
    with pytest.raises(
        ValueError, match=r"none of the 20 genes of `adata` .* Pass as `gene_symbols`"
    ):
        prepare_anndata(adata, cells.tf_names, gene_symbols={"ENSMUSG00000000001": "Gnai3"})
    with pytest.raises(ValueError, match="requires the columns 'old' and 'new'"):
        prepare_anndata(adata, cells.tf_names, gene_symbols=pd.DataFrame({"a": ["b"]}))
