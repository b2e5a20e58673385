"""Kinds of gene names: ids of databases, symbols, and the species that they suggest."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

# Ids by their pattern, with the species. Those of Ensembl may have a version.
_IDS = (
    (re.compile(r"ENSG\d{11}"), "Ensembl ids", "human"),
    (re.compile(r"ENSMUSG\d{11}"), "Ensembl ids", "mouse"),
    (re.compile(r"ENSRNOG\d{11}"), "Ensembl ids", "rat"),
    (re.compile(r"ENSDARG\d{11}"), "Ensembl ids", "zebrafish"),
    (re.compile(r"ENSGALG\d{11}"), "Ensembl ids", "chicken"),
    (re.compile(r"ENSSSCG\d{11}"), "Ensembl ids", "pig"),
    (re.compile(r"ENSMMUG\d{11}"), "Ensembl ids", "macaque"),
    (re.compile(r"ENS[A-Z]*G\d{11}"), "Ensembl ids", ""),
    (re.compile(r"FBgn\d{7}"), "FlyBase ids", "fly"),
    (re.compile(r"WBGene\d{8}"), "WormBase ids", "worm"),
    (re.compile(r"AT[1-5CM]G\d{5}"), "TAIR ids", "Arabidopsis"),
    (re.compile(r"Y[A-P][LR]\d{3}[WC](-[A-Z])?"), "names of open reading frames", "yeast"),
    (re.compile(r"\d+"), "numbers", ""),
)
# Symbols by the case of their letters.
_SYMBOLS = (
    (re.compile(r"[A-Z][A-Z0-9.-]*[A-Z0-9]([a-z]+\d*)?"), "human"),
    (re.compile(r"(mt-)?[A-Z][a-z0-9][\w.-]*|\d+[A-Z]\d+Rik"), "mouse or rat"),
    (re.compile(r"[a-z][a-z0-9.:-]*"), "zebrafish"),
)
_VERSION = re.compile(r"\.\d+$")
_NUMBERS = re.compile(r"\d+$")
# Number of names that are looked at, and share of them that decides.
_N_NAMES = 2000
_MOSTLY = 0.6
# Generated names have fewer different beginnings than this share.
_FEW_STEMS = 0.05


class NameKind(NamedTuple):
    """Kind of most of a list of names.

    Attributes
    ----------
    kind : str
        "Ensembl ids", "symbols", ...; "other names" if no kind has most of them.
    species : str
        The species that they suggest, "" for none.
    has_versions : bool
        Whether ids end in a version, as in ``ENSG00000141510.18``.
    """

    kind: str
    species: str
    has_versions: bool


def name_kind(names: Sequence[str]) -> NameKind:
    """Return the kind of most of the first 2,000 names.

    Parameters
    ----------
    names : sequence of str

    Returns
    -------
    NameKind
    """
    shown = list(islice((name.strip() for name in names if name.strip()), _N_NAMES))
    plain = [_VERSION.sub("", name) if name.startswith("ENS") else name for name in shown]
    for pattern, kind, species in _IDS:
        if _are_mostly(pattern, plain):
            return NameKind(kind, species, 2 * sum(map(str.__ne__, plain, shown)) > len(shown))
    stems = {_NUMBERS.sub("", name) for name in shown}
    if len(stems) > max(2, _FEW_STEMS * len(shown)):
        for pattern, species in _SYMBOLS:
            if _are_mostly(pattern, shown):
                return NameKind("symbols", species, False)
    return NameKind("other names", "", False)


def _are_mostly(pattern: re.Pattern[str], names: list[str]) -> bool:
    return sum(map(bool, map(pattern.fullmatch, names))) > _MOSTLY * len(names)
