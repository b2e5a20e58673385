"""Checked archives of arrays, written atomically.

An archive is an npz file without compression or pickles, which NumPy can read. Its header names the
kind of content, the version of its format, the SHA-256 of all arrays and, for a part of something
larger, which part it is.
"""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import struct
import tokenize
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ._atomic import replacing
from ._errors import like

Arrays: TypeAlias = Mapping[str, NDArray[Any]]

_HEADER = "header"
_NOT_WHOLE = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    EOFError,
    KeyError,
    TypeError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    struct.error,
    SyntaxError,
    tokenize.TokenError,
)


def write_arrays(
    path: str | os.PathLike[str], kind: str, version: int, arrays: Arrays, part: str | None = None
) -> None:
    """Write arrays to a file; an older one is replaced only when the new one is complete.

    Parameters
    ----------
    path : path-like
        In an existing directory.
    kind : str
        Name of the kind of content, for messages.
    version : int
        Version of the format of this kind.
    arrays : mapping of str to ndarray
        Numbers, booleans or strings; no objects.
    part : str, default=None
        The part of something larger that the arrays are, for messages.

    Raises
    ------
    OSError
        If the file cannot be written; the message names it.
    """
    header = {"kind": kind, "version": version, "sha256": checksum(arrays), "part": part}
    try:
        with replacing(Path(path)) as unfinished, unfinished.open("xb") as file:
            _write(file, {_HEADER: np.array(json.dumps(header)), **arrays})
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise _explain(error, Path(path)) from error


def _explain(error: OSError, path: Path) -> OSError:
    """Return an error that names the file, not the temporary one, and says what to do."""
    advice = "Free space, change the permissions, or give another path."
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        advice = f"'{path.parent}' is not an existing folder; create it, or give another path."
    elif path.is_dir():
        advice = "It is a folder; give the path of a file."
    return like(error, f"cannot write '{path}' ({error.strerror or error}). {advice}")


def read_arrays(
    path: str | os.PathLike[str], kind: str, version: int, part: str | None = None
) -> dict[str, NDArray[Any]]:
    """Read the arrays of a file that `write_arrays` wrote.

    Parameters
    ----------
    path : path-like
    kind, version, part :
        Those that the file must have.

    Returns
    -------
    dict of str to ndarray

    Raises
    ------
    ValueError
        If the file is of another kind, version or part, or if it was truncated, changed, or written
        by another program.
    OSError
        If the file does not exist or cannot be read.
    """
    if Path(path).is_dir():
        raise IsADirectoryError(f"{os.fspath(path)} is a directory; give a file of {kind}.")
    if Path(path).exists() and not Path(path).is_file():  # opening a pipe would wait for a writer
        raise OSError(f"{os.fspath(path)} is not a regular file; give a file of {kind}.")
    try:
        with zipfile.ZipFile(path) as file:
            arrays = {
                info.filename.removesuffix(".npy"): _read(file, info) for info in file.infolist()
            }
        header = json.loads(str(arrays.pop(_HEADER)))
        digest = header["sha256"]
        problem = _difference(header, kind, version, part)
    except (*_NOT_WHOLE, OSError) as error:
        # Damage can send a seek to before the start of the file.
        if isinstance(error, OSError) and error.errno != errno.EINVAL:
            raise
        raise ValueError(
            f"{os.fspath(path)} is damaged, or not a file of {kind} ({error}); write it again."
        ) from error
    if problem:
        raise ValueError(f"{os.fspath(path)} {problem}")
    if checksum(arrays) != digest:
        raise ValueError(
            f"{os.fspath(path)} has changed since it was written: its checksum differs. Write it "
            "again."
        )
    return arrays


def _difference(header: dict[str, Any], kind: str, version: int, part: str | None) -> str:
    """Return how the content of a file differs from what is required, "" if it does not."""
    found, its_version, its_part = header["kind"], header["version"], header.get("part")
    if found != kind:
        return f"holds {found}, not {kind}. Give the path of a file of {kind}."
    if its_version != version:
        is_newer = isinstance(its_version, int) and its_version > version
        advice = "Update scifate_sklearn, or write" if is_newer else "Write"
        return (
            f"has version {its_version} of the format for {kind}, but this scifate_sklearn reads "
            f"version {version}. {advice} it again."
        )
    if its_part != part:
        return f"holds {its_part or 'no part'}, not {part}: it was renamed or copied."
    return ""


def checksum(arrays: Arrays) -> str:
    """Return the SHA-256 of the names, types, shapes and contents of arrays."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(json.dumps([name, array.dtype.str, arrays[name].shape]).encode())
        digest.update(array.reshape(-1).view(np.uint8))
    return digest.hexdigest()


def _write(file: IO[bytes], arrays: Arrays) -> None:
    """Write arrays as np.savez does, which can refuse objects only in recent versions."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)


def _read(file: zipfile.ZipFile, info: zipfile.ZipInfo) -> NDArray[Any]:
    """Read one array, allocating memory only for the bytes that the file holds."""
    if info.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{info.filename} is compressed")
    with file.open(info) as member:
        shape, is_fortran, dtype = _read_header(member)
        if dtype.hasobject:
            raise ValueError(f"{info.filename} holds objects")
        n_bytes = math.prod(shape) * dtype.itemsize
        if n_bytes != info.file_size - member.tell():
            raise ValueError(f"{info.filename} is not of the size that its header declares")
        content = bytearray(member.read())  # reading to the end also verifies the CRC
    return np.frombuffer(content, dtype).reshape(shape, order="F" if is_fortran else "C")


def _read_header(member: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(member)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(member)
    return np.lib.format.read_array_header_2_0(member)
