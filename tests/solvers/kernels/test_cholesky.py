"""A factor that grows and shrinks, compared with np.linalg.cholesky."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scifate_sklearn.solvers.kernels import _cholesky as cholesky
from scifate_sklearn.solvers.kernels._rows import LANES, triangle_start

P = 34


class Factor:
    """The arrays of a factor of members of a problem, filled with NaN or extreme values."""

    def __init__(self, A, v=None, l2=0.0, share=0.0, seed=0):
        rng = np.random.default_rng(seed)
        p = len(A)
        self.A, self.l2, self.share = A, l2, share
        self.v = np.ones(p) if v is None else v
        self.right, self.sign = rng.normal(size=(2, p))
        self.size, self.members = 0, np.full(p + cholesky.GROUP, -(2**31))
        width = -(-(p + cholesky.GROUP) // LANES) * LANES
        self.factor = np.full(triangle_start(p + cholesky.GROUP), np.nan)
        self.inverse, self.data, self.signs = np.full((3, width), np.nan)
        self.rows, self.products = np.full((4, p), np.nan), np.full((4, 6), np.nan)

    def append(self, *features):
        self.members[self.size : self.size + len(features)] = features
        taken = cholesky.append(
            self.A, self.v, self.l2, self.share, self.members, self.size, len(features),
            self.right, self.sign, self.factor, self.inverse, self.data, self.signs,
            self.rows, self.products,
        )  # fmt: skip
        self.size += taken
        return taken

    def remove(self, position):
        cholesky.remove(
            self.factor, self.inverse, self.data, self.signs, self.size, position,
            np.full(self.size, np.nan), np.full(self.size, np.nan),
        )  # fmt: skip
        members = np.delete(self.members[: self.size], position)
        self.size -= 1
        self.members[: self.size] = members

    def check(self, cholesky_of, lower, atol=1e-10):
        size, at = self.size, self.members[: self.size]
        A = (self.A + self.l2 * np.diag(self.v)) * (
            1.0 + self.share * np.eye(len(self.A))
        )  # fmt: skip
        L, data, signs = cholesky_of(A, at, self.right, self.sign)
        np.testing.assert_allclose(lower(self.factor, size), L, atol=atol)
        np.testing.assert_allclose(self.inverse[:size], 1.0 / np.diag(L), rtol=1e-9)
        np.testing.assert_allclose(self.data[:size], data, atol=atol)
        np.testing.assert_allclose(self.signs[:size], signs, atol=atol)


@pytest.fixture(scope="module")
def gram(make_problem):
    return make_problem(3, n=200, p=P)[0]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), l2=st.sampled_from([0.0, 0.3]), share=st.floats(0, 0.1))
def test_append_factors_groups_of_any_size(gram, cholesky_of, lower, seed, l2, share):
    rng = np.random.default_rng(seed)
    factor = Factor(gram, rng.uniform(0, 2, P), l2, share)
    order = list(rng.permutation(P)[:30])
    while order:
        n_new = min(rng.integers(1, 5), len(order))
        assert factor.append(*order[:n_new]) == n_new
        del order[:n_new]
    factor.check(cholesky_of, lower)


@pytest.mark.parametrize("n_before", [0, 1, 2, 15, 16, 17, 30])
@pytest.mark.parametrize("n_new", [1, 2, 3, 4])
def test_append_to_any_size(gram, cholesky_of, lower, n_before, n_new):
    factor = Factor(gram)
    for j in range(n_before):
        factor.append(j)
    assert factor.append(*range(n_before, n_before + n_new)) == n_new
    factor.check(cholesky_of, lower)


def test_all_features_may_be_members(make_problem, cholesky_of, lower):
    factor = Factor(make_problem(0, p=16)[0])
    for start in range(0, 16, 4):
        assert factor.append(*range(start, start + 4)) == 4
    factor.check(cholesky_of, lower)


@pytest.mark.parametrize("place", [0, 1, 2, 3])
@pytest.mark.parametrize("original", ["a member", "of its group"])
def test_append_takes_those_before_a_collinear_one(
    make_problem, cholesky_of, lower, place, original
):
    if original == "of its group" and place == 0:
        place = 3
    G = make_problem(1, p=10)[0]
    twin = 0 if original == "a member" else 6
    G[9], G[:, 9] = G[twin], G[:, twin]
    G[9, 9] = G[twin, twin]
    factor = Factor(G)
    factor.append(0, 3, 4)
    group = [6, 7, 8]
    group.insert(place, 9)
    assert factor.append(*group) == place
    factor.check(cholesky_of, lower)
    assert factor.append(5) == 1  # and continues normally
    factor.check(cholesky_of, lower)


def test_a_ridge_makes_copies_regular(make_problem, cholesky_of, lower):
    G = make_problem(1, p=8, copies=3)[0]
    assert Factor(G).append(0, 1, 5, 6) == 2
    for ridge in ({"l2": 0.1}, {"share": 1e-8}):
        factor = Factor(G, **ridge)
        assert factor.append(0, 1, 5, 6) == 4
        factor.check(cholesky_of, lower, atol=1e-4 if "share" in ridge else 1e-10)


@pytest.mark.parametrize(("noise", "taken"), [(1e-4, 2), (1e-7, 1)])
def test_almost_collinear_columns_are_refused(noise, taken):
    x, error = np.linalg.qr(np.random.default_rng(0).normal(size=(20, 2)))[0].T
    X = np.column_stack([x, x + noise * error])
    assert Factor(X.T @ X).append(0, 1) == taken


@pytest.mark.parametrize("diagonal", [0.0, np.nan])
def test_a_column_without_variance_is_collinear(diagonal):
    factor = Factor(np.diag([1.0, diagonal, 2.0]))
    assert factor.append(0, 1, 2) == 1
    assert factor.size == 1


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), size=st.integers(1, 20))
def test_remove_leaves_the_factor_without_the_member(gram, cholesky_of, lower, seed, size):
    rng = np.random.default_rng(seed)
    factor = Factor(gram, l2=0.1)
    for j in rng.permutation(P)[:size]:
        factor.append(j)
    factor.remove(rng.integers(size))
    factor.check(cholesky_of, lower)


@pytest.mark.parametrize("position", [0, 8, 16])
def test_remove_the_first_a_middle_and_the_last(gram, cholesky_of, lower, position):
    factor = Factor(gram)
    for j in range(17):
        factor.append(j)
    factor.remove(position)
    assert factor.size == 16
    factor.check(cholesky_of, lower)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_members_that_come_and_go(gram, cholesky_of, lower, seed):
    rng = np.random.default_rng(seed)
    factor = Factor(gram)
    for _ in range(25):
        outside = np.setdiff1d(np.arange(P), factor.members[: factor.size])
        if factor.size > 2 and rng.random() < 0.4:
            factor.remove(rng.integers(factor.size))
        else:
            joining = rng.permutation(outside)[: rng.integers(1, 5)]
            assert factor.append(*joining) == len(joining)
    factor.check(cholesky_of, lower)


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 5, 8, 11, 16, 19, 30])
def test_back_substitute_solves_with_the_transpose(gram, size):
    factor = Factor(gram)
    for j in range(size):
        factor.append(j)
    x = np.random.default_rng(size).normal(size=size + LANES)
    solution = x.copy()
    cholesky.back_substitute(factor.factor, factor.inverse, size, solution)
    L = np.linalg.cholesky(gram[:size, :size])
    np.testing.assert_allclose(solution[:size], np.linalg.solve(L.T, x[:size]), atol=1e-9)
    np.testing.assert_array_equal(solution[size:], x[size:])
