"""Sizes of compressed data, found without decompressing more than necessary."""

import bz2
import gzip
import lzma
import os
import struct
import tracemalloc
import zlib

import pytest

from scifate_sklearn.files import expands_beyond

TEXT = os.urandom(1000) + bytes(3_000_000)
PACK = {"zlib": zlib.compress, "gzip": gzip.compress, "bz2": bz2.compress, "lzma": lzma.compress}


def expands(limit, codec, data):
    return expands_beyond(limit, codec, len(data), lambda n: data if n is None else data[:n])


@pytest.mark.parametrize("codec", PACK)
def test_streams(codec, monkeypatch):
    monkeypatch.setattr("scifate_sklearn.files._expansion._UNCOUNTED", 0)
    data = PACK[codec](TEXT)
    assert not expands(len(TEXT), codec, data)
    assert expands(len(TEXT) - 1, codec, data)
    assert not expands(len(TEXT), codec, data + b"1234")  # a checksum
    is_repeated = codec != "zlib"
    assert expands(len(TEXT), codec, data + data) == is_repeated
    assert not expands(len(TEXT), codec, data[:-20])


@pytest.mark.parametrize("codec", ["gzip", "zlib"])
def test_small_deflated_data_are_not_decompressed(codec):
    assert not expands_beyond(10, codec, 500_000, lambda _: pytest.fail("was read"))


@pytest.mark.parametrize("codec", PACK)
def test_damaged_streams(codec, monkeypatch):
    monkeypatch.setattr("scifate_sklearn.files._expansion._UNCOUNTED", 0)
    with pytest.raises(ValueError, match=f"the {codec} data are damaged"):
        expands(0, codec, b"nothing of the kind")


@pytest.mark.slow
@pytest.mark.parametrize("codec", PACK)
def test_counting_takes_no_memory(codec):
    data = PACK[codec](bytes(2**24)) * 40
    if codec == "zlib":
        packer = zlib.compressobj()
        data = b"".join(packer.compress(bytes(2**24)) for _ in range(40)) + packer.flush()
    tracemalloc.start()
    try:
        assert expands(2**29, codec, data)
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ["zstd", "lz4", "blosc"])
@pytest.mark.parametrize("size", [1, 200, 255, 256, 300, 70_000, 3_000_000])
def test_sizes_in_headers(name, size):
    numcodecs = pytest.importorskip("numcodecs")
    data = bytes(numcodecs.get_codec({"id": name}).encode(bytes(size)))
    assert not expands(size, name, data)
    assert expands(size - 1, name, data)


def zstd_frame(n_blocks, checksum=False):
    """Return a frame without its size; its blocks repeat one byte 131,072 times."""
    head = b"\x28\xb5\x2f\xfd" + bytes([checksum << 2, 0x70])
    header = [struct.pack("<I", 2**17 << 3 | 2 | (i == n_blocks - 1))[:3] for i in range(n_blocks)]
    return head + b"".join(each + b"\0" for each in header) + bytes(4 * checksum)


def test_zstd_without_its_size():
    pytest.importorskip("numcodecs")
    from numcodecs import Zstd

    assert bytes(Zstd().decode(zstd_frame(3))) == bytes(3 * 2**17)
    for data in (zstd_frame(7), zstd_frame(3, True) + zstd_frame(4)):
        assert not expands(7 * 2**17, "zstd", data)
        assert expands(7 * 2**17 - 1, "zstd", data)
    for data in (b"", b"\x28\xb5\x2f", b"something else", zstd_frame(3) + b"more than that"):
        with pytest.raises(ValueError, match="the zstd data are damaged"):
            expands(7 * 2**17, "zstd", data)


def test_lz4_of_hdf5():
    assert expands(2**40, "hdf5-lz4", struct.pack(">Q", 2**41) + bytes(9))
    assert not expands(2**40, "hdf5-lz4", struct.pack(">Q", 2**40) + bytes(9))
