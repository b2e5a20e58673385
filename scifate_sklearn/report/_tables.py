"""Tables of a report: all links, one row per TF, and the other tables of the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ._columns import MEANINGS, Column, columns_of
from ._results import RunResults
from ._text import as_text

if TYPE_CHECKING:
    from bokeh.models import CellFormatter, DataTable

_ROW_HEIGHT = 25
_MOST_ROWS = 16
_TITLES = {
    "links": "Links",
    "tfs": "TFs",
    "targets": "Targets",
    "enrichment": "ChIP-seq evidence",
    "motif_enrichment": "Motif evidence",
}
_NOTES = {
    "links": "One row per link, strongest first.",
    "tfs": "One row per TF with a link; the TF with most links first.",
    "targets": "One row per target gene, also if it has no links; the best model first.",
    "enrichment": "One row per TF that has a strong link and is in the ChIP-seq reference: are its "
    "targets near its peaks more often than other genes?",
    "motif_enrichment": "One row per TF, threshold and enriched motif.",
}


@dataclass(frozen=True)
class Grid:
    """A table of the page, which can be searched and sorted.

    Attributes
    ----------
    key : str
        Word that names it in the page.
    title, note : str
    columns : list of Column
    empty : list of str
        Names of columns without a value, which are left out.
    """

    key: str
    title: str
    note: str
    columns: list[Column]
    empty: list[str]

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.columns[0].entries)

    @property
    def meanings(self) -> dict[str, str]:
        """Meaning of each column that has one."""
        return {c.name: MEANINGS[c.name] for c in self.columns if c.name in MEANINGS}

    def fields(self) -> list[dict[str, str]]:
        """Return for the script of the page how each column is called in the source."""
        return [
            {"field": f"c{k}", "name": column.name, "kind": column.kind}
            for k, column in enumerate(self.columns)
        ]

    def model(self) -> DataTable:
        """Return the table as a model of Bokeh."""
        from bokeh.models import BooleanFilter, CDSView, ColumnDataSource, DataTable, TableColumn

        # Names of columns are untrusted, but titles of columns are HTML.
        shown = [
            TableColumn(
                field=f"c{k}",
                title=escape(column.name),
                width=column.width,
                formatter=_formatter(column),
                default_sort="ascending" if column.kind == "text" else "descending",
            )
            for k, column in enumerate(self.columns)
        ]
        source = ColumnDataSource({f"c{k}": c.entries for k, c in enumerate(self.columns)})
        fits = sum(column.width for column in self.columns) < 1000
        return DataTable(
            source=source,
            columns=shown,
            view=CDSView(filter=BooleanFilter()),
            index_position=None,
            reorderable=False,
            autosize_mode="force_fit" if fits else "none",
            sizing_mode="stretch_width",
            height=_ROW_HEIGHT * (min(max(self.n_rows, 1), _MOST_ROWS) + 1) + 20,
            row_height=_ROW_HEIGHT,
        )


def grids(results: RunResults) -> list[Grid]:
    """Return all tables of a page, the links first."""
    links = _strongest_first(results.links)
    tables = {"links": links, "tfs": tf_table(links), **_sorted(results.others)}
    known = [key for key in _TITLES if key in tables]
    others = [key for key in tables if key not in _TITLES]
    found = {key: columns_of(tables[key]) for key in [*known, *others]}
    return [
        Grid(f"table{k}", _TITLES.get(key, as_text(key)), _NOTES.get(key, ""), *columns)
        for k, (key, columns) in enumerate(found.items())
        if columns[0]
    ]


def tf_table(links: pd.DataFrame) -> pd.DataFrame:
    """Return one row per TF, of each group if there are groups: its numbers of links."""
    keys = [name for name in ("group", "TF") if name in links.columns]
    by_tf = links.assign(
        activated=links["coef"] > 0, repressed=links["coef"] < 0, strongest=links["coef"].abs()
    ).groupby(keys, sort=False)
    table = by_tf.agg(
        targets=("target", "size"),
        activated=("activated", "sum"),
        repressed=("repressed", "sum"),
        strongest=("strongest", "max"),
    )
    if "kept" in links.columns:
        table["kept links"] = by_tf["kept"].sum().astype(int)
    as_targets = links.rename(columns={"target": "TF", "TF": "target"}).groupby(keys).size()
    table["regulators"] = as_targets.reindex(table.index, fill_value=0)
    return table.sort_values("targets", ascending=False, kind="stable").reset_index()


def _strongest_first(links: pd.DataFrame) -> pd.DataFrame:
    order = np.argsort(-links["coef"].abs().to_numpy(), kind="stable")
    return links.iloc[order]


def _sorted(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    return {
        name: table.sort_values("r2", ascending=False, kind="stable") if "r2" in table else table
        for name, table in tables.items()
    }


def _formatter(column: Column) -> CellFormatter:
    from bokeh.models import NumberFormatter, ScientificFormatter, StringFormatter

    if column.kind == "text":
        return StringFormatter()
    shared: dict[str, Any] = {"nan_format": "", "text_align": "right"}
    if column.is_probability:
        return ScientificFormatter(precision=3, power_limit_low=-3, **shared)
    return NumberFormatter(format="0,0" if column.kind == "integer" else "0,0.000", **shared)
