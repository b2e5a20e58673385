"""LinkFilter: the base class of all filters of links."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple, Self, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.utils import metadata_routing
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from .._state import VersionedState, all_or_nothing
from .._summary import NotebookMixin
from ..links import LEDGER_COLUMNS, check_links, check_named, ledger_of, survivors

Evidence: TypeAlias = Mapping[str, Any]
Reasons: TypeAlias = NDArray[np.object_]


class Evaluation(NamedTuple):
    """Evidence on links, the reasons to drop them, and the label of the evidence in a union."""

    evidence: Evidence
    reasons: Reasons
    label: str | Reasons | None


def _has_score(link_filter: "LinkFilter") -> bool:
    return hasattr(link_filter, "_score")


class LinkFilter(NotebookMixin, VersionedState, TransformerMixin, BaseEstimator):
    """Base class of filters: `fit` learns from a links table, `transform` drops links.

    A subclass defines `_learn` (what to learn from the links) and `_judge` (the evidence on each
    link). Three hooks are optional: `_score` (quality of a links table, which adds the method
    `score`), `_finish` (types of the filtered table) and `_label` (name of the evidence in a
    union). `fit` sets a ledger of all its links, which states why each dropped link was dropped.

    Attributes
    ----------
    ledger_ : DataFrame
        One row per link given to `fit`: its columns, the evidence, ``kept`` (bool) and ``reason``,
        the first reason for which a link was dropped ("" if it was kept).
    warnings_ : tuple of str
        Messages of this package that the fit issued, each once.
    """

    # Columns that `_judge` adds to the links table, in this order.
    evidence_columns: ClassVar[tuple[str, ...]] = ()

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {}

    # Excludes the first argument from metadata; scikit-learn does so for the name "X" only.
    __metadata_request__fit: ClassVar[dict[str, str]] = {"links": metadata_routing.UNUSED}
    __metadata_request__transform: ClassVar[dict[str, str]] = {"links": metadata_routing.UNUSED}
    __metadata_request__score: ClassVar[dict[str, str]] = {"links": metadata_routing.UNUSED}

    @abstractmethod
    def _learn(self, links: pd.DataFrame) -> None:
        """Set the fitted attributes, given a validated links table."""

    @abstractmethod
    def _judge(self, links: pd.DataFrame) -> tuple[Evidence, Reasons]:
        """Return the evidence on each link, and the reason to drop it ("" keeps it).

        Returns
        -------
        evidence : mapping of str to array of shape (n_links,)
            One entry per name in `evidence_columns`, in this order; missing values where there is
            no evidence.
        reasons : ndarray of str of shape (n_links,)
        """

    def _finish(self, kept: pd.DataFrame) -> pd.DataFrame:
        """Return the filtered table with its final types."""
        return kept

    def _label(self, evidence: Evidence) -> str | Reasons | None:
        """Return the label of this evidence in a union, one or one per link; None for the name."""
        return None

    @_fit_context(prefer_skip_nested_validation=True)
    @all_or_nothing
    def fit(self, links: pd.DataFrame, y: object = None) -> Self:
        """Learn from a links table, and record which of its links are kept.

        Parameters
        ----------
        links : DataFrame
            A links table, with at least ``TF``, ``target`` and ``coef``.
        y : object, default=None
            Ignored; pipelines pass it.

        Returns
        -------
        LinkFilter
            The fitted filter.

        Raises
        ------
        TypeError, ValueError
            If `links` is not a links table, the evidence cannot be read, or the names of both do
            not match.
        """
        links = self._validated(links, reset=True)
        self._learn(links)
        self.ledger_ = self._ledger(links)
        return self

    def transform(self, links: pd.DataFrame) -> pd.DataFrame:
        """Return the kept links with their evidence.

        Parameters
        ----------
        links : DataFrame
            A links table with the columns seen in `fit`.

        Returns
        -------
        DataFrame
            The kept rows, with their index; the columns of `links` are followed by those of
            `evidence_columns`. Evidence columns that `links` already has are replaced.
        """
        check_is_fitted(self)
        return self._finish(survivors(self._ledger(self._validated(links, reset=False))))

    def fit_transform(self, links: pd.DataFrame, y: object = None) -> pd.DataFrame:
        """Learn from a links table and return the kept links.

        Parameters
        ----------
        links : DataFrame
            A links table, as for `fit`.
        y : object, default=None
            Ignored; pipelines pass it.

        Returns
        -------
        DataFrame
            As from `transform`.
        """
        # The ledger of `fit` already has the evidence on these links.
        return self._finish(survivors(self.fit(links, y).ledger_))

    @available_if(_has_score)
    def score(self, links: pd.DataFrame, y: object = None, sample_weight: object = None) -> float:
        """Return the quality of a links table by this evidence; the class defines the measure.

        Parameters
        ----------
        links : DataFrame
            A links table. In a pipeline after `SciFateRegressor` it holds the links of the training
            cells, whichever cells are scored.
        y : object, default=None
            Ignored.
        sample_weight : object, default=None
            Ignored, because links have no weights; pipelines pass it.

        Returns
        -------
        float
        """
        check_is_fitted(self)
        score: float = self._score(self._validated(links, reset=False))
        return score

    def evaluate(self, links: pd.DataFrame) -> Evaluation:
        """Return the evidence on each link, the reason to drop it, and the label of the evidence.

        Parameters
        ----------
        links : DataFrame
            A links table, already validated by `fit` or `transform` of a filter.

        Returns
        -------
        Evaluation
            With `evidence` (one array per name in `evidence_columns`), `reasons` (one text per
            link, empty for kept links) and `label` (for `LinkUnion`).
        """
        evidence, reasons = self._judge(links)
        return Evaluation(evidence, reasons, self._label(evidence))

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """Return the columns of the filtered table.

        Parameters
        ----------
        input_features : object, default=None
            Ignored: the columns are those of the links table seen in `fit`, and the evidence.

        Returns
        -------
        ndarray of str
        """
        check_is_fitted(self)
        return np.array(self._columns(self.feature_names_in_), dtype=object)

    def _columns(self, given: Any) -> list[str]:
        replaced = (*self.evidence_columns, *LEDGER_COLUMNS)
        return [*(name for name in given if name not in replaced), *self.evidence_columns]

    def _ledger(self, links: pd.DataFrame) -> pd.DataFrame:
        found = self.evaluate(links)
        columns = self._columns(links.columns)
        return ledger_of(links.assign(**found.evidence)[columns], found.reasons)

    def _validated(self, links: object, *, reset: bool) -> pd.DataFrame:
        checked = check_named(check_links(links, type(self).__name__))
        validate_data(self, checked, reset=reset, skip_check_array=True)
        return checked

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.transformer_tags.preserves_dtype = []
        return tags
