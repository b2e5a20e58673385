"""Rows of a table of names: how many are used, why others are not, and where they are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

# Name of an index that holds the line of each row in its file.
LINE = "line"
_N_PLACES = 3


@dataclass(frozen=True)
class RowUse:
    """Use of the rows of a file or table.

    Attributes
    ----------
    n_rows : int
        Number of rows: of a table without its header, of gene sets the number of their genes.
    unused : mapping of str to int
        Number of rows that are not used, by reason.
    notes : tuple of str
        Changes of names, such as a removed ``(human)``.
    """

    n_rows: int
    unused: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def n_used(self) -> int:
        """Number of rows that are used."""
        return self.n_rows - sum(self.unused.values())

    def without(self, reason: str, n_rows: int) -> "RowUse":
        """Return the use of the rows if `n_rows` more are not used."""
        if not n_rows:
            return self
        return RowUse(
            self.n_rows, {**self.unused, reason: self.unused.get(reason, 0) + n_rows}, self.notes
        )

    def __str__(self) -> str:
        reasons = ", ".join(f"{reason}: {count:,}" for reason, count in self.unused.items())
        return f"{self.n_used:,} of {self.n_rows:,} rows used" + (
            f" ({reasons})" if reasons else ""
        )


def places(index: "pd.Index[Any]", is_there: NDArray[np.bool_]) -> str:
    """Return the first rows to which a condition applies, such as ``"lines 3, 5 and 2 more"``.

    Parameters
    ----------
    index : Index of shape (n_rows,)
        Lines of a file if it is called ``"line"``; otherwise rows are counted from 0.
    is_there : ndarray of bool of shape (n_rows,)
    """
    rows = np.flatnonzero(is_there)
    kind = LINE if index.name == LINE else "row"
    numbers = index.to_numpy()[rows] if index.name == LINE else rows
    numbers = np.unique(numbers)
    shown = ", ".join(f"{number:,}" for number in numbers[:_N_PLACES])
    hidden = len(numbers) - _N_PLACES
    plural = "s" if len(numbers) > 1 else ""
    return f"{kind}{plural} {shown}" + (f" and {hidden:,} more" if hidden > 0 else "")
