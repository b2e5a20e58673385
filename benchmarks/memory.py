"""Peak memory and time for cells in a file and for cells in memory.

    python benchmarks/memory.py stream     # 1,000,000 cells × 400 TFs × 4,000 targets from a file
    python benchmarks/memory.py resident   # 200,000 cells as CSR in memory
    python benchmarks/memory.py all --folder /big/disk --json memory.json

The cells are simulated with 10 % non-zero numbers, and are kept in the folder (7 GB and 1.4 GB) for
later runs. Each measurement has its own process. `--quick` is for a trial run.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import fresh_process
import numpy as np
import report
from numpy.typing import NDArray
from scipy import sparse

N_TFS, N_GENES = 400, 4000
SIZES = {"stream": 1_000_000, "resident": 200_000}
CHUNK = 10_000
GOALS = {"stream": ("peak GB", 4.0), "resident": ("peak / input", 1.3)}


def write_cells(path: Path, n_cells: int) -> None:
    """Write simulated cells to an h5ad file, chunk by chunk."""
    import anndata
    import h5py
    import pandas as pd

    rng = np.random.default_rng(0)
    parents = rng.integers(0, N_TFS, size=(2, N_GENES))
    with h5py.File(path, "w") as file:
        empty = pd.DataFrame(index=pd.RangeIndex(n_cells).astype(str))
        names = pd.DataFrame(index=[f"Gene{j}" for j in range(N_GENES)])
        for key, frame in (("obs", empty), ("var", names)):
            anndata.io.write_elem(file, key, frame)
        file.create_group("layers")
        for start in range(0, n_cells, CHUNK):
            for name, layer in zip(("total", "new"), _simulate(rng, parents), strict=True):
                if start == 0:
                    anndata.io.write_elem(file["layers"], name, layer)
                else:
                    anndata.io.sparse_dataset(file["layers"][name]).append(layer)
            if start % (10 * CHUNK) == 0:
                report.progress(f"{start:,} of {n_cells:,} cells written")


def _simulate(
    rng: np.random.Generator, parents: NDArray[np.intp]
) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """Return total and new counts of a chunk of cells; two TFs drive the new RNA of each gene."""
    shape = CHUNK, N_GENES
    depth = rng.uniform(0.6, 1.4, size=(CHUNK, 1)).astype(np.float32)
    is_there = rng.random(shape, dtype=np.float32) < 0.1 * depth
    share = 0.08 + 0.1 * (is_there[:, parents[0]] + is_there[:, parents[1]])
    is_new = rng.random(shape, dtype=np.float32) < share * depth
    return _counts(rng, is_there), _counts(rng, is_new)


def _counts(rng: np.random.Generator, mask: NDArray[np.bool_]) -> sparse.csr_matrix:
    matrix = sparse.csr_matrix(mask, dtype=np.float32)
    matrix.data += rng.poisson(0.4, matrix.nnz).astype(np.float32)
    return matrix


def measure(kind: str, path: str) -> dict[str, Any]:
    """Compute the moments and fit them; called in a new process."""
    import anndata

    from scifate_sklearn import SciFateRegressor, open_anndata, prepare_moments

    fresh_process.first_fit("adaptive")  # compile, so that the compiler's memory is not counted
    tf_names = [f"Gene{j}" for j in range(N_TFS)]
    before = fresh_process.memory_now()
    with open_anndata(path) as adata:
        cells: Any = adata
        if kind == "resident":
            cells = anndata.AnnData(
                obs=adata.obs,
                var=adata.var,
                layers={name: layer.to_memory() for name, layer in adata.layers.items()},
            )
        loaded = fresh_process.memory_now() - before
        fresh_process.forget_peak()
        times = [time.perf_counter()]
        prepared = prepare_moments(cells, tf_names, cell_filter_UMI=0, gene_filter_rate=0.01)
        times.append(time.perf_counter())
        model = SciFateRegressor(n_jobs=2).fit_moments(prepared.moments)
        times.append(time.perf_counter())
    peak = fresh_process.memory_peak()
    moments, solve = np.diff(times).tolist()
    return {
        "moments s": moments,
        "solve s": solve,
        "peak GB": peak / 1e9,
        "before GB": before / 1e9,
        "input GB": loaded / 1e9,
        "peak / input": (peak - before) / loaded,
        "cells": len(prepared.cells),
        "targets": prepared.moments.n_targets,
        "links": len(model.links_),
    }


def main() -> None:
    """Measure, print a table and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=[*SIZES, "all", "measure"])
    parser.add_argument("arguments", nargs="*")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    if options.what == "measure":
        print(json.dumps(measure(*options.arguments)))
        return
    found = {}
    for kind in SIZES if options.what == "all" else [options.what]:
        n_cells = 2 * CHUNK if options.quick else SIZES[kind]
        path = options.folder / f"cells_{n_cells}.h5ad"
        if not path.exists():
            write_cells(path, n_cells)
        report.progress(f"{kind}: {n_cells:,} cells")
        command = [sys.executable, __file__, "measure", kind, str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found[kind] = json.loads(done.stdout)
    for kind, numbers in found.items():
        name, goal = GOALS[kind]
        print(f"{kind}: {name} {numbers[name]:.2f}, goal {goal:g}")
        print("   " + ", ".join(f"{key} {value:,.4g}" for key, value in numbers.items()))
    if options.json:
        report.save_json(str(options.json), {"machine": report.machine(), "found": found})


if __name__ == "__main__":
    main()
