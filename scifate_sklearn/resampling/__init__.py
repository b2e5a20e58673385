"""Tests of links with the cells themselves: t tests, permuted cells, halves, and two groups."""

from ._differential import DifferentialLinks
from ._link_test import LinkTest
from ._permutation import PermutationFDR
from ._seeds import SeedStability, seed_stability
from ._stability import StabilitySelection

__all__ = [
    "DifferentialLinks",
    "LinkTest",
    "PermutationFDR",
    "SeedStability",
    "StabilitySelection",
    "seed_stability",
]
