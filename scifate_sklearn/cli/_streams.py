"""Standard streams on which no text can fail: closed, broken, full, or without Unicode."""

import errno
import io
import os
import sys
from typing import Any, TextIO

# Errors that mean that the reader has gone, as in `scifate demo | head -1`.
_READER_IS_GONE = (errno.EPIPE, errno.EIO)


class _Output(io.FileIO):
    """File of a standard stream that keeps the error of a write instead of raising it."""

    failure: OSError | None = None

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            self.failure = self.failure or error
            return len(memoryview(data).cast("B"))


_stdout: list[_Output] = []


def secure_streams() -> None:
    """Replace the standard streams of this process by streams whose writes do not fail.

    Streams that someone else has replaced, such as a test, are left alone.
    """
    _open_descriptors()
    if sys.stdin is None:
        sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)), "utf-8")
    if sys.stdout is sys.__stdout__:
        sys.stdout, output = _secured(sys.stdout, 1)
        _stdout[:] = [output]
    if sys.stderr is sys.__stderr__:
        sys.stderr, _ = _secured(sys.stderr, 2)


def unicode_problem(text: str) -> str:
    """Return why a name from the command line cannot be used; empty if it can.

    Bytes that are not characters of the locale are surrogates in the names that Python passes.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raw = os.fsencode(text)
    else:
        return ""
    try:
        name = raw.decode()
    except UnicodeDecodeError:
        return f"{raw!r} is not UTF-8, which run.json requires; rename it."
    return (
        f"'{name}' has letters that the locale of this shell lacks "
        f"({sys.getfilesystemencoding()}). Set the environment variable PYTHONUTF8=1, or a locale "
        "such as LC_ALL=C.UTF-8, and run again."
    )


def stdout_failure() -> OSError | None:
    """Return the error that lost text on stdout, None if its reader has gone or nothing is lost."""
    if not _stdout:
        return None
    sys.stdout.flush()
    failure = _stdout[0].failure
    return None if failure is None or failure.errno in _READER_IS_GONE else failure


def _open_descriptors() -> None:
    """Open the null device in place of closed descriptors, which the next file would get."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != descriptor:
                os.dup2(opened, descriptor)
                os.close(opened)
            os.set_inheritable(descriptor, True)


def _secured(stream: TextIO | None, descriptor: int) -> tuple[TextIO, _Output]:
    output = _Output(descriptor, "w", closefd=False)
    is_line_buffered = descriptor == 2 or (stream is not None and stream.isatty())
    encoding = "utf-8" if stream is None else stream.encoding
    buffer = io.BufferedWriter(output)
    return (
        io.TextIOWrapper(buffer, encoding, "backslashreplace", line_buffering=is_line_buffered),
        output,
    )
