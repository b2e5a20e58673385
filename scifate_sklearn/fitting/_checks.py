"""Checks of names, folds and sums, in addition to those of scikit-learn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from numbers import Number
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from .._warnings import warn
from ..moments import Moments
from ..names import examples
from ..preprocessing import X_MAGNITUDES, Y_MAGNITUDES
from ..solvers import paper_grid
from ._containers import Names, real_numbers

# What NumPy and pandas make of missing values if they convert them to text.
_MISSING_TEXTS = ("nan", "NaT", "<NA>")


@dataclass(frozen=True)
class Arguments:
    """Names of the two matrices in the signature of `fit`, for error messages.

    Attributes
    ----------
    X, Y : str
        Names of the arguments.
    rows : str
        The plural noun for their rows.
    are_named : bool
        Whether names of columns and rows are used: columns must then be unique, and the rows of
        two data frames must match.
    """

    X: str
    Y: str
    rows: str
    are_named: bool


def generated_names(prefix: str, n: int) -> Names:
    """Return ``x0, x1, ...``, scikit-learn's names for columns without one."""
    return np.array([f"{prefix}{i}" for i in range(n)], object)


def feature_names(estimator: Any) -> Names:
    """Return the names of the features of a fitted estimator, generated where it has none."""
    names: Names | None = getattr(estimator, "feature_names_in_", None)
    return generated_names("x", estimator.n_features_in_) if names is None else names


def set_feature_names(estimator: Any, n_features: int, names: Names | None) -> None:
    """Set ``n_features_in_`` and, if the features have names, ``feature_names_in_``."""
    estimator.n_features_in_ = n_features
    if names is not None:
        estimator.feature_names_in_ = names
    elif hasattr(estimator, "feature_names_in_"):
        del estimator.feature_names_in_


def check_unique(names: Names | None, argument: str) -> None:
    """Raise an error if an argument has no columns, or two that share their name."""
    if names is None:
        return
    if len(names) == 0:
        raise ValueError(f"`{argument}` has no columns; at least one is required.")
    others = [position for position, name in enumerate(names) if not isinstance(name, str)]
    if others:
        types = sorted({type(name).__name__ for name in names})
        raise TypeError(
            f"`{argument}` has column names of the types {types}, but only text is supported; the "
            f"first of another type is {shown(names[others[0]])} at position {others[0]}. Convert "
            f"them in both matrices, for example with `{argument}.rename(columns=str)`."
        )
    counts = pd.Series(names).value_counts()
    repeated = counts.index[counts > 1]
    if len(repeated):
        raise ValueError(
            f"`{argument}` has {len(repeated)} column name(s) more than once, for example "
            f"{examples(repeated, 3)}; links would be ambiguous. Rename or drop the "
            "duplicates (prepare_anndata does)."
        )


def shown(label: Any) -> str:
    """Return a label as an error message shows it."""
    return repr(label.item() if isinstance(label, np.generic) else label)


def first_difference(left: Sequence[Any], right: Sequence[Any]) -> int | None:
    """Return the first position where two sequences of labels differ, None if they are equal."""
    for position, (a, b) in enumerate(zip(left, right, strict=False)):
        # Missing labels are equal to each other here, but not by `==`.
        if not (a is b or (pd.api.types.is_scalar(a) and pd.isna(a) and pd.isna(b)) or a == b):
            return position
    return None if len(left) == len(right) else min(len(left), len(right))


def check_same_rows(X: Any, Y: Any, x_name: str, y_name: str, rows: str) -> None:
    """Raise an error if two frames name their rows differently, or in another order.

    Parameters
    ----------
    X, Y : object
        Frames or series; others have no names of rows. Rows that pandas has numbered match rows of
        any names, but not the same numbers in another order.
    x_name, y_name : str
        Their arguments.
    rows : str
        The plural noun for the rows.

    Raises
    ------
    ValueError
        With the first position where the names differ.
    """
    frames = (pd.DataFrame, pd.Series)
    if not (isinstance(X, frames) and isinstance(Y, frames)):
        return
    left, right = X.index, Y.index
    if len(left) != len(right) or left.equals(right):
        return
    position = first_difference(list(left), list(right))
    if position is None:
        return
    is_numbered = isinstance(left, pd.RangeIndex) or isinstance(right, pd.RangeIndex)
    is_reordered = Counter(left) == Counter(right)
    if is_numbered and not is_reordered:
        return
    one, other = shown(left[position]), shown(right[position])
    if is_reordered:
        raise ValueError(
            f"`{y_name}` has the {rows} of `{x_name}` in another order; align them with "
            f"`{y_name}.loc[{x_name}.index]`. They first differ at position {position}: {one} in "
            f"`{x_name}`, {other} in `{y_name}`."
        )
    raise ValueError(
        f"`{x_name}` and `{y_name}` name different {rows}: {one} against {other} at position "
        f"{position}, where they first differ; both must have the same {rows} in the same order. "
        f"To pair them by position, as a permutation test does, pass `{y_name}.to_numpy()`."
    )


def check_per_row(values: Any, argument: str, X: Any, Y: Any, arguments: Arguments) -> None:
    """Raise an error if a series of one value per row names other rows than the matrices.

    Parameters
    ----------
    values : object
        Given as `argument`.
    X, Y : object
        The matrices. The first that is a frame is compared.
    """
    if isinstance(X, pd.DataFrame):
        check_same_rows(X, values, arguments.X, argument, arguments.rows)
    else:
        check_same_rows(Y, values, arguments.Y, argument, arguments.rows)


def check_targets(given: Names | None, fitted: Names, argument: str) -> None:
    """Raise an error if named targets are not those of the fit, in the same order."""
    # Targets of a fit without names have generated ones.
    if given is None or np.array_equal(fitted, generated_names("y", len(fitted))):
        return
    check_unique(given, argument)
    position = first_difference(list(fitted), list(given))
    if position is None:
        return
    if Counter(given) == Counter(fitted):
        raise ValueError(
            f"`{argument}` has the targets of the fit in another order; the first difference is at "
            f"position {position}: {shown(fitted[position])} in the fit, {shown(given[position])} "
            f"in `{argument}`. Align them with `{argument}[list(model.target_names_in_)]`."
        )
    ours, theirs = pd.Index(fitted), pd.Index(given)
    missing, unknown = ours.difference(theirs), theirs.difference(ours)
    raise ValueError(
        f"`{argument}` must have the targets of the fit: it lacks {len(missing)} of them"
        + (f" ({examples(missing, 3)})" if len(missing) else "")
        + f" and has {len(unknown)} other(s)"
        + (f" ({examples(unknown, 3)})" if len(unknown) else "")
        + "."
    )


def target_position(fitted: Names, target: str) -> int:
    """Return the position of a target among those of a fit, or raise ValueError."""
    found = np.flatnonzero(fitted == target)
    if not len(found):
        close = get_close_matches(str(target), [str(name) for name in fitted], n=3)
        hint = f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
        raise ValueError(
            f"`target` must be one of the {len(fitted)} targets of the fit "
            f"({examples(fitted, 3)}), got {target!r}.{hint}"
        )
    return int(found[0])


def group_labels(
    groups: Any,
    weight: NDArray[np.float64] | NDArray[np.bool_],
    rows: str = "cells",
    argument: str = "groups",
) -> NDArray[Any]:
    """Return validated groups of the rows.

    Rows without weight count as absent; their groups may be missing.

    Parameters
    ----------
    groups : array-like of shape (n_rows,)
    weight : ndarray of shape (n_rows,)
        Or whether each row is used.
    rows : str, default="cells"
        The plural noun for the rows.
    argument : str, default="groups"
        Its name, for messages.

    Raises
    ------
    TypeError
        If the groups are of mixed type, for example numbers and text.
    ValueError
        If `groups` has another shape, or the group of a row is missing, masked or the text "nan".
    """
    # NumPy would turn a missing value in a list of strings into the string "nan".
    labels = np.asarray(groups) if hasattr(groups, "dtype") else np.asarray(groups, object)
    if labels.shape != weight.shape:
        raise ValueError(
            f"`{argument}` has the shape {labels.shape}, but there are {len(weight)} {rows}; give "
            "the group of each."
        )
    present = np.flatnonzero(weight > 0)
    mask = np.ma.getmaskarray(groups) if isinstance(groups, np.ma.MaskedArray) else False
    missing = present[(missing_labels(labels) | mask)[present]]
    if missing.size:
        raise ValueError(
            f"`{argument}` is missing for {missing.size} {rows[:-1]}(s), the first of them in row "
            f"{missing[0]}; give them a group or leave them out."
        )
    if labels.dtype == object:
        kinds = {_kind(labels[row]): row for row in present[::-1]}
        if len(kinds) > 1:
            found = [
                f"{shown(labels[row])} in row {row} ({kind})"
                for kind, row in sorted(kinds.items(), key=lambda each: each[1])
            ]
            raise TypeError(
                f"`{argument}` is of mixed type: {', '.join(found)}. Convert the groups to one "
                "type, for example with `.astype(str)`."
            )
    return labels


def missing_labels(column: ArrayLike) -> NDArray[np.bool_]:
    """Return which labels are missing, or the text that missing ones become.

    Parameters
    ----------
    column : array-like of shape (n_rows,)
        Text, numbers, dates or categories.

    Returns
    -------
    ndarray of bool of shape (n_rows,)
        True also for the texts "nan", "NaT" and "<NA>".
    """
    labels = np.asarray(column)
    is_missing = np.asarray(pd.isna(labels), bool)
    if labels.dtype.kind in "OTU":
        texts = (isinstance(label, str) and label in _MISSING_TEXTS for label in labels)
        is_missing |= np.fromiter(texts, bool, len(labels))
    return is_missing


def _kind(label: object) -> str:
    """Return the type of a label, one for all numbers."""
    return "number" if isinstance(label, Number) else type(label).__name__.removesuffix("_")


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


def warn_of_empty_folds(moments: Moments, rows: str) -> None:
    """Warn if test sets have no weight, so that they do not count in cross-validation."""
    layout = moments.layout
    tested = moments.n_cells[layout.held_out]
    n_empty = np.count_nonzero(np.bincount(layout.training_of, tested, layout.n_folds) == 0)
    if n_empty:
        warn(
            f"{n_empty} of {layout.n_folds} test sets have no {rows} of positive weight "
            "(`sample_weight`): the cross-validated error and its standard error are those of the "
            f"other {layout.n_folds - n_empty}."
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


def own_positions(moments: Moments, excludes_self: bool) -> NDArray[np.intp]:
    """Return the predictor (n_targets,) that each target must not have, −1 for none.

    Parameters
    ----------
    moments : Moments
    excludes_self : bool
        Whether a TF is not a predictor of the gene of the same name.
    """
    tfs, targets = moments.feature_names, moments.target_names
    if not excludes_self or tfs is None or targets is None:
        return np.full(moments.n_targets, -1, np.intp)
    return pd.Index(tfs).get_indexer(pd.Index(targets)).astype(np.intp)


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
    values = real_numbers(given, argument)
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
