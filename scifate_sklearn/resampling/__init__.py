"""Tests of links against the cells themselves: t tests, permuted cells, and halves of the cells."""

from ._link_test import LinkTest
from ._permutation import PermutationFDR
from ._stability import StabilitySelection

__all__ = ["LinkTest", "PermutationFDR", "StabilitySelection"]
