"""Links of the pancreas cells tested against public evidence: names in common, kept links, time.

    python benchmarks/overlap.py --json overlap.json

The links of the mouse pancreas (unspliced on total RNA, all targets) are tested against the
ChIP-seq sets of ENCODE and ChEA (mouse and human, all with upper-case symbols) and the curated
links of TRRUST. They are also tested with the cells themselves: by permutations (`PermutationFDR`)
and by halves of the cells (`StabilitySelection`).

Overlap is the share of the smaller of two lists of names, of TFs and of targets: as the files are,
and if letter case is ignored. Links are kept by the published filter (Fisher, two-sided, Holm) or
by the strict one (enriched TFs, links with a peak, tested genes).
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import report

report.use_threads(1)

from problems import EVIDENCE, evidence_file, pancreas_inputs

from scifate_sklearn import (
    BindingReference,
    EncodeLinkFilter,
    PermutationFDR,
    SciFateRegressor,
    StabilitySelection,
)
from scifate_sklearn.anndata_io import SciFateInputs
from scifate_sklearn.links import strong_links

COEF_THRESHOLD = 0.04
COLUMNS = {
    "evidence": "evidence",
    "tfs": "its TFs",
    "tf_share": "TF overlap",
    "tf_share_harmonized": "ignoring case",
    "target_share": "target overlap",
    "target_share_harmonized": "ignoring case",
    "published_tfs": "TFs kept, published",
    "published_links": "links kept, published",
    "strict_tfs": "TFs kept, strict",
    "strict_links": "links kept, strict",
    "seconds": "seconds",
}


def fit(inputs: SciFateInputs) -> tuple[SciFateRegressor, dict[str, Any]]:
    """Fit the pancreas cells; return the regressor and a summary."""
    start = time.perf_counter()
    regressor = SciFateRegressor(path="adaptive").fit(inputs.tf_matrix, inputs.target_matrix)
    return regressor, {
        "seconds": time.perf_counter() - start,
        "targets": len(regressor.target_names_in_),
        "links": len(regressor.links_),
        "strong_links": len(strong_links(regressor.links_, COEF_THRESHOLD)),
    }


def judge(name: str, regressor: SciFateRegressor) -> dict[str, Any]:
    """Test the links against one file of evidence; its reading is timed too."""
    start = time.perf_counter()
    reference = BindingReference.read(evidence_file(EVIDENCE[name]))
    # Nothing is refused, for how much names have in common is what is reported.
    params = {"coef_threshold": COEF_THRESHOLD, "harmonize": "case", "min_overlap": 0}
    published = EncodeLinkFilter(reference, **params)
    strict = EncodeLinkFilter.strict(reference, tested_targets=regressor.target_names_in_, **params)
    row: dict[str, Any] = {"evidence": name, "tfs": len(reference.tfs)}
    for kind, chip in (("published", published), ("strict", strict)):
        row[f"{kind}_links"] = len(chip.fit_transform(regressor.links_))
        row[f"{kind}_tfs"] = int(chip.enrichment_["kept"].sum())
        row[f"{kind}_tested_tfs"] = len(chip.enrichment_)
    row["seconds"] = time.perf_counter() - start
    overlap = published.overlap_
    for role in overlap.index:
        for share in ("share", "share_harmonized"):
            row[f"{role.lower()}_{share}"] = float(overlap.loc[role, share])
        for count in ("n_links", "n_reference", "n_common", "n_harmonized", "n_united"):
            row[f"{role.lower()}_{count}"] = int(overlap.loc[role, count])
    return row


def resample(inputs: SciFateInputs) -> list[dict[str, Any]]:
    """Return the number of links that permutations and halves of the cells keep."""
    regressor = SciFateRegressor(path="adaptive")
    models = {
        "PermutationFDR, q at most 0.1": PermutationFDR(regressor, fdr=0.1),
        "StabilitySelection, frequency at least 0.6": StabilitySelection(regressor, threshold=0.6),
    }
    rows = []
    for name, model in models.items():
        report.progress(name)
        start = time.perf_counter()
        kept = model.fit_transform(inputs.tf_matrix, inputs.target_matrix)
        strong = len(strong_links(kept, COEF_THRESHOLD))
        seconds = time.perf_counter() - start
        smallest = float(kept["coef"].abs().min())
        rows.append(
            {
                "what": name,
                "links": len(kept),
                "strong": strong,
                "smallest": smallest,
                "seconds": seconds,
            }
        )
    return rows


def shown(row: dict[str, Any]) -> list[str]:
    """Return the cells of a row of the table."""
    texts = {
        **{name: f"{row[name]:.1%}" for name in COLUMNS if "share" in name},
        **{
            f"{kind}_tfs": f"{row[f'{kind}_tfs']} of {row[f'{kind}_tested_tfs']}"
            for kind in ("published", "strict")
        },
        "seconds": report.short(row["seconds"]),
    }
    return [texts.get(name, str(row[name])) for name in COLUMNS]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", help="write all numbers to this file")
    parser.add_argument("--quick", action="store_true", help="every tenth target, for a trial run")
    arguments = parser.parse_args()
    report.progress("fitting the pancreas")
    inputs = pancreas_inputs()
    if arguments.quick:
        inputs = inputs._replace(target_matrix=inputs.target_matrix.iloc[:, ::10])
    regressor, fitted = fit(inputs)
    rows = []
    for name in EVIDENCE:
        report.progress(name)
        rows.append(judge(name, regressor))
    machine = report.machine()
    print(report.describe(machine), end="\n\n")
    print(
        f"{fitted['links']:,} links of {fitted['targets']:,} targets, {fitted['strong_links']:,} "
        f"with |coef| > {COEF_THRESHOLD}, fitted in {report.duration(fitted['seconds'])}.",
        end="\n\n",
    )
    print(report.table(list(COLUMNS.values()), map(shown, rows)))
    chance = resample(inputs)
    header = ["test with the cells", "links kept", f"of these |coef| > {COEF_THRESHOLD}"]
    header += ["smallest |coef|", "seconds"]
    cells = [
        [
            *(str(row[name]) for name in ("what", "links", "strong")),
            f"{row['smallest']:.3f}",
            report.short(row["seconds"]),
        ]
        for row in chance
    ]
    print("", report.table(header, cells), sep="\n")
    found = {"machine": machine, "fit": fitted, "evidence": rows, "chance": chance}
    report.save_json(arguments.json, found)


if __name__ == "__main__":
    main()
