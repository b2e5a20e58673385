"""Directed information: bias, calibration, direction, indirect links, rankings, and time.

    python benchmarks/causality.py bias
    python benchmarks/causality.py all --json causality.json

Each row is a property with its goal. `--quick` shrinks everything for a trial run; its numbers are
meaningless.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any, NamedTuple

import report

report.use_threads(1)

import directed_cells as cells
import numpy as np
import pandas as pd
import scipy.stats
from directed_bias import count_bias, dropout_bias, gaussian_bias, mean_error
from directed_rankings import all_scores, as_ranks
from directed_speed import permutation_times, scaling_exponent, time_of_links
from joblib import Parallel, delayed
from numpy.typing import NDArray
from problems import labelled_k562, sergio_layers
from sklearn.metrics import roc_auc_score

from scifate_sklearn import CellStates, RDIScorer, SciFateRegressor, score_network
from scifate_sklearn.causality import all_pairs

Floats = NDArray[np.float64]

SEED = 20261126
N_CELLS = 1000
N_PERMUTATIONS = 99
LEVEL = 0.05
# Correlations of x and y with z.
OF_Z = ((0.0, 0.0), (0.5, 0.5), (0.3, 0.6), (0.8, 0.8))


class Row(NamedTuple):
    """A property: its goal (limits and text), and what was measured (number and text)."""

    what: str
    goal: str
    measured: str
    value: float
    low: float = -np.inf
    high: float = np.inf

    @property
    def verdict(self) -> str:
        """Return whether the goal is met; nothing if there is none."""
        if not self.goal:
            return ""
        return "yes" if self.low <= self.value <= self.high else "no"


Rows = Iterator[Row]


def _largest(what: str, most: float, found: dict[str, tuple[float, float]], truth: str) -> Row:
    """Return the row of the setting with the largest bias."""
    name = max(found, key=lambda each: abs(found[each][0]))
    mean, error = found[name]
    text = f"{mean:+.4f} ± {error:.4f} at {name}; {len(found)} settings, {truth}"
    return Row(what, f"≤ {most:g}", text, abs(mean), high=most)


def bias(options: argparse.Namespace) -> Rows:
    """Compare estimates with closed forms and with an exact sum."""
    runs = 3 if options.quick else 50
    rng = np.random.default_rng(SEED)
    for (n, most), (what, partial) in product(
        ((5000, 0.01), (N_CELLS, 0.025)), (("ρ ≤ 0.6", (0.0, 0.3, 0.6)), ("ρ = 0.9", (0.9,)))
    ):
        size = 200 if options.quick else n
        for estimator in ("ksg", "scribe"):
            report.progress(f"bias, Gaussian, {what}, {size} cells, {estimator}")
            found = {
                f"ρ = {r:g}, cor with z {a:g} and {b:g}": gaussian_bias(
                    rng, size, (r, a, b), runs, estimator
                )
                for r, (a, b) in product(partial, OF_Z)
            }
            name = f"bias, Gaussian, {what}, n = {n:,}, {estimator}"
            row = _largest(name, most, found, "closed form")
            yield row if estimator == "ksg" else row._replace(goal="")
    size = 200 if options.quick else 2000
    report.progress("bias, dropout and counts")
    found = {
        f"dropout {share:.0%}, ρ = {r:g}": dropout_bias(rng, size, r, share, runs)
        for r in (0.0, 0.3, 0.6, 0.9)
        for share in (0.2, 0.4, 0.6)
    }
    yield _largest("bias, dropout ≤ 60 %, n = 2,000", 0.015, found, "closed form")
    found = {f"effect {effect:g}": count_bias(rng, size, effect, runs) for effect in (0, 0.3, 0.6)}
    yield _largest("bias, Poisson ≤ 1, n = 2,000", 0.015, found, "exact sum")


def depth(options: argparse.Namespace) -> Rows:
    """Score independent genes of cells that differ in depth."""
    n_pairs, seeds = (5, 1) if options.quick else (60, 5)
    for mean in (0.3, 1.0, 3.0):
        for k, goal in ((5, 0.005), ("sqrt", np.inf)):
            report.progress(f"depth, mean {mean:g}, k = {k}")
            found = {}
            for given in (True, False):
                rngs = (np.random.default_rng((SEED, seed)) for seed in range(seeds))
                drawn = (
                    cells.independent_counts(rng, N_CELLS, mean, n_pairs, given_depth=given)
                    for rng in rngs
                )
                scores = [_rdi(pairs, k, options) for pairs in drawn]
                found[given] = mean_error(np.concatenate(scores), 0.0)
            value, error = found[True]
            text = f"{value:+.4f} ± {error:.4f}; without depth {found[False][0]:.3f}"
            row = Row(f"independent counts, mean {mean:g}, k = {k}", "", text, abs(value))
            yield row if k == "sqrt" else row._replace(goal="mean within ± 0.005", high=goal)


def _rdi(pairs: tuple[CellStates, pd.DataFrame], k: Any, options: argparse.Namespace) -> Floats:
    states, links = pairs
    scorer = RDIScorer(states, n_neighbors=k, n_conditions=0, n_jobs=options.jobs)
    return scorer.fit(links).scores_["rdi"].to_numpy()


def calibration(options: argparse.Namespace) -> Rows:
    """Test pairs that are independent given the target's past and the depth."""
    n_pairs = 5 if options.quick else options.pairs
    for kind, draw in cells.NULLS.items():
        report.progress(f"calibration, {kind}")
        rng = np.random.default_rng(options.seed)
        states, links = cells.pair_states(*draw(rng, N_CELLS, n_pairs))
        p = _p_values(states, links, options.jobs)
        share, ks = float((p <= LEVEL).mean()), float(scipy.stats.kstest(p, "uniform").pvalue)
        text = f"{share:.3f} of {n_pairs} pairs"
        yield Row(f"P(p ≤ 0.05), {kind}", "0.03 to 0.08", text, share, 0.03, 0.08)
        yield Row(f"p uniform, {kind}", "KS p > 0.01", f"KS p = {ks:.2f}", ks, low=0.01)


def _p_values(states: CellStates, links: pd.DataFrame, n_jobs: int | None) -> Floats:
    scorer = RDIScorer(states, n_conditions=0, n_permutations=N_PERMUTATIONS, n_jobs=n_jobs)
    return scorer.fit(links).scores_["rdi_p"].to_numpy()


def direction(options: argparse.Namespace) -> Rows:
    """Count true links whose direction is positive."""
    n_pairs, seeds = (2, 1) if options.quick else (30, 5)
    for (molecules, least), effect in product(((3, 0.85), (10, 0.95), (30, 0.95)), cells.KINETICS):
        report.progress(f"direction, kinetics, {molecules} molecules, {effect}")
        found = Parallel(options.jobs)(
            delayed(_kinetic_direction)(molecules, effect, seed) for seed in range(n_pairs)
        )
        is_forward, is_shorter = np.array(found).T
        if effect == "no link":
            what = f"no link, {molecules} molecules: the shorter-lived gene seems to drive"
            yield _share(what, is_forward == is_shorter, None)
        else:
            yield _share(f"direction, {molecules} molecules, {effect}", is_forward, least)
    for capture, memory, least in ((0.1, 0.2, 0.8), (0.5, 0.2, 0.85), (0.1, 0.8, None)):
        report.progress(f"direction, labelled cells, capture {capture}, memory {memory}")
        cell_options = {"capture_efficiency": capture, "state_memory": memory}
        found = [_labelled_direction(seed, options, cell_options) for seed in range(seeds)]
        linked, others = (np.concatenate(each) for each in zip(*found, strict=True))
        slow = ", slow states (memory 0.8)" if least is None else ""
        what = f"direction, labelled, capture {capture}{slow}"
        yield _share(what, linked, least)
        yield _share(f"{what}, pairs without a link", others, None)


def _kinetic_direction(molecules: float, effect: str, seed: int) -> tuple[bool, bool]:
    """Return whether X seems to drive Y, and whether its half-life is the shorter one."""
    rng = np.random.default_rng((SEED, seed))
    half_lives = rng.uniform(0.5, 6.0, 2)
    states = cells.kinetic_states(*cells.two_genes(rng, N_CELLS, molecules, effect, half_lives))
    link = pd.DataFrame({"TF": ["X"], "target": ["Y"], "coef": 1.0})
    scores = RDIScorer(states, n_conditions=0).fit(link).scores_
    return bool(scores["direction"].iloc[0] > 0), bool(half_lives[0] < half_lives[1])


def _labelled_direction(
    seed: int, options: argparse.Namespace, cell_options: dict[str, float]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return whether the direction is positive, of true links and of as many other pairs."""
    states, links = cells.labelled_states(N_CELLS, seed, tfs_only=False, **cell_options)
    tfs = links["TF"].unique()
    targets = states.target_names.difference(tfs, sort=False)
    pairs = pd.MultiIndex.from_product([tfs, targets], names=["TF", "target"])
    others = pairs.difference(pd.MultiIndex.from_frame(links[["TF", "target"]]))
    n = 5 if options.quick else len(links)
    links = links.head(n)
    drawn = others.to_frame(index=False).sample(n, random_state=seed).assign(coef=0.0)
    scorer = RDIScorer(states, n_conditions=0, n_jobs=options.jobs).fit(pd.concat([links, drawn]))
    is_forward = scorer.scores_["direction"].to_numpy() > 0
    return is_forward[:n], is_forward[n:]


def _share(what: str, is_so: NDArray[np.bool_], least: float | None) -> Row:
    share = float(is_so.mean())
    text = f"{share:.1%} of {len(is_so)}"
    if least is None:
        return Row(what, "", text, share)
    return Row(what, f"≥ {least:.0%}", text, share, low=least)


def indirect(options: argparse.Namespace) -> Rows:
    """Test links between genes that have only a third gene in common."""
    n_pairs = 2 if options.quick else 60
    for is_fork in (False, True):
        for molecules in (None, 30.0, 5.0):
            name = "fork X ← Z → Y" if is_fork else "chain X → Z → Y"
            noise = "noise-free" if molecules is None else f"{molecules:g} molecules"
            report.progress(f"{name}, {noise}")
            p = np.array(
                Parallel(options.jobs, prefer="threads")(
                    delayed(_indirect_p)(is_fork, molecules, seed) for seed in range(n_pairs)
                )
            )
            alone, given = (p <= LEVEL).mean(axis=0)
            has_goal = molecules is None and not is_fork
            low, high = ("≥ 95 %", "≤ 10 %") if has_goal else ("", "")
            shown = [f"{each:.1%} of {n_pairs}" for each in (alone, given)]
            yield Row(f"{name}, {noise}: significant", low, shown[0], alone, low=0.95)
            yield Row(f"{name}, {noise}: significant given Z", high, shown[1], given, high=0.1)


def _indirect_p(is_fork: bool, molecules: float | None, seed: int) -> list[float]:
    triple = cells.Indirect(np.random.default_rng((SEED, seed)), N_CELLS, is_fork=is_fork)
    link = pd.DataFrame({"TF": ["TF0"], "target": ["Gene0"], "coef": 1.0})
    return [
        float(_p_values(triple.observed(molecules, given_z=given), link, None)[0])
        for given in (False, True)
    ]


def shapes(options: argparse.Namespace) -> Rows:
    """Rank all pairs by RDI and by the LASSO, one shape of the effect at a time."""
    n_tfs, n_targets = (5, 4) if options.quick else (20, 60)
    for shape in cells.SHAPES:
        report.progress(f"shapes, {shape}")
        rng = np.random.default_rng(SEED)
        states, true = cells.shaped_links(rng, N_CELLS, shape, n_tfs, n_targets)
        pairs = all_pairs(states)
        is_true = pd.MultiIndex.from_frame(pairs[["TF", "target"]]).isin(
            pd.MultiIndex.from_frame(true)
        )
        lasso = SciFateRegressor(lambda_rule="min").fit(states.regulator, states.target_t1)
        by_lasso = roc_auc_score(is_true, np.abs(lasso.coef_).T.ravel())
        by_rdi = roc_auc_score(is_true, _rdi((states, pairs), "sqrt", options))
        text = f"{by_rdi:.3f}; LASSO {by_lasso:.3f}"
        row = Row(f"AUROC, {shape}", "", text, float(by_rdi))
        yield row._replace(goal="≥ 0.95", low=0.95) if shape == "bell" else row


def time(options: argparse.Namespace) -> Rows:
    """Time 10,000 links of 2,000 cells, two rivals, and a lower bound."""
    for found in time_of_links(options.quick, options.jobs):
        yield Row(*found)


def permutations(options: argparse.Namespace) -> Rows:
    """Time 99 permutations of a sample of links."""
    for found in permutation_times(options.quick, options.jobs):
        yield Row(*found)


def scaling(options: argparse.Namespace) -> Rows:
    """Time links of 1,000 to 8,000 cells."""
    for found in scaling_exponent(options.quick):
        yield Row(*found)


def rankings(options: argparse.Namespace) -> Rows:
    """Rank all pairs of networks that are known."""
    for name, states, gold in _known(options):
        report.progress(f"rankings, {name}")
        for ranking, scores in all_scores(states, options.jobs).items():
            # Information can be negative; only the order counts.
            ranks = pd.DataFrame(as_ranks(scores), scores.index, scores.columns)
            found = score_network(ranks, gold, tfs=scores.index, targets=scores.columns)
            text = f"{found.auroc:.3f} / {found.aupr:.3f}"
            yield Row(f"{name}, AUROC / AUPR: {ranking}", "", text, found.aupr)


def _known(options: argparse.Namespace) -> Iterator[tuple[str, CellStates, pd.DataFrame]]:
    n_cells = 200 if options.quick else N_CELLS
    sizes = {"n_tfs": 10, "n_targets": 10} if options.quick else {}
    for capture in (0.1, 0.5):
        states, links = cells.labelled_states(
            n_cells, 0, tfs_only=True, capture_efficiency=capture, **sizes
        )
        yield f"labelled, capture {capture}", states, links
    new, total, tfs, gold = sergio_layers()
    yield "SERGIO DS4", cells.labelled_counts_states(new, total, tfs), gold


def k562(options: argparse.Namespace) -> Rows:
    """Count random pairs of labelled K562 cells above the 95 % quantile of shuffled cells."""
    n_pairs = 20 if options.quick else 2000
    new, total = labelled_k562()
    for k in (5, 25):
        shares = {}
        for given in (False, True):
            report.progress(f"K562, k = {k}, {'with' if given else 'without'} depth")
            states = cells.labelled_counts_states(
                new, total, list(total), gene_filter_rate=0.1, given_depth=given
            )
            rng = np.random.default_rng(SEED)
            links = all_pairs(states).sample(n_pairs, random_state=0)
            observed = _rdi((states, links), k, options)
            order = rng.permutation(states.n_steps)
            shuffled = CellStates(
                states.regulator.iloc[order].set_axis(states.regulator.index),
                states.target_t0,
                states.target_t1,
                states.given,
            )
            null = _rdi((shuffled, links), k, options)
            shares[given] = float((observed > np.quantile(null, 0.95)).mean())
        text = f"{shares[True]:.1%}; without depth {shares[False]:.1%}"
        what = f"K562, {len(states.tf_names)} genes, pairs that look linked, k = {k}"
        yield Row(what, "", text, shares[True])


SECTIONS: dict[str, Callable[[argparse.Namespace], Rows]] = {
    "bias": bias,
    "depth": depth,
    "calibration": calibration,
    "direction": direction,
    "indirect": indirect,
    "shapes": shapes,
    "time": time,
    "permutations": permutations,
    "scaling": scaling,
    "rankings": rankings,
    "k562": k562,
}


def main() -> None:
    """Run the chosen measurements, print and write them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("section", nargs="+", choices=[*SECTIONS, "all"])
    parser.add_argument("--jobs", type=int, default=2, help="workers (default 2)")
    parser.add_argument("--pairs", type=int, default=300, help="of each kind, calibration")
    parser.add_argument("--seed", type=int, default=SEED, help="of the calibration")
    parser.add_argument("--quick", action="store_true", help="small sizes, for a trial run")
    parser.add_argument("--json", help="file for all numbers")
    options = parser.parse_args()
    chosen = list(SECTIONS) if "all" in options.section else options.section
    result: dict[str, Any] = {"machine": report.machine(), "options": vars(options)}
    print(report.describe(result["machine"]))
    for name in chosen:
        rows = list(SECTIONS[name](options))
        lines = [[row.what, row.goal, row.measured, row.verdict] for row in rows]
        print(f"\n{report.table([name, 'goal', 'measured', 'met'], lines)}", flush=True)
        result[name] = [row._asdict() for row in rows]
    report.save_json(options.json, result)


if __name__ == "__main__":
    main()
