"""New against total counts of the same cells and genes: new counts are part of the total.

If the numbers given as new RNA are no whole numbers, the totals beside them tell estimates (a share
of the total) from two kinds of numbers which look the same by themselves:

- *Fractions*: none exceeds 1, and nearly all of ten or more are whole numbers after multiplication
  by the total.
- *Flat*: none exceeds 1, and new RNA grows less than half as fast as the total of its gene
  (`Growth.elasticity` below 0.5). Fractions do, and sparse estimates that hardly depend on the
  total.
- *Logarithms*: none exceeds log(total + 1), and new RNA grows less than three quarters as fast as
  the total of its gene (elasticity below 0.75), although the mean of a gene reaches 0.6: logarithms
  of smaller numbers grow faster.

Elasticities are below these limits by four standard errors or more. On the data that were looked
at, those of count data and estimates are between 0.74 and 1.6, most of them between 0.8 and 1.1,
and those of logarithms of estimates at most 0.63. An exception are posterior means of shares with a
flat prior: where few reads are labelled, they follow the prior and have those of logarithms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import scipy.sparse as sp

from ._count_growth import Growth
from ._count_units import are_whole
from ._counts import Matrix

# Relative difference of numbers that are equal but for rounding to single precision.
_TOLERANCE = 1e-5
# Elasticities below which numbers are no share of the total but logarithms, or fractions.
_LOGARITHMS, _FRACTIONS = 0.75, 0.5
# Mean of a gene at which the elasticity of logarithms, (1 − exp(−x))/x, is 0.75.
_LEAST_MEAN = 0.6
# Fractional numbers of which nearly all must be whole after multiplication by the total.
_FEW_VALUES = 10
_NEARLY_ALL = 0.95


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
    n_above_logarithm : int
        Number of entries in which new counts are above log(total + 1).
    n_fractional, n_ratios : int
        Number of new counts that are not whole, and of those that are whole after multiplication by
        the total, as the ratio of two counts.
    largest_beside : float
        Largest total count beside a new count.
    growth : Growth
        Of new RNA with the total of the same gene.
    """

    n_new: int
    n_above: int
    n_below: int
    n_above_logarithm: int
    n_fractional: int
    n_ratios: int
    largest_beside: float
    growth: Growth

    @classmethod
    @np.errstate(all="ignore")  # numbers that are no counts raise an error later
    def from_cells(cls, new: Matrix, total: Matrix) -> Self:
        """Compare two matrices (n_cells, n_genes), dense or sparse, of numbers from 0."""
        # SciPy's types have no comparison of two matrices.
        ours: Any = sp.csr_array(new).astype(np.float64)
        theirs: Any = sp.csr_array(total).astype(np.float64)
        has_new = ours > 0
        fractional = has_new.astype(np.float64) * ours
        fractional.data = np.where(are_whole(fractional.data), 0.0, fractional.data)
        fractional.eliminate_zeros()
        return cls(
            int(has_new.sum()),
            int(exceeds(ours, theirs).sum()),
            int(exceeds(theirs, ours).sum()),
            int(exceeds(ours, theirs.log1p()).sum()),
            fractional.nnz,
            int(are_whole((fractional * theirs).data, 1e-4).sum()),
            float(theirs.multiply(has_new).data.max(initial=0.0)),
            Growth.from_cells(ours, theirs),
        )

    def __add__(self, other: Self) -> Self:
        return type(self)(
            self.n_new + other.n_new,
            self.n_above + other.n_above,
            self.n_below + other.n_below,
            self.n_above_logarithm + other.n_above_logarithm,
            self.n_fractional + other.n_fractional,
            self.n_ratios + other.n_ratios,
            max(self.largest_beside, other.largest_beside),
            self.growth + other.growth,
        )

    def are_ratios(self) -> bool:
        """Return whether new counts of which none exceeds 1 are ratios of counts to the total."""
        are_many = self.n_fractional >= _FEW_VALUES
        return are_many and self.n_ratios >= _NEARLY_ALL * self.n_fractional

    def flat_growth(self) -> float | None:
        """Return the elasticity of new counts that grow as slowly as fractions, None for others."""
        return self._elasticity_below(_FRACTIONS)

    def slow_growth(self) -> float | None:
        """Return the elasticity of new counts that behave as logarithms do, None for others."""
        if not self.n_fractional or self.n_above_logarithm:
            return None
        if self.growth.largest_mean() < _LEAST_MEAN:
            return None  # logarithms would grow faster
        return self._elasticity_below(_LOGARITHMS)

    def _elasticity_below(self, limit: float) -> float | None:
        elasticity = self.growth.elasticity()
        return None if elasticity is None or not elasticity.is_below(limit) else elasticity.value
