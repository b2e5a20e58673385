"""All compiled functions of the package.

One problem, in the standardized coordinates of one training set (‖y‖²/n = 1, g = Xᵀy/n,
G = XᵀX/n), is

    min over b of  ½ bᵀGb − gᵀb + l1 Σⱼ vⱼ |bⱼ| + ½ l2 Σⱼ vⱼ bⱼ²                               (1)

with l1 = λ α, l2 = λ (1 − α) and penalty factors v, infinite for features that may not enter.

From the bottom up: `views`, `sums`, `rows` and `cholesky` are linear algebra; `objective` and
`held_out` compute the objective and the held-out error; `model`, `active_set` and `descent` solve
one problem after the other; `curves` decides when to stop; `paths` and `automatic` run all targets
and folds.

`neighbours` and `shuffles` are about another problem: the conditional mutual information of two
columns, and its values if they are independent.

numba keys its cache by the date of the calling file alone, so delete ``*.nbi`` after an edit (the
tests keep a cache for each state of the sources). Variables that are passed to another kernel start
as ``np.intp(0)``, not 0: otherwise the callee is compiled twice, for the literal and the integer.
"""

from ._automatic import automatic_errors, automatic_grids, interpolate_path
from ._information import follow_whole
from ._model import Models, new_models
from ._neighbours import conditional_information
from ._objective import duality_gap_of
from ._paths import Sets, Targets, follow_grids
from ._shuffles import shuffle, shuffle_candidates

__all__ = [
    "Models",
    "Sets",
    "Targets",
    "automatic_errors",
    "automatic_grids",
    "conditional_information",
    "duality_gap_of",
    "follow_grids",
    "follow_whole",
    "interpolate_path",
    "new_models",
    "shuffle",
    "shuffle_candidates",
]
