"""`scifate run`: cells in, tables out."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from ..anndata_io import SciFateMoments, open_anndata, prepare_moments, read_tf_names
from ..links import strong_links
from ..regressor import SciFateRegressor
from ._console import collect_warnings, is_interactive
from ._evidence import evidence_tables, read_evidence
from ._files import describe_file, versions, write_annotated, write_json, write_tables
from ._options import RULES

if TYPE_CHECKING:
    from anndata import AnnData

N_TOP_TFS = 10
STEP_LABELS = {
    "cells": "cells kept",
    "genes": "genes kept",
    "tfs": "TFs among them",
    "targets_with_links": "targets with links",
    "links_above_threshold": "links above threshold",
    "tfs_kept_by_chip": "TFs kept by ChIP-seq",
    "tfs_with_motif": "TFs with enriched motif",
    "links_filtered": "links kept by evidence",
}


@dataclass(frozen=True)
class Settings:
    """The options of `scifate run` that decide about the result, and `overwrite` and `quiet`."""

    cells: Path
    tfs: Path
    new: str
    total: str
    encode: Path | None
    ignore_case: bool
    strict: bool
    motifs: Path | None
    motif_annotations: Path | None
    min_overlap: float
    response: str
    gene_symbols: str | None
    gene_filter_rate: float
    cell_filter_umi: float
    lambda_rule: str
    coef_threshold: float
    path: str
    n_jobs: int
    seed: int
    checkpoint: Path | None
    overwrite: bool
    quiet: bool

    @property
    def regressor(self) -> SciFateRegressor:
        """The estimator these options ask for."""
        rule = self.lambda_rule if self.lambda_rule in RULES else float(self.lambda_rule)
        return SciFateRegressor(
            lambda_rule=rule,
            path=str(self.path),
            n_jobs=self.n_jobs,
            checkpoint=self.checkpoint,
            verbose=int(not self.quiet and is_interactive()),
        )

    @property
    def inputs(self) -> dict[str, Path]:
        """The files that are read."""
        files = {
            "cells": self.cells,
            "tfs": self.tfs,
            "encode": self.encode,
            "motifs": self.motifs,
            "motif_annotations": self.motif_annotations,
        }
        return {role: path for role, path in files.items() if path is not None}


@dataclass(frozen=True)
class Results:
    """What a run found.

    Attributes
    ----------
    tables : dict of DataFrame
        By the name of their file, without ``.csv``.
    steps : dict of dict
        Per step how many there were ``before``, were ``kept`` and ``dropped``.
    """

    tables: dict[str, pd.DataFrame]
    steps: dict[str, dict[str, int]]


class Stopwatch:
    """Wall time of the steps in seconds."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def time(self, step: str) -> Iterator[None]:
        """Note the time that the block takes."""
        start = time.perf_counter()
        yield
        self.seconds[step] = round(time.perf_counter() - start, 3)

    @property
    def total(self) -> float:
        """Sum of the steps."""
        return round(sum(self.seconds.values()), 3)


def run_and_write(settings: Settings, out: Path) -> str:
    """Run the whole analysis, write the results to the folder `out`, and return a summary.

    The report, run.json, is written last: where it is, the other files are complete.
    """
    started, watch = datetime.now(UTC), Stopwatch()
    with collect_warnings() as messages:
        tf_names = read_tf_names(settings.tfs)
        with open_anndata(settings.cells, (settings.new, settings.total)) as adata:
            results = _analyse(adata, tf_names, settings, watch)
    report = {
        "versions": versions(),
        "started": started.isoformat(timespec="seconds"),
        "parameters": asdict(settings),
        "inputs": {role: describe_file(path) for role, path in settings.inputs.items()},
        "steps": results.steps,
        "warnings": messages,
    }
    with watch.time("write"):
        out.mkdir(parents=True, exist_ok=True)
        write_tables(out, results.tables)
        write_annotated(out, settings.cells, results.tables, report)
    write_json(out, {**report, "seconds": {**watch.seconds, "total": watch.total}})
    return f"{_summarise(results)}\n\nResults are in {out} ({watch.total:.0f} s)."


def _analyse(
    adata: "AnnData", tf_names: list[str], settings: Settings, watch: Stopwatch
) -> Results:
    with watch.time("prepare"):
        inputs = _prepare(adata, tf_names, settings)
        evidence = read_evidence(
            settings.encode,
            settings.ignore_case,
            settings.motifs,
            settings.motif_annotations,
            inputs.genes,
            settings.min_overlap,
        )
    with watch.time("fit"):
        regressor = settings.regressor.fit_moments(inputs.moments)
    tables = {"links": regressor.links_, "targets": _target_table(regressor)}
    strong = strong_links(regressor.links_, settings.coef_threshold)
    steps = {
        "cells": _step(adata.n_obs, len(inputs.cells)),
        "genes": _step(adata.n_vars, len(inputs.genes)),
        "tfs": _step(len(tf_names), int(inputs.genes["is_tf"].sum())),
        "targets_with_links": _step(len(tables["targets"]), tables["links"]["target"].nunique()),
        "links_above_threshold": _step(len(tables["links"]), len(strong)),
    }
    union = evidence.filter(settings.coef_threshold, settings.strict, regressor.target_names_in_)
    if union is not None:
        with watch.time("filter"):
            tables |= evidence_tables(union.fit(tables["links"]))
        steps |= _evidence_steps(tables)
    return Results(tables, steps)


def _evidence_steps(tables: dict[str, pd.DataFrame]) -> dict[str, dict[str, int]]:
    steps = {}
    if "enrichment" in tables:
        kept = tables["enrichment"]["kept"]
        steps["tfs_kept_by_chip"] = _step(len(kept), int(kept.sum()))
    if "motif_enrichment" in tables:
        n_enriched = tables["motif_enrichment"]["TF"].nunique()
        steps["tfs_with_motif"] = _step(tables["links"]["TF"].nunique(), n_enriched)
    steps["links_filtered"] = _step(len(tables["links"]), len(tables["links_filtered"]))
    return steps


def _prepare(adata: "AnnData", tf_names: list[str], settings: Settings) -> SciFateMoments:
    return prepare_moments(
        adata,
        tf_names,
        nt_layers=(settings.new, settings.total),
        gene_filter_rate=settings.gene_filter_rate,
        cell_filter_UMI=settings.cell_filter_umi,
        response=settings.response,
        gene_symbols=settings.gene_symbols,
        random_state=settings.seed,
    )


def _target_table(regressor: SciFateRegressor) -> pd.DataFrame:
    """Return one row per target: the chosen penalty, the cross-validated r², how many TFs."""
    names = pd.Index(regressor.target_names_in_)
    n_regulators = regressor.links_["target"].value_counts().reindex(names, fill_value=0)
    return pd.DataFrame(
        {
            "target": names,
            "lambda_": regressor.lambda_,
            "r2": regressor.r2_,
            "n_regulators": n_regulators.to_numpy(),
        }
    )


def _step(before: int, kept: int) -> dict[str, int]:
    return {"before": before, "kept": kept, "dropped": before - kept}


def _summarise(results: Results) -> str:
    lines = [
        f"{label:<24}{results.steps[step]['kept']:>8,} of {results.steps[step]['before']:,}"
        for step, label in STEP_LABELS.items()
        if step in results.steps
    ]
    tops = [_top_tfs(name, results.tables) for name in ("links", "links_filtered")]
    return "\n".join([*lines, "", *filter(None, tops)])


def _top_tfs(name: str, tables: dict[str, pd.DataFrame]) -> str:
    if name not in tables:
        return ""
    top = tables[name]["TF"].value_counts().head(N_TOP_TFS)
    shown = ", ".join(f"{tf} {count:,}" for tf, count in top.items()) or "none"
    return f"TFs with most links ({name}.csv): {shown}"
