"""Rankings of TF → target pairs: of the package, by correlation, forests, LARS and ridge.

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
from scipy.linalg import solve
from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import lars_path

from scifate_sklearn import RidgeRanking, SciFateRegressor, StabilitySelection

Floats = NDArray[np.float64]
# arboreto's: the number of rounds in which trees no longer help, by the samples they do not see.
PATIENCE = 25
# TIGRESS: the number of TFs that enter a path, and the smallest random weight of a TF.
N_STEPS = 5
SMALLEST_WEIGHT = 0.2
# Ridge on subsets of the TFs: the penalty, relative to columns of unit variance.
SUBSET_PENALTY = 0.03


@dataclass(frozen=True)
class Effort:
    """Settings that decide the computing time of a ranking."""

    n_resamples: int = 100
    n_trees: int = 100
    n_rounds: int = 5000
    n_subsets: int = 1000
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


def tigress(network: KnownNetwork, effort: Effort, seed: int) -> pd.DataFrame:
    """TIGRESS (Haury et al. 2012) on scikit-learn's LARS, with the published α = 0.2 and L = 5.

    The samples are split into halves at random, and each TF is multiplied by a random weight from
    [α, 1]. The area score of a TF is the mean over l = 1, …, L of the share of halves in which it
    is among the first l TFs that enter the path: 1 − k/L for a half in which it enters after k
    others. `Effort.n_resamples` is the number of halves. The published 1,000 instead of 100 take
    ten times as long.
    """

    def areas(X: Floats, y: Floats, target: int) -> Floats:
        rng = np.random.default_rng((seed, target))
        area = np.zeros(X.shape[1])
        for _ in range(effort.n_resamples // 2):
            for half in np.array_split(rng.permutation(len(y)), 2):
                weighted = X[half] * rng.uniform(SMALLEST_WEIGHT, 1.0, X.shape[1])
                entered = lars_path(
                    weighted - weighted.mean(axis=0),
                    y[half] - y[half].mean(),
                    max_iter=N_STEPS,
                    return_path=False,
                )[1]
                area[entered] += 1.0 - np.arange(len(entered)) / N_STEPS
        return area

    return _per_target(network, areas, effort)


def subset_ridge(network: KnownNetwork, effort: Effort, seed: int) -> pd.DataFrame:
    """Ridge regressions on random subsets of the TFs.

    The score of a TF is its mean squared coefficient, on columns of unit variance, over the
    subsets that contain it. A subset has half of the TFs. Of √p, p/4, p/3, p/2 and 2p/3 TFs, of
    penalties from 0.003 to 1, and of squared coefficients and |t|, these had the best mean AUPR
    relative to `RidgeRanking` on the networks of this benchmark.
    """
    rng = np.random.default_rng(seed)
    X, Y = network.X[network.tfs].to_numpy(), network.Y.to_numpy()
    G, C = X.T @ X / (len(X) - 1), X.T @ Y / (len(X) - 1)
    own = network.tfs.get_indexer(network.Y.columns)
    total, count = np.zeros_like(C), np.zeros_like(C)
    for _ in range(effort.n_subsets):
        chosen = rng.choice(len(G), len(G) // 2, replace=False)
        penalised = G[np.ix_(chosen, chosen)] + SUBSET_PENALTY * np.eye(len(chosen))
        is_other = ~np.isin(own, chosen)
        total[chosen] += is_other * solve(penalised, C[chosen], assume_a="pos") ** 2
        count[chosen] += is_other
    return _frame(network, total / np.maximum(count, 1.0))


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
    "TIGRESS": tigress,
    "subset ridge": subset_ridge,
    "chance": chance,
}
