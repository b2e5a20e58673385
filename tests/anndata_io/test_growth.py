"""Tests of the sum of two batches of cells, and of files of prepared moments."""

import numpy as np
import pandas as pd
import pytest

from scifate_sklearn import RSampleKFold, SciFateMoments, SciFateRegressor, prepare_moments
from scifate_sklearn.datasets import make_labelled_cells
from scifate_sklearn.files import _archive as archive

OPTIONS = {"cell_filter_UMI": 60, "gene_filter_rate": 0.2}


@pytest.fixture(scope="module")
def cells():
    return make_labelled_cells(300, 10, 40, effect_size=0.5, molecules=80, random_state=0)


@pytest.fixture(scope="module")
def batches(cells):
    """Return two thirds of the cells, and the other cells with permuted genes."""
    second = cells.adata[200:].copy()
    order = np.random.default_rng(0).permutation(second.n_vars)
    return cells.adata[:200].copy(), second[:, order].copy()


@pytest.fixture(scope="module")
def first(cells, batches):
    return prepare_moments(batches[0], cells.tf_names, **OPTIONS)


def logs_of(adata, prepared, unit):
    """Compute predictors and targets of the kept cells with this unit, step by step."""
    new, total = (
        adata[:, prepared.genes.index].layers[name].toarray().astype(float)
        for name in ("new", "total")
    )
    keep = total.sum(axis=1) > OPTIONS["cell_filter_UMI"]
    new, total = new[keep], total[keep]
    s = np.round(total).sum(axis=1) / unit
    logs = [np.log(layer / s[:, None] + 0.1) for layer in (new, total)]
    tfs = logs[1][:, prepared.genes["is_tf"].to_numpy()]
    return np.column_stack([tfs, s, new.sum(axis=1) / total.sum(axis=1)]), logs[0]


def test_a_grown_network_is_that_of_both_batches(batches, first):
    second = prepare_moments(batches[1], like=first, **OPTIONS)
    assert list(second.genes.index) == list(first.genes.index)
    both = first + second
    X, Y = (
        np.vstack(pair)
        for pair in zip(*(logs_of(b, first, first.unit) for b in batches), strict=True)
    )

    def zscore(A):
        return (A - A.mean(axis=0)) / A.std(axis=0, ddof=1)

    ids = np.concatenate([RSampleKFold().fold_ids(len(part.cells)) for part in (first, second)])
    folds = [(np.flatnonzero(ids != k), np.flatnonzero(ids == k)) for k in range(1, 11)]
    moments = both.moments
    together = SciFateRegressor(cv=folds).fit(
        pd.DataFrame(zscore(X), columns=moments.feature_names),
        pd.DataFrame(zscore(Y), columns=moments.target_names),
    )
    grown = SciFateRegressor().fit_moments(moments)
    np.testing.assert_array_equal(grown.lambda_, together.lambda_)
    for name in ("coef_", "intercept_", "cv_mse_"):
        np.testing.assert_allclose(getattr(grown, name), getattr(together, name), rtol=0, atol=1e-9)
    pd.testing.assert_frame_equal(both.cells, pd.concat([first.cells, second.cells]))
    assert both.genes["n_cells_new"].max() > first.genes["n_cells_new"].max()


def test_saved_moments_are_loaded_unchanged(tmp_path, batches, first):
    first.save(tmp_path / "first.npz")
    loaded = SciFateMoments.load(tmp_path / "first.npz")
    pd.testing.assert_frame_equal(loaded.cells, first.cells)
    pd.testing.assert_frame_equal(loaded.genes, first.genes)
    assert loaded.unit == first.unit
    second = prepare_moments(batches[1], like=loaded, **OPTIONS)
    one, two = first + second, loaded + second
    assert one.moments.checksum() == two.moments.checksum()


DAMAGES = {
    "no scale": lambda arrays: arrays.pop("scale x_sd"),
    "another scale": lambda arrays: arrays.update({"scale z": arrays["unit"]}),
    "negative scale": lambda arrays: arrays["scale y_sd"].__imul__(-1),
    "short scale": lambda arrays: arrays.update({"scale x_sd": arrays["scale x_sd"][1:]}),
    "NaN": lambda arrays: arrays["scale y_mean"].fill(np.nan),
    "no unit": lambda arrays: arrays.pop("unit"),
    "many units": lambda arrays: arrays.update(unit=np.ones(2)),
    "no genes": lambda arrays: arrays.pop("genes names"),
    "fewer genes": lambda arrays: arrays.update({"genes is_tf": arrays["genes is_tf"][1:]}),
    "other genes": lambda arrays: arrays["genes names"].__setitem__(0, "X"),
    "genes are numbers": lambda arrays: arrays.update({"genes names": np.arange(3)}),
    "cells of text": lambda arrays: arrays.update({"cells total_umi": arrays["cells names"]}),
    "no sums": lambda arrays: arrays.pop("moments xx"),
    "wrong sums": lambda arrays: arrays["moments xy"].__imul__(1e9),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_files_that_hold_something_else(tmp_path, first, damage):
    path = tmp_path / "first.npz"
    first.save(path)
    kind, version = "prepared moments", 1
    arrays = {
        name: array.copy() for name, array in archive.read_arrays(path, kind, version).items()
    }
    damage(arrays)
    archive.write_arrays(path, kind, version, arrays)
    with pytest.raises(ValueError, match=r"first\.npz holds no valid prepared moments: "):
        SciFateMoments.load(path)


def test_errors_name_the_kind_of_other_files(tmp_path, first):
    first.moments.save(tmp_path / "moments.npz")
    with pytest.raises(ValueError, match="holds moments of cells, not prepared moments"):
        SciFateMoments.load(tmp_path / "moments.npz")
    first.save(tmp_path / "cut.npz")
    content = (tmp_path / "cut.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match=r"cut.npz is damaged, or not a file of prepared moments"):
        SciFateMoments.load(tmp_path / "cut.npz")


def test_batches_can_be_added_in_any_order(batches, first):
    second = prepare_moments(batches[1], like=first, **OPTIONS)
    one, two = ((a + b).moments for a, b in ((first, second), (second, first)))
    np.testing.assert_allclose(one.xy, two.xy, rtol=1e-12, atol=1e-12)


def test_values_can_be_added(cells, batches):
    options = OPTIONS | {"response": "values", "regulators": "values"}
    first = prepare_moments(batches[0], cells.tf_names, **options)
    both = first + prepare_moments(batches[1], like=first, **options)
    assert np.isnan(both.unit)
    assert len(both.cells) == 300


def test_batches_with_different_units_cannot_be_added(cells, batches, first):
    second = prepare_moments(batches[1], cells.tf_names, **OPTIONS)
    with pytest.raises(ValueError, match=r"prepare_moments\(..., like=first\)"):
        first + second
    with pytest.raises(TypeError):
        first + 3


def test_missing_genes(batches, first):
    name = first.genes.index[3]
    lacking = batches[1][:, batches[1].var_names != name].copy()
    with pytest.raises(ValueError, match=rf"1 of the \d+ genes of `like` .*\('{name}'\)"):
        prepare_moments(lacking, like=first, **OPTIONS)


def test_targets_of_like_must_be_finite(cells, batches):
    options = OPTIONS | {"response": "values"}
    first = prepare_moments(batches[0], cells.tf_names, **options)
    spoiled = batches[1].copy()
    spoiled.layers["new"] = spoiled.layers["new"].toarray()
    spoiled.layers["new"][0] = np.nan
    with pytest.raises(ValueError, match=r"NaN or infinite values for .* of the targets of `like`"):
        prepare_moments(spoiled, like=first, **options)


def test_invalid_like(cells):
    with pytest.raises(TypeError, match="`like` must be what prepare_moments returns, got dict"):
        prepare_moments(cells.adata, like={})
    with pytest.raises(TypeError, match="`tf_names` must be a collection of names, got NoneType"):
        prepare_moments(cells.adata)


def test_genes_that_share_a_name_are_the_same_in_both_batches(cells):
    """Also if another one of them has the larger sum in the second batch."""
    adata = cells.adata.copy()
    names = adata.var_names.to_numpy(object)
    a, b = 20, 45
    names[b] = names[a]
    adata.var_names = names
    total = adata.layers["total"].toarray().astype(float)
    total[:200, a] += 5.0
    total[200:, b] += 500.0
    adata.layers["total"] = total
    with pytest.warns(UserWarning, match="share their name"):
        first = prepare_moments(adata[:200].copy(), cells.tf_names, **OPTIONS)
    second = prepare_moments(adata[200:].copy(), like=first, **OPTIONS)
    assert first.genes.loc[names[a], "position"] == a
    assert second.genes.loc[names[a], "position"] == a
    other = adata[200:, ::-1].copy()
    with pytest.raises(ValueError, match=r"is the name of several genes.*column 20"):
        prepare_moments(other, like=first, **OPTIONS)
