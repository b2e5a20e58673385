"""Directed information: does a TF's RNA add to what a target's own past says of its future?"""

from ._states import CellStates

__all__ = ["CellStates"]
