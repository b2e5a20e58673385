"""Evidence as prior knowledge: lower penalties for pairs with evidence."""

import numbers
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_scalar

from ..names import are_missing
from .chip import PEAK, BindingReference


def prior_penalties(
    evidence: BindingReference | pd.DataFrame, *, supported: float = 0.5
) -> pd.DataFrame:
    """Return relative penalties of TF → target pairs, lower where there is evidence.

    The penalty of a pair with evidence e between 0 and 1 is 1 − (1 − `supported`) e, as in the
    prior-weighted LASSO of Greenfield et al. (2013). The evidence then shapes the fit and cannot
    test its links any more: a filter by the same reference would be circular.

    Parameters
    ----------
    evidence : BindingReference or DataFrame of shape (n_tfs, n_targets)
        Peaks count as 1, pairs without one and untested pairs as 0. A table holds scores from 0 to
        1, TFs in rows; missing ones count as 0.
    supported : float, default=0.5
        Penalty of a pair with full evidence, relative to one without; 0 removes its penalty, 1
        ignores the evidence, and values above 1 raise its penalty.

    Returns
    -------
    DataFrame of shape (n_tfs, n_targets)
        For ``SciFateRegressor(penalty_factor=...)``, which rescales the penalties to a mean of 1
        over the predictors of each target.

    Raises
    ------
    TypeError
        If `evidence` is of another type, or the table or `supported` is not numeric.
    ValueError
        If a score is not between 0 and 1, or `supported` is negative or not finite.

    References
    ----------
    A. Greenfield, C. Hafemeister, R. Bonneau, "Robust data-driven incorporation of prior knowledge
    into the inference of dynamic regulatory networks", Bioinformatics 29, 2013.

    Examples
    --------
    >>> import pandas as pd
    >>> from scifate_sklearn import BindingReference, prior_penalties
    >>> edges = pd.DataFrame({"TF": ["MYC", "E2F1"], "target": ["NCL", "CDK4"]})
    >>> prior_penalties(BindingReference.from_edges(edges), supported=0.2)
          NCL  CDK4
    MYC   0.2   1.0
    E2F1  1.0   0.2
    """
    check_scalar(supported, "supported", numbers.Real, min_val=0)
    if not np.isfinite(supported):
        raise ValueError(f"`supported` must be a finite number >= 0, got {supported}.")
    return 1.0 - (1.0 - float(supported)) * _scores(evidence)


def _as_numbers(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return a column with missing values in place of their spellings, such as "NA"."""
    is_number = pd.api.types.is_numeric_dtype(column)
    return column if is_number else column.mask(are_missing(column))


def _scores(evidence: object) -> pd.DataFrame:
    """Return evidence as a table of numbers from 0 to 1."""
    if isinstance(evidence, BindingReference):
        is_peak = (evidence.status == PEAK).astype(np.float64)
        return pd.DataFrame(is_peak, evidence.tfs, evidence.genes)
    if not isinstance(evidence, pd.DataFrame):
        raise TypeError(
            "`evidence` must be a BindingReference or a DataFrame of TFs × targets, got "
            f"{type(evidence).__name__}."
        )
    for axis, names in (("TFs (index)", evidence.index), ("targets (columns)", evidence.columns)):
        if are_missing(names, allow_words=True).any():
            raise ValueError(f"`evidence` has {axis} without a name; remove these.")
    try:
        values = evidence.apply(_as_numbers).to_numpy(np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise TypeError(f"`evidence` must hold scores from 0 to 1 ({error}).") from error
    outside = values[(values < 0) | (values > 1)]
    if outside.size:
        raise ValueError(
            f"`evidence` must hold scores from 0 to 1, found {outside[0]:g}; divide by the maximum."
        )
    return pd.DataFrame(np.nan_to_num(values), evidence.index, evidence.columns)
