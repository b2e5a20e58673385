"""Statistics of cells from the second pass, the cell filter, size factors and covariates."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse as sp

from ..preprocessing import (
    Matrix,
    correct_detection,
    rounded_totals,
    size_factors,
    stored_numbers,
    sum_cells,
)
from ._chunks import Bools, Chunk, Floats, submatrix
from ._names import COVARIATES
from ._recipe import Recipe


@dataclass(frozen=True)
class CellCensus:
    """Sums over the kept genes.

    Attributes
    ----------
    umi, rounded, new : ndarray of shape (n_cells,)
        Σ total, Σ round(total) and Σ new of each cell; NaN if the layer holds values.
    new_is_finite, total_is_finite : ndarray of bool of shape (n_kept_genes,)
        Whether a gene is finite in every kept cell.
    """

    umi: Floats
    rounded: Floats
    new: Floats
    new_is_finite: Bools
    total_is_finite: Bools

    @classmethod
    def from_pieces(cls, pieces: Iterable[Self]) -> Self:
        """Join the sums of consecutive chunks."""
        umi, rounded, new, new_is_finite, total_is_finite = zip(
            *((p.umi, p.rounded, p.new, p.new_is_finite, p.total_is_finite) for p in pieces),
            strict=True,
        )
        return cls(
            *map(np.concatenate, (umi, rounded, new)),
            *map(np.logical_and.reduce, (new_is_finite, total_is_finite)),
        )


def measure_cells(
    chunk: Chunk, rate: Floats | None, *, genes: NDArray[np.intp], recipe: Recipe
) -> CellCensus:
    """Sum the kept genes of each cell, and find genes that are not finite.

    Parameters
    ----------
    chunk : Chunk
    rate : ndarray of shape (n_cells,) or None
        Detection rates of new RNA.
    genes : ndarray of int of shape (n_kept_genes,)
        Columns of the kept genes.
    recipe : Recipe

    Returns
    -------
    CellCensus
    """
    all_cells = np.ones(chunk.new.shape[0], dtype=bool)
    new, total = (submatrix(layer, all_cells, genes) for layer in (chunk.new, chunk.total))
    umi = rounded = sums = np.full(new.shape[0], np.nan)
    if recipe.total_is_counts:
        umi, rounded = sum_cells(total), rounded_totals(total)
    if recipe.new_is_counts:
        sums = sum_cells(new if rate is None else correct_detection(new, total, rate))
    keep = _passes_filter(umi, recipe)
    return CellCensus(
        umi,
        rounded,
        sums,
        _finite_genes(new, keep, recipe.new_is_counts),
        _finite_genes(total, keep, recipe.total_is_counts),
    )


def filter_cells(census: CellCensus, n_genes: int, recipe: Recipe) -> Bools:
    """Return which cells have enough total counts over the kept genes.

    Parameters
    ----------
    census : CellCensus
    n_genes : int
        Number of kept genes.
    recipe : Recipe

    Returns
    -------
    ndarray of bool of shape (n_cells,)
        All True if the layer of the regulators holds values.

    Raises
    ------
    ValueError
        If no cell is left.
    """
    keep = _passes_filter(census.umi, recipe)
    if not keep.any():
        raise ValueError(
            f"No cell is left: none of {keep.size} has more than cell_filter_UMI = "
            f"{recipe.cell_filter_umi} counts of layer {recipe.total_layer!r} over the {n_genes} "
            f"kept genes (the best has {census.umi.max():g}). Lower cell_filter_UMI."
        )
    return keep


def cell_table(
    census: CellCensus, keep: Bools, index: pd.Index, unit: float | None
) -> tuple[pd.DataFrame, float]:
    """Compute the size factors and labelling ratios of the kept cells.

    Parameters
    ----------
    census : CellCensus
    keep : ndarray of bool of shape (n_cells,)
    index : Index of shape (n_kept_cells,)
        Names of the kept cells.
    unit : float or None
        Geometric mean that totals are divided by; None for that of these cells.

    Returns
    -------
    cells : DataFrame of n_kept_cells rows
        With the columns of `SciFateInputs.cells`.
    unit : float
        The geometric mean; NaN if the layer of the regulators holds values.
    """
    umi, factor = census.umi[keep], census.rounded[keep]
    if np.isnan(factor).all():
        unit = np.nan
    else:
        factor, unit = size_factors(factor, unit)
    table = pd.DataFrame(
        {"size_factor": factor, "labeling_ratio": census.new[keep] / umi, "total_umi": umi},
        index=index,
    )
    return table, unit


def candidate_covariates(cells: pd.DataFrame) -> dict[str, Floats]:
    """Return the values of all covariates by name, including undefined and constant ones."""
    columns = zip(COVARIATES, ("size_factor", "labeling_ratio"), strict=True)
    return {name: cells[column].to_numpy() for name, column in columns}


def _passes_filter(umi: Floats, recipe: Recipe) -> Bools:
    if not recipe.total_is_counts:
        return np.ones(umi.size, dtype=bool)
    return np.asarray(umi > recipe.cell_filter_umi)


def _finite_genes(values: Matrix, keep: Bools, are_counts: bool) -> Bools:
    """Return which columns are finite in all kept cells."""
    if are_counts:  # `check_counts` has raised if they are not finite
        return np.ones(values.shape[1], dtype=bool)
    values = submatrix(values, keep, np.arange(values.shape[1]))
    with np.errstate(over="ignore"):  # extended precision may exceed float64
        finite = np.isfinite(stored_numbers(values).astype(np.float64, copy=False))
    if isinstance(values, np.ndarray):
        return np.asarray(finite.all(axis=0))
    is_finite = np.ones(values.shape[1], dtype=bool)
    is_finite[sp.csr_array(values).indices[~finite]] = False
    return is_finite
