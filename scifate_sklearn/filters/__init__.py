"""Evidence for links: references, filters that test links against them, and prior knowledge.

- All filters share `base` and `LinkUnion`; `prior_penalties` converts evidence into penalties.
- `chip`: ChIP-seq references and Fisher's exact test.
- `motifs`: motif rankings, their annotations and enrichment.
"""

from ._priors import prior_penalties
from ._union import LinkUnion
from .chip import BindingReference, EncodeLinkFilter, harmonize_reference, name_overlap
from .motifs import MotifLinkFilter, MotifRankings, motif_scores, read_motif_annotations

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
