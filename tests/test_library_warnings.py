"""Warnings of other libraries on the command line: silent under -q, otherwise once each."""

import json
import logging
import subprocess
import sys
import warnings

import anndata
import pytest

from scifate_sklearn._warnings import is_own, warn
from scifate_sklearn.cli._console import collect_warnings
from scifate_sklearn.datasets import make_labelled_cells


def issue():
    """Issue what libraries issue, and a warning of this package."""
    for _ in range(3):
        warnings.warn_explicit("a library\n  is old", UserWarning, "library.py", 1)
        warnings.warn_explicit("a runtime", RuntimeWarning, "library.py", 1)
        warnings.warn_explicit("a future", FutureWarning, "library.py", 1)
        logging.getLogger("library").warning("logged %d", 7)
        logging.getLogger("library").info("not important")
        warn("our own")


@pytest.mark.parametrize("quiet", [True, False])
def test_each_warning_once_or_never(quiet, capsys):
    with collect_warnings(quiet) as messages:
        issue()
    assert messages == ["a library is old", "logged 7", "our own"]
    shown = messages[-1:] if quiet else messages
    assert capsys.readouterr().err == "".join(f"Warning: {each}\n" for each in shown)


def test_everything_is_restored():
    show, handlers = warnings.showwarning, list(logging.getLogger().handlers)
    with pytest.raises(KeyError), collect_warnings():
        raise KeyError
    assert warnings.showwarning is show
    assert logging.getLogger().handlers == handlers


def test_own_warnings_are_known():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn("ours", RuntimeWarning)
        warnings.warn_explicit("theirs", RuntimeWarning, "library.py", 1)
    assert [is_own(each.message) for each in caught] == [True, False]
    assert {each.category for each in caught} == {RuntimeWarning}
    assert not is_own("text")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """Return a folder with cells in zarr of format 3, of which libraries warn."""
    if not hasattr(anndata.settings, "zarr_write_format"):
        pytest.skip(f"anndata {anndata.__version__} writes no chosen format")
    folder = tmp_path_factory.mktemp("cells")
    cells = make_labelled_cells(n_cells=150, n_tfs=6, n_targets=10, random_state=0)
    (folder / "tfs.txt").write_text("\n".join(cells.tf_names))
    with warnings.catch_warnings(), anndata.settings.override(zarr_write_format=3):
        warnings.simplefilter("ignore")
        cells.adata.write_zarr(folder / "cells.zarr")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("option", ["-q", "--debug"])
def test_run_on_zarr_3(option, inputs, tmp_path):
    command = [sys.executable, "-m", "scifate_sklearn", "run", inputs / "cells.zarr"]
    options = ["--tfs", inputs / "tfs.txt", "--cell-filter-umi", 50, "--out", tmp_path / "out"]
    arguments = [str(each) for each in [*command, *options, option]]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    reported = json.loads((tmp_path / "out" / "run.json").read_text())["warnings"]
    if option == "-q":
        assert lines == []
        assert done.stdout == ""
    else:
        assert all(line.startswith(("Warning: ", "Compiling ")) for line in lines)
        assert len(set(lines)) == len(lines)
        assert {f"Warning: {each}" for each in reported} <= set(lines)
