"""Source lines of warnings: each names the line of the user, for every kind of call."""

import linecache
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import Pipeline, make_pipeline

from scifate_sklearn import (
    BindingReference,
    DifferentialLinks,
    EncodeLinkFilter,
    LinkTest,
    LinkUnion,
    MotifLinkFilter,
    MotifRankings,
    MultiOutputLassoCV,
    PermutationFDR,
    RSampleKFold,
    SciFateRegressor,
    StabilitySelection,
)
from scifate_sklearn.datasets import make_labelled_cells

N, TFS, GENES = 60, [f"T{i}" for i in range(4)], [f"G{i}" for i in range(12)]


@pytest.fixture(scope="module")
def tfs():
    return pd.DataFrame(np.random.default_rng(0).normal(size=(N, 4)), columns=TFS)


@pytest.fixture(scope="module")
def new(tfs):
    noise = np.random.default_rng(1).normal(size=(N, 12))
    return pd.DataFrame(tfs.to_numpy()[:, np.arange(12) % 4] + 0.1 * noise, columns=GENES)


def encode():
    """Return a filter that keeps no link: every coefficient is below the threshold."""
    bound = pd.DataFrame({"TF": np.repeat(TFS, 3), "target": GENES})
    return EncodeLinkFilter(BindingReference.from_edges(bound, GENES), coef_threshold=100.0)


def motifs():
    """Return a filter that keeps no link: every coefficient is below the threshold."""
    rng = np.random.default_rng(0)
    ranks = pd.DataFrame([rng.permutation(12) for _ in range(8)], columns=GENES)
    rankings = MotifRankings.from_table(ranks.set_axis([f"m{i}" for i in range(8)]))
    annotations = pd.DataFrame({"motif": ["m0", "m1", "m2", "m3"], "TF": TFS})
    return MotifLinkFilter(rankings, annotations, coef_thresholds=(100.0,), nes_threshold=0.0)


@pytest.fixture(scope="module")
def links(tfs, new):
    return SciFateRegressor().fit(tfs, new).links_


def search(estimator, tfs, new):
    """Search over one candidate, with all cells as both training and test set."""
    everything = np.arange(N)
    grid = GridSearchCV(estimator, {}, cv=[(everything, everything)], refit=False)
    grid.fit(tfs, new)  # the line that warnings name


def in_pipeline(link_filter):
    return Pipeline([("lasso", SciFateRegressor()), ("filter", link_filter)])


FILTERS = {"ChIP-seq": encode, "motifs": motifs}
FILTER_WAYS = {
    "direct": lambda make, links, tfs, new: make().fit(links),
    "fit_transform": lambda make, links, tfs, new: make().fit_transform(links),
    "union": lambda make, links, tfs, new: LinkUnion([("only", make())]).fit(links),
    "union of a union": lambda make, links, tfs, new: LinkUnion(
        [("u", LinkUnion([("only", make())]))]
    ).fit_transform(links),
    "pipeline": lambda make, links, tfs, new: in_pipeline(make()).fit(tfs, new),
    "pipeline fit_transform": lambda make, links, tfs, new: in_pipeline(make()).fit_transform(
        tfs, new
    ),
    "grid search": lambda make, links, tfs, new: search(in_pipeline(make()), tfs, new),
}


def assert_names_a_line_here(caught, message):
    mine = [warning for warning in caught if message in str(warning.message)]
    assert mine, [str(warning.message) for warning in caught]
    for warning in mine:
        assert warning.filename == __file__, (warning.filename, warning.lineno)
        line = linecache.getline(__file__, warning.lineno)
        assert any(call in line for call in (".fit(", ".fit_transform(", ".split(")), line


@pytest.mark.parametrize("way", FILTER_WAYS)
@pytest.mark.parametrize("kind", FILTERS)
def test_filters(way, kind, links, tfs, new):
    with pytest.warns(UserWarning, match="keeps no link") as caught:
        FILTER_WAYS[way](FILTERS[kind], links, tfs, new)
    assert_names_a_line_here(caught, "keeps no link")


HASTY = {"max_iter": 1, "tol": 1e-18}
FIT_WAYS = {
    "direct": lambda tfs, new: SciFateRegressor(**HASTY).fit(tfs, new),
    "fit_transform": lambda tfs, new: SciFateRegressor(**HASTY).fit_transform(tfs, new),
    "generic": lambda tfs, new: MultiOutputLassoCV(**HASTY).fit(tfs, new),
    "pipeline": lambda tfs, new: make_pipeline(SciFateRegressor(**HASTY)).fit(tfs, new),
    "permutations": lambda tfs, new: PermutationFDR(
        SciFateRegressor(**HASTY), n_permutations=1
    ).fit(tfs, new),
    "halves": lambda tfs, new: StabilitySelection(SciFateRegressor(**HASTY), n_resamples=2).fit(
        tfs, new
    ),
    "selected": lambda tfs, new: LinkTest(SciFateRegressor(**HASTY), pairs="selected").fit(
        tfs, new
    ),
    "differences": lambda tfs, new: DifferentialLinks(
        SciFateRegressor(**HASTY), n_permutations=1
    ).fit(tfs, new, condition=np.arange(N) % 2),
    "grid search": lambda tfs, new: search(SciFateRegressor(**HASTY), tfs, new),
}


@pytest.mark.parametrize("way", FIT_WAYS)
def test_convergence(way, tfs, new):
    with pytest.warns(ConvergenceWarning, match="raise `max_iter`") as caught:
        FIT_WAYS[way](tfs, new)
    assert_names_a_line_here(caught, "raise `max_iter`")


@pytest.mark.parametrize("way", ["permutations", "halves", "selected", "differences"])
def test_convergence_of_repeated_fits(way, tfs, new):
    with pytest.warns(ConvergenceWarning) as caught:
        FIT_WAYS[way](tfs, new)
    # Once for the fits to the cells as given, once for all others.
    assert sum("raise `max_iter`" in str(each.message) for each in caught) == 2


def test_groups_of_the_folds_of_r(tfs, new):
    groups = np.arange(N) // 6
    for call in (
        lambda: list(RSampleKFold(3).split(tfs, groups=groups)),
        lambda: SciFateRegressor().fit(tfs, new, groups=groups),
        lambda: make_pipeline(SciFateRegressor()).fit(tfs, new, scifateregressor__groups=groups),
    ):
        with pytest.warns(UserWarning, match="ignores `groups`") as caught:
            call()
        assert_names_a_line_here(caught, "ignores `groups`")


def test_worker_threads_have_no_line_of_the_user(tfs, new):
    with pytest.warns(ConvergenceWarning) as caught, parallel_config("threading", n_jobs=2):
        cross_validate(SciFateRegressor(**HASTY), tfs, new, cv=2)
    ours = [each for each in caught if "raise `max_iter`" in str(each.message)]
    assert {Path(each.filename).parent.parent.name for each in ours} == {"scifate_sklearn"}


def test_damaged_checkpoint(tfs, new, tmp_path):
    model = SciFateRegressor(checkpoint=tmp_path).fit(tfs, new)
    next(tmp_path.rglob("*.npz")).write_bytes(b"damaged")
    for call in (
        lambda: model.fit(tfs, new),
        lambda: make_pipeline(model).fit(tfs, new),
    ):
        next(tmp_path.rglob("*.npz")).write_bytes(b"damaged")
        with pytest.warns(UserWarning, match="These targets are fitted again") as caught:
            call()
        assert_names_a_line_here(caught, "fitted again")


@pytest.fixture(scope="module")
def cells():
    return make_labelled_cells(n_cells=60, n_tfs=4, n_targets=10, random_state=0)


def shared_names(cells):
    adata = cells.adata.copy()
    names = adata.var_names.to_numpy(object, copy=True)
    names[-1] = names[-2]
    adata.var["symbol"] = names
    return adata, {"gene_symbols": "symbol"}, "share their name"


def test_command_line_shows_each_warning_once_without_source_lines(cells, tmp_path):
    from typer.testing import CliRunner

    from scifate_sklearn.cli import app

    adata, _, message = shared_names(cells)
    adata.write_h5ad(tmp_path / "cells.h5ad")
    (tmp_path / "tfs.txt").write_text("\n".join(cells.tf_names))
    cells.reference.to_csv(tmp_path / "peaks.csv", index=False)
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        result = CliRunner().invoke(
            app,
            [
                "run", str(tmp_path / "cells.h5ad"), "--tfs", str(tmp_path / "tfs.txt"),
                "--encode", str(tmp_path / "peaks.csv"), "--new", "new", "--total", "total",
                "--cell-filter-umi", "0", "--gene-symbols", "symbol", "--coef-threshold", "100",
                "--out", str(tmp_path / "out"),
            ],
        )  # fmt: skip
    assert result.exit_code == 0, result.output
    for expected in (message, "keeps no link"):
        lines = [line for line in result.stderr.splitlines() if expected in line]
        assert len(lines) == 1, result.stderr
        assert lines[0].startswith("Warning: ")
        assert ".py" not in lines[0]
