"""Dependence of the links on the seed of the folds, and on the half of the cells.

    python benchmarks/seeds.py --json seeds.json

The mouse pancreas (unspliced on total RNA, all targets) is fitted with two disjoint sets of fold
seeds, for several numbers of repeated cross-validations and for the information criteria, which use
no folds. The table has the share of the links of both fits that both have (Jaccard index), of all
links and of those with |coef| > 0.04. The last rows compare fits that each lack another tenth of
the cells: what remains of the dependence if no seed matters. `--targets` fits the first targets
only.
"""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any

import report

report.use_threads(1)

import numpy as np
import pandas as pd
from problems import pancreas_inputs

from scifate_sklearn import SciFateRegressor
from scifate_sklearn.links import strong_links

SEEDS = (1_000, 2_000)
STRONG = 0.04
FITS: dict[str, dict[str, Any]] = {
    **{f"1se, {n} repeat(s)": {"n_repeats": n} for n in (1, 3, 5, 10)},
    **{f"min, {n} repeat(s)": {"lambda_rule": "min", "n_repeats": n} for n in (1, 5)},
    **{
        f"1se_cells, {n} repeat(s)": {"lambda_rule": "1se_cells", "n_repeats": n}
        for n in (1, 2, 3, 5, 10)
    },
    **{rule: {"lambda_rule": rule} for rule in ("aic", "bic", "ebic")},
}


# Compared without a tenth of the cells each.
OTHER_CELLS = ("1se, 1 repeat(s)", "1se, 5 repeat(s)", "1se_cells, 2 repeat(s)", "bic")


def jaccard(one: pd.DataFrame, two: pd.DataFrame) -> float:
    """Return the share of the pairs of two links tables that both have."""
    pairs = [set(zip(links["TF"], links["target"], strict=True)) for links in (one, two)]
    return len(pairs[0] & pairs[1]) / max(1, len(pairs[0] | pairs[1]))


def compare(
    options: argparse.Namespace, parameters: dict[str, Any], without: float = 0.0
) -> dict[str, float]:
    """Fit with both seeds, and return the agreement and the time of a fit.

    `without` is the share of the cells, drawn at random, that each fit lacks.
    """
    tfs, new, *_ = pancreas_inputs()
    new = new.iloc[:, : options.targets]
    links, spent = [], 0.0
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        n_kept = round((1.0 - without) * len(tfs))
        rows = np.sort(rng.choice(len(tfs), n_kept, replace=False))
        model = SciFateRegressor(random_state=seed, n_jobs=options.jobs, **parameters)
        fit = partial(model.fit, tfs.iloc[rows], new.iloc[rows])
        spent += report.seconds(fit)
        links.append(model.links_)
    return {
        "links": sum(map(len, links)) / 2,
        "all": jaccard(*links),
        "strong": jaccard(*(strong_links(each, STRONG) for each in links)),
        "seconds": spent / 2,
    }


def main() -> None:
    """Print one row for each way to select the penalties."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--targets", type=int, default=None, help="fit the first targets only")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", default=None)
    options = parser.parse_args()
    rows = []
    for name, parameters in FITS.items():
        report.progress(name)
        rows.append({"penalties": name, **compare(options, parameters)})
    for name in OTHER_CELLS:
        report.progress(f"{name}, without a tenth of the cells")
        row = compare(options, FITS[name], without=0.1)
        rows.append({"penalties": f"{name}, other cells", **row})
    shown = [
        [
            row["penalties"],
            f"{row['links']:,.0f}",
            f"{row['all']:.3f}",
            f"{row['strong']:.3f}",
            report.duration(row["seconds"]),
        ]
        for row in rows
    ]
    header = ["penalties", "links", "Jaccard, all", f"Jaccard, |coef| > {STRONG}", "time of a fit"]
    machine = report.machine()
    print(report.describe(machine), report.table(header, shown), sep="\n\n")
    report.save_json(options.json, {"machine": machine, "rows": rows})


if __name__ == "__main__":
    main()
