"""Correction of new counts for new RNA without a label."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from scifate_sklearn import SciFateRegressor, prepare_anndata, prepare_moments
from scifate_sklearn.anndata_io import iterate_cells
from scifate_sklearn.datasets import make_labelled_cells
from scifate_sklearn.preprocessing import correct_detection

OPTIONS = {"cell_filter_UMI": 300, "gene_filter_rate": 0.2}
FORMATS = (np.asarray, sp.csr_matrix, sp.csc_array, sp.csr_array)


@pytest.fixture(scope="module")
def cells():
    made = make_labelled_cells(300, 10, 40, effect_size=0.5, molecules=80, random_state=0)
    made.adata.obs["rate"] = np.random.default_rng(0).uniform(0.3, 1.0, 300)
    return made


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    formats=st.tuples(st.sampled_from(FORMATS), st.sampled_from(FORMATS)),
    dtypes=st.tuples(*[st.sampled_from([np.uint8, np.int64, np.float32, np.float64])] * 2),
)
def test_every_format_equals_the_formula(seed, formats, dtypes):
    rng = np.random.default_rng(seed)
    new, total = (rng.poisson(1.0, (9, 5)) for _ in range(2))  # new may exceed total
    rate = rng.uniform(0.05, 1.0, 9)
    expected = np.minimum(new / rate[:, None], total)
    layers = [fmt(A.astype(d)) for fmt, A, d in zip(formats, (new, total), dtypes, strict=True)]
    before = [layer.copy() for layer in layers]
    corrected = correct_detection(*layers, rate)
    assert sp.issparse(corrected) == sp.issparse(layers[0])
    own = corrected.toarray() if sp.issparse(corrected) else corrected
    np.testing.assert_array_equal(own, expected)
    for layer, old in zip(layers, before, strict=True):
        assert (layer != old).sum() == 0


def by_hand(adata, rate):
    """Return the cells with corrected counts in a layer."""
    new, total = (adata.layers[name].toarray().astype(float) for name in ("new", "total"))
    corrected = adata.copy()
    rate = np.broadcast_to(rate, adata.n_obs)
    corrected.layers["new"] = sp.csr_array(np.minimum(new / rate[:, None], total))
    return corrected


@pytest.mark.parametrize("rate", [0.4, 1, "rate"])
def test_equals_counts_that_were_corrected_before(cells, rate):
    adata = cells.adata
    values = adata.obs[rate].to_numpy() if isinstance(rate, str) else float(rate)
    inputs = prepare_anndata(adata, cells.tf_names, detection_rate=rate, **OPTIONS)
    expected = prepare_anndata(by_hand(adata, values), cells.tf_names, **OPTIONS)
    assert 100 < len(inputs.cells) < 300
    for own, frame in zip(inputs, expected, strict=True):
        pd.testing.assert_frame_equal(own, frame, check_exact=True)


def test_a_rate_of_one_changes_nothing_where_new_is_part_of_total(cells):
    plain = prepare_anndata(cells.adata, cells.tf_names, **OPTIONS)
    for own, frame in zip(
        prepare_anndata(cells.adata, cells.tf_names, detection_rate=1.0, **OPTIONS),
        plain,
        strict=True,
    ):
        pd.testing.assert_frame_equal(own, frame, check_exact=True)


def test_a_constant_rate_is_a_smaller_pseudo_count(cells):
    """As the docstring says, where the total does not limit the new counts."""
    adata = cells.adata.copy()
    adata.layers["total"] = adata.layers["total"] + 5 * adata.layers["new"]
    own = prepare_anndata(adata, cells.tf_names, detection_rate=0.25, **OPTIONS)
    new = adata[own.cells.index, own.genes.index].layers["new"].toarray()
    logs = np.log(new / own.cells["size_factor"].to_numpy()[:, None] + 0.025)
    expected = (logs - logs.mean(axis=0)) / logs.std(axis=0, ddof=1)
    np.testing.assert_allclose(own.target_matrix, expected, rtol=0, atol=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("rate", [0.4, "rate"])
def test_chunks_and_dask_give_the_same_bits(cells, rate):
    da = pytest.importorskip("dask.array", reason="needs the extra `dask`")
    adata = cells.adata
    inputs = prepare_anndata(adata, cells.tf_names, detection_rate=rate, **OPTIONS)
    layers = {
        name: da.from_array(sp.csr_array(layer), chunks=(70, -1), asarray=False)
        for name, layer in adata.layers.items()
    }
    held = ad.AnnData(obs=adata.obs, var=adata.var, layers=layers)
    for own, frame in zip(
        prepare_anndata(held, cells.tf_names, detection_rate=rate, **OPTIONS), inputs, strict=True
    ):
        pd.testing.assert_frame_equal(own, frame, check_exact=True)
    model = SciFateRegressor(path="full").fit(inputs.tf_matrix, inputs.target_matrix)
    for source, size in ((adata, None), (adata, 7), (adata, 1), (held, None)):
        prepared = prepare_moments(
            source, cells.tf_names, detection_rate=rate, chunk_size=size, **OPTIONS
        )
        pd.testing.assert_frame_equal(prepared.cells, inputs.cells, check_exact=True)
        fitted = SciFateRegressor(path="full").fit_moments(prepared.moments)
        np.testing.assert_array_equal(fitted.lambda_, model.lambda_)
        np.testing.assert_allclose(fitted.coef_, model.coef_, rtol=0, atol=1e-9)


def test_growth_and_cells_that_are_read_again(cells):
    halves = cells.adata[:150].copy(), cells.adata[150:].copy()
    options = {"detection_rate": "rate", **OPTIONS}
    first = prepare_moments(halves[0], cells.tf_names, **options)
    both = first + prepare_moments(halves[1], like=first, **options)
    plain = prepare_moments(
        by_hand(halves[0], halves[0].obs["rate"].to_numpy()), cells.tf_names, **OPTIONS
    )
    more = by_hand(halves[1], halves[1].obs["rate"].to_numpy())
    expected = plain + prepare_moments(more, like=plain, **OPTIONS)
    assert both.moments.checksum() == expected.moments.checksum()
    read = {"cell_filter_UMI": 300, "detection_rate": "rate", "chunk_size": 50}
    Y = np.vstack([y for _, y in iterate_cells(halves[0], first, **read)])
    inputs = prepare_anndata(halves[0], cells.tf_names, **options)
    np.testing.assert_allclose(Y, inputs.target_matrix, rtol=0, atol=1e-10)


def test_rates_of_other_cells_may_be_missing(cells):
    inputs = prepare_anndata(cells.adata, cells.tf_names, detection_rate="rate", **OPTIONS)
    adata = cells.adata.copy()
    others = ~adata.obs_names.isin(inputs.cells.index)
    adata.obs.loc[others, "rate"] = np.resize([np.nan, 0, -1, 5, np.inf], others.sum())
    for own, frame in zip(
        prepare_anndata(adata, cells.tf_names, detection_rate="rate", **OPTIONS),
        inputs,
        strict=True,
    ):
        pd.testing.assert_frame_equal(own, frame, check_exact=True)


class TestErrors:
    @pytest.mark.parametrize("rate", [0, -0.1, 1.1, np.nan, np.inf, [0.5], b"rate"])
    def test_of_numbers(self, cells, rate):
        with pytest.raises(ValueError, match="`detection_rate` must be a number above 0, at most"):
            prepare_anndata(cells.adata, cells.tf_names, detection_rate=rate, **OPTIONS)

    @pytest.mark.parametrize("value", [np.nan, 0.0, -1.0, 1.5, np.inf])
    def test_of_cells(self, cells, value):
        adata = cells.adata.copy()
        kept = prepare_anndata(adata, cells.tf_names, **OPTIONS).cells.index
        adata.obs.loc[kept[3], "rate"] = value
        message = rf"'rate' is missing, or .* for 1 of \d+ cells .* \('{kept[3]}'\)"
        for prepare in (prepare_anndata, prepare_moments):
            with pytest.raises(ValueError, match=message):
                prepare(adata, cells.tf_names, detection_rate="rate", **OPTIONS)

    def test_of_columns(self, cells):
        adata = cells.adata.copy()
        adata.obs["text"] = "0.5"
        with pytest.raises(TypeError, match=r"column 'text' of adata.obs must hold numbers, found"):
            prepare_anndata(adata, cells.tf_names, detection_rate="text", **OPTIONS)
        with pytest.raises(ValueError, match=r"`detection_rate` names the column 'x', which adata"):
            prepare_anndata(adata, cells.tf_names, detection_rate="x", **OPTIONS)

    @pytest.mark.parametrize("argument", ["response", "regulators"])
    def test_of_values(self, cells, argument):
        with pytest.raises(ValueError, match=rf"corrects counts, but `{argument}='values'`"):
            prepare_anndata(cells.adata, cells.tf_names, detection_rate=0.5, **{argument: "values"})
