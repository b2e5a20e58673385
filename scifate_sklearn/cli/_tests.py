"""Tests of the links with the cells themselves: ``--fdr`` and ``--stability``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import clone

from ..anndata_io import KeptCells
from ..filters.evidence import Step
from ..ledger import link_ledger
from ..links import LEDGER_COLUMNS, ledger_of, survivors
from ..regressor import SciFateRegressor
from ..resampling import LinkTest, StabilitySelection
from ._options import RunOptions

# Cells for each predictor from which all TFs of a target are tested in one model.
_ENOUGH = 10


def fit_t_test(
    fdr: float, options: RunOptions, regressor: SciFateRegressor, cells: KeptCells, groups: Any
) -> LinkTest:
    """Test with ``--fdr`` whether each TF has an effect of its own.

    With at least ten cells for each predictor, all TFs of a target are in one model, and the cells
    are read in chunks. Otherwise halves of the cells select the TFs that are tested, and the
    matrices of all cells are in memory.

    Parameters
    ----------
    fdr : float
    options : RunOptions
    regressor : SciFateRegressor
        With the parameters of the fit.
    cells : KeptCells
    groups : array-like of shape (n_kept_cells,) or None
        Labels of the kept cells, if no half may hold a part of a group.

    Returns
    -------
    LinkTest
    """
    moments, names = cells.prepared.moments, cells.prepared.cells.index
    if len(names) >= _ENOUGH * moments.n_features:
        # These statistics do not depend on the penalties, which a criterion selects quickly.
        quick = SciFateRegressor(lambda_rule="bic", n_jobs=regressor.n_jobs)
        return LinkTest(quick, fdr=fdr).fit_moments(moments, cells)
    X, Y = (np.concatenate(parts) for parts in zip(*cells, strict=True))
    seed = options.seed
    folds = {"cv": options.folds, "n_repeats": options.repeats, "random_state": seed}
    own = clone(regressor).set_params(**folds)
    return LinkTest(own, fdr=fdr, pairs="selected", random_state=seed).fit(
        pd.DataFrame(X, names, moments.feature_names),
        pd.DataFrame(Y, names, moments.target_names),
        groups=groups,
    )


def fit_halves(
    threshold: float, options: RunOptions, regressor: SciFateRegressor, cells: KeptCells
) -> StabilitySelection:
    """Fit the regressor, and for ``--stability`` halves of its folds; see `fit_t_test`."""
    selection = StabilitySelection(regressor, threshold=threshold, random_state=options.seed)
    return selection.fit_moments(cells.prepared.moments, cells)


@dataclass(frozen=True)
class Tested:
    """Links with the results of one or more tests.

    Attributes
    ----------
    ledger_ : DataFrame
        All links with the columns of the tests, ``kept`` and ``reason``.
    steps : sequence of Step, default=()
        Number of links that each test keeps.
    """

    ledger_: pd.DataFrame
    steps: Sequence[Step] = ()

    @classmethod
    def from_tests(
        cls, links: pd.DataFrame, t_test: LinkTest | None, halves: StabilitySelection | None
    ) -> Self | None:
        """Return the links of the fit with the results of the tests; None without a test."""
        ledgers = {}
        if t_test is not None:
            ledgers["links_kept_by_test", "links kept by t test"] = t_test.test_links(links)
        if halves is not None:
            ledgers["links_stable", "links found in halves"] = halves.ledger_
        if not ledgers:
            return None
        steps = [Step(*name, len(own), int(own["kept"].sum())) for name, own in ledgers.items()]
        # The ledger of the halves lacks the scores.
        untested = ledger_of(links, np.full(len(links), "", object))
        return cls(link_ledger(*map(cls, [untested, *ledgers.values()])), steps)

    @property
    def kept(self) -> pd.DataFrame:
        """The links that all tests keep."""
        return survivors(self.ledger_)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the tables to write, by the name of their file."""
        links = self.ledger_.drop(columns=list(LEDGER_COLUMNS))
        return {"links": links, "links_filtered": self.kept, "ledger": self.ledger_}
