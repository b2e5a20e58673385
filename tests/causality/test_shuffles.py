"""Permutations among the nearest cells in z."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scifate_sklearn.solvers import InformationProblem


def z_of(kind, rng, n):
    match kind:
        case "continuous":
            return rng.normal(size=(2, n))
        case "counts":
            return rng.poisson(1.0, size=(1, n)).astype(float)
        case "zeros":
            return np.where(rng.random((2, n)) < 0.6, 0.0, rng.normal(size=(2, n)))
        case "constant":
            return np.zeros((1, n))
    return np.empty((0, n))


KINDS = ["continuous", "counts", "zeros", "constant", "no columns"]


def permutations(z, n_permutations, k, seed=0):
    """Return permutations as positions of the cells in their own order."""
    n = z.shape[1]
    problem = InformationProblem(np.zeros((1, n)), z, 3)
    rng = np.random.default_rng(seed)
    drawn = problem._permutations(rng, n_permutations, k)
    found = np.empty_like(drawn)
    found[:, problem._order] = problem._order[drawn]
    return found


@given(st.integers(0, 2**32 - 1), st.sampled_from(KINDS), st.integers(2, 7))
@settings(deadline=None, max_examples=60)
def test_values_come_from_the_nearest_cells(seed, kind, k):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(20, 400))
    z = z_of(kind, rng, n)
    distance = abs(z[:, :, None] - z[:, None]).max(axis=0, initial=0.0)
    rim = np.sort(distance, axis=1)[:, k - 1]
    for drawn in permutations(z, 3, k, seed):
        assert (distance[np.arange(n), drawn] <= rim).all()


@pytest.mark.parametrize("kind", KINDS)
def test_all_nearest_cells_are_drawn_equally_often(kind):
    """Of more ties than candidates some are never drawn; there are fewer cells here."""
    n, k = 40, 5
    z = z_of(kind, np.random.default_rng(1), n)
    drawn = permutations(z, 4000, k)
    distance = abs(z[:, :, None] - z[:, None]).max(axis=0, initial=0.0)
    rim = np.sort(distance, axis=1)[:, [k - 1]]
    possible = distance <= rim
    counts = np.array([np.bincount(column, minlength=n) for column in drawn.T])
    assert (counts[possible] > 0).all()
    assert not counts[~possible].any()
    # A tied cell is as likely as the others at its distance.
    tied = (distance == rim) & ~np.eye(n, dtype=bool)
    for own, is_tied in zip(counts, tied, strict=True):
        if is_tied.sum() > 20:
            assert own[is_tied].std() < 0.35 * own[is_tied].mean()


def test_most_values_are_used_once():
    """Random choice among 5 cells repeats 1 − 1/e of the values less often than this."""
    z = np.random.default_rng(0).normal(size=(2, 500))
    drawn = permutations(z, 20, 5)
    n_different = np.mean([np.unique(each).size for each in drawn])
    assert n_different > 0.85 * 500
    assert np.mean(drawn == np.arange(500)) < 0.3


def test_many_ties():
    drawn = permutations(np.zeros((1, 1000)), 2, 5)
    assert np.unique(drawn[0]).size > 850
    assert not np.array_equal(*drawn)
    # Up to 256 of the ties are candidates, from everywhere among the cells.
    cells = np.arange(1000)
    is_other = drawn[0] != cells
    assert abs(np.corrcoef(cells[is_other], drawn[0][is_other])[0, 1]) < 0.15
