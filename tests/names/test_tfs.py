"""TF names: lists and tables of their sources, validation, and matching."""

import gzip

import numpy as np
import pandas as pd
import pytest

from scifate_sklearn.names import match_tfs, read_tf_names

SYMBOLS = np.array(["Pax6", "Sox9", "Actb", "NKX2-1"], dtype=object)

ANIMAL_TFDB = (
    "Species\tSymbol\tEnsembl\tFamily\tProtein\tEntrez_ID\n"
    "Mus_musculus\tPax6\tENSMUSG00000027168\tPAX\tENSMUSP00000087870;ENSMUSP00000106707;\t18508\n"
    "Mus_musculus\t\tENSMUSG00000095139\tzf-C2H2\tENSMUSP00000136571;\tNA\n"
    "Mus_musculus\tNkx2-1\tENSMUSG00000001496\tHomeobox\tENSMUSP00000001536;\t21869\n"
    "Mus_musculus\tPax6\tENSMUSG00000000001\tPAX\tENSMUSP00000000001;\t18508\n"
)
LAMBERT = (
    ",Ensembl ID,HGNC symbol,DBD,Is TF?,TF assessment,Binding mode,Motif status,Final Notes\n"
    "0,ENSG00000137203,TFAP2A,AP-2,Yes,Known motif,1 Monomer or homomultimer,High-throughput,\n"
    '1,ENSG00000116819,TFAP2E,AP-2,Yes,Known motif,"2, or ""obligate""","In, vitro","Two\n'
    'lines, and a comma"\n'
    "2,ENSG00000173253,AADAT,Unknown,No,Unlikely,3 Low specificity DNA-binding protein,No motif,\n"
    "3,ENSG00000136352,NKX2-1,Homeodomain,Yes,Known motif,1 Monomer,High-throughput,\n"
)
CISTARGET = (
    "#motif_id\tmotif_name\tmotif_description\tsource_name\tsource_version\tgene_name\t"
    "motif_similarity_qvalue\tsimilar_motif_id\tsimilar_motif_description\torthologous_identity\t"
    "orthologous_gene_name\torthologous_species\tdescription\n"
    "bergman__Abd-B\tAbd-B\tAbd-B\tbergman\t1.1\tHOXA9\t0\tNone\tNone\t0.6\tFBgn0000015\t"
    "D. melanogaster\tgene is orthologous to FBgn0000015\n"
    "bergman__Su_H_\tSu_H_\tSu(H)\tbergman\t1.1\tRBPJ\t0\tNone\tNone\t0.8\tFBgn0004837\t"
    "D. melanogaster\tgene is orthologous to FBgn0004837\n"
)
RCISTARGET = (
    "motif,TF,directAnnotation,inferred_Orthology,inferred_MotifSimil,annotationSource\n"
    "bergman__Abd-B,HOXA9,False,True,False,inferredBy_Orthology\n"
    "bergman__Su_H_,RBPJ,False,True,False,inferredBy_Orthology\n"
)
LISTS = {
    "AnimalTFDB": (ANIMAL_TFDB, ["Pax6", "Nkx2-1"]),
    "AnimalTFDB, as csv": (ANIMAL_TFDB.replace("\t", ","), ["Pax6", "Nkx2-1"]),
    "Lambert": (LAMBERT, ["TFAP2A", "TFAP2E", "NKX2-1"]),
    "Lambert, names only": ("AC008770.3\nAC023509.3\nADNP\n", ["AC008770.3", "AC023509.3", "ADNP"]),
    "cisTarget": (CISTARGET, ["HOXA9", "RBPJ"]),
    "RcisTarget": (RCISTARGET, ["HOXA9", "RBPJ"]),
    "a name of two lines": ('TF,n\n"Pax\n6",1\n', ["Pax\n6"]),
    "a gene in a list": ("Symbol\nPax6\n", ["Symbol", "Pax6"]),
}


def write(folder, text, packed=False):
    raw = text.encode()
    (folder / "tfs").write_bytes(gzip.compress(raw) if packed else raw)
    return folder / "tfs"


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("source", LISTS)
def test_known_sources(tmp_path, source, newline, packed):
    text, expected = LISTS[source]
    assert read_tf_names(write(tmp_path, text.replace("\n", newline), packed)) == expected


@pytest.mark.parametrize(
    ("text", "column", "expected"),
    [
        (ANIMAL_TFDB, "Ensembl", 4),
        (ANIMAL_TFDB, "Family", ["PAX", "zf-C2H2", "Homeobox"]),
        (LAMBERT, "Ensembl ID", ["ENSG00000137203", "ENSG00000116819", "ENSG00000136352"]),
        ("gene;regulator\nINS;PAX6\nGCG;ARX\n", "regulator", ["PAX6", "ARX"]),
        ("regulator\nPAX6\n", "regulator", ["PAX6"]),
    ],
)
def test_a_column_by_name(tmp_path, text, column, expected):
    names = read_tf_names(write(tmp_path, text), column=column)
    assert (len(names) if isinstance(expected, int) else names) == expected


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        (ANIMAL_TFDB, "TF", r"tfs has no column 'TF' \(found 'Species', 'Symbol', .*\)"),
        ("a,a\nx,y\n", "a", "has 2 columns called 'a'; rename all but one"),
        (
            ANIMAL_TFDB.replace("Symbol", "Name"),
            None,
            "no column 'TF' .*Pass the name of the column .*`column`",
        ),
        (LAMBERT.replace("Yes", "No"), None, "holds no TF name"),
        ("", "TF", r"has no column 'TF' \(found none\)"),
    ],
)
def test_tables_without_tfs(tmp_path, text, column, message):
    with pytest.raises(ValueError, match=message):
        read_tf_names(write(tmp_path, text), column=column)


@pytest.mark.parametrize("make", [list, tuple, set, pd.Series, pd.Index, iter, np.array])
def test_exact_match_in_the_order_of_the_genes(make):
    found = match_tfs(make(["NKX2-1", "Pax6", "Pax6", "Foo"]), SYMBOLS)
    np.testing.assert_array_equal(found, [True, False, False, True])


def test_nothing_but_exact_matches():
    np.testing.assert_array_equal(
        match_tfs(["Pax6", "sox9", "NKX2.1", "Actb "], SYMBOLS), [True, False, False, False]
    )


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
    # Without an extension, as in a download from figshare.
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


@pytest.mark.slow
def test_real_lists_of_tfs(shared):
    folder = shared / "data" / "rcistarget_tf"
    for species, n_tfs in (("hgnc", 1605), ("mgi", 1412)):
        names = read_tf_names(folder / f"TF_{species}.txt")
        assert len(names) == n_tfs
        assert set(names) == set(read_tf_names(folder / f"motifAnnotations_{species}.csv.gz"))
    assert "NKX2-1" in read_tf_names(folder / "TF_hgnc.txt")


def test_a_list_of_other_names():
    with pytest.raises(
        ValueError,
        match=r"None of the 1 names in `tf_names` is among the 4 gene names .*case: advice$",
    ):
        match_tfs(["PAX6"], SYMBOLS, hint=lambda cause: f"{cause}: advice")


def test_reserved_names():
    assert match_tfs(["Pax6"], SYMBOLS, reserved=["Sox9"]).tolist() == [True, False, False, False]
    with pytest.raises(ValueError, match="The TF 'Pax6' has the name of a covariate"):
        match_tfs(["Pax6"], SYMBOLS, reserved=["Pax6"])


def test_arrow_arrays():
    pa = pytest.importorskip("pyarrow")
    genes = np.array(["A", "C", "B"], dtype=object)
    for names in (pa.array(["A", "B"]), pa.chunked_array([["A"], ["B"]])):
        assert match_tfs(names, genes).tolist() == [True, False, True]
    with pytest.raises(TypeError, match=r"must be strings, found others \(None"):
        match_tfs(pa.array(["A", None]), genes)
