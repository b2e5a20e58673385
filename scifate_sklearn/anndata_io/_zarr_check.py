"""Checks that a zarr folder refers to nothing outside itself, runs no code, and declares its sizes.

The checks use metadata and the headers of chunks; no array is read.
"""

import json
import math
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, Self

import numpy as np

from ..files import COMPRESSORS
from ._declared_sizes import DeclaredSizes, check_expansion, is_read
from ._hdf5_check import ADVICE

# Codecs that only transform numbers or text, and at most change their size a little. Of the codecs
# of numcodecs, "pickle" runs code that the file contains, and "json2" allocates what a chunk says.
# fmt: off
_TRANSFORMS = (
    "adler32", "bitround", "bytes", "crc32", "crc32c", "delta", "endian", "fletcher32", "packbits",
    "shuffle", "transpose", "vlen-bytes", "vlen-utf8",
)
# fmt: on
_COMPRESSORS = tuple(name for name in COMPRESSORS if not name.startswith("hdf5"))
_SHARDS = "sharding_indexed"
_CODECS = (*_TRANSFORMS, *_COMPRESSORS, _SHARDS)
_ARRAYS_V2, _ATTRIBUTES_V2, _CONSOLIDATED_V2 = ".zarray", ".zattrs", ".zmetadata"
_NODE_V3 = "zarr.json"
_METADATA = (_ARRAYS_V2, _ATTRIBUTES_V2, _CONSOLIDATED_V2, _NODE_V3, ".zgroup")
_MAX_METADATA = 16 * 2**20
# The attributes by which anndata finds other arrays.
_REFERENCES = ("_index", "column-order", "categories")
_CHUNK = re.compile(r"c|(c[./])?\d+([./]\d+)*")
_INDEX_ENTRY = 16
_NO_CHUNK = 2**64 - 1


def check_folder(path: Path) -> None:
    """Raise an error if a zarr folder refers to other files, or would run code.

    Parameters
    ----------
    path : Path

    Raises
    ------
    ValueError
        If an entry is neither a file nor a folder (such as a symbolic link), a codec is not on the
        list of those that are known to be safe, a name leads out of the folder, or an array that
        this package reads is far larger than its content. The message names the object.
    OSError
        If a folder or a file of metadata cannot be read.
    """
    sizes: dict[str, int] = {}
    size_of_all = _measure(path, "", sizes)
    arrays: dict[str, list[Array]] = {}
    declared = DeclaredSizes()
    for name in list(sizes):
        if name.rpartition("/")[2].lower() in _METADATA:
            for where, node in _checked_nodes(path / name, name, sizes[name]):
                if "shape" in node and is_read(where):
                    array = Array.from_node(where, node)
                    stored = sizes.get(where, 0)
                    declared.add(where, node["shape"], array.chunk, array.itemsize, stored)
                    arrays.setdefault(where, []).append(array)
    declared.check_total(size_of_all)
    for name, size in sizes.items():
        for array in arrays.get(_array_of(name, arrays), ()):
            if _CHUNK.fullmatch(name.removeprefix(f"{array.path}/")) and (path / name).is_file():
                _check_chunk(path / name, array, size)


def _measure(root: Path, folder: str, sizes: dict[str, int]) -> int:
    """Set the sizes in bytes of all entries of a folder, by relative path; return their sum."""
    total = 0
    with os.scandir(root / folder) as entries:
        for entry in entries:
            path = f"{folder}/{entry.name}".lstrip("/")
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode):
                sizes[path] = _measure(root, path, sizes)
            elif stat.S_ISREG(status.st_mode):
                sizes[path] = status.st_size
            else:
                kind = "a symbolic link" if entry.is_symlink() else "not a regular file"
                raise ValueError(f"{path} is {kind}. {ADVICE}")
            total += sizes[path]
    return total


def _checked_nodes(file: Path, name: str, size: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield path and metadata of each node in a file of metadata."""
    if size > _MAX_METADATA:
        raise ValueError(f"{name} has {size:,} bytes, too many for metadata.")
    folder, _, kind = name.rpartition("/")
    for path, node in _nodes(folder, kind.lower(), json.loads(file.read_bytes())):
        _check_inside(path, name)
        for key in _REFERENCES:
            for reference in _strings((node.get("attributes") or {}).get(key)):
                _check_inside(reference, path or name)
        # Codecs of all arrays: those that are not read may be opened by others.
        Pipeline.from_node(path, node)
        yield path, node


def _nodes(path: str, kind: str, content: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield path and metadata of each node; attributes of version 2 get the place of version 3."""
    if not isinstance(content, dict):
        raise ValueError(f"the metadata of {path or 'the folder'} are not a JSON object")
    if kind == _ATTRIBUTES_V2:
        yield path, {"attributes": content}
    elif kind == _CONSOLIDATED_V2:
        for key, node in content["metadata"].items():
            child, _, child_kind = key.rpartition("/")
            yield from _nodes(_join(path, child), child_kind.lower(), node)
    else:
        # Version 2 has no attributes here, but checking them is harmless.
        yield path, content
        consolidated = content.get("consolidated_metadata") or {}
        for key, node in consolidated.get("metadata", {}).items():
            yield from _nodes(_join(path, key), _NODE_V3, node)


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder and name else folder or name


@dataclass(frozen=True)
class Pipeline:
    """Codecs of an array, or of the chunks inside its shards.

    Attributes
    ----------
    compressor : str or None
        The only codec that changes the size of numbers much.
    inner : Pipeline or None
        Codecs of the chunks inside a shard.
    inner_chunk : list of int
        Their shape.
    index_first : bool
        Whether a shard begins with its index, instead of ending with it.
    index_checksum : bool
        Whether four bytes follow the index.
    """

    compressor: str | None = None
    inner: Self | None = None
    inner_chunk: tuple[int, ...] = ()
    index_first: bool = False
    index_checksum: bool = False

    @classmethod
    def from_node(cls, path: str, node: dict[str, Any]) -> Self:
        """Read the codecs of an array, in the order of encoding."""
        version_2 = [*(node.get("filters") or []), node.get("compressor")]
        codecs = [codec for codec in version_2 if codec is not None]
        return cls.from_codecs(path, [*codecs, *(node.get("codecs") or [])])

    @classmethod
    def from_codecs(cls, path: str, codecs: list[Any], is_inner: bool = False) -> Self:
        """Raise an error unless all codecs are safe, and at most the last one compresses."""
        names = [_codec_name(codec, path) for codec in codecs]
        packing = [name for name in names if name in (*_COMPRESSORS, _SHARDS)]
        while names and names[-1] == "crc32c":  # follows the compressed data
            names.pop()
        if not packing:
            return cls()
        if packing != names[-1:] or (is_inner and packing == [_SHARDS]):
            raise ValueError(
                f"{path} is encoded with {', '.join(packing)} and other codecs in an unusual "
                f"order, or is compressed more than once. {ADVICE}"
            )
        if packing != [_SHARDS]:
            return cls(packing[0])
        settings = codecs[len(names) - 1]["configuration"]
        index = [_codec_name(codec, path) for codec in settings.get("index_codecs") or []]
        if not set(index) <= {"bytes", "crc32c"}:
            raise ValueError(f"{path} has shards with a compressed index. {ADVICE}")
        return cls(
            inner=cls.from_codecs(path, settings["codecs"], is_inner=True),
            inner_chunk=tuple(map(int, settings["chunk_shape"])),
            index_first=settings.get("index_location") == "start",
            index_checksum="crc32c" in index,
        )


def _codec_name(codec: Any, path: str) -> str:
    """Return the name of a codec that is known to be safe."""
    name = codec if isinstance(codec, str) else codec.get("id", codec.get("name"))
    if not isinstance(name, str) or name.removeprefix("numcodecs.") not in _CODECS:
        raise ValueError(
            f"{path} is encoded with {name!r}, which is not among the codecs that this "
            f"package opens, because some run code: {', '.join(_CODECS)}. If you trust "
            "the folder, write the cells again with anndata's default codecs."
        )
    return name.removeprefix("numcodecs.")


@dataclass(frozen=True)
class Array:
    """Metadata of an array that is read.

    Attributes
    ----------
    path : str
    pipeline : Pipeline
    chunk : tuple of int
        Shape of the data in one file.
    itemsize : int
        Bytes of a number, 0 for text.
    """

    path: str
    pipeline: Pipeline
    chunk: tuple[int, ...]
    itemsize: int

    @classmethod
    def from_node(cls, path: str, node: dict[str, Any]) -> Self:
        """Read the metadata of version 2 or 3."""
        grid = (node.get("chunk_grid") or {}).get("configuration") or {}
        chunk = node.get("chunks") or grid.get("chunk_shape") or ()
        itemsize = _itemsize(node.get("dtype") or node.get("data_type"))
        return cls(path, Pipeline.from_node(path, node), tuple(map(int, chunk)), itemsize)


def _array_of(name: str, arrays: dict[str, list[Array]]) -> str:
    """Return the array to which a file belongs, "" if to none."""
    while name and name not in arrays:
        name = name.rpartition("/")[0]
    return name


def _check_chunk(file: Path, array: Array, size: int) -> None:
    """Raise an error if the data in a file decompress to more than they declare."""
    pipeline, declared = array.pipeline, math.prod(array.chunk) * array.itemsize
    if pipeline.compressor is not None:
        with file.open("rb") as opened:
            read = partial(_read, opened, 0, size)
            check_expansion(array.path, declared, pipeline.compressor, size, read)
    elif pipeline.inner is not None and pipeline.inner.compressor is not None:
        declared = math.prod(pipeline.inner_chunk) * array.itemsize
        with file.open("rb") as opened:
            for start, length in _shard_index(opened, array, size):
                read = partial(_read, opened, start, length)
                check_expansion(array.path, declared, pipeline.inner.compressor, length, read)


def _read(file: IO[bytes], start: int, size: int, most: int | None) -> bytes:
    file.seek(start)
    return file.read(size if most is None else min(size, most))


def _shard_index(file: IO[bytes], array: Array, size: int) -> Iterator[tuple[int, int]]:
    """Yield place and length of each chunk inside a shard."""
    shapes = zip(array.chunk, array.pipeline.inner_chunk, strict=True)
    n_bytes = math.prod(outer // inner for outer, inner in shapes) * _INDEX_ENTRY
    checksum = 4 * array.pipeline.index_checksum
    start = 0 if array.pipeline.index_first else size - n_bytes - checksum
    if start < 0 or n_bytes > size:
        raise ValueError(f"{array.path} has a damaged shard. {ADVICE}")
    for place, length in np.frombuffer(_read(file, start, n_bytes, None), "<u8").reshape(-1, 2):
        if place != _NO_CHUNK:
            if int(place) + int(length) > size:
                raise ValueError(f"{array.path} has a damaged shard. {ADVICE}")
            yield int(place), int(length)


def _check_inside(path: str, source: str) -> None:
    if path.startswith(("/", "\\")) or ".." in re.split(r"[/\\]", path):
        raise ValueError(f"{source} refers to {path!r}, outside the folder. {ADVICE}")


def _strings(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [each for each in values if isinstance(each, str)]


def _itemsize(kind: Any) -> int:
    """Return the bytes of an item of a type in version 2 or 3; 0 for text of any length."""
    if kind is None:
        return 0
    if isinstance(kind, list):  # records
        return sum(_itemsize(field[1]) * math.prod(*field[2:3] or [()]) for field in kind)
    if isinstance(kind, dict):
        settings = kind.get("configuration") or {}
        if "fields" in settings:
            return _itemsize(settings["fields"])
        return int(settings.get("length_bytes") or _itemsize(kind.get("name")))
    if isinstance(kind, str) and re.fullmatch(r"r\d+", kind):  # raw bits
        return int(kind[1:]) // 8
    try:
        dtype = np.dtype(kind)
    except (TypeError, ValueError):
        return _length_in(kind)
    return 0 if dtype.hasobject else dtype.itemsize


def _length_in(kind: Any) -> int:
    """Return the bytes of a fixed-length type that NumPy refuses, such as ``<U1000000000``."""
    found = re.fullmatch(r"[<>|=]?([aSUV])(\d+)", str(kind))
    return int(found[2]) * (4 if found[1] == "U" else 1) if found else 0
