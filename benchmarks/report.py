"""Shared functions of the scripts: threads, timing, description of the machine, tables, JSON.

Only the standard library is imported, so that threads can be limited before numpy is imported.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

THREAD_VARIABLES = (
    "OPENBLAS_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
)
PACKAGES = ("numpy", "scipy", "scikit-learn", "numba")
START = time.perf_counter()


def use_threads(count: int) -> None:
    """Limit BLAS, OpenMP and numba to `count` threads; call it before numpy is imported."""
    if "numpy" in sys.modules:
        raise RuntimeError("use_threads() was called after numpy was imported, which is too late.")
    for variable in THREAD_VARIABLES:
        os.environ[variable] = str(count)


def seconds(call: Callable[[], object]) -> float:
    """Return the time of one call in seconds."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def progress(message: str) -> None:
    """Print the current step to stderr, with the time since the start."""
    print(f"[{time.perf_counter() - START:7.1f} s] {message}", file=sys.stderr, flush=True)


def machine() -> dict[str, Any]:
    """Describe the machine, the software, the threads and the day."""
    import scifate_sklearn

    return {
        "date": date.today().isoformat(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(_memory_gb(), 1),
        "threads": os.environ.get("OMP_NUM_THREADS", "not limited"),
        "versions": {
            "python": platform.python_version(),
            **{name: installed_version(name) for name in PACKAGES},
            "BLAS": _blas(),
            "scifate_sklearn": scifate_sklearn.__version__,
        },
    }


def installed_version(distribution: str) -> str | None:
    """Return the version of an installed distribution, or None."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def describe(machine: dict[str, Any]) -> str:
    """Return the description as one sentence, for the line above a table."""
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    return (
        f"{machine['date']}, {machine['processor']}, {machine['cores']} cores, "
        f"{machine['memory_gb']:g} GB, threads: {machine['threads']}; {versions}."
    )


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table whose columns are also aligned in a terminal."""
    lines = [[str(cell) for cell in line] for line in (header, *rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    ruled = [lines[0], ["-" * width for width in widths], *lines[1:]]
    return "\n".join(
        "| "
        + " | ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True))
        + " |"
        for line in ruled
    )


def short(value: float, unit: str = "") -> str:
    """Return a number with three significant digits."""
    text = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{text} {unit}".rstrip()


def duration(value: float) -> str:
    """Return seconds in a suitable unit."""
    for scale, unit in ((1.0, "s"), (1e-3, "ms")):
        if value >= scale:
            return short(value / scale, unit)
    return short(value / 1e-6, "µs")


def save_json(path: str | None, result: dict[str, Any]) -> None:
    """Write the result, if a path was given."""
    if path is None:
        return
    Path(path).write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")
    progress(f"written: {path}")


def _processor() -> str:
    if Path("/proc/cpuinfo").is_file():
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _memory_gb() -> float:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9


def _blas() -> str:
    import numpy as np

    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip()
