"""Preparation of counts (dense and CSR/CSC) and of folds, on arrays only."""

from ._counts import (
    PSEUDOCOUNT,
    CountFaults,
    Matrix,
    check_real,
    count_positive,
    is_constant,
    log_above_zero,
    log_normalize,
    rounded_totals,
    select_genes,
    size_factors,
    stored_numbers,
    sum_cells,
    to_dense,
    zscore,
)
from ._folds import RSampleKFold, make_repeated_folds
from ._matrices import (
    WEIGHT_MAGNITUDES,
    X_MAGNITUDES,
    Y_MAGNITUDES,
    check_intact,
    check_magnitude,
    naming,
)

__all__ = [
    "PSEUDOCOUNT",
    "WEIGHT_MAGNITUDES",
    "X_MAGNITUDES",
    "Y_MAGNITUDES",
    "CountFaults",
    "Matrix",
    "RSampleKFold",
    "check_intact",
    "check_magnitude",
    "check_real",
    "count_positive",
    "is_constant",
    "log_above_zero",
    "log_normalize",
    "make_repeated_folds",
    "naming",
    "rounded_totals",
    "select_genes",
    "size_factors",
    "stored_numbers",
    "sum_cells",
    "to_dense",
    "zscore",
]
