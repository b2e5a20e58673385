"""Relative penalties of predictors, or of pairs of a TF and a target."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ..moments import Moments
from ..names import examples
from ..preprocessing import WEIGHT_MAGNITUDES, check_intact, check_magnitude, naming

_NAME = "`penalty_factor`"

Names: TypeAlias = NDArray[np.object_]


def relative_penalties(
    given: ArrayLike | pd.Series | pd.DataFrame | None, moments: Moments
) -> NDArray[np.float64]:
    """Return the penalty of each predictor in the model of each target, before rescaling.

    Parameters
    ----------
    given : array-like or Series of shape (n_features,), DataFrame of TFs × targets, or None
        A table may have TFs and targets that the data lack, which are ignored. Pairs that it lacks
        get 1.
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
    check_intact(given, _NAME)
    if isinstance(given, pd.DataFrame):
        return _check_values(_of_pairs(given, moments))
    if isinstance(given, pd.Series) and moments.feature_names is not None:
        given = _align(given, moments.feature_names)
    with naming(_NAME):
        factor = np.asarray(given, np.float64)
    if factor.shape != (moments.n_features,):
        raise ValueError(
            f"{_NAME} has shape {factor.shape}, but `tf_matrix` has {moments.n_features} features; "
            "give one number for each, or a DataFrame of TFs × targets."
        )
    return np.broadcast_to(_check_values(factor), shape)


def _align(given: pd.Series, feature_names: NDArray[np.object_]) -> pd.Series:
    _check_unique(given.index, "a predictor")
    unknown = given.index.difference(pd.Index(feature_names))
    if len(unknown):
        raise ValueError(
            f"{_NAME} names {len(unknown)} predictor(s) that `tf_matrix` lacks, for example "
            f"{unknown[0]!r}."
        )
    return given.reindex(feature_names, fill_value=1.0)


def _of_pairs(given: pd.DataFrame, moments: Moments) -> NDArray[np.float64]:
    """Return a table of TFs × targets as an array of targets × predictors."""
    tfs, targets = moments.feature_names, moments.target_names
    if tfs is None or targets is None:
        matrix = "`tf_matrix`" if tfs is None else "`target_matrix`"
        raise ValueError(
            f"{_NAME} is a table of TFs × targets, which needs names: give {matrix} as a "
            "DataFrame with named columns."
        )
    _check_names(given.index, tfs, "TF", "index")
    _check_names(given.columns, targets, "target", "columns")
    _check_orientation(given, tfs, targets)
    aligned = given.reindex(index=tfs, columns=targets)
    # A missing value of a pair that the table has is an error, reported by `_check_values`.
    is_there = np.outer(aligned.index.isin(given.index), aligned.columns.isin(given.columns))
    with naming(_NAME):
        return np.where(is_there, aligned.to_numpy(np.float64, na_value=np.nan), 1.0).T


def _check_names(theirs: pd.Index, ours: Names, what: str, where: str) -> None:
    _check_unique(theirs, f"a {what}")
    if not theirs.isin(ours).any():
        raise ValueError(
            f"{_NAME} has no {what} of the data in its {where}: found "
            f"{examples(theirs, 3)}, expected names such as "
            f"{examples(ours, 3)}. It must have TFs in rows, targets in columns."
        )


def _check_orientation(given: pd.DataFrame, tfs: Names, targets: Names) -> None:
    """Raise if all rows are targets and all columns TFs; TFs are often targets too."""
    fits = given.index.isin(tfs).all() and given.columns.isin(targets).all()
    fits_transposed = given.index.isin(targets).all() and given.columns.isin(tfs).all()
    if fits_transposed and not fits:
        raise ValueError(
            f"{_NAME} must have TFs in rows and targets in columns, but it has targets of the data "
            "in all rows and TFs in all columns. Pass `penalty_factor.T`; or, if the orientation "
            "is right, leave out the rows of TFs that the data lack."
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
