"""How far links can be believed, by fitting again: with permuted cells, and with half of them."""

from ._permutation import PermutationFDR
from ._stability import StabilitySelection

__all__ = ["PermutationFDR", "StabilitySelection"]
