"""LinkTableMixin: methods of the estimators that are fitted to cells and return a links table."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.utils import TransformerTags
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.validation import check_is_fitted

from ._state import VersionedState
from ._summary import NotebookMixin
from .fitting import Arguments, check_scored, mean_r2, predict_linear, read_new_samples
from .links import LINK_COLUMNS

CELLS = Arguments("tf_matrix", "target_matrix", rows="cells", are_named=True)


class LinkTableMixin(NotebookMixin, VersionedState, MultiOutputMixin, RegressorMixin):
    """Regressor whose `transform` returns a links table: one row per link, not per cell."""

    # scikit-learn treats every argument that is not called X or y as metadata.
    __metadata_request__fit: ClassVar = {"tf_matrix": UNUSED, "target_matrix": UNUSED}
    __metadata_request__predict: ClassVar = {"tf_matrix": UNUSED}
    __metadata_request__transform: ClassVar = {"tf_matrix": UNUSED}
    __metadata_request__score: ClassVar = {"tf_matrix": UNUSED, "target_matrix": UNUSED}

    @abstractmethod
    def _linear_model(self) -> Any:
        """Return the fitted estimator that has ``coef_`` and ``intercept_``."""

    @abstractmethod
    def _kept_links(self) -> pd.DataFrame:
        """Return a new table of the links that `transform` returns."""

    def _link_columns(self) -> tuple[str, ...]:
        return LINK_COLUMNS

    def predict(self, tf_matrix: Any) -> NDArray[np.float64]:
        """Predict the targets with the models fitted to all cells.

        Parameters
        ----------
        tf_matrix : DataFrame, ndarray or sparse matrix of shape (n_cells, n_features)

        Returns
        -------
        ndarray of shape (n_cells, n_targets), or (n_cells,) after a fit to a 1-D target

        Raises
        ------
        ValueError
            If the columns are not those of the fit, or the predictions overflow.
        """
        check_is_fitted(self)
        X = read_new_samples(self, tf_matrix, "tf_matrix")
        model = self._linear_model()
        return predict_linear(X, model.coef_, model.intercept_, "tf_matrix")

    def score(
        self, tf_matrix: Any, target_matrix: Any, sample_weight: ArrayLike | None = None
    ) -> float:
        """Return the mean R² of the predictions over the targets.

        Parameters
        ----------
        tf_matrix : DataFrame, ndarray or sparse matrix of shape (n_cells, n_features)
        target_matrix : DataFrame, ndarray or CSR matrix of shape (n_cells, n_targets), or 1-D
        sample_weight : array-like of shape (n_cells,), default=None

        Returns
        -------
        float

        Raises
        ------
        ValueError
            If the matrices or weights name different cells or list them in another order, or the
            targets are not those of the fit in the same order.
        """
        check_is_fitted(self)
        check_scored(tf_matrix, target_matrix, sample_weight, self.target_names_in_, CELLS)
        return mean_r2(target_matrix, self.predict(tf_matrix), sample_weight, "target_matrix")

    def transform(self, tf_matrix: Any) -> pd.DataFrame:
        """Return the links table of the fit, which does not depend on the cells given here.

        Parameters
        ----------
        tf_matrix : DataFrame, ndarray or sparse matrix of shape (n_cells, n_features)
            Only its columns are checked.

        Returns
        -------
        DataFrame
            ``links_``; for an estimator that tests its links, the rows that are kept.
        """
        check_is_fitted(self)
        read_new_samples(self, tf_matrix, "tf_matrix")
        return self._kept_links()

    def fit_transform(self, tf_matrix: Any, target_matrix: Any, **fit_params: Any) -> pd.DataFrame:
        """Fit and return the links table, as `transform` does.

        Parameters
        ----------
        tf_matrix, target_matrix, **fit_params
            As for `fit`.

        Returns
        -------
        DataFrame
        """
        self.fit(tf_matrix, target_matrix, **fit_params)
        return self._kept_links()

    def set_output(self, *, transform: str | None = None) -> Self:
        """Accept any container: the links table is a pandas DataFrame under every setting.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"} or None

        Returns
        -------
        self
        """
        return self

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the columns of the links table.

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        ndarray of str
        """
        check_is_fitted(self)
        return np.array(self._link_columns(), object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags = TransformerTags(preserves_dtype=[])
        return tags
