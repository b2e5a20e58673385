"""Consistency of the numbers in a file: whether they can be sums over cells."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ._algebra import PartSums


def are_sums(moments: PartSums) -> bool:
    """Return whether no square is negative and every product obeys the Cauchy–Schwarz inequality.

    Parameters
    ----------
    moments : PartSums
        With finite numbers and consistent shapes.

    Returns
    -------
    bool
    """
    if not np.array_equal(moments.n_cells > 0, moments.weight > 0):
        return False
    with np.errstate(over="ignore"):
        xx = np.diagonal(moments.xx, axis1=1, axis2=2)
        x_square = _with_rounding(xx, moments.weight, moments.x_shift)
        y_square = _with_rounding(moments.yy, moments.weight, moments.y_shift)
        if min(x_square.min(), y_square.min()) < 0:
            return False
        for k, weight in enumerate(moments.weight):
            x_root, y_root, w_root = np.sqrt(x_square[k]), np.sqrt(y_square[k]), np.sqrt(weight)
            for product, bound in (
                (moments.xx[k], np.outer(x_root, x_root)),
                (moments.xy[k], np.outer(x_root, y_root)),
                (moments.x_sum[k], x_root * w_root),
                (moments.y_sum[k], y_root * w_root),
            ):
                if (abs(product) > 1.001 * bound).any():
                    return False
    return True


def _with_rounding(
    squares: NDArray[np.float64], weight: NDArray[np.float64], shift: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return sums of squares plus the rounding error that a move to another shift may cause.

    The distance of that move is unknown, so the largest column sets the margin for all.
    """
    return squares + 1e-9 * (abs(squares).sum(axis=0) + weight.sum() * shift**2).max()
