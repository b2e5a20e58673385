"""Checks of names, folds and sums, in addition to those of scikit-learn."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..moments import Moments
from ..names import examples
from ..preprocessing import X_MAGNITUDES, Y_MAGNITUDES, check_intact, naming
from ..solvers import paper_grid

Names = NDArray[np.object_]


def column_names(data: Any) -> Names | None:
    """Return the column names of a frame, or the name of a series; None without names."""
    if isinstance(data, pd.DataFrame):
        if not all(isinstance(name, str) for name in data.columns):
            return None
        return np.asarray(data.columns, object)
    if isinstance(data, pd.Series) and isinstance(data.name, str):
        return np.array([data.name], object)
    return None


def generated_names(prefix: str, n: int) -> Names:
    """Return ``x0, x1, ...``, scikit-learn's names for columns without one."""
    return np.array([f"{prefix}{i}" for i in range(n)], object)


def feature_names(estimator: Any) -> Names:
    """Return the names of the features of a fitted estimator, generated where it has none."""
    names: Names | None = getattr(estimator, "feature_names_in_", None)
    return generated_names("x", estimator.n_features_in_) if names is None else names


def check_unique(names: Names | None, argument: str) -> None:
    """Raise an error if an argument has no columns, or two that share their name."""
    if names is None:
        return
    if len(names) == 0:
        raise ValueError(f"`{argument}` has no columns; at least one is required.")
    counts = pd.Series(names).value_counts()
    repeated = counts.index[counts > 1]
    if len(repeated):
        raise ValueError(
            f"`{argument}` has {len(repeated)} column name(s) more than once, for example "
            f"{examples(repeated, 3)}; links would be ambiguous. Rename or drop the "
            "duplicates (prepare_anndata does)."
        )


def check_same_rows(X: Any, Y: Any, x_name: str, y_name: str, rows: str) -> None:
    """Raise an error if two frames name their rows differently, or in another order."""
    frames = (pd.DataFrame, pd.Series)
    if not (isinstance(X, frames) and isinstance(Y, frames)):
        return
    left, right = X.index, Y.index
    unnamed = isinstance(left, pd.RangeIndex) or isinstance(right, pd.RangeIndex)
    if len(left) != len(right) or unnamed or left.equals(right):
        return
    if Counter(left) == Counter(right):
        raise ValueError(
            f"`{y_name}` has the {rows} of `{x_name}` in another order; align them with "
            f"`{y_name}.loc[{x_name}.index]`."
        )
    raise ValueError(
        f"`{x_name}` and `{y_name}` name different {rows}: {left[0]!r}, ... against "
        f"{right[0]!r}, ...; both must have the same {rows} in the same order."
    )


def check_folds(moments: Moments, rows: str) -> None:
    """Raise an error if a training set, or every test set but one, has no weight."""
    layout = moments.layout
    empty = np.flatnonzero(layout.training @ moments.n_cells == 0)
    if empty.size:
        raise ValueError(
            f"The training set of fold {empty[0]} has no {rows} of positive weight "
            f"(`sample_weight`); leave out the {rows} without weight and split the others."
        )
    n_tested = np.count_nonzero(moments.n_cells[layout.held_out])
    if n_tested < 2 or layout.total @ moments.n_cells < 2:
        raise ValueError(
            f"Cross-validation needs {rows} of positive weight (`sample_weight`) in at least two "
            f"test sets, found them in {n_tested}."
        )


def check_sums(moments: Moments) -> None:
    """Raise an error if moments are so large that their products would overflow."""
    total = max(float(moments.weight.sum()), np.finfo(float).tiny)
    most_x, most_y = X_MAGNITUDES[1], Y_MAGNITUDES[1]
    for values, most in (
        (moments.x_shift, most_x),
        (moments.y_shift, most_y),
        (moments.x_sum, most_x * total),
        (moments.y_sum, most_y * total),
        (moments.xx, most_x**2 * total),
        (moments.xy, most_x * most_y * total),
        (moments.yy, most_y**2 * total),
    ):
        if not max(values.max(), -values.min()) <= most:
            raise ValueError(
                "`moments` are sums of numbers that are too large for double precision; rescale "
                "the matrices that they are made from."
            )


def self_positions(feature_names: Names | None, target_names: Names | None) -> NDArray[np.intp]:
    """Return, for each target, the position of the predictor of the same name, or −1."""
    if feature_names is None or target_names is None:
        return np.full(0 if target_names is None else len(target_names), -1, np.intp)
    return pd.Index(feature_names).get_indexer(pd.Index(target_names)).astype(np.intp)


def penalty_grid(lambdas: Any) -> NDArray[np.float64] | None:
    """Return the decreasing grid of penalties, or None for glmnet's own.

    Parameters
    ----------
    lambdas : {"paper", "auto"} or array-like of shape (n_lambdas,)

    Raises
    ------
    TypeError, ValueError
        As from `read_penalties`.
    """
    if isinstance(lambdas, str):
        return paper_grid() if lambdas == "paper" else None
    return read_penalties(lambdas, "lambdas")


def read_penalties(given: Any, argument: str) -> NDArray[np.float64]:
    """Return given penalties in decreasing order, each once.

    Raises
    ------
    TypeError, ValueError
        If they are not one list of positive finite numbers; the message names `argument`.
    """
    check_intact(given, f"`{argument}`")
    with naming(f"`{argument}`"):
        # NumPy would drop imaginary parts with a warning only.
        if np.iscomplexobj(given):
            raise TypeError("must hold real numbers, found 'complex' ones.")
        values = np.asarray(given, np.float64)
    if values.ndim != 1:
        raise ValueError(
            f"`{argument}` must be one list of penalties for all targets, got the shape "
            f"{values.shape}."
        )
    grid = np.unique(values)[::-1]
    if grid.size == 0 or not np.isfinite(grid).all() or grid[-1] <= 0:
        raise ValueError(
            f"`{argument}` must hold positive, finite penalties, got {grid.size} value(s)"
            + (f" from {grid[-1]:g} to {grid[0]:g}." if grid.size else ".")
        )
    return np.ascontiguousarray(grid)
