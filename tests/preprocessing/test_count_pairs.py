"""New against total counts: growth with the total of the gene, ratios, and sums over cells."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from scifate_sklearn.preprocessing import CountPairs, CountSample
from scifate_sklearn.preprocessing._count_units import are_whole, undo_collisions


def pairs_of(new, total):
    return CountPairs.from_cells(sp.csr_array(new), sp.csr_array(total))


def drawn(seed, n_cells=30, n_genes=12):
    rng = np.random.default_rng(seed)
    total = rng.poisson(rng.gamma(2, 10, n_genes), (n_cells, n_genes)).astype(float)
    return rng, total


def test_elasticity_is_that_of_the_regressions_of_the_genes():
    rng, total = drawn(0)
    total[rng.random(total.shape) < 0.1] = 0
    new = rng.uniform(0, 1, total.shape) * total
    a, b = [], []
    for gene in range(total.shape[1]):
        x, t = new[:, gene][total[:, gene] > 0], total[:, gene][total[:, gene] > 0]
        slope = np.polyfit(t, x, 1)[0]
        weight = x.mean() ** 3 * t.size * t.var() / t.mean() ** 2
        a.append(weight * slope * t.mean() / x.mean())
        b.append(weight)
    a, b = np.array(a), np.array(b)
    expected = a.sum() / b.sum()
    error = np.sqrt(((a - expected * b) ** 2).sum()) / b.sum()
    np.testing.assert_allclose(pairs_of(new, total).growth.elasticity(), (expected, error))


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=20)
def test_elasticity_of_shares_whatever_their_size(seed):
    rng, total = drawn(seed, n_genes=60)
    of_gene, constant = rng.uniform(0.3, 1, (2, total.shape[1])) * rng.choice([1, 0.1, 0.01])
    np.testing.assert_allclose(
        pairs_of(of_gene * total, total).growth.elasticity(), (1, 0), atol=1e-6
    )
    fractions = np.where(total > 0, constant, 0)
    np.testing.assert_allclose(pairs_of(fractions, total).growth.elasticity(), (0, 0), atol=1e-6)
    logarithms = pairs_of(np.log1p(of_gene * total), total)
    assert logarithms.growth.elasticity().value < 1
    assert logarithms.n_above_logarithm == 0


@pytest.mark.parametrize("n_genes", [1, 2])
def test_few_genes_have_no_elasticity(n_genes):
    _, total = drawn(0, n_genes=n_genes)
    assert pairs_of(0.3 * total, total).growth.elasticity() is None


def test_no_cells_and_no_new_rna():
    for shape in ((0, 5), (4, 5)):
        pairs = pairs_of(np.zeros(shape), np.ones(shape))
        assert pairs.growth.elasticity() is None
        assert pairs.slow_growth() is None
        assert pairs.flat_growth() is None
        assert not pairs.are_ratios()


def test_ratios_of_counts():
    rng, total = drawn(3)
    new = rng.binomial(total.astype(int), 0.3)
    ratios = np.divide(new, total, out=np.zeros(total.shape), where=total > 0)
    found = pairs_of(ratios, total)
    assert found.n_fractional == np.count_nonzero((new > 0) & (new < total))
    assert found.n_ratios == found.n_fractional
    assert found.are_ratios()
    assert found.flat_growth() < 0.5
    estimates = pairs_of(rng.uniform(0, 1, total.shape) * total, total)
    assert estimates.n_ratios < 0.1 * estimates.n_fractional
    assert not estimates.are_ratios()
    assert estimates.flat_growth() is None


def test_pairs_of_chunks_add_up():
    rng, total = drawn(1, 50)
    new = rng.uniform(0, 1.05, total.shape) * total
    whole = pairs_of(new, total)
    pieces = [
        pairs_of(new[start : start + 12], total[start : start + 12]) for start in range(0, 50, 12)
    ]
    added = sum(pieces[1:], start=pieces[0])
    for name, value in vars(whole).items():
        if name == "growth":
            for ours, theirs in zip(vars(value).values(), vars(added.growth).values(), strict=True):
                np.testing.assert_allclose(theirs, ours)
        else:
            assert getattr(added, name) == value


class TestCollisions:
    """Molecules that were estimated from the number of barcodes seen."""

    @given(
        st.lists(st.lists(st.integers(1, 250), min_size=1, max_size=20), min_size=1, max_size=4),
        st.integers(4, 12),
        st.sampled_from([np.float32, np.float64]),
    )
    @settings(deadline=None, max_examples=60)
    def test_counts_come_back(self, cells, length, dtype):
        seen = np.array([each for cell in cells for each in cell], float)
        n_barcodes = 4.0**length
        molecules = (-n_barcodes * np.log1p(-seen / n_barcodes)).astype(dtype).astype(float)
        starts = np.cumsum([0, *map(len, cells)])[:-1]
        counts = undo_collisions(molecules, starts)
        # A few numbers may also be those of shorter barcodes.
        assert are_whole(counts).all()

    @pytest.mark.parametrize("length", range(4, 13))
    def test_counts_of_many_genes_come_back(self, length):
        seen = np.arange(1.0, 250.0)
        molecules = -(4.0**length) * np.log1p(-seen / 4.0**length)
        counts = undo_collisions(molecules, np.array([0]))
        # One number may be nearly whole already.
        assert np.isclose(counts, seen, rtol=1e-6).sum() >= seen.size - 1

    def test_other_numbers_stay(self):
        rng = np.random.default_rng(0)
        values = np.concatenate([rng.uniform(0, 300, 5000), np.arange(1, 100)])
        np.testing.assert_array_equal(undo_collisions(values, np.array([0, 1000, 3000])), values)

    def test_the_sample_has_the_numbers_of_the_layer(self):
        counts = np.array([[1, 2, 200, 0, 30]])
        sample = CountSample.from_cells(-256 * np.log1p(-counts / 256))
        assert sample.n_fractional == 0
        assert sample.largest == pytest.approx(-256 * np.log1p(-200 / 256))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf, -1, -3, 1e308, 1e155, 5e-324])
@pytest.mark.parametrize("scale", [1, 1e300, 1e-300])
def test_numbers_that_are_no_counts_are_compared_without_warnings(number, scale):
    new = np.random.default_rng(0).random((20, 9)) * scale
    total = 2 * new
    new[0, 0] = total[3, 3] = number
    pairs = pairs_of(new, total)
    assert not (pairs + pairs).are_ratios()
    assert pairs.flat_growth() is None
    assert pairs.slow_growth() is None
