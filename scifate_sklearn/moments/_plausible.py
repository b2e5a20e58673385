"""Whether numbers from a file can be sums over cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ._moments import Moments


def are_sums(moments: Moments) -> bool:
    """Say whether no square is negative, and no product larger than Cauchy and Schwarz allow.

    Parameters
    ----------
    moments : Moments
        Of the right shapes, and finite.

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
    """Return sums of squares with room for what is lost when they are moved to another shift.

    How far they were moved is not known, so the largest column makes the room for all.
    """
    return squares + 1e-9 * (abs(squares).sum(axis=0) + weight.sum() * shift**2).max()
