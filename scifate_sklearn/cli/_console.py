"""Errors and warnings on stderr, each on one line."""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer

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
        problem = one_line(in_options(error))
        if not isinstance(error, EXPECTED_ERRORS):
            problem = f"unexpected {type(error).__name__}: {problem} (--debug shows where)"
        typer.echo(f"Error: {problem}", err=True)
        raise typer.Exit(1) from error


@contextmanager
def collect_warnings() -> Iterator[list[str]]:
    """Show each distinct warning once, without source lines, and yield the list of them."""
    messages: list[str] = []

    def show(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
        text = one_line(in_options(message))
        # Other categories, such as FutureWarning, are for developers.
        if issubclass(category, UserWarning) and text not in messages:
            messages.append(text)
            typer.echo(f"Warning: {text}", err=True)

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield messages


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
