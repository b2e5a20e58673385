"""MotifLinkFilter against plain loops over its formulas."""

import pickle
import statistics
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from scifate_sklearn.filters import MotifLinkFilter, MotifRankings
from scifate_sklearn.links import LINK_COLUMNS

EVIDENCE = ["motif", "motif_nes", "motif_rank", "motif_confidence", "motif_database"]
ENRICHMENT = ["TF", "coef_threshold", "n_targets", "motif", "database", "auc", "nes", "rank"]
ENRICHMENT += ["confidence", "rank_at_max", "n_leading_edge", "targets"]
GENES = [f"G{i}" for i in range(60)]
MOTIFS = [f"m{i}" for i in range(25)]
TFS = ["A", "B", "C", "D", "NKX2-1", "NKX2"]
# A motif has a rank below T = round(0.2 · 61) = 12; sets of more than 3 targets are tested.
PARAMS = {"nes_threshold": 1.2345, "auc_fraction": 0.2, "min_targets": 3, "max_rank": 40}


def make_table(seed=0):
    rng = np.random.default_rng(seed)
    ranks = [rng.permutation(len(GENES)) for _ in MOTIFS]
    return pd.DataFrame(ranks, index=MOTIFS, columns=GENES)


def make_annotations(seed=0):
    """Annotate every TF but D to some motifs; two motifs are not in the database."""
    rng = np.random.default_rng(seed)
    n = 40
    pairs = pd.DataFrame(
        {
            "motif": rng.choice([*MOTIFS, "absent1", "absent2"], n),
            "TF": rng.choice([tf for tf in TFS if tf != "D"], n),
            "confidence": rng.choice(["high", "low"], n),
        }
    )
    return pd.concat([pairs, pd.DataFrame([("m0", "A", "high"), ("absent1", "D", "high")],
                                          columns=pairs.columns)])  # fmt: skip


def make_links(seed=0, n=150):
    rng = np.random.default_rng(seed)
    links = pd.DataFrame(
        {
            "TF": rng.choice([*TFS, "OTHER"], n, p=[0.25, 0.25, 0.02, 0.1, 0.2, 0.1, 0.08]),
            "target": rng.choice([*GENES, "UNRANKED"], n),
            "coef": rng.normal(0, 0.05, n),
            "r2": rng.random(n),
            "lambda_": 0.1,
        },
        index=rng.permutation(n) + 100,
    )
    return links.drop_duplicates(["TF", "target"])


@pytest.fixture
def table():
    return make_table()


@pytest.fixture
def annotations():
    return make_annotations()


@pytest.fixture
def links():
    return make_links()


def make_filter(seed=0, **params):
    return MotifLinkFilter(make_table(seed), make_annotations(seed), **(PARAMS | params))


def motifs_by_loops(annotations, confidence):
    """Return the motifs of each TF with their confidence, a pair's highest one."""
    sure = {}
    for row in annotations.itertuples():
        if row.motif in MOTIFS and confidence in (row.confidence, "low"):
            pair = (row.TF, row.motif)
            sure[pair] = min(sure.get(pair, "low"), row.confidence)
    return sure


def auc_by_loops(ranks, top):
    below = sorted(rank for rank in ranks if rank < top)
    steps = [*below, top]
    area = sum((i + 1) * (steps[i + 1] - steps[i]) for i in range(len(below)))
    return Fraction(area, top * len(ranks))


def distances_by_loops(ranks_of, n_ranks):
    """Return per motif RCC − (mean + 2 sd) at each rank; `ranks_of` holds the targets' ranks."""
    distances = {motif: [] for motif in ranks_of}
    for x in range(n_ranks):
        recovered = {m: sum(rank <= x for rank in ranks) for m, ranks in ranks_of.items()}
        mean = sum(recovered.values()) / len(recovered)
        variance = sum((count - mean) ** 2 for count in recovered.values()) / (len(recovered) - 1)
        for motif, count in recovered.items():
            distances[motif].append(count - (mean + 2 * variance**0.5))
    return distances


def enrichment_by_loops(table, annotations, links, confidence="high", params=PARAMS, **changed):
    """Read DESIGN §3 from top to bottom: one row per TF, threshold and enriched motif."""
    params = {"coef_thresholds": (0.03, 0.04, 0.05)} | params | changed
    top = round(params["auc_fraction"] * (table.shape[1] + 1))
    sure = motifs_by_loops(annotations, confidence)
    rows, tested = [], []
    for tf in sorted({tf for tf, _ in sure}):
        for threshold in params["coef_thresholds"]:
            targets = {
                row.target
                for row in links[links["TF"] == tf].itertuples()
                if abs(row.coef) > threshold and row.target in table.columns
            }
            if len(targets) <= params["min_targets"]:
                continue
            tested.append((tf, threshold))
            ranks_of = {m: {g: int(table.loc[m, g]) for g in targets} for m in table.index}
            lists = {m: list(ranks.values()) for m, ranks in ranks_of.items()}
            auc = {m: auc_by_loops(ranks, top) for m, ranks in lists.items()}
            distances = distances_by_loops(lists, min(params["max_rank"], table.shape[1]))
            mean, sd = statistics.mean(auc.values()), statistics.stdev(auc.values())
            for motif in table.index:
                nes = float(auc[motif] - mean) / sd
                if (tf, motif) not in sure or nes < params["nes_threshold"]:
                    continue
                # Distances that are equal may differ in their last bits.
                far = max(distances[motif])
                edge = next(x for x, d in enumerate(distances[motif]) if d >= far - 1e-12)
                inside = [g for g, rank in ranks_of[motif].items() if rank <= edge]
                rows.append(
                    {
                        "TF": tf,
                        "coef_threshold": threshold,
                        "n_targets": len(targets),
                        "motif": motif,
                        "database": "",
                        "auc": float(auc[motif]),
                        "nes": nes,
                        "rank": 1 + sum(other > auc[motif] for other in auc.values()),
                        "confidence": sure[tf, motif],
                        "rank_at_max": edge,
                        "n_leading_edge": len(inside),
                        "targets": tuple(sorted(inside, key=ranks_of[motif].get)),
                    }
                )
    return pd.DataFrame(rows, columns=ENRICHMENT), tested


def assert_same_rows(found, expected):
    keys = ["TF", "coef_threshold", "motif"]
    pd.testing.assert_frame_equal(
        found.sort_values(keys).reset_index(drop=True),
        expected.sort_values(keys).reset_index(drop=True).astype(found.dtypes.to_dict()),
        rtol=1e-12,
    )


def verdict_by_loops(row, enrichment, tested, annotated, ranked=GENES):
    """Return the reason to drop a link, and the motif that keeps it."""
    below = [threshold for threshold in (0.03, 0.04, 0.05) if abs(row.coef) > threshold]
    own = enrichment[(enrichment["TF"] == row.TF) & enrichment["coef_threshold"].isin(below)]
    if not below:
        return "|coef| not above 0.03", None
    if row.target not in ranked:
        return "target not in the ranking database", None
    if row.TF not in annotated:
        return "TF has no annotated motif in the database", None
    if not any((row.TF, threshold) in tested for threshold in below):
        return "TF has no more than 3 targets in the ranking database", None
    if own.empty:
        return "no motif of the TF enriched at this |coef|", None
    supporting = [r for r in own.itertuples() if row.target in r.targets]
    if not supporting:
        return "target not in a motif's leading edge", None
    return "", min(supporting, key=lambda r: (r.confidence, -r.nes))


@given(st.integers(0, 10_000), st.sampled_from(["high", "low"]))
@settings(max_examples=8, deadline=None)
def test_equals_plain_loops(seed, confidence):
    table, annotations, links = make_table(seed), make_annotations(seed), make_links(seed)
    motifs = make_filter(seed, confidence=confidence).fit(links)
    expected, tested = enrichment_by_loops(table, annotations, links, confidence)
    assert list(motifs.enrichment_.columns) == ENRICHMENT
    assert_same_rows(motifs.enrichment_, expected)
    tests = list(zip(motifs.tests_["TF"], motifs.tests_["coef_threshold"], strict=True))
    assert tests == tested
    annotated = {tf for tf, _ in motifs_by_loops(annotations, confidence)}
    for row in motifs.ledger_.itertuples():
        reason, best = verdict_by_loops(row, expected, tested, annotated)
        assert row.reason == reason
        assert row.kept == (reason == "")
        if best is None:
            assert all(pd.isna(getattr(row, name)) for name in EVIDENCE)
        else:
            assert row.motif_nes == pytest.approx(best.nes, rel=1e-12)
            assert row.motif_confidence == best.confidence
            assert row.motif_rank == best.rank
            assert isinstance(row.motif, str)


def test_every_reason_occurs(links):
    reasons = set()
    for seed in range(8):
        reasons |= set(make_filter(seed).fit(make_links(seed)).ledger_["reason"])
    assert len(reasons) == 7


def test_survivors_are_the_kept_rows_of_the_ledger(links):
    motifs = make_filter()
    survivors = motifs.fit_transform(links)
    ledger = motifs.ledger_
    pd.testing.assert_frame_equal(ledger[list(LINK_COLUMNS)], links)
    assert 0 < len(survivors) < len(links)
    assert list(survivors.columns) == [*LINK_COLUMNS, *EVIDENCE]
    assert list(survivors.index) == list(ledger.index[ledger["kept"]])
    assert survivors["motif_rank"].dtype == np.int64
    assert (survivors["motif_confidence"] == "high").all()
    own = motifs.enrichment_.explode("targets")
    pairs = set(zip(own["TF"], own["targets"], strict=True))
    assert set(zip(survivors["TF"], survivors["target"], strict=True)) <= pairs


def test_low_confidence_adds_links_and_never_takes_evidence_from_high(links):
    found_low = 0
    for seed in range(5):
        links = make_links(seed)
        high = make_filter(seed).fit_transform(links)
        low = make_filter(seed, confidence="low").fit_transform(links)
        assert set(high.index) <= set(low.index)
        pd.testing.assert_frame_equal(low.loc[high.index], high)
        added = low.drop(index=high.index)
        assert (added["motif_confidence"] == "low").all()
        found_low += len(added)
    assert found_low > 0


def test_tests_record_the_best_motif(table, annotations, links):
    motifs = make_filter(nes_threshold=-100.0, confidence="low").fit(links)
    tests = motifs.tests_
    assert list(tests.columns) == [
        *["TF", "coef_threshold", "n_targets", "n_motifs", "n_enriched"],
        *["best_motif", "best_nes", "best_rank", "database"],
    ]
    best = motifs.enrichment_.sort_values(["nes", "motif"], ascending=[False, True])
    best = best.groupby(["TF", "coef_threshold"]).first().reset_index()
    np.testing.assert_array_equal(tests["best_nes"], best["nes"])
    np.testing.assert_array_equal(tests["best_motif"], best["motif"])
    np.testing.assert_array_equal(tests["best_rank"], best["rank"])
    # With this threshold all motifs of the TF are enriched.
    np.testing.assert_array_equal(tests["n_enriched"], tests["n_motifs"])
    sizes = motifs.enrichment_.groupby(["TF", "coef_threshold"]).size()
    np.testing.assert_array_equal(tests["n_motifs"], sizes)
    assert motifs.enrichment_.groupby(["TF", "coef_threshold"])["nes"].apply(
        lambda nes: nes.is_monotonic_decreasing
    ).all()  # fmt: skip


def test_tied_motifs_share_the_best_place():
    table = make_table()
    table.loc["m1"] = table.loc["m0"]
    annotations = pd.DataFrame({"motif": ["m1", "m0"], "TF": "A"})
    motifs = MotifLinkFilter(table, annotations, **(PARAMS | {"nes_threshold": -100.0}))
    found = motifs.fit(make_links()).enrichment_
    assert set(found["motif"]) == {"m0", "m1"}
    ranks = found.pivot(index="coef_threshold", columns="motif", values="rank")
    np.testing.assert_array_equal(ranks["m0"], ranks["m1"])
    assert set(motifs.tests_["best_motif"]) == {"m0"}


@given(st.randoms(use_true_random=False))
@settings(max_examples=4, deadline=None)
def test_order_and_repeated_rows_do_not_matter(random):
    def shuffled(frame):
        return frame.sample(frac=1, random_state=random.randrange(2**31))

    links, table = make_links(), make_table()
    first = make_filter().fit(links)
    again = MotifLinkFilter(
        shuffled(shuffled(table).T).T, shuffled(make_annotations()), **PARAMS
    ).fit(pd.concat([more := shuffled(links), more.iloc[:30]]))
    pd.testing.assert_frame_equal(first.enrichment_, again.enrichment_)
    pd.testing.assert_frame_equal(first.tests_, again.tests_)
    pd.testing.assert_frame_equal(first.transform(links), again.transform(more).loc[
        first.transform(links).index])  # fmt: skip


@given(st.integers(0, 1000), st.sampled_from([0.5, 3.0, -1.0]))
@settings(max_examples=4, deadline=None)
def test_scaling_coefficients_and_thresholds_changes_nothing(seed, scale):
    links = make_links(seed)
    thresholds = [abs(scale) * threshold for threshold in (0.03, 0.04, 0.05)]
    scaled = links.assign(coef=scale * links["coef"])
    first = make_filter(seed).fit_transform(links)
    second = make_filter(seed, coef_thresholds=thresholds).fit_transform(scaled)
    pd.testing.assert_frame_equal(first[EVIDENCE], second[EVIDENCE])


def test_tests_of_a_tf_do_not_depend_on_other_tfs(links):
    only = links[links["TF"] == "A"]
    alone, among = make_filter().fit(only), make_filter().fit(links)
    pd.testing.assert_frame_equal(
        alone.enrichment_, among.enrichment_[among.enrichment_["TF"] == "A"].reset_index(drop=True)
    )
    more = pd.concat([links, links.assign(target="UNRANKED"), links.assign(coef=0.001)])
    pd.testing.assert_frame_equal(make_filter().fit(more).enrichment_, among.enrichment_)


def test_the_strongest_of_repeated_pairs_is_used(links):
    weak = pd.concat([links.assign(coef=0.001), links, links.assign(coef=-0.0305)])
    strong = links.assign(coef=np.where(links["coef"].abs() > 0.0305, links["coef"], 0.0305))
    pd.testing.assert_frame_equal(
        make_filter().fit(weak).enrichment_, make_filter().fit(strong).enrichment_
    )


def test_the_union_over_thresholds():
    is_larger = []
    for seed in range(2):
        links = make_links(seed)
        union = set(make_filter(seed).fit_transform(links).index)
        each = [
            set(make_filter(seed, coef_thresholds=[threshold]).fit_transform(links).index)
            for threshold in (0.03, 0.04, 0.05)
        ]
        assert union == set.union(*each)
        is_larger.append(union > each[0])
        doubled = make_filter(seed, coef_thresholds=np.array([0.05, 0.03, 0.04, 0.04]))
        assert set(doubled.fit_transform(links).index) == union
    assert any(is_larger)


def test_names_are_compared_exactly():
    """R's scripts would also use the motifs of NKX2-1 for NKX2."""
    table = make_table()
    annotations = pd.DataFrame({"motif": ["m0"], "TF": ["NKX2-1"]})
    best = table.loc["m0"].sort_values().index[:10]
    links = pd.DataFrame(
        {"TF": ["NKX2"] * 10 + ["NKX2-1"] * 10, "target": [*best, *best], "coef": 0.1}
    )
    motifs = MotifLinkFilter(table, annotations)
    assert set(motifs.fit_transform(links)["TF"]) == {"NKX2-1"}
    reasons = motifs.ledger_.groupby("TF")["reason"].unique()
    assert list(reasons["NKX2"]) == ["TF has no annotated motif in the database"]


def test_transform_of_other_links_uses_the_fit(links):
    motifs = make_filter().fit(links)
    kept = motifs.transform(links)
    part = links.loc[[*kept.index[::2], *links.index.difference(kept.index)]]
    pd.testing.assert_frame_equal(motifs.transform(part), kept.iloc[::2])
    new = kept[list(LINK_COLUMNS)].assign(TF="D", coef=1.0)
    assert motifs.transform(new).empty
    assert motifs.set_params(nes_threshold=99.0).transform(links).equals(kept)


def test_score_is_the_mean_best_score(links):
    motifs = make_filter().fit(links)
    assert motifs.score(links) == pytest.approx(motifs.tests_["best_nes"].mean(), rel=1e-15)
    weak = links[links["coef"].abs() < 0.03]
    assert motifs.score(weak) == 0.0
    shuffled = links.assign(target=np.random.default_rng(0).permutation(links["target"]))
    assert motifs.score(shuffled) != motifs.score(links)


def test_motifs_that_all_recover_the_same_have_no_score():
    table = pd.DataFrame(np.tile(np.arange(60), (25, 1)), index=MOTIFS, columns=GENES)
    links = pd.DataFrame({"TF": "A", "target": GENES[:10], "coef": 0.1})
    motifs = MotifLinkFilter(table, pd.DataFrame({"motif": ["m0"], "TF": ["A"]}))
    assert motifs.fit_transform(links).empty
    assert motifs.tests_["best_nes"].isna().all()
    assert motifs.score(links) == 0.0
    assert set(motifs.ledger_["reason"]) == {"no motif of the TF enriched at this |coef|"}


EMPTY = pd.DataFrame({name: pd.Series(dtype=object) for name in LINK_COLUMNS}).astype(
    {"coef": float, "r2": float, "lambda_": float}
)


def test_empty_links_give_an_empty_result():
    motifs = make_filter()
    with pytest.warns(UserWarning, match="keeps no link: none of the 0 links"):
        survivors = motifs.fit_transform(EMPTY)
    assert survivors.empty
    assert list(survivors.columns) == [*LINK_COLUMNS, *EVIDENCE]
    assert survivors["motif_rank"].dtype == np.int64
    assert motifs.enrichment_.empty
    assert motifs.enrichment_.dtypes.equals(make_filter().fit(make_links()).enrichment_.dtypes)
    assert motifs.score(EMPTY) == 0.0


def test_thresholds_above_all_links_warn(links):
    motifs = make_filter(coef_thresholds=[9.0])
    with pytest.warns(
        UserWarning, match=r"more targets there than `min_targets=3` with \|coef\| > 9.0"
    ):
        assert motifs.fit_transform(links).empty
    assert list(motifs.transform(links).columns) == [*LINK_COLUMNS, *EVIDENCE]


def test_so_few_motifs_that_none_can_be_enriched(links):
    motifs = MotifLinkFilter(make_table()[:8], make_annotations())
    with pytest.warns(
        UserWarning,
        match=r"database of 8 motifs allows no NES above 2.47, less than `nes_threshold=3.0`",
    ):
        assert motifs.fit_transform(links).empty
    assert len(motifs.tests_) > 0


@pytest.mark.parametrize(
    ("column", "rename", "cause"),
    [
        ("TF", str.lower, "letter case is ignored"),
        ("target", str.lower, "letter case is ignored"),
        ("TF", lambda name: f"X-{name}", "do not match in any letter case"),
        ("target", lambda name: "ENSG00000136997.21", "Ensembl ids are found in `links` only"),
    ],
)
def test_no_overlap_shows_both_sides_and_the_cause(links, column, rename, cause):
    renamed = links.assign(**{column: links[column].map(rename)})
    with pytest.raises(ValueError, match=rf"No {column} of `links`.*{cause}") as error:
        make_filter().fit(renamed)
    assert repr(sorted(set(renamed[column]))[0]) in str(error.value)


def test_annotations_of_another_database(links):
    other = make_annotations().assign(motif=lambda t: "v9__" + t["motif"])
    motifs = MotifLinkFilter(make_table(), other)
    with pytest.raises(
        ValueError,
        match=r"No annotated motif.*'v9__absent1'.*rankings: 'm0'.*the same motif collection",
    ):
        motifs.fit(links)


def test_tfs_whose_motifs_are_in_other_databases_only(links):
    only = links[links["TF"] == "D"].assign(coef=0.1)
    motifs = make_filter()
    with pytest.warns(UserWarning, match="a TF with an annotated motif in the database and"):
        assert motifs.fit_transform(only).empty
    unranked = ~only["target"].isin(GENES)
    expected = np.where(unranked, "target not in the ranking database",
                        "TF has no annotated motif in the database")  # fmt: skip
    np.testing.assert_array_equal(motifs.ledger_["reason"], expected)


def test_tfs_of_low_confidence_only(links):
    low = make_annotations().assign(confidence="low")
    with pytest.raises(ValueError, match=r"low confidence.*confidence=\"low\""):
        MotifLinkFilter(make_table(), low, **PARAMS).fit(links)
    kept = MotifLinkFilter(make_table(), low, confidence="low", **PARAMS).fit_transform(links)
    assert set(kept["motif_confidence"]) == {"low"}


def test_auc_of_no_rank(links):
    with pytest.raises(ValueError, match=r"`auc_fraction` = 0.001 of 61 columns rounds to 0 ranks"):
        make_filter(auc_fraction=0.001).fit(links)


@pytest.mark.parametrize(
    "params",
    [
        {"rankings": 3},
        {"annotations": 3},
        {"coef_thresholds": 0.03},
        {"nes_threshold": "high"},
        {"auc_fraction": 0.0},
        {"auc_fraction": 1.5},
        {"min_targets": -1},
        {"min_targets": 2.5},
        {"confidence": "medium"},
        {"max_rank": 0},
    ],
)
def test_bad_parameters(links, params):
    with pytest.raises(ValueError, match=f"'{next(iter(params))}' parameter of MotifLinkFilter"):
        make_filter().set_params(**params).fit(links)


@pytest.mark.parametrize("thresholds", [[], [-0.1], [np.nan], ["a"], [[0.1]]])
def test_bad_thresholds(links, thresholds):
    with pytest.raises(ValueError, match="`coef_thresholds` must hold one or more numbers"):
        make_filter(coef_thresholds=thresholds).fit(links)


def test_inputs_stay_untouched(links):
    table, annotations = make_table(), make_annotations()
    before = [frame.copy() for frame in (table, annotations, links)]
    motifs = MotifLinkFilter(table, annotations, **PARAMS).fit(links)
    motifs.transform(links)["coef"] = 0.0
    motifs.score(links)
    for frame, copy in zip((table, annotations, links), before, strict=True):
        pd.testing.assert_frame_equal(frame, copy)


def test_rankings_and_annotations_as_files(tmp_path, links):
    feather = pytest.importorskip("pyarrow.feather", reason="files are read with pyarrow")
    path, csv = tmp_path / "db.feather", tmp_path / "annotations.csv"
    feather.write_feather(make_table().reset_index(names="motifs"), str(path))
    make_annotations().to_csv(csv, index=False)
    expected = make_filter().fit(links)
    for rankings in (path, str(path), MotifRankings.read(path)):
        motifs = MotifLinkFilter(rankings, csv, **PARAMS).fit(links)
        assert motifs.rankings is rankings
        assert set(motifs.enrichment_["database"]) == {"db"}
        enrichment, ledger = motifs.enrichment_.assign(database=""), motifs.ledger_
        pd.testing.assert_frame_equal(enrichment, expected.enrichment_)
        has_motif = ledger["motif"].notna()
        assert (ledger.loc[has_motif, "motif_database"] == "db").all()
        names = ledger["motif_database"].where(~has_motif, "")
        pd.testing.assert_frame_equal(ledger.assign(motif_database=names), expected.ledger_)
    path.unlink()
    # A fitted filter no longer requires the file.
    again = pickle.loads(pickle.dumps(motifs))
    given = [name for name in EVIDENCE if name != "motif_database"]
    pd.testing.assert_frame_equal(again.transform(links)[given], expected.transform(links)[given])


@given(st.integers(0, 10_000))
@settings(max_examples=8, deadline=None)
def test_several_databases_are_tested_one_by_one_and_united(seed):
    links, annotations = make_links(seed), make_annotations(seed)
    other = make_table(seed + 1).iloc[:, :50].rank(axis=1).astype(int) - 1
    other = other.rename(index={"m0": "n0"})
    tables = [make_table(seed), other]
    single = [MotifLinkFilter(table, annotations, **PARAMS).fit(links) for table in tables]
    both = MotifLinkFilter(tables, annotations, **PARAMS).fit(links)
    for name in ("enrichment_", "tests_"):
        expected = pd.concat([getattr(each, name) for each in single], ignore_index=True)
        pd.testing.assert_frame_equal(getattr(both, name), expected, check_dtype=False)
    kept = np.logical_or.reduce([each.ledger_["kept"] for each in single])
    np.testing.assert_array_equal(both.ledger_["kept"], kept)
    nes = pd.concat([each.ledger_["motif_nes"] for each in single], axis=1)
    np.testing.assert_array_equal(both.ledger_["motif_nes"], nes.max(axis=1))


def test_several_files(tmp_path, links, annotations):
    feather = pytest.importorskip("pyarrow.feather", reason="files are read with pyarrow")
    paths = [tmp_path / f"db_{i}.genes_vs_motifs.rankings.feather" for i in range(2)]
    for i, path in enumerate(paths):
        feather.write_feather(make_table(i).reset_index(names="motifs"), str(path))
    databases = MotifRankings.read(paths)
    assert [each.name for each in databases] == ["db_0", "db_1"]
    motifs = MotifLinkFilter(databases, annotations, **PARAMS).fit(links)
    assert motifs.rankings_ == databases
    found = motifs.ledger_.dropna(subset="motif")
    assert set(found["motif_database"]) == {"db_0", "db_1"}
    with pytest.raises(ValueError, match=r"different names, got the name 'db_0'.* twice"):
        MotifLinkFilter([paths[0], paths[0]], annotations).fit(links)
    with pytest.raises(ValueError, match="different names, got an empty list"):
        MotifLinkFilter([], annotations).fit(links)


def test_clones_share_the_rankings():
    rankings = MotifRankings.from_table(make_table())
    motifs = MotifLinkFilter(rankings, make_annotations(), **PARAMS)
    assert clone(motifs).rankings is rankings
