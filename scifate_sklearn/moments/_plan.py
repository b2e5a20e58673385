"""Assignment of cells to parts, and of parts to training and test sets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import block_diag

# Below this many cells per fold, cv.glmnet pools single residuals instead of fold means.
MIN_CELLS_PER_FOLD = 3

_ARRAYS = ("training", "held_out", "training_of", "total")


@dataclass(frozen=True)
class FoldLayout:
    """Composition of training sets, test sets and the whole from parts.

    A *part* is a set of cells whose sums are kept together; a *test unit* is a part whose mean
    squared error is one term of the cross-validation mean.

    Attributes
    ----------
    training : ndarray of shape (n_folds, n_parts)
        1 where the part belongs to the training set, else 0.
    held_out : ndarray of shape (n_units,)
        The part that each test unit evaluates.
    training_of : ndarray of shape (n_units,)
        The training set whose model each test unit evaluates.
    total : ndarray of shape (n_parts,)
        1 for the parts that add up to all cells.
    n_repeats : int, default=1
        How often the test units cover all cells, each time with other folds.
    """

    training: NDArray[np.float64]
    held_out: NDArray[np.intp]
    training_of: NDArray[np.intp]
    total: NDArray[np.float64]
    n_repeats: int = 1

    @property
    def n_folds(self) -> int:
        """Number of training sets."""
        return self.training.shape[0]

    @classmethod
    def partition(cls, training_of: NDArray[np.intp]) -> FoldLayout:
        """Return the layout of parts that are each held out once, by the given fold."""
        n_parts = len(training_of)
        folds = np.arange(training_of[-1] + 1)
        training = (training_of[None, :] != folds[:, None]).astype(np.float64)
        return cls(training, np.arange(n_parts), training_of, np.ones(n_parts))

    @classmethod
    def repeated(cls, layouts: Sequence[FoldLayout]) -> FoldLayout:
        """Return the layout of the parts of several layouts, which cover the same cells."""
        n_parts = np.cumsum([0, *(layout.training.shape[1] for layout in layouts)])
        n_folds = np.cumsum([0, *(layout.n_folds for layout in layouts)])
        total = np.zeros(n_parts[-1])
        total[: n_parts[1]] = layouts[0].total
        return cls(
            np.asarray(block_diag(*(layout.training for layout in layouts)), np.float64),
            np.concatenate([own.held_out + k for own, k in zip(layouts, n_parts, strict=False)]),
            np.concatenate([own.training_of + k for own, k in zip(layouts, n_folds, strict=False)]),
            total,
            sum(layout.n_repeats for layout in layouts),
        )

    @classmethod
    def whole_only(cls, n_parts: int) -> FoldLayout:
        """Return the layout of `n_parts` parts without cross-validation."""
        none = np.empty(0, np.intp)
        return cls(np.empty((0, n_parts)), none, none, np.ones(n_parts))

    def to_state(self) -> dict[str, NDArray[Any]]:
        """Return all fields as arrays, by name; `n_repeats` only if it is above 1."""
        state = {field.name: np.asarray(getattr(self, field.name)) for field in fields(self)}
        # Files and checkpoints without repeats are those of earlier versions.
        if self.n_repeats == 1:
            del state["n_repeats"]
        return state

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> FoldLayout:
        """Return the layout that `to_state` gave; raise TypeError or KeyError for other arrays."""
        n_repeats = state.get("n_repeats", np.array(1))
        if n_repeats.shape != () or n_repeats.dtype.kind != "i":
            raise TypeError("the number of repeats is not an integer")
        return cls(**{name: state[name] for name in _ARRAYS}, n_repeats=int(n_repeats))

    def equals(self, other: FoldLayout) -> bool:
        """Return whether all arrays of both layouts are equal."""
        return all(
            np.array_equal(getattr(self, field.name), getattr(other, field.name))
            for field in fields(self)
        )

    def check(self) -> None:
        """Raise ValueError unless all arrays have consistent shapes, types and values."""
        n_folds, n_parts = self.training.shape
        for name, limit in (("held_out", n_parts), ("training_of", n_folds)):
            index = getattr(self, name)
            if index.shape != (len(self.held_out),) or index.dtype != np.intp:
                raise ValueError(f"the layout's {name} is not a list of integers")
            if index.size == 0 or index.min() < 0 or index.max() >= limit:
                raise ValueError(f"the layout's {name} refers to parts or folds that do not exist")
        if n_folds < 2 or (np.diff(self.training_of) < 0).any():
            raise ValueError(
                "the layout has fewer than two folds, or its test units are not in their order"
            )
        if self.total.shape != (n_parts,):
            raise ValueError("the layout's total does not cover all parts")
        if self.n_repeats < 1 or len(self.held_out) % self.n_repeats:
            raise ValueError("the layout's test units are not of so many repeats")
        members = np.vstack([self.training, self.total])
        types = {self.training.dtype, self.total.dtype}
        if types != {np.dtype(np.float64)} or not np.isin(members, (0.0, 1.0)).all():
            raise ValueError("the layout's sets are not 0/1 combinations of parts")


@dataclass(frozen=True)
class FoldPlan:
    """The rows of each part, and the layout that combines the parts."""

    parts: tuple[NDArray[np.intp], ...]
    layout: FoldLayout

    @classmethod
    def whole_only(cls, n_cells: int) -> FoldPlan:
        """Return the plan of all cells as one part, without cross-validation."""
        return cls((np.arange(n_cells),), FoldLayout.whole_only(1))

    @classmethod
    def repeated(cls, plans: Sequence[FoldPlan]) -> FoldPlan:
        """Return the plan of cross-validations of the same cells with several plans."""
        if len(plans) == 1:
            return plans[0]
        parts = tuple(part for plan in plans for part in plan.parts)
        return cls(parts, FoldLayout.repeated([plan.layout for plan in plans]))

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return int(self.layout.total @ [len(rows) for rows in self.parts])

    def in_order(self) -> FoldPlan:
        """Return the same plan with the rows of each part ascending, as `rows` requires."""
        return FoldPlan(tuple(np.sort(rows) for rows in self.parts), self.layout)

    def rows(self, start: int, stop: int) -> FoldPlan:
        """Return the plan of the cells `start` to `stop`, renumbered from 0; needs `in_order`."""
        here = (rows[slice(*np.searchsorted(rows, (start, stop)))] - start for rows in self.parts)
        return FoldPlan(tuple(here), self.layout)

    def training_rows(self, fold: int) -> NDArray[np.intp]:
        """Return the sorted rows of the training set of one fold."""
        return self._rows(self.layout.training[fold])

    def held_out_rows(self, unit: int) -> NDArray[np.intp]:
        """Return the rows that one test unit evaluates."""
        return self.parts[self.layout.held_out[unit]]

    def _rows(self, member: NDArray[np.float64]) -> NDArray[np.intp]:
        return np.sort(np.concatenate([self.parts[i] for i in np.flatnonzero(member)]))


def plan_folds(
    splits: Iterable[tuple[ArrayLike, ArrayLike]],
    n_cells: int,
    *,
    splits_small_folds: bool = True,
    rows: str = "cells",
) -> FoldPlan:
    """Return the plan of sums for the (train, test) rows of any scikit-learn splitter.

    If the test sets partition the cells and every training set is the rest, each fold is summed
    once, and training sets are sums of the other folds. Other splitters (shuffled, time series) get
    two parts per fold and one for all cells.

    Parameters
    ----------
    splits : iterable of (train, test) pairs of row indices
    n_cells : int
    splits_small_folds : bool, default=True
        With fewer than three test cells per fold, make each test cell a unit of its own, as
        ``cv.glmnet`` does (``grouped = FALSE``).
    rows : str, default="cells"
        The plural noun for what is split, for messages.

    Returns
    -------
    FoldPlan

    Raises
    ------
    ValueError
        If there are fewer than two folds, or one has no training or no test cells.
    """
    folds = [_check_fold(k, fold, n_cells, rows) for k, fold in enumerate(splits)]
    _check_folds(folds, rows)
    tests = [test for _, test in folds]
    is_small = sum(map(len, tests)) < MIN_CELLS_PER_FOLD * len(folds)
    grouped = not (is_small and splits_small_folds)
    units = tests if grouped else [rows for test in tests for rows in np.split(test, len(test))]
    training_of = np.repeat(np.arange(len(folds)), [1 if grouped else len(t) for t in tests])
    if _is_partition(folds, n_cells):
        return FoldPlan(tuple(units), FoldLayout.partition(training_of))
    return _general_plan(folds, units, training_of, n_cells)


def _check_fold(
    k: int, fold: Any, n_cells: int, what: str
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows of both sets; raise ValueError for masks, which NumPy would read as rows."""
    try:
        train, test = (np.asarray(rows) for rows in fold)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"`cv`: fold {k} must be a pair (train, test) of lists of row numbers ({error})."
        ) from error
    for rows in (train, test):
        if rows.ndim != 1 or (rows.size and rows.dtype.kind not in "iu"):
            raise ValueError(
                f"`cv`: fold {k} must hold lists of row numbers, got {rows.ndim} dimension(s) of "
                f"{rows.dtype}; np.flatnonzero converts masks."
            )
        if rows.size and (rows.min() < 0 or rows.max() >= n_cells):
            raise ValueError(
                f"`cv`: fold {k} has row numbers from {rows.min()} to {rows.max()}, but there are "
                f"{n_cells} {what}, 0 to {n_cells - 1}."
            )
    return train.astype(np.intp), test.astype(np.intp)


def _check_folds(folds: list[tuple[NDArray[np.intp], NDArray[np.intp]]], what: str) -> None:
    if len(folds) < 2:
        raise ValueError(f"`cv` must give at least 2 folds, got {len(folds)}.")
    for k, (train, test) in enumerate(folds):
        if train.size == 0 or test.size == 0:
            raise ValueError(
                f"`cv`: fold {k} has {train.size} training and {test.size} test {what}; "
                "both must hold at least one."
            )


def _is_partition(folds: list[tuple[NDArray[np.intp], NDArray[np.intp]]], n_cells: int) -> bool:
    tests = np.concatenate([test for _, test in folds])
    if not np.array_equal(np.sort(tests), np.arange(n_cells)):
        return False
    return all(
        len(train) + len(test) == n_cells
        and np.array_equal(np.sort(np.concatenate([train, test])), np.arange(n_cells))
        for train, test in folds
    )


def _general_plan(
    folds: list[tuple[NDArray[np.intp], NDArray[np.intp]]],
    units: list[NDArray[np.intp]],
    training_of: NDArray[np.intp],
    n_cells: int,
) -> FoldPlan:
    parts = [train for train, _ in folds] + units + [np.arange(n_cells)]
    training = np.eye(len(folds), len(parts))
    total = np.zeros(len(parts))
    total[-1] = 1.0
    held_out = len(folds) + np.arange(len(units))
    return FoldPlan(tuple(parts), FoldLayout(training, held_out, training_of, total))
