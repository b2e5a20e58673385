"""Chunks that Dask holds: each is worked on where it is, and what is learned is added up."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any, TypeVar

import dask.array as da
import numpy as np
from dask.base import compute
from dask.delayed import delayed

from ..moments import FoldPlan, Moments
from ..preprocessing import Matrix
from ._chunks import Cells
from ._layers import Layer, add_parts, is_dask

T = TypeVar("T")

# Sums of so many consecutive chunks are added one after the other, in the memory of one of them.
_RUN = 16


class DaskChunks:
    """The row chunks of Dask arrays; computed by the active client, or by local threads."""

    def __init__(self, new: Layer, total: Layer) -> None:
        rows = next(part.chunks[0] for part in (*new.parts, *total.parts) if is_dask(part))
        self.bounds = [slice(*edges) for edges in pairwise([0, *np.cumsum(rows).tolist()])]
        blocks = zip(_row_blocks(new, rows), _row_blocks(total, rows), strict=True)
        gather = delayed(_gather)
        what = [(layer.name, layer.is_counts) for layer in (new, total)]
        self._cells = [gather(own_new, own_total, *what) for own_new, own_total in blocks]

    def map(self, function: Callable[..., T], *arguments: Sequence[Any]) -> Iterator[T]:
        """Yield ``function(cells, *arguments of this chunk)`` for each chunk, in order."""
        apply = delayed(function)
        tasks = [apply(cells, *own) for cells, *own in zip(self._cells, *arguments, strict=True)]
        yield from compute(*tasks)

    def total(self, function: Callable[..., T], *shared: Any) -> T:
        """Return the sum of ``function(cells, *shared)`` over the chunks."""
        apply = delayed(function)
        return _compute_sum([apply(cells, *shared) for cells in self._cells])

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
        apply, add = delayed(function), delayed(_add_chunk)
        matrices = [apply(cells, *own) for cells, *own in zip(self._cells, *arguments, strict=True)]
        chunks = zip(matrices, rows, strict=True)
        made = [(chunk, own) for chunk, own in chunks if own.stop > own.start]
        plan, sums = plan.in_order(), []
        for first in range(0, len(made), _RUN):
            total: Any = None
            for chunk, own in made[first : first + _RUN]:
                total = add(total, chunk, plan.rows(own.start, own.stop), names)
            sums.append(total)
        return _compute_sum(sums)


def _row_blocks(layer: Layer, rows: tuple[int, ...]) -> list[list[Any]]:
    """Return, for each chunk of cells, the pieces of what adds up to the layer."""
    parts = []
    for part in layer.parts:
        array = part if is_dask(part) else da.from_array(part, asarray=False)
        parts.append(array.rechunk((rows, -1)).to_delayed().ravel())
    return [list(pieces) for pieces in zip(*parts, strict=True)]


def _gather(
    new: list[Any], total: list[Any], what_new: tuple[str, bool], what_total: tuple[str, bool]
) -> Cells:
    (new_name, new_is_counts), (total_name, total_is_counts) = what_new, what_total
    return Cells(
        add_parts(new, new_name), add_parts(total, total_name), new_is_counts, total_is_counts
    )


def _add_chunk(
    total: Moments | None, chunk: tuple[Matrix, Matrix], plan: FoldPlan, names: tuple[Any, Any]
) -> Moments:
    """Return the sums with one more chunk; what Dask gives as an argument is not its to change."""
    piece = Moments.from_chunks([chunk], plan, *names, around=total)
    return piece if total is None else total + piece


def _compute_sum(tasks: list[Any]) -> Any:
    """Add results up in pairs, pairs of pairs and so on, where they are."""
    add = delayed(_add)
    while len(tasks) > 1:
        pairs = [tasks[i : i + 2] for i in range(0, len(tasks), 2)]
        tasks = [add(*pair) if len(pair) == 2 else pair[0] for pair in pairs]
    return tasks[0].compute()


def _add(one: Any, two: Any) -> Any:
    return one + two
