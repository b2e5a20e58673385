"""Permutations and halves that are interrupted and resume from a checkpoint."""

import shutil

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from scifate_sklearn import PermutationFDR, SciFateRegressor, StabilitySelection
from scifate_sklearn.moments import Moments

# A warning that a test does not expect is an error.
pytestmark = pytest.mark.filterwarnings("error::UserWarning")

LASSO = SciFateRegressor(cv=3, lambda_rule="min", covariates=("T1",))
MODELS = {
    "permutations": PermutationFDR(LASSO, n_permutations=5),
    "halves": StabilitySelection(LASSO, n_resamples=6),
    "halves, cv": StabilitySelection(LASSO, n_resamples=6, penalty="cv"),
    "halves of folds": StabilitySelection(
        SciFateRegressor(cv=10, lambda_rule="min"), n_resamples=6, resample="folds"
    ),
}
PLACES = {
    PermutationFDR: "scifate_sklearn.resampling._permutation._null_links",
    StabilitySelection: "scifate_sklearn.resampling._stability._selected",
}


@pytest.fixture(params=MODELS.values(), ids=MODELS)
def model(request, tmp_path):
    return clone(request.param).set_params(regressor__checkpoint=tmp_path / "folder")


@pytest.fixture
def rounds(monkeypatch):
    """Count the rounds that are fitted; interrupt a fit after some of them on request."""
    return Counted(monkeypatch)


class Counted:
    def __init__(self, monkeypatch):
        self.n, self.limit = 0, -1
        for place in PLACES.values():
            monkeypatch.setattr(place, self.counting(resolve(place)))

    def counting(self, function):
        def counted(*arguments):
            if self.n == self.limit:
                raise KeyboardInterrupt
            self.n += 1
            return function(*arguments)

        return counted


def resolve(place):
    from importlib import import_module

    module, _, name = place.rpartition(".")
    return getattr(import_module(module), name)


def interrupt(model, rounds, n_rounds, *data, **metadata):
    """Interrupt a fit after some more rounds."""
    rounds.limit = rounds.n + n_rounds
    with pytest.raises(KeyboardInterrupt):
        model.fit(*data, **metadata)
    rounds.limit = -1


def plain(model):
    return clone(model).set_params(regressor__checkpoint=None)


def n_rounds(model):
    return getattr(model, "n_permutations", None) or model.n_resamples


def results(model):
    """Return the names of the results; a fit that finds a damaged file has further warnings."""
    others = ("regressor_", "warnings_")
    return [name for name in vars(model) if name.endswith("_") and name not in others]


def assert_same_bits(one, two):
    names = results(one)
    assert names == results(two)
    for name in names:
        first, second = getattr(one, name), getattr(two, name)
        if isinstance(first, pd.DataFrame):
            pd.testing.assert_frame_equal(first, second, check_exact=True)
        else:
            np.testing.assert_array_equal(first, second, err_msg=name)


def test_interrupted_three_times(model, rounds, tfs, new):
    expected = plain(model).fit(tfs, new)
    rounds.n = 0
    for _ in range(3):
        interrupt(model, rounds, 1, tfs, new)
    assert_same_bits(model.fit(tfs, new), expected)
    assert rounds.n == n_rounds(model)
    assert_same_bits(model.fit(tfs, new), expected)
    assert rounds.n == n_rounds(model)


def test_more_rounds_reuse_the_earlier_ones(model, rounds, tfs, new):
    model.fit(tfs, new)
    name = "n_permutations" if isinstance(model, PermutationFDR) else "n_resamples"
    for n in (8, 4):
        before = rounds.n
        model.set_params(**{name: n}).fit(tfs, new)
        assert rounds.n - before == max(0, n - before)
        assert_same_bits(model, plain(model).fit(tfs, new))


def test_weights_and_groups(model, rounds, tfs, new, weight, batches):
    if getattr(model, "resample", "cells") == "folds":
        pytest.skip("folds are the units")
    metadata = {"sample_weight": weight, "groups": batches}
    if isinstance(model, StabilitySelection):
        metadata["groups"] = np.arange(len(tfs)) // 6
    interrupt(model, rounds, 2, tfs, new, **metadata)
    before = rounds.n
    model.fit(tfs, new, **metadata)
    assert rounds.n - before == n_rounds(model) - 2
    assert_same_bits(model, plain(model).fit(tfs, new, **metadata))


CHANGES = {
    "seed": ({"random_state": 1}, lambda tfs, new: (tfs, new), "`random_state`: 123456 there, 1"),
    "parameter": (
        {"regressor__tol": 1e-9}, lambda tfs, new: (tfs, new), "`tol`: 1e-12 there, 1e-09 here"
    ),
    "cells in another order": (
        # The sums are those of the same cells; the folds follow the positions.
        {}, lambda tfs, new: (tfs.iloc[::-1], new.iloc[::-1]), "checksum"
    ),
    "covariates": (
        {"regressor__covariates": ()}, lambda tfs, new: (tfs, new), r"\[1\]' there, '\[\]' here"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("params", "change", "difference"), CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("kind", ["permutations", "halves"])
def test_other_rounds_are_never_mixed(kind, params, change, difference, rounds, tfs, new, tmp_path):
    model = clone(MODELS[kind]).set_params(regressor__checkpoint=tmp_path)
    interrupt(model, rounds, 2, tfs, new)
    other = clone(model).set_params(**params)
    data = change(tfs, new)
    rounds.n = 0
    if kind == "halves" and "regressor__covariates" in params:
        other.fit(*data)  # halves store the selection of all predictors
        assert rounds.n == n_rounds(model) - 2
    else:
        with pytest.warns(UserWarning, match=f"an unfinished set of {kind}.*{difference}"):
            other.fit(*data)
        assert rounds.n == n_rounds(model)
    assert_same_bits(other, plain(other).fit(*data))


def test_groups_of_permutations_are_not_mixed(rounds, tfs, new, batches, tmp_path):
    model = clone(MODELS["permutations"]).set_params(regressor__checkpoint=tmp_path)
    interrupt(model, rounds, 2, tfs, new)
    with pytest.warns(UserWarning, match="differs: `groups`"):
        model.fit(tfs, new, groups=batches)
    assert_same_bits(model, plain(model).fit(tfs, new, groups=batches))


def test_generators(model, rounds, tfs, new):
    """A generator in the same state resumes, and its state is then the same, too."""
    expected = plain(model).set_params(random_state=np.random.RandomState(3)).fit(tfs, new)
    rounds.n = 0
    model.random_state = np.random.RandomState(3)
    interrupt(model, rounds, 2, tfs, new)
    model.random_state = np.random.RandomState(3)
    assert_same_bits(model.fit(tfs, new), expected)
    assert rounds.n == n_rounds(model)
    assert model.random_state.randint(10**9) == expected.random_state.randint(10**9)


def test_without_a_seed_nothing_is_stored_or_mixed(model, rounds, tfs, new, tmp_path):
    model.random_state = None
    interrupt(model, rounds, 2, tfs, new)
    before = rounds.n
    model.fit(tfs, new)
    assert rounds.n - before == n_rounds(model)
    assert {path.name[:4] for path in (tmp_path / "folder").iterdir()} == {"fit-"}


def test_damaged_and_exchanged_rounds(model, rounds, tfs, new, tmp_path):
    expected = plain(model).fit(tfs, new)
    model.fit(tfs, new)
    stored = sorted(path for path in tmp_path.rglob("round-*.npz"))
    assert [path.name for path in stored] == [f"round-{i:06}.npz" for i in range(n_rounds(model))]
    stored[0].write_bytes(stored[0].read_bytes()[:-40])
    shutil.copy(stored[3], stored[2])
    before = rounds.n
    with pytest.warns(UserWarning, match="This (permutation|half) is fitted again") as caught:
        model.fit(tfs, new)
    assert "holds round 3 of" in str(caught[1].message)
    assert rounds.n - before == len(caught) == 2
    assert_same_bits(model, expected)


def test_blocks_and_moments_are_no_rounds(model, tfs, new, tmp_path):
    model.fit(tfs, new)
    first, second, *_ = sorted(tmp_path.rglob("round-*.npz"))
    shutil.copy(next(tmp_path.rglob("targets-*.npz")), first)
    arrays = np.ones((60, 2)), np.ones((60, 1))
    from scifate_sklearn.moments import plan_folds

    rows = np.arange(60)
    plan = plan_folds([(rows[:30], rows[30:]), (rows[30:], rows[:30])], 60)
    Moments.from_arrays(*arrays, plan).save(second)
    with pytest.warns(UserWarning, match="fitted again") as caught:
        model.fit(tfs, new)
    texts = [str(each.message) for each in caught]
    assert "holds fitted targets, not links of a" in texts[0]
    assert "holds moments of cells, not links of a" in texts[1]


def test_stored_rounds_are_small(tfs, new, tmp_path):
    """A round holds the sizes of the links, or one bit for each pair."""
    many = pd.concat([new.add_suffix(f"_{i}") for i in range(20)], axis=1)
    for model in (MODELS["permutations"], MODELS["halves"]):
        clone(model).set_params(regressor__checkpoint=tmp_path).fit(tfs, many)
    assert max(path.stat().st_size for path in tmp_path.rglob("round-*")) < 8000


@pytest.mark.parametrize("n_jobs", [None, pytest.param(2, marks=pytest.mark.slow)])
def test_search(tfs, new, tmp_path, n_jobs):
    grid = {"regressor__lambda_rule": ["1se", "min"], "fdr": [0.1, 0.3]}
    model = PermutationFDR(SciFateRegressor(cv=3, checkpoint=tmp_path), n_permutations=2)
    search = GridSearchCV(model, grid, cv=2, n_jobs=n_jobs)
    expected = clone(search).set_params(estimator=plain(model)).fit(tfs, new)
    for _ in range(2):
        search.fit(tfs, new)
        np.testing.assert_array_equal(
            search.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"]
        )
        assert_same_bits(search.best_estimator_, expected.best_estimator_)
    # Candidates with another `fdr` share fits and permutations; one fit to all cells is added.
    assert len(list(tmp_path.glob("permutations-*"))) == 5
