"""One Rscript per problem, shared by both update methods of cv.glmnet."""

from __future__ import annotations

import shutil
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

SCRIPT = Path(__file__).with_name("cv_glmnet.R")


def absent() -> str | None:
    """Return what is missing, or None."""
    if shutil.which("Rscript") is None:
        return "Rscript not found"
    return None if version() else "the R package glmnet is not installed"


@lru_cache
def version() -> str:
    """Return the versions of glmnet and R, or an empty text if R has no glmnet."""
    code = 'cat(as.character(packageVersion("glmnet")), "in R", as.character(getRversion()))'
    answer = subprocess.run(
        ["Rscript", "-e", code], capture_output=True, text=True, timeout=60, check=False
    )
    return answer.stdout if answer.returncode == 0 else ""


def fit(problem: Problem, t: int, updates: str) -> RivalFit:
    """Fit target t with ``type.gaussian=updates``."""
    return _worker(problem).fit(f"{t + 1} {updates}")


@lru_cache(maxsize=1)
def _worker(problem: Problem) -> Worker:
    with tempfile.NamedTemporaryFile(prefix="bench_", suffix=".bin", delete=False) as file:
        sizes = [*problem.X.shape, problem.Y.shape[1], len(paper_grid())]
        for part in (sizes, problem.X.T, problem.Y.T, problem.fold_ids + 1, paper_grid()):
            np.ascontiguousarray(part, np.float64).tofile(file)
    # The script deletes the file once it has read it.
    return Worker(["Rscript", "--vanilla", str(SCRIPT), file.name])
