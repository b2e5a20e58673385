"""Test of folders that a command will write to later."""

import tempfile
from contextlib import suppress
from pathlib import Path


def writing_problem(folder: Path) -> str:
    """Return why nothing can be written to a folder, empty if it can.

    Missing folders are made for the test, and removed after it.
    """
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return ""
    except OSError as error:
        return error.strerror or str(error)
    finally:
        for path in missing:
            with suppress(OSError):  # it was not made
                path.rmdir()
