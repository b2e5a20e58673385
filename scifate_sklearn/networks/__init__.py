"""Networks beside each other, and beside a network that is known."""

from scifate_sklearn.networks.combine import combine_links
from scifate_sklearn.networks.compare import LinkComparison, compare_links
from scifate_sklearn.networks.score import NetworkScore, score_network

__all__ = ["LinkComparison", "NetworkScore", "combine_links", "compare_links", "score_network"]
