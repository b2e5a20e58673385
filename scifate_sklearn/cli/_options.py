"""The options of the commands: type, range, help."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

RULES = ("1se", "min")


class Kind(StrEnum):
    """What a layer holds."""

    counts = "counts"
    values = "values"


class PathKind(StrEnum):
    """How much of the λ path is fitted."""

    adaptive = "adaptive"
    full = "full"


def check_lambda_rule(text: str) -> str:
    """Refuse as a usage error, at once, what the regressor would refuse later."""
    if text in RULES:
        return text
    try:
        valid = 0 < float(text) < float("inf")
    except ValueError:
        valid = False
    if not valid:
        raise typer.BadParameter(f"must be 1se, min or a number above 0, got {text!r}.")
    return text


def check_evidence(
    encode: Path | None,
    ignore_case: bool,
    strict: bool,
    motifs: Path | None,
    motif_annotations: Path | None,
) -> None:
    """Raise a usage error if an option of evidence is given without what it needs."""
    for option, is_given, needed, is_there in (
        ("--ignore-case", ignore_case, "--encode", encode),
        ("--strict", strict, "--encode", encode),
        ("--motifs", motifs, "--motif-annotations", motif_annotations),
        ("--motif-annotations", motif_annotations, "--motifs", motifs),
    ):
        if is_given and not is_there:
            raise typer.BadParameter(f"{option} needs {needed} too.", param_hint=needed)


def check_out_folder(out: Path, overwrite: bool) -> None:
    """Raise a usage error if results could not be written to `out`, or would mix with others."""
    try:
        is_taken = out.is_dir() and any(out.iterdir())
        existing = next(path for path in (out, *out.absolute().parents) if path.exists())
    except (OSError, ValueError) as error:  # a name that no file can have
        raise typer.BadParameter(
            f"'{str(out)[:100]}' cannot be a folder ({error}); choose another one.",
            param_hint="--out",
        ) from error
    if is_taken and not overwrite:
        raise typer.BadParameter(
            f"folder '{out}' is not empty; choose another one, or add --overwrite.",
            param_hint="--out",
        )
    if not (existing.is_dir() and os.access(existing, os.W_OK)):
        raise typer.BadParameter(
            f"cannot write to '{existing}'; choose another folder.", param_hint="--out"
        )


Cells = Annotated[
    Path,
    typer.Argument(
        exists=True,
        readable=True,
        metavar="CELLS",
        help="Cells with both layers: an h5ad file or a zarr folder of anndata. They are read in "
        "chunks, so there may be more of them than memory.",
    ),
]
Tfs = Annotated[
    Path,
    typer.Option(
        exists=True,
        dir_okay=False,
        readable=True,
        help="Names of the TFs: one a line, or a table with a column TF.",
    ),
]
Out = Annotated[Path, typer.Option(file_okay=False, help="Folder for the results.")]
New = Annotated[str, typer.Option(help="Layer of the response: new or unspliced RNA, or values.")]
Total = Annotated[
    str, typer.Option(help="Layer of the TFs: total RNA. May be a sum: 'spliced+unspliced'.")
]
Encode = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        dir_okay=False,
        readable=True,
        help="ChIP-seq evidence: a table with TF, target and maybe peak, or gene sets (GMT). "
        "Without it, links are not filtered.",
    ),
]
IgnoreCase = Annotated[
    bool,
    typer.Option("--ignore-case", help="Let names of --encode (PAX6) meet the cells' (Pax6)."),
]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict", help="Keep enriched TFs and links with a peak only; count tested genes only."
    ),
]
Motifs = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        dir_okay=False,
        readable=True,
        help="Motif evidence: a cisTarget ranking database (feather). A link stays if it or "
        "--encode supports it.",
    ),
]
MotifAnnotations = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        dir_okay=False,
        readable=True,
        help="Which TF binds which motif: cisTarget's .tbl, or a table with motif and TF.",
    ),
]
MinOverlap = Annotated[
    float,
    typer.Option(
        min=0,
        max=1,
        help="Least share of names that cells and evidence have in common, of the smaller side.",
    ),
]
Response = Annotated[Kind, typer.Option(help="What --new holds; values are velocities or rates.")]
GeneSymbols = Annotated[
    str | None, typer.Option(help="Column of var with the gene symbols.", show_default="var names")
]
GeneFilterRate = Annotated[
    float, typer.Option(min=0, max=1, help="Keep genes seen in more than this share of cells.")
]
CellFilterUMI = Annotated[
    float, typer.Option(min=0, help="Keep cells with more total counts than this.")
]
LambdaRule = Annotated[
    str, typer.Option(callback=check_lambda_rule, help="Penalty: 1se, min, or a number.")
]
CoefThreshold = Annotated[
    float, typer.Option(min=0, help="The ChIP-seq filter keeps links with a larger |coefficient|.")
]
LambdaPath = Annotated[
    PathKind, typer.Option(help="adaptive: end a path once its CV curve has clearly turned.")
]
Jobs = Annotated[int, typer.Option(help="Number of cores; -1 for all. Changes no result.")]
# R, whose folds these are, takes no larger seeds.
Seed = Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Same seed, same result.")]
Checkpoint = Annotated[
    Path | None,
    typer.Option(
        file_okay=False,
        help="Folder for finished targets: a run that was killed goes on from there.",
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Write to OUT though not empty.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print warnings and errors only.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
NumberOfCells = Annotated[int, typer.Option(min=100, help="Number of cells to simulate.")]
