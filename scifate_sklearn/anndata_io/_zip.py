"""Zipped zarr folders, unpacked into a folder."""

import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from ..files import size_limit

_MAGIC = b"PK\3\4"
_METADATA = (".zgroup", "zarr.json")
_BLOCK = 2**20
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


def is_zipped_zarr(path: Path) -> bool:
    """Return whether a path is that of a zip file with a zarr group.

    Parameters
    ----------
    path : Path

    Returns
    -------
    bool
    """
    if not path.is_file():
        return False
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            return False
    try:
        with zipfile.ZipFile(path) as archive:
            return _root(archive) is not None
    except _DAMAGED:
        return False


@contextmanager
def unzipped(path: Path) -> Iterator[Path]:
    """Unpack a zipped zarr folder to a temporary folder, which is removed after the block.

    Raises
    ------
    ValueError
        If the zip file is damaged, or has entries that lead out of the folder or that are far
        larger than it.
    """
    with tempfile.TemporaryDirectory(prefix="scifate-") as folder:
        target = Path(folder) / "cells.zarr"
        unzip(path, target)
        yield target


def unzip(path: Path, target: Path) -> None:
    """Unpack a zipped zarr folder.

    Parameters
    ----------
    path : Path
        The zip file, with the folder or its content.
    target : Path
        The folder to create.

    Raises
    ------
    ValueError
        As `unzipped`.
    """
    target.mkdir()
    try:
        with zipfile.ZipFile(path) as archive:
            root = _root(archive) or PurePosixPath()
            left = size_limit(path.stat().st_size, most=None)
            # Of entries with the same name, the last one counts: zarr appends new versions.
            for entry in {each.filename: each for each in archive.infolist()}.values():
                name = PurePosixPath(entry.filename)
                _check(entry, name)
                if entry.is_dir() or not name.is_relative_to(root):
                    continue
                left = _extract(archive, entry, target / name.relative_to(root), left)
    except _DAMAGED as error:
        raise ValueError(f"the zip file is damaged: {error}") from error


def _root(archive: zipfile.ZipFile) -> PurePosixPath | None:
    """Return the folder in the archive that is the zarr group; None if there is none."""
    names = {*archive.namelist()}
    folders = {PurePosixPath(name).parts[0] for name in names if PurePosixPath(name).parts}
    roots = ["", *(f"{folder}/" for folder in folders if len(folders) == 1)]
    found = (root for root in roots if any(f"{root}{name}" in names for name in _METADATA))
    root = next(found, None)
    return None if root is None else PurePosixPath(root)


def _check(entry: zipfile.ZipInfo, name: PurePosixPath) -> None:
    if name.is_absolute() or ".." in name.parts or "\\" in entry.filename or ":" in entry.filename:
        raise ValueError(f"the zip file has the entry {entry.filename!r}, outside the folder.")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise ValueError(f"the zip file has the symbolic link {entry.filename!r}.")


def _extract(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, left: int) -> int:
    """Write one entry; return how many bytes later entries may have."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(entry) as source, target.open("xb") as file:
        if entry.file_size > left:
            raise ValueError("the zip file has far more data than its size explains.")
        # The module reads no more than the declared size.
        shutil.copyfileobj(source, file, _BLOCK)
    return left - entry.file_size
