"""Further passes over cells whose moments have been prepared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from ..moments import Matrix, dense
from ._choices import make_choices
from ._chunks import Bools, Floats
from ._find import choose_layers
from ._inputs import SciFateMoments
from ._names import GeneSymbols
from ._passes import Kept, choose_cells, choose_genes, iterate_matrices
from ._recipe import Recipe
from ._source import Source

if TYPE_CHECKING:
    from anndata import AnnData


@dataclass(frozen=True)
class KeptCells:
    """Kept cells and their moments, returned by `prepare_cells`.

    An iteration yields X and Y as `iterate_cells` does. Each reads the cells again, in one pass.

    Attributes
    ----------
    kept : Kept
    prepared : SciFateMoments
        Their moments, possibly with those of other batches.
    """

    kept: Kept
    prepared: SciFateMoments

    @property
    def mask(self) -> Bools:
        """Whether each cell of `adata` is kept."""
        return self.kept.mask

    def __iter__(self) -> Iterator[tuple[Floats, Floats]]:
        scale = self.prepared.scale
        for X, Y in iterate_matrices(self.kept):
            yield _zscore(X, scale.x_mean, scale.x_sd), _zscore(Y, scale.y_mean, scale.y_sd)


def iterate_cells(
    adata: AnnData,
    prepared: SciFateMoments,
    *,
    nt_layers: Sequence[str] | Literal["auto"] = ("new", "total"),
    cell_filter_UMI: float = 10000,
    response: str = "counts",
    regulators: str = "counts",
    gene_symbols: GeneSymbols = None,
    detection_rate: float | str | None = None,
    chunk_size: int | None = None,
) -> Iterator[tuple[Floats, Floats]]:
    """Iterate over cells whose moments have been prepared, for a further pass.

    For moments that were loaded from a file, or added. It chooses genes and cells again, in two
    passes of its own; `prepare_cells` returns moments and cells without them.

    Parameters
    ----------
    adata : AnnData of shape (n_cells, n_genes)
        The cells that `prepare_moments` was given; of moments that were added, one of the batches.
    prepared : SciFateMoments
        From `prepare_moments`.
    nt_layers, cell_filter_UMI, response, regulators, gene_symbols, detection_rate, chunk_size
        As they were for `prepare_moments`; `chunk_size` may differ.

    Yields
    ------
    X : ndarray of shape (n_chunk_cells, n_features)
        TFs and covariates of the kept cells of a chunk, z-scored as all cells.
    Y : ndarray of shape (n_chunk_cells, n_targets)
        Targets.

    Raises
    ------
    TypeError, ValueError
        As from `prepare_moments`; also if the kept cells are not among those of `prepared`.

    Examples
    --------
    >>> from scifate_sklearn import LinkTest, SciFateRegressor, prepare_moments
    >>> from scifate_sklearn.anndata_io import iterate_cells
    >>> from scifate_sklearn.datasets import make_labelled_cells
    >>> cells = make_labelled_cells(n_cells=200, n_tfs=5, n_targets=20, random_state=0)
    >>> prepared = prepare_moments(cells.adata, cells.tf_names, cell_filter_UMI=0)
    >>> chunks = iterate_cells(cells.adata, prepared, cell_filter_UMI=0)
    >>> tested = LinkTest(SciFateRegressor()).fit_moments(prepared.moments, chunks)
    >>> tested.links_.columns[-3:].tolist()
    ['t', 't_p', 't_q']
    """
    layers = choose_layers(adata, nt_layers)
    choices = make_choices(None, prepared)
    recipe = Recipe(
        layers,
        0.0,
        cell_filter_UMI,
        response,
        regulators,
        gene_symbols,
        choices.obs_columns(()),
        detection_rate,
    )
    source = Source.from_anndata(adata, recipe, chunk_size)
    kept = choose_cells(source, choose_genes(source, choices), choices)
    others = kept.cells.index.difference(prepared.cells.index)
    if len(others):
        raise ValueError(
            f"{len(others)} of the {len(kept.cells)} kept cells are not in `prepared`, for example "
            f"{others[0]!r}. Give the cells and options that `prepare_moments` was given."
        )
    yield from KeptCells(kept, prepared)


def _zscore(A: Matrix, mean: Floats, sd: Floats) -> Floats:
    centred = dense(A) - mean
    return np.divide(centred, sd, out=np.zeros_like(centred), where=sd > 0)
