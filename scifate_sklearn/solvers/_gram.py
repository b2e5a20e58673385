"""Shared-Gram engine: all targets use the same standardized XᵀX of each training set.

It reads `Moments` only, so its cost does not depend on the number of cells.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from ..moments import CONSTANT, Moments, Samples, TargetSums
from . import kernels
from ._engine import Solution
from ._problem import Floats, GeometricGrid, SolverSettings, TargetBlock

N_AUTOMATIC = 100

# Smaller eigenvalues, relative to the largest, are rounding.
_RESOLVED = 1e-13

# Sums of a constant column are relative to its shift, up to this rounding.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Coordinates:
    """Center and scale of each predictor, one row for each set of cells.

    ``center`` (n_sets, p) is relative to the shift of the moments; ``inverse_scale`` (n_sets, p)
    is 0 where a predictor is constant.
    """

    center: Floats
    inverse_scale: Floats

    @classmethod
    def from_moments(cls, sets: Moments, settings: SolverSettings) -> Coordinates:
        """Return the center and scale of each set by its own statistics (ddof 0), as glmnet.

        Without an intercept nothing is centered, but the scale is still the standard deviation.
        """
        standardize, fit_intercept = settings.standardize, settings.fit_intercept
        square = np.diagonal(sets.xx, axis1=1, axis2=2) / sets.weight[:, None]
        variance = square - sets.x_mean**2
        varies = variance > CONSTANT * square
        scale = np.sqrt(np.where(varies, variance, 1.0)) if standardize else 1.0
        if not (settings.convention.drops_constants or fit_intercept):
            # Sums around the shift are exact up to its rounding.
            varies |= np.abs(sets.x_mean + sets.x_shift) > _ROUNDING * np.abs(sets.x_shift)
        zero = sets.x_mean if fit_intercept else np.broadcast_to(-sets.x_shift, sets.x_sum.shape)
        return cls(zero, varies / scale)

    def take(self, sets: NDArray[np.intp]) -> Coordinates:
        """Return the coordinates of the given sets, in that order."""
        return Coordinates(self.center[sets], self.inverse_scale[sets])

    def gram(self, sets: Moments) -> Floats:
        """Return the mean of x xᵀ (n_sets, p, p) in these coordinates."""
        gram = np.empty_like(sets.xx)
        # One set after the other, since a single matrix stays in the cache.
        for k, out in enumerate(gram):
            center, mean, inverse = self.center[k], sets.x_mean[k], self.inverse_scale[k]
            np.divide(sets.xx[k], sets.weight[k], out=out)
            out -= np.outer(center, mean)
            if not np.array_equal(center, mean):
                out -= np.outer(mean - center, center)
            out *= np.outer(inverse, inverse)
        return gram

    def linear(self, sets: Moments, y: TargetSums, y_center: Floats) -> Floats:
        """Return the mean of x y (n_block, n_sets, p), y centered but not scaled."""
        scale, mean, weight = self.inverse_scale, sets.x_mean, sets.weight[:, None]
        # Copy the block first: a transposition in the wider array misses the cache at each number.
        raw = np.ascontiguousarray(y.xy).transpose(2, 0, 1)
        cross = np.multiply(raw, scale / weight, order="C")
        cross -= (y.sum / weight).T[:, :, None] * (self.center * scale)
        if not np.array_equal(mean, self.center):
            cross -= y_center.T[:, :, None] * ((mean - self.center) * scale)
        return cross


def mean_square(sets: Moments, y: TargetSums, y_center: Floats) -> Floats:
    """Return the mean of (y − center)² (n_block, n_sets), exactly 0 where y is constant."""
    raw, mean = y.yy / sets.weight[:, None], y.sum / sets.weight[:, None]
    square = raw - y_center * (2.0 * mean - y_center)
    return np.ascontiguousarray(np.where(square > CONSTANT * raw, square, 0.0).T)


def inverse(scale: Floats) -> Floats:
    """Return 1 / scale, and 0 where the scale is 0."""
    return np.divide(1.0, scale, out=np.zeros_like(scale), where=scale > 0)


def penalty_units(settings: SolverSettings, scale: Floats) -> tuple[Floats, Floats]:
    """Return the divisor of λ for targets of unit mean square, and the share of l1.

    With s the scale of a target and its coefficients, the objective of scikit-learn,
    ½ ‖y − Xβ‖² / n + λ α Σ |βⱼ| + ½ λ (1 − α) Σ βⱼ², divided by s² and with b = β / s has
    l1 = λ α / s and l2 = λ (1 − α). glmnet has l2 = λ (1 − α) / s.

    Parameters
    ----------
    settings : SolverSettings
    scale : ndarray of shape (n_block, n_sets)
        0 for a constant target.

    Returns
    -------
    unit, alpha : ndarray of shape (n_block, n_sets)
        l1 = λ alpha / unit and l2 = λ (1 − alpha) / unit.
    """
    alpha = np.full_like(scale, settings.alpha)
    if settings.convention.scales_ridge or settings.alpha == 1.0:
        return scale, alpha
    total = settings.alpha * inverse(scale) + (1.0 - settings.alpha)
    unit = np.where(scale > 0, 1.0 / total, 0.0)
    return unit, settings.alpha * inverse(scale) * unit


@dataclass(frozen=True)
class StandardizedTargets:
    """A block of targets on several sets of cells, scaled to unit mean square on each.

    ``linear`` (n_block, n_sets, p) is Xᵀy/n, ``scale`` (n_block, n_sets) the divisor of y, and
    ``center`` (n_sets, n_block), relative to the shift, the value that was subtracted.
    """

    linear: Floats
    scale: Floats
    center: Floats


@dataclass(frozen=True)
class StandardizedSets:
    """Several sets of cells, each standardized by its own statistics.

    ``sets`` are moments without targets and without the products, which ``gram`` replaces.
    """

    sets: Moments
    coordinates: Coordinates
    gram: Floats
    fit_intercept: bool

    @classmethod
    def from_moments(cls, sets: Moments, settings: SolverSettings) -> StandardizedSets:
        """Return every part of `sets`, standardized."""
        coordinates = Coordinates.from_moments(sets, settings)
        gram = coordinates.gram(sets)
        return cls(without_products(sets), coordinates, gram, settings.fit_intercept)

    def standardize(self, y: TargetSums) -> StandardizedTargets:
        """Return the standardized targets, given their sums over these sets."""
        if self.fit_intercept:
            center = y.sum / self.sets.weight[:, None]
        else:
            center = np.broadcast_to(-y.shift, y.sum.shape)
        scale = np.sqrt(mean_square(self.sets, y, center))
        linear = self.coordinates.linear(self.sets, y, center)
        linear *= inverse(scale)[:, :, None]
        return StandardizedTargets(linear, scale, center)

    def intercept(self, coef: Floats, y: TargetSums, center: Floats) -> Floats:
        """Return the intercepts (n_block,) of models on the first set, on the scale of the input.

        Not computed by a matrix product, whose last bits depend on the other targets of the block.
        """
        x_zero = self.coordinates.center[0] + self.sets.x_shift
        return center[0] + y.shift - (coef * x_zero).sum(axis=1)

    def automatic_ratios(self, n_candidates: NDArray[np.intp]) -> Floats:
        """Return glmnet's lambda.min.ratio (n_block, n_sets): 1e-4, or 0.01 if n < p."""
        return np.where(self.sets.n_cells[None, :] < n_candidates[:, None], 1e-2, 1e-4)


def without_products(sets: Moments) -> Moments:
    """Return moments without xxᵀ, the largest array."""
    return replace(sets, xx=np.empty((len(sets.weight), 0, 0)))


class GramEngine:
    """Active-set method on Gram matrices that all targets share.

    Parameters
    ----------
    predictors : Moments
        Without targets.
    settings : SolverSettings
    samples : Samples or None, default=None
        Not used; the moments suffice.
    """

    def __init__(
        self, predictors: Moments, settings: SolverSettings, samples: Samples | None = None
    ) -> None:
        self.settings = settings
        layout = predictors.layout
        # Test units of weight 0 have no error.
        units = np.flatnonzero(predictors.weight[layout.held_out] > 0)
        self._training_of, self._units = layout.training_of[units], layout.held_out[units]
        held_out = predictors.take(self._units)
        self._held_out = without_products(held_out)
        self._layout = layout
        self._whole = StandardizedSets.from_moments(predictors.whole, settings)
        self._training = StandardizedSets.from_moments(
            predictors.combine(layout.training), settings
        )
        self._held_coordinates = self._training.coordinates.take(self._training_of)
        folds = np.arange(layout.n_folds + 1)
        self._held_sets = kernels.Sets(
            self._training.gram,
            self._held_coordinates.gram(held_out),
            np.searchsorted(self._training_of, folds),
            self.unit_weight,
            layout.n_repeats,
        )
        self._n_models = max(1, layout.n_folds) if settings.path == "adaptive" else 1
        self._idle: list[kernels.Models] = []
        none = np.empty((0, predictors.n_features, predictors.n_features))
        self._whole_set = kernels.Sets(self._whole.gram, none, np.zeros(2, np.intp), np.empty(0), 1)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_idle": []}

    @property
    def unit_weight(self) -> Floats:
        """Weight of each test unit."""
        return self._held_out.weight

    def _whole_targets(self, block: TargetBlock) -> StandardizedTargets:
        return self._whole.standardize(block.sums.combine(self._layout.total[None]))

    @contextmanager
    def _models(self) -> Iterator[kernels.Models]:
        """Yield models for one block; they are reused, since first access to new memory is slow."""
        try:
            models = self._idle.pop()
        except IndexError:
            models = kernels.new_models(self._n_models, self._held_out.n_features)
        yield models
        self._idle.append(models)

    def _automatic_scratch(self) -> tuple[Floats, Floats]:
        """Return arrays for an automatic grid and for the models along it."""
        return np.empty((1, N_AUTOMATIC)), np.empty((N_AUTOMATIC, self._held_out.n_features))

    def grids(self, block: TargetBlock) -> Floats:
        """Return the penalties (n_block, n_lambdas) of each target, NaN-padded."""
        settings = self.settings
        given = settings.given_grids(block)
        if given is not None:
            return given
        y = self._whole_targets(block)
        if isinstance(settings.lambdas, GeometricGrid):
            return settings.lambdas.from_largest(self._largest_penalties(block, y))
        lambdas = np.empty((len(block), N_AUTOMATIC))
        ratios = self._whole.automatic_ratios(block.n_candidates)
        with self._models() as models:
            kernels.automatic_grids(
                models,
                *self._automatic_scratch(),
                self._whole.gram[0],
                y.linear[:, 0],
                y.scale[:, 0],
                block.factors,
                ratios[:, 0],
                settings.alpha,
                settings.tol,
                settings.max_iter,
                lambdas,
            )
        return lambdas

    def _largest_penalties(self, block: TargetBlock, y: StandardizedTargets) -> Floats:
        """Return the smallest penalty (n_block,) with an empty model: max |xᵀy| / (n v α)."""
        ratio = np.abs(y.linear[:, 0]) * inverse(block.factors)
        return y.scale[:, 0] * ratio.max(axis=1) / self.settings.alpha

    def errors(self, block: TargetBlock, lambdas: Floats) -> tuple[Floats, int]:
        """Return held-out errors (n_block, n_units, n_lambdas) and the unconverged count."""
        settings = self.settings
        y = self._training.standardize(block.sums.combine(self._layout.training))
        held, held_center = block.sums.take(self._units), y.center[self._training_of]
        held_linear = self._held_coordinates.linear(self._held_out, held, held_center)
        # Targets that are constant in a training set need only the squares.
        held_linear *= inverse(y.scale)[:, self._training_of, None]
        targets = kernels.Targets(
            y.linear,
            y.scale,
            held_linear,
            mean_square(self._held_out, held, held_center),
            block.factors,
            lambdas,
            np.full(len(lambdas), lambdas.shape[1] - 1),
            *penalty_units(settings, y.scale),
        )
        if settings.lambdas is not None:
            return self._follow(self._held_sets, targets, settings.path == "adaptive")[:2]
        errors = np.empty((len(lambdas), len(self._training_of), lambdas.shape[1]))
        ratios = self._training.automatic_ratios(block.n_candidates)
        with self._models() as models:
            failed = kernels.automatic_errors(
                models,
                *self._automatic_scratch(),
                self._held_sets,
                targets,
                ratios,
                settings.alpha,
                settings.tol,
                settings.max_iter,
                errors,
            )
        return errors, failed

    def path(
        self, block: TargetBlock, lambdas: Floats, cost: Floats
    ) -> tuple[Floats, NDArray[np.intp], int]:
        """Return errors and sizes (n_block, n_lambdas) of the models of all samples along a path.

        Errors are NaN beyond a penalty after which the criterion log e + cost[k] cannot be lower.
        """
        settings = self.settings
        y = self._whole_targets(block)
        (n_targets, n_lambdas), n_features = lambdas.shape, y.linear.shape[2]
        stop = np.isfinite(lambdas).sum(axis=1) - 1
        targets = kernels.Targets(
            y.linear, y.scale, y.linear, y.scale**2, block.factors, lambdas, stop,
            *penalty_units(settings, y.scale),
        )  # fmt: skip
        sets = kernels.Sets(
            self._whole.gram, self._whole.gram, np.arange(2), np.ones(1), self._layout.n_repeats
        )
        errors = np.full((n_targets, 1, n_lambdas), np.nan)
        sizes = np.zeros((n_targets, n_lambdas), np.intp)
        with self._models() as models:
            failed = kernels.follow_whole(
                models,
                sets,
                targets,
                cost,
                np.minimum.accumulate(cost[:, ::-1], axis=1)[:, ::-1].copy(),
                y.scale[:, 0] ** 2 * self._unexplained(y.linear[:, 0]),
                settings.tol,
                settings.max_iter,
                errors,
                sizes,
                np.zeros((n_targets, 1, n_features)),
                np.zeros((n_targets, 1), np.intp),
                np.zeros((n_targets, 1)),
            )
        return errors[:, 0], sizes, failed

    def _unexplained(self, linear: Floats) -> Floats:
        """Return a lower bound (n_block,) of 1 − R² of any model of all samples."""
        d, V = self._whole_spectrum
        gamma = linear @ V
        explained = (gamma**2 / np.maximum(d, _RESOLVED * d[-1])).sum(axis=1)
        return np.maximum(1.0 - explained, 0.0)

    @cached_property
    def _whole_spectrum(self) -> tuple[Floats, Floats]:
        d, V = scipy.linalg.eigh(self._whole.gram[0])
        return d, V

    def _follow(
        self, sets: kernels.Sets, targets: kernels.Targets, adaptive: bool
    ) -> tuple[Floats, int, Floats, NDArray[np.intp], Floats]:
        """Return errors, unconverged count, models, rounds and gaps along the targets' grids."""
        settings = self.settings
        n_targets, n_folds, _ = targets.linear.shape
        errors = np.full((n_targets, len(sets.held_weight), targets.lambdas.shape[1]), np.nan)
        coef = np.zeros(targets.linear.shape)
        n_iter = np.zeros((n_targets, n_folds), np.intp)
        gaps = np.zeros((n_targets, n_folds))
        with self._models() as models:
            failed = kernels.follow_grids(
                models,
                sets,
                targets,
                adaptive,
                settings.tol,
                settings.max_iter,
                errors,
                coef,
                n_iter,
                gaps,
            )
        for t, stop in enumerate(targets.stop):
            errors[t, :, stop + 1 :] = np.nan
        return errors, failed, coef, n_iter, gaps

    def solve(self, block: TargetBlock, lambdas: Floats, stop: NDArray[np.intp]) -> Solution:
        """Return the models on all cells at ``lambdas[t, stop[t]]``; −1 means no model."""
        y = self._whole_targets(block)
        n_targets, _, n_features = y.linear.shape
        targets = kernels.Targets(
            y.linear,
            y.scale,
            np.empty((n_targets, 0, n_features)),
            np.empty((n_targets, 0)),
            block.factors,
            lambdas,
            stop.copy(),
            *penalty_units(self.settings, y.scale),
        )
        _, _, models, rounds, gaps = self._follow(self._whole_set, targets, False)
        coef = models[:, 0] * y.scale * self._whole.coordinates.inverse_scale
        intercept = self._whole.intercept(coef, block.sums, y.center)
        failed = int((gaps > self.settings.tol).sum())
        return Solution(coef, intercept, rounds[:, 0], gaps[:, 0], failed)
