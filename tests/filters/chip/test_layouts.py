"""Evidence in the layouts of its sources: columns of TFs and targets, rows of evidence."""

import gzip

import numpy as np
import pandas as pd
import pytest

from scifate_sklearn.filters import BindingReference

# Two TFs, three genes; all files below hold the same evidence.
PEAKS = {("MYC", "CDK4"), ("MYC", "NCL"), ("E2F1", "CDK4"), ("E2F1", "MCM2")}
OTHERS = {("MYC", "MCM2"), ("E2F1", "NCL")}

HARMONIZOME = (
    "source\tsource_desc\tsource_id\ttarget\ttarget_desc\ttarget_id\tweight\n"
    "GeneSym\tNA\tGeneID\tGeneSym\tNA\tGeneID\tBinary\n"
    "CDK4\tna\t1019\tMYC\tna\t4609\t1.000000\n"
    "CDK4\tna\t1019\tE2F1\tna\t1869\t1.000000\n"
    "NCL\tna\t4691\tMYC\tna\t4609\t1.000000\n"
    "MCM2\tna\t4171\tE2F1\tna\t1869\t1.000000\n"
)
# As R's write.csv writes dorothea_hs.
DOROTHEA_R = (
    '"","tf","confidence","target","mor"\n"1","MYC","A","CDK4",1\n"2","MYC","D","NCL",1\n'
    '"3","E2F1","A","CDK4",1\n"4","E2F1","B","MCM2",-1\n'
)
DOROTHEA = (
    "source,confidence,target,weight\nMYC,A,CDK4,1.0\nMYC,D,NCL,0.25\nE2F1,A,CDK4,1.0\n"
    "E2F1,B,MCM2,-0.5\n"
)
COLLECTRI = (
    "source,target,weight,resources,references,sign_decision\n"
    "MYC,CDK4,1,ExTRI;HTRI;TRRUST,10022128;10491298,PMID\n"
    "MYC,NCL,1,ExTRI,11069302,default activation\n"
    "E2F1,CDK4,1,CytReg;ExTRI,9342394,PMID\nE2F1,MCM2,-1,TRRUST,9822659,PMID\n"
)
TRRUST = (
    "MYC\tCDK4\tActivation\t10688915\nMYC\tNCL\tUnknown\t11069302;15574777;15774462\n"
    "E2F1\tCDK4\tRepression\t9342394;10022128\nE2F1\tMCM2\tActivation\t9822659\n"
)
SOURCES = {
    "Harmonizome": HARMONIZOME,
    "Harmonizome, second header cut off": HARMONIZOME.replace(
        HARMONIZOME.splitlines(keepends=True)[1], ""
    ),
    "DoRothEA from R": DOROTHEA_R,
    "DoRothEA from decoupler": DOROTHEA,
    "CollecTRI": COLLECTRI,
    "CollecTRI as on Zenodo": COLLECTRI.replace("sign_decision", "sign.decision"),
    "decoupler's least": "source,target,weight\nMYC,CDK4,1\nMYC,NCL,1\nE2F1,CDK4,1\nE2F1,MCM2,1\n",
    "TRRUST": TRRUST,
    "TRRUST with a header": f"TF\tgene_symbol\tinteraction\tposition\n{TRRUST}",
    "dynamo": "id\tlinked_gene_name\tpeak\nMYC\tCDK4\t1\nMYC\tNCL\t1\nMYC\tMCM2\t0\n"
    "E2F1\tCDK4\t1\nE2F1\tMCM2\t1\nE2F1\tNCL\t0\n",
    "gene sets": "MYC_K562_hg19\t\tCDK4\tNCL\nE2F1_HELA_hg19\t\tCDK4\tMCM2\n",
}


def write(folder, text, name="evidence.txt"):
    raw = text.encode()
    (folder / name).write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    return folder / name


def pairs(reference, status):
    return {
        (reference.tfs[i], reference.genes[j])
        for i, j in zip(*np.nonzero(reference.status == status), strict=True)
    }


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("source", SOURCES)
def test_all_sources_give_the_same_reference(tmp_path, source, ending):
    kind = "gmt" if source == "gene sets" else "txt"
    path = write(tmp_path, SOURCES[source], f"gene_attribute_edges.{kind}{ending}")
    reference = BindingReference.read(path)
    assert pairs(reference, 2) == PEAKS
    assert pairs(reference, 1) == OTHERS


def test_line_ends_and_byte_order_marks(tmp_path):
    for text in (HARMONIZOME, TRRUST, COLLECTRI):
        path = write(tmp_path, "\ufeff" + text.replace("\n", "\r\n"))
        assert pairs(BindingReference.read(path), 2) == PEAKS


def test_tables_in_memory_equal_files(tmp_path):
    table = pd.read_csv(write(tmp_path, HARMONIZOME), sep="\t")
    assert pairs(BindingReference.from_edges(table), 2) == PEAKS
    assert table["source"].iloc[0] == "GeneSym"
    table = pd.read_csv(write(tmp_path, DOROTHEA))
    assert pairs(BindingReference.from_edges(table, confidence={"A", "B"}), 2) == PEAKS - {
        ("MYC", "NCL")
    }


@pytest.mark.parametrize("text", [DOROTHEA, DOROTHEA_R])
def test_confidence_of_dorothea(tmp_path, text):
    path = write(tmp_path, text)
    genes = ["CDK4", "NCL", "MCM2", "ACTB"]
    for levels, left_out in [
        (("A", "B", "D"), set()),
        (["A", "B"], {("MYC", "NCL")}),
        (("A",), {("MYC", "NCL"), ("E2F1", "MCM2")}),
    ]:
        reference = BindingReference.read(path, genes, confidence=levels)
        assert pairs(reference, 2) == PEAKS - left_out
        assert reference.n_tested == 8


def test_confidence_of_tested_pairs():
    table = pd.DataFrame(
        {"TF": "MYC", "target": list("abc"), "peak": [1, 0, 1], "confidence": list("AAB")}
    )
    assert BindingReference.from_table(table, confidence=["A"]).n_peaks == 1
    assert BindingReference.from_table(table).n_peaks == 2


@pytest.mark.parametrize(
    ("confidence", "error", "message"),
    [
        ("AB", TypeError, r"must be a collection of levels such as \('A', 'B'\), got 'AB'"),
        (3, TypeError, "must be a collection of levels"),
        (("A", "Z"), ValueError, r"must hold values of .*got \['A', 'Z'\]; found 'A'"),
        ((), ValueError, "must hold values of"),
    ],
)
def test_wrong_confidence(tmp_path, confidence, error, message):
    with pytest.raises(error, match=message):
        BindingReference.read(write(tmp_path, DOROTHEA), confidence=confidence)


def test_confidence_where_there_is_none(tmp_path):
    with pytest.raises(ValueError, match=r"evidence\.txt.* no column 'confidence'"):
        BindingReference.read(write(tmp_path, COLLECTRI), confidence=["A"])
    path = write(tmp_path, SOURCES["gene sets"], "sets.gmt")
    with pytest.raises(ValueError, match=r"does not apply to gene sets .*sets\.gmt"):
        BindingReference.read(path, confidence=["A"])


@pytest.mark.parametrize(
    "header",
    [
        "source,target",
        "source,target,peak",
        "source,target,source_id,target_id,weight",
        "source,target,source_desc,weight",
        "source,target,id",
        "source,target,id,weight",
    ],
)
def test_ambiguous_sources_are_rejected(tmp_path, header):
    path = write(tmp_path, header + "\n" + ",".join("a" * (header.count(",") + 1)))
    with pytest.raises(ValueError, match=r"evidence\.txt has the columns 'source' and .*Rename"):
        BindingReference.read(path)


def test_harmonizome_with_the_columns_of_decoupler_is_rejected():
    table = pd.DataFrame(
        {"source": [f"G{i}" for i in range(60)], "target": ["MYC", "E2F1"] * 30, "weight": 1}
    )
    with pytest.raises(ValueError, match=r"60 names in 'source'.*only 2 in 'target'.*Rename"):
        BindingReference.from_edges(table)
    turned = table.rename(columns={"source": "target", "target": "source"})
    assert sorted(BindingReference.from_edges(turned).tfs) == ["E2F1", "MYC"]


def test_a_column_of_tfs_resolves_the_ambiguity():
    edges = pd.DataFrame(sorted(PEAKS), columns=["TF", "target"])
    for name in ("TF", "tf"):
        table = edges.rename(columns={"TF": name}).assign(source="ENCODE", id=range(4))
        assert pairs(BindingReference.from_edges(table), 2) == PEAKS
    table = edges.set_axis(["id", "linked_gene_name"], axis=1).assign(source="ENCODE")
    assert pairs(BindingReference.from_edges(table), 2) == PEAKS


def test_repeated_columns(tmp_path):
    for header in (
        "source,source,target,weight",
        "tf,tf,target",
        "tf,target,confidence,confidence",
    ):
        path = write(tmp_path, header + "\n" + ",".join("a" * (header.count(",") + 1)))
        with pytest.raises(ValueError, match="2 columns called"):
            BindingReference.read(path)
    path = write(tmp_path, "TF,target,source,source\nMYC,NCL,1,2\nE2F1,CDK4,1,2\n")
    assert BindingReference.read(path).n_peaks == 2


@pytest.mark.parametrize("species", ["human", "mouse"])
def test_trrust_with_and_without_its_header(shared, tmp_path, species):
    path = shared / "data" / "trrust" / f"trrust_rawdata.{species}.tsv"
    header, _, body = path.read_text().partition("\n")
    assert header.split("\t") == ["TF", "gene_symbol", "interaction", "position"]
    ours, original = BindingReference.read(path), BindingReference.read(write(tmp_path, body))
    np.testing.assert_array_equal(ours.tfs, original.tfs)
    np.testing.assert_array_equal(ours.genes, original.genes)
    np.testing.assert_array_equal(ours.status, original.status)


def test_real_edges_in_the_layout_of_harmonizome(shared, tmp_path):
    path = shared / "data" / "encode_enrichr" / "encode2015_edges_mouse.csv.gz"
    edges = pd.read_csv(path, keep_default_na=False)
    table = pd.DataFrame(
        {
            "source": ["GeneSym", *edges["target"]], "source_desc": ["NA"] + ["na"] * len(edges),
            "source_id": ["GeneID"] + [1] * len(edges), "target": ["GeneSym", *edges["TF"]],
            "target_desc": ["NA"] + ["na"] * len(edges), "target_id": ["GeneID"] + [1] * len(edges),
            "weight": ["Binary"] + [1.0] * len(edges),
        }
    )  # fmt: skip
    again = write(tmp_path, table.to_csv(sep="\t", index=False), "gene_attribute_edges.txt.gz")
    ours, theirs = BindingReference.read(path), BindingReference.read(again)
    np.testing.assert_array_equal(ours.tfs, theirs.tfs)
    np.testing.assert_array_equal(ours.genes, theirs.genes)
    np.testing.assert_array_equal(ours.status, theirs.status)
