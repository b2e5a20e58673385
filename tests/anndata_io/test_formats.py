"""Files, folders and objects of other formats: named, with what to do."""

import gzip
import pickle
import re
import sys
import zipfile
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import zarr
from typer.testing import CliRunner

from scifate_sklearn import open_anndata, prepare_anndata, prepare_moments
from scifate_sklearn.cli import app

COUNTS = np.arange(24.0).reshape(6, 4)


def make_cells():
    return anndata.AnnData(COUNTS, layers={"new": COUNTS, "total": COUNTS})


def hdf5(*arrays, attributes=(), userblock=b""):
    """Return a function that writes arrays of the given names to an HDF5 file."""

    def write(path):
        with h5py.File(path, "w", userblock_size=512 if userblock else 0) as file:
            for name in arrays:
                file[name] = COUNTS
            file.attrs.update(dict.fromkeys(attributes, "1"))
        if userblock:
            with path.open("r+b") as file:
                file.write(userblock)

    return write


def zarr_folder(*arrays, attributes=()):
    def write(path):
        root = zarr.open_group(str(path), mode="w")
        for name in arrays:
            root.create_array(name, data=COUNTS)
        root.attrs.update(dict.fromkeys(attributes, "1"))

    return write


def xarray_folder(path):
    root = zarr.open_group(str(path), mode="w", zarr_format=2)
    root.create_array("counts", data=COUNTS).attrs["_ARRAY_DIMENSIONS"] = ["cell", "gene"]


def folder(*names):
    def write(path):
        path.mkdir()
        for name in names:
            (path / name).parent.mkdir(exist_ok=True)
            (path / name).touch()

    return write


def content(first):
    return lambda path: path.write_bytes(first + bytes(3) if first else b"")


def text(lines):
    return lambda path: path.write_text(lines)


def compressed(lines):
    return lambda path: path.write_bytes(gzip.compress(lines))


def compressed_cells(path):
    make_cells().write_h5ad(path)
    path.write_bytes(gzip.compress(path.read_bytes()))


def zipped(name):
    def write(path):
        with zipfile.ZipFile(path, "w") as file:
            file.writestr(name, "{}")

    return write


def two_cells(path):
    with h5py.File(path, "w") as file:
        for name in ("first", "second"):
            anndata.io.write_elem(file, name, make_cells())


FOREIGN = {
    "loom": (
        hdf5("matrix", "layers/spliced", "row_attrs/Gene", "col_attrs/ID"),
        "a loom file.*scifate convert",
    ),
    "loom without attributes": (hdf5("matrix", "layers/new"), "a loom file.*scifate convert"),
    "Cell Ranger 3": (
        hdf5("matrix/barcodes", "matrix/indptr", "matrix/data"),
        "10x.*no new RNA.*velocyto",
    ),
    "Cell Ranger 2": (hdf5("hg19/barcodes", "hg19/genes", "hg19/indptr"), "10x.*no new RNA"),
    "molecules": (hdf5("umi", "feature_idx", "barcode_idx"), "molecule information of 10x"),
    "h5Seurat": (hdf5("assays/RNA", "cell.names", "meta.data/x"), "an h5Seurat.*SeuratDisk"),
    "SpatialData": (zarr_folder("images/i", "tables/t/X"), "SpatialData.*tables"),
    "SpatialData without tables": (zarr_folder("x", attributes=["spatialdata_attrs"]), "Spatial"),
    "netCDF": (hdf5("counts", attributes=["_NCProperties"]), "xarray"),
    "xarray": (xarray_folder, "xarray"),
    "HDFStore": (hdf5("x/table", attributes=["PYTABLES_FORMAT_VERSION"]), "pandas.read_hdf"),
    "MATLAB": (hdf5("x", userblock=b"MATLAB 7.3 MAT-file"), "MATLAB"),
    "anndata 0.4": (hdf5("X", "smp", "var"), "anndata version below 0.5.*anndata<0.7"),
    "two AnnData": (two_cells, "several AnnData.*Read the one that has both layers"),
    "HDF5": (hdf5("x", "y/z"), "without obs or var"),
    "zarr": (zarr_folder("x", "y/z"), "without obs or var"),
    "array of zarr": (lambda path: zarr.save_array(str(path), COUNTS), "without obs or var"),
    "10x folder": (
        folder("matrix.mtx.gz", "barcodes.tsv.gz", "features.tsv.gz"),
        "10x Cell Ranger. It has no new RNA",
    ),
    "older 10x folder": (folder("matrix.mtx", "barcodes.tsv", "genes.tsv"), "no new RNA"),
    "mtx folder": (folder("cells_x_genes.mtx"), "Matrix Market.*unknown origin"),
    "STARsolo without Velocyto": (folder("Gene/raw"), "without Velocyto. It has no new RNA"),
    "STARsolo": (folder("Velocyto/raw"), "STARsolo.*scifate convert .*cells --out cells.h5ad"),
    "kb folder": (folder("x.nascent.mtx"), "kb-python.*scifate convert"),
    "sci-fate's pipeline": (folder("count.MM"), "one matrix.*full_RNA"),
    "folder of cells": (folder("a.h5ad", "b.h5ad"), "Give one of the files"),
    "folder of folders": (folder("hg19/matrix.mtx"), "Give one of the files or folders"),
    "empty folder": (folder(), "an empty folder"),
    "other folder": (folder("notes.docx"), "a folder without metadata of zarr"),
    "TileDB-SOMA": (folder("__tiledb_group.tdb"), "TileDB.*to_h5ad"),
    "empty": (content(b""), "an empty file"),
    "h5ad.gz": (compressed_cells, "a compressed h5ad file.*gunzip"),
    "rds": (compressed(b"X\n\0\0\0\3"), "an R object.*anndataR"),
    "RData": (compressed(b"RDX3\nX\n"), "an R object"),
    "uncompressed rds": (content(b"X\n\0\0\0\3"), "an R object"),
    "mtx": (
        text("%%MatrixMarket matrix coordinate\n1 1 1\n"),
        "Matrix Market file.*give the folder",
    ),
    "mtx.gz": (compressed(b"%%MatrixMarket matrix\n"), "Matrix Market"),
    "npz": (lambda path: np.savez(path.open("wb"), x=COUNTS), "npz.*SciFateMoments.load"),
    "xlsx": (zipped("[Content_Types].xml"), "a spreadsheet.*read_excel"),
    "zip": (zipped("a.txt"), "an archive.*Unpack"),
    "xz": (content(b"\xfd7zXZ\0"), "an archive"),
    "zstd": (content(b"\x28\xb5\x2f\xfd"), "an archive"),
    "tar.gz": (compressed(b"a" * 257 + b"ustar\0"), "an archive"),
    "parquet": (lambda path: pd.DataFrame({"a": [1]}).to_parquet(path), "a parquet.*pandas"),
    "feather": (lambda path: pd.DataFrame({"a": [1]}).to_feather(path), "feather.*pandas"),
    "pickle": (lambda path: path.write_bytes(pickle.dumps(COUNTS)), "a pickle.*run code"),
    "npy": (lambda path: np.save(path.open("wb"), COUNTS), "a NumPy array"),
    "BAM": (compressed(b"BAM\1abc"), "a BAM file"),
    "SQLite": (content(b"SQLite format 3\0"), "an SQLite database"),
    "web page": (text("\n<!DOCTYPE html><html>Not found</html>"), "a web page.*get the file again"),
    "Git LFS": (text("version https://git-lfs.github.com/spec/v1\n"), "a pointer of Git LFS"),
    "csv": (text("gene,cell1\nA,1\n"), "a text table.*pandas"),
    "csv.gz": (compressed(b"gene,cell1\nA,1\n"), "a text table"),
    "compressed bytes": (compressed(bytes(range(30))), "a compressed file of unknown content"),
    "damaged gzip": (content(b"\x1f\x8b\x08\0\0\0"), "a compressed file|an empty file"),
    "bytes": (content(bytes(range(20))), "unknown content, without the signature of HDF5"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_other_formats_are_named(name, tmp_path):
    write, message = FOREIGN[name]
    path = tmp_path / "cells"
    write(path)
    before = path.stat().st_mtime_ns
    with (
        pytest.raises(ValueError, match=rf"(?s)cells is not a readable h5ad.*{message}") as caught,
        open_anndata(path),
    ):
        pass
    assert "damaged" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert path.stat().st_mtime_ns == before


@pytest.mark.parametrize("name", ["loom", "10x folder", "csv", "h5ad.gz"])
def test_the_command_line_names_other_formats(name, tmp_path):
    write, message = FOREIGN[name]
    write(tmp_path / "cells")
    (tmp_path / "tfs.txt").write_text("TF1\n")
    arguments = ["run", tmp_path / "cells", "--tfs", tmp_path / "tfs.txt", "--out", tmp_path / "o"]
    result = CliRunner().invoke(app, [str(each) for each in arguments])
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert re.search(message, result.stderr)


def typed(name):
    """Return an object whose type has the given full name, and attributes as of an AnnData."""
    module, _, kind = name.rpartition(".")
    attributes = dict.fromkeys(["layers", "obs_names", "var_names", "uns", "obs", "var"])
    return type(kind, (), {"__module__": module, **attributes})()


OBJECTS = {
    "MuData": (typed("mudata._core.mudata.MuData"), r"mdata\['rna'\]"),
    "SpatialData": (typed("spatialdata._core.spatialdata.SpatialData"), r"sdata.tables"),
    "text": ("cells.h5ad", "got str. Open the file with `open_anndata`"),
    "path": (Path("cells.h5ad"), "got .*Path. Open the file with `open_anndata`"),
    "DataFrame": (pd.DataFrame(COUNTS), "got DataFrame.*`SciFateRegressor.fit`"),
    "array": (COUNTS, "got ndarray.*`SciFateRegressor.fit`"),
    "matrix": (sp.csr_matrix(COUNTS), "got csr_matrix. Make an AnnData"),
    "sparse array": (sp.csc_array(COUNTS), "got csc_array. Make an AnnData"),
    "None": (None, "got NoneType. .*in place return None"),
    "list": ([make_cells()], "got list. Pass one AnnData; anndata.concat"),
    "dict": ({"a": make_cells()}, "got dict. Pass one AnnData"),
    "number": (3, "got int.$"),
    "class": (anndata.AnnData, "got type.$"),
}


@pytest.mark.parametrize("name", OBJECTS)
@pytest.mark.parametrize("function", [prepare_anndata, prepare_moments])
def test_other_objects_are_named(function, name):
    given, message = OBJECTS[name]
    with pytest.raises(TypeError, match=f"adata must be an AnnData, .*{message}"):
        function(given, ["TF1"])


def test_raw_and_open_files_are_named(tmp_path):
    adata = make_cells()
    adata.raw = adata
    with pytest.raises(TypeError, match=r"adata\.raw\.to_adata"):
        prepare_anndata(adata.raw, ["TF1"])
    adata.write_h5ad(tmp_path / "cells.h5ad")
    with h5py.File(tmp_path / "cells.h5ad") as file, pytest.raises(TypeError, match="open_anndata"):
        prepare_anndata(file, ["TF1"])
    adata.write_zarr(tmp_path / "cells.zarr")
    with pytest.raises(TypeError, match="open_anndata"):
        prepare_anndata(zarr.open_group(str(tmp_path / "cells.zarr"), mode="r"), ["TF1"])


def write_with_filter(path, number, name):
    """Write cells whose new counts declare a filter of HDF5 that is not installed."""
    make_cells().write_h5ad(path)
    with h5py.File(path, "r+") as file:
        attributes = dict(file["layers/new"].attrs)
        del file["layers/new"]
        stored = file["layers"].create_dataset(
            "new", COUNTS.shape, chunks=COUNTS.shape, compression=number, allow_unknown_filter=True
        )
        stored.attrs.update(attributes)
        stored.id.write_direct_chunk((0, 0), b"compressed")


FILTERS = {32001: "Blosc", 32004: "LZ4", 32008: "Bitshuffle", 32015: "Zstandard", 40000: "40000"}


@pytest.mark.parametrize("number", FILTERS)
def test_filters_that_are_not_installed_are_named(number, tmp_path, monkeypatch):
    if h5py.h5z.filter_avail(number):
        pytest.skip("the filter is installed")
    path = tmp_path / "cells.h5ad"
    write_with_filter(path, number, FILTERS[number])
    message = f"cells.h5ad: /layers/new.*filter .*{FILTERS[number]}.*pip install hdf5plugin"
    with pytest.raises(ImportError, match=message), open_anndata(path):
        pass
    with open_anndata(path, ["total"]) as adata:  # other layers can be read
        assert adata.shape == COUNTS.shape
    # hdf5plugin without this filter
    monkeypatch.setitem(sys.modules, "hdf5plugin", type(sys)("hdf5plugin"))
    sys.modules["hdf5plugin"].__spec__ = zarr.__spec__
    with pytest.raises(ImportError, match="hdf5plugin does not have it"), open_anndata(path):
        pass


def test_zarr_that_is_missing_or_too_old_is_named(tmp_path, monkeypatch):
    zarr_folder("x")(tmp_path / "cells.zarr")
    for name in ("obs", "var"):
        (tmp_path / "cells.zarr" / name).mkdir()
    monkeypatch.setattr(zarr, "__version__", "2.18.7")
    message = r"cells\.zarr is a zarr folder of format 3, and zarr 2\.18\.7.*'zarr>=3'"
    with pytest.raises(ImportError, match=message), open_anndata(tmp_path / "cells.zarr"):
        pass
    monkeypatch.setitem(sys.modules, "zarr", None)
    message = "zarr is not installed: pip install zarr"
    with pytest.raises(ImportError, match=message), open_anndata(tmp_path / "cells.zarr"):
        pass
