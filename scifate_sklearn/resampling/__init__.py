"""How far links can be believed, by fitting again: with permuted cells, and with half of them."""

from .permutation import PermutationFDR
from .stability import StabilitySelection

__all__ = ["PermutationFDR", "StabilitySelection"]
