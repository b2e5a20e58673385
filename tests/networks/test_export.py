"""Exports of links are read back by the programs they are for, with equal values."""

import json
import sys
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scifate_sklearn import BindingReference, combine_links, export_links, to_networkx
from scifate_sklearn.networks import (
    _export,
    _priors,
    export_paths,
    to_celloracle,
    to_decoupler,
    to_regulons,
    to_regvelo,
    to_scenic,
)

FORMATS = list(_export.FORMATS)
ONE_NETWORK = ["gmt", "json", "decoupler", "scenic", "regvelo", "celloracle"]
SIGNED = ["cyjs", "sif", "gmt", "json"]
# A TF and its own target, names with XML, quotation marks, blanks, underscores and formulas,
# and a gene called NA.
LINKS = pd.DataFrame(
    {
        "TF": ["Sox9", "Sox9", "HLA_A", "B<&\"'>", "=1+1", "Sox9"],
        "target": ["Ins1", "HLA_A", "NA", "Sox9", "Ins 2", "@SUM(A1)"],
        "coef": [0.1, -1 / 3, 5e-324, -1.7976931348623157e308, 0.1 + 0.2, 2.5],
        "r2": np.array([0.1, 0.2, np.nan, 0.4, 0.5, 0.6], np.float32),
        "chip_peak": [True, None, False, True, None, False],
        "chip_odds_ratio": [np.inf, -np.inf, np.nan, 0.0, 1.5, 2.0],
        "motif_rank": pd.array([1, None, 2**53 + 1, 4, 5, 6], "Int64"),
        "motif": ["a;b", None, '<m> & "q"', "NA", "  blank ", "ü→ß"],
        "Conf": pd.Categorical(["high", None, "low", "low", "high", "high"]),
    }
)
PAIRS = list(zip(LINKS["TF"], LINKS["target"], strict=True))


def expected(name: str) -> list[Any]:
    """Return a column as Python's values, None where it is missing."""
    column = LINKS[name].astype(object)
    return [None if lacks else value for value, lacks in zip(column, column.isna(), strict=True)]


def attributes_of_edges() -> dict[tuple[str, str], dict[str, Any]]:
    names = LINKS.columns[2:]
    rows = zip(*(expected(name) for name in names), strict=True)
    return {
        pair: {name: value for name, value in zip(names, row, strict=True) if value is not None}
        for pair, row in zip(PAIRS, rows, strict=True)
    }


def same_types(edges: Any) -> dict[str, set[type]]:
    found: dict[str, set[type]] = {}
    for attributes in dict(edges).values():
        for name, value in attributes.items():
            found.setdefault(name, set()).add(type(value))
    return found


TYPES = {
    "coef": {float}, "r2": {float}, "chip_peak": {bool}, "chip_odds_ratio": {float},
    "motif_rank": {int}, "motif": {str}, "Conf": {str},
}  # fmt: skip


class TestGraphs:
    def test_networkx(self) -> None:
        pytest.importorskip("networkx", reason="needs the extra `export`")
        graph = to_networkx(LINKS)
        assert graph.is_directed()
        assert dict(graph.edges.items()) == attributes_of_edges()
        assert same_types(graph.edges.items()) == TYPES
        tfs, targets = set(LINKS["TF"]), set(LINKS["target"])
        assert dict(graph.nodes.items()) == {
            name: {"is_tf": name in tfs, "is_target": name in targets} for name in tfs | targets
        }

    def test_graphml_is_read_by_networkx(self, tmp_path: Path) -> None:
        nx = pytest.importorskip("networkx", reason="needs the extra `export`")
        [path] = export_links(LINKS, tmp_path / "net.graphml")
        graph = nx.read_graphml(path)
        assert type(graph) is nx.DiGraph
        assert dict(graph.edges.items()) == attributes_of_edges()
        assert same_types(graph.edges.items()) == TYPES
        assert dict(graph.nodes.items()) == dict(to_networkx(LINKS).nodes.items())

    def test_cytoscape_json_is_read_by_networkx(self, tmp_path: Path) -> None:
        nx = pytest.importorskip("networkx", reason="needs the extra `export`")
        [path] = export_links(LINKS, tmp_path / "net.cyjs")
        graph = nx.cytoscape_graph(json.loads(path.read_text(encoding="utf-8")))
        assert type(graph) is nx.DiGraph
        plain, kinds = {}, {}
        for pair, found in graph.edges.items():
            ours = {name: value for name, value in found.items() if name in LINKS}
            plain[pair] = {name: v for name, v in ours.items() if name != "target"}
            kinds[pair] = found["interaction"]
        assert plain == attributes_of_edges()
        signs = {True: "activates", False: "represses"}
        assert kinds == {p: signs[c > 0] for p, c in zip(PAIRS, LINKS["coef"], strict=True)}
        flags = {
            name: {"is_tf": data["is_tf"], "is_target": data["is_target"]}
            for name, data in graph.nodes.items()
        }
        assert flags == dict(to_networkx(LINKS).nodes.items())

    def test_cytoscape_json_follows_the_schema(self, tmp_path: Path) -> None:
        """Ids are distinct texts, and every edge joins two of the nodes (Cytoscape.js)."""
        [path] = export_links(LINKS, tmp_path / "net.cyjs")
        elements = json.loads(path.read_text(encoding="utf-8"), parse_constant=pytest.fail)[
            "elements"
        ]
        nodes = [each["data"]["id"] for each in elements["nodes"]]
        edges = [each["data"] for each in elements["edges"]]
        ids = nodes + [edge["id"] for edge in edges]
        assert all(isinstance(each, str) for each in ids)
        assert len(set(ids)) == len(ids)
        assert {edge[end] for edge in edges for end in ("source", "target")} <= set(nodes)
        assert all({"name", "is_tf", "is_target"} <= set(n["data"]) for n in elements["nodes"])

    def test_sif(self, tmp_path: Path) -> None:
        paths = export_links(LINKS, tmp_path / "net.sif")
        assert [path.name for path in paths] == ["net.sif", "net.edges.tsv", "net.nodes.tsv"]
        rows = [line.split("\t") for line in paths[0].read_text("utf-8").splitlines()]
        assert [(tf, target) for tf, _, target in rows] == PAIRS
        options: dict[str, Any] = {
            "sep": "\t", "keep_default_na": False, "float_precision": "round_trip",
        }  # fmt: skip
        missing = {name: [""] for name in LINKS.columns[2:]}
        whole = {"motif_rank": "Int64"}
        edges = pd.read_csv(paths[1], na_values=missing, dtype=whole, **options)
        # Cytoscape calls the edges of a SIF file so, and joins the table by it.
        assert edges["shared name"].tolist() == [f"{s} ({kind}) {t}" for s, kind, t in rows]
        for name in ("coef", "chip_odds_ratio", "motif", "motif_rank", "chip_peak"):
            column = edges[name].astype(object).where(edges[name].notna(), None)
            assert column.tolist() == expected(name)
        np.testing.assert_array_equal(edges["r2"].astype(np.float32), LINKS["r2"])
        nodes = pd.read_csv(paths[2], index_col=0, **options)
        assert nodes.index.tolist() == sorted({name for pair in PAIRS for name in pair})
        assert nodes.index[nodes["is_tf"]].tolist() == sorted(set(LINKS["TF"]))
        assert nodes.index[nodes["is_target"]].tolist() == sorted(set(LINKS["target"]))

    def test_networks_of_total_and_new_rna_have_their_group(self) -> None:
        pytest.importorskip("networkx", reason="needs the extra `export`")
        both = combine_links(LINKS.iloc[:3], LINKS.iloc[2:])
        graph = to_networkx(both)
        assert graph.edges[PAIRS[0]]["group"] == "Full"
        assert "coef_New" not in graph.edges[PAIRS[0]]
        assert graph.edges[PAIRS[2]]["group"] == "both"


class TestRegulons:
    def test_activated_and_repressed_targets(self) -> None:
        found = to_regulons(LINKS)
        assert found["Sox9(+)"] == {"@SUM(A1)": 2.5, "Ins1": 0.1}
        assert found["Sox9(-)"] == {"HLA_A": -1 / 3}
        pairs = {
            (name[:-3], target): c for name, each in found.items() for target, c in each.items()
        }
        assert pairs == dict(zip(PAIRS, LINKS["coef"], strict=True))

    def test_json(self, tmp_path: Path) -> None:
        [path] = export_links(LINKS, tmp_path / "net.json")
        assert json.loads(path.read_text(encoding="utf-8")) == to_regulons(LINKS)

    def test_gmt(self, tmp_path: Path) -> None:
        [path] = export_links(LINKS, tmp_path / "net.gmt")
        sets = [line.split("\t") for line in path.read_text("utf-8").splitlines()]
        assert {name: genes for name, _, *genes in sets} == {
            name: list(targets) for name, targets in to_regulons(LINKS).items()
        }
        # Readers that split at blanks, such as decoupler's, take a second word for a gene.
        assert {description for _, description, *_ in sets} == {"activated", "repressed"}

    @pytest.mark.parametrize(("direction", "sign"), [("up", 1), ("down", -1)])
    def test_gmt_is_read_by_this_package(self, direction: Any, sign: int, tmp_path: Path) -> None:
        """TFs with an underscore are whole, and each direction is found again."""
        links = LINKS.iloc[:3]
        [path] = export_links(links, tmp_path / "net.gmt")
        read = BindingReference.read(path, genes=[*links["target"]], direction=direction)
        chosen = links[np.sign(links["coef"]) == sign]
        tfs, targets = np.nonzero(read.status == 2)
        found = set(zip(read.tfs[tfs], read.genes[targets], strict=True))
        assert found == set(zip(chosen["TF"], chosen["target"], strict=True))

    @pytest.mark.parametrize("name", ["#TF", "%TF", "!TF", "a,b"])
    def test_gmt_refuses_names_that_are_misread(self, name: str, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match=r"misread the name .*rename it"):
            export_links(LINKS.assign(TF=name), tmp_path / "net.gmt")


class TestTables:
    @pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet"])
    def test_decoupler(self, suffix: str, tmp_path: Path) -> None:
        [path] = export_links(LINKS, tmp_path / f"net{suffix}", format="decoupler")
        read = read_table(path)
        pd.testing.assert_frame_equal(read, to_decoupler(LINKS), check_exact=True)
        assert read.columns.tolist() == ["source", "target", "weight"]
        pairs = zip(read["source"], read["target"], strict=True)
        assert dict(zip(pairs, read["weight"], strict=True)) == dict(
            zip(PAIRS, LINKS["coef"], strict=True)
        )

    def test_ulm_of_decoupler(self, tmp_path: Path) -> None:
        """Its scores are the t statistics of a regression on the signed coefficients."""
        dc = pytest.importorskip("decoupler", reason="needs decoupler")
        scipy_stats = pytest.importorskip("scipy.stats")
        rng = np.random.default_rng(0)
        genes = [f"g{i}" for i in range(12)]
        pairs = [(tf, gene) for tf in genes[:3] for gene in genes if tf != gene]
        links = pd.DataFrame(pairs, columns=["TF", "target"]).sample(20, random_state=0)
        links["coef"] = rng.normal(size=len(links))
        [path] = export_links(links, tmp_path / "net.csv", format="decoupler")
        cells = pd.DataFrame(rng.normal(size=(5, 12)), columns=genes)
        scores, _ = dc.mt.ulm(cells, pd.read_csv(path, float_precision="round_trip"), tmin=2)
        for tf in scores.columns:
            of_tf = links[links["TF"] == tf].set_index("target")["coef"]
            weights = of_tf.reindex(genes, fill_value=0.0)
            for i in range(len(cells)):
                line = scipy_stats.linregress(weights, cells.iloc[i])
                assert scores[tf].iloc[i] == pytest.approx(line.slope / line.stderr, rel=1e-9)

    def test_scenic(self, tmp_path: Path) -> None:
        [path] = export_links(LINKS, tmp_path / "adjacencies.tsv", format="scenic")
        read = read_table(path)
        pd.testing.assert_frame_equal(read, to_scenic(LINKS), check_exact=True)
        assert read.columns.tolist() == ["TF", "target", "importance"]
        assert read["importance"].tolist() == sorted(LINKS["coef"].abs(), reverse=True)
        reference = BindingReference.read(path, genes=[*LINKS["target"]])
        assert int((reference.status == 2).sum()) == len(LINKS)

    def test_parquet_has_all_columns_and_groups(self, tmp_path: Path) -> None:
        pytest.importorskip("pyarrow", reason="needs the extra `parquet`")
        groups = pd.concat([LINKS.assign(group="B cell"), LINKS.assign(group="T cell", coef=1.0)])
        [path] = export_links(groups, tmp_path / "net.parquet")
        pd.testing.assert_frame_equal(
            pd.read_parquet(path), groups.reset_index(drop=True), check_exact=True
        )


def read_table(path: Path, **options: Any) -> pd.DataFrame:
    """Read a table as its users do, but with all names as they are, and exact numbers."""
    if path.suffix == ".parquet":
        pytest.importorskip("pyarrow", reason="needs the extra `parquet`")
        return pd.read_parquet(path)
    separator = {".csv": ",", ".tsv": "\t"}[path.suffix]
    exact: dict[str, Any] = {"keep_default_na": False, "float_precision": "round_trip"}
    return pd.read_csv(path, sep=separator, **exact, **options)


class TestPriors:
    @pytest.mark.parametrize("suffix", [".csv", ".parquet"])
    def test_regvelo_has_targets_in_rows(self, suffix: str, tmp_path: Path) -> None:
        """`set_prior_grn` documents rows as targets and columns as regulators."""
        [path] = export_links(LINKS, tmp_path / f"prior{suffix}", format="regvelo")
        prior = read_table(path, **({"index_col": 0} if suffix == ".csv" else {}))
        assert prior.index.tolist() == prior.columns.tolist()  # square, for its diagonal
        target, tf = np.nonzero(prior.to_numpy())
        found = set(zip(prior.columns[tf], prior.index[target], strict=True))
        assert found == set(PAIRS)
        assert ("Ins1", "Sox9") not in found
        assert np.unique(prior).tolist() == [0, 1]

    def test_celloracle_has_targets_in_rows(self, tmp_path: Path) -> None:
        """`import_TF_data` takes the columns with a positive sum over the rows of a gene."""
        pytest.importorskip("pyarrow", reason="needs the extra `parquet`")
        [path] = export_links(LINKS, tmp_path / "base.parquet", format="celloracle")
        base = pd.read_parquet(path)
        assert base.columns[:2].tolist() == ["peak_id", "gene_short_name"]
        assert base["peak_id"].is_unique
        sums = base.drop(columns="peak_id").groupby("gene_short_name").sum()
        found = {(tf, gene) for gene, row in sums.iterrows() for tf in row.index[row > 0]}
        assert found == set(PAIRS)

    @pytest.mark.parametrize("build", [to_regvelo, to_celloracle])
    def test_too_many_genes(self, build: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_priors, "_MOST_ENTRIES", 10)
        with pytest.raises(ValueError, match=r"would have .* entries, more than 10; keep"):
            build(LINKS)

    def test_celloracle_refuses_a_tf_with_the_name_of_a_column(self) -> None:
        with pytest.raises(ValueError, match="'peak_id' is a column of CellOracle"):
            to_celloracle(LINKS.assign(TF="peak_id"))


NAMES = st.text(min_size=1, max_size=8).filter(lambda text: text.strip() != "")
FINITE = st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: x != 0)
ROWS = st.lists(
    st.tuples(NAMES, NAMES, FINITE, st.none() | st.floats(), st.text(max_size=5)),
    min_size=1, max_size=6, unique_by=lambda row: row[:2],
)  # fmt: skip


def is_safe(text: str) -> bool:
    """Return whether XML 1.0 and tables of lines can hold a text."""
    return not any(
        unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or c in "\ufffe\uffff" for c in text
    )


class TestAnyText:
    @given(ROWS)
    @settings(max_examples=60, deadline=None)
    def test_is_read_back_or_refused(
        self, tmp_path_factory: pytest.TempPathFactory, rows: list[Any]
    ) -> None:
        nx = pytest.importorskip("networkx", reason="needs the extra `export`")
        folder = tmp_path_factory.mktemp("any")
        links = pd.DataFrame(rows, columns=["TF", "target", "coef", "q", "motif"])
        texts = [text for row in rows for text in (row[0], row[1], row[4])]
        if not all(map(is_safe, texts)):
            with pytest.raises(ValueError, match=r"control character or a line break|surrogates"):
                export_links(links, folder / "net.graphml")
            return
        graph = to_networkx(links)
        [path] = export_links(links, folder / "net.graphml")
        assert dict(nx.read_graphml(path).edges.items()) == dict(graph.edges.items())
        [path] = export_links(links, folder / "net.cyjs")
        read = nx.cytoscape_graph(json.loads(path.read_text(encoding="utf-8")))
        assert {pair: each["coef"] for pair, each in read.edges.items()} == {
            pair: each["coef"] for pair, each in graph.edges.items()
        }
        path, *_ = export_links(links, folder / "net.sif")
        lines = path.read_text(encoding="utf-8").split("\n")[:-1]
        assert {tuple(line.split("\t")[::2]) for line in lines} == set(graph.edges)

    @pytest.mark.parametrize("character", "\t\n\r\x00\x1b\x0b\x85\u2028\ud800\uffff")
    @pytest.mark.parametrize("where", ["TF", "target", "motif", "column"])
    def test_unsafe_characters_are_refused_in_every_format(
        self, character: str, where: str, tmp_path: Path
    ) -> None:
        if (character, where) == ("\ud800", "column"):
            pytest.skip("pandas 3 has no such names of columns")
        bad = f"a{character}b"
        links = LINKS.iloc[:1].rename(columns={"Conf": bad if where == "column" else "Conf"})
        if where != "column":
            links[where] = pd.Series([bad], dtype=object)
        for name in FORMATS:
            suffix = next(iter(_export.FORMATS[name].writers))
            with pytest.raises(ValueError, match=r"control character or a line break|surrogates"):
                export_links(links, tmp_path / f"net{suffix}", format=name)
        assert not list(tmp_path.iterdir())


class TestLinks:
    def test_repeated_rows_count_once(self, tmp_path: Path) -> None:
        twice = pd.concat([LINKS, LINKS.iloc[::-1]])
        for name in FORMATS[:-1]:
            suffix = next(iter(_export.FORMATS[name].writers))
            once, again = (
                [
                    path.read_bytes()
                    for path in export_links(links, tmp_path / f"{i}{suffix}", format=name)
                ]
                for i, links in enumerate((LINKS, twice))
            )
            assert once == again, name

    def test_one_pair_with_different_evidence(self, tmp_path: Path) -> None:
        """Tables with one row per kind of evidence have one coefficient, but two attributes."""
        twice = pd.concat([LINKS, LINKS.assign(Conf="other")])
        pd.testing.assert_frame_equal(to_decoupler(twice), to_decoupler(LINKS))
        for name in ("net.graphml", "net.cyjs", "net.sif"):
            with pytest.raises(ValueError, match=r"6 row.* repeat a pair .*'Conf'.*Keep one row"):
                export_links(twice, tmp_path / name)

    def test_one_pair_with_different_coefficients(self, tmp_path: Path) -> None:
        twice = pd.concat([LINKS, LINKS.assign(coef=1.0)])
        for name in FORMATS[:-1]:
            suffix = next(iter(_export.FORMATS[name].writers))
            with pytest.raises(ValueError, match="repeat a pair with different"):
                export_links(twice, tmp_path / f"net{suffix}", format=name)

    @pytest.mark.parametrize("name", ONE_NETWORK)
    def test_groups(self, name: str, tmp_path: Path) -> None:
        """Several groups are never united silently, even if no pair is in two of them."""
        links = LINKS.assign(group=["B cell"] * 3 + ["T cell"] * 3)
        suffix = next(iter(_export.FORMATS[name].writers))
        path = tmp_path / f"net{suffix}"
        with pytest.raises(ValueError, match=r"of 2 groups \('B cell', 'T cell'\).*`group`"):
            export_links(links, path, format=name)
        export_links(links, path, format=name, group="T cell")
        [other] = export_links(LINKS.iloc[3:], tmp_path / f"other{suffix}", format=name)
        assert path.read_bytes() == other.read_bytes()

    def test_groups_of_a_graph(self, tmp_path: Path) -> None:
        links = pd.concat([LINKS.assign(group="B cell"), LINKS.assign(group="T cell")])
        with pytest.raises(ValueError, match=r"in 'group'.*Select the rows of one group"):
            export_links(links, tmp_path / "net.graphml")
        with pytest.raises(
            ValueError, match=r"`group` is 'NK', but the groups .* 'B cell', 'T cell'"
        ):
            export_links(links, tmp_path / "net.graphml", group="NK")
        with pytest.raises(ValueError, match="have no column 'group'"):
            export_links(LINKS, tmp_path / "net.graphml", group="NK")

    @pytest.mark.parametrize("name", SIGNED)
    def test_a_coefficient_of_zero_has_no_sign(self, name: str, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="6 links have a coefficient of 0"):
            export_links(LINKS.assign(coef=0), tmp_path / f"net.{name}")

    @pytest.mark.parametrize("name", FORMATS)
    @pytest.mark.parametrize(
        ("links", "error", "message"),
        [
            (None, TypeError, "expects `links` as a pandas DataFrame"),
            (LINKS.drop(columns="coef"), ValueError, "lacks the column.*coef"),
            (LINKS.iloc[:0], ValueError, "no rows"),
            (LINKS.assign(target=None), ValueError, "`target` .* without a name"),
            (LINKS.rename(columns={"r2": "Conf"}), ValueError, "repeats the name of a column"),
        ],
    )  # fmt: skip
    def test_what_is_no_links_table(
        self, name: str, links: Any, error: type[Exception], message: str, tmp_path: Path
    ) -> None:
        suffix = next(iter(_export.FORMATS[name].writers))
        with pytest.raises(error, match=message):
            export_links(links, tmp_path / f"net{suffix}", format=name)

    @pytest.mark.parametrize("column", ["source", "id", "interaction"])
    def test_columns_of_cytoscape(self, column: str, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match=f"uses the column '{column}'"):
            export_links(LINKS.rename(columns={"Conf": column}), tmp_path / "net.cyjs")

    def test_links_are_not_changed(self, tmp_path: Path) -> None:
        before = LINKS.copy(deep=True)
        for name in FORMATS:
            suffix = next(iter(_export.FORMATS[name].writers))
            export_links(LINKS, tmp_path / f"net{suffix}", format=name)
        pd.testing.assert_frame_equal(LINKS, before)


class TestFiles:
    @pytest.mark.parametrize(
        ("file", "name", "message"),
        [
            ("net.txt", None, r"suffix '\.txt' does not tell the format; name one in `format`"),
            ("net", None, "does not tell the format"),
            ("net.csv", None, "does not tell the format"),
            ("net.csv", "excel", "`format` must be one of graphml, .*got 'excel'"),
            ("net.csv", "graphml", r"must end in \.graphml for 'graphml'"),
            ("net.txt", "scenic", r"must end in \.csv or \.tsv or \.parquet for 'scenic'"),
        ],
    )
    def test_formats_and_suffixes(
        self, file: str, name: str | None, message: str, tmp_path: Path
    ) -> None:
        for call in (lambda: export_links(LINKS, tmp_path / file, format=name),
                     lambda: export_paths(tmp_path / file, name)):  # fmt: skip
            with pytest.raises(ValueError, match=message):
                call()

    def test_places(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match=r"no folder .*absent"):
            export_links(LINKS, tmp_path / "absent" / "net.sif")
        (tmp_path / "net.nodes.tsv").mkdir()
        with pytest.raises(IsADirectoryError, match=r"net\.nodes\.tsv' is a folder"):
            export_links(LINKS, tmp_path / "net.sif")

    @pytest.mark.parametrize("suffix", [".edges.tsv", ".nodes.tsv"])
    def test_are_written_together_or_not_at_all(
        self, suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        paths = export_links(LINKS, tmp_path / "net.sif")
        before = [path.read_bytes() for path in paths]

        def write_a_part(_: pd.DataFrame, path: Path) -> None:
            path.write_text("part")
            raise OSError("no space left")

        monkeypatch.setitem(_export.FORMATS["sif"].companions, suffix, write_a_part)
        with pytest.raises(OSError, match="no space left"):
            export_links(LINKS.iloc[:2], tmp_path / "net.sif")
        assert [path.read_bytes() for path in paths] == before
        assert sorted(tmp_path.iterdir()) == sorted(paths)

    def test_without_networkx(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "networkx", None)
        with pytest.raises(ImportError, match=r"pip install 'scifate_sklearn\[export\]'"):
            to_networkx(LINKS)
        for name in ("net.graphml", "net.cyjs", "net.sif"):
            export_links(LINKS, tmp_path / name)

    def test_without_pyarrow(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def to_parquet(*_: Any, **__: Any) -> None:
            raise ImportError("Missing optional dependency 'pyarrow'.")

        monkeypatch.setattr(pd.DataFrame, "to_parquet", to_parquet)
        with pytest.raises(ImportError, match=r"pip install 'scifate_sklearn\[parquet\]'"):
            export_links(LINKS, tmp_path / "net.parquet")
        assert not list(tmp_path.iterdir())
