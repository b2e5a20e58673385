"""What the user sees on stderr: errors and warnings on one line each, progress."""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer

# What the library raises on purpose, with a message for the user.
EXPECTED_ERRORS = (ValueError, TypeError, OSError, ImportError)

# What shells expect of a command that Ctrl-C ended.
INTERRUPTED = 130


@contextmanager
def tidy_errors(debug: bool) -> Iterator[None]:
    """End with exit code 1 and one line on stderr where an error would show a traceback."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("Interrupted.", err=True)
        raise typer.Exit(INTERRUPTED) from None
    except Exception as error:
        if debug:
            raise
        problem = one_line(error)
        if not isinstance(error, EXPECTED_ERRORS):
            problem = f"unexpected {type(error).__name__}: {problem} (--debug shows where)"
        typer.echo(f"Error: {problem}", err=True)
        raise typer.Exit(1) from error


@contextmanager
def collect_warnings() -> Iterator[list[str]]:
    """Show each warning to the user once, without source lines, and give the list of them."""
    messages: list[str] = []

    def show(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
        text = one_line(message)
        # Others, such as FutureWarning, are for developers.
        if issubclass(category, UserWarning) and text not in messages:
            messages.append(text)
            typer.echo(f"Warning: {text}", err=True)

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield messages


def one_line(message: object) -> str:
    """Return a message without line breaks."""
    return " ".join(str(message).split())


def is_interactive() -> bool:
    """Tell whether somebody is watching stderr."""
    return sys.stderr.isatty()
