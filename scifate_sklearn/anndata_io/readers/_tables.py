"""Wide tables as entries of matrices, in blocks of cells."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._entries import Blocks, entry_type
from ._source import Reading
from ._wide import WideTable


def read_wide(
    table: WideTable,
    columns: Sequence[str],
    reading: Reading,
    *,
    cells: NDArray[np.intp] | None = None,
    genes: NDArray[np.intp] | None = None,
    values: Callable[[NDArray[Any]], NDArray[Any]] | None = None,
    n_cells: int | None = None,
) -> Iterator[list[Any]]:
    """Yield the matrices of each block of cells.

    Parameters
    ----------
    table : WideTable
        Rows are genes.
    columns : sequence of str
        The columns that are read.
    reading : Reading
    cells, genes : ndarray of int, default=None
        Positions of columns and rows; None for their order in the table.
    values : callable, default=None
        Returns numbers of shape (n_rows, n_cells, n_matrices) for those of `columns`, of which
        entries without a number other than zero are left out. None: each column is a cell.
    n_cells : int, default=None
        Their number; None for that of `columns`.

    Yields
    ------
    list of csr_array
    """
    n_genes, n_cells = len(table.names), n_cells or len(columns)
    n_matrices = 1 if values is None else values(np.zeros((1, len(columns)))).shape[2]
    kind = entry_type(np.float64, n_matrices)

    def parts() -> Iterator[NDArray[Any]]:
        for start, numbers in table.parts(columns, reading.budget):
            found = numbers[:, :, np.newaxis] if values is None else values(numbers)
            rows, places = np.nonzero((found != 0).any(axis=2))
            records = np.empty(len(rows), kind)
            records["values"] = found[rows, places]
            records["gene"] = rows + start if genes is None else genes[rows + start]
            records["cell"] = places if cells is None else cells[places]
            yield records

    shape = n_cells, n_genes
    blocks = Blocks.from_budget(table.path, shape, n_cells * n_genes, kind, reading)
    return blocks.matrices(parts(), reading)
