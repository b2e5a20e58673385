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
    """Compare with the closed form.

    Its difference from the mean local information of the same cells, whose expectation it is, is
    taken off each estimate, which leaves a third of the noise.
    """
    r, with_x, with_y = setting
    errors = []
    for _ in range(runs):
        x, y, z, _ = gaussian_triple(rng, n, *setting)
        own_x = (x - with_x * z) / np.sqrt(1 - with_x**2)
        own_y = (y - with_y * z) / np.sqrt(1 - with_y**2)
        joint = (own_x**2 - 2 * r * own_x * own_y + own_y**2) / (1 - r**2)
        local = _gaussian_information(r) + 0.5 * np.mean(own_x**2 + own_y**2 - joint)
        errors.append(conditional_mutual_information(x, y, z, estimator=estimator) - local)
    return mean_error(errors, 0.0)


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
