import doctest

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scifate_sklearn.filters.motifs._priors
from scifate_sklearn import SciFateRegressor, motif_scores, prior_penalties

GENES = [f"G{i}" for i in range(50)]
MOTIFS = [f"m{i}" for i in range(12)]


def make_database(seed=0):
    rng = np.random.default_rng(seed)
    ranks = pd.DataFrame([rng.permutation(len(GENES)) for _ in MOTIFS], MOTIFS, GENES)
    tfs = rng.choice(["A", "B", "C"], 20)
    confidence = rng.choice(["high", "low"], 20)
    pairs = pd.DataFrame({"motif": rng.choice(MOTIFS, 20), "TF": tfs, "confidence": confidence})
    return ranks, pairs


@given(st.integers(0, 1000), st.sampled_from([0.1, 0.5, 1.0]), st.sampled_from(["high", "low"]))
@settings(max_examples=20, deadline=None)
def test_equals_plain_loops(seed, top, confidence):
    ranks, pairs = make_database(seed)
    found = motif_scores(ranks, pairs, top=top, confidence=confidence)
    assert list(found.columns) == GENES
    enough = pairs[(pairs["confidence"] == "high") | (confidence == "low")]
    assert set(found.index) == set(enough["TF"])
    for tf in found.index:
        motifs = set(enough.loc[enough["TF"] == tf, "motif"])
        for gene in GENES:
            best = min(ranks.loc[motif, gene] for motif in motifs)
            assert found.loc[tf, gene] == pytest.approx(max(0, 1 - best / (top * 50)), abs=1e-15)


def test_selected_names():
    ranks, pairs = make_database()
    whole = motif_scores(ranks, pairs, confidence="low")
    part = motif_scores(
        ranks, pairs, confidence="low", tfs=["C", "unknown", "A"], genes=["G7", "unranked", "G3"]
    )
    pd.testing.assert_frame_equal(part, whole.loc[["C", "A"], ["G7", "G3"]])


def test_from_a_file(tmp_path):
    pytest.importorskip("pyarrow")
    ranks, pairs = make_database()
    path = tmp_path / "rankings.feather"
    ranks.rename_axis("motifs").reset_index().to_feather(path)
    pairs.to_csv(tmp_path / "annotations.csv", index=False)
    found = motif_scores(path, tmp_path / "annotations.csv", genes=GENES[:4])
    pd.testing.assert_frame_equal(found, motif_scores(ranks, pairs, genes=GENES[:4]))


def test_as_a_prior():
    ranks, pairs = make_database()
    rng = np.random.default_rng(0)
    tfs = pd.DataFrame(rng.normal(size=(100, 3)), columns=["A", "B", "C"])
    new = pd.DataFrame(tfs.to_numpy() @ rng.normal(size=(3, 50)), columns=GENES)
    prior = prior_penalties(motif_scores(ranks, pairs, top=0.3))
    assert ((prior >= 0.5) & (prior <= 1)).all(axis=None)
    informed = SciFateRegressor(penalty_factor=prior, lambda_rule=0.5).fit(tfs, new)
    assert not np.allclose(informed.coef_, SciFateRegressor(lambda_rule=0.5).fit(tfs, new).coef_)


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"top": 0}, ValueError, "top == 0, must be > 0"),
        ({"top": "all"}, TypeError, "top must be an instance of"),
        (
            {"confidence": "medium"},
            ValueError,
            "`confidence` must be 'high' or 'low', got 'medium'",
        ),
        ({"tfs": ["a", "b"]}, ValueError, "No TF of `tfs` is in the database.*letter case"),
        ({"tfs": "MYC"}, TypeError, "`tfs` must be a collection of names, got the string 'MYC'"),
        ({"genes": ["ENSG00000136997"]}, ValueError, "No gene of `genes` is .*Ensembl ids"),
    ],
)
def test_invalid_arguments(params, error, message):
    with pytest.raises(error, match=message):
        motif_scores(*make_database(), **params)


def test_examples():
    assert doctest.testmod(scifate_sklearn.filters.motifs._priors).failed == 0
