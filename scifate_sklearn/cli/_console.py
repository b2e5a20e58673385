"""Errors and warnings on stderr, each on one line."""

import logging
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import typer

from .._warnings import is_own
from ._signals import Terminated, raise_signals
from ._vocabulary import in_options

# Raised by the library with a message for the user.
EXPECTED_ERRORS = (ValueError, TypeError, OSError, ImportError)

# Exit code of a command that Ctrl-C ended, by the convention of shells.
INTERRUPTED = 130


@contextmanager
def tidy_errors(debug: bool) -> Iterator[None]:
    """Replace the traceback of an error by one line on stderr and exit code 1.

    Usage errors are left to Typer. SIGTERM ends the block as Ctrl-C does.
    """
    try:
        with raise_signals():
            yield
    except typer.BadParameter:
        raise
    except Terminated as signal:
        typer.echo("Terminated.", err=True)
        raise typer.Exit(signal.exit_code) from None
    except KeyboardInterrupt:
        typer.echo("Interrupted.", err=True)
        raise typer.Exit(INTERRUPTED) from None
    except Exception as error:
        if debug:
            raise
        # Importing the class of errors with advice for the command line would load NumPy.
        message = error.for_options() if hasattr(error, "for_options") else error
        problem = one_line(in_options(message))
        if not isinstance(error, EXPECTED_ERRORS):
            problem = f"unexpected {type(error).__name__}: {problem} (--debug shows where)"
        typer.echo(f"Error: {problem}", err=True)
        raise typer.Exit(1) from error


@contextmanager
def collect_warnings(quiet: bool = False) -> Iterator[list[str]]:
    """Show each distinct warning once, without source lines, and yield the list of them.

    Parameters
    ----------
    quiet : bool, default=False
        Whether warnings of other libraries, and what they log, are in the list only.

    Yields
    ------
    list of str
        All warnings so far, to which later ones are appended.
    """
    messages: list[str] = []

    def add(message: object, is_shown: bool) -> None:
        text = one_line(in_options(message))
        if text not in messages:
            messages.append(text)
            if is_shown:
                typer.echo(f"Warning: {text}", err=True)

    def show(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
        # Other categories, such as FutureWarning, are for developers.
        if issubclass(category, UserWarning):
            add(message, is_own(message) or not quiet)

    handler = _LogHandler(lambda message: add(message, not quiet))
    with warnings.catch_warnings():
        warnings.showwarning = show
        logging.getLogger().addHandler(handler)
        try:
            yield messages
        finally:
            logging.getLogger().removeHandler(handler)


@contextmanager
def show_logs(is_shown: bool) -> Iterator[None]:
    """Show what this package logs within the block, except warnings, which are shown anyway."""
    logger = logging.getLogger("scifate_sklearn")
    level = logger.level
    handler = _LogHandler(lambda message: tell(one_line(in_options(message))), logging.INFO)
    handler.addFilter(lambda record: record.levelno < logging.WARNING)
    if is_shown:
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


class _LogHandler(logging.Handler):
    """Passes on what libraries log."""

    def __init__(self, receive: Callable[[str], None], level: int = logging.WARNING) -> None:
        super().__init__(level)
        self._receive = receive

    def emit(self, record: logging.LogRecord) -> None:
        """Pass on a message."""
        self._receive(record.getMessage())


def one_line(message: object) -> str:
    """Return a message without line breaks, with other control characters escaped."""
    text = " ".join(str(message).split())
    # Names from files could otherwise clear the terminal, or change the direction of the text.
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def tell(text: str) -> None:
    """Show a line about the progress of a command on stderr."""
    typer.echo(text, err=True)


def is_interactive() -> bool:
    """Return whether stderr is a terminal."""
    return sys.stderr is not None and sys.stderr.isatty()
