"""Damaged and hostile files: one error that names the file, before memory is used."""

import gzip
import stat
import zipfile

import anndata
import h5py
import numpy as np
import pytest
from tool_files import (
    LAYOUTS,
    N_CELLS,
    Cells,
    make_anndata,
    write_alevin,
    write_grandslam,
    write_grandslam_table,
    write_h5ad,
    write_h5mu,
    write_kb,
    write_lines,
    write_loom,
    write_nascseq,
    write_scntseq,
    write_scntseq_folder,
    write_starsolo,
    write_zipped_zarr,
)

from scifate_sklearn.anndata_io import Recognised, convert_cells, read_cells

KNOWN = Cells.random()
HEAD = "%%MatrixMarket matrix coordinate integer general\n"


@pytest.fixture
def kb(tmp_path):
    return write_kb(tmp_path, KNOWN) / "counts_unfiltered"


def refuses(path, message, file=None):
    with pytest.raises(ValueError, match=message) as caught:
        read_cells(path)
    assert str(file or path) in str(caught.value)
    assert "\n" not in str(caught.value)


def edited(text, old, new):
    assert old in text
    return text.replace(old, new)


# What is written in place of a matrix of 9 cells and 6 genes, and the error.
MATRICES = {
    "empty": ("", "begins with b''"),
    "no banner": ("9 6 1\n1 1 1\n", "not with %%MatrixMarket"),
    "dense": ("%%MatrixMarket matrix array real general\n9 6\n1\n", "'matrix array real general'"),
    "pattern": (
        "%%MatrixMarket matrix coordinate pattern general\n9 6 1\n1 1\n",
        "'matrix coordinate pattern general'",
    ),
    "complex": ("%%MatrixMarket matrix coordinate complex general\n9 6 0\n", "complex"),
    "symmetric": ("%%MatrixMarket matrix coordinate real symmetric\n9 9 0\n", "symmetric"),
    "no sizes": (HEAD, "no line with its three sizes"),
    "two sizes": (f"{HEAD}9 6\n", "no line with its three sizes"),
    "negative size": (f"{HEAD}9 6 -1\n", "no line with its three sizes"),
    "huge size": (f"{HEAD}9 6 {'9' * 40}\n", "no line with its three sizes"),
    "more entries than places": (f"{HEAD}9 6 55\n", "declares 55 entries"),
    "huge matrix": (f"{HEAD}{10**12} {10**12} 1\n", "declares 1 entries in 1,000,000,000,000"),
    "other rows": (f"{HEAD}8 6 0\n", "has 8 rows, but .*barcodes.txt has 9 names"),
    "other columns": (f"{HEAD}9 2000000000 0\n", "2,000,000,000 columns, but .*genes.txt has 6"),
    "row 0": (f"{HEAD}9 6 1\n0 1 1\n", "row 0, but there are 9"),
    "row 10": (f"{HEAD}9 6 1\n10 1 1\n", "row 10, but there are 9"),
    "column 7": (f"{HEAD}9 6 1\n1 7 1\n", "column 7, but there are 6"),
    "negative column": (f"{HEAD}9 6 1\n1 -7 1\n", "column -7"),
    "row beyond 64 bits": (f"{HEAD}9 6 1\n{10**30} 1 1\n", "not 3 numbers each"),
    "fractional row": (f"{HEAD}9 6 1\n1.5 1 1\n", "not 3 numbers each"),
    "text": (f"{HEAD}9 6 1\n1 1 x\n", "not 3 numbers each"),
    "two fields": (f"{HEAD}9 6 1\n1 1\n", "not a position and 1 number"),
    "five fields": (f"{HEAD}9 6 1\n1 1 1 1 1\n", "not a position and 1 number"),
    "five fields later": (f"{HEAD}9 6 2\n1 1 1\n2 1 1 1 1\n", "not 3 numbers|more than 3"),
    "two fields later": (f"{HEAD}9 6 2\n1 1 1\n2 1\n", "not 3 numbers each"),
    "fewer entries": (f"{HEAD}9 6 2\n1 1 1\n", "declares 2 entries, and has 1"),
    "more entries": (f"{HEAD}9 6 1\n1 1 1\n2 1 1\n", "declares 1 entries, and has more"),
    "negative count": (f"{HEAD}9 6 1\n1 1 -1\n", "negative, NaN or infinite, such as -1"),
    "count beyond 32 bits": (f"{HEAD}9 6 1\n1 1 {2**31}\n", "too many"),
    "NaN": (HEAD.replace("integer", "real") + "9 6 1\n1 1 nan\n", "not 3 numbers each"),
    "infinite": (HEAD.replace("integer", "real") + "9 6 1\n1 1 inf\n", "NaN or infinite"),
    "long line": (HEAD + "%" + "x" * 2**17 + "\n9 6 0\n", "long line before its entries"),
    "binary": ("\0" * 100, "begins with"),
}


@pytest.mark.parametrize("name", MATRICES)
@pytest.mark.parametrize("ending", ["", ".gz"])
def test_matrices(kb, name, ending):
    content, message = MATRICES[name]
    file = kb / "cells_x_genes.nascent.mtx"
    file.unlink()
    file = file.with_name(file.name + ending)
    file.write_bytes(gzip.compress(content.encode()) if ending else content.encode())
    refuses(kb, message, kb if "NaN or infinite" in message else file)


@pytest.mark.slow
def test_truncated_and_expanding_gzip_files(kb):
    path = kb / "cells_x_genes.nascent.mtx"
    text = path.read_bytes()
    path.unlink()
    file = kb / "cells_x_genes.nascent.mtx.gz"
    for damaged in (gzip.compress(text)[:-12], gzip.compress(text)[:-4] + b"abcd"):
        file.write_bytes(damaged)
        refuses(kb, "damaged gzip file", file)
    # 270 MB of blank lines in 270 kB.
    with gzip.open(file, "wb", compresslevel=5) as opened:
        opened.write(HEAD.encode() + b"9 6 1\n1 1 1\n")
        for _ in range(270):
            opened.write(b"\n" * 10**6)
    refuses(kb, "limit for a compressed file of this size|declares", file)


def test_an_entry_of_a_long_line(kb):
    file = kb / "cells_x_genes.nascent.mtx"
    file.write_text(f"{HEAD}9 6 2\n1 1 1\n1 1 {'1' * 40_000_000}\n")
    refuses(kb, "too long", file)


def test_repeated_entries_are_added_up_as_scipy_does(kb):
    file = kb / "cells_x_genes.nascent.mtx"
    file.write_text(f"{HEAD}9 6 2\n1 1 1\n1 1 2\n")
    assert read_cells(kb).layers["nascent"][0, 0] == 3
    assert read_cells(kb).layers["nascent"].nnz == 1


class TestNames:
    @pytest.mark.parametrize(
        ("cells", "message"),
        [
            ([*KNOWN.cells[:-1], KNOWN.cells[0]], "1 of the 9 cells .*an earlier one.*'CELL0'"),
            ([*KNOWN.cells[:-1], ""], "1 of the 9 cells .* no name, the first at position 9"),
            (KNOWN.cells[:-1], "has 9 rows, but .* has 8 names"),
            ([], "9 rows, but .* has 0 names"),
        ],
    )
    def test_of_cells(self, kb, cells, message):
        write_lines(kb / "cells_x_genes.barcodes.txt", cells)
        refuses(kb, message)

    def test_of_a_file_that_is_missing(self, kb):
        (kb / "cells_x_genes.genes.txt").unlink()
        with pytest.raises(FileNotFoundError, match=r"no file cells_x_genes\.genes\.txt"):
            read_cells(kb)

    def test_that_are_no_text(self, kb):
        (kb / "cells_x_genes.genes.txt").write_bytes(bytes(range(256)))
        refuses(kb, "not UTF-8 text", kb / "cells_x_genes.genes.txt")

    def test_of_another_number_of_symbols(self, kb):
        write_lines(kb / "cells_x_genes.genes.names.txt", KNOWN.symbols[:-1])
        refuses(kb, "5 names for 6 genes", kb / "cells_x_genes.genes.names.txt")

    def test_repeated_genes_are_left_to_the_preparation(self, kb):
        write_lines(kb / "cells_x_genes.genes.txt", ["A"] * len(KNOWN.genes))
        found = Recognised.from_path(kb).source
        assert list(found.var.index) == ["A"] * len(KNOWN.genes)


class TestTables:
    def test_of_alevin_fry_without_usa_mode(self, tmp_path):
        path = write_alevin(tmp_path, KNOWN)
        write_lines(path / "alevin" / "quants_mat_cols.txt", [f"G{i}" for i in range(18)])
        refuses(path, "9 × 18; for the 9 cells .* it must be 9 × 54.*USA", path / "alevin")

    def test_of_starsolo_with_one_value(self, tmp_path):
        path = write_starsolo(tmp_path, KNOWN, old=True) / "Velocyto"
        file = path / "raw" / "matrix.mtx"
        file.write_text(f"{HEAD}6 9 1\n1 1 1\n")
        refuses(path, "not a position and 3 number", file)

    def test_ratios_outside_of_their_range(self, tmp_path):
        path = write_grandslam(tmp_path, KNOWN)
        file = path / "4sU.Binom.ntr.mtx.gz"
        text = gzip.decompress(file.read_bytes()).decode().splitlines()
        i, j, _ = text[-1].split()
        file.write_bytes(gzip.compress("\n".join([*text[:-1], f"{i} {j} 1.5", ""]).encode()))
        refuses(path, r"ratio 1.5, outside of \[0, 1\]", file)

    def test_dense_ratios_outside_of_their_range(self, tmp_path):
        path = write_grandslam_table(tmp_path, KNOWN)
        lines = gzip.decompress(path.read_bytes()).decode().splitlines()
        fields = lines[1].split("\t")
        fields[lines[0].split("\t").index("CELL0 4sU Binom NTR MAP")] = "-0.5"
        path.write_bytes(gzip.compress("\n".join([lines[0], "\t".join(fields), ""]).encode()))
        refuses(path, r"outside of \[0, 1\]")

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda rows: [rows[0], *rows[1:-1], rows[-1].rpartition(",")[0]], "other numbers of"),
            (lambda rows: [*rows[:-1], rows[-1] + ",1"], "other numbers of|row is damaged"),
            (lambda rows: [rows[0].replace("CELL1", "CELL2"), *rows[1:]], "there twice"),
            (lambda rows: [rows[0].replace("CELL1", "X"), *rows[1:]], "different cells.*'"),
            (lambda rows: rows[:-1], "different genes: 1 are in one"),
            (lambda rows: [*rows[:-1], rows[-1].replace(".0", ".x", 1)], "not a number"),
            (lambda rows: [*rows[:-1], rows[-1].replace(",", ",-", 1)], "negative|NaN"),
        ],
    )
    def test_of_nascseq(self, tmp_path, change, message):
        path = write_nascseq(tmp_path, Cells(*(x + 1 for x in KNOWN.layers().values())))
        file = path / "sample_newrna_molecules.csv"
        file.write_text("\n".join(change(file.read_text().splitlines())) + "\n")
        refuses(path, message)

    def test_of_nascseq_without_the_other(self, tmp_path):
        path = write_nascseq(tmp_path, KNOWN)
        (path / "sample_oldrna_molecules.csv").unlink()
        refuses(path / "sample_newrna_molecules.csv", "one csv with 'oldrna'.* has none", path)

    def test_rows_of_scntseq_that_are_neither(self, tmp_path):
        path = write_scntseq_folder(tmp_path, KNOWN)
        names = (path / "genes.tsv").read_text().splitlines()
        write_lines(path / "genes.tsv", [*names[:-1], "GENE--X"])
        refuses(path, "'GENE--X' does not end in --C or --T", path / "genes.tsv")

    def test_a_truncated_table(self, tmp_path):
        path = write_scntseq(tmp_path, KNOWN)
        path.write_bytes(path.read_bytes()[:-12])
        refuses(path, "damaged gzip file|row is damaged")


class TestLoom:
    @pytest.fixture
    def path(self, tmp_path):
        return write_loom(tmp_path, KNOWN)

    def change(self, path, **arrays):
        with h5py.File(path, "r+") as file:
            for name, values in arrays.items():
                place = name.replace("__", "/")
                if place in file:
                    del file[place]
                if values is not None:
                    file[place] = values

    @pytest.mark.parametrize(
        ("arrays", "message"),
        [
            ({"layers": None}, "one matrix and no layers.*Count spliced"),
            ({"layers__spliced": np.ones((6, 8))}, r"'spliced' is \(6, 8\), and the matrix \(6, 9"),
            ({"layers__spliced": np.array([b"x"])}, "spliced is not a matrix of numbers"),
            ({"layers__spliced": np.full((6, 9), -1.0)}, "spliced has 54 .*such as -1"),
            ({"layers__spliced": np.full((6, 9), np.nan)}, "spliced has 54 .*such as nan"),
            ({"col_attrs__CellID": KNOWN.cells[:-1]}, "CellID has 8 values, and the matrix 9"),
            ({"col_attrs__CellID": ["A"] * N_CELLS}, "8 of the 9 cells .*earlier one"),
            ({"col_attrs__CellID": None}, "none of CellID"),
            ({"col_attrs": None}, "no col_attrs"),
            ({"row_attrs__Gene": np.array([b"\xff"] * 6)}, "decode"),
            ({"layers__spliced": h5py.ExternalLink("/etc/passwd", "/x")}, "external link"),
            ({"layers__spliced": h5py.SoftLink("/matrix")}, "soft link"),
        ],
    )
    def test_parts(self, path, arrays, message):
        self.change(path, **arrays)
        refuses(path, message)

    def test_names_that_declare_far_more_than_they_hold(self, path):
        with h5py.File(path, "r+") as file:
            del file["row_attrs/Gene"]
            file["row_attrs"].create_dataset("Gene", (2**32,), "i8", chunks=(1024,))
        refuses(path, "declares an array of 34,359,738,368 bytes")

    def test_truncated(self, path):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        refuses(path, "not a readable h5ad|damaged loom")


class TestZip:
    @pytest.fixture
    def path(self, tmp_path):
        return write_zipped_zarr(tmp_path, KNOWN)

    @pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "a\\..\\..\\x", "c:x"])
    def test_entries_outside_the_folder(self, path, name):
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(name, b"x")
        refuses(path, "outside the folder")

    def test_symbolic_links(self, path):
        with zipfile.ZipFile(path, "a") as archive:
            link = zipfile.ZipInfo("obs/link")
            link.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(link, b"/etc/passwd")
        refuses(path, "symbolic link 'obs/link'")

    def test_far_more_than_its_size(self, path):
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("uns/zeros", bytes(260 * 2**20))
        refuses(path, "far more data than its size")

    def test_truncated(self, path):
        path.write_bytes(path.read_bytes()[:-100])
        refuses(path, "an archive|unknown content|NumPy")

    def test_damaged_entry(self, path):
        content = bytearray(path.read_bytes())
        place = content.find(b'{"zarr_format"') if b'{"zarr_format"' in content else 200
        content[place : place + 5] = b"xxxxx"
        path.write_bytes(bytes(content))
        refuses(path, "not a readable")


class TestH5ad:
    @pytest.mark.parametrize(
        ("name", "change", "message"),
        [
            ("layers/spliced/indices", lambda x: x + 6, "spliced"),
            ("layers/spliced/indices", lambda x: x - 7, "spliced"),
            ("layers/spliced/indptr", lambda x: x[::-1], "spliced.*damaged"),
            ("layers/spliced/data", lambda x: x[:-1], "spliced.*damaged"),
            ("obs/_index", lambda x: x[:-1], r"is \(9, 6\), for \(8, 6\) cells and genes"),
            ("var/_index", lambda x: x[:-1], "."),
        ],
    )
    def test_contradictions(self, tmp_path, name, change, message):
        path = write_h5ad(tmp_path, KNOWN)
        with h5py.File(path, "r+") as file:
            values, attributes = file[name][()], dict(file[name].attrs)
            del file[name]
            file[name] = change(values)
            file[name].attrs.update(attributes)
        refuses(path, message)


class TestModalities:
    def test_several(self, tmp_path):
        path = write_h5mu(tmp_path, KNOWN, other=make_anndata(KNOWN))
        refuses(path, r"modalities other, rna: name one.*`modality`")
        assert read_cells(path, modality="other").n_obs == N_CELLS
        with pytest.raises(
            ValueError, match=r"`modality` is 'x'; .* has the modalities other, rna"
        ):
            read_cells(path, modality="x")

    def test_of_other_files(self, kb, tmp_path):
        make_anndata(KNOWN).write_h5ad(tmp_path / "cells.h5ad")
        for path in (kb, tmp_path / "cells.h5ad"):
            with pytest.raises(ValueError, match=r"`modality`: .*no modalities"):
                read_cells(path, modality="rna")


def test_unknown_formats_and_paths(kb):
    with pytest.raises(ValueError, match=r"`format` must be one of auto, anndata, loom.*got 'x'"):
        read_cells(kb, format="x")
    with pytest.raises(FileNotFoundError, match="absent does not exist"):
        read_cells(kb / "absent")


@pytest.mark.parametrize("name", LAYOUTS)
def test_any_file_under_another_format(name, tmp_path):
    """A format that was named wrongly is an error of a known type."""
    path = LAYOUTS[name].write(tmp_path, KNOWN)
    for other in {layout.format for layout in LAYOUTS.values()} - {LAYOUTS[name].format}:
        with pytest.raises((ValueError, OSError)) as caught:
            read_cells(path, format=other)
        assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_failed_conversion_leaves_nothing(name, tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    found = Recognised.from_path(LAYOUTS[name].write(tmp_path / "in", KNOWN))

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(anndata.io, "write_elem", interrupt)
    with pytest.raises(KeyboardInterrupt):
        convert_cells(found, tmp_path / "out" / "cells.h5ad")
    assert not list((tmp_path / "out").iterdir())
