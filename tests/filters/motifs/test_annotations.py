import gzip

import numpy as np
import pandas as pd
import pytest

from scifate_sklearn.filters import read_motif_annotations
from scifate_sklearn.filters.motifs._annotations import normalize_annotations

RCISTARGET = """motif,TF,directAnnotation,inferred_Orthology,inferred_MotifSimil,annotationSource
m1,MYC,True,False,False,directAnnotation
m1,NKX2-1,False,True,False,inferredBy_Orthology
m2,MYC,False,False,True,inferredBy_MotifSimilarity
m2,NAC1,False,True,True,inferredBy_MotifSimilarity_n_Orthology
m1,MYC,False,False,True,inferredBy_MotifSimilarity
m3,MARCH1,False,False,False,
"""
HEADER = (
    "#motif_id\tmotif_name\tmotif_description\tsource_name\tsource_version\tgene_name\t"
    "motif_similarity_qvalue\tsimilar_motif_id\tsimilar_motif_description\t"
    "orthologous_identity\torthologous_gene_name\torthologous_species\tdescription"
)
TBL = "\n".join(
    [
        HEADER,
        "m1\tm1\tm1\tjaspar\t2016\tMYC\t0\tNone\tNone\t1\tNone\tNone\tgene is directly annotated",
        "m1\tm1\tm1\tbergman\t1.1\tNKX2-1\t0\tNone\tNone\t0.21\tFBgn0005694\tD. melanogaster\t"
        "motif is annotated for orthologous gene FBgn0005694 in D. melanogaster (identity = 21%)",
        'm2\tm2\tHOXA6[gene ID: "ENSG0"; it\'s]\tcisbp\t1\tMYC\t0.0006\tcisbp__M1008\tx\t1\tNone\t'
        "None\tmotif similar to cisbp__M1008 ('x'; q-value = 0.0006) which is directly annotated",
        'm2\tm2\tm2\tbergman\t1.1\tNAC1\t0.0006\tcisbp__M1008\tx; "y"\t0.98\tENSM1\tM. musculus\t'
        "gene is orthologous to ENSMUSG1 in M. musculus (identity = 98%) which is annotated for "
        "similar motif cisbp__M1008 ('x'; q-value = 0.0006)",
        "m1\tm1\tm1\tjaspar\t2016\tMYC\t0.1\tcisbp__M1008\tx\t1\tNone\tNone\tmotif similar to it",
    ]
)
EXPECTED = [
    ("m1", "MYC", "high"),
    ("m1", "NKX2-1", "high"),
    ("m2", "MYC", "low"),
    ("m2", "NAC1", "low"),
]


def rows(table):
    assert list(table.columns) == ["motif", "TF", "confidence"]
    assert list(table.index) == list(range(len(table)))
    return list(table.itertuples(index=False, name=None))


@pytest.mark.parametrize("text", [RCISTARGET, TBL], ids=["rcistarget", "tbl"])
@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_files(tmp_path, text, compress):
    path = tmp_path / "annotations"
    path.write_bytes(compress(text.encode()))
    assert rows(read_motif_annotations(path)) == EXPECTED


@pytest.mark.parametrize(
    "columns",
    [
        ["motif", "TF", "annotationSource"],
        ["motif", "TF", "directAnnotation", "inferred_Orthology", "inferred_MotifSimil"],
    ],
)
def test_columns_of_rcistarget(tmp_path, columns):
    path = tmp_path / "annotations.csv"
    path.write_text(RCISTARGET)
    table = pd.read_csv(path, keep_default_na=False)[columns]
    assert rows(normalize_annotations(table)) == EXPECTED
    if "inferred_Orthology" in columns:
        in_r = table.replace({True: "TRUE", False: "FALSE"})
        assert rows(normalize_annotations(in_r)) == EXPECTED


@pytest.mark.parametrize(
    "columns",
    [
        HEADER.split("\t"),
        ["#motif_id", "gene_name", "description"],
        ["#motif_id", "gene_name", "motif_similarity_qvalue", "similar_motif_id", "description"],
    ],
)
@pytest.mark.parametrize("options", [{"keep_default_na": False}, {"na_values": ["None"]}])
def test_columns_of_tbl(tmp_path, columns, options):
    path = tmp_path / "motifs.tbl"
    path.write_text(TBL)
    table = pd.read_csv(path, sep="\t", **options)[columns]
    assert rows(normalize_annotations(table)) == EXPECTED


def test_plain_tables():
    plain = pd.DataFrame({"TF": ["B", "A", "B"], "motif": ["m", "m", "m"], "other": 1})
    assert rows(normalize_annotations(plain)) == [("m", "A", "high"), ("m", "B", "high")]
    sure = plain.assign(confidence=["low", "low", "high"])
    assert rows(normalize_annotations(sure)) == [("m", "A", "low"), ("m", "B", "high")]
    assert rows(normalize_annotations(normalize_annotations(sure))) == rows(
        normalize_annotations(sure)
    )
    assert rows(normalize_annotations(plain[:0])) == []
    assert list(plain.columns) == ["TF", "motif", "other"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns="TF"), r"but has 0 for 'TF'; found 'motif', 'confidence'"),
        (lambda t: t.rename(columns={"motif": "id"}), "but has 0 for 'motif'"),
        (lambda t: t.assign(gene_name="A"), "but has 2 for 'TF'"),
        (lambda t: t.assign(confidence="sure"), "must hold 'high' and 'low', found 'sure'"),
        (lambda t: t.assign(confidence=np.nan), "must hold 'high' and 'low', found nan"),
        (lambda t: t.assign(TF=None), r"no row has usable names \(no TF: 2 \(rows 0, 1\)\)"),
    ],
)
def test_bad_tables(change, message):
    table = pd.DataFrame({"motif": ["m", "n"], "TF": ["A", "B"], "confidence": "high"})
    with pytest.raises(ValueError, match=message):
        normalize_annotations(change(table))


def test_bad_flags(tmp_path):
    path = tmp_path / "annotations.csv"
    path.write_text(RCISTARGET.replace("True", "perhaps", 1))
    with pytest.raises(ValueError, match=r"csv: .*'directAnnotation' must hold 0/1.*\(line 2\)"):
        read_motif_annotations(path)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("motif,TF,TF", "but has 2 for 'TF'; found 'motif', 'TF', 'TF'"),
        ("motif, motif,TF", "but has 2 for 'motif'"),
        ("motif,TF,gene_name", "but has 2 for 'TF'"),
        ("motif,TF,confidence,confidence", "has 2 columns called 'confidence'; rename all but one"),
    ],
)
def test_repeated_columns(tmp_path, header, message):
    path = tmp_path / "annotations.csv"
    path.write_text(f"{header}\nm,A,high,high\n")
    with pytest.raises(ValueError, match=rf"annotations\.csv .*{message}"):
        read_motif_annotations(path)


@pytest.mark.parametrize("given", [3, ["m"], {"motif": ["m"]}])
def test_no_table(given):
    with pytest.raises(TypeError, match="`annotations` must be a pandas DataFrame or the path"):
        normalize_annotations(given)


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no file"):
        read_motif_annotations(tmp_path / "absent.tbl")


@pytest.mark.slow
@pytest.mark.parametrize("species", ["hgnc", "mgi"])
def test_real_tables(shared, species):
    path = shared / "data" / "rcistarget_tf" / f"motifAnnotations_{species}.csv.gz"
    table = read_motif_annotations(path)
    given = pd.read_csv(path, keep_default_na=False)
    pairs = given.drop_duplicates(["motif", "TF"])
    assert len(table) == len(pairs)
    names = (path.parent / f"TF_{species}.txt").read_text().split()
    assert set(table["TF"]) == set(names)
    direct = given["annotationSource"].isin(["directAnnotation", "inferredBy_Orthology"])
    high = given[direct].drop_duplicates(["motif", "TF"])
    assert (table["confidence"] == "high").sum() == len(high)
