from . import base as base, evidence as evidence
from ._priors import prior_penalties as prior_penalties
from ._union import LinkUnion as LinkUnion
from .chip import (
    BindingReference as BindingReference,
    EncodeLinkFilter as EncodeLinkFilter,
    harmonize_reference as harmonize_reference,
    name_overlap as name_overlap,
    read_gene_table as read_gene_table,
)
from .motifs import (
    MotifLinkFilter as MotifLinkFilter,
    MotifRankings as MotifRankings,
    motif_scores as motif_scores,
    read_motif_annotations as read_motif_annotations,
)
