"""Some cells at a time: what is done with each chunk is the same wherever the cells are."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from operator import add
from typing import Any, Protocol, TypeVar

from numpy.typing import NDArray

from ..moments import FoldPlan, Moments
from ..preprocessing import Matrix
from ._layers import Layer

T = TypeVar("T")

# Cells with about so many stored numbers are read at a time, 12 MB.
CHUNK_ENTRIES = 2**20


@dataclass(frozen=True)
class Cells:
    """Some cells: both layers (n_cells, n_genes), dense or CSR; read only."""

    new: Matrix
    total: Matrix
    new_is_counts: bool
    total_is_counts: bool


class Chunks(Protocol):
    """All cells, in consecutive chunks.

    Attributes
    ----------
    bounds : list of slice
        The cells of each chunk.
    """

    bounds: list[slice]

    def map(self, function: Callable[..., T], *arguments: Sequence[Any]) -> Iterator[T]:
        """Yield ``function(cells, *arguments of this chunk)`` for each chunk, in order."""
        ...

    def total(self, function: Callable[..., T], *shared: Any) -> T:
        """Return the sum of ``function(cells, *shared)`` over the chunks."""
        ...

    def moments(
        self,
        function: Callable[..., tuple[Matrix, Matrix]],
        arguments: Sequence[Sequence[Any]],
        rows: Sequence[slice],
        plan: FoldPlan,
        names: tuple[Any, Any],
    ) -> Moments:
        """Return the moments of the matrices that ``function(cells, *arguments)`` makes.

        ``rows`` are where the cells of each chunk's matrices are among those of all chunks.
        """
        ...


def open_chunks(new: Layer, total: Layer, size: int | None) -> Chunks:
    """Return the cells of both layers in chunks.

    Parameters
    ----------
    new, total : Layer
    size : int or None
        Cells in a chunk; None for as many as have about `CHUNK_ENTRIES` numbers. Layers held by
        Dask keep the chunks they have.
    """
    if new.is_dask or total.is_dask:
        # Dask takes a second to import.
        from ._dask import DaskChunks

        return DaskChunks(new, total)
    return LocalChunks(new, total, size)


def split(values: NDArray[Any], bounds: Sequence[slice]) -> list[NDArray[Any]]:
    """Return the values of the cells of each chunk."""
    return [values[chunk] for chunk in bounds]


class LocalChunks:
    """Chunks of layers in memory or in files, one after the other."""

    def __init__(self, new: Layer, total: Layer, size: int | None = None) -> None:
        self._new, self._total = new, total
        n_cells = new.n_cells
        per_cell = max(new.n_stored, total.n_stored) / n_cells
        size = size or int(CHUNK_ENTRIES / max(per_cell, 1)) or 1
        edges = [*range(0, n_cells, size), n_cells]
        self.bounds = [slice(start, stop) for start, stop in pairwise(edges)]

    def map(self, function: Callable[..., T], *arguments: Sequence[Any]) -> Iterator[T]:
        """Yield ``function(cells, *arguments of this chunk)`` for each chunk, in order."""
        new, total = self._new, self._total
        for chunk, *own in zip(self.bounds, *arguments, strict=True):
            span = chunk.start, chunk.stop
            cells = Cells(new.rows(*span), total.rows(*span), new.is_counts, total.is_counts)
            yield function(cells, *own)

    def total(self, function: Callable[..., T], *shared: Any) -> T:
        """Return the sum of ``function(cells, *shared)`` over the chunks."""
        arguments = [[value] * len(self.bounds) for value in shared]
        total: T = reduce(add, self.map(function, *arguments))
        return total

    def moments(
        self,
        function: Callable[..., tuple[Matrix, Matrix]],
        arguments: Sequence[Sequence[Any]],
        rows: Sequence[slice],
        plan: FoldPlan,
        names: tuple[Any, Any],
    ) -> Moments:
        """Return the moments of the matrices that ``function(cells, *arguments)`` makes.

        ``rows`` are where the cells of each chunk's matrices are among those of all chunks.
        """
        chunks = zip(self.map(function, *arguments), rows, strict=True)
        made = (chunk for chunk, own in chunks if own.stop > own.start)
        return Moments.from_chunks(made, plan, *names)
