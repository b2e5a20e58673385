"""New against total counts of the same cells and genes: new counts are part of the total."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import scipy.sparse as sp

from ._counts import Matrix

# Relative difference of numbers that are equal but for rounding to single precision.
_TOLERANCE = 1e-5


def exceeds(ours: Any, theirs: Any) -> Any:
    """Return where numbers from 0 exceed others by more than rounding to single precision.

    Parameters
    ----------
    ours, theirs : {ndarray, sparse} of shape (n_cells, n_genes)
        Both dense, or both sparse.

    Returns
    -------
    {ndarray, sparse} of bool of shape (n_cells, n_genes)
    """
    return ours > theirs * (1 + _TOLERANCE)


@dataclass(frozen=True)
class CountPairs:
    """Entries of some cells in which new and total counts differ; those of others can be added.

    Attributes
    ----------
    n_new : int
        Number of entries with new counts.
    n_above, n_below : int
        Number of entries in which new counts are above and below the total ones.
    largest_beside : float
        Largest total count beside a new count.
    """

    n_new: int
    n_above: int
    n_below: int
    largest_beside: float

    @classmethod
    @np.errstate(over="ignore")  # numbers that are too large for counts, which raise an error later
    def from_cells(cls, new: Matrix, total: Matrix) -> Self:
        """Compare two matrices (n_cells, n_genes), dense or sparse, of numbers from 0."""
        # SciPy's types have no comparison of two matrices.
        ours: Any = sp.csr_array(new).astype(np.float64)
        theirs: Any = sp.csr_array(total).astype(np.float64)
        has_new = ours > 0
        return cls(
            int(has_new.sum()),
            int(exceeds(ours, theirs).sum()),
            int(exceeds(theirs, ours).sum()),
            float(theirs.multiply(has_new).data.max(initial=0.0)),
        )

    def __add__(self, other: Self) -> Self:
        return type(self)(
            self.n_new + other.n_new,
            self.n_above + other.n_above,
            self.n_below + other.n_below,
            max(self.largest_beside, other.largest_beside),
        )
