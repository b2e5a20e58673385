"""The README is true: its blocks run, its commands, options and paths exist; so do docstrings."""

import configparser
import doctest
import importlib
import inspect
import pkgutil
import re
import shlex
import warnings
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

import scifate_sklearn
from scifate_sklearn.cli import app
from scifate_sklearn.datasets import make_labelled_cells

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
LANGUAGES = {"python", "bash", "text"}
# What a command of the README needs beyond Python, by the requirement that brings it.
REQUIREMENT = {
    "pytest": "pytest",
    "ruff": "ruff",
    "mypy": "mypy",
    "lint-imports": "import-linter",
}


class Block(NamedTuple):
    language: str
    line: int
    text: str


def read_blocks(markdown: str) -> list[Block]:
    """Return every fenced block with its language and the line where its text begins."""
    blocks: list[Block] = []
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
            blocks.append(Block(fence[2], number + 1, "\n".join(inside) + "\n"))
    return blocks


def read_commands(blocks: list[Block]) -> list[list[str]]:
    """Return the words of every command in the bash blocks."""
    scripts = [block.text.replace("\\\n", " ") for block in blocks if block.language == "bash"]
    lines = [shlex.split(line, comments=True) for text in scripts for line in text.splitlines()]
    commands: list[list[str]] = []
    for words in filter(None, lines):
        commands.append([])
        for word in words:
            if word == "&&":
                commands.append([])
            else:
                commands[-1].append(word)
    return commands


MARKDOWN = README.read_text(encoding="utf-8")
BLOCKS = read_blocks(MARKDOWN)
COMMANDS = read_commands(BLOCKS)
PROSE = re.sub(r"^```.*?^```$", "", MARKDOWN, flags=re.DOTALL | re.MULTILINE)
TABLES = re.findall(r"(?:^\|.*\n)+", PROSE, re.MULTILINE)
CODE_SPANS = re.findall(r"`([^`\n]+)`", PROSE)


def anchors_of(markdown: str) -> set[str]:
    """Return what links may call the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", markdown, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in headings}


def commands_of(*programs: str) -> list[object]:
    chosen = [words for words in COMMANDS if words[0] in programs]
    return [pytest.param(words[1:], id=shlex.join(words)) for words in chosen]


@pytest.fixture(scope="module")
def setup_cfg() -> configparser.ConfigParser:
    path = ROOT / "setup.cfg"
    if not path.is_file():
        pytest.skip(f"there is no {path}")
    config = configparser.ConfigParser()
    config.read(path, encoding="utf-8")
    return config


@pytest.fixture(scope="module")
def user_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the files that the README takes for the reader's own.

    So many molecules pass the default cell filter.
    """
    folder = tmp_path_factory.mktemp("readme")
    cells = make_labelled_cells(200, 10, 40, molecules=5000, random_state=0)
    new, total = cells.adata.layers["new"], cells.adata.layers["total"]
    cells.adata.layers.update(unspliced=new, spliced=total - new)
    cells.adata.write_h5ad(folder / "cells.h5ad")
    (folder / "tfs.txt").write_text("\n".join([*cells.tf_names, "Absent"]) + "\n")
    cells.reference.to_csv(folder / "peaks.csv", index=False)
    bound = cells.reference.query("peak == 1")[["TF", "target"]]
    bound.apply(lambda names: names.str.upper()).to_csv(folder / "encode_mouse.csv.gz", index=False)
    _write_motifs(folder, list(cells.adata.var_names), cells.tf_names)
    return folder


def _write_motifs(folder: Path, genes: list[str], tf_names: list[str]) -> None:
    """Write rankings by chance, with a motif for each TF."""
    rng = np.random.default_rng(0)
    motifs = [f"motif{i}" for i in range(50)]
    ranks = pd.DataFrame([rng.permutation(len(genes)) for _ in motifs], columns=genes)
    ranks.assign(motifs=motifs).to_feather(folder / "rankings.feather")
    table = {"#motif_id": motifs[: len(tf_names)], "gene_name": tf_names}
    table["description"] = ["gene is directly annotated"] * len(tf_names)
    pd.DataFrame(table).to_csv(folder / "motifs.tbl", sep="\t", index=False)


@pytest.fixture
def cwd(user_files: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(user_files)
    return user_files


class TestBlocks:
    def test_languages_are_known(self) -> None:
        unknown = [(b.line, b.language) for b in BLOCKS if b.language not in LANGUAGES]
        assert not unknown, f"README.md: (line, language) of blocks that nothing tests: {unknown}"
        assert {block.language for block in BLOCKS} == LANGUAGES

    def test_the_reader_of_blocks_misses_none(self) -> None:
        assert len(BLOCKS) == len(re.findall(r"^\s*(?:```|~~~)", MARKDOWN, re.MULTILINE)) / 2
        with pytest.raises(ValueError, match="never ends"):
            read_blocks("```python\n1\n")
        assert read_blocks("~~~\nx\n~~~\n") == [Block("", 2, "x\n")]

    @pytest.mark.usefixtures("cwd")
    def test_python_runs_in_order(self) -> None:
        namespace: dict[str, object] = {}
        for block in BLOCKS:
            if block.language == "python":
                # Blank lines in front, so that a traceback shows the README's line numbers.
                source = "\n" * (block.line - 1) + block.text
                exec(compile(source, README, "exec"), namespace)
        assert {"links", "kept", "search", "velocity_links", "strict_links"} <= set(namespace)
        assert len(namespace["links"]) > 50  # type: ignore[arg-type]
        assert len(namespace["kept"]) > 5  # type: ignore[arg-type]
        assert (namespace["velocity"] < 0).any(axis=None)  # type: ignore[operator]
        assert len(namespace["velocity_links"]) > 5  # type: ignore[arg-type]

    def test_python_of_the_page_on_evidence_runs_in_order(self) -> None:
        page = ROOT / "docs" / "evidence.md"
        namespace: dict[str, object] = {}
        for block in read_blocks(page.read_text(encoding="utf-8")):
            assert block.language == "python"
            exec(compile("\n" * (block.line - 1) + block.text, page, "exec"), namespace)
        assert {"believed", "controlled", "stable", "informed", "ledger"} <= set(namespace)
        assert {"Chip_peak;Motif_high"} < set(namespace["believed"]["Conf"])  # type: ignore[index]

    def test_quick_start_is_five_lines(self) -> None:
        quick_start = MARKDOWN.split("## Quick start")[1]
        lines = read_blocks(quick_start)[0].text.splitlines()
        assert len([line for line in lines if line]) == 5


class TestCommands:
    def test_every_program_is_checked(self) -> None:
        assert {words[0] for words in COMMANDS} <= {"scifate", "pip", ".ci/run", *REQUIREMENT}

    def test_the_two_commands(self) -> None:
        lines = [
            line for block in BLOCKS if block.language == "bash" for line in block.text.split("\n")
        ]
        assert "pip install . && scifate demo" in lines
        assert "pip install '.[test]' && pytest" in lines

    @pytest.mark.parametrize("arguments", commands_of("scifate"))
    def test_scifate(self, arguments: list[str], cwd: Path) -> None:
        quick = ["--n-cells", "200"] if arguments == ["demo"] else []
        result = CliRunner().invoke(app, arguments + quick)
        assert result.exit_code == 0, result.output
        if "--out" in arguments:
            out = cwd / arguments[arguments.index("--out") + 1]
            expected = set(re.findall(r"^\| `(\w+\.\w+)` \|", MARKDOWN, re.MULTILINE))
            if "--encode" not in arguments:
                expected -= {"links_filtered.csv", "ledger.csv", "enrichment.csv"}
            if "--motifs" not in arguments:
                expected -= {"motif_enrichment.csv"}
            assert {path.name for path in out.iterdir()} == expected

    @pytest.mark.parametrize("arguments", commands_of("pip"))
    def test_pip(self, arguments: list[str], setup_cfg: configparser.ConfigParser) -> None:
        match = re.fullmatch(r"\.(?:\[(\w+)\])?", arguments[-1])
        assert match, f"not an install of this folder: {arguments}"
        assert arguments[:-1] in (["install"], ["install", "-e"])
        assert match[1] is None or match[1] in setup_cfg["options.extras_require"]

    def test_entry_point(self, setup_cfg: configparser.ConfigParser) -> None:
        scripts = setup_cfg["options.entry_points"]["console_scripts"].strip().splitlines()
        declared = dict(re.split(r"\s*=\s*", script) for script in scripts)
        assert EntryPoint("scifate", declared["scifate"], "console_scripts").load() is app

    @pytest.mark.parametrize("program", sorted(REQUIREMENT))
    def test_the_test_extra_brings(
        self, program: str, setup_cfg: configparser.ConfigParser
    ) -> None:
        names = re.findall(r"^[\w-]+", setup_cfg["options.extras_require"]["test"], re.MULTILINE)
        assert REQUIREMENT[program] in names

    @pytest.mark.parametrize("arguments", commands_of("pytest"))
    def test_pytest(self, arguments: list[str], pytestconfig: pytest.Config) -> None:
        if "-m" in arguments:
            place = arguments.index("-m")
            expression, arguments = arguments[place + 1], arguments[:place]
            markers = {line.split(":")[0] for line in pytestconfig.getini("markers")}
            assert set(expression.split()) - {"or", "and", "not"} <= markers
        assert all((ROOT / argument).exists() for argument in arguments)

    def test_ci_script(self) -> None:
        assert [".ci/run"] in COMMANDS
        assert (ROOT / ".ci" / "run").is_file()


class TestProse:
    def test_paths_exist(self) -> None:
        paths = {span for span in CODE_SPANS if re.match(r"(scifate_sklearn|tests)/", span)}
        assert len(paths) > 10
        assert not {path for path in paths if not (ROOT / path).exists()}

    def test_options_exist(self) -> None:
        options = {name for span in CODE_SPANS for name in re.findall(r"--[a-z][a-z-]+", span)}
        commands = typer.main.get_command(app).commands.values()  # type: ignore[attr-defined]
        known = {name for command in commands for p in command.params for name in p.opts}
        assert len(options) > 10
        assert options <= known

    def test_links_within_the_page(self) -> None:
        assert set(re.findall(r"\]\(#([^)]+)\)", MARKDOWN)) <= anchors_of(PROSE)

    @pytest.mark.parametrize("page", ["README.md", "docs/evidence.md", "docs/guarantees.md"])
    def test_links_to_other_pages(self, page: str) -> None:
        text = (ROOT / page).read_text(encoding="utf-8")
        for name, anchor in re.findall(r"\]\((?!https?:|#)([^)#]+)#?([^)]*)\)", text):
            target = (ROOT / page).parent / name
            assert target.is_file(), name
            assert not anchor or anchor in anchors_of(target.read_text(encoding="utf-8")), anchor

    def test_estimator_names_and_parameters(self) -> None:
        """Every `name=value` of the prose is a parameter of something public."""
        text = " ".join(CODE_SPANS)
        named = set(re.findall(r"\b([a-z_]+)=", text))
        public = [getattr(scifate_sklearn, name) for name in scifate_sklearn.__all__]
        known = {name for thing in public if callable(thing) for name in _parameters(thing)}
        known |= {"genes"}  # of BindingReference.from_edges
        assert named <= known, named - known

    @pytest.mark.parametrize("table", TABLES, ids=[table.split("\n")[0] for table in TABLES])
    def test_tables_have_as_many_cells_in_each_row(self, table: str) -> None:
        assert len({row.count("|") for row in table.splitlines()}) == 1


def _parameters(thing: object) -> Iterator[str]:
    yield from inspect.signature(thing).parameters  # type: ignore[arg-type]


def modules_with_doctests() -> list[str]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    names = ["scifate_sklearn"]
    names += [m.name for m in pkgutil.walk_packages(scifate_sklearn.__path__, "scifate_sklearn.")]
    modules = [importlib.import_module(name) for name in names]
    return [m.__name__ for m in modules if any(t.examples for t in finder.find(m))]


@pytest.mark.parametrize("name", modules_with_doctests())
def test_doctests(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = doctest.testmod(importlib.import_module(name))
    assert result.attempted > 0
    assert result.failed == 0, "see the captured output"


def test_doctests_are_found() -> None:
    short = {name.removeprefix("scifate_sklearn.") for name in modules_with_doctests()}
    assert {
        "regressor",
        "filters.chip._encode",
        "filters.chip._reference",
        "preprocessing._folds",
    } <= short
