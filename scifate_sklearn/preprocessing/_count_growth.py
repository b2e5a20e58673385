"""Growth of new RNA with the total RNA of the same gene, over cells.

New RNA that is a share of the total, x = share × t, grows in proportion to the total of its gene.
Logarithms of new RNA grow more slowly, and shares given as new RNA do not grow at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Genes are weighted by this power of their mean new RNA: logarithms depart from the numbers
# themselves where these are large.
_WEIGHT_POWER = 3
# Standard errors above which an elasticity is taken to lie for certain.
_N_ERRORS = 4
# Genes, each counted by its weight, below which the standard error says nothing.
_FEW_GENES = 3


class Elasticity(NamedTuple):
    """Relative growth of new RNA over that of total RNA, and its standard error."""

    value: float
    error: float

    def is_below(self, limit: float) -> bool:
        """Return whether the elasticity is below a limit by four standard errors."""
        return self.value + _N_ERRORS * self.error < limit


@dataclass(frozen=True)
class Growth:
    """Sums over the cells in which a gene has total RNA; those of other cells can be added.

    Attributes
    ----------
    n, new, total, product, square : ndarray of shape (n_genes,)
        Number of these cells, and over them Σx, Σt, Σxt and Σt² of new RNA x and total RNA t. Cells
        without new RNA count: left out, they would raise the share where the total is small.
    """

    n: Floats
    new: Floats
    total: Floats
    product: Floats
    square: Floats

    @classmethod
    def from_cells(cls, new: sp.csr_array, total: sp.csr_array) -> Self:
        """Sum over two sparse matrices (n_cells, n_genes) of numbers from 0."""
        has_total = (total > 0).astype(np.float64)
        terms = (has_total, new * has_total, total, new * total, total * total)
        return cls(*(np.asarray(each.sum(axis=0), np.float64).ravel() for each in terms))

    @np.errstate(all="ignore")
    def __add__(self, other: Self) -> Self:
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return type(self)(*(one + two for one, two in pairs))

    def largest_mean(self) -> float:
        """Return the largest mean new RNA of a gene."""
        return float((self.new / np.maximum(self.n, 1)).max(initial=0.0))

    @np.errstate(all="ignore")  # numbers that are no counts
    def elasticity(self) -> Elasticity | None:
        """Return by what per cent new RNA grows where the total of its gene is 1 % larger.

        In gene g with the means x̄ and t̄, a_g = Σ(x − x̄)(t − t̄)/(x̄ t̄), b_g = Σ(t − t̄)²/t̄², and
        a_g/b_g is the elasticity at the means of the regression of x on t. Over genes it is
        e = Σ w_g a_g / Σ w_g b_g with w_g = x̄³ and the standard error
        √[Σ w_g² (a_g − e b_g)²] / Σ w_g b_g, which allows for cells of a gene that depend on each
        other. It is 1 for x = share × t whatever the share of each gene, if shares do not depend on
        the total over the cells of a gene; below 1 for log(1 + share × t), by more the larger x;
        and 0 for shares.

        Returns
        -------
        Elasticity or None
            None if fewer than three genes, (Σ w_g b_g)² / Σ (w_g b_g)², have both.
        """
        kept = (self.new > 0) & (self.n > 1)
        n, new, total, product, square = (each[kept] for each in vars(self).values())
        x, t = new / n, total / n
        weight = (x / x.max(initial=0.0)) ** _WEIGHT_POWER
        a = weight * (product - n * x * t) / (x * t)
        b = weight * np.maximum(square - n * t * t, 0.0) / t**2
        if not b.sum() > 0 or not b.sum() ** 2 >= _FEW_GENES * (b**2).sum():
            return None
        value = a.sum() / b.sum()
        return Elasticity(float(value), float(np.sqrt(((a - value * b) ** 2).sum()) / b.sum()))
