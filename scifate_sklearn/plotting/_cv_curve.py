"""Cross-validation curve of a target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ._fitted import fitted_model, regulator_columns
from ._names import as_label
from ._penalties import mark_penalties, set_penalty_axis
from ._style import (
    DARK,
    REPRESSION,
    drawing,
    legend_below,
    set_title,
    sized,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Penalties shown above the largest one with a regulator, and numbers of regulators on top.
_FLAT, _NUMBERS = 4, 6


def cv_curve(
    model: Any, target: str, *, path: pd.DataFrame | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the cross-validated error of a target along the penalties.

    The band is one standard error (``cv_mse_se_``) to either side. Lines mark λ_min and λ_1se, and
    the selected penalty if another rule selected it. Penalties above which the error is constant,
    because no regulator has entered, are left out.

    Parameters
    ----------
    model : SciFateRegressor
        Fitted; or an estimator that tests the links of one (`PermutationFDR`, ...).
    target : str
        One of ``model.target_names_in_``.
    path : DataFrame, default=None
        From `SciFateRegressor.coefficient_path` for the same target: the number of regulators at
        each penalty is then shown on top.
    ax : Axes, default=None
        None makes a new figure.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError, ValueError
        If the model, the target or the path is not suitable, or nothing was cross-validated.
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    ImportError
        If matplotlib is not installed.
    """
    regressor = fitted_model(model)
    curve = regressor.cv_curve(target)
    sizes = None
    if path is not None:
        sizes = (regulator_columns(regressor, target, path) != 0).sum(axis=1)
    linked = regressor.links_["target"] == target
    selected = float(np.atleast_1d(regressor.lambda_)[regressor.target_names_in_ == target][0])
    first = max(0, int(np.argmax(curve.mse < curve.mse[0])) - _FLAT)
    x, y, se = curve.lambdas[first:], curve.mse[first:], curve.mse_se[first:]
    with drawing(ax, height=68) as ax:
        ax.fill_between(x, y - se, y + se, color=REPRESSION, alpha=0.25, linewidth=0)
        ax.plot(
            x, y, color=REPRESSION, marker="o", markersize=sized(2), label="mean ± standard error"
        )
        set_penalty_axis(ax)
        mark_penalties(ax, curve.lambda_min, curve.lambda_1se, selected)
        ax.set_ylabel("cross-validated mean squared error\n(unit of the target, squared)")
        legend_below(ax, 4.0, ncols=2)
        title = f"{as_label(target)}: {int(linked.sum())} regulators at the selected λ"
        set_title(ax, title)
        if sizes is not None:
            _show_sizes(ax, sizes[sizes.index <= x[0]])
    return ax


def _show_sizes(ax: Axes, sizes: pd.Series[int]) -> None:
    """Show the number of regulators at some of the penalties on top."""
    some = np.unique(np.linspace(0, len(sizes) - 1, _NUMBERS).round().astype(int))
    top = ax.secondary_xaxis("top")
    top.set_xticks(sizes.index[some].to_numpy(), [f"{size}" for size in sizes.iloc[some]])
    top.minorticks_off()
    top.spines["top"].set_visible(True)
    top.set_xlabel("regulators")
    top.tick_params(labelcolor=DARK)
