"""Layers given as counts that are not: what is caught, and what is not mistaken for it."""

import warnings
from itertools import pairwise
from pathlib import Path

import anndata as ad
import numpy as np
import pytest
import scipy.sparse as sp
from count_data import (
    MISTAKES,
    TOTAL_ONLY,
    Pair,
    changed,
    csr,
    logged,
    normalised,
    read_total,
    readers,
    simulated,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from labelled_shares import ESTIMATES, estimated

from scifate_sklearn import prepare_anndata, prepare_moments, scifate_glmnet
from scifate_sklearn.anndata_io._chunks import Chunk
from scifate_sklearn.anndata_io._genes import check_counts, count_genes
from scifate_sklearn.anndata_io._guards import SAMPLE_SIZE, sample_rows
from scifate_sklearn.anndata_io._recipe import Recipe
from scifate_sklearn.preprocessing import CountSample
from scifate_sklearn.preprocessing._count_units import cell_units

RECIPE = Recipe(("new", "total"), 0.0, 0.0, "counts", "counts", None)
# Larger matrices are cut to this many cells before they are changed.
N_CELLS, N_VALUES = 60, 100_000

DATA = list(readers(Path()))

# Totals above 2 that tell shares from counts, and how many of them a rule on ratios needs.
SMALL, FEW = 2, 10


def leaves_no_trace(pair, original):
    """Return whether changed layers are count data or estimates that the cells may have had.

    Total RNA is that of the cells, and new RNA is part of it in every entry: whole numbers, or
    shares between 0 and 1 of totals of which nearly all are 1 or 2.
    """
    if not (np.array_equal(pair.total.toarray(), original.total.toarray())):
        return False
    new, total = pair.new.toarray(), pair.total.toarray()
    if not ((new >= 0) & (new <= total)).all():
        return False
    are_whole = (new == np.rint(new)).all()
    return bool(are_whole or np.count_nonzero((new > 0) & (total > SMALL)) < FEW)


def alarms(pair):
    """Return the error or the warnings of the first pass over the cells."""
    rows = sample_rows([slice(0, pair.new.shape[0])])[0]
    no_genes = np.empty(0, dtype=np.intp)
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        try:
            check_counts(count_genes(Chunk(*pair), rows, shared=no_genes, recipe=RECIPE), RECIPE)
        except ValueError as error:
            return [str(error)]
    return [str(each.message) for each in record]


def as_anndata(pair):
    adata = ad.AnnData(layers={"new": pair.new, "total": pair.total})
    adata.var_names = [f"Gene{number}" for number in range(adata.n_vars)]
    return adata


@pytest.mark.parametrize("name", DATA)
def test_all_counts_and_estimates_pass_and_all_mistakes_are_caught(shared, name):
    pair = readers(shared / "data")[name]()
    # Every molecule of this one is nascent, which is worth a warning.
    expected = ["are equal in all but 0 of 89 entries"] if "lamanno" in name else []
    found = alarms(pair)
    assert len(found) == len(expected)
    assert all(map(str.__contains__, found, expected))
    if pair.total.nnz > N_VALUES:
        pair = Pair(*(each[:N_CELLS] for each in pair))
    changes = {mistake: make(pair) for mistake, make in MISTAKES.items()}
    missed = {mistake for mistake, change in changes.items() if not alarms(change)}
    assert missed <= {name for name, change in changes.items() if leaves_no_trace(change, pair)}


@pytest.mark.parametrize("name", TOTAL_ONLY)
def test_total_counts(shared, name):
    total, _ = read_total(shared / "data" / name, TOTAL_ONLY[name])
    assert CountSample.from_cells(total).findings() == []
    for change in (logged, normalised, lambda matrix: logged(normalised(matrix, 1e4))):
        assert CountSample.from_cells(change(total)).findings()


@pytest.fixture(scope="module")
def cells():
    return simulated()


def shares(rng, matrix, low, high):
    return changed(matrix, lambda values: values * rng.uniform(low, high, values.size))


def em_counts(rng, matrix):
    """Divide a part of the counts of each gene among it and its neighbour, as EM does."""
    moved = shares(rng, matrix, 0, 1)
    moved.data[rng.random(moved.nnz) > 0.3] = 0
    return csr(matrix - moved + sp.csr_array(np.roll(moved.toarray(), 1, axis=1)))


ESTIMATORS = {
    "counts times a share": lambda rng, pair: Pair(shares(rng, pair.total, 0, 1), pair.total),
    "shares of four digits": lambda rng, pair: Pair(
        changed(shares(rng, pair.total, 0, 1), lambda x: x.round(4)), pair.total
    ),
    "EM": lambda rng, pair: Pair(pair.new, em_counts(rng, pair.total) + pair.new),
    "reads of several genes": lambda rng, pair: Pair(
        pair.new, changed(pair.total, lambda x: x + rng.choice([0, 1 / 2, 1 / 3], x.size))
    ),
    "ambient RNA removed": lambda rng, pair: Pair(
        shares(rng, pair.new, 0.7, 0.8), shares(rng, pair.total, 0.9, 1)
    ),
    "one detection rate": lambda rng, pair: Pair(
        changed(pair.new, lambda x: x / 0.82).minimum(pair.total), pair.total
    ),
    "a detection rate per cell": lambda rng, pair: Pair(
        sp.csr_array(sp.diags_array(1 / rng.uniform(0.5, 1, 300)) @ pair.new).minimum(pair.total),
        pair.total,
    ),
    "half precision": lambda rng, pair: Pair(
        *(changed(x, lambda v: v.astype(np.float16).astype(np.float32)) for x in pair)
    ),
    "logarithms that were undone": lambda rng, pair: Pair(
        *(changed(x, lambda v: np.expm1(np.log1p(v.astype(np.float32)))) for x in pair)
    ),
    "down-sampled to the same depth": lambda rng, pair: Pair(
        sp.csr_array(pair.new.shape), csr(rng.multinomial(50, np.full(100, 0.01), size=300))
    ),
}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_estimates_are_counts(name, cells):
    assert alarms(ESTIMATORS[name](np.random.default_rng(0), cells)) == []


@pytest.mark.parametrize("molecules", [3.0, 20.0, 300.0])
def test_any_detection_rate(molecules):
    """Few different values, which all cells share, fit a logarithm by chance at some rates."""
    new, total = simulated(molecules=molecules)
    for rate in np.arange(0.5, 1.0001, 0.005):
        corrected = changed(new, lambda counts, rate=rate: counts / rate).minimum(total)
        assert alarms(Pair(csr(corrected), total)) == [], rate


@pytest.mark.parametrize("name", ESTIMATES)
def test_estimates_of_any_share_and_depth_are_counts(name):
    for seed in range(40):
        pair = estimated(seed, name)
        assert not alarms(pair), seed
        deep = (pair.new.toarray() > 0) & (pair.total.toarray() > 20)
        if np.count_nonzero(deep) < 2000 or np.median(pair.new.data) < 1:
            continue
        for mistake in ("logged, new only", "fractions of new RNA"):
            assert alarms(MISTAKES[mistake](pair)), (seed, mistake)


@pytest.mark.parametrize("n_barcodes", [4**4, 4**6, 4**8, 4**10])
@pytest.mark.parametrize("molecules", [3.0, 30.0, 300.0])
def test_counts_that_allow_for_collisions_of_barcodes(n_barcodes, molecules):
    def corrected(counts):
        seen = np.minimum(counts, n_barcodes - 1)
        return -n_barcodes * np.log1p(-seen / n_barcodes)

    pair = simulated(molecules=molecules)
    assert alarms(Pair(*(changed(each, corrected) for each in pair))) == []
    old = changed(csr(pair.total - pair.new), corrected)
    new = changed(pair.new, corrected)
    assert alarms(Pair(new, csr(new + old))) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda matrix: logged(normalised(matrix, 1e4))[:, ::2],
        lambda matrix: normalised(matrix)[:, ::2],
        lambda matrix: changed(logged(normalised(matrix, 1e4)), lambda x: x.round(3)),
        lambda matrix: changed(normalised(matrix, 1e6), lambda x: np.log2(x + 1)),
        lambda matrix: changed(normalised(matrix, 1e6), lambda x: np.log10(x + 1)),
        lambda matrix: changed(matrix, lambda x: np.log2(x + 1)),
        lambda matrix: logged(normalised(matrix, 1e4)).toarray().astype(np.float16).astype(float),
        lambda matrix: sp.vstack([matrix[:270], logged(normalised(matrix[270:], 1e4))]),
        lambda matrix: sp.vstack([matrix[:270], normalised(matrix[270:], 1e4)]),
    ],
    ids=[
        "logged, half of the genes",
        "normalised, half of the genes",
        "three digits",
        "log2",
        "log10",
        "log2 of counts",
        "half precision",
        "one of ten batches logged",
        "one of ten batches normalised",
    ],
)
def test_changes_of_total_counts(change, cells):
    assert alarms(Pair(cells.new, change(cells.total)))


@given(st.integers(0, 2**32 - 1), st.floats(1e-6, 1e6))
@settings(deadline=None, max_examples=30)
def test_units_are_those_the_counts_were_multiplied_by(seed, unit):
    rng = np.random.default_rng(seed)
    counts = np.concatenate([[1], rng.integers(1, 200, 40), [2, 3, 4, 5, 7]])
    either = rng.uniform(1, 15, 40)
    values = np.concatenate([counts * unit, either])
    units = cell_units(values, np.array([0, counts.size]), np.ones(values.size, bool))
    np.testing.assert_allclose(units, [unit, 0])


@given(st.lists(st.integers(1, 700), min_size=1, max_size=30))
@settings(deadline=None, max_examples=50)
def test_the_sample_does_not_depend_on_the_chunks(sizes):
    edges = np.cumsum([0, *sizes])
    bounds = [slice(start, stop) for start, stop in pairwise(edges)]
    chunked = np.concatenate(
        [rows + own.start for rows, own in zip(sample_rows(bounds), bounds, strict=True)]
    )
    whole = sample_rows([slice(0, edges[-1])])[0]
    np.testing.assert_array_equal(chunked, whole)
    assert whole.size == min(edges[-1], SAMPLE_SIZE)
    assert np.unique(whole).size == whole.size
    assert whole[-1] < edges[-1]


def test_samples_of_chunks_add_up(cells):
    matrix = sp.vstack([cells.total[:100], logged(normalised(cells.total[100:]))], format="csr")
    whole = CountSample.from_cells(matrix)
    pieces = [CountSample.from_cells(matrix[start : start + 70]) for start in range(0, 300, 70)]
    added = sum(pieces[1:], start=pieces[0])
    for field in vars(whole):
        np.testing.assert_array_equal(getattr(added, field), getattr(whole, field))


class TestPreparation:
    """The same through `prepare_anndata`, `prepare_moments` and the others."""

    @pytest.fixture
    def adata(self, cells):
        return as_anndata(cells)

    def prepare(self, adata, function=prepare_anndata, **options):
        names = list(adata.var_names[:10])
        return function(adata, names, **{"cell_filter_UMI": 0, "gene_filter_rate": 0} | options)

    @pytest.mark.parametrize("make", [sp.csr_array, sp.csc_array, lambda x: x.toarray()])
    @pytest.mark.parametrize("chunk_size", [7, 100, None])
    def test_any_storage_and_chunks(self, adata, make, chunk_size):
        adata.layers["total"] = make(logged(normalised(csr(adata.layers["total"]), 1e4)))
        with pytest.raises(ValueError, match=r"multiples of one number in 296 of 296 cells"):
            self.prepare(adata, prepare_moments, chunk_size=chunk_size)

    def test_dask(self, adata):
        da = pytest.importorskip("dask.array")
        new, total = (csr(adata.layers[name]).toarray() for name in ("new", "total"))
        adata.layers["new"] = da.from_array(new, chunks=(40, -1))
        adata.layers["total"] = da.from_array(np.log1p(total), chunks=(40, -1))
        with pytest.raises(ValueError, match=r"logarithms: .* \(300 cells looked at\)"):
            self.prepare(adata, prepare_moments)

    def test_logarithms(self, adata):
        adata.layers["total"] = logged(csr(adata.layers["total"]))
        message = (
            r"layer 'total' does not hold counts but logarithms: \d+% of its positive values are "
            r"not whole numbers, the largest is \d\.\d+, and the exponentials minus one of nearly "
            r"all values are whole numbers .* Pass raw counts, .* `regulators='values'` takes"
        )
        with pytest.raises(ValueError, match=message):
            self.prepare(adata)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            self.prepare(adata, regulators="values")

    def test_normalised_counts(self, adata):
        adata.layers["total"] = normalised(csr(adata.layers["total"]), 1e4)
        with pytest.warns(UserWarning, match="and they add up to 10000 in every cell") as record:
            self.prepare(adata)
        assert record[0].filename == __file__

    def test_fractions_of_new_rna(self, adata):
        new, total = (adata.layers[name].toarray() for name in ("new", "total"))
        ratios = np.divide(new, total, out=np.zeros(total.shape), where=total > 0)
        adata.layers["new"] = sp.csr_array(ratios)
        with pytest.raises(ValueError, match="'new' does not hold counts but fractions"):
            self.prepare(adata)
        # Shares that were estimated are no ratios of counts, but do not grow with the total.
        adata.layers["new"] = sp.csr_array(ratios**0.9)
        with pytest.warns(UserWarning, match=r"but numbers that may be fractions: .* exceeds 1"):
            self.prepare(adata)

    def test_sparse_estimates_of_new_rna_are_no_error(self):
        rng = np.random.default_rng(0)
        depth, mean = rng.lognormal(0, 0.3, (300, 1)), rng.lognormal(0, 1, (1, 100))
        is_new = rng.poisson(0.05 * depth * mean) > 0
        new = is_new * rng.uniform(0.5, 1, (300, 100))
        total = np.ceil(new) + rng.poisson(depth * mean * 3 * rng.gamma(0.5, 2, (300, 100)))
        adata = as_anndata(Pair(csr(new), csr(total)))
        with pytest.warns(UserWarning, match="ignore this if they are estimates of few counts"):
            self.prepare(adata)

    def test_swapped(self, adata):
        message = r"in \d+% of the entries .* below it in 0: .* Name 'new' as the new and 'total'"
        with pytest.raises(ValueError, match=message):
            self.prepare(adata, nt_layers=("total", "new"))

    def test_total_without_the_new_rna(self, adata):
        adata.layers["old"] = csr(adata.layers["total"] - adata.layers["new"])
        with pytest.warns(UserWarning, match=r"exceeds layer 'old' .* such as 'old\+new'"):
            self.prepare(adata, nt_layers=("new", "old"))

    def test_equal_layers(self, adata):
        adata.layers["new"] = adata.layers["total"].copy()
        with pytest.warns(UserWarning, match="are equal in all but 0 of"):
            self.prepare(adata)
        with warnings.catch_warnings():  # one layer for both is a choice
            warnings.simplefilter("error")
            self.prepare(adata, nt_layers=("total", "total"))

    def test_moments_of_scvelo(self, adata):
        adata.layers["Mu"], adata.layers["Ms"] = adata.layers["new"], adata.layers["total"]
        with pytest.warns(UserWarning, match="has the name of smoothed counts") as record:
            self.prepare(adata, nt_layers=("Mu", "Ms"))
        assert len(record) == 2

    def test_scifate_glmnet(self, adata, tmp_path):
        adata.layers["new"] = logged(csr(adata.layers["new"]))
        tf_list, table = tmp_path / "tfs.txt", tmp_path / "peaks.csv"
        tf_list.write_text("\n".join(adata.var_names[:5]))
        table.write_text("id,linked_gene_name,peak\nGene1,Gene9,1\nGene1,Gene8,0")
        with pytest.raises(ValueError, match="layer 'new' does not hold counts but logarithms"):
            scifate_glmnet(
                adata,
                cell_filter_UMI=0,
                motif_ref=tf_list,
                TF_link_ENCODE_ref=table,
                nt_layers=("new", "total"),
            )
