"""The options of each command, declared once: name, type, default, range and help."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import typer

from ..filters.evidence import EvidenceKind, option

# Those of the regressor, whose import would load NumPy.
RULES = ("1se", "min", "1se_cells", "aic", "bic", "ebic")

# Those of `datasets.SPECIES`, whose import would load NumPy, too.
SPECIES = ("human", "mouse", "fly", "zebrafish", "rat", "chicken", "pig", "worm")

# Those of `networks.export_links`, whose import would load pandas.
EXPORT_FORMATS = (
    *("graphml", "cyjs", "sif", "gmt", "json"),
    *("decoupler", "scenic", "regvelo", "celloracle", "parquet"),
)

# The folds use R's generator, which takes no larger seeds.
LARGEST_SEED = 2**31 - 1

# Default of `fit_by_group`.
MIN_CELLS = 100

# 100 halves of folds are 50 different pairs.
LEAST_FOLDS = 9

# Arguments of the functions of the package that take both layers.
LAYERS = ("nt_layers", "layers")

# Layers that are read if none are named.
NEW, TOTAL = "new", "total"


class Kind(StrEnum):
    """Contents of a layer."""

    counts = "counts"
    values = "values"


class LayerNames(StrEnum):
    """Names by which layers are found."""

    auto = "auto"


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


def split_names(given: list[str]) -> list[str]:
    """Return the names in texts of names that are separated by commas."""
    names = [name.strip() for text in given for name in text.split(",")]
    if not all(names):
        raise typer.BadParameter(f"has an empty name in {', '.join(map(repr, given))}.")
    return names


def check_detection_rate(text: str | None) -> str | None:
    """Raise a usage error for a number that is not a share; other texts are names of columns."""
    rate = as_number(text)
    if isinstance(rate, float) and not 0 < rate <= 1:
        raise typer.BadParameter(
            f"must be above 0 and at most 1, or a column of obs, got {text!r}."
        )
    return text


def as_number(text: str | None) -> float | str | None:
    """Return a number if the text is one, otherwise the text."""
    try:
        return text if text is None else float(text)
    except ValueError:
        return text


def check_stability(share: float | None) -> float | None:
    """Raise a usage error for a share that the error bound does not allow."""
    if share is not None and not 0.5 < share <= 1:
        raise typer.BadParameter(f"must be above 0.5 and at most 1, got {share}.")
    return share


def check_species(name: str | None) -> str | None:
    """Raise a usage error for a species without references."""
    if name is not None and name not in SPECIES:
        raise typer.BadParameter(f"must be one of {', '.join(SPECIES)}; got {name!r}.")
    return name


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
    return option(
        default,
        help="Random seed. The same seed gives the same result.",
        min=0,
        max=LARGEST_SEED,
        arguments=("random_state", "seed"),
    )


def debug_option() -> Any:
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
    tfs: Path | None = option(
        None,
        help="Names of the TFs: one per line, or a table with a column TF. Without it, those of "
        "--species.",
        exists=True,
        dir_okay=False,
        readable=True,
        arguments=("tf_names",),
        fetched="tfs",
    )
    species: str | None = option(
        None,
        help=f"Species of the cells ({', '.join(SPECIES)}): its list of TFs is fetched, and other "
        "references where 'auto' is given.",
        callback=check_species,
    )
    out: Path = option(help="Folder for the results.", file_okay=False, is_recorded=False)
    new: str | None = option(
        None,
        help="Layer of the response: new or unspliced RNA, or values (see --response).",
        show_default=NEW,
        arguments=LAYERS,
    )
    total: str | None = option(
        None,
        help="Layer of the TFs: total RNA. May be a sum: 'spliced+unspliced'. X is the matrix of "
        "the cells, raw/X that of their raw slot; layers of an h5mu file are rna/X, rna/counts.",
        show_default=TOTAL,
        arguments=LAYERS,
    )
    layers: LayerNames | None = option(
        None,
        help="auto: find both layers by the names that dynamo, dynast, NASC-seq2, velocyto, "
        "STARsolo, kb and alevin-fry give them.",
        excludes=("new", "total"),
        arguments=(),
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
    regulators: Kind = option(
        Kind.counts,
        help="Contents of --total: counts, or values such as TF activities. With values there are "
        "no size factors and no filter of cells.",
    )
    gene_symbols: str | None = option(
        None, help="Column of var with the gene symbols.", show_default="var names"
    )
    gene_names: Path | None = option(
        None,
        help="Symbols of the genes, if var has ids only: a table of ids and symbols (BioMart, "
        "t2g.txt, features.tsv). Versions of Ensembl ids do not matter.",
        exists=True,
        dir_okay=False,
        readable=True,
        arguments=(),
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
    covariates: list[str] = option(
        (),
        help="Columns of obs that are predictors but never links (batch, donor, a score), with "
        "commas between them, or the option again for each.",
        callback=split_names,
        metavar="<names>",
        show_default="none",
    )
    detection_rate: str | None = option(
        None,
        help="Share of the new RNA that is recognised as new: a number above 0, at most 1, or the "
        "column of obs with that of each cell. New counts are divided by it.",
        callback=check_detection_rate,
        show_default="none",
    )
    groups: str | None = option(
        None,
        help="Column of obs with the donor or batch of each cell. No fold holds a part of one.",
        show_default="none",
    )
    folds: int = option(
        10, help="Number of folds of the cross-validation.", min=2, arguments=("cv",)
    )
    by: str | None = option(
        None,
        help="Column of obs with the group of each cell, such as its type. Each group gets a "
        "network of its own, and all tables a column group.",
        show_default="none",
    )
    min_cells: int = option(
        MIN_CELLS,
        help="Skip groups of --by with fewer cells that pass the filters.",
        min=1,
        needs="by",
    )
    lambda_rule: str = option(
        "1se",
        help="Penalty: min (lowest cross-validated error), 1se (the largest penalty within one "
        "standard error of it), 1se_cells (the same with an error over cells, which depends less "
        "on --seed), aic, bic or ebic (information criteria, without "
        "cross-validation), or a number above 0.",
        callback=check_lambda_rule,
    )
    fdr: float | None = option(
        None,
        help="Test whether each TF has an effect of its own, given all others (LinkTest), and keep "
        "the links with at most this false discovery rate. Evidence then filters these.",
        min=0,
        max=1,
        show_default="no test",
    )
    stability: float | None = option(
        None,
        help="Fit 100 halves of the folds, and keep the links that at least this share of them "
        "(above 0.5) selects.",
        callback=check_stability,
        show_default="no halves",
        arguments=(),
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
    seed_stability: bool = option(
        False,
        help="Fit a second time with other folds, and report how many links are found again. Takes "
        "twice as long.",
        excludes=("by",),
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
    report: bool = option(
        False,
        help="Write report.html too: one file with tables that can be searched, the network, the "
        "warnings and a text for the methods section.",
        arguments=(),
    )
    no_annotated: bool = option(False, help="Write no copy of the cells with the results.")
    overwrite: bool = option(False, help="Replace earlier result files in the folder OUT.")
    quiet: bool = option(False, help="Print only warnings and errors.", short="-q")
    verbose: bool = option(
        False,
        help="Print what the steps log, such as names that are matched.",
        excludes=("quiet",),
        arguments=(),
    )
    debug: bool = debug_option()


def check_combinations(options: RunOptions) -> None:
    """Raise a usage error for values of options that do not fit together."""
    if options.stability is not None and options.folds < LEAST_FOLDS:
        raise typer.BadParameter(
            f"requires at least {LEAST_FOLDS} --folds, of which it makes 100 halves.",
            param_hint="--stability",
        )


@dataclass(frozen=True, kw_only=True)
class InspectOptions:
    """Options of `scifate inspect`."""

    cells: Path = option(
        help="Cells: an h5ad file or a zarr folder of anndata.",
        is_argument=True,
        exists=True,
        readable=True,
        metavar="CELLS",
        arguments=("adata",),
    )
    debug: bool = debug_option()


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
    debug: bool = debug_option()


@dataclass(frozen=True, kw_only=True)
class DemoOptions:
    """Options of `scifate demo`."""

    n_cells: int = option(2000, help="Number of cells to simulate.", min=100, max=10_000_000)
    seed: int = _seed(0)
    n_jobs: int = _n_jobs()
    debug: bool = debug_option()
