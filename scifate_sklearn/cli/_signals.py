"""Signals that end a command: raised as exceptions, and ignored while results are moved."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# Windows has no SIGHUP.
_ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


class Terminated(KeyboardInterrupt):
    """A signal such as SIGTERM; handled as Ctrl-C is.

    Parameters
    ----------
    number : int
        Number of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number


@contextmanager
def raise_signals() -> Iterator[None]:
    """Raise `Terminated` at SIGTERM and SIGHUP within the block; restore the handlers after it."""
    if not _in_main_thread():
        yield
        return
    handlers = {number: signal.getsignal(number) for number in (*_ENDING, signal.SIGINT)}
    try:
        for number in _ENDING:
            if handlers[number] is not signal.SIG_IGN:  # nohup ignores SIGHUP
                signal.signal(number, _raise)
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def ignore_signals() -> None:
    """Ignore Ctrl-C, SIGTERM and SIGHUP until the block of `raise_signals` ends."""
    if _in_main_thread():
        for number in (*_ENDING, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)


def _raise(number: int, _: FrameType | None) -> None:
    raise Terminated(number)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
