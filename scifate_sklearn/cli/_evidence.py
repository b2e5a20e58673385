"""The evidence of `scifate run`: read before the fit, asked after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scifate_sklearn.filters import (
    BindingReference,
    EncodeLinkFilter,
    LinkUnion,
    MotifLinkFilter,
    MotifRankings,
    harmonize_reference,
    read_motif_annotations,
)
from scifate_sklearn.filters.base import LinkFilter
from scifate_sklearn.filters.names import require_overlap


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

    Raises
    ------
    ValueError
        If a file is not what it should be, or names do not meet; it names the option.
    """
    names = {"TF": genes.index[genes["is_tf"]], "target": genes.index}
    reference = rankings = annotations = None
    if encode is not None:
        with _naming("--encode", encode):
            reference = harmonize_reference(
                BindingReference.read(encode), names, "case" if ignore_case else None
            )
            for role, theirs in (("TF", reference.tfs), ("target", reference.genes)):
                _compare(names[role], theirs, role, _ignore_case)
    if motifs is not None and motif_annotations is not None:
        rankings = MotifRankings.read(motifs)
        annotations = read_motif_annotations(motif_annotations)
        with _naming("--motifs", motifs):
            _compare(names["target"], rankings.genes, "target", _other_species)
        with _naming("--motif-annotations", motif_annotations):
            _compare(names["TF"], set(annotations["TF"]), "TF", _other_species)
    return Evidence(reference, rankings, annotations)


def evidence_tables(fitted: LinkUnion, links: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the tables of a fitted filter, by the name of their file."""
    tables = {"links_filtered": fitted.transform(links), "ledger": fitted.ledger_}
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


def _compare(ours: Any, theirs: Any, role: str, way_out: Callable[[str | None], str]) -> None:
    require_overlap(ours, theirs, what=role, whose="the cells", hint=way_out)


def _ignore_case(difference: str | None) -> str:
    return "--ignore-case does that." if difference == "case" else ""


def _other_species(difference: str | None) -> str:
    return "Take rankings and annotations of the species of the cells."


@contextmanager
def _naming(option: str, path: Path) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{option} {path}: {error}") from error
