"""Motif evidence on the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..evidence import EvidenceKind, FittedModel, Step, input_file, naming

if TYPE_CHECKING:
    import pandas as pd

    from ._filter import MotifLinkFilter
    from ._rankings import MotifRankings


@dataclass(frozen=True)
class MotifEvidence(EvidenceKind):
    """Options ``--motifs`` and ``--motif-annotations``: enrichment in motif rankings."""

    name = "motif"
    table_names = ("motif_enrichment",)

    motifs: Path | None = input_file(
        help="Motif evidence: a cisTarget ranking database (feather). A link is kept if any "
        "evidence supports it.",
        needs="motif_annotations",
    )
    motif_annotations: Path | None = input_file(
        help="TFs of the motifs: cisTarget's .tbl, or a table with motif and TF.",
        needs="motifs",
    )

    def read(
        self, names: Mapping[str, pd.Index[str]], min_overlap: float
    ) -> tuple[MotifRankings, pd.DataFrame]:
        """Return the rankings and the annotations."""
        from ...names import require_overlap
        from ._annotations import read_motif_annotations
        from ._rankings import MotifRankings

        compare = partial(
            require_overlap, whose="the cells", min_share=min_overlap, hint=_explain_difference
        )
        assert self.motifs is not None
        assert self.motif_annotations is not None
        rankings = MotifRankings.read(self.motifs)
        annotations = read_motif_annotations(self.motif_annotations)
        with naming("--motifs", self.motifs):
            compare(names["target"], rankings.genes, what="target")
        with naming("--motif-annotations", self.motif_annotations):
            compare(names["TF"], set(annotations["TF"]), what="TF")
        return rankings, annotations

    def make_filter(
        self, reference: tuple[MotifRankings, pd.DataFrame], model: FittedModel
    ) -> MotifLinkFilter:
        """Return the filter with its default thresholds."""
        from ._filter import MotifLinkFilter

        rankings, annotations = reference
        return MotifLinkFilter(rankings, annotations, min_overlap=0)

    def tables(self, fitted: MotifLinkFilter) -> dict[str, pd.DataFrame]:
        """Return the enriched motifs of each TF, targets joined by ";"."""
        enriched = fitted.enrichment_
        return {"motif_enrichment": enriched.assign(targets=enriched["targets"].map(";".join))}

    def steps(self, fitted: MotifLinkFilter) -> list[Step]:
        """Return how many of the TFs with links have an enriched motif."""
        n_tfs, n_enriched = (
            table["TF"].nunique() for table in (fitted.ledger_, fitted.enrichment_)
        )
        return [Step("tfs_with_motif", "TFs with enriched motif", n_tfs, n_enriched)]


def _explain_difference(difference: str | None) -> str:
    return (
        "Use files for the species of the cells; if a small overlap is expected, lower "
        "--min-overlap."
    )
