"""Tests of the links with the cells themselves: ``--fdr`` and ``--stability``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from ..anndata_io import SciFateMoments
from ..filters.evidence import Step
from ..ledger import link_ledger
from ..links import LEDGER_COLUMNS, survivors
from ..regressor import SciFateRegressor
from ..resampling import LinkTest, StabilitySelection
from ._options import RunOptions

# Cells for each predictor from which all TFs of a target are tested in one model.
_ENOUGH = 10


@dataclass(frozen=True)
class Tested:
    """Links with the results of one or more tests.

    Attributes
    ----------
    ledger_ : DataFrame
        All links with the columns of the tests, ``kept`` and ``reason``.
    steps : list of Step
        Number of links that each test keeps.
    """

    ledger_: pd.DataFrame
    steps: list[Step]

    @property
    def kept(self) -> pd.DataFrame:
        """The links that all tests keep."""
        return survivors(self.ledger_)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the tables to write, by the name of their file."""
        links = self.ledger_.drop(columns=list(LEDGER_COLUMNS))
        return {"links": links, "links_filtered": self.kept, "ledger": self.ledger_}


@dataclass(frozen=True)
class CellTests:
    """Tests with the cells of one network.

    Attributes
    ----------
    single_tfs : LinkTest or None
    halves : StabilitySelection or None
        Fitted; None if the test is not wanted.
    """

    single_tfs: LinkTest | None
    halves: StabilitySelection | None

    def test(self, links: pd.DataFrame) -> Tested:
        """Return the links of the network with the results of the tests."""
        ledgers, steps = [], []
        if self.single_tfs is not None:
            ledgers.append(Tested(self.single_tfs.test_links(links), []))
            steps.append(_step("links_kept_by_test", "links kept by t test", ledgers[-1]))
        if self.halves is not None:
            ledgers.append(Tested(self.halves.ledger_, []))
            steps.append(_step("links_stable", "links found in halves", ledgers[-1]))
        return Tested(link_ledger(ledgers), steps)


@dataclass(frozen=True)
class TestedCells:
    """What the tests of a network need.

    Attributes
    ----------
    options : RunOptions
    regressor : SciFateRegressor
        With the parameters of the fit.
    inputs : SciFateMoments
    cells : iterable of (X, Y)
        The same cells; read again by each test that needs them.
    groups : Series or None
        Labels of the same cells, if no half may hold a part of a group.
    """

    options: RunOptions
    regressor: SciFateRegressor
    inputs: SciFateMoments
    cells: Iterable[tuple[Any, ...]]
    groups: pd.Series[Any] | None

    def fit_tests(self) -> CellTests | None:
        """Return the fitted tests that the options name; None if they name none."""
        fdr, stability = self.options.fdr, self.options.stability
        if fdr is None and stability is None:
            return None
        return CellTests(
            None if fdr is None else self._of_single_tfs(fdr),
            None if stability is None else self._of_halves(stability),
        )

    def _of_single_tfs(self, fdr: float) -> LinkTest:
        """Return the test whether each TF has an effect of its own.

        With at least ten cells for each predictor, all TFs of a target are in one model, and the
        cells are read in chunks. Otherwise halves of the cells select the TFs that are tested, and
        the matrices of all cells are in memory.
        """
        moments, names = self.inputs.moments, self.inputs.cells.index
        if len(names) >= _ENOUGH * moments.n_features:
            # These statistics do not depend on the penalties, which a criterion selects quickly.
            quick = SciFateRegressor(lambda_rule="bic", n_jobs=self.regressor.n_jobs)
            return LinkTest(quick, fdr=fdr).fit_moments(moments, self.cells)
        X, Y = (np.concatenate(parts) for parts in zip(*self.cells, strict=True))
        own = {"cv": self.options.folds, "n_repeats": self.options.repeats}
        regressor = clone(self.regressor).set_params(random_state=self.options.seed, **own)
        test = LinkTest(regressor, fdr=fdr, pairs="selected", random_state=self.options.seed)
        return test.fit(
            pd.DataFrame(X, names, moments.feature_names),
            pd.DataFrame(Y, names, moments.target_names),
            groups=self.groups,
        )

    def _of_halves(self, threshold: float) -> StabilitySelection:
        """Return the selection frequencies in halves of the folds."""
        selection = StabilitySelection(
            self.regressor, threshold=threshold, random_state=self.options.seed
        )
        return selection.fit_moments(self.inputs.moments, self.cells)


def _step(name: str, label: str, tested: Tested) -> Step:
    kept = tested.ledger_["kept"]
    return Step(name, label, len(kept), int(kept.sum()))
