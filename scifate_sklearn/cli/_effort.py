"""Time and memory that a long fit will take, estimated from a fit of some targets."""

from __future__ import annotations

import time

import numpy as np
from sklearn.base import clone

from ..moments import Moments
from ..regressor import SciFateRegressor
from ..solvers import CELL_RULE, announce_compilation
from ._console import tell

# Folds × targets × predictors² of a fit of about a minute; shorter ones are not announced.
LONG = 10**10
# Targets of the trial, and of the one before it, for the time of what all targets share.
_N_TRIAL, _N_FEW = 64, 2
_N_PER_TARGET = 4


def announce_effort(regressor: SciFateRegressor, moments: Moments) -> None:
    """Print how long a fit will take, and how much memory, if it takes more than about a minute.

    Parameters
    ----------
    regressor : SciFateRegressor
        Not changed.
    moments : Moments
    """
    n_folds, p, q = moments.layout.n_folds, moments.n_features, moments.n_targets
    if n_folds * q * p**2 < LONG or q <= _N_TRIAL:
        return
    with announce_compilation(tell):
        # The first fit of a process compiles or loads the solver.
        _, few, trial = (_seconds(regressor, moments, n) for n in (_N_FEW, _N_FEW, _N_TRIAL))
    per_target = max(trial - few, 0.0) / (_N_TRIAL - _N_FEW)
    tell(
        f"The fit of {q:,} targets on {p:,} predictors will take about "
        f"{_duration(few + q * per_target)} and {_memory(moments) / 1e9:.1f} GB."
    )


def _seconds(regressor: SciFateRegressor, moments: Moments, n_targets: int) -> float:
    """Return the time of a fit of some targets, at equal distances."""
    some = np.linspace(0, moments.n_targets - 1, n_targets).astype(np.intp)
    quiet = clone(regressor).set_params(checkpoint=None, verbose=0)
    if quiet.lambda_rule == CELL_RULE:  # which would read the cells
        quiet.set_params(lambda_rule="1se")
    start = time.perf_counter()
    quiet.fit_moments(moments.some_targets(some))
    return time.perf_counter() - start


def _memory(moments: Moments) -> float:
    """Return the bytes of the sums, of the matrices made from them, and of the results."""
    p, q = moments.n_features, moments.n_targets
    sums = moments.xx.nbytes + moments.xy.nbytes
    matrices = 2 * moments.layout.n_folds * p**2
    return float(sums + 8 * (matrices + _N_PER_TARGET * p * q))


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"
