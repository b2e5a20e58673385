"""Names of covariates: predictors that are never links."""

from collections.abc import Collection

import numpy as np
import pandas as pd
from numpy.typing import NDArray

# Starts the name of each predictor that is made from a column of ``adata.obs``. A prefix, so that
# a gene may have the name of the column, and a regressor knows the predictor whatever the column.
OBS_PREFIX = "obs:"


def are_covariates(names: NDArray[np.object_], others: Collection[str] = ()) -> NDArray[np.bool_]:
    """Return which predictors are covariates.

    Parameters
    ----------
    names : ndarray of str of shape (n_features,)
    others : collection of str, default=()
        Names of covariates, in addition to those that begin with `OBS_PREFIX`.

    Returns
    -------
    ndarray of bool of shape (n_features,)
    """
    index = pd.Index(names, dtype=object)
    from_obs = np.fromiter((str(name).startswith(OBS_PREFIX) for name in index), bool, index.size)
    return np.asarray(index.isin(list(others))) | from_obs
