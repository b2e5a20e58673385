"""`scifate run --report` and `scifate report`."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from anndata import read_h5ad
from typer.testing import CliRunner, Result

from scifate_sklearn.cli import app
from scifate_sklearn.datasets import make_labelled_cells
from scifate_sklearn.report import _packages


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [*map(str, words)])


@pytest.fixture
def cells(tmp_path: Path) -> list[str]:
    """Return the arguments of a quick run on simulated cells of two groups."""
    found = make_labelled_cells(200, 8, 20, random_state=0)
    found.adata.obs["type"] = np.repeat(["<b>B</b>", "T"], 100)
    found.adata.write_h5ad(tmp_path / "cells.h5ad")
    (tmp_path / "tfs.txt").write_text("\n".join(found.tf_names))
    found.reference.to_csv(tmp_path / "peaks.csv", index=False)
    names = [f"{tmp_path}/cells.h5ad", "--tfs", f"{tmp_path}/tfs.txt"]
    evidence = ["--encode", f"{tmp_path}/peaks.csv"]
    return [*names, *evidence, "--cell-filter-umi", "50", "--no-annotated", "--n-jobs", "1"]


class TestWithPackages:
    @pytest.fixture(autouse=True)
    def packages(self) -> None:
        pytest.importorskip("bokeh")
        pytest.importorskip("jinja2")

    def test_run_writes_what_the_command_writes(self, cells: list[str], tmp_path: Path) -> None:
        result = run("run", *cells, "--report", "--out", tmp_path / "out")
        assert result.exit_code == 0, result.stderr
        report = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
        page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
        for name, step in report["steps"].items():
            assert f"{step['kept']:,}" in page, name
        assert all(each["sha256"] in page for each in report["inputs"].values())
        result = run("report", tmp_path / "out", "--out", tmp_path / "again.html")
        assert result.exit_code == 0, result.stderr
        assert str(tmp_path / "again.html") in result.stdout
        again = (tmp_path / "again.html").read_text(encoding="utf-8")
        start, end = '<section id="steps">', '<section id="network">'
        parts = [each.partition(start)[2].partition(end)[0] for each in (page, again)]
        assert parts[0]
        assert parts[0] == parts[1]

    @pytest.mark.filterwarnings("ignore:Observation names")
    def test_groups(self, cells: list[str], tmp_path: Path) -> None:
        # Groups with many cells in common have links of the same pairs.
        adata = read_h5ad(cells[0])
        groups = adata[np.r_[:100, 20:120]].copy()
        groups.obs_names_make_unique()
        groups.obs["type"] = np.repeat(["<b>B</b>", "T"], 100)
        groups.write_h5ad(cells[0])
        words = ["--by", "type", "--min-cells", "10", "--report", "--out", tmp_path / "out"]
        result = run("run", *cells, *words)
        assert result.exit_code == 0, result.stderr
        links = pd.read_csv(tmp_path / "out" / "links.csv")
        assert links.duplicated(["TF", "target"]).any()
        page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
        assert "Pictures show one network" in page
        assert "Group &lt;b&gt;B&lt;/b&gt;" in page
        assert "<b>" not in page.partition("<script")[0]

    def test_an_existing_file_is_kept(self, tmp_path: Path) -> None:
        links = pd.DataFrame({"TF": ["A"], "target": ["B"], "coef": [0.5]})
        links.to_csv(tmp_path / "links.csv", index=False)
        out = tmp_path / "report.html"
        out.write_text("mine")
        result = run("report", tmp_path, "--out", out)
        assert result.exit_code == 2
        assert out.read_text() == "mine"
        assert run("report", tmp_path, "--out", out, "--overwrite").exit_code == 0
        assert out.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")

    @pytest.mark.parametrize(
        "name",
        ["run.json", "ledger.csv", "links.csv", "annotated.h5mu", "link.html", "cells", "store/x"],
    )
    def test_results_and_inputs_are_kept(self, name: str, tmp_path: Path) -> None:
        links = pd.DataFrame({"TF": ["A"], "target": ["B"], "coef": [0.5]})
        links.to_csv(tmp_path / "links.csv", index=False)
        (tmp_path / "store").mkdir()
        inputs = {each: {"path": str(tmp_path / each)} for each in ("cells", "store")}
        (tmp_path / "run.json").write_text(json.dumps({"inputs": inputs}))
        (tmp_path / "link.html").symlink_to(tmp_path / "run.json")
        for each in ("cells", "store/x"):
            (tmp_path / each).write_text("mine")
        before = {each: each.read_bytes() for each in tmp_path.rglob("*") if each.is_file()}
        result = run("report", tmp_path, "--out", tmp_path / name, "--overwrite")
        assert result.exit_code == 2, result.output
        after = {each: each.read_bytes() for each in tmp_path.rglob("*") if each.is_file()}
        assert after == before
        assert run("report", tmp_path, "--out", tmp_path / "report.html").exit_code == 0

    def test_a_folder_without_results(self, tmp_path: Path) -> None:
        result = run("report", tmp_path, "--out", tmp_path / "report.html")
        assert result.exit_code == 1
        assert "there is no links table" in result.stderr


def test_a_missing_package_is_named_before_the_fit(
    cells: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_packages, "find_spec", lambda name: None)
    result = run("run", *cells, "--report", "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "pip install 'scifate_sklearn[report]'" in result.stderr
    assert not (tmp_path / "out").exists()
