"""`scifate run`: from cells to tables."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import pandas as pd

from .._warnings import warnings_about
from ..anndata_io import (
    KeptCells,
    SciFateMoments,
    find_layers,
    open_anndata,
    prepare_cells,
    read_tf_names,
    survey_groups,
    with_groups,
)
from ..filters.evidence import FittedModel, Step, naming
from ..ledger import link_ledger
from ..links import strong_links
from ..names import TFNames, read_gene_table
from ..ranking import RidgeRanking
from ..regressor import SciFateRegressor
from ..report import write_report
from ..resampling import LinkTest
from ..solvers import announce_compilation
from ._commands import option_values
from ._console import is_interactive, tell
from ._effort import announce_effort
from ._evidence import LoadedEvidence, plain_text, warn_if_none_is_kept
from ._files import versions, write_annotated, write_json, write_tables
from ._inputs import Inputs, check_space, naming_out, unchanged_inputs
from ._options import NEW, RULES, TOTAL, RunOptions, as_number
from ._out_folder import REPORT, OutFolder
from ._results import (
    ABOVE_THRESHOLD,
    FOUND_AGAIN,
    Results,
    depends_on_seed,
    other_seed,
    summarise,
)
from ._tests import Tested, fit_halves, fit_t_test
from ._vocabulary import in_options

if TYPE_CHECKING:
    from anndata import AnnData

T = TypeVar("T")


class Stopwatch:
    """Wall time of the steps in seconds."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def time(self, step: str) -> Iterator[None]:
        """Add the time that the block takes."""
        start = time.perf_counter()
        yield
        taken = self.seconds.get(step, 0.0) + time.perf_counter() - start
        self.seconds[step] = round(taken, 3)

    def each(self, step: str, items: Iterator[T]) -> Iterator[T]:
        """Yield the items, and record the time that they take to be made."""
        while True:
            with self.time(step):
                found = list(islice(items, 1))
            if not found:
                return
            yield found[0]

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
        assert options.tfs is not None  # given, or fetched
        with naming("--tfs", options.tfs):
            tf_names = read_tf_names(options.tfs)
        with open_anndata(options.cells, _layers(options)) as adata:
            options, chosen = _with_layers(options, adata)
            analyse = _analyse if options.by is None else _analyse_groups
            results = analyse(adata, tf_names, options, watch, inputs)
        report = {
            "versions": versions(),
            "started": started.isoformat(timespec="seconds"),
            "parameters": _parameters(options),
            "inputs": inputs.described,
            **results.report(),
            "warnings": messages,
        }
        with watch.time("write"), naming_out(options, folder):
            write_tables(folder.staging, results.tables, options.escape_formulas)
            if options.report:
                write_report(results.tables, folder.staging / REPORT, run=report)
            if not options.no_annotated:
                write_annotated(folder.staging, options.cells, results.tables, report)
    seconds = {**watch.seconds, "total": watch.total}
    with naming_out(options, folder):
        write_json(folder.staging, {**report, "seconds": seconds})
        folder.publish()
    summary = f"{chosen}{summarise(results, options)}"
    return f"{summary}\n\nResults are in {options.out} ({watch.total:.0f} s)."


def _layers(options: RunOptions) -> tuple[str, str] | Literal["auto"]:
    """Return the layers as `open_anndata` takes them."""
    if options.layers:
        return "auto"
    new, total = options.new, options.total
    return NEW if new is None else new, TOTAL if total is None else total


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
        arguments = _preparation(options)
        cells = prepare_cells(adata, tf_names, **arguments)
        genes = cells.prepared.genes
        evidence = LoadedEvidence.from_files(options.evidence, genes, options.min_overlap)
        # Before the fit, because a file may have been replaced only while it was read.
        files.check()
        check_space(options, len(genes), int(genes["is_tf"].sum()))
    results = _Fit(adata, tf_names, options, watch, evidence).results(cells, adata.n_obs)
    if options.seed_stability and depends_on_seed(options):
        with watch.time("seed_stability"):
            other = {**arguments, "random_state": other_seed(options)}
            cells = prepare_cells(adata, tf_names, **other)
            step = _fit_other_folds(cells, options, results.tables["links"])
        last_of_fit = [each.name for each in results.steps].index(ABOVE_THRESHOLD)
        results.steps.insert(last_of_fit + 1, step)
    if "ledger" in results.tables:
        warn_if_none_is_kept(results.tables["ledger"])
    return results


def _analyse_groups(
    adata: "AnnData", tf_names: TFNames, options: RunOptions, watch: Stopwatch, files: Inputs
) -> Results:
    """Fit and test the network of each group of cells."""
    with watch.time("prepare"):
        by = str(options.by)
        survey = survey_groups(
            adata, tf_names, by, min_cells=options.min_cells, **_preparation(options)
        )
        genes = survey.genes
        evidence = LoadedEvidence.from_files(options.evidence, genes, options.min_overlap)
        files.check()
        check_space(options, len(genes) * len(survey.kept), int(genes["is_tf"].sum()))
    fit = _Fit(adata, tf_names, options, watch, evidence)
    found: dict[str, Results] = {}
    skipped = dict(survey.skipped)
    for name, cells in watch.each("prepare", survey.prepare()):
        try:
            with warnings_about(f"Group {name!r}"):
                found[name] = fit.results(cells, survey.sizes[name])
        except ValueError as error:  # cells of one group may not allow a test
            skipped[name] = str(error)
    if not found:
        name, reason = next(iter(skipped.items()))
        raise ValueError(f"No group of --by has a network; {name!r}: {reason}")
    names = next(iter(found.values())).tables
    tables = {
        name: with_groups({group: own.tables[name] for group, own in found.items()})
        for name in names
    }
    if "ledger" in tables:
        warn_if_none_is_kept(tables["ledger"])
    n_groups = len(found) + len(skipped)
    steps = [Step("groups", "groups with a network", n_groups, len(found))]
    reasons = {name: in_options(reason) for name, reason in skipped.items()}
    return Results(tables, steps, {name: own.steps for name, own in found.items()}, reasons)


@dataclass(frozen=True)
class _Fit:
    """The regression and the tests of its links, for the cells of one network."""

    adata: "AnnData"
    tf_names: TFNames
    options: RunOptions
    watch: Stopwatch
    evidence: LoadedEvidence

    def results(self, cells: KeptCells, n_cells: int) -> Results:
        """Return the tables and steps; `n_cells` is the number of cells before the filters."""
        options, given, inputs = self.options, _make_regressor(self.options), cells.prepared
        if not options.quiet:
            announce_effort(given, inputs.moments)
        t_test, halves = self._t_test(given, cells), None
        with self.watch.time("fit"), announce_compilation(None if options.quiet else tell):
            if options.stability is None:
                regressor = given.fit_moments(inputs.moments, cells)
            else:
                halves = fit_halves(options.stability, options, given, cells)
                regressor = halves.regressor_
            ranking = RidgeRanking(n_links=1).fit_moments(inputs.moments)
            links = ranking.score_links(regressor.links_)
        tables = {"links": links, "targets": _target_table(regressor)}
        n_strong = len(strong_links(links, options.coef_threshold))
        n_genes = self.adata.n_vars
        steps = _steps_of_fit((n_cells, n_genes), self.tf_names, inputs, tables, n_strong)
        by_cells = Tested.from_tests(links, t_test, halves)
        steps += self._test(by_cells, regressor, tables)
        return Results(tables, steps)

    def _t_test(self, regressor: SciFateRegressor, cells: KeptCells) -> LinkTest | None:
        """Return the test of --fdr, before the fit, because cells may not allow it."""
        options = self.options
        if options.fdr is None:
            return None
        groups = None if options.groups is None else self.adata.obs[options.groups][cells.mask]
        with self.watch.time("test"):
            return fit_t_test(options.fdr, options, regressor, cells, groups)

    def _test(
        self,
        by_cells: Tested | None,
        regressor: SciFateRegressor,
        tables: dict[str, pd.DataFrame],
    ) -> list[Step]:
        """Add the tests with the cells to the tables, and test the kept links with evidence."""
        links = tables["links"]
        steps: list[Step] = []
        if by_cells is not None:
            links = by_cells.kept
            tables |= by_cells.tables()
            steps += by_cells.steps
        if self.evidence.by_kind:
            with self.watch.time("filter"):
                model = FittedModel(regressor.target_names_in_, self.options.coef_threshold)
                by_evidence = self.evidence.test_links(links, model)
            tables |= by_evidence.tables()
            steps += by_evidence.steps()
            if by_cells is not None:
                tables["ledger"] = plain_text(link_ledger(by_cells, by_evidence.union))
        return steps


def _steps_of_fit(
    shape: tuple[int, int],
    tf_names: TFNames,
    inputs: SciFateMoments,
    tables: dict[str, pd.DataFrame],
    n_strong: int,
) -> list[Step]:
    links, n_tfs = tables["links"], int(inputs.genes["is_tf"].sum())
    return [
        Step("cells", "cells kept", shape[0], len(inputs.cells)),
        Step("genes", "genes kept", shape[1], len(inputs.genes)),
        Step("tf_rows", "rows of --tfs used", tf_names.rows.n_rows, tf_names.rows.n_used),
        # Texts such as "nan" are TFs only if a gene has this name.
        Step("tfs", "TFs among them", max(len(tf_names), n_tfs), n_tfs),
        Step(
            "targets_with_links",
            "targets with links",
            len(tables["targets"]),
            links["target"].nunique(),
        ),
        Step(ABOVE_THRESHOLD, "links above threshold", len(links), n_strong),
    ]


def _fit_other_folds(cells: KeptCells, options: RunOptions, links: pd.DataFrame) -> Step:
    """Fit with folds that no repeat of the first fit has; return how many links are found again."""
    again = _make_regressor(options).fit_moments(cells.prepared.moments, cells).links_
    n_again = len(links.merge(again, on=["TF", "target"]))
    return Step(FOUND_AGAIN, "links found again", len(links), n_again)


def _preparation(options: RunOptions) -> dict[str, Any]:
    """Return the arguments of `prepare_cells` after the names of the TFs."""
    return {
        "nt_layers": _layers(options),
        "gene_filter_rate": options.gene_filter_rate,
        "cell_filter_UMI": options.cell_filter_umi,
        "response": options.response,
        "regulators": options.regulators,
        "gene_symbols": _gene_symbols(options),
        "covariates": options.covariates,
        "detection_rate": as_number(options.detection_rate),
        "cv": options.folds,
        "groups": options.groups,
        "random_state": options.seed,
        "n_repeats": options.repeats,
    }


def _gene_symbols(options: RunOptions) -> "str | pd.DataFrame | None":
    """Return the column of var with the symbols, or the table of --gene-names."""
    if options.gene_names is None:
        return options.gene_symbols
    with naming("--gene-names", options.gene_names):
        return read_gene_table(options.gene_names)


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
