"""Entries of matrices in any order, returned as sparse matrices of consecutive cells.

Entries are records with the fields ``cell``, ``gene`` (positions from 0) and ``values`` (a number
for each of the matrices that are read together).
"""

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from ._source import Reading, UnsortedError


def entry_type(number: Any, n_matrices: int) -> np.dtype[Any]:
    """Return the type of the records of entries whose values have the type `number`."""
    return np.dtype([("cell", np.int32), ("gene", np.int32), ("values", number, (n_matrices,))])


@dataclass(frozen=True)
class Blocks:
    """Division of the cells into blocks of equal size.

    Attributes
    ----------
    path : Path
        The file, for error messages.
    n_cells, n_genes : int
    size : int
        Cells of a block; the last one may have fewer.
    kind : dtype
        From `entry_type`.
    """

    path: Path
    n_cells: int
    n_genes: int
    size: int
    kind: np.dtype[Any]

    @classmethod
    def from_budget(
        cls,
        path: Path,
        shape: tuple[int, int],
        n_entries: int,
        kind: np.dtype[Any],
        reading: Reading,
    ) -> Self:
        """Return blocks that each have about as many entries as the budget of `reading`.

        Parameters
        ----------
        path : Path
        shape : (int, int)
            Numbers of cells and genes.
        n_entries : int
            Their number in the file.
        kind, reading
        """
        size = max(1, shape[0] * reading.budget // max(1, n_entries))
        return cls(path, *shape, min(size, max(1, shape[0])), kind)

    def __len__(self) -> int:
        return -(-self.n_cells // self.size)

    def matrices(self, parts: Iterable[NDArray[Any]], reading: Reading) -> Iterator[list[Any]]:
        """Yield the matrices of each block, each a `csr_array` of its cells.

        Parameters
        ----------
        parts : iterable of ndarray
            Records of entries. Values of repeated positions are added up.
        reading : Reading

        Raises
        ------
        UnsortedError
            If `reading` says that the entries are sorted by cell, and they are not.
        """
        arranged = self._in_order(parts) if reading.is_sorted else self._by_files(parts, reading)
        for block, records in enumerate(arranged):
            yield self._build(block, records)

    def _in_order(self, parts: Iterable[NDArray[Any]]) -> Iterator[NDArray[Any]]:
        block = 0
        pending = [np.empty(0, self.kind)]
        for part in parts:
            blocks = part["cell"] // self.size
            if len(part) and (blocks[0] < block or (np.diff(blocks) < 0).any()):
                raise UnsortedError
            while len(part) and blocks[-1] > block:
                n_first = int(np.searchsorted(blocks, block, "right"))
                yield np.concatenate([*pending, part[:n_first]])
                part, blocks, pending = part[n_first:], blocks[n_first:], pending[:1]
                block += 1
            pending = [*pending, part]
        for _ in range(block, len(self)):
            yield np.concatenate(pending)
            pending = pending[:1]

    def _by_files(self, parts: Iterable[NDArray[Any]], reading: Reading) -> Iterator[NDArray[Any]]:
        with tempfile.TemporaryDirectory(prefix=".scifate-", dir=reading.folder) as folder:
            files = [Path(folder, str(block)) for block in range(len(self))]
            for part in parts:
                self._append(part, files)
            for file in files:
                yield np.fromfile(file, self.kind) if file.exists() else np.empty(0, self.kind)
                file.unlink(missing_ok=True)

    def _append(self, part: NDArray[Any], files: list[Path]) -> None:
        """Write entries to the files of their blocks."""
        blocks = part["cell"] // self.size
        order = np.argsort(blocks, kind="stable")
        found, starts = np.unique(blocks[order], return_index=True)
        for block, records in zip(found, np.split(part[order], starts[1:]), strict=True):
            with files[block].open("ab") as file:
                records.tofile(file)

    def _build(self, block: int, records: NDArray[Any]) -> list[Any]:
        start = block * self.size
        shape = min(self.size, self.n_cells - start), self.n_genes
        if len(records) > shape[0] * shape[1]:
            raise ValueError(
                f"{self.path}: cells {start + 1:,} to {start + shape[0]:,} have {len(records):,} "
                f"entries for {shape[1]:,} genes: entries are repeated."
            )
        positions = records["cell"] - start, records["gene"]
        numbers = records["values"]
        return [
            sp.coo_array((numbers[:, i], positions), shape=shape).tocsr()
            for i in range(numbers.shape[1])
        ]
