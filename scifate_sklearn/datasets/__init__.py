"""Simulated labelled cells with a known network, and cached downloads of reference files."""

from ._downloads import fetch_file
from ._labelled_cells import LabelledCells, make_labelled_cells

__all__ = ["LabelledCells", "fetch_file", "make_labelled_cells"]
