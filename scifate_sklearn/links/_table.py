"""The links table, with one row per TF → target link.

Its columns, in this order, are ``TF``, ``target``, ``coef`` (on the input scale), ``r2``
(cross-validated, of the target's model) and ``lambda_`` (the penalty of that model). Filters drop
rows and append columns of evidence. Their ledgers keep all rows and give the reason for each link
that was dropped.
"""

from collections.abc import Collection

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..names import are_covariates

LINK_COLUMNS = ("TF", "target", "coef", "r2", "lambda_")
REQUIRED_COLUMNS = ("TF", "target", "coef")
LEDGER_COLUMNS = ("kept", "reason")
# Columns of evidence in which the sign is that of the regulation, in which small numbers are strong
# evidence, and in which negative numbers are none.
SIGNED_COLUMNS = ("coef", "score", "t")
PROBABILITY_COLUMNS = ("q", "t_p", "t_q", "chip_p", "chip_q", "rdi_p", "rdi_q")
INFORMATION_COLUMNS = ("rdi", "crdi", "reverse_rdi")


def build_links(
    coef: NDArray[np.float64],
    feature_names: NDArray[np.object_],
    target_names: NDArray[np.object_],
    r2: NDArray[np.float64],
    lambda_: NDArray[np.float64],
    covariates: Collection[str] = (),
) -> pd.DataFrame:
    """Return one row per non-zero coefficient.

    Parameters
    ----------
    coef : ndarray of shape (n_targets, n_features)
        Coefficients on the input scale.
    feature_names : ndarray of shape (n_features,)
        Names of the predictors, for the column ``TF``.
    target_names : ndarray of shape (n_targets,)
        Names of the targets.
    r2, lambda_ : ndarray of shape (n_targets,)
        Cross-validated r² and the selected penalty of each target.
    covariates : collection of str, default=()
        Predictors without links, in addition to those made from ``adata.obs``.

    Returns
    -------
    DataFrame
        Columns `LINK_COLUMNS`, in the order of the targets, then of the predictors.
    """
    is_link = coef != 0
    is_link[:, are_covariates(feature_names, covariates)] = False
    target, feature = np.nonzero(is_link)
    return pd.DataFrame(
        {
            "TF": feature_names[feature],
            "target": target_names[target],
            "coef": coef[target, feature],
            "r2": r2[target],
            "lambda_": lambda_[target],
        },
        columns=list(LINK_COLUMNS),
    )


def check_links(links: object, caller: str) -> pd.DataFrame:
    """Return `links` if it is a links table, with ``coef`` as numbers, else raise an error.

    Raises
    ------
    TypeError
        If `links` is not a DataFrame.
    ValueError
        If a required column is missing or repeated, or ``coef`` contains anything but finite
        numbers.
    """
    if not isinstance(links, pd.DataFrame):
        raise TypeError(
            f"{caller} expects `links` as a pandas DataFrame with the columns "
            f"{', '.join(REQUIRED_COLUMNS)}, got {type(links).__name__}. Pass "
            "`SciFateRegressor.links_`, or put the filter after the regressor in a Pipeline."
        )
    missing = [name for name in REQUIRED_COLUMNS if name not in links.columns]
    if missing:
        raise ValueError(
            f"{caller}: `links` lacks the column(s) {', '.join(missing)}; "
            f"found {', '.join(map(str, links.columns))}."
        )
    for name in REQUIRED_COLUMNS:
        count = int(np.count_nonzero(links.columns == name))
        if count > 1:
            raise ValueError(
                f"{caller}: `links` has {count} columns called {name!r}; rename all but one."
            )
    coef = links["coef"].infer_objects()  # numbers in a column of objects
    is_real = pd.api.types.is_numeric_dtype(coef) and not pd.api.types.is_complex_dtype(coef)
    # `all` of pandas ignores NA.
    if not is_real or coef.isna().any() or not np.isfinite(coef.to_numpy(np.float64)).all():
        raise ValueError(f"{caller}: column `coef` of `links` must hold finite numbers.")
    return links if coef.dtype == links["coef"].dtype else links.assign(coef=coef)


def strong_links(links: pd.DataFrame, coef_threshold: float) -> pd.DataFrame:
    """Return the links with ``|coef| > coef_threshold``."""
    return links.loc[is_strong(links, coef_threshold)]


def is_strong(links: pd.DataFrame, coef_threshold: float) -> NDArray[np.bool_]:
    """Return whether ``|coef| > coef_threshold``."""
    return (links["coef"].abs() > coef_threshold).to_numpy(bool)


def check_named(links: pd.DataFrame) -> pd.DataFrame:
    """Return `links` unchanged if every link has both names, else raise ValueError."""
    for name in ("TF", "target"):
        if (links[name].isna() | (links[name].astype(str).str.strip() == "")).any():
            raise ValueError(
                f"Column `{name}` of `links` has rows without a name; drop these rows."
            )
    return links


def ledger_of(links: pd.DataFrame, reasons: NDArray[np.object_]) -> pd.DataFrame:
    """Return `links` with the columns ``kept`` and ``reason``, "" for links that are kept."""
    return links.assign(kept=reasons == "", reason=reasons)


def survivors(ledger: pd.DataFrame) -> pd.DataFrame:
    """Return the kept links of a ledger, as a links table."""
    return ledger.loc[ledger["kept"]].drop(columns=list(LEDGER_COLUMNS))


def first_reason(*cases: tuple[NDArray[np.bool_], str]) -> NDArray[np.object_]:
    """Return for each link the text of the first case that applies, "" if none does.

    Parameters
    ----------
    *cases : (ndarray of bool of shape (n_links,), str)
        Whether each link is to be dropped, and the reason, in the order of the tests.
    """
    conditions, texts = zip(*cases, strict=True)
    return np.select(conditions, texts, "").astype(object)
