"""Process that reads hostile files: one line of JSON in and one out for each file.

Usage: ``python hostile_reader.py FOLDER``, where FOLDER has valid files.
"""

import json
import sys
import warnings
from pathlib import Path

from typer.testing import CliRunner

from scifate_sklearn import BindingReference, MotifRankings, open_anndata, prepare_moments
from scifate_sklearn.anndata_io import SciFateMoments, read_tf_names
from scifate_sklearn.cli import app
from scifate_sklearn.filters.motifs._annotations import read_motif_annotations
from scifate_sklearn.moments import Moments

TFS = ["Gene0", "Gene1"]


def read_cells(path):
    with open_anndata(path) as adata:
        prepare_moments(adata, TFS, gene_filter_rate=0, cell_filter_UMI=0)


def read_rankings(path):
    rankings = MotifRankings.read(path)
    rankings.columns(rankings.genes)


LIBRARY = {
    "cells": read_cells,
    "motifs": read_rankings,
    "motif-annotations": read_motif_annotations,
    "encode": BindingReference.read,
    "tfs": read_tf_names,
    "moments": Moments.load,
    "prepared": SciFateMoments.load,
}


def arguments(kind, path, folder):
    """Return the arguments of `scifate run` for a file of one kind; None if it reads no such."""
    given = {"cells": folder / "cells.h5ad", "tfs": folder / "tfs.txt"}
    if kind.startswith("motif"):
        given |= {
            "motifs": folder / "motifs.feather",
            "motif-annotations": folder / "annotations.tbl",
        }
    if kind in ("moments", "prepared"):
        return None
    given[kind] = path
    words = [given.pop("cells")]
    for name, value in given.items():
        words += [f"--{name}", value]
    words += ["--gene-filter-rate", 0, "--cell-filter-umi", 0, "--n-jobs", 1, "--min-overlap", 0]
    return [str(word) for word in ("run", *words, "-q", "--out", folder / "out")]


def memory(name):
    """Return a number of the status of this process, in bytes."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(name))


def read(kind, path, folder):
    """Read one file with the library and the command line, and describe what happened."""
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    before = memory("VmRSS")
    result = {"error": None, "message": "", "code": None, "stderr": "", "stdout": ""}
    try:
        LIBRARY[kind](path)
    except BaseException as error:
        result |= {"error": type(error).__name__, "message": str(error)}
    if words := arguments(kind, path, folder):
        run = CliRunner().invoke(app, words)
        result |= {"code": run.exit_code, "stderr": run.stderr, "stdout": run.stdout}
    return result | {"memory": memory("VmHWM") - before}


def main(folder):
    warnings.simplefilter("ignore")
    for line in sys.stdin:
        kind, path = json.loads(line)
        sys.stdout.write(json.dumps(read(kind, Path(path), folder)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
