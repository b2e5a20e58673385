import pickle
import time

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from scifate_sklearn.filters import BindingReference, EncodeLinkFilter
from scifate_sklearn.filters.chip._enrichment import COUNT_COLUMNS
from scifate_sklearn.filters.chip._fisher import adjust_pvalues
from scifate_sklearn.links import LINK_COLUMNS

TESTS = ["chip_odds_ratio", "chip_p", "chip_q"]
EVIDENCE = ["chip_peak", *TESTS, *(f"chip_{name}" for name in COUNT_COLUMNS)]
GENES = [f"G{i}" for i in range(120)]


def make_reference(seed=0, n_tfs=8, tested=0.9):
    """Return a reference in which a TF binds half of the first 40 genes, and few of the others."""
    rng = np.random.default_rng(seed)
    rate = np.where(np.arange(len(GENES)) < 40, 0.6, 0.1)
    status = 1 + (rng.random((n_tfs, len(GENES))) < rate)
    status *= rng.random(status.shape) < tested
    return BindingReference([f"TF{i}" for i in range(n_tfs)], GENES, status)


def make_links(reference, seed=1, n_links=250):
    """Return links of six TFs of the reference and one other; the first three prefer peaks."""
    rng = np.random.default_rng(seed)
    tf = rng.integers(0, 7, n_links)
    gene = rng.integers(0, len(GENES), n_links)
    at_peak = [rng.choice(np.flatnonzero(reference.status[i] == 2)) for i in tf]
    gene = np.where((tf < 3) & (rng.random(n_links) < 0.6), at_peak, gene)
    links = pd.DataFrame(
        {
            "TF": np.where(tf == 6, "OTHER", "TF" + pd.Series(tf).astype(str)),
            "target": np.array([*GENES, "UNKNOWN"])[np.where(rng.random(n_links) < 0.05, -1, gene)],
            "coef": rng.normal(0, 0.15, n_links),
            "r2": rng.random(n_links),
            "lambda_": 0.1,
        }
    )
    return links.drop_duplicates(["TF", "target"])


@pytest.fixture
def reference():
    return make_reference()


@pytest.fixture
def links(reference):
    return make_links(reference)


def count_by_loops(reference, links, threshold=0.04, universe=None):
    strong = {(r.TF, r.target) for r in links.itertuples() if abs(r.coef) > threshold}
    counts = {}
    for i, tf in enumerate(reference.tfs):
        if tf not in {pair[0] for pair in strong}:
            continue
        cells = [0, 0, 0, 0]
        for j, gene in enumerate(reference.genes):
            if reference.status[i, j] and (universe is None or gene in universe):
                no_peak, no_link = reference.status[i, j] == 1, (tf, gene) not in strong
                cells[2 * no_link + no_peak] += 1
        counts[tf] = cells
    return counts


def counted(chip):
    return chip.enrichment_.set_index("TF")[list(COUNT_COLUMNS)].T.to_dict("list")


@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.04, 0.2]))
@settings(max_examples=25, deadline=None)
def test_counts_equal_plain_loops(seed, threshold):
    reference = make_reference(seed)
    links = make_links(reference, seed)
    chip = EncodeLinkFilter(reference, coef_threshold=threshold).fit(links)
    assert counted(chip) == count_by_loops(reference, links, threshold)
    chip.set_params(universe="tested").fit(links)
    assert counted(chip) == count_by_loops(reference, links, threshold, set(links["target"]))
    chip.set_params(tested_targets=[*GENES[::2], *links["target"]]).fit(links)
    universe = {*GENES[::2], *links["target"]}
    assert counted(chip) == count_by_loops(reference, links, threshold, universe)


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
@pytest.mark.parametrize("correction", ["holm", "fdr_bh"])
def test_enrichment_table(reference, links, alternative, correction):
    chip = EncodeLinkFilter(reference, alternative=alternative, correction=correction).fit(links)
    table = chip.enrichment_
    assert list(table.columns) == ["TF", *COUNT_COLUMNS, "odds_ratio", "p", "q", "kept", "verdict"]
    for row in table.itertuples():
        cells = [[row.link_peak, row.link_no_peak], [row.no_link_peak, row.no_link_no_peak]]
        expected = scipy.stats.fisher_exact(cells, alternative=alternative)
        assert row.p == pytest.approx(expected.pvalue, rel=1e-9)
        assert row.odds_ratio == pytest.approx(expected.statistic)
    np.testing.assert_array_equal(table["q"], adjust_pvalues(table["p"], correction))
    np.testing.assert_array_equal(table["kept"], table["q"] < 0.05)
    assert table["p"].is_monotonic_increasing
    # q is taken over the six TFs present in both, not over the eight of the reference.
    assert sorted(table["TF"]) == [f"TF{i}" for i in range(6)]


def test_pooled_test_is_that_of_the_summed_tables(reference, links):
    chip = EncodeLinkFilter(reference).fit(links)
    cells = [int(chip.enrichment_[name].sum()) for name in COUNT_COLUMNS]
    expected = scipy.stats.fisher_exact(np.reshape(cells, (2, 2)))
    assert [chip.pooled_[name] for name in COUNT_COLUMNS] == cells
    assert chip.pooled_["odds_ratio"] == pytest.approx(expected.statistic)
    assert chip.pooled_["p"] == pytest.approx(expected.pvalue, rel=1e-9)


@pytest.mark.parametrize("require_peak", [False, True])
def test_surviving_links(reference, links, require_peak):
    chip = EncodeLinkFilter(reference, require_peak=require_peak)
    survivors = chip.fit_transform(links)
    pairs = pd.MultiIndex.from_product([reference.tfs, reference.genes])
    status = pd.Series(reference.status.ravel(), pairs)
    kept = set(chip.enrichment_.loc[chip.enrichment_["kept"], "TF"])
    assert {"TF0", "TF1", "TF2"} & kept
    expected = [
        row.Index
        for row in links.itertuples()
        if abs(row.coef) > 0.04
        and row.TF in kept
        and status.get((row.TF, row.target), 0) >= (2 if require_peak else 1)
    ]
    assert list(survivors.index) == expected
    assert list(survivors.columns) == [*LINK_COLUMNS, *EVIDENCE]
    pd.testing.assert_frame_equal(survivors[list(LINK_COLUMNS)], links.loc[expected])
    peaks = [
        status[tf, target] == 2 for tf, target in zip(survivors.TF, survivors.target, strict=True)
    ]
    np.testing.assert_array_equal(survivors["chip_peak"], peaks)
    assert all(peaks) == require_peak
    tests = chip.enrichment_.set_index("TF").loc[survivors["TF"]]
    columns = [name.removeprefix("chip_") for name in EVIDENCE[1:]]
    np.testing.assert_array_equal(survivors[EVIDENCE[1:]], tests[columns])


@given(st.randoms(use_true_random=False))
@settings(max_examples=20, deadline=None)
def test_order_of_rows_and_repeated_rows_do_not_matter(random):
    reference = make_reference()
    links = make_links(reference)
    shuffled = links.sample(frac=1, random_state=random.randrange(2**31))
    first = EncodeLinkFilter(reference).fit(links)
    second = EncodeLinkFilter(reference).fit(pd.concat([shuffled, shuffled.iloc[:50]]))
    pd.testing.assert_frame_equal(first.enrichment_, second.enrichment_)
    pd.testing.assert_frame_equal(
        first.transform(links), second.transform(shuffled).loc[lambda t: t.index.sort_values()]
    )


def enriched_and_depleted():
    """UP is enriched, DOWN depleted, ALL has peaks everywhere."""
    peaks = {"UP": GENES[:30], "DOWN": GENES[30:90], "ALL": GENES}
    edges = [(tf, gene) for tf, genes in peaks.items() for gene in genes]
    reference = BindingReference.from_edges(pd.DataFrame(edges, columns=["TF", "target"]), GENES)
    pairs = [(tf, gene) for tf in peaks for gene in [*GENES[:20], *GENES[100:103]]]
    links = pd.DataFrame(pairs, columns=["TF", "target"]).assign(coef=-0.1, r2=0.5, lambda_=0.1)
    return reference, links


def test_published_defaults_keep_depleted_tfs_and_links_without_a_peak():
    reference, links = enriched_and_depleted()
    chip = EncodeLinkFilter(reference)
    survivors = chip.fit_transform(links)
    verdicts = dict(zip(chip.enrichment_["TF"], chip.enrichment_["verdict"], strict=True))
    assert verdicts == {"UP": "enriched", "DOWN": "depleted", "ALL": "empty margin"}
    assert chip.enrichment_.set_index("TF").loc["ALL", "p"] == 1.0
    assert set(survivors["TF"]) == {"UP", "DOWN"}
    assert not survivors["chip_peak"].all()


def test_strict_keeps_enriched_tfs_and_links_with_a_peak_over_tested_genes():
    reference, links = enriched_and_depleted()
    chip = EncodeLinkFilter.strict(reference, tested_targets=GENES[:110], q_threshold=0.01)
    survivors = chip.fit_transform(links)
    assert chip.get_params()["q_threshold"] == 0.01
    assert set(survivors["TF"]) == {"UP"}
    assert list(survivors["target"]) == GENES[:20]
    assert (chip.enrichment_[list(COUNT_COLUMNS)].sum(axis=1) == 110).all()
    assert EncodeLinkFilter.strict(reference, require_peak=False).require_peak is False


def test_score_is_the_pooled_haldane_log_odds_ratio(reference, links):
    chip = EncodeLinkFilter(reference).fit(links)
    a, b, c, d = (chip.pooled_[name] for name in COUNT_COLUMNS)
    expected = np.log((a + 0.5) * (d + 0.5) / ((b + 0.5) * (c + 0.5)))
    assert chip.score(links) == pytest.approx(expected, rel=1e-14)
    assert chip.score(links) > 0
    assert chip.score(links[links["coef"].abs() < 0.04]) == 0.0


def test_ledger_accounts_for_every_link(reference, links):
    chip = EncodeLinkFilter(reference, require_peak=True)
    survivors = chip.fit_transform(links)
    ledger = chip.ledger_
    pd.testing.assert_frame_equal(ledger[list(LINK_COLUMNS)], links)
    np.testing.assert_array_equal(ledger["kept"], ledger["reason"] == "")
    assert list(ledger.index[ledger["kept"]]) == list(survivors.index)
    status = pd.Series(
        reference.status.ravel(), pd.MultiIndex.from_product([reference.tfs, reference.genes])
    )
    enriched = chip.enrichment_.set_index("TF")["kept"]
    for row in ledger.itertuples():
        peak = status.get((row.TF, row.target), 0)
        expected = (
            "|coef| not above 0.04" if abs(row.coef) <= 0.04
            else "TF not in the ChIP-seq reference" if row.TF not in reference.tfs
            else "ChIP-seq: q of the TF not below 0.05" if not enriched[row.TF]
            else "pair not tested by ChIP-seq" if peak == 0
            else "no ChIP-seq peak" if peak == 1
            else ""
        )  # fmt: skip
        assert row.reason == expected
        assert pd.isna(row.chip_peak) if peak == 0 else row.chip_peak == (peak == 2)
        assert pd.isna(row.chip_link_peak) == pd.isna(row.chip_p) == (row.TF not in enriched)
    assert ledger["reason"].nunique() >= 5


def test_links_of_tfs_without_a_test_in_fit(reference, links):
    chip = EncodeLinkFilter(reference).fit(links[links["TF"] != "TF0"])
    strong = links[links["coef"].abs() > 0.04].assign(r2=0.1)
    reasons = chip.evaluate(strong).reasons
    assert set(reasons[(strong["TF"] == "TF0").to_numpy()]) == {
        "TF not tested: no strong link of it in `fit`"
    }


def test_polars_output(reference, links):
    polars = pytest.importorskip("polars")
    chip = EncodeLinkFilter(reference).set_output(transform="polars")
    found = chip.fit_transform(links)
    assert isinstance(found, polars.DataFrame)
    expected = EncodeLinkFilter(reference).fit_transform(links)
    assert found["target"].to_list() == expected["target"].to_list()


EMPTY = pd.DataFrame({name: pd.Series(dtype=object) for name in LINK_COLUMNS}).astype(
    {"coef": float, "r2": float, "lambda_": float}
)


@pytest.mark.parametrize("params", [{}, {"universe": "tested", "require_peak": True}])
def test_empty_links_give_an_empty_result(reference, params):
    chip = EncodeLinkFilter(reference, **params)
    with pytest.warns(UserWarning, match="keeps no link: none of the 0 links"):
        survivors = chip.fit_transform(EMPTY)
    assert survivors.empty
    assert list(survivors.columns) == [*LINK_COLUMNS, *EVIDENCE]
    assert survivors.dtypes[EVIDENCE].tolist() == [
        np.dtype(kind) for kind in (bool, *[float] * 3, *[np.int64] * 4)
    ]
    assert chip.enrichment_.empty
    assert chip.pooled_["p"] == 1.0
    assert chip.score(EMPTY) == 0.0


def test_threshold_above_all_links_warns(reference, links):
    chip = EncodeLinkFilter(reference, coef_threshold=9)
    with pytest.warns(UserWarning, match="coef_threshold=9"):
        assert chip.fit_transform(links).empty
    assert chip.transform(links).columns[-8:].tolist() == EVIDENCE
    chip.set_params(coef_threshold=0.04)
    assert chip.transform(links).empty


@pytest.mark.parametrize(
    ("rename", "column", "cause"),
    [
        (str.lower, "TF", r"ignored, as between mouse \(Pax6\) and human"),
        (lambda name: f"X-{name}", "TF", "do not match in any letter case"),
        (lambda name: "ENSG00000136997.21", "TF", "Ensembl ids are found in `links` only"),
        (str.lower, "target", 'Use `harmonize="case"`'),
    ],
)
def test_no_overlap_shows_both_sides_and_the_cause(reference, links, rename, column, cause):
    renamed = links.assign(**{column: links[column].map(rename)})
    with pytest.raises(
        ValueError, match=rf"No {column} of `links`.*the reference: '.*{cause}"
    ) as error:
        EncodeLinkFilter(reference).fit(renamed)
    assert repr(sorted(set(renamed[column]))[0]) in str(error.value)


def test_ensembl_versions_are_recognized():
    old = pd.DataFrame({"TF": "ENSG00000136997.15", "target": ["a"]})
    reference = BindingReference.from_edges(old, ["a", "b"])
    links = pd.DataFrame({"TF": ["ENSG00000136997.21"], "target": ["a"], "coef": [1.0]})
    with pytest.raises(ValueError, match="match without the Ensembl versions"):
        EncodeLinkFilter(reference).fit(links)


def test_map_names_of_an_upper_case_reference():
    reference, links = enriched_and_depleted()
    mouse = links.assign(TF=links["TF"].str.capitalize())
    renamed = reference.map_names({name.upper(): name for name in mouse["TF"]})
    survivors = EncodeLinkFilter(renamed).fit_transform(mouse)
    assert set(survivors["TF"]) == {"Up", "Down"}


def test_targets_missing_from_tested_targets(reference, links):
    chip = EncodeLinkFilter(reference, universe="tested", tested_targets=["G1"])
    with pytest.raises(ValueError, match="`tested_targets` must hold all targets"):
        chip.fit(links)


@pytest.mark.parametrize(
    "params",
    [
        {"reference": 3},
        {"coef_threshold": -0.1},
        {"q_threshold": 0},
        {"correction": "bonferroni"},
        {"alternative": "bigger"},
        {"universe": "all"},
        {"require_peak": "yes"},
        {"tested_targets": "MYC"},
    ],
)
def test_bad_parameters(reference, links, params):
    with pytest.raises(ValueError, match=f"'{next(iter(params))}' parameter of EncodeLinkFilter"):
        EncodeLinkFilter(reference).set_params(**params).fit(links)


def test_input_stays_untouched(reference, links):
    before, table = links.copy(), make_table(reference)
    table_before = table.copy()
    chip = EncodeLinkFilter(table, tested_targets=GENES).fit(links)
    chip.transform(links)["coef"] = 0.0
    chip.score(links)
    pd.testing.assert_frame_equal(links, before)
    pd.testing.assert_frame_equal(table, table_before)


def make_table(reference):
    row, column = np.nonzero(reference.status)
    return pd.DataFrame(
        {
            "TF": reference.tfs[row],
            "target": reference.genes[column],
            "peak": reference.status[row, column] - 1,
        }
    )


def test_reference_as_table_and_path(tmp_path, reference, links):
    table, path = make_table(reference), tmp_path / "peaks.csv"
    table.to_csv(path, index=False)
    expected = EncodeLinkFilter(reference).fit(links).enrichment_
    for given_reference in (table, path, str(path)):
        chip = EncodeLinkFilter(given_reference)
        assert chip.reference is given_reference
        pd.testing.assert_frame_equal(chip.fit(links).enrichment_, expected)


def test_clone_pickle_and_params(reference, links):
    chip = EncodeLinkFilter.strict(reference).fit(links)
    copy = clone(chip)
    assert copy.get_params() == chip.get_params()
    assert not hasattr(copy, "enrichment_")
    again = pickle.loads(pickle.dumps(chip))
    pd.testing.assert_frame_equal(again.transform(links), chip.transform(links))
    chip.set_params(alternative="less", universe="reference").fit(links)
    assert set(chip.enrichment_["verdict"]) <= {"depleted", "not significant"}


def test_large_reference_filters_in_under_a_second():
    rng = np.random.default_rng(0)
    tfs = np.array([f"TF{i}" for i in range(200)], dtype=object)
    genes = np.array([f"G{i}" for i in range(20_000)], dtype=object)
    reference = BindingReference(tfs, genes, 1 + (rng.random((200, 20_000)) < 0.15))
    links = pd.DataFrame(
        {"TF": rng.choice(tfs, 50_000), "target": rng.choice(genes, 50_000), "coef": 0.1}
    )
    start = time.perf_counter()
    EncodeLinkFilter.strict(reference).fit_transform(links)
    assert time.perf_counter() - start < 1.0


def test_mouse_sets_against_mouse_symbols(shared):
    path = shared / "data" / "encode_enrichr" / "encode2015_edges_mouse.csv.gz"
    reference = BindingReference.read(path)
    tf = reference.tfs[0]
    bound = reference.genes[reference.status[0] == 2][:300]
    links = pd.DataFrame({"TF": tf.capitalize(), "target": bound, "coef": 0.1})
    links["target"] = links["target"].str.capitalize()
    with pytest.raises(ValueError, match="letter case"):
        EncodeLinkFilter(reference).fit(links)
    names = {name.upper(): name for name in [*links["TF"], *links["target"]]}
    chip = EncodeLinkFilter(reference.map_names(names)).fit(links)
    assert chip.enrichment_.loc[0, "verdict"] == "enriched"
    assert len(chip.transform(links)) == 300
