"""Conditional mutual information of many columns with the same target, and its null values."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ._problem import Floats

# Of more cells that are equally far in z, this many are candidates for a permutation.
_MOST_CANDIDATES = 256
# Permuted columns are made a few MB at a time.
_BATCH_VALUES = 2**19


class InformationProblem:
    """Conditional mutual information I(x; y | z) of many x, in nats.

    Parameters
    ----------
    y : ndarray of shape (d_y, n_cells)
    z : ndarray of shape (d_z, n_cells)
    n_neighbors : int
        The neighbour k whose distance is used, below n_cells.
    is_closed : bool, default=False
        Take the numbers of cells within the distance or at it, as Scribe does.

    Notes
    -----
    With the maximum norm, the distance ρ_i from cell i to the k-th other cell in (x, y, z), and the
    numbers o_S of other cells at less than ρ_i in a subspace S and c_S of those at most at ρ_i,

        I = mean_i ψ(m_xyz) − ψ(m_xz) − ψ(m_yz) + ψ(m_z),   m_S = max(c_S, o_S + 1).

    On continuous data this is the estimate of Frenzel & Pompe (2007), with ties that of Mesner &
    Shalizi (2021); ``is_closed`` takes m_S = c_S on all data.
    """

    def __init__(self, y: Floats, z: Floats, n_neighbors: int, *, is_closed: bool = False) -> None:
        # Cells in a range of one column of z are compared, which should have few ties.
        by_ties = sorted(range(len(z)), key=lambda column: -np.unique(z[column]).size)
        self._order = np.argsort(z[by_ties[0]], kind="stable") if by_ties else np.arange(y.shape[1])
        self._y = np.ascontiguousarray(y[:, self._order])
        self._z = np.ascontiguousarray(z[by_ties][:, self._order])
        self._n_neighbors = n_neighbors
        self._is_closed = is_closed
        n = self._y.shape[1]
        self._psi = np.concatenate([[0.0], special.digamma(np.arange(1, n + 1))])
        # The difference itself may overflow.
        spacing = self._z[0, -1] / n - self._z[0, 0] / n if by_ties else 0.0
        self._spacing = float(spacing) or 1.0
        self._candidates: dict[int, tuple[NDArray[np.intp], ...]] = {}

    def estimate(self, x: Floats) -> Floats:
        """Return the estimate of each x.

        Parameters
        ----------
        x : ndarray of shape (n_x, n_cells) or (n_x, d_x, n_cells)

        Returns
        -------
        ndarray of shape (n_x,)
        """
        x = np.ascontiguousarray(x[..., self._order], dtype=np.float64)
        return self._estimate(x.reshape(len(x), -1, x.shape[-1]))

    def null(
        self, x: Floats, rng: np.random.Generator, n_permutations: int, shuffle_neighbors: int
    ) -> Floats:
        """Return the estimates of x permuted among the nearest cells in z.

        Parameters
        ----------
        x : ndarray of shape (n_cells,)
        rng : Generator
        n_permutations : int
        shuffle_neighbors : int
            Number of nearest cells, the cell itself included, that a cell gets its value from.

        Returns
        -------
        ndarray of shape (n_permutations,)

        Notes
        -----
        The permutations are those of Runge (2018): cells choose in a random order, and each takes
        the first of its nearest cells, in a random order, that no other has taken; if all are
        taken, the last one. Of cells at the same distance as the last one some are drawn.
        """
        own = x[self._order]
        size = max(1, _BATCH_VALUES // len(own))
        parts = [
            self._estimate(own[self._permutations(rng, min(size, left), shuffle_neighbors)])
            for left in range(n_permutations, 0, -size)
        ]
        return np.concatenate(parts)

    def _estimate(self, x: Floats) -> Floats:
        # numba takes long to import.
        from .kernels import conditional_information

        n = self._y.shape[1]
        means = np.zeros(len(x))
        memory = np.empty(n, np.intp), np.empty((4, n)), np.empty(self._n_neighbors)
        conditional_information(
            x.reshape(len(x), -1, n),
            self._y,
            self._z,
            self._psi,
            self._is_closed,
            self._spacing,
            *memory,
            means,
        )
        return means

    def _permutations(
        self, rng: np.random.Generator, n_permutations: int, shuffle_neighbors: int
    ) -> NDArray[np.intp]:
        from .kernels import shuffle

        candidates = self._candidates_of(shuffle_neighbors)
        n = len(candidates[0])
        result = np.empty((n_permutations, n), np.intp)
        memory: tuple[Any, ...] = np.empty(n, bool), np.empty(candidates[0].shape[1], np.intp)
        for permutation in result:
            order, uniform = rng.permutation(n), rng.random((n, shuffle_neighbors))
            shuffle(*candidates, order, uniform, *memory, permutation)
        return result

    def _candidates_of(self, shuffle_neighbors: int) -> tuple[NDArray[np.intp], ...]:
        """Return the nearest cells in z of each cell, computed once."""
        from .kernels import shuffle_candidates

        if shuffle_neighbors not in self._candidates:
            n = self._y.shape[1]
            most = min(n, max(_MOST_CANDIDATES, shuffle_neighbors))
            memory = np.empty(n, np.intp), np.empty((4, n)), np.empty(shuffle_neighbors - 1)
            candidates = np.empty((n, most), np.intp)
            sizes = np.empty(n, np.intp), np.empty(n, np.intp)
            shuffle_candidates(self._z, self._spacing, *memory, candidates, *sizes)
            widest = int(sizes[1].max())
            self._candidates[shuffle_neighbors] = (candidates[:, :widest].copy(), *sizes)
        return self._candidates[shuffle_neighbors]
