"""Files for other programs: the table of formats, and the function that writes them."""

import os
import re
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pandas as pd

from ..files import replacing
from ._cytoscape import write_cyjs, write_edge_table, write_node_table, write_sif
from ._edge_lists import (
    Writer,
    all_columns,
    table_writers,
    to_decoupler,
    to_scenic,
    write_parquet,
)
from ._edges import checked_links, links_of_group
from ._graphml import write_graphml
from ._priors import to_celloracle, to_regvelo
from ._regulons import write_gmt, write_regulons_json

# Control characters, line breaks, and what neither UTF-8 nor XML can hold.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class ExportFormat:
    """A format of files for other programs.

    Attributes
    ----------
    writers : mapping of str to callable
        The function that writes the file, by its suffix.
    companions : mapping of str to callable
        Functions that write further files, by the suffix that replaces that of the file.
    """

    writers: Mapping[str, Writer]
    companions: Mapping[str, Writer] = field(default_factory=dict)


# One line per format.
FORMATS = {
    "graphml": ExportFormat({".graphml": write_graphml}),
    "cyjs": ExportFormat({".cyjs": write_cyjs}),
    "sif": ExportFormat(
        {".sif": write_sif}, {".edges.tsv": write_edge_table, ".nodes.tsv": write_node_table}
    ),
    "gmt": ExportFormat({".gmt": write_gmt}),
    "json": ExportFormat({".json": write_regulons_json}),
    "decoupler": ExportFormat(table_writers(to_decoupler)),
    "scenic": ExportFormat(table_writers(to_scenic)),
    "regvelo": ExportFormat(table_writers(to_regvelo)),
    "celloracle": ExportFormat(table_writers(to_celloracle)),
    "parquet": ExportFormat({".parquet": partial(write_parquet, all_columns)}),
}
# Formats that have a suffix to themselves, or are what it stands for.
_BY_SUFFIX = {f".{name}": name for name in ("graphml", "cyjs", "sif", "gmt", "json", "parquet")}


def export_links(
    links: pd.DataFrame,
    path: str | os.PathLike[str],
    *,
    format: str | None = None,
    group: str | int | None = None,
) -> list[Path]:
    """Write links to a file for another program.

    Parameters
    ----------
    links : DataFrame
        Links table, with at least ``TF``, ``target`` and ``coef``. Rows that repeat a link with the
        same values count once, except in parquet.
    path : path-like
        The file, which is replaced if it exists. ``sif`` writes ``<name>.edges.tsv`` and
        ``<name>.nodes.tsv`` beside it.
    format : str, optional
        The format; by default that of the suffix. Formats without a suffix of their own are written
        to ``.csv``, ``.tsv`` and ``.parquet``.

        ==============  ===========================================================================
        ``graphml``     nodes and edges of `to_networkx`; missing values are left out
        ``cyjs``        the same as Cytoscape JSON, with ``interaction`` (activates, represses)
        ``sif``         TF, interaction and target, with tables of edges and nodes for Cytoscape
        ``gmt``         gene sets of `to_regulons`, ``TF(+)`` and ``TF(-)``
        ``json``        `to_regulons`: the coefficient of each target of each regulon
        ``decoupler``   `to_decoupler`: ``source``, ``target``, ``weight``
        ``scenic``      `to_scenic`: ``TF``, ``target``, ``importance``
        ``regvelo``     `to_regvelo`: targets × regulators, the targets in the first column
        ``celloracle``  `to_celloracle`: ``peak_id``, ``gene_short_name``, then one column per TF
        ``parquet``     all rows and columns, also those of several groups
        ==============  ===========================================================================
    group : str or int, optional
        Write only the links of this group, of those in the column ``group``.

    Returns
    -------
    list of Path
        The files that were written.

    Raises
    ------
    TypeError, ValueError
        If `links` is not a links table, has no rows, or lacks a name; if it has several groups or
        repeats a pair with different values in a format for one network; if a name, a text or the
        name of a column has a control character or a line break; if `format` is unknown, does not
        fit the suffix, or is needed to choose one; or if `group` does not occur.
    ImportError
        If a parquet file is to be written and pyarrow is not installed.
    OSError
        If the file cannot be written.

    Notes
    -----
    Numbers are written such that they are read back exactly. A name that a spreadsheet would take
    for a formula is written as it is, because the programs compare names: open such files in a
    spreadsheet only if you trust the names.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> links = pd.DataFrame({"TF": ["MYC"], "target": ["NCL"], "coef": [0.5]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [written] = export_links(links, f"{folder}/net.tsv", format="decoupler")
    ...     print(written.read_text().expandtabs(8))
    source  target  weight
    MYC     NCL     0.5
    <BLANKLINE>
    """
    files = _writers(Path(path), format)
    table = checked_links(links, "export_links")
    if group is not None:
        table = links_of_group(table, group)
    _check_text(table)
    for each in files:
        _check_place(each)
    with ExitStack() as stack:
        for each, write in files.items():
            write(table, stack.enter_context(replacing(each)))
    return list(files)


def export_paths(path: str | os.PathLike[str], format: str | None = None) -> list[Path]:
    """Return the files that `export_links` writes.

    Parameters
    ----------
    path : path-like
        The file.
    format : str, optional
        As for `export_links`.

    Returns
    -------
    list of Path

    Raises
    ------
    ValueError
        If `format` is unknown, does not fit the suffix, or is needed to choose one.
    """
    return list(_writers(Path(path), format))


def _writers(path: Path, format: str | None) -> dict[Path, Writer]:
    suffix = path.suffix.lower()
    name = _BY_SUFFIX.get(suffix) if format is None else format
    if name is None:
        raise ValueError(
            f"'{path}': the suffix {suffix!r} does not tell the format; name one in `format` "
            f"({', '.join(FORMATS)})."
        )
    if name not in FORMATS:
        raise ValueError(f"`format` must be one of {', '.join(FORMATS)}; got {name!r}.")
    chosen = FORMATS[name]
    if suffix not in chosen.writers:
        raise ValueError(f"'{path}' must end in {' or '.join(chosen.writers)} for {name!r}.")
    others = {path.with_suffix(end): write for end, write in chosen.companions.items()}
    return {path: chosen.writers[suffix], **others}


def _check_text(links: pd.DataFrame) -> None:
    """Raise ValueError for text that would break a file, or that XML cannot hold."""
    columns = [name for name in links.columns if _UNSAFE.search(name)]
    texts = {f"the name of a column of the links, {name!r}," for name in columns}
    for name in links.select_dtypes(exclude=["number", "bool"]).columns:
        for text in set(map(str, links[name].dropna())):
            if _UNSAFE.search(text):
                texts.add(f"{text!r} in column {name!r} of the links")
    if texts:
        raise ValueError(
            f"export_links: {min(texts)} has a control character or a line break, which the files "
            f"of other programs cannot hold ({len(texts):,} such text(s)); rename it."
        )


def _check_place(path: Path) -> None:
    if path.is_dir():
        raise IsADirectoryError(f"'{path}' is a folder; name a file.")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"There is no folder '{path.parent}'; create it first.")
