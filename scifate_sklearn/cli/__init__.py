"""The command line: `scifate demo` shows what the method finds, `scifate run` applies it.

Here are the commands and their options only. What takes long to import is imported inside the
commands, so that help and usage errors are quick.
"""

from typing import Annotated

import typer

from .. import __version__
from . import _options as opt
from ._console import tidy_errors

__all__ = ["app"]

app = typer.Typer(
    name="scifate",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"scifate {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Which transcription factors drive which genes, from newly made RNA."""


@app.command()
def run(
    cells: opt.Cells,
    tfs: opt.Tfs,
    out: opt.Out,
    new: opt.New = "new",
    total: opt.Total = "total",
    encode: opt.Encode = None,
    ignore_case: opt.IgnoreCase = False,
    strict: opt.Strict = False,
    motifs: opt.Motifs = None,
    motif_annotations: opt.MotifAnnotations = None,
    min_overlap: opt.MinOverlap = 0.1,
    response: opt.Response = opt.Kind.counts,
    gene_symbols: opt.GeneSymbols = None,
    gene_filter_rate: opt.GeneFilterRate = 0.1,
    cell_filter_umi: opt.CellFilterUMI = 10000,
    lambda_rule: opt.LambdaRule = "1se",
    coef_threshold: opt.CoefThreshold = 0.04,
    path: opt.LambdaPath = opt.PathKind.adaptive,
    n_jobs: opt.Jobs = -1,
    seed: opt.Seed = 123456,
    checkpoint: opt.Checkpoint = None,
    overwrite: opt.Overwrite = False,
    quiet: opt.Quiet = False,
    debug: opt.Debug = False,
) -> None:
    """Find TF → target links in labelled cells and filter them by ChIP-seq and motif evidence.

    The folder OUT gets links.csv, targets.csv, run.json, annotated.h5ad (the cells, with the
    results in uns["scifate"]) and, with --encode or --motifs, links_filtered.csv, ledger.csv (why
    each link was kept or dropped), enrichment.csv and motif_enrichment.csv.
    """
    options = {name: value for name, value in locals().items() if name not in ("debug", "out")}
    opt.check_evidence(encode, ignore_case, strict, motifs, motif_annotations)
    opt.check_out_folder(out, overwrite)
    with tidy_errors(debug):
        from ._run import Settings, run_and_write

        summary = run_and_write(Settings(**options), out)
        if not quiet:
            typer.echo(summary)


@app.command()
def demo(
    n_cells: opt.NumberOfCells = 2000,
    seed: opt.Seed = 0,
    n_jobs: opt.Jobs = -1,
    debug: opt.Debug = False,
) -> None:
    """Simulate labelled cells with a known network, and show how much of it is found again."""
    with tidy_errors(debug):
        from ._demo import run_demo

        typer.echo(run_demo(n_cells, seed, n_jobs))
