"""adelie's Gaussian path by the covariance method, ``gaussian_cov``, at its tolerance of 1e-7.

Its own `cv_grpnet` takes neither penalties nor folds, so the folds are run here; the Gram matrices
of the training sets are passed to it and not timed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from . import RivalFit
from ._training_sets import TrainingSet, cross_validate

if TYPE_CHECKING:
    from problems import Problem

NAME = "adelie, covariance"
PACKAGE = "adelie"


def fit(problem: Problem, t: int) -> RivalFit:
    """Fit one target."""
    return cross_validate(problem, t, _path)


def _path(
    training: TrainingSet, y: NDArray[np.float64], penalties: NDArray[np.float64]
) -> NDArray[np.float64]:
    from adelie import gaussian_cov

    state = gaussian_cov(
        training.gram,
        training.cross_products(y),
        lmda_path=penalties,
        early_exit=False,
        rdev_tol=0,
        progress_bar=False,
    )
    return state.betas.toarray().T
