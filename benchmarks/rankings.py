"""Rankings of TF → target pairs: of the package, by correlation, and by forests.

Each takes a known network's predictors and targets, `Effort` and a seed, and returns a frame of
TFs × targets, larger for more likely links. A gene never predicts itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from known_networks import KnownNetwork
from numpy.typing import NDArray
from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor

from scifate_sklearn import RidgeRanking, SciFateRegressor, StabilitySelection

Floats = NDArray[np.float64]
# arboreto's: the number of rounds in which trees no longer help, by the samples they do not see.
PATIENCE = 25


@dataclass(frozen=True)
class Effort:
    """Settings that decide the computing time of a ranking."""

    n_resamples: int = 100
    n_trees: int = 100
    n_rounds: int = 5000
    n_jobs: int = 2


def correlation(network: KnownNetwork, effort: Effort, seed: int) -> pd.DataFrame:
    """Absolute correlation of TF and target over all cells."""
    n_cells = len(network.X)
    product = network.X[network.tfs].to_numpy().T @ network.Y.to_numpy()
    return _frame(network, np.abs(product) / (n_cells - 1))


def coefficient(rule: str) -> Ranking:
    """Absolute coefficient at the penalty that a rule chooses."""

    def rank(network: KnownNetwork, effort: Effort, seed: int) -> pd.DataFrame:
        model = SciFateRegressor(lambda_rule=rule, n_jobs=effort.n_jobs)
        model.fit(network.X, network.Y)
        return ranked_by(network, np.abs(model.coef_))

    return rank


def frequency(rule: str) -> Ranking:
    """Share of the resamples of cells in which a link is selected."""

    def rank(network: KnownNetwork, effort: Effort, seed: int) -> pd.DataFrame:
        selection = StabilitySelection(
            SciFateRegressor(lambda_rule=rule, n_jobs=effort.n_jobs),
            n_resamples=effort.n_resamples,
            random_state=seed,
        )
        return ranked_by(network, selection.fit(network.X, network.Y).frequency_)

    return rank


def moderated_ridge(network: KnownNetwork, effort: Effort, seed: int) -> pd.DataFrame:
    """Absolute score of `RidgeRanking`."""
    return ranked_by(network, np.abs(RidgeRanking().fit(network.X, network.Y).score_))


def ranked_by(network: KnownNetwork, values: Floats) -> pd.DataFrame:
    """Return values of targets × predictors as a frame of TFs × targets, without covariates."""
    return pd.DataFrame(values.T, network.X.columns, network.Y.columns).loc[network.tfs]


def genie3(network: KnownNetwork, effort: Effort, seed: int) -> pd.DataFrame:
    """GENIE3 (Huynh-Thu et al. 2010) on scikit-learn's forests.

    One random forest per target of unit variance, with √(number of TFs) candidates per split. The
    importance of a TF is the decrease of variance, not normalised per tree.
    """

    def importances(X: Floats, y: Floats, target: int) -> Floats:
        forest = RandomForestRegressor(
            effort.n_trees, max_features="sqrt", random_state=target + 10_000 * seed
        ).fit(X, y)
        trees = (tree.tree_.compute_feature_importances(False) for tree in forest.estimators_)
        return np.mean(list(trees), axis=0)

    return _per_target(network, importances, effort)


def grnboost2(network: KnownNetwork, effort: Effort, seed: int) -> pd.DataFrame:
    """GRNBoost2 (Moerman et al. 2019) with arboreto's settings.

    Gradient boosting with learning rate 0.01, a tenth of the TFs and nine tenths of the cells per
    tree, until the mean gain on the cells left out is negative over 25 rounds; importances times
    the number of trees.
    """

    def stops(i: int, model: GradientBoostingRegressor, _: object) -> bool:
        recent = model.oob_improvement_[max(0, i - PATIENCE + 1) : i + 1]
        return bool(i >= PATIENCE - 1 and recent.mean() < 0)

    def importances(X: Floats, y: Floats, target: int) -> Floats:
        model = GradientBoostingRegressor(
            n_estimators=effort.n_rounds,
            learning_rate=0.01,
            max_features=0.1,
            subsample=0.9,
            random_state=target + 10_000 * seed,
        ).fit(X, y, monitor=stops)
        return model.feature_importances_ * len(model.estimators_)

    return _per_target(network, importances, effort)


def chance(network: KnownNetwork, effort: Effort, seed: int) -> pd.DataFrame:
    """Return equal values for all pairs: the expected value of a random ranking."""
    return _frame(network, np.ones((len(network.tfs), network.Y.shape[1])))


def _per_target(
    network: KnownNetwork, importances: Callable[[Floats, Floats, int], Floats], effort: Effort
) -> pd.DataFrame:
    """Return the importances of all TFs but the target itself, target by target."""
    X = network.X[network.tfs].to_numpy()
    Y = network.Y.to_numpy()
    others = [np.flatnonzero(network.tfs != name) for name in network.Y.columns]
    found = Parallel(n_jobs=effort.n_jobs)(
        delayed(importances)(X[:, columns], Y[:, t], t) for t, columns in enumerate(others)
    )
    values = np.zeros((len(network.tfs), Y.shape[1]))
    for t, columns in enumerate(others):
        values[columns, t] = found[t]
    return _frame(network, values)


def _frame(network: KnownNetwork, values: Floats) -> pd.DataFrame:
    return pd.DataFrame(values, network.tfs, network.Y.columns)


Ranking = Callable[[KnownNetwork, Effort, int], pd.DataFrame]
RANKINGS: dict[str, Ranking] = {
    "frequency, 1se": frequency("1se"),
    "frequency, min": frequency("min"),
    "coefficient, 1se": coefficient("1se"),
    "coefficient, min": coefficient("min"),
    "moderated ridge": moderated_ridge,
    "correlation": correlation,
    "GENIE3": genie3,
    "GRNBoost2": grnboost2,
    "chance": chance,
}
