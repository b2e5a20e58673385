"""States of cells from AnnData: brute force, reference series, properties, and invalid input."""

import pickle
import warnings
from itertools import pairwise

import anndata as ad
import dask.array as da
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from scifate_sklearn import (
    CellStates,
    labelled_states,
    lagged_states,
    open_anndata,
    prepare_anndata,
    velocity_states,
)
from scifate_sklearn.datasets import make_labelled_cells

LOOSE = {"gene_filter_rate": 0.1, "cell_filter_UMI": 40}
OFF = {"gene_filter_rate": 0, "cell_filter_UMI": 0}
TABLES = ("regulator", "target_t0", "target_t1", "given")
TFS = ["Gene2", "Gene5", "Gene9", "Absent"]
N_CELLS, N_GENES = 60, 14


def make_adata(seed=0, n_cells=N_CELLS):
    """Return labelled cells with velocities and columns of obs."""
    rng = np.random.default_rng(seed)
    depth = rng.uniform(0.3, 2, size=(n_cells, 1))
    total = rng.poisson(rng.permutation(np.geomspace(0.05, 20, N_GENES)) * depth).astype(float)
    new = rng.binomial(total.astype(int), 0.4).astype(float)
    velocity = rng.normal(size=total.shape)
    obs = {
        "batch": pd.Categorical(rng.choice(["a", "b", "c"], n_cells)),
        "score": rng.normal(size=n_cells),
        "time": rng.permutation(n_cells).astype(float),
        "branch": rng.choice(["left", "right"], n_cells),
        "rate": rng.uniform(0.5, 0.9, n_cells),
    }
    layers = {"new": new, "total": total, "velocity": velocity}
    names = [f"Gene{i}" for i in range(N_GENES)]
    cells = [f"cell{i}" for i in range(n_cells)]
    return ad.AnnData(
        obs=pd.DataFrame(obs, index=cells), var=pd.DataFrame(index=names), layers=layers
    )


@pytest.fixture
def adata():
    return make_adata()


def zscore(values):
    """Return z-scores with ddof 1; 0 for constant columns."""
    sd = values.std(axis=0, ddof=1)
    constant = np.ptp(values, axis=0) == 0
    return np.where(constant, 0.0, (values - values.mean(axis=0)) / np.where(constant, 1, sd))


class BruteForce:
    """The documented formulas on dense arrays of the kept cells and genes."""

    def __init__(self, adata, detected, counted, rate=0.1, umi=40):
        n = len(adata)
        self.genes = np.all([(adata.layers[layer] > 0).sum(0) > rate * n for layer in detected], 0)
        total = adata.layers[counted][:, self.genes]
        self.cells = total.sum(1) > umi
        t = np.round(total[self.cells]).sum(1)
        self.size_factor = t / np.exp(np.log(t).mean())
        self.is_tf = adata.var_names[self.genes].isin(TFS)
        self.adata = adata

    def layer(self, name):
        return self.adata.layers[name][np.ix_(self.cells, self.genes)]

    def z(self, counts):
        return zscore(np.log(counts / self.size_factor[:, None] + 0.1))


def assert_states(states, expected, rtol=1e-10):
    for name, values in zip(TABLES, expected, strict=True):
        table = getattr(states, name)
        assert table.shape == values.shape, name
        np.testing.assert_allclose(table, values, rtol=rtol, atol=1e-12, err_msg=name)


def assert_same(one, two, exact=True):
    for name in TABLES:
        pd.testing.assert_frame_equal(getattr(one, name), getattr(two, name), check_exact=exact)
    np.testing.assert_equal(one.run, two.run)


class TestLabelled:
    @pytest.mark.parametrize("regulator", ["total", "old"])
    def test_equals_brute_force(self, adata, regulator):
        layers = {name: layer.copy() for name, layer in adata.layers.items()}
        states = labelled_states(adata, TFS, regulator=regulator, **LOOSE)
        cells = BruteForce(adata, ("new", "total"), "total")
        assert 0 < cells.cells.sum() < N_CELLS
        assert 3 < cells.genes.sum() < N_GENES
        new, total = cells.layer("new"), cells.layer("total")
        x = {"total": total, "old": total - new}[regulator][:, cells.is_tf]
        depth = zscore(np.log(cells.size_factor)[:, None])
        assert_states(states, (cells.z(x), cells.z(total - new), cells.z(new), depth))
        assert list(states.regulator.index) == list(adata.obs_names[cells.cells])
        assert list(states.target_names) == list(adata.var_names[cells.genes])
        assert list(states.tf_names) == [name for name in TFS if name in states.target_names]
        assert list(states.given) == ["size_factor"]
        assert states.run is None
        for name, layer in layers.items():
            np.testing.assert_array_equal(adata.layers[name], layer)

    def test_total_and_new_are_those_of_prepare_anndata(self, adata):
        inputs = prepare_anndata(adata, TFS, **LOOSE)
        states = labelled_states(adata, TFS, **LOOSE)
        tfs = inputs.tf_matrix[states.tf_names]
        np.testing.assert_allclose(states.regulator, tfs, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(states.target_t1, inputs.target_matrix, rtol=1e-12, atol=1e-14)

    @pytest.mark.parametrize("rate", [0.7, "rate"])
    def test_detection_rate(self, adata, rate):
        states = labelled_states(adata, TFS, detection_rate=rate, **LOOSE)
        cells = BruteForce(adata, ("new", "total"), "total")
        per_cell = np.broadcast_to(adata.obs[rate] if rate == "rate" else rate, N_CELLS)
        total = cells.layer("total")
        new = np.minimum(cells.layer("new") / per_cell[cells.cells][:, None], total)
        np.testing.assert_allclose(states.target_t0, cells.z(total - new), rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(states.target_t1, cells.z(new), rtol=1e-9, atol=1e-9)

    def test_reference(self, shared):
        """The size factors of the file are those of more genes, here of one more.

        They were rounded to single precision there.
        """
        table = pd.read_csv(shared / "reference/scribe/inputs/labelled_n400.csv")
        new, total = (table.filter(like=end).to_numpy() for end in (".new", ".total"))
        factor = table["size_factor"].to_numpy()
        others = whole_totals(factor, total.sum(1)) - total.sum(1)
        names = [*table.filter(like=".new").columns.str.removesuffix(".new"), "others"]
        layers = {"new": np.c_[new, others // 2], "total": np.c_[total, others]}
        adata = ad.AnnData(layers=layers, var=pd.DataFrame(index=names))
        states = labelled_states(adata, ["TF1", "TF2", "TF3", "TF4"], **OFF)

        def z(counts):
            return zscore(np.log(counts / factor[:, None] + 0.1))

        shown = (z(total[:, :4]), z(total - new), z(new), zscore(np.log(factor)[:, None]))
        for name, values in zip(TABLES, shown, strict=True):
            found = getattr(states, name).iloc[:, : values.shape[1]]
            np.testing.assert_allclose(found, values, rtol=1e-6, atol=1e-6, err_msg=name)

    @settings(max_examples=15, deadline=None)
    @given(seed=st.integers(0, 10**6))
    def test_order_of_cells_and_genes_does_not_matter(self, seed):
        adata = make_adata(seed % 3)
        rng = np.random.default_rng(seed)
        cells, genes = rng.permutation(N_CELLS), rng.permutation(N_GENES)
        options = {"given": ("size_factor", "batch", "score"), **LOOSE}
        states = labelled_states(adata, TFS, **options)
        shuffled = labelled_states(adata[cells][:, genes], TFS, **options)
        for name in TABLES:
            table = getattr(states, name)
            other = getattr(shuffled, name).loc[table.index, table.columns]
            pd.testing.assert_frame_equal(other, table, rtol=1e-9)

    def test_new_above_total(self, adata):
        adata.layers["new"][[3, 7], 2] = adata.layers["total"][[3, 7], 2] + 5
        adata.layers["new"][9, 5] = adata.layers["total"][9, 5] + 5
        message = (
            r"layer 'new' \(new RNA\) exceeds layer 'total' \(total RNA\) in 3 of \d+ entries with "
            r"new RNA, of 2 of 1\d genes \('Gene2', 'Gene5'\).* Leave out these genes, or set"
        )
        with pytest.raises(ValueError, match=message):
            labelled_states(adata, TFS, **OFF)
        with pytest.raises(ValueError, match=message):
            labelled_states(adata, TFS, detection_rate=0.5, **OFF)
        labelled_states(adata, TFS, nt_layers=("new", "total+new"), **OFF)

    @pytest.mark.filterwarnings("ignore:layer 'new' .* exceeds layer 'total'")
    def test_total_without_the_new_rna(self, adata):
        adata.layers["total"] = adata.layers["total"] - adata.layers["new"]
        with pytest.raises(ValueError, match=r"such as 'total\+new' if 'total' lacks it"):
            labelled_states(adata, TFS, **OFF)

    def test_rounding_is_not_above_total(self, adata):
        adata.layers["new"][:, 5] = adata.layers["total"][:, 5] * (1 + 1e-7)
        states = labelled_states(adata, TFS, **OFF)
        assert (states.target_t0["Gene5"] == 0).all()

    def test_options_that_the_function_lacks_are_not_advised(self, adata):
        adata.layers["total"] = np.log1p(adata.layers["total"])
        adata.layers["new"] = np.log1p(adata.layers["new"])
        with pytest.raises(ValueError, match="logarithms") as caught:
            labelled_states(adata, TFS, **OFF)
        assert "'values'" not in str(caught.value)
        with pytest.raises(ValueError, match="negative") as caught:
            labelled_states(adata, TFS, ("velocity", "total"), **OFF)
        assert "'values'" not in str(caught.value)

    def test_layers_found_by_name(self, adata):
        states = labelled_states(adata, TFS, "auto", **LOOSE)
        assert_same(states, labelled_states(adata, TFS, **LOOSE))


def whole_totals(factor, least):
    """Return the whole numbers of which the factors are multiples, at least these."""
    for first in range(int(least[0]), 10**5):
        totals = factor * (first / factor[0])
        if (abs(totals - np.rint(totals)) < 1e-3).all() and (totals >= least - 0.5).all():
            return np.rint(totals)
    raise AssertionError("no unit found")


class TestGiven:
    def test_columns_of_obs(self, adata):
        named = ["batch", "score", "size_factor"]
        states = labelled_states(adata, TFS, given=named, **LOOSE)
        obs = adata.obs.loc[states.regulator.index]
        assert list(states.given) == ["size_factor", "obs:batch[b]", "obs:batch[c]", "obs:score"]
        columns = [obs["batch"] == "b", obs["batch"] == "c", obs["score"]]
        expected = zscore(np.stack(columns, axis=1).astype(float))
        np.testing.assert_allclose(states.given.iloc[:, 1:], expected, rtol=1e-10)

    def test_nothing(self, adata):
        states = labelled_states(adata, TFS, given=(), **LOOSE)
        assert states.given.shape == (states.n_steps, 0)

    def test_constant_size_factors_are_left_out(self, adata):
        rng = np.random.default_rng(0)
        counts = rng.multinomial(200, np.full(N_GENES, 1 / N_GENES), size=N_CELLS)
        adata.layers.update(total=counts, new=rng.binomial(counts, 0.5))
        with pytest.warns(UserWarning, match="they add up to 200 in every cell"):
            states = labelled_states(adata, TFS, **OFF)
        assert states.given.shape[1] == 0

    def test_constant_columns_are_left_out_with_a_warning(self, adata):
        adata.obs["dish"] = "one"
        with pytest.warns(UserWarning, match=r"1 of 2 `given` have the same value.*'dish'"):
            states = labelled_states(adata, TFS, given=["size_factor", "dish"], **LOOSE)
        assert list(states.given) == ["size_factor"]

    @pytest.mark.parametrize(
        ("named", "error", "message"),
        [
            ("size_factor", TypeError, "`given` must be a list of names"),
            ([1], TypeError, "`given` must be names"),
            (["score", "score"], ValueError, "`given` names 'score' more than once"),
            (["depth"], ValueError, "`given` names the column 'depth', which adata.obs does not"),
            (["gap"], ValueError, "`given`: column 'gap' of adata.obs is missing for .*of `given`"),
        ],
    )
    def test_invalid(self, adata, named, error, message):
        adata.obs["gap"] = np.nan
        with pytest.raises(error, match=message):
            labelled_states(adata, TFS, given=named, **LOOSE)


class TestVelocity:
    def states(self, adata, dt=0.5, **options):
        return velocity_states(adata, TFS, ("total", "velocity"), dt=dt, **{**LOOSE, **options})

    def test_equals_brute_force(self, adata):
        cells = BruteForce(adata, ("total",), "total")
        now = cells.layer("total")
        later = now + 0.5 * cells.layer("velocity")
        n_negative, genes = (later < 0).sum(), (later < 0).any(axis=0).sum()
        assert n_negative > 0
        message = f"negative in {n_negative} of {later.size} entries, of {genes} of 1\\d genes"
        with pytest.warns(UserWarning, match=message):
            states = self.states(adata)
        depth = zscore(np.log(cells.size_factor)[:, None])
        later = np.maximum(later, 0)
        assert_states(states, (cells.z(now[:, cells.is_tf]), cells.z(now), cells.z(later), depth))

    def test_targets_without_velocity_are_left_out(self, adata):
        adata.layers["velocity"] = np.abs(adata.layers["velocity"])
        complete = self.states(adata)
        adata.layers["velocity"][:, 2] = np.nan
        adata.layers["velocity"][4, 3] = np.inf
        with pytest.warns(UserWarning, match="2 of 1. targets were left out because layer 'veloc"):
            states = self.states(adata)
        assert set(complete.target_names) - set(states.target_names) == {"Gene2", "Gene3"}
        assert list(states.tf_names) == list(complete.tf_names)
        for name in ("target_t0", "target_t1"):
            kept = getattr(complete, name)[states.target_names]
            pd.testing.assert_frame_equal(getattr(states, name), kept)

    def test_no_velocity_at_all(self, adata):
        adata.layers["velocity"][:] = np.nan
        with pytest.raises(ValueError, match="No target is left"):
            self.states(adata)

    def test_moments_of_scvelo(self, adata):
        adata.layers["Ms"] = adata.layers["total"]
        adata.layers["velocity"] = np.abs(adata.layers["velocity"])
        message = r"smoothed counts .* Pass raw counts only if the velocities have their unit"
        with pytest.warns(UserWarning, match=message):
            velocity_states(adata, TFS, ("Ms", "velocity"), dt=0.5, **LOOSE)

    @pytest.mark.filterwarnings("error::RuntimeWarning")
    def test_overflow(self, adata):
        adata.layers["velocity"] = np.abs(adata.layers["velocity"])
        adata.layers["velocity"][:, 2] = 1e300
        message = (
            r"'total' \+ dt x layer 'velocity' is too large .* of 1 of .*'Gene2'.* unit of `dt`"
        )
        with pytest.raises(ValueError, match=message):
            self.states(adata, dt=1e10)

    @pytest.mark.parametrize("dt", [0, -1, np.nan, np.inf, "1", None])
    def test_invalid_durations(self, adata, dt):
        with pytest.raises(ValueError, match="`dt` must be a duration above 0"):
            self.states(adata, dt=dt)

    @pytest.mark.parametrize("layers", ["velocity", ("spliced",), ("total", 1), None])
    def test_invalid_layers(self, adata, layers):
        with pytest.raises(ValueError, match="`layers` must be two layer names"):
            velocity_states(adata, TFS, layers, dt=1)

    def test_missing_layers(self, adata):
        with pytest.raises(ValueError, match="`layers` names the layer 'spliced'"):
            velocity_states(adata, TFS, dt=1)


class TestLagged:
    def states(self, adata, lineage="branch", **options):
        return lagged_states(adata, TFS, "total", "time", lineage, **{**LOOSE, **options})

    @pytest.mark.parametrize("lineage", ["branch", None])
    def test_equals_brute_force(self, adata, lineage):
        states = self.states(adata, lineage)
        cells = BruteForce(adata, ("total",), "total")
        y = cells.z(cells.layer("total"))
        depth = zscore(np.log(cells.size_factor))
        obs = adata.obs[cells.cells].reset_index(names="cell")
        labels = obs["branch"] if lineage else pd.Series("all", obs.index)
        pairs, runs = [], []
        for run, (_, own) in enumerate(obs.groupby(labels)):
            ordered = own.sort_values("time").index
            pairs += pairwise(ordered)
            runs += [run] * (len(ordered) - 1)
        before, after = np.array(pairs).T
        x = y[before][:, cells.is_tf]
        assert_states(states, (x, y[before], y[after], depth[before, None]))
        assert list(states.run) == runs
        assert list(states.regulator.index) == list(obs["cell"][after])

    def test_reference_series(self, shared):
        """Rows of a delay are x[t - d], y[t - 1] and y[t] within each run, up to the scale."""
        table = pd.read_csv(shared / "reference/scribe/inputs/chain_two_runs.csv")
        series = table[["x", "z", "y", "w"]]
        obs = pd.DataFrame({"run": table["run"], "t": np.arange(len(table))})
        obs = obs.set_index(obs.index.astype(str))
        shuffled = np.random.default_rng(0).permutation(len(table))
        adata = ad.AnnData(series.set_index(obs.index), obs)[shuffled]
        states = lagged_states(adata, ["x", "z"], "X", "t", "run", (1, 2, 5), response="values")
        assert states.delays == (1, 2, 5)
        assert states.given.shape[1] == 0
        scaled = pd.DataFrame(zscore(series.to_numpy()), columns=series.columns)
        runs = [own for _, own in scaled.groupby(table["run"])]
        for delay in states.delays:
            rows, regulator_rows = states.rows_at(delay)
            x = np.concatenate([run["x"].to_numpy()[:-delay] for run in runs])
            y_before = np.concatenate([run["y"].to_numpy()[delay - 1 : -1] for run in runs])
            y_after = np.concatenate([run["y"].to_numpy()[delay:] for run in runs])
            found = states.regulator["x"].to_numpy()[regulator_rows]
            np.testing.assert_allclose(found, x, rtol=1e-12, atol=1e-12)
            np.testing.assert_allclose(states.target_t0["y"].to_numpy()[rows], y_before, 1e-12)
            np.testing.assert_allclose(states.target_t1["y"].to_numpy()[rows], y_after, 1e-12)

    @settings(max_examples=20, deadline=None)
    @given(data=st.data())
    def test_steps_never_cross_lineages(self, data):
        n = data.draw(st.integers(4, 12))
        labels = data.draw(st.lists(st.sampled_from("abc"), min_size=n, max_size=n))
        times = np.array(data.draw(st.permutations(range(n))), float)
        sizes = pd.Series(labels).value_counts()
        if sizes.max() < 2:
            return
        adata = series_of(times, labels)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            states = lagged_states(adata, ["time"], "X", "time", "label", response="values")
        # The genes are time and lineage themselves.
        steps = pd.concat([states.target_t0, states.target_t1], axis=1, keys=["t0", "t1"])
        assert len(steps) == (sizes[sizes > 1] - 1).sum()
        np.testing.assert_array_equal(steps["t0"]["label"], steps["t1"]["label"])
        assert (steps["t0"]["time"] < steps["t1"]["time"]).all()
        for delay in range(1, sizes[sizes > 1].min()):
            rows, regulator_rows = states.rows_at(delay)
            np.testing.assert_array_equal(states.run[rows], states.run[regulator_rows])
            assert len(rows) == (sizes[sizes > 1] - delay).sum()

    def test_ties_keep_the_order_of_the_cells(self):
        adata = series_of([2.0, 1.0, 1.0, 0.0, 1.0], "aaaaa")
        with pytest.warns(UserWarning, match="3 of 5 cells have the `pseudotime` of another cell"):
            states = lagged_states(adata, ["time"], "X", "time", response="values")
        assert list(states.regulator.index) == ["1", "2", "4", "0"]

    def test_cells_without_a_place_are_left_out(self, adata):
        expected = self.states(adata[10:].copy())
        adata.obs.loc[adata.obs_names[:5], "time"] = [np.nan, np.inf, np.nan, -np.inf, np.nan]
        adata.obs["branch"] = adata.obs["branch"].where(~np.isin(range(N_CELLS), range(5, 10)))
        adata.obs["other"] = np.where(np.arange(N_CELLS) < 10, np.nan, adata.obs["score"])
        with (
            pytest.warns(UserWarning, match="5 of 60 cells have no finite `pseudotime`"),
            pytest.warns(UserWarning, match="5 of 60 cells have no `lineage`"),
        ):
            states = self.states(adata)
        assert_same(states, expected)
        with pytest.warns(UserWarning, match="are left out"):
            self.states(adata, given=["other"])

    def test_lineages_of_one_cell_are_left_out(self, adata):
        expected = self.states(adata[1:].copy(), None, **OFF)
        adata.obs["branch"] = ["alone", *["main"] * (N_CELLS - 1)]
        with pytest.warns(UserWarning, match=r"1 of 2 lineages have one cell.*\('alone'\)"):
            states = self.states(adata, **OFF, response="values")
        alone = lagged_states(adata[1:], TFS, "total", "time", response="values")
        assert_same(states, alone)
        assert list(states.target_t1.index) == list(expected.target_t1.index)

    def test_only_lineages_of_one_cell(self, adata):
        adata.obs["branch"] = adata.obs_names
        with pytest.raises(ValueError, match="No step is left: `lineage` has one cell in each of"):
            self.states(adata)

    @pytest.mark.parametrize("delay", [5, 6, 10**30])
    def test_delays_that_do_not_fit(self, adata, delay):
        adata.obs["branch"] = ["short"] * 5 + ["long"] * (N_CELLS - 5)
        message = f"`delays` has {delay}, but the shortest lineage, 'short', has 5 cells"
        with pytest.raises(ValueError, match=message):
            self.states(adata, delays=(1, delay), **OFF)
        assert self.states(adata, delays=(1, 4), **OFF).delays == (1, 4)

    @pytest.mark.parametrize("delays", [(), (0,), (1, 1), (1.5,), 2, None, "1", ("2",)])
    def test_invalid_delays(self, adata, delays):
        with pytest.raises(ValueError, match="`delays` must be a list of different whole numbers"):
            self.states(adata, delays=delays)

    def test_constant_genes_are_zero(self, adata):
        adata.layers["total"][:, 4] = 0.3
        states = self.states(adata, response="values")
        assert (states.target_t0["Gene4"] == 0).all()
        assert (states.target_t1["Gene4"] == 0).all()

    def test_not_finite_values(self, adata):
        adata.layers["total"][3, 7] = np.nan
        with pytest.raises(ValueError, match=r"layer 'total' has 1 NaN or infinite value"):
            self.states(adata)
        with pytest.warns(UserWarning, match="1 of 14 targets were left out"):
            states = self.states(adata, response="values")
        assert "Gene7" not in states.target_names
        adata.layers["total"][3, 5] = np.nan
        with pytest.raises(ValueError, match=r"for 1 of the TFs \('Gene5'\)"):
            self.states(adata, response="values")

    @pytest.mark.parametrize(
        ("change", "error", "message"),
        [
            ({"pseudotime": "pt"}, ValueError, "`pseudotime` names the column 'pt'"),
            ({"pseudotime": "batch"}, TypeError, "`pseudotime`: column 'batch'.*must hold numbers"),
            ({"lineage": "tree"}, ValueError, "`lineage` names the column 'tree'"),
            ({"layer": "logs"}, ValueError, "`layer` names the layer 'logs'"),
            ({"layer": ("new", "total")}, TypeError, "`layer` must be the name of a layer"),
            ({"layer": "velocity"}, ValueError, "negative.*`response='values'`"),
            ({"response": "rates"}, ValueError, "`response` must be 'counts' or 'values'"),
            (
                {"response": "values", "given": ["size_factor"]},
                ValueError,
                "`given` names 'size_factor', but values have no size factors",
            ),
            ({"tf_names": ["Absent"]}, ValueError, "None of the 1 names in `tf_names`"),
            ({"cell_filter_UMI": 10**6}, ValueError, "No cell is left"),
        ],
    )
    def test_invalid(self, adata, change, error, message):
        given = {"tf_names": TFS, "layer": "total", "pseudotime": "time", "lineage": "branch"}
        with pytest.raises(error, match=message):
            lagged_states(adata, **{**given, **LOOSE, **change})

    def test_nothing_has_a_place(self, adata):
        adata.obs["time"] = np.nan
        with (
            pytest.warns(UserWarning, match="60 of 60 cells"),
            pytest.raises(ValueError, match="No cell has a finite `pseudotime` and a `lineage`"),
        ):
            self.states(adata)


def series_of(times, labels):
    """Return cells with two genes, the time and the number of the lineage."""
    obs = pd.DataFrame({"time": times, "label": list(labels)}, index=range(len(times)))
    obs.index = obs.index.astype(str)
    codes = pd.factorize(obs["label"])[0]
    values = pd.DataFrame({"time": times, "label": codes}, index=obs.index, dtype=float)
    return ad.AnnData(values, obs)


FUNCTIONS = {
    "labelled": lambda adata: labelled_states(adata, TFS, given=("size_factor", "batch"), **LOOSE),
    "labelled, old": lambda adata: labelled_states(adata, TFS, regulator="old", **LOOSE),
    "velocity": lambda adata: velocity_states(adata, TFS, ("total", "velocity"), dt=0.1, **LOOSE),
    "lagged": lambda adata: lagged_states(adata, TFS, "total", "time", "branch", **LOOSE),
    "lagged, values": lambda adata: lagged_states(
        adata, TFS, "velocity", "time", "branch", response="values"
    ),
}
by_function = pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
STORED = {
    "csr": sp.csr_matrix,
    "csc": sp.csc_array,
    "fortran": np.asfortranarray,
    "dask": lambda dense: da.from_array(dense, chunks=(7, 5)),
    "dask of csr": lambda dense: da.from_array(dense, chunks=(13, -1)).map_blocks(sp.csr_matrix),
}


def stored_as(adata, change):
    layers = {name: change(np.asarray(layer)) for name, layer in adata.layers.items()}
    return ad.AnnData(obs=adata.obs, var=adata.var, layers=layers)


@by_function
@pytest.mark.filterwarnings("ignore:layer 'total' . dt")
class TestStorage:
    @pytest.mark.parametrize("stored", STORED.values(), ids=STORED)
    def test_in_memory(self, adata, function, stored):
        assert_same(function(stored_as(adata, stored)), function(adata))

    @pytest.mark.parametrize("change", [np.asarray, sp.csr_matrix], ids=["dense", "csr"])
    def test_in_files(self, adata, function, change, tmp_path):
        stored_as(adata, change).write_h5ad(tmp_path / "cells.h5ad")
        with open_anndata(tmp_path / "cells.h5ad", "all") as backed:
            assert_same(function(backed), function(adata))

    def test_views(self, adata, function):
        rows = np.arange(N_CELLS)[::-1][:50]
        assert_same(function(adata[rows]), function(adata[rows].copy()))

    def test_tables_are_finite_numbers(self, adata, function):
        states = function(adata)
        for name in TABLES:
            table = getattr(states, name)
            assert np.isfinite(table.to_numpy()).all()
            assert (table.dtypes == np.float64).all()

    def test_unknown_tfs(self, adata, function, monkeypatch):
        monkeypatch.setitem(globals(), "TFS", ["Absent"])
        with pytest.raises(ValueError, match="None of the 1 names in `tf_names` is among"):
            function(adata)

    def test_pickles(self, adata, function):
        states = function(adata)
        assert_same(pickle.loads(pickle.dumps(states)), states)


def test_no_gene_and_no_cell_left():
    adata = make_adata()
    with pytest.raises(ValueError, match=r"No TF is left.*check nt_layers: 'new', 'total'"):
        labelled_states(adata, TFS, gene_filter_rate=0.999999)
    with pytest.raises(ValueError, match=r"No TF is left.*check layers: 'velocity', 'total'"):
        velocity_states(adata, TFS, ("total", "velocity"), dt=1, gene_filter_rate=0.999999)
    with pytest.raises(ValueError, match="Lower cell_filter_UMI"):
        labelled_states(adata, TFS)


def test_simulated_cells_of_the_package():
    cells = make_labelled_cells(n_cells=80, n_tfs=4, n_targets=12, random_state=0)
    states = labelled_states(cells.adata, cells.tf_names, cell_filter_UMI=0)
    assert isinstance(states, CellStates)
    assert set(states.tf_names) <= set(states.target_names)
