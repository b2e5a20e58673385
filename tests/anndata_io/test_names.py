"""TF names: matching, causes of mismatches, and files."""

import gzip

import numpy as np
import pandas as pd
import pytest

from scifate_sklearn.anndata_io._names import gene_names, keep_one_of_each, match_tfs, shared_names

SYMBOLS = np.array(["Pax6", "Sox9", "Actb", "NKX2-1"], dtype=object)
IDS = np.array(["ENSMUSG00000027168.5", "ENSMUSG00000000567.3"], dtype=object)

PACKED = gzip.compress(b"Pax6\n" * 100, mtime=0)


@pytest.mark.parametrize(
    ("tf_names", "names", "cause"),
    [
        (["PAX6", "SOX9"], SYMBOLS, "letter case is ignored.*the TF list of the cells' species"),
        (["Pax6", "Sox9"], IDS, "found in the gene names only.*Pass gene_symbols"),
        (list(IDS), SYMBOLS, "found in tf_names only.*Pass symbols of TFs"),
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
    with pytest.raises(
        ValueError, match=r"None of the 9 .*TFs: 'a0', 'a1', 'a2', 'a3', 'a4' and 4 more;"
    ):
        match_tfs([f"a{i}" for i in range(9)], SYMBOLS)


def test_gene_names_without_columns():
    var = pd.DataFrame(index=[1, 2])
    np.testing.assert_array_equal(gene_names(var, None), ["1", "2"])
    with pytest.raises(ValueError, match="There are: none"):
        gene_names(var, "symbol")


def test_genes_without_a_name_are_dropped():
    names = np.array(["A", "", "B", " ", "", "A"], dtype=object)
    shared = shared_names(names)
    np.testing.assert_array_equal(shared, [0, 5])
    with pytest.warns(UserWarning, match="gene columns were dropped") as found:
        keep = keep_one_of_each(names, shared, np.array([1.0, 2.0]), "total")
    np.testing.assert_array_equal(keep, [False, False, True, False, False, True])
    nameless, repeated = (str(each.message) for each in found)
    assert "3 of 6 gene columns were dropped because they have no name" in nameless
    assert "the first at position 1;" in nameless
    assert "1 of 6 gene columns were dropped because they share their name" in repeated
