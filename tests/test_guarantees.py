"""Every promise of docs/guarantees.md names a test; here it is seen that there are such tests."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TEXT)))


@pytest.mark.parametrize(("path", "name"), NAMED, ids=[name for _, name in NAMED])
def test_there_is_such_a_test(path: str, name: str) -> None:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_row_of_a_table_names_a_test_or_a_benchmark() -> None:
    rows = [line for line in TEXT.splitlines() if line.startswith("| ")]
    promises = [row for row in rows if not row.startswith(("| whatever |", "| promise |"))]
    assert len(promises) > 20
    for row in promises:
        assert re.search(r"`(tests/[\w/]+\.py::\w+|benchmarks/\w+\.py \w+)`", row), row
