"""The moments of half of the cells: by a pass over them, or from whole folds without any."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from ..moments import FoldLayout, FoldPlan, Moments
from ._units import Rows, rows_of

# The moments of a half, and the cells (X, Y, weight, plan) that they are of, if there are any.
Half: TypeAlias = tuple[Moments, Any]
# Which units (cells, groups or folds) are in the half.
Halving: TypeAlias = Callable[[Rows], Half]


def halving_of_cells(
    moments: Moments, cells: Any, units: Rows | list[Rows], with_folds: bool
) -> Halving:
    """Return what makes halves out of cells.

    Parameters
    ----------
    moments : Moments
        Of all cells.
    cells : (X, Y, weight, plan)
        As given to `Moments.from_arrays`.
    units : ndarray of int, or list of ndarray of int
        Rows that are on their own, or those that stay together.
    with_folds : bool
        Whether a half is to be cross-validated, by the same folds, or a single set.
    """
    X, Y, weight, plan = cells
    if not with_folds:
        plan = FoldPlan((np.arange(len(weight)),), FoldLayout.whole_only(1))

    def halve(drawn: Rows) -> Half:
        rows = rows_of(units, drawn)
        # Cells without weight are as good as absent.
        own = np.zeros_like(weight)
        own[rows] = weight[rows]
        names = moments.feature_names, moments.target_names
        return Moments.from_arrays(X, Y, plan, own, *names, around=moments), (X, Y, own, plan)

    return halve


def parts_by_fold(moments: Moments) -> list[Rows]:
    """Return the parts of each fold with a cell that counts.

    Raises
    ------
    ValueError
        If the folds do not add up to the cells.
    """
    layout = moments.layout
    if not layout.total.all():
        raise ValueError(
            'resample="folds" needs folds whose test sets are all cells, each cell in one of them; '
            'those of this `cv` are not. Use KFold or its like, or resample="cells".'
        )
    folds = [layout.held_out[layout.training_of == k] for k in range(layout.n_folds)]
    return [parts for parts in folds if moments.n_cells[parts].any()]


def halving_of_folds(moments: Moments, folds: list[Rows], with_folds: bool) -> Halving:
    """Return what makes halves out of whole folds, given the parts of each."""

    def halve(drawn: Rows) -> Half:
        parts = np.concatenate([folds[fold] for fold in drawn])
        if with_folds:
            own = np.repeat(np.arange(len(drawn)), [len(folds[fold]) for fold in drawn])
            return replace(moments.take(parts), layout=FoldLayout.partition(own)), None
        member = np.zeros((1, len(moments.weight)))
        member[0, parts] = 1.0
        return replace(moments.combine(member), layout=FoldLayout.whole_only(1)), None

    return halve
