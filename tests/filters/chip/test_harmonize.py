"""Names of links and reference: overlap, cause of a mismatch, and renaming."""

import logging
import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from scifate_sklearn.filters import (
    BindingReference,
    EncodeLinkFilter,
    harmonize_reference,
    name_overlap,
)
from scifate_sklearn.names import plan_renaming

GENES = [f"Gene{i}" for i in range(40)]


def upper(names):
    return [name.upper() for name in names]


def bound_front(tfs, genes):
    """Return a reference in which every TF binds the first ten genes."""
    edges = pd.MultiIndex.from_product([tfs, genes[:10]], names=["TF", "target"]).to_frame()
    return BindingReference.from_edges(edges, genes)


def links_to_front(tfs, genes):
    """Return strong links of every TF to the first six genes, and to three others."""
    pairs = pd.MultiIndex.from_product([tfs, [*genes[:6], *genes[30:33]]], names=["TF", "target"])
    return pairs.to_frame(index=False).assign(coef=0.1, r2=0.5, lambda_=0.1)


def as_dict(reference):
    """Return {(TF, gene): status}."""
    return {
        (tf, gene): int(status)
        for tf, row in zip(reference.tfs, reference.status, strict=True)
        for gene, status in zip(reference.genes, row, strict=True)
    }


# ---------------------------------------------------------------------------- renaming


def united_by_hand(reference, ours, key):
    """Rename and unite by plain loops: exact names first, then the only one of equal key."""

    def new_name(name, known):
        if name in known:
            return name
        found = [other for other in known if key(other) == key(name)]
        return found[0] if len(found) == 1 else name

    united = {}
    for (tf, gene), status in as_dict(reference).items():
        pair = new_name(tf, ours["TF"]), new_name(gene, ours["target"])
        united[pair] = max(status, united.get(pair, 0))
    return united


# Few letters in both cases, so that names match, differ in case and collide.
names = st.sets(st.text("aAbB", min_size=1, max_size=3), min_size=1, max_size=8)
KEYS = {"case": str.upper, "versions": str, "auto": str.upper}


@st.composite
def references(draw):
    tfs, genes = sorted(draw(names)), sorted(draw(names))
    status = draw(
        st.lists(st.integers(0, 2), min_size=len(tfs) * len(genes), max_size=len(tfs) * len(genes))
    )
    # Two more genes keep both classes present after names are united.
    flags = np.full((len(tfs), 2), [1, 2])
    return BindingReference(
        tfs, [*genes, "?", "!"], np.hstack([np.reshape(status, (len(tfs), len(genes))), flags])
    )


@settings(max_examples=40, deadline=None, derandomize=True)
@given(references(), names, names, st.sampled_from(sorted(KEYS)))
def test_harmonized_as_by_plain_loops(reference, tfs, genes, rule):
    ours = {"TF": tfs, "target": genes}
    before = as_dict(reference)
    found = harmonize_reference(reference, ours, rule)
    assert as_dict(found) == united_by_hand(reference, ours, KEYS[rule])
    assert as_dict(reference) == before
    # A second time changes nothing.
    assert harmonize_reference(found, ours, rule) is found


@settings(max_examples=40, deadline=None, derandomize=True)
@given(references(), names, names, st.sampled_from(sorted(KEYS)), st.randoms())
def test_order_does_not_matter(reference, tfs, genes, rule, random):
    def shuffled(values):
        values = list(values)
        random.shuffle(values)
        return values

    rows, columns = (shuffled(range(n)) for n in reference.status.shape)
    other = BindingReference(
        reference.tfs[rows], reference.genes[columns], reference.status[rows][:, columns]
    )
    ours = {"TF": sorted(tfs), "target": sorted(genes)}
    again = {"TF": shuffled(ours["TF"] * 2), "target": shuffled(ours["target"])}
    first, second = (
        harmonize_reference(reference, ours, rule),
        harmonize_reference(other, again, rule),
    )
    assert as_dict(first) == as_dict(second)
    pd.testing.assert_frame_equal(
        name_overlap(ours, reference, rule), name_overlap(again, other, rule)
    )


@settings(max_examples=40, deadline=None, derandomize=True)
@given(names, names, st.dictionaries(st.text("aAbB", min_size=1, max_size=3), st.just("ab")))
def test_overlap_by_its_definition(ours, theirs, aliases):
    def share(first, second):
        return len(first & second) / min(len(first), len(second))

    sides = {"TF": ours, "target": ours}, {"TF": theirs, "target": theirs}
    for rule in (None, "case", "versions", "auto", aliases):
        row = name_overlap(*sides, rule).loc["TF"]
        plan = plan_renaming(ours, theirs, rule)
        renamed = {plan(name) for name in theirs}
        assert (row["n_links"], row["n_reference"]) == (len(ours), len(theirs))
        assert row["n_common"] == len(ours & theirs)
        assert row["share"] == share(ours, theirs)
        assert row["share_ignoring_case"] == share(set(upper(ours)), set(upper(theirs)))
        assert row["share_ignoring_versions"] == row["share"]
        assert row["n_harmonized"] == len(ours & renamed) >= row["n_common"]
        assert row["share_harmonized"] == share(ours, renamed) >= row["share"]
        assert row["n_renamed"] == sum(plan(name) != name for name in theirs)
        assert len(renamed) <= len(theirs) - row["n_united"]
        if rule is None:
            assert not row[["n_renamed", "n_united", "n_ambiguous"]].any()


def test_names_that_become_equal_are_united_and_counted(caplog):
    table = pd.DataFrame(
        {
            "TF": ["PAX6", "Pax6", "pax6", "MYC"],
            "target": ["INS", "GCG", "INS", "INS"],
        }
    )
    reference = BindingReference.from_edges(table)
    ours = {"TF": ["Pax6"], "target": ["Ins", "INs", "GCG"]}
    with caplog.at_level(logging.INFO, logger="scifate_sklearn"):
        united = harmonize_reference(reference, ours, "case")
    assert as_dict(united) == {
        ("Pax6", "INS"): 2, ("Pax6", "GCG"): 2, ("MYC", "INS"): 2, ("MYC", "GCG"): 1,
    }  # fmt: skip
    counts = name_overlap(ours, reference, "case")[["n_renamed", "n_united", "n_ambiguous"]]
    assert counts.loc["TF"].tolist() == [2, 1, 0]
    assert counts.loc["target"].tolist() == [0, 0, 1]
    assert "2 TF names of the reference renamed" in caplog.text
    assert "TF names united from several: 'Pax6'" in caplog.text
    assert "target names that match several and stay: 'INS'" in caplog.text


@pytest.mark.parametrize(
    ("rule", "error", "message"),
    [
        ("upper", ValueError, r"`harmonize` must be one of \('case', 'versions', 'auto'\)"),
        (3, TypeError, "a mapping or a DataFrame of aliases, got int"),
        ({"a": 1}, TypeError, "aliases must map strings to strings"),
        (
            pd.DataFrame({"x": ["a"], "new": ["b"]}),
            ValueError,
            r"lacks \['old'\]; found 'x', 'new'",
        ),
        (pd.DataFrame({"old": ["a"], "new": [None]}), TypeError, "strings to strings"),
    ],
)
def test_unknown_rules(rule, error, message):
    with pytest.raises(error, match=message):
        name_overlap({"TF": ["a"], "target": ["b"]}, {"TF": ["a"], "target": ["b"]}, rule)


# ---------------------------------------------------------------------------- reports


def test_overlap_of_all_kinds_of_input(tmp_path):
    reference = bound_front(["MYC", "PAX6"], upper(GENES))
    links = links_to_front(["Pax6"], GENES)
    table = links.rename(columns={"TF": "id"})[["id", "target"]].assign(TF=links["TF"])
    expected = name_overlap(links, reference, "case")
    assert expected.loc["TF", ["n_links", "n_reference", "n_harmonized"]].tolist() == [1, 2, 1]
    assert expected.loc["target", ["n_links", "n_common"]].tolist() == [9, 0]
    assert expected["share_harmonized"].tolist() == [1.0, 1.0]
    edges = pd.DataFrame([p for p, s in as_dict(reference).items()], columns=["TF", "target"])
    edges = edges.assign(peak=reference.status.ravel() - 1)
    edges.to_csv(tmp_path / "peaks.csv", index=False)
    for theirs in (edges, tmp_path / "peaks.csv", {"TF": reference.tfs, "target": reference.genes}):
        pd.testing.assert_frame_equal(name_overlap(links, theirs, "case"), expected)
    for ours in (table, {"TF": links["TF"], "target": set(links["target"])}):
        pd.testing.assert_frame_equal(name_overlap(ours, reference, "case"), expected)


def test_overlap_with_nothing():
    report = name_overlap({"TF": [], "target": [None]}, {"TF": ["a"], "target": ["b"]}, "auto")
    assert report["n_links"].tolist() == [0, 0]
    assert report.filter(like="share").isna().all(axis=None)
    assert report["n_harmonized"].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("links", "error", "message"),
    [
        (["MYC"], TypeError, "`links` must be a links table or a mapping.*got list"),
        ({"TF": ["a"]}, ValueError, "`links` must have names under .*lacks 'target'"),
        ({"TF": "MYC", "target": ["a"]}, TypeError, "'TF' must be a collection .*one string"),
        (pd.DataFrame({"TF": ["a"]}), ValueError, "lacks 'target'"),
    ],
)
def test_invalid_names(links, error, message):
    with pytest.raises(error, match=message):
        name_overlap(links, {"TF": ["a"], "target": ["b"]})
    if isinstance(links, dict):
        with pytest.raises(error, match=message.replace("links", "reference")):
            name_overlap({"TF": ["a"], "target": ["b"]}, links)


# ---------------------------------------------------------------------------- too little


# ---------------------------------------------------------------------------- the filter


def test_filter_of_mouse_links_by_an_upper_case_reference():
    tfs = ["Pax6", "Myc"]
    same = EncodeLinkFilter(bound_front(tfs, GENES))
    links = links_to_front(tfs, GENES)
    expected = same.fit_transform(links)
    assert set(expected["TF"]) == set(tfs)
    human = bound_front(upper(tfs), upper(GENES))
    for rule in ("case", "auto", dict(zip(upper([*tfs, *GENES]), [*tfs, *GENES], strict=True))):
        chip = EncodeLinkFilter(human, harmonize=rule)
        pd.testing.assert_frame_equal(chip.fit_transform(links), expected)
        pd.testing.assert_frame_equal(chip.ledger_, same.ledger_)
        pd.testing.assert_frame_equal(chip.enrichment_, same.enrichment_)
        assert chip.score(links) == same.score(links)
        assert chip.overlap_["share"].tolist() == [0.0, 0.0]
        assert chip.overlap_["share_harmonized"].tolist() == [1.0, 1.0]
        assert set(chip.reference_.tfs) == set(tfs)
        assert set(human.tfs) == set(upper(tfs))
    pd.testing.assert_frame_equal(same.overlap_, name_overlap(links, same.reference_))


def test_filter_counts_tested_targets_in_their_own_spelling():
    links = links_to_front(["Pax6"], GENES)
    same = EncodeLinkFilter.strict(bound_front(["Pax6"], GENES), tested_targets=GENES[:35])
    human = bound_front(["PAX6"], upper(GENES))
    chip = EncodeLinkFilter.strict(human, tested_targets=GENES[:35], harmonize="case")
    pd.testing.assert_frame_equal(chip.fit_transform(links), same.fit_transform(links))
    assert chip.overlap_.loc["target", ["n_links", "n_harmonized"]].tolist() == [35, 35]


def test_transform_matches_names_that_fit_has_not_seen():
    links = links_to_front(["Pax6"], GENES)
    chip = EncodeLinkFilter(bound_front(["PAX6"], upper(GENES)), harmonize="case").fit(links)
    others = links.assign(target=[*GENES[10:18], GENES[6]])
    found = chip.transform(others)
    assert found["target"].tolist() == others["target"].tolist()
    assert found["chip_peak"].tolist() == [False] * 8 + [True]


def test_too_little_overlap_leaves_the_report_and_the_last_fit():
    links = links_to_front(["Pax6", "Myc"], GENES)
    chip = EncodeLinkFilter(bound_front(["PAX6"], upper(GENES)))
    with pytest.raises(ValueError, match=r'No TF of `links`.*case.*Use `harmonize="case"`'):
        chip.fit(links)
    assert chip.overlap_["share_ignoring_case"].tolist() == [1.0, 1.0]
    with pytest.raises(NotFittedError):
        chip.transform(links)
    chip.set_params(reference=bound_front(["Pax6"], GENES)).fit(links)
    kept = chip.transform(links)
    chip.set_params(reference=bound_front(["PAX6"], upper(GENES)))
    with pytest.raises(ValueError, match="No TF"):
        chip.fit(links)
    pd.testing.assert_frame_equal(chip.transform(links), kept)


def test_a_few_common_names_are_not_enough_unless_allowed():
    tfs = [f"TF{i}" for i in range(20)]
    reference = bound_front([*(f"X{i}" for i in range(19)), "TF0"], GENES)
    links = links_to_front(tfs, GENES)
    with pytest.raises(
        ValueError,
        match=r"Only 1 TF names are in both `links` \(20\) and the reference \(20\), 5.0% of the "
        r"smaller side where 10% are required .*lower `min_overlap`",
    ):
        EncodeLinkFilter(reference).fit(links)
    kept = EncodeLinkFilter(reference, min_overlap=0.05).fit_transform(links)
    assert set(kept["TF"]) == {"TF0"}
    others = links[links["TF"] != "TF0"]
    with pytest.raises(ValueError, match="No TF"):
        EncodeLinkFilter(reference, min_overlap=0.01).fit(others)
    with pytest.warns(UserWarning, match="keeps no link"):
        nothing = EncodeLinkFilter(reference, min_overlap=0).fit(others)
    assert set(nothing.ledger_["reason"]) == {"TF not in the ChIP-seq reference"}


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"harmonize": "upper"}, "'harmonize' parameter"),
        ({"harmonize": ["case"]}, "'harmonize' parameter"),
        ({"min_overlap": 1.5}, "'min_overlap' parameter"),
        ({"harmonize": pd.DataFrame({"a": ["b"]})}, "requires the columns 'old' and 'new'"),
    ],
)
def test_wrong_parameters(params, message):
    chip = EncodeLinkFilter(bound_front(["A"], GENES), **params)
    with pytest.raises(ValueError, match=message):
        chip.fit(links_to_front(["A"], GENES))


def test_clones_and_pickles_keep_the_rule():
    aliases = {"PAX6": "Pax6"}
    links = links_to_front(["Pax6"], GENES)
    chip = EncodeLinkFilter(bound_front(["PAX6"], GENES), harmonize=aliases).fit(links)
    assert clone(chip).harmonize == aliases
    again = pickle.loads(pickle.dumps(chip))
    pd.testing.assert_frame_equal(again.transform(links), chip.transform(links))


@pytest.mark.parametrize(
    ("file", "shares"),
    [
        ("encode_enrichr/encode2015_edges_mouse.csv.gz", 0.8),
        ("encode_enrichr/chea2015_edges_human.csv.gz", 0.9),
    ],
)
def test_real_upper_case_sets_match_mouse_symbols(shared, file, shares):
    reference = BindingReference.read(shared / "data" / file)
    folder = shared / "reference" / "r_pancreas"
    ours = {role: (folder / f"{name}.txt").read_text().split()
            for role, name in (("TF", "tfs"), ("target", "genes"))}  # fmt: skip
    report = name_overlap(ours, reference, "case")
    assert (report["share"] < 0.01).all()
    assert report.loc["target", "share_harmonized"] > shares
    assert (report["share_harmonized"] <= report["share_ignoring_case"]).all()
    renamed = harmonize_reference(reference, ours, "case")
    assert renamed.n_peaks == reference.n_peaks
    assert len(set(ours["target"]) & set(renamed.genes)) == report.loc["target", "n_harmonized"]
