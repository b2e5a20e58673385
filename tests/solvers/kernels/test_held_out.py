import numpy as np
import pytest

from scifate_sklearn.solvers.kernels import _held_out as held_out
from scifate_sklearn.solvers.kernels._model import EVER, KNOWN
from scifate_sklearn.solvers.kernels._rows import padded, triangle_start


def scratch(p):
    return np.full(triangle_start(p + 4), np.nan), np.full(padded(p + 4), np.nan)


@pytest.mark.parametrize("size", [0, 1, 3, 4, 5, 15, 16, 17, 21, 32, 33])
def test_quadratic_error_of_a_sparse_model(make_problem, size):
    H, h = make_problem(0, n=60, p=40)
    rng = np.random.default_rng(size)
    members = rng.permutation(40)
    b = np.zeros(40)
    b[members[:size]] = rng.normal(size=size)
    gram, packed = scratch(40)
    held_out.gather_square(H, members, 0, size, gram)
    error = held_out.quadratic_error(b, h, members, size, gram, packed)
    assert error == pytest.approx(b @ H @ b - 2 * h @ b, rel=1e-12, abs=1e-14)


def test_gather_square_grows_to_the_same_rows(make_problem, lower):
    H = make_problem(0, n=60, p=40)[0]
    members = np.random.default_rng(0).permutation(40)
    whole, grown = scratch(40)[0], scratch(40)[0]
    held_out.gather_square(H, members, 0, 37, whole)
    for first, last in [(0, 1), (1, 1), (1, 14), (14, 18), (18, 37)]:
        held_out.gather_square(H, members, first, last, grown)
    np.testing.assert_array_equal(grown, whole)
    square = H[np.ix_(members, members)]
    np.testing.assert_array_equal(lower(whole, 37), np.tril(square[:37, :37]))


def test_rows_that_are_known_are_not_read_again(make_problem, new_model):
    H, h = make_problem(1, p=9)
    model = new_model(h)
    model.ever[:] = np.random.default_rng(1).permutation(9)
    for size, n_known in [(3, 0), (3, 3), (8, 3)]:
        model.b[model.ever[:size]] = np.arange(1, size + 1)
        model.counts[EVER] = size
        spoiled = H.copy()
        spoiled[model.ever[:n_known]] = np.nan
        error = held_out.held_out_error(model, h, spoiled, n_known)
        assert error == pytest.approx(model.b @ H @ model.b - 2 * h @ model.b, rel=1e-12)
    assert model.counts[KNOWN] == 0  # the caller updates it
