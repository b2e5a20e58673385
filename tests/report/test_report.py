"""The file of a report: what it says, and that names from files are text in it."""

import base64
import gzip
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hostile_results import IMAGE, SCRIPT, hostile_links, hostile_run

from scifate_sklearn import write_report
from scifate_sklearn.cli._out_folder import result_files
from scifate_sklearn.report import _results, _tables
from scifate_sklearn.report._columns import MEANINGS, Column
from scifate_sklearn.report._methods import Methods
from scifate_sklearn.report._pictures import drawn_pictures

pytest.importorskip("bokeh")
pytest.importorskip("jinja2")

LINKS = pd.DataFrame(
    {
        "TF": ["A", "A", "B", "B"],
        "target": ["x", "B", "x", "y"],
        "coef": [0.1, -0.5, 0.3, -0.2],
        "kept": [True, False, True, True],
        "q": [0.5, np.nan, 1e-9, np.inf],
    }
)


class Page(HTMLParser):
    """Elements, attributes and texts of a page, by the parser of Python's library."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.texts: list[str] = []
        self.is_in = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.is_in = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self.is_in = ""

    def handle_data(self, data: str) -> None:
        if self.is_in == "script":
            self.scripts[-1] += data
        elif self.is_in != "style":
            self.texts.append(data)

    @property
    def data(self) -> Any:
        """What the scripts read."""
        return json.loads(self.scripts[0])


class TestHostileNames:
    @pytest.fixture
    def page(self, tmp_path: Path) -> Page:
        picture = f"<svg xmlns='http://www.w3.org/2000/svg'><script>{SCRIPT}</script></svg>"
        tables = {"links": hostile_links(), IMAGE: hostile_links()}
        pictures = [(IMAGE, picture)]
        return Page(write_report(tables, tmp_path / "r.html", run=hostile_run(), pictures=pictures))

    def test_make_no_element(self, page: Page, tmp_path: Path) -> None:
        plain = Page(write_report(LINKS, tmp_path / "plain.html"))
        assert len(page.scripts) == len(plain.scripts)
        images = [found for tag, found in page.elements if tag == "img"]
        assert [found["src"].split(",")[0] for found in images] == ["data:image/svg+xml;base64"]  # type: ignore[union-attr]
        assert not [name for _, found in page.elements for name in found if name.startswith("on")]
        assert "b" not in {tag for tag, _ in page.elements}

    def test_are_shown(self, page: Page) -> None:
        text = "".join(page.texts)
        assert text.count(IMAGE) > 10
        assert text.count(SCRIPT) > 5
        assert "{{ 7*7 }}" in text
        assert "49" not in text

    def test_titles_of_columns_are_escaped(self, page: Page) -> None:
        # The tables of Bokeh take titles for HTML.
        titles = re.findall(r'"title": ?("[^"]*")', json.dumps(page.data))
        assert not [title for title in titles if "<" in title]


class TestPolicy:
    def test_scripts_are_named_by_their_hash(self, tmp_path: Path) -> None:
        page = Page(write_report(LINKS, tmp_path / "r.html"))
        metas = (found for tag, found in page.elements if tag == "meta" and "content" in found)
        policy = next(str(found["content"]) for found in metas if "http-equiv" in found)
        assert policy.startswith("default-src 'none'; script-src 'sha256-")
        assert "unsafe-eval" not in policy
        for script in page.scripts[1:]:
            found = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
            assert f"'sha256-{found}'" in policy

    def test_nothing_is_loaded(self, tmp_path: Path) -> None:
        page = Page(write_report(LINKS, tmp_path / "r.html"))
        sources = [
            v for _, found in page.elements for k, v in found.items() if k in ("src", "href")
        ]
        assert all(str(each).startswith(("#", "data:")) for each in sources)


class TestContent:
    def test_methods_name_versions_parameters_and_counts(self) -> None:
        run = {
            "versions": {"scifate_sklearn": "9.9", "numpy": "2.0"},
            "parameters": {
                "new": "unspliced",
                "total": "spliced",
                "gene_filter_rate": 0.1,
                "cell_filter_umi": 1000.0,
                "folds": 7,
                "seed": 42,
                "lambda_rule": "1se",
                "coef_threshold": 0.04,
                "encode": "/home/me/peaks.csv",
                "stability": 0.6,
            },
            "steps": {
                "cells": {"before": 10, "kept": 9, "dropped": 1},
                "links_above_threshold": {"before": 4372, "kept": 1356, "dropped": 3016},
            },
        }
        methods = Methods(run)
        parts = [
            *("9.9 (numpy 2.0)", "“unspliced”", "10 % of the cells", "1,000 counts", "7-fold"),
            *("seed 42", "(9 of 10 cells)", "4,372 links", "1,356", "peaks.csv", "60 %"),
        ]
        assert not [part for part in parts if part not in methods.text]
        assert "/home/me" not in methods.text
        numbers = [int(n) for n in re.findall(r"\[(\d)\]", methods.text)]
        assert sorted(set(numbers)) == list(range(1, len(methods.citations) + 1))
        assert "Cao" in methods.citations[0]

    @pytest.mark.parametrize(
        ("options", "said", "unsaid"),
        [
            ({"groups": "donor"}, "whole groups of cells by “donor”", "seed"),
            ({"groups": "donor", "repeats": 3}, "(seed 5, repeated 3 times)", "None"),
            (
                {"groups": "donor", "stability": 0.6},
                "folds of whole groups of cells by “donor” (seed 5)",
                "None",
            ),
            ({"detection_rate": "0.8"}, "divided by the share of new RNA that", "None"),
            ({"detection_rate": "0.8"}, "(0.8), at most to the total counts", "None"),
            ({"detection_rate": "rate"}, "the column “rate” of the cells", "None"),
            ({"response": "values", "regulators": "values"}, "Values were used", "Genes detected"),
            ({"response": "values", "regulators": "values"}, "only z-scored", "newly made RNA"),
            ({"response": "values"}, "of values instead of counts", "newly made RNA"),
            ({"regulators": "values"}, "without size factors", "Cells with more"),
            ({"encode": "p.csv"}, "are enriched or depleted in", "with a peak only"),
            ({"encode": "p.csv"}, "coefficient up to 0.04 were dropped", "one-sided"),
            ({"encode": "p.csv", "motifs": "m"}, "were not kept by this test", "dropped"),
            ({"encode": "p.csv", "strict": True}, "of enriched TFs and with a peak", "depleted"),
            ({"lambda_rule": "0.1"}, "the penalty was fixed at 0.1", "cross-validation"),
            ({"covariates": 5}, "z-scored", "Covariates"),
            ({"lambda_rule": ["1se"], "seed": {}}, "LASSO", "penalty was"),
            ({"folds": "x", "fdr": [], "encode": 3}, "cross-validation (seed 5)", "ChIP"),
        ],
    )
    def test_methods_follow_the_options(
        self, options: dict[str, Any], said: str, unsaid: str
    ) -> None:
        usual = {
            "new": "n",
            "total": "t",
            "response": "counts",
            "regulators": "counts",
            "gene_filter_rate": 0.1,
            "cell_filter_umi": 50.0,
            "coef_threshold": 0.04,
            "lambda_rule": "1se",
            "folds": 10,
            "seed": 5,
            "repeats": 1,
            "groups": None,
        }
        text = Methods({"parameters": {**usual, **options}}).text
        assert said in text
        assert unsaid not in text

    def test_methods_leave_out_what_is_not_known(self) -> None:
        text = Methods({"parameters": {"seed": 5}}).text
        assert "None" not in text
        assert "Genes detected" not in text
        assert ".." not in text
        assert "  " not in text

    def test_methods_of_groups_have_their_numbers(self) -> None:
        def steps(cells: int, links: int) -> dict[str, dict[str, int]]:
            kept = {"cells": (70, cells), "tfs": (9, 8), "links_above_threshold": (links, 4)}
            return {
                name: {"before": before, "kept": n, "dropped": before - n}
                for name, (before, n) in kept.items()
            }

        run = {
            "parameters": {
                "by": "type",
                "min_cells": 20,
                "cell_filter_umi": 50.0,
                "coef_threshold": 0.04,
            },
            "steps": {"groups": {"before": 3, "kept": 2, "dropped": 1}},
            "groups": {"B": steps(44, 5), "T": steps(38, 7)},
            "skipped_groups": {"rare": "3 cells"},
        }
        text = Methods(run).text
        parts = [
            *("within each group of cells by “type”", "at least 20 cells", "(B, T)", "rare"),
            *("(38 to 44 of 70 cells in each group)", "8 TFs of the list"),
            "5 to 7 links with a coefficient other than 0, 4 with",
        ]
        assert not [part for part in parts if part not in text]

    def test_methods_of_links_without_a_run(self) -> None:
        methods = Methods({}, LINKS)
        assert "4 links of 2 transcription factors" in methods.text
        assert "fill in" in methods.text
        assert "sci-fate " not in methods.text
        assert "sci-fate " not in Methods({}).text
        assert not methods.citations

    def test_meanings_hold_for_every_table(self) -> None:
        # `q` is of links (PermutationFDR) and of TFs (ChIP-seq).
        assert "of a link" in MEANINGS["q"]
        assert "of a TF" in MEANINGS["q"]
        assert "100" not in MEANINGS["frequency"]
        assert "halves of the cells or folds" in MEANINGS["frequency"]
        assert "values" in MEANINGS["coef"]

    def test_tfs_are_counted(self) -> None:
        table = _tables.tf_table(LINKS).set_index("TF")
        assert table.loc["A"].to_dict() == {
            "targets": 2,
            "activated": 1,
            "repressed": 1,
            "strongest": 0.5,
            "kept links": 1,
            "regulators": 0,
        }
        assert table.loc["B", "regulators"] == 1

    def test_numbers_of_the_links_are_exact(self, tmp_path: Path) -> None:

        page = Page(write_report(LINKS, tmp_path / "r.html"))
        [table] = [each for each in page.data["tables"] if each["key"] == "table0"]
        found = next(each["field"] for each in table["fields"] if each["name"] == "coef")
        text = json.dumps(table["item"])
        bytes_ = re.search(rf'\["{found}", {{.*?"data": "([^"]+)"', text)
        assert bytes_
        content = base64.b64decode(bytes_[1])
        # Newer versions of Bokeh compress.
        is_compressed = content.startswith(b"\x1f\x8b")
        values = np.frombuffer(gzip.decompress(content) if is_compressed else content, float)
        assert values.tolist() == [-0.5, 0.3, -0.2, 0.1]

    @pytest.mark.parametrize(
        ("values", "kind", "expected"),
        [
            ([True, None, False], "text", ["yes", "", "no"]),
            ([1, None, 3], "number", [1, np.nan, 3]),
            ([1, 2], "integer", [1, 2]),
            (["a\n\u202eb", None], "text", ["a \\u202eb", ""]),
            ([None, None], "text", ["", ""]),
            ([np.inf, 0.5], "number", [np.inf, 0.5]),
            (["1", 2], "text", ["1", "2"]),
        ],
    )
    def test_columns(self, values: list[Any], kind: str, expected: list[Any]) -> None:
        column = Column.from_series(pd.Series(values, name="x", dtype=object))
        assert column.kind == kind
        np.testing.assert_array_equal(column.entries, np.array(expected, column.entries.dtype))

    def test_no_links(self, tmp_path: Path) -> None:
        write_report(LINKS.iloc[:0], tmp_path / "r.html")

    def test_every_table_of_a_run_is_read_from_its_folder(self) -> None:
        written = {name.removesuffix(".csv") for name in result_files() if name.endswith(".csv")}
        assert {*_results.LINK_TABLES, *_results.OTHER_TABLES} == written


class TestPictures:
    @pytest.fixture(autouse=True)
    def packages(self) -> None:
        for name in ("matplotlib", "marsilea", "adjustText"):
            pytest.importorskip(name)

    @staticmethod
    def titles(links: pd.DataFrame, folder: Path) -> list[str | None]:
        page = Page(write_report(links, folder / "r.html"))
        return [found["alt"] for tag, found in page.elements if tag == "img"]

    def test_groups_have_a_sentence_instead(self, tmp_path: Path) -> None:
        groups = pd.concat([LINKS.assign(group="a"), LINKS.assign(group="b", coef=0.7)])
        assert self.titles(groups, tmp_path) == []
        text = (tmp_path / "r.html").read_text(encoding="utf-8")
        assert "Pictures show one network; give the links of one group." in text
        assert len(self.titles(groups[groups["group"] == "a"], tmp_path)) == 2

    @pytest.mark.parametrize("change", [{"coef": 0.0}, {"target": LINKS["TF"]}])
    def test_nothing_to_draw(self, change: dict[str, Any], tmp_path: Path) -> None:
        assert self.titles(LINKS.assign(**change), tmp_path) == []

    @pytest.mark.parametrize(
        ("kept", "ending"),
        [
            ([True, False, True, True], "of the links that all tests keep"),
            ([False] * 4, "of all links, because the tests keep none"),
        ],
    )
    def test_titles_name_the_links(self, kept: list[bool], ending: str, tmp_path: Path) -> None:
        titles = self.titles(LINKS.assign(kept=kept), tmp_path)
        assert len(titles) == 2
        assert all(str(title).endswith(f", {ending}") for title in titles)

    def test_kept_links_are_drawn(self) -> None:
        shown = drawn_pictures(LINKS.assign(TF=["A", "hidden", "B", "B"]))
        assert not [title for title, text in shown if "hidden" in str(text)]

    def test_a_picture_that_fails_is_left_out(self, tmp_path: Path) -> None:
        twice = pd.concat([LINKS, LINKS.assign(coef=0.9)])
        with pytest.warns(UserWarning, match="The report lacks the picture"):
            assert self.titles(twice, tmp_path) == []


class TestTypes:
    @pytest.mark.parametrize("kind", ["int64", "category", "str"])
    @pytest.mark.filterwarnings("error")
    def test_names_are_text(self, kind: str, tmp_path: Path) -> None:
        numbers = {"TF": [1, 1, 2, 2], "target": [7, 2, 7, 8], "group": [1, 1, 1, 1]}
        table = LINKS.assign(**{name: pd.Series(v).astype(kind) for name, v in numbers.items()})
        for name in numbers:
            assert Column.from_series(table[name]).kind == "text"
        page = Page(write_report(table, tmp_path / "r.html", pictures=[]))
        [shown] = [each for each in page.data["tables"] if each["key"] == "table0"]
        kinds = {each["name"]: each["kind"] for each in shown["fields"]}
        assert {kinds[name] for name in numbers} == {"text"}
        found = _results.RunResults.from_any(table, None).links
        assert _tables.tf_table(found)["regulators"].tolist() == [0, 1]

    @pytest.mark.parametrize("kept", [[1, 0, 1, 1], ["True", "False", "True", "True"]])
    def test_kept_is_a_flag(self, kept: list[Any], tmp_path: Path) -> None:
        table = LINKS.assign(kept=kept)
        assert Column.from_series(table["kept"]).entries.tolist() == ["yes", "no", "yes", "yes"]
        write_report(table, tmp_path / "r.html", pictures=[])
        links = _results.RunResults.from_any(table, None).links
        assert links["kept"].sum() == 3
        assert _tables.tf_table(links)["kept links"].tolist() == [1, 2]

    def test_kept_that_is_no_flag(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="'kept' must hold 0/1"):
            write_report(LINKS.assign(kept="maybe"), tmp_path / "r.html")
        counts = pd.Series([25, 3], name="kept")
        assert Column.from_series(counts).kind == "integer"
        flags = pd.Series([1, None], name="kept", dtype=object)
        assert Column.from_series(flags).entries.tolist() == ["yes", ""]


class TestErrors:
    def test_missing_package(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        from scifate_sklearn.report import _packages

        monkeypatch.setattr(_packages, "find_spec", lambda name: None if name == "bokeh" else 1)
        with pytest.raises(ImportError, match=r"requires Bokeh, which the extra `report`"):
            write_report(LINKS, tmp_path / "r.html")
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize(
        ("results", "error"),
        [(7, TypeError), ({"targets": LINKS}, ValueError), ({"links": [1]}, TypeError)],
    )
    def test_what_are_no_results(
        self, results: Any, error: type[Exception], tmp_path: Path
    ) -> None:
        with pytest.raises(error, match="results"):
            write_report(results, tmp_path / "r.html")

    @pytest.mark.parametrize(
        "text",
        ["", "[1]", "[" * 10**5, '{"steps": {"cells": {"before": "1"}}}', '{"warnings": "x"}',
         '{"inputs": {"cells": 1}}', '{"groups": {"a": 1}}', '{"versions": [1]}'],
    )  # fmt: skip
    def test_damaged_run(self, text: str, tmp_path: Path) -> None:
        LINKS.to_csv(tmp_path / "links.csv", index=False)
        (tmp_path / "run.json").write_text(text)
        with pytest.raises(ValueError, match=r"run\.json"):
            write_report(tmp_path, tmp_path / "r.html")
        assert not (tmp_path / "r.html").exists()

    def test_folders_without_links(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="there is no links table"):
            write_report(tmp_path, tmp_path / "r.html")
        with pytest.raises(NotADirectoryError, match="no folder of a run"):
            write_report(tmp_path / "absent", tmp_path / "r.html")
