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

from .fitting import (
    Arguments,
    Fit,
    FitParameters,
    TrainingData,
    predict_linear,
    read_new_samples,
    read_samples,
)
from .moments import CONSTANT, Moments
from .solvers import BlockFit

_ARGUMENTS = Arguments("X", "y", rows="samples", are_named=False)

# scikit-learn's smallest grid, for outputs without any correlation.
_RESOLUTION = np.finfo(np.float64).resolution


class MultiOutputLassoCV(MultiOutputMixin, RegressorMixin, BaseEstimator):
    """Cross-validated LASSO or elastic net of every output, each with its own penalty.

    For each output y, with sample weights w that sum to 1, the model minimises

        ½ Σᵢ wᵢ (yᵢ − a − xᵢᵀβ)² + alpha · l1_ratio ‖β‖₁ + ½ alpha · (1 − l1_ratio) ‖β‖²

    which is the objective of `sklearn.linear_model.LassoCV` and ``ElasticNetCV``. The coefficients
    equal those of one such estimator per output. All outputs share the folds and one Gram matrix
    per training set, so that hundreds of outputs cost little more than a few. The penalty of each
    output may also follow the one-standard-error rule.

    Parameters
    ----------
    l1_ratio : float in [0, 1], default=1.0
        1 is the LASSO, 0 ridge regression, for which `alphas` must be given.
    eps : float, default=1e-3
        Ratio of the smallest penalty of a grid to the largest, where `alphas` is an integer.
    alphas : int or array-like of shape (n_alphas,), default=100
        Number of penalties of a geometric grid per output, from the smallest penalty with an empty
        model down; or positive penalties for all outputs.
    selection_rule : {"min", "1se"}, default="min"
        ``"min"`` selects the penalty with the smallest cross-validated error, ``"1se"`` the largest
        penalty whose error is within one standard error of that.
    fit_intercept : bool, default=True
    standardize : bool, default=False
        Divide each column of `X` by its standard deviation (ddof 0) in each training set, as
        glmnet does. Coefficients are always on the scale of the input.
    cv : int, cross-validation generator or iterable of (train, test), default=None
        As in `LassoCV`: None means 5 folds, an integer the number of folds.
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
        Mean squared error of each test set.
    coef_ : ndarray of shape (n_outputs, n_features) or (n_features,)
    intercept_ : ndarray of shape (n_outputs,) or float
    dual_gap_ : ndarray of shape (n_outputs,) or float
        Upper bounds on how far the objectives are above their minima.
    n_iter_ : ndarray of shape (n_outputs,) or int
        Rounds along the path to the selected penalty.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only where `X` has names.

    See Also
    --------
    sklearn.linear_model.LassoCV : One output.
    sklearn.linear_model.MultiTaskLassoCV : Outputs that share their selected features.
    SciFateRegressor : The same fit with the conventions of glmnet, for gene regulation.

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
        "n_jobs": [Integral, None],
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
    def fit(
        self, X: Any, y: Any, sample_weight: ArrayLike | None = None, *, groups: Any = None
    ) -> MultiOutputLassoCV:
        """Fit one model per output.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
        y : array-like or sparse matrix of shape (n_samples, n_outputs), or (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative. As in `LassoCV`, all folds count equally in the cross-validated error,
            whatever the weights of their samples.
        groups : array-like of shape (n_samples,), default=None
            Passed to a group-aware splitter given as `cv`.

        Returns
        -------
        MultiOutputLassoCV

        Raises
        ------
        ValueError
            If an argument is invalid, or `l1_ratio` is 0 and `alphas` an integer.
        """
        data = read_samples(
            self,
            X,
            y,
            _ARGUMENTS,
            cv=check_cv(self.cv),
            sample_weight=sample_weight,
            groups=groups,
            splits_small_folds=False,
        )
        parameters = self._fit_parameters(data.moments)
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
        """
        check_is_fitted(self)
        return predict_linear(read_new_samples(self, X, "X"), self.coef_, self.intercept_, "X")

    def _fit_parameters(self, moments: Moments) -> FitParameters:
        return FitParameters(
            engine="gram",
            lambda_rule=self.selection_rule,
            lambdas=self._grids(moments),
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
            convention="scikit-learn",
        )

    def _grids(self, moments: Moments) -> NDArray[np.float64]:
        """Return decreasing penalties of each output (n_outputs, n_alphas), or of all."""
        if not isinstance(self.alphas, Integral):
            return _check_alphas(self.alphas)
        if self.l1_ratio == 0:
            raise ValueError(
                "`alphas` must be given for `l1_ratio`=0: without an l1 part no penalty has an "
                "empty model, from which a grid could start."
            )
        largest = _largest_alphas(moments, self.fit_intercept, self.standardize) / self.l1_ratio
        steps = np.geomspace(1.0, self.eps, self.alphas)
        grids = np.where(largest > _RESOLUTION, largest, _RESOLUTION)[:, None] * steps
        grids[largest <= _RESOLUTION] = _RESOLUTION
        return grids

    def _set_attributes(self, data: TrainingData, fits: BlockFit) -> None:
        of_all = not isinstance(self.alphas, Integral)
        errors: Any = fits.errors  # kept, in the convention of scikit-learn
        attributes = {
            "alpha_": fits.lambda_,
            "coef_": fits.coef,
            "intercept_": fits.intercept,
            "mse_path_": np.moveaxis(errors, 1, 2),
            "n_iter_": fits.n_iter,
            "dual_gap_": fits.dual_gap * _mean_squares(data.moments, self.fit_intercept),
        }
        for name, values in attributes.items():
            setattr(self, name, values[0] if data.is_single else values)
        self.alphas_ = fits.lambdas[0] if of_all or data.is_single else fits.lambdas

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _check_alphas(alphas: Any) -> NDArray[np.float64]:
    """Return given penalties in decreasing order, or raise ValueError."""
    given = np.asarray(alphas, np.float64)
    if given.ndim != 1 or given.size == 0 or not np.isfinite(given).all() or given.min() <= 0:
        raise ValueError(
            "`alphas` must be a number of penalties, or one list of positive finite penalties, got "
            f"{alphas!r}."
        )
    return np.ascontiguousarray(np.sort(given)[::-1])


def _centred_products(moments: Moments, fit_intercept: bool) -> tuple[Any, Any]:
    """Return Xᵀy (n_features, n_outputs) and y² (n_outputs,), means over all samples."""
    whole = moments.whole
    weight, x_mean, y_mean = whole.weight[0], whole.x_mean[0], whole.y_mean[0]
    xy, yy = whole.xy[0] / weight, whole.yy[0] / weight
    x_zero, y_zero = (x_mean, y_mean) if fit_intercept else (-whole.x_shift, -whole.y_shift)
    products = xy - np.outer(x_zero, y_mean) - np.outer(x_mean - x_zero, y_zero)
    return products, yy - y_zero * (2.0 * y_mean - y_zero)


def _largest_alphas(moments: Moments, fit_intercept: bool, standardize: bool) -> Any:
    """Return the smallest penalty with an empty LASSO model of each output: max |Xᵀy| / n."""
    products, _ = _centred_products(moments, fit_intercept)
    if standardize:
        whole = moments.whole
        square = np.diagonal(whole.xx[0]) / whole.weight[0]
        variance = square - whole.x_mean[0] ** 2
        scale = np.sqrt(np.where(variance > CONSTANT * square, variance, np.inf))
        products = products / scale[:, None]
    return np.abs(products).max(axis=0)


def _mean_squares(moments: Moments, fit_intercept: bool) -> Any:
    """Return the mean square (n_outputs,), the unit of duality gaps."""
    return np.maximum(_centred_products(moments, fit_intercept)[1], 0.0)
