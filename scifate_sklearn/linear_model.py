"""MultiOutputLassoCV: one cross-validated LASSO per output, for any data."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin, _fit_context
from sklearn.model_selection import check_cv
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from ._state import VersionedState, all_or_nothing
from .fitting import (
    Arguments,
    Fit,
    FitParameters,
    TrainingData,
    mean_r2,
    predict_linear,
    read_new_samples,
    read_penalties,
    read_samples,
)
from .moments import Moments
from .solvers import SCIKIT_LEARN, BlockFit, GeometricGrid

_ARGUMENTS = Arguments("X", "y", rows="samples", are_named=False)

# A smaller ratio would need penalties beyond double precision.
_SMALLEST_L1_RATIO = 1e-10


class MultiOutputLassoCV(VersionedState, MultiOutputMixin, RegressorMixin, BaseEstimator):
    """Cross-validated LASSO or elastic net of every output, each with its own penalty.

    For each output y, with sample weights w that sum to 1, the model minimises

        ½ Σᵢ wᵢ (yᵢ − a − xᵢᵀβ)² + alpha · l1_ratio ‖β‖₁ + ½ alpha · (1 − l1_ratio) ‖β‖²

    which is the objective of `sklearn.linear_model.LassoCV` and ``ElasticNetCV``. Penalties and
    coefficients equal those of one such estimator per output if that estimator has converged; at
    its default ``tol=1e-4`` it stops earlier and may select other penalties. All outputs share the
    folds and one Gram matrix per training set, so that hundreds of outputs cost little more than a
    few. The penalty of each output may also follow the one-standard-error rule.

    Parameters
    ----------
    l1_ratio : float in [0, 1], default=1.0
        1 is the LASSO, 0 ridge regression, for which `alphas` must be given.
    eps : float, default=1e-3
        Ratio of the smallest penalty of a grid to the largest, where `alphas` is an integer.
    alphas : int or array-like of shape (n_alphas,), default=100
        Number of penalties of a geometric grid per output, from the smallest penalty with an empty
        model down; or positive penalties for all outputs, of which repeated ones count once.
    selection_rule : {"min", "1se"}, default="min"
        ``"min"`` selects the penalty with the smallest cross-validated error, ``"1se"`` the largest
        penalty whose error is within one standard error of that.
    fit_intercept : bool, default=True
    standardize : bool, default=False
        Divide each column of `X` by its standard deviation (ddof 0) in each training set, as
        glmnet does; constant columns are not divided. Coefficients are always on the scale of the
        input.
    cv : int, cross-validation generator or iterable of (train, test), default=None
        As in `LassoCV`: None means 5 folds, an integer the number of folds. At least two folds of
        row numbers from 0 are required.
    tol : float, default=1e-12
        Duality gap at which a problem is solved, relative to the mean square of the (centred)
        output in the training set.
    max_iter : int, default=100_000
        Rounds (solves for the active set, or sweeps and a Newton step) allowed per penalty.
    n_jobs : int, default=None
        Workers over blocks of outputs (joblib). Results do not depend on it.
    verbose : int, default=0
        1 shows a progress bar.

    Attributes
    ----------
    alpha_ : ndarray of shape (n_outputs,) or float
        Selected penalties.
    alphas_ : ndarray of shape (n_outputs, n_alphas) or (n_alphas,)
        Decreasing penalties; one grid if `alphas` is given or `y` has one dimension.
    mse_path_ : ndarray of shape (n_outputs, n_alphas, n_folds) or (n_alphas, n_folds)
        Mean squared error of each test set; NaN if all its samples have weight 0.
    coef_ : ndarray of shape (n_outputs, n_features) or (n_features,)
    intercept_ : ndarray of shape (n_outputs,) or float
    dual_gap_ : ndarray of shape (n_outputs,) or float
        Upper bounds on how far the objectives are above their minima.
    n_iter_ : ndarray of shape (n_outputs,) or int
        Rounds along the path to the selected penalty.
    n_features_in_ : int
    warnings_ : tuple of str
        Messages of this package that the fit issued, each once.
    feature_names_in_ : ndarray of str
        Only where `X` has names.

    See Also
    --------
    sklearn.linear_model.LassoCV : One output.
    sklearn.linear_model.MultiTaskLassoCV : Outputs that share their selected features.
    SciFateRegressor : The same fit with the conventions of glmnet, for gene regulation.

    Notes
    -----
    All training sets are summed around the same point, so values of a column that are 10⁷ times the
    standard deviation of the others away from them (an outlier, or a fold with an offset) exceed
    double precision. Remove or rescale such values.

    References
    ----------
    J. Friedman, T. Hastie, R. Tibshirani, "Regularization paths for generalized linear models via
    coordinate descent", Journal of Statistical Software 33, 2010 (the one-standard-error rule).

    Examples
    --------
    >>> import numpy as np
    >>> from scifate_sklearn import MultiOutputLassoCV
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 5))
    >>> Y = X @ np.diag([1.0, 2.0, 0.0, 0.0, 0.0])[:, :3] + 0.1 * rng.normal(size=(100, 3))
    >>> model = MultiOutputLassoCV(selection_rule="1se").fit(X, Y)
    >>> (model.coef_ != 0).sum(axis=1)
    array([1, 1, 0])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "l1_ratio": [Interval(Real, 0, 1, closed="both")],
        "eps": [Interval(Real, 0, 1, closed="neither")],
        "alphas": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "selection_rule": [StrOptions({"min", "1se"})],
        "fit_intercept": ["boolean"],
        "standardize": ["boolean"],
        "cv": ["cv_object"],
        "tol": [Interval(Real, 0, None, closed="neither")],
        "max_iter": [Interval(Integral, 1, np.iinfo(np.int64).max, closed="both")],
        "n_jobs": [
            Interval(Integral, None, -1, closed="right"),
            Interval(Integral, 1, None, closed="left"),
            None,
        ],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        *,
        l1_ratio: float = 1.0,
        eps: float = 1e-3,
        alphas: Any = 100,
        selection_rule: str = "min",
        fit_intercept: bool = True,
        standardize: bool = False,
        cv: Any = None,
        tol: float = 1e-12,
        max_iter: int = 100_000,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.l1_ratio = l1_ratio
        self.eps = eps
        self.alphas = alphas
        self.selection_rule = selection_rule
        self.fit_intercept = fit_intercept
        self.standardize = standardize
        self.cv = cv
        self.tol = tol
        self.max_iter = max_iter
        self.n_jobs = n_jobs
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    @all_or_nothing
    def fit(
        self, X: Any, y: Any, sample_weight: ArrayLike | None = None, *, groups: Any = None
    ) -> MultiOutputLassoCV:
        """Fit one model per output.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
        y : array-like or sparse matrix of shape (n_samples, n_outputs), or (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative. As in `LassoCV`, all folds with a positive weight count equally in the
            cross-validated error.
        groups : array-like of shape (n_samples,), default=None
            Passed to a group-aware splitter given as `cv`. With metadata routing, request it by
            ``set_fit_request(groups=True)``.

        Returns
        -------
        MultiOutputLassoCV

        Raises
        ------
        TypeError, ValueError
            If an argument is invalid, or `l1_ratio` is below 1e-10 and `alphas` an integer.
        """
        parameters = self._fit_parameters()
        data = read_samples(
            self,
            X,
            y,
            _ARGUMENTS,
            cv=check_cv(self.cv),
            sample_weight=sample_weight,
            groups=groups,
            splits_small_folds=parameters.convention.weighs_folds,
        )
        fits = Fit.from_data(parameters, data).cross_validate(verbose=bool(self.verbose))
        parameters.warn_unconverged(fits.n_unconverged)
        self._set_attributes(data, fits)
        return self

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Predict the outputs.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_outputs), or (n_samples,) after a fit to one dimension

        Raises
        ------
        ValueError
            If the columns are not those of the fit, or the predictions overflow.
        """
        check_is_fitted(self)
        return predict_linear(read_new_samples(self, X, "X"), self.coef_, self.intercept_, "X")

    def score(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> float:
        """Return the mean R² of the predictions over the outputs.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
        y : array-like or sparse matrix of shape (n_samples, n_outputs), or (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        float
        """
        return mean_r2(y, self.predict(X), sample_weight, "y")

    def _fit_parameters(self) -> FitParameters:
        return FitParameters(
            engine="gram",
            lambda_rule=self.selection_rule,
            lambdas=self._lambdas(),
            alpha=self.l1_ratio,
            cor_threshold=None,
            exclude_self=False,
            standardize=self.standardize,
            fit_intercept=self.fit_intercept,
            penalty_factor=None,
            path="full",
            tol=self.tol,
            max_iter=self.max_iter,
            n_jobs=self.n_jobs,
            convention=SCIKIT_LEARN,
            fits_every_target=True,
            keeps_errors=True,
        )

    def _lambdas(self) -> NDArray[np.float64] | GeometricGrid:
        """Return the given penalties, or how to make those of each output."""
        if not isinstance(self.alphas, Integral):
            return read_penalties(self.alphas, "alphas")
        if self.l1_ratio < _SMALLEST_L1_RATIO:
            raise ValueError(
                f"`alphas` must be given for `l1_ratio`={self.l1_ratio:g}: with hardly any l1 part "
                "no penalty has an empty model, from which a grid could start."
            )
        return GeometricGrid(int(self.alphas), self.eps)

    def _set_attributes(self, data: TrainingData, fits: BlockFit) -> None:
        attributes = {
            "alpha_": fits.lambda_,
            "coef_": fits.coef,
            "intercept_": fits.intercept,
            "mse_path_": _mse_path(data.moments, fits),
            "n_iter_": fits.n_iter,
            "dual_gap_": fits.dual_gap * _mean_squares(data.moments, self.fit_intercept),
        }
        for name, values in attributes.items():
            setattr(self, name, values[0] if data.is_single else values)
        is_shared = data.is_single or not isinstance(self.alphas, Integral)
        self.alphas_ = fits.lambdas[0] if is_shared else fits.lambdas

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _mse_path(moments: Moments, fits: BlockFit) -> NDArray[np.float64]:
    """Return the error (n_outputs, n_alphas, n_folds) of each fold, NaN without weight."""
    layout = moments.layout
    mse = np.full((*fits.lambdas.shape, layout.n_folds), np.nan)
    is_tested = moments.weight[layout.held_out] > 0
    if fits.errors is not None:
        mse[:, :, layout.training_of[is_tested]] = np.moveaxis(fits.errors, 1, 2)
    return mse


def _mean_squares(moments: Moments, fit_intercept: bool) -> NDArray[np.float64]:
    """Return the mean square (n_outputs,), the unit of duality gaps."""
    total = moments.layout.total
    weight = total @ moments.weight
    mean, square = total @ moments.y_sum / weight, total @ moments.yy / weight
    zero = mean if fit_intercept else -moments.y_shift
    return np.maximum(square - zero * (2.0 * mean - zero), 0.0)
