"""The commands that look at names: `scifate inspect`, and `scifate run --layers auto`."""

import json
import re
import shlex

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from typer.testing import CliRunner

from scifate_sklearn.anndata_io import inspect_cells
from scifate_sklearn.cli import app
from scifate_sklearn.datasets import make_labelled_cells
from scifate_sklearn.names import name_kind


def invoke(*arguments):
    return CliRunner().invoke(app, [str(each) for each in arguments])


@pytest.fixture(scope="module")
def cells():
    return make_labelled_cells(700, 8, 40, molecules=80, random_state=0)


@pytest.fixture
def adata(cells):
    """Return cells with ids as names, symbols in a column, and a layer of each kind."""
    adata = cells.adata.copy()
    new, total = (sp.csr_matrix(adata.layers[name]) for name in ("new", "total"))
    adata.layers = {"spliced": total - new, "unspliced": new.toarray()}
    adata.X = total.log1p()
    adata.var = pd.DataFrame(
        {
            "symbol": [f"{a}{b}x" for a in "ABCDEFGH" for b in "uvwxyz"],
            "biotype": "protein_coding",
        },
        index=[f"ENSMUSG{number:011}.3" for number in range(48)],
    )
    rng = np.random.default_rng(0)
    adata.obs = pd.DataFrame(
        {
            "donor": pd.Categorical(rng.choice(["a", "b", "c"], 700)),
            "leiden": rng.integers(0, 4, 700),
            "cell_type_score": rng.normal(size=700),
            "barcode_of_sample": [f"s{number}" for number in range(700)],
        },
        index=adata.obs_names,
    )
    return adata


@pytest.mark.parametrize("suffix", ["h5ad", "zarr"])
def test_report(adata, tmp_path, suffix):
    path = tmp_path / f"cells of mine.{suffix}"
    getattr(adata, f"write_{suffix}")(path)
    result = invoke("inspect", path)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    text = [" ".join(line.split()) for line in lines]
    assert text[0] == "700 cells, 48 genes"
    assert "X float32 sparse logarithms (the largest" in "\n".join(text)
    assert any(re.fullmatch(r"spliced float32 sparse counts \(the largest \d+\)", t) for t in text)
    assert any(re.fullmatch(r"unspliced float32 dense counts \(the largest \d+\)", t) for t in text)
    assert "var names Ensembl ids with versions, as of mouse" in text
    assert "var column symbol symbols, as of mouse or rat" in text
    groups = text[text.index("groups:") + 1 :][:2]
    assert groups == ["donor batch 3 levels", "leiden cell type 4 levels"]
    assert "problems:" not in text
    words = shlex.split(lines[-1])
    assert words[:3] == ["scifate", "run", str(path)]
    options = dict(zip(words[3::2], words[4::2], strict=True))
    assert options["--new"] == "unspliced"
    assert options["--total"] == "spliced+unspliced"
    assert options["--gene-symbols"] == "symbol"


def test_the_command_runs(adata, tmp_path):
    adata.write_h5ad(tmp_path / "cells.h5ad")
    (tmp_path / "tfs.txt").write_text("\n".join(adata.var["symbol"][:8]))
    words = shlex.split(invoke("inspect", tmp_path / "cells.h5ad").stdout.splitlines()[-1])[1:]
    names = {"TFS.txt": tmp_path / "tfs.txt", "RESULTS": tmp_path / "out"}
    result = invoke(*(names.get(word, word) for word in words), "--n-jobs", 1)
    assert result.exit_code == 0, result.output
    kept = re.search(r"cells kept +(\d+) of 700", result.stdout)
    assert int(kept[1]) > 600


def write_h5mu(path, **modalities):
    with h5py.File(path, "w") as file:
        for name, part in modalities.items():
            anndata.io.write_elem(file, f"mod/{name}", part)


def test_modalities_with_different_genes(adata, tmp_path):
    path = tmp_path / "cells.h5mu"
    proteins = anndata.AnnData(np.ones((700, 3)), adata.obs)
    rna, empty = adata[:, ::2].copy(), proteins[:, :0].copy()
    rna.raw = adata
    write_h5mu(path, prot=proteins, rna=rna, none=empty)
    result = invoke("inspect", path)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    text = "\n".join(" ".join(line.split()) for line in lines)
    titles = [line for line in lines if line.startswith("Modality")]
    assert titles == [
        "Modality none: adata is empty: 700 cells and 0 genes.",
        "Modality prot: 700 cells, 3 genes",
        "Modality rna: 700 cells, 24 genes",
    ]
    assert "prot/X float64 dense counts (the largest 1)" in text
    assert "problems:" not in text  # proteins need no new RNA
    assert "not read, because the genes are not those of the modality: rna/raw/X" in text.replace(
        "\n", " "
    )
    words = shlex.split(lines[-1])
    assert words[:3] == ["scifate", "run", str(path)]
    options = dict(zip(words[3::2], words[4::2], strict=True))
    assert options["--new"] == "rna/unspliced"
    assert options["--total"] == "rna/spliced+rna/unspliced"
    assert options["--gene-symbols"] == "symbol"
    (tmp_path / "tfs.txt").write_text("\n".join(rna.var["symbol"][:8]))
    names = {"TFS.txt": tmp_path / "tfs.txt", "RESULTS": tmp_path / "out"}
    result = invoke(*(names.get(word, word) for word in words[1:]), "--n-jobs", 1)
    assert result.exit_code == 0, result.output
    # The same layers, found by their names.
    rest = ("--gene-symbols", "symbol", "--cell-filter-umi", options["--cell-filter-umi"])
    tfs, out = ("--tfs", tmp_path / "tfs.txt"), ("--out", tmp_path / "auto")
    result = invoke("run", path, *tfs, "--layers", "auto", *rest, *out, "--n-jobs", 1)
    assert result.exit_code == 0, result.output
    tables = [(tmp_path / way / "links.csv").read_text() for way in ("out", "auto")]
    assert tables[0] == tables[1]


def test_raw(adata, tmp_path):
    total = adata.layers["spliced"] + adata.layers["unspliced"]
    adata.raw = anndata.AnnData(total, adata.obs, adata.var)
    adata.layers = {"new": adata.layers["unspliced"]}
    adata.write_h5ad(tmp_path / "cells.h5ad")
    lines = invoke("inspect", tmp_path / "cells.h5ad").stdout.splitlines()
    assert any(re.fullmatch(r" +raw/X +float32 +(sparse|dense) +counts .*", each) for each in lines)
    assert "--new new --total raw/X" in lines[-1]
    adata.raw = adata.raw.to_adata()[:, 1:].copy()
    adata.write_h5ad(tmp_path / "cells.h5ad")
    result = invoke("inspect", tmp_path / "cells.h5ad")
    assert result.exit_code == 0, result.output
    assert "'raw/X' lacks 1 of the 48 genes" in result.stdout
    assert result.stdout.splitlines()[-1].startswith("No command fits")


def test_layers_auto(adata, tmp_path):
    adata.write_h5ad(tmp_path / "cells.h5ad")
    (tmp_path / "tfs.txt").write_text("\n".join(adata.var_names[:8]))
    run = ("run", tmp_path / "cells.h5ad", "--tfs", tmp_path / "tfs.txt", "--cell-filter-umi", 0,
           "--n-jobs", 1, "--no-annotated", "--out")  # fmt: skip
    result = invoke(*run, tmp_path / "auto", "--layers", "auto")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("layers: unspliced and spliced+unspliced: unspliced RNA in")
    named = ("--new", "unspliced", "--total", "spliced+unspliced")
    assert invoke(*run, tmp_path / "named", *named).exit_code == 0
    for table in ("links.csv", "targets.csv"):
        found, expected = ((tmp_path / way / table).read_text() for way in ("auto", "named"))
        assert found == expected
    parameters = json.loads((tmp_path / "auto" / "run.json").read_text())["parameters"]
    assert [parameters[name] for name in ("new", "total", "layers")] == [*named[1::2], "auto"]


def test_layers_auto_excludes_names(adata, tmp_path):
    adata.write_h5ad(tmp_path / "cells.h5ad")
    (tmp_path / "tfs.txt").write_text("A")
    run = ("run", tmp_path / "cells.h5ad", "--tfs", tmp_path / "tfs.txt", "--out", tmp_path / "out")
    for option in ("--new", "--total"):
        result = invoke(*run, "--layers", "auto", option, "total")
        assert result.exit_code == 2
        assert f"cannot be combined with {option}" in " ".join(result.stderr.split())
    result = invoke(*run)
    assert result.exit_code == 1
    assert "--layers auto takes 'unspliced' as new" in result.stderr


def test_problems(adata, tmp_path):
    adata.layers["unspliced"] = np.log1p(adata.layers["unspliced"])
    adata.write_h5ad(tmp_path / "cells.h5ad")
    result = invoke("inspect", tmp_path / "cells.h5ad")
    assert "layer 'unspliced' does not hold counts but logarithms" in result.stdout
    assert "--response values" in result.stdout
    adata.layers = {"counts": adata.layers["spliced"], "scaled": -np.ones(adata.shape)}
    adata.write_h5ad(tmp_path / "cells.h5ad")
    result = invoke("inspect", tmp_path / "cells.h5ad")
    assert "33,600 negative values" not in result.stdout  # only the sample is looked at
    assert "24,000 negative values, the smallest -1" in result.stdout
    assert "No layers of new and total RNA are recognised among those of CELLS" in result.stdout
    assert result.stdout.splitlines()[-1].startswith("No command fits")


def test_hostile_names(adata, tmp_path):
    evil = "a\x1b[2J\n\u202eb"
    adata.layers = {evil: adata.layers["spliced"]}
    adata.obs[f"batch {evil}"] = np.arange(700) % 2
    adata.var[evil] = adata.var["symbol"]
    adata.write_h5ad(tmp_path / "cells.h5ad")
    result = invoke("inspect", tmp_path / "cells.h5ad")
    assert result.exit_code == 0, result.output
    assert all(character.isprintable() or character == "\n" for character in result.stdout)
    assert "a\\x1b[2J \\u202eb" in result.stdout


def test_other_files(tmp_path):
    (tmp_path / "cells.loom").write_bytes(b"no such thing")
    result = invoke("inspect", tmp_path / "cells.loom")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert invoke("inspect", tmp_path / "nothing").exit_code == 2


def test_cells_in_memory_and_in_dask(cells):
    da = pytest.importorskip("dask.array")
    dense = cells.adata.copy()
    dense.layers = {name: layer.toarray() for name, layer in dense.layers.items()}
    lazy = dense.copy()
    for name, layer in dense.layers.items():
        lazy.layers[name] = da.from_array(layer, chunks=(90, -1))
    reports = [inspect_cells(each) for each in (cells.adata, dense, lazy)]
    contents = [[(layer.name, layer.content) for layer in each.layers] for each in reports]
    assert contents[0] == contents[1] == contents[2]
    assert all(each.found[:2] == ("new", "total") and not each.problems for each in reports)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["TP53", "PAX6", "C1orf112", "HLA-A", "MT-CO1"], ("symbols", "human", False)),
        (["Trp53", "Pax6", "0610007P14Rik", "H2-K1", "mt-Co1"], ("symbols", "mouse or rat", False)),
        (["tp53", "pax6a", "sox2", "si:ch211"], ("symbols", "zebrafish", False)),
        (["ENSG00000141510", "ENSG00000007372"], ("Ensembl ids", "human", False)),
        (["ENSMUSG00000059552.4", "ENSMUSG00000027168.9"], ("Ensembl ids", "mouse", True)),
        (["ENSSARG00000000001"], ("Ensembl ids", "", False)),
        (["FBgn0003396", "FBgn0000014"], ("FlyBase ids", "fly", False)),
        (["YAL001C", "YBR020W", "YDR461C-A"], ("names of open reading frames", "yeast", False)),
        (["AT1G01010", "AT5G67640"], ("TAIR ids", "Arabidopsis", False)),
        ([f"Gene{number}" for number in range(50)], ("other names", "", False)),
        (["0", "1", "2"], ("numbers", "", False)),
        ([], ("other names", "", False)),
    ],
)
def test_kinds_of_names(names, expected):
    assert name_kind(names) == expected


def test_species_of_public_lists(shared):
    lists = {"TF_hgnc.txt": "human", "TF_mgi.txt": "mouse or rat"}
    for file, species in lists.items():
        names = (shared / "data" / "rcistarget_tf" / file).read_text().split()
        assert name_kind(names) == ("symbols", species, False)
