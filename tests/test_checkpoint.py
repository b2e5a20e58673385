"""Checkpoints of fits that are killed, interrupted or restarted."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scifate_sklearn import RSampleKFold, SciFateRegressor
from scifate_sklearn.solvers import _engine as engines
from scifate_sklearn.solvers._engine import BlockFit

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


def test_only_whole_files_remain(tmp_path):
    X, Y = make_cells()
    SciFateRegressor(checkpoint=tmp_path).fit(X, Y)
    names = sorted(path.name for path in tmp_path.iterdir())
    expected = ["000000-000032", "000032-000064", "000064-000070"]
    assert names == ["checkpoint.json", *(f"targets-{span}.npz" for span in expected)]


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
def test_a_checkpoint_of_another_fit_is_refused(tmp_path, change, options, message):
    X, Y = make_cells()
    SciFateRegressor(checkpoint=tmp_path).fit(X, Y)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ValueError, match=message):
        SciFateRegressor(checkpoint=tmp_path, **options).fit(*change(X, Y))
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_checkpoint_of_another_version_is_refused(tmp_path, monkeypatch):
    from scifate_sklearn.solvers import _checkpoint as checkpoint

    X, Y = make_cells()
    SciFateRegressor(checkpoint=tmp_path).fit(X, Y)
    monkeypatch.setattr(checkpoint, "__version__", "9.9")
    with pytest.raises(ValueError, match=r"version of scifate_sklearn: '.*' there, '9\.9' here"):
        SciFateRegressor(checkpoint=tmp_path).fit(X, Y)


def test_names_of_a_series_of_penalty_factors_are_compared(tmp_path):
    X, Y = make_cells()
    factors = pd.Series([0.5, 2.0], index=["TF0", "TF1"])
    SciFateRegressor(checkpoint=tmp_path, penalty_factor=factors).fit(X, Y)
    SciFateRegressor(checkpoint=tmp_path, penalty_factor=factors.copy()).fit(X, Y)
    factors.index = ["TF1", "TF0"]
    with pytest.raises(ValueError, match="differs: `penalty_factor`"):
        SciFateRegressor(checkpoint=tmp_path, penalty_factor=factors).fit(X, Y)


def test_targets_of_a_table_of_penalty_factors_are_compared(tmp_path):
    X, Y = make_cells()
    table = pd.DataFrame([[0.5, 2.0]], index=["TF0"], columns=Y.columns[:2])
    SciFateRegressor(checkpoint=tmp_path, penalty_factor=table).fit(X, Y)
    SciFateRegressor(checkpoint=tmp_path, penalty_factor=table.copy()).fit(X, Y)
    table.columns = Y.columns[1::-1]
    with pytest.raises(ValueError, match="differs: `penalty_factor`"):
        SciFateRegressor(checkpoint=tmp_path, penalty_factor=table).fit(X, Y)


@pytest.mark.parametrize("kind", [list, tuple, np.array])
def test_lists_are_compared_by_value(tmp_path, blocks, kind):
    X, Y = make_cells()
    given = {"lambdas": [1.0, 0.1, 0.01], "penalty_factor": [1.0] * 7 + [0.5]}
    for _ in range(2):
        options = {name: kind(values) for name, values in given.items()}
        SciFateRegressor(checkpoint=tmp_path, **options).fit(X, Y)
    assert len(blocks.fitted) == 3
    given["lambdas"][2] = 0.02
    with pytest.raises(ValueError, match="differs: `lambdas`"):
        SciFateRegressor(checkpoint=tmp_path, **given).fit(X, Y)


def test_a_list_has_the_same_checksum_in_another_process():
    from scifate_sklearn.solvers._checkpoint import _checksum

    code = "from scifate_sklearn.solvers._checkpoint import _checksum; print(_checksum([1.0, 0.5]))"
    there = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert there.stdout.strip() == _checksum([1.0, 0.5]) == _checksum((1.0, 0.5))


def test_a_callable_rule_has_no_checkpoint(tmp_path):
    model = SciFateRegressor(checkpoint=tmp_path, lambda_rule=lambda curve: curve.lambdas[50])
    with pytest.raises(ValueError, match=r'`checkpoint` needs "1se", "min" or a number'):
        model.fit(*make_cells())


@pytest.mark.parametrize("text", ["", "{", "[]", '{"fit": 3}', '{"fit": {}}', "\x00\xff"])
def test_a_damaged_manifest_is_named(tmp_path, text):
    (tmp_path / "checkpoint.json").write_text(text, encoding="latin-1")
    with pytest.raises(ValueError, match=r"checkpoint\.json is damaged"):
        SciFateRegressor(checkpoint=tmp_path).fit(*make_cells())


def test_a_folder_of_a_later_format_is_refused(tmp_path):
    X, Y = make_cells()
    SciFateRegressor(checkpoint=tmp_path).fit(X, Y)
    manifest = json.loads((tmp_path / "checkpoint.json").read_text())
    (tmp_path / "checkpoint.json").write_text(json.dumps(manifest | {"format": 2}))
    with pytest.raises(ValueError, match="format of the folder: 2 there, 1 here"):
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
    damage(tmp_path / "targets-000032-000064.npz")
    with pytest.warns(UserWarning, match="These targets are fitted again"):
        assert_same_fit(SciFateRegressor(checkpoint=tmp_path).fit(X, Y), whole)
    assert blocks.fitted[3:] == [(32, 64)]
    assert_same_fit(SciFateRegressor(checkpoint=tmp_path).fit(X, Y), whole)


def test_a_block_of_another_fit_is_fitted_again(tmp_path):
    X, Y = make_cells()
    for folder, alpha in (("one", 1.0), ("two", 0.5)):
        SciFateRegressor(checkpoint=tmp_path / folder, alpha=alpha).fit(X, Y)
    name = "targets-000000-000032.npz"
    shutil.copy(tmp_path / "two" / name, tmp_path / "one" / name)
    with pytest.warns(UserWarning, match="belongs to another fit"):
        model = SciFateRegressor(checkpoint=tmp_path / "one").fit(X, Y)
    assert_same_fit(model, SciFateRegressor().fit(X, Y))


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileExistsError):
        SciFateRegressor(checkpoint=tmp_path / "file").fit(*make_cells())


def test_block_files_hold_every_result(tmp_path):
    X, Y = make_cells()
    SciFateRegressor(checkpoint=tmp_path).fit(X, Y)
    with np.load(tmp_path / "targets-000000-000032.npz") as file:
        # Errors of single folds are not kept.
        assert set(BlockFit.__dataclass_fields__) - {"errors"} < set(file)


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


@pytest.mark.slow
def test_killed_at_20_random_moments_and_resumed(tmp_path):
    finish("", tmp_path / "warm.npz")  # compiles
    expected, seconds = finish("", tmp_path / "whole.npz")
    rng = random.Random(0)
    n_blocks = []
    for number in range(20):
        folder, out = tmp_path / f"{number}", tmp_path / f"{number}.npz"
        process = start(folder, out)
        time.sleep(rng.uniform(0.0, 1.0) * seconds)
        process.kill()
        process.communicate()
        n_blocks.append(len(list(folder.glob("targets-*.npz"))))
        before = {path: path.read_bytes() for path in folder.glob("targets-*.npz")}
        found, _ = finish(folder, out)
        for name in FITTED:
            np.testing.assert_array_equal(found[name], expected[name], err_msg=f"{number} {name}")
        assert all(path.read_bytes() == content for path, content in before.items())
    # The moments did differ, and most were in the middle of the fit.
    assert len(set(n_blocks)) > 5
    assert sum(0 < n < N_BLOCKS for n in n_blocks) > 10


@pytest.mark.skipif(os.name == "nt", reason="no SIGINT for a single process")
@pytest.mark.slow
def test_ctrl_c_leaves_a_valid_checkpoint_and_no_process(tmp_path):
    finish("", tmp_path / "warm.npz")  # compiles
    expected, seconds = finish("", tmp_path / "whole.npz")
    process = start(tmp_path / "folder", tmp_path / "out.npz")
    time.sleep(0.5 * seconds)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode != 0
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert not list(Path(tmp_path / "folder").glob(".*"))
    found, _ = finish(tmp_path / "folder", tmp_path / "out.npz")
    np.testing.assert_array_equal(found["coef_"], expected["coef_"])
