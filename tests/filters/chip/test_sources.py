"""Files of SCENIC, SCENIC+, OmniPath and RegulonDB, and the directions of effects."""

import ast
import time
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scifate_sklearn.filters import BindingReference
from scifate_sklearn.filters.chip._scenic import parse_targets

HEADERS = ",,Enrichment,Enrichment,Enrichment\n,,AUC,Context,TargetGenes\nTF,MotifID,,,\n"
EREGULONS = (
    "Region\tGene\tTF\teRegulon_name\n"
    "chr1:1-5\tCDK4\tMYC\tMYC_direct_+/+\nchr1:7-9\tCDK4\tMYC\tMYC_direct_+/+\n"
    "chr1:1-5\tNCL\tMYC\tMYC_direct_-/+\nchr2:1-5\tMCM2\tE2F1\tE2F1_+_-\n"
)
OMNIPATH = (
    "source\ttarget\tsource_genesymbol\ttarget_genesymbol\tis_stimulation\tis_inhibition\ttype\t"
    "dorothea_level\n"
    "P01106\tP11802\tMYC\tCDK4\tTrue\tFalse\ttranscriptional\tA;D\n"
    "P01106\tQ9JMA7\tMYC\tCYP3A4; CYP3A5\tTrue\tTrue\ttranscriptional\tC\n"
    "COMPLEX:P01100_P05412\tP11802\tFOS_JUN\tCDK4\tFalse\tTrue\ttranscriptional\tB\n"
    "P01106\tP00001\tMYC\tNCL\tTrue\tFalse\tpost_translational\t\n"
)
REGULONDB = (
    "# Release: 13\n#\n1)regulatorId\t2)regulatorName\t3)RegulatorGeneName\t4)regulatedId\t"
    "5)regulatedName\t6)function\t7)confidenceLevel \n"
    "R1\tAraC\taraC\tG1\taraA\t+\tS \nR2\tIHF\tihfA, ihfB\tG2\taraB\t-\tW \n"
    "R2\tIHF\tihfA, ihfB\tG3\tcrp\t+-\tC \n"
)


def write(folder, text, name="evidence.tsv"):
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def bound(reference):
    return {
        (reference.tfs[i], reference.genes[j])
        for i, j in zip(*np.nonzero(reference.status == 2), strict=True)
    }


def scenic(rows):
    lines = (f'{tf},m,0.1,"frozenset({{\'{context}\'}})","{genes}"' for tf, context, genes in rows)
    return HEADERS + "".join(f"{line}\n" for line in lines)


@pytest.mark.parametrize(
    "name", ["pyscenic_regulons_2018.csv", "pyscenic_reg_current_column_order.csv"]
)
def test_scenic_motifs_equal_python_literals(shared, name):
    path = shared / "data" / "formats" / "ref_scenic" / name
    table = pd.read_csv(path, index_col=[0, 1], header=[0, 1], skipinitialspace=True)
    lists = table["Enrichment", "TargetGenes"].map(ast.literal_eval)
    expected = {(tf, gene) for (tf, _), genes in lists.items() for gene, _ in genes}
    assert bound(BindingReference.read(path)) == expected


def test_scenic_motifs_equal_its_gene_sets(shared):
    folder = shared / "data" / "formats" / "ref_scenic"
    found = BindingReference.read(folder / "pyscenic_regulons_2018.csv")
    assert bound(found) == bound(BindingReference.read(folder / "pyscenic_regulons.gmt"))


names = st.text(st.characters(codec="ascii", exclude_characters="\\\n\r"), min_size=1)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(names, st.floats()), min_size=1))
def test_scenic_lists_are_parsed_as_python_writes_them(tmp_path_factory, genes):
    usable = [pair for pair in genes if not ("'" in pair[0] and '"' in pair[0])]
    usable = [pair for pair in usable if pair[0].isprintable()]
    assert parse_targets(repr(usable), "here") == [name for name, _ in usable]
    as_numpy = [(name, np.float64(weight)) for name, weight in usable]
    assert parse_targets(repr(as_numpy), "here") == [name for name, _ in usable]


@pytest.mark.parametrize("start", ["[('A', ", "[('", "[", "[('A', 1.0), "])
@pytest.mark.parametrize("filling", ["1", "a", " ", "(", "1.0e", "'"])
def test_long_lists_are_refused_in_little_time(start, filling):
    started = time.perf_counter()
    with pytest.raises(ValueError, match="here: TargetGenes must be a list"):
        parse_targets(start + filling * 300_000 + "x", "here")
    # Quadratic patterns take minutes.
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('touch /tmp/x')",
        "[('A', 1.0), __import__('os')]",
        "[('A', 1.0)] + [('B', 1.0)]",
        "[('A', 1.0)",
        "('A', 1.0)",
        "[('A', 1e5**9)]",
        "['A']",
        "",
    ],
)
def test_other_text_in_lists_is_refused_with_its_line(tmp_path, text):
    rows = [("MYC", "activating", "[('CDK4', 1.0)]"), ("E2F1", "activating", text)]
    path = write(tmp_path, scenic(rows), "reg.csv")
    with pytest.raises(ValueError, match=r"reg.csv, line 5: TargetGenes must be a list"):
        BindingReference.read(path)


def test_scenic_contexts_are_directions(tmp_path):
    rows = [
        ("MYC", "activating", "[('CDK4', 1.0), ('NCL', 0.5)]"),
        ("MYC", "repressing", "[('MCM2', 1.0)]"),
    ]
    path = write(tmp_path, scenic(rows), "reg.csv")
    genes = ["CDK4", "NCL", "MCM2", "ACTB"]
    up, down = (BindingReference.read(path, genes, direction=each) for each in ("up", "down"))
    assert bound(up) == {("MYC", "CDK4"), ("MYC", "NCL")}
    assert bound(down) == {("MYC", "MCM2")}
    assert bound(BindingReference.read(path, genes)) == bound(up) | bound(down)
    assert down.rows.unused == {"other direction": 2}


@pytest.mark.parametrize("delimiter", ["\t", ","])
def test_adjacencies_without_a_header(tmp_path, delimiter):
    rows = ["MYC\tCDK4\t182.9", "MYC\tNCL\t1.5e-05", "E2F1\tCDK4\t0.25"]
    text = "\n".join(rows).replace("\t", delimiter)
    expected = {("MYC", "CDK4"), ("MYC", "NCL"), ("E2F1", "CDK4")}
    assert bound(BindingReference.read(write(tmp_path, text))) == expected


@pytest.mark.parametrize("value", ["1", "0", "1.0", "0.0", "12"])
def test_whole_numbers_without_a_header_may_be_flags(tmp_path, value):
    path = write(tmp_path, f"MYC\tCDK4\t{value}\nMYC\tNCL\t0\n")
    with pytest.raises(ValueError, match="no column for TF and target"):
        BindingReference.read(path)


def test_eregulons(tmp_path):
    path = write(tmp_path, EREGULONS)
    reference = BindingReference.read(path)
    assert bound(reference) == {("MYC", "CDK4"), ("MYC", "NCL"), ("E2F1", "MCM2")}
    assert reference.rows.unused == {"repeated pair": 1}
    genes = ["CDK4", "NCL", "MCM2", "ACTB"]
    assert bound(BindingReference.read(path, genes, direction="down")) == {("MYC", "NCL")}


def test_omnipath(tmp_path):
    path = write(tmp_path, OMNIPATH)
    genes = ["CDK4", "NCL", "CYP3A4", "CYP3A5"]
    reference = BindingReference.read(path, genes)
    of_myc = {("MYC", "CDK4"), ("MYC", "CYP3A4"), ("MYC", "CYP3A5")}
    assert bound(reference) == of_myc | {("FOS", "CDK4"), ("JUN", "CDK4")}
    assert (reference.rows.n_used, reference.rows.unused) == (5, {"not transcriptional": 1})
    frame = pd.read_csv(path, sep="\t")
    assert bound(BindingReference.from_edges(frame, genes)) == bound(reference)
    best = BindingReference.read(path, genes, confidence=["A"])
    assert bound(best) == {("MYC", "CDK4")}
    down = BindingReference.read(path, genes, direction="down")
    assert bound(down) == {("FOS", "CDK4"), ("JUN", "CDK4")}


def test_regulondb(tmp_path):
    path = write(tmp_path, REGULONDB)
    expected = {
        ("araC", "araA"),
        *((tf, gene) for tf in ("ihfA", "ihfB") for gene in ("araB", "crp")),
    }
    assert bound(BindingReference.read(path)) == expected
    genes = ["araA", "araB", "crp", "lacZ"]
    assert bound(BindingReference.read(path, genes, direction="up")) == {("araC", "araA")}
    assert bound(BindingReference.read(path, genes, confidence=["S"])) == {("araC", "araA")}


@pytest.mark.parametrize(
    "row",
    ["{tf}\t{gene}\t{effect}\t[BPP, GEA]\tStrong", "E1\t{tf}\tE2\t{gene}\t{effect}\t[BPP]\tW"],
)
def test_regulondb_without_a_header(tmp_path, row):
    rows = [("AraC", "araA", "+"), ("AraC", "araB", "-"), ("Crp", "araA", "+-")]
    lines = [row.format(tf=tf, gene=gene, effect=effect) for tf, gene, effect in rows]
    path = write(tmp_path, "# RegulonDB\n# Columns:\n# (1) TF\n" + "\n".join(lines))
    assert bound(BindingReference.read(path)) == {(tf, gene) for tf, gene, _ in rows}
    down = BindingReference.read(path, ["araA", "araB"], direction="down")
    assert bound(down) == {("AraC", "araB")}


def test_gene_sets_of_one_direction(tmp_path):
    text = "E2F1_UP.V1_UP\t\tA\tB\nE2F1_UP.V1_DN\t\tC\nMYC(+)\t\tA\nMYC(-)\t\tD\nAR_X\t\tE\n"
    path, genes = write(tmp_path, text, "sets.gmt"), list("ABCDEF")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        up = BindingReference.from_gmt(path, genes, direction="up")
        down = BindingReference.read(path, genes, direction="down")
    assert bound(up) == {("E2F1", "A"), ("E2F1", "B"), ("MYC", "A")}
    assert bound(down) == {("E2F1", "C"), ("MYC", "D")}
    with pytest.warns(UserWarning, match="`direction` selects"):
        both = BindingReference.read(path, genes)
    assert bound(both) == bound(up) | bound(down) | {("AR", "E")}


def test_signs_of_tables():
    edges = pd.DataFrame({"source": "MYC", "target": list("ABC"), "weight": [1, -0.5, 0]})
    assert bound(BindingReference.from_edges(edges, list("ABCD"), direction="down")) == {
        ("MYC", "B")
    }
    names = pd.DataFrame({"TF": ["MYC(+)", "MYC(-)"], "target": ["A", "B"]})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        down = BindingReference.from_edges(names, list("ABC"), direction="down")
    assert bound(down) == {("MYC", "B")}


def test_directions_that_cannot_be_selected():
    edges = pd.DataFrame({"TF": ["MYC", "MYC"], "target": ["A", "B"]})
    with pytest.raises(ValueError, match="`direction` must be one of"):
        BindingReference.from_edges(edges, direction="activation")
    with pytest.raises(ValueError, match=r"`edges` has no such row .* 2 without a sign"):
        BindingReference.from_edges(edges, direction="up")
