"""The evidence of `scifate run`: read before the fit, asked after it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..filters import (
    BindingReference,
    EncodeLinkFilter,
    LinkUnion,
    MotifLinkFilter,
    MotifRankings,
    harmonize_reference,
    read_motif_annotations,
)
from ..filters.base import LinkFilter
from ..links import survivors
from ..names import require_overlap


@dataclass(frozen=True)
class Evidence:
    """What the files hold; None where there is no file."""

    reference: BindingReference | None
    rankings: MotifRankings | None
    annotations: pd.DataFrame | None

    def filter(
        self, coef_threshold: float, strict: bool, tested_targets: np.ndarray[Any, Any]
    ) -> LinkUnion | None:
        """Return the filter that asks all there is, or None."""
        # Names were compared before the fit, whose result no second look is worth.
        filters: list[tuple[str, LinkFilter]] = []
        if self.reference is not None:
            params: dict[str, Any] = {"coef_threshold": coef_threshold, "min_overlap": 0}
            chip = (
                EncodeLinkFilter.strict(self.reference, tested_targets=tested_targets, **params)
                if strict
                else EncodeLinkFilter(self.reference, **params)
            )
            filters.append(("chip", chip))
        if self.rankings is not None and self.annotations is not None:
            filters.append(
                ("motif", MotifLinkFilter(self.rankings, self.annotations, min_overlap=0))
            )
        return LinkUnion(filters) if filters else None


def read_evidence(
    encode: Path | None,
    ignore_case: bool,
    motifs: Path | None,
    motif_annotations: Path | None,
    genes: pd.DataFrame,
    min_overlap: float,
) -> Evidence:
    """Read the files and compare their names with those of the cells.

    Before the fit, so that evidence which does not meet the cells costs no regression.

    Parameters
    ----------
    encode, motifs, motif_annotations : Path or None
    ignore_case : bool
        Whether names of `encode` may differ from the cells' in letter case.
    genes : DataFrame
        One row per gene of the cells, with the column ``is_tf``.
    min_overlap : float
        Least share of names in common.

    Raises
    ------
    ValueError
        If a file is not what it should be, or names do not meet; it names the option.
    """
    names = {"TF": genes.index[genes["is_tf"]], "target": genes.index}
    compare = partial(require_overlap, whose="the cells", min_share=min_overlap)
    reference = rankings = annotations = None
    if encode is not None:
        with _naming("--encode", encode):
            reference = harmonize_reference(
                BindingReference.read(encode), names, "case" if ignore_case else None
            )
            compare(names["TF"], reference.tfs, what="TF", hint=_ignore_case)
            compare(names["target"], reference.genes, what="target", hint=_ignore_case)
    if motifs is not None and motif_annotations is not None:
        rankings = MotifRankings.read(motifs)
        annotations = read_motif_annotations(motif_annotations)
        with _naming("--motifs", motifs):
            compare(names["target"], rankings.genes, what="target", hint=_other_species)
        with _naming("--motif-annotations", motif_annotations):
            compare(names["TF"], set(annotations["TF"]), what="TF", hint=_other_species)
    return Evidence(reference, rankings, annotations)


def evidence_tables(fitted: LinkUnion) -> dict[str, pd.DataFrame]:
    """Return the tables of a fitted filter, by the name of their file."""
    tables = {"links_filtered": survivors(fitted.ledger_), "ledger": fitted.ledger_}
    if "chip" in fitted.filters_:
        tables["enrichment"] = fitted.filters_["chip"].enrichment_
    if "motif" in fitted.filters_:
        enriched = fitted.filters_["motif"].enrichment_
        tables["motif_enrichment"] = enriched.assign(targets=enriched["targets"].map(";".join))
    return {name: _with_plain_text(table) for name, table in tables.items()}


def _with_plain_text(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table without missing text, which files of cells cannot hold."""
    is_text = [isinstance(kind, pd.StringDtype) for kind in table.dtypes]
    text: list[str] = table.columns[is_text].tolist()
    return table.assign(**{name: table[name].astype(object).fillna("") for name in text})


def _ignore_case(difference: str | None) -> str:
    if difference == "case":
        return "--ignore-case does that."
    return "If so little is right, lower --min-overlap."


def _other_species(difference: str | None) -> str:
    return (
        "Take the files of the species of the cells, or lower --min-overlap if so little is right."
    )


@contextmanager
def _naming(option: str, path: Path) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{option} {path}: {error}") from error
