"""Networks beside each other, and beside a network that is known."""

from ._combine import combine_links
from ._compare import LinkComparison, compare_links
from ._score import NetworkScore, score_network

__all__ = ["LinkComparison", "NetworkScore", "combine_links", "compare_links", "score_network"]
