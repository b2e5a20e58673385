"""Comparison of the preparation of counts with plain NumPy on dense arrays."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from scifate_sklearn.preprocessing import (
    CountFaults,
    check_real,
    count_positive,
    is_constant,
    log_above_zero,
    log_normalize,
    rounded_totals,
    select_genes,
    size_factors,
    sum_cells,
    to_dense,
    zscore,
)

FORMATS = {
    "dense": np.asarray,
    "fortran": np.asfortranarray,
    "csr_array": sp.csr_array,
    "csc_array": sp.csc_array,
    "csr_matrix": sp.csr_matrix,
    "csc_matrix": sp.csc_matrix,
}
DTYPES = (np.float64, np.float32, np.int64, np.int32, np.uint8)
every_format = pytest.mark.parametrize("fmt", FORMATS)
small_counts = arrays(
    np.int64,
    array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=8),
    elements=st.integers(0, 9),
)


@pytest.fixture(
    params=[(f, d) for f in FORMATS for d in DTYPES], ids=lambda p: f"{p[0]}-{p[1].__name__}"
)
def both(request):
    """Return the same counts as a float64 array, and in the tested format and dtype."""
    fmt, dtype = request.param
    plain = np.random.default_rng(0).poisson(1.5, size=(30, 12)).astype(np.float64)
    plain[:, 3] = 0
    plain[0, 0] = 1
    return plain, FORMATS[fmt](plain.astype(dtype))


def test_counts_and_sums(both):
    plain, counts = both
    np.testing.assert_array_equal(count_positive(counts), (plain > 0).sum(axis=0))
    assert count_positive(counts).dtype == np.int64
    np.testing.assert_array_equal(sum_cells(counts), plain.sum(axis=1))
    assert sum_cells(counts).shape == (30,)


def test_size_factors_and_logarithm(both):
    plain, counts = both
    total = plain.sum(axis=1)
    expected = total / np.exp(np.log(total).mean())
    found, unit = size_factors(rounded_totals(counts))
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    assert unit == pytest.approx(np.exp(np.log(total).mean()))
    np.testing.assert_array_equal(size_factors(rounded_totals(counts), 2.0)[0], total / 2.0)
    logs = log_normalize(counts, found)
    assert isinstance(logs, np.ndarray)
    np.testing.assert_allclose(logs, np.log(plain / expected[:, None] + 0.1), rtol=1e-13)


def test_log_above_zero_stays_sparse(both):
    plain, counts = both
    factor = np.linspace(0.5, 2.0, 30)
    logs = log_above_zero(counts, factor)
    assert sp.issparse(logs) == sp.issparse(counts)
    dense = logs.toarray() if sp.issparse(logs) else logs
    expected = log_normalize(counts, factor) - np.log(0.1)
    np.testing.assert_allclose(dense, expected, rtol=1e-13, atol=1e-14)
    assert not dense[plain == 0].any()


def test_nothing_is_modified(both):
    plain, counts = both
    factor = np.full(30, 2.0)
    dense = to_dense(counts)
    dense[0, 0] += 100
    rounded_totals(counts)
    log_normalize(counts, factor)
    log_above_zero(counts, factor)
    CountFaults.from_counts(counts).check("counts")
    zscore(plain)
    np.testing.assert_array_equal(to_dense(counts), plain)
    np.testing.assert_array_equal(factor, 2.0)


@every_format
def test_fractions_round_half_to_even_as_in_r(fmt):
    counts = FORMATS[fmt](np.array([[0.5, 1.5], [2.5, 1.4], [1.0, 0.6]]))
    total = np.array([2.0, 3.0, 2.0])  # R: round(c(0.5, 1.5, 2.5)) is 0 2 2
    np.testing.assert_allclose(
        size_factors(rounded_totals(counts))[0], total / np.exp(np.log(total).mean())
    )


@pytest.mark.parametrize("make", [sp.csr_array, sp.csc_array])
def test_stored_zeros_are_not_positive(make):
    counts = make(np.array([[1.0, 2.0], [3.0, 4.0]]))
    counts.data[:2] = 0
    assert count_positive(counts).sum() == 2


@pytest.mark.parametrize("make", FORMATS.values())
def test_sums_do_not_lose_counts_in_float32(make):
    counts = make(np.array([[2.0**24, 1.0, 1.0]], dtype=np.float32))
    np.testing.assert_array_equal(sum_cells(counts), 2.0**24 + 2)
    np.testing.assert_allclose(size_factors(rounded_totals(counts))[0], 1.0, rtol=1e-14)


@given(new=small_counts, rate=st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0]))
def test_gene_filter_is_strict_and_applies_to_every_layer(new, rate):
    total = new + (np.arange(new.shape[1]) % 2)
    n = new.shape[0]
    expected = [
        np.count_nonzero(new[:, g]) > rate * n and np.count_nonzero(total[:, g]) > rate * n
        for g in range(new.shape[1])
    ]
    kept = select_genes([count_positive(new), count_positive(sp.csr_array(total))], n, rate)
    np.testing.assert_array_equal(kept, expected)


def test_gene_filter_with_one_layer():
    np.testing.assert_array_equal(select_genes([np.array([1, 2])], 10, 0.1), [False, True])


@every_format
@pytest.mark.parametrize("value", [0.0, 0.4])
def test_no_size_factor_without_counts(fmt, value):
    counts = FORMATS[fmt](np.array([[5.0, 1.0], [value, 0.0]]))
    with pytest.raises(ValueError, match=r"1 of 2 cell\(s\) have no total counts"):
        size_factors(rounded_totals(counts))


@given(
    arrays(
        np.float64,
        array_shapes(min_dims=1, max_dims=2, min_side=2, max_side=9),
        elements=st.integers(-1000, 1000).map(lambda i: i / 8),
    )
)
def test_zscore_is_mean_zero_sd_one_or_all_zero(values):
    scaled = zscore(values)
    assert scaled.shape == values.shape
    varies = ~is_constant(values)
    np.testing.assert_array_equal(varies, np.ptp(values, axis=0) > 0)
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(scaled.std(axis=0, ddof=1), np.where(varies, 1.0, 0.0), rtol=1e-12)


def test_zscore_equals_its_formula():
    values = np.random.default_rng(1).normal(3, 5, size=(50, 4))
    expected = (values - values.mean(axis=0)) / values.std(axis=0, ddof=1)
    np.testing.assert_allclose(zscore(values), expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(zscore(values[:, 2]), expected[:, 2], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("value", [0.1, 1 / 3, -1e9, 0.0, 1e100])
def test_constant_columns_become_exact_zeros_despite_rounding(value):
    values = np.full((101, 2), value)
    values[:, 1] *= 1 + 1e-16 * np.arange(101)
    assert is_constant(values).all()
    np.testing.assert_array_equal(zscore(values), 0)
    np.testing.assert_array_equal(zscore(values[:, 0]), 0)


def test_zscore_keeps_small_variation_on_a_large_mean():
    values = 1e6 + np.array([[0.0], [1e-3], [2e-3]])
    np.testing.assert_allclose(zscore(values).ravel(), [-1, 0, 1], atol=1e-6)


def test_zscore_of_one_cell_is_zero():
    np.testing.assert_array_equal(zscore(np.array([[3.0, -1.0]])), 0)


def test_zscore_of_integers_and_float32_is_float64():
    for dtype in (np.int32, np.float32):
        scaled = zscore(np.array([[1], [2], [3]], dtype=dtype))
        assert scaled.dtype == np.float64
        np.testing.assert_allclose(scaled.ravel(), [-1, 0, 1])


@every_format
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_not_finite(fmt, bad):
    counts = FORMATS[fmt](np.array([[1.0, bad], [0.0, 2.0]]))
    with pytest.raises(ValueError, match=r"layer 'new' has 1 NaN or infinite value"):
        CountFaults.from_counts(counts).check("layer 'new'")


@every_format
def test_negative_counts(fmt):
    values = FORMATS[fmt](np.array([[1.0, -2.5], [-1.0, 2.0]]))
    with pytest.raises(ValueError, match=r"layer 'velocity' has 2 negative .* smallest -2.5"):
        CountFaults.from_counts(values).check("layer 'velocity'")


def test_faults_of_chunks_add_up():
    values = np.array([[1.0, -2.5], [np.nan, 0.0], [-4.0, np.inf]])
    pieces = [CountFaults.from_counts(values[i : i + 1]) for i in range(3)]
    assert (
        sum(pieces[1:], start=pieces[0])
        == CountFaults.from_counts(values)
        == CountFaults(2, 2, -4.0, np.inf)
    )


@pytest.mark.parametrize("values", [np.array([["a"]]), np.array([[1j]]), np.array([[object()]])])
def test_not_numbers(values):
    with pytest.raises(TypeError, match="layer 'x' must hold real numbers, found dtype"):
        check_real(values, "layer 'x'")
