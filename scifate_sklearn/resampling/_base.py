"""LinkResampler: what both estimators do alike once the links have been weighed."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted, validate_data

from ..links import LINK_COLUMNS, LinkTableMixin, ledger_of, survivors
from ..moments import Moments
from ..preprocessing import check_intact, naming
from ..regressor import SciFateRegressor


class LinkResampler(LinkTableMixin, BaseEstimator):
    """Base of the meta-estimators that fit a regressor again and again to weigh its links.

    They predict and score as the regressor does that was fitted to all cells, and `transform` to
    the links that they keep.
    """

    # What is added to the links table.
    evidence_column: ClassVar[str]

    regressor: SciFateRegressor
    verbose: int

    def predict(self, tf_matrix: Any) -> NDArray[np.float64]:
        """Predict the targets with the regressor that was fitted to all cells.

        Parameters
        ----------
        tf_matrix : DataFrame, ndarray or sparse matrix of shape (n_cells, n_features)

        Returns
        -------
        ndarray of shape (n_cells, n_targets), or (n_cells,) after a fit to a 1-D target
        """
        self._validate_new(tf_matrix)
        return self.regressor_.predict(tf_matrix)

    def score(
        self, tf_matrix: Any, target_matrix: Any, sample_weight: ArrayLike | None = None
    ) -> float:
        """Return the mean R² of the regressor's predictions over the targets.

        Parameters
        ----------
        tf_matrix : DataFrame, ndarray or sparse matrix of shape (n_cells, n_features)
        target_matrix : DataFrame, ndarray or CSR matrix of shape (n_cells, n_targets), or 1-D
        sample_weight : array-like of shape (n_cells,), default=None

        Returns
        -------
        float
        """
        self._validate_new(tf_matrix)
        return self.regressor_.score(tf_matrix, target_matrix, sample_weight)

    def transform(self, tf_matrix: Any) -> pd.DataFrame:
        """Return the links that are kept, whatever the cells: links belong to genes.

        Parameters
        ----------
        tf_matrix : DataFrame, ndarray or sparse matrix of shape (n_cells, n_features)
            Only checked for the right columns.

        Returns
        -------
        DataFrame
            The rows of ``links_`` that are kept, with their index.
        """
        self._validate_new(tf_matrix)
        return survivors(self.ledger_)

    def fit_transform(self, tf_matrix: Any, target_matrix: Any, **fit_params: Any) -> pd.DataFrame:
        """Fit and return the links that are kept.

        Parameters
        ----------
        tf_matrix, target_matrix, **fit_params
            As for `fit`.

        Returns
        -------
        DataFrame
        """
        return survivors(self.fit(tf_matrix, target_matrix, **fit_params).ledger_)

    def _link_columns(self) -> tuple[str, ...]:
        return (*LINK_COLUMNS, self.evidence_column)

    def _fresh_regressor(self) -> SciFateRegressor:
        regressor = clone(self.regressor)
        regressor._validate_params()
        return regressor

    def _sum_cells(
        self,
        regressor: SciFateRegressor,
        tf_matrix: Any,
        target_matrix: Any,
        sample_weight: Any,
        groups: Any,
    ) -> tuple[Moments, Any, bool]:
        """Return what `SciFateRegressor._sum_cells` does; folds by number know no groups."""
        if isinstance(regressor.cv, Integral):
            groups = None
        return regressor._sum_cells(tf_matrix, target_matrix, sample_weight, groups)

    def _adopt(self, regressor: SciFateRegressor) -> None:
        """Take over the regressor that was fitted to all cells, and what it was fitted to."""
        self.regressor_ = regressor
        self.n_features_in_ = regressor.n_features_in_
        self.target_names_in_ = regressor.target_names_in_
        if hasattr(regressor, "feature_names_in_"):
            self.feature_names_in_ = regressor.feature_names_in_
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_

    def _account(self, evidence: NDArray[np.float64], reasons: NDArray[np.object_]) -> None:
        """Set the links table with its evidence, and the ledger."""
        self.links_ = self.regressor_.links_.assign(**{self.evidence_column: evidence})
        self.ledger_ = ledger_of(self.links_, reasons)

    def _rounds(self, rounds: Iterable[Any], total: int, unit: str) -> Iterable[Any]:
        # Importing the package must stay quick.
        from tqdm.auto import tqdm

        return tqdm(rounds, total=total, unit=unit, disable=not self.verbose)

    def _validate_new(self, tf_matrix: Any) -> None:
        check_is_fitted(self)
        check_intact(tf_matrix, "`tf_matrix`")
        with naming("`tf_matrix`"):
            validate_data(self, tf_matrix, reset=False, accept_sparse="csr", dtype=np.float64)


def is_tf(regressor: SciFateRegressor) -> NDArray[np.bool_]:
    """Return which predictors (n_features,) can be links: all that are not covariates."""
    names = getattr(regressor, "feature_names_in_", None)
    if names is None:
        return np.ones(regressor.n_features_in_, bool)
    return ~np.isin(names, list(regressor.covariates))
