"""Bias of conditional mutual information where its value is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from directed_cells import PSEUDOCOUNT, gaussian_triple, zscored
from numpy.typing import NDArray
from scipy.stats import poisson

from scifate_sklearn.causality import conditional_mutual_information

Floats = NDArray[np.float64]


def mean_error(estimates: Sequence[float], truth: float) -> tuple[float, float]:
    """Return the mean error and its standard error."""
    errors = np.asarray(estimates) - truth
    return float(errors.mean()), float(errors.std(ddof=1) / np.sqrt(len(errors)))


def gaussian_bias(
    rng: np.random.Generator, n: int, setting: tuple[float, float, float], runs: int, estimator: Any
) -> tuple[float, float]:
    draws = (gaussian_triple(rng, n, *setting)[:3] for _ in range(runs))
    found = [conditional_mutual_information(*each, estimator=estimator) for each in draws]
    return mean_error(found, _gaussian_information(setting[0]))


def _gaussian_information(correlation: float) -> float:
    return float(-0.5 * np.log1p(-(correlation**2)))


def dropout_bias(
    rng: np.random.Generator, n: int, partial: float, share: float, runs: int
) -> tuple[float, float]:
    """Set a share of x, y and z to 0 at random, after 3 was added to the Gaussian values.

    x and y tell of each other only where neither is 0; z conditions only where it is not 0. So
    I = q² [q I(x; y | z) + (1 − q) I(x; y)] with q = 1 − share.
    """
    found = []
    for _ in range(runs):
        *points, correlation = gaussian_triple(rng, n, partial, 0.5, 0.5)
        columns = np.column_stack(points) + 3.0
        observed = zscored(np.where(rng.random(columns.shape) < share, 0.0, columns))
        found.append(conditional_mutual_information(*observed.T))
    q = 1.0 - share
    given, alone = _gaussian_information(partial), _gaussian_information(correlation)
    return mean_error(found, q**2 * (q * given + (1 - q) * alone))


def count_bias(rng: np.random.Generator, n: int, effect: float, runs: int) -> tuple[float, float]:
    """Compare counts z, x (which depends on z) and y (on z and x) with the exact sum."""
    found = []
    for _ in range(runs):
        z = rng.poisson(0.8, n)
        x = rng.poisson(0.2 + 0.5 * z)
        y = rng.poisson(0.2 + 0.3 * z + effect * x)
        columns = np.log(np.column_stack([x, y, z]) + PSEUDOCOUNT)
        found.append(conditional_mutual_information(*zscored(columns).T))
    x, y, z = np.ogrid[:40, :40, :20]
    joint = poisson.pmf(z, 0.8) * poisson.pmf(x, 0.2 + 0.5 * z)
    joint = joint * poisson.pmf(y, 0.2 + 0.3 * z + effect * x)
    of_z, of_xz, of_yz = joint.sum((0, 1)), joint.sum(1)[:, None], joint.sum(0)[None]
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = joint * np.log(joint * of_z / (of_xz * of_yz))
    return mean_error(found, float(np.nansum(terms)))
