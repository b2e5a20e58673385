"""Tables of old symbols, orthologs and ids, and their use as aliases and as gene symbols."""

import gzip

import pandas as pd
import pytest

from scifate_sklearn.filters import (
    BindingReference,
    harmonize_reference,
    name_overlap,
    read_gene_table,
)

HGNC = (
    "hgnc_id\tsymbol\tname\talias_symbol\tprev_symbol\tensembl_gene_id\n"
    "HGNC:1\tMARCHF1\tmembrane ring\tRNF171\tMARCH1|OLD1\tENSG00000145416\n"
    "HGNC:2\tTP53\ttumor protein\tp53|LFS1|OLD1\t\tENSG00000141510\n"
    "HGNC:3\tRNF171\tanother gene\tSHARED\t\tENSG00000000003\n"
    "HGNC:4\tMYC\tmyc\tSHARED\t\tENSG00000136997\n"
)
HCOP = (
    "human_entrez_gene\thuman_ensembl_gene\thgnc_id\thuman_name\thuman_symbol\tmouse_entrez_gene\t"
    "mouse_ensembl_gene\tmgi_id\tmouse_name\tmouse_symbol\tsupport\n"
    "7157\tENSG00000141510\tHGNC:2\ttumor protein\tTP53\t22059\tENSMUSG00000059552\tMGI:1\tp\t"
    "Trp53\tEnsembl,HGNC,OMA\n"
    "3630\t-\tHGNC:5\tinsulin\tINS\t16333\t-\tMGI:2\tins\tIns1\tA,B,C\n"
    "3630\t-\tHGNC:5\tinsulin\tINS\t16334\t-\tMGI:3\tins\tIns2\tA,B,C,D\n"
    "4609\t-\tHGNC:4\tmyc\tMYC\t17869\t-\tMGI:4\tmyc\tMyc\tA,B\n"
)
BIOMART = (
    "Gene stable ID,Gene stable ID version,Gene name,Mouse gene name\n"
    "ENSG00000141510,ENSG00000141510.18,TP53,Trp53\nENSG00000000001,ENSG00000000001.2,,Gm1\n"
)


def write(folder, text, name="table.txt"):
    raw = text.encode()
    (folder / name).write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    return folder / name


def pairs(table):
    return set(table[["old", "new"]].itertuples(index=False, name=None))


def test_old_symbols_of_hgnc(tmp_path):
    table = read_gene_table(write(tmp_path, HGNC))
    symbols = {(old, new) for old, new in pairs(table) if not old.startswith(("ENSG", "HGNC"))}
    # RNF171 is the current symbol of another gene, OLD1 the retired one.
    assert symbols == {
        ("MARCH1", "MARCHF1"),
        ("OLD1", "MARCHF1"),
        ("p53", "TP53"),
        ("LFS1", "TP53"),
        ("SHARED", "RNF171"),
        ("SHARED", "MYC"),
    }
    assert ("ENSG00000141510", "TP53") in pairs(table)
    assert table.attrs["n_ambiguous"] == 1
    assert table.attrs["rows"]["unused"]["name of another gene"] == 2


@pytest.mark.parametrize("ending", ["txt", "txt.gz"])
def test_orthologs_of_hcop(tmp_path, ending):
    path = write(tmp_path, HCOP, f"human_mouse_hcop_fifteen_column.{ending}")
    to_mouse = read_gene_table(path, new="mouse")
    of_symbols = {(old, new) for old, new in pairs(to_mouse) if ":" not in old and "0" not in old}
    assert of_symbols == {("TP53", "Trp53"), ("INS", "Ins1"), ("INS", "Ins2")}
    assert to_mouse.attrs["rows"]["unused"]["few sources"] == 1
    pd.testing.assert_frame_equal(to_mouse, read_gene_table(path, names=["Trp53", "Ins1", "TP53"]))
    assert ("Myc", "MYC") in pairs(read_gene_table(path, new="human_symbol", min_support=2))


def test_biomart(tmp_path):
    path = write(tmp_path, BIOMART)
    assert pairs(read_gene_table(path, new="mouse")) == {
        ("TP53", "Trp53"),
        ("ENSG00000141510", "Trp53"),
        ("ENSG00000141510.18", "Trp53"),
        ("ENSG00000000001", "Gm1"),
        ("ENSG00000000001.2", "Gm1"),
    }
    with pytest.raises(ValueError, match=r"table.txt: it must have one column of current symbols"):
        read_gene_table(path)


def test_real_mgi_report(shared):
    path = shared / "data" / "formats" / "ref_orthologs" / "HOM_MouseHumanSequence_excerpt.rpt"
    found = read_gene_table(path, new="human")
    rows = pd.read_csv(path, sep="\t", dtype=str)
    mouse, human = (
        rows[rows["Common Organism Name"] == name][["DB Class Key", "Symbol"]]
        for name in ("mouse, laboratory", "human")
    )
    joined = mouse.merge(human, on="DB Class Key")
    assert pairs(found) == set(zip(joined["Symbol_x"], joined["Symbol_y"], strict=True))


@pytest.mark.parametrize("new", ["human", "mouse"])
@pytest.mark.parametrize("name", ["Ensembl105_Human2Mouse_excerpt", "dorothea_hgnc_mgi_annotation"])
def test_real_orthologs_in_both_directions(shared, name, new):
    path = shared / "data" / "formats" / "ref_orthologs" / f"{name}.csv"
    has_header = name.startswith("dorothea")
    rows = pd.read_csv(path, header=0 if has_header else None, dtype=str, keep_default_na=False)
    human, mouse = (rows.iloc[:, i] for i in ((1, 0) if has_header else (0, 1)))
    old, renamed = (mouse, human) if new == "human" else (human, mouse)
    kept = (old != "") & (renamed != "")
    found = read_gene_table(path, names=set(renamed[kept][:50]))
    assert pairs(found) == set(zip(old[kept], renamed[kept], strict=True))


@pytest.mark.parametrize(
    "text",
    [
        "ENSMUST00000000001.1\tENSMUSG00000000001.4\tGnai3\tGnai3-201\nENSMUST00000000002\t"
        "ENSMUSG00000000003.15\tPbsn\tPbsn-201\n",
        "ENSMUSG00000000001.4\tGnai3\tGene Expression\nENSMUSG00000000003.15\tPbsn\tGene "
        "Expression\n",
        "gene_id,gene_short_name\nENSMUSG00000000001.4,Gnai3\nENSMUSG00000000003.15,Pbsn\n",
        '"","gene_id","symbol"\n"1","ENSMUSG00000000001.4","Gnai3"\n'
        '"2","ENSMUSG00000000003.15","Pbsn"\n',
        "old\tnew\nENSMUSG00000000001.4\tGnai3\nENSMUSG00000000003.15\tPbsn\n",
    ],
)
def test_symbols_of_ids(tmp_path, text):
    assert pairs(read_gene_table(write(tmp_path, text))) == {
        ("ENSMUSG00000000001.4", "Gnai3"),
        ("ENSMUSG00000000003.15", "Pbsn"),
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("x,y,z\na,b,c\n", "it must have one column of current symbols"),
        ("symbol\nTP53\n", "it has no column of names beside 'symbol'"),
        ("old,new\n-,TP53\n", "it has no pair of names"),
    ],
)
def test_unusable_tables(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        read_gene_table(write(tmp_path, text))


def test_an_unknown_column(tmp_path):
    with pytest.raises(ValueError, match="`new` = 'rat' is no column of symbols"):
        read_gene_table(write(tmp_path, HCOP), new="rat")


def test_orthologs_rename_a_reference_and_are_counted(tmp_path):
    edges = pd.DataFrame({"TF": ["TP53", "INS", "MYC"], "target": ["INS", "TP53", "XYZ"]})
    human = BindingReference.from_edges(edges)
    mouse = {"TF": ["Trp53", "Myc"], "target": ["Trp53", "Ins1", "Ins2"]}
    table = read_gene_table(write(tmp_path, HCOP), names=mouse["target"], min_support=2)
    assert harmonize_reference(human, mouse, table).tfs.tolist() == ["Trp53", "INS", "Myc"]
    overlap = name_overlap(mouse, human, table)
    counts = overlap[["n_reference", "n_found", "n_ambiguous", "n_lost"]]
    assert counts.to_numpy().tolist() == [[3, 2, 1, 0], [3, 1, 1, 1]]
    assert overlap.attrs["report"].splitlines()[1] == (
        "1 of 3 target names of the reference are in the data (1 of them renamed); 1 are "
        "ambiguous, 1 are not in the data"
    )
