"""Comparison of networks with each other, and with a known network."""

from ._combine import combine_links
from ._compare import LinkComparison, compare_links
from ._score import NetworkScore, score_network

__all__ = ["LinkComparison", "NetworkScore", "combine_links", "compare_links", "score_network"]
