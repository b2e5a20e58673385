"""Warnings that name the user's line, however many calls lie in between."""

from __future__ import annotations

import inspect
import warnings
from types import FrameType

# Pipelines, searches and scikit-learn's decorators lie between the user and an estimator.
_IN_BETWEEN = frozenset({"scifate_sklearn", "sklearn", "joblib"})


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Issue a warning that names the nearest line outside this package and scikit-learn.

    Parameters
    ----------
    message : str
    category : type of Warning, default=UserWarning
    """
    frame, level = inspect.currentframe(), 1
    while frame is not None and frame.f_back is not None and _is_in_between(frame):
        frame, level = frame.f_back, level + 1
    # The first level is this function, which is passed over by the loop.
    warnings.warn(message, category, stacklevel=level)


def _is_in_between(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__")).partition(".")[0] in _IN_BETWEEN
