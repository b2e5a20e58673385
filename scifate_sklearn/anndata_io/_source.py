"""Cells of an AnnData, opened for reading in chunks."""

from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ._chunks import Chunks, Floats
from ._detection import read_rates
from ._layers import Layer, check_anndata, read_layer
from ._local import LocalChunks
from ._names import gene_names
from ._obs import in_memory, obs_column
from ._recipe import Recipe

if TYPE_CHECKING:
    from anndata import AnnData


@dataclass(frozen=True)
class Source:
    """Cells, their names and the names of their genes.

    Attributes
    ----------
    recipe : Recipe
    chunks : Chunks
        Both layers of all cells.
    cell_names : Index of shape (n_cells,)
    gene_names : ndarray of str of shape (n_genes,)
        Names of all genes, possibly not unique.
    obs : DataFrame of n_cells rows
        The columns of ``adata.obs`` that become covariates.
    rates : ndarray of shape (n_cells,) or None
        Detection rates of new RNA, unchecked.
    """

    recipe: Recipe
    chunks: Chunks
    cell_names: pd.Index
    gene_names: NDArray[np.object_]
    obs: pd.DataFrame
    rates: Floats | None

    @classmethod
    def from_anndata(cls, adata: "AnnData", recipe: Recipe, chunk_size: int | None = None) -> Self:
        """Open the layers that a recipe names.

        Parameters
        ----------
        adata : AnnData of shape (n_cells, n_genes)
            Never modified.
        recipe : Recipe
        chunk_size : int or None, default=None
            Number of cells in a chunk; None for chunks of about 12 MB. Dask arrays keep their
            chunks.

        Returns
        -------
        Source

        Raises
        ------
        TypeError
            If `adata` is not an AnnData, or a layer is of an unknown type or does not hold real
            numbers.
        ValueError
            If `adata` is empty, a layer or a column is missing, or `chunk_size` is not a positive
            integer.
        """
        check_anndata(adata)
        _check_chunk_size(chunk_size)
        named = recipe.arguments
        new, total = (read_layer(adata, name, named.layers) for name in recipe.nt_layers)
        names = gene_names(in_memory(adata.var), recipe.gene_symbols)
        obs = in_memory(adata.obs) if recipe.reads_obs else pd.DataFrame(index=adata.obs_names)
        columns = {name: obs_column(obs, name, named.covariates) for name in recipe.covariates}
        return cls(
            recipe,
            _open_chunks(new, total, chunk_size),
            adata.obs_names,
            names,
            pd.DataFrame(columns, index=obs.index),
            read_rates(obs, recipe.detection_rate),
        )

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return len(self.cell_names)


def _check_chunk_size(size: Any) -> None:
    if size is not None and (not isinstance(size, Integral) or size < 1):
        raise ValueError(f"chunk_size must be a number of cells from 1, got {size!r}.")


def _open_chunks(new: Layer, total: Layer, size: int | None) -> Chunks:
    if new.is_dask or total.is_dask:
        # Importing Dask takes a second.
        from ._dask import DaskChunks

        return DaskChunks(new, total)
    return LocalChunks(new, total, size)
