"""The three passes over the cells: genes, then cells, then matrices or moments."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse as sp

from ..moments import FoldPlan, Moments
from ..names import examples
from ..preprocessing import Matrix, log_above_zero, log_normalize, to_dense
from ._cells import CellCensus, candidate_covariates, cell_table, filter_cells, measure_cells
from ._choices import Choices
from ._chunks import Bools, Chunk, Design, Floats, split, submatrix
from ._genes import check_counts, count_genes, gene_table
from ._guards import sample_rows
from ._names import keep_one_of_each, match_tfs, shared_names
from ._recipe import Recipe
from ._source import Source

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Columns:
    """Columns of the layers that become targets and TFs."""

    targets: NDArray[np.intp]
    tfs: NDArray[np.intp]


@dataclass(frozen=True)
class Kept:
    """Cells and genes that are kept after the first two passes.

    Attributes
    ----------
    source : Source
    masks : list of ndarray of bool
        Whether each cell of a chunk is kept, for each chunk.
    cells, genes : DataFrame
        The kept cells and genes, as in `SciFateInputs`.
    columns : Columns
        Columns of the targets and TFs in the layers.
    covariates : dict of ndarray of shape (n_kept_cells,)
        Further predictors, by name.
    unit : float
        Geometric mean that size factors are relative to.
    """

    source: Source
    masks: list[Bools]
    cells: pd.DataFrame
    genes: pd.DataFrame
    columns: Columns
    covariates: dict[str, Floats]
    unit: float

    @property
    def bounds(self) -> list[slice]:
        """Position of the kept cells of each chunk among all kept cells."""
        edges = np.cumsum([0, *map(np.count_nonzero, self.masks)]).tolist()
        return [slice(start, stop) for start, stop in pairwise(edges)]

    @property
    def size_factor(self) -> Floats:
        """Size factors of the kept cells; 1 if they are undefined."""
        return np.asarray(self.cells["size_factor"].fillna(1.0).to_numpy())

    @property
    def tf_names(self) -> pd.Index:
        """Names of the TFs."""
        return self.genes.index[self.genes["position"].isin(self.columns.tfs)]

    @property
    def target_names(self) -> pd.Index:
        """Names of the targets."""
        return self.genes.index[self.genes["position"].isin(self.columns.targets)]


def choose_genes(source: Source, choices: Choices) -> pd.DataFrame:
    """Count the cells of each gene in the first pass, and choose the genes to keep.

    Parameters
    ----------
    source : Source
    choices : Choices

    Returns
    -------
    DataFrame of n_kept_genes rows
        As `SciFateInputs.genes`, with unique names.

    Raises
    ------
    TypeError, ValueError
        If TF names are invalid or none matches, a layer of counts holds other numbers, or no gene
        or no TF is left.
    """
    names, recipe = source.gene_names, source.recipe
    is_tf = match_tfs(choices.tf_names, names)
    shared = shared_names(names)
    count = partial(count_genes, shared=shared, recipe=recipe)
    census = source.chunks.total(count, sample_rows(source.chunks.bounds))
    check_counts(census, recipe)
    is_kept = keep_one_of_each(names, shared, census.magnitude, recipe.total_layer)
    genes = gene_table(names, is_tf, census)[is_kept]
    return choices.choose_genes(genes, recipe, source.n_cells)


def choose_cells(source: Source, genes: pd.DataFrame, choices: Choices) -> Kept:
    """Sum the kept genes of each cell in the second pass, and choose cells and targets.

    Parameters
    ----------
    source : Source
    genes : DataFrame
        From `choose_genes`.
    choices : Choices

    Returns
    -------
    Kept

    Raises
    ------
    ValueError
        If no cell or no target is left, a size factor is undefined, or required values are not
        finite.
    """
    recipe = source.recipe
    measure = partial(measure_cells, genes=genes["position"].to_numpy(), recipe=recipe)
    census = CellCensus.from_pieces(source.chunks.map(measure))
    keep = filter_cells(census, len(genes), recipe)
    cells, unit = cell_table(census, keep, source.cell_names[keep], choices.unit)
    logger.info(
        "kept %d of %d genes, %d of them TFs, and %d of %d cells",
        *(len(genes), source.gene_names.size, genes["is_tf"].sum(), len(cells), keep.size),
    )
    return Kept(
        source,
        split(keep, source.chunks.bounds),
        cells,
        genes,
        _choose_columns(genes, census, choices, recipe),
        choices.choose_covariates(candidate_covariates(cells)),
        unit,
    )


def read_matrices(kept: Kept) -> tuple[Floats, Floats]:
    """Read TFs and targets in the third pass, as dense matrices.

    Parameters
    ----------
    kept : Kept

    Returns
    -------
    tfs, targets : ndarray of shape (n_kept_cells, n_tfs), (n_kept_cells, n_targets)
        Logarithms, or values; not z-scored.
    """
    n_cells, columns = len(kept.cells), kept.columns
    tfs, targets = (np.empty((n_cells, len(own))) for own in (columns.tfs, columns.targets))
    bounds = kept.bounds
    make = partial(_dense_matrices, columns=columns, recipe=kept.source.recipe)
    factors = split(kept.size_factor, bounds)
    made = kept.source.chunks.map(make, kept.masks, factors)
    for rows, (x, y) in zip(bounds, made, strict=True):
        tfs[rows], targets[rows] = x, y
    return tfs, targets


def sum_moments(kept: Kept, plan: FoldPlan) -> Moments:
    """Sum predictors and targets in the third pass, without a matrix of all cells.

    Parameters
    ----------
    kept : Kept
    plan : FoldPlan
        Folds of the kept cells.

    Returns
    -------
    Moments
        Of logarithms (up to a constant) or values, not z-scored. Predictors are the TFs and the
        covariates.
    """
    return kept.source.chunks.moments(_design(kept), plan)


def iterate_matrices(kept: Kept) -> Iterator[tuple[Matrix, Matrix]]:
    """Yield predictors and targets of the kept cells of each chunk, as `sum_moments` sums them."""
    design = _design(kept)
    yield from kept.source.chunks.map(design.make, *design.arguments)


def _design(kept: Kept) -> Design:
    """Return predictors (TFs and covariates) and targets, to be computed from chunks."""
    bounds, n_cells = kept.bounds, len(kept.cells)
    covariates = np.column_stack([np.empty((n_cells, 0)), *kept.covariates.values()])
    return Design(
        partial(_lean_matrices, columns=kept.columns, recipe=kept.source.recipe),
        [kept.masks, split(kept.size_factor, bounds), split(covariates, bounds)],
        bounds,
        [*kept.tf_names, *kept.covariates],
        list(kept.target_names),
    )


def _choose_columns(
    genes: pd.DataFrame, census: CellCensus, choices: Choices, recipe: Recipe
) -> Columns:
    """Return the columns of targets and TFs, or raise ValueError if a TF is not finite."""
    is_tf, position = genes["is_tf"].to_numpy(), genes["position"].to_numpy()
    bad = genes.index[is_tf & ~census.total_is_finite]
    if len(bad):
        raise ValueError(
            f"layer {recipe.total_layer!r} has NaN or infinite values for {len(bad)} of the TFs "
            f"({examples(bad)}). Remove them from `tf_names`, or replace the values."
        )
    is_target = choices.choose_targets(genes.index, census.new_is_finite, recipe.new_layer)
    return Columns(targets=position[is_target], tfs=position[is_tf])


def _dense_matrices(
    chunk: Chunk, keep: Bools, size_factor: Floats, *, columns: Columns, recipe: Recipe
) -> tuple[Floats, Floats]:
    """Return TFs and targets of the kept cells of a chunk, dense."""
    tfs, targets = _select(chunk, keep, columns)
    return (
        log_normalize(tfs, size_factor) if recipe.total_is_counts else to_dense(tfs),
        log_normalize(targets, size_factor) if recipe.new_is_counts else to_dense(targets),
    )


def _lean_matrices(
    chunk: Chunk,
    keep: Bools,
    size_factor: Floats,
    covariates: Floats,
    *,
    columns: Columns,
    recipe: Recipe,
) -> tuple[Matrix, Matrix]:
    """Return predictors and targets of the kept cells of a chunk, sparse if the layers are.

    Logarithms differ from those of `_dense_matrices` by a constant.
    """
    tfs, targets = _select(chunk, keep, columns)
    if recipe.total_is_counts:
        tfs = log_above_zero(tfs, size_factor)
    if recipe.new_is_counts:
        targets = log_above_zero(targets, size_factor)
    if isinstance(tfs, np.ndarray):
        return np.hstack([tfs, covariates]), targets
    return sp.hstack([tfs, sp.csr_array(covariates)], format="csr"), targets


def _select(chunk: Chunk, keep: Bools, columns: Columns) -> tuple[Matrix, Matrix]:
    """Return the TFs and targets of the kept cells."""
    return submatrix(chunk.total, keep, columns.tfs), submatrix(chunk.new, keep, columns.targets)
