"""Samples in chunks, for a further pass after their moments were summed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

from ..moments import Moments

# Matrices (X, Y) or (X, Y, sample_weight) of some of the samples at a time.
Chunks: TypeAlias = Iterable[tuple[Any, ...]]


def read_chunks(chunks: Chunks, moments: Moments) -> Iterator[tuple[Any, Any, NDArray[np.float64]]]:
    """Yield chunks given by a user as arrays or CSR matrices of finite numbers, and weights.

    Parameters
    ----------
    chunks : iterable of (X, Y) or (X, Y, sample_weight)
        Data frames must have the columns of the moments, in their order. Dask arrays are computed.
    moments : Moments
        Of the same samples.

    Raises
    ------
    ValueError
        If a chunk has another form, other columns, or a number that is not finite.
    """
    sides = (
        ("X", moments.n_features, moments.feature_names),
        ("Y", moments.n_targets, moments.target_names),
    )
    for chunk in chunks:
        if len(chunk) not in (2, 3):
            raise ValueError(
                f"`chunks` must yield (X, Y) or (X, Y, sample_weight), got {len(chunk)} values."
            )
        X, Y = (_matrix(each, *side) for each, side in zip(chunk, sides, strict=False))
        given = chunk[2] if len(chunk) == 3 else None
        weight = np.ones(X.shape[0]) if given is None else np.asarray(given, np.float64)
        if not X.shape[0] == Y.shape[0] == weight.size:
            raise ValueError(
                f"a chunk of `chunks` has {X.shape[0]} rows of X, {Y.shape[0]} of Y and "
                f"{weight.size} weights."
            )
        yield X, Y, weight


def _matrix(given: Any, side: str, n_columns: int, names: NDArray[np.object_] | None) -> Any:
    """Return one side of a chunk."""
    if isinstance(given, pd.DataFrame) and names is not None and list(given) != list(names):
        raise ValueError(
            f"{side} of a chunk has other columns than `moments`, or in another order. Give the "
            "columns that the moments were summed from."
        )
    computed = given.compute() if hasattr(given, "compute") else given
    is_sparse = sp.issparse(computed)
    matrix: Any = sp.csr_array(computed) if is_sparse else np.asarray(computed)
    matrix = matrix.astype(np.float64)
    if matrix.ndim != 2 or matrix.shape[1] != n_columns:
        raise ValueError(
            f"{side} of a chunk has the shape {matrix.shape}; `moments` have {n_columns} columns."
        )
    if not np.isfinite(matrix.data if is_sparse else matrix).all():
        raise ValueError(f"{side} of a chunk has NaN or infinite values.")
    return matrix
