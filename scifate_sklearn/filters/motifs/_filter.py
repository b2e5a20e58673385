"""MotifLinkFilter: filter of links by motifs that are enriched in the targets of a TF."""

import logging
import numbers
import os
from collections.abc import Sequence
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np
import pandas as pd
from sklearn.utils._param_validation import Interval, StrOptions

from ..._warnings import warn
from ...links import first_reason, is_strong
from ...names import MIN_OVERLAP, Cause, require_overlap
from ..base import Evidence, LinkFilter, Reasons
from ._annotations import HIGH, LOW, annotations_in, as_annotations
from ._enrichment import EnrichmentSettings, motifs_of_tfs, run_tests
from ._rankings import Databases, MotifRankings, as_databases
from ._recovery import highest_score

OneOfRankings: TypeAlias = MotifRankings | pd.DataFrame | str | os.PathLike[str]

logger = logging.getLogger(__name__)


class MotifLinkFilter(LinkFilter):
    """Keep the links whose target is ranked high by an enriched motif of the TF.

    For each TF and each threshold h, G is the set of its targets with ``|coef| > h`` that the
    database ranks; it is tested if it has more than `min_targets` genes. The recovery curve of a
    motif is the number of genes of G up to each of its ranks. AUC is the area under this curve over
    the top T ranks, divided by T·|G|, and NES = (AUC − mean) / sd over all motifs of the database
    (ddof 1). The leading edge of a motif consists of the genes of G up to the rank at which its
    curve exceeds the mean + 2 sd of the curves of all motifs most. A link is kept if its target is
    in the leading edge of a motif of its TF with NES ≥ `nes_threshold`, at any threshold.

    This is the procedure of RcisTarget in the paper's R scripts, with two differences: the leading
    edge is exact (``"iCisTarget"``), not approximate, and TF names are compared exactly. R's
    scripts confuse a TF with any other whose name contains its own.

    Several databases, such as those of 500 bp and of 10 kb around the start of transcription, are
    tested one by one, each with its own NES and leading edges, and the results are united, as in
    SCENIC and pySCENIC: a link is kept if any motif of any database supports it.

    Parameters
    ----------
    rankings : MotifRankings, DataFrame or path-like, or list or tuple of these
        The ranking database, or several. A table is read as by `MotifRankings.from_table`, a path
        as by `MotifRankings.read`, in every `fit` (for a grid search read it once before).
    annotations : DataFrame or path-like
        Annotations of TFs to motifs: RcisTarget's table, cisTarget's ``.tbl`` or columns ``motif``,
        ``TF`` and optionally ``confidence``; see
        `scifate_sklearn.filters.read_motif_annotations`.
    coef_thresholds : array-like of float, default=(0.03, 0.04, 0.05)
        Each defines a set of targets, those with a larger absolute coefficient.
    nes_threshold : float, default=3.0
        Motifs with at least this NES are enriched.
    auc_fraction : float, default=0.05
        T is this share of the database's columns (its genes, and the one with the motifs' names),
        rounded half to even as in R.
    min_targets : int, default=5
        Sets with this many targets or fewer are not tested.
    confidence : {"high", "low"}, default="high"
        Motifs of a TF to use: "high" are those to which the TF or an ortholog is annotated; "low"
        adds motifs that are only similar to one of these. (R's script is meant to add them too, but
        its line for them repeats the line for the others.)
    max_rank : int, default=5000
        Highest number of ranks in the leading edge.
    min_overlap : float, default=0.1
        Least share of names that links and database, and links and annotations, must have in
        common, relative to the smaller of both. A smaller share raises an error, because names that
        do not match would look like missing evidence; 0 disables the check.

    Attributes
    ----------
    enrichment_ : DataFrame
        One row per TF, threshold and enriched motif of the TF, highest NES first: ``TF``,
        ``coef_threshold``, ``n_targets`` (of G), ``motif``, ``database`` (name of its file, "" for
        a table), ``auc``, ``nes``, ``rank`` (place of the motif's NES among all motifs of the
        database, from 1), ``confidence`` ("high" or "low"), ``rank_at_max`` (last rank of the
        leading edge, from 0), ``n_leading_edge`` and ``targets`` (tuple of the genes in it, best
        ranked first). Of several databases, the rows of one follow those of another.
    tests_ : DataFrame
        One row per TF and threshold tested: ``TF``, ``coef_threshold``, ``n_targets``,
        ``n_motifs`` and ``n_enriched`` of the TF, and of its best motif ``best_motif``,
        ``best_nes`` and ``best_rank``; and ``database``.
    rankings_ : MotifRankings or tuple of MotifRankings
        The database that was used; a tuple if several were given.
    annotations_ : DataFrame
        The annotations that were used: ``motif``, ``TF``, ``confidence``, of motifs in a
        database.
    ledger_ : DataFrame
        One row per link given to `fit`: its columns, the evidence (missing if there is none),
        ``kept`` and, for a dropped link, the first ``reason``. `transform` tests other links
        against the leading edges found by `fit`.
    warnings_ : tuple of str
        Messages of this package that the fit issued, each once.
    n_features_in_, feature_names_in_ : int, ndarray of str
        Columns of the links table.

    Notes
    -----
    `score` is the mean, over all tests, of the best NES of the TF's own motifs, in standard
    deviations; a test is a TF and a threshold with enough targets, in one database. It is 0.0 if
    nothing can be tested, as for a table without rows. The better a network, the more the targets
    of a TF stand out in the rankings of its own motifs, compared with other motifs. The score does
    not depend on `nes_threshold` and does not count missed links. The best of several motifs has a
    positive NES by chance, the higher the more motifs are annotated, so compare scores of the same
    databases only.

    References
    ----------
    Aibar, S. et al. (2017). SCENIC: single-cell regulatory network inference and clustering. Nature
    Methods 14, 1083–1086.

    Imrichová, H. et al. (2015). i-cisTarget 2015 update. Nucleic Acids Research 43, W57–W64.

    Cao, J., Zhou, W., Steemers, F., Trapnell, C., Shendure, J. (2020). Sci-fate characterizes the
    dynamics of gene expression in single cells. Nature Biotechnology 38, 980–988.

    Examples
    --------
    Twenty motifs rank 200 genes; ``m7`` ranks the targets of MYC first.

    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> genes, motifs = [f"G{i}" for i in range(200)], [f"m{i}" for i in range(20)]
    >>> ranks = [np.arange(200) if m == "m7" else rng.permutation(200) for m in motifs]
    >>> rankings = MotifRankings.from_table(pd.DataFrame(ranks, index=motifs, columns=genes))
    >>> annotations = pd.DataFrame({"motif": ["m7", "m8"], "TF": "MYC"})
    >>> links = pd.DataFrame({"TF": "MYC", "target": genes[:8] + genes[150:152], "coef": 0.1})
    >>> kept = MotifLinkFilter(rankings, annotations).fit_transform(links)
    >>> len(kept), set(kept["motif"])
    (8, {'m7'})
    """

    evidence_columns = ("motif", "motif_nes", "motif_rank", "motif_confidence", "motif_database")

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "rankings": [MotifRankings, pd.DataFrame, str, os.PathLike, list, tuple],
        "annotations": [pd.DataFrame, str, os.PathLike],
        "coef_thresholds": ["array-like"],
        "nes_threshold": [Interval(numbers.Real, None, None, closed="neither")],
        "auc_fraction": [Interval(numbers.Real, 0, 1, closed="right")],
        "min_targets": [Interval(numbers.Integral, 0, None, closed="left")],
        "confidence": [StrOptions({HIGH, LOW})],
        "max_rank": [Interval(numbers.Integral, 1, None, closed="left")],
        "min_overlap": [Interval(numbers.Real, 0, 1, closed="both")],
    }

    def __init__(
        self,
        rankings: OneOfRankings | Sequence[OneOfRankings],
        annotations: pd.DataFrame | str | os.PathLike[str],
        *,
        coef_thresholds: Sequence[float] = (0.03, 0.04, 0.05),
        nes_threshold: float = 3.0,
        auc_fraction: float = 0.05,
        min_targets: int = 5,
        confidence: Literal["high", "low"] = "high",
        max_rank: int = 5000,
        min_overlap: float = MIN_OVERLAP,
    ) -> None:
        self.rankings = rankings
        self.annotations = annotations
        self.coef_thresholds = coef_thresholds
        self.nes_threshold = nes_threshold
        self.auc_fraction = auc_fraction
        self.min_targets = min_targets
        self.confidence = confidence
        self.max_rank = max_rank
        self.min_overlap = min_overlap

    def _finish(self, kept: pd.DataFrame) -> pd.DataFrame:
        # Kept links have a motif, so no rank is missing.
        return kept.astype({"motif_rank": np.int64})

    def _learn(self, links: pd.DataFrame) -> None:
        thresholds = _as_thresholds(self.coef_thresholds)
        databases = as_databases(self.rankings)
        self.rankings_ = databases[0] if len(databases) == 1 else databases
        given = as_annotations(self.annotations)
        self._annotated_tfs = set(given["TF"])
        used = [annotations_in(given, each, self.confidence) for each in databases]
        self.annotations_ = pd.concat(used).drop_duplicates(ignore_index=True)
        self._thresholds = thresholds
        self.tests_, self.enrichment_ = self._test(links)
        self._report(links)

    @property
    def _databases(self) -> Databases:
        return as_databases(self.rankings_)

    def _settings(self, n_ranked: int) -> EnrichmentSettings:
        # The database's column with the motifs' names counts, as in R's ncol(rankings).
        n_top = round(self.auc_fraction * (n_ranked + 1))
        if n_top < 1:
            raise ValueError(
                f"`auc_fraction` = {self.auc_fraction} of {n_ranked + 1:,} columns rounds to 0 "
                "ranks; use a larger fraction."
            )
        return EnrichmentSettings(
            coef_thresholds=self._thresholds,
            nes_threshold=self.nes_threshold,
            n_top=n_top,
            n_ranks=min(self.max_rank, n_ranked),
            min_targets=self.min_targets,
        )

    def _test(self, links: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
        results = [self._test_in(database, links) for database in self._databases]
        tests, enrichment = zip(*results, strict=True)
        return _joined(tests), _joined(enrichment)

    def _test_in(
        self, rankings: MotifRankings, links: pd.DataFrame
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        motifs = motifs_of_tfs(self.annotations_, rankings)
        settings = self._settings(rankings.n_ranked)
        if len(links):
            tfs, targets = set(links["TF"].astype(str)), set(links["target"].astype(str))
            for what, ours, theirs in (
                ("target", targets, rankings.genes.tolist()),
                ("TF", tfs, self._annotated_tfs),
            ):
                require_overlap(ours, theirs, what=what, min_share=self.min_overlap, hint=_advice)
        return run_tests(links, rankings, motifs, settings)

    def _judge(self, links: pd.DataFrame) -> tuple[Evidence, Reasons]:
        strength = links["coef"].abs().to_numpy(np.float64)
        tfs = links["TF"].astype(str)
        best = self._best_motifs(links)
        weakest = min(self._thresholds)
        reasons = first_reason(
            (~is_strong(links, weakest), f"|coef| not above {weakest:g}"),
            (
                ~self._are_ranked(links["target"].astype(str)),
                "target not in the ranking database",
            ),
            (
                ~tfs.isin(self.annotations_["TF"]).to_numpy(bool),
                "TF has no annotated motif in the database",
            ),
            (
                strength <= _lowest_threshold(self.tests_, tfs),
                f"TF has no more than {self.min_targets} targets in the ranking database",
            ),
            (
                strength <= _lowest_threshold(self.enrichment_, tfs),
                "no motif of the TF enriched at this |coef|",
            ),
            (best["motif"].isna().to_numpy(bool), "target not in a motif's leading edge"),
        )
        evidence = {
            "motif": best["motif"].astype("string").array,
            "motif_nes": best["nes"].to_numpy(np.float64),
            "motif_rank": best["rank"].astype("Int64").array,
            "motif_confidence": best["confidence"].astype("string").array,
            "motif_database": best["database"].astype("string").array,
        }
        return evidence, reasons

    def _are_ranked(self, targets: "pd.Series[str]") -> np.ndarray[Any, Any]:
        return np.logical_or.reduce([targets.isin(each.genes) for each in self._databases])

    def _best_motifs(self, links: pd.DataFrame) -> pd.DataFrame:
        """Return per link the best motif with its target in the leading edge, missing if none."""
        pairs = pd.DataFrame(
            {
                "row": np.arange(len(links)),
                "TF": links["TF"].astype(str).to_numpy(object),
                "target": links["target"].astype(str).to_numpy(object),
                "strength": links["coef"].abs().to_numpy(np.float64),
            }
        )
        members = self.enrichment_.explode("targets").rename(columns={"targets": "target"})
        found = pairs.merge(members, on=["TF", "target"])
        found = found[found["strength"] > found["coef_threshold"]]
        found = found.sort_values(
            ["row", "confidence", "nes", "coef_threshold", "motif", "database"],
            ascending=[True, True, False, True, True, True],
        )
        found = found.drop_duplicates("row").set_index("row")
        return found[["motif", "nes", "rank", "confidence", "database"]].reindex(pairs["row"])

    def _label(self, evidence: Evidence) -> Reasons:
        confidence = pd.Series(evidence["motif_confidence"], dtype=object)
        return ("Motif_" + confidence).to_numpy(object)

    def _score(self, links: pd.DataFrame) -> float:
        tests, _ = self._test(links)
        best = tests["best_nes"].dropna()
        return float(best.mean()) if len(best) else 0.0

    def _report(self, links: pd.DataFrame) -> None:
        n_kept = self.enrichment_["TF"].nunique()
        logger.info(
            "%d of %d tested TFs have an enriched motif", n_kept, self.tests_["TF"].nunique()
        )
        n_motifs = max(len(each.motifs) for each in self._databases)
        highest = highest_score(n_motifs)
        why = ""
        if self.nes_threshold > highest:
            why = (
                f"a database of {n_motifs} motifs allows no NES above "
                f"{highest:.2f}, less than `nes_threshold={self.nes_threshold}`. Use a larger "
                "database, or a lower threshold for a trial"
            )
        elif not len(self.tests_):
            why = (
                f"none of the {len(links)} links has a TF with an annotated motif in the "
                f"database and more targets there than `min_targets={self.min_targets}` with "
                f"|coef| > {min(self._thresholds)}"
            )
        if why:
            warn(f"{type(self).__name__} keeps no link: {why}.")


def _joined(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of all tables; the first one if all are empty, as it has the types."""
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else tables[0]


def _advice(cause: Cause | None) -> str:
    return "Use rankings and annotations of the cells' species, or rename the genes of the links."


def _as_thresholds(thresholds: Sequence[float]) -> tuple[float, ...]:
    """Return the thresholds in increasing order, each once."""
    try:
        values = np.unique(np.asarray(thresholds, dtype=np.float64))
    except (TypeError, ValueError):
        values = np.array([])
    if np.ndim(thresholds) != 1 or not len(values) or not (values >= 0).all():
        raise ValueError(
            f"`coef_thresholds` must hold one or more numbers >= 0, got {thresholds!r}."
        )
    return tuple(values.tolist())


def _lowest_threshold(table: pd.DataFrame, tfs: "pd.Series[str]") -> np.ndarray[Any, Any]:
    """Return per link the lowest threshold of its TF in a table, infinity for other TFs."""
    lowest = table.groupby("TF")["coef_threshold"].min()
    return tfs.map(lowest).fillna(np.inf).to_numpy(np.float64)
