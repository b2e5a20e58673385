"""Tests of links by repeated fits: to permuted cells, and to halves of the cells."""

from ._permutation import PermutationFDR
from ._stability import StabilitySelection

__all__ = ["PermutationFDR", "StabilitySelection"]
