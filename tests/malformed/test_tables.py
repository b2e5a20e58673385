"""Files and tables of TF names, of ChIP-seq evidence and of links, valid and malformed."""

import bz2
import gzip
import io
import lzma
import zipfile

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from scifate_sklearn import BindingReference, EncodeLinkFilter
from scifate_sklearn.anndata_io import read_tf_names

TABLE = pd.DataFrame(
    {
        "TF": ["MYC", "MYC", "E2F1", "E2F1", "NKX2-1"],
        "target": ["CDK4", "NCL", "CDK4", "ACTB", "GAPDH"],
        "peak": [1, 0, 1, 0, 1],
    }
)
EDGES = TABLE.loc[TABLE["peak"] == 1, ["TF", "target"]]
BOM = b"\xef\xbb\xbf"


def cases(table):
    return [pytest.param(*row[1:], id=row[0]) for row in table]


def as_csv(table=TABLE, **options):
    return table.to_csv(index=False, **options).encode()


def pairs(reference):
    """Return {(TF, gene): has a peak} of the tested pairs."""
    return {
        (reference.tfs[i], reference.genes[j]): bool(reference.status[i, j] == 2)
        for i, j in zip(*np.nonzero(reference.status), strict=True)
    }


EXPECTED = {(tf, gene): bool(peak) for tf, gene, peak in TABLE.itertuples(index=False)}


def as_parquet(table):
    file = io.BytesIO()
    table.to_parquet(file)
    return file.getvalue()


def write(folder, content, name="evidence.csv"):
    (folder / name).write_bytes(content)
    return folder / name


# ---------------------------------------------------------------------------- TF names

TFS = ["Pax6", "NKX2-1", "Sox9"]
SAME_NAMES = [
    ("byte-order mark", BOM + b"Pax6\nNKX2-1\nSox9\n"),
    ("byte-order mark and CRLF", BOM + b"Pax6\r\nNKX2-1\r\nSox9\r\n"),
    ("CR", b"Pax6\rNKX2-1\rSox9"),
    ("all line ends at once", b"Pax6\r\n\rNKX2-1\r\r\nSox9\n\r"),
    ("no last line end", b"Pax6\nNKX2-1\nSox9"),
    ("blank lines and spaces", b"\n\n  Pax6\t\n \nNKX2-1  \n\n\tSox9\n\n"),
    ("no-break spaces", "Pax6\u00a0\n\u00a0NKX2-1\nSox9\n".encode()),
    ("quotes", b"\"Pax6\"\n'NKX2-1'\nSox9\n"),
    ("names repeated", b"Pax6\nNKX2-1\nPax6\nSox9\nSox9\n"),
    ("header TF", b"TF\nPax6\nNKX2-1\nSox9\n"),
    ("quoted header with a byte-order mark", BOM + b'"TF"\n"Pax6"\n"NKX2-1"\n"Sox9"\n'),
    ("comma table", b"motif,TF\nm1,Pax6\nm2,NKX2-1\nm3,Sox9\n"),
    ("tab table", b"motif\tTF\nm1\tPax6\nm2\tNKX2-1\nm3\tSox9\n"),
    ("semicolon table", b"motif;TF\nm1;Pax6\nm2;NKX2-1\nm3;Sox9\n"),
    ("tab table with commas", b"motif\tTF\nm,1\tPax6\nm,2\tNKX2-1\nm,3\tSox9\n"),
    ("comma table with quoted commas", b'motif,TF\n"m,1",Pax6\n"m,2",NKX2-1\n"m,3","Sox9"\n'),
    ("spaces around the header", b" motif , TF \nm1, Pax6 \nm2, NKX2-1\nm3,Sox9\n"),
    ("rows cut short", b"motif,TF\nm1,Pax6\nm2\n\nm3,NKX2-1,,\nm4,\nm5,Sox9\n"),
    ("row numbers of R without a header", b"TF\tn\n1\tPax6\t5\n2\tNKX2-1\t6\n3\tSox9\t7\n"),
    ("another spelling of TF", b"motif,tf\nm1,Pax6\nm2,NKX2-1\nm3,Sox9\n"),
    ("UTF-16", "TF\nPax6\nNKX2-1\nSox9\n".encode("utf-16")),
    ("a list that R wrote", b'"","x"\n"1","Pax6"\n"2","NKX2-1"\n"3","Sox9"\n'),
    ("a list from a spreadsheet", b"Pax6;;\nNKX2-1;;\n;;\nSox9;;\n"),
    ("comments", b"# TFs\n! of mouse\nPax6\n#Myc\nNKX2-1\n% end\nSox9\n"),
    ("a comment as header", b"#TF\nPax6\nNKX2-1\nSox9\n"),
    ("names of several lines", b'TF,n,m\nPax6,1,2\nNKX2-1,1,2\nSox9,1,2\n"NKX2-1","a\nb",2\n'),
    ("headers repeated", b"motif,TF\nm1,Pax6\nm2,NKX2-1\nmotif,TF\nm3,Sox9\n"),
    ("stray quotation marks", "\"Pax6\n\u201cNKX2-1\u201d\n'Sox9\n".encode()),
    ("additions", b"Pax6 (mouse)\nNKX2-1_HUMAN\nSox9(+)\n"),
    ("other columns twice", b"m,m,TF\n1,2,Pax6\n1,2,NKX2-1\n1,2,Sox9\n"),
    ("two gzip members", gzip.compress(b"Pax6\nNKX2-1\n") + gzip.compress(b"Sox9\n")),
]


@pytest.mark.parametrize("content", cases(SAME_NAMES))
def test_tf_names_in_all_dialects(content, tmp_path, check):
    with check.few_warnings():
        assert read_tf_names(write(tmp_path, content)) == TFS


def test_unusual_tf_names_stay_unchanged(tmp_path):
    names = ["../../etc/passwd", "=1+1", "α-TF", "T", "1", "a b", "x\x85y", "x\u2028y"]
    assert read_tf_names(write(tmp_path, "\n".join(names).encode())) == names


WRONG_NAMES = [
    ("empty", b"", "holds no TF name"),
    ("byte-order mark only", BOM, "holds no TF name"),
    ("header only", b"TF\r\n", "holds no TF name"),
    ("empty column", b"motif,TF\nm1,\nm2, \n", "holds no TF name"),
    ("table without TF", b"motif,gene\nm1,Pax6\n", r"has no column 'TF' \(found 'motif', 'gene'\)"),
    ("semicolon table without TF", b"motif;gene\nm1;Pax6\n", "has no column 'TF'"),
    ("TF twice", b"TF,TF\nPax6,Sox9\n", "has 2 columns called 'TF'; rename all but one"),
    ("one line", b"Pax6,NKX2-1,Sox9\n", "has no column 'TF'"),
    (
        "more fields than the header",
        b"kind,TF\nC2H2, KRAB,Pax6\n",
        r"is not a table .*\(3 in line 2, 2 in the header",
    ),
    (
        "no TF by verdict",
        b"HGNC symbol,Is TF?\nMYC,Nein\n",
        r"holds no TF name \(no TF by verdict: 1",
    ),
    ("latin-1", "Pax6\nM\xfcc\n".encode("latin-1"), "is not UTF-8 text.*save it as UTF-8"),
    (
        "UTF-16 without its mark",
        "TF\nPax6\n".encode("utf-16-le"),
        "is not UTF-8 text .*as UTF-16 without a byte order mark does",
    ),
    ("gene sets", b"MYC\t\tCDK4\tNCL\nE2F1\t\tACTB\n", r"holds gene sets \(GMT\), not TFs"),
    (
        "gene sets, the first one short",
        b"MYC\t\tNCL\nE2F1\t\tACTB\tCDK4\nSP1\t\tNCL\n",
        r"holds gene sets \(GMT\), not TFs",
    ),
    ("missing names only", b"TF\nNA\n-\n", r"holds no TF name \(no name: 2 \(lines 2, 3\)\)"),
    ("a workbook", b"PK\3\4\x14\0\6\0", "is not UTF-8 text .*as an Excel workbook or"),
    ("binary", bytes(range(256)), "is not UTF-8 text"),
    ("zeros", bytes(1000), "is not UTF-8 text"),
    ("gzip cut off", gzip.compress(b"Pax6\n" * 1000)[:-5], "is a damaged gzip file"),
    ("gzip with another CRC", gzip.compress(b"Pax6\n")[:-8] + bytes(8), "is a damaged gzip file"),
    ("gzip of a gzip", gzip.compress(gzip.compress(b"Pax6\n")), "is not UTF-8 text"),
    ("gzip, then junk", gzip.compress(b"Pax6\n") + b"junk", "is a damaged gzip file"),
    ("bzip2", bz2.compress(b"Pax6\n"), "is not UTF-8 text"),
    ("parquet", as_parquet(TABLE), "is not UTF-8 text"),
    ("a field beyond all bounds", b'motif,TF\n"' + b"x" * 200_000 + b'",Pax6\n', "is not a table"),
]


@pytest.mark.parametrize(("content", "message"), cases(WRONG_NAMES))
def test_files_without_tf_names(content, message, tmp_path, check):
    with check.refused(ValueError, rf"evidence\.csv {message}"):
        read_tf_names(write(tmp_path, content))


@pytest.mark.parametrize("read", [read_tf_names, BindingReference.read, BindingReference.from_gmt])
@pytest.mark.parametrize(
    ("make", "error"),
    cases(
        [
            ("a folder", lambda folder: folder, OSError),
            ("nothing there", lambda folder: folder / "none", FileNotFoundError),
            ("a dangling link", lambda folder: folder / "link", FileNotFoundError),
            ("a loop of links", lambda folder: folder / "loop", OSError),
            ("below a file", lambda folder: folder / "file" / "x", OSError),
            ("a name too long", lambda folder: folder / ("x" * 300), OSError),
            ("a null byte", lambda folder: f"{folder}/a\0b", (ValueError, OSError)),
            ("empty text", lambda folder: "", OSError),
            ("None", lambda folder: None, TypeError),
            ("a number", lambda folder: 3.5, TypeError),
        ]
    ),
)
def test_paths_without_a_file(make, error, read, tmp_path, check):
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with check.refused(error, ""):
        read(make(tmp_path))


# ---------------------------------------------------------------------------- evidence in files


def with_row_names():
    """As R's write.table writes it: the header lacks the column of row names."""
    return b"TF\ttarget\tpeak\n" + b"".join(
        f'"{i}"\t"{tf}"\t"{gene}"\t{peak}\n'.encode()
        for i, (tf, gene, peak) in enumerate(TABLE.itertuples(index=False), 1)
    )


SAME_EVIDENCE = [
    ("byte-order mark and CRLF", BOM + as_csv(lineterminator="\r\n")),
    ("tabs in a csv", as_csv(sep="\t")),
    ("semicolons", as_csv(sep=";")),
    ("everything quoted", as_csv(quoting=1)),
    ("blank lines", b"\n\n" + as_csv().replace(b"\n", b"\n\n") + b"\n"),
    ("no last line end", as_csv().rstrip(b"\n")),
    ("spaces everywhere", as_csv().replace(b",", b" , ").replace(b"\n", b" \n")),
    ("quoted delimiters elsewhere", as_csv(TABLE.assign(note='a,b "c"\nd;e\tf'))),
    ("trailing delimiters", as_csv().replace(b"\n", b",,\n")),
    ("trailing delimiters without a header",
     as_csv().replace(b"\n", b",\n").replace(b"peak,", b"peak")),
    ("empty rows", as_csv() + b",,\n,,\n"),
    ("comments", b"# from ENCODE, with commas\n%,\n" + as_csv() + b"! the end\n"),
    ("commented rows", as_csv() + b"#MYC,ACTB,1\n"),
    ("a comment as header", b"#" + as_csv()),
    ("Excel's separator line", b"sep=;\n" + as_csv(sep=";")),
    ("UTF-16", as_csv().decode().encode("utf-16")),
    ("files joined", as_csv() + BOM + as_csv()),
    ("row numbers of pandas", TABLE.to_csv().encode()),
    ("column names in other spellings", as_csv().replace(b"TF,target,peak", b"tf,Target, PEAK")),
    ("stray quotation marks", as_csv().replace(b"CDK4", "\u201cCDK4\u201d".encode())),
    ("yes and no", as_csv(TABLE.replace({"peak": {0: "No", 1: "Yes"}}))),
    ("T and F", as_csv(TABLE.replace({"peak": {0: "F", 1: "T"}}))),
    ("bound and unbound", as_csv(TABLE.replace({"peak": {0: "unbound", 1: "bound"}}))),
    ("decimal commas", as_csv(TABLE.astype({"peak": float}), sep=";", decimal=",")),
    ("species", as_csv(TABLE.assign(TF=TABLE["TF"] + " (human)"))),
    ("true and false", as_csv(TABLE.assign(peak=TABLE["peak"] == 1))),
    ("TRUE and FALSE", as_csv(TABLE.replace({"peak": {0: "FALSE", 1: "TRUE"}}))),
    ("0.0 and 1.0", as_csv(TABLE.astype({"peak": float}))),
    ("rows repeated", as_csv(pd.concat([TABLE, TABLE[::-1]]))),
    ("other columns, other order", as_csv(TABLE.assign(x=0.5)[["x", *TABLE.columns[::-1]]])),
    ("dynamo's names", as_csv(TABLE.set_axis(["id", "linked_gene_name", "peak"], axis=1))),
    ("other columns twice", b"x,x," + as_csv().replace(b"\n", b"\n1,2,").removesuffix(b"1,2,")),
    ("R's row names", with_row_names()),
    ("two gzip members", gzip.compress(as_csv()[:20]) + gzip.compress(as_csv()[20:])),
    ("parquet", as_parquet(TABLE)),
    ("parquet of categories and booleans",
     as_parquet(TABLE.astype({"TF": "category", "target": "category", "peak": bool}))),
    ("parquet of nullable types",
     as_parquet(TABLE.astype({"TF": "string", "target": "string", "peak": "Int8"}))),
]  # fmt: skip


@pytest.mark.parametrize("content", cases(SAME_EVIDENCE))
def test_evidence_in_all_dialects(content, tmp_path, check):
    with check.few_warnings():
        assert pairs(BindingReference.read(write(tmp_path, content))) == EXPECTED


def test_names_that_other_programs_change(tmp_path):
    names = ["TRUE", "MARCH1", "sep-1", "007", "1e5", "α", "=1+1", "1"]
    table = pd.DataFrame({"TF": names, "target": names[::-1], "peak": [0, 1] * 4})
    reference = BindingReference.read(write(tmp_path, as_csv(table)))
    assert list(reference.tfs) == names
    assert list(reference.genes) == names[::-1]


def lines(*rows):
    return "\n".join(rows).encode()


NO_TF = "has no column for TF"
WRONG_EVIDENCE = [
    ("empty", b"", "is empty; it should hold"),
    ("byte-order mark only", BOM, "is empty"),
    ("blank lines", b"\r\n \r\n", "is empty"),
    ("header only", b"TF,target,peak\n", "0 tested pairs"),
    ("wrong columns", b"regulator,gene,peak\nMYC,NCL,1\n", "no column for TF; found 'regulator'"),
    ("no header", b"MYC,CDK4,1\nMYC,NCL,0\n", "for TF and target; found 'MYC', 'CDK4', '1'"),
    ("no target", b"TF,peak\nMYC,1\n", "has no column for target; found 'TF', 'peak'"),
    ("pipes", as_csv(sep="|"), NO_TF),
    ("spaces as delimiter", as_csv(sep=" "), NO_TF),
    ("comments only", b"# from ENCODE\n", NO_TF),
    ("another order below", as_csv() + as_csv(TABLE[["target", "TF", "peak"]]),
     "line 7 has the columns of the header in another order"),
    ("quotation marks around rows", as_csv() + b'MYC,"NCL,1\nMYC,ACTB,0\nE2F1,NCL",0\n',
     "line 7 has a quotation mark that is closed in line 9 only"),
    ("Peak and peak", lines("TF,target,peak,Peak", "MYC,NCL,1,2"), "2 columns called 'peak'"),
    ("TF twice", lines("TF,target,TF,peak", "MYC,NCL,E2F1,1"), "has 2 columns called 'TF'; rename"),
    ("peak twice", lines("TF,target,peak, peak", "MYC,NCL,1,0"), "has 2 columns called 'peak'"),
    ("more fields than the header", lines("TF,target,peak", "MYC,NCL,1,x", "E2F1,NCL,0,x"),
     "has more fields in its rows than in its header"),
    ("two fields more in some rows", as_csv() + b"MYC,NCL,1,2,3\n", "is not a table"),
    ("an open quote", as_csv() + b'MYC,"NCL,1\n', "is not a table"),
    ("a peak missing", as_csv() + b"MYC,NCL\n", "Column 'peak' must hold 0/1"),
    ("a peak empty", as_csv() + b"MYC,NCL,\n", "Column 'peak' must hold 0/1"),
    ("peaks counted", lines("TF,target,peak", "MYC,NCL,3", "MYC,CDK4,0"), "'peak' must.*found '3'"),
    ("scores as peaks", lines("TF,target,peak", "MYC,NCL,0.7", "MYC,CDK4,0"), "found '0.7'"),
    ("all with a peak", as_csv(TABLE.assign(peak=1)), "one class only.*all with a peak"),
    ("none with a peak", as_csv(TABLE.assign(peak=0)), "one class only.*all without a peak"),
    ("edges without others", b"TF,target\nMYC,NCL\n", "one class only.*`genes`"),
    ("latin-1", "TF,target\nM\xfcC,NCL\n".encode("latin-1"), "is not UTF-8 text"),
    ("UTF-16 without its mark", as_csv().decode().encode("utf-16-be"), "is not UTF-8 text"),
    ("binary", bytes(range(256)), "is not UTF-8 text"),
    ("bzip2", bz2.compress(as_csv()), "is not UTF-8 text"),
    ("xz", lzma.compress(as_csv()), "is not UTF-8 text"),
    ("gzip cut off", gzip.compress(as_csv() * 50)[:-9], "is a damaged gzip file"),
    ("gzip of nothing", gzip.compress(b""), "is empty"),
    ("gzip of binary", gzip.compress(bytes(100)), "is not UTF-8 text"),
    ("parquet cut off", as_parquet(TABLE)[:-20], "is a damaged parquet file.*get it again"),
    ("parquet changed inside", as_parquet(TABLE)[:40] + bytes(60) + as_parquet(TABLE)[100:],
     ""),
    ("parquet of other columns", as_parquet(TABLE.set_axis(list("abc"), axis=1)), NO_TF),
    ("parquet without TFs", as_parquet(TABLE.assign(TF=None)),
     r"no row has usable names \(no TF: 5 \(rows 0, 1, 2 and 2 more\)\)"),
    ("parquet with a peak missing",
     as_parquet(TABLE.astype({"peak": "Int8"}).replace({"peak": {0: pd.NA}})), "'peak' must hold"),
    ("parquet of lists", as_parquet(TABLE.assign(TF=[["MYC"]] * 5)), "Column 'TF' must hold names"),
    ("a web page", b"<!DOCTYPE html>\n<html><body>404</body></html>\n", NO_TF),
    ("JSON", b'[{"TF": "MYC", "target": "NCL", "peak": 1}]\n', NO_TF),
]  # fmt: skip


@pytest.mark.parametrize(("content", "message"), cases(WRONG_EVIDENCE))
def test_files_without_evidence(content, message, tmp_path, check):
    with check.refused(ValueError, rf"(?s)evidence\.csv.*{message}"):
        BindingReference.read(write(tmp_path, content))


def test_zip_archives_are_rejected(tmp_path, check):
    with zipfile.ZipFile(tmp_path / "evidence.csv", "w") as file:
        file.writestr("peaks.csv", as_csv())
    with check.refused(ValueError, "is not UTF-8 text"):
        BindingReference.read(tmp_path / "evidence.csv")


# ---------------------------------------------------------------------------- gene sets

GMT = "MYC_K562\t\tCDK4\tNCL\nE2F1_HELA\tnote\tACTB\n"
GMT_PAIRS = {
    ("MYC", "CDK4"): True, ("MYC", "NCL"): True, ("MYC", "ACTB"): False,
    ("E2F1", "CDK4"): False, ("E2F1", "NCL"): False, ("E2F1", "ACTB"): True,
}  # fmt: skip
SAME_SETS = [
    ("byte-order mark and CRLF", BOM + GMT.replace("\n", "\r\n").encode()),
    ("CR", GMT.replace("\n", "\r").encode()),
    ("weights", GMT.replace("CDK4", "CDK4,1.0").replace("NCL", "NCL,0.5").encode()),
    ("spaces", GMT.replace("CDK4", " CDK4 ").replace("MYC", "  MYC").encode()),
    ("trailing tabs and blank lines", GMT.replace("\n", "\t\t\t\n\n").encode()),
    ("genes repeated", GMT.replace("CDK4", "CDK4\tCDK4").encode()),
    ("a set without genes", (GMT + "NKX2_X\tnote\n").encode()),
    ("gzip", gzip.compress(GMT.encode())),
]


@pytest.mark.parametrize("content", cases(SAME_SETS))
def test_gene_sets_in_all_dialects(content, tmp_path, check):
    with check.few_warnings():
        assert pairs(BindingReference.read(write(tmp_path, content, "x.gmt"))) == GMT_PAIRS


WRONG_SETS = [
    ("empty", b"", "is empty"),
    ("commas instead of tabs", GMT.replace("\t", ",").encode(), "holds no gene set.*tabs"),
    ("spaces instead of tabs", GMT.replace("\t", " ").encode(), "holds no gene set"),
    ("sets without genes", b"MYC_K562\tnote\nE2F1\n", "holds no gene set"),
    ("a table", as_csv(), "holds no gene set"),
    (
        "sets without a name",
        b"\tnote\tCDK4\tNCL\n_K562\tnote\tACTB\n",
        r"no row has usable names \(no TF: 3 \(lines 1, 2\)\)",
    ),
    ("one set", b"MYC_K562\tnote\tCDK4\tNCL\n", "one class only"),
    ("latin-1", "M\xfcC_K562\t\tNCL\n".encode("latin-1"), "is not UTF-8 text"),
    ("binary", bytes(range(256)), "is not UTF-8 text"),
    ("gzip cut off", gzip.compress(GMT.encode() * 50)[:-9], "is a damaged gzip file"),
]


@pytest.mark.parametrize(("content", "message"), cases(WRONG_SETS))
def test_files_without_gene_sets(content, message, tmp_path, check):
    with check.refused(ValueError, rf"(?s)sets\.gmt.*{message}"):
        BindingReference.read(write(tmp_path, content, "sets.gmt"))


# ---------------------------------------------------------------------------- evidence in memory

SAME_TABLES = [
    ("categories", TABLE.astype("category")),
    ("nullable types", TABLE.convert_dtypes()),
    ("Arrow types", TABLE.convert_dtypes(dtype_backend="pyarrow")),
    ("peaks as text", TABLE.astype({"peak": str})),
    ("peaks as truth values", TABLE.astype({"peak": bool})),
    ("peaks as objects", TABLE.astype({"peak": object})),
    ("index of one name", TABLE.set_axis(["x"] * 5, axis=0)),
    ("two levels of rows", TABLE.set_axis(pd.MultiIndex.from_product([["x"], range(5)]), axis=0)),
    ("a column of numbers as name", TABLE.assign(**{"3": 1}).rename(columns={"3": 3})),
]


@pytest.mark.parametrize("table", cases(SAME_TABLES))
def test_tables_of_all_types(table, check):
    before = table.copy(deep=True)
    with check.few_warnings():
        assert pairs(BindingReference.from_table(table)) == EXPECTED
    pd.testing.assert_frame_equal(table, before)


def test_numbers_as_names_become_text():
    table = pd.DataFrame({"TF": [1, 2], "target": [1.5, 2.5], "peak": [0, 1]})
    assert pairs(BindingReference.from_table(table)) == {("1", "1.5"): False, ("2", "2.5"): True}


WRONG_TABLES = [
    ("dictionary", TABLE.to_dict("list"), TypeError, "`table` must be a pandas.*got dict"),
    ("array", TABLE.to_numpy(), TypeError, "`table` must be a pandas DataFrame.*got ndarray"),
    ("path", "peaks.csv", TypeError, "got str. Files are for `BindingReference.read`"),
    ("None", None, TypeError, "`table` must be a pandas DataFrame.*got NoneType"),
    ("no rows", TABLE[:0], ValueError, "0 tested pairs"),
    ("no columns", pd.DataFrame(), ValueError, "`table` has no column for TF and target"),
    ("TF twice", TABLE.assign(x="y").rename(columns={"x": "TF"}), ValueError,
     "`table` has 2 columns called 'TF'"),
    ("peak twice", pd.concat([TABLE, TABLE[["peak"]]], axis=1), ValueError,
     "`table` has 2 columns called 'peak'"),
    ("two levels of columns", pd.concat({"a": TABLE}, axis=1), ValueError, "no column for TF"),
    ("no TFs", TABLE.assign(TF=np.nan), ValueError, r"`table`: no row has usable names \(no TF: 5"),
    ("no targets", TABLE.assign(target="NA"), ValueError, "no row has usable names"),
    ("lists as names", TABLE.assign(target=[["NCL"]] * 5), ValueError, "'target' must hold names"),
    ("lists as peaks", TABLE.assign(peak=[[1]] * 5), ValueError, "'peak' must hold 0/1"),
    ("NaN as peak", TABLE.assign(peak=[1, 0, np.nan, 1, 0]), ValueError, "'peak' must hold 0/1"),
    ("2 as peak", TABLE.assign(peak=[1, 0, 2, 1, 0]), ValueError, "'peak' must.*found 2"),
    ("dates as peak", TABLE.assign(peak=pd.Timestamp("2020")), ValueError, "'peak' must hold 0/1"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "error", "message"), cases(WRONG_TABLES))
def test_invalid_tables(table, error, message, check):
    with check.refused(error, message):
        BindingReference.from_table(table)


WRONG_UNIVERSES = [
    ("text", "CDK4", TypeError, "`genes` must be a collection of names, got str"),
    ("bytes", b"CDK4", TypeError, "`genes` must be a collection of names, got bytes"),
    ("table", TABLE, TypeError, "`genes`.*got DataFrame; of a table pass one column"),
    ("two dimensions", np.array([["CDK4"]]), TypeError, "`genes`.*got ndarray"),
    ("empty", [], ValueError, "No target of the evidence is in the universe `genes`"),
    (
        "other names",
        ["cdk4", "gapdh"],
        ValueError,
        "No target of the evidence is in the universe.*letter case",
    ),
    ("NaN among names", ["CDK4", "X", np.nan], ValueError, "`genes` lacks a name in 1 of 3"),
    ("None among names", ["CDK4", "X", None], ValueError, "`genes` lacks a name in 1 of 3"),
]


@pytest.mark.parametrize(("genes", "error", "message"), cases(WRONG_UNIVERSES))
def test_invalid_universes(genes, error, message, tmp_path, check):
    with check.refused(error, message):
        BindingReference.from_edges(EDGES, genes)
    with check.refused(error, "`genes`"):
        BindingReference.read(write(tmp_path, as_csv(EDGES)), genes)


TF_NAMES, GENE_NAMES = ["MYC", "E2F1"], ["CDK4", "NCL", "ACTB"]
STATUS = np.array([[2, 1, 0], [1, 2, 1]], np.int8)


@pytest.mark.parametrize(
    "status",
    cases(
        [
            ("lists", STATUS.tolist()),
            ("float64", STATUS.astype(float)),
            ("uint64", STATUS.astype(np.uint64)),
            ("Fortran order", np.asfortranarray(STATUS)),
            ("frame", pd.DataFrame(STATUS)),
            ("masked array without masks", np.ma.array(STATUS)),
        ]
    ),
)
def test_status_of_all_types(status, check):
    with check.few_warnings():
        reference = BindingReference(TF_NAMES, GENE_NAMES, status)
    np.testing.assert_array_equal(reference.status, STATUS)
    assert reference.status.dtype == np.int8


WRONG_FIELDS = [
    ("status that wraps around", {"status": STATUS.astype(int) + 256}, ValueError,
     "`status` must hold 0, 1 and 2"),
    ("status of fractions", {"status": STATUS + 0.5}, ValueError, "`status` must hold 0, 1 and 2"),
    ("status with NaN", {"status": np.where(STATUS, STATUS, np.nan)}, ValueError, "`status`.*nan"),
    ("status with 3", {"status": STATUS + 1}, ValueError, "`status` must hold.*from 1 to 3"),
    ("negative status", {"status": -STATUS}, ValueError, "`status` must hold.*from -2 to 0"),
    ("status of words", {"status": STATUS.astype(str)}, TypeError, "`status` must be a dense"),
    ("sparse status", {"status": sp.csr_matrix(STATUS)}, TypeError, "`status` must.*csr_matrix"),
    ("masked status", {"status": np.ma.masked_equal(STATUS, 0)}, TypeError, "`status` must be a"),
    ("no status", {"status": None}, TypeError, "`status` must be a dense array.*NoneType"),
    ("transposed status", {"status": STATUS.T}, ValueError, r"shape \(n_tfs, n_genes\) = \(2, 3\)"),
    ("flat status", {"status": STATUS.ravel()}, ValueError, r"= \(2, 3\)"),
    ("TFs twice", {"tfs": ["MYC", "MYC"]}, ValueError, "`tfs` must hold each name once"),
    ("numbers as TFs", {"tfs": [1, 2]}, ValueError, "`tfs` must be a list of names"),
    ("NaN as gene", {"genes": ["CDK4", "NCL", np.nan]}, ValueError, "`genes` must be a list of"),
    ("empty gene", {"genes": ["CDK4", "NCL", ""]}, ValueError, "`genes` must be a list of names"),
    ("text as TFs", {"tfs": "MYC"}, ValueError, "`tfs` must be a list of names"),
    ("no TFs", {"tfs": None}, ValueError, "`tfs` must be a list of names"),
    ("lists as genes", {"genes": [["CDK4"], ["NCL"], ["ACTB"]]}, ValueError, "`genes` must be"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "error", "message"), cases(WRONG_FIELDS))
def test_invalid_references(fields, error, message, check):
    with check.refused(error, message):
        BindingReference(**{"tfs": TF_NAMES, "genes": GENE_NAMES, "status": STATUS, **fields})


# ---------------------------------------------------------------------------- links

TARGETS = [f"G{i}" for i in range(40)]
EVIDENCE = BindingReference.from_edges(
    pd.DataFrame({"TF": ["MYC"] * 10 + ["E2F1"], "target": [*TARGETS[:10], "G39"]}), TARGETS
)
LINKS = pd.DataFrame(
    {
        "TF": ["MYC"] * 8 + ["E2F1", "SOX2"],
        "target": [*TARGETS[:7], "G30", "G0", "G1"],
        "coef": [0.5, -0.25, 0.125, 1.0, -2.0, 0.5, 0.5, 0.5, 0.5, 0.5],
        "r2": 0.5,
        "lambda_": 0.1,
    }
)


def kept(links, **params):
    return EncodeLinkFilter(EVIDENCE, **params).fit_transform(links)


SAME_LINKS = [
    ("categories as names", LINKS.astype({"TF": "category", "target": "category"})),
    ("nullable types", LINKS.convert_dtypes()),
    ("Arrow types", LINKS.convert_dtypes(dtype_backend="pyarrow")),
    ("coefficients in float32", LINKS.astype({"coef": np.float32})),
    ("coefficients in float16", LINKS.assign(coef=LINKS["coef"].astype(np.float16))),
    ("index of one name", LINKS.set_axis(["x"] * 10, axis=0)),
    ("evidence columns already there", LINKS.assign(chip_p=np.nan, chip_peak="old")),
]


@pytest.mark.parametrize("links", cases(SAME_LINKS))
def test_links_of_all_types(links, check):
    before = links.copy(deep=True)
    with check.few_warnings():
        found, expected = kept(links), kept(LINKS)
    assert found["TF"].astype(str).tolist() == expected["TF"].tolist() != []
    assert found["target"].astype(str).tolist() == expected["target"].tolist()
    np.testing.assert_allclose(found["coef"].astype(float), expected["coef"], rtol=1e-3)
    for column in ("chip_peak", "chip_odds_ratio", "chip_p", "chip_q"):
        np.testing.assert_array_equal(found[column], expected[column])
        assert not found[column].isna().any()
    pd.testing.assert_frame_equal(links, before)


@pytest.mark.parametrize("coef", [1e308, -1e308, 5e-324, np.finfo(np.float64).max])
def test_links_of_extreme_coefficients(coef, check):
    with check.few_warnings():
        found = kept(LINKS.assign(coef=coef), coef_threshold=0)
    assert found["TF"].tolist() == ["MYC"] * 8
    assert np.isfinite(found["chip_p"]).all()


WRONG_LINKS = [
    ("array", LINKS.to_numpy(), TypeError, "expects `links` as a pandas DataFrame.*got ndarray"),
    ("dictionary", LINKS.to_dict("list"), TypeError, "expects `links`.*got dict"),
    ("None", None, TypeError, "expects `links`.*got NoneType"),
    ("column", LINKS["coef"], TypeError, "expects `links`.*got Series"),
    ("no columns", pd.DataFrame(), ValueError, r"`links` lacks the column\(s\) TF, target, coef"),
    ("dynamo's columns", LINKS.rename(columns={"TF": "id", "coef": "corcoef"}), ValueError,
     r"lacks the column\(s\) TF, coef; found id"),
    ("two levels of columns", pd.concat({"a": LINKS}, axis=1), ValueError, "lacks the column"),
    ("coef twice", pd.concat([LINKS, LINKS[["coef"]]], axis=1), ValueError,
     "`links` has 2 columns called 'coef'; rename"),
    ("TF twice", pd.concat([LINKS, LINKS[["TF"]]], axis=1), ValueError, "2 columns called 'TF'"),
    ("NaN as coefficient", LINKS.assign(coef=[1.0] * 9 + [np.nan]), ValueError, "finite numbers"),
    ("infinity as coefficient", LINKS.assign(coef=np.inf), ValueError, "finite numbers"),
    ("NA as coefficient", LINKS.assign(coef=pd.array([1.0] * 9 + [None], "Float64")), ValueError,
     "column `coef` of `links` must hold finite numbers"),
    ("text as coefficient", LINKS.assign(coef="0.5"), ValueError, "`coef` of `links` must hold"),
    ("objects as coefficient", LINKS.assign(coef=[{}] * len(LINKS)), ValueError, "`coef` of"),
    ("complex coefficients", LINKS.assign(coef=0.5j), ValueError, "`coef` of `links` must hold"),
    ("dates as coefficient", LINKS.assign(coef=pd.Timestamp("2020")), ValueError, "`coef` of"),
    ("NaN as TF", LINKS.replace({"TF": {"MYC": np.nan}}), ValueError, "`TF` of `links` has rows"),
    ("None as target", LINKS.replace({"target": {"G0": None}}), ValueError, "`target` of `links`"),
    ("empty TF", LINKS.replace({"TF": {"MYC": ""}}), ValueError, "`TF` of `links` has rows"),
    ("lists as TF", LINKS.assign(TF=[["MYC"]] * 10), (ValueError, TypeError), "TF"),
    ("lower-case TFs", LINKS.assign(TF=LINKS["TF"].str.lower()), ValueError, "letter case"),
    ("unknown targets", LINKS.assign(target="X1"), ValueError, "No target of `links` is in the"),
]  # fmt: skip


@pytest.mark.parametrize(("links", "error", "message"), cases(WRONG_LINKS))
def test_invalid_links(links, error, message, check):
    with check.refused(error, "(?s)" + message):
        kept(links)


WRONG_FILTERS = [
    ("reference: number", {"reference": 3}, "'reference' parameter"),
    ("reference: dictionary", {"reference": {"TF": ["MYC"]}}, "'reference' parameter"),
    ("reference: None", {"reference": None}, "'reference' parameter"),
    (
        "reference: other columns",
        {"reference": LINKS[["coef"]]},
        "`reference` has no column for TF",
    ),
    ("coef_threshold: NaN", {"coef_threshold": np.nan}, "'coef_threshold' parameter"),
    ("coef_threshold: text", {"coef_threshold": "0.04"}, "'coef_threshold' parameter"),
    ("q_threshold: 5 per cent", {"q_threshold": 5}, "'q_threshold' parameter"),
    ("correction: other case", {"correction": "Holm"}, "'correction' parameter"),
    ("tested_targets: number", {"universe": "tested", "tested_targets": 3}, "'tested_targets'"),
    ("tested_targets: text", {"universe": "tested", "tested_targets": "CDK4"}, "'tested_targets'"),
    ("tested_targets: others", {"universe": "tested", "tested_targets": ["X"]}, "`tested_targets`"),
    ("tested_targets: NaN", {"universe": "tested", "tested_targets": [np.nan]}, "`tested_targets`"),
]


@pytest.mark.parametrize(("params", "message"), cases(WRONG_FILTERS))
def test_invalid_filters(params, message, check):
    with check.refused(ValueError, message):
        EncodeLinkFilter(**{"reference": EVIDENCE, **params}).fit(LINKS)


# ---------------------------------------------------------------------------- hypothesis


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    separator=st.sampled_from([",", ";", "\t"]),
    newline=st.sampled_from(["\n", "\r\n", "\r"]),
    bom=st.booleans(),
    quoting=st.sampled_from([0, 1, 2]),
    order=st.permutations(["TF", "target", "peak", "note"]),
    packed=st.booleans(),
    notes=st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), max_size=6),
        min_size=5,
        max_size=5,
    ),
)
def test_any_dialect(
    separator, newline, bom, quoting, order, packed, notes, tmp_path_factory, check
):
    """All delimiters, line ends and quotes give the same evidence, with any text in a column."""
    table = TABLE.assign(note=notes)[order]
    text = table.to_csv(index=False, sep=separator, quoting=quoting).replace("\n", newline)
    content = (BOM if bom else b"") + text.encode()
    path = write(tmp_path_factory.mktemp("dialect"), gzip.compress(content) if packed else content)
    with check.few_warnings():
        assert pairs(BindingReference.read(path)) == EXPECTED
        if quoting:  # plain lists cannot hold notes that look like quotes
            assert read_tf_names(path) == ["MYC", "E2F1", "NKX2-1"]


@settings(max_examples=50, deadline=None, derandomize=True)
@given(content=st.binary(max_size=60), start=st.sampled_from([b"", BOM, b"TF\n", b"TF,target\n"]))
def test_any_bytes(content, start, tmp_path_factory, check):
    """Any content gives names, or an error with the path."""
    path = write(tmp_path_factory.mktemp("bytes"), start + content)
    with check.few_warnings():
        names, message = try_read(read_tf_names, path)
        assert all(name.strip() and "\0" not in name for name in names or [])
        assert names or str(path) in message
        reference, message = try_read(BindingReference.read, path)
        assert reference or str(path) in message


@settings(max_examples=50, deadline=None, derandomize=True)
@given(data=st.data())
def test_any_damage(data, tmp_path_factory, check):
    """Changed bytes and truncated files give another reference or an error with the path."""
    content = bytearray(data.draw(st.sampled_from([as_csv(), gzip.compress(as_csv(), mtime=0),
                                                   as_parquet(TABLE)])))  # fmt: skip
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    stop = data.draw(st.sampled_from([len(content), len(content) // 2, len(content) - 3]))
    path = write(tmp_path_factory.mktemp("damage"), bytes(content[:stop]))
    with check.few_warnings():
        reference, message = try_read(BindingReference.read, path)
    assert reference or str(path) in message


def try_read(read, path):
    """Return the result and no message, or None and the message of the ValueError."""
    try:
        return read(path), ""
    except ValueError as error:
        return None, str(error)
