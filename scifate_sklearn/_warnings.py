"""Warnings that show the line of the user's code."""

from __future__ import annotations

import inspect
import warnings
from types import FrameType

# Pipelines, searches and decorators of scikit-learn call the estimators of this package, numba
# calls its caches, also in worker threads, and pickle restores estimators.
_IN_BETWEEN = frozenset(
    {
        "scifate_sklearn",
        "sklearn",
        "joblib",
        "numba",
        "pickle",
        "multiprocessing",
        "concurrent",
        "threading",
    }
)


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Issue a warning that shows the nearest line outside this package and its callers.

    In a worker thread without such a line, the warning shows the line that calls this function.

    Parameters
    ----------
    message : str
    category : type of Warning, default=UserWarning
    """
    frame, level = inspect.currentframe(), 1
    while frame is not None and frame.f_back is not None and _is_in_between(frame):
        frame, level = frame.f_back, level + 1
    # Level 1 is this function, where the loop begins.
    if frame is None or _is_in_between(frame):
        level = 2
    warnings.warn(message, category, stacklevel=level)


def is_in_search() -> bool:
    """Return whether a search or a cross-validation of scikit-learn calls, in this thread."""
    frame = inspect.currentframe()
    while frame is not None:
        if str(frame.f_globals.get("__name__")).startswith("sklearn.model_selection."):
            return True
        frame = frame.f_back
    return False


def _is_in_between(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__")).partition(".")[0] in _IN_BETWEEN
