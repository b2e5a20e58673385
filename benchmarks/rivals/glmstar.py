"""glmstar (glmnet's C++ code for Python): same folds and grid, threshold 1e-7.

It installs a module `glmnet`, like python-glmnet, so it needs a separate environment. Name the
interpreter of that environment in BENCH_GLMSTAR_PYTHON. The time is measured in that process.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scifate_sklearn.solvers._selection import paper_grid

from . import RivalFit
from ._process import Worker

if TYPE_CHECKING:
    from problems import Problem

NAME = "glmstar"
PACKAGE = None
VARIABLE = "BENCH_GLMSTAR_PYTHON"
SCRIPT = Path(__file__).with_name("_glmstar_worker.py")


def absent() -> str | None:
    """Return what is missing, or None."""
    if not os.environ.get(VARIABLE):
        return f"the environment variable {VARIABLE} names no interpreter"
    return None if version() else f"glmstar is not installed in {os.environ[VARIABLE]}"


@lru_cache
def version() -> str:
    """Return the version of glmstar in its own environment, or an empty text."""
    code = "import importlib.metadata as m; print(m.version('glmstar'))"
    try:
        answer = subprocess.run(
            [os.environ[VARIABLE], "-c", code], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return answer.stdout.strip()


def fit(problem: Problem, t: int) -> RivalFit:
    """Fit one target."""
    return _worker(problem).fit(str(t))


@lru_cache(maxsize=1)
def _worker(problem: Problem) -> Worker:
    with tempfile.NamedTemporaryFile(prefix="bench_", suffix=".npz", delete=False) as file:
        arrays = {"X": problem.X, "Y": problem.Y, "fold": problem.fold_ids, "grid": paper_grid()}
        np.savez(file, **arrays)
    # -P, or the worker would import rivals from this folder. It deletes the file once read.
    return Worker([os.environ[VARIABLE], "-P", str(SCRIPT), file.name])
