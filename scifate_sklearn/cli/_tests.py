"""Tests of the links with the cells themselves: ``--fdr``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..anndata_io import SciFateMoments
from ..filters.evidence import Step
from ..links import LEDGER_COLUMNS, survivors
from ..regressor import SciFateRegressor
from ..resampling import LinkTest

# Cells for each predictor from which all TFs of a target are tested in one model.
_ENOUGH = 10


@dataclass(frozen=True)
class CellTest:
    """Links tested with `LinkTest`.

    Attributes
    ----------
    ledger_ : DataFrame
        All links with ``t``, ``t_p``, ``t_q``, ``kept`` and ``reason``.
    """

    ledger_: pd.DataFrame

    @property
    def kept(self) -> pd.DataFrame:
        """The links that are kept, with the columns of the test."""
        return survivors(self.ledger_)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the tables to write, by the name of their file."""
        links = self.ledger_.drop(columns=list(LEDGER_COLUMNS))
        return {"links": links, "links_filtered": self.kept, "ledger": self.ledger_}

    def steps(self) -> list[Step]:
        """Return the number of links that are kept."""
        kept = self.ledger_["kept"]
        return [Step("links_kept_by_test", "links kept by t test", len(kept), int(kept.sum()))]


def test_links(
    links: pd.DataFrame,
    regressor: SciFateRegressor,
    inputs: SciFateMoments,
    cells: Iterable[tuple[Any, ...]],
    fdr: float,
) -> CellTest:
    """Test each link for an effect of its own TF.

    With at least ten cells for each predictor, all TFs of a target are in one model, and the cells
    are read once more in chunks. Otherwise halves of the cells select the TFs that are tested, and
    the matrices of all cells are in memory.

    Parameters
    ----------
    links : DataFrame
    regressor : SciFateRegressor
        With the parameters of the fit.
    inputs : SciFateMoments
    cells : iterable of (X, Y)
        The same cells.
    fdr : float
    """
    moments = inputs.moments
    if len(inputs.cells) >= _ENOUGH * moments.n_features:
        # These statistics do not depend on the penalties, which a criterion selects quickly.
        quick = SciFateRegressor(lambda_rule="bic", n_jobs=regressor.n_jobs)
        tested = LinkTest(quick, fdr=fdr).fit_moments(moments, cells)
    else:
        X, Y = (np.concatenate(parts) for parts in zip(*cells, strict=True))
        tested = LinkTest(
            regressor, fdr=fdr, pairs="selected", random_state=regressor.random_state
        ).fit(
            pd.DataFrame(X, inputs.cells.index, moments.feature_names),
            pd.DataFrame(Y, inputs.cells.index, moments.target_names),
        )
    return CellTest(tested.test_links(links))
