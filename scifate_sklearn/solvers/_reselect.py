"""Second step of the rule "1se_cells": penalties selected with the residuals of the cells."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from ._cell_errors import Residuals, are_of_same_samples, one_se_of_cells
from ._engine import BlockFit, Engine, cross_validated_r2, take
from ._parallel import solve_all
from ._problem import LassoProblem


def select_by_cells(
    engine: Engine,
    problem: LassoProblem,
    fits: BlockFit,
    chunks: Iterable[tuple[Any, ...]],
    n_jobs: int | None,
    is_checked: bool,
) -> BlockFit:
    """Return the models at the penalties that the rule "1se_cells" selects.

    Parameters
    ----------
    engine : Engine
    problem : LassoProblem
    fits : BlockFit
        All targets, with their ``curve``.
    chunks : iterable of (X, Y, sample_weight)
        The samples of the problem.
    n_jobs : int or None
        Passed to joblib.
    is_checked : bool
        Whether the chunks may be of other samples.

    Raises
    ------
    ValueError
        If the chunks are not of the samples of the problem.
    """
    assert fits.curve is not None
    assert fits.training_error is not None
    moments, total = problem.moments, problem.moments.layout.total
    weight, n = float(total @ moments.weight), float(total @ moments.n_cells)
    variance = problem.variance
    scale = np.sqrt(np.where(variance > 0.0, variance, 1.0))
    sums = Residuals(fits.coef, fits.intercept, scale).sum_chunks(chunks)
    expected = fits.training_error / scale**2
    if sums is None or (is_checked and not are_of_same_samples(sums, n, weight, expected)):
        raise ValueError("`chunks` and `moments` are not of the same cells.")
    chosen = one_se_of_cells(fits.curve, sums.relative_error())
    solution = solve_all(engine, problem, fits.lambdas, chosen, n_jobs)
    return replace(
        fits,
        lambda_=take(fits.lambdas, chosen),
        r2=cross_validated_r2(take(fits.cv_mse, chosen), variance),
        coef=solution.coef,
        intercept=solution.intercept,
        n_iter=solution.n_iter,
        dual_gap=solution.dual_gap,
        n_unconverged=fits.n_unconverged + solution.n_unconverged,
        curve=None,
        training_error=None,
    )
