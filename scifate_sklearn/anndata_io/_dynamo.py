"""Drop-in replacement of dynamo's `scifate_glmnet`."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..datasets import DYNAMO_ENCODE_URL, DYNAMO_TF_ANNOTATIONS_URL, fetch_file
from ..filters import BindingReference, EncodeLinkFilter
from ..names import read_tf_names
from ..regressor import SciFateRegressor
from ._prepare import prepare_anndata

if TYPE_CHECKING:
    from anndata import AnnData

MOTIF_REF = DYNAMO_TF_ANNOTATIONS_URL
TF_LINK_ENCODE_REF = DYNAMO_ENCODE_URL


def scifate_glmnet(
    adata: "AnnData",
    gene_filter_rate: float = 0.1,
    cell_filter_UMI: float = 10000,
    core_n_lasso: int = 1,
    core_n_filtering: int = 1,
    motif_ref: str | os.PathLike[str] = MOTIF_REF,
    TF_link_ENCODE_ref: str | os.PathLike[str] = TF_LINK_ENCODE_REF,
    nt_layers: Sequence[str] | Literal["auto"] = ("X_new", "X_total"),
) -> "AnnData":
    """Infer TF → target links with the signature of ``dynamo.ext.scifate_glmnet``.

    For other options (velocities, other rules, other filters), use `prepare_anndata`,
    `SciFateRegressor` and `EncodeLinkFilter`.

    Parameters
    ----------
    adata : AnnData of shape (n_cells, n_genes)
        Cells with two layers of counts. The columns ``gene_short_name``, ``gene_id`` and
        ``gene_type`` of ``adata.var`` give the symbols, ids and types of the genes. Without these
        columns, ``adata.var_names`` are used as symbols and ids, and types are empty. The results
        are stored in ``adata.uns["scifate"]``; nothing else is modified.
    gene_filter_rate : float, default=0.1
        Keep genes with counts in more than this fraction of the cells, in both layers.
    cell_filter_UMI : float, default=10000
        Keep cells whose total counts over the kept genes exceed this.
    core_n_lasso : int, default=1
        Number of cores for the regressions.
    core_n_filtering : int, default=1
        Ignored, as in dynamo.
    motif_ref : path-like or URL
        TF names: a table with a column ``TF``, or a list with one name in each line. Downloads are
        cached.
    TF_link_ENCODE_ref : path-like or URL
        ChIP-seq evidence in a format that `BindingReference.read` supports. dynamo's table has the
        columns ``id``, ``linked_gene_name`` and ``peak``. Downloads are cached.
    nt_layers : (str, str) or "auto", default=("X_new", "X_total")
        Layers of new and total (or unspliced and spliced) counts, or "auto" as for
        `prepare_anndata`. After dynamo's preprocessing, the default layers hold normalised counts,
        which a warning says; ``("new", "total")`` are the raw ones.

    Returns
    -------
    AnnData
        `adata` itself, with two DataFrames in ``uns["scifate"]``:

        - ``glmnet_res``: ``id`` (TF symbol), ``corcoef``, ``r_squre``, ``linked_gene`` (name in
          ``adata.var_names``);
        - ``glmnet_chip_filter``: ``TF``, ``linked_gene`` (symbol), ``Conf`` ("Chip_peak"),
          ``linked_gene_id``, ``linked_gene_type``, ``corcoef``, ``r_2``, ``TF_link`` ("TF_target").

    Raises
    ------
    FileNotFoundError, OSError
        If a reference is not found or cannot be downloaded.
    TypeError, ValueError
        As `prepare_anndata`, `BindingReference.read`, `SciFateRegressor` and `EncodeLinkFilter`. If
        only the filter fails, ``glmnet_res`` has already been stored.

    Notes
    -----
    Differences to dynamo (release 1.4) that follow R's published pipeline:

    - a TF is never a regulator of itself (dynamo compares with the letters of its name);
    - coefficients are those of glmnet, not divided by √n, so the threshold of 0.04 is that of the
      paper;
    - size factors are computed from the named layers after both filters, and the labelling rate
      from the same layers, not from layers called "total" and "new";
    - folds are those of R's ``set.seed(123456)``, not the cell number modulo 10;
    - p-values are corrected by Holm's method, and there is no fallback to the 1000 largest links if
      few exceed 0.04;
    - covariates are z-scored with ddof 1;
    - ``glmnet_res`` contains non-zero coefficients of TFs only; dynamo adds zeros and covariates.

    Further differences: layers may be dense, CSR or CSC. Of genes that share a name, only the one
    with the largest total count is kept; none is renamed. Nothing is printed. Negative counts raise
    an error instead of becoming NaN. ``adata.var`` is not modified, and ``adata.write_h5ad`` works
    on the result.
    """
    tf_names = read_tf_names(fetch_file(motif_ref))
    reference = BindingReference.read(fetch_file(TF_link_ENCODE_ref))
    tf_matrix, target_matrix, _, genes = prepare_anndata(
        adata,
        tf_names,
        nt_layers=nt_layers,
        gene_filter_rate=gene_filter_rate,
        cell_filter_UMI=cell_filter_UMI,
        gene_symbols="gene_short_name" if "gene_short_name" in adata.var.columns else None,
    )
    links = SciFateRegressor(n_jobs=core_n_lasso).fit(tf_matrix, target_matrix).links_
    annotation = _annotate(adata.var, genes["position"])
    # Stored before filtering, so that the regression is not lost if the reference does not match.
    adata.uns["scifate"] = {"glmnet_res": _raw_links(links, annotation)}
    kept = EncodeLinkFilter(reference).fit(links).transform(links)
    adata.uns["scifate"]["glmnet_chip_filter"] = _filtered_links(kept, annotation)
    return adata


def _annotate(var: pd.DataFrame, position: "pd.Series[int]") -> pd.DataFrame:
    """Return name, id and type of the genes in these rows of `var`, as strings by symbol."""
    rows = var.iloc[position]
    unknown = {"gene_id": rows.index, "gene_type": [""] * len(rows)}
    columns = {"var_name": rows.index} | {
        name: rows[name].astype(object).fillna("") if name in rows else default
        for name, default in unknown.items()
    }
    return pd.DataFrame(
        {name: np.asarray(column).astype(str).astype(object) for name, column in columns.items()},
        index=position.index,
    )


def _raw_links(links: pd.DataFrame, annotation: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": _strings(links["TF"]),
            "corcoef": links["coef"].to_numpy(),
            "r_squre": links["r2"].to_numpy(),
            "linked_gene": _strings(annotation.loc[links["target"], "var_name"]),
        }
    )


def _filtered_links(links: pd.DataFrame, annotation: pd.DataFrame) -> pd.DataFrame:
    targets = annotation.loc[links["target"]]
    return pd.DataFrame(
        {
            "TF": _strings(links["TF"]),
            "linked_gene": _strings(links["target"]),
            "Conf": ["Chip_peak"] * len(links),
            "linked_gene_id": _strings(targets["gene_id"]),
            "linked_gene_type": _strings(targets["gene_type"]),
            "corcoef": links["coef"].to_numpy(),
            "r_2": links["r2"].to_numpy(),
            "TF_link": _strings(links["TF"] + "_" + links["target"]),
        }
    )


def _strings(column: "pd.Series[str]") -> NDArray[np.object_]:
    """Return an array of plain strings, which all versions of anndata can write."""
    return column.to_numpy(dtype=object)
