"""Kinds of numbers that are given as counts: counts, estimates, or transformed counts.

The rule looks at a sample of cells:

- *Counts* are whole numbers, or stand for molecules of which some have the same barcode
  (`undo_collisions`). *Estimates* (shares of ambiguous reads, counts times the labelled
  share, counts corrected for ambient RNA) are not, and have none of the properties below.
- *Logarithms*: the values of a cell, after the logarithm is undone, are whole numbers, multiples of
  one number (`cell_units`), or have the same sum in every cell.
- *Normalised* counts: the values of a cell have the same sum in every cell, or (*scaled*) they are
  multiples of a number that differs between cells.
- *Fractions*: none exceeds 1, and not all are whole.
- *Small* numbers: most are not whole, and none exceeds 20, the size of logarithms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self, TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from ._count_units import (
    LEAST_VALUES,
    SCALES,
    Scale,
    are_whole,
    cell_units,
    invert,
    undo_collisions,
)
from ._counts import Matrix

Bools = NDArray[np.bool_]
Ints = NDArray[np.intp]
Floats = NDArray[np.float64]
Kind: TypeAlias = Literal["logged", "normalised", "fractions", "scaled", "small", "slow", "flat"]

# Logarithms, also those of base 2 of counts per million, do not exceed this.
_LARGEST_LOGARITHM = 20
# Relative difference of sums that are equal but for rounding.
_SUM_TOLERANCE = 1e-4
# Relative difference of a unit from that of counts, or of shared reads: sums of counts that allow
# for collisions of barcodes have units near 1.
_UNIT_TOLERANCE = 1e-2
# Shares of the cells, or of the values, that must have a property. Cells that were divided by one
# number each may fit a logarithm by chance, but few of them; of several batches with counts, one
# may be normalised.
_NEARLY_ALL = 0.95
_MOST = 0.8
_SOME = 0.05
# Numbers of cells and of values below which a share says nothing.
_FEW_CELLS = 5
_FEW_VALUES = 10
_FEW_IN_CELL = 4
# Whole numbers are compared with the inverse of a logarithm up to this size.
_LARGEST_WHOLE = 20
# Library sizes are not normalised to less.
_LEAST_SUM = 100
# Ambiguous reads are divided among less genes than this.
_LARGEST_SHARE = 12


@dataclass(frozen=True)
class Finding:
    """Why numbers are not counts.

    Attributes
    ----------
    kind : {"logged", "normalised", "fractions", "scaled", "small", "slow", "flat"}
        The last two are those of new RNA beside its total (`CountPairs.slow_growth` and
        `CountPairs.flat_growth`).
    reason : str
        What was found, in numbers; the end of a sentence about the layer.
    """

    kind: Kind
    reason: str


@dataclass(frozen=True)
class CountSample:
    """Positive values of some cells, summarised; samples of several groups of cells can be added.

    Attributes
    ----------
    n_cells : int
        Number of cells, empty ones included.
    n_values, n_fractional : int
        Number of positive values, and of those that are not whole and stand for no whole number of
        barcodes.
    least, largest : float
        Smallest and largest positive value; infinity and 0 if there is none.
    least_fractional : float
        The smallest value that is not whole.
    n_whole, n_inverted : ndarray of int of shape (n_scales,)
        Of the fractional values, how many are at most 20 after a scale is undone, and how many of
        these are whole then.
    lengths : ndarray of int of shape (n_filled_cells,)
        Number of positive values of the cells that have any.
    sums, units : ndarray of shape (n_filled_cells, n_scales)
        Sum and unit (`cell_units`) of each of these cells after each scale is undone; NaN for cells
        of whole numbers, unless the scale is that of the counts.
    """

    n_cells: int
    n_values: int
    n_fractional: int
    least: float
    largest: float
    least_fractional: float
    n_whole: NDArray[np.int64]
    n_inverted: NDArray[np.int64]
    lengths: NDArray[np.int64]
    sums: Floats
    units: Floats

    @classmethod
    @np.errstate(over="ignore", invalid="ignore")  # numbers that are no logarithms become infinite
    def from_cells(cls, counts: Matrix) -> Self:
        """Summarise cells (n_cells, n_genes), dense or sparse; negative numbers are left out."""
        rows = sp.csr_array(counts).astype(np.float64)
        is_positive = (rows.data > 0) & (rows.data < np.inf)
        values = rows.data[is_positive]
        cells = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))[is_positive]
        starts = np.flatnonzero(np.diff(cells, prepend=-1))
        counts = undo_collisions(values, starts)
        is_fractional = ~are_whole(counts)
        fractional = counts[is_fractional]
        judged = [_judge(scale, fractional) for scale in SCALES]
        sums, units = _by_scale(counts, starts, is_fractional)
        return cls(
            rows.shape[0],
            values.size,
            fractional.size,
            values.min(initial=np.inf),
            values.max(initial=0.0),
            fractional.min(initial=np.inf),
            np.array([whole for whole, _ in judged]),
            np.array([n for _, n in judged]),
            np.diff([*starts, values.size]).astype(np.int64),
            sums,
            units,
        )

    def __add__(self, other: Self) -> Self:
        return type(self)(
            self.n_cells + other.n_cells,
            self.n_values + other.n_values,
            self.n_fractional + other.n_fractional,
            min(self.least, other.least),
            max(self.largest, other.largest),
            min(self.least_fractional, other.least_fractional),
            self.n_whole + other.n_whole,
            self.n_inverted + other.n_inverted,
            np.concatenate([self.lengths, other.lengths]),
            np.concatenate([self.sums, other.sums]),
            np.concatenate([self.units, other.units]),
        )

    @property
    def fractional_share(self) -> float:
        """Share of the positive values that are not whole; 0 if there is none."""
        return self.n_fractional / max(self.n_values, 1)

    def findings(self) -> list[Finding]:
        """Return everything that speaks against counts, the most certain first."""
        found = [
            _logged(self),
            _equal_sums(self),
            _fractions(self),
            _scaled(self),
            _small(self),
        ]
        return [each for each in found if each is not None]


def _judge(scale: Scale, fractional: Floats) -> tuple[int, int]:
    """Return how many values are whole after a scale is undone, and how many were judged."""
    values = invert(scale, fractional)
    small = values[values <= _LARGEST_WHOLE]
    return int(np.count_nonzero(are_whole(small, 1e-3))), small.size


def _by_scale(values: Floats, starts: Ints, fractional: Bools) -> tuple[Floats, Floats]:
    """Return the sum and the unit of each cell on each scale.

    Whole numbers are no sign of logarithms: cells with as many of them as of other values have NaN
    there. So have cells with few different values: all cells of counts that were divided by one
    rate hold the same values, and if one fits a logarithm by chance, it does so in each of them.
    """
    sums, units = np.full((2, starts.size, len(SCALES)), np.nan)
    if not values.size:
        return sums, units
    sums[:, 0] = np.add.reduceat(values, starts)
    units[:, 0] = cell_units(values, starts, np.ones_like(fractional))
    lengths = np.diff([*starts, values.size])
    judged = np.add.reduceat(fractional, starts, dtype=np.intp) > lengths / 2
    if not judged.any():
        return sums, units
    kept = np.repeat(judged, lengths)
    starts = np.cumsum([0, *lengths[judged]])[:-1]
    for number, scale in enumerate(SCALES[1:], 1):
        inverted = invert(scale, values[kept])
        sums[judged, number] = np.add.reduceat(inverted, starts)
        units[judged, number] = cell_units(inverted, starts, fractional[kept], LEAST_VALUES)
    return sums, units


def _logged(sample: CountSample) -> Finding | None:
    """Return what shows that the values are logarithms."""
    for number, scale in enumerate(SCALES[1:], 1):
        what = f"the {scale.undone} of "
        if _are_inverted_whole(sample, number):
            return Finding("logged", f"{what}nearly all values are whole numbers")
        n_cells, n_judged = _n_with_unit(sample, number)
        if n_cells:
            reason = f"a cell's values are multiples of one number in {n_cells:,} of {n_judged:,}"
            return Finding("logged", f"{what}{reason} cells")
        total = _equal_sum(sample, number) if sample.n_fractional else None
        if total is not None:
            return Finding("logged", f"{what}a cell's values add up to {total:.6g} in every cell")
    return None


def _are_inverted_whole(sample: CountSample, number: int) -> bool:
    """Return whether the fractional values are logarithms of whole numbers plus one."""
    n_inverted = sample.n_inverted[number]
    return bool(
        n_inverted >= _FEW_VALUES
        and sample.n_whole[number] >= _NEARLY_ALL * n_inverted
        # The logarithm of two, which counts divided by a rate below 1 could only exceed.
        and sample.least_fractional < 1
    )


def _n_with_unit(sample: CountSample, number: int) -> tuple[int, int]:
    """Return in how many cells the values have a unit on a scale only, 0 if in too few."""
    units = sample.units[:, number]
    n_judged = int(np.count_nonzero(~np.isnan(units)))
    n_cells = int(np.count_nonzero((units > 0) & ~(sample.units[:, 0] > 0)))
    return _enough(n_cells, n_judged, _MOST), n_judged


def _enough(n_cells: int, n_judged: int, share: float) -> int:
    """Return a number of cells, 0 if it may be due to chance."""
    return n_cells if n_cells >= max(min(_FEW_CELLS, n_judged), share * n_judged) else 0


def _equal_sum(sample: CountSample, number: int, is_whole: bool = False) -> float | None:
    """Return the sum that nearly all cells have after a scale is undone, None if they differ."""
    is_judged = ~np.isnan(sample.sums[:, number])
    sums = sample.sums[is_judged, number]
    # Cells with one value have the same sum if the value is the same, as that of one labelled read.
    lengths = sample.lengths[is_judged]
    several = np.ones_like(sums, bool) if is_whole else lengths > 1
    # Sums of few values agree by chance in few cells.
    are_many = not is_whole and np.count_nonzero(lengths >= _FEW_IN_CELL) > 1
    if several.sum() < _FEW_CELLS and not are_many:
        return None
    middle = float(np.median(sums))
    if not 0.0 < middle < np.inf:
        return None
    is_near = abs(sums - middle) <= _SUM_TOLERANCE * middle
    return middle if min(is_near.mean(), is_near[several].mean()) >= _NEARLY_ALL else None


def _equal_sums(sample: CountSample) -> Finding | None:
    """Return what shows that the cells were normalised to one sum."""
    # Counts can be drawn such that every cell has the same number of them; some are 1 then.
    is_whole = not sample.n_fractional
    total = _equal_sum(sample, 0, is_whole)
    if total is None or (is_whole and (sample.least < 2 or total < _LEAST_SUM)):
        return None
    return Finding("normalised", f"they add up to {total:.6g} in every cell")


def _fractions(sample: CountSample) -> Finding | None:
    """Return what shows that the values are shares."""
    if not sample.n_fractional or sample.largest > 1:
        return None
    return Finding("fractions", "none is above 1")


def _scaled(sample: CountSample) -> Finding | None:
    """Return what shows that each cell was divided by a number of its own."""
    units = sample.units[:, 0]
    n_judged = int(np.count_nonzero(~np.isnan(units)))
    # Reads that are divided among two or three genes have such units.
    inverse = np.divide(1.0, units, where=units > 0, out=np.ones_like(units))
    is_share = (inverse < _LARGEST_SHARE) & (
        abs(inverse - np.rint(inverse)) < _UNIT_TOLERANCE * inverse
    )
    scaled = units[(units > 0) & ~is_share & ~are_whole(units, _UNIT_TOLERANCE)]
    n_cells = _enough(scaled.size, n_judged, _SOME) if sample.n_fractional else 0
    if not n_cells or scaled.max() < scaled.min() * (1 + _SUM_TOLERANCE):
        return None
    return Finding(
        "scaled",
        f"a cell's values are multiples of one number in {n_cells:,} of {n_judged:,} cells, and "
        f"this number differs between cells ({scaled.min():.3g} to {scaled.max():.3g})",
    )


def _small(sample: CountSample) -> Finding | None:
    """Return what makes numbers look like logarithms of estimates."""
    is_small = sample.n_values >= _FEW_VALUES and sample.largest < _LARGEST_LOGARITHM
    if not is_small or sample.fractional_share <= 0.5:
        return None
    return Finding("small", "none exceeds the size of logarithms")
