"""Atomic replacement of files."""

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ._lock import lock_file

_UNFINISHED = re.compile(r"\..+\.[0-9a-f]{32}\.part")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield an unused path in the same folder that replaces `path` if the block succeeds."""
    unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def remove_unfinished(folder: Path) -> None:
    """Remove unfinished files of processes that were killed: those that no process has locked.

    Parameters
    ----------
    folder : Path
        A folder in which every file of `replacing` is locked while it is written, or that no other
        process uses.
    """
    for path in list(folder.iterdir()):
        if _UNFINISHED.fullmatch(path.name):
            with suppress(OSError), path.open("r+b") as file:
                if lock_file(file.fileno()):
                    path.unlink()
