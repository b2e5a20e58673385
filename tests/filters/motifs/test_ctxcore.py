"""MotifLinkFilter on real rankings, against ctxcore, and with planted motifs.

ctxcore differs from R, and so from this package, in three places: it leaves the column with the
motifs' names out of N, sums the recovery curve over T − 1 ranks in place of T, and divides by a
standard deviation with ddof 0.
"""

import numpy as np
import pandas as pd
import pytest

from scifate_sklearn.filters import MotifLinkFilter, MotifRankings, read_motif_annotations
from scifate_sklearn.filters.motifs._recovery import (
    leading_edge,
    normalized_scores,
    recovered_areas,
    recovery_bounds,
)

FILES = [
    "hg19-tss-centered-10kb-10species.mc9nr.feather",
    "hg19-tss-centered-10kb-10species.mc9nr.genes_vs_motifs.rankings.feather",
]
N_RANKS = 5000


@pytest.fixture(params=FILES, ids=["old layout", "new layout"])
def path(request, shared):
    pytest.importorskip("pyarrow", reason="ranking databases are read with pyarrow")
    return shared / "data" / "cistarget" / request.param


@pytest.fixture
def rankings(path):
    return MotifRankings.read(path)


def draw_genes(rankings, seed, size=80):
    """Draw genes, a third of them from the top of the third motif."""
    rng = np.random.default_rng(seed)
    genes = list(rng.choice(rankings.genes, size, replace=False))
    ranks = rankings.columns(rankings.genes[::5])
    top = [gene for gene, rank in ranks.items() if rank[2] < 1500]
    return list(dict.fromkeys([*genes, *rng.choice(top, size // 3, replace=False)]))


def ctxcore_by_formula(ranks, n_genes, auc_fraction=0.05):
    """Return AUC, NES and recovery curves as ctxcore computes them."""
    top = round(auc_fraction * n_genes)
    curves = (ranks.T[:, :, None] <= np.arange(N_RANKS)).sum(axis=1)
    auc = curves[:, : top - 1].sum(axis=1) / (top * len(ranks))
    return auc, (auc - auc.mean()) / auc.std(), curves


@pytest.mark.filterwarnings("ignore:Feather V1:DeprecationWarning")
@pytest.mark.parametrize("seed", [0, 1])
def test_agrees_with_ctxcores_formulas_but_for_three_differences(rankings, seed):
    genes = draw_genes(rankings, seed)
    ranks = np.array(list(rankings.columns(genes).values()))
    top = round(0.05 * (rankings.n_ranked + 1))
    assert top == round(0.05 * rankings.n_ranked) == 1114
    auc, nes, curves = ctxcore_by_formula(ranks, rankings.n_ranked)
    (area,) = recovered_areas(ranks, [len(genes)], top)
    # The rank that ctxcore omits.
    added = curves[:, top - 1] / (top * len(genes))
    np.testing.assert_allclose(area / (top * len(genes)), auc + added, rtol=1e-13)
    (short,) = recovered_areas(ranks, [len(genes)], top - 1)
    ddof = np.sqrt((len(auc) - 1) / len(auc))
    np.testing.assert_allclose(normalized_scores(short), nes * ddof, rtol=1e-10)
    bound = recovery_bounds(ranks, [len(genes)], N_RANKS)[0]
    expected = curves.mean(axis=0) + 2 * curves.std(axis=0, ddof=1)
    np.testing.assert_allclose(bound, expected, rtol=1e-13)
    for motif, curve in enumerate(curves):
        assert leading_edge(ranks[:, motif], bound) == int(np.argmax(curve - bound))


@pytest.mark.filterwarnings("ignore:Feather V1:DeprecationWarning")
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_agrees_with_ctxcore(path, rankings, seed):
    recovery = pytest.importorskip(
        "ctxcore.recovery", reason="ctxcore is not installed", exc_type=ImportError
    )
    genes = draw_genes(rankings, seed)
    ranks = np.array(list(rankings.columns(genes).values()))
    frame = pd.DataFrame(ranks.T, index=rankings.motifs, columns=genes)
    weights = np.ones(len(genes))
    curves, auc = recovery.recovery(frame, rankings.n_ranked, weights, N_RANKS, 0.05)
    (area,) = recovered_areas(ranks, [len(genes)], 1114)
    (short,) = recovered_areas(ranks, [len(genes)], 1113)
    np.testing.assert_allclose(short / (1114 * len(genes)), auc, rtol=1e-13)
    np.testing.assert_allclose(area, 1114 * len(genes) * auc + curves[:, 1113], rtol=1e-13)
    nes = (auc - auc.mean()) / auc.std()
    np.testing.assert_allclose(normalized_scores(short), nes * np.sqrt(4 / 5), rtol=1e-10)
    bound = recovery_bounds(ranks, [len(genes)], N_RANKS)[0]
    for motif, curve in enumerate(curves):
        edge, rank_at_max = recovery.leading_edge(curve, bound, ranks[:, motif], np.array(genes))
        assert leading_edge(ranks[:, motif], bound) == rank_at_max
        inside = np.array(genes)[ranks[:, motif] <= rank_at_max]
        assert {gene for gene, _ in edge} == set(inside)


MOTIF, TF = "transfac_pro__M06328", "ZNF343"


@pytest.fixture(scope="module")
def annotations(shared):
    return read_motif_annotations(
        shared / "data" / "rcistarget_tf" / "motifAnnotations_hgnc.csv.gz"
    )


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Feather V1:DeprecationWarning")
def test_five_motifs_are_too_few_for_anything(path, rankings, annotations):
    links = pd.DataFrame({"TF": TF, "target": [*draw_genes(rankings, 0), "NONE"], "coef": 0.1})
    motifs = MotifLinkFilter(path, annotations)
    with pytest.warns(UserWarning, match=r"database of 5 motifs allows no NES above 1.79"):
        assert motifs.fit_transform(links).empty
    assert motifs.annotations_.to_numpy().tolist() == [
        ["transfac_pro__M01344", "CUX1", "high"],
        [MOTIF, TF, "high"],
    ]
    # One curve of five is never 2 sd above the mean of all, so that no leading edge begins.
    motifs.set_params(nes_threshold=1.5).fit(links)
    assert list(motifs.enrichment_["motif"]) == [MOTIF] * 3
    assert list(motifs.enrichment_["targets"]) == [()] * 3


def test_real_motifs_among_shuffled_ones(shared, annotations):
    pytest.importorskip("pyarrow", reason="ranking databases are read with pyarrow")
    rankings = MotifRankings.read(shared / "data" / "cistarget" / FILES[1])
    rng = np.random.default_rng(0)
    real = np.array(list(rankings.columns(rankings.genes).values())).T
    noise = [rng.permutation(rankings.n_ranked) for _ in range(35)]
    names = [*rankings.motifs, *(f"noise{i}" for i in range(35))]
    table = pd.DataFrame(np.vstack([real, noise]), index=names, columns=rankings.genes)
    genes = draw_genes(rankings, 0)
    links = pd.DataFrame({"TF": TF, "target": [*genes, "NONE"], "coef": 0.1})
    motifs = MotifLinkFilter(table, annotations).fit(links)
    own = motifs.enrichment_[motifs.enrichment_["motif"] == MOTIF]
    ranks = table[genes]
    curves = (ranks.to_numpy()[:, :, None] <= np.arange(N_RANKS)).sum(axis=1)
    auc = curves[:, :1114].sum(axis=1) / (1114 * len(genes))
    column = list(ranks.index).index(MOTIF)
    np.testing.assert_allclose(own["auc"], auc[column], rtol=1e-13)
    np.testing.assert_allclose(own["nes"], (auc[column] - auc.mean()) / auc.std(ddof=1), rtol=1e-10)
    edge = np.argmax(curves[column] - curves.mean(axis=0) - 2 * curves.std(axis=0, ddof=1))
    assert set(own["rank_at_max"]) == {edge}
    inside = set(ranks.columns[ranks.loc[MOTIF] <= edge])
    assert 20 < len(inside) < len(genes)
    assert set(motifs.transform(links)["target"]) == inside
    assert motifs.ledger_["reason"].iloc[-1] == "target not in the ranking database"


def plant(seed, shift, share, n_tfs=12, n_motifs=300, n_genes=1000, n_targets=40):
    """Create rankings in which motif i scores a share of the targets of TF i higher by some sd.

    Returns
    -------
    table, annotations, links : DataFrame
    planted : Series of bool
        Which of the links' targets were planted.
    """
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(n_motifs, n_genes))
    targets = np.array([rng.choice(n_genes, n_targets, replace=False) for _ in range(n_tfs)])
    is_planted = np.arange(n_targets) < share * n_targets
    for i, own in enumerate(targets):
        scores[i, own[is_planted]] += shift
    ranks = np.argsort(np.argsort(-scores, axis=1), axis=1)
    table = pd.DataFrame(ranks, index=range(n_motifs), columns=[f"G{j}" for j in range(n_genes)])
    table = table.rename(index="m{}".format)
    tfs = np.array([f"TF{i}" for i in range(n_tfs)])
    # Each TF has nine more motifs, which are unrelated to it.
    motif = [f"m{(i + k * n_tfs) % n_motifs}" for i in range(n_tfs) for k in range(10)]
    annotations = pd.DataFrame({"motif": motif, "TF": np.repeat(tfs, 10)})
    links = pd.DataFrame(
        {"TF": np.repeat(tfs, n_targets), "target": table.columns[targets.ravel()]}
    )
    return table, annotations, links.assign(coef=0.1), pd.Series(np.tile(is_planted, n_tfs))


def found(seed, shift, share, **sizes):
    """Return whether each TF's own motif is first, and the shares of planted and others kept."""
    table, annotations, links, planted = plant(seed, shift, share, **sizes)
    motifs = MotifLinkFilter(table, annotations, coef_thresholds=(0.05,)).fit(links)
    tests = motifs.tests_
    is_own = tests["best_motif"].str.removeprefix("m") == tests["TF"].str.removeprefix("TF")
    kept = motifs.ledger_["kept"]
    return is_own & (tests["best_rank"] == 1), kept[planted].mean(), kept[~planted].mean()


def test_a_planted_motif_is_first_and_has_its_targets_in_the_leading_edge():
    first, planted_kept, others_kept = found(0, shift=2.5, share=0.5)
    assert first.mean() >= 0.95
    assert planted_kept >= 0.8
    assert others_kept <= 0.25


@pytest.mark.slow
def test_a_planted_motif_is_first_in_95_of_100_runs():
    sizes = {"n_tfs": 100, "n_motifs": 1500, "n_genes": 4000, "n_targets": 60}
    first, planted_kept, others_kept = found(1, shift=2.0, share=0.5, **sizes)
    assert len(first) == 100
    assert first.mean() >= 0.95
    assert planted_kept >= 0.8
    assert others_kept <= 0.25


def test_nothing_planted_nothing_found():
    first, planted_kept, others_kept = found(3, shift=0.0, share=0.5)
    assert first.mean() < 0.2
    assert planted_kept < 0.1
    assert others_kept < 0.1
