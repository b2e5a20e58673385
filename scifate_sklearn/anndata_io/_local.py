"""Chunks of layers in memory or in files."""

from collections.abc import Callable, Iterator
from functools import reduce
from itertools import pairwise
from operator import add
from typing import TypeVar

from ..moments import FoldPlan, Moments
from ._chunks import Chunk, Design, PerChunk
from ._layers import Layer

T = TypeVar("T")

# Default size of a chunk in stored numbers, about 12 MB.
CHUNK_ENTRIES = 2**20


class LocalChunks:
    """Chunks that are read and processed one after the other; see `Chunks`.

    Parameters
    ----------
    new, total : Layer
    size : int or None, default=None
        Number of cells in a chunk; None for chunks of about `CHUNK_ENTRIES` stored numbers.
    """

    def __init__(self, new: Layer, total: Layer, size: int | None = None) -> None:
        self._new, self._total = new, total
        n_cells = new.n_cells
        per_cell = max(new.n_stored, total.n_stored) / n_cells
        size = size or int(CHUNK_ENTRIES / max(per_cell, 1)) or 1
        edges = [*range(0, n_cells, size), n_cells]
        self.bounds = [slice(start, stop) for start, stop in pairwise(edges)]

    def map(self, function: Callable[..., T], *arguments: PerChunk) -> Iterator[T]:
        """Yield the result of each chunk; a chunk is read when its result is requested."""
        for bounds, *own in zip(self.bounds, *arguments, strict=True):
            span = bounds.start, bounds.stop
            yield function(Chunk(self._new.rows(*span), self._total.rows(*span)), *own)

    def total(self, function: Callable[..., T], *arguments: PerChunk) -> T:
        """Return the sum of the results of all chunks."""
        total: T = reduce(add, self.map(function, *arguments))
        return total

    def moments(self, design: Design, plan: FoldPlan) -> Moments:
        """Return the moments of all chunks, with one chunk in memory at a time."""
        chunks = zip(self.map(design.make, *design.arguments), design.rows, strict=True)
        made = (matrices for matrices, own in chunks if own.stop > own.start)
        return Moments.from_chunks(made, plan, design.feature_names, design.target_names)
