"""Evidence of one run: references read before the fit, filters fitted after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from .._warnings import warn
from ..files import AdvisedError
from ..filters import LinkUnion
from ..filters.evidence import CellNames, EvidenceKind, FittedModel, Step
from ..links import survivors

_N_REASONS = 3


@dataclass(frozen=True)
class LoadedEvidence:
    """The references of the kinds of evidence that the user has turned on.

    Attributes
    ----------
    by_kind : list of (EvidenceKind, object)
        Each kind, and what its ``read`` returned.
    """

    by_kind: list[tuple[EvidenceKind, Any]]

    @classmethod
    def from_files(
        cls, kinds: Sequence[EvidenceKind], genes: pd.DataFrame, min_overlap: float
    ) -> LoadedEvidence:
        """Read the files and compare their names with those of the cells.

        Called before the fit, so that evidence with other names costs no regression.

        Parameters
        ----------
        kinds : sequence of EvidenceKind
        genes : DataFrame
            One row per gene of the cells, with the column ``is_tf``.
        min_overlap : float
            Least share of names in common.

        Returns
        -------
        LoadedEvidence

        Raises
        ------
        ValueError
            If a file cannot be used, or too few names match; the message names the option.
        """
        names = {"TF": genes.index[genes["is_tf"]], "target": genes.index}
        cells = CellNames(names, min_overlap)
        return cls([(kind, kind.read(cells)) for kind in kinds if kind.is_given])

    def test_links(self, links: pd.DataFrame, model: FittedModel) -> TestedLinks:
        """Return the links with their evidence."""
        filters = [(kind.name, kind.make_filter(each, model)) for kind, each in self.by_kind]
        try:
            union = LinkUnion(filters).fit(links)
        except AdvisedError as error:
            raise ValueError(error.for_options()) from error
        read = [step for kind, each in self.by_kind for step in kind.steps_of_reading(each)]
        return TestedLinks([kind for kind, _ in self.by_kind], union, read)


@dataclass(frozen=True)
class TestedLinks:
    """Links after the filters of all evidence.

    Attributes
    ----------
    kinds : list of EvidenceKind
    union : LinkUnion
        The fitted filters, under the names of the kinds.
    read : list of Step
        Counts of the references.
    """

    kinds: list[EvidenceKind]
    union: LinkUnion
    read: list[Step]

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the tables to write, by the name of their file."""
        ledger = self.union.ledger_
        tables = {"links_filtered": survivors(ledger), "ledger": ledger}
        for kind in self.kinds:
            tables |= kind.tables(self.union.filters_[kind.name])
        return {name: plain_text(table) for name, table in tables.items()}

    def steps(self) -> list[Step]:
        """Return the counts of the references, of each filter, and of the links."""
        kept = self.union.ledger_["kept"]
        return [
            *self.read,
            *(step for kind in self.kinds for step in kind.steps(self.union.filters_[kind.name])),
            Step("links_filtered", "links kept by evidence", len(kept), int(kept.sum())),
        ]


def warn_if_none_is_kept(ledger: pd.DataFrame) -> None:
    """Warn if no link is kept, with the most frequent reasons."""
    if len(ledger) == 0 or ledger["kept"].any():
        return
    reasons = ledger["reason"].value_counts().head(_N_REASONS)
    listed = "; ".join(f"{count:,} links: {reason}" for reason, count in reasons.items())
    warn(
        f"The tests keep none of {len(ledger):,} links. Most frequent reasons: {listed}. "
        "ledger.csv has the reason of each link."
    )


def plain_text(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with "" for missing text, which files of cells cannot hold."""
    is_text = [
        isinstance(kind, pd.StringDtype) or pd.api.types.is_object_dtype(kind)
        for kind in table.dtypes
    ]
    text: list[str] = table.columns[is_text].tolist()
    return table.assign(**{name: table[name].astype(object).fillna("") for name in text})
