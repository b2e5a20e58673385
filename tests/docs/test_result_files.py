"""Every file, column, verdict and reason of a run is explained."""

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from scifate_sklearn.cli import app

FILES = ["links", "links_filtered", "ledger", "enrichment", "motif_enrichment", "targets"]
# Tables whose first columns are those of another one.
EXTENDED = {"links_filtered": "links", "ledger": "links_filtered"}
RUN = (
    "run cells.h5ad --tfs tfs.txt --encode peaks.csv --motifs rankings.feather "
    "--motif-annotations motifs.tbl --out results"
)


@pytest.fixture(scope="module")
def results(user_files: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run with all evidence."""
    out = tmp_path_factory.mktemp("results") / "results"
    words = [str(user_files / w) if (user_files / w).exists() else w for w in RUN.split()]
    result = CliRunner().invoke(app, [*words[:-1], str(out)])
    assert result.exit_code == 0, result.output
    return out


def explained(page: Any, title: str) -> list[str]:
    """Return the code spans in the first column of the tables below a heading."""
    rows = [line for line in page.section(title).splitlines() if line.startswith("| `")]
    cells = [re.split(r"(?<!\\)\|", row)[1] for row in rows]
    return [span for cell in cells for span in re.findall(r"`([^`]+)`", cell)]


@pytest.fixture(scope="module")
def command_line(pages: dict[str, Any]) -> Any:
    return pages["docs/command-line.md"]


@pytest.mark.parametrize("name", FILES)
def test_columns(name: str, results: Path, command_line: Any) -> None:
    columns = list(pd.read_csv(results / f"{name}.csv", nrows=0))
    if name in EXTENDED:
        inherited = pd.read_csv(results / f"{EXTENDED[name]}.csv", nrows=0).columns
        columns = [column for column in columns if column not in inherited]
    spans = explained(command_line, f"{name}.csv")
    assert set(columns) <= set(spans), set(columns) - set(spans)
    # What is explained but no column is a reason or a verdict.
    others = {span for span in spans if span not in columns}
    assert bool(others) == (name in ("ledger", "enrichment")), others


def test_keys_of_the_report(results: Path, command_line: Any) -> None:
    report = json.loads((results / "run.json").read_text(encoding="utf-8"))
    assert set(report) == set(explained(command_line, "run.json"))


def test_reasons(results: Path, command_line: Any) -> None:
    """Every reason of the ledger is explained; an ellipsis stands for a number."""
    reasons = pd.read_csv(results / "ledger.csv")["reason"].dropna()
    parts = {re.sub(r"^(chip|motif): ", "", part) for r in reasons for part in r.split("; ")}
    shown = [span.replace("\\|", "|") for span in explained(command_line, "ledger.csv")]
    patterns = [re.compile(".+".join(map(re.escape, text.split("…")))) for text in shown]
    assert len(parts) > 2
    assert not {part for part in parts if not any(p.fullmatch(part) for p in patterns)}


def test_verdicts(results: Path, command_line: Any) -> None:
    verdicts = set(pd.read_csv(results / "enrichment.csv")["verdict"])
    assert verdicts
    assert verdicts <= set(explained(command_line, "enrichment.csv"))
