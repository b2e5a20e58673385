"""One network for each group of cells: equal to that of the group alone."""

import warnings

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from scifate_sklearn import (
    SciFateRegressor,
    compare_links,
    fit_by_group,
    open_anndata,
    prepare_moments,
)
from scifate_sklearn.anndata_io import _local, iterate_cells, survey_groups
from scifate_sklearn.datasets import make_labelled_cells

OPTIONS = {"cell_filter_UMI": 100, "gene_filter_rate": 0.2, "random_state": 3}


@pytest.fixture(scope="module")
def cells():
    made = make_labelled_cells(400, 8, 30, effect_size=0.5, molecules=80, random_state=0)
    rng = np.random.default_rng(0)
    obs = made.adata.obs
    obs["type"] = rng.choice(["T", "B", "NK", "rare"], 400, p=[0.4, 0.3, 0.27, 0.03])
    obs["donor"] = rng.choice([f"d{i}" for i in range(6)], 400)
    obs["rate"] = rng.uniform(0.3, 1.0, 400)
    # Genes that few B cells have, so that groups differ in their genes.
    total, new = (made.adata.layers[name].toarray() for name in ("total", "new"))
    for layer in (total, new):
        layer[np.ix_(obs["type"] == "B", [9, 12])] = 0
    made.adata.layers["total"], made.adata.layers["new"] = map(sp.csr_matrix, (total, new))
    return made


def in_file(adata, path):
    adata.write_h5ad(path)
    return open_anndata(path)


def assert_same_fit(model, expected):
    assert list(model.feature_names_in_) == list(expected.feature_names_in_)
    assert list(model.target_names_in_) == list(expected.target_names_in_)
    np.testing.assert_array_equal(model.lambda_, expected.lambda_)
    np.testing.assert_allclose(model.coef_, expected.coef_, rtol=0, atol=1e-9)


MORE = {
    "plain": {},
    "covariates": {"covariates": ["donor"], "detection_rate": "rate"},
    "groups": {"cv": 3, "groups": "donor"},
    "values": {"response": "values"},
    "repeats": {"n_repeats": 2, "cv": 4},
}


@pytest.mark.parametrize("more", MORE.values(), ids=MORE)
@pytest.mark.parametrize("chunk_size", [None, 37])
def test_each_network_is_that_of_the_group_alone(cells, more, chunk_size):
    options = {**OPTIONS, **more}
    regressor = SciFateRegressor(lambda_rule="min")
    found = fit_by_group(
        cells.adata, cells.tf_names, "type", regressor=regressor, min_cells=60,
        chunk_size=chunk_size, **options,
    )  # fmt: skip
    assert list(found.models) == ["B", "NK", "T"]
    assert list(found.skipped) == ["rare"]
    n_genes = set()
    for name, model in found.models.items():
        own = cells.adata[cells.adata.obs["type"] == name].copy()
        prepared = prepare_moments(own, cells.tf_names, **options)
        n_genes.add(len(prepared.genes))
        assert_same_fit(model, SciFateRegressor(lambda_rule="min").fit_moments(prepared.moments))
        pd.testing.assert_frame_equal(found.cells[name], prepared.cells, check_exact=True)
        links = found.links[found.links["group"] == name].drop(columns="group")
        pd.testing.assert_frame_equal(links.reset_index(drop=True), model.links_)
    assert len(n_genes) > 1 or more.get("response") == "values"
    assert found.links.columns[0] == "group"


@pytest.mark.slow
def test_layers_by_name_and_a_rule_that_reads_the_cells_again(cells):
    regressor = SciFateRegressor(lambda_rule="1se_cells")
    fit = {"by": "type", "min_cells": 60, **OPTIONS}
    found = fit_by_group(
        cells.adata, cells.tf_names, regressor=regressor, nt_layers="auto", chunk_size=37, **fit
    )
    own = cells.adata[cells.adata.obs["type"] == "T"].copy()
    prepared = prepare_moments(own, cells.tf_names, **OPTIONS)
    expected = regressor.fit_moments(
        prepared.moments, iterate_cells(own, prepared, cell_filter_UMI=100)
    )
    assert_same_fit(found.models["T"], expected)


def test_files_and_dask_arrays(cells, tmp_path):
    da = pytest.importorskip("dask.array", reason="needs the extra `dask`")
    fit = {"by": "type", "min_cells": 60, **OPTIONS}
    expected = fit_by_group(cells.adata, cells.tf_names, **fit)
    layers = {
        name: da.from_array(sp.csr_array(layer), chunks=(90, -1), asarray=False)
        for name, layer in cells.adata.layers.items()
    }
    held = ad.AnnData(obs=cells.adata.obs, var=cells.adata.var, layers=layers)
    with in_file(cells.adata, tmp_path / "cells.h5ad") as stored:
        for adata in (held, stored):
            found = fit_by_group(adata, cells.tf_names, **fit)
            for name, model in expected.models.items():
                assert_same_fit(found.models[name], model)


def test_the_cells_are_surveyed_once(cells, monkeypatch):
    """Two passes for all groups, then one for each over the chunks that have its cells."""
    order = np.argsort(cells.adata.obs["type"].to_numpy(), kind="stable")
    adata = cells.adata[order].copy()
    read = []
    rows = _local.LocalChunks._read
    monkeypatch.setattr(
        _local.LocalChunks, "_read", lambda self, span: read.append(span) or rows(self, span)
    )
    survey = survey_groups(adata, cells.tf_names, "type", min_cells=60, chunk_size=20, **OPTIONS)
    assert len(read) == 2 * 20
    n_chunks = []
    for _ in survey.prepare():
        n_chunks.append(len(read) - 40 - sum(n_chunks))
    assert 20 <= sum(n_chunks) + 1 <= 24
    assert max(n_chunks) < 12


def test_comparison_of_groups(cells):
    found = fit_by_group(cells.adata, cells.tf_names, "type", min_cells=60, **OPTIONS)
    table = found.compare()
    assert list(zip(table["group_a"], table["group_b"], strict=True)) == [
        ("B", "NK"), ("B", "T"), ("NK", "T")
    ]  # fmt: skip
    links = dict(list(found.links.groupby("group")))
    for row in table.itertuples():
        expected = compare_links(links[row.group_a], links[row.group_b])
        assert (row.n_common, row.jaccard) == (expected.n_common, expected.jaccard)


class TestSkippedGroups:
    def test_by_the_cells_that_pass_the_filters(self, cells):
        umi = np.asarray(cells.adata.layers["total"].sum(axis=1)).ravel()
        adata = cells.adata.copy()
        adata.obs["deep"] = np.where(umi > 600, "deep", "shallow")
        found = fit_by_group(
            adata, cells.tf_names, "deep", min_cells=50, **{**OPTIONS, "cell_filter_UMI": 550}
        )
        assert list(found.models) == ["deep"]
        assert "fewer than `min_cells` = 50" in found.skipped["shallow"]

    def test_without_genes_cells_or_enough_donors(self, cells):
        adata = cells.adata.copy()
        obs = adata.obs
        dark = (obs["type"] == "NK").to_numpy()
        for name in ("new", "total"):
            layer = adata.layers[name].toarray()
            layer[dark] = 0
            adata.layers[name] = sp.csr_matrix(layer)
        obs.loc[obs["type"] == "B", "donor"] = "d0"
        found = fit_by_group(
            adata, cells.tf_names, "type", min_cells=60, cv=3, groups="donor", **OPTIONS
        )
        assert list(found.models) == ["T"]
        assert found.skipped["NK"].startswith("No gene is left")
        assert found.skipped["B"].startswith("`groups` has 1 group(s)")
        with pytest.raises(
            ValueError, match=r"None of the 4 groups of `by` = 'type' .*'rare': 17 cells, f"
        ):
            fit_by_group(adata, cells.tf_names, "type", min_cells=300, **OPTIONS)

    def test_cells_without_a_group(self, cells):
        adata = cells.adata.copy()
        adata.obs["type"] = adata.obs["type"].where(adata.obs["type"] != "NK", np.nan)
        with pytest.warns(UserWarning, match=r"\d+ of 400 cells have no group in `by` = 'type'"):
            found = fit_by_group(adata, cells.tf_names, "type", min_cells=60, **OPTIONS)
        assert list(found.models) == ["B", "T"]
        expected = fit_by_group(cells.adata, cells.tf_names, "type", min_cells=60, **OPTIONS)
        assert_same_fit(found.models["B"], expected.models["B"])


@pytest.mark.parametrize("text", ["nan", "NaT", "<NA>"])
@pytest.mark.parametrize("dtype", [object, "category", "string"])
def test_missing_values_that_became_text(cells, text, dtype):
    """As group, group of the folds and covariate alike."""
    adata = cells.adata.copy()
    adata.obs["type"] = adata.obs["type"].astype(object)
    adata.obs.loc[adata.obs["type"] == "NK", "type"] = text
    adata.obs["type"] = adata.obs["type"].astype(dtype)
    n_missing = int((cells.adata.obs["type"] == "NK").sum())
    with pytest.warns(UserWarning, match=f"{n_missing} of 400 cells have no group in `by`"):
        found = fit_by_group(adata, cells.tf_names, "type", min_cells=60, **OPTIONS)
    assert list(found.models) == ["B", "T"]
    for argument, more in {
        "groups": {"groups": "type"},
        "covariates": {"covariates": ["type"]},
    }.items():
        with pytest.raises(ValueError, match=f"`{argument}`.* is missing for"):
            prepare_moments(adata, cells.tf_names, **more, **OPTIONS)


def test_names_of_groups_are_those_of_the_categories(cells):
    adata = cells.adata.copy()
    number = adata.obs["type"].map({"T": 1, "B": 10, "NK": 2, "rare": 3})
    adata.obs["cluster"] = pd.Categorical(number, [10, 2, 1, 3, 99])
    adata.obs["number"] = number.to_numpy()
    fit = {"min_cells": 60, **OPTIONS}
    assert list(fit_by_group(adata, cells.tf_names, "cluster", **fit).models) == ["10", "2", "1"]
    assert list(fit_by_group(adata, cells.tf_names, "number", **fit).models) == ["1", "10", "2"]


def test_warnings_name_the_group(cells):
    adata = cells.adata.copy()
    adata.obs.loc[adata.obs["type"] == "B", "donor"] = "d0"
    with pytest.warns(UserWarning, match="^Group 'B': 1 of 1 `covariates` have the same value"):
        fit_by_group(adata, cells.tf_names, "type", min_cells=60, covariates=["donor"], **OPTIONS)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"by": "nope"}, ValueError, "`by` names the column 'nope', which adata.obs does not"),
        ({"by": ["type"]}, TypeError, "`by` must be the name of a column of adata.obs"),
        ({"by": "type", "min_cells": 0}, ValueError, "`min_cells` must be a number of cells"),
        ({"by": "type", "min_cells": 1.5}, ValueError, "`min_cells` must be a number of cells"),
        ({"by": "type", "like": None}, TypeError, "unexpected keyword argument 'like'"),
        ({"by": "type", "covariates": ["nope"]}, ValueError, "names the column 'nope'"),
        ({"by": "type", "nt_layers": ("x", "total")}, ValueError, "names the layer 'x'"),
    ],
)
def test_arguments_that_are_invalid_for_all_groups(cells, given, error, message):
    with pytest.raises(error, match=message):
        fit_by_group(cells.adata, cells.tf_names, **given)


def test_too_many_groups(cells):
    adata = ad.AnnData(
        obs=pd.DataFrame({"id": [f"c{i}" for i in range(600)]}, [str(i) for i in range(600)]),
        var=pd.DataFrame(index=["A", "B"]),
        layers={"new": np.ones((600, 2)), "total": np.ones((600, 2))},
    )
    with pytest.raises(ValueError, match="600 groups of at least 1 cells, more than 500"):
        fit_by_group(adata, ["A"], "id", min_cells=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match="None of the 600 groups"):
            fit_by_group(adata, ["A"], "id")
