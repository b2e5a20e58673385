"""Evidence for links: references, the filters that test links against them, and prior knowledge.

- What all filters share: `base`, `union`; names that must meet: `names`, `harmonize`.
- ChIP-seq: `encode` (the filter), `enrichment` and `fisher` (its test), `reference`, and the files
  it is read from: `reading`, `layouts`.
- Motifs: `motifs` (the filter), `motif_tests` and `motif_enrichment` (its test), and its files:
  `rankings`, `feather`, `motif_annotations`.
- Before the fit: `priors`, `motif_priors`.
"""

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
