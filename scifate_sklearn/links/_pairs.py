"""Links tables indexed by (TF, target), each pair once."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ._table import check_links, check_named

PAIR = ["TF", "target"]
MODEL_COLUMNS = ("coef", "r2", "lambda_")
# What `combine_links` calls the group of the links that both networks have.
_BOTH = "both"


def links_by_pair(links: object, caller: str) -> pd.DataFrame:
    """Return ``coef`` and, if present, ``r2`` and ``lambda_`` by (TF, target), sorted.

    Raises
    ------
    TypeError, ValueError
        If `links` is not a links table, a name is missing, or two rows of one pair disagree.
    """
    checked = check_named(check_links(links, caller))
    return by_pair(checked, [name for name in MODEL_COLUMNS if name in checked.columns], caller)


def by_pair(table: pd.DataFrame, values: list[str], caller: str) -> pd.DataFrame:
    """Return columns of numbers by (TF, target), sorted, without repeated rows.

    Tables with one row per link and kind of evidence, such as the paper's, repeat the numbers of a
    link.

    Raises
    ------
    ValueError
        If two rows of one pair differ in `values`.
    """
    names = {name: table[name].astype(str) for name in PAIR}
    distinct = table[values].assign(**names).drop_duplicates()
    repeated = distinct[distinct.duplicated(PAIR)]
    if len(repeated):
        tf, target = repeated.iloc[0][PAIR]
        raise ValueError(
            f"{caller}: {len(repeated)} row(s) repeat a pair with different numbers in "
            f"{', '.join(values)}, for example {tf} → {target}. Give each pair once: these may be "
            "links of several fits; compare or combine the fits one by one."
        )
    return distinct.set_index(PAIR)[values].astype("float64").sort_index()


def pair_positions(
    links: pd.DataFrame, targets: NDArray[np.object_], tfs: NDArray[np.object_]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the row and the column of each link in a matrix of all pairs, −1 if it has none.

    Parameters
    ----------
    links : DataFrame
        With the columns ``target`` and ``TF``.
    targets, tfs : ndarray of str
        Names of the rows and of the columns of the matrix.
    """
    target, tf = (
        pd.Index(known).get_indexer(pd.Index(links[name].astype(str)))
        for name, known in (("target", targets), ("TF", tfs))
    )
    return target, tf


def fitted_positions(
    links: pd.DataFrame, targets: NDArray[np.object_], tfs: NDArray[np.object_], caller: str
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the row and the column of each link in a matrix of all pairs of a fit.

    Parameters
    ----------
    links : DataFrame
        Given by a user.
    targets, tfs : ndarray of str
        Names of the rows and of the columns of the matrix.
    caller : str
        Name for error messages.

    Raises
    ------
    TypeError
        If `links` is not a DataFrame.
    ValueError
        If a column is missing, or a name is not one of the fit.
    """
    check_links(links, caller)
    target, tf = pair_positions(links, targets, tfs)
    for name, found in (("TF", tf), ("target", target)):
        if (found < 0).any():
            example = links[name].iloc[int((found < 0).argmax())]
            raise ValueError(
                f"{caller}: `links` has {int((found < 0).sum())} row(s) whose {name} is not one of "
                f"the fit, for example {str(example)!r}. Give the links of the matrices that it "
                "was fitted to."
            )
    return target, tf


def several_groups(table: pd.DataFrame) -> list[Any]:
    """Return the groups of cells if there are several.

    `combine_links` makes one network, whose column ``group`` names the networks that have a link.
    """
    groups = table["group"].dropna().unique().tolist() if "group" in table.columns else []
    is_combined = _BOTH in groups or all(f"coef_{name}" in table.columns for name in groups)
    is_repeated = table[[*PAIR, "coef"]].drop_duplicates().duplicated(PAIR).any()
    return groups if len(groups) > 1 and (is_repeated or not is_combined) else []
