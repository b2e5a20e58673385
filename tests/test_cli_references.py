"""References on the command line: tables of names."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from scifate_sklearn.cli import app
from scifate_sklearn.cli._options import SPECIES as OPTION_SPECIES
from scifate_sklearn.datasets import SPECIES, LabelledCells, make_labelled_cells


@pytest.fixture(scope="module")
def cells() -> LabelledCells:
    return make_labelled_cells(200, 8, 30, effect_size=0.5, molecules=80, random_state=0)


@pytest.fixture(scope="module")
def files(cells: LabelledCells, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    cells.adata.write_h5ad(folder / "cells.h5ad")
    (folder / "tfs.txt").write_text("\n".join(cells.tf_names))
    cells.reference.to_csv(folder / "peaks.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def run(files: Path) -> Callable[..., Result]:
    def _run(out: Path, *more: object, cells: str = "cells.h5ad", tfs: bool = True) -> Result:
        arguments = [
            "run", files / cells, *(["--tfs", files / "tfs.txt"] if tfs else []), "--out", out,
            "--cell-filter-umi", 50, "--n-jobs", 1, "--no-annotated", *more,
        ]  # fmt: skip
        return CliRunner().invoke(app, [str(each) for each in arguments])

    return _run


def message(result: Result) -> str:
    return " ".join(re.sub(r"[│╭╮╰╯─]", " ", result.stderr).split())


def steps(out: Path) -> dict[str, list[int]]:
    report = json.loads((out / "run.json").read_text())
    return {name: [each["before"], each["kept"]] for name, each in report["steps"].items()}


def test_aliases_rename_the_evidence(tmp_path, cells, files, run):
    assert run(tmp_path / "given", "--encode", files / "peaks.csv").exit_code == 0
    names = cells.adata.var_names
    theirs = pd.Series([f"ortholog{i}" for i in range(len(names))], names)
    renamed = cells.reference.assign(
        **{role: cells.reference[role].map(theirs) for role in ("TF", "target")}
    )
    renamed.to_csv(tmp_path / "peaks.csv", index=False)
    table = pd.DataFrame({"human_symbol": theirs.to_numpy(), "mouse_symbol": names})
    # The last gene is ambiguous, and the one before has no ortholog.
    table.loc[len(table)] = [theirs.iloc[-1], names[0]]
    table.drop(index=len(names) - 2).to_csv(tmp_path / "orthologs.csv", index=False)

    result = run(tmp_path / "none", "--encode", tmp_path / "peaks.csv")
    assert result.exit_code == 1
    options = ("--encode", tmp_path / "peaks.csv", "--aliases", tmp_path / "orthologs.csv")
    result = run(tmp_path / "out", *options)
    assert result.exit_code == 0, result.output
    n_genes = cells.reference["target"].nunique()
    assert steps(tmp_path / "out")["encode_genes_found"] == [n_genes, n_genes - 2]
    assert steps(tmp_path / "out")["encode_genes_ambiguous"] == [2, 1]
    assert "genes of --encode found" in result.stdout
    given, found = (
        pd.read_csv(tmp_path / name / "links_filtered.csv").set_index(["TF", "target"])
        for name in ("given", "out")
    )
    common = found.index.intersection(given.index)
    assert len(common) > 10
    peaks = [table.loc[common, "chip_peak"] for table in (given, found)]
    is_known = ~common.get_level_values("target").isin(names[-2:])
    pd.testing.assert_series_equal(peaks[0][is_known], peaks[1][is_known], check_dtype=False)


def test_several_ranking_databases(tmp_path, cells, run):
    feather = pytest.importorskip("pyarrow.feather", reason="files are read with pyarrow")
    rng, genes = np.random.default_rng(0), cells.adata.var_names
    motifs = [f"m{i}" for i in range(20)]
    options: list[object] = ["--motif-annotations", tmp_path / "annotations.csv"]
    for name in ("near", "far"):
        ranks = np.argsort(rng.random((len(motifs), len(genes))), axis=1)
        table = pd.DataFrame(ranks, columns=genes).assign(motifs=motifs)
        feather.write_feather(table, str(tmp_path / f"{name}.feather"))
        options += ["--motifs", tmp_path / f"{name}.feather"]
    annotations = pd.DataFrame({"motif": motifs[: len(cells.tf_names)], "TF": cells.tf_names})
    annotations.to_csv(tmp_path / "annotations.csv", index=False)
    result = run(tmp_path / "out", *options)
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "out" / "run.json").read_text())
    assert report["inputs"]["motifs_2"]["path"] == str(tmp_path / "far.feather")
    assert "database" in pd.read_csv(tmp_path / "out" / "motif_enrichment.csv").columns

    pd.DataFrame({"motifs": motifs, "other": range(20)}).to_feather(tmp_path / "bad.feather")
    result = run(tmp_path / "bad", *options, "--motifs", tmp_path / "bad.feather")
    assert result.exit_code == 1
    assert message(result).startswith(f"Error: --motifs {tmp_path / 'bad.feather'}")


def test_aliases_need_evidence(tmp_path, files, run):
    result = run(tmp_path / "out", "--aliases", files / "tfs.txt")
    assert result.exit_code == 2
    assert "--encode" in message(result)


def test_gene_names_of_ids(tmp_path, cells, files, run):
    assert run(tmp_path / "given").exit_code == 0
    adata = cells.adata.copy()
    ids = [f"ENSMUSG{i:011}" for i in range(adata.n_vars)]
    table = pd.DataFrame({"gene_id": ids, "gene_name": adata.var_names})
    table.to_csv(tmp_path / "names.csv", index=False)
    adata.var_names = [f"{each}.3" for each in ids]
    adata.write_h5ad(files / "ids.h5ad")
    result = run(tmp_path / "out", "--gene-names", tmp_path / "names.csv", cells="ids.h5ad")
    assert result.exit_code == 0, result.output
    given, found = ((tmp_path / name / "links.csv").read_bytes() for name in ("given", "out"))
    assert given == found
    report = json.loads((tmp_path / "out" / "run.json").read_text())
    assert report["inputs"]["gene_names"]["path"] == str(tmp_path / "names.csv")

    result = run(tmp_path / "none", cells="ids.h5ad")
    assert "--gene-names" in message(result)
    (tmp_path / "mouse.csv").write_text("gene_id,symbol\nENSG00000141510,TP53\n")
    result = run(tmp_path / "none", "--gene-names", tmp_path / "mouse.csv", cells="ids.h5ad")
    assert "none of the 38 genes of CELLS" in message(result)
    assert "Give --gene-names that of the cells' species" in message(result)
    both = ("--gene-names", tmp_path / "names.csv", "--gene-symbols", "symbol")
    result = run(tmp_path / "both", *both, cells="ids.h5ad")
    assert result.exit_code == 2
    assert "cannot be given together with --gene-symbols" in message(result)


@pytest.fixture
def fetched(monkeypatch, tmp_path, cells):
    """Replace downloads by a folder of files; return the kinds that were fetched."""
    kinds: list[str] = []
    (tmp_path / "tfs").write_text("\n".join(cells.tf_names))
    cells.reference.to_csv(tmp_path / "chip", index=False)

    def fetch(kind: str, species: str, **options: object) -> Path:
        kinds.append(kind)
        assert species == "human"
        return tmp_path / kind

    monkeypatch.setattr("scifate_sklearn.datasets.fetch_reference", fetch)
    return kinds


def test_a_species_in_place_of_files(tmp_path, files, run, fetched):
    assert run(tmp_path / "given", "--encode", files / "peaks.csv").exit_code == 0
    result = run(tmp_path / "tfs_only", "--species", "human", tfs=False)
    assert result.exit_code == 0, result.output
    assert fetched == ["tfs"]
    result = run(tmp_path / "out", "--species", "human", "--encode", "auto", tfs=False)
    assert result.exit_code == 0, result.output
    assert fetched == ["tfs", "tfs", "chip"]
    for name in ("links.csv", "links_filtered.csv", "enrichment.csv"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "given" / name).read_bytes()
    inputs = json.loads((tmp_path / "out" / "run.json").read_text())["inputs"]
    assert inputs["encode"]["path"] == str(tmp_path / "chip")


def test_a_species_adds_annotations_to_motifs(tmp_path, cells, run, fetched):
    pytest.importorskip("pyarrow", reason="files are read with pyarrow")
    motifs = [f"m{i}" for i in range(20)]
    ranks = np.tile(np.arange(cells.adata.n_vars), (20, 1))
    table = pd.DataFrame(ranks, columns=cells.adata.var_names).assign(motifs=motifs)
    table.to_feather(tmp_path / "rankings")
    annotations = pd.DataFrame({"motif": motifs[: len(cells.tf_names)], "TF": cells.tf_names})
    annotations.to_csv(tmp_path / "annotations", index=False)
    result = run(tmp_path / "out", "--species", "human", "--motifs", "auto")
    assert result.exit_code == 0, result.output
    assert fetched == ["rankings", "annotations"]


@pytest.mark.parametrize(
    ("options", "pattern"),
    [
        ((), "--tfs: give a file with the names of the TFs, or --species"),
        (("--encode", "auto"), "give a file with the names of the TFs"),
        (("--species", "unicorn"), "--species.* must be one of human, mouse"),
    ],
)
def test_usage_of_species(tmp_path, run, options, pattern):
    result = run(tmp_path / "out", *options, tfs=False)
    assert result.exit_code == 2
    assert re.search(pattern, message(result)), message(result)


def test_what_is_not_known_of_a_species(tmp_path, run):
    result = run(tmp_path / "out", "--encode", "auto")
    assert result.exit_code == 2
    assert "'auto' requires --species" in message(result)
    result = run(tmp_path / "out", "--species", "mouse", "--encode", "auto")
    assert result.exit_code == 1
    assert "--encode: no public file of 'chip' is known for mouse. Give a file" in message(result)


def test_a_file_that_cannot_be_downloaded(monkeypatch, tmp_path, run):
    monkeypatch.setenv("SCIFATE_CACHE", str(tmp_path / "cache"))
    address = "http://127.0.0.1:9/TFs"
    monkeypatch.setitem(SPECIES, "zebrafish", replace(SPECIES["zebrafish"], tfs=address))
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    result = run(tmp_path / "out", "--species", "zebrafish", tfs=False)
    assert result.exit_code == 1
    assert re.search(r"--tfs: could not download .* or save it as .*-TFs, which", message(result))
    saved = re.search(r"save it as (\S+),", message(result))
    assert saved is not None


def test_species_are_those_of_the_table():
    assert tuple(SPECIES) == OPTION_SPECIES
