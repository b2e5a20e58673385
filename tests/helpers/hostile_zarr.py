"""Hostile zarr folders; see `hostile_common`."""

import bz2
import json
import lzma
import os
import pickle
import shutil
import struct
import zipfile
import zlib

import numcodecs
import numpy as np
from hostile_common import (
    HUGE,
    N_GENES,
    Trap,
    zeros,
)


def json_of(folder, node):
    """Return the file with the metadata of an array or a group."""
    for name in ("zarr.json", ".zarray", ".zgroup"):
        if (folder / node / name).exists():
            return folder / node / name
    raise FileNotFoundError(node)


def metadata(node, change, keep_copy=False):
    """Return a function that changes the metadata of a node."""

    def make(path, outside):
        file = json_of(path, node)
        content = json.loads(file.read_text())
        change(content)
        file.write_text(json.dumps(content))
        if not keep_copy:
            without_copy(path)

    return make


def without_copy(path):
    (path / ".zmetadata").unlink(missing_ok=True)
    if (path / "zarr.json").exists():
        root = json.loads((path / "zarr.json").read_text())
        root.pop("consolidated_metadata", None)
        (path / "zarr.json").write_text(json.dumps(root))


def is_v3(content):
    return content["zarr_format"] == 3


def with_codecs(*names, **configuration):
    """Return a change of metadata: the array is compressed by these codecs, in this order."""

    def change(content):
        if is_v3(content):
            others = [c for c in content["codecs"] if c["name"] in ("bytes", "vlen-utf8")]
            chosen = [{"name": name, "configuration": configuration} for name in names]
            content["codecs"] = others + chosen
        else:
            *before, last = ({"id": name, **configuration} for name in names)
            content["filters"] = [*(content["filters"] or []), *before]
            content["compressor"] = last

    return change


def chunk_of(folder, array):
    files = [path for path in (folder / array).rglob("*") if path.is_file()]
    return next(path for path in files if not path.name.startswith((".z", "zarr.json")))


def packed_array(array, pack, *codecs, **configuration):
    """Return a function that replaces a chunk by one that expands."""

    def make(path, outside):
        metadata(array, with_codecs(*codecs, **configuration))(path, outside)
        chunk_of(path, array).write_bytes(pack())

    return make


def trapped(array, *codecs, shard=False):
    def make(path, outside):
        def change(content):
            with_codecs(*codecs, protocol=5)(content)
            if shard and is_v3(content):
                inner = {"chunk_shape": [1], "codecs": content["codecs"]}
                inner["index_codecs"] = [{"name": "bytes"}]
                content["codecs"] = [{"name": "sharding_indexed", "configuration": inner}]

        metadata(array, change)(path, outside)
        chunk_of(path, array).write_bytes(pickle.dumps(Trap(outside / "sprung")))

    return make


def trapped_copy(path, outside):
    """Only the consolidated metadata, which zarr prefers, have the codec."""
    copy = path / ".zmetadata" if (path / ".zmetadata").exists() else path / "zarr.json"
    content = json.loads(copy.read_text())
    if copy.name == ".zmetadata":
        with_codecs("pickle")(content["metadata"]["var/_index/.zarray"])
    else:
        with_codecs("numcodecs.pickle")(content["consolidated_metadata"]["metadata"]["var/_index"])
    copy.write_text(json.dumps(content))
    chunk_of(path, "var/_index").write_bytes(pickle.dumps(Trap(outside / "sprung")))


def symlink(place, target):
    def make(path, outside):
        link = path / place
        if link.is_file():
            link.unlink()
        link.symlink_to(outside / target)

    return make


def chunk_link(path, outside):
    chunk = chunk_of(path, "var/_index")
    chunk.unlink()
    chunk.symlink_to(outside / "secret")


def pipe_inside(path, _):
    os.mkfifo(path / "obs" / "pipe")


def attributes(node, **values):
    def make(path, outside):
        if (path / node / "zarr.json").exists():
            metadata(node, lambda content: content["attributes"].update(values))(path, outside)
        else:
            file = path / node / ".zattrs"
            file.write_text(json.dumps(json.loads(file.read_text()) | values))
            without_copy(path)

    return make


def metadata_text(node, text):
    def make(path, outside):
        json_of(path, node).write_bytes(text)
        without_copy(path) if node else (path / ".zmetadata").unlink(missing_ok=True)

    return make


def repeated_text():
    """Return a chunk of names: one of 1.5 GB, compressed."""
    out, block, n = zlib.compressobj(1, wbits=31), b"x" * 2**22, 190
    head = struct.pack("<II", 1, n * len(block))
    return out.compress(head) + b"".join(out.compress(block) for _ in range(n)) + out.flush()


def frame_of_zeros(n_bytes):
    """Return a zstd frame of zeros in blocks of one byte that is repeated."""
    block, count = 2**17, n_bytes // 2**17
    head = b"\x28\xb5\x2f\xfd" + bytes([0b11100000]) + struct.pack("<Q", count * block)
    bodies = [
        struct.pack("<I", block << 3 | 2 | (i == count - 1))[:3] + b"\0" for i in range(count)
    ]
    return head + b"".join(bodies)


def frame_without_size(n_bytes):
    """Return a zstd frame that does not declare its size."""
    block, count = 2**17, n_bytes // 2**17
    head = b"\x28\xb5\x2f\xfd" + bytes([0, 0x70])
    bodies = [
        struct.pack("<I", block << 3 | 2 | (i == count - 1))[:3] + b"\0" for i in range(count)
    ]
    return head + b"".join(bodies)


def repeated_zeros(pack):
    """Return a compressed stream of many parts."""
    return pack(bytes(2**24)) * 70


def blosc_zeros():
    return numcodecs.Blosc("zstd", 5).encode(np.zeros(3 * 2**28, "u1"))


def huge_chunk(content):
    shape = [10**8] * len(content["shape"])
    if is_v3(content):
        content["chunk_grid"]["configuration"]["chunk_shape"] = shape
    else:
        content["chunks"] = shape


def huge_text(content):
    if is_v3(content):
        content["data_type"] = {
            "name": "fixed_length_utf32",
            "configuration": {"length_bytes": 4 * 10**9},
        }
        content["codecs"] = [{"name": "bytes", "configuration": {"endian": "little"}}]
        content["fill_value"] = ""
    else:
        content.update(dtype="<U1000000000", filters=None, fill_value="")


def huge_record(content):
    content["fill_value"] = None if not is_v3(content) else "AAAA"
    if is_v3(content):
        fields = [
            ["a", {"name": "null_terminated_bytes", "configuration": {"length_bytes": 10**9}}]
        ]
        content["data_type"] = {"name": "structured", "configuration": {"fields": fields}}
    else:
        content.update(dtype=[["a", "|S1000000000"]], filters=None)


def nested_filters(content):
    with_codecs(*["zlib"] * 2)(content)


def listed_json(path, outside):
    """numcodecs' json2 allocates the shape that the chunk declares."""
    metadata(
        "var/_index",
        lambda c: (
            c.update(filters=[{"id": "json2"}], compressor=None)
            if not is_v3(c)
            else c.update(codecs=[{"name": "numcodecs.json2"}])
        ),
    )(path, outside)
    chunk_of(path, "var/_index").write_bytes(b'["x", "|O", [2000000000]]')


def deep_json(path, outside):
    json_of(path, "obs").write_text('{"attributes":' * 200_000 + "1" + "}" * 200_000)


def large_metadata(path, outside):
    file = json_of(path, "obs")
    without_copy(path)
    with file.open("r+b") as opened:
        opened.truncate(2 * 2**30)


def other_version_inside(path, outside):
    """A group of the other version of zarr's format, with a codec that runs code."""
    node = path / "var/_index"
    if (node / "zarr.json").exists():
        (node / "zarr.json").unlink()
        array = {
            "zarr_format": 2,
            "shape": [N_GENES],
            "chunks": [N_GENES],
            "dtype": "|O",
            "compressor": {"id": "pickle"},
            "filters": None,
            "order": "C",
            "fill_value": "",
        }
        (node / ".zarray").write_text(json.dumps(array))
    else:
        (node / ".zarray").unlink()
        array = {
            "zarr_format": 3,
            "node_type": "array",
            "shape": [N_GENES],
            "attributes": {},
            "data_type": "string",
            "fill_value": "",
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [N_GENES]}},
            "chunk_key_encoding": {"name": "default"},
            "codecs": [{"name": "numcodecs.pickle", "configuration": {"protocol": 5}}],
        }
        (node / "zarr.json").write_text(json.dumps(array))
    (node / "0").write_bytes(pickle.dumps(Trap(outside / "sprung")))
    without_copy(path)


def storage_transformer(path, outside):
    def change(content):
        content["storage_transformers"] = [{"name": "pickle", "configuration": {}}]
        content["dimension_separator"] = "/../../outside/"

    metadata("layers/total", change)(path, outside)


def as_zip(path, _):
    shutil.rmtree(path)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("../../outside/sprung", "x")
        file.writestr(".zgroup", '{"zarr_format": 2}')


def damaged_chunk(path, _):
    chunk_of(path, "var/_index").write_bytes(b"\xff" * 100)


ZARR = {
    "pickle as compressor": trapped("var/_index", "pickle"),
    "pickle as filter": trapped("layers/new/data", "pickle", "zlib"),
    "pickle of numcodecs": trapped("var/_index", "numcodecs.pickle"),
    "pickle in a shard": trapped("layers/new/data", "numcodecs.pickle", shard=True),
    "pickle in the copy of the metadata": trapped_copy,
    "pickle in another version": other_version_inside,
    "unknown codec": trapped("layers/total", "os.system"),
    "codec that allocates": listed_json,
    "link to a file": symlink("obs/link", "secret"),
    "link to a folder": symlink("uns/link", "."),
    "link as metadata": symlink("obs/.zattrs", "secret"),
    "link as chunk": chunk_link,
    "pipe inside": pipe_inside,
    "index outside": attributes("obs", _index="../../outside/secret"),
    "columns outside": attributes("obs", **{"column-order": ["/outside/secret"]}),
    "categories outside": attributes("obs/size", categories="../../../outside"),
    "huge shape": metadata("obs/size", lambda content: content.update(shape=[HUGE])),
    "huge pointers": metadata("layers/new/indptr", lambda content: content.update(shape=[HUGE])),
    "negative shape": metadata("obs/size", lambda content: content.update(shape=[-1])),
    "shape of text": metadata("obs/size", lambda content: content.update(shape=["9" * 5000])),
    "huge chunk": metadata("layers/total", huge_chunk),
    "huge text": metadata("var/symbol", huge_text),
    "huge records": metadata("var/symbol", huge_record),
    "zstd chunk": packed_array("layers/total", lambda: frame_of_zeros(2**31), "zstd"),
    "zstd chunk without size": packed_array(
        "layers/total", lambda: frame_without_size(2**31), "zstd"),
    "gzip chunk": packed_array("layers/total", lambda: zeros(31), "gzip", level=5),
    "zlib chunk": packed_array("layers/total", zeros, "zlib"),
    "bz2 chunk": packed_array("obs/size", lambda: repeated_zeros(bz2.compress), "bz2"),
    "lzma chunk": packed_array("obs/size", lambda: repeated_zeros(lzma.compress), "lzma"),
    "lz4 chunk": packed_array("obs/size", lambda: struct.pack("<I", 2**31 - 2) + bytes(99), "lz4"),
    "blosc chunk": packed_array("layers/new/data", blosc_zeros, "blosc"),
    "a long name, compressed": packed_array("var/_index", repeated_text, "gzip", level=5),
    "compressed twice": packed_array(
        "layers/total", lambda: zlib.compress(zeros()), "zlib", "zlib"
    ),
    "damaged chunk": damaged_chunk,
    "deep metadata": deep_json,
    "large metadata": large_metadata,
    "metadata that are a list": metadata_text("", b"[]"),
    "metadata that are not text": metadata_text("var", b"\xff\xfe\0\0"),
    "metadata without node": metadata_text("layers/new", b"{}"),
    "storage transformer": storage_transformer,
    "zip file": as_zip,
}  # fmt: skip
