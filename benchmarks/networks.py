"""Rankings of TF → target pairs compared with known networks.

    python benchmarks/networks.py table     # rankings on all networks; --rankings to choose some
    python benchmarks/networks.py response  # new RNA against total RNA as the response
    python benchmarks/networks.py prior     # gain by a right prior, and loss by a wrong one
    python benchmarks/networks.py all --json networks.json

`--quick` shrinks everything for a trial run; its numbers are meaningless.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import partial
from itertools import product
from typing import Any

import report

report.use_threads(1)

import numpy as np
import pandas as pd
from known_networks import (
    DREAM4_NETWORKS,
    NOISE,
    KnownNetwork,
    all_networks,
    draw_prior,
    dream4_multifactorial,
    labelled,
    sergio_ds4,
)
from rankings import RANKINGS, Effort, ranked_by

from scifate_sklearn import SciFateRegressor, score_network

Records = list[dict[str, Any]]

METRICS = ("aupr", "auroc", "early_precision")
# What is compared where only the response changes.
OF_RESPONSE = ("frequency, min", "coefficient, 1se", "coefficient, min", "correlation")
# The penalty of a pair that a prior names, relative to all others: mild, and strong.
PRIOR_PENALTIES = (0.5, 0.1)
QUICK_TARGETS = 12


def score(
    network: KnownNetwork, scores: pd.DataFrame, exclude: pd.DataFrame | None = None
) -> dict[str, Any]:
    """Score a ranking over all pairs of the network's TFs and targets."""
    found = score_network(
        scores, network.gold, tfs=network.tfs, targets=network.Y.columns, exclude=exclude
    )
    return asdict(found)


def run_rankings(
    networks: Iterable[KnownNetwork], names: Iterable[str], options: argparse.Namespace
) -> Records:
    """Score each ranking on each network; networks with the same name are numbered."""
    records: Records = []
    seeds: dict[str, int] = {}
    for network in networks:
        seed = seeds[network.name] = seeds.get(network.name, -1) + 1
        used = network.thinned(QUICK_TARGETS) if options.quick else network
        for name in names:
            report.progress(f"{network.name}, seed {seed}: {name}")
            call = _Kept(partial(RANKINGS[name], used, options.effort, seed))
            spent = report.seconds(call)
            found = score(used, call.result)
            label = {"network": network.name, "size": used.size, "seed": seed, "ranking": name}
            records.append({**label, "seconds": spent, **found})
    return records


class _Kept:
    """A call whose result is kept, so that it can be timed."""

    def __init__(self, call: Callable[[], pd.DataFrame]) -> None:
        self._call = call

    def __call__(self) -> None:
        self.result = self._call()


def table(options: argparse.Namespace) -> Records:
    """Score the chosen rankings on all networks."""
    small = Effort(n_resamples=2, n_trees=1, n_rounds=1, n_subsets=1, n_jobs=options.jobs)
    for name in options.rankings:  # so that compiling and starting workers is not timed
        RANKINGS[name](dream4_multifactorial(1).thinned(2), small, 0)
    return run_rankings(all_networks(options.seeds), options.rankings, options)


def table_markdown(records: Records) -> str:
    """Return the scores (means over seeds) and their times."""
    frame = pd.DataFrame(records)
    of_dream4 = frame[frame["network"].str.startswith("dream4")]
    frame = pd.concat([frame, of_dream4.assign(network="dream4, mean")])
    means = frame.groupby(["network", "ranking"], sort=False)[[*METRICS, "seconds"]].mean()
    names = list(dict.fromkeys(frame["network"]))
    rankings = list(dict.fromkeys(frame["ranking"]))
    size = frame.groupby("network")["size"].first()
    rows = [
        [name, "" if "mean" in name else size[name]]
        + [" / ".join(_digits(means.loc[(name, each), m]) for m in METRICS) for each in rankings]
        for name in names
    ]
    spent = [
        [name, "", *(report.duration(means.loc[(name, r), "seconds"]) for r in rankings)]
        for name in names
    ]
    header = ["network", "samples × TFs × targets, edges", *rankings]
    return (
        "AUPR / AUROC / early precision; means over seeds (labelled) or networks.\n\n"
        + report.table(header, rows)
        + "\n\nTime per network:\n\n"
        + report.table(header[:1] + header[2:], [row[:1] + row[2:] for row in spent])
    )


def _digits(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")


def response(options: argparse.Namespace) -> Records:
    """Score rankings of labelled cells with new and with total RNA as the response."""
    pairs = (
        network
        for noise in NOISE
        for seed in range(options.response_seeds)
        for network in labelled(noise, seed)
    )
    names = OF_RESPONSE[1:] if options.quick else OF_RESPONSE
    return run_rankings(pairs, names, options)


def response_markdown(records: Records) -> str:
    """Return mean AUPR with either response and the difference, seed by seed."""
    frame = pd.DataFrame(records)
    frame["response"] = np.where(frame["network"].str.endswith(", total"), "total", "new")
    frame["network"] = frame["network"].str.removesuffix(", total")
    keys = ["network", "ranking"]
    aupr = frame.pivot(index=[*keys, "seed"], columns="response", values="aupr")
    rows = []
    for network, ranking in dict.fromkeys(frame[keys].itertuples(index=False, name=None)):
        each = aupr.loc[(network, ranking)]
        change = each["new"] - each["total"]
        rows.append(
            [
                network,
                ranking,
                _digits(each["new"].mean()),
                _digits(each["total"].mean()),
                _change(change),
                f"{int((change > 0).sum())} of {len(change)}",
            ]
        )
    header = ["network", "ranking", "AUPR, new RNA", "AUPR, total RNA"]
    header += ["difference, mean ± sd", "new is better"]
    return report.table(header, rows)


def _change(values: pd.Series) -> str:
    spread = f" ± {values.std():.3f}" if len(values) > 1 else ""
    return f"{values.mean():+.3f}{spread}"


def prior(options: argparse.Namespace) -> Records:
    """Rank by coefficients with no prior, and with right and wrong ones."""
    numbers = DREAM4_NETWORKS[:1] if options.quick else DREAM4_NETWORKS
    networks = [*map(dream4_multifactorial, numbers), sergio_ds4()]
    records: Records = []
    for network in networks:
        used = network.thinned(QUICK_TARGETS) if options.quick else network
        for rule in ("1se", "min"):
            report.progress(f"{network.name}, {rule}: priors")
            plain = rank_with_prior(used, rule, None, options)
            for seed, is_right, penalty in product(
                range(options.prior_seeds), (True, False), PRIOR_PENALTIES
            ):
                named = draw_prior(used, is_right=is_right, seed=seed).assign(penalty=penalty)
                ranked = rank_with_prior(used, rule, named, options)
                label = {
                    "network": network.name,
                    "ranking": f"coefficient, {rule}",
                    "prior": "right" if is_right else "wrong",
                    "penalty": penalty,
                    "seed": seed,
                }
                records.append({**label, **_gains(used, plain, ranked, named)})
    return records


def rank_with_prior(
    network: KnownNetwork, rule: str, named: pd.DataFrame | None, options: argparse.Namespace
) -> pd.DataFrame:
    """Return absolute coefficients of a fit in which the named pairs have this ``penalty``."""
    factor = None
    if named is not None:
        factor = named.pivot(index="TF", columns="target", values="penalty").fillna(1.0)
    model = SciFateRegressor(
        lambda_rule=rule, penalty_factor=factor, n_jobs=options.effort.n_jobs
    ).fit(network.X, network.Y)
    return ranked_by(network, np.abs(model.coef_))


def _gains(
    network: KnownNetwork, plain: pd.DataFrame, ranked: pd.DataFrame, named: pd.DataFrame
) -> dict[str, float]:
    """Compare AUPR over all pairs, and over those that the prior does not name."""
    return {
        "aupr": score(network, plain)["aupr"],
        "aupr_prior": score(network, ranked)["aupr"],
        "aupr_unnamed": score(network, plain, named)["aupr"],
        "aupr_unnamed_prior": score(network, ranked, named)["aupr"],
    }


def prior_markdown(records: Records) -> str:
    """Return the effect of each prior; DREAM4's five networks in one row."""
    frame = pd.DataFrame(records)
    frame["network"] = frame["network"].str.replace(r"/\d$", "", regex=True)
    rows = []
    keys = ["network", "ranking", "prior", "penalty"]
    for key, each in frame.groupby(keys, sort=False):
        rows.append(
            [
                *key,
                _digits(each["aupr"].mean()),
                _change(each["aupr_prior"] - each["aupr"]),
                _digits(each["aupr_unnamed"].mean()),
                _change(each["aupr_unnamed_prior"] - each["aupr_unnamed"]),
            ]
        )
    header = [*keys, "AUPR without", "change with the prior"]
    header += ["AUPR without, pairs not named", "change with the prior"]
    return report.table(header, rows)


SECTIONS = {
    "table": ("Rankings", table, table_markdown),
    "response": ("New or total RNA as the response", response, response_markdown),
    "prior": ("Prior knowledge", prior, prior_markdown),
}


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("section", choices=[*SECTIONS, "all"])
    parser.add_argument(
        "--rankings", nargs="+", choices=RANKINGS, default=[*RANKINGS], help="of the table"
    )
    parser.add_argument("--seeds", type=int, default=2, help="simulations of each noise, table")
    parser.add_argument("--response-seeds", type=int, default=5, help="the same, response")
    parser.add_argument("--prior-seeds", type=int, default=3, help="priors drawn per network")
    parser.add_argument("--resamples", type=int, default=100, help="of frequency and TIGRESS")
    parser.add_argument("--trees", type=int, default=100, help="of each forest")
    parser.add_argument("--jobs", type=int, default=2, help="cores (default 2)")
    parser.add_argument("--quick", action="store_true", help="small sizes, for a trial run")
    parser.add_argument("--json", help="file for all numbers")
    options = parser.parse_args()
    if options.quick:
        options.seeds = options.response_seeds = options.prior_seeds = 1
        options.resamples, options.trees = 4, 5
    options.effort = Effort(
        n_resamples=options.resamples,
        n_trees=options.trees,
        n_rounds=20 if options.quick else Effort.n_rounds,
        n_subsets=20 if options.quick else Effort.n_subsets,
        n_jobs=options.jobs,
    )
    return options


def main() -> None:
    """Run the chosen measurements, print and write them."""
    options = parse()
    chosen = list(SECTIONS) if options.section == "all" else [options.section]
    result: dict[str, Any] = {"machine": report.machine()}
    result["options"] = {**vars(options), "effort": asdict(options.effort)}
    print(report.describe(result["machine"]))
    for name in chosen:
        title, run, as_text = SECTIONS[name]
        result[name] = run(options)
        print(f"\n{title}\n\n{as_text(result[name])}", flush=True)
    report.save_json(options.json, result)


if __name__ == "__main__":
    main()
