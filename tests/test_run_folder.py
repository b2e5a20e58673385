"""The output folder of `scifate run`: one run at a time, complete results, inputs left alone."""

import contextlib
import errno
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anndata
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner, Result

from scifate_sklearn.anndata_io import read_tf_names
from scifate_sklearn.cli import app
from scifate_sklearn.cli._out_folder import OutFolder, claim
from scifate_sklearn.cli._signals import raise_signals
from scifate_sklearn.datasets import make_labelled_cells
from scifate_sklearn.files import escape_formula
from scifate_sklearn.filters._tables import read_table
from scifate_sklearn.regressor import SciFateRegressor

OUTPUTS = {"links.csv", "targets.csv", "run.json", "annotated.h5ad"}
LOCK = ".scifate-lock"
LEFTOVERS = (".scifate-" + 32 * "0", ".links.csv." + 32 * "a" + ".part")

posix_only = pytest.mark.skipif(os.name != "posix", reason="needs POSIX")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with cells as h5ad and zarr, TF names and a reference."""
    folder = tmp_path_factory.mktemp("inputs")
    cells = make_labelled_cells(150, 6, 20, effect_size=0.5, molecules=80, random_state=0)
    cells.adata.write_h5ad(folder / "cells.h5ad")
    cells.adata.write_zarr(folder / "cells.zarr")
    (folder / "tfs.txt").write_text("\n".join(cells.tf_names) + "\n")
    cells.reference.to_csv(folder / "peaks.csv", index=False)
    (folder / "motifs.tbl").write_text("motif\tTF\n")
    return folder


@pytest.fixture
def here(inputs: Path, tmp_path: Path) -> Path:
    """Return a folder with copies of the inputs, which a test may change."""
    return Path(shutil.copytree(inputs, tmp_path / "here"))


def command(folder: Path, cells: str | Path, out: str | Path, *more: object) -> list[str]:
    options = ["--tfs", folder / "tfs.txt", "--cell-filter-umi", 50, "--n-jobs", 1]
    return [str(word) for word in ("run", folder / cells, *options, "--out", folder / out, *more)]


def run(folder: Path, *arguments: Any) -> Result:
    return CliRunner().invoke(app, command(folder, *arguments))


def assert_fails(result: Result, code: int, *patterns: str) -> None:
    assert result.exit_code == code, result.output
    message = " ".join(re.sub(r"[│╭╮╰╯─]", " ", result.stderr).split())
    for pattern in patterns:
        assert re.search(pattern, message), message


def state(folder: Path) -> dict[str, bytes]:
    """Return the content of all files in a folder."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture
def while_fitting(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Return a function that sets what happens before the fit of a run."""
    fit = SciFateRegressor.fit_moments

    def set_action(action: Callable[[], object]) -> None:
        def fit_after(self: SciFateRegressor, *args: Any) -> SciFateRegressor:
            action()
            return fit(self, *args)

        monkeypatch.setattr(SciFateRegressor, "fit_moments", fit_after)

    return set_action


class TestClaim:
    def test_a_second_run_is_refused_before_it_reads(
        self, here: Path, while_fitting: Callable[..., None]
    ) -> None:
        results = []
        while_fitting(lambda: results.append(run(here, "cells.h5ad", "out", "--overwrite")))
        (here / "out").mkdir()
        assert run(here, "cells.h5ad", "out").exit_code == 0
        assert_fails(results[0], 2, "--out.*is in use by another run")
        assert names(here / "out") == OUTPUTS

    def test_threads_and_links_to_the_folder(
        self, here: Path, while_fitting: Callable[..., None]
    ) -> None:
        results: list[Result] = []
        (here / "link").symlink_to(here / "out")

        def from_thread() -> None:
            other = threading.Thread(
                target=lambda: results.append(run(here, "cells.h5ad", "link", "--overwrite"))
            )
            other.start()
            other.join()

        while_fitting(from_thread)
        assert run(here, "cells.h5ad", "out").exit_code == 0
        assert_fails(results[0], 2, "is in use")

    def test_what_a_killed_run_left_is_removed(self, here: Path) -> None:
        out = here / "out"
        (out / LEFTOVERS[0] / "annotated.zarr").mkdir(parents=True)
        (out / LEFTOVERS[0] / "annotated.zarr" / "0").write_text("")
        (out / LEFTOVERS[0] / "annotated.zarr").chmod(0o555)
        (out / LEFTOVERS[1]).write_text("")
        (out / LOCK).write_text("")
        assert run(here, "cells.h5ad", "out").exit_code == 0
        assert names(out) == OUTPUTS

    def test_a_failed_run_removes_only_what_it_made(self, here: Path) -> None:
        (here / "a").mkdir()
        assert run(here, "cells.h5ad", "a/b/c", "--new", "velocity").exit_code == 1
        assert names(here / "a") == set()

    @posix_only
    def test_a_file_system_without_locks(self, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(_: int) -> None:
            raise OSError(errno.ENOLCK, "No locks available")

        monkeypatch.setattr("scifate_sklearn.files.lock_file", fail)
        result = run(here, "cells.h5ad", "out")
        assert result.exit_code == 0
        assert "has no locks" in result.stderr
        assert names(here / "out") == OUTPUTS


class TestResultsAppearTogether:
    def test_nothing_is_visible_during_the_run(
        self, here: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen: list[set[str]] = []
        monkeypatch.setattr(
            "scifate_sklearn.cli._run.write_json", lambda *_: seen.append(names(here / "out"))
        )
        run(here, "cells.h5ad", "out")
        assert [{name for name in seen[0] if not name.startswith(".scifate-")}] == [set()]

    def test_run_json_is_the_first_to_go_and_the_last_to_come(
        self, here: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert run(here, "cells.h5ad", "out").exit_code == 0
        moved: list[str] = []
        rename = Path.rename

        def record(self: Path, target: Path) -> Path:
            moved.append(self.name)
            return rename(self, target)

        monkeypatch.setattr(Path, "rename", record)
        assert run(here, "cells.h5ad", "out", "--overwrite").exit_code == 0
        assert moved[0] == moved[-1] == "run.json"
        assert len(moved) == 2 * len(OUTPUTS)

    @pytest.mark.parametrize("n_moves", range(8))
    def test_moves_are_undone_if_one_fails(
        self, here: Path, monkeypatch: pytest.MonkeyPatch, n_moves: int
    ) -> None:
        out = here / "out"
        assert run(here, "cells.h5ad", "out").exit_code == 0
        before, rename, left = state(out), Path.rename, [n_moves]

        def fail_once(self: Path, target: Path) -> Path:
            left[0] -= 1
            if left[0] == -1:
                raise PermissionError("not this one")
            return rename(self, target)

        monkeypatch.setattr(Path, "rename", fail_once)
        assert_fails(run(here, "cells.h5ad", "out", "--overwrite"), 1, "not this one")
        assert state(out) == before

    @pytest.mark.parametrize("make", [Path.mkdir, Path.touch])
    def test_a_file_that_appears_during_the_run_is_not_replaced(
        self, here: Path, while_fitting: Any, make: Callable[[Path], None]
    ) -> None:
        while_fitting(lambda: make(here / "out" / "links.csv"))
        assert_fails(run(here, "cells.h5ad", "out"), 2, "--out.*links.csv' has appeared during")
        assert names(here / "out") == {"links.csv"}

    @posix_only
    @pytest.mark.parametrize("makes_another", [True, False])
    def test_an_output_folder_that_is_moved(
        self, here: Path, while_fitting: Any, makes_another: bool
    ) -> None:
        def move() -> None:
            (here / "out").rename(here / "moved")
            if makes_another:
                (here / "out").mkdir()

        while_fitting(move)
        assert_fails(run(here, "cells.h5ad", "out"), 1, "--out: '.*out' was removed, moved")
        assert not (here / "out").exists()

    @posix_only
    def test_an_output_folder_that_is_removed_before_the_fit(
        self, here: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def read(_: object) -> list[str]:
            shutil.rmtree(here / "out")
            return read_tf_names(here / "tfs.txt")

        monkeypatch.setattr("scifate_sklearn.cli._run.read_tf_names", read)
        assert_fails(run(here, "cells.h5ad", "out"), 1, "--out: '.*out' was removed, moved")
        assert not (here / "out").exists()

    @pytest.mark.parametrize("is_first", [True, False])
    @pytest.mark.parametrize("n_moves", range(9))
    def test_the_next_run_restores_what_a_killed_run_had_moved(
        self, here: Path, n_moves: int, is_first: bool
    ) -> None:
        out, staging, rename = here / "out", here / "out" / LEFTOVERS[0], Path.rename
        results = ["links.csv", "targets.csv", "run.json"]
        out.mkdir()
        staging.mkdir()
        for name in results:
            (staging / name).write_text("new")
            if not is_first:
                (out / name).write_text("old")
        (out / "annotated.h5ad").write_text("old") if not is_first else None

        def fail(self: Path, target: Path) -> Path:
            left.append(self)
            if len(left) > n_moves:
                raise KeyboardInterrupt
            return rename(self, target)

        left: list[Path] = []
        with pytest.MonkeyPatch.context() as patch, raise_signals():
            patch.setattr(Path, "rename", fail)
            with contextlib.suppress(KeyboardInterrupt):
                OutFolder(out, staging, may_replace=True).publish()
        done = n_moves >= (3 if is_first else 7)
        assert (out / "run.json").exists() in (done, n_moves == 0 and not is_first)
        with raise_signals(), contextlib.suppress(typer.BadParameter), claim(out, False):
            pass
        if done:
            assert state(out) == dict.fromkeys(results, b"new")
        elif is_first:
            assert not state(out)
        else:
            assert state(out) == dict.fromkeys([*results, "annotated.h5ad"], b"old")

    def test_results_of_the_other_kind_of_cells_are_removed(self, here: Path) -> None:
        assert run(here, "cells.zarr", "out").exit_code == 0
        (here / "out" / "annotated.zarr").chmod(0o555)
        assert run(here, "cells.h5ad", "out", "--overwrite").exit_code == 0
        assert names(here / "out") == OUTPUTS
        assert run(here, "cells.h5ad", "out", "--overwrite", "--no-annotated").exit_code == 0
        assert names(here / "out") == OUTPUTS - {"annotated.h5ad"}
        report = json.loads((here / "out" / "run.json").read_text())
        assert report["parameters"]["no_annotated"] is True


@posix_only
class TestSignals:
    @pytest.mark.parametrize(
        ("number", "code", "message"),
        [
            (signal.SIGTERM, 143, "^Terminated.$"),
            (signal.SIGHUP, 129, "^Terminated.$"),
            (signal.SIGINT, 130, "^Interrupted.$"),
        ],
    )
    def test_leave_the_folder_as_it_was(
        self,
        here: Path,
        while_fitting: Callable[..., None],
        request: pytest.FixtureRequest,
        number: signal.Signals,
        code: int,
        message: str,
    ) -> None:
        assert run(here, "cells.h5ad", "out").exit_code == 0
        # Under nohup or in the background a process ignores some signals, and so do its runs.
        usual = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
        inherited = signal.signal(number, usual)
        request.addfinalizer(lambda: signal.signal(number, inherited))
        before, handlers = state(here / "out"), [signal.getsignal(number)]
        while_fitting(lambda: os.kill(os.getpid(), number))
        assert_fails(run(here, "cells.h5ad", "out", "--overwrite"), code, message)
        assert_fails(run(here, "cells.h5ad", "new"), code, message)
        assert state(here / "out") == before
        assert not (here / "new").exists()
        assert [signal.getsignal(number)] == handlers

    @pytest.mark.slow
    def test_killed_sixty_times_at_random_moments(self, here: Path) -> None:
        """The folder has the results of one run, and the next run leaves nothing but results."""
        out, generator = here / "out", random.Random(0)
        start = time.perf_counter()
        self.start(here, "0").wait()
        seconds = time.perf_counter() - start
        for i in range(1, 61):
            if i % 3 == 2:
                shutil.rmtree(out)
            more = ["--overwrite", *(["--no-annotated"] if i % 4 == 1 else [])]
            processes = [self.start(here, str(i + j), *more) for j in range(1 + i % 2)]
            time.sleep(generator.uniform(0.4, 1.1) * seconds)
            for process in processes:
                process.send_signal((signal.SIGKILL, signal.SIGTERM, signal.SIGINT)[i % 3])
                process.communicate()
            if (out / "run.json").exists():
                self.check_results(out)
            if i % 10 == 0:
                assert self.start(here, "0", "--overwrite").wait() == 0
                assert names(out) == OUTPUTS
                self.check_results(out)

    def start(self, here: Path, seed: str, *more: str) -> "subprocess.Popen[bytes]":
        arguments = command(here, "cells.h5ad", "out", "-q", "--seed", seed, *more)
        return subprocess.Popen(
            [sys.executable, "-m", "scifate_sklearn", *arguments], stderr=subprocess.DEVNULL
        )

    def check_results(self, out: Path) -> None:
        """Check that the tables, the report and the copy of the cells are of the same run."""
        report = json.loads((out / "run.json").read_text())
        tables = [pd.read_csv(out / f"{name}.csv") for name in ("links", "targets")]
        steps = report["steps"]
        assert len(tables[0]) == steps["links_above_threshold"]["before"]
        assert len(tables[1]) == steps["targets_with_links"]["before"]
        assert (out / "annotated.h5ad").exists() != report["parameters"]["no_annotated"]
        if report["parameters"]["no_annotated"]:
            return
        stored = anndata.read_h5ad(out / "annotated.h5ad").uns["scifate"]
        assert json.loads(stored["run"])["started"] == report["started"]
        for name, table in zip(("links", "targets"), tables, strict=True):
            pd.testing.assert_frame_equal(
                table, stored[name].reset_index(drop=True), check_dtype=False, rtol=1e-12
            )


def overlaps() -> Iterator[Any]:
    """Yield ways in which an input is a result, contains results, or is within one."""

    def copy(source: str, target: str) -> Callable[[Path], None]:
        def prepare(folder: Path) -> None:
            (folder / target).parent.mkdir(exist_ok=True, parents=True)
            tool = shutil.copytree if (folder / source).is_dir() else shutil.copyfile
            tool(folder / source, folder / target)

        return prepare

    def link(kind: str, source: str, target: str) -> Callable[[Path], None]:
        def prepare(folder: Path) -> None:
            (folder / target).parent.mkdir(exist_ok=True, parents=True)
            getattr(Path(folder / target), f"{kind}link_to")(folder / source)

        return prepare

    def through_link(folder: Path) -> None:
        copy("cells.h5ad", "out/annotated.h5ad")(folder)
        (folder / "parent").symlink_to(folder / "out")

    in_zarr = copy("cells.zarr", "out/annotated.zarr")
    yield "CELLS", copy("cells.h5ad", "out/annotated.h5ad"), "out/annotated.h5ad", "out", []
    yield "CELLS", in_zarr, "out/annotated.zarr", "out", []
    yield "CELLS", in_zarr, "out/../out/annotated.zarr", "out", []
    yield "CELLS", link("sym", "cells.h5ad", "out/annotated.h5ad"), "cells.h5ad", "out", []
    yield "CELLS", link("hard", "cells.h5ad", "out/annotated.h5ad"), "cells.h5ad", "out", []
    yield "CELLS", link("sym", "cells.zarr", "out/annotated.zarr"), "cells.zarr", "out", []
    yield "--tfs", copy("tfs.txt", "out/targets.csv"), "cells.h5ad", "out", ["--tfs"]
    yield "--encode", copy("peaks.csv", "out/links.csv"), "cells.h5ad", "out", ["--encode"]
    yield "--encode", copy("peaks.csv", "out/annotated.zarr/p.csv"), "cells.h5ad", "out", []
    yield "CELLS", lambda _: None, "cells.zarr", "cells.zarr", []
    yield "CELLS", lambda _: None, "cells.zarr", "cells.zarr/results", []
    yield "CELLS", lambda _: None, "cells.zarr", "cells.zarr/layers/new/deep/results", []
    yield "CELLS", link("sym", "cells.zarr", "link"), "link", "cells.zarr/results", []
    yield "CELLS", link("sym", "cells.zarr", "link"), "cells.zarr", "link/results", []
    for option, name in (
        ("--tfs", "links_filtered.csv"),
        ("--tfs", "run.json"),
        ("--encode", "ledger.csv"),
        ("--motifs", "motif_enrichment.csv"),
        ("--motif-annotations", "enrichment.csv"),
        ("--motif-annotations", "annotated.zarr/obs/a.tbl"),
    ):
        source = {"--tfs": "tfs.txt", "--encode": "peaks.csv"}.get(option, "motifs.tbl")
        yield option, copy(source, f"out/{name}"), "cells.h5ad", "out", []
        if "/" not in name:
            yield option, link("hard", source, f"out/{name}"), "cells.h5ad", "out", []
            yield option, link("sym", source, f"out/{name}"), "cells.h5ad", "out", []
    yield "CELLS", through_link, "parent/annotated.h5ad", "out", []
    yield "CELLS", through_link, "out/annotated.h5ad", "parent", []
    yield "CELLS", through_link, "out/annotated.h5ad", "parent/../out", []
    yield "--checkpoint", lambda _: None, "cells.zarr", "out", ["--checkpoint", "cells.zarr/c"]
    yield "--checkpoint", lambda _: None, "cells.zarr", "out", ["--checkpoint", "."]


class TestOverlap:
    @pytest.mark.parametrize(("option", "prepare", "cells", "out", "more"), list(overlaps()))
    def test_is_refused(
        self,
        here: Path,
        option: str,
        prepare: Callable[[Path], None],
        cells: str,
        out: str,
        more: list[str],
    ) -> None:
        prepare(here)
        before = state(here)
        if option.startswith(("--tfs", "--encode", "--motif")):
            written = next(path for path in (here / "out").rglob("*") if path.is_file())
            more = [option, str(written)]
            if option.startswith("--motif"):
                other = "--motifs" if option != "--motifs" else "--motif-annotations"
                more += [other, str(here / "peaks.csv")]
        elif more:
            more = [more[0], str(here / more[1])]
        result = run(here, cells, out, "--overwrite", *more)
        other = "CELLS" if option == "--checkpoint" else "--out"
        assert_fails(result, 2, re.escape(option), other)
        assert state(here) == before

    @pytest.mark.parametrize("name", [*LEFTOVERS, LOCK])
    @pytest.mark.parametrize("option", ["--tfs", "--encode", "--checkpoint"])
    def test_within_what_a_killed_run_left(self, here: Path, name: str, option: str) -> None:
        left = here / "out" / name
        left.mkdir(parents=True)
        given = left if option == "--checkpoint" else left / "names.txt"
        (left / "names.txt").write_text("TF1\n")
        result = run(here, "cells.h5ad", "out", "--overwrite", option, given)
        assert_fails(result, 2, f"{option}.*{re.escape(name)}")
        assert state(here / "out") == {f"{name}/names.txt": b"TF1\n"}

    def test_a_checkpoint_within_a_result_is_refused(self, here: Path) -> None:
        result = run(here, "cells.zarr", "out", "--checkpoint", here / "out/annotated.zarr/c")
        assert_fails(result, 2, "--checkpoint.*annotated.zarr of --out")
        assert not (here / "out").exists()

    def test_inputs_beside_results_are_allowed(self, here: Path) -> None:
        before = state(here)
        assert run(here, "cells.h5ad", ".", "--overwrite").exit_code == 0
        after = state(here)
        assert {name: after[name] for name in before} == before


class TestLateFailures:
    @pytest.mark.parametrize("name", ["links.csv", "run.json", "annotated.h5ad", "ledger.csv"])
    def test_a_folder_in_place_of_a_file(self, here: Path, name: str) -> None:
        (here / "out" / name).mkdir(parents=True)
        result = run(here, "cells.h5ad", "out", "--overwrite")
        assert_fails(result, 2, "--out.*is a folder, but a file")
        assert names(here / "out") == {name}

    def test_a_file_in_place_of_a_folder(self, here: Path) -> None:
        (here / "out").mkdir()
        (here / "out" / "annotated.zarr").write_text("mine")
        assert_fails(run(here, "cells.h5ad", "out", "--overwrite"), 2, "is a file, but a folder")

    @posix_only
    def test_results_of_another_user_in_a_sticky_folder(
        self, here: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        out = here / "out"
        out.mkdir()
        (out / "run.json").write_text("theirs")
        out.chmod(0o1777)
        monkeypatch.setattr(os, "geteuid", lambda: out.stat().st_uid + 1)
        result = run(here, "cells.h5ad", "out", "--overwrite")
        assert_fails(result, 2, "--out.*run.json' belongs to another user")
        assert state(out) == {"run.json": b"theirs"}

    @posix_only
    @pytest.mark.parametrize("name", ["annotated.zarr", "X"])
    def test_a_folder_of_another_user(
        self, here: Path, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        out, access = here / "out", os.access
        (out / "annotated.zarr" / "X").mkdir(parents=True)
        monkeypatch.setattr(os, "geteuid", lambda: out.stat().st_uid + 1)
        monkeypatch.setattr(
            os, "access", lambda path, mode: Path(path).name != name and access(path, mode)
        )
        result = run(here, "cells.h5ad", "out", "--overwrite")
        assert_fails(result, 2, "--out.*annotated.zarr' belongs to another user")

    def test_a_broken_link(self, here: Path) -> None:
        (here / "out").symlink_to(here / "nowhere")
        for out in ("out", "out/deeper"):
            assert_fails(run(here, "cells.h5ad", out), 2, "--out.*link to a folder that does not")

    @posix_only
    @pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root may write anywhere")
    def test_a_folder_without_write_permission(self, here: Path) -> None:
        (here / "out").mkdir(mode=0o555)
        for out in ("out", "out/deeper"):
            assert_fails(run(here, "cells.h5ad", out), 2, "--out.*cannot write to")

    def test_no_space(self, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        size = (here / "cells.h5ad").stat().st_size
        free = shutil.disk_usage(here)._replace(free=1_000_000 + size // 2)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: free)
        result = run(here, "cells.h5ad", "out")
        assert_fails(result, 2, "--out.*MB of free space.*--no-annotated")
        assert not (here / "out").exists()
        assert run(here, "cells.h5ad", "out", "--no-annotated").exit_code == 0

    def test_no_space_for_tables(self, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        free = shutil.disk_usage(here)._replace(free=1_005_000)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: free)
        monkeypatch.setattr(SciFateRegressor, "fit_moments", None)  # not reached
        result = run(here, "cells.h5ad", "out", "--no-annotated")
        assert_fails(result, 2, r"--out.*1.0 MB of free space.*need about 1.0 MB.*another folder\.")
        assert not (here / "out").exists()

    @pytest.mark.parametrize("cells", ["cells.h5ad", "cells.zarr"])
    @pytest.mark.parametrize(
        "error", [OSError(errno.ENOSPC, "?"), RuntimeError(f"x ({os.strerror(errno.ENOSPC)})")]
    )
    def test_a_disk_that_becomes_full(
        self, here: Path, monkeypatch: pytest.MonkeyPatch, cells: str, error: Exception
    ) -> None:
        assert run(here, cells, "out").exit_code == 0
        before = state(here / "out")

        def fail(*_: object) -> None:
            raise error

        monkeypatch.setattr("scifate_sklearn.cli._files.write_uns", fail)
        result = run(here, cells, "out", "--overwrite")
        assert_fails(result, 1, "--out: No space left in '.*out' for.*MB.*--no-annotated")
        assert state(here / "out") == before

    @pytest.mark.slow
    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="requires /dev/full")
    def test_a_limit_of_file_sizes(self, here: Path) -> None:
        """A limit of the system ends the writing of the copy."""
        size = (here / "cells.h5ad").stat().st_size
        program = (
            "import resource, sys; from scifate_sklearn.cli import app;"
            f"resource.setrlimit(resource.RLIMIT_FSIZE, ({size // 2},) * 2);"
            "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); app(sys.argv[1:])"
        )
        arguments = command(here, "cells.h5ad", "out")
        done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True)
        assert done.returncode == 1
        assert not (here / "out").exists()

    @posix_only
    @pytest.mark.parametrize("option", ["--out", "--tfs", "CELLS"])
    def test_names_that_are_not_utf8(self, here: Path, option: str) -> None:
        odd = Path(os.fsdecode(os.fsencode(here) + b"/caf\xe9"))
        if option != "--out":
            shutil.copyfile(here / ("tfs.txt" if option == "--tfs" else "cells.h5ad"), odd)
        cells = odd if option == "CELLS" else "cells.h5ad"
        out = odd if option == "--out" else "out"
        result = run(here, cells, out, *(["--tfs", odd] if option == "--tfs" else []))
        assert_fails(result, 2, f"{option}.*not UTF-8")
        assert not (here / "out").exists()


class TestInputs:
    @pytest.mark.parametrize(
        ("option", "name"),
        [("CELLS", "cells.h5ad"), ("CELLS", "cells.zarr"), ("--tfs", "tfs.txt")],
    )
    @pytest.mark.parametrize("how", ["in place", "in place, same time", "replaced", "removed"])
    def test_a_change_during_the_run_is_an_error(
        self, here: Path, while_fitting: Callable[..., None], option: str, name: str, how: str
    ) -> None:
        path = here / name if (here / name).is_file() else here / name / "obs" / ".zattrs"
        before = path.stat()

        def change() -> None:
            if how == "replaced":
                shutil.copyfile(path, here / "new")
                (here / "new").replace(path)
            elif how == "removed":
                path.unlink()
            else:
                with path.open("r+b") as file:
                    file.seek(before.st_size - 1)
                    file.write(b"?")
                if how == "in place, same time":
                    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

        while_fitting(change)
        cells = name if option == "CELLS" else "cells.h5ad"
        result = run(here, cells, "out")
        assert_fails(result, 1, f"{option}: .*{name}' was changed, replaced or removed")
        assert not (here / "out").exists()

    def test_a_file_that_is_replaced_while_it_is_read(
        self, here: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The earlier file is put back before the fit ends."""
        path = here / "tfs.txt"

        def read_other(_: Path) -> list[str]:
            path.rename(here / "old")
            path.write_text("TF0\nTF1\n")
            return ["TF0", "TF1"]

        def put_back(*_: object) -> None:
            (here / "old").replace(path)

        monkeypatch.setattr("scifate_sklearn.cli._run.read_tf_names", read_other)
        monkeypatch.setattr(SciFateRegressor, "fit_moments", put_back)
        assert_fails(run(here, "cells.h5ad", "out"), 1, "--tfs: .*tfs.txt' was changed, replaced")

    def test_a_link_that_appears_during_the_run_is_not_followed(
        self, here: Path, while_fitting: Callable[..., None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (here / "secret").mkdir()
        (here / "secret" / "key").write_text("secret")
        link = here / "cells.zarr" / "obs" / "link"
        while_fitting(lambda: link.symlink_to(here / "secret"))
        copied: list[str] = []
        remove = shutil.rmtree

        def record(path: Path, *options: Any, **more: Any) -> None:
            copied.extend(entry.name for entry in Path(path).rglob("*"))
            remove(path, *options, **more)

        monkeypatch.setattr(shutil, "rmtree", record)
        result = run(here, "cells.zarr", "out")
        assert_fails(result, 1, "CELLS: .*cells.zarr' was changed")
        assert "links.csv" in copied
        assert "key" not in copied
        assert not (here / "out").exists()

    def test_other_permissions_are_no_change(
        self, here: Path, while_fitting: Callable[..., None]
    ) -> None:
        while_fitting(lambda: (here / "cells.h5ad").chmod(0o444))
        assert run(here, "cells.h5ad", "out").exit_code == 0

    @posix_only
    @pytest.mark.parametrize("option", ["CELLS", "--tfs", "--encode"])
    @pytest.mark.parametrize("kind", ["fifo", "/dev/null", "/dev/fd"])
    def test_pipes_are_refused(self, here: Path, option: str, kind: str) -> None:
        path = here / "fifo" if kind == "fifo" else Path(kind)
        if kind == "fifo":
            os.mkfifo(path)
        elif kind == "/dev/fd":
            path /= str(os.open(here / "tfs.txt", os.O_RDONLY))
        cells = path if option == "CELLS" else "cells.h5ad"
        result = run(here, cells, "out", *([] if option == "CELLS" else [option, path]))
        assert_fails(result, 2, f"{option}.*(is a pipe or a device|is not readable)")
        assert not (here / "out").exists()

    @posix_only
    def test_a_pipe_within_a_zarr_folder_is_refused(self, here: Path) -> None:
        os.mkfifo(here / "cells.zarr" / "obs" / "pipe")
        assert_fails(run(here, "cells.zarr", "out"), 2, "CELLS.*obs/pipe.*is a pipe")

    @pytest.mark.parametrize("cells", ["cells.h5ad", "cells.zarr"])
    def test_read_only_cells(self, here: Path, cells: str) -> None:
        """The copy has the permissions of new files."""
        paths = [here / cells, *(here / cells).rglob("*")]
        for path in paths:
            path.chmod(0o555 if path.is_dir() else 0o444)
        result = run(here, cells, "out")
        for path in paths:
            path.chmod(0o755)
        assert result.exit_code == 0, result.output
        copy = here / "out" / f"annotated{Path(cells).suffix}"
        for path in [copy, *copy.rglob("*")]:
            assert path.stat().st_mode & 0o200


class TestFormulas:
    """Names that spreadsheets take for formulas."""

    NAMES = ("=HYPERLINK(1)", "+1", "-1+1", "@SUM(1)", "'=x", "TF5")

    @pytest.mark.parametrize("is_escaped", [True, False])
    def test_names_that_are_formulas(self, here: Path, is_escaped: bool) -> None:
        cells = anndata.read_h5ad(here / "cells.h5ad")
        tfs = (here / "tfs.txt").read_text().split()
        new = dict(zip(tfs, self.NAMES, strict=True))
        cells.var_names = [new.get(name, name) for name in cells.var_names]
        cells.write_h5ad(here / "cells.h5ad")
        pd.DataFrame({"TF": self.NAMES, "n": 1}).to_csv(here / "tfs.txt", index=False)
        if is_escaped:
            text = [escape_formula(name) for name in self.NAMES]
            pd.DataFrame({"TF": text, "n": 1}).to_csv(here / "tfs.txt", index=False)
        rule = ["--lambda-rule", "min", *(["--escape-formulas"] if is_escaped else [])]
        assert run(here, "cells.h5ad", "out", *rule).exit_code == 0
        written = set(pd.read_csv(here / "out" / "links.csv")["TF"])
        stored = anndata.read_h5ad(here / "out" / "annotated.h5ad").uns["scifate"]["links"]
        assert set(stored["TF"]) <= set(self.NAMES)
        assert len(set(stored["TF"]) - {"TF5"}) > 2
        assert any(name.startswith(("=", "+", "-", "@")) for name in written) != is_escaped
        if is_escaped:
            read = read_table(here / "out" / "links.csv", known=(), check_header=lambda *_: None)
            assert read["TF"].tolist() == stored["TF"].tolist()
