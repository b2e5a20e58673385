"""Statistics of genes from the first pass over the cells, and the gene filter."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..names import examples
from ..preprocessing import CountFaults, count_positive, select_genes
from ._chunks import Bools, Chunk, Floats
from ._guards import Samples, check_samples
from ._recipe import Recipe


@dataclass(frozen=True)
class GeneCensus:
    """Sums over cells; those of several chunks can be added.

    Attributes
    ----------
    n_new, n_total : ndarray of int of shape (n_genes,)
        Number of cells in which each gene is positive.
    magnitude : ndarray of shape (n_shared,)
        Σ|total| of the genes that share a name with another gene.
    faults : (CountFaults or None, CountFaults or None)
        Faults of both layers; None for a layer of values.
    samples : Samples
        Sampled cells of both layers.
    """

    n_new: NDArray[np.int64]
    n_total: NDArray[np.int64]
    magnitude: Floats
    faults: tuple[CountFaults | None, CountFaults | None]
    samples: Samples

    def __add__(self, other: Self) -> Self:
        pairs = zip(self.faults, other.faults, strict=True)
        one, two = (a + b if a is not None and b is not None else None for a, b in pairs)
        return type(self)(
            self.n_new + other.n_new,
            self.n_total + other.n_total,
            self.magnitude + other.magnitude,
            (one, two),
            self.samples + other.samples,
        )


def count_genes(
    chunk: Chunk, sampled: NDArray[np.intp], *, shared: NDArray[np.intp], recipe: Recipe
) -> GeneCensus:
    """Count the cells in which each gene is positive, and the faults of the counts.

    Parameters
    ----------
    chunk : Chunk
    sampled : ndarray of int
        Cells of the chunk that are looked at more closely (`Samples`).
    shared : ndarray of int of shape (n_shared,)
        Columns of the genes that share a name with another gene.
    recipe : Recipe

    Returns
    -------
    GeneCensus
    """
    magnitudes: Any = abs(chunk.total[:, shared].astype(np.float64))
    return GeneCensus(
        count_positive(chunk.new),
        count_positive(chunk.total),
        np.asarray(magnitudes.sum(axis=0), np.float64).ravel(),
        (
            CountFaults.from_counts(chunk.new) if recipe.new_is_counts else None,
            CountFaults.from_counts(chunk.total) if recipe.total_is_counts else None,
        ),
        Samples.from_chunk(chunk, sampled, recipe),
    )


def check_counts(census: GeneCensus, recipe: Recipe) -> None:
    """Raise ValueError, or warn, if a layer of counts holds other numbers."""
    kinds = recipe.arguments.kinds
    for layer, kind, faults in zip(recipe.nt_layers, kinds, census.faults, strict=True):
        if faults is not None:
            faults.check(f"layer {layer!r}", kind)
    check_samples(census.samples, recipe)


def gene_table(names: NDArray[np.object_], is_tf: Bools, census: GeneCensus) -> pd.DataFrame:
    """Return the table of all genes, with the columns of `SciFateInputs.genes`."""
    return pd.DataFrame(
        {
            "n_cells_new": census.n_new,
            "n_cells_total": census.n_total,
            "is_tf": is_tf,
            "position": np.arange(names.size),
        },
        index=pd.Index(names, name="gene"),
    )


def filter_genes(genes: pd.DataFrame, recipe: Recipe, n_cells: int) -> pd.DataFrame:
    """Keep the genes that are positive in enough cells of each layer of counts.

    Parameters
    ----------
    genes : DataFrame of n_genes rows
        From `gene_table`.
    recipe : Recipe
    n_cells : int
        Number of cells before any filter.

    Returns
    -------
    DataFrame
        The kept rows.

    Raises
    ------
    ValueError
        If no gene or no TF is left.
    """
    kinds = {"n_cells_new": recipe.new_is_counts, "n_cells_total": recipe.total_is_counts}
    counted = [genes[column].to_numpy() for column, is_counts in kinds.items() if is_counts]
    if not counted:
        return genes
    rate = recipe.gene_filter_rate
    keep = select_genes(counted, n_cells, rate)
    all_genes = np.ones(len(genes), dtype=bool)
    for what, candidates in (("gene", all_genes), ("TF", genes["is_tf"].to_numpy())):
        if not (keep & candidates).any():
            best = np.minimum.reduce(counted)[candidates].max()
            raise ValueError(
                f"No {what} is left: none of {np.count_nonzero(candidates)} has counts in more "
                f"than gene_filter_rate x cells = {rate} x {n_cells} cells (the best has them in "
                f"{best}). Lower gene_filter_rate, or check {recipe.arguments.layers}: "
                f"{examples(dict.fromkeys(recipe.nt_layers))}."
            )
    return genes[keep]
