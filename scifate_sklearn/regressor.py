"""SciFateRegressor: parameters, validation and wiring; the numbers come from `solvers`."""

from __future__ import annotations

import os
from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import r2_score
from sklearn.utils import check_array
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.extmath import safe_sparse_dot
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from ._warnings import warn
from .fitting import (
    check_folds,
    check_same_cells,
    check_sums,
    check_unique,
    column_names,
    generated_names,
    penalty_grid,
    relative_penalties,
    require_moments,
    self_positions,
)
from .links import LinkTableMixin, build_links
from .moments import Moments, plan_folds
from .preprocessing import (
    WEIGHT_MAGNITUDES,
    X_MAGNITUDES,
    Y_MAGNITUDES,
    check_intact,
    check_magnitude,
    make_folds,
    naming,
)

_AS_FLOATS: dict[str, Any] = {"accept_sparse": "csr", "dtype": np.float64}

# The parameters that decide about the model of a target. The folds and the weights are in the
# moments; workers, progress bars and what is a covariate come to nothing there.
_DECISIVE = (
    "engine", "lambda_rule", "lambdas", "alpha", "cor_threshold", "exclude_self", "standardize",
    "fit_intercept", "penalty_factor", "path", "tol", "max_iter",
)  # fmt: skip


class SciFateRegressor(LinkTableMixin, BaseEstimator):
    """Cross-validated LASSO of every target gene on all transcription factors.

    For each target y, with x the predictors that are not the target itself and correlate with it
    (absolute correlation > `cor_threshold` over all cells), and weights w that sum to 1,

        min over a, β of  ½ Σᵢ wᵢ (yᵢ − a − xᵢᵀβ)² + λ Σⱼ vⱼ sⱼ (α |βⱼ| + ½ (1 − α) sⱼ βⱼ² / s_y)

    where s are the standard deviations (ddof 0) of the training set at hand, and λ is chosen by
    cross-validation with folds that all targets share, exactly as R's ``cv.glmnet`` 4.1 does. A
    target with fewer than two such predictors, or a constant one, gets no model: coefficients 0,
    λ NaN, no links.

    Parameters
    ----------
    engine : {"gram", "glmnet"}, default="gram"
        ``"gram"`` solves all targets from shared moments; ``"glmnet"`` calls glmnet itself through
        python-glmnet, target by target: hundreds of times slower, the judge of the other.
    lambda_rule : {"1se", "min"}, float or callable, default="1se"
        Which penalty to choose: glmnet's two rules, a fixed number (added to the grid if it is not
        there, so that its error is cross-validated too), or a callable that receives a
        `solvers.selection.CVCurve` and returns one of its ``lambdas``.
    lambdas : {"paper", "auto"} or array-like, default="paper"
        The penalty grid: the paper's 100 from 10 to 0.001, glmnet's data-driven one for each
        target, or given values.
    alpha : float in [0, 1], default=1.0
        1 is the LASSO, 0 ridge regression.
    cv : int, splitter or iterable of (train, test), default=10
        An int means ``RSampleKFold(cv, seed=random_state)``, the folds of R.
    cor_threshold : float or None, default=0.03
        Prefilter on the absolute correlation with the target; None keeps every predictor.
    exclude_self : bool, default=True
        Never let a TF regulate the gene of the same name. Needs data frames, which have names.
    covariates : tuple of str, default=("new_size_factor", "labeling_ratio")
        Columns of `tf_matrix` that are ordinary predictors but never become links. Names that are
        not there are ignored.
    standardize, fit_intercept : bool, default=True
        As in glmnet; coefficients are always on the scale of the input.
    penalty_factor : array-like or Series of shape (n_features,) or DataFrame, default=None
        Relative penalties, 0 for none, infinite to exclude; rescaled to a mean of 1 over each
        target's predictors. A Series is aligned by name; predictors it lacks get 1. A DataFrame
        of TFs × targets gives each pair its own, so that evidence shapes the fit
        (`prior_penalties` makes one); pairs it lacks get 1, names that the data lack are ignored.
    path : {"adaptive", "full"}, default="adaptive"
        ``"adaptive"`` ends a target's path at the first penalty whose CV error is above the lowest
        one so far by more than 2.5 standard errors of their fold-by-fold difference and by more
        than a quarter of ``cv_mse_se_`` there, if the lowest is more than 5 ``cv_mse_se_`` below
        the error at the largest penalty; a path without such a clear minimum is followed to its
        end. ``cv_mse_`` is NaN beyond the stop. ``"full"`` follows every path to its end, as do a
        number or a callable as `lambda_rule`, ``lambdas="auto"`` and ``engine="glmnet"``.
    tol : float, default=1e-12
        Duality gap at which a problem is solved, relative to the mean square of the target.
        With ``engine="glmnet"``, glmnet's own threshold.
    max_iter : int, default=100_000
        Rounds (solves for the active set, or sweeps and a Newton step) allowed per penalty.
    n_jobs : int, default=None
        Workers over blocks of targets (joblib, threads unless a backend is configured). Results do
        not depend on it.
    random_state : int, RandomState or None, default=123456
        Seed of the folds where `cv` is an int.
    verbose : int, default=0
        1 shows a progress bar.
    checkpoint : path-like or None, default=None
        Folder for finished blocks of targets. A fit that was killed goes on from there and loses
        the blocks in flight only; one of other data, parameters or version is refused. Not for a
        callable as `lambda_rule`, of which nobody can say whether it is the same.

    Attributes
    ----------
    coef_ : ndarray of shape (n_targets, n_features) or (n_features,)
    intercept_ : ndarray of shape (n_targets,) or float
    lambda_, lambda_min_, lambda_1se_ : ndarray of shape (n_targets,) or float
        The chosen penalty, and what glmnet's rules would choose.
    lambdas_ : ndarray of shape (n_lambdas,)
        Decreasing penalties; (n_targets, n_lambdas), NaN-padded, for ``lambdas="auto"``.
    cv_mse_, cv_mse_se_ : ndarray of shape (n_targets, n_lambdas) or (n_lambdas,)
        Cross-validated mean squared error (cvm) and its standard error (cvsd).
    r2_ : ndarray of shape (n_targets,) or float
        max(0, 1 − cvm(lambda_)/var(y, ddof 1)); NaN without a model.
    n_iter_ : ndarray of shape (n_targets,) or int
        Rounds along the final path (−1 where glmnet does not say).
    dual_gap_ : ndarray of shape (n_targets,) or float
        Certificate of the final model: how far its objective can be above the minimum, relative
        to the mean square of the target.
    links_ : DataFrame
        One row per non-zero coefficient: ``TF``, ``target``, ``coef``, ``r2``, ``lambda_``.
    feature_names_in_ : ndarray of str
        Only where `tf_matrix` has names.
    target_names_in_ : ndarray of str
        Names of the targets; ``y0``, ``y1``, ... where there are none.
    n_features_in_ : int

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
        "engine": [StrOptions({"gram", "glmnet"})],
        "lambda_rule": [
            StrOptions({"1se", "min"}),
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
        "n_jobs": [Integral, None],
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
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose
        self.checkpoint = checkpoint

    @_fit_context(prefer_skip_nested_validation=True)
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
            Responses, usually z-scored log new RNA; velocities or rates serve as well.
        sample_weight : array-like of shape (n_cells,), default=None
            Non-negative weights of the cells.
        groups : array-like of shape (n_cells,), default=None
            Passed to a group-aware splitter given as `cv`.

        Returns
        -------
        SciFateRegressor

        Raises
        ------
        ValueError
            If the matrices disagree, hold NaN, infinity, masked values or numbers whose powers
            leave the range of double precision, are broken sparse matrices, name a column twice, or
            have fewer cells than folds; if `cv` gives other things than rows of these cells; or if
            a training set has no weight.
        TypeError
            If they hold something else than real numbers.
        """
        moments, cells, is_single = self._sum_cells(tf_matrix, target_matrix, sample_weight, groups)
        self._fit_moments(moments, cells, is_single)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_moments(self, moments: Moments) -> SciFateRegressor:
        """Fit from sufficient statistics alone; `cv` and `random_state` are not consulted.

        Parameters
        ----------
        moments : Moments
            Sums over the cells of each fold; `fit` makes the same from matrices.

        Returns
        -------
        SciFateRegressor

        Raises
        ------
        TypeError
            If `moments` are something else.
        ValueError
            If they are too large for double precision, or a training set has no weight.
        """
        require_moments(moments)
        if self.engine != "gram":
            raise ValueError(
                f'fit_moments needs engine="gram", got {self.engine!r}: glmnet reads the cells.'
            )
        check_sums(moments)
        self.n_features_in_ = moments.n_features
        if moments.feature_names is not None:
            self.feature_names_in_ = moments.feature_names
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        self._fit_moments(moments, None, is_single=False)
        return self

    def predict(self, tf_matrix: Any) -> NDArray[np.float64]:
        """Predict the targets.

        Parameters
        ----------
        tf_matrix : DataFrame, ndarray or sparse matrix of shape (n_cells, n_features)

        Returns
        -------
        ndarray of shape (n_cells, n_targets), or (n_cells,) after a fit to a 1-D target
        """
        X = self._validate_new(tf_matrix)
        with np.errstate(over="ignore", invalid="ignore"):
            predicted = safe_sparse_dot(X, self.coef_.T) + self.intercept_
        if not np.isfinite(predicted).all():
            raise ValueError(
                "`tf_matrix` holds numbers too large to predict from: the predictions overflow. "
                "Scale it as the matrix of the fit was scaled."
            )
        return predicted

    def score(
        self, tf_matrix: Any, target_matrix: Any, sample_weight: ArrayLike | None = None
    ) -> float:
        """Return the mean R² of the predictions over the targets.

        Parameters
        ----------
        tf_matrix : DataFrame, ndarray or sparse matrix of shape (n_cells, n_features)
        target_matrix : DataFrame, ndarray or CSR matrix of shape (n_cells, n_targets), or 1-D
        sample_weight : array-like of shape (n_cells,), default=None

        Returns
        -------
        float
        """
        check_intact(target_matrix, "`target_matrix`")
        Y = target_matrix.toarray() if hasattr(target_matrix, "toarray") else target_matrix
        return float(r2_score(Y, self.predict(tf_matrix), sample_weight=sample_weight))

    def transform(self, tf_matrix: Any) -> pd.DataFrame:
        """Return the fitted links table, whatever the cells: links belong to genes.

        Parameters
        ----------
        tf_matrix : DataFrame, ndarray or sparse matrix of shape (n_cells, n_features)
            Only checked for the right columns.

        Returns
        -------
        DataFrame
            A copy of ``links_``.
        """
        self._validate_new(tf_matrix)
        return self.links_.copy()

    def fit_transform(self, tf_matrix: Any, target_matrix: Any, **fit_params: Any) -> pd.DataFrame:
        """Fit and return the links table.

        Parameters
        ----------
        tf_matrix, target_matrix, **fit_params
            As for `fit`.

        Returns
        -------
        DataFrame
        """
        return self.fit(tf_matrix, target_matrix, **fit_params).links_.copy()

    def _validate_fit(self, tf_matrix: Any, target_matrix: Any) -> tuple[Any, Any, Any, bool]:
        """Return X, Y (2-D, float64, CSR if sparse), their columns' names, whether Y was 1-D."""
        check_same_cells(tf_matrix, target_matrix)
        feature_names, target_names = column_names(tf_matrix), column_names(target_matrix)
        check_unique(feature_names, "tf_matrix")
        check_unique(target_names, "target_matrix")
        check_intact(tf_matrix, "`tf_matrix`")
        check_intact(target_matrix, "`target_matrix`")
        with naming("`tf_matrix`"):
            X = validate_data(self, tf_matrix, ensure_min_samples=2, **_AS_FLOATS)
        with naming("`target_matrix`"):
            if target_matrix is None:
                raise ValueError("requires y to be passed, but the target y is None.")
            # Here, and not as y above, where text and objects could be NaN only after the check.
            Y = check_array(
                target_matrix, ensure_2d=False, input_name="y", estimator=self, **_AS_FLOATS
            )
            is_single = Y.ndim == 1
            Y = Y.reshape(-1, 1) if is_single else Y
            check_array(Y[:1], accept_sparse="csr", estimator=self)  # at least one column
        if X.shape[0] != Y.shape[0]:
            raise ValueError(
                "`tf_matrix` and `target_matrix` have inconsistent numbers of samples: "
                f"{X.shape[0]} and {Y.shape[0]} cells. Give both the same cells in the same order."
            )
        check_magnitude(X, "`tf_matrix`", *X_MAGNITUDES)
        check_magnitude(Y, "`target_matrix`", *Y_MAGNITUDES)
        return X, Y, (feature_names, target_names), is_single

    def _validate_weight(self, sample_weight: Any, X: Any) -> NDArray[np.float64]:
        check_intact(sample_weight, "`sample_weight`")
        given = np.asarray(sample_weight)
        if given.dtype.kind in "biuf" and not given.any():
            raise ValueError(
                "`sample_weight` is zero for every cell; at least one must be positive."
            )
        with naming("`sample_weight`"):
            weight = _check_sample_weight(
                sample_weight, X, dtype=np.float64, ensure_non_negative=True
            )
        check_magnitude(weight[:, None], "`sample_weight`", *WEIGHT_MAGNITUDES)
        return weight

    def _validate_new(self, tf_matrix: Any) -> Any:
        check_is_fitted(self)
        check_intact(tf_matrix, "`tf_matrix`")
        with naming("`tf_matrix`"):
            return validate_data(self, tf_matrix, reset=False, **_AS_FLOATS)

    def _sum_cells(
        self, tf_matrix: Any, target_matrix: Any, sample_weight: Any, groups: Any
    ) -> tuple[Moments, Any, bool]:
        """Return the moments, the cells (X, Y, weight, plan) they are of, whether Y was 1-D."""
        X, Y, names, is_single = self._validate_fit(tf_matrix, target_matrix)
        weight = self._validate_weight(sample_weight, X)
        y = Y[:, 0] if Y.shape[1] == 1 else Y
        plan = plan_folds(make_folds(self.cv, self.random_state, X, y, groups), X.shape[0])
        return Moments.from_arrays(X, Y, plan, weight, *names), (X, Y, weight, plan), is_single

    def _fit_moments(self, moments: Moments, cells: Any, is_single: bool) -> Any:
        """Set the fitted attributes; return the engine, for other targets of the same cells."""
        check_folds(moments)
        if moments.target_names is None:
            self.target_names_in_ = generated_names("y", moments.n_targets)
        else:
            self.target_names_in_ = moments.target_names
        problem, checkpoint = self._make_problem(moments), self._open_checkpoint(moments)
        engine = self._make_engine(moments, cells)
        fits = self._fit_all(engine, problem, checkpoint, bool(self.verbose))
        self._warn_unconverged(fits.n_unconverged)
        self._publish(fits, is_single)
        return engine

    def _fit_all(
        self, engine: Any, problem: Any, checkpoint: Any = None, verbose: bool = False
    ) -> Any:
        # numba is imported by the solvers; importing the package must stay quick.
        from .solvers._parallel import fit_all

        return fit_all(engine, problem, self.lambda_rule, self.n_jobs, checkpoint, verbose)

    def _warn_unconverged(self, n_unconverged: int) -> None:
        if n_unconverged:
            warn(
                f"{n_unconverged} problems (target, fold, penalty) stopped at a duality "
                f"gap above tol={self.tol:g}; raise `max_iter` ({self.max_iter}) or `tol`.",
                ConvergenceWarning,
            )

    def _make_problem(self, moments: Moments) -> Any:
        from .solvers._problem import LassoProblem, select_candidates

        excluded = None
        if self.exclude_self:
            excluded = self_positions(moments.feature_names, moments.target_names)
            excluded = excluded if len(excluded) else None
        candidates = select_candidates(moments, self.cor_threshold, excluded)
        return LassoProblem(moments, candidates, relative_penalties(self.penalty_factor, moments))

    def _make_engine(self, moments: Moments, cells: Any) -> Any:
        from .solvers import (
            _glmnet as glmnet,
        )
        from .solvers import (
            _gram as gram,
        )
        from .solvers import (
            _problem as problem,
        )
        from .solvers import (
            _selection as selection,
        )

        settings = problem.Settings(
            penalty_grid(self.lambdas, selection.paper_grid),
            float(self.alpha),
            bool(self.standardize),
            bool(self.fit_intercept),
            float(self.tol),
            int(self.max_iter),
            # A penalty that the curve does not ask for may lie beyond the stop of an adaptive path.
            self.path if self.lambda_rule in ("1se", "min") else "full",
        )
        if self.engine == "gram":
            return gram.GramEngine(moments.predictors, settings)
        return glmnet.GlmnetEngine(moments.predictors, settings, *cells)

    def _open_checkpoint(self, moments: Moments) -> Any:
        from .solvers._checkpoint import Checkpoint, identify

        if self.checkpoint is None:
            return None
        if callable(self.lambda_rule):
            raise ValueError(
                '`checkpoint` needs "1se", "min" or a number as `lambda_rule`: whether a callable '
                "is the same as that of an earlier run cannot be told."
            )
        parameters = {name: getattr(self, name) for name in _DECISIVE}
        return Checkpoint(self.checkpoint, identify(parameters, moments))

    def _publish(self, fits: Any, is_single: bool) -> None:
        """Set the fitted attributes; a 1-D target gets scalars and vectors, as in scikit-learn."""
        names = getattr(self, "feature_names_in_", None)
        if names is None:
            names = generated_names("x", self.n_features_in_)
        self.links_ = build_links(
            fits.coef, names, self.target_names_in_, fits.r2, fits.lambda_, self.covariates
        )
        lambdas = fits.lambdas if isinstance(self.lambdas, str) and self.lambdas == "auto" else None
        self.lambdas_ = fits.lambdas[0] if lambdas is None or is_single else lambdas
        for attribute in (
            "coef", "intercept", "lambda_", "lambda_min", "lambda_1se", "cv_mse", "cv_mse_se",
            "r2", "n_iter", "dual_gap",
        ):  # fmt: skip
            values = getattr(fits, attribute)
            setattr(self, attribute.rstrip("_") + "_", values[0] if is_single else values)
