"""Conditional mutual information for another distribution of the regulator (potential CMI)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from .._warnings import warn

Floats = NDArray[np.float64]

# Distances of this many pairs of cells are computed at a time.
_PAIRS = 2**21
# Weights are undefined if the density is infinite.
_MOST_TIED = 0.01
# With a smaller effective sample size, as a share of the cells, a warning is issued.
_LEAST_EFFECTIVE = 0.25


def uniform_weights(x: Floats, z: Floats) -> Floats:
    """Return weights with which x and z are uniformly distributed.

    Parameters
    ----------
    x : ndarray of shape (d_x, n_cells)
    z : ndarray of shape (d_z, n_cells)

    Returns
    -------
    ndarray of shape (n_cells,)
        One over the density of (x, z), with mean 1. The density is a Gaussian kernel estimate with
        Scott's bandwidth n^(−1/(4 + d)) in units of the standard deviations, of the d columns that
        are not constant.
    """
    points = np.vstack([x, z])
    points = points[(points[:, 0] != points.T).any(axis=0)]
    # Squares of small numbers would be 0.
    points = points / np.abs(points).max(axis=1, keepdims=True)
    d, n = points.shape
    scaled = points / points.std(axis=1, ddof=1, keepdims=True)
    bandwidth = n ** (-1.0 / (4 + d))
    density = np.empty(n)
    for rows in _blocks(n):
        squares = sum((one[rows, None] - one) ** 2 for one in scaled)
        density[rows] = np.exp(-0.5 / bandwidth**2 * squares).sum(axis=1)
    weights = 1.0 / density
    weights /= weights.mean()
    effective = weights.sum() ** 2 / (weights**2).sum()
    if effective < _LEAST_EFFECTIVE * n:
        warn(
            f'`weights`="uniform" gives a few of the {n} cells most of the weight: the effective '
            f"sample size is {effective:.0f}. The estimate depends on rare values of `x` and `z`."
        )
    return weights


def check_ties(x: Floats, z: Floats) -> None:
    """Raise ValueError if more than 1 % of the cells have the (x, z) of another cell."""
    points = np.vstack([x, z])
    n = points.shape[1]
    counts = np.unique(points, axis=1, return_counts=True)[1]
    n_tied = int(counts[counts > 1].sum())
    if n_tied > _MOST_TIED * n:
        raise ValueError(
            f"`weights` needs continuous data, but {n_tied} of {n} cells have the `x` and `z` of "
            "another cell, so that their density is not defined. Use `weights`=None."
        )


def weighted_information(
    x: Floats, y: Floats, z: Floats, weights: Floats, n_neighbors: int, *, is_closed: bool
) -> float:
    """Return the conditional mutual information of weighted cells, in nats.

    Parameters
    ----------
    x, y, z : ndarray of shape (n_columns, n_cells)
    weights : ndarray of shape (n_cells,)
        With mean 1.
    n_neighbors : int
    is_closed : bool
        Whether to compute Scribe's estimate.

    Notes
    -----
    Let ρ_i be the distance to the k-th other cell in (x, y, z), c_S the number of others at most at
    ρ_i in a subspace S, and n_S the sum of their weights. The estimate of Rahimzamani & Kannan
    (2017) is mean_i w_i [ψ(k) − log c_xz − log n_yz + log n_z]. Scribe has
    mean_i w_i [ψ(c_xyz) − ψ(c_xz) − ψ(n_yz) + ψ(n_z)].
    """
    n = weights.size
    terms = np.empty(n)
    for rows in _blocks(n):
        d_x, d_y, d_z = (_distances(points, rows) for points in (x, y, z))
        d_xz, d_yz = np.maximum(d_x, d_z), np.maximum(d_y, d_z)
        d_xyz = np.maximum(d_xz, d_yz)
        rho = np.partition(d_xyz, n_neighbors - 1, axis=1)[:, n_neighbors - 1, None]
        n_xyz, n_xz = ((d <= rho).sum(axis=1) for d in (d_xyz, d_xz))
        w_yz, w_z = ((d <= rho) @ weights for d in (d_yz, d_z))
        if is_closed:
            psi = special.digamma
            terms[rows] = psi(n_xyz) - psi(n_xz) - psi(w_yz) + psi(w_z)
        else:
            terms[rows] = special.digamma(n_neighbors) - np.log(n_xz) - np.log(w_yz) + np.log(w_z)
    return float(np.mean(weights * terms))


def _blocks(n: int) -> list[slice]:
    size = max(1, _PAIRS // n)
    return [slice(start, min(start + size, n)) for start in range(0, n, size)]


def _distances(points: Floats, rows: slice) -> Floats:
    """Return the largest difference between cells, infinite between a cell and itself."""
    n = points.shape[1]
    distances = np.zeros((rows.stop - rows.start, n))
    for column in points:
        np.maximum(distances, np.abs(column[rows, None] - column), out=distances)
    distances[np.arange(len(distances)), np.arange(rows.start, rows.stop)] = np.inf
    return distances
