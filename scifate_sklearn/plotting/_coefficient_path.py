"""Coefficients of a target along the penalties."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.isotonic import isotonic_regression

from ..fitting import target_position
from ._fitted import fitted_model, regulator_columns
from ._names import and_others, as_label
from ._penalties import mark_penalties, set_penalty_axis
from ._style import (
    NEUTRAL,
    check_count,
    colour_of,
    drawing,
    legend_below,
    points,
    set_title,
    settle,
    sized,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LINE_HEIGHT = 1.25  # of a label, in units of the size of the text


def coefficient_path(
    model: Any, target: str, path: pd.DataFrame, *, top: int | None = 10, ax: Axes | None = None
) -> Axes:
    """Draw the coefficients of a target along the penalties, with the names of its TFs.

    TFs with a coefficient at the selected penalty have the colour of its sign there, the others are
    grey.

    Parameters
    ----------
    model : SciFateRegressor
        Fitted; or an estimator that tests the links of one (`PermutationFDR`, ...).
    target : str
        One of ``model.target_names_in_``.
    path : DataFrame
        ``model.coefficient_path(tf_matrix, target_matrix, target)``.
    top : int or None, default=10
        Number of TFs that are named: those with the largest |coefficient| at the selected penalty;
        None names all that have one there.
    ax : Axes, default=None
        None makes a new figure.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError, ValueError
        If the model, the target or the path is not suitable, or `top` is not a number above 0.
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    ImportError
        If matplotlib is not installed.
    """
    check_count("top", top)
    regressor = fitted_model(model)
    position = target_position(regressor.target_names_in_, target)
    marks = (
        float(np.atleast_1d(values)[position])
        for values in (regressor.lambda_min_, regressor.lambda_1se_, regressor.lambda_)
    )
    lambda_min, lambda_1se, selected = marks
    coefs = regulator_columns(regressor, target, path)
    coefs = coefs.loc[:, (coefs != 0).any()]
    at_selected = coefs.iloc[int(np.abs(coefs.index.to_numpy(float) - selected).argmin())]
    named = at_selected[at_selected != 0].sort_values(key=np.abs, ascending=False)
    shown = named.index[:top]
    with drawing(ax, height=70) as ax:
        _draw_lines(ax, coefs, at_selected)
        set_penalty_axis(ax)
        mark_penalties(ax, lambda_min, lambda_1se, selected)
        ax.axhline(0, color=NEUTRAL, linewidth=sized(0.5), zorder=0)
        ax.set_ylabel("coefficient (units of target / units of TF)")
        named_text = and_others(len(shown), len(named), "selected TFs named")
        set_title(ax, f"{as_label(target)}: {named_text if len(named) else 'no TF is selected'}")
        legend_below(ax, 4.0, ncols=2)
        if len(shown):
            _name_ends(ax, coefs[shown], at_selected)
    return ax


def _draw_lines(ax: Axes, coefs: pd.DataFrame, at_selected: pd.Series[float]) -> None:
    start = max(0, int((coefs != 0).any(axis=1).to_numpy().argmax()) - 2)
    for tf in coefs.columns:
        is_selected = at_selected[tf] != 0
        ax.plot(
            coefs.index[start:],
            coefs[tf].iloc[start:],
            color=colour_of(at_selected[tf]) if is_selected else NEUTRAL,
            alpha=1.0 if is_selected else 0.5,
            linewidth=sized(1.0 if is_selected else 0.5),
            zorder=3 if is_selected else 2,
        )


def _name_ends(ax: Axes, coefs: pd.DataFrame, at_selected: pd.Series[float]) -> None:
    """Write the names beside the ends of the lines, apart from each other."""
    ax.margins(x=0.01)
    ends = coefs.iloc[-1]
    height = settle(ax)[1]
    low, high = ax.get_ylim()
    gap = points(_LINE_HEIGHT) / height * (high - low)
    places = apart(ends.to_numpy(float), gap)
    for tf, end, place in zip(coefs.columns, ends, places, strict=True):
        ax.annotate(
            as_label(tf),
            (coefs.index[-1], end),
            (1.05, (place - low) / (high - low)),
            textcoords="axes fraction",
            color=colour_of(at_selected[tf]),
            va="center",
            annotation_clip=False,
            fontsize="small",
            arrowprops={"arrowstyle": "-", "color": NEUTRAL, "linewidth": sized(0.4), "shrinkA": 0},
        )


def apart(wanted: NDArray[np.float64], gap: float) -> NDArray[np.float64]:
    """Return the places nearest to the wanted ones (least squares) with a gap between any two."""
    order = np.argsort(wanted, kind="stable")
    steps = gap * np.arange(len(wanted))
    places = np.empty(len(wanted))
    places[order] = isotonic_regression(wanted[order] - steps) + steps
    return places
