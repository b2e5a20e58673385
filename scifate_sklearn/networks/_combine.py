"""Union of two networks, as published for total and new RNA."""

import numpy as np
import pandas as pd

from ..links import PAIR, links_by_pair

BOTH = "both"


def combine_links(
    full: pd.DataFrame, new: pd.DataFrame, *, names: tuple[str, str] = ("Full", "New")
) -> pd.DataFrame:
    """Unite two networks, in the paper those of full (total) and of new RNA.

    Parameters
    ----------
    full, new : DataFrame
        Links tables, with at least ``TF``, ``target`` and ``coef``. Rows that repeat a link with
        the same numbers, as tables with one row per kind of evidence do, count once.
    names : (str, str), default=("Full", "New")
        Names of the two networks.

    Returns
    -------
    DataFrame
        A links table, one row per link of either network, sorted by ``TF`` and ``target``:

        ==============  ======================================================================
        ``coef``        mean over the networks that have the link
        ``r2``          mean likewise, if one of the tables has the column
        ``lambda_``     mean likewise; for a link in both networks it is not the penalty of a model
        ``group``       the name of the network that has the link, or "both"
        ``coef_Full``   the coefficient in each network, NaN if the network lacks the link; the
        ``coef_New``    columns are named after `names`
        ==============  ======================================================================

        Other columns, such as evidence, belong to one network and are dropped: filter the combined
        links again, or join by ``TF`` and ``target``.

    Raises
    ------
    TypeError, ValueError
        If `full` or `new` is not a links table or repeats a pair with different numbers, or if
        `names` are not two different texts.

    Notes
    -----
    The mean is that of the published R function ``Combine_links``. Coefficients of opposite sign
    cancel: inspect both coefficients where ``group`` is "both" (`compare_links` counts such links).

    Unlike this function, R reads and writes files (``df_TF.csv`` is the two tables stacked,
    ``df_TF_unique.csv`` is the result here), prints the numbers of links and the correlation test
    (`compare_links` returns them), and keeps ids and types of genes. R's result does not contain
    the network of a link.

    Examples
    --------
    >>> import pandas as pd
    >>> full = pd.DataFrame({"TF": ["MYC"], "target": ["NCL"], "coef": [0.25]})
    >>> new = pd.DataFrame({"TF": ["MYC", "E2F1"], "target": ["NCL", "CDK4"], "coef": [0.75, 0.5]})
    >>> combine_links(full, new)[["TF", "target", "coef", "group"]]
         TF target  coef group
    0  E2F1   CDK4   0.5   New
    1   MYC    NCL   0.5  both
    """
    first, second = _check_names(names)
    ours = links_by_pair(full, "combine_links (full)")
    theirs = links_by_pair(new, "combine_links (new)")
    means = pd.concat([ours, theirs]).groupby(PAIR).mean()
    coefs = {
        f"coef_{name}": table["coef"].reindex(means.index)
        for name, table in ((first, ours), (second, theirs))
    }
    in_first, in_second = (column.notna().to_numpy() for column in coefs.values())
    group = np.where(in_first & in_second, BOTH, np.where(in_first, first, second))
    return means.assign(group=group.astype(object), **coefs).reset_index()


def _check_names(names: tuple[str, str]) -> tuple[str, str]:
    given = (names,) if isinstance(names, str) else tuple(names)
    is_text = all(isinstance(name, str) and name != BOTH for name in given)
    if len(given) != 2 or len(set(given)) != 2 or not is_text:
        raise ValueError(
            f"`names` must be two different texts, none of them {BOTH!r}, got {names!r}."
        )
    return given
