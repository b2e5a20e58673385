"""`scifate report`: an HTML file on a finished run."""

from __future__ import annotations

import os

import typer

from ..report import require_packages, run_inputs, write_report
from ._console import one_line
from ._out_file import check_out_file
from ._out_folder import REPORT, result_files
from ._result_options import ReportOptions
from ._streams import unicode_problem


def check_report(options: ReportOptions) -> None:
    """Raise an error if packages are missing, or the output cannot be written."""
    require_packages()
    for path in (options.results, options.out):
        if problem := unicode_problem(os.path.realpath(path)):
            raise typer.BadParameter(problem)
    results = options.results
    inputs = [results / name for name in result_files() if name != REPORT] + run_inputs(results)
    check_out_file(options.out, results, options.overwrite, may_be=REPORT, inputs=inputs)


def report_and_describe(options: ReportOptions) -> str:
    """Write the report, and return where it is."""
    written = write_report(options.results, options.out)
    return one_line(f"The report on '{options.results}' is '{written}'; open it in a browser.")
