"""Enrichment of the targets of each TF in its ChIP-seq peaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..filters import EncodeLinkFilter
from ._fitted import fitted
from ._names import and_others, label_ticks
from ._style import (
    ACTIVATION,
    DARK,
    NEUTRAL,
    REPRESSION,
    check_count,
    drawing,
    legend_below,
    points,
    set_title,
    sized,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NORMAL_975 = 1.959963984540054
# Right ends of the columns of counts, in units of the size of the text.
_COLUMNS = (6.0, 12.5)
_COUNTS = ["link_peak", "link_no_peak", "no_link_peak", "no_link_no_peak"]
_COLOURS = {"enriched": ACTIVATION, "depleted": REPRESSION, "other": NEUTRAL}


def enrichment(filter: Any, *, top: int | None = 25, ax: Axes | None = None) -> Axes:
    """Draw the odds ratio of links and ChIP-seq peaks of each tested TF, with its counts.

    With the counts a (link, peak), b (link, no peak), c (no link, peak) and d (neither), each plus
    ½, the point is a·d / (b·c), and the line its 95 % confidence interval,
    exp(log odds ratio ± 1.96 √(1/a + 1/b + 1/c + 1/d)). So all are finite, and differ a little from
    ``enrichment_["odds_ratio"]``.

    Parameters
    ----------
    filter : EncodeLinkFilter
        Fitted.
    top : int or None, default=25
        Number of TFs, those with the smallest p; None means all.
    ax : Axes, default=None
        None makes a new figure.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError, ValueError
        If `filter` is something else, or tested no TF.
    sklearn.exceptions.NotFittedError
        If the filter is not fitted.
    ImportError
        If matplotlib is not installed.

    References
    ----------
    Woolf, B. (1955). On estimating the relation between blood group and disease. Annals of Human
    Genetics 19, 251–253. Haldane, J. B. S. (1956), ibid. 20, 309–311.
    """
    check_count("top", top)
    tests = fitted(filter, EncodeLinkFilter, "filter").enrichment_
    if not len(tests):
        raise ValueError("`filter` tested no TF, so that there is nothing to draw.")
    shown = tests.iloc[:top]
    with drawing(ax, height=20 + 3.6 * len(shown)) as ax:
        _draw_intervals(ax, shown)
        ax.axvline(1, color=DARK, linewidth=sized(0.6), linestyle="--", zorder=0)
        ax.set_xscale("log")
        label_ticks(ax.yaxis, range(len(shown)), list(shown["TF"]))
        ax.set_ylim(len(shown) - 0.5, -0.6)
        ax.set_xlabel("odds ratio of link and peak (95 % interval)")
        _write_counts(ax, shown)
        n_kept = int(tests["kept"].sum())
        text = and_others(len(shown), len(tests), "tested TFs")
        set_title(ax, f"{text}, {n_kept:,} with q < {filter.q_threshold:g}")
        legend_below(ax, 4.0, ncols=3)
    return ax


def _draw_intervals(ax: Axes, shown: pd.DataFrame) -> None:
    a, b, c, d = (shown[name].to_numpy(float) + 0.5 for name in _COUNTS)
    ratio = a * d / (b * c)
    factor = np.exp(_NORMAL_975 * np.sqrt(1 / a + 1 / b + 1 / c + 1 / d))
    verdict = shown["verdict"].where(shown["verdict"].isin(["enriched", "depleted"]), "other")
    names = {"enriched": "enriched", "depleted": "depleted", "other": "not significant"}
    for kind, colour in _COLOURS.items():
        own = (verdict == kind).to_numpy()
        if own.any():
            error = ratio[own] * np.array([1 - 1 / factor[own], factor[own] - 1])
            ax.errorbar(
                ratio[own], np.flatnonzero(own), xerr=error, fmt="o", color=colour,
                label=names[kind], markersize=sized(3.5),
            )  # fmt: skip


def _write_counts(ax: Axes, shown: pd.DataFrame) -> None:
    """Write the targets with a peak of all targets, and the same of the other genes."""
    a, b, c, d = (shown[name].to_numpy(int) for name in _COUNTS)
    columns = {
        "targets\nwith peak": [f"{x:,}/{x + y:,}" for x, y in zip(a, b, strict=True)],
        "other genes\nwith peak": [f"{x:,}/{x + y:,}" for x, y in zip(c, d, strict=True)],
    }
    for right, (title, texts) in zip(_COLUMNS, columns.items(), strict=True):
        for y, text in enumerate([title, *texts], start=-1):
            ax.annotate(
                text, (1.0, max(y, -0.6)), (points(right), points(0.2) if y < 0 else 0.0),
                xycoords=ax.get_yaxis_transform(), textcoords="offset points", ha="right",
                va="bottom" if y < 0 else "center", fontsize="small", color=DARK,
            )  # fmt: skip
