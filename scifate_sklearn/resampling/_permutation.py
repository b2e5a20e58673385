"""PermutationFDR: false discovery rate of links by permuted cells."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval

from .._state import all_or_nothing
from ..files import PartFolder
from ..fitting import PermutedFits
from ..links import first_reason
from ..moments import Moments, Samples
from ..regressor import SciFateRegressor, fit_regressor
from ._base import LinkResampler, is_tf, show_progress
from ._covariates import CovariateFit
from ._nulls import empirical_q, fdr_curve
from ._rounds import PERMUTATIONS, Rounds, rounds_folder, units_checksum
from ._units import Rows, permuted, rows_by_group


class PermutationFDR(LinkResampler):
    """Keep the links that are larger than those found in permuted cells.

    The regressor is fitted to the cells, and `n_permutations` times to cells with permuted targets.
    One permutation serves all targets, so their correlations with each other are preserved, and
    those with the TFs are removed. Prefilter, folds, weights and the selection of penalties are the
    same as in the fit to the data.

    Let t be the size |coef| of a link. With B permutations, and the links of all targets pooled,
    the q-value of a link of size t is

        q(t) = min over t' ≤ t of  (1 + #{null ≥ t'}) / (B · #{links ≥ t'}),  at most 1,

    where "null" are the sizes of the links of all permutations. Links with q ≤ `fdr` are kept.

    If `tf_matrix` has covariates of the regressor (size factor, labelling ratio), the targets are
    regressed on them, only the residuals are permuted, and the fit is added back (Freedman & Lane
    1983). A correlation of a target with a TF that both owe to a covariate then does not count as
    evidence.

    Parameters
    ----------
    regressor : SciFateRegressor
        Not changed: `fit` fits a clone. Its `n_jobs` and `checkpoint` apply to the permutations as
        well: finished permutations are stored and not fitted again. The targets should have the
        same scale, as z-scores do.
    fdr : float in [0, 1], default=0.1
        Largest accepted share of false links among those that are kept.
    n_permutations : int, default=10
        B; at least 1 / `fdr` unless there are many links.
    random_state : int, RandomState or None, default=123456
        Seed of the permutations. The first ones do not depend on their number. With None,
        permutations cannot be repeated, so that a `checkpoint` stores the fit to the data only.
    verbose : int, default=0
        1 shows a progress bar over the permutations.

    Attributes
    ----------
    regressor_ : SciFateRegressor
        Fitted to the cells.
    links_ : DataFrame
        The links of ``regressor_`` with the column ``q``.
    ledger_ : DataFrame
        ``links_`` with ``kept``, and the ``reason`` why a link was dropped ("" if it was kept).
    threshold_ : float
        The smallest |coef| with q ≤ `fdr`: links of at least this size are kept. Infinite if no
        link is kept.
    fdr_curve_ : DataFrame
        One row per size of a link, in ascending order: ``threshold``; the mean number of links of a
        permutation that are at least as large, ``control_number``; their number in the data,
        ``real_number``; and the ratio of both, ``FDR``. (The table ``link_TF_gene_thresh`` of the
        paper's scripts counts only links that are larger.)
    feature_names_in_ : ndarray of str
        Only where `tf_matrix` has names.
    target_names_in_ : ndarray of str
    n_features_in_ : int
    warnings_ : tuple of str
        Messages of this package that the fit issued, each once.

    Notes
    -----
    **Source of the formula.** The ratio is ``control_number`` / ``real_number`` of the paper, with
    B = 1, and that of Storey & Tibshirani (2003) if all links are null. The 1 counts the data as
    one of the permutations; without it no p-value is valid (Phipson & Smyth 2010). Apart from the 1
    in their denominator, q is the result of Benjamini and Hochberg's procedure on the p-values
    (1 + #{null ≥ t}) / (1 + B m), with m the number of tested pairs of a TF and a target.

    **Number of permutations.** With B < 1 / `fdr` a single link can never be kept; with B = 1,
    fewer than 1 / `fdr` links can never be kept. On data without signal the error rate is then near
    zero. With thousands of links the 1 is negligible, and B = 1, as in the paper, suffices.

    **What is controlled.** The null hypothesis is that a target depends on *no* TF, given the
    covariates, which may act linearly on both. If no target depends on any TF, the data are like
    one more permutation: with B ≥ 1 / `fdr`, links are kept in about a share `fdr` of all data sets
    (exactly if links were independent; links of correlated targets appear together, which can
    increase the share). If many targets depend on some TF, the links of the others are controlled
    conservatively. Wrong TFs of a target that depends on other TFs are *not* controlled: such a TF
    may replace a right one with which it correlates, and the penalty of its target is smaller than
    on permuted cells.

    **Cost.** With ``engine="gram"`` the Gram matrices of the TFs are made once. A permutation costs
    one matrix product and the paths. With covariates it needs the memory of two dense copies of the
    targets.

    References
    ----------
    J. D. Storey, R. Tibshirani, "Statistical significance for genomewide studies", Proceedings of
    the National Academy of Sciences 100, 2003.

    D. Freedman, D. Lane, "A nonstochastic interpretation of reported significance levels", Journal
    of Business & Economic Statistics 1, 1983, 292–298.

    B. Phipson, G. K. Smyth, "Permutation P-values should never be zero", Statistical Applications
    in Genetics and Molecular Biology 9, 2010.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from scifate_sklearn import PermutationFDR, SciFateRegressor
    >>> rng = np.random.default_rng(0)
    >>> tfs = pd.DataFrame(rng.normal(size=(200, 3)), columns=["Pax6", "Sox2", "Myc"])
    >>> new = pd.DataFrame({"Neurog3": tfs["Pax6"] + 0.1 * rng.normal(size=200)})
    >>> controlled = PermutationFDR(SciFateRegressor()).fit(tfs, new)
    >>> controlled.links_[["TF", "target", "q"]].values.tolist()
    [['Pax6', 'Neurog3', 0.1]]
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "regressor": [SciFateRegressor],
        "fdr": [Interval(Real, 0, 1, closed="both")],
        "n_permutations": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }
    evidence_column = "q"

    def __init__(
        self,
        regressor: SciFateRegressor,
        *,
        fdr: float = 0.1,
        n_permutations: int = 10,
        random_state: Any = 123456,
        verbose: int = 0,
    ) -> None:
        self.regressor = regressor
        self.fdr = fdr
        self.n_permutations = n_permutations
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
    ) -> PermutationFDR:
        """Fit the regressor to the cells, and to permutations of their targets.

        Parameters
        ----------
        tf_matrix : DataFrame, ndarray or sparse matrix of shape (n_cells, n_features)
        target_matrix : DataFrame, ndarray or CSR matrix of shape (n_cells, n_targets), or 1-D
            As for the regressor.
        sample_weight : array-like of shape (n_cells,), default=None
            Non-negative weights of the cells. They stay with the TFs. The targets of cells without
            weight are not permuted.
        groups : array-like of shape (n_cells,), default=None
            Cells are permuted only within their group (a batch, a donor, a time point), so that
            differences between groups do not count as evidence. In the regression on covariates
            each group has its own intercept. The splitter of the regressor receives the groups
            too, unless its `cv` is a number.

        Returns
        -------
        PermutationFDR

        Raises
        ------
        ValueError
            If no group has two cells, or the matrices are invalid.
        """
        regressor, data = self._read_cells(tf_matrix, target_matrix, sample_weight, groups)
        samples = data.require_samples("PermutationFDR")
        strata = self._strata(samples.weight, groups)
        folder = self._folder(regressor, data.moments, samples, strata)
        # Every permutation sums products of its own, so those of the data are released.
        fits = PermutedFits.from_fit(fit_regressor(regressor, data), samples)
        del data
        self._adopt(regressor)
        covariate_fit = self._fit_covariates(samples, fits.moments.y_shift, strata)
        with folder as opened:
            self._weigh(self._null_sizes(fits, strata, covariate_fit, Rounds(opened)))
        return self

    def _folder(
        self, regressor: SciFateRegressor, moments: Moments, samples: Samples, strata: list[Rows]
    ) -> AbstractContextManager[PartFolder | None]:
        """Return the context of the folder for finished permutations, or of None."""
        if regressor.checkpoint is None:
            return nullcontext()
        others = {
            "cells in their order (checksum)": samples.checksum(),
            "`groups` (checksum)": units_checksum(strata),
            "columns of `covariates`": str(np.flatnonzero(~is_tf(regressor)).tolist()),
        }
        return rounds_folder(PERMUTATIONS, regressor, moments, self.random_state, others)

    def _strata(self, weight: NDArray[np.float64], groups: Any) -> list[Rows]:
        if groups is None:
            groups = np.zeros(len(weight))
        strata = rows_by_group(groups, weight)
        if max(map(len, strata)) < 2:
            raise ValueError(
                "`groups` has a single cell in each group, so that no cells can be permuted; give "
                "larger groups, or none."
            )
        return strata

    def _fit_covariates(
        self, samples: Samples, y_shift: NDArray[np.float64], strata: list[Rows]
    ) -> CovariateFit | None:
        """Return the fit of the targets to the covariates, None without covariates."""
        columns = np.flatnonzero(~is_tf(self.regressor_))
        if not columns.size:
            return None
        intercept = bool(self.regressor_.fit_intercept)
        C = samples.X[:, columns]
        return CovariateFit.from_samples(C, samples.Y, y_shift, samples.weight, strata, intercept)

    def _null_sizes(
        self,
        fits: PermutedFits,
        strata: list[Rows],
        covariate_fit: CovariateFit | None,
        rounds: Rounds,
    ) -> NDArray[np.float64]:
        """Return |coef| of the links of all permutations."""
        can_link, sizes, n_unconverged = is_tf(self.regressor_), [], 0
        orders = self._orders(strata, len(fits.samples))
        shown = show_progress(orders, self.verbose, self.n_permutations, "permutation")
        for number, order in enumerate(shown):
            compute = partial(_null_links, fits, order, covariate_fit, can_link)
            links, failed = rounds.result(number, compute, _are_sizes)
            sizes.append(links)
            n_unconverged += failed
        fits.parameters.warn_unconverged(n_unconverged)
        return np.concatenate(sizes)

    def _orders(self, strata: list[Rows], n_cells: int) -> Iterator[Rows]:
        rng = check_random_state(self.random_state)
        for _ in range(self.n_permutations):
            yield permuted(rng, strata, n_cells)

    def _weigh(self, null: NDArray[np.float64]) -> None:
        """Set the q-values, the curve and the threshold, given |coef| of the null links."""
        observed = self.regressor_.links_["coef"].abs().to_numpy(np.float64)
        q = empirical_q(observed, null, self.n_permutations)
        self._account(q, first_reason((q > self.fdr, f"permutation FDR: q above {self.fdr:g}")))
        self.fdr_curve_ = fdr_curve(observed, null, self.n_permutations)
        self.threshold_ = float(observed[q <= self.fdr].min(initial=np.inf))


def _null_links(
    fits: PermutedFits,
    order: Rows,
    covariate_fit: CovariateFit | None,
    can_link: NDArray[np.bool_],
) -> tuple[NDArray[np.float64], int]:
    """Return |coef| of the links of one permutation; its large sums are released on return."""
    Y = fits.samples.Y
    if covariate_fit is not None:
        Y, order = covariate_fit.permuted(Y, order), np.arange(len(order))
    found = fits.cross_validate(Y, order)
    sizes = np.abs(found.coef[:, can_link])
    return sizes[sizes > 0], found.n_unconverged


def _are_sizes(links: NDArray[Any]) -> bool:
    return links.ndim == 1 and links.dtype == np.float64 and bool((links > 0).all())
