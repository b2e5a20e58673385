"""The options of each command, declared once: name, type, default, range and help."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import typer

from ..filters.evidence import EvidenceKind, option

# Those of the regressor, whose import would load NumPy.
RULES = ("1se", "min", "aic", "bic", "ebic")

# Arguments of the functions of the package that take both layers.
LAYERS = ("nt_layers", "layers")


class Kind(StrEnum):
    """Contents of a layer."""

    counts = "counts"
    values = "values"


class PathKind(StrEnum):
    """Extent of the λ path that is fitted."""

    adaptive = "adaptive"
    full = "full"


def check_lambda_rule(text: str) -> str:
    """Raise a usage error for a rule that the regressor would refuse later."""
    if text in RULES:
        return text
    try:
        valid = 0 < float(text) < float("inf")
    except ValueError:
        valid = False
    if not valid:
        raise typer.BadParameter(f"must be {', '.join(RULES)} or a number above 0, got {text!r}.")
    return text


def check_n_jobs(number: int) -> int:
    """Raise a usage error for a number of cores that joblib would refuse later."""
    if number == 0:
        raise typer.BadParameter("must be at least 1, or negative (-1: all cores), got 0.")
    return number


def _n_jobs() -> Any:
    return option(
        -1,
        help="Number of cores, -1 for all. Does not change any result.",
        callback=check_n_jobs,
    )


def _seed(default: int) -> Any:
    # The folds use R's generator, which takes no larger seeds.
    return option(
        default,
        help="Random seed. The same seed gives the same result.",
        min=0,
        max=2**31 - 1,
        arguments=("random_state", "seed"),
    )


def _debug() -> Any:
    return option(False, help="Show the traceback of an error.", is_recorded=False)


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Options of `scifate run`.

    The command line, ``parameters`` and ``inputs`` of ``run.json`` follow the order of the fields.
    """

    cells: Path = option(
        help="Cells with both layers: an h5ad file, a zarr folder of anndata, also zipped, or an "
        "h5mu file. They are read in chunks and need not fit into memory. For files of other tools "
        "see scifate convert.",
        is_argument=True,
        exists=True,
        readable=True,
        metavar="CELLS",
        arguments=("adata",),
    )
    tfs: Path = option(
        help="Names of the TFs: one per line, or a table with a column TF.",
        exists=True,
        dir_okay=False,
        readable=True,
        arguments=("tf_names",),
    )
    out: Path = option(help="Folder for the results.", file_okay=False, is_recorded=False)
    new: str = option(
        "new",
        help="Layer of the response: new or unspliced RNA, or values (see --response).",
        arguments=LAYERS,
    )
    total: str = option(
        "total",
        help="Layer of the TFs: total RNA. May be a sum: 'spliced+unspliced'. X is the matrix of "
        "the cells, raw/X that of their raw slot; layers of an h5mu file are rna/X, rna/counts.",
        arguments=LAYERS,
    )
    evidence: tuple[EvidenceKind, ...]
    min_overlap: float = option(
        0.1,
        help="Smallest share of names that cells and evidence must have in common, relative to "
        "the shorter list. 0 disables the check.",
        min=0,
        max=1,
    )
    response: Kind = option(
        Kind.counts, help="Contents of --new: counts, or values such as velocities or rates."
    )
    gene_symbols: str | None = option(
        None, help="Column of var with the gene symbols.", show_default="var names"
    )
    gene_filter_rate: float = option(
        0.1, help="Keep genes detected in more than this share of cells.", min=0, below=1
    )
    cell_filter_umi: float = option(
        10000,
        help="Keep cells with more total counts than this.",
        min=0,
        arguments=("cell_filter_UMI",),
    )
    lambda_rule: str = option(
        "1se",
        help="Penalty: min (lowest cross-validated error), 1se (the largest penalty within one "
        "standard error of it), aic, bic or ebic (information criteria, without "
        "cross-validation), or a number above 0.",
        callback=check_lambda_rule,
    )
    coef_threshold: float = option(
        0.04, help="The ChIP-seq filter keeps links with a larger |coefficient|.", min=0
    )
    path: PathKind = option(
        PathKind.adaptive, help="adaptive: stop a path after a clear minimum of its CV curve."
    )
    repeats: int = option(
        1,
        help="Number of cross-validations with other folds, whose curves are averaged. With more "
        "of them the links depend less on --seed.",
        min=1,
        arguments=("n_repeats",),
    )
    n_jobs: int = _n_jobs()
    seed: int = _seed(123456)
    checkpoint: Path | None = option(
        None,
        help="Folder for finished targets: an interrupted run continues from there. It may hold "
        "those of other runs too.",
        file_okay=False,
    )
    escape_formulas: bool = option(
        False,
        help="In the csv files, write an apostrophe before names that spreadsheets take for "
        "formulas (=, +, -, @). This package reads them back.",
    )
    no_annotated: bool = option(False, help="Write no copy of the cells with the results.")
    overwrite: bool = option(False, help="Replace earlier result files in the folder OUT.")
    quiet: bool = option(False, help="Print only warnings and errors.", short="-q")
    debug: bool = _debug()


@dataclass(frozen=True, kw_only=True)
class ConvertOptions:
    """Options of `scifate convert`."""

    cells: Path = option(
        help="File or folder that a tool wrote: loom (velocyto, kb), STARsolo's Velocyto, "
        "alevin-fry (USA mode), kb-python (nac), NASC-seq2, GRAND-SLAM, sci-fate, scNT-seq, h5ad, "
        "zarr (also zipped), h5mu.",
        is_argument=True,
        exists=True,
        readable=True,
        metavar="CELLS",
    )
    out: Path = option(help="The h5ad file to write.", dir_okay=False)
    format: str = option(
        "auto",
        help="Format of CELLS, such as loom or starsolo; auto recognises it from names and first "
        "bytes.",
    )
    modality: str | None = option(None, help="Modality of an h5mu file, if it has several.")
    overwrite: bool = option(False, help="Replace the file OUT if it exists.")
    quiet: bool = option(False, help="Print only warnings and errors.", short="-q")
    debug: bool = _debug()


@dataclass(frozen=True, kw_only=True)
class DemoOptions:
    """Options of `scifate demo`."""

    n_cells: int = option(2000, help="Number of cells to simulate.", min=100, max=10_000_000)
    seed: int = _seed(0)
    n_jobs: int = _n_jobs()
    debug: bool = _debug()
