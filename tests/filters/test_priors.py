import doctest

import numpy as np
import pandas as pd
import pytest

import scifate_sklearn.filters._priors
from scifate_sklearn import BindingReference, SciFateRegressor, prior_penalties

TFS, GENES = ["MYC", "SOX2"], ["A", "B", "C"]


@pytest.mark.parametrize("supported", [0, 0.25, 1, 3.0])
def test_peaks_get_the_penalty_of_supported_pairs(supported):
    reference = BindingReference(TFS, GENES, [[2, 1, 0], [0, 2, 1]])
    found = prior_penalties(reference, supported=supported)
    expected = [[supported, 1, 1], [1, supported, 1]]
    pd.testing.assert_frame_equal(found, pd.DataFrame(expected, TFS, GENES, dtype=float))


def test_scores_lie_between():
    scores = pd.DataFrame([[0.0, 0.5, 1.0], [np.nan, 0.2, 0.9]], TFS, GENES)
    before = scores.copy()
    found = prior_penalties(scores, supported=0.2)
    np.testing.assert_allclose(found, 1 - 0.8 * np.nan_to_num(scores))
    pd.testing.assert_frame_equal(scores, before)


def test_a_correct_prior_finds_the_true_one_of_two_similar_regulators():
    rng = np.random.default_rng(0)
    shared = rng.normal(size=300)
    tfs = pd.DataFrame({"MYC": shared, "SOX2": shared + 0.3 * rng.normal(size=300)})
    new = pd.DataFrame({"A": shared + 0.5 * rng.normal(size=300)})
    edges = pd.DataFrame({"TF": ["SOX2", "MYC"], "target": ["A", "B"]})
    prior = prior_penalties(BindingReference.from_edges(edges), supported=0.3)
    naive, informed = (
        SciFateRegressor(penalty_factor=factor).fit(tfs, new).coef_[0] for factor in (None, prior)
    )
    assert naive[0] > naive[1]
    assert informed[0] < informed[1]


@pytest.mark.parametrize(
    ("evidence", "supported", "error", "message"),
    [
        (
            np.eye(2),
            0.5,
            TypeError,
            "BindingReference or a DataFrame of TFs × targets, got ndarray",
        ),
        (pd.DataFrame({"A": ["x"]}), 0.5, TypeError, "must hold scores from 0 to 1"),
        (pd.DataFrame({"A": [0.5, 3.0]}), 0.5, ValueError, "found 3; divide by the maximum"),
        (pd.DataFrame({"A": [-0.5]}), 0.5, ValueError, "found -0.5"),
        (pd.DataFrame({"A": [0.5]}), -1, ValueError, "supported == -1"),
        (pd.DataFrame({"A": [0.5]}), np.nan, ValueError, "finite number >= 0, got nan"),
        (pd.DataFrame({"A": [0.5]}), "half", TypeError, "supported must be an instance of"),
    ],
)
def test_invalid_arguments(evidence, supported, error, message):
    with pytest.raises(error, match=message):
        prior_penalties(evidence, supported=supported)


def test_examples():
    assert doctest.testmod(scifate_sklearn.filters._priors).failed == 0
