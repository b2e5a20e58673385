"""`scifate export`: links in the format of another program."""

from __future__ import annotations

import os
from pathlib import Path

import typer

from ..files import prefix_errors
from ..links import read_links
from ..networks import export_links, export_paths
from ._console import one_line
from ._inputs import check_kind
from ._out_file import check_out_file
from ._out_folder import out_error
from ._result_options import ExportOptions
from ._streams import unicode_problem
from ._vocabulary import in_options

# Of the results of a run, the links that it kept, or all if it did not test them.
_LINKS = ("links_filtered.csv", "links.csv")


def check_export(options: ExportOptions) -> Path:
    """Return the file of links, or raise a usage error if it or an output cannot be used."""
    for path in (options.results, options.out):
        if problem := unicode_problem(os.path.realpath(path)):
            raise typer.BadParameter(problem)
    source = _find_links(options.results)
    check_kind("results", source)
    try:
        written = export_paths(options.out, options.format)
    except ValueError as error:
        raise out_error(in_options(error)) from error
    for path in written:
        check_out_file(path, source, options.overwrite)
    return source


def export_and_describe(options: ExportOptions, source: Path) -> str:
    """Write the links, and return which ones were written, and where."""
    links = read_links(source)
    with prefix_errors(source):
        written = export_links(links, options.out, format=options.format, group=options.group)
    names = ", ".join(f"'{path}'" for path in written)
    of_group = "" if options.group is None else f" (group {options.group})"
    return one_line(f"The links of '{source}'{of_group} are in {names}.")


def _find_links(results: Path) -> Path:
    if not results.is_dir():
        return results
    found = next((results / name for name in _LINKS if (results / name).exists()), None)
    if found is None:
        raise typer.BadParameter(
            f"'{results}' has no {_LINKS[-1]}; give the folder of scifate run, or a links table.",
            param_hint="RESULTS",
        )
    return found
