"""Evidence for links: binding references, motif rankings, and the filters that test links."""

from scifate_sklearn.filters.encode import EncodeLinkFilter
from scifate_sklearn.filters.motif_annotations import read_motif_annotations
from scifate_sklearn.filters.motifs import MotifLinkFilter
from scifate_sklearn.filters.rankings import MotifRankings
from scifate_sklearn.filters.reference import BindingReference

__all__ = [
    "BindingReference",
    "EncodeLinkFilter",
    "MotifLinkFilter",
    "MotifRankings",
    "read_motif_annotations",
]
