"""The command line does its work, and its exit code says so, whatever the standard streams are."""

import os
import subprocess
import sys

import pytest

from scifate_sklearn.cli._options import check_n_jobs
from scifate_sklearn.datasets import make_labelled_cells


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cells")
    cells = make_labelled_cells(n_cells=150, n_tfs=6, n_targets=10, random_state=0)
    cells.adata.var_names = [name.replace("TF3", "TNFα→") for name in cells.adata.var_names]
    cells.adata.write_h5ad(folder / "cells.h5ad")
    names = [name.replace("TF3", "TNFα→") for name in cells.tf_names]
    (folder / "tfs.txt").write_text("\n".join(names), encoding="utf-8")
    return folder


def run(inputs, out, redirection, options="", **environment):
    command = (
        f'"{sys.executable}" -m scifate_sklearn run "{inputs}/cells.h5ad" '
        f'--tfs "{inputs}/tfs.txt" --cell-filter-umi 50 --out "{out}" {options} {redirection}'
    )
    return subprocess.run(
        ["bash", "-c", command], capture_output=True, env={**os.environ, **environment}, timeout=300
    )


REDIRECTIONS = {
    "stderr closed": "2>&-",
    "stdout closed": ">&-",
    "all closed": "<&- >&- 2>&-",
    "stdout full": ">/dev/full",
    "both full": ">/dev/full 2>&1",
    "reader of stdout gone": "| true; exit ${PIPESTATUS[0]}",
    "reader of both gone": "2>&1 | true; exit ${PIPESTATUS[0]}",
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("redirection", "options"),
    [*((each, "") for each in REDIRECTIONS), ("stderr closed", "-q")],
)
def test_run_with_streams_that_cannot_be_written(redirection, options, inputs, tmp_path):
    done = run(inputs, tmp_path / "out", REDIRECTIONS[redirection], options)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "run.json").exists()
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "redirection", ["2>&-", "2>/dev/full", "2>&1 | true; exit ${PIPESTATUS[0]}"]
)
def test_errors_keep_their_exit_codes(redirection, inputs, tmp_path):
    assert run(inputs, tmp_path / "out", redirection, "--nonsense").returncode == 2
    assert run(inputs, tmp_path / "out", redirection, "--total nonsense").returncode == 1


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["ascii:strict", "latin-1:strict", "cp1252", "utf-8"])
def test_encodings(encoding, inputs, tmp_path):
    done = run(inputs, tmp_path / "out", "", PYTHONIOENCODING=encoding)
    assert done.returncode == 0, done.stderr
    assert b"Results are in" in done.stdout
    # Where only ASCII can be shown, Click prints question marks.
    if not encoding.startswith("ascii"):
        assert "TNFα→".encode(encoding.partition(":")[0], "backslashreplace") in done.stdout
    assert "TNFα→" in (tmp_path / "out" / "links.csv").read_text(encoding="utf-8")


@pytest.mark.slow
def test_result_files_are_not_mistaken_for_closed_streams(inputs, tmp_path):
    """The first file that a process opens gets the number of a closed stream."""
    assert run(inputs, tmp_path / "out", "<&- >&- 2>&-").returncode == 0
    assert run(inputs, tmp_path / "other", "").returncode == 0
    for name in ("links.csv", "targets.csv"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("redirection", "code"),
    [(">/dev/full", 1), (">&-", 0), ("| head -1; exit ${PIPESTATUS[0]}", 0)],
)
def test_demo_whose_report_is_lost(redirection, code):
    command = f'"{sys.executable}" -m scifate_sklearn demo --n-cells 200 {redirection}'
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert done.returncode == code
    assert ("the report cannot be written to standard output" in done.stderr) == bool(code)


def test_n_jobs_of_zero_is_a_usage_error(inputs, tmp_path):
    done = run(inputs, tmp_path / "out", "", "--n-jobs 0")
    assert done.returncode == 2
    assert b"--n-jobs" in done.stderr
    assert not (tmp_path / "out").exists()
    assert [check_n_jobs(n) for n in (-1, 1, 100_000)] == [-1, 1, 100_000]
