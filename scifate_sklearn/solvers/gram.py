"""The shared-Gram engine: one standardised XᵀX per training set serves every target.

All it reads are `Moments`, so its cost does not depend on the number of cells.
"""

from __future__ import annotations

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
        gram = sets.xx / sets.weight[:, None, None]
        mean = sets.x_mean
        gram -= self.centre[:, :, None] * mean[:, None, :]
        gram -= (mean - self.centre)[:, :, None] * self.centre[:, None, :]
        gram *= self.inverse_scale[:, :, None]
        gram *= self.inverse_scale[:, None, :]
        return gram

    def linear(self, sets: Moments, block: slice) -> Floats:
        """Return the mean of x y (n_block, n_sets, p), y centred but not scaled."""
        cross = sets.xy[:, :, block] / sets.weight[:, None, None]
        y_centre = self.y_centre[:, None, block]
        cross -= self.centre[:, :, None] * sets.y_mean[:, None, block]
        cross -= (sets.x_mean - self.centre)[:, :, None] * y_centre
        cross *= self.inverse_scale[:, :, None]
        return np.ascontiguousarray(cross.transpose(2, 0, 1))

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
        return self.coordinates.linear(self.sets, block) * inverse[:, :, None], scale

    def automatic_ratios(self, n_candidates: NDArray[np.intp]) -> Floats:
        """Return glmnet's lambda.min.ratio (n_block, n_sets): 1e-4, or 0.01 if n < p."""
        return np.where(self.sets.n_cells[None, :] < n_candidates[:, None], 1e-2, 1e-4)


class GramEngine:
    """Coordinate descent on Gram matrices that all targets share.

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
        self._held_gram = self._held_coordinates.gram(self._held_out)

    @property
    def unit_weight(self) -> Floats:
        """Weight of each test unit."""
        return self._held_out.weight

    def grids(self, block: slice) -> Floats:
        """Return the penalties (n_block, n_lambdas) of each target, NaN-padded."""
        problem = self.problem
        candidates = problem.block_candidates(block)
        if problem.lambdas is not None:
            return np.tile(problem.lambdas, (len(candidates), 1))
        linear, y_scale = self._whole.targets(block)
        lambdas = np.empty((len(candidates), N_AUTOMATIC))
        kernels.automatic_grids(
            self._whole.gram[0],
            linear[:, 0],
            y_scale[:, 0],
            candidates,
            problem.block_factors(block),
            self._whole.automatic_ratios(candidates.sum(axis=1))[:, 0],
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
        held_square = self._held_coordinates.square(self._held_out, block)
        # Targets constant in a training set have y_scale 0: only their squares matter.
        inverse = np.divide(1.0, y_scale, out=np.zeros_like(y_scale), where=y_scale > 0)
        held_linear = self._held_coordinates.linear(self._held_out, block)
        held_linear *= inverse[:, self._training_of, None]
        candidates = problem.block_candidates(block)
        errors = np.empty((len(candidates), len(self._training_of), lambdas.shape[1]))
        data = (
            self._training.gram,
            linear,
            y_scale,
            self._held_gram,
            held_linear,
            held_square,
            self._training_of,
            candidates,
            problem.block_factors(block),
        )
        limits = problem.alpha, problem.tol, problem.max_iter
        if problem.lambdas is None:
            ratios = self._training.automatic_ratios(candidates.sum(axis=1))
            failed = kernels.automatic_errors(*data, ratios, lambdas, N_AUTOMATIC, *limits, errors)
        else:
            adaptive = problem.path == "adaptive"
            failed = kernels.grid_errors(
                *data, self.unit_weight, lambdas, adaptive, *limits, errors
            )
        return errors, failed

    def solve(self, block: slice, lambdas: Floats, stop: NDArray[np.intp]) -> Solution:
        """Return the models on all cells at ``lambdas[t, stop[t]]``; −1 is no model."""
        problem, whole = self.problem, self._whole
        linear, y_scale = whole.targets(block)
        candidates = problem.block_candidates(block)
        coef = np.empty(candidates.shape)
        n_iter, gap = np.empty(len(coef), np.intp), np.empty(len(coef))
        kernels.solve_down_to(
            whole.gram[0],
            linear[:, 0],
            y_scale[:, 0],
            candidates,
            problem.block_factors(block),
            lambdas,
            stop,
            problem.alpha,
            problem.tol,
            problem.max_iter,
            coef,
            n_iter,
            gap,
        )
        coef *= y_scale * whole.coordinates.inverse_scale
        moments = problem.moments
        x_centre = whole.coordinates.centre[0] + moments.x_shift
        y_centre = whole.coordinates.y_centre[0, block] + moments.y_shift[block]
        failed = int((gap > problem.tol).sum())
        return Solution(coef, y_centre - coef @ x_centre, n_iter, gap, failed)
