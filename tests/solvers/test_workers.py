"""Numbers of workers: impossible ones are refused by name, large ones are not all started."""

import threading
from contextlib import nullcontext

import numpy as np
import pytest
from joblib import parallel_config

from scifate_sklearn import MultiOutputLassoCV, PermutationFDR, SciFateRegressor
from scifate_sklearn.solvers import _parallel

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
Y = X[:, np.arange(80) % 4] + RNG.normal(size=(60, 80))


@pytest.mark.parametrize("estimator", [SciFateRegressor, MultiOutputLassoCV])
def test_zero_is_refused(estimator):
    with pytest.raises(ValueError, match=r"'n_jobs' parameter of .* Got 0 instead"):
        estimator(n_jobs=0).fit(X, Y)


@pytest.mark.parametrize("n_jobs", [0.5, "2"])
def test_what_is_no_number_of_workers_is_refused(n_jobs):
    with pytest.raises(ValueError, match="'n_jobs' parameter of SciFateRegressor"):
        SciFateRegressor(n_jobs=n_jobs).fit(X, Y)


@pytest.mark.parametrize("backend", [None, "threading"])
@pytest.mark.parametrize(
    "make",
    [
        lambda: SciFateRegressor(n_jobs=100_000),
        lambda: MultiOutputLassoCV(n_jobs=100_000),
        lambda: PermutationFDR(SciFateRegressor(n_jobs=100_000), n_permutations=1),
    ],
    ids=["SciFateRegressor", "MultiOutputLassoCV", "PermutationFDR"],
)
def test_not_all_of_100_000_are_started(make, backend, monkeypatch):
    at_once, start = [], threading.Thread.start

    def count(thread):
        start(thread)
        at_once.append(threading.active_count())

    monkeypatch.setattr(threading.Thread, "start", count)
    monkeypatch.setattr("scifate_sklearn.solvers._parallel.cpu_count", lambda: 2)
    with parallel_config(backend) if backend else nullcontext():
        make().fit(X, Y)
    assert max(at_once) < 30


def test_results_do_not_depend_on_the_number():
    one, many = (SciFateRegressor(n_jobs=n).fit(X, Y).coef_ for n in (1, 100_000))
    np.testing.assert_array_equal(one, many)


def test_workers_that_the_system_refuses(monkeypatch):
    n_started, start = [], threading.Thread.start

    def refuse(thread):
        n_started.append(1)
        if len(n_started) > 2:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(OSError, match=r"(?s)`n_jobs`=4 \(can't start new thread\)\. Lower"):
        SciFateRegressor(n_jobs=4).fit(X, Y)


@pytest.mark.parametrize(
    "backend",
    [pytest.param("loky", marks=pytest.mark.slow), "multiprocessing", "threading", "sequential"],
)
def test_backends_of_joblib(backend):
    one = SciFateRegressor().fit(X, Y).coef_
    with parallel_config(backend):
        for n_jobs in (2, 100_000):
            np.testing.assert_array_equal(SciFateRegressor(n_jobs=n_jobs).fit(X, Y).coef_, one)


@pytest.mark.parametrize("backend", ["loky", "multiprocessing", "threading"])
def test_the_number_of_workers_is_limited_on_every_backend(backend, monkeypatch):
    monkeypatch.setattr(_parallel, "cpu_count", lambda: 2)
    with parallel_config(backend):
        assert _parallel._n_workers(100_000, 20_000) == 8
        assert _parallel._n_workers(100_000, 3) == 3
        assert _parallel._n_workers(100_000, 0) == 1
        assert [_parallel._n_workers(n, 50) for n in (None, -1, -100, 1, 5)] == [
            None, -1, -100, 1, 5,
        ]  # fmt: skip
