import copy
import gzip
import pickle
import sys

import numpy as np
import pandas as pd
import pytest

from scifate_sklearn.filters import BindingReference
from scifate_sklearn.filters.chip._reference import as_reference
from scifate_sklearn.names import read_tf_names

TABLE = pd.DataFrame(
    {
        "TF": ["MYC", "MYC", "MYC", "NKX2-1", "NKX2-1"],
        "target": ["CDK4", "NCL", "NCK1", "CDK4", "ACTB"],
        "peak": [1, 0, 1, 0, 1],
    }
)
DYNAMO = TABLE.set_axis(["id", "linked_gene_name", "peak"], axis=1)
EDGES = TABLE.loc[TABLE["peak"] == 1, ["TF", "target"]]


def as_dict(reference):
    """Return {(TF, gene): peak} of the tested pairs."""
    return {
        (reference.tfs[i], reference.genes[j]): bool(reference.status[i, j] == 2)
        for i, j in zip(*np.nonzero(reference.status), strict=True)
    }


def expected_pairs(table=TABLE):
    return {(tf, gene): bool(peak) for tf, gene, peak in table.itertuples(index=False)}


@pytest.mark.parametrize("table", [TABLE, DYNAMO, TABLE.astype({"peak": bool}), TABLE.astype(str)])
def test_from_table(table):
    before = table.copy()
    reference = BindingReference.from_table(table)
    assert as_dict(reference) == expected_pairs()
    assert (reference.n_tested, reference.n_peaks) == (5, 3)
    pd.testing.assert_frame_equal(table, before)


def test_from_table_of_categories():
    table = TABLE.astype({"TF": "category", "target": "category"})
    assert as_dict(BindingReference.from_table(table)) == expected_pairs()


def test_duplicates_have_a_peak_if_any_row_has():
    twice = pd.concat([TABLE, TABLE.assign(peak=0), TABLE.iloc[[1]].assign(peak=1)])
    expected = expected_pairs() | {("MYC", "NCL"): True}
    assert as_dict(BindingReference.from_table(twice)) == expected
    assert as_dict(BindingReference.from_table(twice[::-1])) == expected


def test_from_edges_counts_all_other_genes_as_unbound():
    reference = BindingReference.from_edges(EDGES)
    assert sorted(reference.genes) == ["ACTB", "CDK4", "NCK1"]
    assert reference.n_tested == 6
    assert {pair for pair, peak in as_dict(reference).items() if peak} == set(
        EDGES.itertuples(index=False, name=None)
    )


def test_from_edges_with_a_universe_leaves_other_genes_out():
    reference = BindingReference.from_edges(EDGES, genes=iter(["CDK4", "GAPDH", "CDK4"]))
    assert as_dict(reference) == {
        ("MYC", "CDK4"): True,
        ("MYC", "GAPDH"): False,
        ("NKX2-1", "CDK4"): False,
        ("NKX2-1", "GAPDH"): False,
    }


def test_universe_of_other_names_states_the_cause():
    with pytest.raises(
        ValueError, match=r"No target of the evidence is in the universe `genes`.*letter case"
    ):
        BindingReference.from_edges(EDGES, genes=["Cdk4", "Gapdh"])


@pytest.mark.parametrize("peak", [0, 1])
def test_one_class_only(peak):
    with pytest.raises(ValueError, match="reference with one class only"):
        BindingReference.from_table(TABLE.assign(peak=peak))
    with pytest.raises(ValueError, match="one class only"):
        BindingReference.from_edges(EDGES.iloc[:1])


def test_empty_table():
    with pytest.raises(ValueError, match="0 tested pairs"):
        BindingReference.from_table(TABLE.iloc[:0])


@pytest.mark.parametrize("bad", [2, "maybe", None, -1, 0.5, "NA", "-"])
def test_peak_must_be_a_flag(bad):
    table = TABLE.astype({"peak": object})
    table.loc[2, "peak"] = bad
    with pytest.raises(ValueError, match=r"Column 'peak' must hold 0/1.*\(row 2\)"):
        BindingReference.from_table(table)


@pytest.mark.parametrize("bad", ["", None, np.nan])
@pytest.mark.parametrize("column", ["TF", "target"])
def test_missing_names(column, bad):
    table = TABLE.copy()
    table.loc[3, column] = bad
    with pytest.warns(UserWarning, match=rf"1 of 5 rows are not used \(no {column}: 1 \(row 3\)\)"):
        reference = BindingReference.from_table(table)
    assert as_dict(reference) == expected_pairs(TABLE.drop(index=3))
    assert (reference.rows.n_rows, reference.rows.n_used) == (5, 4)


def test_wrong_columns():
    with pytest.raises(ValueError, match="no column for target; found 'TF', 'symbol', 'peak'"):
        BindingReference.from_table(TABLE.rename(columns={"target": "symbol"}))
    with pytest.raises(ValueError, match="`table` has no column 'peak'"):
        BindingReference.from_table(EDGES)


def test_constructor_checks_its_arguments():
    status = np.array([[1, 2]], dtype=np.int8)
    with pytest.raises(ValueError, match="`genes` must hold each name once"):
        BindingReference(["A"], ["x", "x"], status)
    with pytest.raises(ValueError, match=r"shape \(n_tfs, n_genes\) = \(1, 3\)"):
        BindingReference(["A"], ["x", "y", "z"], status)
    with pytest.raises(ValueError, match="values from 1 to 3"):
        BindingReference(["A"], ["x", "y"], status + (status == 2))


def test_immutable():
    status = np.array([[1, 2]], dtype=np.int8)
    reference = BindingReference(["A"], ["x", "y"], status)
    with pytest.raises(AttributeError):
        reference.tfs = ["B"]
    for array in (reference.tfs, reference.genes, reference.status):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = array[0]
    assert status.flags.writeable


def test_pickle_and_copies():
    reference = BindingReference.from_table(TABLE)
    assert copy.deepcopy(reference) is reference
    again = pickle.loads(pickle.dumps(reference))
    assert as_dict(again) == expected_pairs()
    assert not again.status.flags.writeable


def test_repr():
    text = repr(BindingReference.from_table(TABLE))
    assert text == "BindingReference(2 TFs × 4 genes: 5 tested pairs, 3 with a peak)"


@pytest.mark.parametrize("compress", [lambda raw: raw, gzip.compress])
def test_gene_sets_are_detected_from_their_content(tmp_path, compress):
    """Enrichr's files are called ``*.txt``."""
    gmt, text = tmp_path / "sets.gmt", tmp_path / "ENCODE_TF_ChIP.txt"
    gmt.write_text(GMT)
    text.write_bytes(compress(GMT.encode()))
    expected, found = BindingReference.from_gmt(gmt), BindingReference.read(text)
    assert as_dict(found) == as_dict(expected)


@pytest.mark.parametrize("kind", ["edges", "table", "gmt"])
def test_names_are_harmonized_before_the_universe_is_applied(tmp_path, kind):
    """Otherwise nearly all evidence would be dropped silently."""
    genes = ["Cdk4", "Ncl", "Actb", "Gapdh"]
    table = pd.DataFrame({"TF": "MYC", "target": ["CDK4", "NCL", "OTHER"]})
    if kind == "table":
        table = table.assign(peak=[1, 0, 1])
    path = tmp_path / f"evidence.{'gmt' if kind == 'gmt' else 'csv'}"
    if kind == "gmt":
        path.write_text("MYC_K562\t\tCDK4\tNCL\tOTHER\n")
    else:
        table.to_csv(path, index=False)
    with pytest.raises(ValueError, match=r'is in the universe.*Use `harmonize="case"`'):
        BindingReference.read(path, genes)
    found = BindingReference.read(path, genes, harmonize="case")
    bound = set(found.genes[found.status[0] == 2])
    assert bound == ({"Cdk4"} if kind == "table" else {"Cdk4", "Ncl"})
    assert len(found.genes) == (2 if kind == "table" else 4)


def test_map_names_by_callable_and_mapping():
    reference = BindingReference.from_table(TABLE)
    lower = expected_pairs(
        TABLE.assign(TF=TABLE["TF"].str.lower(), target=TABLE["target"].str.lower())
    )
    assert as_dict(reference.map_names(str.lower)) == lower
    renamed = reference.map_names({"MYC": "Myc"})
    assert as_dict(renamed) == expected_pairs(TABLE.replace({"MYC": "Myc"}))
    assert as_dict(reference) == expected_pairs()


def test_map_names_unites_and_drops():
    more = pd.DataFrame({"TF": ["TP53"], "target": ["CDK4"], "peak": [0]})
    reference = BindingReference.from_table(pd.concat([TABLE, more]))
    united = reference.map_names({"NKX2-1": "MYC", "ACTB": "NCL", "NCK1": "NCL"})
    assert as_dict(united) == {
        ("MYC", "CDK4"): True,
        ("MYC", "NCL"): True,
        ("TP53", "CDK4"): False,
    }
    kept = reference.map_names({"MYC": "Myc", "CDK4": "Cdk4", "NCL": "Ncl"}.get)
    assert as_dict(kept) == {("Myc", "Cdk4"): True, ("Myc", "Ncl"): False}
    with pytest.raises(ValueError, match="none left"):
        reference.map_names(lambda name: None)


@pytest.mark.parametrize("separator", [",", "\t", ";"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("name", ["peaks.csv", "peaks.tsv.gz", "peaks.txt"])
def test_read_text_in_all_dialects(tmp_path, separator, newline, bom, name):
    text = DYNAMO.to_csv(index=False, sep=separator).replace("\n", newline)
    raw = bom + text.encode()
    path = tmp_path / name
    path.write_bytes(gzip.compress(raw) if name.endswith("gz") else raw)
    assert as_dict(BindingReference.read(path)) == expected_pairs()


def test_read_edges_and_universe(tmp_path):
    path = tmp_path / "edges.tsv"
    EDGES.assign(n_experiments=1).to_csv(path, index=False)
    assert as_dict(BindingReference.read(str(path))) == as_dict(BindingReference.from_edges(EDGES))
    assert BindingReference.read(path, genes=["CDK4", "GAPDH"]).n_tested == 4
    with pytest.raises(
        ValueError, match=r"edges\.tsv: No target of the evidence is in the universe"
    ):
        BindingReference.read(path, genes=["G1"])


def test_read_table_restricted_to_a_universe(tmp_path):
    path = tmp_path / "peaks.csv"
    TABLE.to_csv(path, index=False)
    reference = BindingReference.read(path, genes=iter(["CDK4", "GAPDH"]))
    assert as_dict(reference) == {("MYC", "CDK4"): True, ("NKX2-1", "CDK4"): False}


def test_read_parquet(tmp_path):
    path = tmp_path / "peaks.parquet"
    TABLE.to_parquet(path)
    assert as_dict(BindingReference.read(path)) == expected_pairs()


def test_parquet_without_pyarrow(tmp_path, monkeypatch):
    path = tmp_path / "peaks.parquet"
    TABLE.to_parquet(path)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match="pip install pyarrow"):
        BindingReference.read(path)


GMT = (
    "MYC_K562_HG19\t\tCDK4,1.0\tNCL\t\nMYC_HELA_HG19\tnote\tACTB\nE2F1_K562_HG19\t\tCDK4\n"
    "EMPTY_K562\t\t\n\n"
)


@pytest.mark.parametrize("name", ["sets.gmt", "sets.GMT.gz"])
def test_gmt(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(gzip.compress(GMT.encode()) if name.endswith("gz") else GMT.encode())
    for reference in (BindingReference.from_gmt(path), BindingReference.read(path)):
        assert list(reference.tfs) == ["MYC", "E2F1"]
        assert list(reference.genes) == ["CDK4", "NCL", "ACTB"]
        np.testing.assert_array_equal(reference.status, [[2, 2, 2], [2, 1, 1]])


def test_gmt_with_other_set_names_and_a_universe(tmp_path):
    path = tmp_path / "sets.gmt"
    path.write_text(GMT)

    def k562_only(name):
        tf, cell = name.split("_")[:2]
        return tf if cell == "K562" else None

    reference = BindingReference.from_gmt(path, ["CDK4", "NCL", "GAPDH"], tf_of_set=k562_only)
    np.testing.assert_array_equal(reference.status, [[2, 2, 1], [2, 1, 1]])
    with pytest.raises(ValueError, match="holds no gene set"):
        BindingReference.from_gmt(path, tf_of_set=lambda name: None)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"PK\x03\x04\x00\x00binary", "is not UTF-8 text"),
        ("TF,target\nM\xfcc,x".encode("latin-1"), "is not UTF-8 text"),
        (gzip.compress(b"TF,target\nA,x\n" * 99, mtime=0)[:-12], "is a damaged gzip file"),
        (b"\x1f\x8b not gzip", "is a damaged gzip file"),
        (b"PAR1 not parquet", "is a damaged parquet file"),
        (b"factor,gene\nMYC,NCL\n", "no column for TF; found 'factor', 'gene'"),
        (b"TF\nMYC\n", "no column for target; found 'TF'"),
        (b"MYC_K562\tnote\tCDK4\tNCL\n", "Gene sets are for `BindingReference.from_gmt`"),
        (b"TF,target\nMYC,NCL,1,2\nA,b\nC,d,e,f,g\n", "is not a table"),
        (b"TF,target,peak\nMYC,NCL,maybe\n", "must hold 0/1 or False/True, found 'maybe'"),
        (b"TF,target,peak\nMYC,NCL,1\n", "one class only"),
        (b"TF,target,peak\n", "0 tested pairs"),
        (b"TF,target\nMYC,\n", r"no row has usable names \(no target: 1 \(line 2\)\)"),
    ],
)
def test_unusable_files_are_named_with_the_reason(tmp_path, content, message):
    path = tmp_path / "evidence.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        BindingReference.read(path)
    assert str(path) in str(caught.value)


def test_missing_file_and_folder(tmp_path):
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(FileNotFoundError, match=r"There is no file .*download a URL first"):
            BindingReference.read(path)


def test_as_reference(tmp_path):
    reference = BindingReference.from_table(TABLE)
    path = tmp_path / "peaks.csv"
    TABLE.to_csv(path, index=False)
    assert as_reference(reference) is reference
    for given in (TABLE, path, str(path)):
        assert as_dict(as_reference(given)) == expected_pairs()
    assert as_reference(EDGES).n_tested == 6
    with pytest.raises(TypeError, match="`reference` must be a BindingReference"):
        as_reference(3)


def test_800_tfs_and_20_000_genes_take_one_byte_per_pair():
    status = np.random.default_rng(0).integers(0, 3, (800, 20_000), dtype=np.int8)
    reference = BindingReference(
        [f"T{i}" for i in range(800)], [f"G{i}" for i in range(20_000)], status
    )
    assert reference.status.nbytes == 16_000_000
    assert np.shares_memory(reference.status, status)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "n_tfs", "n_peaks"),
    [
        ("encode_enrichr/encode2015_edges_human.csv.gz", 177, 614_313),
        ("encode_enrichr/encode2015_edges_mouse.csv.gz", 46, 154_947),
        # Without its target called [NULL].
        ("encode_enrichr/chea2015_edges_mouse.csv.gz", 149, 285_017),
        ("trrust/trrust_rawdata.human.tsv", 795, 8_427),
    ],
)
def test_real_edges(shared, file, n_tfs, n_peaks):
    reference = BindingReference.read(shared / "data" / file)
    assert (len(reference.tfs), reference.n_peaks) == (n_tfs, n_peaks)
    assert reference.n_tested == len(reference.tfs) * len(reference.genes)


@pytest.mark.parametrize("make", ["one line", "one line, compressed"])
def test_gene_sets_with_very_long_lines_are_refused(tmp_path, make):
    line = b"MYC\tx" + b"\tCDK4" * 4_000_000
    path = tmp_path / "sets.gmt"
    path.write_bytes(line if make == "one line" else gzip.compress(line, 1))
    with pytest.raises(ValueError, match=r"sets\.gmt has a line of more than 16,777,216 bytes"):
        BindingReference.from_gmt(path)


def test_a_parquet_file_that_expands_too_much_is_refused(tmp_path):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet

    column = pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, "int8"), 15_000_000), ["MYC"])
    table = pa.table({"TF": column, "target": column, "peak": column})
    pyarrow.parquet.write_table(table, tmp_path / "links.parquet")
    assert (tmp_path / "links.parquet").stat().st_size < 10**6
    with pytest.raises(ValueError, match="declares 15,000,000 rows of 3 columns, more than"):
        BindingReference.read(tmp_path / "links.parquet")


@pytest.mark.parametrize("name", ["NA", "nan", "None", "null", "N/A", "TRUE"])
def test_links_with_any_gene_name_are_read_back(tmp_path, name):
    links = pd.DataFrame({"TF": [name, "MYC"], "target": ["CDK4", name], "coef": [0.5, -0.5]})
    links.to_csv(tmp_path / "links.csv", index=False)
    reference = BindingReference.read(tmp_path / "links.csv")
    assert set(reference.tfs) == {name, "MYC"}
    assert set(reference.genes) == {"CDK4", name}
    assert read_tf_names(tmp_path / "links.csv") == [name, "MYC"]


@pytest.mark.parametrize("columns", [["TF", "target"], ["TF", "target", "peak"]])
def test_references_of_too_many_pairs_take_no_memory(tmp_path, columns):
    n_links = 40_000
    table = pd.DataFrame({"TF": np.arange(n_links).astype(str), "peak": 1})
    table["target"] = "g" + table["TF"]
    table[columns].to_csv(tmp_path / "links.csv", index=False)
    with pytest.raises(ValueError, match=r"links\.csv: a reference of 40,000 TFs and 40,000 genes"):
        BindingReference.read(tmp_path / "links.csv")


def test_with_universe():
    edges = pd.DataFrame({"TF": ["A", "A", "B"], "target": ["g1", "out", "g2"]})
    genes = ["g3", "g2", "g1", "g4"]
    found = BindingReference.from_edges(edges).with_universe(genes)
    expected = BindingReference.from_edges(edges, genes)
    assert list(found.genes) == genes
    order = [genes.index(name) for name in expected.genes]
    np.testing.assert_array_equal(found.status[:, order], expected.status)
    assert found.n_tested == 8
    assert found.n_peaks == 2
