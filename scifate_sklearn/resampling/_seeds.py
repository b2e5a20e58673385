"""Agreement of the links of fits with different seeds of the folds."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import clone

from ..regressor import SciFateRegressor


@dataclass(frozen=True, eq=False)
class SeedStability:
    """Result of `seed_stability`.

    Attributes
    ----------
    found_again : float
        Mean share of the links of one fit that another fit has too.
    jaccard : float
        Mean share of the links of two fits together that both have.
    links : DataFrame
        One row per pair that any fit links: ``TF``, ``target``, ``coef`` (mean over the fits, 0
        where there is no link) and ``seeds``, the share of the fits that have the link.
    """

    found_again: float
    jaccard: float
    links: pd.DataFrame


def seed_stability(
    regressor: SciFateRegressor,
    tf_matrix: Any,
    target_matrix: Any,
    *,
    n_seeds: int = 2,
    sample_weight: ArrayLike | None = None,
) -> SeedStability:
    """Fit a regressor with several seeds of the folds, and compare the links.

    Parameters
    ----------
    regressor : SciFateRegressor
        Not changed. Its `cv` must be a number of folds, and its `random_state` an int, the first
        seed. No two fits share the folds of a repeat.
    tf_matrix, target_matrix : DataFrame, ndarray or sparse matrix
        As for `SciFateRegressor.fit`.
    n_seeds : int, default=2
        Number of fits, at least 2.
    sample_weight : array-like of shape (n_cells,), default=None
        Non-negative weights of the cells.

    Returns
    -------
    SeedStability

    Raises
    ------
    ValueError
        If `n_seeds` is below 2, `cv` is not a number or `random_state` not an int, or no fit has a
        link.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from scifate_sklearn import SciFateRegressor, seed_stability
    >>> rng = np.random.default_rng(0)
    >>> tfs = pd.DataFrame(rng.normal(size=(200, 3)), columns=["Pax6", "Sox2", "Myc"])
    >>> new = pd.DataFrame({"Neurog3": tfs["Pax6"] + rng.normal(size=200)})
    >>> seed_stability(SciFateRegressor(), tfs, new).jaccard
    1.0
    """
    seed, cv = regressor.random_state, regressor.cv
    if n_seeds < 2:
        raise ValueError(f"`n_seeds` must be at least 2, got {n_seeds}.")
    if not (isinstance(cv, Integral) and isinstance(seed, Integral)):
        raise ValueError(
            "`regressor` must have a number of folds as `cv` and an int as `random_state`, got "
            f"{type(cv).__name__} and {type(seed).__name__}: other folds have no seed."
        )
    fits = []
    for k in range(n_seeds):
        own = clone(regressor).set_params(random_state=int(seed) + k * regressor.n_repeats)
        links = own.fit(tf_matrix, target_matrix, sample_weight=sample_weight).links_
        fits.append(links.set_index(["TF", "target"])["coef"])
    table = pd.concat(fits, axis=1).fillna(0.0)
    if table.empty:
        raise ValueError("No fit has a link, so that there is nothing to compare.")
    is_link = table.to_numpy() != 0.0
    pairs = list(combinations(range(n_seeds), 2))
    both = np.array([(is_link[:, i] & is_link[:, j]).sum() for i, j in pairs])
    either = np.array([(is_link[:, i] | is_link[:, j]).sum() for i, j in pairs])
    sizes = np.array([is_link[:, list(pair)].sum() for pair in pairs])
    summary = pd.DataFrame(
        {"coef": table.mean(axis=1), "seeds": is_link.mean(axis=1)}
    ).reset_index()
    return SeedStability(
        float(np.mean(2.0 * both / np.maximum(sizes, 1))),
        float(np.mean(both / np.maximum(either, 1))),
        summary,
    )
