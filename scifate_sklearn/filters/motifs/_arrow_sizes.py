"""Checks of the metadata of feather files, before pyarrow reads them.

pyarrow allocates the size that each compressed buffer of version 2 declares, and does not check the
places in files of version 1. The metadata are flatbuffers: ``File.fbs`` and ``Message.fbs`` of
Arrow's columnar format, and ``feather.fbs`` of version 1.
"""

import mmap
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

# Fields of the tables by position, and the type of a message.
_FOOTER_DICTIONARIES, _FOOTER_BATCHES = 2, 3
_MESSAGE_TYPE, _MESSAGE_HEADER, _DICTIONARY_BATCH = 1, 2, 2
_DICTIONARY_DATA = 1
_BATCH_BUFFERS, _BATCH_COMPRESSION = 2, 3
_V1_COLUMNS, _V1_VALUES, _V1_KIND, _V1_DETAILS = 2, 1, 2, 3
_V1_CATEGORIES = 1
_V1_TEXT = (11, 12)
_V1_TAIL = 8
_BLOCK = struct.Struct("<qi4xq")
# Length of the footer and magic, at the end of the file.
_TAIL = 10
_LONG_PREFIX = -1
_NOT_COMPRESSED = -1


def decompressed_size(path: Path) -> int:
    """Return the bytes of all buffers of a file, by their declared sizes.

    Parameters
    ----------
    path : Path
        A file in Arrow's IPC format, which is version 2 of feather.

    Raises
    ------
    ValueError
        If the metadata are damaged.
    """
    with _opened(path) as data:
        return sum(_batch_size(data, place, body) for place, body in _batches(data))


def check_version_1(path: Path) -> None:
    """Raise ValueError if the metadata of a file of version 1 point outside of it."""
    with _opened(path) as data:
        end = len(data) - _V1_TAIL
        table = _follow(data, end - _unpack(data, "I", end))
        start, count = _vector(data, _field(data, table, _V1_COLUMNS))
        for place in range(start, start + 4 * count, 4):
            column = _follow(data, place)
            name, length = _vector(data, _field(data, column, 0))
            _unpack(data, "B", name + length)  # text ends with a zero
            _check_values(data, _field(data, column, _V1_VALUES))
            kind = _field(data, column, _V1_KIND)
            if kind and _unpack(data, "B", kind) == _V1_CATEGORIES:
                details = _follow(data, _field(data, column, _V1_DETAILS))
                _check_values(data, _field(data, details, 0))


def _check_values(data: Any, place: int) -> None:
    """Raise IndexError unless an array of version 1 is inside the file."""
    array = _follow(data, place)
    places = [_field(data, array, i) for i in range(6)]
    kind, _, offset, length, n_missing, size = (
        _unpack(data, form, place) if place else 0
        for form, place in zip("BBqqqq", places, strict=True)
    )
    bits = length // 8 * (n_missing > 0)
    needed = bits + (4 * (length + 1) if kind in _V1_TEXT else 0)
    if min(offset, length, n_missing, size) < 0 or offset + size > len(data) or needed > size:
        raise IndexError("a column outside of the file")


@contextmanager
def _opened(path: Path) -> Iterator[mmap.mmap]:
    """Yield the content of a file; errors are those of damaged metadata."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield data
    except (struct.error, IndexError, OverflowError) as error:
        raise ValueError(f"its metadata are damaged ({error})") from error


def _batches(data: Any) -> Iterator[tuple[int, int]]:
    """Yield the places of the metadata and of the buffers of each batch."""
    end = len(data) - _TAIL
    footer = _follow(data, end - _unpack(data, "i", end))
    for field in (_FOOTER_DICTIONARIES, _FOOTER_BATCHES):
        if place := _field(data, footer, field):
            start, count = _vector(data, place)
            for i in range(count):
                offset, length, _ = _BLOCK.unpack_from(data, start + i * _BLOCK.size)
                prefix = 8 if _unpack(data, "i", offset) == _LONG_PREFIX else 4
                yield offset + prefix, offset + length


def _batch_size(data: Any, place: int, body: int) -> int:
    message = _follow(data, place)
    batch = _follow(data, _field(data, message, _MESSAGE_HEADER))
    if _unpack(data, "B", _field(data, message, _MESSAGE_TYPE)) == _DICTIONARY_BATCH:
        batch = _follow(data, _field(data, batch, _DICTIONARY_DATA))
    start, count = _vector(data, _field(data, batch, _BATCH_BUFFERS))
    buffers = np.frombuffer(data[start : start + 16 * count], "<i8").reshape(-1, 2)
    if not _field(data, batch, _BATCH_COMPRESSION):
        return int(buffers[:, 1].sum())
    sizes = (_unpack(data, "q", body + int(offset)) for offset, length in buffers if length)
    stored = int(buffers[:, 1].sum())
    return stored + sum(size for size in sizes if size != _NOT_COMPRESSED)


def _unpack(data: Any, kind: str, place: int) -> int:
    if place < 0:  # would count from the end
        raise IndexError("a place outside of the file")
    value: int = struct.unpack_from(f"<{kind}", data, place)[0]
    return value


def _follow(data: Any, place: int) -> int:
    """Return the place that a reference points to."""
    return place + _unpack(data, "I", place)


def _vector(data: Any, place: int) -> tuple[int, int]:
    """Return the place of the first element, and their number."""
    start = _follow(data, place)
    return start + 4, _unpack(data, "I", start)


def _field(data: Any, table: int, index: int) -> int:
    """Return the place of a field of a table; 0 if it is absent."""
    fields = table - _unpack(data, "i", table)
    entry = 4 + 2 * index
    if entry >= _unpack(data, "H", fields):
        return 0
    offset = _unpack(data, "H", fields + entry)
    return table + offset if offset else 0
