"""Places of the nodes of a network: forces, then boxes that do not overlap."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_MOST_ROUNDS, _PAIRS_IN_ALL = 300, 1e8
_GRAVITY = 0.05


def spring_layout(n: int, ends: NDArray[np.intp], size: Floats) -> Floats:
    """Return places (n, 2) of nodes in a box, linked ones near each other.

    The forces are those of Fruchterman and Reingold (1991), attraction d² / k and repulsion k² / d,
    with a pull to the middle, which keeps separate parts together. The same input always has the
    same result.

    Parameters
    ----------
    n : int
        Number of nodes.
    ends : ndarray of int of shape (n_edges, 2)
    size : ndarray of shape (2,)
        Width and height of the box.
    """
    rng = np.random.default_rng(0)
    place = rng.uniform(0.25, 0.75, (n, 2)) * size
    k = 0.8 * float(np.sqrt(size.prod() / max(n, 1)))
    n_rounds = int(np.clip(_PAIRS_IN_ALL / max(n, 1) ** 2, 50, _MOST_ROUNDS))
    source, target = ends.T
    for heat in np.linspace(0.15, 0.002, n_rounds) * float(size.max()):
        length = (place**2).sum(axis=1)
        square = length[:, None] + length[None, :] - 2.0 * (place @ place.T)
        push = k * k / np.maximum(square, 1e-4 * k * k)
        force = place * push.sum(axis=1, keepdims=True) - push @ place
        along = place[target] - place[source]
        pull = along * (np.linalg.norm(along, axis=1, keepdims=True) / k)
        np.add.at(force, source, pull)
        np.add.at(force, target, -pull)
        force -= _GRAVITY * n**0.5 * (place - size / 2)
        size_of = np.maximum(np.linalg.norm(force, axis=1, keepdims=True), 1e-9)
        place += force / size_of * np.minimum(size_of, heat)
    return place


def into_frame(place: Floats, half: Floats, size: Floats) -> Floats:
    """Return places stretched to fill a box, with the boxes (half sizes) of all nodes inside."""
    low, high = place.min(axis=0), place.max(axis=0)
    margin = half.max(axis=0)
    share = (place - low) / np.maximum(high - low, 1e-9)
    single = high - low < 1e-9
    share[:, single] = 0.5
    return margin + share * np.maximum(size - 2 * margin, 0.0)


def without_overlaps(
    place: Floats, half: Floats, is_named: NDArray[np.bool_], size: Floats, n_rounds: int
) -> Floats:
    """Return places moved until no box with a name overlaps another box, if there is room.

    Two boxes that overlap are moved apart along the axis of the smaller overlap, the smaller box
    farther than the larger one. Boxes stay in the frame.

    Parameters
    ----------
    place, half : ndarray of shape (n, 2)
        Centres and half sizes of the boxes.
    is_named : ndarray of bool of shape (n,)
        Boxes without a name may overlap each other.
    size : ndarray of shape (2,)
        Of the frame.
    n_rounds : int
        Largest number of moves of each box.
    """
    place = place + np.random.default_rng(0).normal(scale=1e-3, size=place.shape)
    weight = half.prod(axis=1)
    named, every = np.flatnonzero(is_named), np.arange(len(place))
    # Each pair once.
    is_pair = ~is_named[None, :] | (named[:, None] < every[None, :])
    reach = half[named, None] + half[None, :]
    for _ in range(n_rounds):
        overlap = reach - np.abs(place[named, None] - place[None, :])
        row, second = np.nonzero((overlap > 0).all(axis=2) & is_pair)
        if not len(row):
            break
        first, depth = named[row], overlap[row, second]
        axis = depth.argmin(axis=1)
        sign = np.where(place[first, axis] < place[second, axis], -1.0, 1.0)
        move = 0.6 * sign * (depth[np.arange(len(row)), axis] + 0.01)
        share = weight[second] / (weight[first] + weight[second])
        np.add.at(place, (first, axis), move * share)
        np.add.at(place, (second, axis), -move * (1 - share))
        place = np.clip(place, half, np.maximum(size - half, half))
    return place


def border(start: Floats, end: Floats, half: Floats) -> Floats:
    """Return where lines from `start` to the centres `end` of boxes enter the boxes."""
    along = start - end
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.min(np.where(along != 0, half / np.abs(along), np.inf), axis=1, keepdims=True)
    return end + along * np.minimum(share, 1.0)
