"""The fitted estimators and links tables that pictures are made of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from ..fitting import target_position
from ..links import PAIR, check_links, check_named, links_by_pair, several_groups
from ..names import are_covariates, examples
from ..regressor import SciFateRegressor


def fitted(estimator: Any, cls: type, argument: str) -> Any:
    """Return a fitted estimator of a class.

    Raises
    ------
    TypeError
        If it is of another class.
    NotFittedError
        If it is not fitted.
    """
    if not isinstance(estimator, cls):
        raise TypeError(
            f"`{argument}` must be a fitted {cls.__name__}, got {type(estimator).__name__}."
        )
    check_is_fitted(estimator)
    return estimator


def fitted_model(model: Any) -> SciFateRegressor:
    """Return a fitted regressor; that of an estimator which tests its links, too.

    Raises
    ------
    TypeError, NotFittedError
        As `fitted`.
    """
    if hasattr(model, "regressor"):
        check_is_fitted(model)
        model = model.regressor_
    regressor: SciFateRegressor = fitted(model, SciFateRegressor, "model")
    return regressor


def checked_links(links: object, caller: str) -> pd.DataFrame:
    """Return a links table with all its columns, each pair once, with names as text.

    Raises
    ------
    TypeError, ValueError
        If it is not a links table, is empty, of several groups, or repeats a pair with different
        numbers.
    """
    table = check_named(check_links(links, caller))
    groups = several_groups(table)
    if groups:
        raise ValueError(
            f"{caller}: `links` are of {len(groups)} groups ({examples(groups)}), but a picture "
            "shows one network. Give those of one group, links[links['group'] == ...]."
        )
    links_by_pair(table, caller)
    table = table[table["coef"] != 0].astype({"coef": "float64"})
    if not len(table):
        raise ValueError(f"{caller}: `links` has no links, so that there is nothing to draw.")
    names = {name: table[name].astype(str) for name in PAIR}
    return table.assign(**names).drop_duplicates(PAIR)


def regulator_columns(model: SciFateRegressor, target: str, path: object) -> pd.DataFrame:
    """Return the columns of a path that are TFs, not covariates.

    Raises
    ------
    TypeError, ValueError
        If `path` is not a table of `SciFateRegressor.coefficient_path`, or of another target.
    """
    if not isinstance(path, pd.DataFrame):
        raise TypeError(
            "`path` must be the table of `SciFateRegressor.coefficient_path`, got "
            f"{type(path).__name__}."
        )
    if path.index.name != "lambda_" or not len(path):
        raise ValueError(
            "`path` must be the table of `SciFateRegressor.coefficient_path`, with the penalties "
            f"as the index `lambda_`; its index is {path.index.name!r}."
        )
    position = target_position(model.target_names_in_, target)
    coef, selected = np.atleast_2d(model.coef_)[position], np.atleast_1d(model.lambda_)[position]
    nearest = int(np.abs(path.index.to_numpy(float) - selected).argmin())
    is_own = path.shape[1] == coef.size
    if not is_own or not np.allclose(path.iloc[nearest], coef, rtol=1e-4, atol=1e-4):
        raise ValueError(f"`path` is not that of the target {target!r} in this fit.")
    return path.loc[:, ~are_covariates(path.columns.to_numpy(object), model.covariates)]
