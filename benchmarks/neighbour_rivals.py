"""Other ways to compute conditional mutual information, and a lower bound of the time.

Points are z-scored columns of shape (n, d). The estimate is Scribe's (all counts within or at the
distance of the k-th neighbour), which needs four counts per point instead of eight.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.special import digamma

Floats = NDArray[np.float64]


def loop_over_points(x: Floats, y: Floats, z: Floats, k: int) -> float:
    """Query trees point by point, as Scribe-py does (its `cmi`)."""
    spaces = _subspaces(x, y, z)
    trees = [cKDTree(points) for points in spaces]
    total = 0.0
    for i in range(len(x)):
        rho = trees[0].query(spaces[0][i], k + 1, p=np.inf)[0][k]
        counts = [
            len(tree.query_ball_point(points[i], rho, p=np.inf)) - 1
            for tree, points in zip(trees, spaces, strict=True)
        ]
        total += float(_contributions(np.array(counts)))
    return total / len(x)


def all_points_at_once(x: Floats, y: Floats, z: Floats, k: int) -> float:
    """Query each tree once with all points, and count without listing."""
    spaces = _subspaces(x, y, z)
    trees = [cKDTree(points) for points in spaces]
    rho = trees[0].query(spaces[0], k + 1, p=np.inf)[0][:, k]
    counts = [
        tree.query_ball_point(points, rho, p=np.inf, return_length=True) - 1
        for tree, points in zip(trees, spaces, strict=True)
    ]
    return float(_contributions(np.array(counts)).mean())


def _subspaces(x: Floats, y: Floats, z: Floats) -> list[Floats]:
    parts = ((x, y, z), (x, z), (y, z), (z,))
    return [np.ascontiguousarray(np.column_stack(each)) for each in parts]


def _contributions(counts: NDArray[np.intp]) -> Floats:
    xyz, xz, yz, z = digamma(counts)
    return np.asarray(xyz - xz - yz + z)


# One pass is done for so many copies of x, so that a list stays in the cache as for many TFs.
COPIES = 32


class NeighbourLists:
    """The points that any exact method has to count, listed, and one pass over them.

    For point i these are the points at d_z ≤ ρ_i, where ρ_i is the distance of its k-th neighbour
    in (x, y, z); all other points are in no count. d_z and d_yz do not depend on x. Neither the
    search for ρ_i nor that for the lists is part of the pass.
    """

    def __init__(self, x: Floats, y: Floats, z: Floats, k: int) -> None:
        xyz, _, yz, of_z = _subspaces(x, y, z)
        self._x = np.tile(x[:, 0], (COPIES, 1))
        self._rho = cKDTree(xyz).query(xyz, k + 1, p=np.inf)[0][:, k]
        found = cKDTree(of_z).query_ball_point(of_z, self._rho, p=np.inf)
        self._near = np.concatenate([np.array(each, np.intp) for each in found])
        sizes = np.array([len(each) for each in found])
        self._start = np.concatenate([[0], np.cumsum(sizes)])
        own = np.repeat(np.arange(len(x)), sizes)
        self._d_z, self._d_yz = (
            np.abs(points[own] - points[self._near]).max(axis=1) for points in (of_z, yz)
        )
        # The column of z with the fewest ties: a range of it is all that sorting can leave out.
        ordered = max((np.sort(column) for column in of_z.T), key=lambda each: np.unique(each).size)
        column = max(of_z.T, key=lambda each: np.unique(each).size)
        ends = (np.searchsorted(ordered, column + side * self._rho) for side in (1, -1))
        self.n_in_range = int(np.subtract(*ends).sum())

    @property
    def n_distances(self) -> int:
        """The number of listed points, of all points together."""
        return len(self._near)

    def passes(self) -> int:
        """Do the pass for each copy of x; return a sum of counts."""
        lists = self._near, self._start, self._d_z, self._d_yz
        return int(_passes(self._x, self._rho, *lists))


@njit(fastmath=True, nogil=True)
def _passes(x, rho, near, start, d_z, d_yz):  # type: ignore[no-untyped-def]
    total = 0
    for i in range(len(rho)):
        own = slice(start[i], start[i + 1])
        near_i, d_z_i, d_yz_i, most = near[own], d_z[own], d_yz[own], rho[i]
        for m in range(x.shape[0]):
            x_m, x_i = x[m], x[m, i]
            n_z = n_yz = n_xz = n_xyz = np.int64(0)
            for s in range(len(near_i)):
                is_near_x = abs(x_m[near_i[s]] - x_i) <= most
                is_near_z, is_near_yz = d_z_i[s] <= most, d_yz_i[s] <= most
                n_z += np.int64(is_near_z)
                n_yz += np.int64(is_near_yz)
                n_xz += np.int64(is_near_x & is_near_z)
                n_xyz += np.int64(is_near_x & is_near_yz)
            total += n_z + n_yz + n_xz + n_xyz
    return total
