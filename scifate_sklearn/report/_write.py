"""The function that writes a report."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from ..files import replacing
from ._packages import require_packages
from ._page import render
from ._pictures import ONE_NETWORK, Picture, drawn_pictures, encoded, has_groups
from ._results import RunResults

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def write_report(
    results: str | os.PathLike[str] | pd.DataFrame | Mapping[str, pd.DataFrame],
    path: str | os.PathLike[str],
    *,
    run: Mapping[str, Any] | None = None,
    pictures: Sequence[tuple[str, Figure | str]] | None = None,
) -> Path:
    """Write a report on links: one HTML file that needs no network.

    It has what went in, what each step kept, the warnings, a text for the methods section, tables
    with search, sort and filters, and a network in which each TF and gene can be searched.

    Parameters
    ----------
    results : path-like, DataFrame, or mapping of str to DataFrame
        The folder of `scifate run`; a links table, with at least ``TF``, ``target`` and ``coef``;
        or tables by the names of the result files: ``links``, ``links_filtered``, ``ledger``,
        ``targets``, ``enrichment``, ``motif_enrichment``. Tables with other names are shown too.
    path : path-like
        The file, which is replaced if it exists.
    run : mapping of str to object, optional
        What `scifate run` writes to ``run.json``. By default that of the folder, if there is one.
    pictures : sequence of (str, Figure or str), optional
        Titles, and figures of matplotlib or texts of SVG files. By default, pictures of the links
        of one network if the extra ``plot`` is installed: of the kept ones, or of all if none is
        kept. One that cannot be drawn is left out, with a warning.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ImportError
        If Bokeh or Jinja2 is not installed.
    TypeError, ValueError
        If there is no links table, a table cannot be used, ``kept`` of links has anything but
        flags, or `run` has another shape.
    OSError
        If a file cannot be read or written.

    Notes
    -----
    Names from files are text wherever they are shown. The page forbids itself any request to a
    network, and scripts other than its own (Content Security Policy).

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> links = pd.DataFrame({"TF": ["MYC"], "target": ["NCL"], "coef": [0.5]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = write_report(links, f"{folder}/report.html")
    ...     file.read_text(encoding="utf-8")[:15]
    '<!DOCTYPE html>'
    """
    require_packages()
    found = RunResults.from_any(results, run)
    note = ONE_NETWORK if pictures is None and has_groups(found.links) else ""
    given = drawn_pictures(found.links) if pictures is None else pictures
    page = render(found, [Picture(title, encoded(each)) for title, each in given], note)
    with replacing(Path(path)) as unfinished:
        unfinished.write_text(page, encoding="utf-8")
    return Path(path)
