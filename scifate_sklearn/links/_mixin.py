"""Mixin of the estimators that are fitted to cells and return links."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.utils import TransformerTags
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.validation import check_is_fitted

from ._table import LINK_COLUMNS


class LinkTableMixin(MultiOutputMixin, RegressorMixin):
    """Mixin for regressors whose `transform` returns a links table: rows are links, not cells."""

    # scikit-learn treats every argument that is not called X or y as metadata.
    __metadata_request__fit: ClassVar = {"tf_matrix": UNUSED, "target_matrix": UNUSED}
    __metadata_request__predict: ClassVar = {"tf_matrix": UNUSED}
    __metadata_request__transform: ClassVar = {"tf_matrix": UNUSED}
    __metadata_request__score: ClassVar = {"tf_matrix": UNUSED, "target_matrix": UNUSED}

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

    def _link_columns(self) -> tuple[str, ...]:
        return LINK_COLUMNS

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags = TransformerTags(preserves_dtype=[])
        return tags
