"""Recognition of the formats and objects that are given in place of h5ad, zarr or AnnData.

`FORMATS` is the table of file formats, those that are read and those that are not; `OBJECTS` that
of objects. A new format is one line.
"""

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ._contents import Contents
from ._zip import is_zipped_zarr
from .readers import (
    COUNT,
    CellSource,
    is_alevin,
    is_grandslam,
    is_grandslam_dense,
    is_kb,
    is_loom,
    is_nascseq,
    is_scifate,
    is_scntseq,
    is_starsolo,
    read_alevin,
    read_grandslam,
    read_grandslam_dense,
    read_kb,
    read_loom,
    read_nascseq,
    read_scifate,
    read_scntseq,
    read_starsolo,
)

_WRITE = "add both layers of counts to an AnnData, and write it with write_h5ad"
_SUBSET = "Read the one that has both layers, write it with write_h5ad, and give that file."


@dataclass(frozen=True)
class Format:
    """A format of files that is not one of AnnData.

    Attributes
    ----------
    name : str
        With article, as in "a loom file".
    matches : callable
        Whether a file or folder with these contents has the format.
    advice : str
        What to do, as one sentence; empty if the format can be read.
    key : str
        Name for the argument ``format``; empty if the format cannot be read.
    read : callable, default=None
        Returns its cells.
    """

    name: str
    matches: Callable[[Contents], bool]
    advice: str = ""
    key: str = ""
    read: Callable[[Path], CellSource] | None = None

    def advise(self, path: Path) -> str:
        """Return what to do where only files of anndata are accepted."""
        if self.read is None:
            return self.advice
        return (
            f"Convert it: scifate convert {shlex.quote(str(path))} --out cells.h5ad; in Python, "
            "`read_cells` reads it."
        )


# The first that matches counts.
FORMATS = (
    Format("a loom file", is_loom, key="loom", read=read_loom),
    Format("a folder of STARsolo (Velocyto)", is_starsolo, key="starsolo", read=read_starsolo),
    Format("a folder of alevin-fry", is_alevin, key="alevin-fry", read=read_alevin),
    Format("a folder of kb-python", is_kb, key="kb", read=read_kb),
    Format("a folder of GRAND-SLAM", is_grandslam, key="grand-slam", read=read_grandslam),
    Format(
        "a table of GRAND-SLAM",
        is_grandslam_dense,
        key="grand-slam-table",
        read=read_grandslam_dense,
    ),
    Format("a pair of tables of NASC-seq2", is_nascseq, key="nasc-seq2", read=read_nascseq),
    Format("a folder of sci-fate", is_scifate, key="sci-fate", read=read_scifate),
    Format("a matrix of scNT-seq", is_scntseq, key="scnt-seq", read=read_scntseq),
    Format(
        "a feature-barcode matrix of 10x Cell Ranger",
        lambda c: (
            c.kind == "hdf5" and any({"barcodes", "indptr"} <= names for names in c.groups.values())
        ),
        f"It has no new RNA. {COUNT}",
    ),
    Format(
        "molecule information of 10x Cell Ranger",
        lambda c: c.kind == "hdf5" and c.has("umi", "feature_idx"),
        "Use the counts of the cells instead: an h5ad file with layers.",
    ),
    Format(
        "an h5Seurat file",
        lambda c: c.has("assays", "cell.names"),
        "Convert it in R with SeuratDisk::Convert(path, dest = 'h5ad'), and give the h5ad file.",
    ),
    Format(
        "a folder of SpatialData",
        lambda c: c.kind == "zarr" and (c.has("tables") or "spatialdata_attrs" in c.attributes),
        "Write its table with spatialdata.read_zarr(path).tables['table'].write_h5ad(...), and "
        "give that file.",
    ),
    Format(
        "data of xarray (netCDF)",
        lambda c: bool({"_NCProperties", "_ARRAY_DIMENSIONS", "dimension_names"} & c.attributes),
        f"Read it with xarray, {_WRITE}.",
    ),
    Format(
        "a table of pandas (HDFStore)",
        lambda c: "PYTABLES_FORMAT_VERSION" in c.attributes,
        f"Read it with pandas.read_hdf, {_WRITE}.",
    ),
    Format(
        "a file of MATLAB", lambda c: c.starts(b"MATLAB "), f"Read it with scipy or h5py, {_WRITE}."
    ),
    Format(
        "an h5ad file of an anndata version below 0.5",
        lambda c: c.has("smp") or c.has("_smp") or c.has("_obs"),
        "Open it with anndata 0.6 (pip install 'anndata<0.7'), and write it again.",
    ),
    Format(
        "a file that holds several AnnData",
        lambda c: any({"obs", "var"} <= names for names in c.groups.values()),
        _SUBSET,
    ),
    Format(
        "a file or folder without obs or var, the tables of an AnnData",
        lambda c: c.kind in ("hdf5", "zarr"),
        f"Only files of anndata are read; {_WRITE}.",
    ),
    Format(
        "a folder of 10x Cell Ranger",
        lambda c: (
            c.kind == "folder"
            and c.has_file("matrix.mtx", "barcodes.tsv")
            and (c.has_file("features.tsv") or c.has_file("genes.tsv"))
        ),
        f"It has no new RNA. {COUNT}",
    ),
    Format(
        "a folder of STARsolo without Velocyto",
        lambda c: c.kind == "folder" and ("Gene" in c.groups or "GeneFull" in c.groups),
        f"It has no new RNA. {COUNT}",
    ),
    Format(
        "a folder of the pipeline of sci-fate",
        lambda c: c.kind == "folder" and c.has("count.MM"),
        "It has one matrix, not all and new RNA: write the matrices of both to folders full_RNA "
        "and new_RNA, with df_cell.tsv and df_gene.tsv, and give the folder with these two.",
    ),
    Format(
        "a folder with a Matrix Market file of unknown origin",
        lambda c: c.kind == "folder" and c.has_suffix(".mtx", ".mtx.gz"),
        f"Read it with scipy.io.mmread, {_WRITE}.",
    ),
    Format(
        "a folder of TileDB-SOMA",
        lambda c: c.kind == "folder" and c.has("__tiledb_group.tdb"),
        "Export it with tiledbsoma.io.to_h5ad, and give that file.",
    ),
    Format(
        "a folder that holds cells in other files",
        lambda c: (
            c.kind == "folder"
            and c.has_suffix(".h5ad", ".zarr", ".h5mu", ".loom", ".h5", ".mtx", ".mtx.gz", within=1)
        ),
        "Give one of the files or folders within it.",
    ),
    Format("an empty folder", lambda c: c.kind == "folder" and not c.names, "Check the path."),
    Format(
        "a folder without metadata of zarr",
        lambda c: c.kind == "folder",
        "Give an h5ad file, or a zarr folder that anndata has written completely.",
    ),
    Format("an empty file", lambda c: not c.head, "Check whether it was written completely."),
    Format(
        "a compressed h5ad file",
        lambda c: c.is_compressed and c.starts(b"\x89HDF"),
        "Decompress it first, for example with gunzip.",
    ),
    Format(
        "an R object (rds or RData)",
        lambda c: c.starts(b"X\n\0\0", b"A\n", b"RDX", b"RDA"),
        "Write an h5ad file in R, for example with anndataR::write_h5ad.",
    ),
    Format(
        "a Matrix Market file",
        lambda c: c.starts(b"%%MatrixMarket"),
        "It has no names: give the folder that also holds the names of cells and genes.",
    ),
    Format(
        "a NumPy archive (npz)",
        lambda c: c.starts(b"PK\3\4") and c.is_in_head(b".npy"),
        f"Read it with numpy or scipy.sparse, {_WRITE}. Moments are loaded with "
        "SciFateMoments.load.",
    ),
    Format(
        "a spreadsheet",
        lambda c: c.starts(b"PK\3\4") and c.is_in_head(b"[Content_Types]", b"_rels/"),
        f"Read it with pandas.read_excel, {_WRITE}.",
    ),
    Format(
        "an archive (zip, tar, bzip2, xz, zstd or 7z)",
        lambda c: c.starts(b"PK", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"7z\xbc") or c.is_tar,
        "Unpack it, and give the file or folder of cells.",
    ),
    Format(
        "a parquet, feather or Arrow table",
        lambda c: c.starts(b"PAR1", b"ARROW1", b"FEA1"),
        f"Read it with pandas, {_WRITE}.",
    ),
    Format(
        "a pickle",
        lambda c: c.starts(*(bytes([0x80, protocol]) for protocol in range(2, 6))),
        "It is not opened because it could run code. Load it only if you trust it, and write the "
        "AnnData with write_h5ad.",
    ),
    Format(
        "a NumPy array (npy)", lambda c: c.starts(b"\x93NUMPY"), f"Read it with numpy, {_WRITE}."
    ),
    Format("a BAM file", lambda c: c.starts(b"BAM\1"), "Count its reads first."),
    Format(
        "an SQLite database", lambda c: c.starts(b"SQLite format 3"), f"Read its tables, {_WRITE}."
    ),
    Format(
        "a web page",
        lambda c: c.head.lstrip().lower().startswith((b"<!doctype html", b"<html")),
        "The download failed; get the file again.",
    ),
    Format(
        "a pointer of Git LFS",
        lambda c: c.starts(b"version https://git-lfs"),
        "Get the file itself with git lfs pull.",
    ),
    Format(
        "a text table",
        lambda c: c.is_text,
        f"Read it with pandas, {_WRITE}.",
    ),
    Format(
        "a compressed file of unknown content", lambda c: c.is_compressed, "Decompress it first."
    ),
    Format(
        "a file of unknown content, without the signature of HDF5",
        lambda c: True,
        "Check the path, and whether the file was downloaded completely.",
    ),
)

# By the name of the type or of one of its bases, with its package.
OBJECTS = {
    "mudata.MuData": "Pass one modality, for example mdata['rna']; if new and total RNA are "
    "modalities, make them layers of one AnnData, or open the file with `open_anndata`.",
    "spatialdata.SpatialData": "Pass its table, sdata.tables['table'].",
    "anndata.Raw": "Pass adata.raw.to_adata(), with both layers.",
    "builtins.str": "Open the file with `open_anndata`, or read it with anndata.read_h5ad.",
    "pathlib.PurePath": "Open the file with `open_anndata`, or read it with anndata.read_h5ad.",
    "h5py.Group": "Open the file with `open_anndata`.",
    "zarr.Group": "Open the folder with `open_anndata`.",
    "pandas.DataFrame": "Matrices that are prepared already are passed to `SciFateRegressor.fit`.",
    "numpy.ndarray": "Matrices that are prepared already are passed to `SciFateRegressor.fit`.",
    "scipy.spmatrix": "Make an AnnData with two layers of it.",
    "scipy.sparray": "Make an AnnData with two layers of it.",
    "xarray.Dataset": "Make an AnnData with two layers of it.",
    "loompy.LoomConnection": "Read the file with `read_cells`.",
    "builtins.NoneType": "Functions that change their argument in place return None.",
    "builtins.dict": "Pass one AnnData; anndata.concat joins several.",
    "builtins.list": "Pass one AnnData; anndata.concat joins several.",
    "builtins.tuple": "Pass one AnnData; anndata.concat joins several.",
}


def recognise(path: Path) -> Format | None:
    """Return the format of a file or folder, None if it is one of AnnData or MuData.

    Only names and the first bytes are read, and nothing is followed that leads out of the file.

    Parameters
    ----------
    path : Path
        An existing file or folder.

    Returns
    -------
    Format or None

    Raises
    ------
    OSError
        If the file or folder cannot be read.
    """
    contents = Contents.from_path(path)
    if contents.has("obs", "var") or "mod" in contents.groups or is_zipped_zarr(path):
        return None
    return next(each for each in FORMATS if each.matches(contents))


def describe_object(given: object) -> str:
    """Return advice on an object that was passed in place of an AnnData, "" for unknown ones.

    The advice begins with a space, so that it can be appended to a sentence.
    """
    for base in type(given).__mro__:
        if advice := OBJECTS.get(f"{base.__module__.partition('.')[0]}.{base.__name__}"):
            return f" {advice}"
    return ""
