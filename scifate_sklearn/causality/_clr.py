"""Context likelihood of relatedness: a score relative to those of the same TF and target."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array

from ..preprocessing import naming


def clr(matrix: ArrayLike) -> NDArray[np.float64]:
    """Return how far each score is above the others of its row and of its column.

    A gene that shares much information with every other gene, such as one that follows the cell
    cycle, loses its advantage.

    Parameters
    ----------
    matrix : array-like of shape (n_TFs, n_targets)
        Scores of all pairs, such as restricted directed information.

    Returns
    -------
    ndarray of shape (n_TFs, n_targets)
        √((z_row² + z_column²)/2) with z = max(0, (score − mean)/sd), ddof 1; z is 0 where all
        scores are the same.

    References
    ----------
    J. J. Faith et al., "Large-scale mapping and validation of Escherichia coli transcriptional
    regulation from a compendium of expression profiles", PLoS Biology 5, 2007.

    Examples
    --------
    >>> from scifate_sklearn.causality import clr
    >>> clr([[0.0, 0.0, 0.9], [0.0, 0.3, 0.0], [0.1, 0.0, 0.0]]).round(1)
    array([[0. , 0. , 1.2],
           [0. , 1.2, 0. ],
           [1.2, 0. , 0. ]])
    """
    with naming("`matrix`"):
        scores = check_array(matrix, dtype=np.float64, input_name="")
    # Squares of extreme numbers would be 0 or infinite.
    scores = scores / (np.abs(scores).max() or 1.0)
    by_row, by_column = (_above_mean(scores, axis) for axis in (1, 0))
    return np.sqrt(0.5 * (by_row**2 + by_column**2))


def _above_mean(scores: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """Return z-scores along an axis, those below 0 as 0."""
    if scores.shape[axis] < 2:
        return np.zeros_like(scores)
    deviations = scores - scores.mean(axis, keepdims=True)
    sd = scores.std(axis, ddof=1, keepdims=True)
    is_constant = np.ptp(scores, axis, keepdims=True) == 0
    return np.where(is_constant, 0.0, np.maximum(deviations, 0.0) / np.where(is_constant, 1.0, sd))
