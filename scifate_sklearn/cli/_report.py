"""`scifate report`: an HTML file on a finished run."""

from __future__ import annotations

import os

import typer

from ..report import require_packages, write_report
from ._console import one_line
from ._out_file import check_out_file
from ._result_options import ReportOptions
from ._streams import unicode_problem


def check_report(options: ReportOptions) -> None:
    """Raise an error if packages are missing, or the output cannot be written."""
    require_packages()
    for path in (options.results, options.out):
        if problem := unicode_problem(os.path.realpath(path)):
            raise typer.BadParameter(problem)
    check_out_file(options.out, options.results / "links.csv", options.overwrite)


def report_and_describe(options: ReportOptions) -> str:
    """Write the report, and return where it is."""
    written = write_report(options.results, options.out)
    return one_line(f"The report on '{options.results}' is '{written}'; open it in a browser.")
