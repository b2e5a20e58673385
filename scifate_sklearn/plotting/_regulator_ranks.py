"""TFs ranked by their targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ._fitted import checked_links
from ._names import and_others, label_ticks
from ._style import (
    ACTIVATION,
    DARK,
    REPRESSION,
    check_choice,
    check_count,
    drawing,
    legend_below,
    set_title,
    sized,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_AXIS = {"number": "targets", "strength": "Σ |coef| of the targets"}


def regulator_ranks(
    links: pd.DataFrame, *, by: str = "number", top: int | None = 20, ax: Axes | None = None
) -> Axes:
    """Draw the TFs with most targets: activated ones to the right, repressed ones to the left.

    Parameters
    ----------
    links : DataFrame
        A links table, with at least ``TF``, ``target`` and ``coef``.
    by : {"number", "strength"}, default="number"
        Length of the bars, and order of the TFs: the number of targets, or the sum of |coef| over
        them. The other one is written at the ends of the bars.
    top : int or None, default=20
        Number of TFs; None means all.
    ax : Axes, default=None
        None makes a new figure.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError, ValueError
        If `links` is not a links table or has no links, or an option is unknown.
    ImportError
        If matplotlib is not installed.
    """
    check_choice("by", by, _AXIS)
    check_count("top", top)
    table = checked_links(links, "regulator_ranks")
    sides = _by_sign(table)
    order = (sides[by, 1] + sides[by, -1]).sort_values(ascending=False, kind="stable").index
    shown = sides.loc[order[:top]]
    with drawing(ax, height=16 + 3.6 * len(shown)) as ax:
        for sign, colour, name in ((1, ACTIVATION, "activated"), (-1, REPRESSION, "repressed")):
            _draw_side(ax, shown, by, sign, colour, name)
        ax.axvline(0, color=DARK, linewidth=sized(0.6))
        label_ticks(ax.yaxis, range(len(shown)), list(shown.index))
        ax.set_ylim(len(shown) - 0.4, -0.6)
        ax.margins(x=0.16)
        ax.xaxis.set_major_formatter(lambda value, _: f"{abs(value):g}")
        other = "Σ |coef|" if by == "number" else "their number"
        ax.set_xlabel(f"{_AXIS[by]} (at the bars: {other})")
        set_title(ax, and_others(len(shown), len(sides), "TFs"))
        legend_below(ax, 4.0, ncols=2)
    return ax


def _by_sign(table: pd.DataFrame) -> pd.DataFrame:
    """Return number and strength of the targets of each TF, by sign (columns)."""
    sign = np.sign(table["coef"]).astype(int).rename("sign")
    groups = table["coef"].abs().groupby([table["TF"], sign])
    sides = groups.agg(number="size", strength="sum").unstack("sign").fillna(0.0)
    every = pd.MultiIndex.from_product([["number", "strength"], [1, -1]])
    return sides.reindex(columns=every, fill_value=0.0)


def _draw_side(ax: Axes, shown: pd.DataFrame, by: str, sign: int, colour: str, name: str) -> None:
    lengths = sign * shown[by, sign].to_numpy(float)
    bars = ax.barh(range(len(shown)), lengths, color=colour, height=0.75, linewidth=0, label=name)
    other = shown["strength" if by == "number" else "number", sign]
    texts = [f"{value:.3g}" if value else "" for value in other]
    ax.bar_label(bars, texts, padding=sized(1.5), fontsize="x-small", color=DARK)
