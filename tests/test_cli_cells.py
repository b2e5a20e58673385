"""Options of `scifate run` for columns of obs: covariates, groups, rates, networks of groups."""

import json
import re
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from scifate_sklearn import (
    BindingReference,
    EncodeLinkFilter,
    LinkTest,
    RidgeRanking,
    SciFateRegressor,
    compare_links,
    fit_by_group,
    prepare_anndata,
    prepare_moments,
)
from scifate_sklearn.anndata_io import _local
from scifate_sklearn.cli import app
from scifate_sklearn.datasets import make_labelled_cells


@pytest.fixture(scope="module")
def cells():
    made = make_labelled_cells(
        300, 10, 40, effect_size=0.5, molecules=80, false_positive_rate=0.05, random_state=0
    )
    rng = np.random.default_rng(0)
    obs = made.adata.obs
    obs["batch"] = rng.choice(["a", "b", "c"], 300)
    obs["donor"] = rng.choice([f"d{i}" for i in range(12)], 300)
    obs["score"] = rng.normal(size=300)
    obs["rate"] = rng.uniform(0.3, 1.0, 300)
    obs["type"] = rng.choice(["=T", "B", "rare"], 300, p=[0.5, 0.45, 0.05])
    return made


@pytest.fixture(scope="module")
def folder(cells, tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    cells.adata.write_h5ad(folder / "cells.h5ad")
    (folder / "tfs.txt").write_text("\n".join(cells.tf_names), encoding="utf-8")
    cells.reference.to_csv(folder / "peaks.csv", index=False)
    return folder


@pytest.fixture
def run(folder, tmp_path):
    """Return a function that runs `scifate run`, and returns the code, the texts and the folder."""

    def _run(*more, cells=folder / "cells.h5ad"):
        given = ["run", cells, "--tfs", folder / "tfs.txt", "--cell-filter-umi", 50,
                 "--n-jobs", 1, "--out", tmp_path / "out", *more]  # fmt: skip
        result = CliRunner().invoke(app, [str(each) for each in given])
        return result.exit_code, " ".join(result.output.split()), tmp_path / "out"

    return _run


OPTIONS = {
    "covariates": (
        ["--covariates", "batch, score", "--covariates", "donor"],
        {"covariates": ["batch", "score", "donor"]},
    ),
    "groups": (["--groups", "donor", "--folds", 4], {"groups": "donor", "cv": 4}),
    "repeats": (
        ["--groups", "donor", "--folds", 4, "--repeats", 2],
        {"groups": "donor", "cv": 4, "n_repeats": 2},
    ),
    "rate": (["--detection-rate", "rate"], {"detection_rate": "rate"}),
    "number": (["--detection-rate", "0.4"], {"detection_rate": 0.4}),
}


@pytest.mark.parametrize(("given", "options"), OPTIONS.values(), ids=OPTIONS)
def test_options_are_those_of_python(run, cells, given, options):
    code, text, out = run("--no-annotated", *given)
    assert code == 0, text
    prepared = prepare_moments(cells.adata, cells.tf_names, cell_filter_UMI=50, **options)
    model = SciFateRegressor().fit_moments(prepared.moments)
    links = RidgeRanking(n_links=1).fit_moments(prepared.moments).score_links(model.links_)
    pd.testing.assert_frame_equal(pd.read_csv(out / "links.csv"), links)
    recorded = json.loads((out / "run.json").read_text(encoding="utf-8"))["parameters"]
    assert recorded["covariates"] == options.get("covariates", [])


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        (["--covariates", "lane"], 1, "--covariates names the column 'lane', which obs of CELLS"),
        (["--covariates", "batch,"], 2, "--covariates.*has an empty name in 'batch,'"),
        (["--covariates", "batch,batch"], 1, "--covariates names 'batch' more than once"),
        (["--groups", "lane"], 1, "--groups names the column 'lane', which obs of CELLS"),
        (["--groups", "batch"], 1, r"--groups has 3 group\(s\) .* Set --folds to at most"),
        (["--detection-rate", "2"], 2, "--detection-rate.*must be above 0 and at most 1, or a col"),
        (["--detection-rate", "nan"], 2, "--detection-rate.*must be above 0 and at most 1"),
        (["--detection-rate", "batch"], 1, "--detection-rate: column 'batch' of obs of CELLS must"),
        (["--by", "lane"], 1, "--by names the column 'lane', which obs of CELLS does not have"),
        (["--min-cells", "5"], 2, "--min-cells: requires --by too"),
        (["--by", "type", "--min-cells", "500"], 1, "None of the 3 groups of --by = 'type' has a"),
        (["--by", "type", "--seed-stability"], 2, "--seed-stability: cannot be combined with --by"),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, list) else "",
)
def test_errors_name_the_option(run, given, code, message):
    found, text, out = run(*given)
    assert found == code, text
    assert re.search(message, re.sub("[│╭╮╰╯─]", "", text)), text
    assert "Traceback" not in text
    assert not out.exists() or not list(out.iterdir())


def test_links_of_whole_groups_do_not_depend_on_the_seed(run):
    code, text, _ = run("--groups", "donor", "--seed-stability", "--no-annotated")
    assert code == 0, text
    assert "The links do not depend on --seed." in text


def expected_t_tests(adata, tf_names):
    """Return the links of a fit and a test whose folds and halves consist of whole donors."""
    inputs = prepare_anndata(adata, tf_names, cell_filter_UMI=50)
    regressor = SciFateRegressor(cv=3, random_state=5)
    tested = LinkTest(regressor, fdr=0.9, pairs="selected", random_state=5)
    groups = adata.obs["donor"][inputs.cells.index]
    tested.fit(inputs.tf_matrix, inputs.target_matrix, groups=groups)
    prepared = prepare_moments(
        adata, tf_names, cell_filter_UMI=50, cv=3, groups="donor", random_state=5
    )
    return tested.test_links(SciFateRegressor().fit_moments(prepared.moments).links_)


@pytest.mark.parametrize("more", [[], ["--by", "half", "--min-cells", 20]], ids=["all", "by"])
def test_t_tests_with_groups_of_cells_whose_names_are_repeated(run, cells, tmp_path, more):
    adata = cells.adata[:110].copy()  # too few for a test of all pairs
    adata.obs["half"] = np.where(np.arange(110) % 2, "two", "one")
    repeated = adata.copy()
    repeated.obs_names = [f"cell{i % 9}" for i in range(110)]
    repeated.write_h5ad(tmp_path / "few.h5ad")
    given = ("--groups", "donor", "--folds", 3, "--fdr", 0.9, "--seed", 5, "--no-annotated")
    code, text, out = run(*given, *more, cells=tmp_path / "few.h5ad")
    assert code == 0, text
    ledger = pd.read_csv(out / "ledger.csv", keep_default_na=False)
    for half in ("one", "two") if more else (None,):
        own = adata if half is None else adata[adata.obs["half"] == half].copy()
        expected = expected_t_tests(own, cells.tf_names)
        assert expected["t"].notna().any()
        found = ledger if half is None else ledger[ledger["group"] == half]
        assert list(found["reason"]) == list(expected["reason"])
        t = pd.to_numeric(found["t"], errors="coerce")
        np.testing.assert_allclose(t, expected["t"], rtol=1e-6)


def test_only_what_is_repeated_reads_the_cells_again(run, monkeypatch):
    read = []
    rows = _local.LocalChunks._read
    monkeypatch.setattr(
        _local.LocalChunks, "_read", lambda self, span: read.append(span) or rows(self, span)
    )
    options = ("--no-annotated", "--overwrite")
    for more, n_passes in (((), 3), (("--lambda-rule", "1se_cells"), 4), (("--fdr", 0.1), 4)):
        read.clear()
        code, text, out = run(*options, *more)
        assert code == 0, text
        assert len(read) == n_passes
        seconds = json.loads((out / "run.json").read_text(encoding="utf-8"))["seconds"]
        tests = {"test"} if "--fdr" in more else set()
        assert set(seconds) == {"prepare", "fit", "write", "total"} | tests


class TestOneNetworkPerGroup:
    @pytest.fixture
    def found(self, run, folder):
        code, text, out = run("--by", "type", "--encode", folder / "peaks.csv")
        assert code == 0, text
        return text, out

    def test_tables_are_those_of_python(self, found, cells):
        _, out = found
        links = pd.read_csv(out / "links.csv")
        expected = fit_by_group(cells.adata, cells.tf_names, "type", cell_filter_UMI=50)
        assert list(links.columns[:3]) == ["group", "TF", "target"]
        pd.testing.assert_frame_equal(links[expected.links.columns], expected.links)
        for name in ("links_filtered", "ledger", "enrichment", "targets"):
            table = pd.read_csv(out / f"{name}.csv")
            assert table.columns[0] == "group"
            assert table["group"].unique().tolist() == ["=T", "B"]
        one, two = (links[links["group"] == name] for name in ("=T", "B"))
        row = expected.compare().iloc[0]
        assert compare_links(one, two).jaccard == pytest.approx(row["jaccard"])
        encode = EncodeLinkFilter(BindingReference.from_table(cells.reference))
        kept = encode.fit_transform(expected.models["B"].links_)
        filtered = pd.read_csv(out / "links_filtered.csv")
        assert len(filtered[filtered["group"] == "B"]) == len(kept)

    def test_report_and_summary(self, found, cells):
        text, out = found
        report = json.loads((out / "run.json").read_text(encoding="utf-8"))
        sizes = cells.adata.obs["type"].value_counts()
        assert report["steps"]["groups"] == {"before": 3, "kept": 2, "dropped": 1}
        assert list(report["groups"]) == ["=T", "B"]
        for name, steps in report["groups"].items():
            assert steps["cells"]["before"] == sizes[name]
        assert report["skipped_groups"] == {
            "rare": f"{sizes['rare']} cells, fewer than --min-cells = 100"
        }
        assert f"type rare: no network ({sizes['rare']} cells, fewer than" in text
        assert "type B: cells kept" in text
        stored = anndata.read_h5ad(out / "annotated.h5ad").uns["scifate"]
        pd.testing.assert_frame_equal(
            stored["links"].reset_index(drop=True), pd.read_csv(out / "links.csv"),
            check_dtype=False,
        )  # fmt: skip

    def test_warnings_of_filters_name_the_group(self, run, folder):
        encode = ("--encode", folder / "peaks.csv", "--coef-threshold", 50)
        code, text, out = run("--by", "type", "--no-annotated", *encode)
        assert code == 0, text
        shown = json.loads((out / "run.json").read_text(encoding="utf-8"))["warnings"]
        for name in ("=T", "B"):
            start = f"Group {name!r}: EncodeLinkFilter keeps no link"
            assert start in text
            assert sum(each.startswith(start) for each in shown) == 1
        assert not any(each.startswith("EncodeLinkFilter") for each in shown)

    def test_names_that_are_formulas_are_escaped(self, run):
        code, text, out = run("--by", "type", "--escape-formulas", "--no-annotated")
        assert code == 0, text
        assert "\n'=T," in Path(out / "links.csv").read_text(encoding="utf-8")

    def test_a_checkpoint_holds_all_groups(self, run, tmp_path):
        given = ("--by", "type", "--no-annotated", "--checkpoint", tmp_path / "finished")
        assert run(*given)[0] == 0
        before = pd.read_csv(tmp_path / "out" / "links.csv")
        assert run(*given, "--overwrite")[0] == 0
        pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "out" / "links.csv"), before)
