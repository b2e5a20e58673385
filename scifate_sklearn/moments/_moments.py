"""Weighted sums, products and squares of predictors and targets, part by part."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..files import archive
from ._chunks import check_chunk
from ._plan import FoldLayout, FoldPlan
from ._plausible import are_sums
from ._sums import SUMS, Matrix, Sums, add_cells, column_shift, column_spread, sum_shapes, zero_sums
from ._targets import TargetSums

Names: TypeAlias = Sequence[str] | NDArray[np.object_]

# A chunk of cells is summed around a mean that is this many standard deviations from its own at
# most: the variances then lose no more than the square of it, four of sixteen digits.
_NEAR = 100.0

# The sums that change with the targets.
_TARGET_SUMS = ("y_sum", "xy", "yy")

# What `Moments.save` writes.
_KIND = "moments of cells"
_VERSION = 1
_LAYOUT = ("training", "held_out", "training_of", "total")
_NAMES = ("feature_names", "target_names")


@dataclass(frozen=True)
class Moments:
    """Everything a cross-validated LASSO needs to know about the cells.

    All sums are weighted and taken around a shift, so that large means do not cancel:
    with x̃ = x − x_shift, ỹ = y − y_shift and the cells i of part k,

    * ``weight[k]`` = Σ wᵢ, ``x_sum[k]`` = Σ wᵢ x̃ᵢ, ``y_sum[k]`` = Σ wᵢ ỹᵢ,
    * ``xx[k]`` = Σ wᵢ x̃ᵢ x̃ᵢᵀ, ``xy[k]`` = Σ wᵢ x̃ᵢ ỹᵢᵀ, ``yy[k]`` = Σ wᵢ ỹᵢ².

    Attributes
    ----------
    n_cells : ndarray of shape (n_parts,)
        Cells with positive weight.
    weight : ndarray of shape (n_parts,)
    x_shift, y_shift : ndarray of shape (n_features,), (n_targets,)
    x_sum, y_sum : ndarray of shape (n_parts, n_features), (n_parts, n_targets)
    xx : ndarray of shape (n_parts, n_features, n_features)
    xy : ndarray of shape (n_parts, n_features, n_targets)
    yy : ndarray of shape (n_parts, n_targets)
    layout : FoldLayout
        Which parts make up which training and test sets.
    feature_names, target_names : ndarray of str or None
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
    def predictors(self) -> Moments:
        """The same moments without any target."""
        return replace(
            self,
            y_shift=self.y_shift[:0],
            y_sum=self.y_sum[:, :0],
            xy=np.empty((*self.x_sum.shape, 0)),
            yy=self.yy[:, :0],
            target_names=None,
        )

    def targets(self, block: slice) -> TargetSums:
        """Return what there is of a run of targets, without the predictors' own sums."""
        sums = self.y_sum[:, block], self.xy[:, :, block], self.yy[:, block]
        return TargetSums(self.y_shift[block], *sums)

    @cached_property
    def whole(self) -> Moments:
        """The sums over all cells, as one part."""
        return self.combine(self.layout.total[None, :])

    def combine(self, member: NDArray[np.float64]) -> Moments:
        """Add parts up: one new part for each row of the 0/1 matrix (n_sets, n_parts).

        Training sets are sums of folds, never the whole minus a fold, so nothing cancels.
        """

        def add(sums: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.tensordot(member, sums, axes=1)

        # A set that is one part is there already.
        if np.all(np.count_nonzero(member, axis=1) == 1):
            return self.take(member.argmax(axis=1))
        return self._map_sums(add)

    def take(self, parts: NDArray[np.intp]) -> Moments:
        """Return the given parts, in that order; consecutive parts are not copied."""
        everything = np.arange(len(self.weight))
        if np.array_equal(parts, everything):
            return self
        run = slice(parts[0], parts[0] + len(parts)) if len(parts) else slice(0)
        index = run if np.array_equal(parts, everything[run]) else parts
        return self._map_sums(lambda sums: sums[index])

    def _map_sums(self, change: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Moments:
        changed: dict[str, Any] = {name: change(getattr(self, name)) for name in SUMS}
        return replace(self, **changed)

    @classmethod
    def from_arrays(
        cls,
        X: Matrix,
        Y: Matrix,
        plan: FoldPlan,
        sample_weight: NDArray[np.float64] | None = None,
        feature_names: Names | None = None,
        target_names: Names | None = None,
        around: Moments | None = None,
    ) -> Moments:
        """Sum over the cells, each part in turn.

        Parameters
        ----------
        X, Y : ndarray or CSR matrix of shape (n_cells, n_features), (n_cells, n_targets)
            Finite numbers; sparse matrices are never made dense.
        plan : FoldPlan
            From `plan_folds`.
        sample_weight : ndarray of shape (n_cells,), default=None
            Non-negative; None means 1 for every cell.
        feature_names, target_names : sequence of str, default=None
        around : Moments, default=None
            Of more cells, these among them: sum around the same shift, without looking for it.

        Returns
        -------
        Moments
        """
        weight = np.ones(X.shape[0]) if sample_weight is None else sample_weight
        if around is None:
            shifts = column_shift(X, weight), column_shift(Y, weight)
        else:
            shifts = around.x_shift, around.y_shift
        moments = cls._empty(*shifts, plan, feature_names, target_names)
        moments._add_cells(X, Y, weight, plan.parts)
        return moments

    def reordered(
        self,
        X: Matrix,
        Y: Matrix,
        plan: FoldPlan,
        sample_weight: NDArray[np.float64],
        order: NDArray[np.intp],
    ) -> Moments:
        """Return the moments of the same cells if their targets were in another order.

        Folds and weights stay with the predictors, whose sums are shared, not made again: the cost
        is one matrix product for each part.

        Parameters
        ----------
        X, Y, plan, sample_weight :
            What these moments were made from by `from_arrays`.
        order : ndarray of int of shape (n_cells,)
            Row i of `X` goes with row ``order[i]`` of `Y`.

        Returns
        -------
        Moments
        """
        shapes = sum_shapes(len(plan.parts), self.n_features, self.n_targets)
        sums: Sums = {name: np.zeros(shapes[name]) for name in _TARGET_SUMS}
        add_cells(X, Y, sample_weight, self.x_shift, self.y_shift, plan.parts, sums, order)
        return replace(self, y_sum=sums["y_sum"], xy=sums["xy"], yy=sums["yy"])

    @classmethod
    def from_chunks(
        cls,
        chunks: Iterable[tuple[Matrix, ...]],
        plan: FoldPlan,
        feature_names: Names | None = None,
        target_names: Names | None = None,
        around: Moments | None = None,
    ) -> Moments:
        """Sum over cells that are never in memory together.

        Parameters
        ----------
        chunks : iterable of (X, Y) or (X, Y, sample_weight)
            Consecutive cells in the order that `plan` numbers them; each matrix dense or sparse.
        plan : FoldPlan
            From `plan_folds`, for all cells of all chunks.
        feature_names, target_names : sequence of str, default=None
        around : Moments, default=None
            Of other cells, to which these are going to be added: that is quicker if both are
            summed around the same shift.

        Returns
        -------
        Moments
            The same as `from_arrays` would return, up to rounding.

        Raises
        ------
        ValueError
            If a chunk does not match the others, holds NaN or infinity, or if there are more or
            fewer cells than in `plan`.
        """
        plan = plan.in_order()
        total: Moments | None = None
        start = 0
        for number, chunk in enumerate(chunks):
            expected = None if total is None else (total.n_features, total.n_targets)
            X, Y, weight = check_chunk(chunk, number, expected)
            stop = start + X.shape[0]
            here = plan.rows(start, stop).parts
            shifts = column_shift(X, weight), column_shift(Y, weight)
            others = around if total is None else total
            is_near = others is not None and others._is_near(X, Y, weight, *shifts)
            if total is not None and is_near:
                total._add_cells(X, Y, weight, here)
            else:
                if others is not None and is_near:
                    shifts = others.x_shift, others.y_shift
                piece = cls._empty(*shifts, plan, feature_names, target_names)
                piece._add_cells(X, Y, weight, here)
                total = piece if total is None else total + piece
            start = stop
        if total is None or start != plan.n_cells:
            raise ValueError(f"`chunks` hold {start} cells, but `plan` is for {plan.n_cells}.")
        return total

    @classmethod
    def _empty(
        cls,
        x_shift: NDArray[np.float64],
        y_shift: NDArray[np.float64],
        plan: FoldPlan,
        feature_names: Names | None,
        target_names: Names | None,
    ) -> Moments:
        return cls(
            **zero_sums(len(plan.parts), x_shift.size, y_shift.size),
            x_shift=x_shift,
            y_shift=y_shift,
            layout=plan.layout,
            feature_names=_as_names(feature_names, x_shift.size, "feature_names"),
            target_names=_as_names(target_names, y_shift.size, "target_names"),
        )

    def _add_cells(
        self, X: Matrix, Y: Matrix, weight: NDArray[np.float64], parts: Iterable[NDArray[np.intp]]
    ) -> None:
        """In place, so only before anybody else has seen these moments."""
        sums: Sums = {name: getattr(self, name) for name in SUMS}
        add_cells(X, Y, weight, self.x_shift, self.y_shift, parts, sums)

    def _is_near(
        self,
        X: Matrix,
        Y: Matrix,
        weight: NDArray[np.float64],
        x_mean: NDArray[np.float64],
        y_mean: NDArray[np.float64],
    ) -> bool:
        """Say whether cells with these means can be summed around the shifts.

        They can if the distance is small beside the spread of the cells so far, or of these.
        """
        total = self.layout.total
        so_far = max(float(total @ self.weight), np.finfo(float).tiny)
        x_squares = total @ np.diagonal(self.xx, axis1=1, axis2=2)
        for A, distance, sums, squares in (
            (X, x_mean - self.x_shift, total @ self.x_sum, x_squares),
            (Y, y_mean - self.y_shift, total @ self.y_sum, total @ self.yy),
        ):
            variance = squares / so_far - (sums / so_far) ** 2
            far = np.flatnonzero(distance**2 > _NEAR**2 * variance)
            if (np.abs(distance[far]) > _NEAR * column_spread(A, far, weight)).any():
                return False
        return True

    def __add__(self, other: Moments) -> Moments:
        """Return the moments of the cells of both, fold by fold.

        Fold k of the sum holds the cells of both folds k, so that two batches that were split on
        their own give what fitting them together with these folds does.

        Raises
        ------
        ValueError
            If the columns or the folds are not the same.
        """
        if not isinstance(other, Moments):
            return NotImplemented
        self._check_addable(other)
        shifts = [_pooled_mean(self, other, which) for which in ("x", "y")]
        one, two = self.around(*shifts), other.around(*shifts)
        sums: dict[str, Any] = {name: getattr(one, name) + getattr(two, name) for name in SUMS}
        for name in _NAMES:
            mine = getattr(self, name)
            sums[name] = getattr(other, name) if mine is None else mine
        return replace(one, **sums)

    def _check_addable(self, other: Moments) -> None:
        for what, which in (("predictors", "feature_names"), ("targets", "target_names")):
            sizes = [m.n_features if what == "predictors" else m.n_targets for m in (self, other)]
            if sizes[0] != sizes[1]:
                raise ValueError(f"Moments of {sizes[0]} and of {sizes[1]} {what} cannot be added.")
            mine, theirs = getattr(self, which), getattr(other, which)
            if mine is not None and theirs is not None and not np.array_equal(mine, theirs):
                k = int(np.flatnonzero(mine != theirs)[0])
                raise ValueError(
                    f"Moments of different {what} cannot be added: number {k} is {mine[k]!r} in "
                    f"one, {theirs[k]!r} in the other. Give both the same columns in that order."
                )
        if not all(
            np.array_equal(getattr(self.layout, name), getattr(other.layout, name))
            for name in _LAYOUT
        ):
            raise ValueError(
                f"Moments of {self.layout.n_folds} and of {other.layout.n_folds} folds, or of "
                "folds of different kinds, cannot be added. Split both by the same kind of `cv`."
            )

    def around(self, x_shift: NDArray[np.float64], y_shift: NDArray[np.float64]) -> Moments:
        """Return the same moments around another shift."""
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

    def checksum(self) -> str:
        """Return the SHA-256 of everything in here."""
        return archive.checksum(self.to_arrays())

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return everything in here by name, for a file."""
        arrays = {name: getattr(self, name) for name in (*SUMS, "x_shift", "y_shift")}
        arrays |= {f"layout_{name}": getattr(self.layout, name) for name in _LAYOUT}
        for name in _NAMES:
            if getattr(self, name) is not None:
                arrays[name] = np.asarray(getattr(self, name), np.str_)
        return arrays

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the moments to a file (npz, with a checksum) for `load`.

        Parameters
        ----------
        path : path-like
            Replaced only once the new file is complete.
        """
        archive.write_arrays(path, _KIND, _VERSION, self.to_arrays())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Moments:
        """Read what `save` wrote.

        Nothing in the file is executed, and nothing is believed unchecked.

        Parameters
        ----------
        path : path-like

        Returns
        -------
        Moments

        Raises
        ------
        ValueError
            If the file holds something else, is damaged, or of an unknown version.
        OSError
            If it cannot be read.
        """
        arrays = archive.read_arrays(path, _KIND, _VERSION)
        try:
            return cls.of_arrays(arrays)
        except ValueError as error:
            raise ValueError(f"{os.fspath(path)} holds no valid moments: {error}.") from error

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Moments:
        """Return the moments that `to_arrays` gave.

        Raises
        ------
        ValueError
            If these arrays are none.
        """
        rest = dict(arrays)
        try:
            layout = FoldLayout(*(rest.pop(f"layout_{name}") for name in _LAYOUT))
            names = {n: rest.pop(n).astype(object) for n in _NAMES if n in rest}
            moments = cls(**rest, **names, layout=layout)
            moments._check()
        except (KeyError, TypeError) as error:
            raise ValueError(str(error)) from error
        return moments

    def _check(self) -> None:
        """Raise ValueError unless everything has the size and the kind that it must have."""
        self.layout.check()
        n_parts, p, q = len(self.weight), self.x_shift.size, self.y_shift.size
        shapes = sum_shapes(n_parts, p, q) | {"x_shift": (p,), "y_shift": (q,)}
        for name, shape in shapes.items():
            array = getattr(self, name)
            if array.shape != shape or array.dtype != np.float64 or not np.isfinite(array).all():
                raise ValueError(f"{name} is not {shape} finite numbers")
        if (
            self.layout.training.shape[1] != n_parts
            or min(p, q) == 0
            or (min(self.weight.min(), self.n_cells.min()) < 0)
        ):
            raise ValueError("there are other parts than the layout says, no columns, or no cells")
        if not are_sums(self):
            raise ValueError("they contradict each other, so they are not sums over cells")
        _as_names(self.feature_names, p, "feature_names")
        _as_names(self.target_names, q, "target_names")


def _as_names(names: Names | None, size: int, what: str) -> NDArray[np.object_] | None:
    """Return the columns' names as an array, or raise unless each column has one of its own."""
    if names is None:
        return None
    array = np.asarray(names, object)
    n_strings = len({name for name in array.ravel() if isinstance(name, str)})
    if array.shape != (size,) or n_strings != size:
        raise ValueError(
            f"`{what}` must be {size} different names, one for each column; got {array.size}, of "
            f"which {n_strings} are strings and differ."
        )
    return array


def _pooled_mean(one: Moments, two: Moments, which: str) -> NDArray[np.float64]:
    """Return the mean over the cells of both, or the shift that both have."""
    shifts, sums, weights = [], [], []
    for moments in (one, two):
        total = moments.layout.total
        shifts.append(getattr(moments, f"{which}_shift"))
        sums.append(total @ getattr(moments, f"{which}_sum"))
        weights.append(total @ moments.weight)
    # From the heavier one: the shift of cells without weight can be anywhere.
    near, far = (0, 1) if weights[0] >= weights[1] else (1, 0)
    step = sums[0] + sums[1] + weights[far] * (shifts[far] - shifts[near])
    mean = shifts[near] + step / max(sum(weights), np.finfo(float).tiny)
    return np.where(shifts[0] == shifts[1], shifts[0], mean)
