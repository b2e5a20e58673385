"""What every test may ask for: the real data and R's results beside the project."""

import hashlib
import os
import tempfile
from pathlib import Path

import pytest

# numba's cache does not notice that a function has changed which another file's function calls.
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
