"""The problem, independent of the solver: moments, candidate masks and penalties."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..moments import CONSTANT, Moments, TargetSums

Floats: TypeAlias = NDArray[np.float64]

_SOME_TARGETS = 256

# The smallest penalty of scikit-learn.
_RESOLUTION = float(np.finfo(np.float64).resolution)


@dataclass(frozen=True)
class Convention:
    """Choices in which glmnet and scikit-learn differ.

    Attributes
    ----------
    name : str
    scales_ridge : bool
        Whether the ridge part acts on targets scaled to unit standard deviation, so that it is
        λ (1 − α)/2 Σ βⱼ² / s_y on the scale of the input, instead of λ (1 − α)/2 Σ βⱼ².
    drops_constants : bool
        Whether a constant predictor never enters a model. Otherwise it may, without an intercept.
    weighs_folds : bool
        Whether test sets count by the weight of their samples in the cross-validated error, and
        single samples replace test sets of fewer than three. Otherwise all test sets count equally.
    """

    name: str
    scales_ridge: bool
    drops_constants: bool
    weighs_folds: bool


GLMNET = Convention("glmnet", scales_ridge=True, drops_constants=True, weighs_folds=True)
SCIKIT_LEARN = Convention(
    "scikit-learn", scales_ridge=False, drops_constants=False, weighs_folds=False
)


@dataclass(frozen=True)
class GeometricGrid:
    """A grid of each target, from the smallest penalty with an empty model down.

    Attributes
    ----------
    n_lambdas : int
    ratio : float
        The smallest penalty relative to the largest.
    """

    n_lambdas: int
    ratio: float

    def from_largest(self, largest: Floats) -> Floats:
        """Return the penalties (n_targets, n_lambdas), given the largest of each target.

        As in scikit-learn, a target without any correlation gets the smallest resolvable penalty.
        """
        grid = largest[:, None] * np.geomspace(1.0, self.ratio, self.n_lambdas)
        return np.where(largest[:, None] > _RESOLUTION, grid, _RESOLUTION)


@dataclass(frozen=True)
class SolverSettings:
    """Penalties and precision of the models, independent of the data.

    Attributes
    ----------
    lambdas : ndarray of shape (n_lambdas,), GeometricGrid or None
        Decreasing penalties of all targets, or how to make those of each target; None asks for the
        data-driven grid of glmnet.
    alpha : float
        1 is the LASSO, 0 ridge regression.
    standardize, fit_intercept : bool
    tol : float
        Duality gap at which a problem is solved, relative to ‖y‖² of its training set.
    max_iter : int
        Rounds allowed per penalty.
    path : {"full", "adaptive"}
    convention : Convention, default=GLMNET
    """

    lambdas: Floats | GeometricGrid | None
    alpha: float
    standardize: bool
    fit_intercept: bool
    tol: float
    max_iter: int
    path: str
    convention: Convention = GLMNET

    def given_grids(self, block: TargetBlock) -> Floats | None:
        """Return given penalties (n_block, n_lambdas), None if they depend on the data."""
        if self.lambdas is None or isinstance(self.lambdas, GeometricGrid):
            return None
        return np.tile(self.lambdas, (len(block), 1))


@dataclass(frozen=True)
class TargetBlock:
    """Consecutive targets, with all that an engine needs of them.

    Attributes
    ----------
    positions : range
        Their positions among all targets.
    sums : TargetSums
    candidates : ndarray of bool of shape (n_block, n_features)
        The predictors that may enter each target's model, infinitely penalised ones included.
    factors : ndarray of shape (n_block, n_features)
        Penalty factors; infinite for every predictor that may not enter.
    variance : ndarray of shape (n_block,)
        Over all cells, with ddof 1.
    """

    positions: range
    sums: TargetSums
    candidates: NDArray[np.bool_]
    factors: Floats
    variance: Floats

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def n_candidates(self) -> NDArray[np.intp]:
        """Number of predictors that may enter, without infinitely penalised ones."""
        return np.isfinite(self.factors).sum(axis=1)


@dataclass(frozen=True)
class LassoProblem:
    """Cross-validated elastic nets of many targets on the same predictors.

    Attributes
    ----------
    moments : Moments
    candidates : ndarray of bool of shape (n_targets, n_features)
        The predictors that may enter each target's model.
    penalty_factor : ndarray of shape (n_targets, n_features)
        Relative penalties before rescaling; infinite ones exclude the predictor.
    """

    moments: Moments
    candidates: NDArray[np.bool_]
    penalty_factor: Floats

    @property
    def n_targets(self) -> int:
        """Number of targets."""
        return self.moments.n_targets

    @property
    def variance(self) -> Floats:
        """Variance (n_targets,) of each target over all cells, with ddof 1."""
        # Some targets at a time, because their products with the predictors are large.
        starts = range(0, self.n_targets, _SOME_TARGETS)
        some = (self.moments.targets(slice(i, i + _SOME_TARGETS)) for i in starts)
        return np.concatenate([np.empty(0), *map(self._variance, some)])

    def block(self, block: slice) -> TargetBlock:
        """Return consecutive targets."""
        sums = self.moments.targets(block)
        return TargetBlock(
            range(self.n_targets)[block],
            sums,
            self.candidates[block],
            _rescale(self.candidates[block], self.penalty_factor[block]),
            self._variance(sums),
        )

    def _variance(self, sums: TargetSums) -> Floats:
        total = self.moments.layout.total
        whole, weight = sums.combine(total[None]), total @ self.moments.weight
        n = total @ self.moments.n_cells
        variance = whole.yy[0] / weight - (whole.sum[0] / weight) ** 2
        return np.maximum(variance, 0.0) * n / (n - 1)


def _rescale(candidates: NDArray[np.bool_], penalty_factor: Floats) -> Floats:
    """Return penalty factors whose mean over the candidates of each target is 1.

    As in glmnet, an infinite factor excludes its predictor but counts as 1 in the mean.
    """
    is_finite = np.isfinite(penalty_factor)
    factor = np.where(is_finite, penalty_factor, 1.0)
    total = (candidates * factor).sum(axis=1, keepdims=True)
    share = np.zeros_like(total)
    np.divide(candidates.sum(axis=1, keepdims=True), total, out=share, where=total > 0)
    return np.where(candidates & is_finite, share * factor, np.inf)


def correlations(whole: Moments, targets: TargetSums) -> Floats:
    """Return the (weighted) correlation (n_targets, n_features), 0 if constant.

    Parameters
    ----------
    whole : Moments
        Of the predictors over all cells, as one part.
    targets : TargetSums
        The same cells.
    """
    x_mean, weight = whole.x_mean[0], whole.weight[0]
    y_mean = targets.sum[0] / weight
    covariance = targets.xy[0].T / weight - np.outer(y_mean, x_mean)
    y_sd = standard_deviation(targets.yy[0] / weight, y_mean)
    scale = np.outer(y_sd, predictor_deviations(whole))
    return np.divide(covariance, scale, out=np.zeros_like(covariance), where=scale > 0)


def predictor_correlations(whole: Moments) -> Floats:
    """Return the correlation matrix (n_features, n_features) of the predictors, 0 if constant."""
    squares = np.diagonal(whole.xx, axis1=1, axis2=2)
    return correlations(whole, TargetSums(whole.x_shift, whole.x_sum, whole.xx, squares))


def predictor_deviations(whole: Moments) -> Floats:
    """Return the standard deviation (n_features,) of each predictor, 0 if constant."""
    return standard_deviation(np.diagonal(whole.xx[0]) / whole.weight[0], whole.x_mean[0])


def standard_deviation(square: Floats, mean: Floats) -> Floats:
    """Return the standard deviations (ddof 0) of columns, exactly 0 where one is constant."""
    variance = square - mean**2
    return np.sqrt(np.where(variance > CONSTANT * square, variance, 0.0))


def every_predictor(
    moments: Moments, excluded: NDArray[np.intp] | None = None
) -> NDArray[np.bool_]:
    """Return candidates without a prefilter: every predictor of every target but `excluded`.

    Parameters
    ----------
    moments : Moments
    excluded : ndarray of int of shape (n_targets,), default=None
        The predictor that is the target itself, or −1.

    Returns
    -------
    ndarray of bool of shape (n_targets, n_features)
    """
    candidates = np.ones((moments.n_targets, moments.n_features), bool)
    _exclude(candidates, excluded)
    return candidates


def select_candidates(
    moments: Moments,
    cor_threshold: float | None,
    excluded: NDArray[np.intp] | None = None,
    penalty_factor: Floats | None = None,
) -> NDArray[np.bool_]:
    """Return the predictors that may enter each target's model.

    S = {j ≠ self : |cor(x_j, y)| > threshold or v_j = 0} over all cells, with penalty factors v.
    Constant predictors are not in S, and S is empty if the target is constant, or if it had fewer
    than two predictors, none of them unpenalised.

    Parameters
    ----------
    moments : Moments
    cor_threshold : float or None
        None keeps every predictor, constant ones too, of every target that is not constant.
    excluded : ndarray of int of shape (n_targets,), default=None
        The predictor that is the target itself, or −1.
    penalty_factor : ndarray of shape (n_targets, n_features), default=None
        None means that every predictor is penalised.

    Returns
    -------
    ndarray of bool of shape (n_targets, n_features)
    """
    whole, total = moments.predictors.whole, moments.layout.total[None]
    candidates = np.empty((moments.n_targets, moments.n_features), bool)
    # Some targets at a time, because the matrices of all targets are large.
    for start in range(0, moments.n_targets, _SOME_TARGETS):
        some = slice(start, start + _SOME_TARGETS)
        correlation = np.abs(correlations(whole, moments.targets(some).combine(total)))
        varies = correlation.any(axis=1, keepdims=True)
        unpenalised = np.zeros(correlation.shape, bool)
        if penalty_factor is not None:
            unpenalised = (penalty_factor[some] == 0) & varies & (predictor_deviations(whole) > 0)
        passes = varies if cor_threshold is None else correlation > cor_threshold
        candidates[some] = passes | unpenalised
        own = None if excluded is None else excluded[some]
        _exclude(candidates[some], own)
        _exclude(unpenalised, own)
        too_few = (candidates[some].sum(axis=1) < 2) & ~unpenalised.any(axis=1)
        candidates[some][too_few] = False
    return candidates


def _exclude(candidates: NDArray[np.bool_], excluded: NDArray[np.intp] | None) -> None:
    """Remove each target from its own candidates, in place."""
    if excluded is not None:
        is_self = np.flatnonzero(excluded >= 0)
        candidates[is_self, excluded[is_self]] = False
