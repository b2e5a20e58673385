"""Frequency of links on halves of the cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..resampling import StabilitySelection
from ._fitted import fitted
from ._style import (
    ACTIVATION,
    DARK,
    NEUTRAL,
    REPRESSION,
    area,
    drawing,
    set_title,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# More points than these are one image in vector files.
MOST_SHAPES = 2000


def stability(selection: Any, *, ax: Axes | None = None) -> Axes:
    """Draw the frequency of each link on halves of the cells against |coef|.

    The line is the threshold, and the title states the bound on the expected number of kept links
    that are selected no more often than at random (the sum of ``r_concave`` in ``error_bound_``).

    Parameters
    ----------
    selection : StabilitySelection
        Fitted.
    ax : Axes, default=None
        None makes a new figure.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError, ValueError
        If `selection` is something else or has no links.
    sklearn.exceptions.NotFittedError
        If it is not fitted.
    ImportError
        If matplotlib is not installed.
    """
    ledger = fitted(selection, StabilitySelection, "selection").ledger_
    if not len(ledger):
        raise ValueError("`selection` has no links, so that there is nothing to draw.")
    size = ledger["coef"].abs().to_numpy(float)
    frequency, kept = ledger["frequency"].to_numpy(float), ledger["kept"].to_numpy(bool)
    colours = np.where(~kept, NEUTRAL, np.where(ledger["coef"] > 0, ACTIVATION, REPRESSION))
    with drawing(ax, height=65) as ax:
        many = len(ledger) > MOST_SHAPES
        ax.scatter(size, frequency, s=area(4), c=colours, alpha=0.6, linewidth=0, rasterized=many)
        ax.axhline(selection.threshold, color=DARK, linestyle="--")
        for colour, name in ((ACTIVATION, "activation"), (REPRESSION, "repression")):
            ax.scatter([], [], s=area(12), c=colour, label=f"{name}, kept")
        ax.scatter([], [], s=area(12), c=NEUTRAL, label="dropped")
        ax.set_xscale("log")
        ax.set_ylim(-0.03, 1.05)
        ax.set_xlabel("|coef| in the fit to all cells")
        ax.set_ylabel(f"frequency on {selection.n_resamples} halves of the {selection.resample}")
        bound = float(selection.error_bound_["r_concave"].sum())
        set_title(
            ax,
            f"{int(kept.sum()):,} of {len(ledger):,} links kept (frequency ≥ "
            f"{selection.threshold:g});\nexpected number by chance at most {_short(bound)}",
        )
        ax.legend(loc="lower right")
    return ax


def _short(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"
