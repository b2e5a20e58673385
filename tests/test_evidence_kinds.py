"""Kinds of evidence: each is one file, and one line in the table of the command line."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import anndata
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from scifate_sklearn import filters
from scifate_sklearn.cli import _evidence_kinds
from scifate_sklearn.cli._app import build_app
from scifate_sklearn.datasets import LabelledCells, make_labelled_cells

TOYS = Path(__file__).parent / "toys"
ROOT = Path(__file__).parents[1]
LINE = "scifate_sklearn.filters._distance:DistanceEvidence"


@pytest.fixture(scope="module")
def cells() -> LabelledCells:
    return make_labelled_cells(200, 10, 40, effect_size=0.5, molecules=80, random_state=0)


@pytest.fixture(scope="module")
def files(cells: LabelledCells, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    cells.adata.write_h5ad(folder / "cells.h5ad")
    (folder / "tfs.txt").write_text("\n".join(cells.tf_names) + "\n")
    cells.reference.to_csv(folder / "peaks.csv", index=False)
    distances = cells.reference[["TF", "target"]].assign(
        distance=[1.0 if peak else 50.0 for peak in cells.reference["peak"]]
    )
    distances.to_csv(folder / "distances.csv", index=False)
    return folder


@pytest.fixture
def invoke(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Return a command line whose table of evidence has an additional line."""
    # Import the file as a module of the folder `filters`.
    monkeypatch.setattr(filters, "__path__", [*filters.__path__, str(TOYS)])
    table = (*_evidence_kinds.EVIDENCE_KINDS, LINE)
    monkeypatch.setattr(_evidence_kinds, "EVIDENCE_KINDS", table)
    app = build_app()
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def run(invoke: Callable[..., Result], files: Path) -> Callable[..., Result]:
    def _run(out: Path, *more: object) -> Result:
        return invoke(
            "run", files / "cells.h5ad", "--tfs", files / "tfs.txt", "--cell-filter-umi", 50,
            "--n-jobs", 1, "--out", out, *more,
        )  # fmt: skip

    return _run


def test_options_and_tables_are_in_the_help(invoke: Callable[..., Result]) -> None:
    text = " ".join(invoke("run", "--help").output.split())
    assert "--distances <file> Distances: a table with TF, target and distance." in text
    assert "--max-distance <float> Largest distance in kb (at least 0). [default: 10.0]" in text
    assert text.index("--motif-annotations <file>") < text.index("--distances <file>")
    assert text.index("--max-distance <") < text.index("--min-overlap <")
    assert "with --encode, --motifs or --distances, links_filtered.csv" in text
    assert "enrichment.csv, motif_enrichment.csv and distances.csv." in text


def test_filter_table_ledger_and_report(
    run: Callable[..., Result], files: Path, tmp_path: Path
) -> None:
    result = run(tmp_path, "--distances", files / "distances.csv", "--max-distance", 5)
    assert result.exit_code == 0, result.output
    ledger = pd.read_csv(tmp_path / "ledger.csv")
    assert set(ledger["reason"].dropna()) == {"farther than 5 kb"}
    assert set(ledger.loc[ledger["kept"], "distance"]) == {1.0}
    kept = pd.read_csv(tmp_path / "links_filtered.csv")
    assert set(kept["Conf"]) == {"distance"}
    table = pd.read_csv(tmp_path / "distances.csv")
    assert table["near"].sum() == len(kept)
    assert re.search(rf"links near a motif +{len(kept)} of {len(ledger)}", result.stdout)
    report = json.loads((tmp_path / "run.json").read_text())
    assert report["parameters"]["max_distance"] == 5
    assert set(report["inputs"]) == {"cells", "tfs", "distances"}
    assert report["steps"]["links_near"]["kept"] == len(kept)
    stored = anndata.read_h5ad(tmp_path / "annotated.h5ad").uns["scifate"]
    assert len(stored["distances"]) == len(table)


def test_beside_other_evidence(run: Callable[..., Result], files: Path, tmp_path: Path) -> None:
    evidence = ["--distances", files / "distances.csv", "--encode", files / "peaks.csv"]
    assert run(tmp_path, *evidence).exit_code == 0
    reasons = pd.read_csv(tmp_path / "ledger.csv")["reason"].dropna()
    assert reasons.str.contains("distance: farther than 10 kb").any()
    assert run(tmp_path, "--overwrite").exit_code == 0
    assert not (tmp_path / "distances.csv").exists()


def test_errors(run: Callable[..., Result], files: Path, tmp_path: Path) -> None:
    result = run(tmp_path / "out", "--max-distance", 5)
    assert result.exit_code == 2
    assert "--max-distance: requires --distances too" in " ".join(result.stderr.split())
    table = pd.read_csv(files / "distances.csv")
    table.assign(TF=table["TF"].str.lower()).to_csv(tmp_path / "lower.csv", index=False)
    result = run(tmp_path / "out", "--distances", tmp_path / "lower.csv")
    assert result.exit_code == 1
    assert re.search(r"Error: --distances .*lower\.csv: No TF of the cells", result.stderr)
    assert not (tmp_path / "out").exists()


def test_the_example_is_the_one_of_the_contributing_guide() -> None:
    page = ROOT / "CONTRIBUTING.md"
    if not page.is_file():
        pytest.skip(f"there is no CONTRIBUTING.md in {ROOT}")
    assert LINE in page.read_text(encoding="utf-8")
    source = (TOYS / "_distance.py").read_text(encoding="utf-8")
    assert source.strip() in page.read_text(encoding="utf-8")


def test_declarations_of_the_package_import_nothing_heavy() -> None:
    code = (
        "import sys; from scifate_sklearn.cli._evidence_kinds import evidence_kinds\n"
        "evidence_kinds(); print(sorted({'numpy', 'pandas', 'sklearn'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout == "[]\n", result.stderr


def test_filters_do_not_import_the_command_line() -> None:
    for path in (ROOT / "scifate_sklearn" / "filters").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in getattr(node, "names", []) if hasattr(alias, "name")]
            assert "typer" not in [*names, getattr(node, "module", None)], path
