"""Checkpoints of fits that are killed, interrupted or restarted."""

import errno
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GridSearchCV, cross_val_score

from scifate_sklearn import RSampleKFold, SciFateRegressor
from scifate_sklearn.files import share_lock
from scifate_sklearn.solvers import _engine as engines
from scifate_sklearn.solvers._engine import BlockFit

# A warning that a test does not expect is an error.
pytestmark = pytest.mark.filterwarnings("error::UserWarning")

FITTED = ("coef_", "intercept_", "cv_mse_", "cv_mse_se_", "lambda_", "r2_", "n_iter_", "dual_gap_")


def make_cells(q=70):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(120, 8)), columns=[f"TF{j}" for j in range(8)])
    truth = rng.normal(size=(8, q)) * (rng.random((8, q)) < 0.3)
    Y = X.to_numpy() @ truth + rng.normal(size=(120, q))
    return X, pd.DataFrame(Y, columns=[f"gene{t}" for t in range(q)])


def assert_same_fit(one, two):
    for name in FITTED:
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name), err_msg=name)
    pd.testing.assert_frame_equal(one.links_, two.links_, check_exact=True)


@pytest.fixture
def blocks(monkeypatch):
    """Count the fitted blocks; interrupt the fit after some of them on request."""
    from scifate_sklearn.solvers import _parallel as parallel

    fitted = []

    def fit_block(engine, selection, block):
        if len(fitted) == fit_block.limit:
            raise RuntimeError("killed")
        fitted.append((block.positions.start, block.positions.stop))
        return engines.fit_block(engine, selection, block)

    fit_block.limit = -1
    fitted_blocks = type("Blocks", (), {"fitted": fitted, "fit_block": fit_block})
    monkeypatch.setattr(parallel, "fit_block", fit_block)
    return fitted_blocks


@pytest.mark.parametrize(
    "options",
    [{}, {"lambdas": "auto"}, {"engine": "glmnet", "tol": 1e-9}, {"lambda_rule": 0.05}],
    ids=["default", "auto", "glmnet", "number"],
)
def test_an_interrupted_fit_resumes(tmp_path, blocks, options):
    X, Y = make_cells()
    whole = SciFateRegressor(**options).fit(X, Y)
    blocks.fitted.clear()
    model = SciFateRegressor(checkpoint=tmp_path / "a" / "b", **options)
    blocks.fit_block.limit = 2
    with pytest.raises(RuntimeError, match="killed"):
        model.fit(X, Y)
    blocks.fit_block.limit = -1
    assert_same_fit(model.fit(X, Y), whole)
    assert blocks.fitted == [(0, 32), (32, 64), (64, 70)]
    assert_same_fit(model.fit(X, Y), whole)  # all blocks are in the checkpoint
    assert len(blocks.fitted) == 3


@pytest.mark.parametrize("options", [{}, {"path": "full"}, {"lambdas": "auto"}])
def test_no_bit_depends_on_how_targets_are_cut_into_blocks(tmp_path, options):
    X, Y = make_cells(150)
    whole = SciFateRegressor(checkpoint=tmp_path, **options).fit(X, Y)
    for n_jobs in (1, 2, 5):
        assert_same_fit(SciFateRegressor(n_jobs=n_jobs, **options).fit(X, Y), whole)


def test_a_finished_fit_is_reused_for_any_n_jobs_and_covariates(tmp_path, blocks):
    X, Y = make_cells()
    model = SciFateRegressor(checkpoint=tmp_path, n_jobs=2).fit(X, Y)
    again = SciFateRegressor(checkpoint=str(tmp_path), covariates=["TF0"], verbose=1).fit(X, Y)
    np.testing.assert_array_equal(again.coef_, model.coef_)
    assert len(blocks.fitted) == 3
    assert "TF0" in set(model.links_["TF"])
    assert "TF0" not in set(again.links_["TF"])


def only_fit(folder):
    """Return the subfolder of the only fit."""
    (path,) = folder.glob("fit-*")
    return path


def content_of(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def leave_unfinished(blocks, X, Y, **options):
    """Interrupt a fit after its first block."""
    blocks.fit_block.limit = len(blocks.fitted) + 1
    with pytest.raises(RuntimeError, match="killed"):
        SciFateRegressor(**options).fit(X, Y)
    blocks.fit_block.limit = -1


def test_only_whole_files_remain(tmp_path):
    X, Y = make_cells()
    SciFateRegressor(checkpoint=tmp_path).fit(X, Y)
    names = sorted(path.name for path in only_fit(tmp_path).iterdir())
    expected = ["000000-000032", "000032-000064", "000064-000070"]
    assert names == ["checkpoint.json", "lock", *(f"targets-{span}.npz" for span in expected)]


def test_files_that_a_killed_process_left_are_removed(tmp_path):
    X, Y = make_cells()
    SciFateRegressor(checkpoint=tmp_path).fit(X, Y)
    left = only_fit(tmp_path) / f".targets-000032-000064.npz.{'0a' * 16}.part"
    mine = left.with_name(".notes.part")
    for path in (left, mine):
        path.write_text("")
    with (only_fit(tmp_path) / "lock").open("r+") as lock:
        assert share_lock(lock.fileno())
        SciFateRegressor(checkpoint=tmp_path).fit(X, Y)
        assert left.exists()
    SciFateRegressor(checkpoint=tmp_path).fit(X, Y)
    assert not left.exists()
    assert mine.exists()


def test_moments_have_checkpoints_too(tmp_path, blocks):
    from scifate_sklearn.moments import Moments, plan_folds

    X, Y = make_cells()
    plan = plan_folds(RSampleKFold().split(X), len(X))
    moments = Moments.from_arrays(X.to_numpy(), Y.to_numpy(), plan, None, X.columns, Y.columns)
    SciFateRegressor(checkpoint=tmp_path).fit(X, Y)
    SciFateRegressor(checkpoint=tmp_path).fit_moments(moments)
    assert len(blocks.fitted) == 3


def renamed(Y):
    return Y.rename(columns={"gene3": "other"})


DIFFERENT = {
    "alpha": (lambda X, Y: (X, Y), {"alpha": 0.9}, "`alpha`: 1.0 there, 0.9 here"),
    "two": (
        lambda X, Y: (X, Y),
        {"lambda_rule": "min", "path": "full"},
        "`lambda_rule`: '1se' there, 'min' here; `path`: 'adaptive' there, 'full' here",
    ),
    "grid": (lambda X, Y: (X, Y), {"lambdas": [1.0, 0.1]}, "`lambdas`: 'paper' there, "),
    "factors": (
        lambda X, Y: (X, Y),
        {"penalty_factor": np.arange(8.0)},
        "`penalty_factor`: None there, ",
    ),
    "folds": (lambda X, Y: (X, Y), {"cv": 5}, r"differs: cells, weights and folds \(checksum\)"),
    "seed": (lambda X, Y: (X, Y), {"random_state": 1}, "differs: cells, weights and folds"),
    "one cell": (lambda X, Y: (X.mask(X.iloc[0, 0] == X, 0.0), Y), {}, "differs: cells, weights"),
    "targets": (
        lambda X, Y: (X, Y.iloc[:, :69]),
        {},
        "number of targets: 70 there, 69 here; names of the targets: '",
    ),
    "names": (lambda X, Y: (X, renamed(Y)), {}, "differs: names of the targets"),
}


@pytest.mark.parametrize(("change", "options", "message"), DIFFERENT.values(), ids=DIFFERENT)
def test_another_fit_starts_from_the_beginning(tmp_path, blocks, change, options, message):
    X, Y = make_cells()
    leave_unfinished(blocks, X, Y, checkpoint=tmp_path)
    first, before = only_fit(tmp_path), content_of(tmp_path)
    X2, Y2 = change(X, Y)
    with pytest.warns(UserWarning, match=f"unfinished fit, but another one.*{message}") as caught:
        model = SciFateRegressor(checkpoint=tmp_path, **options).fit(X2, Y2)
    assert len(caught) == 1
    assert f"delete '{first}'" in str(caught[0].message)
    assert_same_fit(model, SciFateRegressor(**options).fit(X2, Y2))
    assert before.items() <= content_of(tmp_path).items()
    # Both resume now, without a warning.
    blocks.fitted.clear()
    SciFateRegressor(checkpoint=tmp_path, **options).fit(X2, Y2)
    assert not blocks.fitted
    SciFateRegressor(checkpoint=tmp_path).fit(X, Y)
    assert blocks.fitted == [(32, 64), (64, 70)]


def test_finished_fits_are_not_mentioned(tmp_path):
    X, Y = make_cells()
    for alpha in (1.0, 0.9, 1):
        SciFateRegressor(checkpoint=tmp_path, alpha=alpha).fit(X, Y)
    assert len(list(tmp_path.glob("fit-*"))) == 2


def test_a_fit_in_use_is_not_mentioned(tmp_path, blocks):
    X, Y = make_cells()
    leave_unfinished(blocks, X, Y, checkpoint=tmp_path)
    with (only_fit(tmp_path) / "lock").open("r+") as lock:
        assert share_lock(lock.fileno())
        SciFateRegressor(checkpoint=tmp_path, alpha=0.9).fit(X, Y)


def test_a_checkpoint_of_another_version(tmp_path, blocks, monkeypatch):
    from scifate_sklearn.solvers import _checkpoint as checkpoint

    X, Y = make_cells()
    leave_unfinished(blocks, X, Y, checkpoint=tmp_path)
    monkeypatch.setattr(checkpoint, "__version__", "9.9")
    with pytest.warns(UserWarning, match=r"version of scifate_sklearn: '.*' there, '9\.9' here"):
        SciFateRegressor(checkpoint=tmp_path).fit(X, Y)


def test_the_layout_of_an_earlier_version(tmp_path, blocks):
    X, Y = make_cells()
    (tmp_path / "checkpoint.json").write_text('{"format": 1, "fit": {}}')
    (tmp_path / "targets-000000-000032.npz").write_text("")
    with pytest.warns(UserWarning, match="in the layout of an earlier version"):
        model = SciFateRegressor(checkpoint=tmp_path).fit(X, Y)
    assert_same_fit(model, SciFateRegressor().fit(X, Y))
    SciFateRegressor(checkpoint=tmp_path).fit(X, Y)


def test_penalty_factors_are_compared_with_their_names(tmp_path, blocks):
    X, Y = make_cells()
    series = pd.Series([0.5, 2.0], index=["TF0", "TF1"])
    table = pd.DataFrame([[0.5, 2.0]], index=["TF0"], columns=Y.columns[:2])
    others = series.set_axis(["TF1", "TF0"]), table.set_axis(Y.columns[1::-1], axis=1)
    for factors, other in zip((series, table), others, strict=True):
        for _ in range(2):
            SciFateRegressor(checkpoint=tmp_path, penalty_factor=factors.copy()).fit(X, Y)
        assert len(blocks.fitted) == 3
        SciFateRegressor(checkpoint=tmp_path, penalty_factor=other).fit(X, Y)
        assert len(blocks.fitted) == 6
        blocks.fitted.clear()


@pytest.mark.parametrize("kind", [list, tuple, np.array])
def test_lists_are_compared_by_value(tmp_path, blocks, kind):
    X, Y = make_cells()
    given = {"lambdas": [1.0, 0.1, 0.01], "penalty_factor": [1.0] * 7 + [0.5]}
    for _ in range(2):
        options = {name: kind(values) for name, values in given.items()}
        SciFateRegressor(checkpoint=tmp_path, **options).fit(X, Y)
    assert len(blocks.fitted) == 3
    given["lambdas"][2] = 0.02
    SciFateRegressor(checkpoint=tmp_path, **given).fit(X, Y)
    assert len(blocks.fitted) == 6


def test_a_list_has_the_same_checksum_in_another_process():
    from scifate_sklearn.solvers._checkpoint import _checksum

    code = "from scifate_sklearn.solvers._checkpoint import _checksum; print(_checksum([1.0, 0.5]))"
    there = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert there.stdout.strip() == _checksum([1.0, 0.5]) == _checksum((1.0, 0.5))


def test_a_callable_rule_has_no_checkpoint(tmp_path):
    model = SciFateRegressor(checkpoint=tmp_path, lambda_rule=lambda curve: curve.lambdas[50])
    with pytest.raises(ValueError, match=r"`checkpoint` needs a named rule or a number"):
        model.fit(*make_cells())


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"fit": 3}', '{"fit": {}}', '{"format": 1e999}', "\x00\xff"]
)
def test_a_damaged_manifest_is_written_again(tmp_path, blocks, text):
    X, Y = make_cells()
    SciFateRegressor(checkpoint=tmp_path).fit(X, Y)
    manifest = only_fit(tmp_path) / "checkpoint.json"
    before = manifest.read_bytes()
    manifest.write_text(text, encoding="latin-1")
    with pytest.warns(UserWarning, match=r"checkpoint\.json is damaged .* written again"):
        SciFateRegressor(checkpoint=tmp_path).fit(X, Y)
    assert len(blocks.fitted) == 3
    assert manifest.read_bytes() == before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_in_place_of_a_manifest_does_not_hang(tmp_path, blocks):
    X, Y = make_cells()
    SciFateRegressor(checkpoint=tmp_path).fit(X, Y)
    manifest = only_fit(tmp_path) / "checkpoint.json"
    manifest.unlink()
    os.mkfifo(manifest)
    blocks.fitted.clear()
    with pytest.warns(UserWarning, match="is damaged .not a regular file"):
        SciFateRegressor(checkpoint=tmp_path).fit(X, Y)
    assert not blocks.fitted
    assert manifest.is_file()


def test_a_renamed_folder_of_the_same_fit_is_named(tmp_path, blocks):
    X, Y = make_cells()
    leave_unfinished(blocks, X, Y, checkpoint=tmp_path)
    name = only_fit(tmp_path).name
    only_fit(tmp_path).rename(tmp_path / f"{name}-copy")
    with pytest.warns(UserWarning, match=f"{name}-copy' holds this fit, but was.*name '{name}'"):
        SciFateRegressor(checkpoint=tmp_path).fit(X, Y)


def test_a_folder_of_a_later_format_is_refused(tmp_path):
    X, Y = make_cells()
    SciFateRegressor(checkpoint=tmp_path).fit(X, Y)
    (only_fit(tmp_path) / "checkpoint.json").write_text('{"format": 3}')
    with pytest.raises(ValueError, match=r"later version .*format 3; this version reads 2\).*give"):
        SciFateRegressor(checkpoint=tmp_path).fit(X, Y)


def cut_off(path):
    path.write_bytes(path.read_bytes()[:-100])


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def exchange(path):
    shutil.copy(path.with_name("targets-000064-000070.npz"), path)


@pytest.mark.parametrize("damage", [cut_off, flip, exchange, lambda path: path.write_text("")])
def test_a_damaged_block_is_fitted_again(tmp_path, blocks, damage):
    X, Y = make_cells()
    whole = SciFateRegressor(checkpoint=tmp_path).fit(X, Y)
    damage(only_fit(tmp_path) / "targets-000032-000064.npz")
    with pytest.warns(UserWarning, match="These targets are fitted again"):
        assert_same_fit(SciFateRegressor(checkpoint=tmp_path).fit(X, Y), whole)
    assert blocks.fitted[3:] == [(32, 64)]
    assert_same_fit(SciFateRegressor(checkpoint=tmp_path).fit(X, Y), whole)


def test_a_block_of_another_fit_is_fitted_again(tmp_path):
    X, Y = make_cells()
    for folder, alpha in (("one", 1.0), ("two", 0.5)):
        SciFateRegressor(checkpoint=tmp_path / folder, alpha=alpha).fit(X, Y)
    name = "targets-000000-000032.npz"
    one, two = only_fit(tmp_path / "one"), only_fit(tmp_path / "two")
    shutil.copy(two / name, one / name)
    message = f"holds targets 0 to 31 of {two.name}, not targets 0 to 31 of {one.name}: it was"
    with pytest.warns(UserWarning, match=message):
        model = SciFateRegressor(checkpoint=tmp_path / "one").fit(X, Y)
    assert_same_fit(model, SciFateRegressor().fit(X, Y))


def test_a_renamed_block_is_fitted_again(tmp_path, blocks):
    X, Y = make_cells(96)
    whole = SciFateRegressor(checkpoint=tmp_path).fit(X, Y)
    first, second, third = sorted(only_fit(tmp_path).glob("targets-*"))
    first.rename(tmp_path / "kept")
    second.rename(first)
    (tmp_path / "kept").rename(third)
    with pytest.warns(UserWarning, match="renamed or copied. These targets are fitted") as caught:
        assert_same_fit(SciFateRegressor(checkpoint=tmp_path).fit(X, Y), whole)
    assert len(caught) == 2
    assert len(blocks.fitted) == 6


def test_exchanged_folders_of_fits_are_recognised(tmp_path):
    X, Y = make_cells()
    models = {a: SciFateRegressor(checkpoint=tmp_path, alpha=a).fit(X, Y) for a in (1.0, 0.5)}
    one, two = tmp_path.glob("fit-*")
    one.rename(tmp_path / "kept")
    two.rename(one)
    (tmp_path / "kept").rename(two)
    for alpha, model in models.items():
        with pytest.warns(UserWarning, match="belongs to another fit|renamed or copied") as caught:
            again = SciFateRegressor(checkpoint=tmp_path, alpha=alpha).fit(X, Y)
        assert_same_fit(again, model)
        assert "belongs to another fit: it was moved or changed" in str(caught[0].message)
        assert sum("These targets are fitted again" in str(w.message) for w in caught) == 3


class TestUnusableFolders:
    ADVICE = r"`checkpoint`: cannot .* the folder '.*' \(.*\)\. It must be a folder"

    def test_a_file(self, tmp_path):
        (tmp_path / "file").write_text("")
        for path in (tmp_path / "file", tmp_path / "file" / "below"):
            with pytest.raises(OSError, match=self.ADVICE):
                SciFateRegressor(checkpoint=path).fit(*make_cells())

    @pytest.mark.parametrize("is_file_then", [False, True])
    def test_removed_during_the_fit(self, tmp_path, blocks, is_file_then):
        folder = tmp_path / "folder"
        solve = blocks.fit_block

        def remove(engine, selection, block):
            if block.positions.start == 32:
                shutil.rmtree(folder)
                folder.touch() if is_file_then else None
            return solve(engine, selection, block)

        model = SciFateRegressor(checkpoint=folder)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("scifate_sklearn.solvers._parallel.fit_block", remove)
            with pytest.raises(OSError, match=self.ADVICE):
                model.fit(*make_cells())
        folder.unlink(missing_ok=True)
        assert_same_fit(model.fit(*make_cells()), SciFateRegressor().fit(*make_cells()))

    def test_a_full_disk(self, tmp_path, monkeypatch):
        def fail(*_, **__):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(np.lib.format, "write_array", fail)
        with pytest.raises(OSError, match=self.ADVICE) as caught:
            SciFateRegressor(checkpoint=tmp_path).fit(*make_cells())
        assert caught.value.errno == errno.ENOSPC
        assert "[Errno" not in str(caught.value)

    @pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write")
    def test_without_permission(self, tmp_path):
        tmp_path.chmod(0o500)
        with pytest.raises(PermissionError, match=self.ADVICE):
            SciFateRegressor(checkpoint=tmp_path).fit(*make_cells())


class TestSearches:
    GRID: ClassVar = {"lambda_rule": ["1se", "min"], "alpha": [1.0, 0.5]}

    @pytest.mark.parametrize("n_jobs", [None, pytest.param(2, marks=pytest.mark.slow)])
    def test_equals_a_search_without_a_checkpoint(self, tmp_path, n_jobs):
        X, Y = make_cells(4)
        found = [
            GridSearchCV(
                SciFateRegressor(cv=3, checkpoint=folder), self.GRID, cv=3, n_jobs=n_jobs
            ).fit(X, Y)
            for folder in (None, tmp_path, tmp_path)
        ]
        for search in found[1:]:
            for name in ("mean_test_score", "std_test_score"):
                np.testing.assert_array_equal(search.cv_results_[name], found[0].cv_results_[name])
        assert len(list(tmp_path.glob("fit-*"))) == 4 * 3 + 1

    def test_an_interrupted_search_resumes_without_a_warning(self, tmp_path, blocks):
        X, Y = make_cells(4)
        search = GridSearchCV(SciFateRegressor(cv=3, checkpoint=tmp_path), self.GRID, cv=3)
        blocks.fit_block.limit = 5
        with pytest.raises(RuntimeError, match="killed"):
            search.set_params(error_score="raise").fit(X, Y)
        blocks.fit_block.limit = -1
        search.fit(X, Y)
        assert len(blocks.fitted) == 4 * 3 + 1

    def test_cross_val_score(self, tmp_path):
        X, Y = make_cells(4)
        scores = [
            cross_val_score(SciFateRegressor(cv=3, checkpoint=folder), X, Y, cv=3)
            for folder in (None, tmp_path)
        ]
        np.testing.assert_array_equal(*scores)


@pytest.mark.parametrize(
    ("rule", "absent"), [("1se", {"curve", "training_error"}), ("1se_cells", set())]
)
def test_block_files_hold_every_result(tmp_path, rule, absent):
    X, Y = make_cells()
    SciFateRegressor(checkpoint=tmp_path, lambda_rule=rule).fit(X, Y)
    with np.load(only_fit(tmp_path) / "targets-000000-000032.npz") as file:
        # Errors of single folds are not kept.
        assert set(BlockFit.__dataclass_fields__) - {"errors"} - absent < set(file)


# The number of blocks of the fit below, which takes some seconds.
N_BLOCKS = -(-1200 // 32)
RUN = """
import sys
import time
import numpy as np
from scifate_sklearn import RSampleKFold, SciFateRegressor

rng = np.random.default_rng(0)
X = rng.normal(size=(400, 80)) + rng.normal(size=(400, 1))
truth = rng.normal(size=(80, 1200)) * (rng.random((80, 1200)) < 0.1)
Y = X @ truth + rng.normal(size=(400, 1200))
print("start", flush=True)
began = time.monotonic()
model = SciFateRegressor(path="full", n_jobs=2, checkpoint=sys.argv[1] or None).fit(X, Y)
np.savez(sys.argv[2], **{name: getattr(model, name) for name in sys.argv[3:]})
print(time.monotonic() - began, flush=True)
"""


def start(checkpoint, out):
    command = [sys.executable, "-c", RUN, str(checkpoint), str(out), *FITTED]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "start\n"
    return process


def finish(checkpoint, out):
    """Return the fitted attributes and the duration of the fit in seconds."""
    process = start(checkpoint, out)
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    with np.load(out) as file:
        return dict(file), float(output)


def blocks_in(folder):
    return {path: path.read_bytes() for path in folder.rglob("targets-*.npz")}


@pytest.mark.slow
def test_killed_at_20_random_moments_and_resumed(tmp_path):
    expected, _ = finish("", tmp_path / "whole.npz")
    rng = random.Random(0)
    n_blocks = []
    for number in range(20):
        folder, out = tmp_path / f"{number}", tmp_path / f"{number}.npz"
        process, n_wanted = start(folder, out), rng.randrange(N_BLOCKS)
        while len(list(folder.rglob("targets-*.npz"))) < n_wanted and process.poll() is None:
            time.sleep(0.001)
        time.sleep(rng.uniform(0.0, 0.02))
        process.kill()
        process.communicate()
        before = blocks_in(folder)
        n_blocks.append(len(before))
        found, _ = finish(folder, out)
        for name in FITTED:
            np.testing.assert_array_equal(found[name], expected[name], err_msg=f"{number} {name}")
        assert before.items() <= blocks_in(folder).items()
    # The moments did differ, and most were in the middle of the fit.
    assert len(set(n_blocks)) > 5
    assert sum(0 < n < N_BLOCKS for n in n_blocks) > 10


@pytest.mark.skipif(os.name == "nt", reason="no SIGINT for a single process")
@pytest.mark.slow
def test_ctrl_c_leaves_a_valid_checkpoint_and_no_process(tmp_path):
    finish("", tmp_path / "warm.npz")  # compiles
    expected, _ = finish("", tmp_path / "whole.npz")
    process = start(tmp_path / "folder", tmp_path / "out.npz")
    while process.poll() is None and not list(tmp_path.rglob("targets-*.npz")):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode != 0
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert not list(Path(tmp_path / "folder").rglob(".*"))
    found, _ = finish(tmp_path / "folder", tmp_path / "out.npz")
    np.testing.assert_array_equal(found["coef_"], expected["coef_"])
