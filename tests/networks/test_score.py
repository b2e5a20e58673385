import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from scifate_sklearn import score_network
from scifate_sklearn.networks._metrics import Tally, average_precision, roc_auc

TFS = [f"TF{i}" for i in range(5)]
GENES = [*TFS[:2], *(f"G{i}" for i in range(8))]  # two TFs are targets, too


def make_problem(seed, n_levels=6):
    """Scores on a few levels, so that many tie, and a gold network of a fifth of the pairs."""
    rng = np.random.default_rng(seed)
    scores = pd.DataFrame(rng.integers(0, n_levels, (len(TFS), len(GENES))) / 7.0, TFS, GENES)
    is_edge = rng.random(scores.shape) < 0.2
    is_edge[-1, -2:] = True, False  # of either kind at least one
    tf, gene = np.nonzero(is_edge)
    return scores, pd.DataFrame({"TF": np.array(TFS)[tf], "target": np.array(GENES)[gene]})


def flat(scores, gold):
    """Return score and truth of every pair without self-pairs, by plain loops."""
    edges = set(zip(gold["TF"], gold["target"], strict=True))
    pairs = [(tf, gene) for tf, gene in itertools.product(TFS, GENES) if tf != gene]
    return [scores.loc[pair] for pair in pairs], [pair in edges for pair in pairs]


def as_table(scores, by="coef"):
    """Write a matrix as a table of the pairs with a score, self-pairs left out."""
    named = scores.rename_axis("TF").reset_index()
    table = named.melt(id_vars="TF", var_name="target", value_name=by)
    return table[(table[by] > 0) & (table["TF"] != table["target"])]


def auroc_by_pairs(values, truth):
    """Share of (edge, other) in the right order, ties half."""
    edges = [v for v, t in zip(values, truth, strict=True) if t]
    others = [v for v, t in zip(values, truth, strict=True) if not t]
    wins = [(e > o) + 0.5 * (e == o) for e in edges for o in others]
    return sum(wins) / len(wins)


def aupr_by_steps(values, truth):
    """Sum over the distinct scores of the gain in recall times the precision."""
    area = recall = 0.0
    for level in sorted(set(values), reverse=True):
        taken = [t for v, t in zip(values, truth, strict=True) if v >= level]
        area += (sum(taken) / sum(truth) - recall) * sum(taken) / len(taken)
        recall = sum(taken) / sum(truth)
    return area


class TestValues:
    @given(seed=st.integers(0, 2**32 - 1), n_levels=st.integers(1, 40))
    @settings(max_examples=25, deadline=None)
    def test_equal_plain_loops_with_ties(self, seed, n_levels):
        scores, gold = make_problem(seed, n_levels)
        values, truth = flat(scores, gold)
        found = score_network(scores, gold)
        assert (found.n_pairs, found.n_edges) == (len(truth), sum(truth))
        assert found.density == sum(truth) / len(truth)
        assert found.n_outside == len(gold) - sum(truth)
        assert found.aupr == pytest.approx(aupr_by_steps(values, truth), rel=1e-12)
        assert found.auroc == pytest.approx(auroc_by_pairs(values, truth), rel=1e-12)
        assert found.aupr == pytest.approx(average_precision_score(truth, values), rel=1e-12)
        assert found.auroc == pytest.approx(roc_auc_score(truth, values), rel=1e-12)

    @given(
        ties=st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=30),
        n_unscored=st.sampled_from([0, 1, 10**3, 10**6]),
        n_missed=st.integers(0, 5),
    )
    @settings(max_examples=200, deadline=None)
    def test_weighted_ties_equal_the_formulas(self, ties, n_unscored, n_missed):
        """Pairs without a score, which can be millions, are one tie."""
        ties = [tie for tie in [*ties, (n_missed, n_unscored)] if sum(tie)]
        n_edges, n_others = sum(tie[0] for tie in ties), sum(tie[1] for tie in ties)
        assume(n_edges and n_others)
        area = wins = above = edges_above = 0
        for hits, others in ties:
            above, edges_above = above + hits + others, edges_above + hits
            area += hits / n_edges * edges_above / above
            n_below = n_others - (above - edges_above)
            wins += hits * (n_below + others / 2)
        hits, others = np.array(ties).T
        tally = Tally(hits + others, hits)
        assert average_precision(tally) == pytest.approx(area, rel=1e-12)
        assert roc_auc(tally) == pytest.approx(wins / (n_edges * n_others), rel=1e-12, abs=1e-15)

    @pytest.mark.parametrize("seed", range(4))
    def test_early_precision_is_the_mean_over_orders_of_ties(self, seed):
        scores, gold = make_problem(seed, n_levels=4)
        values, truth = map(np.array, flat(scores, gold))
        rng = np.random.default_rng(0)
        hits = []
        for _ in range(5_000):
            order = np.lexsort([rng.random(len(values)), -values])
            hits.append(truth[order][: truth.sum()].mean())
        found = score_network(scores, gold)
        error = 4 * np.std(hits) / np.sqrt(len(hits)) + 1e-12
        assert found.early_precision == pytest.approx(np.mean(hits), abs=error)
        assert found.early_precision_ratio == pytest.approx(found.early_precision / found.density)

    def test_early_precision_by_hand(self):
        gold = pd.DataFrame({"TF": "A", "target": ["u", "v", "w"]})
        # The first pair is an edge; two of three places are left for a tie of four with one edge.
        scores = pd.DataFrame([[9, 5, 0, 5, 5, 5]], ["A"], list("uvwxyz"))
        found = score_network(scores, gold)
        assert found.early_precision == pytest.approx((1 + 2 * 1 / 4) / 3)
        assert found.early_precision_ratio == pytest.approx((1 + 2 * 1 / 4) / 3 / (3 / 6))

    def test_constant_scores_are_random(self):
        scores, gold = make_problem(0, n_levels=1)
        found = score_network(scores, gold)
        assert found.auroc == 0.5
        assert found.aupr == found.early_precision == found.density
        assert found.early_precision_ratio == 1

    @given(seed=st.integers(0, 2**32 - 1))
    @settings(max_examples=10, deadline=None)
    def test_the_truth_as_ranking_is_perfect(self, seed):
        scores, gold = make_problem(seed)
        truth = pd.DataFrame(0.0, TFS, GENES)
        for tf, target in gold.itertuples(index=False):
            truth.loc[tf, target] = 1 + scores.loc[tf, target]
        found = score_network(truth, gold)
        assert (found.auroc, found.early_precision) == (1, 1)
        assert found.aupr == pytest.approx(1, abs=1e-12)
        reversed_ = score_network(5 - truth, gold)
        assert reversed_.auroc == 0

    @given(seed=st.integers(0, 2**32 - 1))
    @settings(max_examples=10, deadline=None)
    def test_order_of_names_does_not_matter(self, seed):
        scores, gold = make_problem(seed)
        found = score_network(scores, gold)
        shuffled = scores.sample(frac=1, random_state=seed).sample(
            frac=1, random_state=seed, axis=1
        )
        assert score_network(shuffled, gold.iloc[::-1]) == found
        table = as_table(scores).sample(frac=1, random_state=seed)
        universe = {"tfs": TFS[::-1], "targets": GENES[::-1]}
        assert score_network(table, gold, **universe) == score_network(scores, gold, **universe)

    @given(seed=st.integers(0, 2**32 - 1))
    @settings(max_examples=10, deadline=None)
    def test_only_the_ranks_matter(self, seed):
        scores, gold = make_problem(seed)
        found = score_network(scores, gold)
        for transformed in (
            scores**3,
            np.expm1(scores),
            1e-12 * scores,
            scores + 1,
            np.sqrt(scores),
        ):
            assert score_network(transformed, gold) == found


class TestInputs:
    def test_a_table_is_the_matrix_with_zeros(self):
        scores, gold = make_problem(1)
        found = score_network(scores, gold)
        table = as_table(scores, by="frequency").assign(coef=0.0)
        assert score_network(table, gold, by="frequency", tfs=TFS, targets=GENES) == found

    def test_coefficients_count_by_their_absolute_value(self):
        scores, gold = make_problem(2)
        signs = np.random.default_rng(0).choice([-1, 1], len(as_table(scores)))
        links = as_table(scores).assign(coef=lambda t: t["coef"] * signs)
        universe = {"tfs": TFS, "targets": GENES}
        assert score_network(links, gold, **universe) == score_network(scores, gold)

    def test_rows_that_repeat_count_once(self):
        scores, gold = make_problem(3)
        links = as_table(scores)
        found = score_network(links, gold)
        assert score_network(pd.concat([links, links]), pd.concat([gold, gold])) == found
        with pytest.raises(ValueError, match="repeat a pair"):
            score_network(pd.concat([links, links.assign(coef=9.0)]), gold)

    def test_by_default_all_names_count(self):
        links = pd.DataFrame({"TF": ["A"], "target": ["x"], "coef": [1.0]})
        gold = pd.DataFrame({"TF": ["A", "B"], "target": ["x", "y"]})
        found = score_network(links, gold)
        assert (found.n_pairs, found.n_edges, found.n_outside) == (4, 2, 0)

    def test_a_universe_leaves_pairs_out_and_counts_the_edges_that_go(self):
        scores, gold = make_problem(4)
        universe = {"tfs": TFS[2:], "targets": GENES[3:]}
        found = score_network(scores, gold, **universe)
        is_inside = gold["TF"].isin(TFS[2:]) & gold["target"].isin(GENES[3:])
        alone = score_network(scores.loc[TFS[2:], GENES[3:]], gold[is_inside])
        assert found == replace(alone, n_outside=int((~is_inside).sum()))

    @given(seed=st.integers(0, 2**32 - 1))
    @settings(max_examples=10, deadline=None)
    def test_excluded_pairs_never_count(self, seed):
        scores, gold = make_problem(seed)
        named = pd.concat([gold.iloc[:3], pd.DataFrame({"TF": TFS[:3], "target": "G5"})])
        named = named.drop_duplicates().iloc[: len(gold) - 1]
        out = set(zip(named["TF"], named["target"], strict=True))
        pairs = [pair for pair in itertools.product(TFS, GENES) if pair[0] != pair[1]]
        values, truth = flat(scores, gold)
        kept = [i for i, pair in enumerate(pairs) if pair not in out]
        values, truth = [values[i] for i in kept], [truth[i] for i in kept]
        if not any(truth):
            with pytest.raises(ValueError, match="None of the"):
                score_network(scores, gold, exclude=named)
            return
        found = score_network(scores, gold, exclude=pd.concat([named, named]))
        assert (found.n_pairs, found.n_edges) == (len(kept), sum(truth))
        assert found.n_excluded == len(pairs) - len(kept)
        assert found.aupr == pytest.approx(aupr_by_steps(values, truth), rel=1e-12)
        assert found.auroc == pytest.approx(auroc_by_pairs(values, truth), rel=1e-12)
        # What an excluded pair scores does not matter.
        for pair in out & set(pairs):
            scores.loc[pair] = 99.0
        assert score_network(scores, gold, exclude=named) == found
        assert score_network(scores, gold, exclude=named.iloc[:0]) == score_network(scores, gold)

    def test_self_pairs_never_count(self):
        scores, gold = make_problem(5)
        found = score_network(scores, gold)
        for tf in TFS[:2]:
            scores.loc[tf, tf] = np.nan
        loops = pd.DataFrame({"TF": TFS[:2], "target": TFS[:2]})
        again = score_network(scores, pd.concat([gold, loops]).drop_duplicates())
        assert (again.aupr, again.n_pairs, again.n_edges) == (
            found.aupr,
            found.n_pairs,
            found.n_edges,
        )

    def test_no_links_are_a_random_ranking(self):
        _, gold = make_problem(6)
        nothing = pd.DataFrame({"TF": [], "target": [], "coef": np.zeros(0)})
        found = score_network(nothing, gold, tfs=TFS, targets=GENES)
        assert (found.auroc, found.early_precision_ratio) == (0.5, 1)

    def test_a_table_of_binding_has_edges_where_there_is_a_peak(self):
        scores, gold = make_problem(7)
        rows = [(tf, gene) for tf in TFS for gene in GENES]
        tested = pd.DataFrame(rows, columns=["TF", "target"])
        edges = pd.MultiIndex.from_frame(gold)
        tested["peak"] = pd.MultiIndex.from_frame(tested).isin(edges).astype(int)
        assert score_network(scores, tested) == score_network(scores, gold)
        with pytest.raises(ValueError, match="`gold`: Column 'peak' must hold 0/1"):
            score_network(scores, tested.assign(peak=2))
        with pytest.raises(ValueError, match="`gold` has no edges"):
            score_network(scores, tested.assign(peak=0))

    def test_inputs_are_not_modified(self):
        scores, gold = make_problem(8)
        scores.loc[TFS[0], TFS[0]] = np.nan
        before = scores.copy(), gold.copy()
        score_network(scores, gold)
        pd.testing.assert_frame_equal(scores, before[0])
        pd.testing.assert_frame_equal(gold, before[1])


class TestErrors:
    @pytest.fixture
    def problem(self):
        return make_problem(9)

    def test_names_that_do_not_match(self, problem):
        scores, gold = problem
        lower = gold.assign(TF=gold["TF"].str.lower())
        with pytest.raises(ValueError, match=r"TFs of `scores`.*'TF0'.*'tf0'.*case is ignored"):
            score_network(scores, lower)
        with pytest.raises(ValueError, match=r"TFs of `gold`.*`tfs`"):
            score_network(scores, lower, tfs=TFS)
        ids = gold.assign(target=[f"ENSG{i}" for i in range(len(gold))])
        with pytest.raises(ValueError, match=r"targets of `scores`.* more.*not match in any"):
            score_network(scores, ids)
        with pytest.raises(ValueError, match=r"targets of `scores`.*`targets`"):
            score_network(scores.rename(columns=str.lower), gold, targets=GENES)

    def test_a_universe_without_edges_or_without_others(self, problem):
        scores, gold = problem
        gold = gold[gold["target"] != "G0"]
        gold = pd.concat([gold, pd.DataFrame({"TF": [TFS[0]], "target": ["G0"]})])
        with pytest.raises(ValueError, match="None of the 4 candidate pairs"):
            score_network(scores, gold, tfs=TFS[1:], targets=["G0"])
        complete = pd.DataFrame({"TF": ["TF0"], "target": ["G0"]})
        with pytest.raises(ValueError, match="All of the 1 candidate pairs"):
            score_network(scores, complete, tfs=["TF0"], targets=["G0"])

    @pytest.mark.parametrize("given", ["TF0", [], ["TF0", "TF0"]])
    def test_an_invalid_universe(self, problem, given):
        with pytest.raises((TypeError, ValueError), match="`tfs` must"):
            score_network(*problem, tfs=given)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda t: t.assign(coef=np.nan), "finite numbers"),
            (lambda t: t.assign(coef="much"), "must hold numbers, found"),
            (lambda t: t.assign(coef=1j), "must hold numbers, found complex"),
            (lambda t: t.assign(TF=""), "rows without a name"),
            (lambda t: t.assign(target=None), "rows without a name"),
            (lambda t: t.drop(columns="coef"), "one column 'coef', has 0; found 'TF', 'target'"),
            (lambda t: pd.concat([t, t["coef"]], axis=1), "one column 'coef', has 2"),
            (lambda t: t.drop(columns="target"), "a matrix of TFs × targets.*hold numbers"),
        ],
    )
    def test_broken_tables(self, problem, change, message):
        scores, gold = problem
        with pytest.raises(ValueError, match=message):
            score_network(change(as_table(scores)), gold)

    def test_negative_scores(self, problem):
        scores, gold = problem
        with pytest.raises(ValueError, match="numbers ≥ 0, found -0"):
            score_network(-scores, gold)
        with pytest.raises(ValueError, match="'effect' of `scores` must hold numbers ≥ 0"):
            score_network(
                as_table(scores, by="effect").assign(effect=lambda t: -t["effect"]),
                gold,
                by="effect",
            )

    def test_broken_matrices(self, problem):
        scores, gold = problem
        with pytest.raises(ValueError, match="finite numbers"):
            score_network(scores.mask(scores > 0.5), gold)
        with pytest.raises(ValueError, match="repeats the target 'G0'; keep one"):
            score_network(scores.rename(columns={"G1": "G0"}), gold)
        with pytest.raises(ValueError, match="repeats the TF 'TF1'; keep one"):
            score_network(scores.rename(index={"TF0": "TF1"}), gold)

    def test_no_tables(self, problem):
        scores, gold = problem
        with pytest.raises(TypeError, match=r"`scores` must be a pandas DataFrame.*ndarray"):
            score_network(scores.to_numpy(), gold)
        with pytest.raises(TypeError, match=r"`gold` must be a pandas DataFrame.*set"):
            score_network(scores, {("TF0", "G0")})
        with pytest.raises(
            ValueError, match=r"No name of the TFs of `exclude` is in the universe's"
        ):
            score_network(scores, gold, exclude=pd.DataFrame({"TF": ["tf0"], "target": ["G1"]}))
        with pytest.raises(ValueError, match=r"No name of the targets of `exclude` is in the univ"):
            score_network(scores, gold, exclude=pd.DataFrame({"TF": ["TF0"], "target": ["g1"]}))
        with pytest.raises(TypeError, match=r"`exclude` must be a pandas DataFrame.*list"):
            score_network(scores, gold, exclude=[("TF0", "G0")])
        with pytest.raises(ValueError, match="`gold` must have one column 'TF', has 0"):
            score_network(scores, gold.rename(columns={"TF": "regulator"}))


class TestColumns:
    @pytest.mark.parametrize("by", ["score", "t"])
    def test_signs_do_not_matter_where_they_are_those_of_the_regulation(self, by):
        scores, gold = make_problem(0)
        table = as_table(scores, by)
        signed = table.assign(**{by: table[by] * np.resize([1, -1], len(table))})
        assert score_network(signed, gold, by=by) == score_network(table, gold, by=by)

    @pytest.mark.parametrize("by", ["q", "t_p", "t_q", "rdi_q"])
    def test_small_probabilities_rank_first(self, by):
        scores, gold = make_problem(0)
        table = as_table(scores, by)
        small = table.assign(**{by: 1.0 - table[by]})
        found, expected = score_network(small, gold, by=by), score_network(scores, gold)
        assert found.aupr == pytest.approx(expected.aupr, rel=1e-12)

    @pytest.mark.parametrize("by", ["rdi", "crdi"])
    def test_negative_information_is_none(self, by):
        scores, gold = make_problem(0)
        table = as_table(scores, by)
        least = table[by].median()
        none = table.assign(**{by: (table[by] - least).clip(lower=0.0)})
        below = table.assign(**{by: table[by] - least})
        assert score_network(below, gold, by=by) == score_network(none, gold, by=by)


class TestStandardErrors:
    def test_equal_those_of_samples_that_are_scored_one_by_one(self):
        scores, gold = make_problem(3)
        found = score_network(scores, gold, tfs=TFS, targets=GENES, n_bootstrap=40, random_state=7)
        rng, n = np.random.RandomState(7), len(GENES)
        aupr = []
        while len(aupr) < 40:
            drawn = rng.randint(n, size=n)
            edges = set(map(tuple, gold.to_numpy()))
            pairs = [(tf, GENES[k]) for tf in TFS for k in drawn if tf != GENES[k]]
            truth = [pair in edges for pair in pairs]
            if 0 < sum(truth) < len(truth):
                values = [scores.loc[pair] for pair in pairs]
                aupr.append(average_precision_score(truth, values))
        assert found.aupr_se == pytest.approx(np.std(aupr, ddof=1), rel=1e-12)
        assert np.isfinite([found.auroc_se, found.early_precision_se]).all()

    def test_none_without_samples(self):
        scores, gold = make_problem(3)
        assert np.isnan(score_network(scores, gold).aupr_se)
        with pytest.raises(ValueError, match="`n_bootstrap` must be 0 or at least 2, got 1"):
            score_network(scores, gold, n_bootstrap=1)
