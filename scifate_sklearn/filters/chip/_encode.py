"""EncodeLinkFilter: filter of links by enrichment of a TF's targets in its ChIP-seq peaks."""

import logging
import numbers
import os
from collections.abc import Collection, Mapping, Set
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from sklearn.utils._param_validation import Interval, StrOptions

from ..._warnings import warn
from ...links import first_reason, is_strong, strong_links
from ...names import MIN_OVERLAP, RULES, Rule, examples
from ..base import Evidence, LinkFilter, Reasons
from ._enrichment import (
    COUNT_COLUMNS,
    count_links,
    enrichment_table,
    has_empty_margin,
    pair_status,
    pooled_counts,
    pooled_test,
)
from ._fisher import ALTERNATIVES, CORRECTIONS, Alternative, Correction, haldane_log_odds_ratio
from ._harmonize import (
    NamePlan,
    Sides,
    harmonize_reference,
    names_of_links,
    names_of_reference,
    require_common_names,
)
from ._reference import NO_PEAK, PEAK, UNTESTED, BindingReference, as_reference

logger = logging.getLogger(__name__)

_TESTS = ("odds_ratio", "p", "q")
_COUNTS = tuple(f"chip_{name}" for name in COUNT_COLUMNS)
_COMPLETE_DTYPES = {"chip_peak": bool, **dict.fromkeys(_COUNTS, np.int64)}


class EncodeLinkFilter(LinkFilter):
    """Keep the links of TFs whose targets are enriched in the TF's own ChIP-seq peaks.

    Let L be the links with ``|coef| > coef_threshold``. For each TF that has a link in L and is in
    the reference, Fisher's exact test compares [link ∈ L] with [peak] over the TF's genes in the
    reference; p-values are corrected over these TFs. Links in L are kept if their TF has
    q < `q_threshold` and the pair is in the reference.

    The defaults are the published procedure (Cao et al. 2020). It also keeps TFs whose targets are
    *depleted* of peaks, keeps links without a peak, and counts genes that were not targets in the
    regression; `strict` corrects all three.

    Parameters
    ----------
    reference : BindingReference, DataFrame or path-like
        ChIP-seq evidence. A table is read as by `BindingReference.from_table` if it has a column
        ``peak``, else as by `from_edges`; a path as by `BindingReference.read`, in every `fit` (for
        a grid search read it once before).
    coef_threshold : float, default=0.04
        Links require a larger absolute coefficient.
    q_threshold : float, default=0.05
        Significance level of the corrected p-values.
    correction : {"holm", "fdr_bh", "fdr_by"}, default="holm"
        Holm, Benjamini–Hochberg or Benjamini–Yekutieli, as R's ``p.adjust``; the paper's R code
        uses Holm.
    alternative : {"two-sided", "greater", "less"}, default="two-sided"
        ``"greater"`` tests for enrichment only.
    require_peak : bool, default=False
        Whether a link is required to have a peak itself.
    universe : {"reference", "tested"}, default="reference"
        The genes that are counted: all of the reference, or only those that were targets in the
        regression.
    tested_targets : array-like of str, default=None
        Targets of the regression, for ``universe="tested"``. None means the targets in the links
        table, which lacks targets without any link.
    harmonize : {"case", "versions", "auto"}, mapping or DataFrame, default=None
        Rule that renames the reference to the names of the links: ignore letter case (Pax6 and
        PAX6), versions of Ensembl ids, or both; or aliases, a mapping from old to new names or a
        DataFrame with the columns ``old`` and ``new``. The links keep their names; see
        `scifate_sklearn.filters.harmonize_reference`. None compares names exactly.
    min_overlap : float, default=0.1
        Least share of the names of links or reference, whichever are fewer, that both must have in
        common, for TFs and for targets. A smaller share raises an error, because names that do not
        match would look like missing evidence; 0 disables the check.

    Attributes
    ----------
    enrichment_ : DataFrame
        One row per tested TF, smallest p first: ``TF``, the counts ``link_peak``, ``link_no_peak``,
        ``no_link_peak``, ``no_link_no_peak``, the sample ``odds_ratio`` (see
        `scifate_sklearn.filters.chip._fisher.odds_ratio` for zeros), ``p``, ``q``, ``kept`` and
        ``verdict`` ("enriched", "depleted", "not significant", or "empty margin": p = 1).
    pooled_ : dict
        The same test of the sum of these tables: the four counts, ``odds_ratio`` and ``p``.
    reference_ : BindingReference
        The reference that was used, with the names of the links.
    overlap_ : DataFrame
        Overlap of the names, one row for TFs and one for targets, as returned by
        `scifate_sklearn.filters.name_overlap`; the links' targets include `tested_targets`. It is
        set even if `fit` raises an error because of too small an overlap.
    ledger_ : DataFrame
        One row per link given to `fit`: its columns, the evidence (missing if there is none),
        ``kept`` and, for a dropped link, the first ``reason``.
    warnings_ : tuple of str
        Messages of this package that the fit issued, each once.
    n_features_in_, feature_names_in_ : int, ndarray of str
        Columns of the links table.

    Notes
    -----
    `score` is the pooled log odds ratio of strong links and peaks,
    log[(a + ½)(d + ½) / ((b + ½)(c + ½))] with Haldane's correction, over the summed tables of all
    TFs that have a link above `coef_threshold` and are in the reference (a: link and peak, b: link
    without peak, c: peak without link, d: neither); natural logarithm. It is positive for
    enrichment, and 0.0 if a margin of the pooled table is empty, as for a links table without rows.

    The score rewards precise links, i.e. links that are at peaks more often than the TF's other
    genes. It does not count missed links, so it prefers few, strong links: search over thresholds
    that keep at least some dozens of links. (With almost none, the added ½ determines the score,
    which is then positive if peaks are rare.) It does not depend on the TFs that pass the test. TFs
    with many strong links or many peaks have more weight.

    References
    ----------
    Cao, J., Zhou, W., Steemers, F., Trapnell, C., Shendure, J. (2020). Sci-fate characterizes the
    dynamics of gene expression in single cells. Nature Biotechnology 38, 980–988.

    Examples
    --------
    >>> import pandas as pd
    >>> genes = [f"G{i}" for i in range(40)]
    >>> bound = pd.DataFrame({"TF": "MYC", "target": genes[:10]})
    >>> links = pd.DataFrame({"TF": "MYC", "target": genes[:6] + genes[30:32], "coef": 0.1})
    >>> reference = BindingReference.from_edges(bound, genes)
    >>> len(EncodeLinkFilter.strict(reference, tested_targets=genes).fit_transform(links))
    6
    """

    reports_of_failed_fits: ClassVar[tuple[str, ...]] = ("overlap_",)
    evidence_columns = ("chip_peak", *(f"chip_{name}" for name in _TESTS), *_COUNTS)

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "reference": [BindingReference, pd.DataFrame, str, os.PathLike],
        "coef_threshold": [Interval(numbers.Real, 0, None, closed="left")],
        "q_threshold": [Interval(numbers.Real, 0, 1, closed="right")],
        "correction": [StrOptions(set(CORRECTIONS))],
        "alternative": [StrOptions(set(ALTERNATIVES))],
        "require_peak": ["boolean"],
        "universe": [StrOptions({"reference", "tested"})],
        "tested_targets": ["array-like", None],
        "harmonize": [StrOptions(set(RULES)), Mapping, pd.DataFrame, None],
        "min_overlap": [Interval(numbers.Real, 0, 1, closed="both")],
    }

    def __init__(
        self,
        reference: BindingReference | pd.DataFrame | str | os.PathLike[str],
        *,
        coef_threshold: float = 0.04,
        q_threshold: float = 0.05,
        correction: Correction = "holm",
        alternative: Alternative = "two-sided",
        require_peak: bool = False,
        universe: Literal["reference", "tested"] = "reference",
        tested_targets: Collection[str] | None = None,
        harmonize: Rule = None,
        min_overlap: float = MIN_OVERLAP,
    ) -> None:
        self.reference = reference
        self.coef_threshold = coef_threshold
        self.q_threshold = q_threshold
        self.correction = correction
        self.alternative = alternative
        self.require_peak = require_peak
        self.universe = universe
        self.tested_targets = tested_targets
        self.harmonize = harmonize
        self.min_overlap = min_overlap

    @classmethod
    def strict(
        cls, reference: BindingReference | pd.DataFrame | str | os.PathLike[str], **params: Any
    ) -> Self:
        """Create a filter for enriched TFs and links with a peak, which counts tested genes only.

        Parameters
        ----------
        reference : BindingReference, DataFrame or path-like
            As in the class.
        **params
            Further parameters; they override ``alternative="greater"``, ``require_peak=True`` and
            ``universe="tested"``.

        Returns
        -------
        EncodeLinkFilter
            Not fitted.
        """
        strict_params = {"alternative": "greater", "require_peak": True, "universe": "tested"}
        return cls(reference, **{**strict_params, **params})

    def _finish(self, kept: pd.DataFrame) -> pd.DataFrame:
        # Kept links were tested, so no value is missing.
        return kept.astype(_COMPLETE_DTYPES)

    def _learn(self, links: pd.DataFrame) -> None:
        reference = as_reference(self.reference)
        names = self._names(links)
        plan = NamePlan.from_names(names, names_of_reference(reference), self.harmonize)
        self.overlap_ = plan.overlap()
        reference = plan.rename(reference)
        counts = self._count(links, reference)
        self.reference_ = reference
        self.enrichment_ = enrichment_table(
            counts,
            alternative=self.alternative,
            correction=self.correction,
            q_threshold=self.q_threshold,
        )
        self.pooled_ = pooled_test(counts, self.alternative)
        self._report(links)

    def _judge(self, links: pd.DataFrame) -> tuple[Evidence, Reasons]:
        reference = self._reference_for(links)
        status = pair_status(reference, links)
        tests = self.enrichment_.set_index("TF").reindex(links["TF"].astype(str))
        is_tested = tests["p"].notna().to_numpy(bool)
        evidence: dict[str, Any] = {
            "chip_peak": pd.arrays.BooleanArray(status == PEAK, status == UNTESTED),
            **{f"chip_{name}": tests[name].to_numpy(np.float64) for name in _TESTS},
        }
        for name in COUNT_COLUMNS:
            counts = tests[name].fillna(0).to_numpy(np.int64)
            evidence[f"chip_{name}"] = pd.arrays.IntegerArray(counts, ~is_tested)
        is_weak = ~is_strong(links, self.coef_threshold)
        is_known = links["TF"].astype(str).isin(reference.tfs).to_numpy(bool)
        reasons = first_reason(
            (is_weak, f"|coef| not above {self.coef_threshold:g}"),
            (~is_known, "TF not in the ChIP-seq reference"),
            (~is_tested, "TF not tested: no strong link of it in `fit`"),
            (
                ~tests["kept"].eq(True).to_numpy(bool),
                f"ChIP-seq: q of the TF not below {self.q_threshold:g}",
            ),
            (status == UNTESTED, "pair not tested by ChIP-seq"),
            (np.full(len(links), self.require_peak) & (status == NO_PEAK), "no ChIP-seq peak"),
        )
        return evidence, reasons

    def _label(self, evidence: Evidence) -> str:
        return "Chip_peak"

    def _score(self, links: pd.DataFrame) -> float:
        cells = pooled_counts(self._count(links, self._reference_for(links)))
        return 0.0 if has_empty_margin(cells) else haldane_log_odds_ratio(*cells)

    def _names(self, links: pd.DataFrame) -> Sides:
        names = names_of_links(links)
        tested = () if self.tested_targets is None else self.tested_targets
        return {**names, "target": names["target"] | set(map(str, tested))}

    def _reference_for(self, links: pd.DataFrame) -> BindingReference:
        """Return the reference with the names of these links, which `fit` may not have seen."""
        if self.harmonize is None:
            return self.reference_
        return harmonize_reference(self.reference_, self._names(links), self.harmonize)

    def _count(self, links: pd.DataFrame, reference: BindingReference) -> pd.DataFrame:
        names = names_of_links(links)
        require_common_names(names, names_of_reference(reference), self.min_overlap)
        in_universe = np.ones(len(reference.genes), dtype=np.bool_)
        if self.universe == "tested":
            tested = self._tested(names["target"])
            in_universe = pd.Index(reference.genes).isin(list(tested))
        return count_links(reference, strong_links(links, self.coef_threshold), in_universe)

    def _tested(self, targets: Set[str]) -> Set[str]:
        if self.tested_targets is None:
            return targets
        tested = {str(name) for name in self.tested_targets}
        if not targets <= tested:
            raise ValueError(
                "`tested_targets` must hold all targets of the regression, but lacks targets of "
                f"`links`: {examples(targets - tested)}. Pass `SciFateRegressor.target_names_in_`."
            )
        return tested

    def __sklearn_is_fitted__(self) -> bool:
        # A `fit` that raised an error may have set `overlap_`.
        return hasattr(self, "ledger_")

    def _report(self, links: pd.DataFrame) -> None:
        n_kept, n_tested = int(self.enrichment_["kept"].sum()), len(self.enrichment_)
        logger.info("%d of %d tested TFs kept", n_kept, n_tested)
        if n_tested == 0:
            warn(
                f"{type(self).__name__} keeps no link: none of the {len(links)} links has a TF "
                f"in the reference and |coef| > coef_threshold={self.coef_threshold}."
            )
