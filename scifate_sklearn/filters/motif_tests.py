"""The tests of motifs: per TF and coefficient threshold, which of the TF's motifs are enriched."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from scifate_sklearn.filters.motif_enrichment import (
    Counts,
    Ranks,
    leading_edge,
    normalised_scores,
    recovered_areas,
    recovery_bound,
)
from scifate_sklearn.filters.rankings import MotifRankings

TEST_DTYPES = {
    "TF": object,
    "coef_threshold": np.float64,
    "n_targets": np.int64,
    "n_motifs": np.int64,
    "n_enriched": np.int64,
    "best_motif": object,
    "best_nes": np.float64,
    "best_rank": np.int64,
}
ENRICHMENT_DTYPES = {
    "TF": object,
    "coef_threshold": np.float64,
    "n_targets": np.int64,
    "motif": object,
    "auc": np.float64,
    "nes": np.float64,
    "rank": np.int64,
    "confidence": object,
    "rank_at_max": np.int64,
    "n_leading_edge": np.int64,
    "targets": object,
}


@dataclass(frozen=True)
class MotifSettings:
    """What decides on enrichment: the parameters of `MotifLinkFilter`, and T and ranks of these."""

    coef_thresholds: tuple[float, ...]
    nes_threshold: float
    n_top: int
    n_ranks: int
    min_targets: int


@dataclass(frozen=True)
class TFMotifs:
    """The motifs of a TF by name, their positions in the database, and their confidence."""

    names: NDArray[np.object_]
    codes: NDArray[np.intp]
    confidence: NDArray[np.object_]


@dataclass(frozen=True)
class _Targets:
    """The targets of a TF in the database, strongest first, so that every set is a first part."""

    TF: str
    names: NDArray[np.object_]
    sizes: tuple[int, ...]


def motifs_of_tfs(annotations: pd.DataFrame, rankings: MotifRankings) -> dict[str, TFMotifs]:
    """Return the annotated motifs of each TF that are in the database.

    Parameters
    ----------
    annotations : DataFrame
        Columns ``motif``, ``TF`` and ``confidence``, each pair once.
    rankings : MotifRankings
        The database.

    Returns
    -------
    dict of str to TFMotifs
        TFs without a motif in the database are not there.
    """
    codes = pd.Index(rankings.motifs).get_indexer(pd.Index(annotations["motif"], dtype=object))
    ranked = annotations.assign(code=codes)[codes >= 0].sort_values("motif")
    return {
        str(tf): TFMotifs(*(group[name].to_numpy() for name in ("motif", "code", "confidence")))
        for tf, group in ranked.groupby("TF", sort=True)
    }


def run_motif_tests(
    links: pd.DataFrame,
    rankings: MotifRankings,
    motifs: Mapping[str, TFMotifs],
    settings: MotifSettings,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Test the motifs of each TF on its targets at each threshold.

    Parameters
    ----------
    links : DataFrame
        A links table.
    rankings : MotifRankings
        The database. The ranks of all targets of tested TFs are held at a time; uncompressed files
        are mapped and take no memory of their own.
    motifs : mapping of str to TFMotifs
        From `motifs_of_tfs`; other TFs are not tested.
    settings : MotifSettings
        Thresholds.

    Returns
    -------
    tests : DataFrame
        One row per TF and threshold with more than ``min_targets`` targets; columns `TEST_DTYPES`.
    enrichment : DataFrame
        One row per enriched motif of these; columns `ENRICHMENT_DTYPES`.
    """
    tested = list(_target_sets(links, rankings, motifs, settings))
    columns = rankings.columns(name for targets in tested for name in targets.names)
    tests: list[dict[str, Any]] = []
    enriched: list[dict[str, Any]] = []
    for targets in tested:
        ranks = np.stack([columns[name] for name in targets.names])
        for row, found in _test_tf(targets, ranks, motifs[targets.TF], settings):
            tests.append(row)
            enriched += sorted(found, key=lambda motif: motif["rank"])
    return _table(tests, TEST_DTYPES), _table(enriched, ENRICHMENT_DTYPES)


def _target_sets(
    links: pd.DataFrame,
    rankings: MotifRankings,
    motifs: Mapping[str, TFMotifs],
    settings: MotifSettings,
) -> Iterator[_Targets]:
    """Yield the targets of each TF that is to be tested, in the order of the TFs' names."""
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
    # Of a pair that is there more than once, the strongest counts.
    pairs = pairs.sort_values(["TF", "strength", "target"], ascending=[True, False, True])
    pairs = pairs.drop_duplicates(["TF", "target"])
    for tf, group in pairs.groupby("TF", sort=False):
        strength = group["strength"].to_numpy()
        sizes = tuple(int(np.sum(strength > weakest)) for weakest in settings.coef_thresholds)
        if max(sizes) > settings.min_targets:
            yield _Targets(str(tf), group["target"].to_numpy(object), sizes)


def _test_tf(
    targets: _Targets, ranks: Ranks, motifs: TFMotifs, settings: MotifSettings
) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Yield the row of `tests` and those of `enrichment` of each threshold that is tested."""
    areas = recovered_areas(ranks, targets.sizes, settings.n_top)
    for threshold, size, area in zip(settings.coef_thresholds, targets.sizes, areas, strict=True):
        if size > settings.min_targets:
            test = {"TF": targets.TF, "coef_threshold": threshold, "n_targets": size}
            nes = normalised_scores(area)[motifs.codes]
            place = _places(area, motifs.codes)
            # Of equal motifs the first by name, in which order they are.
            best = int(place.argmin())
            is_enriched = nes >= settings.nes_threshold
            found = [
                {
                    "motif": motifs.names[i],
                    "auc": area[motifs.codes[i]] / (settings.n_top * size),
                    "nes": nes[i],
                    "rank": place[i],
                    "confidence": motifs.confidence[i],
                }
                for i in np.flatnonzero(is_enriched)
            ]
            edges = _edges(ranks[:size], motifs.codes[is_enriched], targets.names, settings.n_ranks)
            best_motif = {
                "n_motifs": len(nes),
                "n_enriched": len(found),
                "best_motif": motifs.names[best],
                "best_nes": nes[best],
                "best_rank": place[best],
            }
            yield (
                test | best_motif,
                [test | motif | edge for motif, edge in zip(found, edges, strict=True)],
            )


def _places(area: Counts, codes: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the places (1 = highest area) of some motifs among all; equals share the best."""
    return len(area) - np.searchsorted(np.sort(area), area[codes], side="right") + 1


def _edges(
    ranks: Ranks, codes: NDArray[np.intp], names: NDArray[np.object_], n_ranks: int
) -> Iterator[dict[str, Any]]:
    """Yield the leading edge of each of some motifs, best ranked targets first."""
    if not len(codes):
        return
    bound = recovery_bound(ranks, n_ranks)
    for code in codes:
        own = ranks[:, code]
        rank_at_max = leading_edge(own, bound)
        inside = np.flatnonzero(own <= rank_at_max)
        order = sorted(inside, key=lambda i: (own[i], names[i]))
        yield {
            "rank_at_max": rank_at_max,
            "n_leading_edge": len(inside),
            "targets": tuple(names[i] for i in order),
        }


def _table(rows: list[dict[str, Any]], dtypes: Mapping[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(dtypes)).astype(dtypes)
