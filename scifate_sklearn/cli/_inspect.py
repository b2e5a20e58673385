"""`scifate inspect`: what a file of cells holds, and the command that fits it."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..anndata_io import CellsReport, FoundLayers, inspect_cells, open_parts
from ..names import NameKind
from ._console import one_line
from ._options import NEW, TOTAL
from ._vocabulary import in_options

if TYPE_CHECKING:
    from anndata import AnnData

# Least counts per cell that are suggested, the first that this share of the cells exceeds.
_THRESHOLDS = (10_000, 5_000, 2_000, 1_000, 500, 200, 100, 50, 20, 10)
_KEPT = 0.9


def inspect_file(path: Path) -> str:
    """Return a report on a file of cells, as plain text with names made safe for a terminal."""
    with open_parts(path) as (parts, others):
        if len(parts) == 1:
            reports = [inspect_cells(parts[0])]
            described = [_describe(reports[0])]
        else:
            described, reports = _inspect_each(parts)
    lines = ["\n\n".join("\n".join(lines) for lines in described)]
    lines += _table("not read, because the genes are not those of the modality", [*zip(others)])
    return "\n".join([*lines, "", *_commands(reports, path)])


def _inspect_each(parts: list[AnnData]) -> tuple[list[list[str]], list[CellsReport]]:
    """Return a text and a report on each set of modalities; no report if one is empty."""
    found = [_inspect(adata) for adata in parts]
    reports = [each for each in found if isinstance(each, CellsReport)]
    if any(each.found for each in reports):
        # Modalities such as proteins need no new RNA.
        found = [
            replace(each, problems=[])
            if isinstance(each, CellsReport) and not each.has_candidates
            else each
            for each in found
        ]
    return [_titled(*each) for each in zip(parts, found, strict=True)], reports


def _inspect(adata: AnnData) -> CellsReport | ValueError:
    try:
        return inspect_cells(adata)
    except ValueError as error:
        return error


def _titled(adata: AnnData, found: CellsReport | ValueError) -> list[str]:
    names = dict.fromkeys(name.partition("/")[0] for name in adata.layers)
    title = one_line(f"Modality {' and '.join(names)}") if names else "Modality without layers"
    if isinstance(found, ValueError):
        return [f"{title}: {one_line(str(found))}"]
    first, *lines = _describe(found)
    return [f"{title}: {first}", *lines]


def _describe(report: CellsReport) -> list[str]:
    return [
        f"{report.n_cells:,} cells, {report.n_genes:,} genes",
        *_table("layers", [(each.name, *each[1:]) for each in report.layers]),
        *_table("gene names", [("var names", _kind(report.gene_names)), *_symbols(report)]),
        *_table(
            "groups",
            [(each.name, each.use, f"{each.n_levels:,} levels") for each in report.columns],
        ),
        *_table("problems", [(in_options(each),) for each in report.problems]),
    ]


def _table(title: str, rows: list[tuple[str, ...]]) -> list[str]:
    """Return a title and aligned rows; nothing if there are none."""
    if not rows:
        return []
    safe = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*safe, strict=True)]
    padded = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in safe]
    return ["", f"{title}:", *(f"  {line}" for line in padded)]


def _kind(found: NameKind) -> str:
    versions = " with versions" if found.has_versions else ""
    return f"{found.kind}{versions}" + (f", as of {found.species}" if found.species else "")


def _symbols(report: CellsReport) -> list[tuple[str, str]]:
    """Return the columns with symbols, and the species that they suggest."""
    return [(f"var column {name}", _kind(kind)) for name, kind in report.symbol_columns.items()]


def _commands(reports: list[CellsReport], path: Path) -> list[str]:
    """Return the lines with the command that fits each report."""
    found = [(each, each.found) for each in reports if each.found is not None]
    if not found:
        return ["No command fits: the layers of new and total RNA are unknown."]
    return [line for report, layers in found for line in _command(report, layers, path)]


def _command(report: CellsReport, layers: FoundLayers, path: Path) -> list[str]:
    new, total, source = layers
    words = ["scifate", "run", str(path), "--tfs", "TFS.txt"]
    if (new, total) != (NEW, TOTAL):
        words += ["--new", new, "--total", total]
    if report.gene_names.kind != "symbols" and report.symbol_columns:
        words += ["--gene-symbols", next(iter(report.symbol_columns))]
    words += ["--cell-filter-umi", str(_threshold(report)), "--out", "RESULTS"]
    # A name that is not printable cannot be shown such that a shell reads it.
    return [one_line(f"Layers: {source}."), one_line(shlex.join(words))]


def _threshold(report: CellsReport) -> int:
    """Return the largest of some thresholds that nine in ten cells exceed."""
    shares = {least: float(np.mean(report.cell_sums > least)) for least in _THRESHOLDS}
    return next((least for least, share in shares.items() if share >= _KEPT), 0)
