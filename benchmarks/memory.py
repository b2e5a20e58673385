"""Peak memory and time for cells in a file, in memory, and made while they are read.

    python benchmarks/memory.py stream          # 1,000,000 cells × 400 TFs × 4,000 targets, a file
    python benchmarks/memory.py resident        # 200,000 cells as CSR in memory
    python benchmarks/memory.py link_test       # LinkTest, 1,000,000 cells × 50 TFs × 100 targets
    python benchmarks/memory.py link_test_file  # LinkTest, 200,000 cells of a file as of `stream`
    python benchmarks/memory.py all --folder /big/disk --json memory.json

The cells of files are simulated with 10 % non-zero numbers, and are kept in the folder (8 GB in
all) for later runs. `LinkTest` is also measured with fewer cells, for its memory must not grow by
more than a few numbers per cell. Each measurement has its own process. `--quick` is for a trial
run.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import fresh_process
import numpy as np
import report
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float64]

N_TFS, N_GENES = 400, 4000
# Sizes of the cells that are made while they are read.
N_DENSE_TFS, N_DENSE_TARGETS = 50, 100
CHUNK = 10_000
CHOICES: dict[str, Any] = {"cell_filter_UMI": 0}


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


def from_file(n_cells: int, path: Path, *, is_resident: bool = False) -> dict[str, Any]:
    """Compute the moments of cells in a file, or of its cells in memory, and fit them."""
    import anndata

    from scifate_sklearn import SciFateRegressor, open_anndata, prepare_moments

    watch = Stopwatch()
    with open_anndata(path) as adata:
        cells: Any = adata
        if is_resident:
            cells = anndata.AnnData(
                obs=adata.obs,
                var=adata.var,
                layers={name: layer.to_memory() for name, layer in adata.layers.items()},
            )
        loaded = fresh_process.memory_now() - watch.before
        watch.start()
        prepared = prepare_moments(cells, _tf_names(), gene_filter_rate=0.01, **CHOICES)
        watch.lap("moments s")
        model = SciFateRegressor(n_jobs=2).fit_moments(prepared.moments)
        watch.lap("solve s")
    found = watch.result(targets=prepared.moments.n_targets, links=len(model.links_))
    above = found["peak GB"] - found["before GB"]
    return {**found, "input GB": loaded / 1e9, "peak / input": 1e9 * above / loaded}


def link_test(n_cells: int, path: Path) -> dict[str, Any]:
    """Test all links of cells that are made twice, chunk by chunk."""
    from scifate_sklearn import LinkTest, RSampleKFold, SciFateRegressor
    from scifate_sklearn.moments import Moments, plan_folds

    watch = Stopwatch()
    plan = plan_folds(RSampleKFold(10).split(np.empty((n_cells, 0))), n_cells)
    moments = Moments.from_chunks(_dense_chunks(n_cells), plan)
    watch.lap("moments s")
    regressor = SciFateRegressor(n_jobs=2, exclude_self=False)
    tested = LinkTest(regressor).fit_moments(moments, _dense_chunks(n_cells))
    watch.lap("solve and test s")
    return watch.result(targets=moments.n_targets, links=_kept(tested))


def _dense_chunks(n_cells: int) -> Iterator[tuple[Floats, Floats]]:
    """Yield chunks of random cells, always the same; two TFs drive each of the first targets."""
    for number in range(n_cells // CHUNK):
        rng = np.random.default_rng(number)
        X = rng.normal(size=(CHUNK, N_DENSE_TFS))
        Y = rng.normal(size=(CHUNK, N_DENSE_TARGETS))
        Y[:, :N_DENSE_TFS] += 0.3 * (X + X[:, ::-1])
        yield X, Y


def link_test_file(n_cells: int, path: Path) -> dict[str, Any]:
    """Test all links of cells in a file, which is read once for the moments and once more."""
    from scifate_sklearn import LinkTest, SciFateRegressor, open_anndata, prepare_moments
    from scifate_sklearn.anndata_io import iterate_cells

    watch = Stopwatch()
    with open_anndata(path) as adata:
        prepared = prepare_moments(adata, _tf_names(), gene_filter_rate=0.01, **CHOICES)
        watch.lap("moments s")
        chunks = iterate_cells(adata, prepared, **CHOICES)
        tested = LinkTest(SciFateRegressor(n_jobs=2)).fit_moments(prepared.moments, chunks)
        watch.lap("solve and test s")
    return watch.result(targets=prepared.moments.n_targets, links=_kept(tested))


def _kept(tested: Any) -> int:
    return int(tested.ledger_["kept"].sum())


class Stopwatch:
    """Times and peak memory of a process in which everything has been compiled."""

    def __init__(self) -> None:
        fresh_process.first_fit("adaptive")  # the compiler's memory is not counted
        self.before = fresh_process.memory_now()
        self.times: dict[str, float] = {}
        self.start()

    def start(self) -> None:
        """Forget the peak, and start the time."""
        fresh_process.forget_peak()
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        """Keep the time since the start or the last lap."""
        now = time.perf_counter()
        self.times[name], self._last = now - self._last, now

    def result(self, **sizes: int) -> dict[str, float]:
        """Return times, memory and sizes."""
        peak = fresh_process.memory_peak()
        return {**self.times, "peak GB": peak / 1e9, "before GB": self.before / 1e9, **sizes}


class Part(NamedTuple):
    """What is measured, for how many cells each, and the goal of the last one."""

    measure: Callable[[int, Path], dict[str, Any]]
    n_cells: tuple[int, ...]
    goal: tuple[str, float]
    has_file: bool = True


# A few numbers per cell: its fold, name, size factor.
GROWTH = ("bytes per further cell", 200.0)
PARTS = {
    "stream": Part(from_file, (1_000_000,), ("peak GB", 4.0)),
    "resident": Part(partial(from_file, is_resident=True), (200_000,), ("peak / input", 1.3)),
    "link_test": Part(link_test, (100_000, 1_000_000), GROWTH, False),
    "link_test_file": Part(link_test_file, (50_000, 200_000), GROWTH),
}


def run(kind: str, n_cells: int, folder: Path) -> dict[str, Any]:
    """Measure one number of cells in a new process."""
    path = folder / f"cells_{n_cells}.h5ad"
    if PARTS[kind].has_file and not path.exists():
        write_cells(path, n_cells)
    report.progress(f"{kind}: {n_cells:,} cells")
    command = [sys.executable, __file__, "measure", kind, str(n_cells), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {"cells": n_cells, **json.loads(done.stdout)}


def _tf_names() -> list[str]:
    return [f"Gene{j}" for j in range(N_TFS)]


def main() -> None:
    """Measure, print the numbers and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=[*PARTS, "all", "measure"])
    parser.add_argument("arguments", nargs="*")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    if options.what == "measure":
        kind, n_cells, path = options.arguments
        print(json.dumps(PARTS[kind].measure(int(n_cells), Path(path))))
        return
    found = {}
    for kind in PARTS if options.what == "all" else [options.what]:
        sizes = PARTS[kind].n_cells
        if options.quick:
            sizes = tuple(range(CHUNK, CHUNK * (1 + len(sizes)), CHUNK))
        rows = [run(kind, n_cells, options.folder) for n_cells in sizes]
        for row in rows[1:]:
            more = row["peak GB"] - rows[0]["peak GB"]
            row["bytes per further cell"] = 1e9 * more / (row["cells"] - rows[0]["cells"])
        found[kind] = rows
    for kind, rows in found.items():
        name, goal = PARTS[kind].goal
        print(f"{kind}: {name} {rows[-1][name]:.2f}, goal {goal:g}")
        for row in rows:
            print("   " + ", ".join(f"{key} {value:,.4g}" for key, value in row.items()))
    if options.json:
        report.save_json(str(options.json), {"machine": report.machine(), "found": found})


if __name__ == "__main__":
    main()
