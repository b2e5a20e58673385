"""Evidence for links: references, the filters that test links against them, and prior knowledge."""

from scifate_sklearn.filters.encode import EncodeLinkFilter
from scifate_sklearn.filters.harmonize import harmonize_reference, name_overlap
from scifate_sklearn.filters.motif_annotations import read_motif_annotations
from scifate_sklearn.filters.motif_priors import motif_scores
from scifate_sklearn.filters.motifs import MotifLinkFilter
from scifate_sklearn.filters.priors import prior_penalties
from scifate_sklearn.filters.rankings import MotifRankings
from scifate_sklearn.filters.reference import BindingReference
from scifate_sklearn.filters.union import LinkUnion

__all__ = [
    "BindingReference",
    "EncodeLinkFilter",
    "LinkUnion",
    "MotifLinkFilter",
    "MotifRankings",
    "harmonize_reference",
    "motif_scores",
    "name_overlap",
    "prior_penalties",
    "read_motif_annotations",
]
