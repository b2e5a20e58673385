"""Progress bars in a notebook without ipywidgets, by a stand-in for the kernel."""

import subprocess
import sys

import pytest

FIT = """
import sys, types

class Kernel:
    config = {"IPKernelApp": {}}

ipython = types.ModuleType("IPython")
ipython.get_ipython = Kernel
ipython.version_info = (9, 0, 0)
sys.modules["IPython"] = ipython
sys.modules["ipykernel.zmqshell"] = types.ModuleType("zmqshell")
sys.modules["ipywidgets"] = None

import numpy as np
from scifate_sklearn import PermutationFDR, SciFateRegressor

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 3))
PermutationFDR(SciFateRegressor(verbose=1), n_permutations=2, verbose=1).fit(X, X[:, :2] + 1)
"""


@pytest.mark.slow
def test_text_without_ipywidgets_and_without_advice():
    # Not as an error, which tqdm takes for a missing package.
    command = [sys.executable, "-W", "default", "-c", FIT]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert result.returncode == 0, result.stderr
    assert "IProgress" not in result.stderr
    assert "2/2" in result.stderr
