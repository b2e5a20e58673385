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
class NamedReference:
    """A reference with the names of the cells.

    Attributes
    ----------
    reference : BindingReference
    overlap : DataFrame or None
        From `name_overlap`, if a table of aliases is given.
    """

    reference: BindingReference
    overlap: pd.DataFrame | None


@dataclass(frozen=True)
class ChipEvidence(EvidenceKind):
    """Options ``--encode``, ``--aliases``, ``--ignore-case``, ``--strict``: Fisher's test."""

    name = "chip"
    table_names = ("enrichment",)

    encode: Path | None = input_file(
        help="ChIP-seq evidence: a table with TF, target and maybe peak, or gene sets (GMT). "
        "Without evidence, links are not filtered. 'auto' fetches a public one of --species.",
        fetched="chip",
    )
    aliases: Path | None = input_file(
        help="Names of --encode that the cells call otherwise: a table of old symbols or of "
        "orthologs (HGNC, HCOP, BioMart, MGI, or columns old and new).",
        needs="encode",
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

    def read(self, cells: CellNames) -> NamedReference:
        """Return the reference with the names of the cells, by the table and without case."""
        from ._harmonize import harmonize_reference, name_overlap
        from ._reference import read_reference

        assert self.encode is not None
        aliases = self._read_aliases(cells)
        with naming("--encode", self.encode):
            given, is_bound_only = read_reference(self.encode, cells.by_role["target"])
            reference = harmonize_reference(given, cells.by_role, aliases)
            if self.ignore_case:
                reference = harmonize_reference(reference, cells.by_role, "case")
            cells.require("TF", reference.tfs, self._suggest_option)
            cells.require("target", reference.genes, self._suggest_option)
            if is_bound_only:
                reference = reference.with_universe(cells.by_role["target"])
        overlap = None if aliases is None else name_overlap(cells.by_role, given, aliases)
        return NamedReference(reference, overlap)

    def _read_aliases(self, cells: CellNames) -> pd.DataFrame | None:
        """Return the table of aliases, whose new names are those of the cells."""
        from ...names import read_gene_table

        if self.aliases is None:
            return None
        with naming("--aliases", self.aliases):
            return read_gene_table(self.aliases, names=cells.by_role["target"])

    def _suggest_option(self, difference: str | None) -> str:
        if difference == "case" and not self.ignore_case:
            return "Add --ignore-case to match them, or give a table of orthologs as --aliases."
        return suggest_lower_overlap(difference)

    def make_filter(self, reference: NamedReference, model: FittedModel) -> EncodeLinkFilter:
        """Return the published filter, or the strict one."""
        from ._encode import EncodeLinkFilter

        params: dict[str, Any] = {"coef_threshold": model.coef_threshold, "min_overlap": 0}
        if self.strict:
            tested = model.tested_targets
            return EncodeLinkFilter.strict(reference.reference, tested_targets=tested, **params)
        return EncodeLinkFilter(reference.reference, **params)

    def tables(self, fitted: EncodeLinkFilter) -> dict[str, pd.DataFrame]:
        """Return the test of each TF."""
        return {"enrichment": fitted.enrichment_}

    def steps_of_reading(self, reference: NamedReference) -> list[Step]:
        """Return how many names of the file the cells have, and how many others are ambiguous."""
        if reference.overlap is None:
            return []
        steps = []
        for role, kind in (("TF", "TF"), ("target", "gene")):
            row: Any = reference.overlap.loc[role]
            given, found = int(row["n_reference"]), int(row["n_found"])
            name = f"encode_{kind.lower()}s"
            steps.append(Step(f"{name}_found", f"{kind}s of --encode found", given, found))
            ambiguous = int(row["n_ambiguous"])
            steps.append(Step(f"{name}_ambiguous", "others, ambiguous", given - found, ambiguous))
        return steps

    def steps(self, fitted: EncodeLinkFilter) -> list[Step]:
        """Return how many rows of the file are used, and how many of the tested TFs are kept."""
        from ._reference import as_reference

        rows, kept = as_reference(fitted.reference).rows, fitted.enrichment_["kept"]
        assert rows is not None  # as the reference is from a file
        return [
            Step("encode_rows", "rows of --encode used", rows.n_rows, rows.n_used),
            Step("tfs_kept_by_chip", "TFs kept by ChIP-seq", len(kept), int(kept.sum())),
        ]
