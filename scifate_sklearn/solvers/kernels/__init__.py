"""Every compiled function of the package.

One problem, in the standardised coordinates of one training set (‖y‖²/n = 1, g = Xᵀy/n,
G = XᵀX/n), is

    min over b of  ½ bᵀGb − gᵀb + l1 Σⱼ vⱼ |bⱼ| + ½ l2 Σⱼ vⱼ bⱼ²                               (1)

with l1 = λ α, l2 = λ (1 − α) and penalty factors v, infinite for features that may not enter.

From the bottom up: `views`, `rows` and `cholesky` are linear algebra, `objective` and `held_out`
what is minimised and what is measured, `model`, `active_set` and `descent` solve one problem after
the other, `curves` says when to stop, and `paths` and `automatic` do it for all targets and folds.

numba caches what it compiled by the date of the calling file alone, so delete ``*.nbi`` after an
edit (the tests keep a cache for each state of the sources). Variables that are passed on start as
``np.intp(0)``, not 0: the callee would be compiled twice, for the literal and for the integer.
"""

from ._automatic import automatic_errors, automatic_grids, interpolate_path
from ._model import Models, new_models
from ._objective import duality_gap_of
from ._paths import Sets, Targets, follow_grids

__all__ = [
    "Models",
    "Sets",
    "Targets",
    "automatic_errors",
    "automatic_grids",
    "duality_gap_of",
    "follow_grids",
    "interpolate_path",
    "new_models",
]
