"""Specificity of regulons for groups of cells."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import rel_entr

from ..fitting import check_same_rows, group_labels


def regulon_specificity(activity: pd.DataFrame, groups: ArrayLike) -> pd.DataFrame:
    r"""Return how specific the activity of each TF is for each group of cells.

    Parameters
    ----------
    activity : DataFrame of shape (n_cells, n_tfs)
        Activity of the TFs, such as ``adata.obsm["tf_activity"]``. Only its positive part counts.
        For TFs that are inactive in a group and nowhere else, give ``-activity``.
    groups : array-like of shape (n_cells,)
        Group of each cell, such as ``adata.obs["cell_type"]``.

    Returns
    -------
    DataFrame of shape (n_groups, n_tfs)
        Between 0 and 1: 1 if the TF is equally active in all cells of the group and in no other, 0
        if it is active in none of its cells. NaN for TFs that are not active in any cell. Groups
        are in the order of their categories, otherwise sorted; a row, sorted, ranks the TFs of a
        group.

    Raises
    ------
    TypeError
        If `activity` is not a DataFrame, or the groups are of mixed type.
    ValueError
        If `activity` has no cells or holds values that are not finite numbers, or `groups` names
        other cells, has another length, or lacks the group of a cell.

    Notes
    -----
    For a TF with the activity a and a group with the n cells G [1]_,

    .. math::
        \mathrm{RSS} = 1 - \sqrt{\mathrm{JSD}(p, u)}, \quad p_c = \frac{a_c^+}{\sum_d a_d^+}, \quad
        u_c = [c \in G] / n

    with the Jensen–Shannon divergence in bits, so that its largest value is 1. This is SCENIC's
    ``calcRSS`` in R. pySCENIC's ``regulon_specificity_scores`` takes the natural logarithm: its
    values are :math:`1 - (1 - \mathrm{RSS}) \sqrt{\ln 2}`, in the same order, and at least 0.167.

    The divergence compares distributions over cells, which cannot be negative, as a t statistic of
    `tf_activity` can. A negative one says that the targets are expressed against the signs of the
    links, so that it counts as no activity, a⁺ = max(a, 0). Subtracting the minimum instead would
    make every TF active in nearly all cells, to an extent that one cell decides.

    Large groups have larger values than small ones by chance alone: the uniform distribution over
    all cells is nearer to them. Compare TFs within a group, not groups.

    References
    ----------
    .. [1] Suo et al., "Revealing the critical regulators of cell identity in the Mouse Cell Atlas",
       Cell Reports 25, 2018.

    Examples
    --------
    >>> import pandas as pd
    >>> activity = pd.DataFrame({"MYC": [2.0, 2.0, -1.0, 0.0], "E2F1": [1.0, 1.0, 1.0, 1.0]})
    >>> regulon_specificity(activity, ["a", "a", "b", "b"]).round(2).reset_index()
      group  MYC  E2F1
    0     a  1.0  0.44
    1     b  0.0  0.44
    """
    values = _positive_part(activity)
    check_same_rows(activity, groups, "activity", "groups", "cells")
    labels = group_labels(groups, np.ones(len(values)))
    largest = values.max(axis=0)
    is_active = largest > 0
    # Sums of the largest numbers would overflow.
    shares = values[:, is_active] / largest[is_active]
    shares /= shares.sum(axis=0)
    names = _distinct(groups, labels)
    result = np.full((len(names), len(largest)), np.nan)
    for row, name in zip(result, names, strict=True):
        members = labels == name
        uniform = (members / np.count_nonzero(members))[:, np.newaxis]
        row[is_active] = 1 - np.sqrt(_divergence(shares, uniform))
    return pd.DataFrame(result, pd.Index(names, name="group"), activity.columns)


def _divergence(p: NDArray[np.float64], u: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Jensen–Shannon divergence of columns in bits, between 0 and 1."""
    mixture = (p + u) / 2
    nats = (rel_entr(p, mixture) + rel_entr(u, mixture)).sum(axis=0) / 2
    # Rounding; scipy.spatial.distance.jensenshannon returns NaN then.
    return np.clip(nats / np.log(2), 0, 1)


def _positive_part(activity: object) -> NDArray[np.float64]:
    if not isinstance(activity, pd.DataFrame):
        raise TypeError(
            "`activity` must be a DataFrame of cells × TFs, such as adata.obsm['tf_activity'], got "
            f"{type(activity).__name__}."
        )
    if not len(activity):
        raise ValueError("`activity` has no cells.")
    try:
        values = activity.to_numpy(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"`activity` must hold numbers ({error}).") from error
    is_bad = ~np.isfinite(values).all(axis=1)
    if is_bad.any():
        raise ValueError(
            f"`activity` has values that are not finite in {is_bad.sum():,} of {len(values):,} "
            f"cells, the first of them in row {is_bad.argmax()}; leave out these cells, also of "
            "`groups`."
        )
    return np.maximum(values, 0)


def _distinct(groups: Any, labels: NDArray[Any]) -> list[Any]:
    """Return the groups that have cells, in the order of their categories or sorted."""
    found = np.unique(labels).tolist()
    dtype = getattr(groups, "dtype", None)
    if not isinstance(dtype, pd.CategoricalDtype):
        return found
    return [each for each in dtype.categories.tolist() if each in set(found)]
