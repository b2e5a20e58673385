"""Algebra of sums over cells: parts are added, selected and moved to another shift."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from .._state import VersionedState
from ._plan import FoldLayout
from ._sums import SUMS
from ._targets import TargetSums


@dataclass(frozen=True)
class PartSums(VersionedState):
    """Weighted sums over the cells of each part, around a shift.

    Fields and notation are those of `Moments`, which adds the ways in and out: from cells, to and
    from files.
    """

    n_cells: NDArray[np.float64]
    weight: NDArray[np.float64]
    x_shift: NDArray[np.float64]
    y_shift: NDArray[np.float64]
    x_sum: NDArray[np.float64]
    y_sum: NDArray[np.float64]
    xx: NDArray[np.float64]
    xy: NDArray[np.float64]
    yy: NDArray[np.float64]
    layout: FoldLayout
    feature_names: NDArray[np.object_] | None = None
    target_names: NDArray[np.object_] | None = None

    @property
    def n_features(self) -> int:
        """Number of predictors."""
        return self.x_shift.size

    @property
    def n_targets(self) -> int:
        """Number of targets."""
        return self.y_shift.size

    @property
    def x_mean(self) -> NDArray[np.float64]:
        """Means (n_parts, n_features) of the predictors, relative to the shift."""
        return self.x_sum / self.weight[:, None]

    @property
    def y_mean(self) -> NDArray[np.float64]:
        """Means (n_parts, n_targets) of the targets, relative to the shift."""
        return self.y_sum / self.weight[:, None]

    @property
    def predictors(self) -> Self:
        """The same sums without targets."""
        return replace(
            self,
            y_shift=self.y_shift[:0],
            y_sum=self.y_sum[:, :0],
            xy=np.empty((*self.x_sum.shape, 0)),
            yy=self.yy[:, :0],
            target_names=None,
        )

    def some_targets(self, positions: NDArray[np.intp]) -> Self:
        """Return the same sums with some of the targets only."""
        names = self.target_names
        return replace(
            self,
            y_shift=self.y_shift[positions],
            y_sum=self.y_sum[:, positions],
            xy=self.xy[:, :, positions],
            yy=self.yy[:, positions],
            target_names=None if names is None else names[positions],
        )

    def targets(self, block: slice) -> TargetSums:
        """Return the sums of consecutive targets, without those of the predictors alone."""
        sums = self.y_sum[:, block], self.xy[:, :, block], self.yy[:, block]
        return TargetSums(self.y_shift[block], *sums)

    @cached_property
    def whole(self) -> Self:
        """The sums over all cells, as one part."""
        return self.combine(self.layout.total[None, :])

    def combine(self, member: NDArray[np.float64]) -> Self:
        """Add parts up: one new part for each row of the 0/1 matrix (n_sets, n_parts).

        Training sets are sums of folds, never the whole minus a fold, so nothing cancels.
        """

        def add(sums: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.tensordot(member, sums, axes=1)

        # Sets of a single part need no addition.
        if np.all(np.count_nonzero(member, axis=1) == 1):
            return self.take(member.argmax(axis=1))
        return self._map_sums(add)

    def take(self, parts: NDArray[np.intp]) -> Self:
        """Return the given parts, in that order; consecutive parts are not copied."""
        everything = np.arange(len(self.weight))
        if np.array_equal(parts, everything):
            return self
        run = slice(parts[0], parts[0] + len(parts)) if len(parts) else slice(0)
        index = run if np.array_equal(parts, everything[run]) else parts
        return self._map_sums(lambda sums: sums[index])

    def with_features(self, names: Sequence[str]) -> Self:
        """Return the same sums with predictors in another order, and new ones that are 0.

        Parameters
        ----------
        names : sequence of str of shape (n_features,)
            All names of these sums, and those of predictors that are 0 in every cell.

        Returns
        -------
        PartSums
        """
        place = {name: k for k, name in enumerate(names)}
        own = () if self.feature_names is None else self.feature_names
        new = np.array([place[name] for name in own], np.intp)
        p = len(names)
        changed: dict[str, Any] = {
            "x_shift": np.zeros(p),
            "x_sum": np.zeros((*self.weight.shape, p)),
            "xx": np.zeros((*self.weight.shape, p, p)),
            "xy": np.zeros((*self.weight.shape, p, self.n_targets)),
        }
        changed["x_shift"][new] = self.x_shift
        changed["x_sum"][:, new] = self.x_sum
        changed["xx"][:, new[:, None], new] = self.xx
        changed["xy"][:, new] = self.xy
        return replace(self, **changed, feature_names=np.asarray(names, object))

    def _map_sums(self, change: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Self:
        changed: dict[str, Any] = {name: change(getattr(self, name)) for name in SUMS}
        return replace(self, **changed)

    def around(self, x_shift: NDArray[np.float64], y_shift: NDArray[np.float64]) -> Self:
        """Return the same sums around another shift."""
        d, e = self.x_shift - x_shift, self.y_shift - y_shift
        if not d.any() and not e.any():
            return self
        w, xx, xy = self.weight[:, None], self.xx.copy(), self.xy.copy()
        for k, weight in enumerate(self.weight):
            half = np.outer(self.x_sum[k] + 0.5 * weight * d, d)
            xx[k] += half + half.T  # so it stays symmetric
            xy[k] += np.outer(self.x_sum[k] + weight * d, e)
            xy[k] += np.outer(d, self.y_sum[k])
        return replace(
            self,
            x_shift=x_shift,
            y_shift=y_shift,
            x_sum=self.x_sum + w * d,
            y_sum=self.y_sum + w * e,
            xx=xx,
            xy=xy,
            yy=self.yy + e * (2.0 * self.y_sum + w * e),
        )

    def __add__(self, other: Self) -> Self:
        """Return the moments of the cells of both, fold by fold.

        Fold k of the sum holds the cells of both folds k. Two batches that were split separately
        therefore give the same as fitting all cells with these folds.

        Raises
        ------
        ValueError
            If the columns or the folds are not the same.
        """
        if not isinstance(other, PartSums):
            return NotImplemented
        _check_addable(self, other)
        shifts = [_pooled_mean(self, other, which) for which in ("x", "y")]
        one, two = self.around(*shifts), other.around(*shifts)
        sums: dict[str, Any] = {name: getattr(one, name) + getattr(two, name) for name in SUMS}
        for name in ("feature_names", "target_names"):
            own = getattr(self, name)
            sums[name] = getattr(other, name) if own is None else own
        return replace(one, **sums)


def _check_addable(one: PartSums, two: PartSums) -> None:
    for what, sizes, names in (
        ("predictors", (one.n_features, two.n_features), (one.feature_names, two.feature_names)),
        ("targets", (one.n_targets, two.n_targets), (one.target_names, two.target_names)),
    ):
        if sizes[0] != sizes[1]:
            raise ValueError(f"Moments of {sizes[0]} and of {sizes[1]} {what} cannot be added.")
        first, second = names
        if first is not None and second is not None and not np.array_equal(first, second):
            k = int(np.flatnonzero(first != second)[0])
            raise ValueError(
                f"Moments of different {what} cannot be added: number {k} is {first[k]!r} in "
                f"one, {second[k]!r} in the other. Give both the same columns in the same order."
            )
    if not one.layout.equals(two.layout):
        raise ValueError(
            f"Moments of {one.layout.n_folds} and of {two.layout.n_folds} folds, or of "
            "folds of different kinds, cannot be added. Split both by the same kind of `cv`."
        )


def _pooled_mean(one: PartSums, two: PartSums, which: str) -> NDArray[np.float64]:
    """Return the mean over the cells of both, or the shift that both have."""
    shifts, sums, weights = [], [], []
    for moments in (one, two):
        total = moments.layout.total
        shifts.append(getattr(moments, f"{which}_shift"))
        sums.append(total @ getattr(moments, f"{which}_sum"))
        weights.append(total @ moments.weight)
    # Relative to the shift of the larger weight: that of cells of weight 0 is arbitrary.
    near, far = (0, 1) if weights[0] >= weights[1] else (1, 0)
    step = sums[0] + sums[1] + weights[far] * (shifts[far] - shifts[near])
    mean = shifts[near] + step / max(sum(weights), np.finfo(float).tiny)
    return np.where(shifts[0] == shifts[1], shifts[0], mean)
