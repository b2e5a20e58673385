"""Names beside points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ._style import (
    DARK,
    NEUTRAL,
    require,
    settle,
    sized,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# A limit of the time would make pictures depend on the machine.
_ROUNDS = 300


def name_points(
    ax: Axes, x: Sequence[float], y: Sequence[float], texts: Sequence[str], others: list[Any]
) -> None:
    """Write a text beside each point, away from each other and from other points.

    Parameters
    ----------
    ax : Axes
        Its limits are final.
    x, y : sequence of float
    texts : sequence of str
        Escaped for matplotlib.
    others : list of two array-like of shape (n,)
        Further points to keep free.
    """
    if not len(texts):
        return
    adjust_text = require("adjustText").adjust_text
    drawn = [
        ax.text(left, low, text, fontsize="x-small", color=DARK)
        for left, low, text in zip(x, y, texts, strict=True)
    ]
    settle(ax)
    adjust_text(
        drawn, *others, target_x=list(x), target_y=list(y), ax=ax, iter_lim=_ROUNDS,
        arrowprops={"arrowstyle": "-", "color": NEUTRAL, "linewidth": sized(0.4)},
    )  # fmt: skip
