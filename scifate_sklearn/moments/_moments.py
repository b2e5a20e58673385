"""The sums that all solvers work on: built from cells, added, saved and loaded."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ..files import archive
from . import _file
from ._algebra import PartSums
from ._build import reorder_targets, sum_arrays, sum_chunks
from ._cells import WeightedCells
from ._matrices import Matrix
from ._names import Names
from ._plan import FoldPlan


class Moments(PartSums):
    """Sums over the cells of each fold: all that a cross-validated LASSO reads of them.

    All sums are weighted and taken around a shift, so that large means do not cancel. With
    x̃ = x − x_shift, ỹ = y − y_shift and the cells i of part k:

    * ``weight[k]`` = Σ wᵢ, ``x_sum[k]`` = Σ wᵢ x̃ᵢ, ``y_sum[k]`` = Σ wᵢ ỹᵢ,
    * ``xx[k]`` = Σ wᵢ x̃ᵢ x̃ᵢᵀ, ``xy[k]`` = Σ wᵢ x̃ᵢ ỹᵢᵀ, ``yy[k]`` = Σ wᵢ ỹᵢ².

    Attributes
    ----------
    n_cells : ndarray of shape (n_parts,)
        Cells with positive weight.
    weight : ndarray of shape (n_parts,)
    x_shift, y_shift : ndarray of shape (n_features,), (n_targets,)
    x_sum, y_sum : ndarray of shape (n_parts, n_features), (n_parts, n_targets)
    xx : ndarray of shape (n_parts, n_features, n_features)
    xy : ndarray of shape (n_parts, n_features, n_targets)
    yy : ndarray of shape (n_parts, n_targets)
    layout : FoldLayout
        The parts of each training and test set.
    feature_names, target_names : ndarray of str or None
    """

    @classmethod
    def from_arrays(
        cls,
        X: Matrix,
        Y: Matrix,
        plan: FoldPlan,
        sample_weight: NDArray[np.float64] | None = None,
        feature_names: Names | None = None,
        target_names: Names | None = None,
        around: Moments | None = None,
    ) -> Self:
        """Return the sums over cells in memory, part by part.

        Parameters
        ----------
        X, Y : ndarray or CSR matrix of shape (n_cells, n_features), (n_cells, n_targets)
            Finite numbers; sparse matrices are never made dense as a whole.
        plan : FoldPlan
            From `plan_folds`.
        sample_weight : ndarray of shape (n_cells,), default=None
            Non-negative; None means 1 for every cell.
        feature_names, target_names : sequence of str, default=None
        around : Moments, default=None
            Moments of more cells that include these. Their shift is used instead of computing one.

        Returns
        -------
        Moments

        Raises
        ------
        ValueError
            If there is not one different name for each column.
        """
        weight = np.ones(X.shape[0]) if sample_weight is None else sample_weight
        cells = WeightedCells(X, Y, weight)
        return sum_arrays(cls, cells, plan, (feature_names, target_names), around)

    @classmethod
    def from_chunks(
        cls,
        chunks: Iterable[tuple[Matrix, ...]],
        plan: FoldPlan,
        feature_names: Names | None = None,
        target_names: Names | None = None,
        around: Moments | None = None,
    ) -> Self:
        """Return the sums over cells that are read chunk by chunk.

        Parameters
        ----------
        chunks : iterable of (X, Y) or (X, Y, sample_weight)
            Consecutive cells in the order in which `plan` numbers them; each matrix dense or
            sparse.
        plan : FoldPlan
            From `plan_folds`, for all cells of all chunks.
        feature_names, target_names : sequence of str, default=None
        around : Moments, default=None
            Moments of other cells, to which the result will be added: the addition is faster if
            both are summed around the same shift.

        Returns
        -------
        Moments
            Equal to those of `from_arrays` up to rounding.

        Raises
        ------
        ValueError
            If a chunk does not match the others, holds NaN or infinity, or if there are more or
            fewer cells than in `plan`.
        """
        return sum_chunks(cls, chunks, plan, (feature_names, target_names), around)

    def reordered(
        self,
        X: Matrix,
        Y: Matrix,
        plan: FoldPlan,
        sample_weight: NDArray[np.float64],
        order: NDArray[np.intp],
    ) -> Self:
        """Return the moments of the same cells with their targets in another order.

        Folds and weights stay with the predictors, whose sums are shared with the result. The cost
        is one matrix product for each part.

        Parameters
        ----------
        X, Y, plan, sample_weight :
            The arguments of `from_arrays` that these moments were made from.
        order : ndarray of int of shape (n_cells,)
            Row i of `X` is paired with row ``order[i]`` of `Y`.

        Returns
        -------
        Moments
        """
        return reorder_targets(self, WeightedCells(X, Y, sample_weight), plan, order)

    def checksum(self) -> str:
        """Return the SHA-256 of all fields."""
        return archive.checksum(self.to_state())

    def to_state(self) -> dict[str, NDArray[Any]]:
        """Return all fields as arrays of numbers or strings, by name, to be written to a file."""
        return _file.to_state(self)

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        """Return the moments that `to_state` gave, after checking them.

        Raises
        ------
        ValueError
            If an array is missing, has another type or shape, or contradicts the others.
        """
        return _file.from_state(cls, state)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the moments to a file (npz, with a checksum) for `load`.

        Parameters
        ----------
        path : path-like
            An existing file is replaced only when the new one is complete.
        """
        _file.write(path, self)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read moments that `save` wrote.

        Nothing in the file is executed, and everything is checked.

        Parameters
        ----------
        path : path-like

        Returns
        -------
        Moments

        Raises
        ------
        ValueError
            If the file holds something else, is damaged, or of an unknown version.
        OSError
            If it cannot be read.
        """
        return _file.read(cls, path)
