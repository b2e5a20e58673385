"""Tables with one row per link: those of decoupler and SCENIC, and all columns."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeAlias

import pandas as pd

from ._edges import checked_links, coefs_by_pair

Writer: TypeAlias = Callable[[pd.DataFrame, Path], None]


def to_decoupler(links: pd.DataFrame) -> pd.DataFrame:
    """Return links as a network of decoupler, whose weights are the coefficients.

    Parameters
    ----------
    links : DataFrame
        Links table of one network, with at least ``TF``, ``target`` and ``coef``. Rows that repeat
        a link with the same coefficient count once.

    Returns
    -------
    DataFrame
        ``source`` (the TF), ``target`` and ``weight`` (the signed coefficient), for instance for
        ``decoupler.mt.ulm(data, net)``.

    Raises
    ------
    TypeError, ValueError
        If `links` is not a links table, has no rows, lacks a name, has several groups, or repeats a
        pair with different coefficients.
    """
    table = coefs_by_pair(links, "to_decoupler")
    return table.rename(columns={"TF": "source", "coef": "weight"})


def to_scenic(links: pd.DataFrame) -> pd.DataFrame:
    """Return links as adjacencies of SCENIC, largest importance first.

    Parameters
    ----------
    links : DataFrame
        As for `to_decoupler`.

    Returns
    -------
    DataFrame
        ``TF``, ``target`` and ``importance``, the absolute coefficient: adjacencies have no sign,
        and pySCENIC finds it again from the correlation of the two genes.

    Raises
    ------
    TypeError, ValueError
        As `to_decoupler`.
    """
    table = coefs_by_pair(links, "to_scenic")
    table = table.assign(importance=table.pop("coef").abs())
    return table.sort_values("importance", ascending=False, kind="stable", ignore_index=True)


def all_columns(links: pd.DataFrame) -> pd.DataFrame:
    """Return all rows and columns."""
    return checked_links(links, "export_links")


def table_writers(build: Callable[[pd.DataFrame], pd.DataFrame]) -> dict[str, Writer]:
    """Return functions that write a table made of the links, by the suffix of the file."""
    return {
        ".csv": partial(_write_text, build, ","),
        ".tsv": partial(_write_text, build, "\t"),
        ".parquet": partial(write_parquet, build),
    }


def write_parquet(
    build: Callable[[pd.DataFrame], pd.DataFrame], links: pd.DataFrame, path: Path
) -> None:
    """Write a table made of the links to a parquet file.

    Raises
    ------
    ImportError
        If pyarrow is not installed.
    """
    table = build(links)
    try:
        table.to_parquet(path, engine="pyarrow")
    except ImportError as error:
        raise ImportError(
            "export_links: writing parquet requires pyarrow, which the extra `parquet` installs: "
            "pip install 'scifate_sklearn[parquet]'."
        ) from error


def _write_text(
    build: Callable[[pd.DataFrame], pd.DataFrame], separator: str, links: pd.DataFrame, path: Path
) -> None:
    table = build(links)
    table.to_csv(path, sep=separator, index=table.index.name is not None)
