"""Prepared cells that are read again: the same cells, in one pass each time."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from scifate_sklearn import open_anndata, prepare_anndata, prepare_moments
from scifate_sklearn.anndata_io import _local, iterate_cells, prepare_cells
from scifate_sklearn.datasets import make_labelled_cells

OPTIONS = {"cell_filter_UMI": 60}


@pytest.fixture(scope="module")
def cells():
    made = make_labelled_cells(300, 10, 40, molecules=30, random_state=0)
    rng = np.random.default_rng(0)
    obs = made.adata.obs
    obs["donor"] = rng.choice([f"d{i}" for i in range(6)], 300)
    obs["rate"] = rng.uniform(0.3, 1.0, 300)
    made.adata.var["symbol"] = made.adata.var_names.str.upper()
    return made


def symbols(cells):
    return {name: name.lower() for name in cells.adata.var_names}


MORE = {
    "plain": lambda cells: {},
    "covariates": lambda cells: {"covariates": ["donor"], "detection_rate": "rate"},
    "groups": lambda cells: {"cv": 3, "groups": "donor"},
    "repeats": lambda cells: {"cv": 4, "n_repeats": 2, "random_state": 3},
    "values": lambda cells: {"response": "values"},
    "column of symbols": lambda cells: {"gene_symbols": "symbol"},
    "table of symbols": lambda cells: {"gene_symbols": symbols(cells)},
}


def tf_names(cells, options):
    given = options.get("gene_symbols")
    if given is None:
        return cells.tf_names
    return [name.upper() if isinstance(given, str) else name.lower() for name in cells.tf_names]


def assert_kept(kept, adata, names, options):
    """Check the mask and two passes against the whole matrices."""
    folds = ("cv", "groups", "n_repeats", "random_state")
    matrices = {name: value for name, value in options.items() if name not in folds}
    inputs = prepare_anndata(adata, names, **matrices)
    np.testing.assert_array_equal(adata.obs_names[kept.mask], inputs.cells.index)
    assert 0 < len(inputs.cells) < adata.n_obs
    for _ in range(2):
        X, Y = (np.concatenate(parts) for parts in zip(*kept, strict=True))
        np.testing.assert_allclose(X, inputs.tf_matrix, atol=1e-9)
        np.testing.assert_allclose(Y, inputs.target_matrix, atol=1e-9)
    pd.testing.assert_frame_equal(kept.prepared.cells, inputs.cells)


@pytest.mark.parametrize("more", MORE.values(), ids=MORE)
def test_in_memory_and_in_files(cells, more, tmp_path):
    options = {**OPTIONS, **more(cells)}
    names = tf_names(cells, options)
    assert_kept(prepare_cells(cells.adata, names, **options), cells.adata, names, options)
    cells.adata.write_h5ad(tmp_path / "cells.h5ad")
    with open_anndata(tmp_path / "cells.h5ad") as stored:
        kept = prepare_cells(stored, names, chunk_size=37, **options)
        assert_kept(kept, cells.adata, names, options)
        again = {"nt_layers", "cell_filter_UMI", "response", "gene_symbols", "detection_rate"}
        own = {key: options[key] for key in again & set(options)}
        chunks = iterate_cells(stored, kept.prepared, chunk_size=37, **own)
        for ours, theirs in zip(kept, chunks, strict=True):
            for one, other in zip(ours, theirs, strict=True):
                np.testing.assert_array_equal(one, other)


def test_layers_held_by_dask(cells):
    da = pytest.importorskip("dask.array", reason="needs the extra `dask`")
    options = {**OPTIONS, **MORE["covariates"](cells)}
    layers = {
        name: da.from_array(sp.csr_array(layer), chunks=(90, -1), asarray=False)
        for name, layer in cells.adata.layers.items()
    }
    held = ad.AnnData(obs=cells.adata.obs, var=cells.adata.var, layers=layers)
    kept = prepare_cells(held, cells.tf_names, **options)
    assert_kept(kept, cells.adata, cells.tf_names, options)


def test_a_batch_like_an_earlier_one(cells):
    first = prepare_moments(cells.adata[:150].copy(), cells.tf_names, **OPTIONS)
    rest = cells.adata[150:].copy()
    kept = prepare_cells(rest, like=first, **OPTIONS)
    chunks = list(iterate_cells(rest, kept.prepared, **OPTIONS))
    for one, other in zip(zip(*kept, strict=True), zip(*chunks, strict=True), strict=True):
        np.testing.assert_array_equal(np.concatenate(one), np.concatenate(other))


def test_each_iteration_reads_the_cells_once(cells, monkeypatch):
    read = []
    rows = _local.LocalChunks._read
    monkeypatch.setattr(
        _local.LocalChunks, "_read", lambda self, span: read.append(span) or rows(self, span)
    )
    kept = prepare_cells(cells.adata, cells.tf_names, chunk_size=50, **OPTIONS)
    assert len(read) == 3 * 6
    for n_passes in (4, 5):
        assert len(list(kept)) == 6
        assert len(read) == n_passes * 6


def test_cells_with_the_same_name(cells):
    adata = cells.adata.copy()
    adata.obs_names = [f"cell{i % 7}" for i in range(adata.n_obs)]
    kept = prepare_cells(adata, cells.tf_names, **OPTIONS)
    expected = prepare_cells(cells.adata, cells.tf_names, **OPTIONS)
    np.testing.assert_array_equal(kept.mask, expected.mask)
    for ours, theirs in zip(kept, expected, strict=True):
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(one, other)
