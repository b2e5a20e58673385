"""Tests of scifate_glmnet: dynamo's arguments and result layout, results of our estimators."""

import inspect

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from scifate_sklearn.anndata_io import prepare_anndata, read_tf_names, scifate_glmnet
from scifate_sklearn.filters import BindingReference, EncodeLinkFilter
from scifate_sklearn.regressor import SciFateRegressor

TFS = ["TF0", "TF1", "TF2", "NKX2-1"]
OPTIONS = {"cell_filter_UMI": 10, "nt_layers": ["new", "total"]}
RAW_COLUMNS = ["id", "corcoef", "r_squre", "linked_gene"]
FILTERED_COLUMNS = [
    *("TF", "linked_gene", "Conf", "linked_gene_id", "linked_gene_type"),
    *("corcoef", "r_2", "TF_link"),
]


def make_adata(n_cells=300, n_targets=40, seed=0):
    """Return cells in which TF number i modulo 4 drives target i, with ids as names of genes."""
    rng = np.random.default_rng(seed)
    activity = rng.gamma(2.0, 1.0, size=(n_cells, len(TFS)))
    old = rng.poisson(4.0 * activity)
    rate = 2.0 * activity[:, np.arange(n_targets) % len(TFS)]
    new = np.hstack([rng.poisson(activity), rng.poisson(rate)])
    total = new + np.hstack([old, rng.poisson(4.0, size=rate.shape)])
    symbols = TFS + [f"G{i}" for i in range(n_targets)]
    var = pd.DataFrame(
        {
            "gene_id": [f"ENSG{i}" for i in range(len(symbols))],
            "gene_short_name": symbols,
            "gene_type": pd.Categorical(
                ["protein_coding"] * 4 + ["lincRNA", None] * (n_targets // 2)
            ),
        },
    ).set_index("gene_id", drop=False)
    var.index.name = None
    return ad.AnnData(
        obs=pd.DataFrame(index=[f"cell{i}" for i in range(n_cells)]),
        var=var,
        layers={
            "new": sp.csr_matrix(new.astype(np.float32)),
            "total": sp.csr_matrix(total.astype(np.float32)),
        },
    )


@pytest.fixture
def references(tmp_path):
    """Return dynamo's two files, which are tab-separated although their names end in .csv."""
    motifs = pd.DataFrame({"motif": ["m1", "m2", "m3", "m4", "m4"], "TF": [*TFS, "Absent"]})
    genes = TFS + [f"G{i}" for i in range(40)]
    pairs = pd.DataFrame(
        [(tf, gene) for tf in TFS for gene in genes], columns=["id", "linked_gene_name"]
    )
    number = pairs["linked_gene_name"].str.extract(r"^G(\d+)$")[0].astype(float)
    pairs["peak"] = (number % 4 == pairs["id"].map(TFS.index)).astype(int)
    motif_ref, encode_ref = tmp_path / "motifAnnotations_hgnc.csv", tmp_path / "ENCODE.csv"
    motifs.to_csv(motif_ref, sep="\t", index=False)
    pairs.to_csv(encode_ref, sep="\t", index=False)
    return {"motif_ref": str(motif_ref), "TF_link_ENCODE_ref": encode_ref}


def test_arguments_and_defaults_are_dynamos():
    parameters = inspect.signature(scifate_glmnet).parameters
    defaults = {name: parameter.default for name, parameter in parameters.items()}
    assert list(defaults) == [
        *("adata", "gene_filter_rate", "cell_filter_UMI", "core_n_lasso", "core_n_filtering"),
        *("motif_ref", "TF_link_ENCODE_ref", "nt_layers"),
    ]
    assert list(defaults.values())[1:5] == [0.1, 10000, 1, 1]
    assert list(defaults["nt_layers"]) == ["X_new", "X_total"]
    for name in ("motif_ref", "TF_link_ENCODE_ref"):
        assert defaults[name].startswith("https://figshare.com/ndownloader/files/4743945")


def test_results_are_those_of_the_estimators(references):
    adata = make_adata()
    before = adata.copy()
    returned = scifate_glmnet(adata, **OPTIONS, **references)
    assert returned is adata
    assert list(adata.uns["scifate"]) == ["glmnet_res", "glmnet_chip_filter"]

    inputs = prepare_anndata(before, TFS, gene_symbols="gene_short_name", **OPTIONS)
    links = SciFateRegressor().fit(inputs.tf_matrix, inputs.target_matrix).links_
    raw = adata.uns["scifate"]["glmnet_res"]
    assert list(raw.columns) == RAW_COLUMNS
    assert list(raw["id"]) == list(links["TF"])
    np.testing.assert_array_equal(raw["corcoef"], links["coef"])
    np.testing.assert_array_equal(raw["r_squre"], links["r2"])
    symbol = before.var["gene_short_name"]
    assert list(symbol[raw["linked_gene"]]) == list(links["target"])

    reference = BindingReference.read(references["TF_link_ENCODE_ref"])
    kept = EncodeLinkFilter(reference).fit(links).transform(links)
    filtered = adata.uns["scifate"]["glmnet_chip_filter"]
    assert list(filtered.columns) == FILTERED_COLUMNS
    assert len(filtered) == len(kept) > 20
    assert list(filtered["TF"]) == list(kept["TF"])
    assert list(filtered["linked_gene"]) == list(kept["target"])
    np.testing.assert_array_equal(filtered["corcoef"], kept["coef"])
    np.testing.assert_array_equal(filtered["r_2"], kept["r2"])
    assert set(filtered["Conf"]) == {"Chip_peak"}
    assert list(symbol[filtered["linked_gene_id"]]) == list(filtered["linked_gene"])
    assert list(filtered["TF_link"]) == list(filtered["TF"] + "_" + filtered["linked_gene"])
    types = before.var["gene_type"].astype(object).fillna("")
    assert list(filtered["linked_gene_type"]) == list(types[filtered["linked_gene_id"]])


def test_finds_the_planted_network_and_no_self_links(references):
    filtered = scifate_glmnet(make_adata(), **OPTIONS, **references).uns["scifate"]
    links = filtered["glmnet_chip_filter"]
    number = links["linked_gene"].str.extract(r"^G(\d+)$")[0].astype(float)
    true = number % 4 == links["TF"].map(TFS.index)
    assert true.sum() >= 36
    assert (links["TF"] != links["linked_gene"]).all()
    raw = filtered["glmnet_res"]
    assert "NKX2-1" in set(raw["id"])
    assert not raw["id"].isin(["new_size_factor", "labeling_ratio"]).any()
    assert (raw["id"].map(TFS.index) != raw["linked_gene"].str[4:].astype(int)).all()


def test_adata_is_otherwise_unchanged(references):
    adata = make_adata()
    before = adata.copy()
    scifate_glmnet(adata, **OPTIONS, **references)
    del adata.uns["scifate"]
    assert not adata.uns
    pd.testing.assert_frame_equal(adata.var, before.var)
    pd.testing.assert_frame_equal(adata.obs, before.obs)
    for name in before.layers:
        assert (adata.layers[name] != before.layers[name]).nnz == 0


@pytest.mark.parametrize("keeps_links", [True, False])
def test_write_h5ad_and_back(references, tmp_path, keeps_links):
    if not keeps_links:
        table = pd.read_csv(references["TF_link_ENCODE_ref"], sep="\t")
        number = table["linked_gene_name"].str.extract(r"(\d+)$")[0].astype(int)
        table["peak"] = number // 4 % 2  # half of every TF's targets, half of the others
        table.to_csv(references["TF_link_ENCODE_ref"], sep="\t", index=False)
    adata = scifate_glmnet(make_adata(), **OPTIONS, **references)
    assert (len(adata.uns["scifate"]["glmnet_chip_filter"]) > 0) == keeps_links
    adata.write_h5ad(tmp_path / "cells.h5ad")
    back = ad.read_h5ad(tmp_path / "cells.h5ad").uns["scifate"]
    for name, frame in adata.uns["scifate"].items():
        for column in frame:
            assert back[name][column].tolist() == frame[column].tolist()


def test_var_names_replace_missing_annotation(references):
    adata = make_adata()
    adata.var_names = adata.var["gene_short_name"].to_numpy()
    adata.var = adata.var[[]]
    results = scifate_glmnet(adata, **OPTIONS, **references).uns["scifate"]
    assert set(results["glmnet_res"]["linked_gene"]) <= set(adata.var_names)
    filtered = results["glmnet_chip_filter"]
    assert list(filtered["linked_gene_id"]) == list(filtered["linked_gene"])
    assert set(filtered["linked_gene_type"]) == {""}


def test_shared_names_are_annotated_from_the_kept_column(references):
    adata = make_adata()
    names = adata.var["gene_short_name"].to_numpy(dtype=object).copy()
    names[7] = names[8] = "G4"
    adata.layers["total"] = adata.layers["total"].toarray()
    adata.layers["total"][:, 7] = 1
    adata.var_names = names
    adata.var["gene_short_name"] = names
    with pytest.warns(UserWarning, match="share their name"):
        scifate_glmnet(adata, **OPTIONS, **references)
    filtered = adata.uns["scifate"]["glmnet_chip_filter"].set_index("linked_gene")
    assert set(filtered.loc[["G4"], "linked_gene_id"]) == {"ENSG8"}


def test_more_cores_same_result(references):
    one, two = (
        scifate_glmnet(make_adata(), core_n_lasso=n, core_n_filtering=n, **OPTIONS, **references)
        for n in (1, 2)
    )
    for name, frame in one.uns["scifate"].items():
        pd.testing.assert_frame_equal(frame, two.uns["scifate"][name])


def test_a_view_becomes_a_copy(references):
    adata = make_adata()
    with pytest.warns(ad.ImplicitModificationWarning):
        view = scifate_glmnet(adata[:250], **OPTIONS, **references)
    assert set(view.uns["scifate"]) == {"glmnet_res", "glmnet_chip_filter"}
    assert not adata.uns


def test_the_regression_is_kept_if_the_filter_fails(references):
    table = pd.DataFrame({"id": ["Foo", "Foo"], "linked_gene_name": ["A", "B"], "peak": [0, 1]})
    table.to_csv(references["TF_link_ENCODE_ref"], sep="\t", index=False)
    adata = make_adata()
    with pytest.raises(ValueError, match="Foo"):
        scifate_glmnet(adata, **OPTIONS, **references)
    assert list(adata.uns["scifate"]) == ["glmnet_res"]


@pytest.mark.parametrize("argument", ["motif_ref", "TF_link_ENCODE_ref"])
def test_missing_reference_is_found_before_the_regression(references, tmp_path, argument):
    references[argument] = tmp_path / "nowhere.csv"
    adata = make_adata()
    with pytest.raises(FileNotFoundError, match=r"nowhere\.csv"):
        scifate_glmnet(adata, **OPTIONS, **references)
    assert not adata.uns


def test_default_layers_are_missing(references):
    with pytest.raises(ValueError, match=r"'X_new', which adata does not have.*'new', 'total'"):
        scifate_glmnet(make_adata(), **references)


def test_prints_nothing(references, capsys):
    scifate_glmnet(make_adata(), **OPTIONS, **references)
    assert capsys.readouterr() == ("", "")


@pytest.mark.slow
def test_labelled_k562_cells(shared, tmp_path):
    data = shared / "data"
    adata = ad.read_h5ad(data / "nascseq2_k562" / "k562_new_total_613x199.h5ad")
    adata.var["gene_short_name"] = adata.var["symbol"]
    tf_names = data / "rcistarget_tf" / "motifAnnotations_hgnc.csv.gz"
    scifate_glmnet(
        adata,
        cell_filter_UMI=100,
        motif_ref=tf_names,
        TF_link_ENCODE_ref=data / "encode_enrichr" / "encode2015_edges_human_K562.csv.gz",
        nt_layers=["new", "total"],
    )
    raw = adata.uns["scifate"]["glmnet_res"]
    assert list(raw.columns) == RAW_COLUMNS
    assert len(raw) > 0
    assert set(raw["id"]) <= set(read_tf_names(tf_names))
    assert raw["linked_gene"].isin(adata.var_names).all()
    assert list(adata.uns["scifate"]["glmnet_chip_filter"].columns) == FILTERED_COLUMNS
    adata.write_h5ad(tmp_path / "cells.h5ad")
