"""Pages of the documentation (blocks, commands, links, tables), and files to run them on."""

import re
import shlex
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from tool_files import Cells, write_loom

import scifate_sklearn
from scifate_sklearn.datasets import make_labelled_cells

ROOT = Path(__file__).resolve().parents[2]
BASE_URL = "https://github.com/scifate-sklearn/scifate_sklearn/blob/main/"
# Comments in front of a block: the public name without which it is skipped; or the file whose
# content it shows, or to which it adds a line. The latter do not run on the page.
MARK = re.compile(r"<!-- (needs|file|line): (\S+) -->")


class Block(NamedTuple):
    """A fenced block, and the mark in front of it."""

    language: str
    line: int
    text: str
    needs: str = ""
    file: str = ""
    line_of: str = ""

    @property
    def can_run(self) -> bool:
        return (
            not self.file
            and not self.line_of
            and (not self.needs or hasattr(scifate_sklearn, self.needs))
        )


class Link(NamedTuple):
    """A link of a page: the text that is written, the file it leads to, and the anchor there."""

    written: str
    file: Path
    anchor: str


def read_blocks(markdown: str) -> list[Block]:
    """Return every fenced block with its language and the line where its text begins."""
    blocks: list[Block] = []
    before = ""
    lines = iter(enumerate(markdown.splitlines(), start=1))
    for number, line in lines:
        if fence := re.match(r"\s*(```+|~~~+)\s*(\S*)", line):
            inside = []
            for _, text in lines:
                if text.strip() == fence[1]:
                    break
                inside.append(text)
            else:
                raise ValueError(f"The block of line {number} never ends.")
            mark = MARK.fullmatch(before.strip())
            marked = {{"line": "line_of"}.get(mark[1], mark[1]): mark[2]} if mark else {}
            blocks.append(Block(fence[2], number + 1, "\n".join(inside) + "\n", **marked))
        before = line
    return blocks


def split_commands(script: str) -> list[list[str]]:
    """Return the words of every command of a shell script, of both sides of ``&&``."""
    lines = [shlex.split(line, comments=True) for line in script.replace("\\\n", " ").splitlines()]
    commands: list[list[str]] = []
    for words in filter(None, lines):
        commands.append([])
        for word in words:
            if word == "&&":
                commands.append([])
            else:
                commands[-1].append(word)
    return commands


def anchors_of(markdown: str) -> list[str]:
    """Return the anchors that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", without_blocks(markdown), re.MULTILINE)
    slugs = [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in headings]
    seen = [slugs[:place].count(slug) for place, slug in enumerate(slugs)]
    return [f"{slug}-{n}" if n else slug for slug, n in zip(slugs, seen, strict=True)]


def without_blocks(markdown: str) -> str:
    """Return a page without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", markdown, flags=re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Page:
    """A page of the documentation.

    Attributes
    ----------
    name : str
        Path from the root of the repository.
    """

    name: str

    @property
    def path(self) -> Path:
        return ROOT / self.name

    @cached_property
    def markdown(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def prose(self) -> str:
        return without_blocks(self.markdown)

    @cached_property
    def blocks(self) -> list[Block]:
        return read_blocks(self.markdown)

    @cached_property
    def commands(self) -> list[list[str]]:
        scripts = [block.text for block in self.blocks if block.language == "bash"]
        return [words for text in scripts for words in split_commands(text)]

    @cached_property
    def code_spans(self) -> list[str]:
        return re.findall(r"`([^`\n]+)`", self.prose)

    @cached_property
    def tables(self) -> list[str]:
        return re.findall(r"(?:^\|.*\n?)+", self.prose, re.MULTILINE)

    @cached_property
    def anchors(self) -> list[str]:
        return anchors_of(self.markdown)

    @cached_property
    def links(self) -> list[Link]:
        """The links within the repository: relative ones, and those that begin with its address."""
        written = re.findall(r"\]\(([^)\s]+)\)", self.prose)
        return [self._resolve(text) for text in written if not self._is_elsewhere(text)]

    def _is_elsewhere(self, written: str) -> bool:
        return bool(re.match(r"https?:", written)) and not written.startswith(BASE_URL)

    def _resolve(self, written: str) -> Link:
        target, _, anchor = written.removeprefix(BASE_URL).partition("#")
        folder = ROOT if written.startswith(BASE_URL) else self.path.parent
        return Link(written, (folder / target).resolve() if target else self.path, anchor)

    def section(self, title: str) -> str:
        """Return the text below a heading, up to the next one of any level."""
        found = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#|\Z)", self.prose, re.S | re.M)
        assert found, f"{self.name} has no heading {title!r}"
        return found[1]


def first_column(table: str) -> list[list[str]]:
    """Return the code spans of the first cell of each row below the header."""
    return [re.findall(r"`([^`]+)`", row.split(" | ")[0]) for row in table.splitlines()[2:]]


PAGES = [
    Page(path.relative_to(ROOT).as_posix())
    for pattern in ("*.md", "docs/*.md", "benchmarks/*.md")
    for path in sorted(ROOT.glob(pattern))
    if path.name != "CHANGELOG.md"
]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test for each page, each page with Python, or each command of a program."""
    if "page" in metafunc.fixturenames:
        metafunc.parametrize("page", PAGES, ids=lambda page: page.name)
    if "python_page" in metafunc.fixturenames:
        chosen = [p for p in PAGES if any(block.language == "python" for block in p.blocks)]
        metafunc.parametrize("python_page", chosen, ids=lambda page: page.name)
    for program in ("scifate", "pip", "pytest", "python"):
        if f"{program}_arguments" in metafunc.fixturenames:
            given = {shlex.join(words): words[1:] for p in PAGES for words in p.commands}
            own = {text: words for text, words in given.items() if text.split()[0] == program}
            metafunc.parametrize(f"{program}_arguments", own.values(), ids=own)


@pytest.fixture(scope="session")
def pages() -> dict[str, Page]:
    """Return all pages by name."""
    return {page.name: page for page in PAGES}


@pytest.fixture(scope="session")
def user_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the files that stand for the reader's own.

    The cells have enough molecules for the default cell filter.
    """
    folder = tmp_path_factory.mktemp("pages")
    cells = make_labelled_cells(200, 10, 40, molecules=5000, random_state=0)
    new, total = cells.adata.layers["new"], cells.adata.layers["total"]
    cells.adata.layers.update(unspliced=new, spliced=total - new)
    cells.adata.var["gene_short_name"] = cells.adata.var_names
    _add_columns(cells.adata.obs)
    cells.adata.write_h5ad(folder / "cells.h5ad")
    write_loom(folder, Cells.random())
    (folder / "tfs.txt").write_text("\n".join([*cells.tf_names, "Absent"]) + "\n")
    cells.reference.to_csv(folder / "peaks.csv", index=False)
    bound = cells.reference.query("peak == 1")[["TF", "target"]]
    bound.apply(lambda names: names.str.upper()).to_csv(folder / "encode_mouse.csv.gz", index=False)
    _write_motifs(folder, cells.reference, list(cells.adata.var_names), cells.tf_names)
    _write_links(folder, cells.network)
    return folder


def _add_columns(obs: pd.DataFrame) -> None:
    """Add what describes the cells of an experiment."""
    n, rng = len(obs), np.random.default_rng(0)
    obs["batch"] = np.resize(["run 1", "run 2", "run 3"], n)
    obs["donor"] = [f"donor {k % 12}" for k in range(n)]
    obs["phase_score"] = rng.normal(size=n)
    obs["detection_rate"] = rng.uniform(0.5, 0.9, n)
    obs["cell_type"] = np.repeat(["B cell", "T cell"], n // 2)


def _write_links(folder: Path, network: pd.DataFrame) -> None:
    """Write the links of a run, and those of a run with --by."""
    links = network[["TF", "target"]].assign(coef=np.resize([0.5, -0.25, 0.125], len(network)))
    groups = pd.concat([links.assign(group="B cell"), links.assign(group="T cell")])
    for name, table in (("my_results", links), ("my_groups", groups)):
        (folder / name).mkdir()
        table.to_csv(folder / name / "links.csv", index=False)


def _write_motifs(
    folder: Path, reference: pd.DataFrame, genes: list[str], tf_names: list[str]
) -> None:
    """Write random rankings, with a motif for each TF; that of the first ranks its genes first."""
    rng = np.random.default_rng(0)
    motifs = [f"motif{i}" for i in range(50)]
    ranks = pd.DataFrame([rng.permutation(len(genes)) for _ in motifs], columns=genes)
    bound = reference.query("TF == @tf_names[0] and peak == 1")["target"]
    is_other = ~pd.Index(genes).isin(bound)
    ranks.loc[0] = np.argsort(np.argsort(is_other, kind="stable"), kind="stable")
    ranks.assign(motifs=motifs).to_feather(folder / "rankings.feather")
    table = {"#motif_id": motifs[: len(tf_names)], "gene_name": tf_names}
    table["description"] = ["gene is directly annotated"] * len(tf_names)
    pd.DataFrame(table).to_csv(folder / "motifs.tbl", sep="\t", index=False)


@pytest.fixture
def cwd(user_files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Change to a folder of this test with the files that stand for the reader's own."""
    folder = tmp_path / "work"
    shutil.copytree(user_files, folder)
    monkeypatch.chdir(folder)
    # Pictures open no window.
    monkeypatch.setenv("MPLBACKEND", "agg")
    return folder
