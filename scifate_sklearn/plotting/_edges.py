"""Arrows of a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ._layout import Floats, border
from ._style import ACTIVATION, REPRESSION, points, require

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# In units of the size of the text.
_THINNEST, _THICKEST, _HEAD, _ASIDE = 0.06, 0.32, 0.55, 0.25


def draw_edges(ax: Axes, place: Floats, half: Floats, ends: NDArray[np.intp], coef: Floats) -> None:
    """Draw an arrow for each link, with a head for activation and a bar for repression.

    Parameters
    ----------
    ax : Axes
        One unit of its axes is one point.
    place, half : ndarray of shape (n_nodes, 2)
        Centres and half sizes of the nodes.
    ends : ndarray of int of shape (n_edges, 2)
        Source and target of each link.
    coef : ndarray of shape (n_edges,)
    """
    collections = require("matplotlib.collections")
    strength = np.abs(coef) / np.abs(coef).max()
    width = points(1.0) * (_THINNEST + (_THICKEST - _THINNEST) * strength)
    aside = _aside(place, ends)
    start, centre = place[ends[:, 0]] + aside, place[ends[:, 1]] + aside
    tip = border(start, centre, half[ends[:, 1]])
    along = tip - start
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    across = along[:, ::-1] * [-1, 1]
    head = (points(_HEAD) * (0.5 + 0.5 * strength))[:, None]
    neck = tip - along * head
    for is_own, colour in ((coef > 0, ACTIVATION), (coef <= 0, REPRESSION)):
        end = neck if colour == ACTIVATION else tip
        lines = np.stack([start, end], axis=1)[is_own]
        ax.add_collection(
            collections.LineCollection(
                lines, colors=colour, linewidths=width[is_own], alpha=0.75, zorder=1
            )
        )
    side = across * head * 0.5
    wide = across * head * 0.7
    heads = np.stack([tip, neck + side, neck - side], axis=1)[coef > 0]
    bars = np.stack([tip + wide, tip - wide], axis=1)[coef <= 0]
    thick = (width + points(0.1))[coef <= 0]
    ax.add_collection(
        collections.PolyCollection(heads, facecolors=ACTIVATION, linewidths=0, zorder=2)
    )
    ax.add_collection(
        collections.LineCollection(bars, colors=REPRESSION, linewidths=thick, zorder=2)
    )


def _aside(place: Floats, ends: NDArray[np.intp]) -> Floats:
    """Return shifts (n_edges, 2) that keep the two arrows between a pair of TFs apart."""
    pairs = {(int(source), int(target)) for source, target in ends}
    has_reverse = np.array([(int(t), int(s)) in pairs for s, t in ends])
    along = place[ends[:, 1]] - place[ends[:, 0]]
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    across: Floats = along[:, ::-1] * [-1.0, 1.0]
    return across * points(_ASIDE) * has_reverse[:, None]
