"""ChIP-seq evidence on the command line."""

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
    option,
    suggest_lower_overlap,
)

if TYPE_CHECKING:
    import pandas as pd

    from ._encode import EncodeLinkFilter
    from ._reference import BindingReference


@dataclass(frozen=True)
class ChipEvidence(EvidenceKind):
    """Options ``--encode``, ``--ignore-case`` and ``--strict``: Fisher's test of peaks."""

    name = "chip"
    table_names = ("enrichment",)

    encode: Path | None = input_file(
        help="ChIP-seq evidence: a table with TF, target and maybe peak, or gene sets (GMT). "
        "Without evidence, links are not filtered."
    )
    ignore_case: bool = option(
        False,
        help="Match names of --encode (PAX6) with those of the cells (Pax6) in any letter case.",
        needs="encode",
    )
    strict: bool = option(
        False,
        help="Keep only enriched TFs and links with a peak; count only genes that were tested.",
        needs="encode",
    )

    def read(self, cells: CellNames) -> BindingReference:
        """Return the reference, renamed as in the cells if letter case is ignored."""
        from ._harmonize import harmonize_reference
        from ._reference import read_reference

        assert self.encode is not None
        with naming("--encode", self.encode):
            reference = harmonize_reference(
                read_reference(self.encode, cells.by_role["target"]),
                cells.by_role,
                "case" if self.ignore_case else None,
            )
            cells.require("TF", reference.tfs, _suggest_option)
            cells.require("target", reference.genes, _suggest_option)
        return reference

    def make_filter(self, reference: BindingReference, model: FittedModel) -> EncodeLinkFilter:
        """Return the published filter, or the strict one."""
        from ._encode import EncodeLinkFilter

        params: dict[str, Any] = {"coef_threshold": model.coef_threshold, "min_overlap": 0}
        if self.strict:
            tested = model.tested_targets
            return EncodeLinkFilter.strict(reference, tested_targets=tested, **params)
        return EncodeLinkFilter(reference, **params)

    def tables(self, fitted: EncodeLinkFilter) -> dict[str, pd.DataFrame]:
        """Return the test of each TF."""
        return {"enrichment": fitted.enrichment_}

    def steps(self, fitted: EncodeLinkFilter) -> list[Step]:
        """Return how many rows of the file are used, and how many of the tested TFs are kept."""
        from ._reference import as_reference

        rows, kept = as_reference(fitted.reference).rows, fitted.enrichment_["kept"]
        assert rows is not None  # as the reference is from a file
        return [
            Step("encode_rows", "rows of --encode used", rows.n_rows, rows.n_used),
            Step("tfs_kept_by_chip", "TFs kept by ChIP-seq", len(kept), int(kept.sum())),
        ]


def _suggest_option(difference: str | None) -> str:
    if difference == "case":
        return "Add --ignore-case to match them."
    return suggest_lower_overlap(difference)
