"""RSampleKFold as a scikit-learn splitter; tests/reference/test_r_folds.py compares it with R."""

import pickle
import time
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import config_context
from sklearn.base import clone
from sklearn.linear_model import LassoCV, Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_validate
from sklearn.pipeline import make_pipeline

from scifate_sklearn.preprocessing import RSampleKFold, make_group_folds

SAMPLE_KINDS = ("Rejection", "Rounding")


@given(
    n_samples=st.integers(2, 400),
    n_splits=st.integers(2, 30),
    seed=st.integers(-(2**31) + 1, 2**31 - 1),
    sample_kind=st.sampled_from(SAMPLE_KINDS),
)
def test_folds_partition_the_samples_evenly(n_samples, n_splits, seed, sample_kind):
    n_splits = min(n_splits, n_samples)
    folds = RSampleKFold(n_splits, seed, sample_kind).fold_ids(n_samples)
    sizes = np.bincount(folds, minlength=n_splits + 1)
    assert sizes[0] == 0
    assert sizes.sum() == n_samples
    assert set(sizes[1:]) <= {n_samples // n_splits, -(-n_samples // n_splits)}


@pytest.mark.parametrize("sample_kind", SAMPLE_KINDS)
def test_split_yields_the_folds_in_order(sample_kind):
    splitter = RSampleKFold(n_splits=4, seed=7, sample_kind=sample_kind)
    folds = splitter.fold_ids(29)
    splits = list(splitter.split(np.zeros((29, 2))))
    assert len(splits) == splitter.get_n_splits() == 4
    for fold, (train, test) in enumerate(splits, start=1):
        np.testing.assert_array_equal(test, np.flatnonzero(folds == fold))
        np.testing.assert_array_equal(train, np.flatnonzero(folds != fold))


def test_same_seed_same_folds_other_seed_others():
    splitter = RSampleKFold(seed=1)
    np.testing.assert_array_equal(splitter.fold_ids(500), splitter.fold_ids(500))
    assert (splitter.fold_ids(500) != RSampleKFold(seed=2).fold_ids(500)).any()


def test_global_numpy_state_is_left_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    RSampleKFold().fold_ids(100)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_repr_and_pickle_and_clone():
    splitter = RSampleKFold(n_splits=3, seed=-4, sample_kind="Rounding")
    assert repr(splitter) == "RSampleKFold(n_splits=3, sample_kind='Rounding', seed=-4)"
    for copy in (pickle.loads(pickle.dumps(splitter)), clone(splitter, safe=False)):
        np.testing.assert_array_equal(copy.fold_ids(20), splitter.fold_ids(20))


def test_numpy_integers_are_integers():
    splitter = RSampleKFold(n_splits=np.int64(3), seed=np.int32(5))
    np.testing.assert_array_equal(splitter.fold_ids(9), RSampleKFold(3, 5).fold_ids(9))


@pytest.mark.parametrize("routing", [False, True])
def test_works_inside_scikit_learn(routing):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 3)), rng.normal(size=40)
    splitter = RSampleKFold(n_splits=5)
    with config_context(enable_metadata_routing=routing):
        assert len(cross_validate(Ridge(), X, y, cv=splitter)["test_score"]) == 5
        search = GridSearchCV(make_pipeline(Ridge()), {"ridge__alpha": [1.0, 2.0]}, cv=splitter)
        assert search.fit(X, y).n_splits_ == 5
        assert LassoCV(cv=splitter).fit(X, y).mse_path_.shape[1] == 5
        assert splitter.get_metadata_routing().split.requests == {}


def test_groups_are_ignored_with_a_warning():
    splitter = RSampleKFold(n_splits=3)
    X = np.zeros((12, 1))
    with pytest.warns(UserWarning, match="ignores `groups`"):
        with_groups = list(splitter.split(X, groups=np.arange(12)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        without = list(splitter.split(X))
    for (_, test_a), (_, test_b) in zip(with_groups, without, strict=True):
        np.testing.assert_array_equal(test_a, test_b)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"n_splits": 1}, ValueError, "n_splits = 1"),
        ({"n_splits": 2.0}, TypeError, "n_splits must be an integer, got 2.0"),
        ({"n_splits": True}, TypeError, "n_splits must be an integer, got True"),
        ({"seed": "1"}, TypeError, "seed must be an integer"),
        ({"seed": None}, TypeError, "seed must be an integer"),
        ({"seed": 2**31}, ValueError, "seed = 2147483648 is not an integer in R"),
        ({"seed": -(2**31)}, ValueError, "seed = -2147483648 is not an integer in R"),
        (
            {"sample_kind": "rejection"},
            ValueError,
            "sample_kind must be one of Rejection, Rounding",
        ),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        RSampleKFold(**arguments)


def test_fewer_samples_than_folds():
    with pytest.raises(ValueError, match=r"^9 samples are too few for `n_splits` = 10 folds"):
        RSampleKFold().fold_ids(9)
    with pytest.raises(ValueError, match=r"^9 samples are too few for `n_splits` = 10 folds"):
        list(RSampleKFold().split(np.zeros((9, 1))))


@pytest.mark.slow
@pytest.mark.parametrize("sample_kind", SAMPLE_KINDS)
def test_a_million_cells_take_seconds(sample_kind):
    start = time.perf_counter()
    folds = RSampleKFold(sample_kind=sample_kind).fold_ids(1_000_000)
    assert time.perf_counter() - start < 5
    assert (np.bincount(folds)[1:] == 100_000).all()


def ids_of(folds, n):
    """Return the test fold of each row; every row is in one."""
    ids = np.full(n, -1)
    for k, (train, test) in enumerate(folds):
        assert (ids[test] == -1).all()
        ids[test] = k
        assert sorted([*train, *test]) == list(range(n))
    return ids


class TestGroups:
    GROUPS = np.random.default_rng(0).choice(list("abcdefgh"), 90)

    def test_are_those_of_scikit_learn(self):
        (folds,) = make_group_folds(4, 123456, 1, self.GROUPS)
        for own, expected in zip(
            folds, GroupKFold(4).split(self.GROUPS, groups=self.GROUPS), strict=True
        ):
            np.testing.assert_array_equal(own[1], expected[1])

    @pytest.mark.parametrize("n_repeats", [1, 3])
    @pytest.mark.parametrize("seed", [5, np.random.RandomState(0)])
    def test_stay_whole_in_every_repeat(self, n_repeats, seed):
        repeats = make_group_folds(4, seed, n_repeats, self.GROUPS)
        all_ids = [ids_of(folds, 90) for folds in repeats]
        for ids in all_ids:
            assert set(ids) == {0, 1, 2, 3}
            for group in set(self.GROUPS):
                assert len(set(ids[group == self.GROUPS])) == 1
        assert len({tuple(ids) for ids in all_ids}) == n_repeats

    def test_same_seed_same_folds(self):
        one, two, other = (
            [ids_of(folds, 90) for folds in make_group_folds(4, seed, 2, self.GROUPS)]
            for seed in (1, 1, 3)
        )
        np.testing.assert_array_equal(one, two)
        assert not np.array_equal(one, other)

    def test_fewer_than_folds(self):
        make_group_folds(8, 0, 1, self.GROUPS)
        with pytest.raises(
            ValueError, match=r"`groups` has 8 group\(s\) .* fewer than the 9 folds"
        ):
            make_group_folds(9, 0, 1, self.GROUPS)
