"""Hostile h5ad files and zarr folders.

Each function takes the path of a copy of valid cells, which it changes, and a folder ``outside``
that holds a secret file, a pipe, and an h5ad file with a layer.
"""

import bz2
import gzip
import json
import lzma
import os
import pickle
import shutil
import struct
import zipfile
import zlib
from functools import cache

import anndata as ad
import h5py
import numcodecs
import numpy as np
import pandas as pd
import scipy.sparse as sp

N_CELLS, N_GENES = 40, 8
HUGE = 10**11
TEXT = h5py.string_dtype()


def make_cells():
    counts = np.random.default_rng(0).poisson(30, (N_CELLS, N_GENES)).astype(float)
    obs = pd.DataFrame(
        {"size": np.ones(N_CELLS), "batch": pd.Categorical(["a", "b"] * (N_CELLS // 2))},
        index=[f"cell{i}" for i in range(N_CELLS)],
    )
    var = pd.DataFrame({"symbol": list("abcdefgh")}, index=[f"Gene{i}" for i in range(N_GENES)])
    layers = {"new": sp.csr_matrix(counts // 2), "total": counts}
    return ad.AnnData(X=counts, obs=obs, var=var, layers=layers, uns={"notes": {"n": np.ones(3)}})


class Trap:
    """Object whose pickle creates a file when it is opened."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@cache
def zeros(wbits=15, n_bytes=3 * 2**28):
    """Return compressed zeros, 800 kB, without keeping them in memory."""
    packer, block = zlib.compressobj(1, wbits=wbits), bytes(2**22)
    parts = [packer.compress(block) for _ in range(n_bytes // 2**22)]
    return b"".join(parts) + packer.flush()


# ---------------------------------------------------------------------------- HDF5


def replace(file, name, *args, **options):
    """Replace an object by a dataset, and keep its attributes."""
    attributes = dict(file[name].attrs)
    del file[name]
    made = file.create_dataset(name, *args, **options)
    made.attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"} | attributes)
    return made


def hdf5(change):
    """Return a function that changes an open file."""

    def make(path, outside):
        with h5py.File(path, "r+", libver="latest") as file:
            change(file, outside)

    return make


def linked(name, link):
    def change(file, outside):
        del file[name]
        file[name] = link(outside)

    return hdf5(change)


def dataset(name, *args, **options):
    return hdf5(lambda file, _: replace(file, name, *args, **options))


def stored_outside(name, shape, dtype, target):
    def change(file, outside):
        replace(file, name, shape, dtype, external=[(str(outside / target), 0, 10**4)])

    return hdf5(change)


def virtual(file, outside):
    layout = h5py.VirtualLayout((N_CELLS, N_GENES), "f8")
    layout[:] = h5py.VirtualSource(str(outside / "cells.h5ad"), "layers/total", layout.shape)
    del file["layers/total"]
    file.create_virtual_dataset("layers/total", layout)


def packed_chunk(name, shape, dtype, **options):
    def change(file, _):
        made = replace(file, name, shape, dtype, chunks=shape, **options)
        made.id.write_direct_chunk((0,) * len(shape), zeros())

    return hdf5(change)


def twice_packed(file, _):
    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    creation.set_chunk((N_CELLS, N_GENES))
    creation.set_deflate(9)
    creation.set_deflate(9)
    del file["layers/total"]
    space = h5py.h5s.create_simple((N_CELLS, N_GENES))
    made = h5py.h5d.create(file["layers"].id, b"total", h5py.h5t.NATIVE_DOUBLE, space, creation)
    made.write_direct_chunk((0, 0), zlib.compress(zeros(), 9))


def shared_names(path, outside):
    """All names refer to one long text."""
    n = 20_000
    with h5py.File(path, "r+") as file:
        made = replace(file, "obs/_index", (n,), TEXT)
        made[0] = "x" * 200_000
        offset = made.id.get_offset()
        for column in ("size", "batch/codes"):
            replace(file, f"obs/{column}", data=np.zeros(n, "i1"))
    with path.open("r+b") as file:
        file.seek(offset)
        reference = file.read(16)
        file.seek(offset)
        file.write(reference * n)


def shared_names_in_chunks(path, outside):
    shared_names(path, outside)
    with h5py.File(path, "r+") as file:
        old = file["obs/_index"]
        offset, n = old.id.get_offset(), len(old)
        with path.open("rb") as raw:
            raw.seek(offset)
            references = raw.read(16 * n)
        file["kept"] = old  # with its text
        made = replace(file, "obs/_index", (n,), TEXT, chunks=(n,), compression="gzip")
        made.id.write_direct_chunk((0,), zlib.compress(references))


def recursive_frame(file, _):
    file["obs/self"] = file["obs"]
    file["obs"].attrs["column-order"] = np.array(["size", "self"], object)


def deep_frame(file, _):
    group = file["obs"]
    for _ in range(3000):
        group.attrs.update(file["obs"].attrs)
        group.attrs["column-order"] = np.array(["a"], object)
        group.attrs["_index"] = "a"
        group = group.create_group("a")


def many_columns(file, _):
    """Columns of an attribute that is stored outside of its object's header."""
    del file["obs"].attrs["column-order"]
    kind = h5py.h5t.py_create(np.dtype("S100"), logical=True)
    space = h5py.h5s.create_simple((600,))
    attribute = h5py.h5a.create(file["obs"].id, b"column-order", kind, space)
    attribute.write(np.array([b"x" * 100] * 600))


def referenced_categories(file, _):
    made = replace(file, "obs/size", data=np.zeros(N_CELLS, "i1"))
    huge = file.create_dataset("uns/huge", (HUGE,), "f8", chunks=(1000,))
    made.attrs.clear()
    made.attrs["categories"] = huge.ref


def sparse_of(shape, n):
    def change(file, _):
        group = file["layers/new"]
        group.attrs["shape"] = np.array(shape)
        for name, kind in (("data", "f8"), ("indices", "i4")):
            replace(group, name, (n,), kind, chunks=(min(n, 10**6),), compression="gzip")
        starts = np.full(N_CELLS + 1, n, "i8")
        starts[0] = 0
        replace(group, "indptr", data=starts)

    return hdf5(change)


def masked(file, _):
    del file["obs/size"]
    group = file.create_group("obs/size")
    group.attrs.update({"encoding-type": "nullable-integer", "encoding-version": "0.1.0"})
    for name in ("values", "mask"):
        group.create_dataset(name, (HUGE,), "i8", chunks=(1000,))


def cut(share):
    def make(path, _):
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * share)])

    return make


def content(data):
    return lambda path, outside: path.write_bytes(data)


def folder(path, _):
    path.unlink()
    path.mkdir()


def pipe(path, _):
    path.unlink()
    os.mkfifo(path)


def device(path, _):
    path.unlink()
    path.symlink_to("/dev/zero")


def compressed(path, _):
    path.write_bytes(gzip.compress(path.read_bytes()))


def sparse_file(size):
    """Return a function that makes a file of NUL bytes, which take no space."""

    def make(path, _):
        with path.open("r+b") as file:
            file.truncate(0)
            file.truncate(size)

    return make


def encoded_as(name, kind):
    return hdf5(lambda file, _: file[name].attrs.update({"encoding-type": kind}))


def bad_codes(value):
    return hdf5(lambda file, _: replace(file, "obs/batch/codes", data=np.full(N_CELLS, value)))


def column_order(*names):
    def change(file, _):
        file["var"].attrs["column-order"] = np.array(names, object)

    return hdf5(change)


def lzf_chunk(file, _):
    """The filter doubles no memory, but adds the same amount again and again."""
    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    creation.set_chunk((N_CELLS, N_GENES))
    creation.set_filter(h5py.h5z.FILTER_LZF, h5py.h5z.FLAG_OPTIONAL)
    del file["layers/total"]
    space = h5py.h5s.create_simple((N_CELLS, N_GENES))
    made = h5py.h5d.create(file["layers"].id, b"total", h5py.h5t.NATIVE_DOUBLE, space, creation)
    made.write_direct_chunk((0, 0), b"\x00a" + b"\xe0\xff\x00" * 10**6)


CELLS_SHAPE = (N_CELLS, N_GENES)
H5AD = {
    "external link": linked("layers/total", lambda o: h5py.ExternalLink(o / "cells.h5ad", "/X")),
    "external link to a pipe": linked("obs/size", lambda o: h5py.ExternalLink(o / "pipe", "/X")),
    "external link in uns": linked("uns/notes", lambda o: h5py.ExternalLink(o / "pipe", "/X")),
    "external link as X": linked("X", lambda o: h5py.ExternalLink(o / "cells.h5ad", "/X")),
    "soft link": linked("layers/total", lambda _: h5py.SoftLink("/X")),
    "soft link to itself": linked("layers/total", lambda _: h5py.SoftLink("/layers/total")),
    "external names": stored_outside("var/_index", (N_GENES,), "S10", "secret"),
    "external values in a pipe": stored_outside("layers/total", CELLS_SHAPE, "f8", "pipe"),
    "external column": stored_outside("obs/size", (N_CELLS,), "S10", "secret"),
    "virtual dataset": hdf5(virtual),
    "layer of references": dataset("layers/total", CELLS_SHAPE, h5py.ref_dtype),
    "layer of regions": dataset("layers/total", CELLS_SHAPE, h5py.regionref_dtype),
    "layer of text": dataset("layers/total", CELLS_SHAPE, TEXT),
    "layer of records": dataset("layers/total", CELLS_SHAPE, [("a", "f8"), ("b", "S9")]),
    "layer of complex numbers": dataset("layers/total", CELLS_SHAPE, "c16"),
    "layer of bytes": dataset("layers/total", CELLS_SHAPE, "V8"),
    "layer of arrays": dataset("layers/total", CELLS_SHAPE, h5py.vlen_dtype("f8")),
    "huge dense layer": dataset("layers/total", (HUGE, N_GENES), "f8", chunks=(10**4, N_GENES)),
    "largest shape": dataset("layers/total", (2**60, 2**60), "i1", chunks=(10, 10)),
    "huge names": dataset("obs/_index", (HUGE,), TEXT, chunks=(1000,)),
    "huge column": dataset("obs/size", (HUGE,), "f8", chunks=(1000,)),
    "long fixed-length text": dataset("var/symbol", (N_GENES,), "S1000000000", chunks=(1,)),
    "huge row pointers": dataset("layers/new/indptr", (HUGE,), "i8", chunks=(1000,)),
    "huge row": sparse_of(CELLS_SHAPE, HUGE),
    "huge sparse shape": sparse_of((10**15, 10**15), N_CELLS * N_GENES),
    "huge chunk": dataset("layers/total", CELLS_SHAPE, "f8", chunks=(4 * 10**5, 1000),
                          maxshape=(None, None)),
    "huge mask": hdf5(masked),
    "chunk that expands": packed_chunk("layers/total", CELLS_SHAPE, "f8",
                                       compression="gzip"),
    "a column that expands": packed_chunk("obs/size", (N_CELLS,), "f8", compression="gzip"),
    "values that expand": packed_chunk("layers/new/data", (320,), "f8",
                                                compression="gzip", shuffle=True),
    "compressed twice": hdf5(twice_packed),
    "lzf chunk": hdf5(lzf_chunk),
    "names that share a text": shared_names,
    "names that share a text, in chunks": shared_names_in_chunks,
    "frame that contains itself": hdf5(recursive_frame),
    "frame in a frame, 3000 times": hdf5(deep_frame),
    "columns that do not exist": hdf5(many_columns),
    "categories by reference": hdf5(referenced_categories),
    "categories out of range": bad_codes(100),
    "unknown encoding": encoded_as("var", "os.system"),
    "frame as awkward array": encoded_as("obs", "awkward-array"),
    "column as raw": encoded_as("obs/size", "rec-array"),
    "column outside the frame": column_order("../obs/size"),
    "column without data": column_order("symbol", "\x1b[2J\n=cmd"),
    "empty": content(b""),
    "zeros": content(bytes(10**6)),
    "a large file of zeros": sparse_file(2**30),
    "signature only": content(b"\x89HDF\r\n\x1a\n" + bytes(1000)),
    "other content": content(b"cell,gene\n" * 100),
    "compressed file": compressed,
    "cut in the middle": cut(0.5),
    "cut at the end": cut(0.98),
    "folder": folder,
    "pipe": pipe,
    "device": device,
}  # fmt: skip

# ---------------------------------------------------------------------------- zarr


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

# Files that look odd, but are read right.
HARMLESS = {
    ("cells.h5ad", "categories by reference"),
}
