"""Rankings of all pairs of a TF and a target by directed information and by linear methods."""

from __future__ import annotations

import numpy as np
import pandas as pd
from known_networks import KnownNetwork
from numpy.typing import NDArray
from rankings import RANKINGS, Effort
from scipy.stats import rankdata

from scifate_sklearn import CellStates, RDIScorer
from scifate_sklearn.causality import all_pairs

Floats = NDArray[np.float64]


def all_scores(states: CellStates, n_jobs: int) -> dict[str, pd.DataFrame]:
    """Return the scores, TFs × targets, of each ranking."""
    predictors = pd.concat([states.regulator, states.given], axis=1)
    no_edges = pd.DataFrame(columns=["TF", "target"])
    network = KnownNetwork("", predictors, states.target_t1, no_edges, states.tf_names)
    found = {
        "coefficient, λ_min": RANKINGS["coefficient, min"](network, Effort(n_jobs=n_jobs), 0),
        "partial correlation": partial_correlations(states),
    }
    for k in (5, "sqrt"):
        scorer = RDIScorer(states, n_neighbors=k, n_jobs=n_jobs).fit(all_pairs(states))
        table = scorer.scores_.pivot(index="TF", columns="target")
        for name, column in (("RDI", "rdi"), ("cRDI", "crdi")):
            scores = table[column].reindex(index=states.tf_names, columns=states.target_names)
            found[f"{name}, k = {k}"] = scores.fillna(0.0)
    both = sum(as_ranks(found[name]) for name in ("coefficient, λ_min", "RDI, k = sqrt"))
    found["ranks of coefficient and RDI"] = pd.DataFrame(both, states.tf_names, states.target_names)
    return found


def as_ranks(scores: pd.DataFrame) -> Floats:
    return np.asarray(rankdata(scores).reshape(scores.shape))


def partial_correlations(states: CellStates) -> pd.DataFrame:
    """Return |cor(X, Y₁)| given Y₀ and the depth, TFs × targets: the linear counterpart of RDI."""
    x = states.regulator.to_numpy()
    columns = {}
    for target in states.target_names:
        own = states.target_t0[[target]].to_numpy()
        basis, _ = np.linalg.qr(np.column_stack([np.ones(len(x)), own, states.given]))
        y = states.target_t1[target].to_numpy()
        rest_x, rest_y = x - basis @ (basis.T @ x), y - basis @ (basis.T @ y)
        spread = np.sqrt((rest_x**2).sum(axis=0) * (rest_y @ rest_y))
        columns[target] = np.abs(rest_y @ rest_x) / np.where(spread > 0, spread, 1.0)
    return pd.DataFrame(columns, index=states.tf_names)
