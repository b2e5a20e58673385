import numpy as np
import pytest

from scifate_sklearn.solvers.kernels import _rows as rows


@pytest.mark.parametrize(
    ("n", "expected"), [(0, 0), (1, 16), (15, 16), (16, 16), (17, 32), (32, 32), (33, 48)]
)
def test_padded_is_the_next_multiple_of_lanes(n, expected):
    assert rows.LANES == 16
    assert rows.padded(n) == expected


@pytest.mark.parametrize("n", [0, 1, 7])
def test_rows_are_subtracted_up_to_n(n):
    rng = np.random.default_rng(0)
    x, A = rng.normal(size=7), rng.normal(size=(5, 7))
    one, four, eight = x.copy(), x.copy(), x.copy()
    rows.subtract_row(one, A[3], 0.7, n)
    rows.subtract_four_rows(four, (A[4], A[0], A[2], A[1]), (0.1, 0.2, 0.3, 0.4), n)
    factors = rng.normal(size=8)
    rows.subtract_eight_rows(eight, (*A, *A[:3]), tuple(factors), n)
    np.testing.assert_allclose(one[:n], (x - 0.7 * A[3])[:n])
    np.testing.assert_allclose(four[:n], (x - [0.2, 0.4, 0.3, 0.0, 0.1] @ A)[:n])
    expected = x - factors[:5] @ A - factors[5:] @ A[:3]
    np.testing.assert_allclose(eight[:n], expected[:n])
    np.testing.assert_array_equal(one[n:], x[n:])
    np.testing.assert_array_equal(eight[n:], x[n:])
    np.testing.assert_array_equal(four[n:], x[n:])


def test_rows_of_a_triangle_are_consecutive():
    triangle = np.arange(float(rows.triangle_start(40)))
    parts = [rows.triangle_row(triangle, i) for i in range(40)]
    np.testing.assert_array_equal(np.concatenate(parts), triangle)
    for i, row in enumerate(parts):
        assert row.size == rows.padded(i + 1)
        assert np.shares_memory(row, triangle)
    for row, expected in zip(rows.four_rows(triangle, 14), parts[14:18], strict=True):
        np.testing.assert_array_equal(row, expected)
