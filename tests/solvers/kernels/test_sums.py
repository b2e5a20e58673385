import os
import subprocess
import sys

import numba
import numpy as np
import pytest

from scifate_sklearn.solvers.kernels._sums import WIDTH, no_sums, plus_products, total


@numba.njit(_nrt=False)
def dot(x, y):
    sums = no_sums()
    for four in range(x.size // WIDTH):
        sums = plus_products(sums, x, y, WIDTH * four)
    return total(sums)


@pytest.mark.parametrize("n", [0, 4, 8, 40])
def test_sums_are_those_of_every_fourth_product(n):
    rng = np.random.default_rng(n)
    x, y = rng.normal(size=(2, n))
    lanes = (x * y).reshape(-1, WIDTH).sum(axis=0)
    assert total(tuple(lanes)) == (lanes[0] + lanes[2]) + (lanes[1] + lanes[3])
    for function in (dot, dot.py_func):
        assert function(x, y) == pytest.approx(x @ y, rel=1e-13, abs=1e-15)


def test_the_order_is_fixed():
    """Return numbers whose sum depends on the order: each lane cancels separately."""
    x = np.array([1e17, 1.0, -3.0, 2.0, -1e17, 1e17, 3.0, -2.0, 5.0, -1e17, 0.25, 0.5])
    assert dot(x, np.ones(12)) == dot.py_func(x, np.ones(12)) == 5.75


FIT = """
import sys
import numpy as np
from scifate_sklearn import SciFateRegressor
rng = np.random.default_rng(0)
X = rng.normal(size=(200, 30))
Y = X[:, :12] + X @ rng.normal(size=(30, 12)) / 4 + rng.normal(size=(200, 12))
for lambdas in sys.argv[1:]:
    model = SciFateRegressor(lambdas=lambdas).fit(X, Y)
    print(lambdas, model.coef_.tobytes().hex(), model.cv_mse_.tobytes().hex())
"""


@pytest.mark.slow
def test_no_bit_depends_on_when_a_kernel_was_compiled(tmp_path):
    """A process that compiles has copies of functions that a process with a warm cache has not."""

    def run(*kinds):
        environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
        output = subprocess.run(
            [sys.executable, "-c", FIT, *kinds], env=environment, capture_output=True, check=True
        ).stdout
        return sorted(output.splitlines())

    compiled = run("auto", "paper")
    assert compiled == run("paper", "auto")
    assert compiled == run("auto", "paper")
