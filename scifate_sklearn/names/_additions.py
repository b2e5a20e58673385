"""Additions to gene names: quotation marks, species, signs and sizes of regulons, ids.

These occur in gene sets of Enrichr (``ALX1 (human)``), regulons of SCENIC and SCENIC+ (``Ar(+)``,
``Ar_extended (40g)``, ``SPI1_direct_+/+``), entries of UniProt (``ALX1_HUMAN``) and tables that
join symbols and ids (``TP53|ENSG00000141510``).
"""

import re
from typing import NamedTuple

_DOUBLE_QUOTES = '"“”„‟«»'
_SINGLE_QUOTES = "'`‘’‚"
# Zero-width characters and the byte order mark, which editors do not show.
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff"

_SPECIES = (
    r"human|mouse|rat|fly|fruit fly|zebrafish|worm|yeast|chicken|pig|cow|hsa|mmu|rno|"
    r"homo[ _]sapiens|mus[ _]musculus|rattus[ _]norvegicus|drosophila[ _]melanogaster|"
    r"danio[ _]rerio|[hm]\. ?(?:sapiens|musculus)"
)
_MNEMONICS = "HUMAN|MOUSE|RAT|BOVIN|CHICK|PIG|DROME|CAEEL|DANRE|YEAST|XENLA|XENTR|ARATH"
_ENSEMBL_ID = r"ENS[A-Z]*G\d{11}(?:\.\d+)?"

# Longer texts are no names, and patterns could take hours on them.
_LONGEST_NAME = 1000

# Addition of the regulons of repressed targets.
REPRESSION = "sign −"

_SIZE = re.compile(r"[ _]*\(\d+ ?[gr]\)$")
_SIGN = re.compile(r"_?\(([+\-−–])\)$|(?:_(?:direct|extended))?_([+\-−–])(?:[/_][+\-−–])?$")
_EXTENDED = re.compile(r"_extended$")
_SPECIES_AFTER = re.compile(
    rf"\s*[(\[](?:{_SPECIES})[)\]]$|[ _](?:human|mouse)$|_(?:{_MNEMONICS})$", re.IGNORECASE
)
_PREFIX = re.compile(
    r"(?:hgnc|mgi|ensembl|(?:hgnc_|mgi_|gene_)?symbol):(?=.*[A-Za-z])", re.IGNORECASE
)
_WITH_ID = re.compile(rf"([^|]+)[|_]{_ENSEMBL_ID}|{_ENSEMBL_ID}[|_]([^|]+)")


class PlainName(NamedTuple):
    """A name without additions.

    Attributes
    ----------
    name : str
    addition : {"", "quotation marks", "species", "sign +", "sign −", "regulon", "prefix", "id"}
        What was removed, "" if nothing was.
    """

    name: str
    addition: str


def plain_name(text: str) -> PlainName:
    """Return a name without additions, and the most important one that was removed.

    >>> plain_name("ALX1 (human)").name, plain_name("Ar_extended (40g)").name
    ('ALX1', 'Ar')
    """
    if len(text) > _LONGEST_NAME:
        return PlainName(text.strip(), "")
    name = without_quotes(text)
    found = "quotation marks" if name != text.strip() else ""
    for remove in (_without_regulon, _without_species, _without_prefix, _without_id):
        name, addition = remove(name)
        found = addition or found
    return PlainName(name, found)


def without_quotes(text: str) -> str:
    """Return a text without blanks and stray quotation marks around it."""
    text = text.strip().strip(_INVISIBLE).strip()
    if len(text) > _LONGEST_NAME:
        return text
    for quotes in (_DOUBLE_QUOTES, _SINGLE_QUOTES):
        while text and text[0] in quotes and text[-1] in quotes:
            text = text[1:-1].strip()
        # A mark at one end belongs to the name if there is another inside, as in TF8,"x".
        is_stray = sum(text.count(mark) for mark in quotes) == 1
        # Names may end with a prime.
        is_double = quotes == _DOUBLE_QUOTES
        if is_stray and (text[0] in quotes or (is_double and text[-1] in quotes)):
            text = text.strip(quotes).strip()
    return text


def ignoring_additions(name: str) -> str:
    """Return a name without additions."""
    return plain_name(name).name


def _without_regulon(name: str) -> tuple[str, str]:
    """Return a name without the sign and the size of a SCENIC regulon."""
    if name[-1:] not in (")", "+", "-", "−", "–", "d"):  # most names have no addition
        return name, ""
    plain = _SIZE.sub("", name)
    match = _SIGN.search(plain)
    if match and match.start():
        sign = "+" if (match[1] or match[2]) == "+" else "−"
        return _EXTENDED.sub("", plain[: match.start()]).strip(), f"sign {sign}"
    plain = _EXTENDED.sub("", plain)
    return (plain, "regulon") if plain and plain != name else (name, "")


def _without_species(name: str) -> tuple[str, str]:
    plain = _SPECIES_AFTER.sub("", name)
    return (plain, "species") if plain and plain != name else (name, "")


def _without_prefix(name: str) -> tuple[str, str]:
    plain = _PREFIX.sub("", name, count=1) if ":" in name else name
    return (plain.strip(), "prefix") if plain != name else (name, "")


def _without_id(name: str) -> tuple[str, str]:
    match = _WITH_ID.fullmatch(name) if "ENS" in name else None
    return ((match[1] or match[2]).strip(), "id") if match else (name, "")
