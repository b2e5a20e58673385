"""Networks: comparison, scores, specificity of regulons, and exports to other programs."""

from ._combine import combine_links
from ._compare import LinkComparison, compare_links
from ._edge_lists import to_decoupler, to_scenic
from ._export import export_links, export_paths
from ._networkx import to_networkx
from ._priors import to_celloracle, to_regvelo
from ._regulons import to_regulons
from ._score import NetworkScore, score_network
from ._specificity import regulon_specificity

__all__ = [
    "LinkComparison",
    "NetworkScore",
    "combine_links",
    "compare_links",
    "export_links",
    "export_paths",
    "regulon_specificity",
    "score_network",
    "to_celloracle",
    "to_decoupler",
    "to_networkx",
    "to_regulons",
    "to_regvelo",
    "to_scenic",
]
