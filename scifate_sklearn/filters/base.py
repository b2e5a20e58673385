"""LinkFilter: what every filter of links does the same way: check, judge, keep, account for."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.utils import metadata_routing
from sklearn.utils.validation import check_is_fitted, validate_data

from ..links import LEDGER_COLUMNS, check_links, check_named, ledger_of, survivors

Evidence: TypeAlias = Mapping[str, Any]
Reasons: TypeAlias = NDArray[np.object_]


class LinkFilter(TransformerMixin, BaseEstimator):
    """Base of the filters: `fit` learns from a links table, `transform` keeps what it believes.

    A filter says what it learns (`_learn`) and what it thinks of each link (`_judge`); the rest is
    here. `fit` leaves a ledger of all links it was given, so that none vanishes without a reason.

    Attributes
    ----------
    ledger_ : DataFrame
        One row per link given to `fit`: its columns, the evidence, ``kept`` (bool) and ``reason``,
        the first reason for which a link was dropped ("" if it was not).
    """

    # What `_judge` adds to the links table, in this order.
    evidence_columns: ClassVar[tuple[str, ...]] = ()

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {}

    # The first argument is no metadata; scikit-learn would know that of "X" only.
    __metadata_request__fit: ClassVar[dict[str, str]] = {"links": metadata_routing.UNUSED}
    __metadata_request__transform: ClassVar[dict[str, str]] = {"links": metadata_routing.UNUSED}
    __metadata_request__score: ClassVar[dict[str, str]] = {"links": metadata_routing.UNUSED}

    @abstractmethod
    def _learn(self, links: pd.DataFrame) -> None:
        """Set the fitted attributes, given a links table that was checked."""

    @abstractmethod
    def _judge(self, links: pd.DataFrame) -> tuple[Evidence, Reasons]:
        """Return the evidence on each link, and the reason to drop it ("" keeps it).

        Returns
        -------
        evidence : mapping of str to array of shape (n_links,)
            One entry per name in `evidence_columns`, in this order; missing where there is none.
        reasons : ndarray of str of shape (n_links,)
        """

    def _finish(self, kept: pd.DataFrame) -> pd.DataFrame:
        """Return the surviving links as `transform` shall: a hook for plainer types."""
        return kept

    def _label(self, evidence: Evidence) -> str | Reasons | None:
        """Return what a union calls this evidence, once or per link; None is the filter's name."""
        return None

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, links: pd.DataFrame, y: object = None) -> Self:
        """Weigh the evidence.

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
            If `links` is not a links table, the evidence cannot be read, or their names do not
            meet.
        """
        links = self._validated(links, reset=True)
        self._learn(links)
        self.ledger_ = self._ledger(links)
        return self

    def transform(self, links: pd.DataFrame) -> pd.DataFrame:
        """Return the surviving links with their evidence.

        Parameters
        ----------
        links : DataFrame
            A links table with the columns seen in `fit`.

        Returns
        -------
        DataFrame
            The surviving rows, with their index, and behind the columns of `links` those of
            `evidence_columns`. Evidence columns that `links` has already are replaced.
        """
        check_is_fitted(self)
        return self._finish(survivors(self._ledger(self._validated(links, reset=False))))

    def fit_transform(self, links: pd.DataFrame, y: object = None) -> pd.DataFrame:
        """Weigh the evidence and return the surviving links.

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
        # The ledger of `fit` has judged these links already.
        return self._finish(survivors(self.fit(links, y).ledger_))

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
        evidence, reasons = self._judge(links)
        columns = self._columns(links.columns)
        return ledger_of(links.assign(**evidence)[columns], reasons)

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
