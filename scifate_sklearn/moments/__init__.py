"""Sums over the cells of each fold, computed in one pass, from which all models are fitted.

`plan_folds` assigns the cells to parts, `Moments` holds the sums of each part.
"""

from ._matrices import Matrix, dense, slices
from ._moments import Moments
from ._plan import FoldLayout, FoldPlan, plan_folds
from ._samples import Samples
from ._scale import CONSTANT, Scale
from ._targets import TargetSums

__all__ = [
    "CONSTANT",
    "FoldLayout",
    "FoldPlan",
    "Matrix",
    "Moments",
    "Samples",
    "Scale",
    "TargetSums",
    "dense",
    "plan_folds",
    "slices",
]
