"""Layers in Dask arrays, fits on a Dask cluster, and killed workers."""

import os
import signal
import threading
import time

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from joblib import parallel_config
from simulated_fits import fixtures_of

from scifate_sklearn import SciFateRegressor, prepare_anndata, prepare_moments

pytest.importorskip("dask", reason="needs the extra `dask`")
da = pytest.importorskip("dask.array")
distributed = pytest.importorskip("distributed", reason="needs the extra `dask`")

OPTIONS = {"cell_filter_UMI": 60}
FITTED = ("coef_", "intercept_", "lambda_", "r2_", "cv_mse_", "cv_mse_se_", "dual_gap_", "n_iter_")
UNEVEN = (50, 1, 99, 100, 50)


cells, inputs, model = fixtures_of((300, 20, 250), OPTIONS, path="full")


@pytest.fixture(scope="module")
def client():
    """Return a client of two worker processes, which are restarted after they are killed."""
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None,
            silence_logs=50,
        ) as cluster,
        distributed.Client(cluster) as client,
    ):  # fmt: skip
        yield client


def held_by_dask(adata, chunks=37, change=sp.csr_array, names=("new", "total")):
    layers = {name: change(adata.layers[name].toarray()) for name in adata.layers}
    for name in names:
        layers[name] = da.from_array(layers[name], chunks=(chunks, -1), asarray=False)
    return ad.AnnData(obs=adata.obs, var=adata.var, layers=layers)


def assert_same_network(one, two):
    np.testing.assert_array_equal(one.lambda_, two.lambda_)
    for name in ("coef_", "intercept_", "r2_", "cv_mse_"):
        np.testing.assert_allclose(getattr(one, name), getattr(two, name), rtol=1e-9, atol=1e-9)


def assert_same_bits(one, two):
    for name in FITTED:
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name), err_msg=name)
    pd.testing.assert_frame_equal(one.links_, two.links_, check_exact=True)


class Killing:
    """Kill one worker process once the cluster has tasks to do."""

    def __init__(self, client):
        self.client, self.killed = client, None
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.wait_and_kill)

    def wait_and_kill(self):
        nannies = self.client.cluster.workers.values()
        while not self.stop.is_set():
            if any(self.client.processing().values()):
                self.killed = next(iter(nannies)).process.process.pid
                os.kill(self.killed, signal.SIGKILL)
                return
            time.sleep(0.005)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()
        self.client.wait_for_workers(2, timeout=60)


@pytest.mark.parametrize("change", [sp.csr_array, np.asarray], ids=["csr", "dense"])
@pytest.mark.parametrize("chunks", [37, 300, UNEVEN])
def test_layers_held_by_dask(cells, inputs, model, change, chunks):
    adata = held_by_dask(cells.adata, chunks, change)
    for own, expected in zip(
        prepare_anndata(adata, cells.tf_names, **OPTIONS), inputs, strict=True
    ):
        pd.testing.assert_frame_equal(own, expected, check_exact=True)
    prepared = prepare_moments(adata, cells.tf_names, **OPTIONS)
    pd.testing.assert_frame_equal(prepared.cells, inputs.cells)
    assert_same_network(SciFateRegressor(path="full").fit_moments(prepared.moments), model)


@pytest.mark.slow
def test_one_cell_a_chunk_and_chunks_of_genes(cells, model):
    adata = held_by_dask(cells.adata, 1)
    adata.layers["total"] = adata.layers["total"].rechunk((300, 13))
    prepared = prepare_moments(adata, cells.tf_names, **OPTIONS)
    assert_same_network(SciFateRegressor(path="full").fit_moments(prepared.moments), model)


@pytest.mark.parametrize("held", ["new", "total"])
def test_one_layer_in_memory(cells, model, held):
    adata = held_by_dask(cells.adata, names=(held,))
    prepared = prepare_moments(adata, cells.tf_names, **OPTIONS)
    assert_same_network(SciFateRegressor(path="full").fit_moments(prepared.moments), model)


def test_sums_of_layers(cells, model):
    adata = cells.adata.copy()
    adata.layers["old"] = adata.layers["total"] - adata.layers["new"]
    adata = held_by_dask(adata, names=("new", "old"))
    options = OPTIONS | {"nt_layers": ("new", "old+new")}
    prepared = prepare_moments(adata, cells.tf_names, **options)
    assert_same_network(SciFateRegressor(path="full").fit_moments(prepared.moments), model)


def test_cells_far_from_those_before(cells):
    """Values of later chunks are far from those of the first chunk."""
    velocity = cells.adata.layers["new"].toarray() + 1e6 * (np.arange(300) > 60)[:, None]
    adata = ad.AnnData(
        obs=cells.adata.obs,
        var=cells.adata.var,
        layers={"v": velocity, "total": cells.adata.layers["total"].toarray()},
    )
    options = OPTIONS | {"nt_layers": ("v", "total"), "response": "values"}
    inputs = prepare_anndata(adata, cells.tf_names, **options)
    model = SciFateRegressor(path="full").fit(inputs.tf_matrix, inputs.target_matrix)
    adata.layers["v"] = da.from_array(velocity, chunks=(20, -1))
    prepared = prepare_moments(adata, cells.tf_names, **options)
    assert_same_network(SciFateRegressor(path="full").fit_moments(prepared.moments), model)


def test_faults_are_found(cells):
    adata = cells.adata.copy()
    adata.layers["new"] = adata.layers["new"].toarray()
    adata.layers["new"][[3, 200], 5] = -1.0, np.nan
    lazy = ad.AnnData(
        obs=adata.obs,
        var=adata.var,
        layers={"new": da.from_array(adata.layers["new"]), "total": adata.layers["total"]},
    )
    with pytest.raises(ValueError, match=r"layer 'new' has 1 NaN or infinite value"):
        prepare_moments(lazy, cells.tf_names)


def test_anndata_read_lazily(tmp_path, cells, model):
    pytest.importorskip("xarray", reason="anndata's lazy reading needs it")
    read_lazy = pytest.importorskip("anndata.experimental").read_lazy
    cells.adata.write_h5ad(tmp_path / "cells.h5ad")
    prepared = prepare_moments(read_lazy(tmp_path / "cells.h5ad"), cells.tf_names, **OPTIONS)
    assert_same_network(SciFateRegressor(path="full").fit_moments(prepared.moments), model)


@pytest.mark.slow
def test_a_cluster_of_processes(client, cells, inputs, model):
    prepared = prepare_moments(held_by_dask(cells.adata), cells.tf_names, **OPTIONS)
    assert_same_network(SciFateRegressor(path="full").fit_moments(prepared.moments), model)
    with parallel_config("dask"):
        there = SciFateRegressor(path="full").fit(inputs.tf_matrix, inputs.target_matrix)
    assert_same_bits(there, model)


@pytest.mark.parametrize("options", [{"engine": "glmnet", "tol": 1e-9}, {"lambdas": "auto"}])
def test_other_engines_and_grids(client, inputs, options):
    Y = inputs.target_matrix.iloc[:, :5]
    here = SciFateRegressor(**options).fit(inputs.tf_matrix, Y)
    with parallel_config("dask"):
        assert_same_bits(SciFateRegressor(**options).fit(inputs.tf_matrix, Y), here)


def test_a_cluster_of_one_thread(inputs, model):
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster),
        parallel_config("dask"),
    ):
        there = SciFateRegressor(path="full").fit(inputs.tf_matrix, inputs.target_matrix)
    assert_same_bits(there, model)


def test_a_worker_is_killed_during_the_fit(client, inputs, model):
    with parallel_config("dask"), Killing(client) as killing:
        there = SciFateRegressor(path="full").fit(inputs.tf_matrix, inputs.target_matrix)
    assert killing.killed
    assert_same_bits(there, model)


@pytest.mark.slow
def test_a_worker_is_killed_during_the_sums(client, cells, model):
    adata = held_by_dask(cells.adata, 10)
    with Killing(client) as killing:
        prepared = prepare_moments(adata, cells.tf_names, **OPTIONS)
    assert killing.killed
    assert_same_network(SciFateRegressor(path="full").fit_moments(prepared.moments), model)


@pytest.mark.slow
def test_the_caller_writes_checkpoints(tmp_path, client, inputs, model):
    """Workers may not have access to the folder."""
    regressor = SciFateRegressor(path="full", checkpoint=tmp_path)
    with parallel_config("dask"):
        assert_same_bits(regressor.fit(inputs.tf_matrix, inputs.target_matrix), model)
    assert len(list(tmp_path.rglob("targets-*.npz"))) == -(-len(model.coef_) // 32)
    assert_same_bits(regressor.fit(inputs.tf_matrix, inputs.target_matrix), model)


@pytest.mark.slow
def test_nothing_is_left_on_the_cluster(client, inputs):
    for _ in range(3):
        with parallel_config("dask"):
            SciFateRegressor().fit(inputs.tf_matrix, inputs.target_matrix)
    deadline = time.time() + 20
    while sum(map(len, client.has_what().values())) > 2 and time.time() < deadline:
        time.sleep(0.1)
    assert (
        sum(map(len, client.has_what().values())) <= 2
    )  # the engine of the last fit remains until it is garbage collected
