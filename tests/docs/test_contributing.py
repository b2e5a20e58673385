"""CONTRIBUTING.md shows the layers as `setup.cfg` states them."""

import configparser
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def read_contract(name: str) -> configparser.SectionProxy:
    """Return an import contract of `setup.cfg`."""
    if not (ROOT / "setup.cfg").is_file():
        pytest.skip(f"there is no setup.cfg in {ROOT}")
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    return config[f"importlinter:contract:{name}"]


def layers_of_the_contract() -> list[set[str]]:
    """Return the layers from top to bottom, each with the parts that are independent."""
    lines = read_contract("layers")["layers"].strip().splitlines()
    # ``python -m scifate_sklearn`` is the command line.
    return [set(re.findall(r"\w+", line)) for line in lines if line.strip() != "__main__"]


def test_table_of_the_layers(pages: dict[str, Any]) -> None:
    section = pages["CONTRIBUTING.md"].section("Layers of the package")
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    shown = [set(re.findall(r"`(\w+)`", row.split(" | ")[0])) for row in rows]
    assert shown == layers_of_the_contract()


def test_parts_of_the_numerical_core(pages: dict[str, Any]) -> None:
    prose = " ".join(pages["CONTRIBUTING.md"].section("Layers of the package").split())
    sentence = re.search(r"The numerical core \((.+?)\) works on arrays only", prose)
    assert sentence
    modules = read_contract("pure-numerics")["source_modules"].split()
    expected = {name.removeprefix("scifate_sklearn.") for name in modules}
    assert set(re.findall(r"`(\w+)`", sentence[1])) == expected


def test_every_part_of_the_package_is_a_layer() -> None:
    package = ROOT / "scifate_sklearn"
    parts = {
        path.stem
        for path in package.iterdir()
        if path.suffix == ".py" or (path / "__init__.py").is_file()
    }
    entry_points = {"__init__", "__main__", "_version"}
    assert parts - entry_points == set().union(*layers_of_the_contract())


@pytest.mark.parametrize("example", ["engine", "evidence"])
def test_there_is_a_worked_example(example: str, pages: dict[str, Any]) -> None:
    titles = {"engine": "Example: an engine", "evidence": "Example: a kind of evidence"}
    assert pages["CONTRIBUTING.md"].section(titles[example]).strip()
