"""Sums over cells that are given at once or in chunks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Generic, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from ._algebra import PartSums
from ._cells import Shift, WeightedCells, column_spread
from ._chunks import check_chunk
from ._matrices import Matrix
from ._names import Names, check_names
from ._plan import FoldLayout, FoldPlan
from ._sums import SUMS, TARGET_SUMS, add_cells, zero_sums

# The class of the sums to return.
S = TypeVar("S", bound=PartSums)

# Names of the predictors and of the targets.
ColumnNames: TypeAlias = tuple[Names | None, Names | None]

# A chunk of cells is summed around a shift at most this many standard deviations from its mean:
# the variances then lose at most the square of it, four of sixteen digits.
_NEAR = 100.0


class SumsBuilder(Generic[S]):
    """Sums to which cells are added in place.

    Parameters
    ----------
    kind : type
        Class of the sums to return.
    layout : FoldLayout
    names : pair of (sequence of str or None)
        Names of the predictors and of the targets.
    shift : Shift

    Raises
    ------
    ValueError
        If there is not one different name for each column.
    """

    def __init__(self, kind: type[S], layout: FoldLayout, names: ColumnNames, shift: Shift) -> None:
        self.shift = shift
        self._kind, self._layout = kind, layout
        self._feature_names = check_names(names[0], shift.x.size, "feature_names")
        self._target_names = check_names(names[1], shift.y.size, "target_names")
        self._sums = zero_sums(len(layout.total), shift.x.size, shift.y.size)

    def add(self, cells: WeightedCells, parts: Iterable[NDArray[np.intp]]) -> None:
        """Add the rows of each part."""
        add_cells(cells, self.shift, parts, self._sums)

    def merge(self, other: SumsBuilder[S]) -> None:
        """Add the sums of another builder, around a shift between both."""
        both = self.result() + other.result()
        self.shift = shift_of(both)
        self._sums = {name: getattr(both, name) for name in SUMS}

    def result(self) -> S:
        """Return the sums so far, in shared memory: cells that are added later change them."""
        return self._kind(
            **self._sums,
            x_shift=self.shift.x,
            y_shift=self.shift.y,
            layout=self._layout,
            feature_names=self._feature_names,
            target_names=self._target_names,
        )


def sum_arrays(
    kind: type[S], cells: WeightedCells, plan: FoldPlan, names: ColumnNames, around: PartSums | None
) -> S:
    """Return the sums over cells in memory; see `Moments.from_arrays`."""
    shift = cells.mean_shift() if around is None else shift_of(around)
    builder = SumsBuilder(kind, plan.layout, names, shift)
    builder.add(cells, plan.parts)
    return builder.result()


def sum_chunks(
    kind: type[S],
    chunks: Iterable[tuple[Matrix, ...]],
    plan: FoldPlan,
    names: ColumnNames,
    around: PartSums | None,
) -> S:
    """Return the sums over chunks of cells; see `Moments.from_chunks`."""
    plan = plan.in_order()
    total: SumsBuilder[S] | None = None
    start = 0
    for number, chunk in enumerate(chunks):
        expected = None if total is None else (total.shift.x.size, total.shift.y.size)
        cells = check_chunk(chunk, number, expected)
        stop = start + cells.X.shape[0]
        parts = plan.rows(start, stop).parts
        shift, is_shared = _choose_shift(cells, around if total is None else total.result())
        if total is not None and is_shared:
            total.add(cells, parts)
        else:
            piece = SumsBuilder(kind, plan.layout, names, shift)
            piece.add(cells, parts)
            if total is None:
                total = piece
            else:
                total.merge(piece)
        start = stop
    if total is None or start != plan.n_cells:
        raise ValueError(f"`chunks` hold {start} cells, but `plan` is for {plan.n_cells}.")
    return total.result()


def reorder_targets(sums: S, cells: WeightedCells, plan: FoldPlan, order: NDArray[np.intp]) -> S:
    """Return the sums with the targets in another order; see `Moments.reordered`."""
    changed: dict[str, Any] = zero_sums(
        len(plan.parts), sums.n_features, sums.n_targets, TARGET_SUMS
    )
    add_cells(cells, shift_of(sums), plan.parts, changed, order)
    return replace(sums, **changed)


def shift_of(sums: PartSums) -> Shift:
    """Return the shift that sums are around."""
    return Shift(sums.x_shift, sums.y_shift)


def _choose_shift(cells: WeightedCells, known: PartSums | None) -> tuple[Shift, bool]:
    """Return the shift of `known` and True if it suits the cells, else their own and False."""
    own = cells.mean_shift()
    if known is not None and _is_near(known, cells, own):
        return shift_of(known), True
    return own, False


def _is_near(sums: PartSums, cells: WeightedCells, mean: Shift) -> bool:
    """Return whether cells with these means can be summed around the shift of `sums`.

    They can if the distance is small relative to the spread of the cells in `sums`, or of `cells`.
    """
    total = sums.layout.total
    so_far = max(float(total @ sums.weight), np.finfo(float).tiny)
    x_squares = total @ np.diagonal(sums.xx, axis1=1, axis2=2)
    for A, distance, column_sums, squares in (
        (cells.X, mean.x - sums.x_shift, total @ sums.x_sum, x_squares),
        (cells.Y, mean.y - sums.y_shift, total @ sums.y_sum, total @ sums.yy),
    ):
        variance = squares / so_far - (column_sums / so_far) ** 2
        far = np.flatnonzero(distance**2 > _NEAR**2 * variance)
        if (np.abs(distance[far]) > _NEAR * column_spread(A, far, cells.weight)).any():
            return False
    return True
