"""Whose line a warning is about: that of the user, however many calls are in between."""

from __future__ import annotations

import sys

# Pipelines, searches and scikit-learn's decorators lie between the user and an estimator.
_IN_BETWEEN = frozenset({"scifate_sklearn", "sklearn", "joblib"})


def level_of_user() -> int:
    """Return the `stacklevel` with which a warning of the calling function names the user's line.

    Returns
    -------
    int
        Of the nearest call from outside this package and scikit-learn.
    """
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and _package(frame.f_globals) in _IN_BETWEEN:
        frame, level = frame.f_back, level + 1
    return level


def _package(names: dict[str, object]) -> str:
    return str(names.get("__name__")).partition(".")[0]
