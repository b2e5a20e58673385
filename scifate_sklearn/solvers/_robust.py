"""Least squares of many targets on the same predictors, with robust standard errors.

Everything is on standardised columns of n cells, weighted by w that sum to s. With the correlation
matrix of the predictors G, P = G⁻¹, the coefficients B, the rows z_i of the predictors and
W_i = √w_i P z_i, the leverages are h_i = w_i (1 + z_iᵀ P z_i) / s. With the weighted residuals
e_i = √w_i (y_i − z_iᵀ B), the variance of the coefficient of predictor j is that of MacKinnon &
White (1985), HC3,

    V_j = Σ_i W_ij² e_i² / (1 − h_i)² / s².

A target that is also a predictor may not be regressed on itself. Without predictor j, the rows are
W_i − c W_ij with c = P_j / P_jj, the leverages are smaller by W_ij² / (P_jj s), and the residuals
larger by W_ij B_j / P_jj. One inverse therefore serves all targets.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self, TypeAlias

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from ..moments import Matrix, Moments, dense, slices
from ._problem import (
    correlations,
    predictor_correlations,
    predictor_deviations,
    standard_deviation,
)

Floats: TypeAlias = NDArray[np.float64]

# Predictors are linearly dependent if the correlation matrix has an eigenvalue below this.
_DEPENDENT = 1e-10
# A cell with a leverage of 1 up to this value determines a coefficient alone.
_ALONE = 1e-8
# Mean residuals, in standard deviations of the target, up to this size are rounding.
_SAME_CELLS = 1e-6
# Cells are read so many entries at a time.
_CHUNK_ENTRIES = 2**22


@dataclass(frozen=True)
class RobustSums:
    """Sums over cells for robust standard errors; they can be added.

    Attributes
    ----------
    variance : ndarray of shape (n_features, n_targets)
        Σ_i W_ij² e_i² / (1 − h_i)² / s².
    alone : ndarray of bool of shape (n_features,)
        Whether a single cell determines the coefficient of each predictor, so that it has no
        standard error.
    n_cells : int
        Cells of positive weight.
    residual : ndarray of shape (n_targets,)
        Σ_i √w_i e_i / s, which is 0 over the cells that the models are fitted to.
    """

    variance: Floats
    alone: NDArray[np.bool_]
    n_cells: int
    residual: Floats

    def __add__(self, other: Self) -> RobustSums:
        """Return the sums over the cells of both."""
        return RobustSums(
            self.variance + other.variance,
            self.alone | other.alone,
            self.n_cells + other.n_cells,
            self.residual + other.residual,
        )


@dataclass(frozen=True)
class RobustProblem:
    """Least squares of all targets on all predictors.

    Attributes
    ----------
    x_mean, x_sd : ndarray of shape (n_features,)
    y_mean, y_sd : ndarray of shape (n_targets,)
        Standard deviations (ddof 0), 0 where a column is constant.
    G : ndarray of shape (n_features, n_features)
        Correlations of the predictors; 1 on the diagonal also where one is constant.
    C : ndarray of shape (n_features, n_targets)
        Correlations of predictors and targets, 0 where a column is constant.
    own : ndarray of int of shape (n_targets,)
        The predictor that each target must not have, −1 for none.
    n_cells : int
        Cells of positive weight.
    weight : float
        Weight of all cells.
    """

    x_mean: Floats
    x_sd: Floats
    y_mean: Floats
    y_sd: Floats
    G: Floats
    C: Floats
    own: NDArray[np.intp]
    n_cells: int
    weight: float

    @classmethod
    def from_moments(cls, moments: Moments, own: NDArray[np.intp]) -> Self:
        """Return the problem of all targets over all cells; folds are not used.

        Parameters
        ----------
        moments : Moments
        own : ndarray of int of shape (n_targets,)
            The predictor that each target must not have, −1 for none.
        """
        whole, total = moments.predictors.whole, moments.layout.total[None]
        targets = moments.targets(slice(None)).combine(total)
        weight = float(whole.weight[0])
        y_mean = targets.sum[0] / weight
        G = predictor_correlations(whole)
        np.fill_diagonal(G, 1.0)
        return cls(
            whole.x_shift + whole.x_mean[0],
            predictor_deviations(whole),
            moments.y_shift + y_mean,
            standard_deviation(targets.yy[0] / weight, y_mean),
            G,
            correlations(whole, targets).T,
            own,
            round(float(whole.n_cells[0])),
            weight,
        )

    @property
    def dependent(self) -> NDArray[np.intp]:
        """Predictors of the closest linear dependence, empty if all are independent."""
        d, V = scipy.linalg.eigh(self.G, subset_by_index=(0, 0))
        if d[0] > _DEPENDENT:
            return np.empty(0, np.intp)
        share = np.abs(V[:, 0])
        return np.flatnonzero(share > 0.1 * share.max())

    @property
    def n_predictors(self) -> NDArray[np.intp]:
        """Number of predictors of each target's model."""
        varies = self.x_sd > 0
        return int(varies.sum()) - np.where(self.own >= 0, varies[self.own], False)

    @property
    def df(self) -> NDArray[np.intp]:
        """Residual degrees of freedom of each target's model."""
        return self.n_cells - 1 - self.n_predictors

    def take(self, predictors: NDArray[np.intp], target: int) -> Self:
        """Return the problem of one target on some predictors, which must not be its own."""
        t = slice(target, target + 1)
        return replace(
            self,
            x_mean=self.x_mean[predictors],
            x_sd=self.x_sd[predictors],
            y_mean=self.y_mean[t],
            y_sd=self.y_sd[t],
            G=self.G[np.ix_(predictors, predictors)],
            C=self.C[predictors, t],
            own=np.full(1, -1, np.intp),
        )

    @cached_property
    def inverse(self) -> Floats:
        """Inverse of the correlation matrix."""
        return np.asarray(scipy.linalg.inv(self.G), np.float64)

    @cached_property
    def _free(self) -> Floats:
        """Coefficients of all targets on all predictors, on standardised columns."""
        return self.inverse @ self.C

    @cached_property
    def _constrained(self) -> NDArray[np.intp]:
        return np.flatnonzero(self.own >= 0)

    @cached_property
    def _own_slope(self) -> Floats:
        """B_j / P_jj of the own predictor of each target that has one."""
        own = self.own[self._constrained]
        slope: Floats = self._free[own, self._constrained] / np.diagonal(self.inverse)[own]
        return slope

    @cached_property
    def coef(self) -> Floats:
        """Coefficients (n_features, n_targets) on standardised columns, 0 for `own`."""
        coef, targets = self._free.copy(), self._constrained
        coef[:, targets] -= self.inverse[:, self.own[targets]] * self._own_slope
        coef[self.own[targets], targets] = 0.0
        return coef

    @property
    def input_coef(self) -> Floats:
        """Coefficients (n_features, n_targets) on the scale of the input."""
        x_sd = np.where(self.x_sd > 0, self.x_sd, 1.0)
        return np.asarray(self.coef * self.y_sd / x_sd[:, None], np.float64)

    def sums(self, X: Matrix, Y: Matrix, weight: Floats) -> RobustSums:
        """Return the sums over cells.

        Parameters
        ----------
        X, Y : ndarray or CSR matrix of shape (n_cells, n_features), (n_cells, n_targets)
        weight : ndarray of shape (n_cells,)
        """
        p, q = self.C.shape
        variance, residual = np.zeros((p, q)), np.zeros(q)
        alone = np.zeros(p, bool)
        rows = np.flatnonzero(weight > 0)
        for chunk in slices(len(rows), max(1, _CHUNK_ENTRIES // (p + q))):
            part = rows[chunk]
            root = np.sqrt(weight[part])[:, None]
            Z = root * _standardised(dense(X[part]), self.x_mean, self.x_sd)
            T = root * _standardised(dense(Y[part]), self.y_mean, self.y_sd)
            W = Z @ self.inverse
            free = 1.0 - (root[:, 0] ** 2 + np.einsum("ij,ij->i", W, Z)) / self.weight
            E = T - Z @ self._free
            residual += root[:, 0] @ E
            alone = alone | self._add(W, E, free, variance)
        return RobustSums(variance / self.weight**2, alone, len(rows), residual / self.weight)

    def is_complete(self, sums: RobustSums) -> bool:
        """Return whether sums are over the cells that the models are fitted to."""
        same = np.abs(sums.residual).max(initial=0.0) < _SAME_CELLS
        return sums.n_cells == self.n_cells and bool(same)

    def _add(self, W: Floats, E: Floats, free: Floats, variance: Floats) -> NDArray[np.bool_]:
        """Add the sums over cells to `variance`, given their W, residuals and 1 − h.

        Returns whether one of the cells alone determines the coefficient of each predictor: without
        this cell, the predictors in its row of W would be linearly dependent.
        """
        targets, own = self._constrained, self.own[self._constrained]
        squares, column = W**2, W[:, own]
        share = squares / (np.diagonal(self.inverse) * self.weight)
        alone = np.asarray((share[free < _ALONE] > _ALONE).any(axis=0))
        E[:, targets] += column * self._own_slope
        divisor = np.repeat(free[:, None], E.shape[1], axis=1)
        divisor[:, targets] += share[:, own]
        # Where a cell alone determines a coefficient, its residual is 0 as well.
        E /= np.maximum(divisor, _ALONE)
        E *= E
        variance += squares.T @ E
        c = self.inverse[:, own] / np.diagonal(self.inverse)[own]
        cross = W.T @ (column * E[:, targets])
        variance[:, targets] += c * (
            c * np.einsum("ij,ij->j", column**2, E[:, targets]) - 2 * cross
        )
        return alone

    def statistics(self, sums: RobustSums) -> Floats:
        """Return t (n_targets, n_features); NaN for pairs that cannot be tested.

        Those are constant columns, the target itself, and predictors whose coefficient depends on a
        single cell.
        """
        can_test = np.outer((self.x_sd > 0) & (~sums.alone), (self.y_sd > 0))
        can_test[self.own[self._constrained], self._constrained] = False
        error = np.sqrt(np.maximum(sums.variance, 0.0))
        t = np.full(error.shape, np.nan)
        np.divide(self.coef, error, out=t, where=can_test & (error > 0))
        return t.T


def _standardised(A: Floats, mean: Floats, sd: Floats) -> Floats:
    return np.divide(A - mean, sd, out=np.zeros_like(A), where=sd > 0)
