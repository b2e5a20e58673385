"""Validation of column names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Names: TypeAlias = Sequence[str] | NDArray[np.object_]


def check_names(names: Names | None, size: int, argument: str) -> NDArray[np.object_] | None:
    """Return the names of `size` columns as an array, or None if there are none.

    Raises
    ------
    ValueError
        Unless there is one string for each column, each different from the others.
    """
    if names is None:
        return None
    array = np.asarray(names, object)
    n_strings = len({name for name in array.ravel() if isinstance(name, str)})
    if array.shape != (size,) or n_strings != size:
        raise ValueError(
            f"`{argument}` must be {size} different names, one for each column; got {array.size}, "
            f"of which {n_strings} are distinct strings."
        )
    return array
