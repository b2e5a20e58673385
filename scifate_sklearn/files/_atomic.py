"""Atomic replacement of files."""

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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


def sweep(folder: Path) -> None:
    """Remove the unfinished files that killed processes left in a folder."""
    for path in list(folder.iterdir()):
        if _UNFINISHED.fullmatch(path.name):
            path.unlink(missing_ok=True)
