"""The permutation FDR and the stability of real cells, killed and resumed."""

import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

RUN = """
import sys
import anndata as ad
import numpy as np
from scifate_sklearn import PermutationFDR, SciFateRegressor, StabilitySelection, prepare_anndata
from scifate_sklearn.anndata_io import read_tf_names

data, kind, checkpoint, out = sys.argv[1:]
adata = ad.read_h5ad(f"{data}/veloviz_pancreas/pancreas_739x7192.h5ad")
adata.layers["total"] = adata.layers["spliced"] + adata.layers["unspliced"]
tfs = read_tf_names(f"{data}/rcistarget_tf/TF_mgi.txt")
cells = prepare_anndata(adata, tfs, nt_layers=("unspliced", "total"), cell_filter_UMI=1000)
regressor = SciFateRegressor(n_jobs=2, checkpoint=checkpoint or None)
if kind == "permutations":
    model = PermutationFDR(regressor, n_permutations=5)
else:
    model = StabilitySelection(regressor, n_resamples=20)
print("start", flush=True)
model.fit(cells.tf_matrix, cells.target_matrix)
links = model.links_
evidence = {name: links[name].to_numpy(float) for name in ("coef", "r2", "lambda_")}
evidence |= {"evidence": links.iloc[:, -1].to_numpy(float), "coef_": model.regressor_.coef_}
more = {"threshold_", "fdr_curve_", "frequency_", "error_bound_"} & set(vars(model))
evidence |= {name: np.asarray(getattr(model, name)) for name in more}
np.savez(out, names=links[["TF", "target"]].to_numpy(str), **evidence)
"""


class Runs:
    """Fits in processes of their own."""

    def __init__(self, data: Path, kind: str, checkpoint: Path | str) -> None:
        self.arguments = [str(data), kind, str(checkpoint)]

    def start(self, out: Path) -> subprocess.Popen[str]:
        command = [sys.executable, "-W", "error::UserWarning:scifate_sklearn", "-c", RUN]
        process = subprocess.Popen(
            [*command, *self.arguments, str(out)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line == "start\n", process.communicate()[1]
        return process

    def finish(self, out: Path) -> dict[str, np.ndarray]:
        """Return the results."""
        process = self.start(out)
        _, errors = process.communicate(timeout=900)
        assert process.returncode == 0, errors
        assert "checkpoint" not in errors
        with np.load(out) as file:
            return dict(file)


N_BLOCKS = 79  # of 2507 targets


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "n_rounds"), [("permutations", 5), ("halves", 20)])
def test_killed_three_times_and_resumed(kind, n_rounds, shared, tmp_path):
    """Twice at a random moment of the fit to all cells, once at one of the rounds."""
    data, folder = shared / "data", tmp_path / "folder"
    expected = Runs(data, kind, "").finish(tmp_path / "whole.npz")
    rng = random.Random(0)
    runs = Runs(data, kind, folder)
    half = N_BLOCKS // 2
    moments = rng.randrange(half), rng.randrange(half, N_BLOCKS), rng.randrange(1, n_rounds)
    for n_stored in (*moments[:2], N_BLOCKS + moments[2]):
        process = runs.start(tmp_path / "killed.npz")
        while n_files(folder) < n_stored and process.poll() is None:
            time.sleep(0.01)
        time.sleep(rng.uniform(0.0, 0.05))
        process.kill()
        process.communicate()
        assert n_stored <= n_files(folder) < N_BLOCKS + n_rounds
    found = runs.finish(tmp_path / "resumed.npz")
    assert not (tmp_path / "killed.npz").exists()
    assert n_files(folder) == N_BLOCKS + n_rounds
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)


def n_files(folder):
    return len([path for path in folder.rglob("[tr]*.npz") if not path.name.startswith(".")])
