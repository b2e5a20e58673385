"""Activity of a TF on an embedding of the cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..names import examples
from ._names import as_label
from ._stability import MOST_SHAPES
from ._style import (
    area,
    diverging,
    drawing,
    set_title,
    sized,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def activity(
    adata: Any,
    tf: str,
    basis: str = "umap",
    *,
    values: str | pd.DataFrame = "tf_activity",
    ax: Axes | None = None,
) -> Axes:
    """Draw the activity of a TF in each cell on an embedding.

    The colours are centred on 0 and end at the 99th percentile of |activity|. Cells are drawn in
    the order of |activity|, so that the strongest ones are on top.

    Parameters
    ----------
    adata : AnnData
        With the embedding in ``obsm["X_" + basis]``, of which the first two columns are drawn.
    tf : str
        A column of the activities.
    basis : str, default="umap"
        Name of the embedding.
    values : str or DataFrame, default="tf_activity"
        Activities (cells × TFs): a key of ``adata.obsm``, or a table with the cells of `adata` as
        its index. Cells without a value are grey.
    ax : Axes, default=None
        None makes a new figure.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError, ValueError
        If the embedding, the activities or the TF are missing, or the cells differ.
    ImportError
        If matplotlib is not installed.
    """
    places = _embedding(adata, basis)
    score = _of_tf(adata, values, tf)
    order = np.argsort(np.abs(np.nan_to_num(score, nan=-1.0)), kind="stable")
    known = np.abs(score[np.isfinite(score)])
    limit = float(np.quantile(known, 0.99)) if len(known) else 0.0
    with drawing(ax, height=70) as ax:
        limit = limit or 1.0
        x, y = places[order].T
        points = ax.scatter(
            x, y, c=score[order], cmap=_with_grey(), vmin=-limit, vmax=limit,
            s=area(max(1.0, min(8.0, 4000.0 / len(score)))), plotnonfinite=True,
            edgecolor="#7F7F7F", linewidth=sized(0.15), rasterized=len(score) > MOST_SHAPES,
        )  # fmt: skip
        bar = ax.figure.colorbar(points, ax=ax, extend="both", shrink=0.7)
        bar.set_label(f"activity of {as_label(tf)}")
        bar.outline.set_visible(False)
        for axis, number in ((ax.xaxis, 1), (ax.yaxis, 2)):
            axis.set_ticks([])
            axis.set_label_text(f"{as_label(basis)} {number}")
        n_none = len(score) - len(known)
        missing = f", {n_none:,} without a value (grey)" if n_none else ""
        set_title(ax, f"{as_label(tf)} in {len(score):,} cells{missing}")
    return ax


def _with_grey() -> Any:
    return diverging().with_extremes(bad="#BBBBBB")


def _embedding(adata: Any, basis: str) -> NDArray[np.float64]:
    """Return the places of the cells (n_cells, 2)."""
    found = [str(key) for key in adata.obsm]
    key = f"X_{basis}"
    if key not in found:
        known = [name.removeprefix("X_") for name in found if name.startswith("X_")]
        raise ValueError(
            f"`basis` must name an embedding of `adata.obsm`: {key!r} is not there, only "
            f"{examples(known)}."
        )
    places = np.asarray(adata.obsm[key], np.float64)
    if places.ndim != 2 or places.shape[1] < 2:
        raise ValueError(
            f"`basis`: `adata.obsm[{key!r}]` must have two columns or more, its shape is "
            f"{places.shape}."
        )
    return places[:, :2]


def _of_tf(adata: Any, values: object, tf: str) -> NDArray[np.float64]:
    """Return the activity (n_cells,) of a TF."""
    table, where = values, "`values`"
    if isinstance(values, str):
        if values not in adata.obsm:
            raise ValueError(
                f"`values`: `adata.obsm` has no {values!r}, only {examples(adata.obsm)}. Compute "
                "the activities first, or give a table of cells × TFs."
            )
        table, where = adata.obsm[values], f"`adata.obsm[{values!r}]`"
    if not isinstance(table, pd.DataFrame):
        raise TypeError(f"{where} must be a DataFrame of cells × TFs, got {type(table).__name__}.")
    missing = adata.obs_names.difference(table.index)
    if len(missing) or not table.index.is_unique:
        raise ValueError(
            f"{where} must have each cell of `adata` once as its index; it lacks {len(missing):,} "
            f"of {len(adata.obs_names):,} ({examples(missing, 3)})."
        )
    if np.count_nonzero(table.columns == tf) != 1:
        raise ValueError(
            f"`tf` must be one column of {where}, got {tf!r}; it has {examples(table.columns)}."
        )
    return table.loc[adata.obs_names, tf].to_numpy(np.float64)
