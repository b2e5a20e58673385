"""Result files of `scifate run`."""

import csv
import json
import os
import platform
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from .. import __version__
from ..anndata_io import is_zipped_zarr, open_store, unzip, write_uns
from ..files import escape_formula

PACKAGES = ("numpy", "scipy", "pandas", "scikit-learn", "joblib", "numba", "anndata")


def versions() -> dict[str, str]:
    """Return the versions of Python, this package and the libraries it computes with."""
    return {
        "scifate_sklearn": __version__,
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
    }


def write_tables(
    folder: Path, tables: dict[str, pd.DataFrame], escape_formulas: bool = False
) -> None:
    """Write each table to ``<name>.csv``, with text that is no formula for spreadsheets."""
    for name, table in tables.items():
        written = _escaped(table) if escape_formulas else table
        written.to_csv(folder / f"{name}.csv", index=False, quoting=_quoting(written))


def _quoting(table: pd.DataFrame) -> Literal[0, 2]:
    """Return the rule for quotation marks.

    Python 3.11 writes none around a carriage return, which ends a line when the table is read.
    """
    has_returns = any(
        isinstance(each, str) and "\r" in each for name in _text(table) for each in table[name]
    )
    return csv.QUOTE_NONNUMERIC if has_returns else csv.QUOTE_MINIMAL


def _text(table: pd.DataFrame) -> "pd.Index[Any]":
    """Return the columns that may hold text."""
    numbers = table.select_dtypes(["number", "bool"]).columns
    return table.columns.difference(numbers, sort=False)


def _escaped(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(
        **{
            name: [escape_formula(each) if isinstance(each, str) else each for each in table[name]]
            for name in _text(table)
        }
    )


def write_annotated(
    folder: Path, cells: Path, tables: dict[str, pd.DataFrame], report: dict[str, Any]
) -> None:
    """Copy the cells to `folder`, with tables and report in ``uns["scifate"]`` of the copy."""
    found = {
        **{name: table.reset_index(drop=True) for name, table in tables.items()},
        # As text, because HDF5 has neither None nor lists of objects.
        "run": _to_json(report),
    }
    kind = "zarr" if cells.is_dir() or is_zipped_zarr(cells) else cells.suffix.removeprefix(".")
    path = folder / f"annotated.{kind if kind in ('zarr', 'h5mu') else 'h5ad'}"
    if cells.is_dir():
        _copy_folder(cells, path)
    elif kind == "zarr":
        unzip(cells, path)
    else:
        shutil.copyfile(cells, path)
    with open_store(path, "r+") as store:
        write_uns(store, "scifate", found)


def _copy_folder(source: Path, target: Path) -> None:
    """Copy a folder without its permissions, which may not allow writing."""
    # Links are copied as links, and then refused: one may have appeared since the folder was read.
    shutil.copytree(source, target, symlinks=True, copy_function=shutil.copyfile)
    mode = target.parent.stat().st_mode
    target.chmod(mode)
    for folder, names, _ in os.walk(target):
        for path in (Path(folder, name) for name in names):
            if not path.is_symlink():
                path.chmod(mode)


def write_json(folder: Path, report: dict[str, Any]) -> None:
    """Write the report to ``run.json``."""
    (folder / "run.json").write_text(_to_json(report) + "\n", encoding="utf-8")


def _to_json(report: dict[str, Any]) -> str:
    return json.dumps(report, indent=2, default=str, ensure_ascii=False)
