"""What each step of a run kept, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ._text import as_text

# What is counted, and what is kept of it.
_LABELS = {
    "groups": ("Groups of cells", "have a network"),
    "cells": ("Cells of the file", "pass the filter of cells"),
    "genes": ("Genes of the file", "are detected in enough cells"),
    "tf_rows": ("Rows of the list of TFs", "are used"),
    "tfs": ("TFs of the list", "are among the kept genes"),
    "targets_with_links": ("Target genes", "have at least one link"),
    "links_above_threshold": ("Links", "have |coef| above the threshold"),
    "links_found_again": ("Links", "are found again with other folds (none is dropped)"),
    "encode_tfs_found": ("TFs of the ChIP-seq reference", "are among the cells' genes"),
    "encode_genes_found": ("Genes of the ChIP-seq reference", "are among the cells' genes"),
    "encode_tfs_ambiguous": ("Other TFs of the ChIP-seq reference", "have several new names"),
    "encode_genes_ambiguous": ("Other genes of the ChIP-seq reference", "have several new names"),
    "encode_rows": ("Rows of the ChIP-seq reference", "are used"),
    "tfs_kept_by_chip": ("TFs with strong links that the reference has", "pass the ChIP-seq test"),
    "annotation_rows": ("Rows of the motif annotations", "are used"),
    "tfs_with_motif": ("TFs with links", "have an enriched motif"),
    "links_kept_by_test": ("Links", "pass the t test of an effect of their own"),
    "links_stable": ("Links", "are found in enough halves of the folds"),
    "links_filtered": ("Links that were tested", "are kept by the evidence"),
}


class StepRow(NamedTuple):
    """A step of a run.

    Attributes
    ----------
    counted, condition : str
        What was counted, and the condition that the kept ones meet.
    before, kept, dropped : int
    """

    counted: str
    condition: str
    before: int
    kept: int
    dropped: int

    @property
    def share(self) -> float:
        """Share that was kept."""
        return self.kept / max(self.before, 1)


def step_rows(steps: Mapping[str, Any]) -> list[StepRow]:
    """Return the steps of ``run.json``; those of unknown names too."""
    return [
        StepRow(
            *_LABELS.get(name, (as_text(name).replace("_", " "), "are kept")),
            *(step[key] for key in ("before", "kept", "dropped")),
        )
        for name, step in steps.items()
    ]
