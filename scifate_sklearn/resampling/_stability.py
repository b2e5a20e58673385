"""StabilitySelection: frequency of links on halves of the cells."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import chain
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import _fit_context, clone
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions

from .._state import all_or_nothing
from ..fitting import (
    Chunks,
    Fit,
    FitParameters,
    TrainingData,
    feature_names,
    own_positions,
    relative_penalties,
)
from ..links import first_reason, pair_positions
from ..moments import Moments
from ..regressor import SciFateRegressor, fit_regressor, read_moments
from ..solvers import every_predictor
from ._base import LinkResampler, is_tf, show_progress
from ._error_bound import r_concave_bound, smallest_count, worst_case_bound
from ._halves import Halving, halving_of_folds, halving_of_samples, parts_by_fold
from ._rounds import HALVES, Rounds, rounds_folder, units_checksum
from ._units import Rows, complementary_pairs, n_pairs_of, rows_by_group

# Each half needs two cells to have a variance.
_LEAST_CELLS = 4


class StabilitySelection(LinkResampler):
    """Keep the links that the regressor selects repeatedly on halves of the cells.

    The regressor is fitted to all cells. The cells are then split at random into two halves,
    `n_resamples` / 2 times. Each half is standardized and prefiltered on its own, so that its model
    does not depend on the other half. On each half every target gets the model at its penalty from
    the fit to all cells. The frequency of a link is the share of halves whose model contains it.

    Complementary halves (Shah & Samworth 2013) make the error bound of stability selection
    (Meinshausen & Bühlmann 2010) valid without the assumption of exchangeable noise.

    All targets share the Gram matrices of each half. Without cross-validation, a half costs about a
    tenth of a fit.

    Parameters
    ----------
    regressor : SciFateRegressor
        Not changed: `fit` fits a clone. Its `n_jobs` and `checkpoint` apply to the halves as well:
        finished halves are stored and not fitted again.
    n_resamples : int, default=100
        Number of halves; even, because they come in pairs. All pairs are different.
    threshold : float in (0.5, 1], default=0.6
        Links with at least this frequency are kept.
    resample : {"cells", "folds"}, default="cells"
        Units that halves consist of. ``"folds"`` adds up the sums of whole folds, without a pass
        over the cells. 10 folds have only 126 pairs of halves; of an odd number of folds one is
        left out of each pair.
    penalty : {"fit", "cv"}, default="fit"
        ``"fit"`` keeps the penalty of each target from the fit to all cells. ``"cv"`` selects it
        anew on each half, by the same folds. This is ten times slower, but each half's selection
        then depends on that half only, as the error bound assumes (also if `lambda_rule` is a
        number).
    random_state : int, RandomState or None, default=123456
        Seed of the halves. The first ones do not depend on their number. With None, halves cannot
        be repeated, so that a `checkpoint` stores the fit to all cells only.
    verbose : int, default=0
        1 shows a progress bar over the halves.

    Attributes
    ----------
    regressor_ : SciFateRegressor
        Fitted to all cells.
    frequency_ : ndarray of shape (n_targets, n_features) or (n_features,)
        Share of the halves in which the coefficient is not zero, for every predictor.
    links_ : DataFrame
        The links of ``regressor_`` with the column ``frequency``. Pairs that are linked only on
        halves have no coefficient and are not listed; their frequency is in ``frequency_``.
    ledger_ : DataFrame
        ``links_`` with ``kept``, and the ``reason`` why a link was dropped ("" if it was kept).
    error_bound_ : DataFrame
        One row per target, indexed by its name: ``possible``, the number p of TFs that can be
        linked (not the target itself, no infinite penalty); ``selected``, the mean number q of
        links on a half; ``worst_case`` and ``r_concave``, two bounds on the expected number of
        low-probability links with frequency ≥ `threshold`. A low-probability link is selected on a
        half with a probability of at most q/p, i.e. no more often than at random. The sum of a
        column bounds the number over all targets. Both bounds assume that the penalty of a half
        does not depend on the other half (``penalty="cv"``, or a number as `lambda_rule`), and that
        q is the expected number, which is estimated by the mean over the halves. The first bound
        then holds for all data, the second if the distributions of the frequencies are r-concave
        (Shah & Samworth 2013, equation 8).
    feature_names_in_ : ndarray of str
        Only where `tf_matrix` has names.
    target_names_in_ : ndarray of str
    n_features_in_ : int
    warnings_ : tuple of str
        Messages of this package that the fit issued, each once.

    References
    ----------
    R. D. Shah, R. J. Samworth, "Variable selection with error control: another look at stability
    selection", Journal of the Royal Statistical Society B 75, 2013.

    N. Meinshausen, P. Bühlmann, "Stability selection", Journal of the Royal Statistical Society B
    72, 2010.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from scifate_sklearn import SciFateRegressor, StabilitySelection
    >>> rng = np.random.default_rng(0)
    >>> tfs = pd.DataFrame(rng.normal(size=(200, 3)), columns=["Pax6", "Sox2", "Myc"])
    >>> new = pd.DataFrame({"Neurog3": tfs["Pax6"] + 0.1 * rng.normal(size=200)})
    >>> stable = StabilitySelection(SciFateRegressor(), n_resamples=20).fit(tfs, new)
    >>> stable.links_[["TF", "target", "frequency"]].values.tolist()
    [['Pax6', 'Neurog3', 1.0]]
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "regressor": [SciFateRegressor],
        "n_resamples": [Interval(Integral, 2, None, closed="left")],
        "threshold": [Interval(Real, 0.5, 1, closed="right")],
        "resample": [StrOptions({"cells", "folds"})],
        "penalty": [StrOptions({"fit", "cv"})],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }
    evidence_column = "frequency"

    def __init__(
        self,
        regressor: SciFateRegressor,
        *,
        n_resamples: int = 100,
        threshold: float = 0.6,
        resample: str = "cells",
        penalty: str = "fit",
        random_state: Any = 123456,
        verbose: int = 0,
    ) -> None:
        self.regressor = regressor
        self.n_resamples = n_resamples
        self.threshold = threshold
        self.resample = resample
        self.penalty = penalty
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=False)
    @all_or_nothing
    def fit(
        self,
        tf_matrix: Any,
        target_matrix: Any,
        *,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> StabilitySelection:
        """Fit the regressor to all cells, and to halves of them.

        Parameters
        ----------
        tf_matrix : DataFrame, ndarray or sparse matrix of shape (n_cells, n_features)
        target_matrix : DataFrame, ndarray or CSR matrix of shape (n_cells, n_targets), or 1-D
            As for the regressor.
        sample_weight : array-like of shape (n_cells,), default=None
            Non-negative weights of the cells, also within halves. Cells without weight are not
            drawn.
        groups : array-like of shape (n_cells,), default=None
            Halves then consist of whole groups, not of single cells. The splitter of the regressor
            receives the groups too, unless its `cv` is a number.

        Returns
        -------
        StabilitySelection

        Raises
        ------
        ValueError
            If `n_resamples` is odd or larger than the number of different halves, or the matrices
            are invalid.
        """
        self._check_even()
        regressor, data = self._read_cells(tf_matrix, target_matrix, sample_weight, groups)
        if self.resample == "folds":
            parameters = FitParameters.from_estimator(regressor)
            parameters.require_moments_suffice('resample="folds"', 'Use resample="cells".')
            return self._fit_folds(regressor, data)
        return self._fit_samples(regressor, data, groups)

    @_fit_context(prefer_skip_nested_validation=False)
    @all_or_nothing
    def fit_moments(self, moments: Moments, chunks: Chunks | None = None) -> StabilitySelection:
        """Fit from moments; halves then consist of folds, whatever `resample` is.

        Parameters
        ----------
        moments : Moments
            Sums over the cells of each fold.
        chunks : iterable of (X, Y) or (X, Y, sample_weight), default=None
            As for `SciFateRegressor.fit_moments`.

        Returns
        -------
        StabilitySelection

        Raises
        ------
        TypeError, ValueError
            As from `fit`, and if the engine of the regressor reads the cells.
        """
        self._check_even()
        regressor = clone(self.regressor)
        return self._fit_folds(regressor, read_moments(regressor, moments, chunks))

    def _check_even(self) -> None:
        if self.n_resamples % 2:
            raise ValueError(
                f"`n_resamples` must be even, because halves come in pairs; got {self.n_resamples}."
            )

    def _units_of_cells(self, weight: NDArray[np.float64], groups: Any) -> Rows | list[Rows]:
        rows = np.flatnonzero(weight > 0)
        if len(rows) < _LEAST_CELLS:
            raise ValueError(
                f"StabilitySelection needs at least {_LEAST_CELLS} cells of positive weight, two "
                f"for each half; got {len(rows)}."
            )
        return rows if groups is None else rows_by_group(groups, weight)

    def _fit_samples(
        self, regressor: SciFateRegressor, data: TrainingData, groups: Any
    ) -> StabilitySelection:
        """Fit to all cells and to halves of them."""
        samples = data.require_samples('resample="cells"')
        units = self._units_of_cells(samples.weight, groups)
        self._check_enough(len(units), "cells or groups")
        halving = halving_of_samples(data.moments, samples, units, self.penalty == "cv")
        cells = "" if regressor.checkpoint is None else samples.checksum()
        return self._fit(regressor, data, halving, units, cells)

    def _fit_folds(self, regressor: SciFateRegressor, data: TrainingData) -> StabilitySelection:
        """Fit to all cells and to halves made of whole folds."""
        if self.penalty == "cv" and FitParameters.from_estimator(regressor).reads_residuals:
            raise ValueError(
                f'`lambda_rule`="{regressor.lambda_rule}" reads the cells of each half, which '
                'halves of folds do not have. Use penalty="fit", or `fit` with resample="cells".'
            )
        folds = parts_by_fold(data.moments)
        self._check_enough(len(folds), "folds")
        halving = halving_of_folds(data.moments, folds, self.penalty == "cv")
        return self._fit(regressor, data, halving, folds, "")

    def _fit(
        self,
        regressor: SciFateRegressor,
        data: TrainingData,
        halving: Halving,
        units: Rows | list[Rows],
        cells: str,
    ) -> StabilitySelection:
        parameters = fit_regressor(regressor, data).parameters
        self._adopt(regressor)
        others = {
            "`penalty`": self.penalty,
            "cells in their order (checksum)": cells,
            "units of halves (checksum)": units_checksum(units),
        }
        with rounds_folder(HALVES, regressor, data.moments, self.random_state, others) as folder:
            counts = self._count_selections(parameters, halving, len(units), Rounds(folder))
        self._publish(counts, self._possible_links(data.moments), data.is_single)
        return self

    def _check_enough(self, n_units: int, what: str) -> None:
        if n_units < 2:
            raise ValueError(
                "`groups` has only one group, but halves consist of whole groups, so that at least "
                "two are needed. Give smaller groups, or none."
            )
        n_pairs = n_pairs_of(n_units)
        if 2 * n_pairs < self.n_resamples:
            raise ValueError(
                f"`n_resamples`={self.n_resamples} requires {self.n_resamples // 2} different "
                f"pairs of halves, but {n_units} {what} have {n_pairs}. Set it to at most "
                f"{2 * n_pairs}" + (', or use resample="cells".' if what == "folds" else ".")
            )
        if what == "folds" and self.penalty == "cv" and n_units < 4:
            raise ValueError(
                f'penalty="cv" cross-validates each half, which needs two folds; {n_units} folds '
                'are too few. Raise `cv`, or use penalty="fit".'
            )

    def _count_selections(
        self, parameters: FitParameters, halving: Halving, n_units: int, rounds: Rounds
    ) -> NDArray[np.intp]:
        """Return the number of halves whose model (n_targets, n_features) has each predictor."""
        rng = check_random_state(self.random_state)
        pairs = complementary_pairs(rng, n_units, self.n_resamples // 2)
        select = _select_anew if self.penalty == "cv" else self._select_at_penalties
        counts = np.zeros((len(self.target_names_in_), self.n_features_in_), np.intp)
        n_unconverged = 0
        packed = np.packbits(counts != 0)
        halves = show_progress(chain.from_iterable(pairs), self.verbose, self.n_resamples, "half")
        for number, drawn in enumerate(halves):
            compute = partial(_selected, select, parameters, halving, drawn)
            links, failed = rounds.result(number, compute, partial(_is_like, packed))
            counts += np.unpackbits(links, count=counts.size).reshape(counts.shape)
            n_unconverged += failed
        parameters.warn_unconverged(n_unconverged)
        return counts

    def _select_at_penalties(self, half: Fit) -> tuple[NDArray[np.float64], int]:
        """Return coefficients at the penalties of the fit to all cells."""
        fitted = self.regressor_
        return half.solve_at(np.atleast_2d(fitted.lambdas_), np.atleast_1d(fitted.lambda_))

    def _possible_links(self, moments: Moments) -> NDArray[np.bool_]:
        """Return whether each TF may be linked to each target (n_targets, n_features)."""
        own = own_positions(moments, self.regressor_.exclude_self)
        factor = relative_penalties(self.regressor_.penalty_factor, moments)
        return every_predictor(moments, own) & np.isfinite(factor) & is_tf(self.regressor_)

    def _publish(
        self, counts: NDArray[np.intp], possible: NDArray[np.bool_], is_single: bool
    ) -> None:
        frequency = counts / self.n_resamples
        self.frequency_ = frequency[0] if is_single else frequency
        names = self.target_names_in_, feature_names(self)
        own = counts[pair_positions(self.regressor_.links_, *names)]
        # Numbers of halves are compared, because shares such as 0.55 + 0.05 are rounded.
        rare = own < smallest_count(self.threshold, self.n_resamples)
        reasons = first_reason((rare, f"stability: frequency below {self.threshold:g}"))
        self._account(own / self.n_resamples, reasons)
        self.error_bound_ = self._error_bound(frequency, possible)

    def _error_bound(
        self, frequency: NDArray[np.float64], possible: NDArray[np.bool_]
    ) -> pd.DataFrame:
        n, p = self.n_resamples, possible.sum(axis=1)
        # q is rounded to a number of selections over n, so that equal values are equal.
        q = np.rint(n * np.where(possible, frequency, 0.0).sum(axis=1)) / n
        bounds = {
            "possible": p,
            "selected": q,
            "worst_case": worst_case_bound(q, p, self.threshold),
            "r_concave": r_concave_bound(q, p, self.threshold, n // 2),
        }
        return pd.DataFrame(bounds, index=pd.Index(self.target_names_in_, name="target"))


def _selected(
    select: Callable[[Fit], tuple[NDArray[np.float64], int]],
    parameters: FitParameters,
    halving: Halving,
    drawn: Rows,
) -> tuple[NDArray[np.uint8], int]:
    """Return which predictors are in the models of a half, as bits of all pairs in a row."""
    coef, n_unconverged = select(Fit.from_data(parameters, halving(drawn)))
    return np.packbits(coef != 0), n_unconverged


def _is_like(example: NDArray[Any], links: NDArray[Any]) -> bool:
    return links.dtype == example.dtype and links.shape == example.shape


def _select_anew(half: Fit) -> tuple[NDArray[np.float64], int]:
    """Return coefficients at penalties that are selected on the half itself."""
    fits = half.cross_validate()
    return fits.coef, fits.n_unconverged
