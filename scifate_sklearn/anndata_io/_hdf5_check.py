"""Checks that an HDF5 file refers to no other file, and that its data have the declared sizes.

The checks use metadata, and chunks only if their size is unknown. No array is read.
"""

import math
from collections.abc import Iterator
from typing import Any

from ._declared_sizes import DeclaredSizes, check_expansion, is_read
from ._hdf5_text import REFERENCE, total_length

# Filters of HDF5 by number: those that do not change the size, and compressors.
_SHUFFLE, _CHECKSUM, _LZF = 2, 3, 32000
_COMPRESSORS = {1: "zlib", _LZF: "lzf", 32001: "blosc", 32004: "hdf5-lz4", 32015: "zstd"}
ADVICE = "Only data inside the file that was given are read; write the cells again with anndata."


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

    sizes = DeclaredSizes()
    pending: list[tuple[Any, str]] = [(file["/"], "")]
    # A group that is linked from a part that is read, and from another part, is visited twice.
    seen: set[tuple[int, bool]] = set()
    while pending:
        group, parent = pending.pop()
        for name in group:
            path = f"{parent}/{name}"
            _check_link(group.get(name, getlink=True), path)
            found = group[name]
            place = h5py.h5o.get_info(found.id).addr, is_read(path)
            if isinstance(found, h5py.Group) and place not in seen:
                pending.append((found, path))
            elif isinstance(found, h5py.Dataset):
                _check_dataset(found, path, sizes)
            seen.add(place)
    sizes.check_total(file.id.get_filesize())


def _check_link(link: Any, path: str) -> None:
    import h5py

    if isinstance(link, h5py.ExternalLink):
        raise ValueError(f"{path} is an external link to {link.filename!r}. {ADVICE}")
    if not isinstance(link, h5py.HardLink):
        target = getattr(link, "path", "")
        raise ValueError(f"{path} is a soft link to {target!r}. {ADVICE}")


def _check_dataset(dataset: Any, path: str, sizes: DeclaredSizes) -> None:
    # First, because the shape of a virtual dataset may depend on other files.
    if dataset.is_virtual:
        raise ValueError(f"{path} is a virtual dataset, with its data in other files. {ADVICE}")
    if dataset.external:
        raise ValueError(f"{path} has its data in the file {dataset.external[0][0]!r}. {ADVICE}")
    if dataset.shape is not None and is_read(path):
        stored, itemsize = dataset.id.get_storage_size(), dataset.dtype.itemsize
        sizes.add(path, dataset.shape, dataset.chunks or (), itemsize, stored)
        _check_chunks(dataset, path)
        sizes.add_text(path, _text_length(dataset), dataset.file.id.get_filesize())


def _text_length(dataset: Any) -> int:
    import h5py

    kind = h5py.check_string_dtype(dataset.dtype)
    return 0 if kind is None or kind.length is not None else total_length(dataset, _chunks)


def _check_chunks(dataset: Any, path: str) -> None:
    """Raise an error for a chunk that decompresses to more than its declared size."""
    position, codec = _compressor(dataset, path)
    if codec is None:
        return
    itemsize = REFERENCE if dataset.dtype.hasobject else dataset.dtype.itemsize
    declared = math.prod(dataset.chunks) * itemsize
    for chunk in _chunks(dataset):
        if chunk.filter_mask >> position & 1:  # the mask has the filters that were left out
            continue
        if codec == "lzf":
            # Data expand at most 88 times, so that the size before is limit enough.
            if chunk.size > declared:
                raise ValueError(f"{path} has a chunk that is larger than it declares. {ADVICE}")
            continue

        def read(_: int | None, offset: Any = chunk.chunk_offset) -> bytes:
            content: bytes = dataset.id.read_direct_chunk(offset)[1]
            return content

        check_expansion(path, declared, codec, chunk.size, read)


def _compressor(dataset: Any, path: str) -> tuple[int, str | None]:
    """Return position and name of the only filter that changes the size.

    The name is None if there is none, or if it is not installed: HDF5 then cannot decompress.
    """
    import h5py

    plist = dataset.id.get_create_plist()
    filters = [plist.get_filter(i) for i in range(plist.get_nfilters())]
    packing = [i for i, each in enumerate(filters) if each[0] not in (_SHUFFLE, _CHECKSUM)]
    if not packing:
        return 0, None
    number, *_, name = filters[packing[0]]
    # A chunk may leave out one of several filters.
    if len(packing) == 1 and not h5py.h5z.filter_avail(number):
        return 0, None
    if len(packing) > 1 or number not in _COMPRESSORS:
        raise ValueError(
            f"{path} is compressed by {name.decode(errors='replace')!r}, or more than once. gzip, "
            "lzf, zstd, blosc and lz4 can be read, because the size of their data can be checked."
        )
    return packing[0], _COMPRESSORS[number]


def _chunks(dataset: Any) -> Iterator[Any]:
    found: list[Any] = []
    if hasattr(dataset.id, "chunk_iter"):  # much faster than asking for each chunk
        dataset.id.chunk_iter(found.append)
        yield from found
    else:
        yield from map(dataset.id.get_chunk_info, range(dataset.id.get_num_chunks()))
