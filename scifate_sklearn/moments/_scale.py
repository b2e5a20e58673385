"""Moments of z-scores from moments of unscaled values, and back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._moments import Moments

# A variance below this share of the second moment around the shift is rounding, not signal.
CONSTANT = 1e-12


@dataclass(frozen=True)
class Scale:
    """Means and standard deviations (ddof 1) of columns over all cells.

    Attributes
    ----------
    x_mean, x_sd : ndarray of shape (n_features,)
    y_mean, y_sd : ndarray of shape (n_targets,)
        Standard deviations are exactly 0 where a column is constant.
    """

    x_mean: NDArray[np.float64]
    x_sd: NDArray[np.float64]
    y_mean: NDArray[np.float64]
    y_sd: NDArray[np.float64]

    @classmethod
    def from_moments(cls, moments: Moments) -> Scale:
        """Return the means and standard deviations of the columns of `moments`."""
        total = moments.layout.total
        x_squares = total @ np.diagonal(moments.xx, axis1=1, axis2=2)
        weight, n_cells = float(total @ moments.weight), float(total @ moments.n_cells)
        return cls(
            *_mean_and_sd(moments.x_shift, total @ moments.x_sum, x_squares, weight, n_cells),
            *_mean_and_sd(
                moments.y_shift, total @ moments.y_sum, total @ moments.yy, weight, n_cells
            ),
        )

    def zscore(self, moments: Moments, copy: bool = True) -> Moments:
        """Return the moments of (x − mean) / sd; constant columns become 0.

        Parameters
        ----------
        moments : Moments
        copy : bool, default=True
            If False, `moments` are overwritten and must not be used afterwards.
        """
        a, b = _inverse(self.x_sd), _inverse(self.y_sd)
        return replace(
            _times(moments, a, b, copy),
            x_shift=(moments.x_shift - self.x_mean) * a,
            y_shift=(moments.y_shift - self.y_mean) * b,
        )

    def undo(self, moments: Moments) -> Moments:
        """Return the moments before `zscore`."""
        return replace(
            _times(moments, self.x_sd, self.y_sd, copy=True),
            x_shift=moments.x_shift * self.x_sd + self.x_mean,
            y_shift=moments.y_shift * self.y_sd + self.y_mean,
        )


def _mean_and_sd(
    shift: NDArray[np.float64],
    sums: NDArray[np.float64],
    squares: NDArray[np.float64],
    weight: float,
    n_cells: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    mean, square = sums / weight, squares / weight
    variance = square - mean**2
    varies = variance > CONSTANT * np.maximum(square, CONSTANT * (shift + mean) ** 2)
    ddof_1 = n_cells / max(n_cells - 1.0, 1.0)
    return shift + mean, np.sqrt(np.where(varies, variance, 0.0) * ddof_1)


def _inverse(sd: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(1.0, sd, out=np.zeros_like(sd), where=sd > 0)


def _times(moments: Moments, a: NDArray[np.float64], b: NDArray[np.float64], copy: bool) -> Moments:
    """Return the sums of predictors times `a` and targets times `b`."""
    rows = a[:, None]
    factors = {"x_sum": (a,), "y_sum": (b,), "xx": (rows, a), "xy": (rows, b), "yy": (b, b)}
    changed: dict[str, Any] = {}
    for name, own in factors.items():
        sums = getattr(moments, name)
        changed[name] = np.array(sums) if copy else sums
        for factor in own:
            changed[name] *= factor
    return replace(moments, **changed)
