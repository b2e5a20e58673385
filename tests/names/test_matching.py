"""Comparison and renaming of names: overlap, cause of a mismatch, rules, examples."""

import logging
import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scifate_sklearn.names import (
    examples,
    find_cause,
    ignoring_case,
    overlap_share,
    plan_renaming,
    require_common,
    require_overlap,
)
from scifate_sklearn.names._matching import explain_mismatch

GENES = [f"Gene{i}" for i in range(40)]
MYC, SOX2 = "ENSG00000136997", "ENSG00000181449"


def upper(names):
    return [name.upper() for name in names]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], "none"),
        (["b", "a"], "'b', 'a'"),
        ({"b", "a"}, "'a', 'b'"),
        ([f"g{i}" for i in range(1007)], "'g0', 'g1', 'g2', 'g3', 'g4' and 1,002 more"),
        (["x" * 99, 3.5, None], f"'{'x' * 40}', 3.5, None"),
        (pd.Index(["a"]), "'a'"),
    ],
)
def test_examples(names, expected):
    assert examples(names) == expected


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ([MYC], ["MYC"], "our_ids"),
        (["MYC"], [MYC], "their_ids"),
        ([MYC], ["ENSMUSG00000022346"], "species"),
        ([f"{MYC}.1"], [f"{MYC}.2"], "versions"),
        (["Pax6"], ["PAX6"], "case"),
        (["Pax6"], ["MYC"], None),
        ([], [], None),
    ],
)
def test_causes(ours, theirs, expected):
    assert find_cause(ours, theirs) == expected
    with pytest.raises(ValueError, match=rf"^No gene of `a` is in `b` .* <{expected}>$"):
        require_common(ours, theirs, "`a`", "`b`", what="gene", hint=lambda cause: f"<{cause}>")


def test_one_common_name_is_enough():
    require_common(iter(["a", *GENES]), iter(["a", *upper(GENES)]), "`a`", "`b`")


@given(st.text("aBcZ019-./()αβγΔµ", max_size=6), st.text("AbCz019-./()αβγδΜ", max_size=6))
def test_upper_and_casefold_agree_on_the_letters_of_gene_names(first, second):
    assert (ignoring_case(first) == ignoring_case(second)) == (
        first.casefold() == second.casefold()
    )


@pytest.mark.parametrize(
    ("ours", "theirs", "rule", "expected"),
    [
        (["Pax6"], ["PAX6", "MYC"], "case", {"PAX6": "Pax6"}),
        (["Pax6"], ["PAX6"], "versions", {}),
        ([f"{MYC}.21"], [f"{MYC}.15", SOX2], "versions", {f"{MYC}.15": f"{MYC}.21"}),
        ([MYC], [f"{MYC}.15"], "auto", {f"{MYC}.15": MYC}),
        ([MYC.lower()], [f"{MYC}.15"], "auto", {f"{MYC}.15": MYC.lower()}),
        (["A.1"], ["A.2"], "versions", {}),  # a clone's name, not an Ensembl id
        (["C1orf112"], ["C1ORF112"], "auto", {"C1ORF112": "C1orf112"}),
        # Aliases apply in both directions.
        (["NELFE"], ["RDBP"], {"RDBP": "NELFE"}, {"RDBP": "NELFE"}),
        (["RDBP"], ["NELFE"], {"RDBP": "NELFE"}, {"NELFE": "RDBP"}),
        (["x"], ["y"], {"x": "z", "y": "z"}, {"y": "x"}),
        (["x", "y"], ["y"], {"y": "x"}, {}),  # exact names win
        (["c"], ["a"], {"a": "b", "b": "c"}, {}),  # one step, no chains
    ],
)
def test_rules(ours, theirs, rule, expected):
    assert plan_renaming(ours, theirs, rule).new_names == expected
    if isinstance(rule, dict):
        table = pd.DataFrame(rule.items(), columns=["old", "new"])
        assert plan_renaming(ours, theirs, table).new_names == expected


def test_aliases_with_several_new_names_are_left_out(caplog):
    table = pd.DataFrame({"old": ["x", "x", "y", "y"], "new": ["a", "b", "c", "c"]})
    with caplog.at_level(logging.INFO, logger="scifate_sklearn"):
        assert plan_renaming(["a", "c"], ["x", "y"], table).new_names == {"y": "c"}
    assert "aliases with several new names ignored: 'x'" in caplog.text


@pytest.mark.parametrize(
    ("n_common", "n_ours", "n_theirs", "enough"),
    [
        (0, 20, 20, False),
        (1, 20, 20, False),
        (2, 20, 20, True),
        (1, 3, 500, True),  # a small table of links
        (2, 500, 3, True),  # a small reference
        (9, 100, 100, False),
        (10, 100, 100, True),
    ],
)
def test_a_tenth_of_the_smaller_side_is_enough(n_common, n_ours, n_theirs, enough):
    common = [f"c{i}" for i in range(n_common)]
    ours = [*common, *(f"o{i}" for i in range(n_ours - n_common))]
    theirs = [*common, *(f"t{i}" for i in range(n_theirs - n_common))]
    assert overlap_share(ours, theirs) == n_common / min(n_ours, n_theirs)
    if enough:
        require_overlap(ours, theirs, what="TF")
        return
    with pytest.raises(ValueError, match="TF") as caught:
        require_overlap(ours, theirs, what="TF")
    message = str(caught.value)
    assert "'o0'" in message or "'o10'" in message
    assert "'t0'" in message or "'t10'" in message
    assert ("No TF of `links`" in message) == (n_common == 0)
    assert (f"Only {n_common} TF names" in message) == (n_common > 0)


@pytest.mark.parametrize(
    ("ours", "theirs", "cause"),
    [
        (["Pax6", "Myc"], ["PAX6", "MYC"], "letter case is ignored"),
        ([f"{MYC}.1"], [f"{MYC}.2"], "match without the Ensembl versions"),
        ([MYC], ["MYC"], "Ensembl ids are found in `links` only"),
        ([MYC], ["ENSMUSG00000022346"], "species, 'ENSG' and 'ENSMUSG'"),
        (["dMyc"], ["Sox2"], "do not match in any letter case"),
        # A few common names do not hide the cause.
        (["A", *GENES], ["A", *upper(GENES)], "letter case is ignored"),
        (["A", *GENES], ["A", *(f"x{i}" for i in range(40))], "do not match in any letter case"),
    ],
)
def test_likely_causes(ours, theirs, cause):
    assert cause in explain_mismatch(ours, theirs, "`links`", "the reference")
    turned = explain_mismatch(theirs, ours, "`links`", "the reference")
    assert re.search(r"Ensembl|letter case", turned)
