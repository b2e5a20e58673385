"""Enrichment tests of the motifs of each TF, per coefficient threshold."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ._rankings import MotifRankings
from ._recovery import (
    Counts,
    Floats,
    Ranks,
    leading_edge,
    normalized_scores,
    recovered_areas,
    recovery_bounds,
)

TEST_DTYPES = {
    "TF": object,
    "coef_threshold": np.float64,
    "n_targets": np.int64,
    "n_motifs": np.int64,
    "n_enriched": np.int64,
    "best_motif": object,
    "best_nes": np.float64,
    "best_rank": np.int64,
    "database": object,
}
ENRICHMENT_DTYPES = {
    "TF": object,
    "coef_threshold": np.float64,
    "n_targets": np.int64,
    "motif": object,
    "database": object,
    "auc": np.float64,
    "nes": np.float64,
    "rank": np.int64,
    "confidence": object,
    "rank_at_max": np.int64,
    "n_leading_edge": np.int64,
    "targets": object,
}


_Row: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class EnrichmentSettings:
    """Parameters of `MotifLinkFilter`, with the numbers of ranks derived from them."""

    coef_thresholds: tuple[float, ...]
    nes_threshold: float
    n_top: int
    n_ranks: int
    min_targets: int


@dataclass(frozen=True)
class AnnotatedMotifs:
    """The motifs of a TF: names, positions in the database, and confidence."""

    names: NDArray[np.object_]
    codes: NDArray[np.intp]
    confidence: NDArray[np.object_]


@dataclass(frozen=True)
class _Targets:
    """The targets of a TF in the database, strongest first: each set is a leading part."""

    TF: str
    names: NDArray[np.object_]
    sizes: tuple[int, ...]


@dataclass(frozen=True)
class _Scores:
    """Scores of a TF's motifs on one set of its targets; arrays of shape (n_motifs of the TF,)."""

    threshold: float
    size: int
    auc: Floats
    nes: Floats
    place: NDArray[np.intp]
    is_enriched: NDArray[np.bool_]


def motifs_of_tfs(annotations: pd.DataFrame, rankings: MotifRankings) -> dict[str, AnnotatedMotifs]:
    """Return the annotated motifs of each TF that are in the database.

    Parameters
    ----------
    annotations : DataFrame
        Columns ``motif``, ``TF`` and ``confidence``, each pair once.
    rankings : MotifRankings
        The database.

    Returns
    -------
    dict of str to AnnotatedMotifs
        TFs without a motif in the database are left out.
    """
    codes = pd.Index(rankings.motifs).get_indexer(pd.Index(annotations["motif"], dtype=object))
    ranked = annotations.assign(code=codes)[codes >= 0].sort_values("motif")
    return {
        str(tf): AnnotatedMotifs(
            *(group[name].to_numpy() for name in ("motif", "code", "confidence"))
        )
        for tf, group in ranked.groupby("TF", sort=True)
    }


def run_tests(
    links: pd.DataFrame,
    rankings: MotifRankings,
    motifs: Mapping[str, AnnotatedMotifs],
    settings: EnrichmentSettings,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Test the motifs of each TF on its targets at each threshold.

    Parameters
    ----------
    links : DataFrame
        A links table.
    rankings : MotifRankings
        The database. The ranks of all targets of tested TFs are held in memory at the same time;
        uncompressed files are memory-mapped instead.
    motifs : mapping of str to AnnotatedMotifs
        From `motifs_of_tfs`; other TFs are not tested.
    settings : EnrichmentSettings
        Thresholds.

    Returns
    -------
    tests : DataFrame
        One row per TF and threshold with more than ``min_targets`` targets; columns `TEST_DTYPES`.
    enrichment : DataFrame
        One row per enriched motif of these; columns `ENRICHMENT_DTYPES`.

    Both have the name of the database in the column ``database``.
    """
    tested = list(_target_sets(links, rankings, motifs, settings))
    columns = rankings.columns(name for targets in tested for name in targets.names)
    tests: list[_Row] = []
    enriched: list[_Row] = []
    for targets in tested:
        ranks = np.stack([columns[name] for name in targets.names])
        tests_of_tf, enriched_of_tf = _test_tf(targets, ranks, motifs[targets.TF], settings)
        tests += tests_of_tf
        enriched += enriched_of_tf
    name = rankings.name
    return (
        _table(tests, TEST_DTYPES).assign(database=name),
        _table(enriched, ENRICHMENT_DTYPES).assign(database=name),
    )


def _target_sets(
    links: pd.DataFrame,
    rankings: MotifRankings,
    motifs: Mapping[str, AnnotatedMotifs],
    settings: EnrichmentSettings,
) -> Iterator[_Targets]:
    """Yield the targets of each TF to test, in the order of the TFs' names."""
    weakest = min(settings.coef_thresholds)
    pairs = pd.DataFrame(
        {
            "TF": links["TF"].astype(str).to_numpy(object),
            "target": links["target"].astype(str).to_numpy(object),
            "strength": links["coef"].abs().to_numpy(np.float64),
        }
    )
    pairs = pairs[(pairs["strength"] > weakest) & pairs["target"].isin(rankings.genes)]
    pairs = pairs[pairs["TF"].isin(list(motifs))]
    # Of repeated pairs the strongest is used.
    pairs = pairs.sort_values(["TF", "strength", "target"], ascending=[True, False, True])
    pairs = pairs.drop_duplicates(["TF", "target"])
    for tf, group in pairs.groupby("TF", sort=False):
        strength = group["strength"].to_numpy()
        sizes = tuple(int(np.sum(strength > limit)) for limit in settings.coef_thresholds)
        if max(sizes) > settings.min_targets:
            yield _Targets(str(tf), group["target"].to_numpy(object), sizes)


def _test_tf(
    targets: _Targets, ranks: Ranks, motifs: AnnotatedMotifs, settings: EnrichmentSettings
) -> tuple[list[_Row], list[_Row]]:
    """Return the rows of `tests` and of `enrichment` of one TF."""
    areas = recovered_areas(ranks, targets.sizes, settings.n_top)
    sets = zip(settings.coef_thresholds, targets.sizes, areas, strict=True)
    scores = [_score(*args, motifs, settings) for args in sets if args[1] > settings.min_targets]
    tests = [{"TF": targets.TF, **_summary(score, motifs)} for score in scores]
    enriched = [score for score in scores if score.is_enriched.any()]
    bounds = recovery_bounds(ranks, [score.size for score in enriched], settings.n_ranks)
    rows = [
        row
        for score, bound in zip(enriched, bounds, strict=True)
        for row in _enriched_rows(score, bound, targets, ranks, motifs)
    ]
    return tests, rows


def _score(
    threshold: float, size: int, area: Counts, motifs: AnnotatedMotifs, settings: EnrichmentSettings
) -> _Scores:
    nes = normalized_scores(area)[motifs.codes]
    # Places from 1, highest area first; ties share the best place.
    higher = len(area) - np.searchsorted(np.sort(area), area[motifs.codes], side="right")
    return _Scores(
        threshold=threshold,
        size=size,
        auc=area[motifs.codes] / (settings.n_top * size),
        nes=nes,
        place=higher + 1,
        is_enriched=nes >= settings.nes_threshold,
    )


def _summary(score: _Scores, motifs: AnnotatedMotifs) -> _Row:
    """Return a row of `tests` without its TF; of tied motifs the first by name is the best."""
    best = int(score.place.argmin())
    return {
        "coef_threshold": score.threshold,
        "n_targets": score.size,
        "n_motifs": len(score.nes),
        "n_enriched": int(score.is_enriched.sum()),
        "best_motif": motifs.names[best],
        "best_nes": score.nes[best],
        "best_rank": score.place[best],
    }


def _enriched_rows(
    score: _Scores, bound: Floats, targets: _Targets, ranks: Ranks, motifs: AnnotatedMotifs
) -> Iterator[_Row]:
    """Yield the rows of `enrichment` of a set, highest NES first."""
    found = np.flatnonzero(score.is_enriched)
    for i in found[np.argsort(score.place[found], kind="stable")]:
        own = ranks[: score.size, motifs.codes[i]]
        rank_at_max = leading_edge(own, bound)
        inside = np.flatnonzero(own <= rank_at_max)
        order = sorted(inside, key=lambda j: (own[j], targets.names[j]))
        yield {
            "TF": targets.TF,
            "coef_threshold": score.threshold,
            "n_targets": score.size,
            "motif": motifs.names[i],
            "auc": score.auc[i],
            "nes": score.nes[i],
            "rank": score.place[i],
            "confidence": motifs.confidence[i],
            "rank_at_max": rank_at_max,
            "n_leading_edge": len(inside),
            "targets": tuple(targets.names[j] for j in order),
        }


def _table(rows: list[_Row], dtypes: Mapping[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(dtypes)).astype(dtypes)
