"""celer's path, ``celer_path``, with the settings of celer's `LassoCV` (tolerance 1e-4).

That `LassoCV` (celer 0.7.4) fails with scikit-learn 1.9, whose base class no longer takes
`n_alphas`. The folds are therefore run here, on predictors that are standardized for each training
set; this is not timed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from . import RivalFit
from ._training_sets import TrainingSet, cross_validate

if TYPE_CHECKING:
    from problems import Problem

NAME = "celer_path"
PACKAGE = "celer"


def fit(problem: Problem, t: int) -> RivalFit:
    """Fit one target."""
    return cross_validate(problem, t, _path)


def _path(
    training: TrainingSet, y: NDArray[np.float64], penalties: NDArray[np.float64]
) -> NDArray[np.float64]:
    from celer import celer_path

    settings = {"tol": 1e-4, "max_iter": 100, "prune": True}
    response = y[training.rows]
    centred = response - response.mean()
    _, coef, _ = celer_path(training.X, centred, "lasso", alphas=penalties, **settings)
    return coef
