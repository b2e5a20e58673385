"""Comparison of networks with each other and with a known one, and specificity of regulons."""

from ._combine import combine_links
from ._compare import LinkComparison, compare_links
from ._score import NetworkScore, score_network
from ._specificity import regulon_specificity

__all__ = [
    "LinkComparison",
    "NetworkScore",
    "combine_links",
    "compare_links",
    "regulon_specificity",
    "score_network",
]
