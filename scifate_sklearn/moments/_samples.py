"""Validated samples: both matrices, the weights and the folds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..files import archive
from ._matrices import Matrix
from ._moments import Moments
from ._plan import FoldPlan


@dataclass(frozen=True)
class Samples:
    """Everything that a fit is made from.

    Attributes
    ----------
    X, Y : ndarray or CSR matrix of shape (n_samples, n_features), (n_samples, n_targets)
        Finite numbers, float64.
    weight : ndarray of shape (n_samples,)
        Non-negative, not all 0.
    plan : FoldPlan
        The folds.
    feature_names, target_names : ndarray of str or None
    """

    X: Matrix
    Y: Matrix
    weight: NDArray[np.float64]
    plan: FoldPlan
    feature_names: NDArray[np.object_] | None = None
    target_names: NDArray[np.object_] | None = None

    def __len__(self) -> int:
        return len(self.weight)

    def without_folds(self) -> Samples:
        """Return the same samples as one set that is not cross-validated."""
        plan = FoldPlan.whole_only(len(self))
        return Samples(self.X, self.Y, self.weight, plan, self.feature_names, self.target_names)

    def sums(self, around: Moments | None = None) -> Moments:
        """Return the moments of these samples.

        Parameters
        ----------
        around : Moments, default=None
            Of more samples, these among them: sum around the same shift.
        """
        return Moments.from_arrays(
            self.X,
            self.Y,
            self.plan,
            self.weight,
            self.feature_names,
            self.target_names,
            around=around,
        )

    def checksum(self) -> str:
        """Return the SHA-256 of the samples, their weights and their folds."""
        rows = np.concatenate(self.plan.parts)
        sizes = np.array([len(own) for own in self.plan.parts])
        arrays = {"weight": self.weight, "rows": rows, "sizes": sizes}
        arrays |= self.plan.layout.to_state()
        for name, matrix in (("X", self.X), ("Y", self.Y)):
            arrays |= _buffers(name, matrix)
        return archive.checksum(arrays)


def _buffers(name: str, matrix: Matrix) -> dict[str, NDArray[Any]]:
    """Return the arrays of a matrix as they are in memory, which avoids copies."""
    if isinstance(matrix, np.ndarray):
        return {f"{name}.T": matrix.T} if matrix.flags.f_contiguous else {name: matrix}
    parts = ("data", "indices", "indptr")
    return {f"{name}.{part}": getattr(matrix, part) for part in parts}
