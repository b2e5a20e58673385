"""Checks that an h5ad file or zarr folder refers to nothing outside itself and runs no code.

All checks use metadata only: no array is read.
"""

import json
import math
import os
import re
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..files import size_limit

# Codecs that only transform bytes or text. numcodecs' "pickle" runs code that the file contains.
# fmt: off
_CODECS = (
    "adler32", "bitround", "blosc", "bytes", "bz2", "crc32", "crc32c", "delta", "endian",
    "fletcher32", "gzip", "json2", "lz4", "lzma", "packbits", "sharding_indexed", "shuffle",
    "transpose", "vlen-array", "vlen-bytes", "vlen-utf8", "zlib", "zstd",
)
# fmt: on
_ARRAYS_V2, _ATTRIBUTES_V2, _CONSOLIDATED_V2 = ".zarray", ".zattrs", ".zmetadata"
_NODE_V3 = "zarr.json"
_METADATA = (_ARRAYS_V2, _ATTRIBUTES_V2, _CONSOLIDATED_V2, _NODE_V3, ".zgroup")
_MAX_METADATA = 256 * 2**20
# The attributes by which anndata finds other arrays.
_REFERENCES = ("_index", "column-order", "categories")
# Frames are read at once; matrices by chunks, except the row pointers of sparse ones.
_FRAMES, _MATRICES = ("obs", "var"), ("X", "layers")
_POINTER = 8
_ADVICE = "Only data inside the file that was given are read; write the cells again with anndata."


def check_file(file: Any) -> None:
    """Raise an error if an open HDF5 file refers to other files or declares impossible sizes.

    Parameters
    ----------
    file : h5py.File

    Raises
    ------
    ValueError
        If a link is not a hard link, a dataset is virtual or stored in other files, or a dataset
        that this package reads is far larger than its content. The message names the object.
    """
    import h5py

    pending, seen = [file["/"]], set()
    while pending:
        group = pending.pop()
        for name in group:
            path = f"{group.name.rstrip('/')}/{name}"
            _check_link(group.get(name, getlink=True), path)
            found = group[name]
            address = h5py.h5o.get_info(found.id).addr
            if isinstance(found, h5py.Group) and address not in seen:
                pending.append(found)
            elif isinstance(found, h5py.Dataset):
                _check_dataset(found, path)
            seen.add(address)


def _check_link(link: Any, path: str) -> None:
    import h5py

    if isinstance(link, h5py.ExternalLink):
        raise ValueError(f"{path} is an external link to {link.filename!r}. {_ADVICE}")
    if not isinstance(link, h5py.HardLink):
        target = getattr(link, "path", "")
        raise ValueError(f"{path} is a soft link to {target!r}. {_ADVICE}")


def _check_dataset(dataset: Any, path: str) -> None:
    # First, because the shape of a virtual dataset may depend on other files.
    if dataset.is_virtual:
        raise ValueError(f"{path} is a virtual dataset, with its data in other files. {_ADVICE}")
    if dataset.external:
        raise ValueError(f"{path} has its data in the file {dataset.external[0][0]!r}. {_ADVICE}")
    if dataset.shape is not None:
        stored, itemsize = dataset.id.get_storage_size(), dataset.dtype.itemsize
        _check_size(path, dataset.shape, dataset.chunks or (), itemsize, stored)


def _check_size(
    path: str, shape: Iterable[int], chunk: Iterable[int], itemsize: int, stored: int
) -> None:
    """Raise an error for an array that takes far more memory than its content explains."""
    parts = path.strip("/").split("/")
    if parts[0] in _FRAMES or (parts[0] in _MATRICES and parts[-1] == "indptr"):
        _check_bytes(path, "an array", math.prod(map(int, shape)) * itemsize, stored)
    if parts[0] in (*_FRAMES, *_MATRICES):
        _check_bytes(path, "a chunk", math.prod(map(int, chunk)) * itemsize, stored)


def _check_bytes(path: str, what: str, declared: int, stored: int) -> None:
    if declared > size_limit(stored, most=None):
        raise ValueError(
            f"{path} declares {what} of {declared:,} bytes, but only {stored:,} bytes are stored. "
            "Write the cells again with anndata."
        )


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
    _measure(path, "", sizes)
    for name in list(sizes):
        if name.rpartition("/")[2].lower() in _METADATA:
            _check_metadata(path / name, name, sizes)


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
                raise ValueError(f"{path} is {kind}. {_ADVICE}")
            total += sizes[path]
    return total


def _check_metadata(file: Path, name: str, sizes: dict[str, int]) -> None:
    if sizes[name] > _MAX_METADATA:
        raise ValueError(f"{name} has {sizes[name]:,} bytes, too many for metadata.")
    folder, _, kind = name.rpartition("/")
    for path, node in _nodes(folder, kind.lower(), json.loads(file.read_bytes())):
        _check_inside(path, name)
        _check_codecs(_codecs(node), path)
        for key in _REFERENCES:
            for reference in _strings((node.get("attributes") or {}).get(key)):
                _check_inside(reference, path or name)
        if "shape" in node:
            chunk = node.get("chunks") or _v3_chunk(node)
            _check_size(path, node["shape"], chunk, _itemsize(node), sizes.get(path, 0))


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


def _codecs(node: dict[str, Any]) -> Iterator[Any]:
    """Yield the name of each codec of an array, including codecs inside shards."""
    for codec in [node.get("compressor"), *(node.get("filters") or [])]:
        if codec is not None:
            yield codec["id"]
    for key in ("codecs", "index_codecs"):
        for codec in node.get(key) or []:
            if isinstance(codec, str):
                yield codec
                continue
            yield codec["name"]
            yield from _codecs(codec.get("configuration") or {})


def _check_codecs(codecs: Iterable[Any], path: str) -> None:
    for codec in codecs:
        if not isinstance(codec, str) or codec.removeprefix("numcodecs.") not in _CODECS:
            raise ValueError(
                f"{path} is encoded with {codec!r}, which is not among the codecs that this "
                f"package opens, because some run code: {', '.join(_CODECS)}. If you trust "
                "the folder, write the cells again with anndata's default codecs."
            )


def _check_inside(path: str, source: str) -> None:
    if path.startswith(("/", "\\")) or ".." in re.split(r"[/\\]", path):
        raise ValueError(f"{source} refers to {path!r}, outside the folder. {_ADVICE}")


def _strings(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [each for each in values if isinstance(each, str)]


def _v3_chunk(node: dict[str, Any]) -> list[int]:
    configuration = (node.get("chunk_grid") or {}).get("configuration") or {}
    shape: list[int] = configuration.get("chunk_shape") or []
    return shape


def _itemsize(node: dict[str, Any]) -> int:
    """Return the bytes of a number; of others, those of a pointer."""
    try:
        return np.dtype(node.get("dtype") or node.get("data_type")).itemsize or _POINTER
    except (TypeError, ValueError):
        return _POINTER
