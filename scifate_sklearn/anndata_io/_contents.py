"""Outline of a file or folder: names of its parts and first bytes, without any array."""

import contextlib
import json
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

from ..files import read_start

_HEAD = 2048
# The first line of a table has a name for each cell.
_LONGEST_HEADER = 2**26
_TAR = slice(257, 262)
_MAX_METADATA = 2**20
# Names of files in which zarr has the metadata of a group and of an array.
_ZARR_GROUPS = (".zgroup", ".zattrs", ".zmetadata", "zarr.json")
_ZARR_ARRAYS = (".zarray",)
# Bytes that do not occur in text.
_BINARY = bytes({*range(9), *range(14, 27), *range(28, 32)})


@dataclass(frozen=True)
class Contents:
    """Outline of a file or folder.

    Attributes
    ----------
    kind : {"hdf5", "zarr", "folder", "file"}
        A file is neither HDF5 nor zarr, a folder is not zarr.
    groups : mapping of str to frozenset of str
        Groups or folders at the top, and the names in each.
    arrays, names : frozenset of str
        Arrays at the top, or files of a folder.
    attributes : frozenset of str
        Names of the attributes at the top, and those of zarr arrays at the top.
    head : bytes
        First bytes, decompressed if `is_compressed`.
    is_compressed : bool
        Whether the file is compressed with gzip.
    path : Path
    """

    kind: Literal["hdf5", "zarr", "folder", "file"]
    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)
    arrays: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    attributes: frozenset[str] = frozenset()
    head: bytes = b""
    is_compressed: bool = False
    path: Path = Path()

    @classmethod
    def from_path(cls, path: Path) -> Self:
        """Return the outline of an existing file or folder."""
        if path.is_dir():
            return cls._from_folder(path)
        import h5py

        if h5py.is_hdf5(path):
            return cls._from_hdf5(path)
        with path.open("rb") as file:
            head = file.read(_HEAD)
        is_compressed = head.startswith(b"\x1f\x8b")
        return cls(
            "file",
            head=_inflate(head) if is_compressed else head,
            is_compressed=is_compressed,
            path=path,
        )

    @classmethod
    def _from_hdf5(cls, path: Path) -> Self:
        import h5py

        with path.open("rb") as start:
            head = start.read(_HEAD)
        groups: dict[str, frozenset[str]] = {}
        arrays = set()
        with h5py.File(path, "r") as file:
            for name in file:
                # Links may lead to other files.
                if not isinstance(file.get(name, getlink=True), h5py.HardLink):
                    arrays.add(name)
                elif isinstance(file[name], h5py.Group):
                    groups[name] = frozenset(file[name])
                else:
                    arrays.add(name)
            return cls(
                "hdf5",
                groups,
                frozenset(arrays),
                attributes=frozenset(file.attrs),
                head=head,
                path=path,
            )

    @classmethod
    def _from_folder(cls, path: Path) -> Self:
        names = frozenset(os.listdir(path))
        if names.isdisjoint((*_ZARR_GROUPS, *_ZARR_ARRAYS)):
            folders = [name for name in names if (path / name).is_dir()]
            return cls(
                "folder",
                {name: _list(path / name) for name in folders},
                names=names,
                path=path,
            )
        groups: dict[str, frozenset[str]] = {}
        arrays, attributes = set(), _attributes(path)
        for name in names:
            child = path / name
            if child.is_symlink() or not child.is_dir():
                continue
            members = frozenset(os.listdir(child))
            is_array = bool(members & {*_ZARR_ARRAYS}) or _node_type(child) == "array"
            if is_array:
                arrays.add(name)
                attributes |= _attributes(child)
            else:
                groups[name] = members
        return cls("zarr", groups, frozenset(arrays), names, attributes, path=path)

    @property
    def is_text(self) -> bool:
        """Whether the first bytes are text."""
        return not any(byte in _BINARY for byte in self.head)

    @property
    def is_tar(self) -> bool:
        """Whether it is a tar archive."""
        return self.head[_TAR] == b"ustar"

    def has(self, *names: str) -> bool:
        """Return whether all names are at the top."""
        return all(
            each in self.groups or each in self.arrays or each in self.names for each in names
        )

    def has_file(self, *names: str) -> bool:
        """Return whether a folder has all of these files, each possibly with ``.gz``."""
        return all(not {name, f"{name}.gz"}.isdisjoint(self.names) for name in names)

    def peek(self, name: str, size: int = _HEAD) -> bytes:
        """Return the first bytes of a file of the folder, possibly with ``.gz``, decompressed."""
        found = next((each for each in (name, f"{name}.gz") if each in self.names), None)
        return b"" if found is None else read_start(self.path / found, size)

    def second_line(self) -> bytes:
        """Return the start of the second line of a text file, decompressed; none if it is far."""
        start = read_start(self.path, _LONGEST_HEADER) if self.is_text else b""
        return start.partition(b"\n")[2][:_HEAD]

    def has_suffix(self, *suffixes: str, within: int = 0) -> bool:
        """Return whether a file of the folder, or of a folder within it, ends in one of these."""
        nested = self.groups.values() if within else ()
        names = frozenset().union(self.names, *nested)
        return any(name.lower().endswith(suffixes) for name in names)

    def starts(self, *signatures: bytes) -> bool:
        """Return whether the first bytes are one of these."""
        return self.head.startswith(signatures)

    def is_in_head(self, *parts: bytes) -> bool:
        """Return whether one of these is among the first bytes."""
        return any(part in self.head for part in parts)


def _list(folder: Path) -> frozenset[str]:
    """Return the names in a folder, none if it cannot be read."""
    with contextlib.suppress(OSError):
        return frozenset(os.listdir(folder))
    return frozenset()


def _inflate(head: bytes) -> bytes:
    try:
        return zlib.decompressobj(31).decompress(head, _HEAD)
    except zlib.error:
        return b""


def _attributes(folder: Path) -> frozenset[str]:
    """Return the names of the attributes of a zarr node, and of its named dimensions."""
    node = _read_json(folder / "zarr.json")
    named = [key for key in ("dimension_names",) if any(node.get(key) or [])]
    v3 = node.get("attributes")
    return frozenset(
        [*_read_json(folder / ".zattrs"), *(v3 if isinstance(v3, dict) else ()), *named]
    )


def _node_type(folder: Path) -> Any:
    return _read_json(folder / "zarr.json").get("node_type")


def _read_json(path: Path) -> dict[str, Any]:
    """Return a JSON object, an empty one if there is none that can be read."""
    with contextlib.suppress(OSError, ValueError, RecursionError):
        if path.is_symlink() or not path.is_file() or path.stat().st_size > _MAX_METADATA:
            return {}
        content = json.loads(path.read_bytes())
        return content if isinstance(content, dict) else {}
    return {}
