import doctest
import importlib
import itertools
from dataclasses import fields

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scifate_sklearn import combine_links, compare_links
from scifate_sklearn.networks import LinkComparison

# Two networks and what R 4.2.2 makes of them. `df_TF_unique` and the correlation test of the
# paper's Combine_links in base R: unique() without the column Conf, rbind(), aggregate(cbind(
# corcoef, r_2) ~ TF + linked_gene, FUN = mean), and cor.test() on merge()d coefficients. MYC → NCL
# is in the first network twice, on different evidence.
FULL = pd.DataFrame(
    {
        "TF": ["MYC", "MYC", "E2F1", "E2F1", "SP1", "MYC", "MYC"],
        "target": ["NCL", "CDK4", "CDK4", "MCM2", "NCL", "ODC1", "NCL"],
        "coef": [0.31, -0.052, 0.127, 0.066, -0.21, 0.09, 0.31],
        "r2": [0.40, 0.11, 0.11, 0.25, 0.40, 0.07, 0.40],
        "Conf": ["Chip", "Chip", "Motif_high", "Chip", "Motif_low", "Motif_high", "Motif_high"],
    }
)
NEW = pd.DataFrame(
    {
        "TF": ["MYC", "E2F1", "MYC", "SP1", "GATA1", "MYC"],
        "target": ["NCL", "CDK4", "CDK4", "NCL", "HBB", "ODC1"],
        "coef": [0.45, 0.083, 0.041, -0.33, 0.52, 0.12],
        "r2": [0.55, 0.21, 0.21, 0.55, 0.31, 0.16],
    }
)
R_UNITED = {
    ("E2F1", "CDK4"): (0.105, 0.16),
    ("E2F1", "MCM2"): (0.066, 0.25),
    ("GATA1", "HBB"): (0.52, 0.31),
    ("MYC", "CDK4"): (-0.0054999999999999979, 0.16),
    ("MYC", "NCL"): (0.38, 0.475),
    ("MYC", "ODC1"): (0.105, 0.115),
    ("SP1", "NCL"): (-0.27, 0.475),
}
EMPTY = FULL.iloc[:0]


def make_links(seed, n=60):
    """Links of 6 TFs and 20 targets, each pair once; a third of the coefficients are negative."""
    rng = np.random.default_rng(seed)
    pairs = np.array(list(itertools.product(range(6), range(20))))
    tf, target = pairs[rng.choice(len(pairs), n, replace=False)].T
    return pd.DataFrame(
        {
            "TF": [f"TF{i}" for i in tf],
            "target": [f"G{i}" for i in target],
            "coef": rng.normal(0.1, 0.2, n),
            "r2": rng.random(n),
            "lambda_": rng.random(n),
        }
    )


def as_dict(links):
    return {(row.TF, row.target): row.coef for row in links.itertuples()}


class TestCompare:
    def test_equals_r(self):
        found = compare_links(FULL, NEW)
        assert (found.n_a, found.n_b, found.n_common) == (6, 6, 5)
        assert found.pearson == pytest.approx(0.9613975234142424, rel=1e-12)
        assert found.pearson_p == pytest.approx(0.00905160910229972, rel=1e-9)
        assert found.pearson_ci == pytest.approx((0.5213153009645747, 0.9975409663393237), rel=1e-9)
        assert found.spearman == pytest.approx(0.9, rel=1e-12)

    @given(seed=st.integers(0, 2**32 - 1))
    @settings(max_examples=10, deadline=None)
    def test_counts_equal_sets(self, seed):
        a, b = make_links(seed), make_links(seed + 1, n=40)
        ours, theirs = as_dict(a), as_dict(b)
        common = ours.keys() & theirs.keys()
        found = compare_links(a, b)
        assert (found.n_a, found.n_b, found.n_common) == (60, 40, len(common))
        assert found.jaccard == len(common) / len(ours.keys() | theirs.keys())
        assert (found.share_a, found.share_b) == (len(common) / 60, len(common) / 40)
        same = sum(ours[pair] * theirs[pair] > 0 for pair in common)
        assert found.sign_agreement == same / len(common)
        r = np.corrcoef([[ours[pair], theirs[pair]] for pair in common], rowvar=False)[0, 1]
        assert found.pearson == pytest.approx(r, rel=1e-9)

    @given(seed=st.integers(0, 2**32 - 1))
    @settings(max_examples=10, deadline=None)
    def test_order_does_not_matter(self, seed):
        a, b = make_links(seed), make_links(seed + 1)
        found = compare_links(a, b)
        assert compare_links(a.sample(frac=1, random_state=seed), b.iloc[::-1]) == found
        swapped = compare_links(b, a)
        one_sided = {"n_a": "n_b", "n_b": "n_a", "share_a": "share_b", "share_b": "share_a"}
        for field in fields(LinkComparison):
            mirrored = getattr(swapped, one_sided.get(field.name, field.name))
            assert getattr(found, field.name) == mirrored, field.name

    @given(seed=st.integers(0, 2**32 - 1), scale=st.floats(0.01, 100))
    @settings(max_examples=10, deadline=None)
    def test_scale_of_a_network_does_not_matter(self, seed, scale):
        a, b = make_links(seed), make_links(seed + 1)
        found, scaled = compare_links(a, b), compare_links(a.assign(coef=a["coef"] * scale), b)
        assert scaled.pearson == pytest.approx(found.pearson, rel=1e-9)
        assert scaled.sign_agreement == found.sign_agreement
        assert scaled.spearman == found.spearman

    def test_a_network_with_itself(self):
        links = make_links(0)
        found = compare_links(links, links)
        assert (found.jaccard, found.share_a, found.sign_agreement) == (1, 1, 1)
        assert found.pearson == pytest.approx(1)
        assert found.spearman == pytest.approx(1)

    def test_nothing_to_compare_is_nan(self):
        found = compare_links(EMPTY, NEW)
        assert (found.n_a, found.n_b, found.n_common) == (0, 6, 0)
        assert (found.jaccard, found.share_b) == (0, 0)
        assert np.isnan([found.share_a, found.sign_agreement, found.pearson, found.spearman]).all()
        assert np.isnan(compare_links(EMPTY, EMPTY).jaccard)

    def test_few_or_constant_links_have_no_correlation(self):
        two, three = make_links(0, n=2), make_links(0, n=3)
        assert np.isnan([compare_links(two, two).pearson, compare_links(two, two).spearman]).all()
        found = compare_links(three, three)  # as R: a correlation, but no interval
        assert found.pearson == pytest.approx(1)
        assert np.isnan(found.pearson_ci).all()
        constant = make_links(0).assign(coef=0.1)
        assert np.isnan(compare_links(constant, make_links(0)).pearson)

    def test_inputs_are_not_modified(self):
        a, b = FULL.copy(), NEW.copy()
        compare_links(a, b)
        pd.testing.assert_frame_equal(a, FULL)
        pd.testing.assert_frame_equal(b, NEW)

    @pytest.mark.parametrize("function", [compare_links, combine_links])
    def test_invalid_networks(self, function):
        with pytest.raises(ValueError, match=r"\(new\)|\(b\)"):
            function(FULL, NEW.drop(columns="coef"))
        with pytest.raises(TypeError, match=r"compare_links \(a\)|combine_links \(full\)"):
            function([1, 2], NEW)
        with pytest.raises(ValueError, match="rows without a name"):
            function(FULL.assign(TF=None), NEW)
        twice = pd.concat([FULL, FULL.iloc[[1]].assign(coef=0.7)])
        with pytest.raises(ValueError, match=r"1 row.*MYC → CDK4.*Give each pair once"):
            function(twice, NEW)


class TestCombine:
    def test_equals_r(self):
        united = combine_links(FULL, NEW)
        assert list(zip(united["TF"], united["target"], strict=True)) == list(R_UNITED)
        expected = np.array(list(R_UNITED.values()))
        np.testing.assert_allclose(united[["coef", "r2"]], expected, rtol=1e-13)

    @given(seed=st.integers(0, 2**32 - 1))
    @settings(max_examples=10, deadline=None)
    def test_equals_a_loop_over_pairs(self, seed):
        full, new = make_links(seed), make_links(seed + 1, n=40)
        tables = [links.set_index(["TF", "target"]) for links in (full, new)]
        united = combine_links(full, new)
        pairs = sorted(set(tables[0].index) | set(tables[1].index))
        assert list(zip(united["TF"], united["target"], strict=True)) == pairs
        for pair, row in zip(pairs, united.itertuples(), strict=True):
            found = [table.loc[pair] for table in tables if pair in table.index]
            for name in ("coef", "r2", "lambda_"):
                mean = sum(each[name] for each in found) / len(found)
                assert getattr(row, name) == pytest.approx(mean, rel=1e-14)
            groups = [
                n for n, table in zip(["Full", "New"], tables, strict=True) if pair in table.index
            ]
            assert row.group == (groups[0] if len(groups) == 1 else "both")
            for name, table in (("coef_Full", tables[0]), ("coef_New", tables[1])):
                expected = table["coef"].get(pair, np.nan)
                np.testing.assert_array_equal(getattr(row, name), expected)

    def test_order_does_not_matter(self):
        full, new = make_links(0), make_links(1)
        united = combine_links(full, new)
        shuffled = combine_links(full.sample(frac=1, random_state=0), new.iloc[::-1])
        pd.testing.assert_frame_equal(united, shuffled)
        swapped = combine_links(new, full, names=("New", "Full"))
        pd.testing.assert_frame_equal(united, swapped[united.columns])

    def test_columns_are_those_of_a_links_table(self):
        united = combine_links(make_links(0), make_links(1), names=("velocity", "spliced"))
        assert list(united.columns) == [
            *("TF", "target", "coef", "r2", "lambda_"),
            *("group", "coef_velocity", "coef_spliced"),
        ]
        assert set(united["group"]) == {"velocity", "spliced", "both"}

    def test_a_column_that_one_table_lacks(self):
        united = combine_links(FULL.drop(columns=["r2", "Conf"]), NEW)
        r2 = united.set_index(["TF", "target"])["r2"]
        assert np.isnan(r2["E2F1", "MCM2"])
        assert r2["MYC", "NCL"] == 0.55
        assert "lambda_" not in united

    def test_an_empty_network(self):
        united = combine_links(EMPTY, NEW)
        assert set(united["group"]) == {"New"}
        assert united["coef_Full"].isna().all()
        assert sorted(united["coef"]) == sorted(NEW["coef"])
        assert list(combine_links(EMPTY, EMPTY)) == list(combine_links(FULL, NEW))

    @pytest.mark.parametrize(
        "names", [("Full", "Full"), ("Full", "both"), ("Full", 1), ("a", "b", "c"), "ab"]
    )
    def test_invalid_names_of_networks(self, names):
        with pytest.raises(ValueError, match=r"`names` must be two different texts"):
            combine_links(FULL, NEW, names=names)


@pytest.mark.parametrize("module", ["combine", "compare", "score"])
def test_docstring_examples(module):
    imported = importlib.import_module(f"scifate_sklearn.networks._{module}")
    assert doctest.testmod(imported, raise_on_error=True).attempted > 0
