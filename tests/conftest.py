"""What every test may ask for: the real data and R's results beside the project."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[1].parent / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder with real data and R references, or skip where it is absent."""
    if not (SHARED / "reference").is_dir():
        pytest.skip(f"real data and R references are not at {SHARED}")
    return SHARED
