"""Log-normalised expression of an AnnData: which matrix holds it, and its cells in chunks."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from .._warnings import warn
from ..preprocessing import CountFaults, CountSample, Matrix, stored_numbers, to_dense
from ._chunks import Floats
from ._guards import describe_sample
from ._layers import Layer, check_anndata, layer_names, read_layer
from ._names import GeneSymbols, Names, gene_names, keep_one_of_each, shared_names
from ._obs import in_memory

if TYPE_CHECKING:
    from anndata import AnnData

logger = logging.getLogger(__name__)

# Entries of a dense chunk, 64 MB.
_CHUNK_ENTRIES = 2**23
_LOGARITHMS = ("logged", "small")
_ADVICE = (
    "Normalise and log-transform a copy of the cells first, for example with "
    "scanpy.pp.normalize_total(copy) and scanpy.pp.log1p(copy)."
)


@dataclass(frozen=True)
class Expression:
    """Log-normalised expression of the genes that are found in any cell.

    Attributes
    ----------
    layer : Layer
        All genes.
    names : ndarray of str of shape (n_kept_genes,)
        Different names.
    columns : ndarray of int of shape (n_kept_genes,)
        Columns of the kept genes.
    """

    layer: Layer
    names: Names
    columns: NDArray[np.intp]

    @classmethod
    def from_anndata(cls, adata: AnnData, layer: str | None, gene_symbols: GeneSymbols) -> Self:
        """Find or check the matrix, and choose its genes in a pass over the cells.

        Parameters
        ----------
        adata : AnnData of shape (n_cells, n_genes)
            Never modified.
        layer : str or None
            As for `tf_activity`.
        gene_symbols : str, mapping, DataFrame, path-like or None
            As for `prepare_anndata`.

        Raises
        ------
        TypeError, ValueError
            If there is no such matrix, it holds other numbers, or no gene is expressed.

        Warns
        -----
        UserWarning
            If the named matrix does not seem to hold logarithms, or genes share a name.
        """
        check_anndata(adata)
        names = gene_names(in_memory(adata.var), gene_symbols)
        found = _find(adata) if layer is None else _checked(adata, layer)
        magnitude = _magnitude(found)
        shared = shared_names(names)
        keep = keep_one_of_each(names, shared, magnitude[shared], found.name) & (magnitude > 0)
        if not keep.any():
            raise ValueError(f"layer {found.name!r} has no value other than 0.")
        return cls(found, names[keep], np.flatnonzero(keep))

    def chunks(self) -> Iterator[tuple[slice, Floats]]:
        """Yield ranges of cells with their expression (n_chunk_cells, n_kept_genes), dense."""
        for cells in _ranges(self.layer, len(self.columns)):
            rows = self.layer.rows(cells.start, cells.stop)
            yield cells, to_dense(rows[:, self.columns])


def _ranges(layer: Layer, n_columns: int) -> Iterator[slice]:
    size = max(_CHUNK_ENTRIES // max(n_columns, 1), 1)
    for start in range(0, layer.n_cells, size):
        yield slice(start, min(start + size, layer.n_cells))


def _magnitude(layer: Layer) -> Floats:
    """Return the sum of absolute values of each gene, in a pass over the cells."""
    n_genes = int(layer.parts[0].shape[1])
    total = np.zeros(n_genes)
    for cells in _ranges(layer, n_genes):
        rows: Any = layer.rows(cells.start, cells.stop)
        if not np.isfinite(stored_numbers(rows)).all():
            raise ValueError(
                f"layer {layer.name!r} has values that are NaN or infinite, the first of them in "
                f"the cells {cells.start} to {cells.stop}. Set them to 0, or leave out these "
                "genes or cells."
            )
        total += np.asarray(np.abs(rows).sum(axis=0, dtype=np.float64)).ravel()
    return total


def _find(adata: AnnData) -> Layer:
    """Return `X` if it holds logarithms, otherwise the only matrix that does."""
    available = layer_names(adata)
    found = [layer for name in available if (layer := _if_logged(adata, name)) is not None]
    if len(found) == 1 or (found and found[0].name == "X"):
        logger.info("log-normalised expression: %s", found[0].name)
        return found[0]
    if found:
        named = ", ".join(repr(each.name) for each in found)
        raise ValueError(f"Several layers may hold log-normalised expression ({named}): name one.")
    contents = "; ".join(f"{name!r} holds {_content(adata, name)}" for name in available)
    raise ValueError(
        f"No matrix of adata holds log-normalised expression ({contents or 'there is none'}). "
        f"{_ADVICE} Name `layer` to use z-scores or other values as they are."
    )


def _if_logged(adata: AnnData, name: str) -> Layer | None:
    """Return a layer if it seems to hold logarithms, None also if it cannot be used at all."""
    try:
        layer = read_layer(adata, name, "layer")
    except (TypeError, ValueError):
        return None
    return layer if _seems_logged(layer.sample()) else None


def _seems_logged(cells: Matrix) -> bool:
    faults = CountFaults.from_counts(cells)
    if faults.n_negative or faults.n_not_finite:
        return False
    found = CountSample.from_cells(cells).findings()
    return bool(found) and found[0].kind in _LOGARITHMS


def _content(adata: AnnData, name: str) -> str:
    """Return what the numbers of a layer are, for messages."""
    try:
        cells = read_layer(adata, name, "layer").sample()
    except (TypeError, ValueError) as error:
        return f"nothing that can be used: {error}"
    if CountFaults.from_counts(cells).n_negative:
        return "negative numbers, such as z-scores"
    return describe_sample(CountSample.from_cells(cells))


def _checked(adata: AnnData, name: str) -> Layer:
    """Return a layer that the user named, unless it holds raw counts.

    Negative numbers, such as z-scores, are taken as they are.
    """
    layer = read_layer(adata, name, "layer")
    cells = layer.sample()
    sample = CountSample.from_cells(cells)
    faults = CountFaults.from_counts(cells)
    if faults.n_negative or faults.n_not_finite or not sample.n_values:
        return layer  # the pass over all cells finds what is wrong
    if not sample.n_fractional:
        raise ValueError(
            f"layer {name!r} holds whole numbers, {describe_sample(sample)}; log-normalised "
            f"expression is required. {_ADVICE}"
        )
    if not _seems_logged(cells):
        warn(
            f"layer {name!r} does not seem to hold log-normalised expression but "
            f"{describe_sample(sample)}. A few genes with large values then decide on the "
            f"activity. {_ADVICE}"
        )
    return layer
