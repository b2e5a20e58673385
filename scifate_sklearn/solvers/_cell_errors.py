"""Selection of penalties by one standard error over cells, which hardly depends on the folds.

The rule "1se" of glmnet estimates the standard error of a cross-validated error from K folds. With
K = 10 this estimate varies by a quarter from one division into folds to the next, and so does the
selected penalty. The rule "1se_cells" replaces both parts that depend on the folds. With k(λ)
coefficients and the mean squared error e(λ) of the model of all n samples:

* generalised cross-validation (Golub, Heath & Wahba 1979) is G = e / (1 − (k + 1)/n)²; for models
  of a share τ of the samples, such as (K − 1)/K in K folds, it becomes G_τ = e + (G − e)/τ, because
  the optimism G − e is in inverse proportion to n;
* the curve is m = (cvm + G_τ)/2, λ_m is its minimum, and eᵢ are the residuals of the model of all
  samples at λ_m;
* the standard error is s = m(λ_m) · sd(eᵢ²) / mean(eᵢ²) / √(n − 1), that of glmnet with samples in
  the place of folds;
* λ = max{λ : m(λ) ≤ m(λ_m) + s}.

k is the number of degrees of freedom of the LASSO (Zou, Hastie & Tibshirani 2007), and an
approximation for elastic nets. G_τ is not used where k, without unpenalised coefficients, exceeds
n/2; if it does so on the whole grid, as in ridge regression with many predictors, m = cvm.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.extmath import safe_sparse_dot

from ..preprocessing import to_dense
from ._problem import Floats
from ._selection import min_and_1se

CELL_RULE = "1se_cells"

# Residuals that are computed together.
_BUDGET = 2**22
# Largest difference of mean squared residuals of the same samples, relative to the variance.
_SAME = 1e-5


def fold_free_curve(
    errors: Floats, sizes: NDArray[np.intp], n: float, share: float, n_fixed: NDArray[np.intp]
) -> Floats:
    """Return G_τ (n_targets, n_lambdas), NaN where it is not defined.

    Parameters
    ----------
    errors, sizes : ndarray of shape (n_targets, n_lambdas)
        Mean squared errors and numbers of coefficients of the models of all samples.
    n : float
        Number of samples.
    share : float
        Mean share of the samples in a training set, τ.
    n_fixed : ndarray of int of shape (n_targets,)
        Unpenalised coefficients in `sizes`, of which a model may have any number.
    """
    gcv = errors / (1.0 - np.minimum(sizes / n, 0.99)) ** 2
    curve: Floats = errors + (gcv - errors) / share
    return np.where(sizes - n_fixed[:, None] > n / 2.0, np.nan, curve)


def averaged(cvm: Floats, free: Floats) -> Floats:
    """Return m: the mean of both curves, or cvm of targets whose other curve is nowhere defined."""
    mean = (cvm + free) / 2.0
    return np.where(np.isnan(mean).all(axis=1, keepdims=True), cvm, mean)


@dataclass(frozen=True)
class ResidualSums:
    """Sums over samples of powers of the residuals of each target.

    Attributes
    ----------
    n_samples : int
        Those of positive weight.
    weight : float
    second, fourth : ndarray of shape (n_targets,)
        Σ w e², Σ w e⁴, with e in units of the target's standard deviation.
    """

    n_samples: int
    weight: float
    second: Floats
    fourth: Floats

    def __add__(self, other: Self) -> ResidualSums:
        """Return the sums over the samples of both."""
        return ResidualSums(
            self.n_samples + other.n_samples,
            self.weight + other.weight,
            self.second + other.second,
            self.fourth + other.fourth,
        )

    def relative_error(self) -> Floats:
        """Return sd(e²) / mean(e²) / √(n − 1), 0 where all residuals are 0."""
        mean = self.second / self.weight
        variance = np.maximum(self.fourth / self.weight - mean**2, 0.0)
        relative = np.divide(np.sqrt(variance), mean, out=np.zeros_like(mean), where=mean > 0)
        return relative / np.sqrt(self.n_samples - 1.0)


@dataclass(frozen=True)
class Residuals:
    """Models whose residuals are summed over samples.

    Attributes
    ----------
    coef : ndarray of shape (n_targets, n_features)
    intercept, scale : ndarray of shape (n_targets,)
        Residuals are divided by `scale`, which must not be 0.
    """

    coef: Floats
    intercept: Floats
    scale: Floats

    def sums(self, X: Any, Y: Any, weight: Floats) -> ResidualSums:
        """Return the sums over samples.

        Parameters
        ----------
        X, Y : ndarray or sparse matrix of shape (n_samples, n_features), (n_samples, n_targets)
        weight : ndarray of shape (n_samples,)
        """
        size = max(1, _BUDGET // max(1, len(self.scale)))
        zeros = np.zeros(len(self.scale))
        total = ResidualSums(0, 0.0, zeros, zeros)
        for start in range(0, len(weight), size):
            rows = slice(start, start + size)
            e = to_dense(Y[rows]) - safe_sparse_dot(X[rows], self.coef.T, dense_output=True)
            e = (e - self.intercept) / self.scale
            w, square = weight[rows], e**2
            n = int(np.count_nonzero(w))
            total += ResidualSums(n, float(w.sum()), w @ square, w @ square**2)
        return total

    def sum_chunks(self, chunks: Iterable[tuple[Any, Any, Floats]]) -> ResidualSums | None:
        """Return the sums over chunks (X, Y, weight); None without a chunk."""
        total: ResidualSums | None = None
        for chunk in chunks:
            sums = self.sums(*chunk)
            total = sums if total is None else total + sums
        return total


def are_of_same_samples(sums: ResidualSums, n: float, weight: float, errors: Floats) -> bool:
    """Return whether sums are over the samples that models were fitted to.

    Parameters
    ----------
    sums : ResidualSums
    n, weight : float
        Number and weight of the samples that the models were fitted to.
    errors : ndarray of shape (n_targets,)
        Their mean squared residuals in the same units, NaN without a model.
    """
    are_as_many = sums.n_samples == round(n) and np.isclose(sums.weight, weight, rtol=1e-9)
    differences = np.abs(sums.second / sums.weight - errors)[~np.isnan(errors)]
    return bool(are_as_many and differences.max(initial=0.0) <= _SAME)


def one_se_of_cells(curve: Floats, relative_error: Floats) -> NDArray[np.intp]:
    """Return the position of each target's penalty on its grid; −1 without a curve.

    Parameters
    ----------
    curve : ndarray of shape (n_targets, n_lambdas)
        m, NaN-padded.
    relative_error : ndarray of shape (n_targets,)
        Standard error of m, relative to m.
    """
    return min_and_1se(curve, curve * relative_error[:, None])[1]
