"""LinkTest: heteroscedasticity-robust t tests of all pairs of a TF and a target."""

from __future__ import annotations

from dataclasses import replace
from numbers import Real
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from sklearn.base import _fit_context, clone
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from .._state import all_or_nothing
from .._warnings import warn
from ..fitting import (
    Chunks,
    Fit,
    FitParameters,
    TrainingData,
    feature_names,
    own_positions,
    read_chunks,
)
from ..links import LEDGER_COLUMNS, LINK_COLUMNS, first_reason, fitted_positions, ledger_of
from ..moments import Moments, Samples, Scale
from ..names import examples
from ..regressor import SciFateRegressor, fit_regressor, read_moments
from ..solvers import RobustProblem, RobustSums
from ._base import LinkResampler, is_tf
from ._effects import LEAST_SAMPLES, effects_of, strongest
from ._halves import halving_of_samples
from ._units import complementary_pairs, rows_by_group

Floats = NDArray[np.float64]

# With fewer cells for each predictor a warning is issued.
_FEW_SAMPLES = 10
_METHODS: dict[str, Literal["bh", "by"]] = {"fdr_bh": "bh", "fdr_by": "by"}
_COLUMNS = ("t", "t_p", "t_q")


class LinkTest(LinkResampler):
    """Keep the links whose TF has an effect of its own, by heteroscedasticity-robust t tests.

    Each target is regressed on all TFs and covariates by least squares. The coefficient of every
    pair is tested with a standard error that is valid if the noise differs between cells (HC3), and
    the p-values of all pairs are adjusted together. The null hypothesis is that the target does not
    depend on *this* TF, given all other TFs and the covariates; `PermutationFDR` tests whether it
    depends on any. Links of the regressor with q ≤ `fdr` are kept.

    What is not among the predictors is not accounted for. Cell types, batches and time points that
    act on TFs and targets must be covariates.

    Parameters
    ----------
    regressor : SciFateRegressor
        Not changed: `fit` fits a clone. Its `exclude_self` and `covariates` apply to the tests as
        well. Its prefilter, penalties and penalty factors do not.
    fdr : float in [0, 1], default=0.1
        Largest accepted share of false links among those that are kept.
    method : {"fdr_bh", "fdr_by"}, default="fdr_bh"
        Adjustment of the p-values: that of Benjamini & Hochberg, or of Benjamini & Yekutieli, which
        is valid under any dependence of the tests and keeps fewer links.
    pairs : {"all", "selected"}, default="all"
        ``"all"`` tests all TFs in one model per target, which requires at least three cells for
        each predictor. ``"selected"`` selects the TFs of each target on one half of the cells, at
        λ_min or by the information criterion of the regressor, tests those on the other half,
        exchanges the halves, and takes twice the smaller p-value. It suits many TFs.
    random_state : int, RandomState or None, default=123456
        Seed of the halves.

    Attributes
    ----------
    regressor_ : SciFateRegressor
        Fitted to all cells.
    t_ : ndarray of shape (n_targets, n_features) or (n_features,)
        t statistics, with the sign of the effect; of ``pairs="selected"`` those of the smaller
        p-value. NaN for pairs that are not tested: constant columns, a TF as its own target, TFs
        whose coefficient depends on a single cell, and TFs that are not selected.
    p_, q_ : ndarray of shape (n_targets, n_features) or (n_features,)
        Two-sided p-values, and q-values over all tested pairs. NaN also for covariates.
    links_ : DataFrame
        The links of ``regressor_`` with the columns ``t``, ``t_p`` and ``t_q``.
    ledger_ : DataFrame
        ``links_`` with ``kept``, and the ``reason`` why a link was dropped ("" if it was kept).
    feature_names_in_ : ndarray of str
        Only where `tf_matrix` has names.
    target_names_in_ : ndarray of str
    n_features_in_ : int
    warnings_ : tuple of str
        Messages of this package that the fit issued, each once.

    Notes
    -----
    With the centred predictors A (n × k), P = (AᵀA)⁻¹, W = A P, the leverages h and the residuals e
    of a target, the variance of the coefficient of predictor j is

        V_j = Σᵢ Wᵢⱼ² eᵢ² / (1 − hᵢ)²

    (MacKinnon & White 1985), and t = b / √V has n − k − 1 degrees of freedom. Weights are those of
    weighted least squares.

    The costs are those of two further products of the cells, 4 n k q operations for q targets.

    References
    ----------
    J. G. MacKinnon, H. White, "Some heteroskedasticity-consistent covariance matrix estimators with
    improved finite sample properties", Journal of Econometrics 29, 1985.

    Y. Benjamini, Y. Hochberg, "Controlling the false discovery rate", Journal of the Royal
    Statistical Society B 57, 1995.

    Y. Benjamini, D. Yekutieli, "The control of the false discovery rate in multiple testing under
    dependency", Annals of Statistics 29, 2001.

    N. Meinshausen, L. Meier, P. Bühlmann, "p-values for high-dimensional regression", Journal of
    the American Statistical Association 104, 2009.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from scifate_sklearn import LinkTest, SciFateRegressor
    >>> rng = np.random.default_rng(0)
    >>> tfs = pd.DataFrame(rng.normal(size=(200, 3)), columns=["Pax6", "Sox2", "Myc"])
    >>> new = pd.DataFrame({"Neurog3": tfs["Pax6"] + rng.normal(size=200)})
    >>> tested = LinkTest(SciFateRegressor()).fit(tfs, new)
    >>> tested.transform(tfs)["TF"].tolist()
    ['Pax6']
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "regressor": [SciFateRegressor],
        "fdr": [Interval(Real, 0, 1, closed="both")],
        "method": [StrOptions(_METHODS.keys())],
        "pairs": [StrOptions({"all", "selected"})],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        regressor: SciFateRegressor,
        *,
        fdr: float = 0.1,
        method: str = "fdr_bh",
        pairs: str = "all",
        random_state: Any = 123456,
    ) -> None:
        self.regressor = regressor
        self.fdr = fdr
        self.method = method
        self.pairs = pairs
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    @all_or_nothing
    def fit(
        self,
        tf_matrix: Any,
        target_matrix: Any,
        *,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> LinkTest:
        """Fit the regressor, and test all pairs.

        Parameters
        ----------
        tf_matrix : DataFrame, ndarray or sparse matrix of shape (n_cells, n_features)
        target_matrix : DataFrame, ndarray or CSR matrix of shape (n_cells, n_targets), or 1-D
            As for the regressor.
        sample_weight : array-like of shape (n_cells,), default=None
            Non-negative weights of the cells.
        groups : array-like of shape (n_cells,), default=None
            With ``pairs="selected"`` halves consist of whole groups. The splitter of the regressor
            receives the groups too, unless its `cv` is a number.

        Returns
        -------
        LinkTest

        Raises
        ------
        ValueError
            If there are fewer than three cells for each predictor, predictors are linearly
            dependent, or the matrices are invalid.
        """
        regressor, data = self._read_cells(tf_matrix, target_matrix, sample_weight, groups)
        samples = data.require_samples("LinkTest")
        if self.pairs == "all":
            problem = self._problem(regressor, data.moments)
            t = problem.statistics(problem.sums(samples.X, samples.Y, samples.weight))
            p = _p_values(t, problem.df[:, None])
        else:
            t, p = self._test_selected(regressor, data, samples, groups)
        fit_regressor(regressor, data)
        self._publish(regressor, t, p, data.is_single)
        return self

    @_fit_context(prefer_skip_nested_validation=False)
    @all_or_nothing
    def fit_moments(self, moments: Moments, chunks: Chunks) -> LinkTest:
        """Fit the regressor from moments, and test all pairs in a second pass over the cells.

        Parameters
        ----------
        moments : Moments
            Sums over the cells of each fold.
        chunks : iterable of (X, Y) or (X, Y, sample_weight)
            The same cells; each matrix dense or sparse. It is read twice if the regressor needs the
            cells too (``lambda_rule="1se_cells"``), and must then not be a generator.

        Returns
        -------
        LinkTest

        Raises
        ------
        TypeError, ValueError
            As from `fit`; also if `pairs` is ``"selected"``, or the chunks are not of these cells.
        """
        if self.pairs != "all":
            raise ValueError(
                'LinkTest.fit_moments tests all pairs; use `fit` for pairs="selected".'
            )
        regressor = clone(self.regressor)
        if FitParameters.from_estimator(regressor).reads_residuals and iter(chunks) is chunks:
            raise ValueError(
                f'`chunks` is read twice with `lambda_rule`="{regressor.lambda_rule}", so that it '
                "cannot be a generator. Give a list, or another iterable that starts again."
            )
        data = read_moments(regressor, moments, chunks)
        problem = self._problem(regressor, moments)
        t = problem.statistics(_sum_chunks(problem, chunks, moments))
        fit_regressor(regressor, data)
        self._publish(regressor, t, _p_values(t, problem.df[:, None]), is_single=False)
        return self

    def test_links(self, links: pd.DataFrame) -> pd.DataFrame:
        """Test other links of the same data, for instance those of another penalty.

        The statistics of ``pairs="all"`` do not depend on the penalties of the regressor.

        Parameters
        ----------
        links : DataFrame of shape (n_links, n_columns)
            With the columns ``TF``, ``target`` and ``coef``.

        Returns
        -------
        DataFrame
            The links with the columns ``t``, ``t_p``, ``t_q``, ``kept`` and ``reason``, as in
            ``ledger_``.

        Raises
        ------
        TypeError
            If `links` is not a DataFrame.
        ValueError
            If a column is missing, or a name is not one of the fit.
        """
        check_is_fitted(self)
        names = self.target_names_in_, feature_names(self)
        pair = fitted_positions(links, *names, "LinkTest.test_links")
        found = (np.atleast_2d(values)[pair] for values in (self.t_, self.p_, self.q_))
        tested = links.assign(**dict(zip(_COLUMNS, found, strict=True)))
        q = tested["t_q"].to_numpy(float)
        reasons = first_reason(
            (np.isnan(q), "t test: not tested"),
            (~(q <= self.fdr), f"t test: q above {self.fdr:g}"),
        )
        return ledger_of(tested, reasons)

    def _link_columns(self) -> tuple[str, ...]:
        return (*LINK_COLUMNS, *_COLUMNS)

    def _problem(self, regressor: SciFateRegressor, moments: Moments) -> RobustProblem:
        """Return the problem if it can be solved; warn if the tests are only approximate."""
        own = own_positions(moments, regressor.exclude_self)
        problem = RobustProblem.from_moments(moments, own)
        n, k = problem.n_cells, int(problem.n_predictors.max())
        advice = 'Give fewer TFs or more cells, or use pairs="selected".'
        if n < LEAST_SAMPLES * k:
            raise ValueError(
                f"LinkTest needs at least {LEAST_SAMPLES} cells for each predictor, got {n} cells "
                f"for {k} predictors. {advice}"
            )
        if n < _FEW_SAMPLES * k:
            warn(
                f"LinkTest has {n} cells for {k} predictors; with fewer than {_FEW_SAMPLES} cells "
                f"for each its p-values are approximate. {advice}"
            )
        dependent = problem.dependent
        if len(dependent):
            names = feature_names(regressor)[dependent]
            raise ValueError(
                f"`tf_matrix`: {len(dependent)} columns are linearly dependent "
                f"({examples(names)}), so that their effects cannot be separated. "
                "Remove one of them."
            )
        return problem

    def _test_selected(
        self,
        regressor: SciFateRegressor,
        data: TrainingData,
        samples: Samples,
        groups: Any,
    ) -> tuple[Floats, Floats]:
        """Return t and p (n_targets, n_features) of the TFs that one half selects."""
        weight = samples.weight
        units = np.flatnonzero(weight > 0) if groups is None else rows_by_group(groups, weight)
        if len(units) < 2:
            raise ValueError("`groups` has only one group, but halves consist of whole groups.")
        parameters = FitParameters.from_estimator(regressor)
        if parameters.is_cross_validated:
            parameters = replace(parameters, lambda_rule="min")
        halve = halving_of_samples(data.moments, samples, units, with_folds=True)
        rng = check_random_state(self.random_state)
        drawn = next(complementary_pairs(rng, len(units), 1))
        halves = [halve(half) for half in drawn]
        found, n_unconverged = [], 0
        for one, other in (halves, halves[::-1]):
            fits = Fit.from_data(parameters, one).cross_validate()
            size = np.abs(fits.coef) * Scale.from_moments(one.moments).x_sd
            effects = effects_of(other, strongest(size, other))
            n_unconverged += fits.n_unconverged
            found.append((effects.t, _p_values(effects.t, effects.df[:, None])))
        parameters.warn_unconverged(n_unconverged)
        (t, p), (t2, p2) = found
        is_second = np.isnan(p) | (p2 < p)
        both = np.where(is_second, p2, p)
        return np.where(is_second, t2, t), np.minimum(2.0 * both, 1.0)

    def _publish(self, regressor: SciFateRegressor, t: Floats, p: Floats, is_single: bool) -> None:
        self._adopt(regressor)
        p = np.where(is_tf(regressor), p, np.nan)
        is_tested = np.isfinite(p)
        q = np.full_like(p, np.nan)
        if is_tested.any():
            q[is_tested] = stats.false_discovery_control(p[is_tested], method=_METHODS[self.method])
        for name, values in (("t_", t), ("p_", p), ("q_", q)):
            setattr(self, name, values[0] if is_single else values)
        self.ledger_ = self.test_links(regressor.links_)
        self.links_ = self.ledger_.drop(columns=list(LEDGER_COLUMNS))


def _p_values(t: Floats, df: Any) -> Floats:
    """Return two-sided p-values of t statistics."""
    p: Floats = 2.0 * stats.t.sf(np.abs(t), df)
    return p


def _sum_chunks(problem: RobustProblem, chunks: Chunks, moments: Moments) -> RobustSums:
    """Return the sums over all chunks; raise ValueError if they are not of the same cells."""
    total: RobustSums | None = None
    for X, Y, weight in read_chunks(chunks, moments):
        sums = problem.sums(X, Y, weight)
        total = sums if total is None else total + sums
    if total is None or not problem.is_complete(total):
        raise ValueError("`chunks` and `moments` are not of the same cells.")
    return total
