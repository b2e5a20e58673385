"""Dense tables of GRAND-SLAM: a row for each gene, columns of counts and ratios for each sample.

Version 3: ``<sample> Read count``, ``<sample> 4sU Binom NTR MAP``; version 2: ``<sample>
Readcount``, ``<sample> MAP``. New RNA is count × NTR, as in sparse folders.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._contents import Contents
from ._names import find
from ._source import Block, CellSource, Reading, table
from ._tables import read_wide
from ._wide import WideTable

_GENE, _SYMBOL = "Gene", "Symbol"
_COUNTS = (" Read count", " Readcount")
# What follows the name of a sample in the column of ratios: grandR's default, and the end of all.
_DEFAULT, _MAP = " 4sU Binom NTR MAP", " MAP"


def is_grandslam_dense(contents: Contents) -> bool:
    """Return whether a file is a dense table, or a folder has one."""
    head = contents.peek("data.tsv") if contents.kind == "folder" else contents.head
    return head.startswith(f"{_GENE}\t{_SYMBOL}\t".encode())


def read_grandslam_dense(path: Path) -> CellSource:
    """Return the samples of a dense table, as cells."""
    wide = WideTable.from_path(_file(path), [_GENE, _SYMBOL])
    samples = _samples(wide)
    ratios = _choose(wide, samples)
    labelled = np.array([sample in ratios for sample in samples])
    columns = [*samples.values(), *ratios.values()]

    def read(reading: Reading) -> Iterator[Block]:
        values = partial(_new_and_total, labelled, wide.path)
        blocks = read_wide(wide, columns, reading, values=values, n_cells=len(samples))
        for new, total in blocks:
            yield {"new": new, "total": total}

    notes = ["New RNA is count × NTR, so that it is not integer."]
    if n_without := int((~labelled).sum()):
        notes += [f"{n_without} of {len(samples)} samples have no NTR; their new RNA is 0."]
    return CellSource(
        path=path,
        obs=table(samples, "sample", {"labelled": labelled}),
        var=table(wide.names[_GENE], "gene_id", {"gene_symbol": wide.names[_SYMBOL]}),
        layers=("new", "total"),
        new="new",
        total="total",
        read=read,
        symbols="gene_symbol",
        notes=tuple(notes),
    )


def _file(path: Path) -> Path:
    return find(path, "data.tsv") if path.is_dir() else path


def _new_and_total(
    labelled: NDArray[np.bool_], path: Path, numbers: NDArray[Any]
) -> NDArray[np.float64]:
    """Return new and total counts of each sample, for counts that are followed by ratios."""
    counts = numbers[:, : len(labelled)]
    shares = np.zeros(counts.shape)
    # Without a read, there is no ratio.
    shares[:, labelled] = np.nan_to_num(numbers[:, len(labelled) :], nan=0.0)
    if not ((shares >= 0) & (shares <= 1)).all():
        raise ValueError(f"{path} has ratios (NTR) outside of [0, 1].")
    return np.stack([counts * shares, counts], axis=2)


def _samples(wide: WideTable) -> dict[str, str]:
    """Return the column of counts of each sample."""
    found = {
        name.removesuffix(suffix): name
        for name in wide.columns
        for suffix in _COUNTS
        if name.endswith(suffix)
    }
    if not found:
        raise ValueError(f"{wide.path} has no columns of counts, such as '<sample> Read count'.")
    return found


def _choose(wide: WideTable, samples: dict[str, str]) -> dict[str, str]:
    """Return the column of ratios of each sample that has one."""
    columns = set(wide.columns)
    for suffix in _suffixes(wide):
        found = {name: f"{name}{suffix}" for name in samples if f"{name}{suffix}" in columns}
        if found:
            return found
    raise ValueError(
        f"{wide.path} has counts, but no new-to-total ratios (columns '<sample> ... MAP'): the "
        "samples are not labelled."
    )


def _suffixes(wide: WideTable) -> list[str]:
    """Return what follows the name of a sample in columns of ratios, the preferred one first."""
    given = {
        name[len(sample) :]
        for sample in _samples(wide)
        for name in wide.columns
        if name.startswith(f"{sample} ") and name.endswith(_MAP)
    }
    return sorted(given, key=lambda suffix: (suffix != _DEFAULT, suffix))
