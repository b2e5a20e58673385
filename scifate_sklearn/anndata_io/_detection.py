"""Detection rates of new RNA: read, checked, and passed to the chunks of cells."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ._chunks import Bools, Floats, PerChunk, split
from ._obs import check_cells, number_column


def read_rates(obs: pd.DataFrame, rate: float | str | None) -> Floats | None:
    """Return the detection rate of each cell, None without one; NaN where it is missing.

    Raises
    ------
    TypeError
        If the column does not hold numbers.
    ValueError
        If there is no such column.
    """
    if rate is None:
        return None
    if not isinstance(rate, str):
        return np.full(len(obs), float(rate))
    return number_column(obs, rate, "detection_rate")


def check_rates(rates: Floats | None, keep: Bools, cells: pd.Index, name: object) -> None:
    """Raise ValueError if the rate of a kept cell is missing, or not a share."""
    if rates is not None:
        check_cells(
            ~_are_valid(rates[keep]),
            cells[keep],
            f"`detection_rate`: {name!r} is missing, or not above 0 and at most 1,",
            "Give the share of new RNA that is recognised as new.",
        )


def rates_per_chunk(rates: Floats | None, bounds: Sequence[slice]) -> PerChunk:
    """Return the rates of the cells of each chunk, or None for each."""
    if rates is None:
        return [None] * len(bounds)
    # Those of cells that are not kept may be invalid, and are not used.
    return split(np.where(_are_valid(rates), rates, 1.0), bounds)


def _are_valid(rates: Floats) -> Bools:
    return (rates > 0) & (rates <= 1)
