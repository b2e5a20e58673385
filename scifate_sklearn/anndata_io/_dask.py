"""Chunks of Dask arrays."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, TypeVar

import dask.array as da
import numpy as np
from dask.base import compute
from dask.delayed import delayed

from ..moments import FoldPlan, Moments
from ..preprocessing import Matrix
from ._chunks import Chunk, Design, PerChunk
from ._layers import Layer, add_parts, is_dask

T = TypeVar("T")

# Sums of this many consecutive chunks are accumulated in one array, which limits the memory.
_RUN = 16


class DaskChunks:
    """Row chunks of Dask arrays, processed where they are stored; see `Chunks`.

    The active client computes the results, or local threads if there is none.

    Parameters
    ----------
    new, total : Layer
        At least one of them is held by Dask; its row chunks are used for both.
    """

    def __init__(self, new: Layer, total: Layer) -> None:
        rows = next(part.chunks[0] for part in (*new.parts, *total.parts) if is_dask(part))
        self.bounds = [slice(*edges) for edges in pairwise([0, *np.cumsum(rows).tolist()])]
        blocks = zip(_row_blocks(new, rows), _row_blocks(total, rows), strict=True)
        gather = delayed(_gather)
        self._chunks = [gather(*parts, new.name, total.name) for parts in blocks]

    def map(self, function: Callable[..., T], *arguments: PerChunk) -> Iterator[T]:
        """Yield the result of each chunk; all results are computed at once."""
        yield from compute(*self._apply(function, *arguments))

    def total(self, function: Callable[..., T], *arguments: PerChunk) -> T:
        """Return the sum of the results of all chunks, added up pairwise."""
        total: T = _compute_sum(self._apply(function, *arguments))
        return total

    def moments(self, design: Design, plan: FoldPlan) -> Moments:
        """Return the moments of all chunks, summed by the workers."""
        add, names = delayed(_add_chunk), (design.feature_names, design.target_names)
        chunks = zip(self._apply(design.make, *design.arguments), design.rows, strict=True)
        made = [(matrices, own) for matrices, own in chunks if own.stop > own.start]
        plan, sums = plan.in_order(), []
        for first in range(0, len(made), _RUN):
            total: Any = None
            for matrices, own in made[first : first + _RUN]:
                total = add(total, matrices, plan.rows(own.start, own.stop), names)
            sums.append(total)
        moments: Moments = _compute_sum(sums)
        return moments

    def _apply(self, function: Callable[..., Any], *arguments: PerChunk) -> list[Any]:
        """Return one task for each chunk, not computed yet."""
        apply = delayed(function)
        return [apply(chunk, *own) for chunk, *own in zip(self._chunks, *arguments, strict=True)]


def _row_blocks(layer: Layer, rows: tuple[int, ...]) -> list[list[Any]]:
    """Return, for each chunk of cells, the blocks of the parts that add up to the layer."""
    parts = []
    for part in layer.parts:
        array = part if is_dask(part) else da.from_array(part, asarray=False)
        parts.append(array.rechunk((rows, -1)).to_delayed().ravel())
    return [list(pieces) for pieces in zip(*parts, strict=True)]


def _gather(new: list[Any], total: list[Any], new_name: str, total_name: str) -> Chunk:
    return Chunk(add_parts(new, new_name), add_parts(total, total_name))


def _add_chunk(
    total: Moments | None, chunk: tuple[Matrix, Matrix], plan: FoldPlan, names: tuple[Any, Any]
) -> Moments:
    """Return the sums with one more chunk, without modifying `total`, as Dask requires."""
    piece = Moments.from_chunks([chunk], plan, *names, around=total)
    return piece if total is None else total + piece


def _compute_sum(tasks: list[Any]) -> Any:
    """Compute the sum of the tasks' results by adding them up pairwise on the workers."""
    add = delayed(_add)
    while len(tasks) > 1:
        pairs = [tasks[i : i + 2] for i in range(0, len(tasks), 2)]
        tasks = [add(*pair) if len(pair) == 2 else pair[0] for pair in pairs]
    return tasks[0].compute()


def _add(one: Any, two: Any) -> Any:
    return one + two
