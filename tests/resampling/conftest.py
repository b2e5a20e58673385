"""Cells for the tests of resampling: correlated TFs, and targets of known regulators."""

import numpy as np
import pandas as pd
import pytest

N_CELLS, N_TFS, N_TARGETS = 120, 8, 4


@pytest.fixture(scope="session")
def rng_data():
    """Return z-scored TFs in two correlated groups, and targets; the first three depend on TFs."""
    rng = np.random.default_rng(7)
    X = rng.normal(size=(N_CELLS, N_TFS)) + rng.normal(size=(N_CELLS, 2)) @ np.repeat(
        np.eye(2), N_TFS // 2, axis=1
    )
    Y = rng.normal(size=(N_CELLS, N_TARGETS))
    Y[:, 0] += X[:, 0]
    Y[:, 1] -= 0.8 * X[:, 5]
    Y[:, 2] += 0.5 * X[:, 1] - 0.6 * X[:, 6]
    return standardized(X), standardized(Y)


def standardized(A):
    return (A - A.mean(axis=0)) / A.std(axis=0, ddof=1)


@pytest.fixture
def tfs(rng_data):
    return pd.DataFrame(rng_data[0], columns=[f"T{j}" for j in range(N_TFS)])


@pytest.fixture
def new(rng_data):
    # The last target is also a TF.
    names = [*(f"g{t}" for t in range(N_TARGETS - 1)), "T3"]
    return pd.DataFrame(rng_data[1], columns=names)


@pytest.fixture
def weight():
    weight = np.random.default_rng(8).uniform(0.5, 2.0, N_CELLS)
    weight[::9] = 0.0
    return weight


@pytest.fixture
def batches():
    return np.repeat(["a", "b", "c", "d"], N_CELLS // 4)
