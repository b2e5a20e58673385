"""Preparation of an AnnData for the regression, as matrices or as moments.

All functions pass over the cells three times: `choose_genes`, `choose_cells`, and `read_matrices`
or `kept_moments`.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd
from numpy.typing import ArrayLike

from ..preprocessing import zscore
from ._choices import NewChoices, make_choices
from ._find import choose_layers
from ._folds import Folds
from ._inputs import SciFateInputs, SciFateMoments
from ._iterate import KeptCells
from ._names import GeneSymbols
from ._passes import choose_cells, choose_genes, kept_moments, read_matrices
from ._recipe import Recipe
from ._source import Source

if TYPE_CHECKING:
    from anndata import AnnData


def prepare_anndata(
    adata: "AnnData",
    tf_names: Iterable[str],
    *,
    nt_layers: Sequence[str] | Literal["auto"] = ("new", "total"),
    gene_filter_rate: float = 0.1,
    cell_filter_UMI: float = 10000,
    response: str = "counts",
    regulators: str = "counts",
    gene_symbols: GeneSymbols = None,
    covariates: Sequence[str] = (),
    detection_rate: float | str | None = None,
) -> SciFateInputs:
    """Compute the matrices for `SciFateRegressor.fit` from an AnnData.

    Parameters
    ----------
    adata : AnnData of shape (n_cells, n_genes)
        Cells with two layers: dense, CSR or CSC; in memory, in a file (`open_anndata` or anndata's
        backed mode) or Dask arrays. Views are supported. Never modified.
    tf_names : iterable of str
        Names of the possible regulators; those that match a gene exactly become predictors.
    nt_layers : (str, str) or "auto", default=("new", "total")
        Layer of the response (new RNA, unspliced RNA or velocities) and layer of the regulators
        (total RNA, spliced RNA or activities). ``"X"`` means ``adata.X``. A sum of layers is
        written with plus signs, ``"spliced+unspliced"``. "auto" finds both by the names that tools
        give them (`scifate_sklearn.anndata_io.find_layers`).
    gene_filter_rate : float, default=0.1
        Keep genes that are positive in more than this fraction of the cells, in each layer of
        counts.
    cell_filter_UMI : float, default=10000
        Keep cells whose total counts over the kept genes exceed this.
    response : {"counts", "values"}, default="counts"
        Contents of the first layer. "values" are velocities or rates. They may be negative, are
        only z-scored, and do not affect the gene filter. Targets that are not finite in every kept
        cell are left out with a warning. The labelling ratio is undefined.
    regulators : {"counts", "values"}, default="counts"
        Contents of the second layer. "values" are any measure of regulator activity. They are only
        z-scored and do not affect the gene filter. There are then no cell filter, no size factors
        (new counts are divided by 1) and no covariates but those of `covariates`.
    gene_symbols : str, mapping, DataFrame, path-like or None, default=None
        Column of ``adata.var`` with the gene names that are matched and reported; None for
        ``adata.var_names``. Missing symbols are replaced by ``adata.var_names``. Or symbols of
        these names: a mapping, a table from `read_gene_table` or its file (a `pathlib.Path`), in
        which Ensembl ids are found with or without their version.
    covariates : sequence of str, default=()
        Columns of ``adata.obs``, such as batch, donor or a score of the cell cycle, that become
        predictors but never links. Numbers become the predictor ``obs:column``. Text, booleans and
        categories become one predictor ``obs:column[level]`` for each level of the kept cells but
        the first (in the order of the categories, otherwise sorted), 1 in the cells of the level
        and 0 in the others. All are z-scored over the kept cells. Columns that are the same in all
        kept cells are left out with a warning.
    detection_rate : float or str, default=None
        Share of the new RNA that is recognised as new, above 0 and at most 1, or the column of
        ``adata.obs`` that holds it for each cell. New counts become min(new/rate, total) after the
        filters, before the labelling ratio and the logarithm. None leaves them as they are.

    Returns
    -------
    SciFateInputs
        ``tf_matrix``, ``target_matrix``, ``cells``, ``genes``.

    Raises
    ------
    TypeError
        If `adata` is not an AnnData, a layer is of an unknown type or does not hold real numbers,
        or `tf_names` is not a collection of strings.
    ValueError
        If an option is invalid, a layer or column is missing, counts are negative or not finite,
        values of a regulator are not finite, no TF name matches, or no gene or cell passes the
        filters; if a layer of counts holds logarithms or fractions, or both layers are swapped; if
        a covariate is missing or infinite in a kept cell, or has more than 100 levels or more
        levels than half of the kept cells; or if the detection rate of a kept cell is missing or
        not a share.

    Warns
    -----
    UserWarning
        If a layer of counts holds normalised or smoothed counts, new counts exceed the total ones,
        or both layers are equal; if genes share a name, or targets are left out. Of genes that
        share a name, the one with the largest sum in the second layer is kept (the first one if
        sums are equal), before any filter. Also if a covariate is constant,
        or holds few different whole numbers, which may stand for groups.

    Notes
    -----
    For n cells and counts x, the steps are, in this order (Cao et al., Nature Biotechnology 2020):

    1. keep genes with #(new > 0) > rate·n and #(total > 0) > rate·n;
    2. keep cells with Σ total > UMI over the kept genes;
    3. t_c = Σ_g round(total_cg) and s_c = t_c / exp(mean log t);
    4. with a detection rate r_c, replace new by min(new/r, total), as grandR and dynamo do;
    5. z = (log(x/s + 0.1) - mean)/sd with ddof 1 and the same s for both layers.

    Constant genes become all zeros.

    Counts are whole numbers, or estimates. Up to 500 cells are looked at: logarithms are whole, or
    multiples of one number in each cell, after the logarithm is undone; normalised counts have one
    sum in all cells, or are multiples of one number, which differs between cells; fractions do not
    exceed 1. Estimates, such as EM counts or products of counts and labelled shares, have none of
    these properties. ``docs/your-data.md`` has the whole rule.

    The gene filter counts entries above 0, which a detection rate does not change. A rate that is
    the same in all cells is a factor within the logarithm: log(x/(r s) + 0.1) = log(x/s + 0.1 r) -
    log r. It changes z-scores only as a pseudo count of 0.1 r would, and where total limits new. A
    rate of each cell changes them as a size factor of the new RNA does. The labelling ratio is that
    of the corrected counts.
    """
    layers = choose_layers(adata, nt_layers)
    choices = NewChoices(tf_names)
    recipe = Recipe(
        layers,
        gene_filter_rate,
        cell_filter_UMI,
        response,
        regulators,
        gene_symbols,
        choices.obs_columns(covariates),
        detection_rate,
    )
    source = Source.from_anndata(adata, recipe)
    genes = choose_genes(source, choices)
    kept = choose_cells(source, genes, choices)
    tfs, targets = read_matrices(kept)

    index = kept.cells.index
    tf_frame = pd.DataFrame(zscore(tfs), index, kept.tf_names)
    others = {name: zscore(v.astype(float)) for name, v in kept.covariates.predictors.items()}
    tf_matrix = pd.concat([tf_frame, pd.DataFrame(others, index)], axis=1)
    return SciFateInputs(
        tf_matrix.rename_axis(columns="TF"),
        pd.DataFrame(zscore(targets), index, kept.target_names.rename("target")),
        kept.cells,
        kept.genes,
    )


def prepare_moments(
    adata: "AnnData",
    tf_names: Iterable[str] | None = None,
    *,
    nt_layers: Sequence[str] | Literal["auto"] = ("new", "total"),
    gene_filter_rate: float = 0.1,
    cell_filter_UMI: float = 10000,
    response: str = "counts",
    regulators: str = "counts",
    gene_symbols: GeneSymbols = None,
    covariates: Sequence[str] = (),
    detection_rate: float | str | None = None,
    cv: Any = 10,
    groups: str | ArrayLike | None = None,
    random_state: Any = 123456,
    n_repeats: int = 1,
    chunk_size: int | None = None,
    like: SciFateMoments | None = None,
) -> SciFateMoments:
    """Compute the sums for `SciFateRegressor.fit_moments` from an AnnData of any size.

    The cells are read in chunks, and sparse layers stay sparse, so no matrix of cells × genes is
    allocated. The network is that of `prepare_anndata` and `SciFateRegressor.fit`.

    Parameters
    ----------
    adata : AnnData of shape (n_cells, n_genes)
        As for `prepare_anndata`.
    tf_names : iterable of str
        As for `prepare_anndata`; ignored if `like` is given.
    nt_layers, gene_filter_rate, cell_filter_UMI, response, regulators, gene_symbols, covariates, \
            detection_rate
        As for `prepare_anndata`.
    cv : int, splitter or iterable of (train, test), default=10
        Folds of the kept cells, as for `SciFateRegressor`.
    groups : str or array-like of shape (n_cells,), default=None
        Groups (donors, batches) of which no fold holds a part only: a column of ``adata.obs``, or
        one label for each cell. An int as `cv` then means scikit-learn's ``GroupKFold(cv)`` in
        place of R's folds; splitters receive the groups. Cells of a group in a further batch
        (`like`) may be in another fold.
    random_state : int, RandomState or None, default=123456
        Seed of the folds if `cv` is an int. With `groups`, of those of several repeats only.
    n_repeats : int, default=1
        Number of cross-validations with other folds, as for `SciFateRegressor`; with `groups`,
        ``GroupKFold(cv, shuffle=True)``. All are summed in the same pass; the moments take
        `n_repeats` times the memory.
    chunk_size : int, default=None
        Number of cells to read at a time; None for chunks of about 12 MB. Dask arrays keep their
        chunks.
    like : SciFateMoments, default=None
        Moments of an earlier batch of cells, to which this batch will be added. TFs, targets,
        covariates and the unit of the size factors are those of the earlier batch, and no gene
        filter is applied. Levels of covariates that are new in this batch become predictors, which
        are 0 in the cells of the earlier batch; the first level stays that of the earlier batch.

    Returns
    -------
    SciFateMoments
        ``moments``, ``cells``, ``genes``, ``unit``, ``scale``. The results of two batches can be
        added.

    Raises
    ------
    TypeError, ValueError
        As `prepare_anndata`. Also if `groups` is not a column, has a wrong length, names other
        cells, lacks the group of a kept cell, is of mixed type or has fewer groups than folds,
        `chunk_size` is not positive, `like` is not a `SciFateMoments`, or genes of `like` are
        missing.

    Warns
    -----
    UserWarning
        As `prepare_anndata`.

    Notes
    -----
    The layers are read three times: to choose genes, to choose cells and compute size factors, and
    to sum. The sums are those of log(x/s + 0.1) − log 0.1, which is 0 where x is 0; they are
    z-scored afterwards.
    """
    return prepare_cells(
        adata,
        tf_names,
        nt_layers=nt_layers,
        gene_filter_rate=gene_filter_rate,
        cell_filter_UMI=cell_filter_UMI,
        response=response,
        regulators=regulators,
        gene_symbols=gene_symbols,
        covariates=covariates,
        detection_rate=detection_rate,
        cv=cv,
        groups=groups,
        random_state=random_state,
        n_repeats=n_repeats,
        chunk_size=chunk_size,
        like=like,
    ).prepared


def prepare_cells(
    adata: "AnnData",
    tf_names: Iterable[str] | None = None,
    *,
    nt_layers: Sequence[str] | Literal["auto"] = ("new", "total"),
    gene_filter_rate: float = 0.1,
    cell_filter_UMI: float = 10000,
    response: str = "counts",
    regulators: str = "counts",
    gene_symbols: GeneSymbols = None,
    covariates: Sequence[str] = (),
    detection_rate: float | str | None = None,
    cv: Any = 10,
    groups: str | ArrayLike | None = None,
    random_state: Any = 123456,
    n_repeats: int = 1,
    chunk_size: int | None = None,
    like: SciFateMoments | None = None,
) -> KeptCells:
    """Compute the sums as `prepare_moments` does, and keep the cells for further passes.

    `SciFateRegressor.fit_moments` needs one with ``lambda_rule="1se_cells"``, and so does
    `LinkTest.fit_moments`.

    Parameters
    ----------
    adata, tf_names, nt_layers, gene_filter_rate, cell_filter_UMI, response, regulators, \
            gene_symbols, covariates, detection_rate, cv, groups, random_state, n_repeats, \
            chunk_size, like
        As for `prepare_moments`.

    Returns
    -------
    KeptCells
        ``prepared``, the result of `prepare_moments`; ``mask``, whether each cell of `adata` is
        kept. An iteration yields matrices (X, Y) of the kept cells in chunks, z-scored, and can be
        repeated. Layers in a file must stay open for it.

    Raises
    ------
    TypeError, ValueError
        As `prepare_moments`.

    Examples
    --------
    >>> from scifate_sklearn import LinkTest, SciFateRegressor
    >>> from scifate_sklearn.anndata_io import prepare_cells
    >>> from scifate_sklearn.datasets import make_labelled_cells
    >>> cells = make_labelled_cells(n_cells=200, n_tfs=5, n_targets=20, random_state=0)
    >>> kept = prepare_cells(cells.adata, cells.tf_names, cell_filter_UMI=0)
    >>> tested = LinkTest(SciFateRegressor()).fit_moments(kept.prepared.moments, kept)
    >>> tested.links_.columns[-3:].tolist()
    ['t', 't_p', 't_q']
    """
    layers = choose_layers(adata, nt_layers)
    choices = make_choices(tf_names, like)
    recipe = Recipe(
        layers,
        gene_filter_rate,
        cell_filter_UMI,
        response,
        regulators,
        gene_symbols,
        choices.obs_columns(covariates),
        detection_rate,
    )
    folds = Folds(cv, groups, random_state, n_repeats)
    source = Source.from_anndata(adata, recipe, chunk_size)
    kept = choose_cells(source, choose_genes(source, choices), choices)
    return KeptCells(kept, kept_moments(kept, folds.plan(adata, kept.mask)))
