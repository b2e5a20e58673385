"""Rivals in another process: R, and separate Python environments.

The process reads the problem once, from a file. Then it reads target numbers from stdin, one a
line, and answers each with a line "RESULT seconds lambda_min lambda_1se".
"""

from __future__ import annotations

import subprocess
import weakref
from collections.abc import Sequence

from . import RivalFit


class Worker:
    """One running process, which measures its own time."""

    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        # Also ends it at exit, and as soon as the next problem gets its process.
        weakref.finalize(self, _stop, self._process)

    def fit(self, request: str) -> RivalFit:
        """Send one line and return the answer; other printed lines are skipped."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(request + "\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            if line.startswith("RESULT "):
                return RivalFit(*map(float, line.split()[1:]))
        raise RuntimeError(f"{self._process.args[0]} ended with exit code {self._process.wait()}")


def _stop(process: subprocess.Popen[str]) -> None:
    """End the process; it ends itself when its input does."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    process.wait(timeout=10)
