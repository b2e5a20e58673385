"""What tests of directed information are conditioned on: size factors and columns of obs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..preprocessing import is_constant, zscore
from ._choices import NewChoices
from ._chunks import Floats
from ._covariates import Covariates, check_columns, make_covariates, without_constant
from ._passes import Kept

GIVEN = "given"
SIZE_FACTOR = "size_factor"


@dataclass(frozen=True)
class StateChoices(NewChoices):
    """Choices from the data, with what `given` names in place of covariates.

    Attributes
    ----------
    given : sequence of str, default=()
        As the user gave it; `SIZE_FACTOR` is the logarithm of the size factors.
    """

    given: Sequence[str] = ()

    def obs_columns(self, covariates: Any = None) -> tuple[str, ...]:
        """Return the named columns of ``adata.obs``; raise TypeError or ValueError for others."""
        return tuple(name for name in check_columns(self.given, GIVEN) if name != SIZE_FACTOR)

    def choose_covariates(self, candidates: dict[str, Floats], obs: pd.DataFrame) -> Covariates:
        """Return what is named and not constant."""
        factors = candidates["new_size_factor"]
        named = {}
        if SIZE_FACTOR in self.given and not is_constant(factors):
            named[SIZE_FACTOR] = np.log(factors)
        made, columns = make_covariates(obs, list(obs.columns), argument=GIVEN)
        varying = without_constant(made, columns, GIVEN, len(self.given) - len(made))
        return Covariates(made, {**named, **varying})


def given_values(
    kept: Kept, rows: "NDArray[np.intp] | slice" = slice(None)
) -> tuple[Floats, list[str]]:
    """Return what tests are conditioned on, z-scored, and its names.

    Parameters
    ----------
    kept : Kept
        Chosen with `StateChoices`.
    rows : ndarray of int of shape (n_rows,) or slice, default=slice(None)
        Positions among the kept cells; by default all of them.

    Returns
    -------
    values : ndarray of shape (n_rows, n_given)
    names : list of str
    """
    chosen = kept.covariates.predictors
    columns = [each[rows].astype(np.float64) for each in chosen.values()]
    values = np.stack(columns, axis=1) if columns else np.empty((len(kept.cells), 0))[rows]
    return zscore(values), list(chosen)
