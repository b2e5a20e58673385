"""Counts to matrices (dense and CSR/CSC), and cells to folds; arrays only."""

from ._r_sample import SAMPLE_KINDS
from .counts import (
    PSEUDOCOUNT,
    Matrix,
    check_counts,
    check_finite,
    count_positive,
    is_constant,
    log_normalize,
    select_cells,
    select_genes,
    size_factors,
    sum_cells,
    to_dense,
    zscore,
)
from .folds import RSampleKFold

__all__ = [
    "PSEUDOCOUNT",
    "SAMPLE_KINDS",
    "Matrix",
    "RSampleKFold",
    "check_counts",
    "check_finite",
    "count_positive",
    "is_constant",
    "log_normalize",
    "select_cells",
    "select_genes",
    "size_factors",
    "sum_cells",
    "to_dense",
    "zscore",
]
