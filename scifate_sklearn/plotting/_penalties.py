"""The axis of penalties, and the marks of those that rules select."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ._style import DARK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DASHES = {"λ_min": ":", "λ_1se": "--"}


def set_penalty_axis(ax: Axes) -> None:
    """Make the x axis one of penalties that decrease from left to right, so that models grow."""
    ax.set_xscale("log")
    if not ax.xaxis_inverted():
        ax.invert_xaxis()
    ax.set_xlabel("penalty λ")


def mark_penalties(ax: Axes, lambda_min: float, lambda_1se: float, selected: float) -> None:
    """Draw a line at λ_min, at λ_1se, and at the selected penalty if it is another one."""
    marks = {"λ_min": lambda_min, "λ_1se": lambda_1se}
    marks = {name: value for name, value in marks.items() if np.isfinite(value)}
    if not np.isclose(selected, list(marks.values()), rtol=1e-9).any():
        marks["selected λ"] = selected
    for name, value in marks.items():
        text = f"{name} = {value:.2g}"
        if name in _DASHES and np.isclose(value, selected, rtol=1e-9):
            text += " (selected)"
        ax.axvline(value, color=DARK, linestyle=_DASHES.get(name, "-"), label=text, zorder=1)
