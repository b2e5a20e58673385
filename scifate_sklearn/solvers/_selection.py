"""Selection of the penalty of each target from its held-out errors, as in glmnet.

With e_kλ the weighted mean squared error of test unit k (a fold, or a cell if folds are small) and
w_k its weight, ``cv.glmnet`` (Friedman, Hastie & Tibshirani, J. Stat. Softw. 33, 2010) defines

* cvm  = Σ w e / Σ w,
* cvsd = √[(Σ w (e − cvm)² / Σ w) / (K − 1)],
* λ_min = max{λ : cvm ≤ min cvm},
* λ_1se = max{λ : cvm ≤ cvm(λ_min) + cvsd(λ_min)}.

If the cross-validation is repeated with other folds, the sums are over the units of all repeats, so
that cvm is the mean of their curves. K is the number of units of one repeat: cvsd does not decrease
with the number of repeats, because all of them use the same samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ._problem import Floats


@dataclass(frozen=True)
class CVCurve:
    """The cross-validation curve of one target: the argument of a callable ``lambda_rule``.

    Attributes
    ----------
    lambdas : ndarray of shape (n_lambdas,)
        Penalties, decreasing, without those that an adaptive path did not visit.
    mse, mse_se : ndarray of shape (n_lambdas,)
        Cross-validated mean squared error and its standard error.
    lambda_min, lambda_1se : float
        The penalties that glmnet's two rules choose.
    """

    lambdas: Floats
    mse: Floats
    mse_se: Floats
    lambda_min: float
    lambda_1se: float


# "1se", "min", a penalty, or a function of the curve.
LambdaRule: TypeAlias = Any


def paper_grid() -> Floats:
    """Return the 100 penalties of Cao et al. (2020): exp(seq(log 10, log 0.001))."""
    return np.exp(np.linspace(np.log(10.0), np.log(0.001), 100))


def insert_penalty(lambdas: Floats, rule: LambdaRule) -> Floats:
    """Return decreasing grids (..., n_lambdas) with a fixed penalty added where it is absent.

    NaN padding stays at the end. A rule that is not a number changes nothing.
    """
    if not isinstance(rule, Real):
        return lambdas
    value = float(rule)
    absent = ~np.isclose(lambdas, value, rtol=1e-12, atol=0).any(axis=-1, keepdims=True)
    fitted = ~np.isnan(lambdas[..., :1])
    extra = np.where(absent & fitted, value, np.nan)
    wider = np.concatenate([lambdas, extra], axis=-1)
    wider = -np.sort(-wider, axis=-1)
    return wider if np.isfinite(extra).any() else lambdas


def cv_curve(errors: Floats, weight: Floats, n_repeats: int = 1) -> tuple[Floats, Floats]:
    """Return cvm and cvsd (n_targets, n_lambdas) of errors (n_targets, n_units, n_lambdas)."""
    share = (weight / weight.sum())[None, :, None]
    mse = (share * errors).sum(axis=1)
    deviation = errors - mse[:, None, :]
    # In units of the largest, since the square of a squared error may overflow or underflow.
    unit = np.maximum(np.abs(deviation).max(axis=1), np.finfo(float).tiny)
    variance = (share * (deviation / unit[:, None, :]) ** 2).sum(axis=1)
    return mse, unit * np.sqrt(variance / (len(weight) // n_repeats - 1))


def min_and_1se(mse: Floats, mse_se: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the positions of λ_min and λ_1se on decreasing grids; −1 without a curve."""
    low = np.min(np.where(np.isnan(mse), np.inf, mse), axis=1)
    # The grid decreases, so the largest penalty within a bound is the first one.
    i_min = np.argmax(mse <= low[:, None], axis=1)
    rows = np.arange(len(mse))
    i_1se = np.argmax(mse <= (mse + mse_se)[rows, i_min][:, None], axis=1)
    has_curve = np.isfinite(low)
    return np.where(has_curve, i_min, -1), np.where(has_curve, i_1se, -1)


def apply_rule(
    rule: LambdaRule,
    lambdas: Floats,
    mse: Floats,
    mse_se: Floats,
    i_min: NDArray[np.intp],
    i_1se: NDArray[np.intp],
) -> NDArray[np.intp]:
    """Return the position on its grid of each target's penalty; −1 without a curve.

    Raises
    ------
    ValueError
        If a callable returns something that is not one of the penalties it was given.
    """
    if rule == "min":
        return i_min
    if rule == "1se":
        return i_1se
    chosen = np.full(len(i_min), -1, np.intp)
    for t in np.flatnonzero(i_min >= 0):
        if isinstance(rule, Real):
            wanted = float(rule)
        else:
            known = ~np.isnan(mse[t])
            grid = lambdas[t]
            curve = CVCurve(
                grid[known], mse[t, known], mse_se[t, known], grid[i_min[t]], grid[i_1se[t]]
            )
            wanted = rule(curve)
        chosen[t] = _position(lambdas[t], wanted)
    return chosen


def _position(lambdas: Floats, wanted: Any) -> int:
    match = np.empty(0, np.intp)
    if isinstance(wanted, Real):
        match = np.flatnonzero(np.isclose(lambdas, float(wanted), rtol=1e-9, atol=0))
    if match.size == 0:
        raise ValueError(
            f"`lambda_rule` returned {wanted!r}, which is not on the penalty grid "
            f"[{np.nanmin(lambdas):.6g}, {np.nanmax(lambdas):.6g}]; return an element of "
            "`curve.lambdas`."
        )
    return int(match[0])
