"""The links of a network that a picture shows, and those that it leaves out."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

import pandas as pd

from ._names import as_label


@dataclass(frozen=True)
class ChosenLinks:
    """Links that are drawn.

    Attributes
    ----------
    links : DataFrame
        In descending order of |coef|.
    what : str
        Which links they are.
    left_out : str
        Numbers of the links, TFs and targets that are not drawn; "" if all are.
    """

    links: pd.DataFrame
    what: str
    left_out: str


def choose(
    table: pd.DataFrame, around: str | None, top: int | None, tfs: int | None, only_tfs: bool
) -> ChosenLinks:
    """Return the links that `network` draws.

    Raises
    ------
    ValueError
        If no link is left, or there is no gene `around`.
    """
    known = set(table["TF"])
    ordered = table.sort_values("coef", key=abs, ascending=False, kind="stable")
    own = ordered[ordered["TF"] != ordered["target"]]
    if only_tfs:
        own = own[own["target"].isin(known)]
    if around is None:
        strength = own["coef"].abs().groupby(own["TF"]).sum()
        strongest = strength.sort_values(ascending=False, kind="stable").index[:tfs]
        chosen = own[own["TF"].isin(strongest)].groupby("TF", sort=False).head(top or len(own))
    else:
        require_gene(table, around)
        of, to = own[own["TF"] == around], own[own["target"] == around]
        chosen = pd.concat([of.head(top or len(own)), to.head(top or len(own))])
    if not len(chosen):
        raise ValueError(
            "`links` has no link to draw: "
            + (
                "none leads from a TF to another TF (`only_tfs`)"
                if only_tfs
                else "all are of genes with themselves"
            )
            + (f", at {around!r}." if around is not None else ".")
        )
    chosen = chosen.sort_values("coef", key=abs, ascending=False, kind="stable")
    what = _description(chosen, around, top, only_tfs)
    return ChosenLinks(chosen, what, _left_out(table, chosen))


def require_gene(table: pd.DataFrame, gene: str) -> None:
    """Raise ValueError if a gene is neither a TF nor a target of the links."""
    names = set(table["TF"]) | set(table["target"])
    if gene not in names:
        close = get_close_matches(str(gene), names, n=3)
        hint = f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
        raise ValueError(f"`around` must be a TF or target of `links`, got {gene!r}.{hint}")


def _description(chosen: pd.DataFrame, around: str | None, top: int | None, only_tfs: bool) -> str:
    kind = "links between TFs" if only_tfs else "links"
    if around is not None:
        n_targets = int((chosen["TF"] == around).sum())
        n_tfs = int((chosen["target"] == around).sum())
        most = "" if top is None else f" (at most {top:,} strongest of each)"
        return f"{as_label(around)}: {n_tfs:,} regulators, {n_targets:,} targets{most}"
    n_tfs = chosen["TF"].nunique()
    most = "all" if top is None else f"at most {top:,} strongest"
    return f"{len(chosen):,} {kind}: {most} of each of {n_tfs:,} TFs"


def _left_out(table: pd.DataFrame, chosen: pd.DataFrame) -> str:
    """Return how much is not drawn."""
    drawn = set(chosen["TF"]) | set(chosen["target"])
    counts = {
        "links": (len(table) - len(chosen), len(table)),
        "TFs": (len(set(table["TF"]) - drawn), table["TF"].nunique()),
        "targets": (len(set(table["target"]) - drawn), table["target"].nunique()),
    }
    parts = [f"{n:,} of {of:,} {what}" for what, (n, of) in counts.items() if n]
    return f"not drawn: {', '.join(parts)}" if parts else ""
