"""DifferentialLinks: links that differ between two groups of cells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, _fit_context, clone
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval

from .._link_estimator import CELLS
from .._state import VersionedState, all_or_nothing
from ..fitting import (
    Fit,
    FitParameters,
    TrainingData,
    check_per_row,
    feature_names,
    group_labels,
)
from ..moments import Moments, Samples
from ..regressor import SciFateRegressor, read_cells
from ..solvers import BlockFit
from ._base import copy_feature_names, is_tf, show_progress
from ._effects import effects_of, strongest
from ._nulls import empirical_q
from ._units import Rows, permuted, rows_by_group

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# Data of the reference and of the other group.
Parts: TypeAlias = tuple[TrainingData, TrainingData]


class DifferentialLinks(VersionedState, BaseEstimator):
    """Find links that differ between two groups of cells, such as conditions or time points.

    The regressor is fitted to each group. The TFs of a target that either model selects are its
    candidates; if the smaller group has fewer than three cells for each, those with the smallest
    coefficients are left out. Their effects are fitted again in each group, by least squares with
    robust standard errors (HC3), and the differences are tested by permuting the groups of the
    cells: selection and tests are repeated with the permuted groups, at the same penalties.

    Parameters
    ----------
    regressor : SciFateRegressor
        Not changed. Its rule selects the candidates; ``lambda_rule="min"`` is recommended. Its
        covariates are predictors in both groups, and are not tested.
    fdr : float in [0, 1], default=0.1
        Largest accepted share of false differences among those that are kept.
    n_permutations : int, default=10
        B; at least 1 / `fdr`.
    reference : object, default=None
        The group that the other is compared with; None for the first one in sorted order.
    random_state : int, RandomState or None, default=123456
        Seed of the permutations.
    verbose : int, default=0
        1 shows a progress bar over the permutations.

    Attributes
    ----------
    differences_ : DataFrame
        One row per tested pair: ``TF``, ``target``, ``coef_reference`` and ``coef_other`` (effects
        in both groups on the scale of the input), ``difference`` (other − reference), ``t``, ``q``
        and ``kept``, whether q ≤ `fdr`.
    groups_ : ndarray of shape (2,)
        The labels of the reference and of the other group.
    feature_names_in_ : ndarray of str
        Only where `tf_matrix` has names.
    target_names_in_ : ndarray of str
    n_features_in_ : int
    warnings_ : tuple of str
        Messages of this package that the fit issued, each once.

    Notes
    -----
    With the effects b and their variances V in both groups, t = (b₂ − b₁) / √(V₁ + V₂). With B
    permutations, and the pairs of all targets pooled, q is that of `PermutationFDR`,

        q(t) = min over t' ≤ t of  (1 + #{null ≥ t'}) / (B · #{pairs ≥ t'}),  at most 1,

    with |t| in place of |coef|. A permutation test of a studentised statistic is valid in large
    samples even if the groups differ in other respects (Chung & Romano 2013), for instance in the
    variance of a TF.

    References
    ----------
    E. Chung, J. P. Romano, "Exact and asymptotically robust permutation tests", Annals of
    Statistics 41, 2013.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from scifate_sklearn import DifferentialLinks, SciFateRegressor
    >>> rng = np.random.default_rng(0)
    >>> tfs = pd.DataFrame(rng.normal(size=(400, 3)), columns=["Pax6", "Sox2", "Myc"])
    >>> treated = np.repeat([False, True], 200)
    >>> effect = np.where(treated, -0.5, 0.5)
    >>> new = pd.DataFrame({"Neurog3": effect * tfs["Pax6"] + rng.normal(size=400)})
    >>> compared = DifferentialLinks(SciFateRegressor(lambda_rule="min"))
    >>> compared.fit(tfs, new, condition=treated).differences_.query("kept")["TF"].tolist()
    ['Pax6']
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "regressor": [SciFateRegressor],
        "fdr": [Interval(Real, 0, 1, closed="both")],
        "n_permutations": [Interval(Integral, 1, None, closed="left")],
        "reference": [object],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        regressor: SciFateRegressor,
        *,
        fdr: float = 0.1,
        n_permutations: int = 10,
        reference: Any = None,
        random_state: Any = 123456,
        verbose: int = 0,
    ) -> None:
        self.regressor = regressor
        self.fdr = fdr
        self.n_permutations = n_permutations
        self.reference = reference
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=False)
    @all_or_nothing
    def fit(
        self,
        tf_matrix: Any,
        target_matrix: Any,
        *,
        condition: ArrayLike,
        sample_weight: ArrayLike | None = None,
        strata: ArrayLike | None = None,
    ) -> DifferentialLinks:
        """Compare the links of two groups of cells.

        Parameters
        ----------
        tf_matrix : DataFrame, ndarray or sparse matrix of shape (n_cells, n_features)
        target_matrix : DataFrame, ndarray or CSR matrix of shape (n_cells, n_targets), or 1-D
            As for the regressor. All cells should be scaled together.
        condition : array-like of shape (n_cells,)
            The group of each cell; two different labels.
        sample_weight : array-like of shape (n_cells,), default=None
            Non-negative weights of the cells.
        strata : array-like of shape (n_cells,), default=None
            Labels are permuted only within a stratum (a donor, a batch, a cell type), so that
            differences between strata do not count as evidence.

        Returns
        -------
        DifferentialLinks

        Raises
        ------
        TypeError, ValueError
            If the matrices are invalid, `condition` has not two labels or `reference` is not one of
            them, or each stratum has cells of one condition only.
        """
        for name, values in (("condition", condition), ("strata", strata)):
            check_per_row(values, name, tf_matrix, target_matrix, CELLS)
        regressor = clone(self.regressor)
        data = read_cells(regressor, tf_matrix, target_matrix, sample_weight, None)
        samples = data.require_samples("DifferentialLinks")
        is_other = self._read_condition(condition, samples.weight)
        rows = self._strata(strata, samples.weight, is_other)
        parts = _divided(samples, data.moments, is_other)
        comparison = _Comparison.from_parts(regressor, parts)
        observed = comparison.differences(parts, comparison.supports)
        divide = partial(_divided, samples.without_folds(), data.moments)
        null = self._null_sizes(comparison, divide, is_other, rows)
        copy_feature_names(regressor, self)
        self.target_names_in_ = data.target_names
        self._publish(observed, null)
        return self

    def _read_condition(self, condition: Any, weight: Floats) -> Bools:
        """Return whether each cell is of the group that is not the reference."""
        labels = group_labels(condition, weight, argument="condition")
        found = pd.unique(labels[weight > 0])
        if len(found) != 2:
            raise ValueError(
                f"`condition` must have two different labels among the cells, got {len(found)}. "
                "Select the cells of two groups, or merge groups."
            )
        found = np.sort(found)
        reference = found[0] if self.reference is None else self.reference
        if reference not in found.tolist():
            raise ValueError(
                f"`reference`={reference!r} is not a label of `condition`, which has "
                f"{found[0]!r} and {found[1]!r}."
            )
        self.groups_ = found if reference == found[0] else found[::-1]
        return np.asarray(labels == self.groups_[1])

    def _strata(self, strata: Any, weight: Floats, is_other: Bools) -> list[Rows]:
        rows = rows_by_group(np.zeros(len(weight)) if strata is None else strata, weight)
        if not any(0 < is_other[stratum].sum() < len(stratum) for stratum in rows):
            raise ValueError(
                "`strata`: each stratum has cells of one condition only, so that no labels can be "
                "permuted. Give larger strata, or none."
            )
        return rows

    def _null_sizes(
        self,
        comparison: _Comparison,
        divide: Callable[[Bools], Parts],
        is_other: Bools,
        strata: list[Rows],
    ) -> Floats:
        """Return |t| of the pairs of all permutations."""
        rng, sizes, n_unconverged = check_random_state(self.random_state), [], 0
        rounds = range(self.n_permutations)
        for _ in show_progress(rounds, self.verbose, self.n_permutations, "permutation"):
            parts = divide(is_other[permuted(rng, strata, len(is_other))])
            selected, failed = comparison.select(parts)
            t = comparison.differences(parts, selected).t
            sizes.append(np.abs(t[np.isfinite(t)]))
            n_unconverged += failed
        comparison.parameters.warn_unconverged(n_unconverged)
        return np.concatenate(sizes)

    def _publish(self, observed: _Differences, null: Floats) -> None:
        target, feature = np.nonzero(np.isfinite(observed.t))
        t = observed.t[target, feature]
        reference, other = (coef[target, feature] for coef in observed.coef)
        q = empirical_q(np.abs(t), null, self.n_permutations)
        self.differences_ = pd.DataFrame(
            {
                "TF": feature_names(self)[feature],
                "target": self.target_names_in_[target],
                "coef_reference": reference,
                "coef_other": other,
                "difference": other - reference,
                "t": t,
                "q": q,
                "kept": q <= self.fdr,
            }
        )


@dataclass(frozen=True)
class _Differences:
    """Effects in both groups, and t of their difference; NaN for pairs that are not tested."""

    coef: tuple[Floats, Floats]
    t: Floats


@dataclass(frozen=True)
class _Comparison:
    """Selection of candidates in both groups, at fixed penalties, and tests of their differences.

    Attributes
    ----------
    parameters : FitParameters
    fits : pair of BlockFit
        Of the reference and of the other group.
    can_link : ndarray of bool of shape (n_features,)
        False for covariates, which are predictors of every model.
    """

    parameters: FitParameters
    fits: tuple[BlockFit, BlockFit]
    can_link: Bools

    @classmethod
    def from_parts(cls, regressor: SciFateRegressor, parts: Parts) -> _Comparison:
        parameters = FitParameters.from_estimator(regressor)
        one, two = (Fit.from_data(parameters, part).cross_validate() for part in parts)
        parameters.warn_unconverged(one.n_unconverged + two.n_unconverged)
        return cls(parameters, (one, two), is_tf(regressor))

    @property
    def supports(self) -> Bools:
        """Whether the model of either group has each predictor."""
        return np.asarray((self.fits[0].coef != 0) | (self.fits[1].coef != 0))

    def select(self, parts: Parts) -> tuple[Bools, int]:
        """Return whether a model of either group has each predictor, at the fixed penalties.

        Also returns the number of problems that were not solved.
        """
        selected, n_unconverged = np.zeros(self.fits[0].coef.shape, bool), 0
        for fit, part in zip(self.fits, parts, strict=True):
            coef, failed = Fit.from_data(self.parameters, part).solve_at(fit.lambdas, fit.lambda_)
            selected |= coef != 0
            n_unconverged += failed
        return selected, n_unconverged

    def differences(self, parts: Parts, selected: Bools) -> _Differences:
        """Return the differences of the effects of selected predictors between both groups."""
        size = np.abs(self.fits[0].coef) + np.abs(self.fits[1].coef)
        # Predictors that only permuted groups select come last, covariates first.
        priority = np.where(selected, 1.0 + size / (1.0 + size), 0.0)
        priority[:, ~self.can_link] = np.where(selected.any(axis=1, keepdims=True), 3.0, 0.0)
        # Both groups have the same model, so that its coefficients can be compared.
        predictors = strongest(priority, *parts)
        one, two = (effects_of(part, predictors) for part in parts)
        t = (two.coef - one.coef) / np.sqrt(one.variance + two.variance)
        t[:, ~self.can_link] = np.nan
        return _Differences((one.coef, two.coef), t)


def _divided(samples: Samples, moments: Moments, is_other: Bools) -> Parts:
    """Return the data of both groups; in each, the weight of the other's samples is 0."""
    groups = (replace(samples, weight=samples.weight * own) for own in (~is_other, is_other))
    one, two = (TrainingData(group.sums(around=moments), group) for group in groups)
    return one, two
