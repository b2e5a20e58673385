"""Checked archives of arrays, written atomically.

An archive is an npz file without compression or pickles, which NumPy can read. Its header names the
kind of content, the version of its format and the SHA-256 of all arrays.
"""

from __future__ import annotations

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


def write_arrays(path: str | os.PathLike[str], kind: str, version: int, arrays: Arrays) -> None:
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
    """
    header = json.dumps({"kind": kind, "version": version, "sha256": checksum(arrays)})
    with replacing(Path(path)) as part, part.open("xb") as file:
        np.savez(file, allow_pickle=False, **{_HEADER: np.array(header)}, **arrays)
        file.flush()
        os.fsync(file.fileno())


def read_arrays(path: str | os.PathLike[str], kind: str, version: int) -> dict[str, NDArray[Any]]:
    """Read the arrays of a file that `write_arrays` wrote.

    Returns
    -------
    dict of str to ndarray

    Raises
    ------
    ValueError
        If the file is of another kind or version, or if it was truncated, changed, or written by
        another program.
    OSError
        If the file does not exist or cannot be read.
    """
    is_stored = Path(path).is_file() or Path(path).is_dir() or not Path(path).exists()
    if not is_stored:  # opening a pipe would wait for a writer
        raise OSError(f"{os.fspath(path)} is not a regular file; give a file of {kind}.")
    try:
        with zipfile.ZipFile(path) as file:
            arrays = {
                info.filename.removesuffix(".npy"): _read(file, info) for info in file.infolist()
            }
        header = json.loads(str(arrays.pop(_HEADER)))
        found, its_version, digest = header["kind"], header["version"], header["sha256"]
    except _NOT_WHOLE as error:
        raise ValueError(
            f"{os.fspath(path)} is damaged, or not a file of {kind} ({error}); write it again."
        ) from error
    if found != kind:
        raise ValueError(f"{os.fspath(path)} holds {found}, not {kind}.")
    if its_version != version:
        raise ValueError(
            f"{os.fspath(path)} has version {its_version} of the format for {kind}, but this "
            f"scifate_sklearn reads version {version}. Write it again."
        )
    if checksum(arrays) != digest:
        raise ValueError(
            f"{os.fspath(path)} has changed since it was written: its checksum differs. Write it "
            "again."
        )
    return arrays


def checksum(arrays: Arrays) -> str:
    """Return the SHA-256 of the names, types, shapes and contents of arrays."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(json.dumps([name, array.dtype.str, arrays[name].shape]).encode())
        digest.update(array.reshape(-1).view(np.uint8))
    return digest.hexdigest()


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
