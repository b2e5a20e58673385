"""Setup of all tests: the numba cache, helper modules, and the folder of real data."""

import hashlib
import os
import sys
import tempfile
from pathlib import Path

import pytest

# Test modules cannot import each other, only modules in this folder.
sys.path.append(str(Path(__file__).with_name("helpers")))

# A cached numba function is not recompiled when a function that it calls from another file changes.
# The name of the cache therefore depends on the source of all kernels.
KERNELS = Path(__file__).resolve().parents[1] / "scifate_sklearn" / "solvers" / "kernels"
SOURCE = hashlib.sha256(b"".join(file.read_bytes() for file in sorted(KERNELS.glob("*.py"))))
os.environ.setdefault(
    "NUMBA_CACHE_DIR",
    str(Path(tempfile.gettempdir()) / f"scifate_sklearn-numba-{SOURCE.hexdigest()[:16]}"),
)

SHARED = Path(__file__).resolve().parents[1].parent / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder with real data and R references, or skip where it is absent."""
    if not (SHARED / "reference").is_dir():
        pytest.skip(f"real data and R references are not at {SHARED}")
    return SHARED
