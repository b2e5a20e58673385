"""From matrices to the sums that the solvers need: one pass over the cells, never a second.

`plan_folds` says which cells make which sums, `Moments` holds the sums, part by part.
"""

from ._moments import Moments
from ._plan import FoldLayout, FoldPlan, plan_folds
from ._samples import Samples
from ._scale import CONSTANT, Scale
from ._targets import TargetSums

__all__ = [
    "CONSTANT",
    "FoldLayout",
    "FoldPlan",
    "Moments",
    "Samples",
    "Scale",
    "TargetSums",
    "plan_folds",
]
