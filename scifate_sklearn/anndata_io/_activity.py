"""Activity of TFs in each cell, by decoupler's univariate linear model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._warnings import warn
from ..links import by_pair, check_links, check_named, several_groups
from ..names import examples, require_common
from ._chunks import Floats
from ._expression import Expression
from ._names import GeneSymbols, Names

if TYPE_CHECKING:
    from anndata import AnnData

# Of the table with the adjusted p-values.
Q_SUFFIX = "_q"
# A straight line through two points has no residuals.
_FEWEST_GENES = 3


class TFActivity(NamedTuple):
    """Activity of TFs in cells, as `tf_activity` returns it.

    Attributes
    ----------
    activity : DataFrame of shape (n_cells, n_tfs)
        t statistics: positive where the targets are expressed as the signs of the links predict,
        negative where they are expressed in the opposite way, near 0 where neither is the case.
    q : DataFrame of shape (n_cells, n_tfs)
        Two-sided p-values, adjusted over the TFs of each cell by Benjamini and Hochberg's method.
    """

    activity: pd.DataFrame
    q: pd.DataFrame


def tf_activity(
    adata: AnnData,
    links: pd.DataFrame,
    *,
    layer: str | None = None,
    min_targets: int = 5,
    gene_symbols: GeneSymbols = None,
    key_added: str | None = "tf_activity",
) -> TFActivity:
    r"""Compute the signed activity of each TF in each cell from the expression of its targets.

    Requires decoupler: ``pip install 'scifate_sklearn[activity]'``.

    Parameters
    ----------
    adata : AnnData of shape (n_cells, n_genes)
        Cells in any storage that `prepare_anndata` reads, also others than those of the links.
        ``obsm`` gets two tables, unless `key_added` is None; nothing else is modified.
    links : DataFrame
        Links table of one network, with at least ``TF``, ``target`` and ``coef``: ``links_``, what
        filters keep, or the result of `combine_links`. Rows that repeat a link with the same
        ``coef`` count once, and links with ``coef`` 0 do not count.
    layer : str or None, default=None
        Matrix with log-normalised expression of all genes: ``"X"``, the name of a layer, or
        ``"raw/X"``. None takes `X` if a sample of its cells shows logarithms, otherwise the only
        other matrix that does. A matrix with negative numbers, such as z-scores, is used only if it
        is named.
    min_targets : int, default=5
        TFs with fewer targets among the genes of `adata` get no activity (decoupler's ``tmin``).
    gene_symbols : str, mapping, DataFrame, path-like or None, default=None
        Names of the genes in `links`, as for `prepare_anndata`.
    key_added : str or None, default="tf_activity"
        Key of ``adata.obsm`` for the activity; ``_q`` is appended for the adjusted p-values. None
        leaves `adata` as it is.

    Returns
    -------
    TFActivity
        ``activity`` and ``q``, with the TFs in the order of their names. Both are NaN in cells
        whose genes all have the same value.

    Raises
    ------
    ImportError
        If decoupler is not installed.
    TypeError
        If `adata` is not an AnnData, `links` is not a DataFrame, or `layer` or `key_added` is not a
        text.
    ValueError
        If `links` is not a links table, has a column ``group`` with several groups of cells, or
        repeats a pair with different ``coef``; if the expression holds raw counts, or values that
        are not finite; if no matrix holds logarithms, or several do and none is named; if no target
        is a gene of `adata`, fewer than three genes are expressed, or no TF has enough targets.

    Warns
    -----
    UserWarning
        If TFs or cells get no activity, all links have the same ``coef``, a named matrix does not
        seem to hold logarithms, or genes share a name (that with the largest sum is used).

    Notes
    -----
    With the expression y of the m genes that are found in any cell, and the weights w of a TF (the
    ``coef`` of its targets, 0 for all other genes), the activity in a cell is the t statistic of
    the slope of the regression of y on w over the genes,

    .. math:: t = r \sqrt{\frac{m - 2}{1 - r^2}}

    where r is the correlation of y and w [1]_. It depends on which genes `adata` has. TFs are
    tested one by one, so that TFs with common targets have similar activities. The p-values take
    genes as independent, which they are not; they rank, but do not control an error rate.

    The sign comes from the links: a TF whose targets are repressed has a high activity where they
    are low. Its own expression is not used. Without signs (all ``coef`` positive, such as
    importances), targets that are repressed count against the activity.

    References
    ----------
    .. [1] Badia-i-Mompel et al., "decoupleR: ensemble of computational methods to infer biological
       activities from omics data", Bioinformatics Advances 2, 2022.
    """
    _check_options(layer, min_targets, key_added)
    weights = _read_weights(links)
    ulm = _import_ulm()
    expression = Expression.from_anndata(adata, layer, gene_symbols)
    regulons = _Regulons.from_weights(weights, expression.names, int(min_targets))
    result = _in_chunks(expression, regulons, ulm, adata.obs_names)
    if key_added is not None:
        adata.obsm[key_added] = result.activity
        adata.obsm[key_added + Q_SUFFIX] = result.q
    return result


def _check_options(layer: Any, min_targets: Any, key_added: Any) -> None:
    if not isinstance(min_targets, Integral) or min_targets < 1:
        raise ValueError(f"`min_targets` must be a number of genes from 1, got {min_targets!r}.")
    for name, value in (("layer", layer), ("key_added", key_added)):
        if value is not None and not isinstance(value, str):
            raise TypeError(f"`{name}` must be a text or None, got {value!r}.")


def _import_ulm() -> Callable[..., Any]:
    try:
        # It takes seconds to import.
        from decoupler.mt import ulm
    except ImportError as error:
        raise ImportError(
            "tf_activity requires decoupler 2, which the extra `activity` installs: pip install "
            f"'scifate_sklearn[activity]' ({error})."
        ) from error
    function: Callable[..., Any] = ulm
    return function


def _read_weights(links: object) -> pd.DataFrame:
    """Return ``TF``, ``target`` and ``coef`` of the links whose coefficient is not 0."""
    caller = "tf_activity"
    table = check_named(check_links(links, caller))
    table = table[table["coef"] != 0]
    if not len(table):
        raise ValueError(f"{caller}: `links` has no row with a `coef` other than 0.")
    groups = several_groups(table)
    if groups:
        raise ValueError(
            f"{caller}: `links` has several groups ({examples(groups, 3)}), each with a network of "
            "its own. Give the links of one group, links[links['group'] == ...], and only its "
            "cells; if all are of one network, drop the column `group`."
        )
    weights = by_pair(table, ["coef"], caller).reset_index()
    first = weights["coef"].iloc[0]
    if len(weights) > 1 and weights["coef"].eq(first).all():
        warn(
            f"All links have the `coef` {first:g}, so that activity is that of "
            "sets of targets without signs: repressed targets count as activated ones."
        )
    return weights


@dataclass(frozen=True)
class _Regulons:
    """Weights of the targets of each TF, by positions.

    Attributes
    ----------
    tfs : ndarray of str of shape (n_tfs,)
    tf, gene : ndarray of int of shape (n_links,)
        Positions among the TFs and among the genes.
    weight : ndarray of shape (n_links,)
    """

    tfs: Names
    tf: NDArray[np.intp]
    gene: NDArray[np.intp]
    weight: Floats

    @classmethod
    def from_weights(cls, weights: pd.DataFrame, genes: Names, min_targets: int) -> _Regulons:
        """Find the targets among the genes, and keep the TFs that have enough of them."""
        require_common(
            weights["target"], genes, "`links`", "the expressed genes of adata", what="target"
        )
        if len(genes) < _FEWEST_GENES:
            raise ValueError(
                f"adata has {len(genes)} expressed genes; a regression over genes needs at least "
                f"{_FEWEST_GENES}. Give all genes of the cells."
            )
        gene = pd.Index(genes).get_indexer(pd.Index(weights["target"]))
        found = weights.assign(gene=gene)[gene >= 0]
        by_tf = found.groupby("TF")["coef"]
        # Weights that are the same for all genes have no slope.
        has_slope = ~(by_tf.nunique().eq(1) & by_tf.size().eq(len(genes)))
        n_targets = by_tf.size().where(has_slope, 0)
        every = n_targets.reindex(sorted(weights["TF"].unique()), fill_value=0)
        tfs = every.index[every >= min_targets]
        _report_dropped(every, min_targets, f"{len(found):,} of {len(weights):,}")
        used = found[found["TF"].isin(tfs)]
        return cls(
            tfs.to_numpy(object),
            tfs.get_indexer(pd.Index(used["TF"])),
            used["gene"].to_numpy(np.intp),
            used["coef"].to_numpy(np.float64),
        )

    def network(self) -> pd.DataFrame:
        """Return the network in decoupler's columns, with positions instead of names.

        decoupler copies all names to arrays of the width of the longest, which a file chooses.
        """
        return pd.DataFrame(
            {"source": self.tf.astype(str), "target": self.gene.astype(str), "weight": self.weight}
        )


def _report_dropped(n_targets: pd.Series[int], least: int, n_found: str) -> None:
    """Warn of the TFs with too few targets, or raise if all have too few."""
    few = n_targets[n_targets < least]
    found = f"{n_found} links have a target among the expressed genes of adata"
    if len(few) == len(n_targets):
        raise ValueError(
            f"None of the {len(n_targets):,} TFs of `links` has the {least} targets that "
            f"`min_targets` requires ({found}; the most are {n_targets.max()}). Give all genes of "
            "the cells, or lower `min_targets`."
        )
    if len(few):
        warn(
            f"{len(few):,} of {len(n_targets):,} TFs get no activity, because they have fewer than "
            f"{least} targets (`min_targets`): {examples(list(few.index))}; {found}."
        )


def _in_chunks(
    expression: Expression, regulons: _Regulons, ulm: Callable[..., Any], cells: pd.Index
) -> TFActivity:
    """Compute the activity of ranges of cells, and join them."""
    network = regulons.network()
    shape = len(cells), len(regulons.tfs)
    scores, q = np.full(shape, np.nan), np.full(shape, np.nan)
    for rows, values in expression.chunks():
        varies = np.ptp(values, axis=1) > 0
        if varies.any():
            at = rows.start + np.flatnonzero(varies)
            scores[at], q[at] = _score(values[varies], network, ulm)
    n_without = int(np.isnan(scores[:, 0]).sum())
    if n_without:
        warn(
            f"{n_without:,} of {len(cells):,} cells get no activity (NaN), because all their genes "
            "have the same value."
        )
    activity, adjusted = (
        pd.DataFrame(table, cells, pd.Index(regulons.tfs, name="TF")) for table in (scores, q)
    )
    return TFActivity(activity, adjusted)


def _score(values: Floats, network: pd.DataFrame, ulm: Callable[..., Any]) -> tuple[Floats, Floats]:
    """Return activity and adjusted p-values (n_cells, n_tfs) of cells, by decoupler."""
    n_cells, n_genes = values.shape
    data = [values, np.arange(n_cells).astype(str), np.arange(n_genes).astype(str)]
    # Genes and TFs have been chosen among all cells, not those of this chunk.
    scores, q = ulm(data, network, tmin=1, empty=False)
    order = [str(tf) for tf in range(scores.shape[1])]
    return scores[order].to_numpy(), q[order].to_numpy()
