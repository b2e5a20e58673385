"""Training data: the validated arguments of `fit`, and their moments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import r2_score
from sklearn.utils import check_array
from sklearn.utils.extmath import safe_sparse_dot
from sklearn.utils.validation import _check_sample_weight, validate_data

from .._warnings import warn
from ..moments import FoldPlan, Moments, Samples, plan_folds
from ..preprocessing import (
    WEIGHT_MAGNITUDES,
    X_MAGNITUDES,
    Y_MAGNITUDES,
    check_intact,
    check_magnitude,
    convert_sparse,
    make_repeated_folds,
)
from ._checks import (
    Arguments,
    check_per_row,
    check_same_rows,
    check_sums,
    check_targets,
    check_unique,
    generated_names,
    group_labels,
    set_feature_names,
    warn_of_empty_folds,
)
from ._chunks import Chunks
from ._containers import Names, column_names, naming_values

_AS_FLOATS: dict[str, Any] = {"accept_sparse": "csr", "dtype": np.float64}


@dataclass(frozen=True)
class TrainingData:
    """Moments, and the samples that they are made from.

    Attributes
    ----------
    moments : Moments
    samples : Samples or None
        None if only the moments are known.
    is_single : bool
        Whether the targets were given as one dimension, so that attributes are scalars and vectors.
    rows : str
        The plural noun for the samples, for messages.
    chunks : iterable of (X, Y) or (X, Y, sample_weight), default=None
        The samples, for one further pass, if only their moments are in memory.
    """

    moments: Moments
    samples: Samples | None = None
    is_single: bool = False
    rows: str = "cells"
    chunks: Chunks | None = None

    @property
    def target_names(self) -> Names:
        """Names of the targets, generated where there are none."""
        names = self.moments.target_names
        return generated_names("y", self.moments.n_targets) if names is None else names

    def require_samples(self, what: str) -> Samples:
        """Return the samples, or raise ValueError if only the moments are known.

        Parameters
        ----------
        what : str
            Method or option that the error message names.
        """
        if self.samples is None:
            raise ValueError(f"{what} needs the {self.rows}, not only their moments.")
        return self.samples


def read_samples(
    estimator: Any,
    X: Any,
    Y: Any,
    arguments: Arguments,
    *,
    cv: Any,
    random_state: Any = None,
    n_repeats: int = 1,
    sample_weight: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    splits_small_folds: bool = True,
) -> TrainingData:
    """Validate the arguments of `fit`, split the samples into folds, and sum over them.

    Sets ``n_features_in_`` and ``feature_names_in_`` of the estimator.

    Parameters
    ----------
    estimator : BaseEstimator
    X, Y : DataFrame, ndarray or sparse matrix
        Features and targets; the targets may have one dimension.
    arguments : Arguments
    cv, random_state, n_repeats, groups :
        As in `make_repeated_folds`; None as `cv` means no cross-validation.
    sample_weight : array-like of shape (n_samples,), default=None
    splits_small_folds : bool, default=True
        As in `plan_folds`.

    Returns
    -------
    TrainingData

    Raises
    ------
    TypeError, ValueError
        If an argument is invalid; the message names it.
    """
    x_name, y_name = f"`{arguments.X}`", f"`{arguments.Y}`"
    names: tuple[Names | None, Names | None] = (None, None)
    if arguments.are_named:
        check_same_rows(X, Y, arguments.X, arguments.Y, arguments.rows)
        check_per_row(sample_weight, "sample_weight", X, Y, arguments)
        check_per_row(groups, "groups", X, Y, arguments)
        names = _read_names(X, Y, arguments, estimator.exclude_self)
    X, Y = _supported(X, x_name), _supported(Y, y_name)
    with naming_values(X, arguments.X):
        features = validate_data(estimator, X, ensure_min_samples=2, **_AS_FLOATS)
    targets = _read_targets(estimator, Y, arguments.Y)
    is_single = targets.ndim == 1
    targets = targets.reshape(-1, 1) if is_single else targets
    if features.shape[0] != targets.shape[0]:
        raise ValueError(
            f"{x_name} and {y_name} have inconsistent numbers of samples: {features.shape[0]} and "
            f"{targets.shape[0]} {arguments.rows}. Give both the same {arguments.rows} in the same "
            "order."
        )
    check_magnitude(features, x_name, *X_MAGNITUDES)
    check_magnitude(targets, y_name, *Y_MAGNITUDES)
    weight = _read_weight(sample_weight, features, arguments.rows)
    if arguments.are_named and groups is not None:
        groups = group_labels(groups, weight, arguments.rows)
    if cv is None:
        plan = FoldPlan.whole_only(features.shape[0])
    else:
        y = targets[:, 0] if targets.shape[1] == 1 else targets
        repeats = make_repeated_folds(cv, random_state, n_repeats, features, y, groups)
        options: dict[str, Any] = {"splits_small_folds": splits_small_folds, "rows": arguments.rows}
        plan = FoldPlan.repeated([plan_folds(f, features.shape[0], **options) for f in repeats])
    samples = Samples(features, targets, weight, plan, *names)
    return _warned(TrainingData(samples.sums(), samples, is_single, arguments.rows))


def _read_names(
    X: Any, Y: Any, arguments: Arguments, excludes_self: bool
) -> tuple[Names | None, Names | None]:
    """Return the names of the columns of both matrices; warn if they cannot be used."""
    for matrix, argument in ((X, arguments.X), (Y, arguments.Y)):
        if isinstance(matrix, pd.DataFrame) and isinstance(matrix.columns, pd.MultiIndex):
            warn(
                f"`{argument}` has column names of {matrix.columns.nlevels} levels, which are not "
                "used: its columns count as unnamed. Give them names of one level."
            )
    names = column_names(X), column_names(Y)
    check_unique(names[0], arguments.X)
    check_unique(names[1], arguments.Y)
    if excludes_self and (names[0] is None) != (names[1] is None):
        _warn_of_lost_names(arguments, are_of_targets=names[1] is None)
    return names


def _supported(matrix: Any, name: str) -> Any:
    """Return a matrix whose sparse structure is intact and of supported types."""
    matrix = convert_sparse(matrix, name)
    check_intact(matrix, name)
    return matrix


def _warn_of_lost_names(arguments: Arguments, *, are_of_targets: bool) -> None:
    lost, named = arguments.X, arguments.Y
    advice = (
        "If an earlier step of a pipeline, such as StandardScaler, returned an array, call its "
        '`set_output(transform="pandas")`; otherwise give a DataFrame'
    )
    if are_of_targets:
        lost, named, advice = named, lost, "Give a DataFrame, or a Series with a name"
    warn(
        f"`{lost}` has no column names but `{named}` has, so `exclude_self` has no effect: targets "
        f"may be their own predictors. {advice}, or set exclude_self=False."
    )


def _read_targets(estimator: Any, Y: Any, argument: str) -> Any:
    """Return the targets, float64 and CSR if sparse, with one or two dimensions."""
    with naming_values(Y, argument):
        if Y is None:
            raise ValueError("requires y to be passed, but the target y is None.")
        # `validate_data` would check text and objects for NaN before it converts them.
        targets = check_array(Y, ensure_2d=False, input_name="y", estimator=estimator, **_AS_FLOATS)
        first = targets[:1].reshape(1, -1) if targets.ndim == 1 else targets[:1]
        check_array(first, accept_sparse="csr", estimator=estimator)  # at least one column
    return targets


def _read_weight(sample_weight: Any, X: Any, rows: str) -> NDArray[np.float64]:
    """Return validated weights of the samples, 1 where None are given."""
    check_intact(sample_weight, "`sample_weight`")
    given = np.asarray(sample_weight)
    if given.dtype.kind in "biuf" and not given.any():
        raise ValueError(f"`sample_weight` is zero for all {rows}; at least one must be positive.")
    with naming_values(sample_weight, "sample_weight"):
        weight: NDArray[np.float64] = _check_sample_weight(
            sample_weight, X, dtype=np.float64, ensure_non_negative=True
        )
    check_magnitude(weight[:, None], "`sample_weight`", *WEIGHT_MAGNITUDES)
    return weight


def read_new_samples(estimator: Any, X: Any, argument: str) -> Any:
    """Return validated features of new samples, with the columns of the fit.

    Raises
    ------
    TypeError, ValueError
        If they are invalid or have other columns; the message names `argument`.
    """
    X = _supported(X, f"`{argument}`")
    with naming_values(X, argument):
        return validate_data(estimator, X, reset=False, **_AS_FLOATS)


def predict_linear(
    X: Any, coef: NDArray[np.float64], intercept: NDArray[np.float64], argument: str
) -> NDArray[np.float64]:
    """Return the predictions ``X @ coef.T + intercept``.

    Raises
    ------
    ValueError
        If a prediction overflows; the message names `argument`.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        predicted: NDArray[np.float64] = safe_sparse_dot(X, coef.T) + intercept
    if not np.isfinite(predicted).all():
        raise ValueError(
            f"`{argument}` holds numbers too large to predict from: the predictions overflow. "
            "Scale it as the matrix of the fit was scaled."
        )
    return predicted


def check_scored(
    X: Any, Y: Any, sample_weight: Any, target_names: Names, arguments: Arguments
) -> None:
    """Raise ValueError if labels of the arguments of `score` do not match.

    Parameters
    ----------
    X, Y, sample_weight : object
        The arguments of `score`.
    target_names : ndarray of str
        Of the fit.
    arguments : Arguments
        Names of the matrices.
    """
    check_same_rows(X, Y, arguments.X, arguments.Y, arguments.rows)
    check_per_row(sample_weight, "sample_weight", X, Y, arguments)
    check_targets(column_names(Y), target_names, arguments.Y)


def mean_r2(Y: Any, predicted: NDArray[np.float64], sample_weight: Any, argument: str) -> float:
    """Return the mean R² of predictions over the targets.

    Raises
    ------
    TypeError, ValueError
        If the targets are invalid; the message names `argument`.
    """
    Y = _supported(Y, f"`{argument}`")
    with naming_values(Y, argument):
        targets = check_array(Y, ensure_2d=False, **_AS_FLOATS)
    dense = targets.toarray() if hasattr(targets, "toarray") else targets
    with naming_values(sample_weight, "sample_weight"):
        weight = None if sample_weight is None else _check_sample_weight(sample_weight, dense)
    return float(r2_score(dense, predicted, sample_weight=weight))


def check_moments(estimator: Any, moments: object, chunks: Chunks | None = None) -> TrainingData:
    """Return moments given by a user as training data.

    Sets ``n_features_in_`` and ``feature_names_in_`` of the estimator.

    Raises
    ------
    TypeError
        If `moments` is something else.
    ValueError
        If they are too large for double precision.
    """
    if not isinstance(moments, Moments):
        raise TypeError(f"`moments` must be a Moments, got {type(moments).__name__}.")
    check_sums(moments)
    set_feature_names(estimator, moments.n_features, moments.feature_names)
    return _warned(TrainingData(moments, chunks=chunks))


def _warned(data: TrainingData) -> TrainingData:
    warn_of_empty_folds(data.moments, data.rows)
    return data
