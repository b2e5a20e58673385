"""Files of `scifate run`: descriptions of its inputs, atomic writing of its results."""

import hashlib
import json
import platform
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from .. import __version__
from ..anndata_io import open_store, write_uns
from ..files import replacing
from ._commands import evidence_table_names

PACKAGES = ("numpy", "scipy", "pandas", "scikit-learn", "joblib", "numba", "anndata")
TABLES = ("links", "targets", "links_filtered", "ledger")


def describe_file(path: Path) -> dict[str, str | int]:
    """Return path, size in bytes and SHA256 of a file or a zarr folder."""
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
        digest = hashlib.sha256()
        for file in files:
            digest.update(f"{file.relative_to(path).as_posix()} {_sha256(file)}\n".encode())
        size, sha256 = sum(file.stat().st_size for file in files), digest.hexdigest()
    else:
        size, sha256 = path.stat().st_size, _sha256(path)
    return {"path": str(path.resolve()), "size": size, "sha256": sha256}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def versions() -> dict[str, str]:
    """Return the versions of Python, this package and the libraries it computes with."""
    return {
        "scifate_sklearn": __version__,
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
    }


def write_tables(out: Path, tables: dict[str, pd.DataFrame]) -> None:
    """Write each table to ``<name>.csv``, and remove the tables of an earlier run."""
    for name in (*TABLES, *evidence_table_names()):
        path = out / f"{name}.csv"
        if name in tables:
            with replacing(path) as unfinished:
                tables[name].to_csv(unfinished, index=False)
        else:
            path.unlink(missing_ok=True)


def write_annotated(
    out: Path, cells: Path, tables: dict[str, pd.DataFrame], report: dict[str, Any]
) -> None:
    """Copy the cells to `out`, with tables and report in ``uns["scifate"]`` of the copy."""
    found = {
        **{name: table.reset_index(drop=True) for name, table in tables.items()},
        # As text, because HDF5 has neither None nor lists of objects.
        "run": _to_json(report),
    }
    is_folder = cells.is_dir()
    with replacing(out / ("annotated.zarr" if is_folder else "annotated.h5ad")) as unfinished:
        (shutil.copytree if is_folder else shutil.copyfile)(cells, unfinished)
        with open_store(unfinished, "r+") as store:
            write_uns(store, "scifate", found)


def write_json(out: Path, report: dict[str, Any]) -> None:
    """Write the report to ``run.json``."""
    with replacing(out / "run.json") as unfinished:
        unfinished.write_text(_to_json(report) + "\n", encoding="utf-8")


def _to_json(report: dict[str, Any]) -> str:
    return json.dumps(report, indent=2, default=str, ensure_ascii=False)
