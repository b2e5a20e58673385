"""SciFateRegressor: parameters and attributes; `fitting` does the work."""

from __future__ import annotations

import os
from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, _fit_context, clone
from sklearn.utils import _safe_indexing
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from ._link_estimator import CELLS, LinkTableMixin
from ._state import all_or_nothing
from .fitting import (
    Chunks,
    Fit,
    FitParameters,
    TrainingData,
    check_moments,
    check_targets,
    column_names,
    feature_names,
    read_samples,
    target_position,
)
from .links import build_links
from .moments import Moments
from .solvers import CELL_RULE, CRITERIA, ENGINES, BlockFit, CVCurve

# Attributes with one entry per target, and their names in a block of fitted targets.
_PER_TARGET = {
    "coef_": "coef",
    "intercept_": "intercept",
    "lambda_": "lambda_",
    "lambda_min_": "lambda_min",
    "lambda_1se_": "lambda_1se",
    "cv_mse_": "cv_mse",
    "cv_mse_se_": "cv_mse_se",
    "r2_": "r2",
    "n_iter_": "n_iter",
    "dual_gap_": "dual_gap",
}


class SciFateRegressor(LinkTableMixin, BaseEstimator):
    """Cross-validated LASSO of every target gene on all transcription factors.

    For each target y, with x the predictors that are not the target itself and correlate with it
    (absolute correlation > `cor_threshold` over all cells) or have the penalty factor 0, and
    weights w that sum to 1,

        min over a, β of  ½ Σᵢ wᵢ (yᵢ − a − xᵢᵀβ)² + λ Σⱼ vⱼ sⱼ (α |βⱼ| + ½ (1 − α) sⱼ βⱼ² / s_y)

    where s are the standard deviations (ddof 0) of the training set, and v the penalty factors. The
    penalty λ is selected by cross-validation with folds that all targets share, as in R's
    ``cv.glmnet`` 4.1. A constant target, or one with fewer than two such predictors, none of them
    unpenalised, gets no model: coefficients 0, λ NaN, no links.

    Parameters
    ----------
    engine : {"gram", "glmnet"}, default="gram"
        ``"gram"`` solves all targets from shared moments. ``"glmnet"`` calls glmnet's Fortran code
        through python-glmnet, target by target, for comparison; it is hundreds of times slower.
    lambda_rule : {"1se", "min", "1se_cells", "aic", "bic", "ebic"}, float or callable, \
            default="1se"
        Rule that selects the penalty: one of glmnet's two rules; a fixed number, which is added to
        the grid so that its error is cross-validated too; or a callable that receives a
        `scifate_sklearn.solvers.CVCurve` and returns one of its ``lambdas``. ``"1se_cells"`` is
        one standard error over cells instead of folds, on the mean of the cross-validated and the
        generalised cross-validation curve: about as many links as ``"1se"``, which depend far less
        on the seed of the folds; see `scifate_sklearn.solvers` for the formulas. The information
        criteria AIC, BIC and EBIC (with γ = 1) are computed from the fit to all cells alone:
        nothing is cross-validated, so the result depends on no seed, and ``cv_mse_``, ``r2_``,
        ``lambda_min_`` and ``lambda_1se_`` are NaN.
    lambdas : {"paper", "auto"} or array-like, default="paper"
        Penalty grid: the paper's 100 values from 10 to 0.001, glmnet's data-driven grid for each
        target, or given values.
    alpha : float in [0, 1], default=1.0
        1 is the LASSO, 0 ridge regression.
    cv : int, splitter or iterable of (train, test), default=10
        An int means ``RSampleKFold(cv, seed=random_state)``, the folds of R.
    cor_threshold : float or None, default=0.03
        Prefilter on the absolute correlation with the target, which penalised predictors must pass;
        None keeps every predictor.
    exclude_self : bool, default=True
        Exclude each TF from the predictors of the gene of the same name. Requires data frames,
        because arrays have no names.
    covariates : tuple of str, default=("new_size_factor", "labeling_ratio")
        Columns of `tf_matrix` that are ordinary predictors but never become links. Names that
        `tf_matrix` lacks are ignored. Columns whose names begin with ``obs:``, which
        `prepare_anndata` makes from columns of ``adata.obs``, are always covariates.
    standardize, fit_intercept : bool, default=True
        As in glmnet; coefficients are always on the scale of the input.
    penalty_factor : array-like or Series of shape (n_features,) or DataFrame, default=None
        Relative penalties; rescaled to a mean of 1 over each target's predictors. With 0 a
        predictor is in the model at every penalty, whatever its correlation with the target, unless
        it is constant or excluded by `exclude_self`. Infinity excludes a predictor. A Series is
        aligned by name; predictors that it lacks get 1. A DataFrame of TFs × targets gives each
        pair a factor of its own, for instance from evidence (`prior_penalties`); pairs that it
        lacks get 1, and names that the data lack are ignored.
    path : {"adaptive", "full"}, default="adaptive"
        ``"full"`` solves every penalty of the grid. ``"adaptive"`` ends the path of a target at the
        first penalty whose CV error exceeds the lowest one so far by more than 2.5 standard errors
        of their fold-by-fold difference and by more than a quarter of ``cv_mse_se_`` there. The
        lowest error must be more than 5 ``cv_mse_se_`` below the error at the largest penalty;
        without such a clear minimum the path is solved to its end. ``cv_mse_`` is NaN beyond the
        stop. A number or a callable as `lambda_rule`, ``lambdas="auto"`` and ``engine="glmnet"``
        imply ``"full"``.
    tol : float, default=1e-12
        Duality gap at which a problem is solved, relative to the mean square of the target.
        With ``engine="glmnet"``, glmnet's own threshold.
    max_iter : int, default=100_000
        Rounds (solves for the active set, or sweeps and a Newton step) allowed per penalty.
    n_repeats : int, default=1
        Number of cross-validations with other folds, if `cv` is an int: repeat r uses the seed
        ``random_state + r``. Their curves are averaged, so that the penalties depend less on the
        seed. The standard error is that of one cross-validation.
    n_jobs : int, default=None
        Workers over blocks of targets (joblib, threads unless a backend is configured). Results do
        not depend on it.
    random_state : int, RandomState or None, default=123456
        Seed of the folds where `cv` is an int.
    verbose : int, default=0
        1 shows a progress bar and, before the first fit of an installation, that the solver is
        being compiled.
    checkpoint : path-like or None, default=None
        Folder for finished blocks of targets. A fit that was killed resumes from there and loses
        only the blocks that were being fitted. Each fit (data, parameters, version) has a subfolder
        of its own, so that all fits of a search, and several processes, can use one folder. A new
        fit warns if the folder holds another one that is unfinished. Not available with a callable
        as `lambda_rule`, because two callables cannot be compared.

    Attributes
    ----------
    coef_ : ndarray of shape (n_targets, n_features) or (n_features,)
    intercept_ : ndarray of shape (n_targets,) or float
    lambda_, lambda_min_, lambda_1se_ : ndarray of shape (n_targets,) or float
        The selected penalty, and those that glmnet's two rules select.
    lambdas_ : ndarray of shape (n_lambdas,)
        Decreasing penalties; (n_targets, n_lambdas), NaN-padded, for ``lambdas="auto"``.
    cv_mse_, cv_mse_se_ : ndarray of shape (n_targets, n_lambdas) or (n_lambdas,)
        Cross-validated mean squared error (cvm) and its standard error (cvsd).
    r2_ : ndarray of shape (n_targets,) or float
        max(0, 1 − cvm(lambda_)/var(y, ddof 1)); NaN without a model.
    n_iter_ : ndarray of shape (n_targets,) or int
        Rounds along the final path; −1 with ``engine="glmnet"``, which does not report them.
    dual_gap_ : ndarray of shape (n_targets,) or float
        Upper bound on how far the objective of the final model is above its minimum, relative to
        the mean square of the target.
    links_ : DataFrame
        One row per non-zero coefficient: ``TF``, ``target``, ``coef``, ``r2``, ``lambda_``.
    feature_names_in_ : ndarray of str
        Only where `tf_matrix` has names.
    target_names_in_ : ndarray of str
        Names of the targets; ``y0``, ``y1``, ... if they have no names.
    n_features_in_ : int
    warnings_ : tuple of str
        Messages of this package that the fit issued, each once.

    References
    ----------
    J. Cao et al., "Sci-fate characterizes the dynamics of gene expression in single cells",
    Nature Biotechnology 38, 2020.

    J. Friedman, T. Hastie, R. Tibshirani, "Regularization paths for generalized linear models via
    coordinate descent", Journal of Statistical Software 33, 2010.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from scifate_sklearn import SciFateRegressor
    >>> rng = np.random.default_rng(0)
    >>> tfs = pd.DataFrame(rng.normal(size=(200, 3)), columns=["Pax6", "Sox2", "Myc"])
    >>> new = pd.DataFrame({"Neurog3": tfs["Pax6"] + 0.1 * rng.normal(size=200)})
    >>> SciFateRegressor().fit(tfs, new).links_[["TF", "target"]].values.tolist()
    [['Pax6', 'Neurog3']]
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "engine": [StrOptions(ENGINES.keys())],
        "lambda_rule": [
            StrOptions({"1se", "min", CELL_RULE, *CRITERIA}),
            Interval(Real, 0, None, closed="neither"),
            callable,
        ],
        "lambdas": [StrOptions({"paper", "auto"}), "array-like"],
        "alpha": [Interval(Real, 0, 1, closed="both")],
        "cv": [Interval(Integral, 2, None, closed="left"), HasMethods("split"), Iterable],
        "cor_threshold": [Interval(Real, 0, 1, closed="left"), None],
        "exclude_self": ["boolean"],
        "covariates": [tuple, list],
        "standardize": ["boolean"],
        "fit_intercept": ["boolean"],
        "penalty_factor": ["array-like", None],
        "path": [StrOptions({"adaptive", "full"})],
        "tol": [Interval(Real, 0, None, closed="neither")],
        "max_iter": [Interval(Integral, 1, np.iinfo(np.int64).max, closed="both")],
        "n_repeats": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [
            Interval(Integral, None, -1, closed="right"),
            Interval(Integral, 1, None, closed="left"),
            None,
        ],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
        "checkpoint": [str, os.PathLike, None],
    }

    def __init__(
        self,
        engine: str = "gram",
        lambda_rule: Any = "1se",
        lambdas: Any = "paper",
        alpha: float = 1.0,
        cv: Any = 10,
        cor_threshold: float | None = 0.03,
        exclude_self: bool = True,
        covariates: tuple[str, ...] = ("new_size_factor", "labeling_ratio"),
        standardize: bool = True,
        fit_intercept: bool = True,
        penalty_factor: ArrayLike | pd.Series | pd.DataFrame | None = None,
        path: str = "adaptive",
        tol: float = 1e-12,
        max_iter: int = 100_000,
        n_repeats: int = 1,
        n_jobs: int | None = None,
        random_state: Any = 123456,
        verbose: int = 0,
        checkpoint: str | os.PathLike[str] | None = None,
    ) -> None:
        self.engine = engine
        self.lambda_rule = lambda_rule
        self.lambdas = lambdas
        self.alpha = alpha
        self.cv = cv
        self.cor_threshold = cor_threshold
        self.exclude_self = exclude_self
        self.covariates = covariates
        self.standardize = standardize
        self.fit_intercept = fit_intercept
        self.penalty_factor = penalty_factor
        self.path = path
        self.tol = tol
        self.max_iter = max_iter
        self.n_repeats = n_repeats
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose
        self.checkpoint = checkpoint

    @_fit_context(prefer_skip_nested_validation=True)
    @all_or_nothing
    def fit(
        self,
        tf_matrix: Any,
        target_matrix: Any,
        *,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> SciFateRegressor:
        """Fit one model per target.

        Parameters
        ----------
        tf_matrix : DataFrame, ndarray or sparse matrix of shape (n_cells, n_features)
            Regulators, usually the z-scored log total expression of all TFs, and covariates.
        target_matrix : DataFrame, ndarray or CSR matrix of shape (n_cells, n_targets), or 1-D
            Responses, usually z-scored log new RNA; also velocities or rates.
        sample_weight : array-like of shape (n_cells,), default=None
            Non-negative weights of the cells. Cells of weight 0 count as absent: a test set of such
            cells only counts neither in the cross-validated error nor in its standard error, and a
            warning says how many there are. R's ``cv.glmnet`` counts it in the standard error.
        groups : array-like of shape (n_cells,), default=None
            Passed to a group-aware splitter given as `cv`.

        Returns
        -------
        SciFateRegressor

        Raises
        ------
        ValueError
            If the matrices, weights or groups name different cells or list them in another order.
            If the matrices hold NaN, infinity, masked values, or numbers whose powers leave the
            range of double precision; are damaged sparse matrices; repeat a column name; or have
            fewer cells than folds. If the group of a cell is missing. If `cv` yields something
            other than rows of these cells, or a training set has no weight.
        TypeError
            If the matrices hold something other than real numbers, column names are not text, or
            `groups` is of mixed type.
        OSError
            If `checkpoint` cannot be made, read or written.
        ImportError, RuntimeError
            With ``engine="glmnet"``: if python-glmnet is not installed, or does not converge.
        """
        fit_regressor(self, read_cells(self, tf_matrix, target_matrix, sample_weight, groups))
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    @all_or_nothing
    def fit_moments(self, moments: Moments, chunks: Chunks | None = None) -> SciFateRegressor:
        """Fit from moments, without the cells; `cv`, `n_repeats` and `random_state` are not used.

        Parameters
        ----------
        moments : Moments
            Sums over the cells of each fold, as `fit` makes them from matrices.
        chunks : iterable of (X, Y) or (X, Y, sample_weight), default=None
            The same cells, for instance from `anndata_io.prepare_cells`; read once, and only with
            ``lambda_rule="1se_cells"``.

        Returns
        -------
        SciFateRegressor

        Raises
        ------
        TypeError
            If `moments` is not a Moments.
        ValueError
            If the sums are too large for double precision, a training set has no weight, the engine
            reads the cells, or `chunks` are required and absent, or of other cells.
        """
        fit_regressor(self, read_moments(self, moments, chunks))
        return self

    def cv_curve(self, target: str) -> CVCurve:
        """Return the cross-validation curve of a target.

        Parameters
        ----------
        target : str
            One of ``target_names_in_``.

        Returns
        -------
        CVCurve
            Penalties with a known error, the errors and their standard errors, ``lambda_min`` and
            ``lambda_1se``.

        Raises
        ------
        ValueError
            If the target is not one of the fit, has no model, or nothing was cross-validated.
        """
        check_is_fitted(self)
        position = target_position(self.target_names_in_, target)
        lambdas = _known_penalties(self, position)[0]
        mse, mse_se = (np.atleast_2d(e)[position] for e in (self.cv_mse_, self.cv_mse_se_))
        known = np.isfinite(mse)
        if not known.any():
            raise ValueError(
                f"`target` {target!r} has no cross-validation curve: `lambda_rule` is "
                f"{self.lambda_rule!r}, which cross-validates nothing."
            )
        ends = (float(np.atleast_1d(e)[position]) for e in (self.lambda_min_, self.lambda_1se_))
        return CVCurve(lambdas, mse[known], mse_se[known], *ends)

    def coefficient_path(
        self,
        tf_matrix: Any,
        target_matrix: Any,
        target: str,
        *,
        sample_weight: ArrayLike | None = None,
    ) -> pd.DataFrame:
        """Return the coefficients of a target at each penalty, fitted to all cells of the fit.

        They are not stored, because those of all targets would fill the memory.

        Parameters
        ----------
        tf_matrix, target_matrix : DataFrame, ndarray or sparse matrix
            Those of the fit; of `target_matrix` only the column of the target is used.
        target : str
            One of ``target_names_in_``.
        sample_weight : array-like of shape (n_cells,), default=None
            That of the fit.

        Returns
        -------
        DataFrame of shape (n_lambdas, n_features)
            One row per penalty, decreasing, as the index ``lambda_``: those whose cross-validated
            error is known (an adaptive path ends early); all, if nothing was cross-validated. One
            column per predictor, covariates included. The row of the selected penalty is that of
            ``coef_``.

        Raises
        ------
        ValueError
            If the target is not one of the fit or has no model, or the matrices or weights are not
            those of the fit.

        Examples
        --------
        >>> import numpy as np, pandas as pd
        >>> from scifate_sklearn import SciFateRegressor
        >>> rng = np.random.default_rng(0)
        >>> tfs = pd.DataFrame(rng.normal(size=(200, 3)), columns=["Pax6", "Sox2", "Myc"])
        >>> new = pd.DataFrame({"Neurog3": tfs["Pax6"] + 0.1 * rng.normal(size=200)})
        >>> model = SciFateRegressor().fit(tfs, new)
        >>> path = model.coefficient_path(tfs, new, "Neurog3")
        >>> path.columns[path.loc[model.lambda_[0]] != 0].tolist()
        ['Pax6']
        """
        check_is_fitted(self)
        position = target_position(self.target_names_in_, target)
        check_targets(column_names(target_matrix), self.target_names_in_, "target_matrix")
        lambdas, selected = _known_penalties(self, position)
        own = target_matrix
        if np.ndim(target_matrix) > 1:
            own = _safe_indexing(target_matrix, [position], axis=1)
        draft = clone(self)
        data = read_samples(draft, tf_matrix, own, CELLS, cv=None, sample_weight=sample_weight)
        fit = Fit.from_data(FitParameters.from_estimator(draft), data)
        path = pd.DataFrame(
            fit.solve_along(lambdas), pd.Index(lambdas, name="lambda_"), feature_names(draft)
        )
        coef = np.atleast_2d(self.coef_)[position]
        _check_same_fit(path, feature_names(self), coef, selected)
        return path

    def _linear_model(self) -> SciFateRegressor:
        return self

    def _kept_links(self) -> pd.DataFrame:
        return self.links_.copy()


def _known_penalties(
    regressor: SciFateRegressor, position: int
) -> tuple[NDArray[np.float64], float]:
    """Return the penalties of a target that were cross-validated, and the selected one.

    Raises
    ------
    ValueError
        If the target has no model.
    """
    selected = float(np.atleast_1d(regressor.lambda_)[position])
    if np.isnan(selected):
        raise ValueError(
            f"`target` {regressor.target_names_in_[position]!r} has no model: it is constant, or "
            "fewer than two TFs correlate with it (`cor_threshold`)."
        )
    lambdas = np.atleast_2d(regressor.lambdas_)
    own = lambdas[position if len(lambdas) > 1 else 0]
    known = np.isfinite(np.atleast_2d(regressor.cv_mse_)[position])
    is_used = known if known.any() else np.isfinite(own)
    return own[is_used], selected


def _check_same_fit(
    path: pd.DataFrame, names: NDArray[np.object_], coef: NDArray[np.float64], selected: float
) -> None:
    """Raise ValueError if the path does not lead through the coefficients of the fit."""
    if list(path.columns) == list(names):
        # Sums in another order differ in the last digits only.
        scale = max(1.0, float(np.abs(coef).max()))
        if np.allclose(path.loc[selected], coef, rtol=1e-5, atol=1e-5 * scale):
            return
    raise ValueError(
        "`tf_matrix`, `target_matrix` and `sample_weight` must be those of the fit: other "
        "coefficients follow from these. Give the same matrices, in the same order of the cells."
    )


@_fit_context(prefer_skip_nested_validation=True)
def read_cells(
    regressor: SciFateRegressor,
    tf_matrix: Any,
    target_matrix: Any,
    sample_weight: ArrayLike | None,
    groups: ArrayLike | None,
) -> TrainingData:
    """Validate a regressor's parameters and the arguments of its `fit`.

    Parameters
    ----------
    regressor : SciFateRegressor
        Its ``n_features_in_`` is set and, if the TFs have names, ``feature_names_in_``.
    tf_matrix, target_matrix, sample_weight, groups :
        As for `SciFateRegressor.fit`.

    Returns
    -------
    TrainingData

    Raises
    ------
    TypeError, ValueError
        If a parameter or an argument is invalid.
    """
    is_cross_validated = FitParameters.from_estimator(regressor).is_cross_validated
    return read_samples(
        regressor,
        tf_matrix,
        target_matrix,
        CELLS,
        cv=regressor.cv if is_cross_validated else None,
        random_state=regressor.random_state,
        n_repeats=regressor.n_repeats,
        sample_weight=sample_weight,
        groups=groups,
    )


@_fit_context(prefer_skip_nested_validation=True)
def read_moments(
    regressor: SciFateRegressor, moments: Moments, chunks: Chunks | None = None
) -> TrainingData:
    """Validate a regressor's parameters and the moments for its fit.

    Parameters
    ----------
    regressor : SciFateRegressor
        Its ``n_features_in_`` is set and, if the moments have names, ``feature_names_in_``.
    moments : Moments
    chunks : iterable of tuple, default=None
        As for `SciFateRegressor.fit_moments`.

    Returns
    -------
    TrainingData

    Raises
    ------
    TypeError, ValueError
        As from `SciFateRegressor.fit_moments`.
    """
    data = check_moments(regressor, moments, chunks)
    FitParameters.from_estimator(regressor).require_moments_suffice("fit_moments")
    return data


def fit_regressor(regressor: SciFateRegressor, data: TrainingData) -> Fit:
    """Fit a regressor to validated data and set its attributes.

    Parameters
    ----------
    regressor : SciFateRegressor
    data : TrainingData
        From `read_cells` or `read_moments` of the same regressor.

    Returns
    -------
    Fit
        For further fits to other targets of the same cells.

    Raises
    ------
    ValueError
        If a training set has no weight, `penalty_factor` or `lambdas` is invalid, or the checkpoint
        is of a later version.
    OSError
        If the checkpoint cannot be made, read or written.
    """
    parameters = FitParameters.from_estimator(regressor)
    fit = Fit.from_data(parameters, data)
    with parameters.checkpoint(regressor.checkpoint, data.moments) as checkpoint:
        fits = fit.cross_validate(checkpoint, bool(regressor.verbose))
    parameters.warn_unconverged(fits.n_unconverged)
    _set_attributes(regressor, data, fits)
    return fit


def _set_attributes(regressor: SciFateRegressor, data: TrainingData, fits: BlockFit) -> None:
    """Set the fitted attributes: for a 1-D target, scalars and vectors as in scikit-learn."""
    target_names, is_single = data.target_names, data.is_single
    regressor.target_names_in_ = target_names
    regressor.links_ = build_links(
        fits.coef, feature_names(regressor), target_names, fits.r2, fits.lambda_,
        regressor.covariates,
    )  # fmt: skip
    is_automatic = isinstance(regressor.lambdas, str) and regressor.lambdas == "auto"
    regressor.lambdas_ = fits.lambdas if is_automatic and not is_single else fits.lambdas[0]
    for attribute, name in _PER_TARGET.items():
        values = getattr(fits, name)
        setattr(regressor, attribute, values[0] if is_single else values)
