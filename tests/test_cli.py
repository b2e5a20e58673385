"""The commands `scifate run` and `scifate demo`: results, options and errors."""

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from scifate_sklearn import __version__, link_ledger
from scifate_sklearn.anndata_io import iterate_cells, prepare_anndata, prepare_moments
from scifate_sklearn.cli import app
from scifate_sklearn.datasets import LabelledCells, make_labelled_cells
from scifate_sklearn.filters import BindingReference, EncodeLinkFilter
from scifate_sklearn.ranking import RidgeRanking
from scifate_sklearn.regressor import SciFateRegressor
from scifate_sklearn.resampling import LinkTest, StabilitySelection

OUTPUTS = {
    "links.csv",
    "links_filtered.csv",
    "ledger.csv",
    "enrichment.csv",
    "targets.csv",
    "run.json",
    "annotated.h5ad",
}
EVIDENCE = {"links_filtered.csv", "ledger.csv", "enrichment.csv"}


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def assert_fails(result: Result, code: int, *patterns: str) -> None:
    """Check the exit code and the message on stderr, and that no traceback is shown."""
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    message = " ".join(re.sub(r"[│╭╮╰╯─]", " ", result.stderr).split())
    for pattern in patterns:
        assert re.search(pattern, message), message


@pytest.fixture(scope="module")
def cells() -> LabelledCells:
    return make_labelled_cells(
        300, 12, 60, effect_size=0.5, molecules=80, false_positive_rate=0.05, random_state=0
    )


@pytest.fixture(scope="module")
def files(cells: LabelledCells, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with cells, TF names and a reference."""
    folder = tmp_path_factory.mktemp("inputs")
    adata = cells.adata.copy()
    adata.layers["spliced"] = adata.layers["total"] - adata.layers["new"]
    adata.var["symbol"] = adata.var_names.str.upper()
    adata.write_h5ad(folder / "cells.h5ad")
    (folder / "tfs.txt").write_text("\n".join([*cells.tf_names, "NOT_THERE"]) + "\n")
    cells.reference.to_csv(folder / "peaks.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def run(files: Path) -> Callable[..., Result]:
    """Return a function that runs `scifate run` on these files; its options are appended."""

    def _run(out: Path, *more: object, encode: object = files / "peaks.csv") -> Result:
        return invoke(
            "run", files / "cells.h5ad", "--tfs", files / "tfs.txt", "--cell-filter-umi", 50,
            "--n-jobs", 1, *(["--encode", encode] if encode else []), "--out", out, *more,
        )  # fmt: skip

    return _run


@pytest.fixture(scope="module")
def done(
    run: Callable[..., Result], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Result]:
    out = tmp_path_factory.mktemp("done") / "deep" / "results"
    result = run(out)
    assert result.exit_code == 0, result.output
    return out, result


class TestResults:
    def test_files(self, done: tuple[Path, Result]) -> None:
        assert {path.name for path in done[0].iterdir()} == OUTPUTS

    def test_tables_agree_with_python(
        self, done: tuple[Path, Result], cells: LabelledCells
    ) -> None:
        inputs = prepare_anndata(cells.adata, cells.tf_names, cell_filter_UMI=50)
        regressor = SciFateRegressor().fit(inputs.tf_matrix, inputs.target_matrix)
        ranking = RidgeRanking().fit(inputs.tf_matrix, inputs.target_matrix)
        links = ranking.score_links(regressor.links_)
        chip = EncodeLinkFilter(BindingReference.from_table(cells.reference)).fit(links)
        expected = {
            "links": links,
            "links_filtered": chip.transform(links).assign(Conf="Chip_peak"),
            "enrichment": chip.enrichment_,
        }
        for name, table in expected.items():
            written = pd.read_csv(done[0] / f"{name}.csv")
            pd.testing.assert_frame_equal(
                written, table.reset_index(drop=True), check_dtype=False, rtol=1e-12
            )

    def test_targets(self, done: tuple[Path, Result]) -> None:
        targets = pd.read_csv(done[0] / "targets.csv").set_index("target")
        links = pd.read_csv(done[0] / "links.csv")
        assert list(targets.columns) == ["lambda_", "r2", "n_regulators"]
        assert targets["n_regulators"].sum() == len(links)
        first = links.iloc[0]
        assert targets.loc[first["target"], "lambda_"] == first["lambda_"]
        assert targets.loc[first["target"], "r2"] == first["r2"]

    def test_report(self, done: tuple[Path, Result], files: Path) -> None:
        report = json.loads((done[0] / "run.json").read_text())
        assert report["versions"]["scifate_sklearn"] == __version__
        assert report["parameters"]["seed"] == 123456
        assert report["parameters"]["cell_filter_umi"] == 50
        content = (files / "cells.h5ad").read_bytes()
        assert report["inputs"]["cells"] == {
            "path": str(files / "cells.h5ad"),
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        steps = report["steps"]
        assert steps["cells"]["before"] == 300
        assert steps["tfs"] == {"before": 13, "kept": 12, "dropped": 1}
        assert steps["links_above_threshold"]["before"] == len(pd.read_csv(done[0] / "links.csv"))
        assert all(s["before"] == s["kept"] + s["dropped"] for s in steps.values())
        assert report["warnings"] == []
        assert report["seconds"]["total"] > 0

    def test_annotated_cells(self, done: tuple[Path, Result], cells: LabelledCells) -> None:
        adata = anndata.read_h5ad(done[0] / "annotated.h5ad")
        assert adata.shape == cells.adata.shape
        found = adata.uns["scifate"]
        assert len(found["links"]) == len(pd.read_csv(done[0] / "links.csv"))
        assert json.loads(found["run"])["steps"]["cells"]["before"] == 300

    @pytest.mark.slow
    def test_cells_in_a_zarr_folder(
        self, files: Path, run: Callable[..., Result], done: tuple[Path, Result], tmp_path: Path
    ) -> None:
        adata = anndata.read_h5ad(files / "cells.h5ad")
        adata.write_zarr(tmp_path / "cells.zarr")
        options = ["--tfs", files / "tfs.txt", "--cell-filter-umi", 50, "--n-jobs", 1]
        arguments = "run", tmp_path / "cells.zarr", *options, "--encode", files / "peaks.csv"
        for _ in range(2):  # the second run overwrites the first
            result = invoke(*arguments, "--out", tmp_path / "out", "--overwrite")
            assert result.exit_code == 0, result.output
        names = {p.name for p in (tmp_path / "out").iterdir()}
        assert names == OUTPUTS - {"annotated.h5ad"} | {"annotated.zarr"}
        links = pd.read_csv(tmp_path / "out" / "links.csv")
        pd.testing.assert_frame_equal(links, pd.read_csv(done[0] / "links.csv"))
        found = anndata.read_zarr(tmp_path / "out" / "annotated.zarr").uns["scifate"]
        assert len(found["links"]) == len(links)
        report = json.loads((tmp_path / "out" / "run.json").read_text())
        assert len(report["inputs"]["cells"]["sha256"]) == 64

    def test_summary(self, done: tuple[Path, Result]) -> None:
        assert done[1].stderr == ""
        assert re.search(r"cells kept +\d+ of 300", done[1].stdout)
        assert "TFs with most links (links_filtered.csv): TF" in done[1].stdout
        assert str(done[0]) in done[1].stdout

    def test_same_seed_same_tables(
        self, run: Callable[..., Result], done: tuple[Path, Result], tmp_path: Path
    ) -> None:
        result = run(tmp_path / "again", "--quiet", "--seed", 123456)
        assert result.output == ""
        for name in ("links.csv", "links_filtered.csv", "enrichment.csv", "targets.csv"):
            assert (tmp_path / "again" / name).read_bytes() == (done[0] / name).read_bytes()

    def test_parameters_arrive(self, run: Callable[..., Result], tmp_path: Path) -> None:
        result = run(
            tmp_path, "--lambda-rule", "0.05", "--path", "adaptive", "--coef-threshold", 0.1,
            "--gene-filter-rate", 0.3, "--strict",
        )  # fmt: skip
        assert result.exit_code == 0, result.output
        assert pd.read_csv(tmp_path / "targets.csv")["lambda_"].dropna().round(12).eq(0.05).all()
        filtered = pd.read_csv(tmp_path / "links_filtered.csv")
        assert (filtered["coef"].abs() > 0.1).all()
        assert filtered["chip_peak"].all()


@pytest.fixture(scope="module")
def motifs(cells: LabelledCells, files: Path) -> list[object]:
    """Return options for rankings in which one motif of each TF has the bound genes first."""
    pytest.importorskip("pyarrow")
    rng, genes = np.random.default_rng(0), list(cells.adata.var_names)
    ranks = {f"m{i}": rng.permutation(len(genes)) for i in range(100)}
    bound_by = cells.reference[cells.reference["peak"] == 1].groupby("TF")["target"]
    for i, tf in enumerate(cells.tf_names):
        bound = set(bound_by.get_group(tf))
        order = sorted(range(len(genes)), key=lambda gene: genes[gene] not in bound)
        ranks[f"m{i}"] = np.argsort(order)
    table = pd.DataFrame(ranks, index=genes).T.rename_axis("motifs").reset_index()
    table.to_feather(files / "rankings.feather")
    pairs = pd.DataFrame({"motif": [f"m{i}" for i in range(len(cells.tf_names))]})
    pairs.assign(TF=cells.tf_names).to_csv(files / "motifs.csv", index=False)
    return ["--motifs", files / "rankings.feather", "--motif-annotations", files / "motifs.csv"]


class TestMotifs:
    def test_a_link_stays_if_either_evidence_supports_it(
        self, run: Callable[..., Result], motifs: list[object], tmp_path: Path
    ) -> None:
        result = run(tmp_path, *motifs)
        assert result.exit_code == 0, result.output
        assert re.search(r"TFs with enriched motif +[1-9]", result.stdout)
        assert {path.name for path in tmp_path.iterdir()} == OUTPUTS | {"motif_enrichment.csv"}
        kept = pd.read_csv(tmp_path / "links_filtered.csv")
        assert {"Chip_peak", "Motif_high"} <= set(";".join(kept["Conf"]).split(";"))
        ledger = pd.read_csv(tmp_path / "ledger.csv")
        assert len(ledger) == len(pd.read_csv(tmp_path / "links.csv"))
        assert ledger["kept"].sum() == len(kept)
        assert ledger.loc[~ledger["kept"], "reason"].notna().all()
        stored = anndata.read_h5ad(tmp_path / "annotated.h5ad").uns["scifate"]
        assert len(stored["ledger"]) == len(ledger)
        assert list(stored["motif_enrichment"]["motif"].str[0].unique()) == ["m"]
        inputs = json.loads((tmp_path / "run.json").read_text())["inputs"]
        assert {"motifs", "motif_annotations"} <= set(inputs)

    def test_motifs_alone(
        self, run: Callable[..., Result], motifs: list[object], tmp_path: Path
    ) -> None:
        result = run(tmp_path, *motifs, encode=None)
        assert result.exit_code == 0, result.output
        expected = OUTPUTS - {"enrichment.csv"} | {"motif_enrichment.csv"}
        assert {path.name for path in tmp_path.iterdir()} == expected
        assert set(pd.read_csv(tmp_path / "links_filtered.csv")["Conf"]) == {"Motif_high"}

    @pytest.mark.parametrize(
        ("given", "missing"), [(slice(0, 2), "--motif-annotations"), (slice(2, 4), "--motifs")]
    )
    def test_one_file_without_the_other(
        self,
        run: Callable[..., Result],
        motifs: list[object],
        given: slice,
        missing: str,
        tmp_path: Path,
    ) -> None:
        assert_fails(run(tmp_path, *motifs[given]), 2, f"requires {missing} too")

    @pytest.mark.parametrize("option", ["--ignore-case", "--strict"])
    def test_options_without_their_file(
        self, run: Callable[..., Result], option: str, tmp_path: Path
    ) -> None:
        assert_fails(run(tmp_path, option, encode=None), 2, f"{option}: requires --encode too")

    def test_links_are_written_if_no_evidence_supports_them(
        self, run: Callable[..., Result], cells: LabelledCells, tmp_path: Path
    ) -> None:
        """The overlap of names counts all TFs of the cells, not only those with links."""
        links = pd.read_csv(self._links(run, tmp_path / "first"))
        idle = [tf for tf in cells.tf_names if tf not in set(links["TF"])]
        peaks = cells.reference.assign(TF=idle[0] if idle else "Unheard")
        peaks.drop_duplicates("target").to_csv(tmp_path / "one.csv", index=False)
        result = run(tmp_path / "out", "--min-overlap", 0, encode=tmp_path / "one.csv")
        assert result.exit_code == 0, result.output
        assert "keeps no link" in result.stderr
        assert len(pd.read_csv(tmp_path / "out" / "links.csv")) == len(links)

    def _links(self, run: Callable[..., Result], out: Path) -> Path:
        assert run(out, encode=None).exit_code == 0
        return out / "links.csv"

    def test_evidence_with_other_names_is_rejected_before_the_fit(
        self, run: Callable[..., Result], motifs: list[object], files: Path, tmp_path: Path
    ) -> None:
        pairs = pd.read_csv(files / "motifs.csv")
        pairs.assign(TF=pairs["TF"].str.lower()).to_csv(tmp_path / "lower.csv", index=False)
        result = run(tmp_path / "out", *motifs[:3], tmp_path / "lower.csv")
        assert_fails(
            result, 1, "--motif-annotations .*lower.csv: No TF of the cells", "letter case"
        )
        assert not (tmp_path / "out").exists()


class TestInputs:
    def test_without_reference(self, run: Callable[..., Result], tmp_path: Path) -> None:
        result = run(tmp_path, encode=None)
        assert result.exit_code == 0, result.output
        assert {p.name for p in tmp_path.iterdir()} == OUTPUTS - EVIDENCE
        assert "links.csv): TF" in result.stdout

    def test_overwrite_leaves_no_stale_table(
        self, run: Callable[..., Result], tmp_path: Path
    ) -> None:
        assert run(tmp_path).exit_code == 0
        (tmp_path / "notes.txt").write_text("mine")
        assert run(tmp_path, "--overwrite", encode=None).exit_code == 0
        expected = OUTPUTS - EVIDENCE | {"notes.txt"}
        assert {p.name for p in tmp_path.iterdir()} == expected

    def test_total_as_a_sum(
        self, run: Callable[..., Result], done: tuple[Path, Result], tmp_path: Path
    ) -> None:
        result = run(tmp_path, "--total", "spliced + new")
        assert result.exit_code == 0, result.output
        assert (tmp_path / "links.csv").read_bytes() == (done[0] / "links.csv").read_bytes()

    def test_sum_with_a_missing_layer(self, run: Callable[..., Result], tmp_path: Path) -> None:
        assert_fails(run(tmp_path, "--total", "spliced+old"), 1, "'old'.*'spliced'")

    def test_values(self, files: Path, tmp_path: Path) -> None:
        adata = anndata.read_h5ad(files / "cells.h5ad")
        adata.layers["velocity"] = adata.layers["new"].toarray() - 0.5
        adata.write_h5ad(tmp_path / "cells.h5ad")
        result = invoke(
            "run", tmp_path / "cells.h5ad", "--tfs", files / "tfs.txt", "--new", "velocity",
            "--response", "values", "--cell-filter-umi", 50, "--out", tmp_path / "out",
        )  # fmt: skip
        assert result.exit_code == 0, result.output

    def test_reference_in_another_case(
        self, run: Callable[..., Result], files: Path, done: tuple[Path, Result], tmp_path: Path
    ) -> None:
        peaks = pd.read_csv(files / "peaks.csv")
        peaks = peaks.assign(TF=peaks["TF"].str.lower(), target=peaks["target"].str.upper())
        peaks.to_csv(tmp_path / "peaks.csv", index=False)
        other = {"encode": tmp_path / "peaks.csv"}
        assert_fails(run(tmp_path / "a", **other), 1, "No TF of the cells is in .*--ignore-case")
        assert run(tmp_path / "b", "--ignore-case", **other).exit_code == 0
        kept = "links_filtered.csv"
        assert (tmp_path / "b" / kept).read_bytes() == (done[0] / kept).read_bytes()

    def test_gene_symbols(self, run: Callable[..., Result], tmp_path: Path) -> None:
        assert run(tmp_path, "--gene-symbols", "symbol", encode=None).exit_code == 0
        assert pd.read_csv(tmp_path / "targets.csv")["target"].str.isupper().all()

    def test_warnings_are_shown_and_reported(
        self, run: Callable[..., Result], tmp_path: Path
    ) -> None:
        result = run(tmp_path, "--coef-threshold", 100)
        assert result.exit_code == 0, result.output
        assert result.stderr.count("Warning: EncodeLinkFilter") == 1
        reported = json.loads((tmp_path / "run.json").read_text())["warnings"]
        assert len(reported) == 2
        assert all(message in result.stderr for message in reported)
        n_links = len(pd.read_csv(tmp_path / "links.csv"))
        # The reasons are in the message, so that the ledger need not be read to find them.
        assert f"The tests keep none of {n_links:,} links. Most frequent reasons" in reported[1]
        assert f"{n_links:,} links: |coef| not above 100" in reported[1]


class TestTables:
    """Messages about files of TFs and of evidence name the option, never a Python argument."""

    @pytest.mark.parametrize(
        ("option", "name", "content", "message"),
        [
            ("--tfs", "sets.gmt", "TF1\t\tA\tB\nTF2\t\tC\n", "holds gene sets .* for --encode"),
            ("--tfs", "tfs.csv", "gene,n\nTF1,1\n", "has no column 'TF'.*the name TF"),
            ("--tfs", "tfs.csv", "TF\nNA\n2-Sep\n", "holds no TF name .*lines? 2.*line 3"),
            ("--encode", "e.csv", "TF,target,peak\n", "has a header, but no rows"),
            ("--encode", "e.csv", "a,b\n1,2\n", "no column for TF and target.*called \\*.gmt"),
            ("--encode", "e.csv", "TF,target\nTF1,Gene1\n", "one class only.*column peak, 1 and 0"),
            ("--encode", "e.csv", "TF,target,peak\nTF1,Gene1,maybe\n", r"found 'maybe' \(line 2\)"),
            (
                "--encode",
                "e.csv",
                "TF,target,peak\nTF1,Gene1,1,2\n",
                "4 in line 2, 3 in the header",
            ),
            ("--encode", "e.gmt", "TF1,Gene1\n", "holds no gene set.*begin with the TF"),
            ("--motif-annotations", "m.tbl", "motif,TF\n", "has a header, but no rows"),
            ("--motif-annotations", "m.tbl", "motif,gene\nm,A\n", "has 0 for 'TF'"),
            ("--motif-annotations", "m.tbl", "motif,TF\nx,TF1\n", "No annotated motif.*collection"),
            ("--motif-annotations", "m.tbl", "motif,TF,confidence\nm1,TF1,low\n", "low confidence"),
            ("--motif-annotations", "m.tbl", "motif,TF,confidence\nm1,TF1,?\n", r"\(line 2\)"),
            ("--motifs", "r.feather", "no feather", "is not a feather file"),
            ("--motifs", "r.feather", "ARROW1 damaged", "cannot be read as a feather file"),
        ],
    )
    def test_errors_about_tables_name_options(
        self,
        run: Callable[..., Result],
        motifs: list[object],
        tmp_path: Path,
        option: str,
        name: str,
        content: str,
        message: str,
    ) -> None:
        (tmp_path / name).write_text(content)
        more = motifs if option.startswith("--motif") else []
        result = run(tmp_path / "out", *more, option, tmp_path / name, encode=None)
        assert_fails(result, 1, f"Error: {option} .*{name}: .*{message}")
        assert "`" not in result.stderr
        assert not (tmp_path / "out").exists()

    def test_rows_are_counted(
        self, run: Callable[..., Result], motifs: list[object], files: Path, tmp_path: Path
    ) -> None:
        peaks = (files / "peaks.csv").read_text() + "NA,Gene1,1\nTF1,2-Sep,0\n"
        annotations = Path(str(motifs[3])).read_text() + "m1,#N/A\n"
        tfs = (files / "tfs.txt").read_text() + "-\n"
        for name, text in (("peaks", peaks), ("motifs", annotations), ("tfs", tfs)):
            (tmp_path / name).write_text(text)
        more = [*motifs[:3], tmp_path / "motifs", "--tfs", tmp_path / "tfs"]
        result = run(tmp_path / "out", *more, encode=tmp_path / "peaks")
        assert result.exit_code == 0, result.output
        report = json.loads((tmp_path / "out" / "run.json").read_text())
        assert [
            report["steps"][name]["dropped"]
            for name in ("tf_rows", "encode_rows", "annotation_rows")
        ] == [1, 2, 1]
        assert re.search(r"rows of --encode used +[\d,]+ of", result.stdout)
        warned = " ".join(report["warnings"])
        for problem in ("no name: 1", "no TF: 1", "target is a date: 1", "rows are not used"):
            assert problem in warned


class TestMisuse:
    @pytest.mark.parametrize("option", ["--tfs", "--encode"])
    def test_missing_file(self, run: Callable[..., Result], tmp_path: Path, option: str) -> None:
        result = run(tmp_path / "out", option, tmp_path / "absent.txt")
        assert_fails(result, 2, f"{option}.*absent.txt.*does not exist")

    def test_missing_cells(self, files: Path, tmp_path: Path) -> None:
        result = invoke("run", "absent.h5ad", "--tfs", files / "tfs.txt", "--out", tmp_path)
        assert_fails(result, 2, "absent.h5ad.*does not exist")

    def test_missing_option(self, files: Path) -> None:
        assert_fails(invoke("run", files / "cells.h5ad", "--tfs", files / "tfs.txt"), 2, "--out")

    @pytest.mark.parametrize(
        ("option", "value"),
        [
            ("--lambda-rule", "2se"),
            ("--lambda-rule", "-1"),
            ("--lambda-rule", "nan"),
            ("--response", "speeds"),
            ("--path", "short"),
            ("--gene-filter-rate", "2"),
            ("--cell-filter-umi", "many"),
            ("--seed", "-3"),
        ],
    )
    def test_bad_value(
        self, run: Callable[..., Result], tmp_path: Path, option: str, value: str
    ) -> None:
        assert_fails(run(tmp_path / "out", option, value), 2, option)
        assert not (tmp_path / "out").exists()

    def test_folder_that_is_not_empty(self, run: Callable[..., Result], tmp_path: Path) -> None:
        (tmp_path / "notes.txt").write_text("mine")
        assert_fails(run(tmp_path), 2, "--out.*is not empty.*--overwrite")
        assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]

    def test_out_is_a_file(self, run: Callable[..., Result], tmp_path: Path) -> None:
        (tmp_path / "file").write_text("mine")
        assert_fails(run(tmp_path / "file"), 2, "--out.*is a file")

    def test_out_below_a_file(self, run: Callable[..., Result], tmp_path: Path) -> None:
        (tmp_path / "file").write_text("mine")
        assert_fails(run(tmp_path / "file" / "out"), 2, "--out.*cannot write to")

    def test_missing_layer(self, run: Callable[..., Result], tmp_path: Path) -> None:
        assert_fails(run(tmp_path / "out", "--new", "velocity"), 1, "Error:.*'velocity'.*'new'")
        assert not (tmp_path / "out").exists()

    def test_no_tf_matches(self, run: Callable[..., Result], files: Path, tmp_path: Path) -> None:
        (tmp_path / "tfs.txt").write_text("tf1\ntf2\n")
        result = run(tmp_path / "out", "--tfs", tmp_path / "tfs.txt")
        assert_fails(result, 1, "Error:.*tf1.*TF1.*case")

    def test_filters_leave_nothing(self, run: Callable[..., Result], tmp_path: Path) -> None:
        result = run(tmp_path / "out", "--cell-filter-umi", 1e9)
        assert_fails(result, 1, "No cell is left")

    def test_unreadable_files(
        self, run: Callable[..., Result], files: Path, tmp_path: Path
    ) -> None:
        noise = tmp_path / "noise.bin"
        noise.write_bytes(np.random.default_rng(0).bytes(1000))
        out = tmp_path / "out"
        for option in ("--tfs", "--encode"):
            assert_fails(run(out, option, noise), 1, "Error:.*noise.bin")
        result = invoke("run", noise, "--tfs", files / "tfs.txt", "--out", out)
        assert_fails(result, 1, "noise.bin is not a readable h5ad file")

    def test_errors_are_one_line_and_debug_raises(
        self, run: Callable[..., Result], tmp_path: Path
    ) -> None:
        assert run(tmp_path / "out", "--new", "velocity").stderr.count("\n") == 1
        result = run(tmp_path / "out", "--new", "velocity", "--debug")
        assert isinstance(result.exception, ValueError)

    def test_unexpected_errors_are_reported_as_such(
        self, run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object, **__: object) -> None:
            raise KeyError("oops")

        monkeypatch.setattr("scifate_sklearn.cli._run.prepare_cells", fail)
        assert_fails(run(tmp_path / "out"), 1, "unexpected KeyError: 'oops'.*--debug")

    def test_a_write_that_fails_leaves_nothing(
        self, run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object) -> None:
            raise OSError("No space left on device")

        monkeypatch.setattr("scifate_sklearn.cli._files.write_uns", fail)
        assert_fails(run(tmp_path), 1, "No space left")
        assert not [*tmp_path.iterdir()]


class TestDemo:
    def test_finds_links(self) -> None:
        result = invoke("demo", "--n-cells", 400, "--seed", 1, "--n-jobs", 1)
        assert result.exit_code == 0, result.output
        assert "400 simulated cells" in result.stdout
        rows = dict(
            re.findall(r"^(LASSO|random|ChIP filter, strict) .*?([\d.]+)$", result.stdout, re.M)
        )
        assert float(rows["LASSO"]) > 2 * float(rows["random"])
        assert "scifate run" in result.stdout

    def test_is_reproducible(self) -> None:
        first, second = (invoke("demo", "--n-cells", 150, "--seed", 3) for _ in range(2))
        assert first.exit_code == 0, first.output
        assert first.stdout == second.stdout

    def test_too_few_cells(self) -> None:
        assert_fails(invoke("demo", "--n-cells", 5), 2, "--n-cells")


def test_a_run_resumes_from_its_checkpoint(
    run: Callable[..., Result], done: tuple[Path, Result], tmp_path: Path
) -> None:
    folder = tmp_path / "checkpoint"
    for out in (tmp_path / "first", tmp_path / "second"):
        assert run(out, "--checkpoint", folder).exit_code == 0
        assert (out / "links.csv").read_bytes() == (done[0] / "links.csv").read_bytes()
    result = run(tmp_path / "third", "--checkpoint", folder, "--lambda-rule", "min")
    assert result.exit_code == 0
    assert "checkpoint" not in result.stderr
    assert len(list(folder.glob("fit-*"))) == 2


def test_a_checkpoint_that_cannot_be_a_folder(run: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = run(tmp_path / "out", "--checkpoint", tmp_path / "file" / "folder")
    assert_fails(result, 2, "--checkpoint.*cannot write to")
    assert not (tmp_path / "out").exists()


def test_a_checkpoint_of_another_run(run: Callable[..., Result], tmp_path: Path) -> None:
    folder = tmp_path / "checkpoint"
    assert run(tmp_path / "first", "--checkpoint", folder).exit_code == 0
    (manifest,) = folder.rglob("checkpoint.json")
    manifest.write_text(manifest.read_text().replace('"finished": true', '"finished": false'))
    result = run(tmp_path / "second", "--checkpoint", folder, "--lambda-rule", "min")
    assert result.exit_code == 0
    assert "--lambda-rule: '1se' there, 'min' here" in " ".join(result.stderr.split())


def test_ctrl_c_ends_quietly(run: Callable[..., Result], tmp_path: Path, monkeypatch: Any) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(SciFateRegressor, "fit_moments", interrupted)
    result = run(tmp_path / "out")
    assert_fails(result, 130, "^Interrupted.$")
    assert not (tmp_path / "out").exists()


def test_version() -> None:
    result = invoke("--version")
    assert result.exit_code == 0
    assert result.stdout == f"scifate {__version__}\n"


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["run"], ["--version"]])
def test_help_and_usage_errors_import_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys; from typer.testing import CliRunner\n"
        "from scifate_sklearn.cli import app\n"
        f"assert CliRunner().invoke(app, {arguments}).exit_code in (0, 2)\n"
        "heavy = {'anndata', 'numba', 'numpy', 'pandas', 'scipy', 'sklearn'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout == "[]\n", result.stderr


def test_runs_as_a_module() -> None:
    command = [sys.executable, "-m", "scifate_sklearn"]
    version = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
    assert version.stdout == f"scifate {__version__}\n"
    usage = subprocess.run([*command, "run"], capture_output=True, text=True)
    assert usage.returncode == 2
    assert "python -m scifate_sklearn run" in usage.stderr


def test_options_are_reported_in_the_order_of_the_help(
    run: Callable[..., Result], done: tuple[Path, Result]
) -> None:
    text = invoke("run", "--help").output
    listed = [
        "cells",
        *(
            name[2:].replace("-", "_")
            for name in re.findall(r"^  (?:-\w, )?(--[a-z-]+)", text, re.M)
        ),
    ]
    parameters = json.loads((done[0] / "run.json").read_text())["parameters"]
    assert list(parameters) == [n for n in listed if n not in ("out", "debug", "help")]


def test_upper_case_reference_matches_mouse_symbols(shared: Path) -> None:
    from scifate_sklearn.filters import harmonize_reference

    reference = BindingReference.read(shared / "data/encode_enrichr/encode2015_edges_mouse.csv.gz")
    genes = anndata.read_h5ad(
        shared / "data/veloviz_pancreas/pancreas_739x7192.h5ad", backed="r"
    ).var_names
    assert len(genes.intersection(list(reference.genes))) < 0.01 * len(genes)
    matched = harmonize_reference(reference, {"TF": genes, "target": genes}, "case")
    assert len(genes.intersection(list(matched.genes))) > 0.8 * len(genes)
    assert matched.n_peaks == reference.n_peaks


@pytest.mark.parametrize("name", ["\x1b[2JTF", "\x1b]0 title\x07", "TF\u202egnp", "\x9b31m"])
def test_control_characters_are_escaped(files: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "tfs.txt").write_text(f"{name}\tx\n", encoding="utf-8")
    result = invoke("run", files / "cells.h5ad", "--tfs", tmp_path / "tfs.txt", "--out", "o")
    assert result.exit_code == 1
    assert all(c.isprintable() for c in result.output.replace("\n", ""))
    cells = anndata.read_h5ad(files / "cells.h5ad")
    tf = (files / "tfs.txt").read_text().split()[0]
    cells.var_names = [name if gene == tf else gene for gene in cells.var_names]
    cells.write_h5ad(tmp_path / "cells.h5ad")
    text = (files / "tfs.txt").read_text().replace(f"{tf}\n", f"{name}\n", 1)
    (tmp_path / "tfs.txt").write_text(text, encoding="utf-8")
    result = invoke("run", tmp_path / "cells.h5ad", "--tfs", tmp_path / "tfs.txt",
                    "--cell-filter-umi", 10, "--lambda-rule", "min", "--out",
                    tmp_path / "out")  # fmt: skip
    assert result.exit_code == 0, result.output
    assert all(c.isprintable() for c in result.output.replace("\n", ""))


def test_repeats_and_criteria(
    run: Callable[..., Result], cells: LabelledCells, tmp_path: Path
) -> None:
    inputs = prepare_anndata(cells.adata, cells.tf_names, cell_filter_UMI=50)
    for number, (arguments, parameters) in enumerate(
        (
            (["--repeats", "3"], {"n_repeats": 3}),
            (["--lambda-rule", "bic"], {"lambda_rule": "bic"}),
            (["--lambda-rule", "1se_cells"], {"lambda_rule": "1se_cells"}),
        )
    ):
        out = tmp_path / str(number)
        assert run(out, *arguments).exit_code == 0
        expected = SciFateRegressor(**parameters).fit(inputs.tf_matrix, inputs.target_matrix)
        written = pd.read_csv(out / "links.csv").drop(columns="score")
        pd.testing.assert_frame_equal(
            written, expected.links_, check_dtype=False, rtol=1e-9, check_index_type=False
        )


def test_seed_stability_counts_the_links_of_another_fit(
    run: Callable[..., Result], cells: LabelledCells, tmp_path: Path
) -> None:
    result = run(tmp_path, "--seed-stability", "--repeats", 2, "--seed", 2**31 - 1 - 1)
    assert result.exit_code == 0, result.output
    inputs = prepare_anndata(cells.adata, cells.tf_names, cell_filter_UMI=50)
    one, two = (
        SciFateRegressor(n_repeats=2, random_state=seed)
        .fit(inputs.tf_matrix, inputs.target_matrix)
        .links_.set_index(["TF", "target"])
        for seed in (2**31 - 2, 0)  # seeds continue at 0
    )
    n_again = one.index.isin(two.index).sum()
    assert 0 < n_again < len(one)
    step = json.loads((tmp_path / "run.json").read_text())["steps"]["links_found_again"]
    assert (step["before"], step["kept"]) == (len(one), n_again)
    assert f"--seed 0 finds {n_again / len(one):.0%} of them again" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "note"),
    [
        (["--lambda-rule", "min"], "depend on --seed; --seed-stability measures how much"),
        (["--lambda-rule", "bic", "--seed-stability"], "do not depend on --seed."),
        (["--lambda-rule", "0.1"], "do not depend on --seed."),
    ],
)
def test_summary_tells_whether_links_depend_on_the_seed(
    run: Callable[..., Result], tmp_path: Path, arguments: list[str], note: str
) -> None:
    result = run(tmp_path, *arguments, encode=None)
    assert note in result.stdout
    assert "links_found_again" not in (tmp_path / "run.json").read_text()


class TestFdr:
    """`--fdr` is `LinkTest`: of all pairs, or of selected ones if there are few cells."""

    def test_all_pairs(
        self, run: Callable[..., Result], cells: LabelledCells, tmp_path: Path
    ) -> None:
        result = run(tmp_path, "--fdr", 0.1)
        assert result.exit_code == 0, result.output
        inputs = prepare_anndata(cells.adata, cells.tf_names, cell_filter_UMI=50)
        assert len(inputs.cells) >= 10 * inputs.tf_matrix.shape[1]
        tested = LinkTest(SciFateRegressor()).fit(inputs.tf_matrix, inputs.target_matrix)
        ledger = pd.read_csv(tmp_path / "ledger.csv", keep_default_na=False)
        expected = tested.ledger_
        assert list(ledger["TF"]) == list(expected["TF"])
        np.testing.assert_allclose(ledger["t"], expected["t"], rtol=1e-7)
        np.testing.assert_allclose(ledger["t_q"], expected["t_q"], rtol=1e-7)
        by_test = expected["reason"] != ""
        assert 0 < by_test.sum() < len(expected)
        assert list(ledger["reason"][by_test]) == list(expected["reason"][by_test])
        # Evidence filters the links that the test keeps.
        kept = tested.transform(inputs.tf_matrix)
        chip = EncodeLinkFilter(BindingReference.from_table(cells.reference)).fit(kept)
        filtered = pd.read_csv(tmp_path / "links_filtered.csv")
        assert list(filtered["target"]) == list(chip.transform(kept)["target"])
        steps = json.loads((tmp_path / "run.json").read_text())["steps"]
        assert steps["links_kept_by_test"]["kept"] == len(kept)
        assert {"t", "t_p", "t_q"} <= set(pd.read_csv(tmp_path / "links.csv"))

    def test_selected_pairs(self, files: Path, cells: LabelledCells, tmp_path: Path) -> None:
        few = cells.adata[:80].copy()
        few.write_h5ad(tmp_path / "few.h5ad")
        arguments = "--cell-filter-umi", 50, "--n-jobs", 1, "--lambda-rule", "1se_cells"
        result = invoke(
            "run", tmp_path / "few.h5ad", "--tfs", files / "tfs.txt", *arguments,
            "--fdr", 0.2, "--out", tmp_path / "out",
        )  # fmt: skip
        assert result.exit_code == 0, result.output
        inputs = prepare_anndata(few, cells.tf_names, cell_filter_UMI=50)
        regressor = SciFateRegressor(lambda_rule="1se_cells")
        tested = LinkTest(regressor, fdr=0.2, pairs="selected")
        expected = tested.fit(inputs.tf_matrix, inputs.target_matrix).ledger_
        ledger = pd.read_csv(tmp_path / "out" / "ledger.csv", keep_default_na=False)
        assert list(ledger["reason"]) == list(expected["reason"])
        tested = pd.to_numeric(ledger["t"], errors="coerce")
        np.testing.assert_allclose(tested, expected["t"], rtol=1e-6)

    def test_no_link_is_kept(self, run: Callable[..., Result], tmp_path: Path) -> None:
        result = run(tmp_path, "--fdr", 1e-300)
        assert result.exit_code == 0, result.output
        assert "The tests keep none of" in result.stderr
        assert len(pd.read_csv(tmp_path / "links_filtered.csv")) == 0
        ledger = pd.read_csv(tmp_path / "ledger.csv")
        assert ledger["reason"].str.startswith("t test: q above").all()


def test_regulators_of_values(files: Path, cells: LabelledCells, tmp_path: Path) -> None:
    adata = cells.adata.copy()
    adata.layers["activity"] = np.log1p(adata.layers["total"].toarray())
    adata.write_h5ad(tmp_path / "cells.h5ad")
    result = invoke(
        "run", tmp_path / "cells.h5ad", "--tfs", files / "tfs.txt", "--total", "activity",
        "--regulators", "values", "--n-jobs", 1, "--out", tmp_path / "out",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    inputs = prepare_anndata(
        adata, cells.tf_names, nt_layers=("new", "activity"), regulators="values"
    )
    expected = SciFateRegressor().fit(inputs.tf_matrix, inputs.target_matrix)
    written = pd.read_csv(tmp_path / "out" / "links.csv")
    assert list(written["target"]) == list(expected.links_["target"])


def test_bound_pairs_only_are_tested_against_the_genes_of_the_cells(
    run: Callable[..., Result], cells: LabelledCells, tmp_path: Path
) -> None:
    bound = cells.reference.query("peak == 1")[["TF", "target"]]
    upper = bound.assign(target=bound["target"].str.upper())
    upper.to_csv(tmp_path / "bound.csv", index=False)
    result = run(tmp_path / "out", "--ignore-case", encode=tmp_path / "bound.csv")
    assert result.exit_code == 0, result.output
    inputs = prepare_anndata(cells.adata, cells.tf_names, cell_filter_UMI=50)
    genes = inputs.target_matrix.columns
    links = SciFateRegressor().fit(inputs.tf_matrix, inputs.target_matrix).links_
    reference = BindingReference.from_edges(bound, genes)
    expected = EncodeLinkFilter(reference).fit(links).enrichment_
    written = pd.read_csv(tmp_path / "out" / "enrichment.csv")
    counts = ["link_peak", "link_no_peak", "no_link_peak", "no_link_no_peak"]
    assert (written[counts].sum(axis=1) == len(genes)).all()
    np.testing.assert_array_equal(written[counts], expected[counts])


def test_stability_and_fdr_together(
    run: Callable[..., Result], cells: LabelledCells, tmp_path: Path
) -> None:
    options = "--stability", 0.7, "--fdr", 0.2, "--lambda-rule", "1se_cells", "--seed", 3
    result = run(tmp_path, *options, encode=None)
    assert result.exit_code == 0, result.output
    inputs = prepare_moments(cells.adata, cells.tf_names, cell_filter_UMI=50, random_state=3)
    chunks = list(iterate_cells(cells.adata, inputs, cell_filter_UMI=50))
    regressor = SciFateRegressor(lambda_rule="1se_cells", random_state=3)
    stable = StabilitySelection(regressor, threshold=0.7, random_state=3)
    stable.fit_moments(inputs.moments, chunks)
    tested = LinkTest(regressor, fdr=0.2).fit_moments(inputs.moments, chunks)
    expected = link_ledger(tested, stable)
    ledger = pd.read_csv(tmp_path / "ledger.csv", keep_default_na=False)
    assert list(ledger["reason"]) == list(expected["reason"])
    assert expected["reason"].str.startswith("stability").any()
    np.testing.assert_allclose(ledger["frequency"], expected["frequency"])
    assert len(pd.read_csv(tmp_path / "links_filtered.csv")) == expected["kept"].sum() > 0
    assert "links found in halves" in result.stdout
    with pytest.raises(ValueError, match="cannot be a generator"):
        LinkTest(regressor).fit_moments(inputs.moments, iter(chunks))


def test_stability_alone_fits_once(
    run: Callable[..., Result],
    cells: LabelledCells,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inputs = prepare_moments(cells.adata, cells.tf_names, cell_filter_UMI=50)
    stable = StabilitySelection(SciFateRegressor(), threshold=0.7).fit_moments(inputs.moments)
    ranking = RidgeRanking().fit_moments(inputs.moments)
    monkeypatch.setattr(SciFateRegressor, "fit_moments", pytest.fail)  # the halves' fit suffices
    result = run(tmp_path, "--stability", 0.7, encode=None)
    assert result.exit_code == 0, result.output
    ledger = pd.read_csv(tmp_path / "ledger.csv", keep_default_na=False)
    expected = ranking.score_links(stable.ledger_)
    pd.testing.assert_frame_equal(
        ledger, expected[ledger.columns], check_dtype=False, rtol=1e-12, check_index_type=False
    )
    assert {"score", "frequency"} <= set(pd.read_csv(tmp_path / "links.csv"))
    assert "test" not in json.loads((tmp_path / "run.json").read_text())["seconds"]


def test_verbose_shows_what_the_steps_log(run: Callable[..., Result], tmp_path: Path) -> None:
    loud = run(tmp_path / "loud", "--verbose", encode=None)
    assert "Dropping" in loud.stderr or "cells" in loud.stderr
    assert run(tmp_path / "plain", encode=None).stderr == ""
    assert_fails(run(tmp_path / "both", "--verbose", "--quiet"), 2, "cannot be combined")


def test_completion_is_offered() -> None:
    assert "--install-completion" in invoke("--help").stdout


def test_names_with_a_carriage_return_are_read_back(
    files: Path, cells: LabelledCells, tmp_path: Path
) -> None:
    adata = cells.adata.copy()
    tfs = set(cells.tf_names)
    adata.var_names = [name if name in tfs else f"{name}\r" for name in adata.var_names]
    adata.write_h5ad(tmp_path / "cells.h5ad")
    result = invoke(
        "run", tmp_path / "cells.h5ad", "--tfs", files / "tfs.txt", "--cell-filter-umi", 50,
        "--n-jobs", 1, "--out", tmp_path / "out",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    targets = pd.read_csv(tmp_path / "out" / "targets.csv")
    assert list(targets["target"]) == list(adata.var_names)
    assert targets["n_regulators"].notna().all()


def test_a_group_whose_cells_allow_no_test_is_skipped(
    files: Path, cells: LabelledCells, tmp_path: Path
) -> None:
    adata = cells.adata.copy()
    rng = np.random.default_rng(0)
    adata.obs["half"] = np.where(np.arange(adata.n_obs) < 200, "one", "two")
    score = rng.normal(size=adata.n_obs)
    adata.obs["s1"] = score
    adata.obs["s2"] = np.where(adata.obs["half"] == "one", 2.0 * score, rng.normal(size=300))
    adata.write_h5ad(tmp_path / "cells.h5ad")
    result = invoke(
        "run", tmp_path / "cells.h5ad", "--tfs", files / "tfs.txt", "--cell-filter-umi", 50,
        "--covariates", "s1,s2", "--by", "half", "--fdr", 0.5, "--n-jobs", 1,
        "--out", tmp_path / "out",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "half one: no network (" in result.stdout
    assert "linearly dependent" in result.stdout
    assert set(pd.read_csv(tmp_path / "out" / "links.csv")["group"]) == {"two"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--stability", 0.6, "--folds", 4], "requires at least 9 --folds"),
        (["--stability", 0.5], "must be above 0.5"),
        (["--fdr", 1.5], "must be a number from 0 to 1"),
    ],
)
def test_usage_of_tests(
    run: Callable[..., Result], tmp_path: Path, arguments: list[object], message: str
) -> None:
    assert_fails(run(tmp_path, *arguments), 2, message)


def test_tested_links_may_depend_on_the_seed(run: Callable[..., Result], tmp_path: Path) -> None:
    result = run(tmp_path, "--fdr", 0.1, "--lambda-rule", "bic", encode=None)
    assert "do not depend on --seed. Those that --fdr or --stability keep may" in result.stdout


def test_a_long_fit_is_announced(
    run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(tmp_path / "plain", "--lambda-rule", "1se_cells").stderr == ""
    monkeypatch.setattr("scifate_sklearn.cli._effort.LONG", 0)
    result = run(tmp_path / "out", "--lambda-rule", "1se_cells")
    expected = r"^The fit of 72 targets on 14 predictors will take about \d+ s and 0\.0 GB\.$"
    assert re.search(expected, result.stderr, re.MULTILINE)
    for name in ("links.csv", "targets.csv"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "plain" / name).read_bytes()
    assert run(tmp_path / "quiet", "--quiet").output == ""
