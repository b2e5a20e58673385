"""AnnData to the matrices of the regression: filters, size factors, transform, covariates."""

import logging
import warnings
from collections.abc import Iterable, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from scifate_sklearn.preprocessing import (
    Matrix,
    count_positive,
    is_constant,
    log_normalize,
    select_cells,
    select_genes,
    size_factors,
    sum_cells,
    to_dense,
    zscore,
)

from .layers import Layers, check_anndata, read_layers
from .names import gene_names, keep_one_of_each, match_tfs

if TYPE_CHECKING:
    from anndata import AnnData

logger = logging.getLogger(__name__)

Floats = NDArray[np.float64]


class SciFateInputs(NamedTuple):
    """What the regression needs, made by `prepare_anndata`.

    Attributes
    ----------
    tf_matrix : DataFrame of shape (n_cells, n_TFs + n_covariates)
        Predictors, z-scored: the TFs in the order of the data, then the covariates
        ``new_size_factor`` and ``labeling_ratio``, each left out if undefined or constant.
    target_matrix : DataFrame of shape (n_cells, n_targets)
        Responses, z-scored: all kept genes (of values, those that are finite in every kept cell).
    cells : DataFrame of n_cells rows
        ``size_factor``; ``labeling_ratio``, Σ new / Σ total over the kept genes; ``total_umi``, Σ
        total over the kept genes. NaN where not defined because a layer holds values.
    genes : DataFrame of n_genes rows
        The kept genes by name: ``n_cells_new`` and ``n_cells_total``, in how many of *all* cells
        the layer is positive; ``is_tf``; ``position``, the gene's column in `adata`.
    """

    tf_matrix: pd.DataFrame
    target_matrix: pd.DataFrame
    cells: pd.DataFrame
    genes: pd.DataFrame


def prepare_anndata(
    adata: "AnnData",
    tf_names: Iterable[str],
    *,
    nt_layers: Sequence[str] = ("new", "total"),
    gene_filter_rate: float = 0.1,
    cell_filter_UMI: float = 10000,
    response: str = "counts",
    regulators: str = "counts",
    gene_symbols: str | None = None,
) -> SciFateInputs:
    """Turn an AnnData into the matrices that `SciFateRegressor` fits.

    Parameters
    ----------
    adata : AnnData of shape (n_cells, n_genes)
        Cells with the two layers; dense, CSR or CSC, a view or not. Never modified.
    tf_names : iterable of str
        Names of the possible regulators; those in the data (exact match) become predictors.
    nt_layers : (str, str), default=("new", "total")
        Layer of the response (new, unspliced RNA; velocities) and of the regulators (total,
        spliced RNA; activities). ``"X"`` means ``adata.X``.
    gene_filter_rate : float, default=0.1
        Keep a gene if, in each layer of counts, more than this fraction of the cells is positive.
    cell_filter_UMI : float, default=10000
        Keep a cell if its total counts over the kept genes exceed this.
    response : {"counts", "values"}, default="counts"
        What the first layer holds. "values" are velocities or rates: they are z-scored only, may be
        negative, and take no part in the gene filter. Targets that are not finite in every kept
        cell are left out with a warning. There is no labelling ratio then.
    regulators : {"counts", "values"}, default="counts"
        What the second layer holds. "values" are any regulator activity: z-scored only, no part in
        the gene filter, hence no cell filter, no size factor (new counts are divided by 1) and no
        covariates.
    gene_symbols : str or None, default=None
        Column of ``adata.var`` with the gene names to match and to report; None for
        ``adata.var_names``, which also replace missing symbols.

    Returns
    -------
    SciFateInputs
        ``tf_matrix``, ``target_matrix``, ``cells``, ``genes``.

    Raises
    ------
    TypeError
        If `adata` is no AnnData, a layer is not in memory or not real numbers, or `tf_names` not
        strings.
    ValueError
        If a layer or column is missing, counts are negative or not finite, regulator values not
        finite, no TF name matches, or a filter leaves nothing.

    Warns
    -----
    UserWarning
        If columns share a name (the one with the largest sum in the second layer is kept, of equals
        the first, before all filters), or targets are left out.

    Notes
    -----
    With n cells, counts x and in this order: keep gene if #(new > 0) > rate·n and #(total > 0) >
    rate·n; keep cell if Σ total > UMI; t_c = Σ_g round(total_cg) and s_c = t_c / exp(mean log t);
    z = (log(x/s + 0.1) - mean)/sd with ddof 1, s being the same for both layers (Cao et al., Nature
    Biotechnology 2020). A gene that does not vary becomes all zeros.
    """
    check_anndata(adata)
    _check_options(gene_filter_rate, cell_filter_UMI, response, regulators)
    layers = read_layers(adata, nt_layers, response, regulators)
    names = gene_names(adata.var, gene_symbols)
    unique = keep_one_of_each(names, layers.total, layers.names[1])
    genes = _describe_genes(names, layers, match_tfs(tf_names, names))
    keep_genes = unique & _filter_genes(genes, layers, unique, gene_filter_rate)
    genes, layers = genes.loc[keep_genes], layers.of_genes(keep_genes)
    keep_cells = _filter_cells(layers, cell_filter_UMI)
    layers = layers.of_cells(keep_cells)
    cells = _describe_cells(layers, adata.obs_names[keep_cells])
    logger.info(
        "kept %d of %d genes, %d of them TFs, and %d of %d cells",
        *(len(genes), names.size, genes["is_tf"].sum(), len(cells), keep_cells.size),
    )
    return SciFateInputs(
        _tf_matrix(layers, cells, genes), _target_matrix(layers, cells, genes), cells, genes
    )


def _check_options(rate: Any, least: Any, response: Any, regulators: Any) -> None:
    is_number = [isinstance(value, Real) for value in (rate, least)]
    if not is_number[0] or not 0 <= rate < 1:
        raise ValueError(f"gene_filter_rate must be a fraction from 0 to below 1, got {rate!r}.")
    if not is_number[1] or not 0 <= least <= float(np.finfo(float).max):
        raise ValueError(f"cell_filter_UMI must be a number of counts from 0, got {least!r}.")
    for argument, kind in (("response", response), ("regulators", regulators)):
        if not isinstance(kind, str) or kind not in ("counts", "values"):
            raise ValueError(f"{argument} must be 'counts' or 'values', got {kind!r}.")


def _describe_genes(
    names: NDArray[np.object_], layers: Layers, is_tf: NDArray[np.bool_]
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "n_cells_new": count_positive(layers.new),
            "n_cells_total": count_positive(layers.total),
            "is_tf": is_tf,
            "position": np.arange(names.size),
        },
        index=pd.Index(names, name="gene"),
    )


def _filter_genes(
    genes: pd.DataFrame, layers: Layers, unique: NDArray[np.bool_], rate: float
) -> NDArray[np.bool_]:
    """Return which genes enough cells express, or raise if no gene or no TF is left."""
    kinds = {"n_cells_new": layers.new_is_counts, "n_cells_total": layers.total_is_counts}
    counted = [genes[column].to_numpy() for column, is_counts in kinds.items() if is_counts]
    if not counted:
        return unique
    n_cells = layers.new.shape[0]
    keep = unique & select_genes(counted, n_cells, rate)
    for what, candidates in (("gene", unique), ("TF", unique & genes["is_tf"].to_numpy())):
        if not (keep & candidates).any():
            best = np.minimum.reduce(counted)[candidates].max()
            raise ValueError(
                f"No {what} is left: none of {np.count_nonzero(candidates)} has counts in more "
                f"than gene_filter_rate x cells = {rate} x {n_cells} cells (the best has them in "
                f"{best}). Lower gene_filter_rate, or check nt_layers = {layers.names}."
            )
    return keep


def _filter_cells(layers: Layers, least: float) -> NDArray[np.bool_]:
    """Return which cells have enough total counts over the kept genes, or raise if none has."""
    if not layers.total_is_counts:
        return np.ones(layers.total.shape[0], dtype=bool)
    keep = select_cells(layers.total, least)
    if not keep.any():
        raise ValueError(
            f"No cell is left: none of {keep.size} has more than cell_filter_UMI = {least} counts "
            f"of layer {layers.names[1]!r} over the {layers.total.shape[1]} kept genes (the best "
            f"has {sum_cells(layers.total).max():g}). Lower cell_filter_UMI."
        )
    return keep


def _describe_cells(layers: Layers, index: pd.Index) -> pd.DataFrame:
    factor = ratio = umi = np.full(len(index), np.nan)
    if layers.total_is_counts:
        umi, factor = sum_cells(layers.total), size_factors(layers.total)
        if layers.new_is_counts:
            ratio = sum_cells(layers.new) / umi
    return pd.DataFrame(
        {"size_factor": factor, "labeling_ratio": ratio, "total_umi": umi}, index=index
    )


def _tf_matrix(layers: Layers, cells: pd.DataFrame, genes: pd.DataFrame) -> pd.DataFrame:
    is_tf = genes["is_tf"].to_numpy()
    matrix = _transform(layers.total[:, is_tf], layers.total_is_counts, cells)
    finite = np.asarray(np.isfinite(matrix).all(axis=0))
    if not finite.all():
        bad = genes.index[is_tf][~finite]
        raise ValueError(
            f"layer {layers.names[1]!r} has NaN or infinite values for {len(bad)} of the TFs "
            f"({', '.join(bad[:5])}); leave them out of tf_names, or replace the values."
        )
    frame = pd.DataFrame(zscore(matrix), index=cells.index, columns=genes.index[is_tf])
    return frame.assign(**_covariates(cells)).rename_axis(columns="TF")


def _covariates(cells: pd.DataFrame) -> dict[str, Floats]:
    columns = {"new_size_factor": "size_factor", "labeling_ratio": "labeling_ratio"}
    values = {name: cells[column].to_numpy() for name, column in columns.items()}
    return {
        name: zscore(value)
        for name, value in values.items()
        if np.isfinite(value).all() and not is_constant(value)
    }


def _target_matrix(layers: Layers, cells: pd.DataFrame, genes: pd.DataFrame) -> pd.DataFrame:
    matrix = _transform(layers.new, layers.new_is_counts, cells)
    finite = np.asarray(np.isfinite(matrix).all(axis=0))
    if not finite.any():
        raise ValueError(
            f"No target is left: each of {finite.size} genes has NaN or infinite values in layer "
            f"{layers.names[0]!r}."
        )
    if not finite.all():
        warnings.warn(
            f"{np.count_nonzero(~finite)} of {finite.size} targets were left out because layer "
            f"{layers.names[0]!r} has NaN or infinite values for them.",
            UserWarning,
            stacklevel=3,
        )
        matrix = matrix[:, finite]
    return pd.DataFrame(
        zscore(matrix), index=cells.index, columns=genes.index[finite].rename("target")
    )


def _transform(matrix: Matrix, is_counts: bool, cells: pd.DataFrame) -> Floats:
    """Return counts as logarithms of size-corrected counts, values as they are; dense."""
    if not is_counts:
        return to_dense(matrix)
    return log_normalize(matrix, cells["size_factor"].fillna(1.0).to_numpy())
