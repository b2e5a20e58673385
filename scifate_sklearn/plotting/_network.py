"""Network of TFs and targets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ._chosen_links import choose
from ._edges import draw_edges
from ._fitted import checked_links
from ._layout import Floats, into_frame, spring_layout, without_overlaps
from ._names import as_label
from ._style import (
    ACTIVATION,
    COLUMN_MM,
    DARK,
    NEUTRAL,
    REPRESSION,
    check_count,
    drawing,
    legend_below,
    points,
    require,
    set_title,
    settle,
    sized,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Text

_TWO_COLUMNS_MM = 180.0
# Of one column; of the picture, if its targets are named; and for which places are computed.
_MOST_IN_COLUMN, _MOST_NAMED, _MOST_NODES = 40, 150, 5000
_CENTRE = "#F0E442"


def network(
    links: pd.DataFrame,
    *,
    around: str | None = None,
    top: int | None = 5,
    tfs: int | None = 30,
    only_tfs: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Draw TFs, their targets, and the links between them.

    Arrows with a head (vermilion) are activation, those with a bar (blue) repression; the larger
    |coef|, the wider they are. TFs have their name in a frame. Targets have their name if the
    picture has at most 150 genes, and are dots otherwise. The title tells which links are drawn,
    and what is left out. Links of genes with themselves are not drawn.

    Parameters
    ----------
    links : DataFrame
        A links table, with at least ``TF``, ``target`` and ``coef``.
    around : str, default=None
        Draw this gene only, with its targets and its regulators. None draws the network.
    top : int or None, default=5
        Largest number of links of each TF, those with the largest |coef|; with `around`, of the
        regulators and of the targets. None means all.
    tfs : int or None, default=30
        Largest number of TFs whose links are drawn, those with the largest sum of |coef|; not used
        with `around`. None means all.
    only_tfs : bool, default=False
        Draw only links from TFs to TFs.
    ax : Axes, default=None
        None makes a new figure: as wide as one column for at most 40 genes, otherwise as two
        (180 mm). Places are computed for the size that the Axes have now.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError, ValueError
        If `links` is not a links table, an option is invalid, no link is left to draw, or so many
        that no place can be computed.
    ImportError
        If matplotlib is not installed.
    """
    check_count("top", top)
    check_count("tfs", tfs)
    table = checked_links(links, "network")
    chosen = choose(table, around, top, tfs, only_tfs)
    genes = pd.unique(chosen.links[["TF", "target"]].to_numpy(object).ravel())
    if len(genes) > _MOST_NODES:
        raise ValueError(
            f"`links` leave {len(genes):,} genes to draw, more than {_MOST_NODES:,}. Lower `top` "
            "or `tfs`, or draw the genes `around` one."
        )
    is_tf = pd.Index(genes).isin(table["TF"])
    width = COLUMN_MM if len(genes) <= _MOST_IN_COLUMN else _TWO_COLUMNS_MM
    with drawing(ax, height=0.85 * width + 10, width=width) as ax:
        size = _prepare(ax, f"{chosen.what}\n{chosen.left_out}".strip(), chosen.links["coef"])
        is_named = is_tf | (len(genes) <= _MOST_NAMED)
        texts = _name_nodes(ax, genes, is_tf, is_named, around)
        half = _half_sizes(texts, len(genes))
        ends = np.stack(
            [pd.Index(genes).get_indexer(chosen.links[side]) for side in ("TF", "target")], axis=1
        )
        # Around TFs is room for arrows.
        room = half + points(1.6) * is_tf[:, None]
        place = into_frame(spring_layout(len(genes), ends, size), half, size)
        for boxes, n_rounds in ((room, 150), (half, 1000)):
            place = without_overlaps(place, boxes, is_named, size, n_rounds)
        for node, text in texts.items():
            text.set_position(place[node])
        x, y = place[~is_named].T
        ax.scatter(x, y, s=points(0.5) ** 2, color=NEUTRAL, linewidth=0, zorder=3)
        draw_edges(ax, place, half, ends, chosen.links["coef"].to_numpy(float))
    return ax


def _prepare(ax: Axes, title: str, coefs: pd.Series[float]) -> Floats:
    """Draw all that surrounds the network; return the size of the Axes in points."""
    lines = require("matplotlib.lines").Line2D
    largest = float(coefs.abs().max())
    handles = [
        lines([], [], color=ACTIVATION, label="activation →"),
        lines([], [], color=REPRESSION, label="repression ⊣"),
    ]
    names = f"width: |coef|, {float(coefs.abs().min()):.2g} to {largest:.2g}"
    handles.append(lines([], [], color=DARK, linewidth=0, label=names))
    set_title(ax, title)
    legend_below(ax, 0.3, handles=handles, ncols=3)
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(False)
    size = np.array(settle(ax))
    # One unit is one point, so that sizes of text and places can be compared.
    ax.set_xlim(0, size[0])
    ax.set_ylim(0, size[1])
    return size


def _name_nodes(
    ax: Axes,
    genes: NDArray[np.object_],
    is_tf: NDArray[np.bool_],
    is_named: NDArray[np.bool_],
    around: str | None,
) -> dict[int, Text]:
    """Return the texts of the nodes that have a name, by node; their places are not final."""
    texts = {}
    for node in np.flatnonzero(is_named):
        frame: dict[str, Any] = {"boxstyle": "round,pad=0.2", "facecolor": "white", "linewidth": 0}
        if is_tf[node]:
            frame |= {"edgecolor": DARK, "linewidth": sized(0.6)}
        if genes[node] == around:
            frame |= {"facecolor": _CENTRE}
        texts[int(node)] = ax.text(
            0, 0, as_label(genes[node], longest=14), ha="center", va="center", bbox=frame, zorder=4,
            fontsize="medium" if is_tf[node] else "small", color="black" if is_tf[node] else DARK,
        )  # fmt: skip
    return texts


def _half_sizes(texts: dict[int, Text], n: int) -> Floats:
    """Return half of the width and height of each node in points, with some space around it."""
    half = np.full((n, 2), points(0.4))
    for node, text in texts.items():
        extent = text.get_window_extent()
        half[node] = np.array([extent.width, extent.height]) * 36.0 / text.figure.dpi + points(0.4)
    return half
