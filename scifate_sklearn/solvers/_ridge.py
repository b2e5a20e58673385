"""Ridge regressions of many targets on the same predictors, from one eigendecomposition.

Everything is on standardised columns. With the correlation matrix of the predictors G = V D Vᵀ,
the correlations c of a target with them, γ = Vᵀc, and the penalty λ, the coefficients are
b = V [γ / (d + λ)].

A target that is also a predictor may not be regressed on itself. The ridge regression without
predictor j is the one with the constraint b_j = 0, whose solution is b = V [(γ − μ v) / (d + λ)]
with v the row j of V and μ = b_j / M_jj of the free solution, where M = (G + λI)⁻¹. One
eigendecomposition therefore serves all targets.

With the share r₀ = 1 − Σ γ²/d of the variance that no linear model explains, the mean squared
residual is r₀ + Σ (λγ + μdv)² / (d (d + λ)²), sums over the eigenvalues above 0. Unlike
1 − 2 Σ γγ'/(d + λ) + Σ γ'²d/(d + λ)², with γ' = γ − μv, it does not cancel if the residuals are
small, as with more predictors than samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from ..moments import Moments
from ._problem import correlations, predictor_correlations

Floats: TypeAlias = NDArray[np.float64]

# At most this share of the cells counts as spent by the model in generalised cross-validation.
_LARGEST_SHARE = 0.99
# Eigenvalues up to this multiple of p · ε · d_max are 0 but for rounding, and so are shares up to
# the second number.
_ROUNDING, _LEAST_SHARE = 8.0, 1e-10


@dataclass(frozen=True)
class RidgeFits:
    """Ridge regression of every target at its own penalty, on standardised columns.

    Attributes
    ----------
    coef : ndarray of shape (n_targets, n_features)
        b.
    variance_factor : ndarray of shape (n_targets, n_features)
        Sampling variance of each coefficient over the residual variance of its target.
    lambda_ : ndarray of shape (n_targets,)
        The selected penalty.
    edf : ndarray of shape (n_targets,)
        Effective degrees of freedom, the intercept included.
    residual : ndarray of shape (n_targets,)
        Mean squared residual.
    gcv : ndarray of shape (n_targets,)
        Criterion of generalised cross-validation, an estimate of the mean squared error.
    """

    coef: Floats
    variance_factor: Floats
    lambda_: Floats
    edf: Floats
    residual: Floats
    gcv: Floats


@dataclass(frozen=True)
class RidgeProblem:
    """Ridge regressions of targets on predictors, all of unit variance or constant.

    Attributes
    ----------
    d : ndarray of shape (n_features,)
        Eigenvalues of the correlation matrix.
    V : ndarray of shape (n_features, n_features)
        Its eigenvectors, as columns.
    gamma : ndarray of shape (n_features, n_targets)
        Vᵀ times the correlations of predictors and targets.
    own : ndarray of int of shape (n_targets,)
        The predictor that each target must not have, −1 for none.
    has_model : ndarray of bool of shape (n_targets,)
        Whether the target and one of its predictors vary.
    n : float
        Weight of all samples.
    """

    d: Floats
    V: Floats
    gamma: Floats
    own: NDArray[np.intp]
    has_model: NDArray[np.bool_]
    n: float

    @classmethod
    def from_moments(cls, moments: Moments, own: NDArray[np.intp]) -> RidgeProblem:
        """Return the problem of all targets over all samples; folds are not used.

        Parameters
        ----------
        moments : Moments
        own : ndarray of int of shape (n_targets,)
            The predictor that each target must not have, −1 for none.
        """
        whole, total = moments.predictors.whole, moments.layout.total[None]
        G = predictor_correlations(whole)
        C = correlations(whole, moments.targets(slice(None)).combine(total)).T
        constrained = np.flatnonzero(own >= 0)
        has_model = np.asarray(C.any(axis=0))
        others = (C[:, constrained] != 0.0).sum(axis=0) - (C[own[constrained], constrained] != 0.0)
        has_model[constrained] = others > 0
        is_constant = np.diagonal(G) == 0.0
        d, V = scipy.linalg.eigh(G)
        V[is_constant] = 0.0  # up to rounding
        # Rounding also makes eigenvalues of singular matrices slightly negative.
        return cls(np.maximum(d, 0.0), V, V.T @ C, own, has_model, float(whole.weight[0]))

    def select(self, lambdas: Floats) -> RidgeFits:
        """Return the fit of each target at the penalty with the lowest criterion.

        The criterion is that of generalised cross-validation, rss / (1 − edf / n)² (Golub, Heath &
        Wahba 1979), with at most 0.99 for edf / n.

        Parameters
        ----------
        lambdas : ndarray of shape (n_lambdas,)
            Positive penalties.
        """
        edf, residual = self._curves(lambdas)
        gcv = residual / (1.0 - np.minimum(edf / self.n, _LARGEST_SHARE)) ** 2
        best = gcv.argmin(axis=1)
        coef, factor = self._solve(lambdas, best)
        chosen = np.arange(len(best)), best
        return RidgeFits(coef, factor, lambdas[best], edf[chosen], residual[chosen], gcv[chosen])

    @cached_property
    def _constrained(self) -> NDArray[np.intp]:
        return np.flatnonzero(self.own >= 0)

    @cached_property
    def _inverse(self) -> Floats:
        """1/d (n_features,), 0 where d is 0."""
        least = _ROUNDING * len(self.d) * np.finfo(float).eps * self.d.max(initial=0.0)
        return np.divide(1.0, self.d, out=np.zeros_like(self.d), where=self.d > least)

    def _curves(self, lambdas: Floats) -> tuple[Floats, Floats]:
        """Return edf and rss (n_targets, n_lambdas)."""
        w = 1.0 / (self.d[:, None] + lambdas)
        edf = np.tile(1.0 + self.d @ w, (self.gamma.shape[1], 1))
        explained = self.gamma**2 * self._inverse[:, None]
        unexplained = 1.0 - explained.sum(axis=0)
        unexplained[unexplained < _LEAST_SHARE] = 0.0
        residual = unexplained[:, None] + explained.T @ (lambdas * w) ** 2
        rows = self._constrained
        v, gamma = self.V[self.own[rows]], self.gamma[:, rows].T
        inverse = v**2 @ w
        multiplier = (v * gamma) @ w / inverse
        residual[rows] += 2.0 * lambdas * multiplier * ((v * gamma) @ w**2)
        residual[rows] += multiplier**2 * (v**2 @ (self.d[:, None] * w**2))
        edf[rows] += lambdas * (v**2 @ w**2) / inverse - 1.0
        return edf, np.maximum(residual, 0.0)

    def _solve(self, lambdas: Floats, best: NDArray[np.intp]) -> tuple[Floats, Floats]:
        """Return coefficients and their variance factors, of each target at its penalty."""
        coef = np.zeros((self.gamma.shape[1], len(self.d)))
        factor = np.zeros_like(coef)
        squares = self.V**2
        for position in np.unique(best):
            targets = np.flatnonzero(best == position)
            w = 1.0 / (self.d + lambdas[position])
            coef[targets] = (self.V @ (w[:, None] * self.gamma[:, targets])).T
            factor[targets] = squares @ (self.d * w**2)
            self._constrain(coef, factor, targets[self.own[targets] >= 0], w)
        return coef, factor / self.n

    def _constrain(
        self, coef: Floats, factor: Floats, targets: NDArray[np.intp], w: Floats
    ) -> None:
        """Change coefficients and factors of the targets to those without their own predictor."""
        own = self.own[targets]
        v = self.V[own].T
        inverse = (w @ v**2)[:, None]
        # The column of M, as a direction in which the own coefficient changes by 1.
        direction = (self.V @ (w[:, None] * v)).T / inverse
        spread = (self.V @ ((self.d * w**2)[:, None] * v)).T
        own_factor = ((self.d * w**2) @ v**2)[:, None]
        coef[targets] -= direction * coef[targets, own][:, None]
        factor[targets] += direction * (direction * own_factor - 2.0 * spread)
        # Exactly 0, which rounding is not.
        coef[targets, own] = factor[targets, own] = 0.0
