"""What an AnnData holds: layers, gene names, columns, and the layers that a network needs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..names import NameKind, name_kind
from ..preprocessing import CountFaults, CountSample, Matrix, sum_cells
from ._chunks import Chunk
from ._conventions import RAW, FoundLayers, match_conventions
from ._find import find_layers
from ._guards import SMOOTHED, Samples, are_moments, describe_sample, find_problems
from ._layers import check_anndata, layer_names, read_layer
from ._recipe import Recipe

if TYPE_CHECKING:
    from anndata import AnnData

Sums: TypeAlias = NDArray[np.float64]

# Columns of obs by their names.
_BATCH = re.compile(r"batch|sample|donor|patient|library|replicate|plate|lane", re.IGNORECASE)
_CELL_TYPE = re.compile(r"cell.?type|cluster|louvain|leiden|annotation|label", re.IGNORECASE)


class LayerReport(NamedTuple):
    """One layer.

    Attributes
    ----------
    name : str
        ``"X"`` for that matrix.
    dtype, storage : str
        Type of the numbers, and "dense" or "sparse".
    content : str
        What the numbers look like.
    """

    name: str
    dtype: str
    storage: str
    content: str


class ColumnReport(NamedTuple):
    """A column of ``obs`` that looks like a batch or a cell type: name, use, number of levels."""

    name: str
    use: str
    n_levels: int


@dataclass(frozen=True)
class CellsReport:
    """Contents of an AnnData, as `inspect_cells` finds them.

    Attributes
    ----------
    n_cells, n_genes : int
    layers : list of LayerReport
    gene_names : NameKind
        Kind of ``var_names``.
    symbol_columns : dict of NameKind
        Columns of ``var`` with symbols, by name.
    columns : list of ColumnReport
        Columns of ``obs`` that look like batches or cell types.
    found : FoundLayers or None
        Layers of new and total RNA.
    problems : list of str
        Why no layers were found, or what `prepare_anndata` would say about them.
    cell_sums : ndarray
        Total counts of the sampled cells; empty if no layers were found.
    has_candidates : bool
        Whether the names of any layers are those of new and total RNA.
    """

    n_cells: int
    n_genes: int
    layers: list[LayerReport]
    gene_names: NameKind
    symbol_columns: dict[str, NameKind]
    columns: list[ColumnReport]
    found: FoundLayers | None
    problems: list[str]
    cell_sums: Sums
    has_candidates: bool


def inspect_cells(adata: AnnData) -> CellsReport:
    """Look at a sample of the cells, and at names.

    Parameters
    ----------
    adata : AnnData of shape (n_cells, n_genes)
        In memory or from `open_anndata`, with any layers. Never modified.

    Returns
    -------
    CellsReport

    Raises
    ------
    TypeError, ValueError
        If `adata` is no AnnData, empty, or has a damaged layer.
    """
    check_anndata(adata)
    found, problems, sums = _find(adata)
    return CellsReport(
        len(adata.obs_names),
        len(adata.var_names),
        [_describe(adata, name) for name in layer_names(adata)],
        name_kind(list(adata.var_names.astype(str))),
        dict(_symbol_columns(adata.var)),
        list(_grouping_columns(adata.obs)),
        found,
        problems,
        sums,
        bool(match_conventions(layer_names(adata))),
    )


def _find(adata: AnnData) -> tuple[FoundLayers | None, list[str], Sums]:
    """Return the layers of new and total RNA, their problems, and the total counts of cells."""
    try:
        found = find_layers(adata)
        return found, *_look_at_pair(adata, found)
    except ValueError as error:  # no layers are found, or `raw` lacks genes
        return None, [str(error)], np.empty(0)


def _look_at_pair(adata: AnnData, found: FoundLayers) -> tuple[list[str], Sums]:
    """Return the problems of two layers, and the sums of the total counts of cells."""
    new, total = (read_layer(adata, name).sample() for name in found[:2])
    faulty = [
        problem
        for name, cells, kind in zip(found, (new, total), ("response", "regulators"), strict=False)
        if (problem := _fault(cells, f"layer {name!r}", kind))
    ]
    recipe = Recipe(found[:2], 0.0, 0.0, "counts", "counts", None)
    samples = Samples.from_chunk(Chunk(new, total), np.arange(new.shape[0]), recipe)
    return faulty or [each.message for each in find_problems(samples, recipe)], sum_cells(total)


def _fault(cells: Matrix, name: str, kind: str) -> str:
    try:
        CountFaults.from_counts(cells).check(name, kind)
    except ValueError as error:
        return str(error)
    return ""


def _describe(adata: AnnData, name: str) -> LayerReport:
    try:
        layer = read_layer(adata, name)
    except ValueError as error:
        if name != RAW:
            raise
        return LayerReport(name, "", "", str(error))  # it may lack genes
    cells = layer.sample()
    storage = "dense" if isinstance(cells, np.ndarray) else "sparse"
    dtype = str(layer.parts[0].dtype)
    content = SMOOTHED if are_moments(name) else _content(cells)
    return LayerReport(name, dtype, storage, content)


def _content(cells: Matrix) -> str:
    faults = CountFaults.from_counts(cells)
    if faults.n_not_finite:
        return f"{faults.n_not_finite:,} NaN or infinite values: no counts"
    if faults.n_negative:
        return f"{faults.n_negative:,} negative values, the smallest {faults.smallest:.4g}"
    return describe_sample(CountSample.from_cells(cells))


def _symbol_columns(var: pd.DataFrame) -> Iterator[tuple[str, NameKind]]:
    for name in var.columns:
        if not _is_text(var[name]):
            continue
        named = var[name].dropna()
        kind = name_kind([str(each) for each in named])
        if kind.kind == "symbols" and 2 * len(named) > len(var):
            yield str(name), kind


def _grouping_columns(obs: pd.DataFrame) -> Iterator[ColumnReport]:
    for name in obs.columns:
        n_levels = int(obs[name].nunique())
        # One level makes no groups, and as many levels as cells are names.
        if not 2 <= n_levels <= max(len(obs) // 2, 2) or pd.api.types.is_float_dtype(obs[name]):
            continue
        for use, pattern in (("batch", _BATCH), ("cell type", _CELL_TYPE)):
            if pattern.search(str(name)):
                yield ColumnReport(str(name), use, n_levels)
                break


def _is_text(column: pd.Series[Any]) -> bool:
    kind = column.cat.categories.dtype if hasattr(column, "cat") else column.dtype
    return bool(pd.api.types.is_string_dtype(kind) or kind.kind == "O")
