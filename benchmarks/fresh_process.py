"""Measurements that need a new process; floor.py runs it and reads the printed JSON.

python fresh_process.py first-fit adaptive
python fresh_process.py paper-fit full FOLDER      # with X.npy and Y.npy
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np


def first_fit(path: str) -> dict[str, float]:
    """Time the import, the first fit and the second fit of a tiny problem."""
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(60, 5)), rng.normal(size=(60, 3))
    Y[:, 0] += X[:, 0]
    times = [time.perf_counter()]
    from scifate_sklearn import SciFateRegressor

    times.append(time.perf_counter())
    for _ in range(2):
        SciFateRegressor(path=path, exclude_self=False).fit(X, Y)
        times.append(time.perf_counter())
    return dict(zip(("import", "first", "second"), np.diff(times).tolist(), strict=True))


def paper_fit(path: str, folder: str) -> dict[str, Any]:
    """Measure the time of a whole fit on two cores, and its memory above that of the inputs."""
    from scifate_sklearn import SciFateRegressor

    first_fit(path)  # compile, so that the compiler's memory is not counted
    X, Y = (np.load(Path(folder) / name) for name in ("X.npy", "Y.npy"))
    model = SciFateRegressor(path=path, cor_threshold=None, exclude_self=False, n_jobs=2)
    before = memory_now()
    start = time.perf_counter()
    model.fit(X, Y)
    spent = time.perf_counter() - start
    return {
        "seconds": spent,
        "gb": (memory_peak() - before) / 1e9,
        "links": len(model.links_),
        "gap": float(model.dual_gap_.max()),
    }


def memory_now() -> float:
    """Return the memory of this process in bytes."""
    return _status("VmRSS") or memory_peak()


def memory_peak() -> float:
    """Return the peak memory of this process in bytes."""
    # On Linux a child's ru_maxrss starts at its parent's; VmHWM is its own.
    return _status("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _maxrss_unit()


def forget_peak() -> None:
    """Reset the peak, if Linux allows it."""
    reset = Path("/proc/self/clear_refs")
    if reset.exists():
        reset.write_text("5")


def _status(field: str) -> float | None:
    status = Path("/proc/self/status")
    if not status.is_file():
        return None
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return 1024.0 * float(lines[field].split()[0])


def _maxrss_unit() -> int:
    return 1 if sys.platform == "darwin" else 1024


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    measure = {"first-fit": first_fit, "paper-fit": paper_fit}[command]
    print(json.dumps(measure(*arguments)))
