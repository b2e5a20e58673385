"""Directed information against values of other implementations and closed forms (shared data)."""

import numpy as np
import pandas as pd
import pytest

from scifate_sklearn import CellStates, RDIScorer
from scifate_sklearn.causality import all_pairs, clr, conditional_mutual_information
from scifate_sklearn.causality._target import Null, Target

ESTIMATORS = ("ksg", "scribe")
SERIES = {
    "linear_lag2_n1000": 4,
    "hill_lag1_n1000": 3,
    "oscillating_lag3_n1000": 4,
    "chain_n1000": 2,
    "fork_n1000": 2,
    "chain_two_runs": 2,
}
# The reference draws the ties at the rim once, here each permutation draws others. On the tied
# counts the mean over permutations has this standard deviation between 15 such drawings.
TIE_SD = 0.002


@pytest.fixture(scope="module")
def folder(shared):
    return shared / "reference" / "scribe"


@pytest.fixture(scope="module")
def values(folder):
    # A column of one case is called null.
    text = dict.fromkeys(("source", "target", "conditioning", "delay"), str)
    return pd.read_csv(
        folder / "expected" / "values.csv", dtype=text, keep_default_na=False, na_values={"ksg": ""}
    )


def read(folder, case):
    return pd.read_csv(folder / "inputs" / f"{case}.csv")


def test_every_row_of_the_table_is_tested(values):
    is_tested = values["stat"].eq("cmi") | values["stat"].str.startswith("ucmi_")
    assert (is_tested | values["case"].isin(SERIES)).all()


def test_conditional_mutual_information(folder, values):
    rows = values[values["stat"] == "cmi"]
    assert len(rows) == 15
    for _, row in rows.iterrows():
        data = read(folder, row["case"])
        source = row["source"] or "null"  # a name that was taken for a missing value
        z = data[row["conditioning"].split("+")].to_numpy()
        for estimator in ESTIMATORS:
            found = conditional_mutual_information(
                data[source], data[row["target"]], z, n_neighbors=row["k"], estimator=estimator
            )
            np.testing.assert_allclose(found, float(row[estimator]), atol=1e-10, err_msg=str(row))


def kernel_density_weights(x, z, bandwidth):
    squares = np.subtract.outer(x, x) ** 2 + np.subtract.outer(z, z) ** 2
    return 1 / np.exp(-0.5 * squares / bandwidth**2).sum(axis=1)


def neighbour_weights(x, z):
    distance = np.maximum(*(abs(np.subtract.outer(v, v)) for v in (x, z)))
    return np.sort(distance, axis=1)[:, 5] ** 2


@pytest.mark.filterwarnings("ignore:.*effective sample size")
def test_potential_information(folder, values):
    weights = {
        "ucmi_scribe_kde0.01": lambda x, z: kernel_density_weights(x, z, 0.01),
        "ucmi_scribe_knn5": neighbour_weights,
        "ucmi_log_knn5": neighbour_weights,
        "ucmi_log_kde_scott": lambda x, z: "uniform",
    }
    rows = values[values["stat"].str.startswith("ucmi_")]
    assert set(rows["stat"]) <= set(weights)
    for _, row in rows.iterrows():
        x, y, z = read(folder, row["case"])[list("xyz")].to_numpy().T
        estimator = "scribe" if "scribe" in row["stat"] else "ksg"
        found = conditional_mutual_information(
            x, y, z, estimator=estimator, weights=weights[row["stat"]](x, z)
        )
        np.testing.assert_allclose(found, float(row[estimator]), atol=1e-10, err_msg=str(row))


def series_states(data, delays):
    """Return the steps of series, whose runs are stacked."""
    run = data.pop("run") if "run" in data else pd.Series(np.zeros(len(data)))
    is_earlier = (run.shift(-1) == run).to_numpy()
    earlier = data[is_earlier].reset_index(drop=True)
    later = data[np.roll(is_earlier, 1)].reset_index(drop=True)
    return CellStates(earlier, earlier, later, run=run[is_earlier], delays=delays)


@pytest.mark.parametrize("case", SERIES)
def test_series(folder, values, case):
    delays = range(1, SERIES[case] + 1)
    states = series_states(read(folder, case), delays)
    scorer = RDIScorer(states, n_neighbors=5).fit(all_pairs(states))
    scores = scorer.scores_.set_index(["TF", "target"])
    rows = values[values["case"] == case]
    for _, row in rows.iterrows():
        pair, expected = (row["source"], row["target"]), float(row["ksg"])
        if row["stat"] == "crdi_L1":
            found = scores.loc[pair, "crdi"]
        elif row["delay"] == "MAX":
            found = scores.loc[pair, "rdi"]
            assert scores.loc[pair, "rdi_delay"] == int(float(row["argmax_ksg"]))
        else:
            found = Target(states, row["target"], 5).rdi([row["source"]], int(row["delay"]))[0]
        np.testing.assert_allclose(found, expected, atol=1e-10, err_msg=str(row))
    maxima = scores["rdi"].unstack("TF")
    backward = scores["reverse_rdi"].unstack("TF")
    np.testing.assert_array_equal(maxima.T, backward)


@pytest.mark.parametrize("case", SERIES)
def test_series_with_the_estimator_of_scribe(folder, values, case):
    states = series_states(read(folder, case), range(1, SERIES[case] + 1))
    rows = values[(values["case"] == case) & values["delay"].str.fullmatch(r"\d+")]
    for _, row in rows.iterrows():
        later, earlier = states.rows_at(int(row["delay"]))
        found = conditional_mutual_information(
            states.regulator[row["source"]].to_numpy()[earlier],
            states.target_t1[row["target"]].to_numpy()[later],
            states.target_t0[row["target"]].to_numpy()[later],
            estimator="scribe",
        )
        np.testing.assert_allclose(found, float(row["scribe"]), atol=1e-10, err_msg=str(row))


def zscored(values):
    """Return z-scores with the rounding of the reference, which decides between near ties."""
    return (values - values.mean(axis=0)) / values.std(axis=0, ddof=1)


def labelled(folder, regulator):
    """Return the states of the labelled cells, with all genes as regulators."""
    counts = read(folder, "labelled_n400")
    size_factor = counts.pop("size_factor").to_numpy()
    names = [name.removesuffix(".total") for name in counts if name.endswith(".total")]
    total, new = (counts[[f"{name}.{kind}" for name in names]] for kind in ("total", "new"))
    total, new = (table.set_axis(names, axis=1) for table in (total, new))

    def scaled(table):
        logs = np.log(table.to_numpy() / size_factor[:, None] + 0.1)
        return pd.DataFrame(zscored(logs), columns=names)

    old = scaled(total - new)
    depth = pd.DataFrame({"size_factor": zscored(np.log(size_factor))})
    return CellStates(scaled(total) if regulator == "total" else old, old, scaled(new), depth)


@pytest.mark.parametrize("regulator", ["total", "old"])
@pytest.mark.parametrize("k", [5, 20])
def test_labelled_cells(folder, regulator, k):
    expected = pd.read_csv(folder / "expected" / "labelled.csv")
    expected = expected[(expected["regulator"] == regulator) & (expected["k"] == k)]
    states = labelled(folder, regulator)
    pairs = all_pairs(states)
    pairs = pairs[pairs["TF"].str.startswith("TF") & pairs["target"].str.startswith("Gene")]
    scores = RDIScorer(states, n_neighbors=k).fit(pairs).scores_
    found = expected[["TF", "target"]].merge(scores, how="left", validate="1:1")
    for column in ("rdi", "reverse_rdi", "crdi"):
        np.testing.assert_allclose(found[column], expected[column], atol=1e-10)
    without = CellStates(states.regulator, states.target_t0, states.target_t1)
    scores = RDIScorer(without, n_neighbors=k).fit(pairs).scores_
    found = expected[["TF", "target"]].merge(scores, how="left")
    np.testing.assert_allclose(found["rdi"], expected["rdi_without_depth"], atol=1e-10)
    for _, row in expected.iterrows():
        scribe = conditional_mutual_information(
            states.regulator[row["TF"]],
            states.target_t1[row["target"]],
            np.column_stack([states.target_t0[row["target"]], states.given]),
            n_neighbors=k,
            estimator="scribe",
        )
        np.testing.assert_allclose(scribe, row["rdi_scribe"], atol=1e-10)


def null_case(folder, case):
    """Return the states, the TF and the target of a case of the table of null values."""
    if case.startswith("labelled"):
        tf = case.split()[1].removesuffix(".total")
        return labelled(folder, "total"), tf, "Gene1"
    name, *column = case.split()
    data = read(folder, name)
    x, y, z = (*column, "y_t1", "y_t0") if column else ("x", "y", "z")
    earlier, later = data[[z]].set_axis(["y"], axis=1), data[[y]].set_axis(["y"], axis=1)
    return CellStates(data[[x]], earlier, later), x, "y"


def test_permuted_values(folder):
    expected = pd.read_csv(folder / "expected" / "permutation_nulls.csv")
    n_drawn = 200
    for _, row in expected.iterrows():
        states, tf, target = null_case(folder, row["case"])
        problem, x, _ = Target(states, target, row["k"])._problem([tf], 1)
        np.testing.assert_allclose(problem.estimate(x), row["observed"], atol=1e-6)
        null = Null(n_drawn, 5, 0)
        drawn = problem.null(x[0], null.rng(tf, target), n_drawn, 5)
        error = row["null_sd"] * np.sqrt(1 / row["draws"] + 1 / n_drawn)
        if "counts" in row["case"]:
            error = np.hypot(error, TIE_SD)
        assert abs(drawn.mean() - row["null_mean"]) < 4 * error, row["case"]
        # A standard deviation of 200 values has an error of 5 %.
        assert 0.75 < drawn.std(ddof=1) / row["null_sd"] < 1.25, row["case"]


def test_clr(folder):
    table = pd.read_csv(folder / "expected" / "clr.csv")
    matrix = table.pivot(index="row", columns="column", values="value")
    expected = table.pivot(index="row", columns="column", values="clr_both")
    np.testing.assert_allclose(clr(matrix), expected, atol=1e-10)
