"""Interface for reading and processing cells in chunks."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..moments import FoldPlan, Moments
from ..preprocessing import Matrix

T = TypeVar("T")

Bools: TypeAlias = NDArray[np.bool_]
Floats: TypeAlias = NDArray[np.float64]

# One argument of a function, for each chunk.
PerChunk: TypeAlias = Sequence[Any]


@dataclass(frozen=True)
class Chunk:
    """Both layers (n_cells, n_genes) of consecutive cells, dense or CSR; never modified."""

    new: Matrix
    total: Matrix


@dataclass(frozen=True)
class Design:
    """Predictors and targets of the kept cells, to be computed from chunks.

    Attributes
    ----------
    make : callable
        ``make(chunk, *arguments of this chunk)`` returns the predictors and targets of the kept
        cells of a chunk.
    arguments : sequence of sequence
        Further arguments of `make`, each with one entry for each chunk.
    rows : sequence of slice
        Position of the kept cells of each chunk among all kept cells.
    feature_names, target_names : sequence of str
    """

    make: Callable[..., tuple[Matrix, Matrix]]
    arguments: Sequence[PerChunk]
    rows: Sequence[slice]
    feature_names: Sequence[str]
    target_names: Sequence[str]


class Chunks(Protocol):
    """All cells, in consecutive chunks.

    Attributes
    ----------
    bounds : list of slice
        Range of cells of each chunk.
    """

    bounds: list[slice]

    def map(self, function: Callable[..., T], *arguments: PerChunk) -> Iterator[T]:
        """Yield ``function(chunk, *arguments of this chunk)`` for each chunk, in order."""
        ...

    def total(self, function: Callable[..., T], *arguments: PerChunk) -> T:
        """Return the sum of ``function(chunk, *arguments of this chunk)`` over all chunks."""
        ...

    def moments(self, design: Design, plan: FoldPlan) -> Moments:
        """Return the moments of all chunks of a design; chunks without a kept cell are skipped.

        Parameters
        ----------
        design : Design
        plan : FoldPlan
            Folds of all kept cells.

        Returns
        -------
        Moments
        """
        ...


def split(values: NDArray[Any], bounds: Sequence[slice]) -> list[NDArray[Any]]:
    """Split values of cells into those of each chunk."""
    return [values[chunk] for chunk in bounds]


def submatrix(matrix: Matrix, rows: Bools, columns: NDArray[np.intp]) -> Matrix:
    """Return ``matrix[rows][:, columns]``; without a copy if all rows or columns are selected."""
    if not rows.all():
        matrix = matrix[rows]
    is_all = np.array_equal(columns, np.arange(matrix.shape[1]))
    return matrix if is_all else matrix[:, columns]
