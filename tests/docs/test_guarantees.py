"""Every guarantee names a test or a benchmark, and these exist."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")
TESTS = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TEXT)))
BENCHMARKS = sorted(set(re.findall(r"`(benchmarks/\w+\.py) (\w+)`", TEXT)))
HEADERS = ("| regardless of |", "| guarantee |")


@pytest.mark.parametrize(("path", "name"), TESTS, ids=[name for _, name in TESTS])
def test_the_test_exists(path: str, name: str) -> None:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(("path", "part"), BENCHMARKS)
def test_the_benchmark_exists(path: str, part: str) -> None:
    assert f'"{part}"' in (ROOT / path).read_text(encoding="utf-8")


def test_every_row_of_a_table_names_a_test_or_a_benchmark() -> None:
    rows = [line for line in TEXT.splitlines() if line.startswith("| ")]
    guarantees = [row for row in rows if not row.startswith(HEADERS)]
    assert len(guarantees) > 20
    for row in guarantees:
        assert re.search(r"`(tests/[\w/]+\.py::\w+|benchmarks/\w+\.py \w+)`", row), row
