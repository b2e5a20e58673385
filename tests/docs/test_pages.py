"""The pages are true: blocks and commands run; options, names, paths and links exist."""

import configparser
import importlib
import inspect
import re
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

import scifate_sklearn
from scifate_sklearn.cli import app

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = {"python", "bash", "text"}
# Requirements that install the programs of the pages.
REQUIREMENT = {
    "pytest": "pytest",
    "ruff": "ruff",
    "mypy": "mypy",
    "lint-imports": "import-linter",
}
# Packages of extras without which the blocks of a page do not run.
PACKAGES = {
    "README.md": ("matplotlib", "marsilea", "adjustText"),
    "docs/activity.md": ("decoupler",),
    "docs/exports.md": ("networkx",),
    "docs/plotting.md": ("matplotlib", "marsilea", "adjustText"),
}
# Names that the blocks of a page define, and their least length.
RESULTS = {
    "README.md": {"links": 50, "kept": 5},
    "docs/your-data.md": {"velocity_links": 5, "symbols": 4, "loom": 9},
    "docs/evidence.md": {"supported": 5, "network": 5, "ledger": 50, "both": 50},
    "docs/scikit-learn.md": {"kept": 5},
    "docs/large-data.md": {"network": 50},
    "docs/command-line.md": {"strict_links": 5},
    "docs/exports.md": {"regulators": 5, "regulons": 5, "net": 10, "prior": 10, "base": 10},
    "docs/activity.md": {"activity": 500, "specificity": 2},
    "docs/plotting.md": {"links": 50, "path": 10},
    "docs/questions.md": {"links": 30},
}


@pytest.fixture(scope="module")
def setup_cfg() -> configparser.ConfigParser:
    path = ROOT / "setup.cfg"
    if not path.is_file():
        pytest.skip(f"there is no {path}")
    config = configparser.ConfigParser()
    config.read(path, encoding="utf-8")
    return config


class TestBlocks:
    def test_languages_are_known(self, page: Any) -> None:
        unknown = [(b.line, b.language) for b in page.blocks if b.language not in LANGUAGES]
        assert not unknown, f"{page.name}: (line, language) of blocks that are not tested"

    def test_all_blocks_are_read(self, page: Any) -> None:
        fences = re.findall(r"^\s*(?:```|~~~)", page.markdown, re.MULTILINE)
        assert len(page.blocks) == len(fences) / 2

    def test_a_block_without_end_is_an_error(self, pages: dict[str, Any], tmp_path: Path) -> None:
        (tmp_path / "page.md").write_text("~~~\nx\n~~~\n\n```python\n1\n")
        with pytest.raises(ValueError, match="line 5 never ends"):
            type(pages["README.md"])(str(tmp_path / "page.md")).blocks  # noqa: B018

    def test_marks_are_in_front_of_a_block(self, page: Any) -> None:
        marks = re.findall(r"^<!-- (?:needs|file):", page.markdown, re.MULTILINE)
        assert len(marks) == sum(bool(block.needs or block.file) for block in page.blocks)

    @pytest.mark.usefixtures("cwd")
    def test_python_runs_in_order(self, python_page: Any) -> None:
        absent = [name for name in PACKAGES.get(python_page.name, ()) if find_spec(name) is None]
        if absent:
            pytest.skip(f"{python_page.name} needs {', '.join(absent)}, which is not installed")
        namespace: dict[str, Any] = {}
        for block in [b for b in python_page.blocks if b.language == "python"]:
            if block.line_of:
                continue
            # Blank lines in front, so that a traceback shows the page's line numbers.
            code = compile("\n" * (block.line - 1) + block.text, python_page.path, "exec")
            if block.can_run:
                exec(code, namespace)
        expected = RESULTS.get(python_page.name, {})
        short = {name for name, least in expected.items() if len(namespace[name]) < least}
        assert not short

    def test_quick_start_is_five_lines(self, pages: dict[str, Any]) -> None:
        quick_start = next(b for b in pages["README.md"].blocks if b.language == "python")
        assert len([line for line in quick_start.text.splitlines() if line]) == 5


class TestCommands:
    def test_every_program_is_checked(self, page: Any) -> None:
        known = {"scifate", "pip", "python", ".ci/run", *REQUIREMENT}
        assert {words[0] for words in page.commands} <= known

    def test_scifate(self, scifate_arguments: list[str], cwd: Path, pages: dict[str, Any]) -> None:
        quick = ["--n-cells", "200"] if scifate_arguments == ["demo"] else []
        result = CliRunner().invoke(app, scifate_arguments + quick)
        assert result.exit_code == 0, result.output
        if scifate_arguments[0] == "run" and "--out" in scifate_arguments:
            out = cwd / scifate_arguments[scifate_arguments.index("--out") + 1]
            table = pages["docs/command-line.md"].section("Result files")
            expected = set(re.findall(r"^\| `(\w+\.\w+)` \|", table, re.MULTILINE))
            if "--encode" not in scifate_arguments:
                expected -= {"links_filtered.csv", "ledger.csv", "enrichment.csv"}
            if "--motifs" not in scifate_arguments:
                expected -= {"motif_enrichment.csv"}
            if "--report" not in scifate_arguments:
                expected -= {"report.html"}
            assert {path.name for path in out.iterdir()} == expected

    def test_pip(self, pip_arguments: list[str], setup_cfg: configparser.ConfigParser) -> None:
        match = re.fullmatch(r"\.(?:\[(\w+)\])?", pip_arguments[-1])
        assert match, f"not an install of this folder: {pip_arguments}"
        assert pip_arguments[:-1] in (["install"], ["install", "-e"])
        assert match[1] is None or match[1] in setup_cfg["options.extras_require"]

    def test_extras_of_the_prose(self, page: Any, setup_cfg: configparser.ConfigParser) -> None:
        extras = {extra for span in page.code_spans for extra in re.findall(r"\.\[(\w+)\]", span)}
        assert extras <= set(setup_cfg["options.extras_require"])

    def test_python(self, python_arguments: list[str]) -> None:
        """Scripts exist, and know their options and the names of their parts."""
        script, *words = python_arguments
        source = (ROOT / script).read_text(encoding="utf-8")
        options = [word for word in words if word.startswith("--")]
        assert all(f'"{option}"' in source for option in options)
        if words and not words[0].startswith("--") and words[0] != "all":
            assert f'"{words[0]}"' in source or f"def {words[0]}(" in source

    def test_entry_point(self, setup_cfg: configparser.ConfigParser) -> None:
        scripts = setup_cfg["options.entry_points"]["console_scripts"].strip().splitlines()
        declared = dict(re.split(r"\s*=\s*", script) for script in scripts)
        assert EntryPoint("scifate", declared["scifate"], "console_scripts").load() is app

    @pytest.mark.parametrize("program", sorted(REQUIREMENT))
    def test_the_test_extra_installs(
        self, program: str, setup_cfg: configparser.ConfigParser
    ) -> None:
        names = re.findall(r"^[\w-]+", setup_cfg["options.extras_require"]["test"], re.MULTILINE)
        assert REQUIREMENT[program] in names

    def test_pytest(self, pytest_arguments: list[str], pytestconfig: pytest.Config) -> None:
        paths = pytest_arguments
        if "-m" in paths:
            place = paths.index("-m")
            expression, paths = paths[place + 1], paths[:place]
            markers = {line.split(":")[0] for line in pytestconfig.getini("markers")}
            assert set(expression.split()) - {"or", "and", "not"} <= markers
        assert all((ROOT / path).exists() for path in paths)

    def test_ci_script(self, pages: dict[str, Any]) -> None:
        assert [".ci/run"] in pages["CONTRIBUTING.md"].commands
        assert (ROOT / ".ci" / "run").is_file()


class TestProse:
    def test_paths_exist(self, page: Any) -> None:
        folders = r"(?:scifate_sklearn|tests|benchmarks|docs|rivals|\.ci)/[\w./]*"
        files = r"[\w./]+\.(?:py|md|cfg|toml|cff)"
        named = [re.match(rf"(?:{folders}|{files})", span) for span in page.code_spans]
        paths = {match[0] for match in named if match}
        absent = [p for p in paths if not any((f / p).exists() for f in (ROOT, page.path.parent))]
        assert not absent

    def test_options_exist(self, page: Any) -> None:
        """Options in code spans are those of `scifate`; on the benchmarks' page, of a script."""
        options = {n for span in page.code_spans for n in re.findall(r"--[a-z][a-z-]+", span)}
        if page.name.startswith("benchmarks"):
            known = set(re.findall(r'"(--[a-z-]+)"', _sources_of_benchmarks()))
        else:
            group = typer.main.get_command(app)
            commands = [group, *group.commands.values()]  # type: ignore[attr-defined]
            known = {name for command in commands for p in command.params for name in p.opts}
            known |= {"--json", "--quick"} if page.name == "CONTRIBUTING.md" else set()
        assert options <= known, options - known

    def test_links(self, page: Any, pages: dict[str, Any]) -> None:
        for link in page.links:
            assert link.file.is_file(), link.written
            if link.anchor:
                name = link.file.relative_to(ROOT).as_posix()
                assert link.anchor in pages[name].anchors, link.written

    def test_headings_have_different_anchors(self, page: Any) -> None:
        assert not [anchor for anchor in page.anchors if re.search(r"-\d$", anchor)]

    def test_parameters(self, page: Any) -> None:
        """Every `name=value` of the prose is a parameter of something public."""
        named = set(re.findall(r"\b([a-z_]+)=", " ".join(page.code_spans)))
        others = {"precompute", "reads"}  # of LassoCV, of an entry in the table of engines
        assert named <= _public_parameters() | others, named - _public_parameters()

    def test_tables_have_as_many_cells_in_each_row(self, page: Any) -> None:
        for table in page.tables:
            rows = [re.sub(r"\\\|", "", row) for row in table.splitlines()]
            assert len({row.count("|") for row in rows}) == 1, rows[0]

    def test_titles_are_noun_phrases(self, page: Any) -> None:
        titles = re.findall(r"^#+ (.+)$", page.prose, re.MULTILINE)
        questions = r"(What|Which|Whether|How|Why|Who|Does|Do|Is|Are)\b"
        assert not [title for title in titles if re.match(questions, title) or "?" in title]


def _sources_of_benchmarks() -> str:
    scripts = sorted((ROOT / "benchmarks").glob("*.py"))
    return "\n".join(script.read_text(encoding="utf-8") for script in scripts)


def _public_parameters() -> set[str]:
    return set(_parameters())


def _parameters() -> Iterator[str]:
    """Yield the parameters of public functions and classes, and of the methods of classes."""
    for package in (
        "",
        ".anndata_io",
        ".causality",
        ".filters",
        ".datasets",
        ".plotting",
        ".resampling",
    ):
        module = importlib.import_module(f"scifate_sklearn{package}")
        for name in module.__all__:
            thing = getattr(module, name)
            if inspect.isclass(thing):
                methods = [member for _, member in inspect.getmembers(thing, inspect.isroutine)]
                public = [m for m in methods if not getattr(m, "__name__", "_").startswith("_")]
            for routine in [thing, *public] if inspect.isclass(thing) else [thing]:
                if callable(routine):
                    yield from _signature(routine)


def _signature(routine: Any) -> list[str]:
    try:
        return list(inspect.signature(routine).parameters)
    except ValueError:  # built-in methods
        return []


def test_the_public_names_of_the_pages_exist(page: Any) -> None:
    imported = re.findall(r"from scifate_sklearn import ([\w, ]+)", page.markdown)
    names = {name.strip() for line in imported for name in line.split(",")}
    planned = {block.needs for block in page.blocks}
    assert all(hasattr(scifate_sklearn, name) for name in names - planned)
