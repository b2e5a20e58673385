"""Regulons: the targets that each TF activates, and those that it represses."""

import json
import re
from pathlib import Path

import pandas as pd

from ._edges import coefs_by_pair, require_signs

ACTIVATED, REPRESSED = "(+)", "(-)"
# Readers of GMT files take these for comments, and what follows a comma for a weight.
_MISREAD = re.compile(r"^[#%!]|,")


def to_regulons(links: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Return the targets of each TF, those it activates apart from those it represses.

    Parameters
    ----------
    links : DataFrame
        Links table of one network, with at least ``TF``, ``target`` and ``coef``. Rows that repeat
        a link with the same coefficient count once.

    Returns
    -------
    dict of dict
        The coefficient of each target, by the name of the regulon, as in SCENIC: ``TF(+)`` for
        positive coefficients, ``TF(-)`` for negative ones.

    Raises
    ------
    TypeError, ValueError
        If `links` is not a links table, has no rows, lacks a name, has several groups or a
        coefficient of 0, or repeats a pair with different coefficients.

    Examples
    --------
    >>> import pandas as pd
    >>> links = pd.DataFrame({"TF": ["MYC"] * 2, "target": ["NCL", "CDK4"], "coef": [0.5, -0.25]})
    >>> to_regulons(links)
    {'MYC(+)': {'NCL': 0.5}, 'MYC(-)': {'CDK4': -0.25}}
    """
    return _regulons(links, "to_regulons")


def write_gmt(links: pd.DataFrame, path: Path) -> None:
    """Write a line for each regulon: name, "activated" or "repressed", targets."""
    regulons = _regulons(links, "export_links")
    lines = []
    for name, targets in regulons.items():
        if misread := next((each for each in (name, *targets) if _MISREAD.search(each)), None):
            raise ValueError(
                f"export_links: programs misread the name {misread!r} in a GMT file, because of "
                "its comma, or #, % or ! at its beginning; rename it."
            )
        # One word: some readers split lines at blanks.
        direction = "activated" if name.endswith(ACTIVATED) else "repressed"
        lines.append("\t".join([name, direction, *targets]) + "\n")
    path.write_text("".join(lines), encoding="utf-8", newline="\n")


def write_regulons_json(links: pd.DataFrame, path: Path) -> None:
    """Write `to_regulons` as JSON."""
    text = json.dumps(_regulons(links, "export_links"), indent=1)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def _regulons(links: pd.DataFrame, caller: str) -> dict[str, dict[str, float]]:
    table = coefs_by_pair(links, caller)
    require_signs(table["coef"], caller)
    found: dict[str, dict[str, float]] = {}
    for tf, rows in table.groupby("TF", sort=False):
        for sign, is_kept in ((ACTIVATED, rows["coef"] > 0), (REPRESSED, rows["coef"] < 0)):
            if is_kept.any():
                kept = rows[is_kept]
                pairs = zip(kept["target"], kept["coef"].tolist(), strict=True)
                found[f"{tf}{sign}"] = dict(pairs)
    return found
