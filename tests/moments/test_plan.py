import numpy as np
import pytest
from sklearn.model_selection import KFold, LeaveOneOut, ShuffleSplit, TimeSeriesSplit

from scifate_sklearn.moments import plan_folds


def test_a_partition_keeps_one_part_per_fold():
    splits = list(KFold(4, shuffle=True, random_state=0).split(np.zeros(22)))
    plan = plan_folds(splits, 22)
    layout = plan.layout
    assert len(plan.parts) == layout.n_folds == 4
    np.testing.assert_array_equal(layout.training, 1 - np.eye(4))
    np.testing.assert_array_equal(layout.total, np.ones(4))
    for k, (train, test) in enumerate(splits):
        np.testing.assert_array_equal(plan.training_rows(k), train)
        np.testing.assert_array_equal(plan.held_out_rows(k), test)
        assert layout.training_of[k] == k


@pytest.mark.parametrize(
    "splitter", [ShuffleSplit(5, test_size=0.3, random_state=0), TimeSeriesSplit(4)]
)
def test_other_splitters_keep_training_and_test_cells_apart(splitter):
    splits = list(splitter.split(np.zeros(40)))
    plan = plan_folds(splits, 40)
    assert len(plan.parts) == 2 * len(splits) + 1
    for k, (train, test) in enumerate(splits):
        np.testing.assert_array_equal(plan.training_rows(k), np.sort(train))
        np.testing.assert_array_equal(plan.held_out_rows(k), test)
    everyone = np.concatenate([plan.parts[i] for i in np.flatnonzero(plan.layout.total)])
    np.testing.assert_array_equal(everyone, np.arange(40))


def test_training_sets_that_leave_cells_out_are_not_a_partition():
    splits = [(train[:-2], test) for train, test in KFold(3).split(np.zeros(30))]
    plan = plan_folds(splits, 30)
    for k, (train, _) in enumerate(splits):
        np.testing.assert_array_equal(plan.training_rows(k), train)


def test_training_set_that_repeats_cells_keeps_them():
    bootstrap = np.array([0, 0, 1, 2, 3, 3])
    splits = [(bootstrap, np.arange(4, 9)), (np.arange(4, 9), np.arange(4))]
    plan = plan_folds(splits, 9)
    np.testing.assert_array_equal(plan.training_rows(0), bootstrap)


@pytest.mark.parametrize("n_cells", [11, 12])
def test_below_three_cells_per_fold_each_cell_is_a_unit(n_cells):
    splits = list(KFold(4, shuffle=True, random_state=1).split(np.zeros(n_cells)))
    plan = plan_folds(splits, n_cells)
    is_grouped = n_cells / 4 >= 3
    assert len(plan.layout.held_out) == (4 if is_grouped else n_cells)
    for k, (train, test) in enumerate(splits):
        np.testing.assert_array_equal(plan.training_rows(k), train)
        units = np.flatnonzero(plan.layout.training_of == k)
        held_out = np.concatenate([plan.held_out_rows(u) for u in units])
        np.testing.assert_array_equal(held_out, test)
        assert len(units) == (1 if is_grouped else len(test))


def test_leave_one_out_and_ungrouped_general_splits():
    plan = plan_folds(LeaveOneOut().split(np.zeros(6)), 6)
    np.testing.assert_array_equal(plan.layout.training_of, np.arange(6))
    splits = list(ShuffleSplit(3, test_size=2, random_state=0).split(np.zeros(9)))
    plan = plan_folds(splits, 9)
    np.testing.assert_array_equal(plan.layout.training_of, [0, 0, 1, 1, 2, 2])
    for k, (train, _) in enumerate(splits):
        np.testing.assert_array_equal(plan.training_rows(k), np.sort(train))
    for unit, row in enumerate(np.concatenate([test for _, test in splits])):
        np.testing.assert_array_equal(plan.held_out_rows(unit), [row])


def test_lists_and_generators_of_splits():
    pair = [([0, 1, 2, 3], [4, 5, 6, 7]), ([4, 5, 6, 7], [0, 1, 2, 3])]
    from_list, from_generator = plan_folds(pair, 8), plan_folds(iter(pair), 8)
    np.testing.assert_array_equal(from_list.parts, from_generator.parts)


@pytest.mark.parametrize("n_folds", [0, 1])
def test_fewer_than_two_folds(n_folds):
    splits = list(KFold(2).split(np.zeros(8)))[:n_folds]
    with pytest.raises(ValueError, match=f"`cv` must give at least 2 folds, got {n_folds}"):
        plan_folds(splits, 8)


@pytest.mark.parametrize(("train", "test"), [([], [0, 1]), ([0, 1], [])])
def test_an_empty_training_or_test_set(train, test):
    message = f"fold 1 has {len(train)} training and {len(test)} test cells"
    with pytest.raises(ValueError, match=message):
        plan_folds([([0], [1]), (train, test)], 2)
