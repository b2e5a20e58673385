"""Agreement of the links of fits with different seeds of the folds."""

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import KFold

from scifate_sklearn import SciFateRegressor, seed_stability


def draw(seed=0):
    rng = np.random.default_rng(seed)
    tfs = pd.DataFrame(rng.normal(size=(80, 8)), columns=[f"TF{j}" for j in range(8)])
    Y = tfs.to_numpy()[:, :4] @ rng.normal(size=(4, 15)) + 3.0 * rng.normal(size=(80, 15))
    return tfs, pd.DataFrame(Y, columns=[f"gene{t}" for t in range(15)])


def pairs_of(links):
    return set(links[["TF", "target"]].itertuples(index=False, name=None))


@pytest.mark.parametrize("n_repeats", [1, 3])
def test_compares_fits_with_other_seeds(n_repeats):
    tfs, new = draw()
    regressor = SciFateRegressor(random_state=7, n_repeats=n_repeats)
    found = seed_stability(regressor, tfs, new, n_seeds=3)
    fits = [
        SciFateRegressor(random_state=7 + k * n_repeats, n_repeats=n_repeats).fit(tfs, new).links_
        for k in range(3)
    ]
    links = [pairs_of(each) for each in fits]
    pairs = [(links[i], links[j]) for i, j in ((0, 1), (0, 2), (1, 2))]
    assert found.jaccard == pytest.approx(np.mean([len(a & b) / len(a | b) for a, b in pairs]))
    again = [2 * len(a & b) / (len(a) + len(b)) for a, b in pairs]
    assert found.found_again == pytest.approx(np.mean(again))
    assert 0.0 < found.jaccard < found.found_again < 1.0
    assert pairs_of(found.links) == links[0] | links[1] | links[2]
    for row in found.links.itertuples():
        assert row.seeds == pytest.approx(np.mean([(row.TF, row.target) in own for own in links]))


def test_criteria_do_not_depend_on_the_seed():
    tfs, new = draw()
    found = seed_stability(SciFateRegressor(lambda_rule="bic"), tfs, new)
    assert found.jaccard == found.found_again == 1.0


@pytest.mark.parametrize(
    ("parameters", "n_seeds", "message"),
    [
        ({}, 1, "`n_seeds` must be at least 2, got 1"),
        ({"cv": KFold(3)}, 2, "a number of folds as `cv`"),
        ({"random_state": None}, 2, "an int as `random_state`"),
        ({"lambda_rule": 1e6}, 2, "No fit has a link"),
    ],
)
def test_what_cannot_be_compared(parameters, n_seeds, message):
    with pytest.raises(ValueError, match=message):
        seed_stability(SciFateRegressor(**parameters), *draw(), n_seeds=n_seeds)
