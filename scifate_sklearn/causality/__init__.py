"""Directed information: what a TF's RNA adds to what a target's past says of its future."""

from ._states import CellStates, as_delays

__all__ = ["CellStates", "as_delays"]
