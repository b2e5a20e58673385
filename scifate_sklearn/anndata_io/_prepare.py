"""AnnData to what the regression needs: matrices, or moments of any number of cells."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ..moments import plan_folds
from ..preprocessing import make_folds, zscore
from ._chunks import split
from ._inputs import SciFateInputs, SciFateMoments
from ._passes import dense_matrices, lean_matrices
from ._survey import Survey, survey_cells

if TYPE_CHECKING:
    from anndata import AnnData


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
        Cells with the two layers; dense, CSR or CSC, in memory, in a file (`open_anndata`, or
        anndata's own backed mode) or held by Dask; a view or not. Never modified.
    tf_names : iterable of str
        Names of the possible regulators; those in the data (exact match) become predictors.
    nt_layers : (str, str), default=("new", "total")
        Layer of the response (new, unspliced RNA; velocities) and of the regulators (total,
        spliced RNA; activities). ``"X"`` means ``adata.X``; sums are written with plus signs,
        ``"spliced+unspliced"``.
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
        If `adata` is no AnnData, a layer of an unknown kind or not real numbers, or `tf_names` not
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
    survey = survey_cells(
        adata,
        tf_names,
        nt_layers,
        gene_filter_rate,
        cell_filter_UMI,
        response,
        regulators,
        gene_symbols,
    )
    tfs, targets = _matrices(survey)
    index = survey.cells.index
    covariates = {name: zscore(values) for name, values in survey.covariates.items()}
    tf_frame = pd.DataFrame(zscore(tfs), index=index, columns=survey.tf_names)
    return SciFateInputs(
        tf_frame.assign(**covariates).rename_axis(columns="TF"),
        pd.DataFrame(zscore(targets), index=index, columns=survey.target_names.rename("target")),
        survey.cells,
        survey.genes,
    )


def prepare_moments(
    adata: "AnnData",
    tf_names: Iterable[str] | None = None,
    *,
    nt_layers: Sequence[str] = ("new", "total"),
    gene_filter_rate: float = 0.1,
    cell_filter_UMI: float = 10000,
    response: str = "counts",
    regulators: str = "counts",
    gene_symbols: str | None = None,
    cv: Any = 10,
    groups: str | ArrayLike | None = None,
    random_state: Any = 123456,
    chunk_size: int | None = None,
    like: SciFateMoments | None = None,
) -> SciFateMoments:
    """Turn an AnnData of any size into the sums that `SciFateRegressor` fits.

    The cells are read chunk by chunk, from memory, from files or by Dask, and sparse layers stay
    sparse: no matrix of cells × genes is made. The network is that of `prepare_anndata` and
    `SciFateRegressor.fit`.

    Parameters
    ----------
    adata : AnnData of shape (n_cells, n_genes)
        As for `prepare_anndata`.
    tf_names : iterable of str
        As for `prepare_anndata`; not needed with `like`.
    nt_layers, gene_filter_rate, cell_filter_UMI, response, regulators, gene_symbols
        As for `prepare_anndata`.
    cv : int, splitter or iterable of (train, test), default=10
        Folds of the kept cells, as for `SciFateRegressor`; the sums belong to them.
    groups : str or array-like of shape (n_cells,), default=None
        For a group-aware splitter: a column of ``adata.obs``, or one label for each cell.
    random_state : int, RandomState or None, default=123456
        Seed of the folds where `cv` is an int.
    chunk_size : int, default=None
        Cells to read at a time; None for as many as make about 12 MB. Layers held by Dask keep
        their chunks.
    like : SciFateMoments, default=None
        Of an earlier batch of cells, to which this one is going to be added. TFs, targets,
        covariates and the unit of the size factors are taken from it, and no gene is filtered.

    Returns
    -------
    SciFateMoments
        ``moments``, ``cells``, ``genes``; those of two batches can be added.

    Raises
    ------
    TypeError, ValueError
        As `prepare_anndata`; and if `groups` names no column, `chunk_size` is not positive, or
        genes of `like` are missing.

    Warns
    -----
    UserWarning
        As `prepare_anndata`.

    Notes
    -----
    The layers are read three times: which genes to keep; then which cells, and their size factors;
    then the sums. The logarithm is taken as log(x/s + 0.1) − log 0.1, which is 0 where x is, and
    the z-score of the sums.
    """
    survey = survey_cells(
        adata,
        tf_names,
        nt_layers,
        gene_filter_rate,
        cell_filter_UMI,
        response,
        regulators,
        gene_symbols,
        chunk_size,
        like,
    )
    n_cells = len(survey.cells)
    labels = _group_labels(adata, groups, survey)
    splits = make_folds(cv, random_state, np.zeros((n_cells, 1)), None, labels)
    covariates = np.column_stack([np.empty((n_cells, 0)), *survey.covariates.values()])
    moments = survey.chunks.moments(
        lean_matrices,
        [
            survey.keep,
            split(survey.size_factor, survey.kept_bounds),
            split(covariates, survey.kept_bounds),
            [survey.columns] * len(survey.keep),
        ],
        survey.kept_bounds,
        plan_folds(splits, n_cells),
        ([*survey.tf_names, *survey.covariates], list(survey.target_names)),
    )
    return SciFateMoments.of(moments, survey.cells, survey.genes, survey.unit)


def _matrices(survey: Survey) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return TFs and targets of the kept cells, logged but not yet z-scored."""
    n_cells, columns = len(survey.cells), survey.columns
    tfs, targets = (np.empty((n_cells, len(own))) for own in (columns.tfs, columns.targets))
    made = survey.chunks.map(
        dense_matrices,
        survey.keep,
        split(survey.size_factor, survey.kept_bounds),
        [columns] * len(survey.keep),
    )
    for rows, (x, y) in zip(survey.kept_bounds, made, strict=True):
        tfs[rows], targets[rows] = x, y
    return tfs, targets


def _group_labels(
    adata: "AnnData", groups: str | ArrayLike | None, survey: Survey
) -> NDArray[Any] | None:
    """Return the labels of the kept cells."""
    if groups is None:
        return None
    keep = np.concatenate(survey.keep)
    if isinstance(groups, str):
        if groups not in adata.obs.columns:
            raise ValueError(
                f"groups names the column {groups!r}, which adata.obs does not have. There are: "
                f"{', '.join(map(repr, adata.obs.columns)) or 'none'}."
            )
        groups = adata.obs[groups]
    labels = np.asarray(groups)
    if labels.shape != keep.shape:
        raise ValueError(
            f"groups must be a column of adata.obs or one label for each of the {keep.size} cells "
            f"of adata, got an array of shape {labels.shape}."
        )
    return labels[keep]
