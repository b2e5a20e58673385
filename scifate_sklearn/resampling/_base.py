"""LinkResampler: base of the estimators that fit a regressor repeatedly to test its links."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone

from .._link_estimator import CELLS, LinkTableMixin
from .._progress import load_tqdm
from ..fitting import TrainingData, check_per_row, feature_names, set_feature_names
from ..links import LINK_COLUMNS, ledger_of, survivors
from ..names import are_covariates
from ..regressor import SciFateRegressor, read_cells


class LinkResampler(LinkTableMixin, BaseEstimator):
    """Base of the meta-estimators that fit a regressor repeatedly to test its links.

    They predict and score with the regressor that was fitted to all cells. `transform` returns the
    links that are kept.
    """

    # Name of the column that is added to the links table.
    evidence_column: ClassVar[str]

    regressor: SciFateRegressor

    def _linear_model(self) -> SciFateRegressor:
        return self.regressor_

    def _kept_links(self) -> pd.DataFrame:
        return survivors(self.ledger_)

    def _link_columns(self) -> tuple[str, ...]:
        return (*LINK_COLUMNS, self.evidence_column)

    def _read_cells(
        self, tf_matrix: Any, target_matrix: Any, sample_weight: Any, groups: Any
    ) -> tuple[SciFateRegressor, TrainingData]:
        """Return a clone of the regressor and its validated data.

        R's folds, which an integer `cv` means, ignore groups.
        """
        check_per_row(groups, "groups", tf_matrix, target_matrix, CELLS)
        regressor = clone(self.regressor)
        if isinstance(regressor.cv, Integral):
            groups = None
        return regressor, read_cells(regressor, tf_matrix, target_matrix, sample_weight, groups)

    def _adopt(self, regressor: SciFateRegressor) -> None:
        """Set the fitted regressor, and its attributes that describe the data."""
        self.regressor_ = regressor
        self.target_names_in_ = regressor.target_names_in_
        copy_feature_names(regressor, self)

    def _account(self, evidence: NDArray[np.float64], reasons: NDArray[np.object_]) -> None:
        """Set the links table with its evidence, and the ledger."""
        self.links_ = self.regressor_.links_.assign(**{self.evidence_column: evidence})
        self.ledger_ = ledger_of(self.links_, reasons)


def copy_feature_names(regressor: SciFateRegressor, estimator: BaseEstimator) -> None:
    """Set the number and names of the features of an estimator to those of its regressor."""
    names = getattr(regressor, "feature_names_in_", None)
    set_feature_names(estimator, regressor.n_features_in_, names)


def show_progress(rounds: Iterable[Any], verbose: int, total: int, unit: str) -> Iterable[Any]:
    """Return the rounds of an estimator, with a progress bar if it is verbose."""
    is_shown = verbose and sys.stderr is not None
    bar: Iterable[Any] = load_tqdm()(rounds, total=total, unit=unit, disable=not is_shown)
    return bar


def is_tf(regressor: SciFateRegressor) -> NDArray[np.bool_]:
    """Return which predictors (n_features,) can be links: all that are not covariates."""
    if not hasattr(regressor, "feature_names_in_"):
        return np.ones(regressor.n_features_in_, bool)
    return ~are_covariates(feature_names(regressor), regressor.covariates)
