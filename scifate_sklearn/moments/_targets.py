"""Sums of some of the targets, without those of the predictors alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class TargetSums:
    """Sums over the cells of each part, for consecutive targets; notation as in `Moments`.

    They are small enough to be sent to another process with each block of targets.

    Attributes
    ----------
    shift : ndarray of shape (n_targets,)
    sum, yy : ndarray of shape (n_parts, n_targets)
    xy : ndarray of shape (n_parts, n_features, n_targets)
    """

    shift: NDArray[np.float64]
    sum: NDArray[np.float64]
    xy: NDArray[np.float64]
    yy: NDArray[np.float64]

    def take(self, parts: NDArray[np.intp]) -> TargetSums:
        """Return the given parts, in that order."""
        return TargetSums(self.shift, self.sum[parts], self.xy[parts], self.yy[parts])

    def combine(self, member: NDArray[np.float64]) -> TargetSums:
        """Add parts up: one new part for each row of the 0/1 matrix (n_sets, n_parts)."""
        return TargetSums(
            self.shift, *(_add_parts(sums, member) for sums in (self.sum, self.xy, self.yy))
        )


def _add_parts(sums: NDArray[np.float64], member: NDArray[np.float64]) -> NDArray[np.float64]:
    """Add elementwise: the last bits of a matrix product would depend on the other targets."""
    added = np.empty((len(member), *sums.shape[1:]))
    for out, row in zip(added, member, strict=True):
        first, *others = np.flatnonzero(row)
        out[...] = sums[first]
        for part in others:
            out += sums[part]
    return added
