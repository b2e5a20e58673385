"""Validated samples: both matrices, the weights and the folds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
