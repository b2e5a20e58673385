"""Motif evidence on the command line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..evidence import (
    CellNames,
    EvidenceKind,
    FittedModel,
    Step,
    input_file,
    naming,
    suggest_lower_overlap,
)

if TYPE_CHECKING:
    import pandas as pd

    from ._filter import MotifLinkFilter
    from ._rankings import MotifRankings


@dataclass(frozen=True)
class MotifEvidence(EvidenceKind):
    """Options ``--motifs`` and ``--motif-annotations``: enrichment in motif rankings."""

    name = "motif"
    table_names = ("motif_enrichment",)

    motifs: list[Path] | None = input_file(
        help="Motif evidence: a cisTarget ranking database (feather). Repeat the option for "
        "several. A link is kept if any evidence supports it. 'auto' fetches that of --species, "
        "and its annotations (400 MB).",
        needs="motif_annotations",
        fetched="rankings",
        arguments=("rankings",),
    )
    motif_annotations: Path | None = input_file(
        help="TFs of the motifs: cisTarget's .tbl, or a table with motif and TF.",
        needs="motifs",
        fetched="annotations",
    )

    def read(self, cells: CellNames) -> tuple[tuple[MotifRankings, ...], pd.DataFrame]:
        """Return the rankings and the annotations."""
        from ._annotations import HIGH, annotations_in, read_motif_annotations
        from ._rankings import as_databases

        assert self.motifs
        assert self.motif_annotations is not None
        databases = tuple(self._read_rankings(path, cells) for path in self.motifs)
        with naming("--motifs", self.motifs[0]):
            as_databases(databases)
        with naming("--motif-annotations", self.motif_annotations):
            annotations = read_motif_annotations(self.motif_annotations)
            for rankings in databases:
                annotations_in(annotations, rankings, HIGH)
            cells.require("TF", set(annotations["TF"]), _suggest_species)
        return databases, annotations

    def _read_rankings(self, path: Path, cells: CellNames) -> MotifRankings:
        from ._rankings import MotifRankings

        with naming("--motifs", path):
            rankings = MotifRankings.read(path)
            cells.require("target", rankings.genes, _suggest_species)
        return rankings

    def make_filter(
        self, reference: tuple[tuple[MotifRankings, ...], pd.DataFrame], model: FittedModel
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
        """Return how many annotations are used, and how many TFs have an enriched motif."""
        annotations: Any = fitted.annotations  # the table from `read`
        rows = annotations.attrs["rows"]
        n_tfs, n_enriched = (
            table["TF"].nunique() for table in (fitted.ledger_, fitted.enrichment_)
        )
        return [
            Step("annotation_rows", "motif annotations used", rows["n_rows"], rows["n_used"]),
            Step("tfs_with_motif", "TFs with enriched motif", n_tfs, n_enriched),
        ]


def _suggest_species(difference: str | None) -> str:
    return f"Use files for the species of the cells. {suggest_lower_overlap(difference)}"
