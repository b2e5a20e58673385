"""Filters, size factors, logarithms and z-scores of counts.

All functions take cells in rows and genes in columns, as a dense array or as CSR/CSC. They compute
in float64 and never modify their arguments. The formulas are those of the sci-fate pipeline (Cao et
al., Nature Biotechnology 2020; R package monocle for the size factors).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

Sparse: TypeAlias = (
    "sp.csr_array[Any] | sp.csc_array[Any] | sp.csr_matrix[Any] | sp.csc_matrix[Any]"
)
Matrix: TypeAlias = "NDArray[Any] | Sparse"

PSEUDOCOUNT = 0.1
"""Added to each size-corrected count before the logarithm, in counts."""

LARGEST_COUNT = 1e100
"""Upper bound of a count; sums of such counts, and sums of those, stay finite in float64."""

# Variation below this share of the largest absolute value of a column is rounding noise.
_CONSTANT = 1e-12
# Numbers below 2 to this power have squares that can be summed in double precision.
_EXTREME_EXPONENT = 300


@dataclass(frozen=True)
class CountFaults:
    """Numbers in a matrix that cannot be counts.

    The faults of several chunks of cells can be added.

    Attributes
    ----------
    n_not_finite, n_negative : int
        Number of entries that are NaN or infinite, and number of entries below zero.
    smallest, largest : float
        The smallest negative entry and the largest entry; 0 if there is none.
    """

    n_not_finite: int
    n_negative: int
    smallest: float
    largest: float

    @classmethod
    def from_counts(cls, counts: Matrix) -> Self:
        """Return the faults of counts (n_cells, n_genes), dense or sparse."""
        stored = stored_numbers(counts)
        negative = stored[stored < 0]
        return cls(
            int(np.count_nonzero(~np.isfinite(stored))),
            int(negative.size),
            float(negative.min(initial=0)),
            float(np.fmax.reduce(stored, axis=None, initial=0)),
        )

    def __add__(self, other: Self) -> Self:
        return type(self)(
            self.n_not_finite + other.n_not_finite,
            self.n_negative + other.n_negative,
            min(self.smallest, other.smallest),
            max(self.largest, other.largest),
        )

    def check(self, name: str, kind: str = "response") -> None:
        """Raise if there is a fault.

        Parameters
        ----------
        name : str
            Name of the counts in the error message, such as ``layer 'new'``.
        kind : str, default="response"
            The argument that says what they are; empty if there is none.

        Raises
        ------
        ValueError
            If a number is NaN, infinite, negative or above `LARGEST_COUNT`.
        """
        if self.n_not_finite:
            raise ValueError(
                f"{name} has {self.n_not_finite} NaN or infinite value(s). Remove those cells "
                "or genes, or replace the values."
            )
        as_values = f", or `{kind}='values'`" if kind else ""
        if self.n_negative:
            raise ValueError(
                f"{name} has {self.n_negative} negative value(s), the smallest "
                f"{self.smallest:g}, so it does not hold counts. Pass raw counts, neither logged "
                f"nor scaled{as_values and f'{as_values} for numbers such as velocities or rates'}."
            )
        if self.largest > LARGEST_COUNT:
            raise ValueError(
                f"{name} has values up to {self.largest:g}, too large to be counts; their sums "
                f"would overflow. Pass raw counts{as_values}."
            )


def check_real(values: Matrix, name: str) -> None:
    """Raise if `values` are not real numbers.

    Parameters
    ----------
    values : {ndarray, sparse} of shape (n_cells, n_genes)
        Counts or values.
    name : str
        Their name in the error message, such as ``layer 'new'``.

    Raises
    ------
    TypeError
        If they are complex numbers, text, booleans or objects.
    """
    if values.dtype.kind not in "iuf":
        raise TypeError(f"{name} must hold real numbers, found dtype {values.dtype}.")


def count_positive(counts: Matrix) -> NDArray[np.int64]:
    """Return the number of cells in which each gene is positive.

    Parameters
    ----------
    counts : {ndarray, sparse} of shape (n_cells, n_genes)
        Stored zeros are not positive.

    Returns
    -------
    ndarray of shape (n_genes,)
        Number of cells.
    """
    return np.asarray((counts > 0).sum(axis=0), dtype=np.int64).ravel()


def sum_cells(counts: Matrix) -> NDArray[np.float64]:
    """Return the sum of each cell over its genes.

    Parameters
    ----------
    counts : {ndarray, sparse} of shape (n_cells, n_genes)
        Counts.

    Returns
    -------
    ndarray of shape (n_cells,)
        Sums, accumulated in float64 for any dtype of `counts`.
    """
    if isinstance(counts, np.ndarray):
        return np.asarray(counts.sum(axis=1, dtype=np.float64))
    # A sparse float32 matrix would sum in float32 and lose counts beyond 2**24.
    return np.asarray(counts @ np.ones(counts.shape[1]), dtype=np.float64)


def correct_detection(new: Matrix, total: Matrix, rate: NDArray[np.float64]) -> Matrix:
    """Return ``min(new / rate, total)``: new counts corrected for new RNA without a label.

    Parameters
    ----------
    new, total : {ndarray, sparse} of shape (n_cells, n_genes)
        Counts; sparse matrices without duplicate entries.
    rate : ndarray of shape (n_cells,)
        Share of the new RNA of each cell that is recognised as new, in (0, 1].

    Returns
    -------
    {ndarray, csr_array} of shape (n_cells, n_genes)
        In float64; sparse if `new` is.

    Notes
    -----
    The correction of grandR and of dynamo's ``lambda_correction``.
    """
    if isinstance(new, np.ndarray):
        return np.minimum(to_dense(new) / rate[:, None], to_dense(total))
    rows = sp.csr_array(new)
    data = rows.data / np.repeat(rate, np.diff(rows.indptr))
    most = sp.csr_array(total).astype(np.float64)
    corrected = sp.csr_array((data, rows.indices, rows.indptr), rows.shape).minimum(most)
    return sp.csr_array(corrected)


def select_genes(
    n_positive: Sequence[NDArray[np.int64]], n_cells: int, rate: float
) -> NDArray[np.bool_]:
    """Select the genes that are positive in more than ``rate * n_cells`` cells of every layer.

    Parameters
    ----------
    n_positive : sequence of ndarray of shape (n_genes,)
        Number of cells in which each gene is positive (`count_positive`), for one or more layers.
    n_cells : int
        Number of cells in which the genes were counted.
    rate : float
        Fraction of the cells; a kept gene is positive in more than this.

    Returns
    -------
    ndarray of bool of shape (n_genes,)
        True for the genes to keep.
    """
    kept: NDArray[np.bool_] = np.all([count > rate * n_cells for count in n_positive], axis=0)
    return kept


def rounded_totals(total: Matrix) -> NDArray[np.float64]:
    """Return the sum of each cell's rounded counts, t_c = Σ_g round(total_cg).

    Parameters
    ----------
    total : {ndarray, sparse} of shape (n_cells, n_genes)
        Total counts of the genes that passed the gene filter.

    Returns
    -------
    ndarray of shape (n_cells,)
        Sums; halves are rounded to even, as in R.
    """
    # Integers first become float64: rint turns bytes into float16, which SciPy cannot sum.
    exact = total.astype(np.float64)
    return sum_cells(np.rint(exact) if isinstance(exact, np.ndarray) else exact.rint())


def size_factors(
    totals: NDArray[np.float64], unit: float | None = None
) -> tuple[NDArray[np.float64], float]:
    """Return the size factor of each cell, s_c = t_c / exp(mean log t).

    Parameters
    ----------
    totals : ndarray of shape (n_cells,)
        Rounded totals (`rounded_totals`) after both filters.
    unit : float, default=None
        Geometric mean of the totals of other cells, used instead of that of these cells.

    Returns
    -------
    factors : ndarray of shape (n_cells,)
        Their geometric mean is 1 if no `unit` is given.
    unit : float
        The geometric mean that the totals were divided by.

    Raises
    ------
    ValueError
        If the rounded counts of a cell sum to zero, because zero has no logarithm.

    Notes
    -----
    monocle's ``estimateSizeFactors(method = "mean-geometric-mean-total", round_exprs = TRUE)``.
    """
    n_empty = int(np.count_nonzero(totals <= 0))
    if n_empty:
        raise ValueError(
            f"{n_empty} of {totals.size} cell(s) have no total counts left after rounding, "
            "so their size factor is undefined. Raise `cell_filter_UMI` to remove empty cells, and "
            "pass raw counts."
        )
    unit = float(np.exp(np.log(totals).mean())) if unit is None else unit
    return np.asarray(totals / unit), unit


def log_normalize(counts: Matrix, size_factor: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``log(counts / size_factor + 0.1)``, dense.

    Parameters
    ----------
    counts : {ndarray, sparse} of shape (n_cells, n_genes)
        New or total counts. Select genes and cells first, because the result is dense.
    size_factor : ndarray of shape (n_cells,)
        Positive size factors.

    Returns
    -------
    ndarray of shape (n_cells, n_genes)
        Natural logarithms.
    """
    logs = to_dense(counts)
    logs /= size_factor[:, None]
    logs += PSEUDOCOUNT
    return np.log(logs, out=logs)


def log_above_zero(counts: Matrix, size_factor: NDArray[np.float64]) -> Matrix:
    """Return ``log(counts / size_factor + 0.1) - log(0.1)``, which is 0 where the count is 0.

    Parameters
    ----------
    counts : {ndarray, sparse} of shape (n_cells, n_genes)
        New or total counts; sparse matrices without duplicate entries.
    size_factor : ndarray of shape (n_cells,)
        Positive size factors.

    Returns
    -------
    {ndarray, csr_array} of shape (n_cells, n_genes)
        Sparse if `counts` are. The result differs from that of `log_normalize` by a constant, so
        z-scores, coefficients and penalties are the same.
    """
    if isinstance(counts, np.ndarray):
        return np.log1p(counts / (PSEUDOCOUNT * size_factor[:, None]))
    rows = sp.csr_array(counts)
    factor = np.repeat(PSEUDOCOUNT * size_factor, np.diff(rows.indptr))
    return sp.csr_array((np.log1p(rows.data / factor), rows.indices, rows.indptr), rows.shape)


def zscore(values: NDArray[Any]) -> NDArray[np.float64]:
    """Return ``(values - mean) / sd`` of each column, with the sample sd (ddof 1).

    Parameters
    ----------
    values : ndarray of shape (n_cells, n_columns) or (n_cells,)
        Finite numbers.

    Returns
    -------
    ndarray of the shape of `values`
        Columns of mean 0 and sd 1. A constant column (`is_constant`) becomes all zeros.
    """
    values = _near_one(values)
    constant = is_constant(values)
    scaled: NDArray[np.float64] = values - values.mean(axis=0, dtype=np.float64)
    # With one cell, all columns are constant; max avoids a division by zero.
    sd = np.sqrt(np.einsum("i...,i...->...", scaled, scaled) / max(len(values) - 1, 1))
    scaled /= np.where(constant, 1.0, sd)
    scaled[..., constant] = 0.0
    return scaled


def is_constant(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which columns are constant up to rounding.

    Parameters
    ----------
    values : ndarray of shape (n_cells, n_columns) or (n_cells,)
        Finite numbers, at least one row.

    Returns
    -------
    ndarray of bool of shape (n_columns,) or ()
        True where max - min ≤ 10⁻¹² · max|value|.
    """
    values = _near_one(values)
    highest, lowest = values.max(axis=0), values.min(axis=0)
    return np.asarray(highest - lowest <= _CONSTANT * np.maximum(abs(highest), abs(lowest)))


def _near_one(values: NDArray[Any]) -> NDArray[Any]:
    """Rescale columns of extreme magnitude by a power of two.

    The scaling is exact and does not change z-scores. Sums and squares of the result are finite in
    double precision.
    """
    exponent = np.frexp(np.maximum(abs(values.max(axis=0)), abs(values.min(axis=0))))[1]
    is_extreme = abs(exponent) > _EXTREME_EXPONENT
    if not is_extreme.any():
        return values
    return np.asarray(np.ldexp(values, np.where(is_extreme, -exponent, 0)))


def to_dense(values: Matrix) -> NDArray[np.float64]:
    """Return a copy of `values` as a dense float64 array.

    Parameters
    ----------
    values : {ndarray, sparse} of shape (n_cells, n_genes)
        Never modified.

    Returns
    -------
    ndarray of shape (n_cells, n_genes)
        A copy even if `values` is already such an array.
    """
    # Conversion before `toarray` allocates the dense matrix only once.
    # Extended-precision numbers beyond float64 become infinite, which callers check for.
    with np.errstate(over="ignore"):
        copied = values.astype(np.float64)
    return copied if isinstance(copied, np.ndarray) else copied.toarray()


def stored_numbers(values: Matrix) -> NDArray[Any]:
    """Return all numbers of a dense array, or the stored numbers of a sparse matrix.

    Parameters
    ----------
    values : {ndarray, sparse} of shape (n_cells, n_genes)

    Returns
    -------
    ndarray
        A view, not a copy.
    """
    return values if isinstance(values, np.ndarray) else values.data
