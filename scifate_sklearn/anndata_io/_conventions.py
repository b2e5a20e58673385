"""Names that tools give to the layers of new and total RNA.

`CONVENTIONS` is the table; a new convention is one line. The layers of a modality of MuData have
its name in front (``rna/spliced``), and follow the same conventions.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ..names import examples

AUTO = "auto"
# The name by which the matrix of ``adata.raw`` is a layer.
RAW = "raw/X"

# Labelled counts of dynast; its estimates end in "_est".
_CONVERTED = re.compile(r"(?:labeled|X_l)_([ACGT]{2}(?:_[ACGT]{2})*)")


@dataclass(frozen=True)
class Convention:
    """Layers of new and total RNA by the names that a tool gives them.

    Attributes
    ----------
    source : str
        Tool, and what its layers are.
    new, total : str
        The layers, as sums. ``*`` stands for the conversion that dynast counts, such as ``TC``.
    includes : str
        Other layers of the tool, which make no further candidate.
    optional : str
        Layer that is added to the total where it exists.
    lacks : str
        Layer whose presence means another convention.
    """

    source: str
    new: str
    total: str
    includes: str = ""
    optional: str = ""
    lacks: str = ""


_SPLICING = "spliced+unspliced+ambiguous+mature+nascent"
_DYNAMO = "uu+ul+su+sl+X_new+X_total"

# Labelled RNA is preferred to spliced and unspliced RNA only where one tool writes both.
CONVENTIONS = (
    Convention(
        "layers 'new' and 'total'", "new", "total", f"{_SPLICING}+{_DYNAMO}+old+new_estimated"
    ),
    Convention("new RNA estimated by sci-FATE2", "new_estimated", "total"),
    Convention("new and old RNA, as of NASC-seq2", "new", "new+old", _SPLICING, lacks="total"),
    Convention("labelled RNA of dynast", "labeled_*", "total", "spliced+unspliced+ambiguous"),
    Convention(
        "labelled exonic RNA of dynast without splicing", "X_l_*", "X_l_*+X_n_*", lacks="total"
    ),
    Convention(
        "labelled RNA of dynamo",
        "ul+sl",
        "uu+ul+su+sl",
        "spliced+unspliced+X_new+X_total",
    ),
    Convention("new and total RNA of dynamo", "X_new", "X_total"),
    Convention(
        "unspliced RNA in place of new RNA, as of velocyto, STARsolo, kb and alevin-fry",
        "unspliced",
        "spliced+unspliced",
        optional="ambiguous",
    ),
    Convention("nascent RNA of kb", "nascent", "mature+nascent", optional="ambiguous"),
    Convention(
        "unspliced RNA of alevin-fry, whose X has the other counts",
        "unspliced",
        "X+unspliced",
        lacks="spliced",
    ),
    Convention("layer 'new', and total RNA in raw", "new", RAW, lacks="total"),
    Convention("new RNA of grandR, and total RNA in raw, as of SeuratDisk", "newRNA", RAW),
    Convention(
        "counts of new and total RNA of grandR in modalities, as of MuDataSeurat",
        "newRNA/counts",
        "RNA/counts",
        "newRNA/X+RNA/X",
    ),
    Convention("new and total RNA of grandR in modalities", "newRNA/X", "RNA/X"),
)


class FoundLayers(NamedTuple):
    """Layers of new and total RNA that were found by their names.

    Attributes
    ----------
    new, total : str
        As `prepare_anndata` takes them in `nt_layers`.
    source : str
        Convention that they follow.
    """

    new: str
    total: str
    source: str


def find_names(available: Collection[str]) -> FoundLayers:
    """Find the layers of new and total RNA among the names of all layers.

    Parameters
    ----------
    available : collection of str
        Names of the layers, including ``"X"`` if that matrix exists.

    Returns
    -------
    FoundLayers

    Raises
    ------
    ValueError
        If no convention applies, or more than one.
    """
    found = match_conventions(available)
    if len(found) == 1:
        return found[0]
    if not found:
        raise ValueError(
            "No layers of new and total RNA are recognised among those of adata "
            f"({examples(list(available), 12)}). Name those of new and of total RNA (`nt_layers`)."
        )
    candidates = "; ".join(f"{new} and {total} ({source})" for new, total, source in found)
    raise ValueError(
        f"{len(found)} pairs of layers of new and total RNA are recognised in adata: {candidates}. "
        "Name the layers of one of them (`nt_layers`)."
    )


def sole_match(available: Collection[str]) -> FoundLayers:
    """Return the layers of the convention that applies; empty names if there is not just one."""
    found = match_conventions(available)
    return found[0] if len(found) == 1 else FoundLayers("", "", "")


def match_conventions(available: Collection[str]) -> list[FoundLayers]:
    """Return the layers of each convention that applies, unless another one includes them."""
    candidates = [*_candidates(available), *_candidates_in_modalities(available)]
    return [
        one.found
        for one in candidates
        if not any(one.parts <= other.includes for other in candidates if other is not one)
    ]


class _Candidate(NamedTuple):
    """Layers that follow a convention, and those that explain others."""

    found: FoundLayers
    parts: frozenset[str]
    includes: frozenset[str]


def _candidates(available: Collection[str]) -> Iterator[_Candidate]:
    conversions = [match[1] for name in available if (match := _CONVERTED.fullmatch(name))]
    for each in CONVENTIONS:
        if each.lacks in available:
            continue
        for conversion in dict.fromkeys(conversions) if "*" in each.new else ("",):
            new, total = (name.replace("*", conversion) for name in (each.new, each.total))
            total += f"+{each.optional}" if each.optional in available else ""
            parts = frozenset(f"{new}+{total}".split("+"))
            if parts.issubset(available):
                includes = parts.union(each.includes.split("+"), ["X", RAW])
                yield _Candidate(FoundLayers(new, total, each.source), parts, includes)


def _candidates_in_modalities(available: Collection[str]) -> Iterator[_Candidate]:
    """Yield the candidates of each modality, whose name is in front of its layers."""
    placed = [name.partition("/") for name in available if "/" in name and name != RAW]
    for modality in dict.fromkeys(name for name, _, _ in placed):
        own = [layer for name, _, layer in placed if name == modality]
        for (new, total, source), *sets in _candidates(own):
            sums = ["+".join(_within(modality, name.split("+"))) for name in (new, total)]
            found = FoundLayers(sums[0], sums[1], source)
            yield _Candidate(found, *(frozenset(_within(modality, each)) for each in sets))


def _within(modality: str, layers: Iterable[str]) -> list[str]:
    return [f"{modality}/{layer}" for layer in layers]
