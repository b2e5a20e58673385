"""Hostile h5ad files; see `hostile_common`."""

import zlib

import h5py
import numpy as np
from hostile_common import (
    HUGE,
    N_CELLS,
    N_GENES,
    compressed,
    content,
    cut,
    device,
    folder,
    pipe,
    sparse_file,
    zeros,
)

TEXT = h5py.string_dtype()


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


HARMLESS = {
    ("cells.h5ad", "categories by reference"),
}
