"""Overlap and agreement of two networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..networks import LinkComparison, compare_links
from ._fitted import checked_links
from ._names import as_label
from ._scatter_labels import name_points
from ._stability import MOST_SHAPES
from ._style import (
    ACTIVATION,
    DARK,
    HIGHLIGHT,
    NEUTRAL,
    REPRESSION,
    area,
    check_count,
    drawing,
    sized,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PAIR = ["TF", "target"]


def compare(
    networks: Mapping[str, pd.DataFrame], *, top: int | None = 5, ax: Axes | None = None
) -> Axes:
    """Draw the overlap of two networks, and the coefficients of the links of both.

    The bar on top has the links of the first network only, of both, and of the second only. The
    points are the links of both; those on the diagonal have the same coefficient, those in the grey
    quadrants opposite signs.

    Parameters
    ----------
    networks : mapping of str to DataFrame
        Two links tables by their names.
    top : int or None, default=5
        Number of links that are named: those whose coefficients differ most. None names all.
    ax : Axes, default=None
        None makes a new figure.

    Returns
    -------
    Axes
        The bar is in its ``child_axes``.

    Raises
    ------
    TypeError, ValueError
        If `networks` are not two links tables with links, or `top` is not a number above 0.
    ImportError
        If matplotlib or adjustText is not installed.

    See Also
    --------
    scifate_sklearn.compare_links : The same as numbers.
    """
    check_count("top", top)
    names, tables = _two_networks(networks)
    result = compare_links(*tables)
    first, second = (table.set_index(_PAIR)["coef"] for table in tables)
    both = pd.concat([first, second], axis=1, join="inner", keys=["x", "y"]).sort_index()
    with drawing(ax, height=92) as ax:
        _draw_points(ax, both, names)
        _draw_overlap(ax, result, names)
        differs = (both["x"] - both["y"]).abs().sort_values(ascending=False, kind="stable")
        named = both.loc[differs.index[:top]]
        texts = [f"{as_label(tf)} → {as_label(target)}" for tf, target in named.index]
        name_points(ax, list(named["x"]), list(named["y"]), texts, [both["x"], both["y"]])
    return ax


def _two_networks(networks: object) -> tuple[list[str], list[pd.DataFrame]]:
    if not isinstance(networks, Mapping) or len(networks) != 2:
        found = f"{len(networks)}" if isinstance(networks, Mapping) else type(networks).__name__
        raise TypeError(
            "`networks` must be two links tables by their names, such as {'control': links, "
            f"'treated': other_links}}; got {found}."
        )
    names = [as_label(name) for name in networks]
    return names, [checked_links(table, f"compare ({name})") for name, table in networks.items()]


def _draw_points(ax: Axes, both: pd.DataFrame, names: list[str]) -> None:
    limit = 1.1 * float(both.abs().max().max()) if len(both) else 1.0
    for x, y in ((-limit, 0.0), (0.0, -limit)):
        ax.fill_between([x, x + limit], y, y + limit, color=NEUTRAL, alpha=0.15, linewidth=0)
    ax.plot([-limit, limit], [-limit, limit], color=NEUTRAL, linewidth=sized(0.6), zorder=1)
    agrees = np.sign(both["x"]) == np.sign(both["y"])
    colours = np.where(agrees, np.where(both["x"] > 0, ACTIVATION, REPRESSION), DARK)
    many = len(both) > MOST_SHAPES
    ax.scatter(both["x"], both["y"], s=area(5), c=colours, alpha=0.7, linewidth=0, rasterized=many)
    ax.set_xlim(-limit, limit)
    ax.set_ylim(-limit, limit)
    ax.set_box_aspect(1)
    ax.set_xlabel(f"coefficient in {names[0]}")
    ax.set_ylabel(f"coefficient in {names[1]}")


def _draw_overlap(ax: Axes, result: LinkComparison, names: list[str]) -> None:
    bar = ax.inset_axes((0.0, 1.04, 1.0, 0.05))
    parts = {
        f"only {names[0]}": (result.n_a - result.n_common, NEUTRAL),
        "both": (result.n_common, HIGHLIGHT),
        f"only {names[1]}": (result.n_b - result.n_common, "#C9C9C9"),
    }
    start, total = 0, result.n_a + result.n_b - result.n_common
    for place, (name, (count, colour)) in zip((0.0, 0.5, 1.0), parts.items(), strict=True):
        bar.barh(0, count, left=start, color=colour, height=1.0, linewidth=0)
        bar.text(
            place, 1.15, f"{name}\n{count:,}", transform=bar.transAxes, va="bottom",
            ha={0.0: "left", 0.5: "center", 1.0: "right"}[place], fontsize="small",
        )  # fmt: skip
        start += count
    bar.set_xlim(0, total)
    bar.axis("off")
    agreement = "no link in both"
    if result.n_common:
        agreement = f"links of both:\nsame sign {result.sign_agreement:.1%}"
    if np.isfinite(result.spearman):
        agreement += f"\nrank correlation {result.spearman:.2f}"
    ax.text(
        0.03, 0.97, f"Jaccard {result.jaccard:.2f}\n{agreement}",
        transform=ax.transAxes, va="top",
    )  # fmt: skip
