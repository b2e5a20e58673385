"""Offsets, collinear TFs and mixed scales, compared with solutions in 256-bit arithmetic.

The float64 inputs are read as exact numbers. A reference solution starts from the empty model. It
is valid because it satisfies every optimality condition, those of predictors outside the model
strictly. Only the penalty is taken from the package's result.
"""

from dataclasses import dataclass, field, replace
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from mpmath import MPContext
from scipy.linalg import solve_triangular
from sklearn.model_selection import PredefinedSplit

from scifate_sklearn import RSampleKFold, SciFateRegressor
from scifate_sklearn.moments import Moments, plan_folds

pytestmark = pytest.mark.filterwarnings("error::sklearn.exceptions.ConvergenceWarning")

HIGH = MPContext()
HIGH.prec = 256
ROUNDING = HIGH.mpf(2) ** -200
# A predictor closer to its limit than this may join by rounding in float64.
STRICT = 1e-9

# Errors of coefficients in standard deviations of TF and target: the required one, and the one that
# is reached unless collinear columns or a missing intercept make the Gram matrix nearly singular.
GOAL, REACHED = 1e-6, 1e-9

N_CELLS, N_TFS, N_FOLDS = 90, 8, 4
FIRST_CHUNK = 17
CUTS = (FIRST_CHUNK, 18, 47, 80)
HALF = 41
SCALES = np.geomspace(1e-6, 1e6, N_TFS)
PENALTIES = np.geomspace(1, 1e-6, 13)

to_high = np.vectorize(HIGH.mpf, otypes=[object])
roots = np.vectorize(HIGH.sqrt, otypes=[object])


def solve(A, b):
    """Return A⁻¹b for a positive definite A."""
    work = np.column_stack([A, b])
    for i in range(len(b)):
        work[i] = work[i] / work[i, i]
        others = np.arange(len(b)) != i
        work[others] = work[others] - np.outer(work[others, i], work[i])
    return work[:, -1]


def lasso(G, g, l1, l2):
    """Return the minimizer of ½ bᵀGb − gᵀb + l1 Σ|b| + ½ l2 Σb², and its signs.

    No step raises the objective and each sign pattern has a single minimum, so the search ends.
    """
    H = G + l2 * np.eye(len(g), dtype=int)
    b, sign = to_high(np.zeros(len(g))), np.zeros(len(g), int)
    while True:
        members = np.flatnonzero(sign)
        if members.size:
            before = b[members]
            minimum = solve(H[np.ix_(members, members)], g[members] - l1 * sign[members])
            crossing = np.flatnonzero(minimum * sign[members] <= 0)
            if crossing.size:
                lengths = before[crossing] / (before[crossing] - minimum[crossing])
                b[members] = before + lengths.min() * (minimum - before)
                gone = members[crossing[lengths.argmin()]]
                b[gone], sign[gone] = HIGH.mpf(0), 0
                continue
            b[members] = minimum
        gradient = g - H @ b
        outside = np.where(sign == 0, abs(gradient), 0)
        joining = outside.argmax()
        if outside[joining] <= l1:
            break
        sign[joining] = 1 if gradient[joining] > 0 else -1
    assert (b * sign > 0).sum() == np.count_nonzero(sign) == np.count_nonzero(b)
    assert (abs(gradient - l1 * sign)[sign != 0] <= ROUNDING * abs(g).max()).all()
    assert (abs(gradient[sign == 0]) <= l1 * (1 - STRICT)).all()
    return b, sign


class Standardized:
    """Cells in high precision, in the coordinates of the objective."""

    def __init__(self, X, Y, weight, standardize=True, fit_intercept=True, alpha=1.0, **_):
        share = weight / weight.sum()
        x_mean, y_mean = share @ X, share @ Y
        x_deviation, y_deviation = X - x_mean, Y - y_mean
        self.x_sd, self.y_sd = roots(share @ x_deviation**2), roots(share @ y_deviation**2)
        covariance = (x_deviation.T * share) @ y_deviation
        self.correlation = covariance / np.outer(self.x_sd, self.y_sd)
        self.x_zero, self.y_zero = x_mean * fit_intercept, y_mean * fit_intercept
        self.x_unit = self.x_sd if standardize else to_high(np.ones(X.shape[1]))
        Z, R = (X - self.x_zero) / self.x_unit, Y - self.y_zero
        self.gram, self.linear = (Z.T * share) @ Z, (Z.T * share) @ R
        self.y_unit = roots(share @ R**2)
        self.alpha = HIGH.mpf(alpha)

    def model(self, t, penalty, candidates):
        """Return coefficients and intercept of a target on the scale of the input, and signs."""
        l1 = HIGH.mpf(penalty) * self.alpha
        l2 = HIGH.mpf(penalty) * (1 - self.alpha) / self.y_unit[t]
        coef, signs = to_high(np.zeros(N_TFS)), np.zeros(N_TFS, int)
        G, g = self.gram[np.ix_(candidates, candidates)], self.linear[candidates, t]
        coef[candidates], signs[candidates] = lasso(G, g, l1, l2)
        coef = coef / self.x_unit
        return coef, self.y_zero[t] - coef @ self.x_zero, signs


@dataclass(frozen=True)
class Cells:
    """Cells, the parameters of the fit, and the tolerance of the result."""

    X: Any
    Y: np.ndarray
    weight: np.ndarray
    params: dict[str, Any] = field(default_factory=dict)
    within: float = REACHED

    def __len__(self):
        return len(self.Y)

    def __getitem__(self, rows):
        return replace(self, X=self.X[rows], Y=self.Y[rows], weight=self.weight[rows])

    @property
    def folds(self):
        return RSampleKFold(N_FOLDS, seed=1).fold_ids(N_CELLS)

    def in_high_precision(self):
        X = self.X.toarray() if sp.issparse(self.X) else self.X
        return to_high(X), to_high(self.Y), to_high(self.weight)

    def regressor(self, **params):
        return SciFateRegressor(cv=PredefinedSplit(self.folds), **(self.params | params))

    def moments(self, start=0, stop=N_CELLS):
        """Return the moments of some of the cells, read in chunks of odd sizes."""
        bounds = [start, *(cut for cut in CUTS if start < cut < stop), stop]
        chunks = (self[i:k] for i, k in pairwise(bounds))
        plan = plan_folds(PredefinedSplit(self.folds[start:stop]).split(), stop - start)
        return Moments.from_chunks(((c.X, c.Y, c.weight) for c in chunks), plan)


def collinear(rng, size, correlation):
    """Return columns that have exactly this correlation with each other."""
    noise = rng.normal(size=(N_CELLS, size + 1))
    basis, _ = np.linalg.qr(noise - noise.mean(axis=0))
    shared = np.sqrt(correlation) * basis[:, :1]
    return np.sqrt(N_CELLS) * (shared + np.sqrt(1 - correlation) * basis[:, 1:])


def make_cells(
    *blocks, x_offset=0.0, y_offset=0.0, x_scale=1.0, y_scale=1.0, within=None, **params
):
    """Return cells; a block is the number of TFs and their correlation with each other."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N_CELLS, N_TFS))
    effects = rng.normal(size=(N_TFS, 2)) * (rng.random((N_TFS, 2)) < 0.6)
    start = 0
    for size, correlation in blocks:
        here = slice(start, start + size)
        X[:, here] = collinear(rng, size, correlation)
        # Differences that a single TF of the block cannot explain.
        effects[here, 0] += np.resize([0.5, -0.5], size) / np.sqrt(1 - correlation)
        start += size
    Y = X @ effects + 0.5 * rng.normal(size=(N_CELLS, 2))
    Y /= Y.std(axis=0)
    params = {"lambdas": PENALTIES * np.max(y_scale)} | params
    if blocks:
        # The correlation of such a TF with the target may be below any threshold.
        params["cor_threshold"] = None
    within = within or (GOAL if blocks else REACHED)
    cells = x_offset + x_scale * X, y_offset + y_scale * Y, np.ones(N_CELLS)
    return Cells(*cells, params, within)


def with_first_chunk(cells, change, within=None):
    X = cells.X.copy()
    X[:FIRST_CHUNK] = change(X[:FIRST_CHUNK])
    return replace(cells, X=X, within=within or cells.within)


def moved(distance):
    """Return a different offset for each TF, so that the offsets make no TFs collinear."""
    steps = distance * np.random.default_rng(1).uniform(-1, 1, N_TFS)
    return lambda X: X + steps * X.std(axis=0)


def with_weights(cells):
    return replace(cells, weight=np.random.default_rng(2).uniform(0, 3, N_CELLS))


def with_sentinels(cells):
    """Return cells of weight 0, the first chunk and others, with extreme values."""
    X, Y, weight = cells.X.copy(), cells.Y.copy(), cells.weight.copy()
    some = np.random.default_rng(3).random(N_CELLS) < 0.2
    for cell, value in ((some, 0.0), (slice(FIRST_CHUNK), -1e12)):
        X[cell], Y[cell], weight[cell] = value, value, 0.0
    return replace(cells, X=X, Y=Y, weight=weight)


def in_csr(cells, n_full):
    """Return sparse cells: all entries of some TFs are stored, about half of others."""
    X = cells.X.copy()
    X[:, n_full:] *= np.random.default_rng(4).random((N_CELLS, N_TFS - n_full)) < 0.5
    return replace(cells, X=sp.csr_array(X))


OFFSETS = {"x_offset": 1e8, "y_offset": 1e8}
SIGNS = (-1.0) ** np.arange(N_TFS)
TARGETS = np.array([1e-6, 1e6])
BLOCK = 4, 0.9999
EVERYTHING = {"x_scale": SCALES, "x_offset": 1e8 * SIGNS * SCALES, "y_scale": 1e6, "y_offset": 1e14}
CASES = {
    "offsets": make_cells(**OFFSETS),
    "offset TFs": make_cells(x_offset=1e8),
    "offset targets": make_cells(y_offset=1e8),
    "one offset TF": make_cells(x_offset=1e8 * (np.arange(N_TFS) == 1)),
    "one offset target": make_cells(y_offset=np.array([0.0, 1e8])),
    "offsets of both signs": make_cells(x_offset=1e8 * SIGNS, y_offset=-1e8),
    "first chunk moved": with_first_chunk(make_cells(**OFFSETS), moved(50), GOAL),
    "first chunk constant": with_first_chunk(make_cells(**OFFSETS), lambda X: X[:1]),
    "first chunk narrow": with_first_chunk(
        make_cells(**OFFSETS), lambda X: 1e8 + 1e-6 * (X - 1e8)
    ),
    "pairs, 0.9999": make_cells((2, 0.9999), (2, 0.9999)),
    "block, 0.9999": make_cells(BLOCK),
    # With coefficients of hundreds, rounding alone leaves a duality gap above 1e-12.
    "pair, 0.999999": make_cells((2, 0.999999), tol=1e-9),
    "block, 0.999999": make_cells((4, 0.999999), tol=1e-9),
    "scales of TFs": make_cells(x_scale=SCALES),
    "small targets": make_cells(y_scale=1e-6),
    "large targets": make_cells(y_scale=1e6),
    "scales": make_cells(x_scale=SCALES, y_scale=TARGETS, lambdas="auto"),
    "scales, offsets": make_cells(
        x_scale=SCALES, x_offset=1e2 * SCALES, y_scale=TARGETS, y_offset=1e2 * TARGETS,
        lambdas="auto",
    ),
    "everything": make_cells(BLOCK, **EVERYTHING),
    "everything, first chunk moved": with_first_chunk(make_cells(BLOCK, **EVERYTHING), moved(5)),
    "everything, targets of two scales": make_cells(
        BLOCK, **EVERYTHING | {"y_scale": TARGETS, "y_offset": 1e8 * TARGETS}, lambdas="auto"
    ),
    "everything, elastic net": make_cells(BLOCK, **EVERYTHING, alpha=0.5),
    "everything, weights": with_weights(make_cells(BLOCK, **EVERYTHING)),
    "everything, sparse": in_csr(make_cells(BLOCK, **EVERYTHING), n_full=5),
    "cells of weight 0": with_sentinels(with_weights(make_cells(**OFFSETS))),
    "cells of weight 0, sparse": in_csr(with_sentinels(make_cells(**OFFSETS)), n_full=5),
    # The gradient of a TF of scale 1e6 is rounded to 1e-10, which its penalty must be far above.
    "not standardized": make_cells(
        x_scale=SCALES, x_offset=1e8 * SCALES, y_offset=1e8, standardize=False,
        lambdas=np.geomspace(1e6, 1, 13), tol=1e-10,
    ),
    # Means of d standard deviations give the Gram matrix a condition number of about 8 d².
    "no intercept": make_cells(x_offset=30.0, y_offset=30.0, fit_intercept=False, within=GOAL),
    "no intercept, scales": make_cells(
        x_scale=SCALES, x_offset=30.0 * SIGNS * SCALES, fit_intercept=False, within=GOAL
    ),
}  # fmt: skip


@cache
def standardized(case, left_out=None):
    """Return all cells of a case, or all but one fold."""
    cells = CASES[case]
    kept = cells if left_out is None else cells[cells.folds != left_out]
    return Standardized(*kept.in_high_precision(), **cells.params)


def candidates(case, t):
    threshold = CASES[case].params.get("cor_threshold", 0.03)
    if threshold is None:
        return np.arange(N_TFS)
    return np.flatnonzero(abs(standardized(case).correlation[:, t]) > threshold)


@cache
def reference(case, t, penalty, left_out=None):
    return standardized(case, left_out).model(t, penalty, candidates(case, t))


def last(curve):
    return curve.lambdas[-1]


def fit_cells(cells, **params):
    return cells.regressor(**params).fit(cells.X, cells.Y, sample_weight=cells.weight)


def fit_chunks(cells, **params):
    return cells.regressor(**params).fit_moments(cells.moments())


def fit_sum(cells, **params):
    both = cells.moments(stop=HALF) + cells.moments(start=HALF)
    return cells.regressor(**params).fit_moments(both)


ROUTES = {"cells": fit_cells, "chunks": fit_chunks, "sum": fit_sum}


def deviation(case, model):
    """Return how far coefficients and intercepts are from the reference, in standard units."""
    assert np.isfinite(model.lambda_).all()
    units, worst = standardized(case), 0.0
    for t, penalty in enumerate(model.lambda_):
        coef, intercept, signs = reference(case, t, float(penalty))
        np.testing.assert_array_equal(np.sign(model.coef_[t]), signs)
        units_of_coef = units.x_sd / units.y_sd[t]
        off = abs(to_high(model.coef_[t]) - coef) * units_of_coef
        off_intercept = abs(HIGH.mpf(model.intercept_[t]) - intercept)
        worst = max(worst, *off, off_intercept / (abs(intercept) + units.y_sd[t]))
    return float(worst)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("case", CASES)
def test_coefficients(case, route):
    cells = CASES[case]
    for rule in ("1se", "min", last):
        model = ROUTES[route](cells, lambda_rule=rule)
        assert deviation(case, model) < cells.within


def has_fixed_grid(case):
    return isinstance(CASES[case].params["lambdas"], np.ndarray)


@cache
def reference_curve(case, penalties):
    """Return cvm and cvsd (n_targets, n_penalties) from the residuals of the cells left out."""
    cells = CASES[case]
    n_targets = cells.Y.shape[1]
    errors = np.empty((N_FOLDS, n_targets, len(penalties)), object)
    fold_weight = np.empty(N_FOLDS, object)
    for k in range(N_FOLDS):
        X, Y, weight = cells[cells.folds == k + 1].in_high_precision()
        fold_weight[k] = weight.sum()
        for t in range(n_targets):
            for i, penalty in enumerate(penalties):
                coef, intercept, _ = reference(case, t, penalty, left_out=k + 1)
                residual = Y[:, t] - intercept - X @ coef
                errors[k, t, i] = weight @ residual**2 / fold_weight[k]
    share = (fold_weight / fold_weight.sum())[:, None, None]
    mse = (share * errors).sum(axis=0)
    return mse, roots((share * (errors - mse) ** 2).sum(axis=0) / (N_FOLDS - 1))


@pytest.mark.slow
@pytest.mark.parametrize("case", [case for case in CASES if has_fixed_grid(case)])
def test_cross_validation_curves(case):
    for fit in ROUTES.values():
        model = fit(CASES[case], path="full")
        mse, mse_se = reference_curve(case, tuple(model.lambdas_.tolist()))
        assert abs(model.cv_mse_ / mse - 1).max() < GOAL
        assert abs(model.cv_mse_se_ / mse_se - 1).max() < GOAL
        lowest = mse.argmin(axis=1)
        bound = [mse[t, i] + mse_se[t, i] for t, i in enumerate(lowest)]
        largest = [(row <= limit).argmax() for row, limit in zip(mse, bound, strict=True)]
        np.testing.assert_array_equal(model.lambda_min_, model.lambdas_[lowest])
        np.testing.assert_array_equal(model.lambda_1se_, model.lambdas_[largest])


def qr_model(X, y, weight, penalty, signs):
    """Return the LASSO coefficients of given signs, from a QR decomposition in float64."""
    root = np.sqrt(weight / weight.sum())[:, None]
    for _ in range(2):  # the first mean is rounded like the offset, that of the rest is not
        X, y = X - root.T**2 @ X, y - root[:, 0] ** 2 @ y
    members = np.flatnonzero(signs)
    sd = np.sqrt(root.T**2 @ X**2)[0, members]
    basis, R = np.linalg.qr(root * X[:, members] / sd)
    data = basis.T @ (root[:, 0] * y)
    pull = solve_triangular(R, signs[members].astype(float), trans=1)
    coef = np.zeros(X.shape[1])
    coef[members] = solve_triangular(R, data - penalty * pull) / sd
    return coef


@pytest.mark.parametrize(
    "case", ["offsets", "block, 0.9999", "scales of TFs", "everything", "everything, weights"]
)
def test_qr_finds_the_reference(case):
    cells, units = CASES[case], standardized(case)
    for penalty in cells.params["lambdas"][[4, -1]]:
        for t in range(cells.Y.shape[1]):
            coef, _, signs = reference(case, t, float(penalty))
            found = qr_model(cells.X, cells.Y[:, t], cells.weight, penalty, signs)
            assert max(abs(to_high(found) - coef) * units.x_sd / units.y_sd[t]) < REACHED
