"""Spellings of missing names, dates, additions and columns in every table that users give."""

import io
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from scifate_sklearn import (
    BindingReference,
    MotifRankings,
    harmonize_reference,
    prior_penalties,
    score_network,
)
from scifate_sklearn.filters import read_motif_annotations
from scifate_sklearn.names import date_symbols, is_missing, match_tfs, plain_name, read_tf_names

PAIRS = [("MYC", "CDK4"), ("MYC", "NCL"), ("E2F1", "CDK4"), ("E2F1", "MCM2")]
PEAKS = pd.DataFrame(
    [(*pair, 1) for pair in PAIRS] + [("MYC", "MCM2", 0), ("E2F1", "NCL", 0)],
    columns=["TF", "target", "peak"],
)
MISSING = [
    "", " ", "NA", "N/A", "#N/A", "nan", "NULL", "None", "-", ".", "<NA>", "#NAME?", "#REF!",
    "[NULL]",
]  # fmt: skip


def result(reference: BindingReference) -> Any:
    """Return {(TF, gene): has a peak}."""
    tested = zip(*np.nonzero(reference.status), strict=True)
    return {(reference.tfs[i], reference.genes[j]): reference.status[i, j] == 2 for i, j in tested}


def as_text(table: pd.DataFrame, separator: str = ",") -> str:
    return str(table.to_csv(index=False, sep=separator))


def read_text(text: str, folder: Path, name: str = "evidence.csv") -> BindingReference:
    (folder / name).write_text(text, encoding="utf-8")
    return BindingReference.read(folder / name)


def peaks(folder: Path, rows: list[tuple[str, str]]) -> pd.DataFrame:
    more = pd.DataFrame([(*pair, 1) for pair in rows], columns=PEAKS.columns)
    return pd.concat([PEAKS, more], ignore_index=True)


def peaks_csv(folder: Path, rows: list[tuple[str, str]]) -> BindingReference:
    return read_text(as_text(peaks(folder, rows)), folder)


def peaks_tsv(folder: Path, rows: list[tuple[str, str]]) -> BindingReference:
    return read_text(as_text(peaks(folder, rows), "\t"), folder)


def peaks_parquet(folder: Path, rows: list[tuple[str, str]]) -> BindingReference:
    pytest.importorskip("pyarrow")
    peaks(folder, rows).to_parquet(folder / "peaks.parquet")
    return BindingReference.read(folder / "peaks.parquet")


def peaks_in_memory(folder: Path, rows: list[tuple[str, str]]) -> BindingReference:
    return BindingReference.from_table(peaks(folder, rows))


def edges_in_memory(folder: Path, rows: list[tuple[str, str]]) -> BindingReference:
    return BindingReference.from_edges(pd.DataFrame(PAIRS + rows, columns=["TF", "target"]))


def harmonizome(folder: Path, rows: list[tuple[str, str]]) -> BindingReference:
    head = "source\tsource_desc\tsource_id\ttarget\ttarget_desc\ttarget_id\tweight\n"
    head += "GeneSym\tNA\tGeneID\tGeneSym\tNA\tGeneID\tBinary\n"
    body = "".join(f"{gene}\tna\t1\t{tf}\tna\t2\t1.000000\n" for tf, gene in PAIRS + rows)
    return read_text(head + body, folder, "gene_attribute_edges.txt")


def trrust(folder: Path, rows: list[tuple[str, str]]) -> BindingReference:
    body = "".join(f"{tf}\t{gene}\tUnknown\t1;2\n" for tf, gene in PAIRS + rows)
    return read_text(body, folder, "trrust_rawdata.human.tsv")


def dorothea(folder: Path, rows: list[tuple[str, str]]) -> BindingReference:
    table = pd.DataFrame(PAIRS + rows, columns=["source", "target"])
    return read_text(as_text(table.assign(confidence="A", weight=1)), folder)


def gene_sets(folder: Path, rows: list[tuple[str, str]]) -> BindingReference:
    sets = "".join(f"{tf}\tx\t{gene}\n" for tf, gene in PAIRS + rows)
    return read_text(sets, folder, "sets.gmt")


REFERENCES = [
    peaks_csv, peaks_tsv, peaks_parquet, peaks_in_memory, edges_in_memory, harmonizome, trrust,
    dorothea, gene_sets,
]  # fmt: skip
Make = Callable[[Path, list[tuple[str, str]]], BindingReference]


@pytest.mark.parametrize("spelling", MISSING)
@pytest.mark.parametrize("make", REFERENCES)
def test_missing_names_in_references(make: Make, spelling: str, tmp_path: Path) -> None:
    expected = make(tmp_path, [])
    assert expected.rows is not None
    assert expected.rows.n_used == expected.rows.n_rows
    # An empty field is no gene of a set.
    rows = [(spelling, "NCL"), ("E2F1", spelling)] if spelling.strip() else [(spelling, "NCL")]
    with pytest.warns(UserWarning, match=r"are not used \(no TF: 1 \((line|row)"):
        found = make(tmp_path, rows)
    assert result(found) == result(expected)
    assert found.rows is not None
    assert found.rows.unused == {"no TF": 1, "no target": 1} if len(rows) > 1 else {"no TF": 1}
    assert found.rows.n_rows - found.rows.n_used == len(rows)
    assert f"; {found.rows.n_used} of {found.rows.n_rows} rows used (no TF: 1" in repr(found)


@pytest.mark.parametrize("spelling", MISSING)
@pytest.mark.parametrize("kind", ["table", "rcistarget", "tbl"])
def test_missing_names_in_motif_annotations(kind: str, spelling: str, tmp_path: Path) -> None:
    table = pd.DataFrame(
        {"motif": ["m1", "m2", "m3", spelling], "TF": ["MYC", "E2F1", spelling, "MYC"]}
    )
    if kind == "rcistarget":
        table["annotationSource"] = "directAnnotation"
    elif kind == "tbl":
        table = table.set_axis(["#motif_id", "gene_name"], axis=1).assign(
            similar_motif_id=[spelling, "m9", "m9", "m9"], description="free text"
        )
    path = tmp_path / "motifs.tbl"
    table.to_csv(path, sep="\t", index=False)
    with pytest.warns(
        UserWarning, match=r"2 of 4 rows are not used \(no motif: 1 \(line 5\); no TF"
    ):
        found = read_motif_annotations(path)
    assert found[["motif", "TF"]].to_numpy().tolist() == [["m1", "MYC"], ["m2", "E2F1"]]
    assert found["confidence"].tolist() == ["high", "low" if kind == "tbl" else "high"]
    assert found.attrs["rows"]["n_used"] == 2
    assert found.attrs["rows"]["unused"] == {"no motif": 1, "no TF": 1}


@pytest.mark.parametrize("spelling", [text for text in MISSING if text.strip()])
@pytest.mark.parametrize(
    "form", ["{}\nMYC\nE2F1\n", "TF\n{}\nMYC\nE2F1\n", "n;TF;\n1;{};\n2;MYC;\n3;E2F1;\n"]
)
def test_missing_names_in_lists_of_tfs(form: str, spelling: str, tmp_path: Path) -> None:
    (tmp_path / "tfs.csv").write_text(form.format(spelling))
    line = form.split("{}")[0].count("\n") + 1
    with pytest.warns(UserWarning, match=rf"1 of 3 rows .* \(no name: 1 \(line {line}\)\)"):
        names = read_tf_names(tmp_path / "tfs.csv")
    assert names == ["MYC", "E2F1"]
    assert (names.rows.n_rows, names.rows.n_used) == (3, 2)
    assert repr(names) == "['MYC', 'E2F1']  # 2 of 3 rows used (no name: 1)"


@pytest.mark.parametrize("spelling", MISSING)
def test_missing_names_in_known_networks(spelling: str) -> None:
    links = pd.DataFrame({"TF": ["MYC", "E2F1"], "target": ["CDK4", "NCL"], "coef": [0.2, 0.1]})
    for column in ("TF", "target"):
        gold = PEAKS[["TF", "target"]].copy()
        gold.loc[1, column] = spelling
        message = rf"'{column}' of `gold` has rows without a name \(row 1\)"
        with pytest.raises(ValueError, match=message):
            score_network(links, gold)


def test_columns_of_known_networks() -> None:
    links = pd.DataFrame({"TF": ["MYC", "E2F1"], "target": ["CDK4", "NCL"], "coef": [0.2, 0.1]})
    expected = score_network(links, PEAKS)
    other = PEAKS.set_axis(["tf", "Target", "Peak"], axis=1)
    assert score_network(links, other) == expected
    assert (
        score_network(links, other.assign(Peak=other["Peak"].map({1: "yes", 0: "no"}))) == expected
    )


@pytest.mark.parametrize(
    "spelling", [text for text in MISSING if not is_missing(text, allow_words=True)]
)
def test_words_are_names_in_matrices(spelling: str) -> None:
    ranks = pd.DataFrame({spelling: [0, 1], "B": [1, 0]}, index=["m1", "m2"])
    assert MotifRankings.from_table(ranks).genes.tolist() == [spelling, "B"]
    scores = pd.DataFrame({spelling: [0.0, 1.0]}, index=["MYC", "E2F1"])
    assert prior_penalties(scores).columns.tolist() == [spelling]


@pytest.mark.parametrize("spelling", ["", "-", "#N/A", "<NA>", "#REF!", None])
def test_missing_names_in_matrices(spelling: str | None) -> None:
    ranks = pd.DataFrame([[0, 1], [1, 0]], index=["m1", "m2"], columns=["A", spelling])
    with pytest.raises(ValueError, match="column of the ranking database has no name \\(number 2"):
        MotifRankings.from_table(ranks)
    scores = pd.DataFrame([[0.5, 1.0]], index=["MYC"], columns=["A", spelling])
    with pytest.raises(ValueError, match=r"targets \(columns\) without a name"):
        prior_penalties(scores)
    with pytest.raises(ValueError, match=r"TFs \(index\) without a name"):
        prior_penalties(scores.T)


@pytest.mark.parametrize("spelling", MISSING)
def test_missing_scores_count_as_0(spelling: str) -> None:
    scores = pd.DataFrame({"NCL": [0.5, spelling], "CDK4": [1.0, 0.0]}, index=["MYC", "E2F1"])
    assert prior_penalties(scores).loc["E2F1", "NCL"] == 1.0


@pytest.mark.parametrize(
    "text",
    [
        *("NaN", "null", "none", "---", "\\N", "#NV", "#N/D", "#DIV/0!", "#N/A N/A", "Err:502"),
        *("n.a.", "?", "–", "NA_character_", "(null)", "-nan", "none?", ' "NA" ', "\u00a0"),
        *("-1.#QNAN", "NA_integer_", "character(0)", "[]", "_", "−", "-----", "…", "######"),
        *("#¡VALOR!", "#¿NOMBRE?", "#I/T", "#Н/Д", "#GETTING_DATA", "#YOK"),
        *(None, np.nan, pd.NA, pd.NaT),
    ],
)
def test_other_spellings_of_missing(text: object) -> None:
    assert is_missing(text)


@pytest.mark.parametrize("text", ["#1", "NAV1", "nanos", "N", "0", "+", "a-", "A.1", 0, 0.5, False])
def test_names_that_are_not_missing(text: object) -> None:
    assert not is_missing(text)


DATES = [
    "2-Sep",
    "1-Mar",
    "Sep-02",
    "2002-09-02",
    "2021-03-01 00:00:00",
    "9/2/2021",
    "02.09.2021",
    "2-SEP",
    "1. Mrz",
]


@pytest.mark.parametrize("date", DATES)
@pytest.mark.parametrize("make", REFERENCES)
def test_dates_in_references(make: Make, date: str, tmp_path: Path) -> None:
    expected = make(tmp_path, [])
    symbols = "SEPT2, now SEPTIN2|MARCH1, now MARCHF1"
    with pytest.warns(UserWarning, match=rf"is a date: 1 \((line|row) .*'.*' for .*({symbols})"):
        found = make(tmp_path, [("MYC", date)])
    assert result(found) == result(expected)
    assert found.rows is not None
    assert found.rows.unused == {"target is a date": 1}


@pytest.mark.parametrize("date", DATES)
def test_dates_in_lists_of_tfs(date: str, tmp_path: Path) -> None:
    (tmp_path / "tfs.txt").write_text(f"MYC\n{date}\n")
    with pytest.warns(UserWarning, match=r"\(a date: 1 \(line 2\): '.*' for .*(SEPT2|MARCH1)"):
        assert read_tf_names(tmp_path / "tfs.txt") == ["MYC"]


@pytest.mark.parametrize(
    "name",
    ["sep-1", "jun-1", "14-3-3zeta", "MARCH1", "2-PDE", "1-8D", "7157", "37316", "H2-Q2", "DEC1"],
)
def test_names_that_are_no_dates(name: str) -> None:
    assert date_symbols(name) is None
    assert plain_name(name) == (name, "")


@pytest.mark.parametrize(
    ("text", "name", "addition"),
    [
        ("ALX1 (human)", "ALX1", "species"),
        ("ALX1_HUMAN", "ALX1", "species"),
        ("Alx1 [Mus musculus]", "Alx1", "species"),
        ("AATF human", "AATF", "species"),
        ("Ar(+)", "Ar", "sign +"),
        ("Ar(-)", "Ar", "sign −"),
        ("Ar_(+)", "Ar", "sign +"),
        ("Ar_extended (40g)", "Ar", "regulon"),
        ("Ar (40g)", "Ar", "regulon"),
        ("SPI1_direct_+/+_(18g)", "SPI1", "sign +"),
        ("SPI1_extended_-/+", "SPI1", "sign −"),
        ("HGNC:TP53", "TP53", "prefix"),
        ("TP53|ENSG00000141510.3", "TP53", "id"),
        ("ENSG00000141510_TP53", "TP53", "id"),
        ("Ar (-)", "Ar", "sign −"),
        ("Ar_extended_+", "Ar", "sign +"),
        ('"TP53', "TP53", "quotation marks"),
        ("“TP53”", "TP53", "quotation marks"),
        ("'TP53", "TP53", "quotation marks"),
        ("HGNC:11998", "HGNC:11998", ""),
        ("E(spl)m3-HLH", "E(spl)m3-HLH", ""),
        ("GT(ROSA)26SOR", "GT(ROSA)26SOR", ""),
        ('TF8,"x"', 'TF8,"x"', ""),
        ("abd-A'", "abd-A'", ""),
        ("(+)", "(+)", ""),
    ],
)
def test_additions_to_names(text: str, name: str, addition: str) -> None:
    assert plain_name(text) == (name, addition)


@pytest.mark.parametrize(
    "change", ["{} (human)", "{}_HUMAN", "{}(+)", "“{}”", "{}|ENSG00000141510"]
)
@pytest.mark.parametrize("make", [m for m in REFERENCES if m is not gene_sets])
def test_additions_in_references(make: Make, change: str, tmp_path: Path) -> None:
    expected = make(tmp_path, [])
    found = make(tmp_path, [(change.format(tf), change.format(gene)) for tf, gene in PAIRS])
    assert result(found) == result(expected)
    assert found.rows is not None
    assert found.rows.unused == {"repeated pair": 4}
    assert any("removed from 2 TF names" in note for note in found.rows.notes)


SETS = {
    "MYC_K562_hg19": "MYC", "MYC (human)": "MYC", "MYC(+)": "MYC", "MYC_UP": "MYC", "MYC-DN": "MYC",
    "MYC_UP.V1_DN": "MYC", "MYC_extended (40g)": "MYC", "MYC 20176728 ChIP-Seq MCF-7 Human": "MYC",
    "MYC_TARGET_GENES": "MYC", "TGACCTY_ERR1_Q2": "ERR1", "V$ERR1_Q2": "ERR1", "ATF1_01": "ATF1",
    "NKX2-1_HELA": "NKX2-1", "AAANWWTGC_UNKNOWN": None,
    "MYC-18555785-MESC-MOUSE": "MYC", "RP11-206L10": "RP11-206L10",
}  # fmt: skip


def test_names_of_sets(tmp_path: Path) -> None:
    text = "".join(f"{name}\tx\tG{i}\n" for i, name in enumerate(SETS))
    with pytest.warns(UserWarning, match="gene sets") as caught:
        found = read_text(text, tmp_path, "sets.gmt")
    assert {pair for pair, is_bound in result(found).items() if is_bound} == {
        (tf, f"G{i}") for i, tf in enumerate(SETS.values()) if tf
    }
    assert found.rows is not None
    assert found.rows.unused == {"set without a TF": 1}
    messages = [str(each.message) for each in caught]
    assert any("1 gene sets name no TF" in text for text in messages)
    assert any("3 gene sets hold genes that go up or down" in text for text in messages)


def test_regulons_of_repressed_targets(tmp_path: Path) -> None:
    text = "Ar(+)\tgs0\tA\tB\nAr(-)\tgs1\tC\nMyc(+)\tgs2\tA\n"
    with pytest.warns(
        UserWarning, match=r"1 gene sets are regulons of repressed targets \('Ar\(-\)'"
    ):
        found = read_text(text, tmp_path, "regulons.gmt")
    assert list(found.tfs) == ["Ar", "Myc"]
    with pytest.warns(UserWarning, match="1 TF names are regulons of repressed targets"):
        peaks_csv(tmp_path, [("MYC(-)", "CDK4")])


@pytest.mark.parametrize("name", ["peak", "Peak", "PEAK", " peak ", '"Peak"'])
@pytest.mark.parametrize("names", ["TF,target", "tf,Target", "Tf,TARGET", "T.F.,linked gene name"])
def test_names_of_columns(names: str, name: str, tmp_path: Path) -> None:
    text = as_text(PEAKS).replace("TF,target,peak", f"{names},{name}")
    assert result(read_text(text, tmp_path)) == result(BindingReference.from_table(PEAKS))
    table = pd.read_csv(io.StringIO(text))
    assert result(BindingReference.from_table(table)) == result(BindingReference.from_table(PEAKS))


@pytest.mark.parametrize(
    "table",
    [
        pd.DataFrame({"Motif": ["m1", "m2"], "tf": ["A", "B"], "Confidence": ["High", "LOW"]}),
        pd.DataFrame({"Motif_ID": ["m1", "m2"], "Gene Name": ["A", "B"],
                      "confidence": ["high", "low"]}),
        pd.DataFrame({"motif": ["m1", "m2"], "TF": ["A", "B"],
                      "annotationsource": ["DirectAnnotation", "inferredBy_MotifSimilarity"]}),
        pd.DataFrame({"motif": ["m1", "m2"], "TF": ["A", "B"], "similar_motif_id": ["N/A", "m9"]}),
        pd.DataFrame({"motif": ["m1", "m2"], "TF": ["A", "B"],
                      "Description": ["mine", "Similar to m9"]}),
    ],
)  # fmt: skip
def test_codes_of_motif_annotations(table: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "motifs.csv"
    path.write_text(as_text(table))
    found = read_motif_annotations(path)
    assert found.to_numpy().tolist() == [["m1", "A", "high"], ["m2", "B", "low"]]


def test_rows_without_annotation_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "motifs.csv"
    path.write_text(
        "motif,TF,annotationSource\nm1,A,directAnnotation\nm1,A,directAnnotation\nm2,B,\n"
    )
    found = read_motif_annotations(path)
    assert found.attrs["rows"] == {
        "n_rows": 3,
        "n_used": 1,
        "unused": {"no annotation": 1, "repeated pair": 1},
    }
    path.write_text("motif,TF,annotationSource\nm1,A,from JASPAR\n")
    with pytest.raises(ValueError, match=r"must hold RcisTarget's codes.*'from JASPAR' \(line 2\)"):
        read_motif_annotations(path)


def test_reasons_of_references(tmp_path: Path) -> None:
    edges = pd.DataFrame([*PAIRS, PAIRS[0]], columns=["source", "target"])
    edges = edges.assign(confidence=list("AABAA"), weight=1)
    (tmp_path / "dorothea.csv").write_text(as_text(edges))
    genes = ["CDK4", "MCM2", "ACTB"]
    found = BindingReference.read(tmp_path / "dorothea.csv", genes, confidence=["A"])
    assert found.rows is not None
    assert found.rows.n_rows == 5
    assert found.rows.unused == {
        "other confidence": 1, "target not in `genes`": 1, "repeated pair": 1
    }  # fmt: skip
    assert "2 of 5 rows used (other confidence: 1" in repr(found)


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    text = (
        '# made by us\n\nTF,target,note\nMYC,NCL,"two\n\nlines"\n\n% more\nE2F1,CDK4,x\nNA,CDK4,x\n'
    )
    with pytest.warns(UserWarning, match=r"no TF: 1 \(line 10\)"):
        read_text(text, tmp_path)


def test_a_bound_pair_is_not_made_of_an_unbound_one() -> None:
    with pytest.warns(
        UserWarning, match="2 rows whose 'peak' is 0, and all rows are taken as bound"
    ):
        BindingReference.from_edges(PEAKS, ["CDK4", "NCL", "MCM2", "ACTB"])


def test_clean_tables_give_no_warning(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for make in REFERENCES:
            make(tmp_path, [])


def test_numbers_that_were_dates(tmp_path: Path) -> None:
    genes = [f"G{i}" for i in range(40)]
    pairs = [("MYC", gene) for gene in genes] + [("MYC", "37316"), ("E2F1", "44441.0")]
    message = r"2 target names are numbers .*'37316' for MARCH1.*'44441.0' for"
    with pytest.warns(UserWarning, match=message):
        found = edges_in_memory(tmp_path, pairs)
    assert {"37316", "44441.0"} <= set(found.genes)
    with pytest.warns(UserWarning, match=r"'2.31E\+19' for a RIKEN clone"):
        edges_in_memory(tmp_path, [*pairs[:40], ("MYC", "2.31E+19")])
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a column of ids
        edges_in_memory(tmp_path, [("MYC", str(37316 + i)) for i in range(40)])


def test_aliases_without_a_name() -> None:
    reference = BindingReference.from_table(PEAKS)
    links = {"TF": ["Myc", "E2f1"], "target": ["Cdk4", "NA"]}
    table = pd.DataFrame({"Old": ["MYC", "NCL", "CDK4"], "New": ["Myc", "NA", "Cdk4"]})
    with pytest.warns(UserWarning, match=r"1 of 3 aliases lack a name and are not used \(row 1\)"):
        found = harmonize_reference(reference, links, table)
    assert set(found.genes) == {"Cdk4", "NCL", "MCM2"}


@pytest.mark.parametrize("name", ["nan", "NA", "-", "2-Sep", "NCL(+)", "NCL (human)"])
@pytest.mark.parametrize("kind", ["csv", "edges", "gmt"])
def test_names_of_the_cells_are_names(name: str, kind: str, tmp_path: Path) -> None:
    genes = ["CDK4", name, "ACTB"]
    edges = pd.DataFrame([("MYC", "CDK4"), ("MYC", name)], columns=["TF", "target"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if kind == "edges":
            found = BindingReference.from_edges(edges, iter(genes))
        else:
            path = tmp_path / f"evidence.{kind}"
            path.write_text(as_text(edges) if kind == "csv" else f"MYC\tx\tCDK4\t{name}\n")
            found = BindingReference.read(path, iter(genes))
    assert found.status.tolist() == [[2, 2, 1]]


@pytest.mark.parametrize("name", ["nan", "2-Sep", "Ar(+)"])
def test_names_of_the_cells_are_names_of_tfs(name: str, tmp_path: Path) -> None:
    (tmp_path / "tfs.txt").write_text(f"MYC\n{name}\n")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        names = read_tf_names(tmp_path / "tfs.txt")
    assert name not in names
    genes = np.array(["MYC", name, "Ar", "ACTB"], dtype=object)
    with pytest.warns(UserWarning, match=r"The list of TFs has .*taken as a TF"):
        assert match_tfs(names, genes).tolist() == [True, True, name == "Ar(+)", False]
    assert match_tfs(list(names), genes).tolist()[:2] == [True, False]


@pytest.mark.parametrize(
    "column", ["bound", "Peaks", "has_peak", "Is Bound", "peak_count", "chip_peak"]
)
def test_columns_that_may_be_peaks(column: str, tmp_path: Path) -> None:
    text = as_text(PEAKS).replace("peak", column, 1)
    with pytest.raises(ValueError, match=f"has the column '{column}'.*call it 'peak'"):
        read_text(text, tmp_path)


def test_some_flags_of_motif_annotations(tmp_path: Path) -> None:
    path = tmp_path / "motifs.csv"
    path.write_text("motif,TF,directAnnotation\nm1,A,FALSE\n")
    with pytest.raises(ValueError, match="has 'directAnnotation', but not all of"):
        read_motif_annotations(path)


def test_joined_files_in_any_case(tmp_path: Path) -> None:
    text = as_text(PEAKS) + as_text(PEAKS.set_axis(["tf", "Target", "Peak"], axis=1))
    assert result(read_text(text, tmp_path)) == result(BindingReference.from_table(PEAKS))


@pytest.mark.parametrize(
    "text", ['"' * 2_000_000, "_" * 200_000 + "(+", "x" + " " * 200_000 + "(human"]
)
def test_long_names_take_no_time(text: str) -> None:
    start = time.monotonic()
    assert plain_name(text).addition == ""
    assert time.monotonic() - start < 2
