"""Peak memory and time of `scifate convert` for a million cells.

    python benchmarks/convert.py loom      # 1,000,000 cells × 2,000 genes, as velocyto writes them
    python benchmarks/convert.py mtx       # the same, as a folder of STARsolo
    python benchmarks/convert.py unsorted  # entries sorted by gene: sorted again in temporary files
    python benchmarks/convert.py all --folder /big/disk --json convert.json

Cells have about 150 molecules. The files are kept in the folder (5 GB) for later runs. Each
measurement has its own process. `--quick` is for a trial run.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fresh_process
import numpy as np
import pandas as pd
import report
from scipy import sparse

N_CELLS, N_GENES = 1_000_000, 2_000
CHUNK = 8_192
LAYERS = {"spliced": 100, "unspliced": 40, "ambiguous": 10}
GOAL_GB = 2.0


def simulate(n_cells: int) -> Iterator[dict[str, Any]]:
    """Yield counts of consecutive cells (CSR), the same for each format."""
    rng = np.random.default_rng(0)
    weights = rng.lognormal(sigma=1.5, size=N_GENES)
    bounds = np.cumsum(weights / weights.sum())
    for start in range(0, n_cells, CHUNK):
        size = min(CHUNK, n_cells - start)
        yield {name: _draw(rng, bounds, size, depth) for name, depth in LAYERS.items()}


def _draw(rng: np.random.Generator, bounds: Any, n_cells: int, depth: int) -> Any:
    n_molecules = rng.poisson(depth, n_cells)
    cells = np.repeat(np.arange(n_cells), n_molecules)
    genes = np.searchsorted(bounds, rng.random(len(cells)))
    ones = np.ones(len(cells), np.int32)
    return sparse.coo_array((ones, (cells, genes)), shape=(n_cells, N_GENES)).tocsr()


def write_loom(path: Path, n_cells: int) -> None:
    """Write a loom file with the chunks and the compression of loompy."""
    import h5py

    with h5py.File(path, "w") as file:
        kinds = {"matrix": "f4", **{f"layers/{name}": "u2" for name in LAYERS}}
        arrays = {
            name: file.create_dataset(
                name,
                (N_GENES, n_cells),
                kind,
                chunks=(64, 64),
                compression="gzip",
                compression_opts=2,
            )
            for name, kind in kinds.items()
        }
        file["row_attrs/Gene"] = [f"Gene{i}" for i in range(N_GENES)]
        file["col_attrs/CellID"] = [f"sample:{i}x" for i in range(n_cells)]
        for i, block in enumerate(simulate(n_cells)):
            columns = slice(i * CHUNK, min((i + 1) * CHUNK, n_cells))
            for name, matrix in block.items():
                arrays[f"layers/{name}"][:, columns] = matrix.toarray().T
            arrays["matrix"][:, columns] = sum(block.values()).toarray().T
            _progress(i, n_cells)


def write_mtx(path: Path, n_cells: int) -> None:
    """Write a folder of STARsolo, sorted by cell."""
    _write_names(path, n_cells)
    sizes = dict.fromkeys(LAYERS, 0)
    bodies = {name: (path / f"{name}.body").open("w") for name in LAYERS}
    for i, block in enumerate(simulate(n_cells)):
        for name, matrix in block.items():
            entries = matrix.tocoo()
            sizes[name] += entries.nnz
            _write_entries(bodies[name], entries.col, entries.row + i * CHUNK, entries.data)
        _progress(i, n_cells)
    for name, body in bodies.items():
        body.close()
        with (path / f"{name}.mtx").open("wb") as file:
            file.write(_header(n_cells, sizes[name]))
            with Path(body.name).open("rb") as entries_file:
                while part := entries_file.read(2**24):
                    file.write(part)
        Path(body.name).unlink()


def write_unsorted(path: Path, n_cells: int) -> None:
    """Write a folder of STARsolo whose entries are sorted by gene."""
    _write_names(path, n_cells)
    for name in LAYERS:
        whole = sparse.vstack([block[name] for block in simulate(n_cells)]).tocsc()
        with (path / f"{name}.mtx").open("w") as file:
            file.write(_header(n_cells, whole.nnz).decode())
            for start in range(0, N_GENES, 50):
                part = whole[:, start : start + 50].tocoo()
                _write_entries(file, part.col + start, part.row, part.data)
        report.progress(f"{name} written")


def _write_names(path: Path, n_cells: int) -> None:
    path.mkdir()
    genes = "".join(f"ENSG{i:011}\tGene{i}\tGene Expression\n" for i in range(N_GENES))
    (path / "features.tsv").write_text(genes)
    (path / "barcodes.tsv").write_text("".join(f"{i:016b}\n" for i in range(n_cells)))


def _header(n_cells: int, n_entries: int) -> bytes:
    return (
        b"%%MatrixMarket matrix coordinate integer general\n%\n"
        + f"{N_GENES} {n_cells} {n_entries}\n".encode()
    )


def _write_entries(file: Any, genes: Any, cells: Any, counts: Any) -> None:
    table = pd.DataFrame({"gene": genes + 1, "cell": cells + 1, "count": counts})
    table.to_csv(file, sep=" ", header=False, index=False)


def _progress(i: int, n_cells: int) -> None:
    if i % 10 == 0:
        report.progress(f"{i * CHUNK:,} of {n_cells:,} cells written")


WRITERS: dict[str, tuple[str, Callable[[Path, int], None]]] = {
    "loom": (".loom", write_loom),
    "mtx": ("", write_mtx),
    "unsorted": ("_unsorted", write_unsorted),
}


def measure(path: str, out: str) -> dict[str, Any]:
    """Convert the cells; called in a new process."""
    from scifate_sklearn.anndata_io import Recognised, convert_cells

    fresh_process.forget_peak()
    start, used = time.perf_counter(), time.process_time()
    found = Recognised.from_path(path)
    convert_cells(found, out)
    return {
        "seconds": time.perf_counter() - start,
        "CPU seconds": time.process_time() - used,
        "peak GB": fresh_process.memory_peak() / 1e9,
        "format": found.format,
        "cells": found.source.shape[0],
        "written GB": Path(out).stat().st_size / 1e9,
    }


def check(out: str, n_cells: int) -> str:
    """Return whether a converted file has the simulated counts; called in a new process."""
    import anndata
    import h5py

    with h5py.File(out) as file:
        layers = {name: anndata.io.sparse_dataset(file["layers"][name]) for name in LAYERS}
        for i, block in enumerate(simulate(n_cells)):
            rows = slice(i * CHUNK, min((i + 1) * CHUNK, n_cells))
            if any((layers[name][rows] != block[name]).nnz for name in LAYERS):
                return "different"
    return "equal"


def main() -> None:
    """Measure, print a table and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=[*WRITERS, "all", "measure", "check"])
    parser.add_argument("arguments", nargs="*")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    if options.what == "measure":
        print(json.dumps(measure(*options.arguments)))
        return
    if options.what == "check":
        print(check(options.arguments[0], int(options.arguments[1])))
        return
    n_cells = 20_000 if options.quick else N_CELLS
    found = {}
    for what in WRITERS if options.what == "all" else [options.what]:
        ending, write = WRITERS[what]
        path = options.folder / f"convert_{n_cells}{ending}"
        if not path.exists():
            write(path, n_cells)
        report.progress(f"{what}: {n_cells:,} cells")
        found[what] = _run(path, options.folder / "converted.h5ad", n_cells)
    rows = [[what, *numbers.values()] for what, numbers in found.items()]
    headers = ["what", *next(iter(found.values()))]
    print(f"Goal: peak below {GOAL_GB:g} GB.\n")
    print(" | ".join(headers))
    for row in rows:
        print(" | ".join(f"{x:.3g}" if isinstance(x, float) else f"{x}" for x in row))
    if options.json:
        report.save_json(str(options.json), {"machine": report.machine(), "found": found})


def _run(path: Path, out: Path, n_cells: int) -> dict[str, Any]:
    script = [sys.executable, __file__]
    done = subprocess.run(
        [*script, "measure", str(path), str(out)], capture_output=True, text=True, check=True
    )
    compared = subprocess.run(
        [*script, "check", str(out), str(n_cells)], capture_output=True, text=True, check=True
    )
    out.unlink()
    return {**json.loads(done.stdout), "counts": compared.stdout.strip()}


if __name__ == "__main__":
    main()
