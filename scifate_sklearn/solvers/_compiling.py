"""Announcement of the compilation of the kernels, which takes about ten seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

MESSAGE = "Compiling the solver, which takes about 10 seconds."


@dataclass
class _Announcement:
    """What shows the message, until it was shown."""

    show: Callable[[str], object] | None


# Of all threads of the process, because workers compile.
_current: list[_Announcement] = []


@contextmanager
def announce_compilation(show: Callable[[str], object] | None) -> Iterator[None]:
    """Show a message if a kernel is compiled within the block, once.

    Within another such block, the outer one shows the message.

    Parameters
    ----------
    show : callable or None
        Function of the message; None shows nothing.
    """
    if show is None or _current:
        yield
        return
    _current.append(_Announcement(show))
    try:
        yield
    finally:
        _current.clear()


def compilation_starts() -> None:
    """Show the message of the block that is being executed, if there is one."""
    for announcement in _current[:]:
        show, announcement.show = announcement.show, None
        if show is not None:
            show(MESSAGE)
