"""Regulon specificity: brute force, SCENIC's definitions, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from scifate_sklearn import regulon_specificity


def entropy(p):
    return -sum(each * np.log2(each) for each in p if each > 0)


def brute_force(activity, groups):
    """Compute entropies cell by cell, as SCENIC's R function `calcRSS` does."""
    table = {}
    for name in activity:
        positive = [max(value, 0) for value in activity[name]]
        p = [value / sum(positive) for value in positive]
        for group in sorted(set(groups)):
            members = [each == group for each in groups]
            u = [is_member / sum(members) for is_member in members]
            mixture = [(a + b) / 2 for a, b in zip(p, u, strict=True)]
            divergence = entropy(mixture) - (entropy(p) + entropy(u)) / 2
            table[group, name] = 1 - np.sqrt(max(divergence, 0))
    return table


@pytest.fixture(scope="module")
def activity():
    rng = np.random.default_rng(0)
    cells = [f"c{i}" for i in range(40)]
    return pd.DataFrame(rng.normal(size=(40, 3)), cells, ["A", "B", "C"])


@pytest.fixture(scope="module")
def groups(activity):
    return pd.Series(np.random.default_rng(1).choice(["x", "y", "z"], 40), activity.index)


def test_equals_brute_force(activity, groups):
    found = regulon_specificity(activity, groups)
    for (group, name), value in brute_force(activity, groups).items():
        assert found.loc[group, name] == pytest.approx(value, abs=1e-12)
    assert (found.shape, found.index.name) == ((3, 3), "group")


def test_pyscenic_differs_by_the_base_of_the_logarithm(activity, groups):
    """pySCENIC calls `jensenshannon` without a base, and takes non-negative activities."""
    from scipy.spatial.distance import jensenshannon

    positive = activity.clip(lower=0)
    found = regulon_specificity(positive, groups)
    for group in found.index:
        members = (groups == group).astype(int)
        u = members / members.sum()
        theirs = [1 - jensenshannon(positive[c] / positive[c].sum(), u) for c in positive]
        assert theirs == pytest.approx(1 - (1 - found.loc[group].to_numpy()) * np.sqrt(np.log(2)))


@settings(deadline=None, max_examples=50)
@given(
    hnp.arrays(float, (6, 2), elements=st.floats(-10, 10)),
    st.lists(st.integers(0, 2), min_size=6, max_size=6),
    st.floats(1e-3, 1e3),
)
def test_properties(values, labels, factor):
    activity = pd.DataFrame(values, columns=["A", "B"])
    found = regulon_specificity(activity, labels)
    is_active = (values > 0).any(axis=0)
    assert found.isna().to_numpy().tolist() == [(~is_active).tolist()] * len(found)
    known = found.to_numpy()[:, is_active]
    assert ((known >= -1e-9) & (known <= 1 + 1e-9)).all()
    scaled = regulon_specificity(activity * factor, labels)
    np.testing.assert_allclose(scaled, found, atol=1e-6)
    order = np.random.default_rng(0).permutation(6)
    moved = regulon_specificity(activity.iloc[order], np.array(labels)[order])
    np.testing.assert_allclose(moved, found, atol=1e-6)


def test_extremes():
    activity = pd.DataFrame({"own": [3.0, 3.0, -9.0, 0.0], "other": [-1.0, 0.0, 1.0, 2.0]})
    found = regulon_specificity(activity, ["a", "a", "b", "b"])
    assert found.loc["a"].tolist() == pytest.approx([1, 0])
    assert regulon_specificity(-activity, ["a", "a", "b", "b"]).loc["b", "own"] > 0


def test_groups_are_in_the_order_of_their_categories(activity, groups):
    own = groups.astype(pd.CategoricalDtype(["z", "unused", "y", "x"]))
    found = regulon_specificity(activity, own)
    assert found.index.tolist() == ["z", "y", "x"]
    pd.testing.assert_frame_equal(found.sort_index(), regulon_specificity(activity, list(groups)))
    assert regulon_specificity(activity, np.arange(40) % 2).index.tolist() == [0, 1]


class TestRefused:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda g: g.iloc[::-1], "another order"),
            (lambda g: g.set_axis([f"d{i}" for i in range(40)]), "name different cells"),
            (lambda g: g.to_numpy()[:-1], "shape"),
            (lambda g: g.where(g != "x"), "missing"),
        ],
    )
    def test_groups(self, activity, groups, change, message):
        with pytest.raises(ValueError, match=message):
            regulon_specificity(activity, change(groups))

    def test_activity(self, activity, groups):
        with pytest.raises(TypeError, match="DataFrame"):
            regulon_specificity(activity.to_numpy(), groups)
        broken = activity.copy()
        broken.iloc[3, 1] = np.nan
        with pytest.raises(ValueError, match="1 of 40 cells, the first of them in row 3"):
            regulon_specificity(broken, groups)
        with pytest.raises(ValueError, match="numbers"):
            regulon_specificity(activity.assign(A="high"), groups)
        with pytest.raises(ValueError, match="no cells"):
            regulon_specificity(activity.iloc[:0], [])
