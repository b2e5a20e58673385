"""Links of the cells and of permuted cells against their size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..resampling import PermutationFDR
from ._fitted import fitted
from ._style import ACTIVATION, DARK, NEUTRAL, REPRESSION, drawing, set_title

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def fdr_curve(permutation: Any, *, ax: Axes | None = None) -> Axes:
    """Draw the numbers of links of at least a size, in the cells and in permuted cells.

    The line marks the smallest |coef| with q ≤ `fdr`; links to its right are kept.

    Parameters
    ----------
    permutation : PermutationFDR
        Fitted.
    ax : Axes, default=None
        None makes a new figure.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError
        If `permutation` is something else.
    ValueError
        If there are no links.
    sklearn.exceptions.NotFittedError
        If it is not fitted.
    ImportError
        If matplotlib is not installed.
    """
    tested = fitted(permutation, PermutationFDR, "permutation")
    curve, threshold = tested.fdr_curve_, tested.threshold_
    if not len(curve):
        raise ValueError("`permutation` has no links, so that there is nothing to draw.")
    n_kept = int(tested.ledger_["kept"].sum())
    permuted = curve["control_number"].where(curve["control_number"] > 0)
    with drawing(ax, height=60) as ax:
        ax.step(curve["threshold"], curve["real_number"], color=ACTIVATION, label="cells")
        ax.step(
            curve["threshold"], permuted, color=REPRESSION, linestyle="-.",
            label=f"permuted cells (mean of {tested.n_permutations})",
        )  # fmt: skip
        ax.set_xscale("log")
        ax.set_yscale("log")
        if np.isfinite(threshold):
            right = float(curve["threshold"].max())
            ax.axvspan(threshold, right, color=NEUTRAL, alpha=0.15, linewidth=0)
            ax.axvline(threshold, color=DARK, linestyle="--", label=f"|coef| = {threshold:.3g}")
        ax.set_xlabel("|coef|")
        ax.set_ylabel("links of at least this |coef|")
        set_title(ax, f"{n_kept:,} of {len(tested.ledger_):,} links kept, q ≤ {tested.fdr:g}")
        ax.legend()
    return ax
