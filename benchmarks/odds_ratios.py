"""ChIP-seq peaks among the strongest links of each ranking, on the pancreas cells.

    python benchmarks/odds_ratios.py --json odds_ratios.json

All pairs of the mouse pancreas (unspliced on total RNA) whose TF has peaks in ENCODE or ChEA are
ranked by each method. The strongest of them are compared with the other pairs of the same TF: the
odds ratio of having a peak, pooled over the TFs (Mantel & Haenszel 1959), with its confidence
interval (Robins, Breslow & Greenland 1986). It is 1 if a ranking has nothing to do with the peaks.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

import report

report.use_threads(1)

import numpy as np
import pandas as pd
from known_networks import KnownNetwork
from problems import EVIDENCE, evidence_file, pancreas_inputs
from rankings import RANKINGS, Effort
from statsmodels.stats.contingency_tables import StratifiedTable

from scifate_sklearn import BindingReference, LinkTest, SciFateRegressor, harmonize_reference

N_STRONGEST = 1000
METHODS = (
    "coefficient, 1se",
    "coefficient, min",
    "moderated ridge",
    "frequency, min",
    "correlation",
)
CHIP = [name for name in EVIDENCE if not name.startswith("TRRUST")]


def pancreas() -> KnownNetwork:
    """Return the pancreas cells; their network is not known."""
    inputs = pancreas_inputs()
    tfs = inputs.genes.index[inputs.genes["is_tf"]]
    no_edges = pd.DataFrame(columns=["TF", "target"])
    return KnownNetwork("pancreas", inputs.tf_matrix, inputs.target_matrix, no_edges, tfs)


def all_rankings(cells: KnownNetwork, effort: Effort) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the name and the scores (TFs × targets) of each ranking."""
    for name in METHODS:
        report.progress(name)
        yield name, RANKINGS[name](cells, effort, 0)
    report.progress("t test of selected TFs")
    tested = LinkTest(SciFateRegressor(n_jobs=effort.n_jobs), pairs="selected")
    t = np.abs(tested.fit(cells.X, cells.Y).t_)
    n_kept = len(tested.transform(cells.X))
    report.progress(f"it keeps {n_kept} of {len(tested.links_)} links at q at most {tested.fdr}")
    frame = pd.DataFrame(t.T, cells.X.columns, cells.Y.columns).loc[cells.tfs]
    yield "t test of selected TFs", frame.fillna(0.0)


def has_peak(cells: KnownNetwork, evidence: str) -> pd.DataFrame:
    """Return whether each pair has a peak, TFs with evidence × targets."""
    names = {"TF": cells.tfs, "target": cells.Y.columns}
    reference = BindingReference.read(evidence_file(EVIDENCE[evidence]))
    own = harmonize_reference(reference, names, "case")
    table = pd.DataFrame(own.status == 2, own.tfs, own.genes)
    tfs = table.index.intersection(cells.tfs)
    return table.reindex(index=tfs, columns=cells.Y.columns, fill_value=False)


def odds_ratio(scores: pd.DataFrame, peak: pd.DataFrame) -> dict[str, float]:
    """Return the pooled odds ratio of a peak, the strongest pairs against the others."""
    values = scores.loc[peak.index].to_numpy()
    is_candidate = peak.index.to_numpy()[:, None] != peak.columns.to_numpy()
    order = np.argsort(np.where(is_candidate, -values, np.inf), axis=None, kind="stable")
    is_strong = np.zeros(values.size, np.bool_)
    is_strong[order[:N_STRONGEST]] = values.ravel()[order[:N_STRONGEST]] > 0
    is_strong = is_strong.reshape(values.shape)
    tables = np.array(
        [
            [[np.sum(s & p & c), np.sum(s & ~p & c)], [np.sum(~s & p & c), np.sum(~s & ~p & c)]]
            for s, p, c in zip(is_strong, peak.to_numpy(), is_candidate, strict=True)
        ],
        dtype=float,
    )
    pooled = StratifiedTable(tables.transpose(1, 2, 0))
    low, high = pooled.oddsratio_pooled_confint()
    return {
        "links": int(is_strong.sum()),
        "with_peak": int((is_strong & peak.to_numpy()).sum()),
        "odds_ratio": float(pooled.oddsratio_pooled),
        "low": float(low),
        "high": float(high),
    }


def shown(row: dict[str, Any]) -> str:
    """Return the odds ratio with its confidence interval, and the number of links."""
    return f"{row['odds_ratio']:.2f} ({row['low']:.2f} to {row['high']:.2f}), {row['links']} links"


def main() -> None:
    """Print one row for each ranking."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", help="write all numbers to this file")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="few targets, for a trial run")
    options = parser.parse_args()
    cells = pancreas()
    if options.quick:
        cells = cells.thinned(300)
    peaks = {name: has_peak(cells, name) for name in CHIP}
    effort = Effort(n_resamples=4 if options.quick else 100, n_jobs=options.jobs)
    rows: list[dict[str, Any]] = []
    for ranking, scores in all_rankings(cells, effort):
        for evidence, peak in peaks.items():
            rows.append(
                {"ranking": ranking, "evidence": f"{evidence}, {len(peak)} TFs"}
                | odds_ratio(scores, peak)
            )
    texts = pd.DataFrame(rows).assign(text=[shown(row) for row in rows])
    table = texts.pivot(index="ranking", columns="evidence", values="text")
    table = table.loc[texts["ranking"].unique(), texts["evidence"].unique()]
    lines = [[name, *line] for name, line in zip(table.index, table.to_numpy(), strict=True)]
    machine = report.machine()
    print(report.describe(machine), report.table(["ranking", *table.columns], lines), sep="\n\n")
    report.save_json(options.json, {"machine": machine, "rows": rows})


if __name__ == "__main__":
    main()
