"""RidgeRanking: a ranking of all pairs of a TF and a target by moderated ridge statistics."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, _fit_context
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from ._link_estimator import CELLS, LinkTableMixin
from ._state import all_or_nothing
from .fitting import (
    TrainingData,
    check_moments,
    feature_names,
    own_positions,
    read_penalties,
    read_samples,
)
from .links import LINK_COLUMNS, fitted_positions
from .moments import Moments, Scale
from .names import are_covariates
from .solvers import RidgeFits, RidgeProblem

_SCORE = "score"
# Penalties relative to columns of unit variance.
_LAMBDAS = np.geomspace(1e-3, 10.0, 25)


class RidgeRanking(LinkTableMixin, BaseEstimator):
    """Ranking of all pairs of a TF and a target by moderated ridge statistics.

    Each target is regressed on all TFs by ridge regression, with a penalty that minimises the
    criterion of generalised cross-validation. A pair is ranked by its coefficient over the standard
    error, whose residual variance is moderated: it is drawn towards the median of all targets.

    A target has no model if it or all its predictors are constant.

    The score is a ranking, not a test: it is not calibrated, and no p-value follows from it.

    Parameters
    ----------
    lambdas : array-like of shape (n_lambdas,), default=None
        Positive penalties, relative to columns of unit variance. None means 25 values from 0.001
        to 10, geometrically spaced.
    prior_df : float, default=50
        Weight of the common residual variance, in degrees of freedom. With 0 the score of a target
        does not depend on the other targets.
    prior_variance : float, default=None
        The common residual variance, relative to the variance of a target. None means the median
        over the targets. If a number is given, the score of a target does not depend on the others.
    exclude_self : bool, default=True
        Exclude each TF from the predictors of the gene of the same name. Requires data frames,
        because arrays have no names.
    covariates : tuple of str, default=("new_size_factor", "labeling_ratio")
        Columns of `tf_matrix` that are predictors but are not ranked, in addition to those whose
        names begin with ``obs:``. Names that `tf_matrix` lacks are ignored.
    n_links : int, default=None
        Largest number of rows of ``links_``; None keeps all pairs.

    Attributes
    ----------
    score_ : ndarray of shape (n_targets, n_features) or (n_features,)
        b / √(v s̃²), with the sign of the coefficient. 0 for constant columns, for a TF as its own
        target, and for covariates.
    coef_ : ndarray of shape (n_targets, n_features) or (n_features,)
        Ridge coefficients on the scale of the input.
    intercept_ : ndarray of shape (n_targets,) or float
    lambda_ : ndarray of shape (n_targets,) or float
        Selected penalty, relative to columns of unit variance; NaN without a model.
    edf_ : ndarray of shape (n_targets,) or float
        Effective degrees of freedom, the intercept included; NaN without a model.
    r2_ : ndarray of shape (n_targets,) or float
        max(0, 1 − criterion / variance of the target); NaN without a model.
    links_ : DataFrame
        One row per ranked pair, with the largest |score| first: ``TF``, ``target``, ``coef``,
        ``r2``, ``lambda_``, ``score``.
    feature_names_in_ : ndarray of str
        Only where `tf_matrix` has names.
    target_names_in_ : ndarray of str
        Names of the targets; ``y0``, ``y1``, ... if they have no names.
    n_features_in_ : int
    warnings_ : tuple of str
        Messages of this package that the fit issued, each once.

    Notes
    -----
    On columns of unit variance (ddof 0), let G be the correlation matrix of the p predictors with
    eigenvalues d and eigenvectors V, c the correlations of a target with them, γ = Vᵀc, and n the
    weight of all cells. For a penalty λ,

    * b = V [γ / (d + λ)],
    * edf = 1 + Σ d / (d + λ),
    * rss = 1 − 2 Σ γ² / (d + λ) + Σ γ² d / (d + λ)²,
    * v_j = Σ_k V²_jk d_k / (d_k + λ)² / n, the variance of b_j over that of the residuals,

    and λ minimises rss / (1 − min(edf / n, 0.99))² (Golub, Heath & Wahba 1979). The residual
    variance s² = n rss / (n − edf) with n − edf degrees of freedom is moderated (Smyth 2004),

        s̃² = (d₀ s₀² + (n − edf) s²) / (d₀ + n − edf),

    where d₀ is `prior_df` and s₀² is `prior_variance`. A target that is also a TF has one predictor
    less; its terms follow from the same eigenvectors by a rank-one update.

    The cost is that of one Gram matrix and about p³ + p²q + 25 pq operations for q targets.

    References
    ----------
    G. H. Golub, M. Heath, G. Wahba, "Generalized cross-validation as a method for choosing a good
    ridge parameter", Technometrics 21, 1979.

    G. K. Smyth, "Linear models and empirical Bayes methods for assessing differential expression in
    microarray experiments", Statistical Applications in Genetics and Molecular Biology 3, 2004.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from scifate_sklearn import RidgeRanking
    >>> rng = np.random.default_rng(0)
    >>> tfs = pd.DataFrame(rng.normal(size=(200, 3)), columns=["Pax6", "Sox2", "Myc"])
    >>> new = pd.DataFrame({"Neurog3": tfs["Pax6"] + 0.1 * rng.normal(size=200)})
    >>> ranking = RidgeRanking().fit(tfs, new)
    >>> ranking.links_["TF"].iloc[0], ranking.score_.shape
    ('Pax6', (1, 3))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "lambdas": ["array-like", None],
        "prior_df": [Interval(Real, 0, None, closed="left")],
        "prior_variance": [Interval(Real, 0, None, closed="neither"), None],
        "exclude_self": ["boolean"],
        "covariates": [tuple, list],
        "n_links": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(
        self,
        *,
        lambdas: ArrayLike | None = None,
        prior_df: float = 50.0,
        prior_variance: float | None = None,
        exclude_self: bool = True,
        covariates: tuple[str, ...] = ("new_size_factor", "labeling_ratio"),
        n_links: int | None = None,
    ) -> None:
        self.lambdas = lambdas
        self.prior_df = prior_df
        self.prior_variance = prior_variance
        self.exclude_self = exclude_self
        self.covariates = covariates
        self.n_links = n_links

    @_fit_context(prefer_skip_nested_validation=True)
    @all_or_nothing
    def fit(
        self, tf_matrix: Any, target_matrix: Any, *, sample_weight: ArrayLike | None = None
    ) -> RidgeRanking:
        """Rank all pairs.

        Parameters
        ----------
        tf_matrix : DataFrame, ndarray or sparse matrix of shape (n_cells, n_features)
            Regulators and covariates.
        target_matrix : DataFrame, ndarray or CSR matrix of shape (n_cells, n_targets), or 1-D
            Responses.
        sample_weight : array-like of shape (n_cells,), default=None
            Non-negative weights of the cells. A cell of weight 2 counts as two cells.

        Returns
        -------
        RidgeRanking

        Raises
        ------
        TypeError, ValueError
            As from `SciFateRegressor.fit`; also if the weights of all cells add up to less than the
            degrees of freedom of a model.
        """
        data = read_samples(
            self, tf_matrix, target_matrix, CELLS, cv=None, sample_weight=sample_weight
        )
        return self._fit(data)

    @_fit_context(prefer_skip_nested_validation=True)
    @all_or_nothing
    def fit_moments(self, moments: Moments) -> RidgeRanking:
        """Rank all pairs from moments, without the cells; folds are not used.

        Parameters
        ----------
        moments : Moments

        Returns
        -------
        RidgeRanking

        Raises
        ------
        TypeError
            If `moments` is not a Moments.
        ValueError
            As from `fit`.
        """
        return self._fit(check_moments(self, moments))

    def score_links(self, links: pd.DataFrame) -> pd.DataFrame:
        """Append the column ``score`` to a links table of the same data.

        Parameters
        ----------
        links : DataFrame of shape (n_links, n_columns)
            With the columns ``TF``, ``target`` and ``coef``, for instance of a `SciFateRegressor`.

        Returns
        -------
        DataFrame

        Raises
        ------
        TypeError
            If `links` is not a DataFrame.
        ValueError
            If a column is missing, or a name is not one of the fit.
        """
        check_is_fitted(self)
        names = self.target_names_in_, feature_names(self)
        pair = fitted_positions(links, *names, "RidgeRanking.score_links")
        score = np.atleast_2d(self.score_)[pair]
        return links.assign(**{_SCORE: score})

    def _linear_model(self) -> RidgeRanking:
        return self

    def _kept_links(self) -> pd.DataFrame:
        return self.links_.copy()

    def _link_columns(self) -> tuple[str, ...]:
        return (*LINK_COLUMNS, _SCORE)

    def _fit(self, data: TrainingData) -> RidgeRanking:
        moments = data.moments
        lambdas = _LAMBDAS if self.lambdas is None else read_penalties(self.lambdas, "lambdas")
        problem = RidgeProblem.from_moments(moments, own_positions(moments, self.exclude_self))
        fits = problem.select(lambdas)
        score = self._scores(fits, problem)
        score[:, are_covariates(feature_names(self), self.covariates)] = 0.0
        no_model = np.where(problem.has_model, 0.0, np.nan)
        attributes = {
            **_on_input_scale(fits.coef, moments),
            "score_": score,
            "lambda_": fits.lambda_ + no_model,
            "edf_": fits.edf + no_model,
            "r2_": np.maximum(1.0 - fits.gcv, 0.0) + no_model,
        }
        self.target_names_in_ = data.target_names
        self.links_ = self._ranked_links(attributes)
        for name, values in attributes.items():
            setattr(self, name, values[0] if data.is_single else values)
        return self

    def _scores(self, fits: RidgeFits, problem: RidgeProblem) -> NDArray[np.float64]:
        """Return the scores (n_targets, n_features), 0 for pairs that are not ranked."""
        df = problem.n - fits.edf
        if not (df > 0).all():
            raise ValueError(
                f"`sample_weight` adds up to {problem.n:g}, but a model has {fits.edf.max():.3g} "
                "degrees of freedom. Scale the weights so that they add up to the number of cells."
            )
        variance = problem.n * fits.residual / df
        prior = self.prior_variance
        if prior is None:
            prior = np.median(variance[problem.has_model]) if problem.has_model.any() else 1.0
        moderated = (self.prior_df * prior + df * variance) / (self.prior_df + df)
        error = np.sqrt(fits.variance_factor * moderated[:, None])
        return np.divide(fits.coef, error, out=np.zeros_like(error), where=error > 0)

    def _ranked_links(self, attributes: dict[str, NDArray[np.float64]]) -> pd.DataFrame:
        score = attributes["score_"].ravel()
        ranked = np.flatnonzero(score)
        # Stable, so that ties keep the order of the targets, then of the predictors.
        order = ranked[np.argsort(-np.abs(score[ranked]), kind="stable")][: self.n_links]
        target, feature = np.unravel_index(order, attributes["score_"].shape)
        return pd.DataFrame(
            {
                "TF": feature_names(self)[feature],
                "target": self.target_names_in_[target],
                "coef": attributes["coef_"][target, feature],
                "r2": attributes["r2_"][target],
                "lambda_": attributes["lambda_"][target],
                _SCORE: score[order],
            },
            columns=list(self._link_columns()),
        )


def _on_input_scale(b: NDArray[np.float64], moments: Moments) -> dict[str, NDArray[np.float64]]:
    """Return the coefficients and intercepts on the scale of the input."""
    scale = Scale.from_moments(moments)
    x_sd = np.where(scale.x_sd > 0, scale.x_sd, 1.0)
    coef = b * scale.y_sd[:, None] / x_sd
    return {"coef_": coef, "intercept_": scale.y_mean - coef @ scale.x_mean}
