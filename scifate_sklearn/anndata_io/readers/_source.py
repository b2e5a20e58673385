"""Cells that are read in blocks of rows, whatever file they come from."""

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

# Entries of a layer that are in memory together.
BUDGET = 4_000_000

# What to do about files without new RNA.
COUNT = (
    "Count spliced and unspliced reads of the same library with velocyto, STARsolo (--soloFeatures "
    "Gene Velocyto), kb (--workflow nac) or alevin-fry (USA mode), or label the new RNA."
)

# The layers of consecutive cells, as `csr_array` of shape (n_cells_of_the_block, n_genes).
Block: TypeAlias = dict[str, Any]


class UnsortedError(Exception):
    """Entries of a file belong to cells of a block that was already returned."""


@dataclass(frozen=True)
class Reading:
    """How blocks are read.

    Attributes
    ----------
    budget : int, default=4_000_000
        Approximate number of entries of a layer in a block; numbers, if the file is dense.
    is_sorted : bool, default=True
        Whether text files are taken to be sorted by cell. If they are not, `UnsortedError` is
        raised. Otherwise entries are first written to temporary files.
    folder : Path, default=None
        Place of the temporary files; None for that of the system.
    """

    budget: int = BUDGET
    is_sorted: bool = True
    folder: Path | None = None


@dataclass(frozen=True)
class CellSource:
    """Cells in a file or folder, not yet read.

    Attributes
    ----------
    path : Path
        The file or folder.
    obs, var : DataFrame
        Tables of cells and genes, with their names as index.
    layers : tuple of str
        Names of the layers. ``"X"`` is ``adata.X``.
    new, total : str
        Layers for `prepare_anndata`, possibly sums; empty if the file does not tell.
    read : callable
        Returns the blocks for a `Reading`.
    symbols : str, default=""
        Column of `var` with the gene symbols; empty if these are the names, or not in the file.
    notes : tuple of str
        What a user should know, as sentences.
    are_counts : bool, default=True
        Whether the layers must be counts.
    """

    path: Path
    obs: pd.DataFrame
    var: pd.DataFrame
    layers: tuple[str, ...]
    new: str
    total: str
    read: Callable[[Reading], Iterator[Block]] = field(repr=False)
    symbols: str = ""
    notes: tuple[str, ...] = ()
    are_counts: bool = True

    def __post_init__(self) -> None:
        if self.are_counts:
            check_names(self.obs.index, f"cells of {self.path}")
        if not len(self.var):
            raise ValueError(f"{self.path} has no genes.")

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of cells and genes."""
        return len(self.obs), len(self.var)

    def blocks(self, reading: Reading) -> Generator[Block, None, None]:
        """Yield the layers of consecutive cells.

        Raises
        ------
        UnsortedError
            If the entries are not sorted by cell, but `reading` says so.
        ValueError
            If the file is damaged, or a number is not a count.
        """
        for block in self.read(reading):
            rows = {name: _as_rows(block[name]) for name in self.layers}
            if self.are_counts:
                for name, matrix in rows.items():
                    _check_counts(matrix.data, name, self.path)
            yield rows


def _as_rows(matrix: Any) -> Any:
    """Return a CSR matrix with sorted indices and without stored zeros."""
    rows: Any = sp.csr_array(matrix)
    rows.sum_duplicates()
    rows.eliminate_zeros()
    return rows


def _check_counts(numbers: NDArray[Any], name: str, path: Path) -> None:
    is_wrong = ~np.isfinite(numbers) | (numbers < 0)
    if is_wrong.any():
        raise ValueError(
            f"{path}: {name} has {int(is_wrong.sum()):,} number(s) that are negative, NaN or "
            f"infinite, such as {numbers[is_wrong][0]}. Counts are required."
        )


def check_names(names: pd.Index, what: str) -> None:
    """Raise ValueError if there are no names, or some are empty or repeated."""
    if not len(names):
        raise ValueError(f"There are no {what}.")
    is_empty = np.asarray(names.isna() | (names == ""), bool)
    if is_empty.any():
        raise ValueError(
            f"{int(is_empty.sum()):,} of the {len(names):,} {what} have no name, the first at "
            f"position {int(is_empty.argmax()) + 1:,}."
        )
    is_repeated = np.asarray(names.duplicated())
    if is_repeated.any():
        raise ValueError(
            f"{int(is_repeated.sum()):,} of the {len(names):,} {what} have the name of an earlier "
            f"one, such as {str(names[is_repeated][0])!r}. Make the names unique first."
        )


def table(names: Iterable[str], what: str, columns: Any = None) -> pd.DataFrame:
    """Return a table of cells or genes.

    Parameters
    ----------
    names : iterable of str
    what : str
        Name of the index.
    columns : DataFrame or dict of str, default=None
        Further columns, in the order of the names.
    """
    index = pd.Index(np.array([*names, None], object)[:-1], name=what)
    # Arrays, because a Series would be aligned to the names.
    given = {} if columns is None else columns
    values = {str(key): np.asarray(value) for key, value in given.items()}
    return pd.DataFrame(values, index=index)


def add_up(names: Iterable[str]) -> str:
    """Return the name of a sum of layers."""
    return "+".join(names)
