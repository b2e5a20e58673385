"""TF lists in the formats of their sources."""

import gzip

import pytest

from scifate_sklearn.anndata_io import read_tf_names

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
