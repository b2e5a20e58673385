"""Solvers of many LASSO problems over one design matrix, and other estimates from arrays only.

`ENGINES` is the table of engines. An engine is imported when it is first used, so importing this
package does not import numba.
"""

from ._cell_errors import CELL_RULE
from ._checkpoint import Checkpoint, Identity, identify
from ._compiling import announce_compilation
from ._engine import BlockFit, Engine, PathEngine, Selection, Solution
from ._engines import ENGINES, EngineEntry, engines_that_read
from ._information import CRITERIA
from ._mutual_information import InformationProblem
from ._parallel import fit_all, run_jobs, solve_all
from ._problem import (
    GLMNET,
    SCIKIT_LEARN,
    Convention,
    GeometricGrid,
    LassoProblem,
    SolverSettings,
    TargetBlock,
    every_predictor,
    select_candidates,
)
from ._reselect import select_by_cells
from ._ridge import RidgeFits, RidgeProblem
from ._robust import RobustProblem, RobustSums
from ._selection import CVCurve, LambdaRule, paper_grid

__all__ = [
    "CELL_RULE",
    "CRITERIA",
    "ENGINES",
    "GLMNET",
    "SCIKIT_LEARN",
    "BlockFit",
    "CVCurve",
    "Checkpoint",
    "Convention",
    "Engine",
    "EngineEntry",
    "GeometricGrid",
    "Identity",
    "InformationProblem",
    "LambdaRule",
    "LassoProblem",
    "PathEngine",
    "RidgeFits",
    "RidgeProblem",
    "RobustProblem",
    "RobustSums",
    "Selection",
    "Solution",
    "SolverSettings",
    "TargetBlock",
    "announce_compilation",
    "engines_that_read",
    "every_predictor",
    "fit_all",
    "identify",
    "paper_grid",
    "run_jobs",
    "select_by_cells",
    "select_candidates",
    "solve_all",
]
