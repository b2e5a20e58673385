"""Units of counts: the number of which all values of a cell are whole multiples.

Raw counts have the unit 1. Counts that were divided by the cell's library size have another unit in
each cell, and logarithms of counts have one after the logarithm is undone. Estimates, such as the
product of a count and a labelled share, have none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

# Multiples up to this one are compared with whole numbers, within this tolerance: it allows for
# values that were rounded to three digits, and lets a tenth of arbitrary numbers pass.
_LARGEST_MULTIPLE = 20
_TOLERANCE = 0.05
# Values besides the smallest one that a cell needs: if they differ, all of them fit by chance in
# less than one cell of 10⁴.
LEAST_VALUES = 5
# The smallest value of a cell is that many units at most.
_LARGEST_SMALLEST = 4
# Bases of a barcode.
_BARCODE_LENGTHS = range(4, 13)
# Rounding errors of single precision; of larger counts they let other numbers pass.
_PRECISION, _LARGEST_SEEN = 3e-7, 1000
# Share of a cell's numbers that must be such; two layers of them may have been added.
_SOME = 0.2
# Logarithms of numbers above 10⁵⁰ do not occur.
_LARGEST_LOGARITHM = 120.0


@dataclass(frozen=True)
class Scale:
    """A scale on which counts may have been stored.

    Attributes
    ----------
    name : str
        Function of the counts, "" for the counts themselves.
    undone : str
        What its inverse is called in messages.
    invert : callable
        Returns the counts, or multiples of them.
    """

    name: str
    undone: str
    invert: Callable[[Floats], Floats]


SCALES = (
    Scale("", "values", lambda values: values),
    Scale("log(x + 1)", "exponentials minus one", np.expm1),
    Scale("log2(x + 1)", "powers of 2 minus one", lambda values: np.exp2(values) - 1),
    Scale("log10(x + 1)", "powers of 10 minus one", lambda values: np.power(10.0, values) - 1),
)


def are_whole(values: Floats, tolerance: float = 1e-6) -> NDArray[np.bool_]:
    """Return which positive numbers are whole up to a relative tolerance; none below one half."""
    nearest = np.rint(values)
    allowed = np.minimum(tolerance * np.maximum(values, 1), 0.01)
    return np.asarray((nearest >= 1) & (abs(values - nearest) <= allowed))


def undo_collisions(values: Floats, starts: Ints) -> Floats:
    """Return the counts behind numbers that allow for molecules with the same barcode (UMI).

    c of K barcodes seen stand for n = −K log(1 − c/K) molecules (Grün et al., *Nature Methods*
    2014), K = 4⁴ to 4¹² for barcodes of 4 to 12 bases. In cells in which K(1 − exp(−n/K)) is whole
    for a fifth of the numbers that are not, it replaces these. They are all numbers of the cell,
    unless two layers were added.

    Parameters
    ----------
    values : ndarray of shape (n_values,)
        Positive values of the cells, one cell after the other.
    starts : ndarray of int of shape (n_cells,)
        Position of the first value of each cell; no cell is empty.

    Returns
    -------
    ndarray of shape (n_values,)
    """
    counts = values.copy()
    if not values.size:
        return counts
    cells = np.repeat(np.arange(starts.size), np.diff([*starts, values.size]))
    for length in _BARCODE_LENGTHS:
        places = np.flatnonzero(~are_whole(counts))
        n_barcodes = 4.0**length
        seen = -n_barcodes * np.expm1(-counts[places] / n_barcodes)
        fits = are_whole(seen, _PRECISION) & (seen < min(n_barcodes, _LARGEST_SEEN) - 0.5)
        n_fractional, n_fitting = (
            np.bincount(cells[each], minlength=starts.size) for each in (places, places[fits])
        )
        fits &= (n_fitting >= _SOME * n_fractional)[cells[places]]
        counts[places[fits]] = np.rint(seen[fits])
    return counts


def invert(scale: Scale, values: Floats) -> Floats:
    """Return counts or multiples of them, infinite for values that are no logarithms."""
    if not scale.name:
        return values
    return np.where(values > _LARGEST_LOGARITHM, np.inf, scale.invert(values))


def cell_units(
    values: Floats, starts: Ints, counted: NDArray[np.bool_], n_different: int = 1
) -> Floats:
    """Return the largest number of which the values of a cell are multiples.

    Parameters
    ----------
    values : ndarray of shape (n_values,)
        Positive values of the cells, one cell after the other.
    starts : ndarray of int of shape (n_cells,)
        Position of the first value of each cell; no cell is empty.
    counted : ndarray of bool of shape (n_values,)
        Values of which a cell needs five. All values that are compared must be multiples.
    n_different : int, default=1
        How many different multiples these five or more must be. Equal values agree with each other
        by nature, and with a multiple by chance.

    Returns
    -------
    ndarray of shape (n_cells,)
        0 for cells without a unit, NaN for cells with too few values.
    """
    lengths = np.diff([*starts, values.size])
    least = np.minimum.reduceat(values, starts)
    ratios = values / np.repeat(least, lengths)
    units = np.full(starts.size, np.nan)
    for smallest in range(_LARGEST_SMALLEST, 0, -1):
        multiples = ratios * smallest
        is_judged = (ratios > 1 + _TOLERANCE) & (multiples <= _LARGEST_MULTIPLE)
        off = is_judged & (abs(multiples - np.rint(multiples)) > _TOLERANCE)
        enough = np.add.reduceat(is_judged & counted, starts, dtype=np.intp) >= LEAST_VALUES
        if n_different > 1:
            enough &= _n_different(multiples, is_judged & counted, starts) >= n_different
        fits = enough & ~np.logical_or.reduceat(off, starts)
        units = np.where(fits, least / smallest, np.where(enough & np.isnan(units), 0.0, units))
    return units


def _n_different(multiples: Floats, is_counted: NDArray[np.bool_], starts: Ints) -> Ints:
    """Return how many different whole numbers are nearest to the counted values of a cell."""
    nearest = np.rint(np.where(is_counted, multiples, 0)).astype(np.int64)
    found = np.bitwise_or.reduceat(np.left_shift(1, nearest), starts)
    return np.sum([found >> each & 1 for each in range(1, _LARGEST_MULTIPLE + 1)], axis=0)
