"""Progress bars, in terminals and in notebooks."""

from __future__ import annotations

import sys
import warnings
from typing import Any


def load_tqdm() -> Any:
    """Return tqdm for where Python runs: a widget in notebooks, text without ipywidgets.

    It is imported here, because that is slow, and without its advice to install ipywidgets, which
    only the look of the bar needs.
    """
    if "tqdm.auto" not in sys.modules:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="IProgress not found")
            import tqdm.auto  # noqa: F401
    return sys.modules["tqdm.auto"].tqdm
