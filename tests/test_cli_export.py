"""`scifate export`: the links of a run, or of a table, for other programs."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from scifate_sklearn import export_links
from scifate_sklearn.cli import app
from scifate_sklearn.cli._files import write_tables
from scifate_sklearn.cli._options import EXPORT_FORMATS
from scifate_sklearn.links import read_links
from scifate_sklearn.networks import _export, to_decoupler

# Names of genes that pandas takes for numbers, missing values or flags, and formulas.
LINKS = pd.DataFrame(
    {
        "group": ["1", "1", "NA", "NA"],
        "TF": ["NA", "nan", "=1+1", "'=1"],
        "target": ["1", "True", "007", "a,b;c"],
        "coef": [1 / 3, -5e-324, 0.1 + 0.2, 1e22],
        "q": [0.1, np.nan, 1.0, 0.0],
        "chip_odds_ratio": [np.inf, np.nan, 1.5, 2.0],
        "chip_peak": [True, None, False, True],
        "motif": ["m1", None, "m;2", '"'],
    }
)


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["export", *map(str, words)])


def message(result: Result) -> str:
    """Return the text of stderr without the frame and the line breaks of usage errors."""
    return " ".join(result.stderr.replace("│", " ").split())


@pytest.fixture
def results(tmp_path: Path) -> Path:
    folder = tmp_path / "results"
    folder.mkdir()
    write_tables(folder, {"links": LINKS, "links_filtered": LINKS.iloc[1:]}, escape_formulas=True)
    return folder


class TestReadLinks:
    @pytest.mark.parametrize("escape_formulas", [False, True])
    def test_all_values_are_read_as_they_were(self, escape_formulas: bool, tmp_path: Path) -> None:
        links = LINKS if escape_formulas else LINKS.assign(TF=["NA", "nan", "x", "y"])
        write_tables(tmp_path, {"links": links}, escape_formulas)
        read = read_links(tmp_path / "links.csv")
        # Missing text and flags have no kind of their own in a file.
        read = read.astype(object).where(read.notna(), None)
        plain = links.astype(object).where(links.notna(), None)
        pd.testing.assert_frame_equal(read, plain, check_exact=True)

    @pytest.mark.parametrize(("separator", "name"), [("\t", "l.tsv"), (";", "l.csv.gz")])
    def test_separators_and_compression(self, separator: str, name: str, tmp_path: Path) -> None:
        path = tmp_path / name
        LINKS.to_csv(path, sep=separator, index=False)
        assert read_links(path)["coef"].tolist() == LINKS["coef"].tolist()

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("", r"links\.csv is not a table: No columns"),
            ("TF,target\nA,B\n", r"links\.csv.*lacks the column\(s\) coef; found TF, target"),
            ("TF,target,coef\nA,B,strong\n", r"links\.csv.*`coef` .* finite numbers"),
            ("TF,target,coef\nA,B,0.5,1\n", r"links\.csv is not a table"),
            ("TF,target,coef\nA,B,0.5\nA,C,0.5,1\n", r"links\.csv is not a table"),
            ("TF,target,coef\nA,B,0.5\nA,B\n", r"links\.csv.*finite numbers"),
            ('TF,target,coef\n"A,B,0.5\n', r"links\.csv is not a table"),
            ("TF,target,coef\nA,B,inf\n", r"links\.csv.*finite numbers"),
            ("TF,target,coef,coef\nA,B,1,2\n", r"links\.csv repeats the name .*\('coef'\)"),
        ],
    )
    def test_what_is_no_links_table(self, text: str, expected: str, tmp_path: Path) -> None:
        (tmp_path / "links.csv").write_text(text)
        with pytest.raises(ValueError, match=expected):
            read_links(tmp_path / "links.csv")

    def test_an_expanding_file_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "links.csv.gz"
        path.write_bytes(gzip.compress(b"TF,target,coef\n" + b"A,B,0.5\n" * 10**7))
        with pytest.raises(ValueError, match="when decompressed"):
            read_links(path)


class TestCommand:
    def test_help_names_every_format(self) -> None:
        assert tuple(_export.FORMATS) == EXPORT_FORMATS

    @pytest.mark.parametrize("name", EXPORT_FORMATS)
    def test_writes_what_the_function_writes(
        self, name: str, results: Path, tmp_path: Path
    ) -> None:
        suffix = next(iter(_export.FORMATS[name].writers))
        kept = LINKS.iloc[1:].assign(target=["True", "007", "b;c"])
        write_tables(results, {"links_filtered": kept}, escape_formulas=True)
        out, expected = tmp_path / f"net{suffix}", tmp_path / f"expected{suffix}"
        result = run(results, "--out", out, "--format", name, "--group", "NA")
        assert result.exit_code == 0, result.stderr
        assert "links_filtered.csv' (group NA) are in" in result.stdout
        paths = export_links(
            read_links(results / "links_filtered.csv"), expected, format=name, group="NA"
        )
        written = sorted(path for path in tmp_path.iterdir() if path.name.startswith("net"))
        assert [path.read_bytes() for path in written] == [
            path.read_bytes() for path in sorted(paths)
        ]

    @pytest.mark.parametrize(
        ("name", "format"),
        [("run.json", "json"), ("links.csv", "scenic"), ("targets.csv", "decoupler")],
    )
    def test_results_of_the_run_are_kept(
        self, name: str, format: str, results: Path, tmp_path: Path
    ) -> None:
        (results / "run.json").write_text("{}")
        out = results / name
        words: list[Any] = ["--format", format, "--group", "1", "--overwrite"]
        result = run(results, "--out", out, *words)
        assert result.exit_code == 2
        assert "has the name of a result of scifate run" in message(result)
        assert (results / "run.json").read_text() == "{}"
        elsewhere = tmp_path / name
        assert run(results, "--out", elsewhere, *words).exit_code == 0

    def test_a_table_without_rows(self, tmp_path: Path) -> None:
        path = tmp_path / "empty.csv"
        path.write_text("TF,target,coef\n")
        result = run(path, "--out", tmp_path / "net.gmt")
        assert "If it is of a run, its ledger.csv says" in message(result)

    def test_a_group_that_is_a_number(self, tmp_path: Path) -> None:
        links = LINKS.assign(group=[1, 1, 2, 2])
        for group in (2, "2", np.int64(2)):
            [path] = export_links(links, tmp_path / "net.csv", format="decoupler", group=group)
            assert len(pd.read_csv(path)) == 2

    def test_all_links_of_a_run_without_tests(self, results: Path, tmp_path: Path) -> None:
        (results / "links_filtered.csv").unlink()
        out = tmp_path / "net.tsv"
        words: list[Any] = [results, "--out", out, "--format", "decoupler", "--group", "1", "-q"]
        assert (run(*words).stdout, run(*words, "--overwrite").exit_code) == ("", 0)
        read = pd.read_csv(out, sep="\t", keep_default_na=False, float_precision="round_trip")
        expected = to_decoupler(LINKS.iloc[:2])
        assert read.astype({"target": str}).to_dict("list") == expected.to_dict("list")

    @pytest.mark.parametrize(
        ("words", "code", "expected"),
        [
            (["{results}", "--out", "{tmp}/net.txt"], 2,
             "does not tell the format; name one in --format"),
            (["{results}", "--out", "{tmp}/net.gmt", "--format", "x"], 2,
             "--format must be one of"),
            (["{results}", "--out", "{tmp}/absent/net.gmt"], 2, "there is no folder"),
            (["{results}", "--out", "{results}/links.csv", "--format", "scenic"], 2, "exists"),
            (["{results}/links.csv", "--out", "{results}/links.csv", "--format", "scenic",
              "--overwrite"], 2, "is the input"),
            (["{tmp}", "--out", "{tmp}/net.gmt"], 2, "has no links.csv; give the folder"),
            (["{tmp}/absent", "--out", "{tmp}/net.gmt"], 2, "does not exist"),
            (["{results}", "--out", "{tmp}/net.gmt"], 1, "of 2 groups ('1', 'NA'), but the result "
             "holds one network. Choose one of them with --group."),
            (["{results}", "--out", "{tmp}/net.gmt", "--group", "2"], 1,
             "--group is '2', but the groups of the links are '1', 'NA'"),
            (["{results}", "--out", "{tmp}/net.sif"], 0, ""),
        ],
    )  # fmt: skip
    def test_messages(
        self, words: list[str], code: int, expected: str, results: Path, tmp_path: Path
    ) -> None:
        before = {path: path.read_bytes() for path in results.iterdir()}
        result = run(*(word.format(results=results, tmp=tmp_path) for word in words))
        assert (result.exit_code, result.stdout == "") == (code, code != 0), result.stderr
        assert expected.replace(" ", "") in message(result).replace(" ", "")
        assert {path: path.read_bytes() for path in results.iterdir()} == before

    def test_a_run_that_keeps_nothing(self, results: Path, tmp_path: Path) -> None:
        write_tables(results, {"links_filtered": LINKS.iloc[:0]})
        result = run(results, "--out", tmp_path / "net.gmt")
        assert result.exit_code == 1
        assert "links_filtered.csv: export_links: the links table has no rows" in message(result)
        assert "links.csv has all of them" in message(result)

    def test_companions_are_not_replaced_either(self, results: Path, tmp_path: Path) -> None:
        (tmp_path / "net.nodes.tsv").write_text("mine")
        result = run(results, "--out", tmp_path / "net.sif")
        assert result.exit_code == 2
        assert "net.nodes.tsv'exists" in message(result).replace(" ", "")
        assert run(results, "--out", tmp_path / "net.sif", "--overwrite").exit_code == 0
        assert (tmp_path / "net.nodes.tsv").read_text().startswith("shared name\t")
