"""Coefficients of TFs and targets as a clustered heat map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..links import PROBABILITY_COLUMNS
from ..names import as_flags
from ._fitted import checked_links
from ._names import as_label
from ._style import DARK, check_count, diverging, inches, require, styled

_SIGNIFICANT = 0.1
# They fit into each other, from the inside outwards: marks of one pair have one place.
_MARKERS = (("o", 1.5), ("$○$", 9.0), ("$□$", 16.0), ("$◇$", 26.0))
# Columns of evidence that the estimators and filters of this package append.
_EVIDENCE = ("q", "t_q", "chip_peak", "motif")


def link_heatmap(
    links: pd.DataFrame,
    *,
    tfs: int | None = 20,
    targets: int | None = 40,
    evidence: str | list[str] | tuple[str, ...] | None = None,
) -> Any:
    """Draw the coefficients of TFs × targets, clustered, with marks for evidence.

    The colours are centred on 0. Rows and columns are ordered by average linkage of their Euclidean
    distances, with pairs without a link as 0. Of large networks the TFs with the largest sum of
    |coef| are drawn, and the targets with the largest sum over these TFs; the title tells how many
    there are. A cell is 2.7 mm wide: 12 targets fit into one column of a journal, 45 into two.

    Parameters
    ----------
    links : DataFrame
        A links table, with at least ``TF``, ``target`` and ``coef``.
    tfs, targets : int or None
        Largest numbers of rows and columns; None means all.
    evidence : str or list of str, default=None
        Columns of `links` that are marked, at most four: those of probabilities (``q``, ``t_q``,
        ``chip_q``, ...) where they are at most 0.1, flags (``chip_peak``) where they are true, and
        texts (``motif``) where there is one. None means those of ``q``, ``t_q``, ``chip_peak`` and
        ``motif`` that `links` has; an empty list means no marks.

    Returns
    -------
    marsilea.Heatmap
        Rendered. `save` writes it to a file.

    Raises
    ------
    TypeError, ValueError
        If `links` is not a links table or has no links, or lacks a column of `evidence`.
    ImportError
        If matplotlib or marsilea is not installed.
    """
    for name, count in (("tfs", tfs), ("targets", targets)):
        check_count(name, count)
    table = checked_links(links, "link_heatmap")
    marked = _evidence_columns(table, evidence)
    matrix = _matrix(table, tfs, targets)
    flags = {name: _flags(table, name, matrix) for name in marked}
    with styled() as scale:
        board = _board(matrix, flags, scale)
        n_tfs, n_targets = table["TF"].nunique(), table["target"].nunique()
        board.add_title(
            f"{len(matrix):,} of {n_tfs:,} TFs × {matrix.shape[1]:,} of {n_targets:,} targets",
            align="left", fontsize=7 * scale, pad=0.05 * scale,
        )  # fmt: skip
        board.render()
    return board


def _evidence_columns(table: pd.DataFrame, evidence: object) -> list[str]:
    if evidence is None:
        return [name for name in _EVIDENCE if name in table.columns]
    wanted = [evidence] if isinstance(evidence, str) else list(evidence)  # type: ignore[call-overload]
    missing = [name for name in wanted if name not in table.columns]
    if missing or len(wanted) > len(_MARKERS):
        raise ValueError(
            f"`evidence` must name at most {len(_MARKERS)} columns of `links` "
            f"({', '.join(map(str, table.columns))}), got {wanted!r}."
        )
    return wanted


def _matrix(table: pd.DataFrame, tfs: int | None, targets: int | None) -> pd.DataFrame:
    """Return the coefficients (TFs × targets) of the strongest TFs and of their targets."""
    sizes = table.assign(size=table["coef"].abs())
    strongest = sizes.groupby("TF")["size"].sum().sort_values(ascending=False, kind="stable")
    own = sizes[sizes["TF"].isin(strongest.index[:tfs])]
    most = own.groupby("target")["size"].sum().sort_values(ascending=False, kind="stable")
    own = own[own["target"].isin(most.index[:targets])]
    return own.pivot_table(index="TF", columns="target", values="coef").fillna(0.0)


def _flags(table: pd.DataFrame, name: str, matrix: pd.DataFrame) -> NDArray[np.bool_]:
    """Return whether each pair of the matrix has a kind of evidence."""
    values = table[name]
    if name in PROBABILITY_COLUMNS or name.endswith(("_q", "_p")):
        has = pd.to_numeric(values, errors="coerce").le(_SIGNIFICANT)
    else:
        known = values.astype(object).where(values.notna(), False)
        try:
            has = pd.Series(as_flags(known), table.index)
        except ValueError:  # a text, such as the name of a motif
            has = values.notna() & values.astype(str).str.strip().ne("")
    is_marked = table.loc[has.fillna(False).to_numpy(bool)]
    flags = np.zeros(matrix.shape, bool)
    row = matrix.index.get_indexer(pd.Index(is_marked["TF"]))
    column = matrix.columns.get_indexer(pd.Index(is_marked["target"]))
    inside = (row >= 0) & (column >= 0)
    flags[row[inside], column[inside]] = True
    return flags


def _board(matrix: pd.DataFrame, flags: Mapping[str, NDArray[np.bool_]], scale: float) -> Any:
    """Return the board, not rendered."""
    marsilea, plotter = require("marsilea"), require("marsilea.plotter")
    limit = float(matrix.abs().to_numpy().max())
    height, width = (inches(2.7) * scale * max(n, 3) for n in matrix.shape)
    board = marsilea.Heatmap(
        matrix.to_numpy(), cmap=diverging(), vmin=-limit, vmax=limit, width=width, height=height,
        linewidth=0.2 * scale, linecolor="#DDDDDD", label="coefficient",
    )  # fmt: skip
    for (name, flag), (marker, size) in zip(flags.items(), _MARKERS, strict=False):
        mesh = plotter.MarkerMesh(
            flag, color=DARK, marker=marker, size=size * scale**2, label=_meaning(name), linewidth=0
        )
        board.add_layer(mesh, legend=True)
    text = {"fontsize": 6 * scale}
    for side, names in (("left", matrix.index), ("bottom", matrix.columns)):
        labels = plotter.Labels([as_label(name) for name in names], padding=2 * scale, **text)
        getattr(board, f"add_{side}")(labels)
    for side, n in (("right", len(matrix)), ("top", matrix.shape[1])):
        if n > 2:
            board.add_dendrogram(side, method="average", size=0.2 * scale, linewidth=0.5 * scale)
    board.add_legends(box_padding=2)
    board.set_margin(0.1 * scale)
    return board


def _meaning(name: str) -> str:
    """Return what a mark of a column means."""
    is_probability = name in PROBABILITY_COLUMNS or name.endswith(("_q", "_p"))
    return f"{as_label(name)} ≤ {_SIGNIFICANT:g}" if is_probability else as_label(name)
