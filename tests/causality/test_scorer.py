"""RDIScorer in pipelines and with invalid input; CellStates and all_pairs."""

import copy
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from scifate_sklearn import (
    BindingReference,
    CellStates,
    EncodeLinkFilter,
    RDIScorer,
    SciFateRegressor,
    link_ledger,
)
from scifate_sklearn.causality import all_pairs, conditional_mutual_information

TFS = ["MYC", "SOX2", "PAX6"]
GENES = [*TFS, *(f"G{i}" for i in range(12))]


def make_states(n=150, seed=0, runs=None, delays=(1,)):
    """Return states in which MYC drives G0 to G3, and SOX2 drives G4 without being monotone."""
    rng = np.random.default_rng(seed)
    tfs = pd.DataFrame(rng.normal(size=(n, 3)), columns=TFS)
    old = pd.DataFrame(rng.normal(size=(n, 15)), columns=GENES)
    new = 0.5 * old + rng.normal(size=(n, 15))
    new[["G0", "G1", "G2", "G3"]] += 2 * tfs[["MYC"]].to_numpy()
    new["G4"] += 2 * tfs["SOX2"] ** 2
    given = pd.DataFrame({"size_factor": rng.normal(size=n)})
    return CellStates(tfs, old, new, given, runs, delays)


STATES = make_states()


def pairs(*names):
    return pd.DataFrame(
        [(*name.split(">"), 0.1) for name in names], columns=["TF", "target", "coef"]
    )


def test_evidence_is_that_of_the_definitions():
    links = pairs("MYC>G0", "SOX2>G0", "PAX6>G0", "MYC>G5", "MYC>SOX2")
    scorer = RDIScorer(STATES, n_neighbors=4).fit(links)
    found = scorer.ledger_.set_index(["TF", "target"])

    def information(tf, target, *others):
        z = [STATES.target_t0[target], STATES.given["size_factor"]]
        z += [STATES.regulator[other] for other in others]
        return conditional_mutual_information(
            STATES.regulator[tf], STATES.target_t1[target], np.column_stack(z), n_neighbors=4
        )

    for tf, target in found.index:
        assert found.loc[(tf, target), "rdi"] == pytest.approx(information(tf, target), abs=1e-12)
    best, second = (
        ("SOX2", "PAX6")
        if information("SOX2", "G0") > information("PAX6", "G0")
        else (
            "PAX6",
            "SOX2",
        )
    )
    for tf, other in (("MYC", best), (best, "MYC"), (second, "MYC")):
        expected = information(tf, "G0", other)
        assert found.loc[(tf, "G0"), "crdi"] == pytest.approx(expected, abs=1e-12)
    alone = found.loc[("MYC", "G5")]
    assert alone["crdi"] == alone["rdi"]
    assert np.isnan(alone["reverse_rdi"])
    between = found.loc[("MYC", "SOX2")]
    assert between["reverse_rdi"] == pytest.approx(information("SOX2", "MYC"), abs=1e-12)
    assert between["direction"] == between["rdi"] - between["reverse_rdi"]
    assert found[["rdi_p", "rdi_q"]].isna().all(axis=None)
    assert (found["rdi_delay"] == 1).all()
    assert found["kept"].all()


@pytest.mark.parametrize("n_conditions", [0, 1, 2, 5])
def test_number_of_conditions(n_conditions):
    links = all_pairs(STATES).query("target == 'G0'")
    scores = RDIScorer(STATES, n_conditions=n_conditions, n_neighbors=5).fit(links).scores_
    ranked = scores.sort_values("rdi", ascending=False)["TF"].tolist()
    for _, row in scores.iterrows():
        others = [tf for tf in ranked if tf != row["TF"]][:n_conditions]
        z = np.column_stack(
            [STATES.target_t0["G0"], STATES.given, STATES.regulator[others].to_numpy()]
        )
        expected = conditional_mutual_information(
            STATES.regulator[row["TF"]], STATES.target_t1["G0"], z
        )
        assert row["crdi"] == pytest.approx(expected, abs=1e-12)


def test_p_values_find_links_that_are_not_monotone():
    links = all_pairs(STATES)
    scorer = RDIScorer(STATES, n_permutations=99, alpha=0.1, random_state=0)
    kept = scorer.fit_transform(links)
    planted = {("MYC", f"G{i}") for i in range(4)} | {("SOX2", "G4")}
    assert planted <= set(zip(kept["TF"], kept["target"], strict=True))
    assert len(kept) <= 7
    dropped = scorer.ledger_[~scorer.ledger_["kept"]]
    assert (dropped["reason"] == "RDI: q above 0.1").all()
    assert scorer.scores_["rdi_p"].min() == 0.01


def test_p_value_is_the_share_of_permutations():
    links = pairs("PAX6>G7")
    scores = RDIScorer(STATES, n_permutations=37).fit(links).scores_
    count = scores["rdi_p"].iloc[0] * 38 - 1
    assert count == pytest.approx(round(count), abs=1e-9)
    assert 0 <= round(count) <= 37


def test_results_depend_neither_on_workers_nor_on_order_nor_on_company():
    links = all_pairs(STATES)
    options = {"n_permutations": 9, "n_neighbors": 5, "random_state": 3}
    alone = RDIScorer(STATES, n_jobs=1, **options).fit(links).scores_
    two = RDIScorer(STATES, n_jobs=2, **options).fit(links).scores_
    pd.testing.assert_frame_equal(alone, two, check_exact=True)
    shuffled = RDIScorer(STATES, **options).fit(links.sample(frac=1, random_state=0)).scores_
    shuffled = alone[["TF", "target"]].merge(shuffled)
    pd.testing.assert_frame_equal(alone, shuffled, check_exact=True)
    some = RDIScorer(STATES, **options).fit(links.iloc[5:9]).scores_
    columns = ["TF", "target", "rdi", "rdi_p", "reverse_rdi"]
    expected = alone.iloc[5:9][columns].reset_index(drop=True)
    pd.testing.assert_frame_equal(some[columns], expected, check_exact=True)
    other = RDIScorer(STATES, **{**options, "random_state": 4}).fit(links).scores_
    assert not other["rdi_p"].equals(alone["rdi_p"])
    assert other["rdi"].equals(alone["rdi"])


def test_constant_genes_have_no_information():
    flat = STATES.regulator.assign(MYC=0.0)
    new = STATES.target_t1.assign(G5=1.0)
    states = CellStates(flat, STATES.target_t0.assign(G0=0.0), new, STATES.given)
    scores = RDIScorer(states, n_permutations=9).fit(all_pairs(states)).scores_
    is_constant = (scores["TF"] == "MYC") | (scores["target"] == "G5")
    assert (scores.loc[is_constant, "rdi"] == 0).all()
    assert (scores.loc[is_constant, "rdi_p"] == 1).all()
    assert np.isfinite(scores[["rdi", "crdi"]]).all(axis=None)


def test_delays_and_lineages():
    """A TF that acts two steps later is found at the delay 2 of either lineage."""
    rng = np.random.default_rng(0)
    x, noise = rng.normal(size=(2, 300))
    y = np.r_[0.0, 0.0, x[:-2]] + 0.3 * noise
    earlier, later = np.r_[0:149, 150:299], np.r_[1:150, 151:300]
    run = np.repeat([0, 1], 149)
    tf, gene = (pd.DataFrame({name: v[earlier]}) for name, v in (("X", x), ("Y", y)))
    states = CellStates(tf, gene, pd.DataFrame({"Y": y[later]}), run=run, delays=(1, 2, 3))
    scores = RDIScorer(states, n_permutations=19).fit(pairs("X>Y")).scores_.iloc[0]
    assert scores["rdi_delay"] == 2
    assert scores["rdi_p"] == 0.05
    fixed = RDIScorer(states, delays=[1]).fit(pairs("X>Y")).scores_.iloc[0]
    assert fixed["rdi_delay"] == 1
    assert fixed["rdi"] < 0.1 < scores["rdi"]
    rows, earlier_rows = states.rows_at(3)
    assert (run[rows] == run[earlier_rows]).all()
    assert len(rows) == 2 * 147


class TestPipeline:
    @pytest.fixture
    def pipe(self):
        edges = [("MYC", gene) for gene in GENES[3:9]] + [("SOX2", gene) for gene in GENES[7:12]]
        reference = BindingReference.from_edges(
            pd.DataFrame(edges, columns=["TF", "target"]), GENES
        )
        chip = EncodeLinkFilter(reference, q_threshold=1.0, min_overlap=0)
        steps = [("lasso", SciFateRegressor(lambda_rule="min")), ("chip", chip)]
        return Pipeline([*steps, ("rdi", RDIScorer(STATES, n_permutations=19, alpha=0.5))])

    def test_fit_and_ledger(self, pipe):
        links = pipe.fit(STATES.regulator, STATES.target_t1).transform(STATES.regulator)
        assert list(links.columns) == list(pipe.get_feature_names_out())
        assert {("MYC", "G0"), ("MYC", "G3")} <= set(zip(links["TF"], links["target"], strict=True))
        ledger = link_ledger(pipe)
        assert ledger["kept"].sum() == len(links)
        assert "RDI: q above 0.5" in set(ledger["reason"])

    def test_clone_and_pickle(self, pipe):
        copied = clone(pipe)
        assert copied["rdi"].states is STATES
        pipe.fit(STATES.regulator, STATES.target_t1)
        again = pickle.loads(pickle.dumps(pipe))
        expected = pipe.transform(STATES.regulator)
        pd.testing.assert_frame_equal(again.transform(STATES.regulator), expected)

    def test_grid_search(self, pipe):
        search = GridSearchCV(
            Pipeline(pipe.steps[:1] + pipe.steps[2:]),
            {"lasso__lambda_rule": ["1se", "min"], "rdi__n_neighbors": [5, 8]},
            scoring=lambda fitted, X, y: fitted.transform(X)["rdi"].mean(),
            cv=2,
        ).fit(STATES.regulator, STATES.target_t1)
        assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_links_that_were_not_fitted():
    scorer = RDIScorer(STATES).fit(pairs("MYC>G0"))
    with pytest.raises(ValueError, match=r"1 of `links` were not given to `fit`.*MYC → G1"):
        scorer.transform(pairs("MYC>G0", "MYC>G1"))


@pytest.mark.parametrize(
    ("options", "links", "message"),
    [
        ({}, ["NANOG>G0"], r"1 TF\(s\) that `states` lacks \('NANOG'\)\. .* \(`tf_names`\)"),
        ({}, ["MYC>G99"], r"1 target\(s\) that `states` lacks \('G99'\)"),
        ({"n_neighbors": 38}, ["MYC>G0"], "38 neighbours need at least 152 cells, got 150"),
        ({"alpha": 0.05}, ["MYC>G0"], "`alpha`=0.05 needs p-values, but `n_permutations` is 0"),
        ({"delays": [2]}, ["MYC>G0"], "the cells are not ordered in time"),
        ({"delays": [0]}, ["MYC>G0"], "different whole numbers from 1 on"),
        ({"n_permutations": 9, "shuffle_neighbors": 151}, ["MYC>G0"], "needs as many cells"),
        ({"n_neighbors": "log"}, ["MYC>G0"], "n_neighbors"),
        ({"alpha": 2.0}, ["MYC>G0"], "alpha"),
        ({"alpha": 0.05, "n_permutations": 18}, ["MYC>G0"], "below the smallest p-value of 18"),
    ],
)
def test_invalid_options(options, links, message):
    with pytest.raises(ValueError, match=message):
        RDIScorer(STATES, **options).fit(pairs(*links))


def test_a_tf_that_is_conditioned_on():
    states = CellStates(STATES.target_t0[TFS], STATES.target_t0, STATES.target_t1)
    with pytest.raises(ValueError, match="the values of TF 'MYC' are also what the test of target"):
        RDIScorer(states).fit(pairs("MYC>G0", "MYC>MYC"))


def test_a_tf_with_the_values_of_another_gene():
    """Only the reverse direction is impossible."""
    old = STATES.target_t0.assign(MYC=STATES.regulator["SOX2"])
    states = CellStates(STATES.regulator, old, STATES.target_t1, STATES.given)
    scores = RDIScorer(states).fit(pairs("MYC>SOX2")).scores_.iloc[0]
    assert np.isfinite(scores["rdi"])
    assert np.isnan(scores[["reverse_rdi", "direction"]].astype(float)).all()


def autoregressive(rng, n, memory):
    x = rng.normal(size=n)
    for t in range(1, n):
        x[t] = memory * x[t - 1] + np.sqrt(1 - memory**2) * x[t]
    return x


@pytest.mark.parametrize(("memory", "n_warnings"), [(0.0, 0), (0.95, 1)])
def test_series_that_change_slowly(memory, n_warnings):
    rng = np.random.default_rng(0)
    x, y = (autoregressive(rng, 200, memory) for _ in range(2))
    tf, gene, later = (
        pd.DataFrame({n: v}) for n, v in (("X", x[:-1]), ("Y", y[:-1]), ("Y", y[1:]))
    )
    states = CellStates(tf, gene, later, run=np.zeros(199))
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        RDIScorer(states, n_permutations=3).fit(pairs("X>Y"))
        RDIScorer(states).fit(pairs("X>Y"))  # without p-values
    assert len(record) == n_warnings
    assert all("1 of 1 TFs change slowly" in str(each.message) for each in record)


@pytest.mark.slow  # starts processes
@pytest.mark.parametrize("backend", ["threading", "multiprocessing", "loky"])
def test_backends(backend):
    links = all_pairs(STATES).iloc[:4]
    expected = RDIScorer(STATES, n_permutations=3).fit(links).scores_
    with parallel_config(backend=backend, n_jobs=2):
        found = RDIScorer(STATES, n_permutations=3).fit(links).scores_
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


def test_progress(capsys):
    RDIScorer(STATES, verbose=1, n_permutations=3).fit(pairs("MYC>G0"))
    shown = capsys.readouterr().err
    assert "RDI: 100%" in shown
    assert "permutations: 100%" in shown
    RDIScorer(STATES).fit(pairs("MYC>G0"))
    assert not capsys.readouterr().err


class TestStates:
    def test_copies_are_locked(self):
        tfs = pd.DataFrame({"A": [0.0, 1.0]})
        states = CellStates(tfs, tfs, tfs)
        tfs.iloc[0, 0] = 9.0
        assert states.regulator.iloc[0, 0] == 0.0
        assert copy.deepcopy(states) is states
        assert clone(RDIScorer(states)).states is states

    def test_pickle(self):
        states = make_states(runs=np.repeat(["a", "b"], 75), delays=(1, 3))
        again = pickle.loads(pickle.dumps(states))
        for name in ("regulator", "target_t0", "target_t1", "given"):
            pd.testing.assert_frame_equal(getattr(states, name), getattr(again, name))
        np.testing.assert_array_equal(states.run, again.run)
        assert again.delays == (1, 3)
        assert repr(again) == (
            "CellStates(150 steps: 3 TFs, 15 targets, given 'size_factor', 2 lineages)"
        )

    def test_all_pairs(self):
        found = all_pairs(STATES)
        assert len(found) == 3 * 15 - 3
        assert (found["coef"] == 0).all()
        assert not found.duplicated().any()

    @pytest.mark.parametrize(
        ("change", "error", "message"),
        [
            ({"regulator": np.eye(3)}, TypeError, "`regulator` must be a pandas DataFrame"),
            ({"given": STATES.given.astype(str) + "x"}, TypeError, "`given` must hold numbers"),
            (
                {"target_t0": STATES.target_t0.assign(G1=np.nan, G3=np.inf)},
                ValueError,
                r"`target_t0` has missing or infinite values in 2 .*'G1', 'G3'",
            ),
            ({"target_t1": STATES.target_t1[GENES[::-1]]}, ValueError, "the same columns"),
            ({"given": STATES.given[::-1]}, ValueError, "the rows of `regulator`"),
            ({"regulator": STATES.regulator[["MYC", "MYC"]]}, ValueError, "columns of one name"),
            ({"run": [0, 1]}, ValueError, "one label per step, 150"),
            (
                {"run": np.arange(150) % 2},
                ValueError,
                r"must be consecutive rows.* 1 lineages start again \('0'\)",
            ),
            ({"run": [None] * 150}, ValueError, "`run` is missing for 150 steps"),
            (
                {"run": np.repeat([0, 1], [140, 10]), "delays": (1, 11)},
                ValueError,
                "`delays` has 11, but the shortest lineage has 11 cells",
            ),
            ({"delays": (1, 1)}, ValueError, "different whole numbers"),
            ({"delays": ()}, ValueError, "different whole numbers"),
        ],
    )
    def test_invalid_states(self, change, error, message):
        fields = ("regulator", "target_t0", "target_t1", "given")
        with pytest.raises(error, match=message):
            CellStates(**{name: getattr(STATES, name) for name in fields} | change)
