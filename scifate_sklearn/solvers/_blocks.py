"""Concatenation of fitted blocks of targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from ._engine import BlockFit, Solution
from ._problem import Floats


def gather(fits: Sequence[BlockFit]) -> BlockFit:
    """Return all blocks as one; shorter automatic grids are padded with NaN to the longest."""
    longest = max(int(np.isfinite(fit.lambdas).sum(axis=1).max()) for fit in fits)
    longest = max(longest, 1)
    joined: dict[str, Any] = {}
    for field in fields(BlockFit):
        parts = [getattr(fit, field.name) for fit in fits]
        if parts[0] is None:
            joined[field.name] = None
        elif field.name == "n_unconverged":
            joined[field.name] = sum(parts)
        elif field.name in ("lambdas", "cv_mse", "cv_mse_se", "curve"):
            joined[field.name] = np.concatenate([_fit_width(part, longest) for part in parts])
        else:
            joined[field.name] = np.concatenate(parts)
    return BlockFit(**joined)


def join(solutions: Sequence[Solution]) -> Solution:
    """Return the models of all blocks as those of one."""
    return Solution(
        np.concatenate([each.coef for each in solutions]),
        np.concatenate([each.intercept for each in solutions]),
        np.concatenate([each.n_iter for each in solutions]),
        np.concatenate([each.dual_gap for each in solutions]),
        sum(each.n_unconverged for each in solutions),
    )


def _fit_width(values: Floats, width: int) -> Floats:
    missing = width - values.shape[1]
    if missing <= 0:
        return values[:, :width]
    return np.pad(values, [(0, 0), (0, missing)], constant_values=np.nan)
