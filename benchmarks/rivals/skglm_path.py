"""skglm's path on a given Gram matrix: `AndersonCD` with the datafit `QuadraticHessian`.

skglm has no cross-validation, so the folds are run here; the Gram matrices of the training sets are
passed to it and not timed. Tolerance 1e-4, its default (on the gradient, not the gap).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from . import RivalFit
from ._training_sets import TrainingSet, cross_validate

if TYPE_CHECKING:
    from problems import Problem

NAME = "skglm, Gram"
PACKAGE = "skglm"


def fit(problem: Problem, t: int) -> RivalFit:
    """Fit one target."""
    return cross_validate(problem, t, _path)


def _path(
    training: TrainingSet, y: NDArray[np.float64], penalties: NDArray[np.float64]
) -> NDArray[np.float64]:
    from skglm.datafits import QuadraticHessian
    from skglm.penalties import L1
    from skglm.solvers import AndersonCD

    solver = AndersonCD(fit_intercept=False)
    _, coef, _ = solver.path(
        training.gram, -training.cross_products(y), QuadraticHessian(), L1(1.0), penalties
    )
    return coef
