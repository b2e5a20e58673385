"""Regression of the targets on covariates, so that only the residuals are permuted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..preprocessing import to_dense
from ._units import Rows

Floats = NDArray[np.float64]

# Singular values below this share of the largest are rounding.
_RANK = 1e-12


@dataclass(frozen=True)
class CovariateFit:
    """Targets regressed on covariates, to permute the residuals (Freedman & Lane 1983).

    With the fit Cγ and the residuals E = Y − Cγ, the permuted targets Cγ + E[order] equal
    Y[order] + (C − C[order]) γ. Neither the residuals nor an intercept have to be kept, because
    cells are permuted only within the stratum of an intercept.

    Attributes
    ----------
    covariates : ndarray of shape (n_cells, n_covariates)
        C.
    slopes : ndarray of shape (n_covariates, n_targets)
        γ.
    """

    covariates: Floats
    slopes: Floats

    @classmethod
    def from_samples(
        cls,
        covariates: Any,
        Y: Any,
        y_shift: Floats,
        weight: Floats,
        strata: list[Rows],
        fit_intercept: bool,
    ) -> CovariateFit:
        """Fit by weighted least squares, with an intercept for each stratum or without any.

        Parameters
        ----------
        covariates : ndarray or CSR matrix of shape (n_cells, n_covariates)
        Y : ndarray or CSR matrix of shape (n_cells, n_targets)
        y_shift : ndarray of shape (n_targets,)
            Near the targets' means, and exactly the value of a constant target.
        weight : ndarray of shape (n_cells,)
        strata : list of ndarray of int
            The cells of positive weight.
        fit_intercept : bool
        """
        C = to_dense(covariates)
        rows, ends = np.concatenate(strata), np.cumsum([len(rows) for rows in strata])
        left, right, root = C[rows], to_dense(Y[rows]), np.sqrt(weight[rows])[:, None]
        if fit_intercept:
            left -= left[0]  # so that a constant one is exactly 0
            right -= y_shift
            for stop, size in zip(ends, map(len, strata), strict=True):
                own = slice(stop - size, stop)
                left[own] -= np.average(left[own], axis=0, weights=weight[rows[own]])
        right *= root
        # Centring one side is enough for the slopes, and keeps constant targets at exactly 0. The
        # pseudo-inverse allows constant and collinear covariates.
        return cls(C, np.linalg.pinv(root * left, rcond=_RANK) @ right)

    def permuted(self, Y: Any, order: Rows) -> Floats:
        """Return the targets (n_cells, n_targets) whose residuals are in another order."""
        permuted = to_dense(Y[order])
        permuted += (self.covariates - self.covariates[order]) @ self.slopes
        return permuted
