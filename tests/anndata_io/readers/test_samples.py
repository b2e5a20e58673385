"""Real files of each tool: the numbers that the format's own library reads."""

import gzip
import warnings
import zipfile
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.io
import scipy.sparse as sp
from typer.testing import CliRunner

from scifate_sklearn import open_anndata
from scifate_sklearn.anndata_io import read_cells
from scifate_sklearn.cli import app

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def formats(shared):
    if not (shared / "data" / "formats").is_dir():
        pytest.skip(f"samples of formats are not in {shared}")
    return shared / "data" / "formats"


def mmread(path):
    return sp.csr_array(scipy.io.mmread(path)).toarray()


def lines(path):
    content = path.read_bytes()
    text = gzip.decompress(content) if path.suffix == ".gz" else content
    return text.decode().splitlines()


def check(adata, layers, cells=None, genes=None):
    for name, layer in layers.items():
        found = adata.X if name == "X" else adata.layers[name]
        np.testing.assert_array_equal(found.toarray(), layer, err_msg=name)
    if cells is not None:
        assert list(adata.obs_names) == list(cells)
    if genes is not None:
        assert list(adata.var_names) == list(genes)


LOOMS = {
    "velocyto_loom/dg50_velocyto.loom": ("CellID", "Gene"),
    "kb_nac/lamanno_counts_unfiltered/adata.loom": ("barcode", "target_name"),
    "alevin_fry/dg50_pyroe_velocity.loom": ("barcodes", "gene_ids"),
}


@pytest.mark.parametrize("name", LOOMS)
def test_loom(formats, name):
    cells, genes = LOOMS[name]
    adata = read_cells(formats / name)
    with h5py.File(formats / name) as file:
        expected = {key: layer[()].T for key, layer in file["layers"].items()}
        expected["X"] = file["matrix"][()].T
        names = file["col_attrs"][cells].asstr()[()], file["row_attrs"][genes].asstr()[()]
    check(adata, expected, *names)
    assert {"X", *adata.layers} == set(expected)


@pytest.mark.parametrize("name", LOOMS)
def test_loom_as_loompy(formats, name):
    pytest.importorskip("loompy")
    cells, genes = LOOMS[name]
    expected = anndata.io.read_loom(formats / name, X_name="", obs_names=cells, var_names=genes)
    layers = {key: layer.toarray() for key, layer in expected.layers.items()}
    layers["X"] = expected.X.toarray()
    check(read_cells(formats / name), layers, expected.obs_names, expected.var_names)


@pytest.mark.parametrize("kind", ["raw", "filtered"])
def test_starsolo(formats, kind):
    folder = formats / "starsolo/dg50_Solo.out/Velocyto" / kind
    layers = ("spliced", "unspliced", "ambiguous")
    expected = {name: mmread(folder / f"{name}.mtx").T for name in layers}
    features = pd.read_csv(folder / "features.tsv", sep="\t", header=None)
    adata = read_cells(folder)
    check(adata, expected, lines(folder / "barcodes.tsv"), features[0])
    assert list(adata.var["gene_symbol"]) == list(features[1])
    assert adata.layers["unspliced"].nnz == (expected["unspliced"] > 0).sum()
    if kind == "filtered":
        check(read_cells(formats / "starsolo/dg50_Solo.out"), expected)


def test_starsolo_of_five_fields(formats, tmp_path):
    """SciPy reads the first of three numbers only."""
    folder = formats / "starsolo/scNT_split_Velocyto_raw"
    layers = ("spliced", "unspliced", "ambiguous")
    body = [lines(folder / f"{name}.mtx")[3:] for name in layers]
    for name in ("barcodes.tsv", "features.tsv"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    head = lines(folder / "spliced.mtx")[:3]
    joined = (
        " ".join([each[0], *(x.split()[2] for x in each[1:])]) for each in zip(*body, strict=True)
    )
    (tmp_path / "matrix.mtx").write_text("\n".join([*head, *joined]) + "\n")
    check(read_cells(tmp_path), {name: mmread(folder / f"{name}.mtx").T for name in layers})


@pytest.mark.parametrize("name", ["dg50_af_quant", "fishpond_fry-usa-basic"])
def test_alevin_fry(formats, name):
    folder = formats / "alevin_fry" / name / "alevin"
    genes = lines(folder / "quants_mat_cols.txt")
    stacked = np.split(mmread(folder / "quants_mat.mtx"), 3, axis=1)
    expected = dict(zip(("spliced", "unspliced", "ambiguous"), stacked, strict=True))
    check(read_cells(folder.parent), expected, lines(folder / "quants_mat_rows.txt"), genes)


def test_alevin_fry_as_pyroe(formats):
    """The formats of pyroe have the counts of the folder."""
    folder = read_cells(formats / "alevin_fry/dg50_af_quant")
    spliced, unspliced, ambiguous = (layer.toarray() for layer in folder.layers.values())
    for name, layers, new, total in (
        ("raw", {"X": spliced, "ambiguous": ambiguous}, "unspliced", "+".join(folder.layers)),
        ("velocity", {"spliced": spliced + ambiguous}, "unspliced", "spliced+unspliced"),
        ("scRNA", {"X": spliced + ambiguous}, "unspliced", "X+unspliced"),
    ):
        adata = read_cells(formats / f"alevin_fry/dg50_pyroe_{name}.h5ad")
        check(adata, {**layers, "unspliced": unspliced}, folder.obs_names, folder.var_names)
        assert (adata.uns["source"]["new"], adata.uns["source"]["total"]) == (new, total)


@pytest.mark.parametrize("name", ["dg50", "lamanno"])
def test_kb(formats, name):
    folder = formats / "kb_nac" / f"{name}_counts_unfiltered"
    expected = anndata.read_h5ad(folder / "adata.h5ad")
    adata = read_cells(folder)
    layers = {key: layer.toarray() for key, layer in expected.layers.items()}
    check(adata, layers, expected.obs_names, expected.var_names)
    assert sum(adata.layers.values()).sum() == expected.X.sum()
    names = lines(folder / "cells_x_genes.genes.names.txt")
    assert list(adata.var["gene_symbol"]) == names


@pytest.mark.parametrize("name", ["targets", "pseudobulk"])
def test_grandslam(formats, name):
    folder = formats / "grandslam" / f"sc_sparse.{name}"
    total, ntr = (mmread(folder / f"{file}.gz").T for file in ("matrix.mtx", "4sU.Binom.ntr.mtx"))
    features = pd.read_csv(folder / "features.tsv.gz", sep="\t", header=None, keep_default_na=False)
    adata = read_cells(folder)
    expected = {"total": total, "new": total * ntr}
    check(adata, expected, lines(folder / "barcodes.tsv.gz"), features[0])
    if name == "targets":
        assert list(adata.var["gene_symbol"]) == list(features[1])
    else:  # all are "null"
        assert "gene_symbol" not in adata.var


DENSE = {
    "sc_dense.targets/data.tsv.gz": (" Read count", " 4sU Binom NTR MAP", 0),
    "bulk_dense_v3.data.tsv.gz": (" Read count", " 4sU Binom NTR MAP", 0),
    "bulk_dense_v2_sars.tsv.gz": (" Readcount", " MAP", 2),
    "bulk_dense_v2_BANP.tsv.gz": (" Readcount", " MAP", None),
}


@pytest.mark.parametrize("name", DENSE)
def test_grandslam_tables(formats, name):
    path, (count, ntr, n_without) = formats / "grandslam" / name, DENSE[name]
    if not path.exists():
        pytest.skip(f"{path} is absent")
    table = pd.read_csv(path, sep="\t")
    samples = [each.removesuffix(count) for each in table if each.endswith(count)]
    total = np.array([table[f"{each}{count}"] for each in samples])
    nothing = pd.Series(0.0, table.index)
    shares = [table.get(f"{each}{ntr}", nothing).fillna(0) for each in samples]
    adata = read_cells(path)
    check(adata, {"total": total, "new": total * np.array(shares)}, samples, table["Gene"])
    assert n_without in (None, (~adata.obs["labelled"]).sum())


def test_nascseq(formats):
    """The tables list the cells in different orders."""
    new, old = (
        pd.read_csv(formats / f"nascseq/nascseq2_{kind}rna_reconstructedmolecules.csv", index_col=0)
        for kind in ("new", "old")
    )
    assert (new.columns == old.columns).mean() < 0.1
    expected = {"new": new.T, "total": (new + old[new.columns]).T}
    adata = read_cells(formats / "nascseq")
    check(adata, expected, new.columns, new.index)
    relaid = anndata.read_h5ad(formats / "nascseq/nascseq2_anndata_relaid.h5ad")
    relaid = relaid[adata.obs_names, adata.var_names]
    check(adata, {"new": relaid.layers["new"].toarray(), "total": relaid.X.toarray()})


def test_scifate(formats, tmp_path):
    folder = formats / "scifate_geo"
    prefix = folder / "GSM3770930_A549_"
    with (
        gzip.open(f"{prefix}gene_count.txt.gz") as all_rna,
        gzip.open(f"{prefix}gene_count_newly_synthesised.txt.gz") as new_rna,
    ):
        total, new = mmread(all_rna).T, mmread(new_rna).T
    cells, genes = (pd.read_csv(f"{prefix}{kind}_annotate.txt.gz") for kind in ("cell", "gene"))
    adata = read_cells(folder)
    check(adata, {"new": new, "total": total}, cells["sample"], genes["gene_id"])
    assert list(adata.var["gene_short_name"]) == list(genes["gene_short_name"])
    assert list(adata.obs["treatment_time"]) == list(cells["treatment_time"])
    for name in ("full_RNA", "new_RNA"):
        (tmp_path / name).symlink_to(folder / name)
    check(read_cells(tmp_path), {"new": new, "total": total}, cells["sample"], genes["gene_id"])


@pytest.mark.parametrize("name", ["scNT_K562_TC_matrix.tsv.gz", "relaid_mtx"])
def test_scntseq(formats, name):
    path = formats / "scntseq" / name
    if path.is_dir():
        matrix = mmread(path / "matrix.mtx")
        table = pd.DataFrame(matrix, lines(path / "genes.tsv"), lines(path / "barcodes.tsv"))
    else:
        table = pd.read_csv(path, sep="\t", index_col=0)
    adata = read_cells(path)
    for i, gene in enumerate(adata.var_names):
        for layer, kinds in (("new", "C"), ("total", "CT")):
            expected = sum(
                table.loc[f"{gene}--{k}"] for k in kinds if f"{gene}--{k}" in table.index
            )
            found = adata.layers[layer][:, [i]].toarray()[:, 0]
            np.testing.assert_array_equal(found, expected)
    assert adata.layers["total"].sum() == table.to_numpy().sum()
    assert list(adata.obs_names) == list(table.columns)


H5AD = {
    "dynast/scNT_count.h5ad": ("labeled_TC", "total"),
    "dynast/scNT_estimate_pi_g.h5ad": ("labeled_TC", "total"),
    "dynast/nasc_estimate_transcriptome_only.h5ad": ("X_l_TC", "X_l_TC+X_n_TC"),
    "nascseq/nascseq2_anndata_relaid.h5ad": ("new", "new+old"),
    "kb_nac/dg50_counts_unfiltered/adata.h5ad": ("nascent", "mature+nascent+ambiguous"),
    "kb_nac/lamanno_gene_names/adata.h5ad": ("nascent", "mature+nascent+ambiguous"),
    "h5ad_ages/anndata_0.8.0_raw_layers.h5ad": ("unspliced", "spliced+unspliced"),
    "h5ad_ages/anndata_0.12_csc_layers_no_X.h5ad": ("unspliced", "spliced+unspliced"),
    "h5ad_ages/anndata_0.12_nullable_string.h5ad": ("unspliced", "spliced+unspliced"),
    "h5ad_ages/anndata_0.12_dense_nan_total.h5ad": ("new", "total"),
    "h5ad_ages/anndata_0.7.0_generated.h5ad": ("", ""),
    "h5ad_ages/anndataR_example.h5ad": ("", ""),
    "h5ad_ages/zellkonverter_example_anndata.h5ad": ("", ""),
    "h5ad_ages/scvelo_dentategyrus_50obs_preprocessed.h5ad": (
        "unspliced",
        "spliced+unspliced+ambiguous",
    ),
}


def dense(matrix):
    return matrix.toarray() if sp.issparse(matrix) else np.asarray(matrix)


@pytest.mark.parametrize("name", H5AD)
def test_h5ad(formats, name):
    if not (formats / name).exists():
        pytest.skip(f"{name} is absent")
    expected = anndata.read_h5ad(formats / name)
    adata = read_cells(formats / name)
    layers = {} if expected.X is None else {"X": dense(expected.X)}
    layers |= {key: dense(layer) for key, layer in expected.layers.items()}
    check(adata, layers, expected.obs_names, expected.var_names)
    assert (adata.uns["source"]["new"], adata.uns["source"]["total"]) == H5AD[name]


@pytest.mark.parametrize("version", ["v2", "v3", "v3_sharded"])
def test_zipped_zarr(formats, version, tmp_path):
    path = formats / f"zarr/anndata_0.12_zarr_{version}_dg50.zarr.zip"
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "zarr")
    expected = anndata.read_zarr(tmp_path / "zarr")
    layers = {"X": dense(expected.X)} | {key: dense(x) for key, x in expected.layers.items()}
    check(read_cells(path), layers, expected.obs_names, expected.var_names)


def test_modalities(formats):
    path = formats / "mudata/mudataseurat_RNA_newRNA.h5mu"
    with h5py.File(path) as file:
        parts = {name: anndata.io.read_elem(file[f"mod/{name}"]) for name in ("RNA", "newRNA")}
    for name, expected in parts.items():
        layers = {"X": dense(expected.X), "counts": dense(expected.layers["counts"])}
        check(read_cells(path, modality=name), layers, expected.obs_names, expected.var_names)
    with open_anndata(path, ["newRNA/counts", "RNA/counts"]) as adata:
        for name, expected in parts.items():
            found = adata.layers[f"{name}/counts"].to_memory().toarray()
            np.testing.assert_array_equal(found, dense(expected.layers["counts"]))


REFUSED = {
    "tenx/cellranger_1.2.0/filtered_gene_bc_matrices/hg19_chr21": "no new RNA",
    "tenx/cellranger_1.2.0/filtered_gene_bc_matrices_h5.h5": "no new RNA",
    "tenx/cellranger_1.2.0/multiple_genomes.h5": "no new RNA",
    "tenx/cellranger_3.0.0/filtered_feature_bc_matrix": "no new RNA.*velocyto",
    "tenx/cellranger_3.0.0/filtered_feature_bc_matrix.h5": "no new RNA.*STARsolo",
    "tenx/dg50_gencode_versions_and_antibodies": "no new RNA.*kb",
    "starsolo/dg50_Solo.out/Gene/raw": "no new RNA.*label the new RNA",
    "scifate_geo/human_mouse_gene_count": "one matrix",
    "scifate_geo/GSM3770930_A549_gene_count.txt.gz": "give the folder",
    "scntseq/scNT_K562_TC_matrix.rds": "an R object",
    "ref_scenic/SCope_Test.loom": "no layers|none of",
    "mudata/mudata_0.1.2_axis0.h5mu": "modalities mod1, mod2",
    "h5ad_ages/anndata_0.11.4_no_X.h5ad": "neither X nor layers",
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(formats, name):
    with pytest.raises(ValueError, match=REFUSED[name]) as caught:
        read_cells(formats / name)
    assert str(formats / name) in str(caught.value)


COMMANDS = {
    "velocyto_loom/dg50_velocyto.loom": "TF_mgi.txt",
    "starsolo/dg50_Solo.out": "TF_mgi.txt",
    "kb_nac/dg50_counts_unfiltered": "TF_mgi.txt",
    "grandslam/sc_sparse.targets": "TF_mgi.txt",
    "scifate_geo": "TF_hgnc.txt",
    "scntseq/relaid_mtx": "TF_hgnc.txt",
}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_printed_command_gives_a_network(formats, shared, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["convert", str(formats / name), "--out", "cells.h5ad"])
    assert result.exit_code == 0, result.stderr
    printed = result.stdout.splitlines()[-1].split()
    tfs = shared / "data/rcistarget_tf" / COMMANDS[name]
    words = [str(tfs) if word == "TFS.txt" else word for word in printed[1:]]
    few = ["--cell-filter-umi", "20", "--gene-filter-rate", "0.02", "--no-annotated"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = CliRunner().invoke(app, [*words, *few])
    assert result.exit_code == 0, result.stderr
    assert len(pd.read_csv(Path("RESULTS", "links.csv"))) > 5
