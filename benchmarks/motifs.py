"""Motif evidence: time and memory on a database of usual size, and detection of planted motifs.

    python benchmarks/motifs.py speed      # 10,000 motifs × 20,000 genes, links of 100 TFs
    python benchmarks/motifs.py planted    # detection of planted motifs
    python benchmarks/motifs.py all --quick

`speed` writes the database to a feather file (400 MB) and filters in a new process. Every TF has an
enriched motif. This is the most expensive case: for each set of targets, the mean and standard
deviation of the recovery curves of all motifs are computed. `planted` draws scores of promoters: a
TF's motif scores its planted targets higher by some standard deviations; the other targets of the
TF are random genes.
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

import report

report.use_threads(2)

import fresh_process
import numpy as np
import pandas as pd
from numpy.typing import NDArray

N_MOTIFS, N_GENES, N_TFS = 10_000, 20_000, 100
THRESHOLDS = (0.03, 0.04, 0.05)
# Targets of a TF above the lowest threshold, from fewest to most.
N_TARGETS = (150, 600)
GOAL_SECONDS = 60.0


def make_links(rng: np.random.Generator, n_tfs: int, n_genes: int) -> pd.DataFrame:
    """Draw targets of each TF, a tenth of them below all thresholds."""
    most = min(N_TARGETS[1], n_genes // 4)
    sizes = rng.integers(min(N_TARGETS[0], most // 2), most, size=n_tfs)
    genes = [rng.choice(n_genes, size, replace=False) for size in sizes]
    return pd.DataFrame(
        {
            "TF": np.repeat([f"TF{i}" for i in range(n_tfs)], sizes),
            "target": [f"Gene{j}" for j in np.concatenate(genes)],
            "coef": rng.choice([-1, 1], sizes.sum()) * (0.025 + rng.exponential(0.03, sizes.sum())),
        }
    )


def make_ranks(
    rng: np.random.Generator, n_motifs: int, n_genes: int, links: pd.DataFrame
) -> NDArray[np.int16]:
    """Draw rankings (genes × motifs); motif i ranks half of the targets of TF i higher."""
    columns = links["target"].str.removeprefix("Gene").astype(int).to_numpy()
    targets = dict(iter(pd.Series(columns).groupby(links["TF"].to_numpy())))
    ranks = np.empty((n_genes, n_motifs), dtype=np.int16)
    for motif in range(n_motifs):
        scores = rng.random(n_genes, dtype=np.float32)
        own = targets.get(f"TF{motif}")
        if own is not None:
            scores[own.to_numpy()[::2]] += 0.5
        ranks[np.argsort(-scores), motif] = np.arange(n_genes, dtype=np.int16)
    return ranks


def write_database(path: Path, ranks: NDArray[np.int16], compression: str) -> None:
    """Write rankings as cisTarget does: one column per gene, the motifs' names last."""
    import pyarrow as pa
    import pyarrow.feather

    columns = {f"Gene{j}": ranks[j] for j in range(len(ranks))}
    columns["motifs"] = pa.array([f"motif{i}" for i in range(ranks.shape[1])])
    pa.feather.write_feather(pa.table(columns), str(path), compression=compression)


def annotate(n_tfs: int, n_motifs: int, per_tf: int = 10) -> pd.DataFrame:
    """Annotate each TF to its own motif and to some unrelated ones."""
    motif = [(i + k * n_tfs) % n_motifs for i in range(n_tfs) for k in range(per_tf)]
    tf = np.repeat([f"TF{i}" for i in range(n_tfs)], per_tf)
    return pd.DataFrame({"motif": [f"motif{i}" for i in motif], "TF": tf})


def measure(folder: str) -> dict[str, Any]:
    """Filter the links; called in a new process."""
    from scifate_sklearn import MotifLinkFilter

    links = pd.read_csv(Path(folder) / "links.csv")
    annotations = pd.read_csv(Path(folder) / "annotations.csv")
    before = fresh_process.memory_now()
    fresh_process.forget_peak()
    start, cpu = time.perf_counter(), time.process_time()
    motifs = MotifLinkFilter(Path(folder) / "db.feather", annotations, coef_thresholds=THRESHOLDS)
    kept = motifs.fit_transform(links)
    spent, cpu = time.perf_counter() - start, time.process_time() - cpu
    ranked = set(links["target"][links["coef"].abs() > min(THRESHOLDS)])
    return {
        "seconds": spent,
        "cpu_seconds": cpu,
        "peak_gb": fresh_process.memory_peak() / 1e9,
        "own_gb": (fresh_process.memory_peak() - before) / 1e9,
        "links": len(links),
        "kept": len(kept),
        "tests": len(motifs.tests_),
        "with_leading_edge": len(motifs.enrichment_.groupby(["TF", "coef_threshold"])),
        "first": float((motifs.tests_["best_rank"] == 1).mean()),
        "bytes": 2.0 * len(ranked) * len(motifs.rankings_.motifs),
        "ranks": float(motifs.tests_["n_targets"].sum()) * len(motifs.rankings_.motifs),
    }


def speed(quick: bool) -> dict[str, Any]:
    """Time the filter on a database in a feather file, uncompressed and compressed."""
    sizes = (500, 2000, 10) if quick else (N_MOTIFS, N_GENES, N_TFS)
    n_motifs, n_genes, n_tfs = sizes
    rng = np.random.default_rng(0)
    links = make_links(rng, n_tfs, n_genes)
    ranks = make_ranks(rng, n_motifs, n_genes, links)
    report.progress(f"{n_motifs:,} motifs × {n_genes:,} genes drawn")
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        links.to_csv(Path(folder) / "links.csv", index=False)
        annotate(n_tfs, n_motifs).to_csv(Path(folder) / "annotations.csv", index=False)
        for compression in ("uncompressed", "zstd"):
            write_database(Path(folder) / "db.feather", ranks, compression)
            command = [sys.executable, __file__, "measure", "--folder", folder]
            output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            found[compression] = json.loads(output)
            report.progress(f"{compression}: {found[compression]['seconds']:.2f} s")
    # The lower limit: read each rank of every set once, for the area.
    column = np.ascontiguousarray(ranks[: max(1, n_genes // 10)])
    floor = report.seconds(lambda: np.minimum(column, n_genes // 20).sum(axis=0, dtype=np.int64))
    found["floor"] = {"seconds_per_rank": floor / column.size}
    return found


def planted(quick: bool, shift: float, share: float) -> dict[str, Any]:
    """Plant a motif for each of 100 TFs (runs) and count those that are found."""
    from scifate_sklearn import MotifLinkFilter, MotifRankings

    n_motifs, n_genes, n_tfs, n_targets = (500, 1000, 20, 40) if quick else (2000, 5000, 100, 60)
    rng = np.random.default_rng(1)
    scores = rng.normal(size=(n_motifs, n_genes))
    names = np.array([f"Gene{j}" for j in range(n_genes)], dtype=object)
    targets = np.array([rng.choice(n_genes, n_targets, replace=False) for _ in range(n_tfs)])
    is_planted = np.arange(n_targets) < share * n_targets
    for i in range(n_tfs):
        scores[i, targets[i, is_planted]] += shift
    order = np.argsort(-scores, axis=1)
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(n_genes)[None], axis=1)
    table = pd.DataFrame(ranks, index=[f"motif{i}" for i in range(n_motifs)], columns=names)
    links = pd.DataFrame(
        {
            "TF": np.repeat([f"TF{i}" for i in range(n_tfs)], n_targets),
            "target": names[targets.ravel()],
            "coef": 0.1,
        }
    )
    truth = np.tile(is_planted, n_tfs)
    motifs = MotifLinkFilter(
        MotifRankings.from_table(table), annotate(n_tfs, n_motifs), coef_thresholds=(0.05,)
    )
    kept = links.index.isin(motifs.fit_transform(links).index)
    own = motifs.tests_["best_motif"].str.removeprefix("motif") == (
        motifs.tests_["TF"].str.removeprefix("TF")
    )
    return {
        "shift": shift,
        "share": share,
        "first": float((own & (motifs.tests_["best_rank"] == 1)).mean()),
        "enriched": float((motifs.tests_["n_enriched"] > 0).mean()),
        "planted_kept": float(kept[truth].mean()),
        "others_kept": float(kept[~truth].mean()) if (~truth).any() else 0.0,
        "nes": float(motifs.tests_["best_nes"].median()),
    }


def print_speed(found: dict[str, Any]) -> None:
    rows = []
    for name in ("uncompressed", "zstd"):
        run = found[name]
        floor = run["ranks"] * found["floor"]["seconds_per_rank"]
        rows.append(
            (
                name,
                f"{run['seconds']:.2f}",
                f"{run['cpu_seconds']:.2f}",
                f"{GOAL_SECONDS:g}",
                f"{run['peak_gb']:.2f}",
                f"{run['own_gb']:.2f}",
                f"{run['bytes'] / 1e9:.2f}",
                f"{run['with_leading_edge']} of {run['tests']}",
                f"{floor:.2f}",
                f"{run['cpu_seconds'] / floor:.1f}",
            )
        )
    titles = (
        "file",
        "s",
        "CPU s",
        "goal s",
        "peak GB",
        "above start",
        "GB read",
        "leading edges",
        "floor s",
        "× floor",
    )
    print(report.table(titles, rows), "\n")


def print_planted(runs: list[dict[str, Any]]) -> None:
    rows = [
        (
            f"{run['shift']:g}",
            f"{run['share']:.0%}",
            f"{run['first']:.0%}",
            f"{run['enriched']:.0%}",
            f"{run['nes']:.1f}",
            f"{run['planted_kept']:.0%}",
            f"{run['others_kept']:.0%}",
        )
        for run in runs
    ]
    titles = ("shift, sd", "planted", "first", "enriched", "NES", "planted kept", "others kept")
    print(report.table(titles, rows), "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=["speed", "planted", "all", "measure"])
    parser.add_argument("--folder", help="of `measure`, which `speed` calls")
    parser.add_argument("--quick", action="store_true", help="small problems, for a trial run")
    parser.add_argument("--json", help="write every number to this file")
    options = parser.parse_args()
    if options.what == "measure":
        print(json.dumps(measure(options.folder)))
        return
    found: dict[str, Any] = {}
    print(report.describe(report.machine()), "\n")
    if options.what in ("speed", "all"):
        found["speed"] = speed(options.quick)
        print_speed(found["speed"])
    if options.what in ("planted", "all"):
        cases = [(shift, share) for share in (1.0, 0.5, 0.25) for shift in (1.0, 1.5, 2.0, 3.0)]
        found["planted"] = [planted(options.quick, *case) for case in cases]
        print_planted(found["planted"])
    if options.json:
        report.save_json(options.json, {"machine": report.machine(), "found": found})


if __name__ == "__main__":
    main()
