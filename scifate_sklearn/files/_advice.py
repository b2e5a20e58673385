"""Errors about the content of files, with advice for Python and for the command line."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class AdvisedError(ValueError):
    """Error whose advice differs between Python and the command line.

    Parameters
    ----------
    problem : str
        What was found, and in which argument or file.
    advice : str
        What to do in Python.
    option_advice : str, default=""
        What to do on the command line.
    """

    def __init__(self, problem: str, advice: str, option_advice: str = "") -> None:
        super().__init__(f"{problem} {advice}")
        self.problem = problem
        self.advice = advice
        self.option_advice = option_advice

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.problem, self.advice, self.option_advice)

    def for_options(self) -> str:
        """Return the message for the command line."""
        return f"{self.problem} {self.option_advice}".rstrip()


@contextmanager
def prefix_errors(path: str | os.PathLike[str]) -> Iterator[None]:
    """Put the path before the message of errors about the content of a file."""
    try:
        yield
    except AdvisedError as error:
        problem = f"{path}: {error.problem}"
        raise AdvisedError(problem, error.advice, error.option_advice) from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
