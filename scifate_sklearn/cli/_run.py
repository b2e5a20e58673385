"""`scifate run`: from cells to tables."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from ..anndata_io import (
    SciFateMoments,
    find_layers,
    open_anndata,
    prepare_moments,
    read_tf_names,
)
from ..filters.evidence import FittedModel, Step, naming
from ..links import strong_links
from ..names import TFNames
from ..ranking import RidgeRanking
from ..regressor import SciFateRegressor
from ..solvers import announce_compilation
from ._commands import option_values
from ._console import is_interactive, one_line, tell
from ._evidence import LoadedEvidence, warn_if_none_is_kept
from ._files import versions, write_annotated, write_json, write_tables
from ._inputs import Inputs, check_space, naming_out, unchanged_inputs
from ._options import NEW, RULES, TOTAL, RunOptions
from ._out_folder import OutFolder

if TYPE_CHECKING:
    from anndata import AnnData

N_TOP_TFS = 10


@dataclass(frozen=True)
class Results:
    """Tables and counts of one run.

    Attributes
    ----------
    tables : dict of DataFrame
        By the name of their file, without ``.csv``.
    steps : list of Step
        Counts before and after each step.
    """

    tables: dict[str, pd.DataFrame]
    steps: list[Step]


class Stopwatch:
    """Wall time of the steps in seconds."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def time(self, step: str) -> Iterator[None]:
        """Record the time that the block takes."""
        start = time.perf_counter()
        yield
        self.seconds[step] = round(time.perf_counter() - start, 3)

    @property
    def total(self) -> float:
        """Sum of the steps."""
        return round(sum(self.seconds.values()), 3)


def run_and_write(options: RunOptions, folder: OutFolder, messages: list[str]) -> str:
    """Run the whole analysis, write the results, and return a summary.

    The results appear in the output folder together, after all of them are complete and the inputs
    were found unchanged. `messages` are the warnings for the report, from `collect_warnings`.
    """
    started, watch = datetime.now(UTC), Stopwatch()
    with unchanged_inputs(options) as inputs:
        with naming("--tfs", options.tfs):
            tf_names = read_tf_names(options.tfs)
        with open_anndata(options.cells, _layers(options)) as adata:
            options, chosen = _with_layers(options, adata)
            results = _analyse(adata, tf_names, options, watch, inputs)
        report = {
            "versions": versions(),
            "started": started.isoformat(timespec="seconds"),
            "parameters": _parameters(options),
            "inputs": inputs.described,
            "steps": {step.name: _counts(step) for step in results.steps},
            "warnings": messages,
        }
        with watch.time("write"), naming_out(options, folder):
            write_tables(folder.staging, results.tables, options.escape_formulas)
            if not options.no_annotated:
                write_annotated(folder.staging, options.cells, results.tables, report)
    seconds = {**watch.seconds, "total": watch.total}
    with naming_out(options, folder):
        write_json(folder.staging, {**report, "seconds": seconds})
        folder.publish()
    return f"{chosen}{_summarise(results)}\n\nResults are in {options.out} ({watch.total:.0f} s)."


def _layers(options: RunOptions) -> tuple[str, str] | Literal["auto"]:
    """Return the layers as `open_anndata` takes them."""
    return "auto" if options.layers else (options.new or NEW, options.total or TOTAL)


def _with_layers(options: RunOptions, adata: "AnnData") -> tuple[RunOptions, str]:
    """Return the options with the names of both layers, and a line if they were found."""
    layers = _layers(options)
    if layers != "auto":
        return replace(options, new=layers[0], total=layers[1]), ""
    new, total, source = find_layers(adata)
    return replace(options, new=new, total=total), f"layers: {new} and {total}: {source}\n"


def _parameters(options: RunOptions) -> dict[str, Any]:
    """Return the values of the options for the report."""
    return {
        each.name: value
        for each, value in option_values(options)
        if each.metadata["settings"].get("is_recorded", True)
    }


def _analyse(
    adata: "AnnData", tf_names: TFNames, options: RunOptions, watch: Stopwatch, files: Inputs
) -> Results:
    with watch.time("prepare"):
        inputs = _prepare(adata, tf_names, options)
        evidence = LoadedEvidence.from_files(options.evidence, inputs.genes, options.min_overlap)
        # Before the fit, because a file may have been replaced only while it was read.
        files.check()
        check_space(options, len(inputs.genes), int(inputs.genes["is_tf"].sum()))
    with watch.time("fit"), announce_compilation(None if options.quiet else tell):
        regressor = _make_regressor(options).fit_moments(inputs.moments)
        links = RidgeRanking(n_links=1).fit_moments(inputs.moments).score_links(regressor.links_)
    tables = {"links": links, "targets": _target_table(regressor)}
    n_strong = len(strong_links(links, options.coef_threshold))
    steps = _steps_of_fit(adata, tf_names, inputs, tables, n_strong)
    if evidence.by_kind:
        with watch.time("filter"):
            model = FittedModel(regressor.target_names_in_, options.coef_threshold)
            tested = evidence.test_links(links, model)
            tables |= tested.tables()
            warn_if_none_is_kept(tables["ledger"])
        steps += tested.steps()
    return Results(tables, steps)


def _steps_of_fit(
    adata: "AnnData",
    tf_names: TFNames,
    inputs: SciFateMoments,
    tables: dict[str, pd.DataFrame],
    n_strong: int,
) -> list[Step]:
    links, n_tfs = tables["links"], int(inputs.genes["is_tf"].sum())
    return [
        Step("cells", "cells kept", adata.n_obs, len(inputs.cells)),
        Step("genes", "genes kept", adata.n_vars, len(inputs.genes)),
        Step("tf_rows", "rows of --tfs used", tf_names.rows.n_rows, tf_names.rows.n_used),
        # Texts such as "nan" are TFs only if a gene has this name.
        Step("tfs", "TFs among them", max(len(tf_names), n_tfs), n_tfs),
        Step(
            "targets_with_links",
            "targets with links",
            len(tables["targets"]),
            links["target"].nunique(),
        ),
        Step("links_above_threshold", "links above threshold", len(links), n_strong),
    ]


def _prepare(adata: "AnnData", tf_names: list[str], options: RunOptions) -> SciFateMoments:
    return prepare_moments(
        adata,
        tf_names,
        nt_layers=_layers(options),
        gene_filter_rate=options.gene_filter_rate,
        cell_filter_UMI=options.cell_filter_umi,
        response=options.response,
        gene_symbols=options.gene_symbols,
        random_state=options.seed,
        n_repeats=options.repeats,
    )


def _make_regressor(options: RunOptions) -> SciFateRegressor:
    rule = options.lambda_rule if options.lambda_rule in RULES else float(options.lambda_rule)
    return SciFateRegressor(
        lambda_rule=rule,
        path=str(options.path),
        n_jobs=options.n_jobs,
        checkpoint=options.checkpoint,
        verbose=int(not options.quiet and is_interactive()),
    )


def _target_table(regressor: SciFateRegressor) -> pd.DataFrame:
    """Return one row per target: selected penalty, cross-validated r², number of TFs."""
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


def _counts(step: Step) -> dict[str, int]:
    return {"before": step.before, "kept": step.kept, "dropped": step.before - step.kept}


def _summarise(results: Results) -> str:
    lines = [f"{step.label:<24}{step.kept:>8,} of {step.before:,}" for step in results.steps]
    tops = [_top_tfs(name, results.tables) for name in ("links", "links_filtered")]
    return "\n".join([*lines, "", *filter(None, tops)])


def _top_tfs(name: str, tables: dict[str, pd.DataFrame]) -> str:
    if name not in tables:
        return ""
    top = tables[name]["TF"].value_counts().head(N_TOP_TFS)
    shown = ", ".join(f"{one_line(tf)} {count:,}" for tf, count in top.items()) or "none"
    return f"TFs with most links ({name}.csv): {shown}"
