"""TF names: matching, causes of mismatches, and files."""

import gzip

import numpy as np
import pandas as pd
import pytest

from scifate_sklearn.anndata_io import read_tf_names
from scifate_sklearn.anndata_io._names import gene_names, match_tfs

SYMBOLS = np.array(["Pax6", "Sox9", "Actb", "NKX2-1"], dtype=object)
IDS = np.array(["ENSMUSG00000027168.5", "ENSMUSG00000000567.3"], dtype=object)

PACKED = gzip.compress(b"Pax6\n" * 100, mtime=0)


@pytest.mark.parametrize("make", [list, tuple, set, pd.Series, pd.Index, iter, np.array])
def test_exact_match_in_the_order_of_the_genes(make):
    found = match_tfs(make(["NKX2-1", "Pax6", "Pax6", "Foo"]), SYMBOLS)
    np.testing.assert_array_equal(found, [True, False, False, True])


def test_nothing_but_exact_matches():
    np.testing.assert_array_equal(
        match_tfs(["Pax6", "sox9", "NKX2.1", "Actb "], SYMBOLS), [True, False, False, False]
    )


@pytest.mark.parametrize(
    ("tf_names", "names", "cause"),
    [
        (["PAX6", "SOX9"], SYMBOLS, "letter case is ignored.*the TF list of the cells' species"),
        (["Pax6", "Sox9"], IDS, "found in the gene names only.*Pass gene_symbols"),
        (list(IDS), SYMBOLS, "found in `tf_names` only.*Pass symbols of TFs"),
        (["ENSMUSG00000027168"], IDS, "match without the Ensembl versions"),
        (["ENSMUSG00000027168.7"], IDS, "match without the Ensembl versions"),
        (["ENSG00000007372"], IDS, "different species, 'ENSG' and 'ENSMUSG'"),
        (["Foo", "Bar"], SYMBOLS, "kind of identifier. gene_symbols may name a column"),
    ],
)
def test_no_match_shows_both_sides_and_the_cause(tf_names, names, cause):
    with pytest.raises(ValueError, match=cause) as error:
        match_tfs(tf_names, names)
    assert tf_names[0] in str(error.value)
    assert names[0] in str(error.value)


def test_at_most_five_examples():
    with pytest.raises(ValueError, match=r"`tf_names`: 'a0', 'a1', 'a2', 'a3', 'a4' and 4 more;"):
        match_tfs([f"a{i}" for i in range(9)], SYMBOLS)


@pytest.mark.parametrize(
    ("tf_names", "error", "message"),
    [
        ("Pax6", TypeError, r"got the string 'Pax6'; read a file with read_tf_names"),
        (["Pax6", np.nan], TypeError, r"found others \(nan\)"),
        ([], ValueError, "tf_names is empty"),
    ],
)
def test_bad_tf_names(tf_names, error, message):
    with pytest.raises(error, match=message):
        match_tfs(tf_names, SYMBOLS)


def test_gene_names_without_columns():
    var = pd.DataFrame(index=[1, 2])
    np.testing.assert_array_equal(gene_names(var, None), ["1", "2"])
    with pytest.raises(ValueError, match="There are: none"):
        gene_names(var, "symbol")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("Pax6\nSox9\n", ["Pax6", "Sox9"]),
        ("Pax6\r\nSox9\r\nPax6", ["Pax6", "Sox9"]),
        ("Pax6\rSox9\r", ["Pax6", "Sox9"]),
        ('"Pax6"\n\n "NKX2-1" \n', ["Pax6", "NKX2-1"]),
        ("\ufeffPax6\n", ["Pax6"]),
        ("TF\nPax6\nSox9\n", ["Pax6", "Sox9"]),
        ("motif,TF,direct\nm1,Pax6,True\nm2,Sox9,False\nm3,Pax6,True\n", ["Pax6", "Sox9"]),
        ('"motif"\t"TF"\n"m,1"\t"Pax6"\n', ["Pax6"]),
        ("motif\tTF\nm1\t\nm2\nm3\tSox9\n", ["Sox9"]),
    ],
)
@pytest.mark.parametrize("compress", [False, True])
def test_read_tf_names(tmp_path, content, expected, compress):
    raw = content.encode()
    # Without a telling extension, as a download from figshare comes.
    (tmp_path / "47439455").write_bytes(gzip.compress(raw) if compress else raw)
    assert read_tf_names(tmp_path / "47439455") == expected
    assert read_tf_names(str(tmp_path / "47439455")) == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no TF name"),
        (b"\n \n", "holds no TF name"),
        (b"TF\n", "holds no TF name"),
        (b"motif,gene\nm1,Pax6\n", r"has no column 'TF' \(found 'motif', 'gene'\)"),
        (b"\x89PNG\xff\xfe", "is not UTF-8 text"),
        (b"\x1f\x8bnonsense", "is a damaged gzip file"),
        (
            gzip.compress(b"Pax6\n" * 100, mtime=0)[:12] + b"\xff" * 20,
            "is a damaged gzip file",
        ),
        (gzip.compress(b"Pax6\n" * 100, mtime=0)[:-12], "is a damaged gzip file"),
    ],
)
def test_unreadable_tf_names(tmp_path, content, message):
    (tmp_path / "tfs").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_tf_names(tmp_path / "tfs")


def test_missing_file_of_tf_names(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_tf_names(tmp_path / "tfs")


def test_real_lists_of_tfs(shared):
    folder = shared / "data" / "rcistarget_tf"
    for species, n_tfs in (("hgnc", 1605), ("mgi", 1412)):
        names = read_tf_names(folder / f"TF_{species}.txt")
        assert len(names) == n_tfs
        assert set(names) == set(read_tf_names(folder / f"motifAnnotations_{species}.csv.gz"))
    assert "NKX2-1" in read_tf_names(folder / "TF_hgnc.txt")
