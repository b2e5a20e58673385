"""PermutationFDR: which links are larger than those that permuted cells give."""

from __future__ import annotations

from collections.abc import Iterator
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval

from ..fitting import Fit
from ..links import first_reason
from ..moments import Samples
from ..regressor import SciFateRegressor, fit_regressor
from ._base import LinkResampler, is_tf
from ._covariates import CovariateFit
from ._nulls import empirical_q, fdr_curve
from ._units import Rows, permuted, rows_by_group


class PermutationFDR(LinkResampler):
    """Keep the links that are larger than those found in permuted cells.

    The regressor is fitted to the cells, and `n_permutations` times to the same cells with their
    targets permuted: one permutation for all targets, so that they stay as correlated with each
    other as they are, but with no TF. Everything else is the same: prefilter, folds, weights, the
    choice of the penalty. What a target owes to the regressor's covariates (size factor, labelling
    ratio) is no evidence for a TF that owes something to them, too: where `tf_matrix` has
    covariates, the targets are regressed on them, only the residuals are permuted, and the fit is
    added back (Freedman & Lane 1983). With the sizes |coef| of the links of all targets together,
    B permutations, and "null" for their links, the q-value of a link of size t is

        q(t) = min over t' ≤ t of  (1 + #{null ≥ t'}) / (B · #{links ≥ t'}),  at most 1,

    and links with q ≤ `fdr` are kept. The rate is the paper's (its ``control_number`` over its
    ``real_number``, B = 1) as in Storey & Tibshirani (2003) with all links taken for null; the 1
    counts the data among the permutations, without which no p-value is valid (Phipson & Smyth
    2010). It is Benjamini & Hochberg's procedure on the p-values (1 + #{null ≥ t}) / (1 + B m), m
    the number of pairs of a TF and a target that are tested, but for the 1 in their denominator.

    If no target depends on any TF, the data are one more permutation, so that any link is kept in
    about a share `fdr` of all data sets (exactly so if links were independent; links of correlated
    targets come together, which can add to it), given B ≥ 1 / fdr: with fewer a single link can
    never be kept, and with B = 1 never less than 1 / fdr of them at once, so that on data without
    signal the error is near zero instead. On networks with thousands of links the 1 does not
    matter, and the B of the paper serves as well.

    The null hypothesis is that a target depends on *no* TF, given the covariates: they may act on
    it and on the TFs, linearly, and are not tested. The links of such targets are controlled,
    conservatively where many targets do depend on some. A wrong TF of a target that depends on
    others is another matter: it may stand in for a right one with which it correlates, and a
    smaller penalty was chosen for its target than for permuted cells.

    With ``engine="gram"`` the TFs' Gram matrices are made once; a permutation costs one matrix
    product and the paths. With covariates it takes the memory of two dense copies of the targets.

    Parameters
    ----------
    regressor : SciFateRegressor
        Not changed: `fit` fits a clone. Its `n_jobs` is for the permutations, too; its `checkpoint`
        for the fit to the data only. The targets should have the same scale, as z-scores do.
    fdr : float in [0, 1], default=0.1
        Wanted share of false links among those that are kept.
    n_permutations : int, default=10
        B; at least 1 / `fdr` unless there are many links.
    random_state : int, RandomState or None, default=123456
        Seed of the permutations. The first of them are the same for any number.
    verbose : int, default=0
        1 shows a progress bar over the permutations.

    Attributes
    ----------
    regressor_ : SciFateRegressor
        Fitted to the cells.
    links_ : DataFrame
        The links of ``regressor_`` with the column ``q``.
    ledger_ : DataFrame
        ``links_`` with ``kept`` and the ``reason`` why a link is not ("" if it is).
    threshold_ : float
        The smallest |coef| with q ≤ `fdr`: links of at least this size are kept. Infinite if there
        are none.
    fdr_curve_ : DataFrame
        One row per size of a link, ascending: ``threshold``, and of links at least as large the
        mean number in a permutation ``control_number``, the number in the data ``real_number``, and
        their ratio ``FDR`` (the paper's ``link_TF_gene_thresh``, which counts larger ones only).
    feature_names_in_ : ndarray of str
        Only where `tf_matrix` has names.
    target_names_in_ : ndarray of str
    n_features_in_ : int

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
            Non-negative weights of the cells, which stay with the TFs; the targets of cells without
            weight stay where they are.
        groups : array-like of shape (n_cells,), default=None
            Cells change places within their group only (a batch, a donor, a time point), so that
            what groups differ in is no evidence; each has its own intercept in the fit to the
            covariates then. The regressor's splitter gets them, too, unless its `cv` is a number.

        Returns
        -------
        PermutationFDR

        Raises
        ------
        ValueError
            If no group has two cells, or the regressor refuses the matrices.
        """
        regressor, data = self._read_cells(tf_matrix, target_matrix, sample_weight, groups)
        samples = data.require_samples("PermutationFDR")
        strata = self._strata(samples.weight, groups)
        # Every permutation sums products of its own, so those of the data are released.
        fit = fit_regressor(regressor, data).without_targets()
        del data
        self._adopt(regressor)
        covariate_fit = self._fit_covariates(samples, fit.moments.y_shift, strata)
        self._weigh(self._null_sizes(fit, samples, strata, covariate_fit))
        return self

    def _strata(self, weight: NDArray[np.float64], groups: Any) -> list[Rows]:
        if groups is None:
            groups = np.zeros(len(weight))
        strata = rows_by_group(groups, weight)
        if max(map(len, strata)) < 2:
            raise ValueError(
                "`groups` has a single cell in each group, so that no cells can change places; "
                "give larger groups, or none."
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
        fit: Fit,
        samples: Samples,
        strata: list[Rows],
        covariate_fit: CovariateFit | None,
    ) -> NDArray[np.float64]:
        """Return |coef| of the links of all permutations."""
        can_link, sizes, n_unconverged = is_tf(self.regressor_), [], 0
        orders = self._orders(strata, len(samples))
        for order in self._rounds(orders, self.n_permutations, "permutation"):
            coef, failed = _fit_permuted(fit, samples, order, covariate_fit)
            links = np.abs(coef[:, can_link])
            sizes.append(links[links > 0])
            n_unconverged += failed
        fit.parameters.warn_unconverged(n_unconverged)
        return np.concatenate(sizes)

    def _orders(self, strata: list[Rows], n_cells: int) -> Iterator[Rows]:
        rng = check_random_state(self.random_state)
        for _ in range(self.n_permutations):
            yield permuted(rng, strata, n_cells)

    def _weigh(self, null: NDArray[np.float64]) -> None:
        """Compare the links with those of the permutations."""
        observed = self.regressor_.links_["coef"].abs().to_numpy(np.float64)
        q = empirical_q(observed, null, self.n_permutations)
        self._account(q, first_reason((q > self.fdr, f"permutation FDR: q above {self.fdr:g}")))
        self.fdr_curve_ = fdr_curve(observed, null, self.n_permutations)
        self.threshold_ = float(observed[q <= self.fdr].min(initial=np.inf))


def _fit_permuted(
    fit: Fit, samples: Samples, order: Rows, covariate_fit: CovariateFit | None
) -> tuple[NDArray[np.float64], int]:
    """Return coefficients of one permutation; its large sums are released on return."""
    Y = samples.Y
    if covariate_fit is not None:
        Y, order = covariate_fit.permuted(Y, order), np.arange(len(samples))
    fits = fit.permuted(Y, order).cross_validate()
    return fits.coef, fits.n_unconverged
