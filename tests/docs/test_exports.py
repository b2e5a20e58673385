"""Every command of the table of exports runs, and its function is public."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from scifate_sklearn import networks
from scifate_sklearn.cli import app
from scifate_sklearn.cli._options import EXPORT_FORMATS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "exports.md"
ROWS = re.findall(r"^\| ([^|]+) \| `?(.*?)`? \| `(\w+)` \|", PAGE.read_text("utf-8"), re.MULTILINE)
COMMANDS = [shlex.split(command) for _, command, _ in ROWS if command.startswith("scifate")]


@pytest.mark.usefixtures("cwd")
@pytest.mark.parametrize("words", COMMANDS, ids=shlex.join)
def test_commands(words: list[str]) -> None:
    result = CliRunner().invoke(app, words[1:])
    assert result.exit_code == 0, result.stderr
    assert Path(words[-1]).stat().st_size > 0


def test_functions() -> None:
    assert len(ROWS) > len(EXPORT_FORMATS)
    assert {function for *_, function in ROWS} <= set(networks.__all__)


def test_every_format_has_a_row() -> None:
    suffixes = {Path(words[-1]).suffix.removeprefix(".") for words in COMMANDS}
    named = {words[words.index("--format") + 1] for words in COMMANDS if "--format" in words}
    assert suffixes | named >= set(EXPORT_FORMATS)
