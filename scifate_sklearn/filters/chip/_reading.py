"""Files of binding evidence: tables and gene sets (GMT)."""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from ..._warnings import warn
from ...files import AdvisedError, check_lines, find_delimiter, is_comment, read_start, read_text
from ...names import LINE, REPRESSION, examples, plain_name
from .._tables import read_table, require_lines
from ._layouts import KNOWN_COLUMNS, check_once
from ._scenic import holds_scenic_motifs, read_scenic_motifs
from ._signs import EFFECT
from ._sources import regulondb_header

# TRRUST's files have no header, and several references in one field, separated by semicolons.
_TRRUST_COLUMNS = ("TF", "target", "mode", "PMIDs")
_TRRUST_MODES = ("Activation", "Repression", "Unknown")
# GRNBoost2 and GENIE3 write files without a header, too.
_ADJACENCY_COLUMNS = ("TF", "target", "importance")
_DECIMAL = re.compile(r"\d*\.\d+(?:e[-+]?\d+)?|\d+e[-+]?\d+", re.IGNORECASE)
_GLANCE = 4096
# A set of all 60,000 human genes, with weights, has about 1 MiB.
_LONGEST_SET = 16 * 2**20

# Sets of MSigDB's C3 before GTRD begin with a motif in IUPAC letters, or with V$.
_MOTIF_SET = re.compile(
    r"(?:V\$|[ACGTRYSWKMBDHVN]{5,}_)(?:UNKNOWN|(\w+?)_(?:Q\d+|[A-Z]|\d\d)(?:_\w+)?)"
)
# The first part of a name, before the cell, the species, the direction or the number of a study.
_FIRST_PART = re.compile(r"[^\s_]*")
_DIRECTION = re.compile(r"[-_. ](UP|DN|DOWN)(?![A-Za-z])", re.IGNORECASE)
# ChEA 2013 has AR-19668381-PC3-HUMAN.
_PUBMED_ID = re.compile(r"-\d{7,8}(?:-.*)?$")
_SPECIES = re.compile(r"\b(human|mouse|rat)\b", re.IGNORECASE)


def read_evidence(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read a table of evidence, as `read_table` does; known files without a header get one.

    Raises
    ------
    FileNotFoundError, ValueError, ImportError
        As `read_table`; and if a column of evidence occurs more than once.
    """
    if holds_scenic_motifs(path):
        return read_scenic_motifs(path)
    return read_table(
        path, known=KNOWN_COLUMNS, check_header=check_once, missing_header=_missing_header
    )


def holds_gene_sets(path: str | os.PathLike[str]) -> bool:
    """Return whether a file is called ``*.gmt``, or begins as Enrichr's files (``*.txt``) do.

    Their sets have no description, so the second field is empty.
    """
    if os.fspath(path).lower().removesuffix(".gz").endswith(".gmt"):
        return True
    fields = read_start(path, _GLANCE).split(b"\n")[0].split(b"\t")
    return len(fields) > 2 and bool(fields[0]) and not fields[1] and bool(fields[2])


def tf_of_set_name(set_name: str) -> str | None:
    """Return the TF of a set of Enrichr, MSigDB or SCENIC; None if it has none.

    This is the first part of the name, before an underscore or a blank (``TF_CELL_ASSEMBLY``,
    ``TF (human)``, ``TF_UP``). Motifs in front of it (``TGACCTY_ERR1_Q2``), directions
    (``TF-UP``) and the signs of regulons (``TF(+)``) are left out. The name of a regulon is that
    of its TF, so that all before the sign is used.

    >>> tf_of_set_name("GATA1_K562_hg19"), tf_of_set_name("V$ERR1_Q2"), tf_of_set_name("Ar(+)")
    ('GATA1', 'ERR1', 'Ar')
    """
    name, addition = plain_name(set_name)
    if addition.startswith("sign"):
        return name
    if match := _MOTIF_SET.fullmatch(name):
        return match[1]
    first = _FIRST_PART.match(_PUBMED_ID.sub("", _DIRECTION.sub("_", name)))
    return plain_name(first[0]).name if first else None


@dataclass(frozen=True)
class GeneSets:
    """Genes of the sets of a GMT file.

    Attributes
    ----------
    table : DataFrame
        Columns ``TF``, ``target`` and ``effect``, one row per gene of a set: 1 for sets of genes
        that go up or are activated, −1 for those that go down or are repressed, else 0. Its index
        is the line of the set.
    n_left_out : int
        Number of genes of sets without a TF.
    """

    table: pd.DataFrame
    n_left_out: int

    @classmethod
    def from_file(
        cls,
        path: str | os.PathLike[str],
        tf_of_set: Callable[[str], str | None] | None = None,
        unites_signs: bool = True,
    ) -> Self:
        """Read a gene-set file, one line per set: name, description, genes, separated by tabs.

        Parameters
        ----------
        path : path-like
            The file, gzip-compressed or not. Weights after a gene (``GENE,1.0``) are dropped.
        tf_of_set : callable, optional
            Returns the TF of a set, given its name; None leaves the set out. By default
            `tf_of_set_name`.
        unites_signs : bool, default=True
            Whether sets of both directions are used, for the warnings.

        Returns
        -------
        GeneSets

        Raises
        ------
        FileNotFoundError, ValueError
            If the file is missing, empty, damaged or binary, if a line is longer than 16 MiB, or if
            no line is the set of a TF.

        Warns
        -----
        UserWarning
            If sets without a TF are left out, or sets of several species, or of genes that go up
            and down, are united.
        """
        check_lines(path, _LONGEST_SET)
        sets = list(_sets(require_lines(read_text(path), path)))
        tfs = [(tf_of_set or tf_of_set_name)(name) for _, name, _ in sets]
        used = [(tf, each) for tf, each in zip(tfs, sets, strict=True) if tf is not None]
        left_out = [each for tf, each in zip(tfs, sets, strict=True) if tf is None]
        if not used:
            raise AdvisedError(
                f"{path} holds no gene set of a TF: each line of a GMT file has the set's name, a "
                "description and its genes, separated by tabs.",
                "`tf_of_set` must return a TF for some of the names.",
                "The names must begin with the TF, as in GATA1_K562.",
            )
        if tf_of_set is None:
            names_used = [name for _, (_, name, _) in used]
            _warn_about_sets(names_used, [name for _, name, _ in left_out], path)
            if unites_signs:
                _warn_about_signs(names_used, path)
        return cls(_as_table(used), sum(len(genes) for *_, genes in left_out))


def _as_table(sets: list[tuple[str, tuple[int, str, list[str]]]]) -> pd.DataFrame:
    """Return one row per gene of a set; columns, because tuples take more memory."""
    sizes = [len(genes) for _, (*_, genes) in sets]
    tfs = np.repeat(np.array([tf for tf, _ in sets], object), sizes)
    lines = np.repeat([number for _, (number, *_) in sets], sizes)
    genes = np.empty(sum(sizes), object)
    genes[:] = [gene for _, (*_, genes) in sets for gene in genes]
    effects = np.repeat([_effect(name) for _, (_, name, _) in sets], sizes)
    columns = {"TF": tfs, "target": genes, EFFECT: effects}
    return pd.DataFrame(columns, index=pd.Index(lines, name=LINE))


def _effect(set_name: str) -> int:
    """Return the sign of a regulon, or the last direction in the name of a set."""
    if found := _DIRECTION.findall(set_name):
        return 1 if found[-1].upper() == "UP" else -1
    return {"sign +": 1, REPRESSION: -1}.get(plain_name(set_name).addition, 0)


def _sets(text: str) -> Iterator[tuple[int, str, list[str]]]:
    """Yield line, name and genes of each set that has genes."""
    seen: dict[str, str] = {}  # one object per name, which is in many sets
    for number, line in enumerate(text.split("\n"), start=1):
        name, *fields = line.split("\t")
        names = (field.split(",")[0].strip() for field in fields[1:])
        genes = [seen.setdefault(gene, gene) for gene in names if gene]
        if genes and not is_comment(line):
            yield number, name.strip(), genes


def _warn_about_sets(used: list[str], left_out: list[str], path: str | os.PathLike[str]) -> None:
    if left_out:
        warn(
            f"{path}: {len(left_out):,} gene sets name no TF and are not used "
            f"({examples(left_out, 3)})."
        )
    species = {match[1].lower() for name in used if (match := _SPECIES.search(name))}
    if len(species) > 1:
        warn(
            f"{path}: the gene sets are of several species ({examples(species)}). Sets whose TFs "
            "have the same name are united; keep those of one species."
        )


def _warn_about_signs(used: list[str], path: str | os.PathLike[str]) -> None:
    changed = [name for name in used if _DIRECTION.search(name)]
    if changed:
        warn(
            f"{path}: {len(changed):,} gene sets hold genes that go up or down "
            f"({examples(changed, 3)}). The sets of one TF are united whatever the direction, "
            "because binding evidence has no sign; `direction` selects those of one direction."
        )
    signs = [name for name in used if plain_name(name).addition == REPRESSION]
    if signs:
        warn(
            f"{path}: {len(signs):,} gene sets are regulons of repressed targets "
            f"({examples(signs, 3)}). They are used like those of activated targets, because "
            "binding evidence has no sign; `direction` selects those of one direction."
        )


def _missing_header(line: str) -> tuple[str, ...] | None:
    """Return the columns of a file whose first line is a row of TRRUST, RegulonDB or SCENIC."""
    fields = [field.strip() for field in line.split("\t")]
    if len(fields) == len(_TRRUST_COLUMNS) and fields[2] in _TRRUST_MODES:
        return _TRRUST_COLUMNS
    if len(fields) > 1:
        return regulondb_header(fields) or _adjacency_header(fields)
    return _adjacency_header([field.strip() for field in line.split(find_delimiter(line))])


def _adjacency_header(fields: list[str]) -> tuple[str, ...] | None:
    """Return the columns of arboreto's adjacencies: TF, target and an importance.

    The importance must have decimals: whole numbers in the third column may be flags or weights.
    """
    is_row = len(fields) == len(_ADJACENCY_COLUMNS) and all(fields)
    if not is_row or not _DECIMAL.fullmatch(fields[2]) or float(fields[2]) in (0, 1):
        return None
    has_names = not any(_DECIMAL.fullmatch(field) for field in fields[:2])
    return _ADJACENCY_COLUMNS if has_names else None
