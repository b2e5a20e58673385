"""Files from unknown sources: nothing outside of them is read, no code in them runs."""

import json
import os
import pickle
import shutil
import tracemalloc
from contextlib import nullcontext
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from typer.testing import CliRunner

from scifate_sklearn import open_anndata
from scifate_sklearn.anndata_io import open_store
from scifate_sklearn.cli import app

N_CELLS, N_GENES = 12, 5
SECRET = "content of another file"


def make_cells():
    counts = np.arange(N_CELLS * N_GENES, dtype=float).reshape(N_CELLS, N_GENES)
    return ad.AnnData(
        X=counts,
        obs=pd.DataFrame(
            {"size": np.ones(N_CELLS), "batch": pd.Categorical(["a", "b"] * (N_CELLS // 2))},
            index=[f"cell{i}" for i in range(N_CELLS)],
        ),
        var=pd.DataFrame({"symbol": list("abcde")}, index=[f"Gene{i}" for i in range(N_GENES)]),
        layers={"new": sp.csr_matrix(counts), "total": counts},
        uns={"notes": {"text": "anything", "numbers": np.arange(3)}},
    )


def zarr_version(number):
    """Return a context in which anndata writes a version of zarr's format."""
    if hasattr(ad.settings, "zarr_write_format"):
        return ad.settings.override(zarr_write_format=number)
    if number == 3:
        pytest.skip("this anndata writes version 2 only")
    return nullcontext()


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    path = tmp_path_factory.mktemp("originals")
    make_cells().write_h5ad(path / "cells.h5ad")
    return path


@pytest.fixture
def h5ad(originals, tmp_path):
    return Path(shutil.copy(originals / "cells.h5ad", tmp_path / "cells.h5ad"))


@pytest.fixture
def secret(tmp_path):
    """Return a file with text, beside the cells."""
    (tmp_path / "secret").write_text(SECRET * 20)
    return tmp_path / "secret"


@pytest.fixture(params=[2, 3])
def folder(request, originals, tmp_path):
    original = originals / f"{request.param}.zarr"
    if not original.exists():
        with zarr_version(request.param):
            make_cells().write_zarr(original)
    return Path(shutil.copytree(original, tmp_path / "cells.zarr"))


def refusal(path, for_writing=True):
    """Return the message of the error, which contains nothing of the secret file."""
    reason = "is not a readable h5ad file or zarr folder"
    with pytest.raises(ValueError, match=reason) as caught, open_anndata(path):
        pass
    if for_writing:
        with pytest.raises(ValueError, match="is not a readable"), open_store(path, "r+"):
            pass
    message = str(caught.value)
    assert path.name in message
    assert SECRET not in message
    assert len(message) < 1000
    return message


# ---------------------------------------------------------------------------- HDF5


def external_storage(secret, dtype="S10"):
    def change(group, name):
        group.create_dataset(name, (12,), dtype, external=[(str(secret), 0, 120)])

    return change


def virtual(group, name, secret):
    layout = h5py.VirtualLayout(shape=(12,), dtype="f8")
    layout[:] = h5py.VirtualSource(str(secret), "x", shape=(12,))
    group.create_virtual_dataset(name, layout)


OUTSIDE = {
    "external link": (
        lambda group, name, secret: group.__setitem__(name, h5py.ExternalLink(str(secret), "/x")),
        "is an external link to '.*secret'",
    ),
    "external link to a device": (
        lambda group, name, secret: group.__setitem__(name, h5py.ExternalLink("/dev/zero", "/x")),
        "is an external link to '/dev/zero'",
    ),
    "soft link": (
        lambda group, name, secret: group.__setitem__(name, h5py.SoftLink("/obs/size")),
        "is a soft link to '/obs/size'",
    ),
    "dangling soft link": (
        lambda group, name, secret: group.__setitem__(name, h5py.SoftLink("/nothing")),
        "is a soft link to '/nothing'",
    ),
    "external storage": (
        lambda group, name, secret: external_storage(secret)(group, name),
        "has its data in the file '.*secret'",
    ),
    "virtual dataset": (virtual, "is a virtual dataset"),
}
PLACES = [
    "X", "layers/new", "layers/new/data", "layers/total", "obs", "obs/size", "obs/_index",
    "obs/batch/codes", "var/_index", "var/symbol", "uns/notes/numbers", "uns/new", "raw",
]  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("make", "reason"), OUTSIDE.values(), ids=OUTSIDE)
def test_hdf5_objects_outside_the_file_are_refused(h5ad, secret, make, reason, place):
    with h5py.File(h5ad, "r+") as file:
        attributes = dict(file[place].attrs) if place in file else {}
        if place in file:
            del file[place]
        parent, _, name = place.rpartition("/")
        make(file[parent or "/"], name, secret)
        if not isinstance(file.get(place, getlink=True), h5py.ExternalLink | h5py.SoftLink):
            file[place].attrs.update(attributes)
    message = refusal(h5ad)
    assert f"/{place} " in message
    assert pd.Series([message]).str.contains(reason).all()


def test_groups_that_contain_themselves_do_not_hang(h5ad):
    with h5py.File(h5ad, "r+") as file:
        file["uns/notes/self"] = file["uns"]
        file["layers/self"] = file["layers"]
    with open_anndata(h5ad) as adata:
        assert adata.shape == (N_CELLS, N_GENES)


def test_a_hard_link_inside_the_file_is_read(h5ad):
    with h5py.File(h5ad, "r+") as file:
        file["layers/copy"] = file["layers/total"]
    with open_anndata(h5ad, ["new", "copy"]) as adata:
        np.testing.assert_array_equal(adata.layers["copy"][:], make_cells().layers["total"])


def test_a_file_reached_by_a_symbolic_link_is_read(h5ad, folder, tmp_path):
    for path in (h5ad, folder):
        link = tmp_path / f"link{path.suffix}"
        link.symlink_to(path)
        with open_anndata(link) as adata:
            assert list(adata.obs_names) == list(make_cells().obs_names)


# ---------------------------------------------------------------------------- sizes

HUGE = 10**11


def replace(file, name, shape, dtype="f8", **options):
    attributes = dict(file[name].attrs)
    del file[name]
    file.create_dataset(name, shape=shape, dtype=dtype, **options).attrs.update(attributes)


BOMBS = {
    "names of cells": lambda file: replace(
        file, "obs/_index", (HUGE,), h5py.string_dtype(), chunks=(1000,)
    ),
    "a column of cells": lambda file: replace(file, "obs/size", (HUGE,), chunks=(1000,)),
    "a column of genes": lambda file: replace(file, "var/symbol", (HUGE,), "S5", chunks=(1000,)),
    "codes of categories": lambda file: replace(
        file, "obs/batch/codes", (HUGE,), "i1", chunks=(1000,)
    ),
    "row pointers": lambda file: replace(file, "layers/new/indptr", (HUGE,), "i8", chunks=(1000,)),
    "values of one row": lambda file: replace(file, "layers/new/data", (HUGE,), chunks=(1000,)),
    "a chunk of a layer": lambda file: replace(
        file, "layers/total", (N_CELLS, N_GENES), chunks=(400_000, 1000), maxshape=(None, None)
    ),
    "a dense layer": lambda file: replace(file, "layers/total", (HUGE, N_GENES), chunks=(1000, 5)),
    "zeros, written and compressed": lambda file: (
        replace(file, "obs/size", (40_000_000,), chunks=(10**6,), compression="gzip"),
        [file["obs/size"].write_direct(np.zeros(10**6), dest_sel=np.s_[i : i + 10**6])
         for i in range(0, 40_000_000, 10**6)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", BOMBS.values(), ids=BOMBS)
def test_declared_sizes_take_no_memory(h5ad, change):
    with h5py.File(h5ad, "r+") as file:
        change(file)
    tracemalloc.start()
    try:
        refusal(h5ad, for_writing=False)
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()


def test_a_large_object_that_is_not_read_does_not_matter(h5ad):
    with h5py.File(h5ad, "r+") as file:
        file["uns"].create_dataset("huge", (HUGE,), "f8", chunks=(1000,))
    with open_anndata(h5ad) as adata:
        assert adata.n_obs == N_CELLS


# ---------------------------------------------------------------------------- zarr


def metadata_of(folder, array):
    name = ".zarray" if (folder / array / ".zarray").exists() else "zarr.json"
    return folder / array / name


def change_metadata(folder, array, change):
    """Change the metadata of an array, and remove the consolidated copy."""
    path = metadata_of(folder, array)
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    (folder / ".zmetadata").unlink(missing_ok=True)
    if (folder / "zarr.json").exists():
        root = json.loads((folder / "zarr.json").read_text())
        root.pop("consolidated_metadata", None)
        (folder / "zarr.json").write_text(json.dumps(root))


def with_codec(name, place):
    def change(content):
        codec = {"id": name, "protocol": 5}
        if "zarr_format" in content and content["zarr_format"] == 3:
            codec = {"name": name, "configuration": {}}
            if place == "filter":
                content["codecs"] = [*content["codecs"], codec]
            elif place == "compressor":
                content["codecs"] = [codec]
            else:
                shard = {"chunk_shape": [1], "codecs": [codec], "index_codecs": [{"name": "bytes"}]}
                content["codecs"] = [{"name": "sharding_indexed", "configuration": shard}]
        elif place == "compressor":
            content["compressor"] = codec
        else:
            content["filters"] = [*(content["filters"] or []), codec]

    return change


class Trap:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("place", ["filter", "compressor", "shard"])
@pytest.mark.parametrize("array", ["var/_index", "layers/new/data"])
@pytest.mark.parametrize("codec", ["pickle", "numcodecs.pickle", "unknown"])
def test_codecs_that_may_run_code_are_refused(folder, tmp_path, array, place, codec):
    sprung = tmp_path / "sprung"
    for file in (folder / array).rglob("*"):
        if file.is_file() and not file.name.startswith((".z", "zarr.json")):
            file.write_bytes(pickle.dumps(Trap(sprung)))
    change_metadata(folder, array, with_codec(codec, place))
    message = refusal(folder)
    assert f"{array} is encoded with '{codec}'" in message
    assert not sprung.exists()


def test_codecs_in_consolidated_metadata_are_checked(folder):
    consolidated = folder / ".zmetadata"
    if consolidated.exists():
        content = json.loads(consolidated.read_text())
        content["metadata"]["var/_index/.zarray"]["filters"].append({"id": "pickle"})
    else:
        consolidated = folder / "zarr.json"
        content = json.loads(consolidated.read_text())
        content["consolidated_metadata"]["metadata"]["var/_index"]["codecs"].append(
            {"name": "numcodecs.pickle", "configuration": {}}
        )
    consolidated.write_text(json.dumps(content))
    assert "var/_index is encoded with" in refusal(folder)


def test_metadata_in_capital_letters_are_checked(folder):
    path = metadata_of(folder, "var/_index")
    change_metadata(folder, "var/_index", with_codec("pickle", "compressor"))
    path.rename(path.with_name(path.name.upper()))
    assert "var/_index is encoded with 'pickle'" in refusal(folder)


LINKS = ["uns/notes/link", "obs/link", "link", "layers/new/data/link"]


@pytest.mark.parametrize("place", LINKS)
@pytest.mark.parametrize("target", ["secret", "folder", "/", "..", "nowhere", "self"])
def test_symbolic_links_in_a_folder_are_refused(folder, secret, tmp_path, place, target):
    (tmp_path / "folder").mkdir()
    (folder / place).symlink_to({
        "secret": secret, "folder": tmp_path / "folder", "self": folder / place,
    }.get(target, target))  # fmt: skip
    assert f"{place} is a symbolic link" in refusal(folder)


def test_a_chunk_that_is_a_symbolic_link_is_refused(folder, secret):
    files = [path for path in (folder / "obs/size").rglob("*") if path.is_file()]
    chunk = next(path for path in files if not path.name.startswith((".z", "zarr.json")))
    chunk.unlink()
    chunk.symlink_to(secret)
    assert "is a symbolic link" in refusal(folder)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="requires named pipes")
def test_a_pipe_in_a_folder_does_not_hang(folder):
    os.mkfifo(folder / "obs" / "pipe")
    assert "obs/pipe is not a regular file" in refusal(folder)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="requires named pipes")
def test_a_pipe_as_cells_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "cells.h5ad")
    for path in (tmp_path / "cells.h5ad", Path("/dev/zero")):
        assert "it is not a regular file" in refusal(path)


@pytest.mark.parametrize("key", ["_index", "column-order"])
@pytest.mark.parametrize("target", ["../../outside", "size/../../../outside", "absolute"])
def test_names_that_lead_out_of_a_folder_are_refused(folder, tmp_path, key, target):
    shutil.copytree(folder / "obs" / "_index", tmp_path / "outside")
    target = str(tmp_path / "outside") if target == "absolute" else target
    if (folder / "zarr.json").exists():
        change_metadata(folder, "obs", lambda content: content["attributes"].update(
            {key: target if key == "_index" else [target]}))  # fmt: skip
    else:
        attributes = json.loads((folder / "obs/.zattrs").read_text())
        attributes[key] = target if key == "_index" else [target]
        (folder / "obs/.zattrs").write_text(json.dumps(attributes))
    assert f"refers to {target!r}, outside the folder" in refusal(folder)


@pytest.mark.parametrize("array", ["obs/size", "var/_index", "layers/new/indptr"])
def test_declared_sizes_of_zarr_arrays(folder, array):
    change_metadata(folder, array, lambda content: content.update(shape=[HUGE]))
    assert f"{array} declares an array of" in refusal(folder)


DAMAGED = ["", "{", "[]", "null", '{"metadata": 3}', '{"codecs": 3, "filters": [3]}', "\ud800"]


@pytest.mark.parametrize("text", DAMAGED)
def test_damaged_metadata_are_one_clear_error(folder, text):
    change_metadata(folder, "var/_index", lambda content: None)
    metadata_of(folder, "var/_index").write_bytes(text.encode("utf-8", "surrogatepass"))
    refusal(folder, for_writing=False)


def test_the_command_line_copies_nothing_from_outside(folder, secret, tmp_path):
    (folder / "uns" / "link").symlink_to(secret)
    (tmp_path / "tfs.txt").write_text("Gene1\nGene3\n")
    out = tmp_path / "out"
    arguments = ["run", folder, "--tfs", tmp_path / "tfs.txt", "--out", out]
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 1
    assert "uns/link is a symbolic link" in " ".join(result.stderr.split())
    assert not out.exists() or not [path for path in out.rglob("*") if path.is_file()]


# ---------------------------------------------------------------------------- what anndata writes


@pytest.mark.parametrize("compression", [None, "gzip", "lzf"])
def test_compressed_h5ad_files_are_read(tmp_path, compression):
    make_cells().write_h5ad(tmp_path / "cells.h5ad", compression=compression)
    with open_anndata(tmp_path / "cells.h5ad", ["X", "new", "total"]) as adata:
        np.testing.assert_array_equal(adata.X[:], make_cells().X)
        assert adata.obs["batch"].tolist() == make_cells().obs["batch"].tolist()


@pytest.mark.parametrize("compression", ["gzip", "lzf"])
def test_chunks_of_many_names_are_read(h5ad, compression, monkeypatch):
    monkeypatch.setattr("scifate_sklearn.files._expansion._UNCOUNTED", 0)
    names = [f"cell{i}" for i in range(100_000)]
    with h5py.File(h5ad, "r+") as file:
        for name in ("size", "batch", "_index"):
            del file["obs"][name]
        file["obs"].attrs["column-order"] = np.array([], "S1")
        file["obs"].create_dataset(
            "_index", data=names, dtype=h5py.string_dtype(), chunks=(100_000,),
            compression=compression, shuffle=True,
        )  # fmt: skip
        for layer in ("new", "total"):
            del file["layers"][layer]
            file["layers"].create_dataset(layer, (100_000, N_GENES), "f4", compression=compression)
    with open_anndata(h5ad) as adata:
        assert list(adata.obs_names) == names


def test_zarr_folders_are_read(folder):
    with open_anndata(folder, ["X", "new", "total"]) as adata:
        np.testing.assert_array_equal(adata.X[:], make_cells().X)
        assert adata.var["symbol"].tolist() == list("abcde")


@pytest.mark.parametrize("codec", ["lz4", "zlib", "gzip", "bz2", "lzma", "zstd", "blosc"])
def test_other_codecs_of_zarr_2_are_read(tmp_path, codec):
    numcodecs = pytest.importorskip("numcodecs")
    import zarr

    cells = make_cells()
    with zarr_version(2):
        cells.write_zarr(tmp_path / "cells.zarr")
    options = {"zarr_format": 2} if int(zarr.__version__[0]) >= 3 else {}
    group = zarr.open_group(str(tmp_path / "cells.zarr"), mode="r+")
    attributes = dict(group["layers/total"].attrs)
    array = zarr.open_array(
        str(tmp_path / "cells.zarr" / "layers" / "total"), mode="w", shape=(N_CELLS, N_GENES),
        dtype="f8", compressor=numcodecs.get_codec({"id": codec}), **options,
    )  # fmt: skip
    array[:] = cells.layers["total"]
    array.attrs.update(attributes)
    (tmp_path / "cells.zarr" / ".zmetadata").unlink()
    with open_anndata(tmp_path / "cells.zarr") as adata:
        np.testing.assert_array_equal(adata.layers["total"][:], cells.layers["total"])


@pytest.mark.parametrize("checksums", [[], ["crc32c"]])
@pytest.mark.parametrize("location", ["start", "end"])
def test_shards_are_read(originals, tmp_path, location, checksums):
    zarr = pytest.importorskip("zarr", minversion="3")
    with zarr_version(3):
        make_cells().write_zarr(tmp_path / "cells.zarr")
    path = tmp_path / "cells.zarr" / "layers" / "total"
    attributes = dict(zarr.open_array(str(path)).attrs)
    codecs = [zarr.codecs.BytesCodec(), zarr.codecs.ZstdCodec()]
    codecs += [zarr.codecs.Crc32cCodec() for _ in checksums]
    index = [zarr.codecs.BytesCodec(), *(zarr.codecs.Crc32cCodec() for _ in checksums)]
    shard = zarr.codecs.ShardingCodec(
        chunk_shape=(3, 5), codecs=codecs, index_codecs=index, index_location=location
    )
    array = zarr.create_array(
        str(path), shape=(N_CELLS, N_GENES), dtype="f8", chunks=(6, 5), serializer=shard,
        compressors=None, overwrite=True,
    )  # fmt: skip
    array[:] = make_cells().layers["total"]
    array.attrs.update(attributes)
    without_consolidated(tmp_path / "cells.zarr")
    with open_anndata(tmp_path / "cells.zarr") as adata:
        np.testing.assert_array_equal(adata.layers["total"][:], make_cells().layers["total"])
    shard_file = path / "c" / "0" / "0"
    content = shard_file.read_bytes()
    shard_file.write_bytes(content.replace(b"\x28\xb5\x2f\xfd\x20", b"\x28\xb5\x2f\xfd\xe0"))
    assert shard_file.read_bytes() != content
    assert "layers/total has a chunk of" in refusal(tmp_path / "cells.zarr")


def without_consolidated(folder):
    root = json.loads((folder / "zarr.json").read_text())
    root.pop("consolidated_metadata", None)
    (folder / "zarr.json").write_text(json.dumps(root))


def test_sizes_are_checked_under_every_path(h5ad):
    """A part that is read is also linked from a part that is not."""
    with h5py.File(h5ad, "r+") as file:
        replace(file, "layers/new/indptr", (HUGE,), "i8", chunks=(1000,))
        file["uns/zzz"] = file["layers/new"]
    assert "/layers/new/indptr declares an array of" in refusal(h5ad, for_writing=False)


def test_one_array_as_many_columns(h5ad):
    with h5py.File(h5ad, "r+") as file:
        values = np.random.default_rng(0).integers(0, 9, 2_000_000)
        column = file["obs"].create_dataset("c", data=values, compression="gzip", chunks=(10**5,))
        for i in range(200):
            file[f"obs/c{i}"] = column
    assert "the tables of cells and genes declare 3,2" in refusal(h5ad, for_writing=False)


def test_all_columns_together(h5ad):
    """Each column is small enough, but not all of them."""
    with h5py.File(h5ad, "r+") as file:
        for i in range(20):
            file["obs"].create_dataset(f"c{i}", (30_000_000,), "f8", chunks=(1000,))
    message = refusal(h5ad, for_writing=False)
    assert "the tables of cells and genes declare 4,800,0" in message
    assert "/obs/c" in message


@pytest.mark.parametrize("filters", [(1, 1), (6,), (4,), (1, 12345)])
def test_filters_of_unknown_size_are_refused(h5ad, filters):
    with h5py.File(h5ad, "r+") as file:
        attributes = dict(file["layers/total"].attrs)
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_chunk((N_CELLS, N_GENES))
        for number in filters:
            values = {1: (4,), 6: (2, 0), 4: (4, 32)}.get(number, ())
            plist.set_filter(number, h5py.h5z.FLAG_OPTIONAL, values)
        del file["layers/total"]
        space = h5py.h5s.create_simple((N_CELLS, N_GENES))
        h5py.h5d.create(file["layers"].id, b"total", h5py.h5t.NATIVE_DOUBLE, space, plist)
        file["layers/total"].attrs.update(attributes)
    assert "/layers/total is compressed by" in refusal(h5ad)
