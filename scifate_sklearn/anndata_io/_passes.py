"""The three passes over the cells: genes, then cells, then matrices or moments."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from itertools import pairwise
from operator import add
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse as sp

from ..moments import FoldPlan
from ..names import examples
from ..preprocessing import Matrix, correct_detection, log_above_zero, log_normalize, to_dense
from ._cells import CellCensus, candidate_covariates, cell_table, filter_cells, measure_cells
from ._choices import Choices
from ._chunks import Bools, Chunk, Design, Floats, PerChunk, split, submatrix
from ._covariates import Covariates
from ._detection import check_rates, rates_per_chunk
from ._genes import GeneCensus, check_counts, count_genes, gene_table
from ._guards import sample_rows
from ._inputs import SciFateMoments
from ._names import match_tfs, shared_names
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
    covariates : Covariates
        Further predictors of the kept cells.
    unit : float
        Geometric mean that size factors are relative to.
    """

    source: Source
    masks: list[Bools]
    cells: pd.DataFrame
    genes: pd.DataFrame
    columns: Columns
    covariates: Covariates
    unit: float

    @property
    def mask(self) -> Bools:
        """Whether each cell of the source is kept."""
        return np.concatenate(self.masks)

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
    def per_chunk(self) -> list[PerChunk]:
        """Which cells of each chunk are kept, their size factors and their detection rates."""
        rates = self.source.rates
        kept_rates = None if rates is None else rates[self.mask]
        factors = split(self.size_factor, self.bounds)
        return [self.masks, factors, rates_per_chunk(kept_rates, self.bounds)]

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
        As `survey_genes`. Also if no gene or no TF is left.
    """
    (genes,) = survey_genes(source, choices, np.zeros(source.n_cells, np.intp))
    return choices.choose_genes(genes, source.recipe, source.n_cells)


def survey_genes(source: Source, choices: Choices, codes: NDArray[np.intp]) -> list[pd.DataFrame]:
    """Count the cells of each gene in the first pass, in each group of cells.

    Parameters
    ----------
    source : Source
    choices : Choices
    codes : ndarray of int of shape (n_cells,)
        Group of each cell, from 0; -1 for none.

    Returns
    -------
    list of DataFrame
        For each group the genes with unique names, as `SciFateInputs.genes`, before any filter. Of
        genes that share a name, all groups have the same one.

    Raises
    ------
    TypeError, ValueError
        If TF names are invalid or none matches, or a layer of counts holds other numbers.
    """
    names, recipe = source.gene_names, source.recipe
    is_tf = match_tfs(choices.tf_names, names)
    shared = shared_names(names)
    count = partial(count_genes, shared=shared, recipe=recipe)
    by_group = source.chunks.total(
        partial(_count_groups, n_groups=codes.max() + 1, count=count),
        split(codes, source.chunks.bounds),
        sample_rows(source.chunks.bounds),
    )
    census = reduce(add, by_group.groups)
    check_counts(census, recipe)
    is_kept = choices.keep_columns(names, shared, census.magnitude, recipe.total_layer)
    return [gene_table(names, is_tf, each)[is_kept] for each in by_group.groups]


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
    (census,) = survey_cells(source, [genes], np.zeros(source.n_cells, np.intp))
    return keep_cells(source, genes, choices, census, np.ones(source.n_cells, bool))


def survey_cells(
    source: Source, genes: Sequence[pd.DataFrame], codes: NDArray[np.intp]
) -> list[CellCensus]:
    """Sum the kept genes of each cell in the second pass, for the cells of each group.

    Parameters
    ----------
    source : Source
    genes : sequence of DataFrame
        The kept genes of each group.
    codes : ndarray of int of shape (n_cells,)
        Group of each cell, from 0; -1 for none.

    Returns
    -------
    list of CellCensus
    """
    columns = [own["position"].to_numpy() for own in genes]
    bounds = source.chunks.bounds
    pieces = source.chunks.map(
        partial(_measure_groups, columns=columns, recipe=source.recipe),
        split(codes, bounds),
        rates_per_chunk(source.rates, bounds),
    )
    return [CellCensus.from_pieces(own) for own in zip(*pieces, strict=True)]


def keep_cells(
    source: Source, genes: pd.DataFrame, choices: Choices, census: CellCensus, members: Bools
) -> Kept:
    """Choose cells and targets, given the sums of the cells; see `choose_cells`.

    Parameters
    ----------
    source : Source
    genes : DataFrame
        The kept genes.
    choices : Choices
    census : CellCensus
        Of the members.
    members : ndarray of bool of shape (n_cells,)
        The cells to choose from.

    Returns
    -------
    Kept
    """
    recipe, keep = source.recipe, np.zeros(source.n_cells, bool)
    passing = filter_cells(census, len(genes), recipe)
    keep[members] = passing
    check_rates(source.rates, keep, source.cell_names, recipe.detection_rate)
    cells, unit = cell_table(census, passing, source.cell_names[keep], choices.unit)
    logger.info(
        "kept %d of %d genes, %d of them TFs, and %d of %d cells",
        *(len(genes), source.gene_names.size, genes["is_tf"].sum(), len(cells), passing.size),
    )
    return Kept(
        source,
        split(keep, source.chunks.bounds),
        cells,
        genes,
        _choose_columns(genes, census, choices, recipe),
        choices.choose_covariates(candidate_covariates(cells), source.obs[keep]),
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
    made = kept.source.chunks.map(make, *kept.per_chunk)
    for rows, (x, y) in zip(bounds, made, strict=True):
        tfs[rows], targets[rows] = x, y
    return tfs, targets


def kept_moments(kept: Kept, plan: FoldPlan) -> SciFateMoments:
    """Sum predictors and targets in the third pass, without a matrix of all cells.

    Parameters
    ----------
    kept : Kept
    plan : FoldPlan
        Folds of the kept cells.

    Returns
    -------
    SciFateMoments
        The sums are those of logarithms (up to a constant) or values, not z-scored. Predictors are
        the TFs and the covariates.
    """
    sums = kept.source.chunks.moments(_design(kept), plan)
    return SciFateMoments.from_logs(
        sums, kept.cells, kept.genes, kept.unit, kept.covariates.from_obs
    )


def iterate_matrices(kept: Kept) -> Iterator[tuple[Matrix, Matrix]]:
    """Yield predictors and targets of the kept cells of each chunk, as `kept_moments` sums them."""
    design = _design(kept)
    yield from kept.source.chunks.map(design.make, *design.arguments)


@dataclass(frozen=True)
class _GeneCensuses:
    """Counts of the genes in each group of cells; those of several chunks can be added."""

    groups: list[GeneCensus]

    def __add__(self, other: "_GeneCensuses") -> "_GeneCensuses":
        return _GeneCensuses([a + b for a, b in zip(self.groups, other.groups, strict=True)])


def _count_groups(
    chunk: Chunk,
    codes: NDArray[np.intp],
    sampled: NDArray[np.intp],
    *,
    n_groups: int,
    count: Callable[[Chunk, NDArray[np.intp]], GeneCensus],
) -> _GeneCensuses:
    members = [codes == group for group in range(n_groups)]
    return _GeneCensuses(
        [
            count(_rows(chunk, own), np.flatnonzero(np.isin(np.flatnonzero(own), sampled)))
            for own in members
        ]
    )


def _measure_groups(
    chunk: Chunk,
    codes: NDArray[np.intp],
    rate: Floats | None,
    *,
    columns: Sequence[NDArray[np.intp]],
    recipe: Recipe,
) -> list[CellCensus]:
    members = [codes == group for group in range(len(columns))]
    return [
        measure_cells(
            _rows(chunk, own), None if rate is None else rate[own], genes=genes, recipe=recipe
        )
        for own, genes in zip(members, columns, strict=True)
    ]


def _rows(chunk: Chunk, rows: Bools) -> Chunk:
    return chunk if rows.all() else Chunk(chunk.new[rows], chunk.total[rows])


def _design(kept: Kept) -> Design:
    """Return predictors (TFs and covariates) and targets, to be computed from chunks."""
    bounds, predictors = kept.bounds, kept.covariates.predictors
    # Most levels are those of other cells.
    columns = [sp.csc_array(values.astype(float)[:, None]) for values in predictors.values()]
    covariates = sp.hstack([sp.csc_array((len(kept.cells), 0)), *columns], format="csr")
    return Design(
        partial(_lean_matrices, columns=kept.columns, recipe=kept.source.recipe),
        [*kept.per_chunk, [covariates[rows] for rows in bounds]],
        bounds,
        [*kept.tf_names, *predictors],
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
    chunk: Chunk,
    keep: Bools,
    size_factor: Floats,
    rate: Floats | None,
    *,
    columns: Columns,
    recipe: Recipe,
) -> tuple[Floats, Floats]:
    """Return TFs and targets of the kept cells of a chunk, dense."""
    tfs, targets = _select(chunk, keep, columns, rate)
    return (
        log_normalize(tfs, size_factor) if recipe.total_is_counts else to_dense(tfs),
        log_normalize(targets, size_factor) if recipe.new_is_counts else to_dense(targets),
    )


def _lean_matrices(
    chunk: Chunk,
    keep: Bools,
    size_factor: Floats,
    rate: Floats | None,
    covariates: "sp.csr_array[Any]",
    *,
    columns: Columns,
    recipe: Recipe,
) -> tuple[Matrix, Matrix]:
    """Return predictors and targets of the kept cells of a chunk, sparse if the layers are.

    Logarithms differ from those of `_dense_matrices` by a constant.
    """
    tfs, targets = _select(chunk, keep, columns, rate)
    if recipe.total_is_counts:
        tfs = log_above_zero(tfs, size_factor)
    if recipe.new_is_counts:
        targets = log_above_zero(targets, size_factor)
    if isinstance(tfs, np.ndarray):
        return np.hstack([tfs, covariates.toarray()]), targets
    return sp.hstack([tfs, covariates], format="csr"), targets


def _select(
    chunk: Chunk, keep: Bools, columns: Columns, rate: Floats | None
) -> tuple[Matrix, Matrix]:
    """Return the TFs and targets of the kept cells."""
    targets = submatrix(chunk.new, keep, columns.targets)
    if rate is not None:
        targets = correct_detection(targets, submatrix(chunk.total, keep, columns.targets), rate)
    return submatrix(chunk.total, keep, columns.tfs), targets
