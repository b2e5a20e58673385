import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scifate_sklearn.solvers.kernels import _curves as curves

N_UNITS = 6


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n_units=st.integers(2, 9))
def test_mean_and_se_against_numpy(seed, n_units):
    rng = np.random.default_rng(seed)
    errors, weight = rng.random((n_units, 4)), rng.uniform(0.1, 9, n_units)
    for other in (curves.NOTHING, 0, 3):
        e = errors[:, 3] - (errors[:, other] if other >= 0 else 0.0)
        mean = np.average(e, weights=weight)
        se = np.sqrt(np.average((e - mean) ** 2, weights=weight) / (n_units - 1))
        assert curves.mean_and_se(errors, 3, other, weight, 1) == pytest.approx(
            (mean, se), rel=1e-12
        )


# Deviations of the units with mean 0 and a standard error of 1.
UNIT = np.sqrt((N_UNITS - 1) / N_UNITS) * np.sqrt(N_UNITS) * np.array([1, -1] * (N_UNITS // 2))


def curve_of(means, spread=0.01, paired=0.01):
    """Return errors (n_units, n_lambdas) with given means, standard errors and paired ones.

    `paired` is the standard error of the difference of two adjacent penalties.
    """
    alternate = np.arange(len(means)) % 2
    return np.asarray(means, float) + spread * UNIT[:, None] + paired * UNIT[:, None] * alternate


def test_the_curves_of_these_tests_have_the_given_errors():
    errors, weight = curve_of([3.0, 1.0], spread=0.2, paired=0.05), np.ones(N_UNITS)
    assert curves.mean_and_se(errors, 0, curves.NOTHING, weight, 1) == pytest.approx((3.0, 0.2))
    assert curves.mean_and_se(errors, 1, 0, weight, 1) == pytest.approx((-2.0, 0.05))


@pytest.mark.parametrize(
    ("paired", "mean", "depth", "expected"),
    [
        (1.01, 1.01, 1.01, True),
        (9.0, 9.0, 9.0, True),
        (0.99, 9.0, 9.0, False),  # may be chance
        (9.0, 0.99, 9.0, False),  # too little to matter
        (9.0, 9.0, 0.99, False),  # the curve is flat
        (9.0, 9.0, -9.0, False),
        (-9.0, 9.0, 9.0, False),  # better, not worse
    ],
)
def test_clearly_worse(paired, mean, depth, expected):
    """The arguments are shares of the three bounds."""
    best_se, errors = 0.1, np.empty((N_UNITS, 3))
    excess = np.sign(paired) * mean * curves.MEAN_SE * best_se
    errors[:, 1] = 1.0 + best_se * UNIT
    errors[:, 0] = errors[:, 1] + depth * curves.DEPTH * best_se
    errors[:, 2] = errors[:, 1] + excess + excess / paired / curves.PAIRED_SE * UNIT
    assert curves.clearly_worse(errors, 2, 1, np.ones(N_UNITS), 1) == expected
    assert not curves.clearly_worse(errors, 1, 1, np.ones(N_UNITS), 1)


@pytest.mark.parametrize(("depth", "expected"), [(4.9, False), (5.1, True)])
def test_a_minimum_is_deep_many_standard_errors_below_the_first_penalty(depth, expected):
    errors = np.zeros((N_UNITS, 2))
    errors[:, 1] = UNIT
    errors[:, 0] = errors[:, 1] + depth * curves.mean_and_se(errors, 1, -1, np.ones(N_UNITS), 1)[1]
    assert curves.is_deep(errors, 1, np.ones(N_UNITS), 1) == expected
    assert not curves.is_deep(errors, 0, np.ones(N_UNITS), 1)


def test_weights_decide_what_is_clearly_worse():
    errors = np.zeros((4, 3))
    errors[:, 0] = 9.0
    errors[:, 2] = 1.0, 1.1, -3.0, -3.0
    assert curves.clearly_worse(errors, 2, 1, np.array([1.0, 1.0, 1e-6, 1e-6]), 1)
    assert not curves.clearly_worse(errors, 2, 1, np.ones(4), 1)


def stop_of(errors, first=0, best=0, lowest=np.inf):
    weight = np.ones(len(errors))
    return curves.stop_of_path(errors, weight, 1, first, errors.shape[1], best, lowest)


def test_a_deep_curve_stops_soon_after_its_minimum():
    assert stop_of(curve_of([2.0, 1.0, 0.5, 0.51, 0.6, 0.7], 0.1)) == (4, 2, pytest.approx(0.5))


def test_a_flat_curve_does_not_stop_at_any_increase():
    means = [0.55, 0.52, 0.5, 0.51, 0.6, 0.7, 9.0]
    assert stop_of(curve_of(means, 0.1)) == (-1, 2, pytest.approx(0.5))


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_falling_curve_never_stops(seed):
    rng = np.random.default_rng(seed)
    means = np.cumsum(rng.uniform(0.01, 1, 12))[::-1]
    errors = means + rng.normal(size=(N_UNITS, 12))
    errors += means - errors.mean(axis=0)
    assert stop_of(errors) == (-1, 11, pytest.approx(means[-1]))


def test_constant_errors_never_stop():
    assert stop_of(np.ones((3, 5))) == (-1, 0, 1.0)


@pytest.mark.parametrize("cut", range(1, 6))
def test_a_curve_that_is_examined_in_parts_stops_at_the_same_place(cut):
    errors = curve_of([2.0, 1.0, 0.5, 0.51, 0.6, 0.7], 0.1)
    whole = stop_of(errors)
    stop, best, lowest = stop_of(errors[:, :cut])
    assert stop in (-1, whole[0])
    if stop < 0:
        assert stop_of(errors, cut, best, lowest) == whole
