"""The options of the commands that read the results of a run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..filters.evidence import option
from ._options import EXPORT_FORMATS, debug_option


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """Options of `scifate export`."""

    results: Path = option(
        help="Folder of scifate run, or a table of links.",
        is_argument=True,
        exists=True,
        readable=True,
        metavar="RESULTS",
        arguments=(),
    )
    out: Path = option(help="The file to write. Its suffix may tell the format.", dir_okay=False)
    format: str | None = option(
        None,
        help=f"Format: {', '.join(EXPORT_FORMATS)}.",
        show_default="that of the suffix of OUT",
    )
    group: str | None = option(
        None, help="Write only this group of a run with --by.", show_default="all links"
    )
    overwrite: bool = option(False, help="Replace files that exist.")
    quiet: bool = option(False, help="Print only warnings and errors.", short="-q")
    debug: bool = debug_option()


@dataclass(frozen=True, kw_only=True)
class ReportOptions:
    """Options of `scifate report`."""

    results: Path = option(
        help="Folder of scifate run.",
        is_argument=True,
        exists=True,
        file_okay=False,
        readable=True,
        metavar="RESULTS",
    )
    out: Path = option(help="The HTML file to write.", dir_okay=False)
    overwrite: bool = option(False, help="Replace the file OUT if it exists.")
    quiet: bool = option(False, help="Print only warnings and errors.", short="-q")
    debug: bool = debug_option()
