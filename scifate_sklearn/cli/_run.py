"""`scifate run`: cells in, tables out."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from scifate_sklearn.anndata_io import (
    SciFateMoments,
    open_anndata,
    prepare_moments,
    read_tf_names,
)
from scifate_sklearn.filters import BindingReference, EncodeLinkFilter, harmonize_reference
from scifate_sklearn.filters.names import require_overlap
from scifate_sklearn.links import strong_links
from scifate_sklearn.regressor import SciFateRegressor

from ._console import collect_warnings, is_interactive
from ._files import (
    describe_file,
    versions,
    write_annotated,
    write_json,
    write_tables,
)
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
    "links_filtered": "links kept by ChIP-seq",
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
        files = {"cells": self.cells, "tfs": self.tfs, "encode": self.encode}
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
        # Read before the fit, so that a reference which does not fit costs no regression.
        reference = _read_reference(settings, inputs.genes)
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
    if reference is not None:
        with watch.time("filter"):
            chip = _chip_filter(settings, reference, regressor)
            tables["links_filtered"] = chip.fit_transform(tables["links"])
            tables["enrichment"] = chip.enrichment_
        kept = int(chip.enrichment_["kept"].sum())
        steps["tfs_kept_by_chip"] = _step(len(chip.enrichment_), kept)
        steps["links_filtered"] = _step(len(strong), len(tables["links_filtered"]))
    return Results(tables, steps)


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


def _read_reference(settings: Settings, genes: pd.DataFrame) -> BindingReference | None:
    if settings.encode is None:
        return None
    names = {"TF": genes.index[genes["is_tf"]], "target": genes.index}
    reference = harmonize_reference(
        BindingReference.read(settings.encode), names, "case" if settings.ignore_case else None
    )
    sides = (("TF", reference.tfs), ("target", reference.genes))
    try:
        for role, theirs in sides:
            require_overlap(names[role], theirs, what=role, whose="the cells", hint=_way_out)
    except ValueError as error:
        raise ValueError(f"--encode {settings.encode}: {error}") from error
    return reference


def _way_out(difference: str | None) -> str:
    return "--ignore-case does that." if difference == "case" else ""


def _chip_filter(
    settings: Settings, reference: BindingReference, regressor: SciFateRegressor
) -> EncodeLinkFilter:
    # Names were compared before the fit, whose result no second look is worth.
    params: dict[str, Any] = {"coef_threshold": settings.coef_threshold, "min_overlap": 0}
    if not settings.strict:
        return EncodeLinkFilter(reference, **params)
    return EncodeLinkFilter.strict(
        reference,
        **params,
        tested_targets=regressor.target_names_in_,
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
