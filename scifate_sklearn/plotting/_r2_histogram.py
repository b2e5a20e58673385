"""Distribution of the cross-validated r²."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._fitted import fitted_model
from ._style import DARK, REPRESSION, drawing, set_title

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BINS = 30


def r2_histogram(model: Any, *, ax: Axes | None = None) -> Axes:
    """Draw the distribution of the cross-validated r² over the targets.

    Targets with r² = 0, in many data sets most of them, are counted in the title only.

    Parameters
    ----------
    model : SciFateRegressor
        Fitted; or an estimator that tests the links of one (`PermutationFDR`, ...).
    ax : Axes, default=None
        None makes a new figure.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError
        If the model is something else.
    ValueError
        If no target has an r², as with an information criterion.
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    ImportError
        If matplotlib is not installed.
    """
    regressor = fitted_model(model)
    r2 = np.atleast_1d(regressor.r2_)
    known = r2[np.isfinite(r2)]
    if not len(known):
        raise ValueError(
            f"`model` has no target with an r² (`lambda_rule`={regressor.lambda_rule!r}): r² is "
            "cross-validated, and an information criterion cross-validates nothing."
        )
    explained = known[known > 0]
    with drawing(ax, height=55) as ax:
        edges = np.linspace(0.0, float(explained.max(initial=1e-3)), _BINS + 1)
        ax.hist(explained, bins=edges.tolist(), color=REPRESSION, linewidth=0)
        if len(explained):
            median = float(np.median(explained))
            ax.axvline(median, color=DARK, linestyle="--", label=f"their median {median:.2g}")
            ax.legend()
        ax.set_xlabel("cross-validated r²")
        ax.set_ylabel("targets")
        ax.set_xlim(0, edges[-1])
        n_none = len(r2) - len(known)
        set_title(
            ax,
            f"{len(explained):,} of {len(r2):,} targets with r² > 0 "
            f"({len(known) - len(explained):,} with 0, {n_none:,} without a model)",
        )
    return ax
