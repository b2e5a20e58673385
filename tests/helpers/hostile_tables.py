"""Hostile files of evidence, names, rankings and moments.

Each function takes the path of a copy of a valid file, which it changes, and a folder ``outside``
with a secret file and a pipe.
"""

import gzip
import io
import json
import pickle
import struct
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.ipc
import pyarrow.parquet
from hostile_common import (
    HUGE,
    N_GENES,
    Trap,
    compressed,
    content,
    cut,
    device,
    folder,
    pipe,
    sparse_file,
    zeros,
)

from scifate_sklearn import RSampleKFold
from scifate_sklearn.moments import Moments, plan_folds

GENES = [f"Gene{i}" for i in range(N_GENES)]
EVIDENCE = "TF,target,peak\n" + "".join(f"Gene{i},Gene{j},{(i + j) % 2}\n" for i in (0, 1)
                                        for j in range(N_GENES))  # fmt: skip


def rankings():
    genes = [*GENES, *(f"Other{i}" for i in range(40 - N_GENES))]
    ranks = {gene: np.roll(np.arange(40), i)[:4] for i, gene in enumerate(genes)}
    return pa.table({**ranks, "motifs": ["m1", "m2", "m3", "m4"]})


def write_rankings(path):
    pa.feather.write_feather(rankings(), path, compression="uncompressed")


def write_moments(path):
    X = np.random.default_rng(0).normal(size=(20, 3))
    plan = plan_folds(RSampleKFold(4).split(X), 20)
    Moments.from_arrays(X, X, plan, np.ones(20), GENES[:3], GENES[:3]).save(path)


# ---------------------------------------------------------------------------- text


def gzipped(start, block, times):
    """Return a function that writes gzip members: a start, and a block many times."""
    return lambda path, outside: path.write_bytes(
        gzip.compress(start) + gzip.compress(block) * times
    )


def many(text, times, start=b""):
    return lambda path, outside: path.write_bytes(start + text * times)


def nested_gzip(path, _):
    path.write_bytes(gzip.compress(gzip.compress(gzip.compress(path.read_bytes()))))


def zip_of(path, _):
    text = path.read_bytes()
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("../../outside/sprung", text)


def pickled(path, outside):
    path.write_bytes(pickle.dumps(Trap(outside / "sprung")))


def pickled_frame(path, outside):
    path.write_bytes(b"\x80\x04" + pickle.dumps(Trap(outside / "sprung")))


def cut_utf16(path, _):
    path.write_bytes(path.read_text().encode("utf-16")[:-1])


def itself(path, _):
    path.unlink()
    path.symlink_to(path)


def nothing(path, outside):
    path.unlink()
    path.symlink_to(outside / "absent")


ANY_TEXT = {
    "empty": content(b""),
    "blank lines": content(b"\n \r\n\t\n"),
    "NUL bytes": content(b"TF,target\nA\0B,C\n"),
    "zeros": content(bytes(10**6)),
    "a large file of zeros": sparse_file(2**30),
    "larger than all limits": sparse_file(2**31 + 1),
    "UTF-16, cut": cut_utf16,
    "UTF-32 of one byte": content("TF".encode("utf-32")),
    "not UTF-8": content(b"TF,target\n\xff\xfe,x\n"),
    "zip file": zip_of,
    "pickle": pickled,
    "folder": folder,
    "pipe": pipe,
    "device": device,
    "link to itself": itself,
    "link to nothing": nothing,
    "gzip of zeros": lambda path, _: path.write_bytes(zeros(31)),
    "gzip of lines": gzipped(b"", b"\n" * 2**24, 40),
    "gzip of gzip": nested_gzip,
    "gzip, cut": content(gzip.compress(EVIDENCE.encode())[:-4]),
    "gzip, header only": content(b"\x1f\x8b\x08\x00"),
    "gzip, wrong checksum": content(gzip.compress(b"TF,target\n")[:-8] + bytes(8)),
    "gzip below the limit, of line ends": gzipped(b"TF,target\n", b"\n" * 2**24, 15),
    "gzip below the limit, of delimiters": gzipped(b"TF,target\nA", b",B" * 2**23, 15),
}
TABLES = {
    "a million columns": many(b"A,", 10**6, b"TF,target,"),
    "a header of quotes": many(b'"', 10**6, b"TF,target\nA,B\n"),
    "a quote that never closes": many(b"A,B\n", 10**6, b'TF,target\n"'),
    "a quote in the header": many(b"A,B\n", 10**5, b'TF,"target\n'),
    "a very long field": many(b"A", 2 * 10**7, b"TF,target\nX,"),
    "repeated columns": content(b"TF,TF,target,target\na,b,c,d\n"),
    "wide rows": many(b"A,", 10**6, b"TF,target\nA,B\n"),
    "no columns": content(b"a b c\n1 2 3\n"),
    "html": content(b"<!DOCTYPE html><html><body>404</body></html>\n"),
    "json": content(b"[" * 10**5),
    "xlsx": content(b"PK\x03\x04" + bytes(1000)),
}
GMT = {
    "one line": many(b"\tGene1", 5 * 10**6, b"TF1\tx"),
    "one line, gzip": gzipped(b"TF1\tx", b"\tGene1" * 2**21, 20),
    "millions of sets, gzip": gzipped(b"", b"TF\tx\tA\n" * 2**21, 16),
    "sets without genes": many(b"TF1\tx\t\n", 10**5),
    "many TFs and genes": lambda path, _: path.write_text(
        "\n".join(f"T{i}\tx\tG{i}" for i in range(40_000))
    ),
}

# ---------------------------------------------------------------------------- arrow


def arrow(table, **options):
    def make(path, _):
        with (
            pa.OSFile(str(path), "wb") as sink,
            pa.ipc.new_file(
                sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)
            ) as writer,
        ):
            writer.write_table(table)

    return make


def wide_zeros(compression):
    """A column of ranks whose zeros take 360 MB when decompressed."""

    def make(path, _):
        column = pa.array(np.zeros(4 * 10**7, "i8"))
        row = pa.nulls(len(column), pa.int8())
        names = pa.DictionaryArray.from_arrays(row.cast(pa.int8()), pa.array(["m"]))
        arrow(pa.table({"motifs": names, "Gene0": column}), compression=compression)(path, _)

    return make


def declared_length(compression):
    """The length that a compressed buffer declares is larger than its content."""

    def make(path, _):
        table = pa.table({"motifs": ["m1", "m2"], "Gene0": np.arange(2), "Gene1": np.arange(2)})
        arrow(table, compression=compression)(path, _)
        data = path.read_bytes()
        for size in (struct.pack("<q", 16), struct.pack("<q", 12), struct.pack("<q", 4)):
            data = data.replace(
                size + b"\x04\x22\x4d\x18", struct.pack("<q", 2**33) + b"\x04\x22\x4d\x18"
            )
            data = data.replace(
                size + b"\x28\xb5\x2f\xfd", struct.pack("<q", 2**33) + b"\x28\xb5\x2f\xfd"
            )
        assert struct.pack("<q", 2**33) in data
        path.write_bytes(data)

    return make


def extension(outside):
    """A field of the type that pyarrow before 14.0.1 unpickled (CVE-2023-47248)."""
    return pa.field("motifs", pa.string(), metadata={
        b"ARROW:extension:name": b"arrow.py_extension_type",
        b"ARROW:extension:metadata": pickle.dumps(Trap(outside / "sprung")),
    })  # fmt: skip


def extended(write):
    def make(path, outside):
        others = {f"Gene{i}": pa.array([0, 1]) for i in range(40)}
        schema = pa.schema([extension(outside), *pa.table(others).schema])
        table = pa.table([pa.array([None, "m2"]), *others.values()], schema=schema)
        write(table, path)

    return make


def wrong_offsets(path, _):
    """Offsets of the names that point outside of the file."""
    data = path.read_bytes()
    offsets = struct.pack("<5i", 0, 2, 4, 6, 8)
    assert offsets in data
    path.write_bytes(data.replace(offsets, struct.pack("<5i", 0, 2**30, 2**30, 2**30, 2**31 - 1)))


def wrong_length(path, _):
    """Columns of more rows than their buffers hold."""
    data, length = path.read_bytes(), struct.pack("<qq", 4, 0)
    assert length in data
    path.write_bytes(data.replace(length, struct.pack("<qq", 2**40, 0)))


def wrong_magic(path, _):
    path.write_bytes(b"FEA1" + path.read_bytes()[4:-4] + b"FEA1")


def long_names(path, _):
    """Names that share one value of a dictionary, which grows when it is decoded."""
    text = pa.array(["x" * 10**6])
    names = pa.DictionaryArray.from_arrays(pa.array(np.zeros(10**4, "i4")), text)
    columns = {gene: np.arange(10**4) for gene in GENES}
    arrow(pa.table({"motifs": names, **columns}))(path, _)


def rows_of_lists(path, _):
    arrow(pa.table({"motifs": [["m1"], ["m2"]], "Gene0": [0, 1]}))(path, _)


def deep_type(path, _):
    kind = pa.int8()
    for _ in range(60):
        kind = pa.list_(kind)
    arrow(pa.table({"motifs": ["a"], "Gene0": pa.nulls(1, kind)}))(path, _)


def run_ends(path, _):
    """Run-length encoding: a few bytes stand for 10^9 names."""
    names = pa.RunEndEncodedArray.from_arrays(pa.array([10**9], pa.int64()), pa.array(["m"]))
    arrow(pa.table({"motifs": names}))(path, _)


def views(path, _):
    names = pa.array(["x" * 100] * 4, getattr(pa, "string_view", pa.string)())
    arrow(pa.table({"motifs": names, "Gene0": pa.nulls(4, pa.null())}))(path, _)


def many_columns(path, _):
    arrow(pa.table({f"m{i}": pa.array([1, 2], pa.int8()) for i in range(10**5)}))(path, _)


FEATHER = {
    "lz4 zeros": wide_zeros("lz4"),
    "zstd zeros": wide_zeros("zstd"),
    "declared length, lz4": declared_length("lz4"),
    "declared length, zstd": declared_length("zstd"),
    "extension type": extended(lambda table, path: arrow(table)(path, None)),
    "wrong offsets": wrong_offsets,
    "wrong length": wrong_length,
    "other version": wrong_magic,
    "dictionary of long names": long_names,
    "lists as names": rows_of_lists,
    "deep type": deep_type,
    "run ends": run_ends,
    "null columns": views,
    "many columns without names": many_columns,
    "empty": content(b""),
    "magic only": content(b"ARROW1\0\0"),
    "magic twice": content(b"ARROW1\0\0" + bytes(100) + struct.pack("<i", 2**31 - 1) + b"ARROW1"),
    "version 1, damaged": content(b"FEA1" + b"\xff" * 100 + struct.pack("<i", 80) + b"FEA1"),
    "cut in the middle": cut(0.5),
    "cut at the end": cut(0.99),
    "gzip": compressed,
    "text": content(b"motifs,Gene0\nm1,0\n"),
    "zeros": sparse_file(2**30),
    "pickle": pickled,
    "folder": folder,
    "pipe": pipe,
    "device": device,
}


def parquet_of(table, **options):
    return lambda path, outside: pa.parquet.write_table(table(), path, **options)


def repeated_rows():
    return pa.table({"TF": pa.DictionaryArray.from_arrays(np.zeros(10**8, "i1"), ["a"])})


def repeated_text():
    index = pa.array(np.zeros(2000, "i4"))
    text = pa.DictionaryArray.from_arrays(index, pa.array(["x" * 10**6]))
    return pa.table({"TF": text, "target": text, "peak": pa.array(np.ones(2000))})


def nested_rows():
    lists = pa.ListArray.from_arrays([0, 10**8], pa.array(np.zeros(10**8, "i1")))
    return pa.table({"TF": ["a"], "target": ["b"], "peak": lists})


def flipped(step):
    def make(path, outside):
        pa.parquet.write_table(pa.table({"TF": ["a"] * 9, "target": [*GENES, "x"]}), path)
        data = bytearray(path.read_bytes())
        for place in range(8, len(data) - 8, step):
            data[place] ^= 0x7F
        path.write_bytes(bytes(data))

    return make


def parquet_cut(path, _):
    pa.parquet.write_table(pa.table({"TF": ["a"], "target": ["b"]}), path)
    path.write_bytes(path.read_bytes()[:-20])


PARQUET = {
    "many rows of one value": parquet_of(repeated_rows),
    "long text of a dictionary": parquet_of(repeated_text),
    "one long list": parquet_of(nested_rows),
    "extension type": extended(pa.parquet.write_table),
    "flipped bits": flipped(7),
    "flipped bytes": flipped(50),
    "cut": parquet_cut,
    "magic only": content(b"PAR1PAR1"),
    "huge footer": content(b"PAR1" + bytes(100) + struct.pack("<I", 2**32 - 1) + b"PAR1"),
    "many columns": parquet_of(lambda: pa.table({f"c{i}": [1] for i in range(20_000)})),
}

# ---------------------------------------------------------------------------- moments


def npz(arrays, **options):
    def make(path, outside):
        given = arrays(outside) if callable(arrays) else arrays
        with path.open("wb") as file:
            np.savez(file, **given, **options)

    return make


def member(name, head, data=b"", method=zipfile.ZIP_STORED):
    """Return a function that writes an archive with one more member."""

    def make(path, _):
        array = io.BytesIO()
        np.lib.format.write_array_header_2_0(array, head)
        with zipfile.ZipFile(path, "a", method) as file:
            file.writestr(name, array.getvalue() + data)

    return make


def head(shape, descr="<f8"):
    return {"descr": descr, "fortran_order": False, "shape": shape}


def packed_moments(path, _):
    with np.load(path) as arrays:
        np.savez_compressed(path, **arrays)


def false_header(text):
    return npz({"header": np.array(text)})


MOMENTS = {
    "pickled array": npz(lambda outside: {"header": np.array([Trap(outside / "sprung")], object)}),
    "pickled array, more": member("x.npy", head((1,), "|O"), b"\x80\x04."),
    "compressed": packed_moments,
    "zeros, compressed": member("x.npy", head((2**28,)), bytes(2**28), zipfile.ZIP_DEFLATED),
    "huge shape": member("x.npy", head((HUGE,))),
    "negative shape": member("x.npy", head((-1, -8)), bytes(64)),
    "huge item": member("x.npy", head((1,), "<U1000000000")),
    "records": member("x.npy", head((1,), [("a", "|O")]), bytes(8)),
    "shape that overflows": member("x.npy", head((2**62, 2**62, 0))),
    "name outside": member("../../outside/sprung", head((1,)), bytes(8)),
    "no header": npz({"x": np.ones(3)}),
    "deep header": false_header("[" * 10**5),
    "header of a list": false_header("[1]"),
    "other kind": false_header(json.dumps({"kind": "x", "version": 1, "sha256": ""})),
    "code in the header": content(b"PK\x03\x04" + b"__import__('os').mkdir('sprung')"),
    "empty": content(b""),
    "empty archive": content(b"PK\x05\x06" + bytes(18)),
    "text": content(EVIDENCE.encode()),
    "zeros": sparse_file(2**30),
    "cut": cut(0.7),
    "pickle": pickled,
    "zip bomb": member("x.npy", head((2**31,), "|u1"), b"", zipfile.ZIP_DEFLATED),
    "pipe": pipe,
    "device": device,
    "folder": folder,
}  # fmt: skip
