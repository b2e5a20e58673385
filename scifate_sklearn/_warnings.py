"""Warnings that show the line of the user's code."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import FrameType

# Pipelines, searches and decorators of scikit-learn call the estimators of this package, pickle
# restores them, and numba calls its caches, also in worker threads.
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

_MARK = "is_from_scifate_sklearn"

_SUBJECT: ContextVar[str] = ContextVar("subject", default="")
# Lists that collect the messages, of the calls that are under way in this thread.
_COLLECTORS: ContextVar[tuple[list[str], ...]] = ContextVar("_COLLECTORS", default=())


@contextmanager
def warnings_about(subject: str) -> Iterator[None]:
    """Begin the warnings of this thread with a subject, such as ``"Group 'B'"``."""
    token = _SUBJECT.set(f"{subject}: ")
    try:
        yield
    finally:
        _SUBJECT.reset(token)


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Issue a warning that shows the nearest line outside this package and its callers.

    In a worker thread without such a line, the warning shows the line that calls this function.

    Parameters
    ----------
    message : str
        Of what was found; the subject of `warnings_about` is put before it.
    category : type of Warning, default=UserWarning
    """
    frame, level = inspect.currentframe(), 1
    while frame is not None and frame.f_back is not None and _is_in_between(frame):
        frame, level = frame.f_back, level + 1
    # Level 1 is this function, where the loop begins.
    if frame is None or _is_in_between(frame):
        level = 2
    text = f"{_SUBJECT.get()}{message}"
    for messages in _COLLECTORS.get():
        messages.append(text)
    warning = category(text)
    vars(warning)[_MARK] = True
    warnings.warn(warning, stacklevel=level)


@contextmanager
def collected() -> Iterator[list[str]]:
    """Return a list of the messages of `warn` within the block, which are issued as well."""
    messages: list[str] = []
    token = _COLLECTORS.set((*_COLLECTORS.get(), messages))
    try:
        yield messages
    finally:
        _COLLECTORS.reset(token)


def is_own(warning: Warning | str) -> bool:
    """Return whether `warn` issued a warning, and not another library."""
    return isinstance(warning, Warning) and _MARK in vars(warning)


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
