"""Weighted sums, products and squares of predictors and targets, part by part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ._plan import FoldLayout, FoldPlan

# A dense float64 array or a SciPy CSR matrix: the stubs have no common type for both.
Matrix: TypeAlias = Any

_SUMS = ("n_cells", "weight", "x_sum", "y_sum", "xx", "xy", "yy")


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

    @cached_property
    def whole(self) -> Moments:
        """The sums over all cells, as one part."""
        return self.combine(self.layout.total[None, :])

    def combine(self, member: NDArray[np.float64]) -> Moments:
        """Add parts up: one new part for each row of the 0/1 matrix (n_sets, n_parts).

        Training sets are sums of folds, never the whole minus a fold, so nothing cancels.
        """

        def add(sums: NDArray[np.float64]) -> NDArray[np.float64]:
            return (member @ sums.reshape(len(sums), -1)).reshape(-1, *sums.shape[1:])

        return self._map_sums(add)

    def take(self, parts: NDArray[np.intp]) -> Moments:
        """Return the given parts, in that order."""
        if np.array_equal(parts, np.arange(len(self.weight))):
            return self
        return self._map_sums(lambda sums: sums[parts])

    def _map_sums(self, change: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Moments:
        changed: dict[str, Any] = {name: change(getattr(self, name)) for name in _SUMS}
        return replace(self, **changed)

    @classmethod
    def from_arrays(
        cls,
        X: Matrix,
        Y: Matrix,
        plan: FoldPlan,
        sample_weight: NDArray[np.float64] | None = None,
        feature_names: NDArray[np.object_] | None = None,
        target_names: NDArray[np.object_] | None = None,
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
        feature_names, target_names : ndarray of str, default=None

        Returns
        -------
        Moments
        """
        weight = np.ones(X.shape[0]) if sample_weight is None else sample_weight
        x_shift, y_shift = _shift(X), _shift(Y)
        parts = [_sum_part(X, Y, weight, x_shift, y_shift, rows) for rows in plan.parts]
        sums = {name: np.stack([part[name] for part in parts]) for name in parts[0]}
        return cls(
            **sums,
            x_shift=x_shift,
            y_shift=y_shift,
            layout=plan.layout,
            feature_names=feature_names,
            target_names=target_names,
        )


def _shift(A: Matrix) -> NDArray[np.float64]:
    """Return the column means, exactly the column's value where it is constant."""
    mean = np.asarray(A.mean(axis=0), np.float64).ravel()
    low, high = (_column_extreme(A, which) for which in ("min", "max"))
    return np.where(low == high, low, mean)


def _column_extreme(A: Matrix, which: str) -> NDArray[np.float64]:
    extreme = getattr(A, which)(axis=0)
    return _dense(extreme).ravel()


def _sum_part(
    X: Matrix,
    Y: Matrix,
    weight: NDArray[np.float64],
    x_shift: NDArray[np.float64],
    y_shift: NDArray[np.float64],
    rows: NDArray[np.intp],
) -> dict[str, NDArray[np.float64] | np.float64]:
    w = weight[rows]
    root = np.sqrt(w)
    A, a = _weigh(X[rows], root, x_shift)
    B, b = _weigh(Y[rows], root, y_shift)
    total = w.sum()
    x_sum, y_sum = _dense(root @ A), _dense(root @ B)
    xx, xy = _dense(A.T @ A), _dense(A.T @ B)
    yy = _squares(B)
    # Sparse products are taken around 0 and moved to the shift afterwards (a, b are 0 elsewhere).
    xx += total * np.outer(a, a) - np.outer(a, x_sum) - np.outer(x_sum, a)
    xy += total * np.outer(a, b) - np.outer(a, y_sum) - np.outer(x_sum, b)
    yy += b * (total * b - 2 * y_sum)
    return {
        "n_cells": np.float64(np.count_nonzero(w)),
        "weight": total,
        "x_sum": x_sum - total * a,
        "y_sum": y_sum - total * b,
        "xx": xx,
        "xy": xy,
        "yy": yy,
    }


def _weigh(
    A: Matrix, root: NDArray[np.float64], shift: NDArray[np.float64]
) -> tuple[Matrix, NDArray[np.float64]]:
    """Return √w (A − shift) and the shift that is still to be applied to its products.

    A sparse column without zeros is shifted like a dense one. In any other the zeros make the
    spread as large as the mean, so that nothing cancels when its products are shifted afterwards.
    """
    if isinstance(A, np.ndarray):
        return (A - shift) * root[:, None], np.zeros_like(shift)
    A = sp.csr_array(A, dtype=np.float64)
    A.sum_duplicates()
    is_full = np.bincount(A.indices, minlength=A.shape[1]) == A.shape[0]
    applied = np.where(is_full, shift, 0.0)
    data = (A.data - applied[A.indices]) * np.repeat(root, np.diff(A.indptr))
    return sp.csr_array((data, A.indices, A.indptr), shape=A.shape), shift - applied


def _dense(A: Matrix) -> NDArray[np.float64]:
    return np.asarray(A if isinstance(A, np.ndarray) else A.toarray(), np.float64)


def _squares(B: Matrix) -> NDArray[np.float64]:
    if not isinstance(B, np.ndarray):
        return np.asarray(B.multiply(B).sum(axis=0), np.float64).ravel()
    return np.einsum("ij,ij->j", B, B)
