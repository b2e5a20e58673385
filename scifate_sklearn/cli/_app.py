"""The commands and their help.

Modules that take long to import are imported inside the commands, so that help and usage errors
are quick.
"""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from .. import __version__
from ._commands import command_from, evidence_flags, evidence_table_names
from ._console import collect_warnings, show_logs, tidy_errors
from ._inputs import check_paths, check_space
from ._options import (
    ConvertOptions,
    DemoOptions,
    InspectOptions,
    RunOptions,
    check_combinations,
)
from ._out_folder import claim
from ._result_options import ExportOptions, ReportOptions
from ._species import with_references
from ._streams import secure_streams, stdout_failure

RUN_HELP = """\
Find TF → target links in labelled cells and filter them by ChIP-seq and motif evidence.

The folder OUT gets links.csv, targets.csv, run.json, annotated.h5ad (the cells, with the
results in uns["scifate"]) and, with {options}, links_filtered.csv, ledger.csv (why
each link was kept or dropped), {tables}.
"""


class CommandLine(typer.Typer):
    """Command line of a process, which works without usable standard streams."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command that the arguments of the process name."""
        secure_streams()
        return super().__call__(*args, **kwargs)


def build_app() -> typer.Typer:
    """Return the command line, with the options of all kinds of evidence."""
    app = CommandLine(
        name="scifate",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_show_version)
    run_help = RUN_HELP.format(
        options=_join(evidence_flags(), "or"),
        tables=_join([f"{name}.csv" for name in evidence_table_names()], "and"),
    )
    app.command("run", help=run_help, short_help="Find TF → target links in your cells.")(
        command_from(RunOptions, _run_cells)
    )
    for name, options, run, short_help in _other_commands():
        app.command(name, help=run.__doc__, short_help=short_help)(command_from(options, run))
    return app


def _other_commands() -> tuple[tuple[str, Any, Callable[[Any], None], str], ...]:
    """Return name, options, function and short help of each command but ``run``."""
    inspect = "Show what a file of cells holds, and the command that fits it."
    convert = "Write the cells of another tool as an h5ad file."
    export = "Write links for Cytoscape, SCENIC, decoupler and other programs."
    report = "Write one HTML file on a run, which needs no network."
    demo = "Find links in simulated cells, whose network is known."
    return (
        ("inspect", InspectOptions, _inspect_cells, inspect),
        ("convert", ConvertOptions, _convert_cells, convert),
        ("export", ExportOptions, _export_links, export),
        ("report", ReportOptions, _report_results, report),
        ("demo", DemoOptions, _run_simulation, demo),
    )


def _join(words: list[str], conjunction: str) -> str:
    *before, last = words
    return f"{', '.join(before)} {conjunction} {last}" if before else last


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"scifate {__version__}")
        raise typer.Exit


def _show_version(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Infer which transcription factors regulate which genes, from newly made RNA."""


def _run_cells(options: RunOptions) -> None:
    with (
        tidy_errors(options.debug),
        show_logs(options.verbose),
        collect_warnings(options.quiet) as messages,
    ):
        check_combinations(options)
        if options.report:
            from ..report import require_packages

            require_packages()
        options = with_references(options)
        check_paths(options)
        with claim(options.out, options.overwrite) as folder:
            check_space(options)
            from ._run import run_and_write

            summary = run_and_write(options, folder, messages)
        if not options.quiet:
            typer.echo(summary)


def _inspect_cells(options: InspectOptions) -> None:
    """Show the layers of a file of cells, its names and groups, and the command that fits it.

    A sample of the cells tells counts from logarithms and normalised counts.
    """
    with tidy_errors(options.debug), collect_warnings():
        from ._inspect import inspect_file

        typer.echo(inspect_file(options.cells))


def _convert_cells(options: ConvertOptions) -> None:
    """Write the cells of another tool as an h5ad file, with layers of new and total RNA.

    The format is recognised. The cells are converted in blocks, and need not fit into memory.
    """
    with tidy_errors(options.debug), collect_warnings(options.quiet):
        from ._convert import check_convert, convert_and_describe

        check_convert(options)
        summary = convert_and_describe(options)
        if not options.quiet:
            typer.echo(summary)


def _export_links(options: ExportOptions) -> None:
    """Write the links of a run in the format of another program.

    Of the folder of a run these are links_filtered.csv or, if the run tested no links, links.csv.
    """
    with tidy_errors(options.debug), collect_warnings(options.quiet):
        from ._export import check_export, export_and_describe

        summary = export_and_describe(options, check_export(options))
        if not options.quiet:
            typer.echo(summary)


def _report_results(options: ReportOptions) -> None:
    """Write a report on a run: one HTML file with tables that can be searched and the network.

    It also has what the run read, what each step kept, the warnings, and a text for the methods
    section, and it needs no network.
    """
    with tidy_errors(options.debug), collect_warnings(options.quiet):
        from ._report import check_report, report_and_describe

        check_report(options)
        summary = report_and_describe(options)
        if not options.quiet:
            typer.echo(summary)


def _run_simulation(options: DemoOptions) -> None:
    """Simulate labelled cells with a known network, and compare the inferred links with it."""
    with tidy_errors(options.debug), collect_warnings():
        from ._demo import run_demo

        typer.echo(run_demo(options.n_cells, options.seed, options.n_jobs))
        if failure := stdout_failure():
            raise OSError(f"the report cannot be written to standard output: {failure.strerror}.")


app = build_app()
