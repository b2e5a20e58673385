"""Sums as named arrays, for files, and the checks of what a file holds."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..files import archive
from ._algebra import PartSums
from ._names import check_names
from ._plan import FoldLayout
from ._plausible import are_sums
from ._sums import SUMS, sum_shapes

# The class of the sums to return.
S = TypeVar("S", bound=PartSums)

_KIND = "moments of cells"
_VERSION = 1
_LAYOUT = "layout_"
_NAMES = ("feature_names", "target_names")


def to_state(sums: PartSums) -> dict[str, NDArray[Any]]:
    """Return all fields as arrays of numbers or strings, by name."""
    state = {name: getattr(sums, name) for name in (*SUMS, "x_shift", "y_shift")}
    state |= {f"{_LAYOUT}{name}": array for name, array in sums.layout.to_state().items()}
    for name in _NAMES:
        if getattr(sums, name) is not None:
            state[name] = np.asarray(getattr(sums, name), np.str_)
    return state


def from_state(kind: type[S], state: Mapping[str, NDArray[Any]]) -> S:
    """Return the checked sums that `to_state` was given; see `Moments.from_state`."""
    rest = dict(state)
    try:
        own = {name: rest.pop(name) for name in list(rest) if name.startswith(_LAYOUT)}
        layout = FoldLayout.from_state({n.removeprefix(_LAYOUT): a for n, a in own.items()})
        names = {n: rest.pop(n).astype(object) for n in _NAMES if n in rest}
        sums = kind(**rest, **names, layout=layout)
        _check(sums)
    except (KeyError, TypeError) as error:
        raise ValueError(str(error)) from error
    return sums


def write(path: str | os.PathLike[str], sums: PartSums) -> None:
    """Write sums to a file; see `Moments.save`."""
    archive.write_arrays(path, _KIND, _VERSION, to_state(sums))


def read(kind: type[S], path: str | os.PathLike[str]) -> S:
    """Read sums from a file; see `Moments.load`."""
    state = archive.read_arrays(path, _KIND, _VERSION)
    try:
        return from_state(kind, state)
    except ValueError as error:
        raise ValueError(f"{os.fspath(path)} holds no valid moments: {error}.") from error


def _check(sums: PartSums) -> None:
    """Raise ValueError unless all fields have consistent shapes, types and values."""
    sums.layout.check()
    n_parts, p, q = len(sums.weight), sums.x_shift.size, sums.y_shift.size
    shapes = sum_shapes(n_parts, p, q) | {"x_shift": (p,), "y_shift": (q,)}
    for name, shape in shapes.items():
        array = getattr(sums, name)
        if array.shape != shape or array.dtype != np.float64 or not np.isfinite(array).all():
            raise ValueError(f"{name} is not an array of finite numbers of shape {shape}")
    if (
        sums.layout.training.shape[1] != n_parts
        or min(p, q) == 0
        or (min(sums.weight.min(), sums.n_cells.min()) < 0)
    ):
        raise ValueError("its parts do not match the layout, or it has no columns or no cells")
    if not are_sums(sums):
        raise ValueError("its numbers contradict each other, so they are not sums over cells")
    check_names(sums.feature_names, p, "feature_names")
    check_names(sums.target_names, q, "target_names")
