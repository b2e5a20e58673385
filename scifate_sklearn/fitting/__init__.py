"""The fit of all targets, shared by every estimator."""

from ._checks import (
    check_folds,
    check_same_cells,
    check_sums,
    check_unique,
    column_names,
    generated_names,
    penalty_grid,
    require_moments,
    self_positions,
)
from ._penalties import relative_penalties

__all__ = [
    "check_folds",
    "check_same_cells",
    "check_sums",
    "check_unique",
    "column_names",
    "generated_names",
    "penalty_grid",
    "relative_penalties",
    "require_moments",
    "self_positions",
]
