"""Motif evidence: ranking databases, annotations, enrichment and the filter."""

from ._annotations import read_motif_annotations
from ._filter import MotifLinkFilter
from ._priors import motif_scores
from ._rankings import MotifRankings

__all__ = ["MotifLinkFilter", "MotifRankings", "motif_scores", "read_motif_annotations"]
