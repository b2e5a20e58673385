"""Files of `scifate run`: reading the cells, writing each result whole or not at all."""

import hashlib
import json
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse

from scifate_sklearn import __version__
from scifate_sklearn._atomic import replacing
from scifate_sklearn.anndata_io.layers import read_layer

if TYPE_CHECKING:
    from anndata import AnnData

PACKAGES = ("numpy", "scipy", "pandas", "scikit-learn", "joblib", "numba", "anndata")
TABLES = ("links", "targets", "links_filtered", "enrichment")


def read_cells(path: Path, layers: Sequence[str]) -> "AnnData":
    """Read an h5ad file and add those `layers` that are sums of others.

    Raises
    ------
    ValueError
        If the file is no h5ad, or a layer of a sum is missing.
    """
    import anndata

    try:
        adata = anndata.read_h5ad(path)
    except Exception as error:  # h5py and anndata raise whatever they stumble over
        raise ValueError(f"{path} is not a readable h5ad file: {error}") from error
    for name in layers:
        if "+" in name and name not in adata.layers:
            adata.layers[name] = _sum_of_layers(adata, name)
    return adata


def _sum_of_layers(adata: "AnnData", expression: str) -> Any:
    layers: list[Any] = [read_layer(adata, part.strip()) for part in expression.split("+")]
    # In double precision, because small integers would wrap around.
    parts = [layer.astype(np.float64) for layer in layers]
    total = sum(parts[1:], start=parts[0])
    # Older anndata knows sparse matrices only, not sparse arrays.
    return sparse.csr_matrix(total) if sparse.issparse(parts[0]) else np.asarray(total)


def describe_file(path: Path) -> dict[str, str | int]:
    """Return where a file lies, its size in bytes and its SHA256."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"path": str(path.resolve()), "size": path.stat().st_size, "sha256": digest}


def versions() -> dict[str, str]:
    """Return the versions of what computes."""
    return {
        "scifate_sklearn": __version__,
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
    }


def write_tables(out: Path, tables: dict[str, pd.DataFrame]) -> None:
    """Write each table to ``<name>.csv``, and remove those an earlier run has left behind."""
    for name in TABLES:
        path = out / f"{name}.csv"
        if name in tables:
            with replacing(path) as unfinished:
                tables[name].to_csv(unfinished, index=False)
        else:
            path.unlink(missing_ok=True)


def write_annotated(
    out: Path, adata: "AnnData", tables: dict[str, pd.DataFrame], report: dict[str, Any]
) -> None:
    """Write the cells to ``annotated.h5ad``, with tables and report in ``uns["scifate"]``."""
    adata.uns["scifate"] = {
        **{name: table.reset_index(drop=True) for name, table in tables.items()},
        # As text: HDF5 has no None and no lists of objects.
        "run": _to_json(report),
    }
    with replacing(out / "annotated.h5ad") as unfinished:
        adata.write_h5ad(unfinished, compression="gzip")


def write_json(out: Path, report: dict[str, Any]) -> None:
    """Write the report to ``run.json``."""
    with replacing(out / "run.json") as unfinished:
        unfinished.write_text(_to_json(report) + "\n", encoding="utf-8")


def _to_json(report: dict[str, Any]) -> str:
    return json.dumps(report, indent=2, default=str, ensure_ascii=False)
