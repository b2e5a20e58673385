"""Kernels are compiled, and give the same result, whatever the state of the cache folder is."""

import importlib.util
import os
import resource
import subprocess
import sys
import tempfile
import warnings

import numba
import pytest

from scifate_sklearn.solvers import announce_compilation
from scifate_sklearn.solvers._compiling import MESSAGE
from scifate_sklearn.solvers.kernels import _cache

SOURCE = """\
from scifate_sklearn.solvers.kernels._compile import entry_point, kernel

@kernel
def inner(x):
    return x + 1.0

@entry_point
def outer(x):
    return 2.0 * inner(x)
"""


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "kernels_of_a_test.py"
    path.write_text(SOURCE)
    return path


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(_cache, "_warned", [])
    return tmp_path / "cache"


def call(source):
    """Return the result of newly loaded kernels, and whether they came from the cache."""
    spec = importlib.util.spec_from_file_location("kernels_of_a_test", source)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    result = module.outer(3.0)
    return result, bool(module.outer.stats.cache_hits)


def call_silently(source):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return call(source)


def files(folder, suffix):
    return sorted(path for path in folder.rglob("*") if path.suffix == suffix)


def test_intact_cache(source, folder):
    assert call_silently(source) == (8.0, False)
    assert call_silently(source) == (8.0, True)


DAMAGE = {
    "empty": lambda content: b"",
    "text": lambda content: b"Disk quota exceeded\n",
    "first half": lambda content: content[: len(content) // 2],
    "last byte missing": lambda content: content[:-1],
    "zeros": lambda content: bytes(len(content)),
    "a changed bit in the middle": lambda content: (
        content[: len(content) // 2]
        + bytes([content[len(content) // 2] ^ 4])
        + content[len(content) // 2 + 1 :]
    ),
}


@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
@pytest.mark.parametrize("damage", list(DAMAGE))
def test_damaged_files_are_replaced(damage, suffix, source, folder):
    call(source)
    for path in files(folder, suffix):
        path.write_bytes(DAMAGE[damage](path.read_bytes()))
    assert call_silently(source)[0] == 8.0
    assert call_silently(source) == (8.0, True)


def test_missing_files_are_replaced(source, folder):
    call(source)
    for path in files(folder, ".nbc"):
        path.unlink()
    assert call_silently(source) == (8.0, False)
    assert call_silently(source) == (8.0, True)


def test_cache_of_numba_itself_is_replaced(source, folder, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(
            _cache.ForgivingCache, "_impl_class", numba.core.caching.CompileResultCacheImpl
        )
        call(source)
    assert call_silently(source) == (8.0, False)
    assert call_silently(source) == (8.0, True)


def assert_warns_once(source, reason):
    with pytest.warns(UserWarning, match="NUMBA_CACHE_DIR") as caught:
        assert call(source) == (8.0, False)
    (warning,) = [each for each in caught if "Compiled functions" in str(each.message)]
    assert f"cannot be kept ({reason})" in str(warning.message)
    assert "\n" not in str(warning.message)
    assert warning.filename == __file__
    assert call_silently(source) == (8.0, False)


def test_no_writable_folder(source, folder, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    assert_warns_once(source, "no cache folder can be written")


def test_folder_that_is_a_file(source, folder, monkeypatch):
    folder.write_text("")
    monkeypatch.setattr(
        numba.core.caching.CacheImpl,
        "_locator_classes",
        [numba.core.caching.UserProvidedCacheLocator],
    )
    assert_warns_once(source, "no cache folder can be written")


@pytest.mark.parametrize("reason", ["No space left on device", "Disk quota exceeded"])
def test_full_disk(reason, source, folder, monkeypatch):
    def refuse(*_, **__):
        raise OSError(28, reason)

    monkeypatch.setattr(numba.core.caching.IndexDataCacheFile, "_save_data", refuse)
    assert_warns_once(source, reason)


@pytest.mark.slow
def test_files_that_may_not_grow(source, folder):
    """The limit is that of a process, and stands for a full disk."""
    call_once = f"import runpy; print(runpy.run_path({str(source)!r})['outer'](3.0))"
    run = subprocess.run(
        [sys.executable, "-c", call_once],
        capture_output=True,
        text=True,
        env={**os.environ, "NUMBA_CACHE_DIR": str(folder)},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000)),
    )
    assert run.stdout == "8.0\n", run.stderr
    assert run.stderr.count("Compiled functions cannot be kept (File too large)") == 1


def test_a_compilation_is_announced_once(source, folder):
    shown = []
    with announce_compilation(shown.append), announce_compilation(pytest.fail):
        call(source)
    assert shown == [MESSAGE]
    with announce_compilation(shown.append):
        assert call(source) == (8.0, True)
    assert len(shown) == 1
    for path in files(folder, ".nbc"):
        path.write_bytes(b"damaged")
    with announce_compilation(shown.append):
        call(source)
    assert len(shown) == 2
    with announce_compilation(None):
        call(source)


def test_without_a_cache_every_compilation_is_announced(source, folder, monkeypatch):
    monkeypatch.setattr(_cache, "cache_of", lambda _: _cache.AbsentCache())
    monkeypatch.setattr("scifate_sklearn.solvers.kernels._compile.cache_of", _cache.cache_of)
    for _ in range(2):
        shown = []
        with announce_compilation(shown.append), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            call(source)
        assert shown == [MESSAGE]


@pytest.mark.slow
def test_the_command_line_and_verbose_fits_announce_it(tmp_path):
    """Kernels are compiled once for each folder."""

    def run(code, folder):
        environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / folder)}
        ran = subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return ran.stderr.count(MESSAGE), ran.stdout

    demo = "from scifate_sklearn.cli import app; app(['demo', '--n-cells', '200'])"
    assert [run(demo, "demo")[0] for _ in range(2)] == [1, 0]
    fit = (
        "import numpy as np; from scifate_sklearn import SciFateRegressor\n"
        "X = np.random.default_rng(0).normal(size=(60, 4))\n"
        "for _ in range(2): SciFateRegressor(verbose={}).fit(X, X[:, 0] + X[:, 1] ** 2)"
    )
    assert [run(fit.format(verbose), "fit")[0] for verbose in (1, 0, 1)] == [1, 0, 0]
