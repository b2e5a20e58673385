"""The first two passes over the cells: which genes and cells stay, size factors, covariates."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._warnings import warn
from ..preprocessing import is_constant, select_genes, size_factors
from ._chunks import Chunks, open_chunks, split
from ._inputs import SciFateMoments
from ._layers import KINDS, Layer, check_anndata, read_layers
from ._names import COVARIATES, gene_names, keep_one_of_each, match_tfs, shared_names
from ._passes import CellCensus, Columns, count_genes, measure_cells

if TYPE_CHECKING:
    from anndata import AnnData

logger = logging.getLogger(__name__)

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Survey:
    """What is known before the last pass.

    Attributes
    ----------
    chunks : Chunks
        All cells.
    keep : list of ndarray of bool
        Which cells of each chunk stay.
    cells, genes : DataFrame
        The kept ones, as in `SciFateInputs`.
    columns : Columns
        Of the layers.
    covariates : dict of ndarray of shape (n_cells,)
        What else differs between the kept cells, by name.
    unit : float
        Which size factors are relative to.
    """

    chunks: Chunks
    keep: list[Bools]
    cells: pd.DataFrame
    genes: pd.DataFrame
    columns: Columns
    covariates: dict[str, Floats]
    unit: float

    @property
    def kept_bounds(self) -> list[slice]:
        """Where the kept cells of each chunk are among all kept cells."""
        edges = np.cumsum([0, *map(np.count_nonzero, self.keep)]).tolist()
        return [slice(start, stop) for start, stop in pairwise(edges)]

    @property
    def size_factor(self) -> Floats:
        """Size factors of the kept cells, 1 where there are none."""
        return np.asarray(self.cells["size_factor"].fillna(1.0).to_numpy())

    @property
    def tf_names(self) -> pd.Index:
        """Names of the TFs."""
        return self.genes.index[self.genes["position"].isin(self.columns.tfs)]

    @property
    def target_names(self) -> pd.Index:
        """Names of the targets."""
        return self.genes.index[self.genes["position"].isin(self.columns.targets)]


def survey_cells(
    adata: "AnnData",
    tf_names: Iterable[str] | None,
    nt_layers: Sequence[str],
    gene_filter_rate: float,
    cell_filter_UMI: float,
    response: str,
    regulators: str,
    gene_symbols: str | None,
    chunk_size: int | None = None,
    like: SciFateMoments | None = None,
) -> Survey:
    """Go over the cells twice; arguments and errors are those of `prepare_anndata`."""
    check_anndata(adata)
    _check_options(gene_filter_rate, cell_filter_UMI, response, regulators, chunk_size)
    new, total = read_layers(adata, nt_layers, response, regulators)
    names = gene_names(_in_memory(adata.var), gene_symbols)
    is_tf = match_tfs(_tf_names(tf_names, like), names)
    chunks = open_chunks(new, total, chunk_size)

    genes = _describe_genes(names, is_tf, chunks, (new, total))
    if like is not None:
        genes = _same_genes(genes, like.genes)
    else:
        genes = _filter_genes(genes, new, total, gene_filter_rate)

    shared_values = genes["position"].to_numpy(), cell_filter_UMI
    pieces = chunks.map(measure_cells, *([value] * len(chunks.bounds) for value in shared_values))
    measured = _join(list(pieces))
    keep_cells = _filter_cells(measured, total, len(genes), cell_filter_UMI)
    unit = None if like is None else like.unit
    cells, unit = _describe_cells(measured, keep_cells, adata.obs_names[keep_cells], unit)
    logger.info(
        "kept %d of %d genes, %d of them TFs, and %d of %d cells",
        *(len(genes), names.size, genes["is_tf"].sum(), len(cells), keep_cells.size),
    )
    columns = _choose_columns(genes, measured, new, total, like)
    keep = split(keep_cells, chunks.bounds)
    return Survey(chunks, keep, cells, genes, columns, _covariates(cells, like), unit)


def _tf_names(tf_names: Iterable[str] | None, like: SciFateMoments | None) -> Iterable[str]:
    if like is not None:
        if not isinstance(like, SciFateMoments):
            raise TypeError(
                f"like must be what prepare_moments returns, got {type(like).__name__}."
            )
        return list(like.genes.index[like.genes["is_tf"]])
    if tf_names is None:
        raise TypeError(
            "tf_names must be a collection of names, got NoneType: the possible regulators. Only "
            "with `like` they are known already."
        )
    return tf_names


def _same_genes(genes: pd.DataFrame, wanted: pd.DataFrame) -> pd.DataFrame:
    """Return the genes of an earlier batch, in its order."""
    missing = wanted.index.difference(genes.index)
    if len(missing):
        raise ValueError(
            f"{len(missing)} of the {len(wanted)} genes of `like` are not among the genes of adata "
            f"({', '.join(missing[:5])}). Give both batches the same genes, with zeros where one "
            "was not measured, or prepare the first batch again with the genes of both."
        )
    return genes.loc[wanted.index].assign(is_tf=wanted["is_tf"])


def _covariates(cells: pd.DataFrame, like: SciFateMoments | None) -> dict[str, Floats]:
    """Return each covariate that is defined and varies, or those of an earlier batch."""
    columns = zip(COVARIATES, ("size_factor", "labeling_ratio"), strict=True)
    values = {name: cells[column].to_numpy() for name, column in columns}
    if like is not None:
        wanted = set(like.feature_names)
        return {name: value for name, value in values.items() if name in wanted}
    return {
        name: value
        for name, value in values.items()
        if np.isfinite(value).all() and not is_constant(value)
    }


def _check_options(rate: Any, least: Any, response: Any, regulators: Any, size: Any) -> None:
    if not _is_number(rate) or not 0 <= rate < 1:
        raise ValueError(f"gene_filter_rate must be a fraction from 0 to below 1, got {rate!r}.")
    if not _is_number(least) or not 0 <= least <= float(np.finfo(float).max):
        raise ValueError(f"cell_filter_UMI must be a number of counts from 0, got {least!r}.")
    for argument, kind in (("response", response), ("regulators", regulators)):
        if not isinstance(kind, str) or kind not in KINDS:
            raise ValueError(f"{argument} must be 'counts' or 'values', got {kind!r}.")
    if size is not None and (not isinstance(size, Integral) or size < 1):
        raise ValueError(f"chunk_size must be a number of cells from 1, got {size!r}.")


def _is_number(value: Any) -> bool:
    return isinstance(value, Real)


def _in_memory(frame: Any) -> pd.DataFrame:
    """Return ``adata.var``, which anndata's lazy reading leaves in the file."""
    return frame if isinstance(frame, pd.DataFrame) else frame.to_memory()


def _describe_genes(
    names: NDArray[np.object_], is_tf: Bools, chunks: Chunks, layers: tuple[Layer, Layer]
) -> pd.DataFrame:
    """Go over the cells for the first time; return one gene of each name.

    Raises
    ------
    ValueError
        If counts cannot be counts.
    """
    shared = shared_names(names)
    census = chunks.total(count_genes, shared)
    for layer, faults in zip(layers, census.faults, strict=True):
        if faults is not None:
            faults.check(f"layer {layer.name!r}")
    genes = pd.DataFrame(
        {
            "n_cells_new": census.n_new,
            "n_cells_total": census.n_total,
            "is_tf": is_tf,
            "position": np.arange(names.size),
        },
        index=pd.Index(names, name="gene"),
    )
    return genes[keep_one_of_each(names, shared, census.magnitude, layers[1].name)]


def _filter_genes(genes: pd.DataFrame, new: Layer, total: Layer, rate: float) -> pd.DataFrame:
    """Return the genes that enough cells express, or raise if no gene or no TF is left."""
    kinds = {"n_cells_new": new.is_counts, "n_cells_total": total.is_counts}
    counted = [genes[column].to_numpy() for column, is_counts in kinds.items() if is_counts]
    if not counted:
        return genes
    keep = select_genes(counted, new.n_cells, rate)
    everyone = np.ones(len(genes), dtype=bool)
    for what, candidates in (("gene", everyone), ("TF", genes["is_tf"].to_numpy())):
        if not (keep & candidates).any():
            best = np.minimum.reduce(counted)[candidates].max()
            raise ValueError(
                f"No {what} is left: none of {np.count_nonzero(candidates)} has counts in more "
                f"than gene_filter_rate x cells = {rate} x {new.n_cells} cells (the best has them "
                f"in {best}). Lower gene_filter_rate, or check nt_layers = "
                f"{(new.name, total.name)}."
            )
    return genes[keep]


def _join(pieces: Sequence[CellCensus]) -> CellCensus:
    """Put what is known of each chunk together."""
    return CellCensus(
        *(np.concatenate([getattr(p, name) for p in pieces]) for name in ("umi", "rounded", "new")),
        *(
            np.logical_and.reduce([getattr(p, name) for p in pieces])
            for name in ("new_is_finite", "total_is_finite")
        ),
    )


def _filter_cells(measured: CellCensus, total: Layer, n_genes: int, least: float) -> Bools:
    """Return which cells have enough total counts over the kept genes, or raise if none has."""
    if not total.is_counts:
        return np.ones(measured.umi.size, dtype=bool)
    keep = measured.umi > least
    if not keep.any():
        raise ValueError(
            f"No cell is left: none of {keep.size} has more than cell_filter_UMI = {least} counts "
            f"of layer {total.name!r} over the {n_genes} kept genes (the best has "
            f"{measured.umi.max():g}). Lower cell_filter_UMI."
        )
    return np.asarray(keep)


def _describe_cells(
    measured: CellCensus, keep: Bools, index: pd.Index, unit: float | None
) -> tuple[pd.DataFrame, float]:
    """Return the table of the kept cells, and the unit of the size factors."""
    umi, factor = measured.umi[keep], measured.rounded[keep]
    if np.isnan(factor).all():
        unit = np.nan
    else:
        factor, unit = size_factors(factor, unit)
    return pd.DataFrame(
        {"size_factor": factor, "labeling_ratio": measured.new[keep] / umi, "total_umi": umi},
        index=index,
    ), unit


def _choose_columns(
    genes: pd.DataFrame,
    measured: CellCensus,
    new: Layer,
    total: Layer,
    like: SciFateMoments | None,
) -> Columns:
    """Return the columns of targets and TFs, or raise where values that are needed are not finite.

    Targets that are not finite in every kept cell are left out with a warning.
    """
    is_tf, position = genes["is_tf"].to_numpy(), genes["position"].to_numpy()
    bad = genes.index[is_tf & ~measured.total_is_finite]
    if len(bad):
        raise ValueError(
            f"layer {total.name!r} has NaN or infinite values for {len(bad)} of the TFs "
            f"({', '.join(bad[:5])}); leave them out of tf_names, or replace the values."
        )
    finite = measured.new_is_finite
    if like is not None:
        wanted = genes.index.isin(like.target_names)
        bad = genes.index[wanted & ~finite]
        if len(bad):
            raise ValueError(
                f"layer {new.name!r} has NaN or infinite values for {len(bad)} of the targets of "
                f"`like` ({', '.join(bad[:5])}); replace them, or leave those cells out."
            )
        return Columns(targets=position[wanted], tfs=position[is_tf])
    if not finite.any():
        raise ValueError(
            f"No target is left: each of {finite.size} genes has NaN or infinite values in layer "
            f"{new.name!r}."
        )
    if not finite.all():
        warn(
            f"{np.count_nonzero(~finite)} of {finite.size} targets were left out because layer "
            f"{new.name!r} has NaN or infinite values for them."
        )
    return Columns(targets=position[finite], tfs=position[is_tf])
