from ._annotations import read_motif_annotations as read_motif_annotations
from ._command import MotifEvidence as MotifEvidence
from ._filter import MotifLinkFilter as MotifLinkFilter
from ._priors import motif_scores as motif_scores
from ._rankings import MotifRankings as MotifRankings
