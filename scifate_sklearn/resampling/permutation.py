"""PermutationFDR: which links are larger than those that permuted cells give."""

from __future__ import annotations

from collections.abc import Iterator
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval

from scifate_sklearn.links import first_reason
from scifate_sklearn.moments import Moments
from scifate_sklearn.regressor import SciFateRegressor

from ._base import LinkResampler, is_tf
from ._nulls import empirical_q, fdr_curve
from ._units import Rows, permuted, rows_by_group


class PermutationFDR(LinkResampler):
    """x."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "regressor": [SciFateRegressor],
        "fdr": [Interval(Real, 0, 1, closed="both")],
        "n_permutations": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }
    evidence_column = "q"

    def __init__(
        self,
        regressor: SciFateRegressor,
        *,
        fdr: float = 0.1,
        n_permutations: int = 10,
        random_state: Any = 123456,
        verbose: int = 0,
    ) -> None:
        self.regressor = regressor
        self.fdr = fdr
        self.n_permutations = n_permutations
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        tf_matrix: Any,
        target_matrix: Any,
        *,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> PermutationFDR:
        """Fit the regressor to the cells, and to permutations of their targets.

        Parameters
        ----------
        tf_matrix : DataFrame, ndarray or sparse matrix of shape (n_cells, n_features)
        target_matrix : DataFrame, ndarray or CSR matrix of shape (n_cells, n_targets), or 1-D
            As for the regressor.
        sample_weight : array-like of shape (n_cells,), default=None
            Non-negative weights of the cells, which stay with the TFs; the targets of cells without
            weight stay where they are.
        groups : array-like of shape (n_cells,), default=None
            Cells change places within their group only (a batch, a donor, a time point), so that
            what groups differ in is no evidence; the regressor's splitter gets them, too.

        Returns
        -------
        PermutationFDR

        Raises
        ------
        ValueError
            If no group has two cells, or the regressor refuses the matrices.
        """
        regressor = self._fresh_regressor()
        moments, cells, is_single = regressor._sum_cells(
            tf_matrix, target_matrix, sample_weight, groups
        )
        strata = self._strata(cells[2], groups)
        engine = regressor._fit_moments(moments, cells, is_single)
        self._adopt(regressor)
        self._weigh(self._null_sizes(engine, moments, cells, strata))
        return self

    def _strata(self, weight: NDArray[np.float64], groups: Any) -> list[Rows]:
        if groups is None:
            groups = np.zeros(len(weight))
        strata = rows_by_group(groups, weight)
        if max(map(len, strata)) < 2:
            raise ValueError(
                "`groups` has a single cell in each group, so that no cells can change places; "
                "give larger groups, or none."
            )
        return strata

    def _null_sizes(
        self, engine: Any, moments: Moments, cells: Any, strata: list[Rows]
    ) -> NDArray[np.float64]:
        """Return |coef| of the links of all permutations."""
        regressor, can_link = self.regressor_, is_tf(self.regressor_)
        X, Y, weight, plan = cells
        sizes, n_unconverged = [], 0
        for order in self._rounds(
            self._orders(strata, len(weight)), self.n_permutations, "permutation"
        ):
            shuffled = moments.reordered(X, Y, plan, weight, order)
            if regressor.engine != "gram":  # the other one reads the targets of the cells
                engine = regressor._make_engine(shuffled, (X, Y[order], weight, plan))
            fits = regressor._fit_all(engine, regressor._make_problem(shuffled))
            coef = np.abs(fits.coef[:, can_link])
            sizes.append(coef[coef > 0])
            n_unconverged += fits.n_unconverged
        regressor._warn_unconverged(n_unconverged, stacklevel=5)
        return np.concatenate(sizes)

    def _orders(self, strata: list[Rows], n_cells: int) -> Iterator[Rows]:
        rng = check_random_state(self.random_state)
        for _ in range(self.n_permutations):
            yield permuted(rng, strata, n_cells)

    def _weigh(self, null: NDArray[np.float64]) -> None:
        """Compare the links with those of the permutations."""
        observed = self.regressor_.links_["coef"].abs().to_numpy(np.float64)
        q = empirical_q(observed, null, self.n_permutations)
        self._account(q, first_reason((q > self.fdr, f"permutation FDR: q above {self.fdr:g}")))
        self.fdr_curve_ = fdr_curve(observed, null, self.n_permutations)
        self.threshold_ = float(observed[q <= self.fdr].min(initial=np.inf))
