"""Counts to matrices (dense and CSR/CSC), and cells to folds; arrays only."""

from ._r_sample import SAMPLE_KINDS
from .counts import (
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
from .folds import RSampleKFold, make_folds

__all__ = [
    "PSEUDOCOUNT",
    "SAMPLE_KINDS",
    "CountFaults",
    "Matrix",
    "RSampleKFold",
    "check_real",
    "count_positive",
    "is_constant",
    "log_above_zero",
    "log_normalize",
    "make_folds",
    "rounded_totals",
    "select_genes",
    "size_factors",
    "stored_numbers",
    "sum_cells",
    "to_dense",
    "zscore",
]
