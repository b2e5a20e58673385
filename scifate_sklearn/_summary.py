"""Summary of a fitted estimator, under scikit-learn's diagram in notebooks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import escape
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd

from .links import ledger_of, survivors

_N_TFS = 5
_N_REASONS = 3
_LONGEST = 40


class Summary(NamedTuple):
    """What a fitted estimator found, as numbers and short texts.

    Attributes
    ----------
    targets, without_model : int or None
        Number of targets, and of those without a model; None if the estimator has no targets.
    links, kept : int
        Number of links, and of those that are kept.
    dropped : str
        The most frequent reasons for which links were dropped, with their numbers.
    top_tfs : str
        The TFs with the most kept links, with their numbers.
    warnings : tuple of str
        Messages that the fit issued.
    """

    targets: int | None
    without_model: int | None
    links: int
    kept: int
    dropped: str
    top_tfs: str
    warnings: tuple[str, ...]

    @classmethod
    def from_estimator(cls, estimator: Any) -> Self | None:
        """Summarise an estimator; None if it is not fitted, or has no links."""
        ledger = ledger_from(estimator)
        if ledger is None:
            return None
        kept = survivors(ledger)
        targets = without_model = None
        if hasattr(estimator, "target_names_in_"):
            targets = len(estimator.target_names_in_)
            penalties = getattr(getattr(estimator, "regressor_", estimator), "lambda_", 0.0)
            without_model = int(np.isnan(penalties).sum())
        reasons = ledger.loc[~ledger["kept"].to_numpy(bool), "reason"]
        return cls(
            targets,
            without_model,
            len(ledger),
            len(kept),
            _counts(reasons, _N_REASONS),
            _counts(kept["TF"], _N_TFS),
            tuple(getattr(estimator, "warnings_", ())),
        )

    def rows(self) -> Iterator[tuple[str, str]]:
        """Yield labels and texts, those that say something."""
        if self.targets is not None:
            without = f", {self.without_model:,} of them without a model"
            yield "targets", f"{self.targets:,}{without if self.without_model else ''}"
        yield "links", f"{self.links:,}"
        if self.kept < self.links:
            yield "kept", f"{self.kept:,}"
            yield "dropped", self.dropped
        if self.kept:
            yield "top TFs", self.top_tfs
        for message in self.warnings:
            yield "warning", message

    def to_html(self) -> str:
        """Return a table whose texts are escaped: names of genes and TFs come from files."""
        align = 'style="text-align: left; vertical-align: top"'
        rows = "".join(
            f"<tr><th {align}>{label}</th><td {align}>{escape(_printable(text))}</td></tr>"
            for label, text in self.rows()
        )
        return f'<table class="scifate-summary"><tbody>{rows}</tbody></table>'


class NotebookMixin:
    """Estimator whose HTML has a summary under scikit-learn's diagram, once it is fitted.

    The two methods are those of IPython's protocol. What scikit-learn returns is not looked into.
    Place it in front of `BaseEstimator`.
    """

    @property
    def _repr_html_(self) -> Callable[[], str]:
        above: Any = super()
        # Raises AttributeError if scikit-learn is configured to display text.
        diagram: Callable[[], str] = above._repr_html_
        return lambda: diagram() + summary_html(self)

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        above: Any = super()
        bundle: dict[str, str] = above._repr_mimebundle_(**kwargs)
        if "text/html" in bundle:
            bundle["text/html"] += summary_html(self)
        return bundle


def summary_html(estimator: Any) -> str:
    """Return the summary of an estimator as HTML, "" if it is not fitted."""
    summary = Summary.from_estimator(estimator)
    return "" if summary is None else summary.to_html()


def ledger_from(estimator: Any) -> pd.DataFrame | None:
    """Return the ledger of an estimator, of one without tests that of its links; None if neither.

    Parameters
    ----------
    estimator : object
        With ``ledger_`` or ``links_`` if it is fitted.
    """
    if hasattr(estimator, "ledger_"):
        ledger: pd.DataFrame = estimator.ledger_
        return ledger
    if hasattr(estimator, "links_"):
        return ledger_of(estimator.links_, np.full(len(estimator.links_), "", object))
    return None


def _counts(names: pd.Series[Any], n_shown: int) -> str:
    """Return the most frequent names, each with its number, and the number of the others."""
    # Ties are in the order of the names.
    counts = names.astype(str).value_counts().sort_index()
    found = counts.sort_values(ascending=False, kind="stable")
    shown = [f"{_cut(name)} ({n:,})" for name, n in found.iloc[:n_shown].items()]
    hidden = len(found) - len(shown)
    return ", ".join(shown) + (f" and {hidden:,} more" if hidden else "")


def _cut(name: object) -> str:
    text = str(name)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _printable(text: str) -> str:
    """Return a text whose control characters, which may reorder what is read, are written out."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
