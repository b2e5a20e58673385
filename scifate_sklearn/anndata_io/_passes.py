"""What is learned of the cells in each pass over them, a chunk at a time."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse as sp

from ..preprocessing import (
    CountFaults,
    Matrix,
    count_positive,
    log_above_zero,
    log_normalize,
    rounded_totals,
    stored_numbers,
    sum_cells,
    to_dense,
)
from ._chunks import Cells

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class GeneCensus:
    """First pass: sums over cells.

    Attributes
    ----------
    n_new, n_total : ndarray of int of shape (n_genes,)
        In how many cells each gene is positive.
    magnitude : ndarray of shape (n_shared,)
        Σ|total| of the genes that share a name.
    faults : (CountFaults or None, CountFaults or None)
        Of both layers; None for values.
    """

    n_new: NDArray[np.int64]
    n_total: NDArray[np.int64]
    magnitude: Floats
    faults: tuple[CountFaults | None, CountFaults | None]

    def __add__(self, other: Self) -> Self:
        pairs = zip(self.faults, other.faults, strict=True)
        one, two = (a + b if a is not None and b is not None else None for a, b in pairs)
        return type(self)(
            self.n_new + other.n_new,
            self.n_total + other.n_total,
            self.magnitude + other.magnitude,
            (one, two),
        )


def count_genes(cells: Cells, shared: NDArray[np.intp]) -> GeneCensus:
    """Count in how many cells each gene is positive, and what is wrong with the counts.

    Parameters
    ----------
    cells : Cells
    shared : ndarray of int
        Columns of the genes that share a name.
    """
    magnitudes: Any = abs(cells.total[:, shared].astype(np.float64))
    return GeneCensus(
        count_positive(cells.new),
        count_positive(cells.total),
        np.asarray(magnitudes.sum(axis=0), np.float64).ravel(),
        (
            CountFaults.from_counts(cells.new) if cells.new_is_counts else None,
            CountFaults.from_counts(cells.total) if cells.total_is_counts else None,
        ),
    )


@dataclass(frozen=True)
class CellCensus:
    """Second pass: sums over the kept genes.

    Attributes
    ----------
    umi, rounded, new : ndarray of shape (n_cells,)
        Σ total, Σ round(total) and Σ new of each cell; NaN where a layer holds values.
    new_is_finite, total_is_finite : ndarray of bool of shape (n_kept,)
        Whether a kept gene is finite in all cells that are kept.
    """

    umi: Floats
    rounded: Floats
    new: Floats
    new_is_finite: Bools
    total_is_finite: Bools


def measure_cells(cells: Cells, genes: NDArray[np.intp], least: float) -> CellCensus:
    """Sum each cell over the kept genes, and look for values that are not finite.

    Parameters
    ----------
    cells : Cells
    genes : ndarray of int of shape (n_kept,)
        Columns of the kept ones.
    least : float
        Total counts that a kept cell exceeds.
    """
    everyone = np.ones(cells.new.shape[0], dtype=bool)
    new, total = (_part(layer, everyone, genes) for layer in (cells.new, cells.total))
    umi = rounded = sums = np.full(new.shape[0], np.nan)
    kept = everyone
    if cells.total_is_counts:
        umi, rounded = sum_cells(total), rounded_totals(total)
        kept = umi > least
    if cells.new_is_counts:
        sums = sum_cells(new)
    new_is_finite = _finite_genes(new, kept, cells.new_is_counts)
    return CellCensus(
        umi, rounded, sums, new_is_finite, _finite_genes(total, kept, cells.total_is_counts)
    )


def _finite_genes(values: Matrix, kept: Bools, are_counts: bool) -> Bools:
    """Return which columns are finite in all kept cells; of counts the first pass saw to it."""
    if are_counts:
        return np.ones(values.shape[1], dtype=bool)
    values = _part(values, kept, np.arange(values.shape[1]))
    with np.errstate(over="ignore"):  # of what is too large for double precision
        finite = np.isfinite(stored_numbers(values).astype(np.float64, copy=False))
    if isinstance(values, np.ndarray):
        return np.asarray(finite.all(axis=0))
    is_finite = np.ones(values.shape[1], dtype=bool)
    is_finite[sp.csr_array(values).indices[~finite]] = False
    return is_finite


def _part(matrix: Matrix, rows: Bools, columns: NDArray[np.intp]) -> Matrix:
    """Return ``matrix[rows][:, columns]``, not as a copy where that is all."""
    if not rows.all():
        matrix = matrix[rows]
    is_all = np.array_equal(columns, np.arange(matrix.shape[1]))
    return matrix if is_all else matrix[:, columns]


@dataclass(frozen=True)
class Columns:
    """Which columns of the layers become targets and TFs."""

    targets: NDArray[np.intp]
    tfs: NDArray[np.intp]


def dense_matrices(
    cells: Cells, keep: Bools, size_factor: Floats, columns: Columns
) -> tuple[Floats, Floats]:
    """Third pass, for matrices: TFs and targets of the kept cells, logged but not yet z-scored.

    Parameters
    ----------
    cells : Cells
    keep : ndarray of bool of shape (n_cells,)
    size_factor : ndarray of shape (n_kept,)
    columns : Columns
    """
    tfs, targets = _part(cells.total, keep, columns.tfs), _part(cells.new, keep, columns.targets)
    return (
        log_normalize(tfs, size_factor) if cells.total_is_counts else to_dense(tfs),
        log_normalize(targets, size_factor) if cells.new_is_counts else to_dense(targets),
    )


def lean_matrices(
    cells: Cells, keep: Bools, size_factor: Floats, covariates: Floats, columns: Columns
) -> tuple[Matrix, Matrix]:
    """Third pass, for moments: the same up to constants, sparse where the layers are.

    Parameters
    ----------
    cells : Cells
    keep : ndarray of bool of shape (n_cells,)
    size_factor : ndarray of shape (n_kept,)
    covariates : ndarray of shape (n_kept, n_covariates)
        Further predictors.
    columns : Columns
    """
    tfs, targets = _part(cells.total, keep, columns.tfs), _part(cells.new, keep, columns.targets)
    if cells.total_is_counts:
        tfs = log_above_zero(tfs, size_factor)
    if cells.new_is_counts:
        targets = log_above_zero(targets, size_factor)
    if isinstance(tfs, np.ndarray):
        return np.hstack([tfs, covariates]), targets
    return sp.hstack([tfs, sp.csr_array(covariates)], format="csr"), targets
