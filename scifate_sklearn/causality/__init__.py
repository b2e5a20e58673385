"""Directed information: dependence of a target's next RNA on a TF, given the target's own past.

`CellStates` holds the RNA before and after a step in time, `RDIScorer` scores links with it.
"""

from ._clr import clr
from ._information import conditional_mutual_information
from ._pairs import all_pairs
from ._scorer import RDIScorer
from ._states import CellStates, as_delays

__all__ = [
    "CellStates",
    "RDIScorer",
    "all_pairs",
    "as_delays",
    "clr",
    "conditional_mutual_information",
]
