"""`scifate convert`: from the files of a tool to an h5ad file."""

from __future__ import annotations

import os
import shlex

import typer

from ..anndata_io import Recognised, convert_cells
from ._console import is_interactive, one_line
from ._inputs import check_kind
from ._options import ConvertOptions
from ._out_file import check_out_file
from ._out_folder import out_error
from ._streams import unicode_problem

_UNKNOWN = "Which layers have new and total RNA is not known: replace NEW and TOTAL."


def check_convert(options: ConvertOptions) -> None:
    """Raise a usage error for an input that cannot be read, or an output that cannot be written."""
    for path in (options.cells, options.out):
        if problem := unicode_problem(os.path.realpath(path)):
            raise typer.BadParameter(problem)
    check_kind("cells", options.cells)
    if options.out.suffix != ".h5ad":
        raise out_error(f"'{options.out}' must end in .h5ad.")
    check_out_file(options.out, options.cells, options.overwrite)


def convert_and_describe(options: ConvertOptions) -> str:
    """Convert the cells, and return what was recognised and the command that comes next."""
    found = Recognised.from_path(options.cells, options.format, options.modality)
    convert_cells(found, options.out, verbose=not options.quiet and is_interactive())
    source = found.source
    n_cells, n_genes = source.shape
    lines = [
        f"'{options.cells}' is {found.format}: {n_cells:,} cells, {n_genes:,} genes.",
        f"Layers: {', '.join(source.layers)}.",
        *source.notes,
        "" if source.new else _UNKNOWN,
        f"The cells are in '{options.out}'. Next:",
        f"  {_next_command(options, source.new, source.total, source.symbols)}",
    ]
    return "\n".join(one_line(line) if line.strip() == line else line for line in lines if line)


def _next_command(options: ConvertOptions, new: str, total: str, symbols: str) -> str:
    """Return the command that fits the network."""
    words = ["scifate", "run", str(options.out), "--tfs", "TFS.txt"]
    words += ["--new", new or "NEW", "--total", total or "TOTAL"]
    words += ["--gene-symbols", symbols] if symbols else []
    return one_line(shlex.join([*words, "--out", "RESULTS"]))
