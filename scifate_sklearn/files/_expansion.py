"""Sizes of compressed data after decompression, found without the memory for them.

A chunk of an HDF5 dataset or a zarr array may decompress to more than its declared size, which the
libraries notice only afterwards.
"""

import bz2
import lzma
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

_BLOCK = 2**20
# Largest quotient of the size after and before decompression.
_DEFLATE_RATIO = 1032
# Chunks that cannot expand to more are not decompressed to count their bytes.
_UNCOUNTED = 512 * 2**20
_LONGEST_HEADER = 32
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_ZSTD_BLOCK = 2**17
# Types of the blocks of zstd: stored, one byte that is repeated, and compressed.
_REPEATED, _COMPRESSED = 1, 2

_DECODERS: dict[str, Callable[[], Any]] = {
    "zlib": zlib.decompressobj,
    "gzip": partial(zlib.decompressobj, wbits=31),
    "bz2": bz2.BZ2Decompressor,
    "lzma": lzma.LZMADecompressor,
}
# Where the header has the size after decompression.
_HEADERS: dict[str, tuple[int, int, Literal["little", "big"]]] = {
    "blosc": (4, 8, "little"),
    "lz4": (0, 4, "little"),
    "hdf5-lz4": (0, 8, "big"),
}
COMPRESSORS = (*_DECODERS, *_HEADERS, "zstd")


def expands_beyond(
    limit: int, codec: str, stored: int, read: Callable[[int | None], bytes]
) -> bool:
    """Return whether data have more bytes than `limit` after decompression.

    Parameters
    ----------
    limit : int
    codec : str
        One of `COMPRESSORS`.
    stored : int
        Number of bytes before decompression.
    read : callable
        Returns the first bytes before decompression: as many as its argument says, or all if it
        is None.

    Raises
    ------
    ValueError
        If the data are damaged.
    """
    if codec in _HEADERS:
        start, stop, order = _HEADERS[codec]
        return int.from_bytes(read(_LONGEST_HEADER)[start:stop], order) > limit
    if codec == "zstd":
        size = _zstd_content_size(read(_LONGEST_HEADER))
        return (_zstd_largest_size(read(None)) if size is None else size) > limit
    if codec in ("zlib", "gzip") and stored * _DEFLATE_RATIO <= max(limit, _UNCOUNTED):
        return False
    try:
        return _count(_DECODERS[codec], read(None), limit, is_repeated=codec != "zlib") > limit
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise ValueError(f"the {codec} data are damaged ({error})") from error


def _count(make: Callable[[], Any], data: bytes, limit: int, is_repeated: bool) -> int:
    """Return the number of bytes after decompression; stop when they exceed the limit."""
    size = 0
    while data and size <= limit:
        decoder = make()
        while not decoder.eof and size <= limit:
            try:
                block = decoder.decompress(data, _BLOCK)
            except (OSError, EOFError, zlib.error, lzma.LZMAError):
                if size:  # a checksum after the last stream
                    return size
                raise
            # zlib returns the rest of its input; the others keep it.
            data = getattr(decoder, "unconsumed_tail", b"")
            size += len(block)
            if not block and not data:  # truncated
                return size
        # Libraries read several streams that follow each other, except of zlib.
        data = decoder.unused_data if is_repeated else b""
    return size


def _zstd_content_size(frame: bytes) -> int | None:
    """Return the size in the header of a frame; None if it has none."""
    start, n_bytes = _zstd_size_field(frame)
    if not n_bytes:
        return None
    # Sizes of two bytes are stored without the first 256.
    return int.from_bytes(frame[start : start + n_bytes], "little") + (256 if n_bytes == 2 else 0)


def _zstd_size_field(frame: bytes) -> tuple[int, int]:
    """Return the place and the length of the field with the size."""
    if not frame.startswith(_ZSTD_MAGIC) or len(frame) < 6:
        raise ValueError("the zstd data are damaged (no frame)")
    descriptor = frame[4]
    is_single = descriptor >> 5 & 1
    start = 5 + (1 - is_single) + (0, 1, 2, 4)[descriptor & 3]
    return start, (is_single, 2, 4, 8)[descriptor >> 6]


def _zstd_largest_size(data: bytes) -> int:
    """Return the largest possible size of all frames: the sum over their blocks."""
    size = place = 0
    while place < len(data):
        has_checksum = bool(data[place + 4 : place + 5] and data[place + 4] & 4)
        place += sum(_zstd_size_field(data[place : place + _LONGEST_HEADER]))
        is_last = False
        while not is_last and place + 3 <= len(data):
            header = int.from_bytes(data[place : place + 3], "little")
            is_last, kind, length = bool(header & 1), header >> 1 & 3, header >> 3
            size += _ZSTD_BLOCK if kind == _COMPRESSED else length
            place += 3 + (1 if kind == _REPEATED else length)
        place += 4 * has_checksum
    return size
