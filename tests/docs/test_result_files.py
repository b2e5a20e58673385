"""Every file, column, verdict and reason of a run is explained."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from scifate_sklearn import (
    BindingReference,
    EncodeLinkFilter,
    LinkTest,
    MotifLinkFilter,
    MotifRankings,
    SciFateRegressor,
    StabilitySelection,
)
from scifate_sklearn.cli import app

FILES = ["links", "links_filtered", "ledger", "enrichment", "motif_enrichment", "targets"]
# Tables whose first columns are those of another one.
EXTENDED = {"links_filtered": "links", "ledger": "links_filtered"}
RUN = (
    "run cells.h5ad --tfs tfs.txt --encode peaks.csv --motifs rankings.feather "
    "--motif-annotations motifs.tbl --fdr 1 --stability 0.51 --out results"
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


def chip_reasons() -> set[str]:
    """Return every reason of the strict ChIP-seq filter.

    A is enriched in its peaks, B is not, C is not in the reference.
    """
    genes = [f"G{i}" for i in range(40)]
    rows = [("A", g, g in genes[:10]) for g in genes[:30]] + [("B", g, g == "G9") for g in genes]
    table = pd.DataFrame(rows, columns=["TF", "target", "peak"])
    linked = {"A": [*genes[:8], "G20", "G35"], "B": genes[:3], "C": genes[:3]}
    links = pd.DataFrame(
        [(tf, g, 0.1) for tf in linked for g in linked[tf]], columns=["TF", "target", "coef"]
    )
    links.loc[0, "coef"] = 0.01
    chip = EncodeLinkFilter.strict(BindingReference.from_table(table), tested_targets=genes)
    return set(chip.fit(links).ledger_["reason"]) - {""}


def t_test_reasons() -> set[str]:
    """Return every reason of tests with the cells; the TF in a single cell is not tested."""
    rng = np.random.default_rng(0)
    tfs = pd.DataFrame(rng.normal(size=(60, 3)), columns=["A", "B", "C"])
    tfs["single"] = np.arange(60) == 0
    new = pd.DataFrame({"G": tfs["A"] + 5.0 * tfs["single"] + rng.normal(size=60)})
    tested = LinkTest(SciFateRegressor(lambda_rule=1e-3), fdr=1e-9).fit(tfs, new)
    stable = StabilitySelection(SciFateRegressor(lambda_rule="min"), threshold=1.0).fit(tfs, new)
    return {*tested.ledger_["reason"], *stable.ledger_["reason"]} - {""}


def motif_reasons() -> set[str]:
    """Return every reason of the motif filter.

    The motif of A ranks its targets first, that of B does not; C has few targets, D no motif.
    """
    rng = np.random.default_rng(0)
    genes, motifs = [f"G{i}" for i in range(200)], [f"m{i}" for i in range(20)]
    ranks = [np.arange(200) if m == "m0" else rng.permutation(200) for m in motifs]
    rankings = MotifRankings.from_table(pd.DataFrame(ranks, index=motifs, columns=genes))
    annotations = pd.DataFrame({"motif": ["m0", "m1", "m2"], "TF": ["A", "B", "C"]})
    linked = {
        "A": [*genes[:9], "G150", "absent"],
        "B": genes[90:98],
        "C": genes[:2],
        "D": genes[:8],
    }
    links = pd.DataFrame(
        [(tf, g, 0.1) for tf in linked for g in linked[tf]], columns=["TF", "target", "coef"]
    )
    links.loc[0, "coef"] = 0.01
    return set(MotifLinkFilter(rankings, annotations).fit(links).ledger_["reason"]) - {""}


def test_reasons(command_line: Any) -> None:
    """The page explains exactly the reasons that there are; an ellipsis stands for a number."""
    reasons = t_test_reasons() | chip_reasons() | motif_reasons()
    shown = [span.replace("\\|", "|") for span in explained(command_line, "ledger.csv")]
    patterns = [re.compile(".+".join(map(re.escape, text.split("…")))) for text in shown]
    assert not {reason for reason in reasons if not any(p.fullmatch(reason) for p in patterns)}
    unused = [p.pattern for p in patterns if not any(map(p.fullmatch, reasons))]
    assert unused == ["kept", "reason"]  # the columns


def test_reasons_of_a_run(results: Path) -> None:
    """In a run, the reasons of both kinds of evidence are joined; other tests come first."""
    reasons = pd.read_csv(results / "ledger.csv")["reason"].dropna()
    assert len(reasons)
    by_evidence = reasons.str.fullmatch(r"chip: .+; motif: .+")
    assert (by_evidence | reasons.str.startswith("stability")).all()
    assert 0 < by_evidence.sum() < len(reasons)


def test_verdicts(results: Path, command_line: Any) -> None:
    verdicts = set(pd.read_csv(results / "enrichment.csv")["verdict"])
    assert verdicts
    assert verdicts <= set(explained(command_line, "enrichment.csv"))
