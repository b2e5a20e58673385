"""Relative penalties of predictors, or of pairs of a predictor and a target."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ..moments import Moments
from ..names import examples
from ..preprocessing import WEIGHT_MAGNITUDES, check_magnitude
from ._containers import Names, real_numbers

_NAME = "`penalty_factor`"


def relative_penalties(
    given: ArrayLike | pd.Series | pd.DataFrame | None, moments: Moments
) -> NDArray[np.float64]:
    """Return the penalty of each predictor in the model of each target, before rescaling.

    Parameters
    ----------
    given : array-like or Series of shape (n_features,), DataFrame, or None
        A Series is aligned by name. A DataFrame of predictors × targets may have names that the
        data lack, which are ignored; pairs that it lacks get 1.
    moments : Moments
        Their numbers and names of predictors and targets are used.

    Returns
    -------
    ndarray of shape (n_targets, n_features)
        Read-only where all targets share their penalties.

    Raises
    ------
    ValueError
        If names do not match or are repeated, shapes differ, a value is not a number >= 0, or a
        target has no value > 0.
    """
    shape = moments.n_targets, moments.n_features
    if given is None:
        return np.broadcast_to(1.0, shape)
    factor = real_numbers(given, "penalty_factor")
    if isinstance(given, pd.DataFrame):
        return _check_values(_of_pairs(given, factor, moments))
    if isinstance(given, pd.Series):
        factor = _align(given.index, factor, moments)
    if factor.shape != (moments.n_features,):
        raise ValueError(
            f"{_NAME} has shape {factor.shape}, but there are {moments.n_features} predictors; "
            "give one number for each, or a DataFrame of predictors × targets."
        )
    return np.broadcast_to(_check_values(factor), shape)


def _align(given: pd.Index, factor: NDArray[np.float64], moments: Moments) -> NDArray[np.float64]:
    """Return the factors in the order of the predictors; 1 for those that are not given."""
    names = moments.feature_names
    if names is None:
        if given.equals(pd.RangeIndex(len(given))):
            return factor
        raise ValueError(
            f"{_NAME} is a Series with names such as {examples(given, 3)}, but the predictors have "
            "no names. Give them as a DataFrame, or pass `penalty_factor.to_numpy()` to use their "
            "order."
        )
    _check_unique(given, "a predictor")
    unknown = given.difference(pd.Index(names))
    if len(unknown):
        raise ValueError(
            f"{_NAME} names {len(unknown)} predictor(s) that the data lack, for example "
            f"{unknown[0]!r}."
        )
    return np.asarray(pd.Series(factor, given).reindex(names, fill_value=1.0), np.float64)


def _of_pairs(
    given: pd.DataFrame, factor: NDArray[np.float64], moments: Moments
) -> NDArray[np.float64]:
    """Return a table of predictors × targets as an array of targets × predictors."""
    predictors, targets = moments.feature_names, moments.target_names
    if predictors is None or targets is None:
        unnamed = "predictors" if predictors is None else "targets"
        raise ValueError(
            f"{_NAME} is a table of predictors × targets, which needs names: give the {unnamed} "
            "as a DataFrame with named columns."
        )
    _check_names(given.index, predictors, "predictor", "index")
    _check_names(given.columns, targets, "target", "columns")
    _check_orientation(given, predictors, targets)
    table = pd.DataFrame(factor, given.index, given.columns)
    aligned = table.reindex(index=predictors, columns=targets)
    # A missing value of a pair that the table has is an error, reported by `_check_values`.
    is_there = np.outer(aligned.index.isin(given.index), aligned.columns.isin(given.columns))
    return np.where(is_there, aligned.to_numpy(), 1.0).T


def _check_names(theirs: pd.Index, ours: Names, what: str, where: str) -> None:
    _check_unique(theirs, f"a {what}")
    if not theirs.isin(ours).any():
        raise ValueError(
            f"{_NAME} has no {what} of the data in its {where}: found "
            f"{examples(theirs, 3)}, expected names such as "
            f"{examples(ours, 3)}. It must have predictors in rows, targets in columns."
        )


def _check_orientation(given: pd.DataFrame, predictors: Names, targets: Names) -> None:
    """Raise if all rows are targets and all columns predictors; names are often both."""
    fits = given.index.isin(predictors).all() and given.columns.isin(targets).all()
    fits_transposed = given.index.isin(targets).all() and given.columns.isin(predictors).all()
    if fits_transposed and not fits:
        raise ValueError(
            f"{_NAME} must have predictors in rows and targets in columns, but it has targets of "
            "the data in all rows and predictors in all columns. Pass `penalty_factor.T`; or, if "
            "the orientation is right, leave out the rows of predictors that the data lack."
        )


def _check_unique(names: pd.Index, what: str) -> None:
    if not names.is_unique:
        raise ValueError(
            f"{_NAME} names {what} more than once, for example "
            f"{names[names.duplicated()][0]!r}; give each one factor."
        )


def _check_values(factor: NDArray[np.float64]) -> NDArray[np.float64]:
    if np.isnan(factor).any() or (factor < 0).any() or not (factor > 0).any(axis=-1).all():
        raise ValueError(
            f"{_NAME} must hold numbers >= 0 (infinity excludes), at least one > 0"
            + (" for each target." if factor.ndim == 2 else ".")
        )
    # Only ratios matter, but the mean must not overflow.
    finite = np.where(np.isfinite(factor), factor, 0.0)
    check_magnitude(finite.reshape(-1, 1), _NAME, *WEIGHT_MAGNITUDES)
    return factor
