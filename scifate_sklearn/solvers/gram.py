"""The shared-Gram engine: one standardised XᵀX per training set serves every target.

All it reads are `Moments`, so its cost does not depend on the number of cells.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scifate_sklearn.moments import Moments

from . import kernels
from .engine import Solution
from .problem import CONSTANT, Floats, LassoProblem

N_AUTOMATIC = 100


@dataclass(frozen=True)
class Coordinates:
    """Where the zero and the unit of each predictor lie, one row for each set of cells.

    ``centre`` (n_sets, p) and ``y_centre`` (n_sets, q) are relative to the shift of the moments;
    ``inverse_scale`` (n_sets, p) is 0 where a predictor is constant.
    """

    centre: Floats
    y_centre: Floats
    inverse_scale: Floats

    @classmethod
    def standardising(cls, sets: Moments, standardize: bool, fit_intercept: bool) -> Coordinates:
        """Standardise each set with its own statistics (ddof 0), as glmnet does.

        Without an intercept nothing is centred, but the scale stays the standard deviation.
        """
        square = np.diagonal(sets.xx, axis1=1, axis2=2) / sets.weight[:, None]
        variance = square - sets.x_mean**2
        varies = variance > CONSTANT * square
        scale = np.sqrt(np.where(varies, variance, 1.0)) if standardize else 1.0
        inverse = varies / scale
        if fit_intercept:
            return cls(sets.x_mean, sets.y_mean, inverse)
        x_zero = np.broadcast_to(-sets.x_shift, sets.x_sum.shape)
        y_zero = np.broadcast_to(-sets.y_shift, sets.y_sum.shape)
        return cls(x_zero, y_zero, inverse)

    def take(self, sets: NDArray[np.intp]) -> Coordinates:
        """Return the coordinates of the given sets, in that order."""
        return Coordinates(self.centre[sets], self.y_centre[sets], self.inverse_scale[sets])

    def gram(self, sets: Moments) -> Floats:
        """Return the mean of x xᵀ (n_sets, p, p) in these coordinates."""
        gram = np.empty_like(sets.xx)
        # One set after the other, for a single matrix stays in the cache.
        for k, out in enumerate(gram):
            centre, mean, inverse = self.centre[k], sets.x_mean[k], self.inverse_scale[k]
            np.divide(sets.xx[k], sets.weight[k], out=out)
            out -= np.outer(centre, mean)
            if not np.array_equal(centre, mean):
                out -= np.outer(mean - centre, centre)
            out *= np.outer(inverse, inverse)
        return gram

    def linear(self, sets: Moments, block: slice) -> Floats:
        """Return the mean of x y (n_block, n_sets, p), y centred but not scaled."""
        scale, mean = self.inverse_scale, sets.x_mean
        # Out of the many columns first: to transpose them there misses the cache at every number.
        raw = np.ascontiguousarray(sets.xy[:, :, block]).transpose(2, 0, 1)
        cross = np.multiply(raw, scale / sets.weight[:, None], order="C")
        cross -= sets.y_mean[:, block].T[:, :, None] * (self.centre * scale)
        if not np.array_equal(mean, self.centre):
            cross -= self.y_centre[:, block].T[:, :, None] * ((mean - self.centre) * scale)
        return cross

    def square(self, sets: Moments, block: slice) -> Floats:
        """Return the mean of y² (n_block, n_sets), exactly 0 where y is constant at its centre."""
        raw = sets.yy[:, block] / sets.weight[:, None]
        y_centre = self.y_centre[:, block]
        square = raw - y_centre * (2.0 * sets.y_mean[:, block] - y_centre)
        return np.ascontiguousarray(np.where(square > CONSTANT * raw, square, 0.0).T)


@dataclass(frozen=True)
class StandardisedSets:
    """Several sets of cells, each standardised by its own statistics."""

    sets: Moments
    coordinates: Coordinates
    gram: Floats

    @classmethod
    def of(cls, sets: Moments, standardize: bool, fit_intercept: bool) -> StandardisedSets:
        """Standardise every part of `sets`."""
        coordinates = Coordinates.standardising(sets, standardize, fit_intercept)
        return cls(sets, coordinates, coordinates.gram(sets))

    def targets(self, block: slice) -> tuple[Floats, Floats]:
        """Return Xᵀy/n (n_block, n_sets, p) for targets of unit mean square, and their scale."""
        scale = np.sqrt(self.coordinates.square(self.sets, block))
        inverse = np.divide(1.0, scale, out=np.zeros_like(scale), where=scale > 0)
        linear = self.coordinates.linear(self.sets, block)
        linear *= inverse[:, :, None]
        return linear, scale

    def automatic_ratios(self, n_candidates: NDArray[np.intp]) -> Floats:
        """Return glmnet's lambda.min.ratio (n_block, n_sets): 1e-4, or 0.01 if n < p."""
        return np.where(self.sets.n_cells[None, :] < n_candidates[:, None], 1e-2, 1e-4)


class GramEngine:
    """Active-set method on Gram matrices that all targets share.

    Parameters
    ----------
    problem : LassoProblem
    """

    def __init__(self, problem: LassoProblem) -> None:
        self.problem = problem
        moments, layout = problem.moments, problem.moments.layout
        options = problem.standardize, problem.fit_intercept
        # A test unit without weight has no error to report.
        units = np.flatnonzero(moments.weight[layout.held_out] > 0)
        self._training_of = layout.training_of[units]
        self._held_out = moments.take(layout.held_out[units])
        self._whole = StandardisedSets.of(moments.whole, *options)
        self._training = StandardisedSets.of(moments.combine(layout.training), *options)
        self._held_coordinates = self._training.coordinates.take(self._training_of)
        folds = np.arange(layout.n_folds + 1)
        self._held_sets = kernels.Sets(
            self._training.gram,
            self._held_coordinates.gram(self._held_out),
            np.searchsorted(self._training_of, folds),
            self.unit_weight,
        )
        self._n_models = layout.n_folds if problem.path == "adaptive" else 1
        self._idle: list[kernels.Models] = []
        none = np.empty((0, moments.n_features, moments.n_features))
        self._whole_set = kernels.Sets(self._whole.gram, none, np.zeros(2, np.intp), np.empty(0))

    @property
    def unit_weight(self) -> Floats:
        """Weight of each test unit."""
        return self._held_out.weight

    @contextmanager
    def _models(self) -> Iterator[kernels.Models]:
        """Lend models to one block at a time: memory that is touched anew is slow."""
        try:
            models = self._idle.pop()
        except IndexError:
            models = kernels.new_models(self._n_models, self.problem.moments.n_features)
        yield models
        self._idle.append(models)

    def _automatic_scratch(self) -> tuple[Floats, Floats]:
        """Return room for a grid that glmnet makes, and for the models along it."""
        return np.empty((1, N_AUTOMATIC)), np.empty((N_AUTOMATIC, self.problem.moments.n_features))

    def grids(self, block: slice) -> Floats:
        """Return the penalties (n_block, n_lambdas) of each target, NaN-padded."""
        problem = self.problem
        factors = problem.block_factors(block)
        if problem.lambdas is not None:
            return np.tile(problem.lambdas, (len(factors), 1))
        linear, y_scale = self._whole.targets(block)
        lambdas = np.empty((len(factors), N_AUTOMATIC))
        ratios = self._whole.automatic_ratios(np.isfinite(factors).sum(axis=1))
        with self._models() as models:
            kernels.automatic_grids(
                models,
                *self._automatic_scratch(),
                self._whole.gram[0],
                linear[:, 0],
                y_scale[:, 0],
                factors,
                ratios[:, 0],
                problem.alpha,
                problem.tol,
                problem.max_iter,
                lambdas,
            )
        return lambdas

    def errors(self, block: slice, lambdas: Floats) -> tuple[Floats, int]:
        """Return held-out errors (n_block, n_units, n_lambdas) and the unconverged count."""
        problem = self.problem
        linear, y_scale = self._training.targets(block)
        # Targets constant in a training set have y_scale 0: only their squares matter.
        inverse = np.divide(1.0, y_scale, out=np.zeros_like(y_scale), where=y_scale > 0)
        held_linear = self._held_coordinates.linear(self._held_out, block)
        held_linear *= inverse[:, self._training_of, None]
        targets = kernels.Targets(
            linear,
            y_scale,
            held_linear,
            self._held_coordinates.square(self._held_out, block),
            problem.block_factors(block),
            lambdas,
            np.full(len(lambdas), lambdas.shape[1] - 1),
        )
        if problem.lambdas is not None:
            return self._follow(self._held_sets, targets, problem.path == "adaptive")[:2]
        errors = np.empty((len(lambdas), len(self._training_of), lambdas.shape[1]))
        ratios = self._training.automatic_ratios(np.isfinite(targets.factors).sum(axis=1))
        with self._models() as models:
            failed = kernels.automatic_errors(
                models,
                *self._automatic_scratch(),
                self._held_sets,
                targets,
                ratios,
                problem.alpha,
                problem.tol,
                problem.max_iter,
                errors,
            )
        return errors, failed

    def _follow(
        self, sets: kernels.Sets, targets: kernels.Targets, adaptive: bool
    ) -> tuple[Floats, int, Floats, NDArray[np.intp], Floats]:
        """Follow the targets' grids; return errors, unconverged count, models, rounds and gaps."""
        problem = self.problem
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
                problem.alpha,
                problem.tol,
                problem.max_iter,
                errors,
                coef,
                n_iter,
                gaps,
            )
        for t, stop in enumerate(targets.stop):
            errors[t, :, stop + 1 :] = np.nan
        return errors, failed, coef, n_iter, gaps

    def solve(self, block: slice, lambdas: Floats, stop: NDArray[np.intp]) -> Solution:
        """Return the models on all cells at ``lambdas[t, stop[t]]``; −1 is no model."""
        problem, whole = self.problem, self._whole
        linear, y_scale = whole.targets(block)
        n_targets = len(lambdas)
        targets = kernels.Targets(
            linear,
            y_scale,
            np.empty((n_targets, 0, linear.shape[2])),
            np.empty((n_targets, 0)),
            problem.block_factors(block),
            lambdas,
            stop.copy(),
        )
        _, _, models, rounds, gaps = self._follow(self._whole_set, targets, False)
        coef = models[:, 0] * y_scale * whole.coordinates.inverse_scale
        moments = problem.moments
        x_centre = whole.coordinates.centre[0] + moments.x_shift
        y_centre = whole.coordinates.y_centre[0, block] + moments.y_shift[block]
        # Not a matrix product, whose last bits depend on which targets are in the block.
        intercept = y_centre - (coef * x_centre).sum(axis=1)
        failed = int((gaps > problem.tol).sum())
        return Solution(coef, intercept, rounds[:, 0], gaps[:, 0], failed)
