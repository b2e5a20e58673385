import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scifate_sklearn.solvers._selection import (
    CVCurve,
    apply_rule,
    cv_curve,
    insert_penalty,
    min_and_1se,
    paper_grid,
)

GRID = np.array([8.0, 4.0, 2.0, 1.0])


def test_paper_grid_is_the_r_expression():
    grid = paper_grid()
    assert grid.shape == (100,)
    expected = [np.exp(np.log(10) + i * (np.log(0.001) - np.log(10)) / 99) for i in range(100)]
    np.testing.assert_allclose(grid, expected, rtol=1e-14)
    assert (np.diff(grid) < 0).all()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n_units=st.integers(2, 12))
def test_cv_curve_against_loops(seed, n_units):
    rng = np.random.default_rng(seed)
    errors, weight = rng.random((3, n_units, 5)), rng.uniform(0.1, 9, n_units)
    mse, mse_se = cv_curve(errors, weight)
    for t in range(3):
        for i in range(5):
            e = errors[t, :, i]
            cvm = sum(w * x for w, x in zip(weight, e, strict=True)) / sum(weight)
            spread = sum(w * (x - cvm) ** 2 for w, x in zip(weight, e, strict=True)) / sum(weight)
            assert mse[t, i] == pytest.approx(cvm, rel=1e-12)
            assert mse_se[t, i] == pytest.approx((spread / (n_units - 1)) ** 0.5, rel=1e-12)


def test_cv_curve_keeps_nan_tails():
    errors = np.ones((1, 4, 3))
    errors[:, :, 2] = np.nan
    mse, mse_se = cv_curve(errors, np.ones(4))
    np.testing.assert_array_equal(mse, [[1, 1, np.nan]])
    np.testing.assert_array_equal(mse_se, [[0, 0, np.nan]])


def glmnet_rules(grid, mse, mse_se):
    """Return the largest penalties within the bounds, as R's getOptcv.glmnet."""
    known = [i for i in range(len(grid)) if not np.isnan(mse[i])]
    lowest = min(mse[i] for i in known)
    lambda_min = max(grid[i] for i in known if mse[i] <= lowest)
    at = list(grid).index(lambda_min)
    bound = mse[at] + mse_se[at]
    return lambda_min, max(grid[i] for i in known if mse[i] <= bound)


@settings(max_examples=200, deadline=None)
@given(
    mse=st.lists(st.integers(1, 6), min_size=4, max_size=4),
    se=st.lists(st.integers(0, 3), min_size=4, max_size=4),
    tail=st.integers(0, 3),
)
def test_both_rules_against_glmnets_with_ties_and_tails(mse, se, tail):
    mse, se = np.array([mse], float), np.array([se], float)
    if tail:
        mse[:, -tail:], se[:, -tail:] = np.nan, np.nan
    i_min, i_1se = min_and_1se(mse, se)
    assert (GRID[i_min[0]], GRID[i_1se[0]]) == glmnet_rules(GRID, mse[0], se[0])


def test_targets_without_a_curve_get_minus_one():
    mse = np.array([[np.nan] * 4, [3.0, 1.0, 2.0, 4.0]])
    se = np.array([[np.nan] * 4, [0.5] * 4])
    i_min, i_1se = min_and_1se(mse, se)
    assert (i_min.tolist(), i_1se.tolist()) == ([-1, 1], [-1, 1])
    grids = np.vstack([GRID, GRID])
    for rule, expected in [("min", i_min), ("1se", i_1se), (2.0, [-1, 2]), (lambda c: 8, [-1, 0])]:
        chosen = apply_rule(rule, grids, mse, se, i_min, i_1se)
        np.testing.assert_array_equal(chosen, expected)


def test_a_callable_receives_the_curve_up_to_the_stop():
    mse, se = np.array([[3.0, 1.0, 2.0, np.nan]]), np.array([[0.1, 0.2, 0.3, np.nan]])
    seen = []

    def rule(curve):
        seen.append(curve)
        return curve.lambdas[np.argmax(curve.mse)]

    i_min, i_1se = min_and_1se(mse, se)
    assert apply_rule(rule, GRID[None], mse, se, i_min, i_1se).tolist() == [0]
    (curve,) = seen
    assert isinstance(curve, CVCurve)
    np.testing.assert_array_equal(curve.lambdas, GRID[:3])
    np.testing.assert_array_equal(curve.mse, mse[0, :3])
    np.testing.assert_array_equal(curve.mse_se, se[0, :3])
    assert (curve.lambda_min, curve.lambda_1se) == (4.0, 4.0)


@pytest.mark.parametrize("junk", [3.0, np.nan, 0, -1])
def test_a_penalty_off_the_grid_is_an_error(junk):
    mse, se = np.ones((1, 4)), np.zeros((1, 4))
    with pytest.raises(ValueError, match=r"not on the penalty grid \[1, 8\]"):
        apply_rule(lambda curve: junk, GRID[None], mse, se, *min_and_1se(mse, se))


@settings(max_examples=50, deadline=None)
@given(value=st.floats(1e-4, 100), n_padding=st.integers(0, 2))
def test_insert_penalty_adds_it_in_order(value, n_padding):
    grids = np.vstack([GRID, GRID / 3])
    grids[1, 4 - n_padding :] = np.nan
    wider = insert_penalty(grids, value)
    for before, after in zip(grids, wider, strict=True):
        known = set(before[~np.isnan(before)])
        expected = sorted(known | {value}, reverse=True)
        assert after[~np.isnan(after)].tolist() == expected
        assert np.isnan(after[len(expected) :]).all()


@pytest.mark.parametrize("rule", ["1se", "min", len])
def test_other_rules_insert_nothing(rule):
    grids = GRID[None]
    assert insert_penalty(grids, rule) is grids


def test_a_penalty_on_the_grid_is_not_added_twice():
    nearly = 2.0 * (1 + 1e-14)
    np.testing.assert_array_equal(insert_penalty(GRID[None], nearly), GRID[None])


def test_grids_of_targets_without_a_model_stay_empty():
    grids = np.vstack([np.full(4, np.nan), GRID])
    wider = insert_penalty(grids, 3.0)
    assert np.isnan(wider[0]).all()
    assert wider[1].tolist() == [8, 4, 3, 2, 1]
