"""Lengths of the text of an HDF5 dataset, without reading the text.

Each item of a dataset of text is a reference of 16 bytes, which begins with the length. Many items
may refer to the same long text, which the library would read again for each item.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

REFERENCE = 16
_BLOCK = 2**16


def total_length(dataset: Any, chunks: Callable[[Any], Iterator[Any]]) -> int:
    """Return the number of bytes of all text in a dataset of text of any length.

    Parameters
    ----------
    dataset : h5py.Dataset
    chunks : callable
        Returns place, mask of filters and size of each chunk, as h5py does.

    Raises
    ------
    ValueError
        If references have an unusual size.
    """
    if dataset.file.id.get_create_plist().get_sizes() != (8, 8):
        raise ValueError(f"{dataset.name} is in a file of unusual addresses")
    if dataset.chunks is None:
        return _sum(_contiguous(dataset))
    return sum(_sum([_decoded(dataset, chunk)]) for chunk in chunks(dataset))


def _sum(blocks: Any) -> int:
    return sum(int(np.frombuffer(each, "<u4")[::4].sum(dtype=np.int64)) for each in blocks)


def _contiguous(dataset: Any) -> Iterator[bytes]:
    """Yield the references of a dataset that is stored in one piece."""
    start, left = dataset.id.get_offset(), math.prod(dataset.shape) * REFERENCE
    if start is None:  # nothing is stored, or within the header of the dataset
        return
    with open(dataset.file.filename, "rb") as file:
        file.seek(start)
        while left > 0 and (block := file.read(min(left, _BLOCK))):
            left -= len(block)
            yield block[: len(block) // REFERENCE * REFERENCE]


def _decoded(dataset: Any, chunk: Any) -> bytes:
    """Return the references of a chunk, decoded by the filters of the dataset."""
    import h5py

    mask, content = dataset.id.read_direct_chunk(chunk.chunk_offset)
    plist, stored = h5py.h5p.create(h5py.h5p.DATASET_CREATE), dataset.id.get_create_plist()
    shape = (math.prod(dataset.chunks),)
    plist.set_chunk(shape)
    for i in range(stored.get_nfilters()):
        number, flags, values, _ = stored.get_filter(i)
        if not mask >> i & 1:  # HDF5 leaves out the filter that shuffles bytes
            plist.set_filter(number, flags, values)
    kind, space = h5py.h5t.create(h5py.h5t.OPAQUE, REFERENCE), h5py.h5s.create_simple(shape)
    with h5py.File("references", "w", driver="core", backing_store=False) as scratch:
        copy = h5py.h5d.create(scratch.id, b"x", kind, space, plist)
        copy.write_direct_chunk((0,), content)
        decoded: bytes = h5py.Dataset(copy)[:].tobytes()
    return decoded
