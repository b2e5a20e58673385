"""Readers of files with new and total RNA that are not of anndata, one module for each format."""

from ._alevin import is_alevin, read_alevin
from ._grandslam import is_grandslam, read_grandslam
from ._grandslam_dense import is_grandslam_dense, read_grandslam_dense
from ._kb import is_kb, read_kb
from ._loom import is_loom, read_loom
from ._nascseq import is_nascseq, read_nascseq
from ._scifate import is_scifate, read_scifate
from ._scntseq import is_scntseq, read_scntseq
from ._source import COUNT, Block, CellSource, Reading, UnsortedError
from ._starsolo import is_starsolo, read_starsolo

__all__ = [
    "COUNT",
    "Block",
    "CellSource",
    "Reading",
    "UnsortedError",
    "is_alevin",
    "is_grandslam",
    "is_grandslam_dense",
    "is_kb",
    "is_loom",
    "is_nascseq",
    "is_scifate",
    "is_scntseq",
    "is_starsolo",
    "read_alevin",
    "read_grandslam",
    "read_grandslam_dense",
    "read_kb",
    "read_loom",
    "read_nascseq",
    "read_scifate",
    "read_scntseq",
    "read_starsolo",
]
