"""Titles and meanings of the columns of result tables, and the values that a page shows."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..names import as_flags
from ._text import as_text

# The page has one row per TF in another table for these.
HIDDEN = (
    *("chip_link_peak", "chip_link_no_peak"),
    *("chip_no_link_peak", "chip_no_link_no_peak"),
)
# They come first, in this order.
_NAMES = ("group", "TF", "target")
_FIRST = ("group", "TF", "target", "coef", "kept", "reason")
MEANINGS = {
    "group": "group of cells, which has a network of its own",
    "TF": "transcription factor, named as in the data",
    "target": "target gene, named as in the data",
    "coef": "change of the target per standard deviation of the TF, all other TFs being equal, in "
    "standard deviations of log expression, or of the values that were given instead of counts; "
    "positive: activation, negative: repression",
    "r2": "cross-validated r² of the whole model of the target",
    "lambda_": "penalty of the model of the target",
    "score": "moderated ridge statistic: sort by it to see first what deserves attention; no "
    "p-value",
    "t": "t statistic of the effect of this TF, given all others",
    "t_p": "p-value of t",
    "t_q": "q-value over all tested pairs; empty if the pair was not tested",
    "frequency": "share of the halves of the cells or folds in which the link is found",
    "chip_peak": "whether this pair has a ChIP-seq peak; empty if it was not tested",
    "chip_odds_ratio": "odds ratio of Fisher's test: peaks of the TF at its targets, compared with "
    "other genes",
    "chip_p": "p-value of that test",
    "chip_q": "p-value corrected over all tested TFs (Holm)",
    "motif": "the best motif of this TF among those that rank this target high",
    "motif_nes": "normalised enrichment score of that motif",
    "motif_rank": "rank of that score among all motifs of the database, from 1",
    "motif_confidence": "high: the TF or an ortholog is annotated to the motif; low: to a similar "
    "motif only",
    "motif_database": "database of that motif",
    "Conf": "the evidence by which the link was kept",
    "kept": "whether all tests keep the link; of a TF, whether its links are kept",
    "reason": "why the link was dropped",
    "n_regulators": "number of links to this target",
    "targets": "number of targets, or their names",
    "activated": "number of targets with a positive coefficient",
    "repressed": "number of targets with a negative coefficient",
    "kept links": "number of its links that all tests keep",
    "strongest": "largest |coef| of its links",
    "regulators": "number of TFs with a link to this TF",
    "link_peak": "strong links of the TF with a peak",
    "link_no_peak": "strong links of the TF without a peak",
    "no_link_peak": "other genes with a peak of the TF",
    "no_link_no_peak": "other genes without a peak of the TF",
    "odds_ratio": "odds ratio of Fisher's exact test of these four counts",
    "p": "p-value of that test",
    "q": "of a link: false discovery rate among links with at least its statistic, by permuted "
    "cells; of a TF: p-value corrected over all tested TFs (Holm)",
    "verdict": "summary of the test",
}


@dataclass(frozen=True)
class Column:
    """A column of a table of the page.

    Attributes
    ----------
    name : str
    kind : {"text", "integer", "number"}
    entries : ndarray
    """

    name: str
    kind: str
    entries: NDArray[Any]

    @classmethod
    def from_series(cls, column: pd.Series[Any]) -> Column:
        """Take a column of a table; flags become yes and no, missing values NaN or empty.

        Names of groups and genes are text, also if they are numbers.
        """
        name, missing = as_text(column.name), column.isna().to_numpy(bool)
        column = column.astype(object)
        if name == "kept":
            with suppress(ValueError):  # a table of the user, where it may be a count
                column = column.mask(~missing, _flags(column, missing))
        found = pd.api.types.infer_dtype(column, skipna=True) if name not in _NAMES else "string"
        if found in ("floating", "mixed-integer-float") or (found == "integer" and missing.any()):
            return cls(name, "number", column.mask(missing, np.nan).to_numpy(float))
        if found == "integer":
            return cls(name, "integer", column.to_numpy(np.float64))
        words = {True: "yes", False: "no"} if found == "boolean" else None
        texts = [
            "" if is_missing else as_text(value if words is None else words[bool(value)])
            for value, is_missing in zip(column, missing, strict=True)
        ]
        return cls(name, "text", np.array(texts, object))

    @property
    def is_probability(self) -> bool:
        """Whether small values differ in their order of magnitude."""
        return self.name in ("p", "q") or self.name.endswith(("_p", "_q"))

    @property
    def is_empty(self) -> bool:
        """Whether no row has a value."""
        return (
            not (self.entries != "").any() if self.kind == "text" else np.isnan(self.entries).all()
        )

    @property
    def width(self) -> int:
        """Width in pixels."""
        if self.kind != "text":
            return max(80, 8 * len(self.name) + 24)
        longest = max((len(text) for text in self.entries[:2000]), default=0)
        return int(np.clip(8 * max(longest, len(self.name) + 2) + 12, 70, 340))


def columns_of(table: pd.DataFrame) -> tuple[list[Column], list[str]]:
    """Return the columns of a table that a page shows, and the names of those without a value."""
    names = [str(name) for name in table.columns]
    order = sorted(range(len(names)), key=lambda k: (_place(names[k]), k))
    columns = [Column.from_series(table.iloc[:, k]) for k in order if names[k] not in HIDDEN]
    is_empty = [len(table) > 0 and column.is_empty for column in columns]
    shown = [column for column, empty in zip(columns, is_empty, strict=True) if not empty]
    return shown, [column.name for column, empty in zip(columns, is_empty, strict=True) if empty]


def _flags(column: pd.Series[Any], missing: NDArray[np.bool_]) -> NDArray[np.object_]:
    """Return flags as booleans, also where they are missing."""
    return as_flags(column.mask(missing, 0)).astype(object)


def _place(name: str) -> int:
    return _FIRST.index(name) if name in _FIRST else len(_FIRST)
