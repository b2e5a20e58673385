"""Whether two lists of gene names meet, and if not, why: species case, Ensembl ids, versions."""

import re
from collections.abc import Callable, Collection

_ENSEMBL = re.compile(r"^(ENS[A-Z]*[GTP])\d{11}")
_ENSEMBL_VERSION = re.compile(r"^(ENS[A-Z]*[GTP]\d{11})\.\d+")
N_EXAMPLES = 5
# Share of the smaller of two lists of names below which they are taken for different names.
MIN_OVERLAP = 0.1


def examples(names: Collection[str]) -> str:
    """Return the first few names for an error message."""
    shown = ", ".join(map(repr, sorted(names)[:N_EXAMPLES]))
    hidden = len(names) - N_EXAMPLES
    return f"{shown} and {hidden} more" if hidden > 0 else shown or "none"


# A name in upper case, in which those of mouse (Pax6) and human (PAX6) are equal.
ignoring_case: Callable[[str], str] = str.upper


def ignoring_version(name: str) -> str:
    """Return an Ensembl id without its version (``.3``), any other name as it is."""
    # Most names are symbols, for which the expression costs ten times the question.
    return _ENSEMBL_VERSION.sub(r"\1", name) if name.startswith("ENS") else name


# What may tell two names of one gene apart, and what a name is without it.
DIFFERENCES: dict[str, Callable[[str], str]] = {
    "versions": ignoring_version,
    "case": ignoring_case,
}


def overlap_share(
    ours: Collection[str], theirs: Collection[str], key: Callable[[str], str] | None = None
) -> float:
    """Return which share of the smaller of two lists of names is in the other.

    Parameters
    ----------
    ours, theirs : collection of str
        Names; repetitions do not count.
    key : callable, optional
        Names are compared by what it makes of them. By default letter by letter.

    Returns
    -------
    float
        Between 0 and 1; NaN if a list is empty.
    """
    first, second = (set(names if key is None else map(key, names)) for names in (ours, theirs))
    smaller = min(len(first), len(second))
    return len(first & second) / smaller if smaller else float("nan")


def require_overlap(
    ours: Collection[str],
    theirs: Collection[str],
    *,
    what: str,
    whose: str = "`links`",
    where: str = "the reference",
    min_share: float = MIN_OVERLAP,
    hint: Callable[[str | None], str] | None = None,
) -> None:
    """Raise an error with examples of both sides if they have too few names in common.

    The share is that of the smaller side, so that neither a small reference nor a small table of
    links is held against anybody.

    Parameters
    ----------
    ours, theirs : collection of str
        Names in the links and in the reference.
    what : str
        What the names are, for the message ("TF", "target").
    whose : str, default="`links`"
        What `ours` are the names of, for the message.
    where : str, default="the reference"
        What `theirs` are the names of, for the message.
    min_share : float, default=0.1
        Least share of the smaller side that must be in the other; 0 asks for nothing.
    hint : callable, optional
        From what keeps the names apart (`main_difference`) to what else may help, for the end of
        the message.

    Raises
    ------
    ValueError
        If there are too few common names; it guesses why.
    """
    ours, theirs = set(ours), set(theirs)
    common = ours & theirs
    if min_share == 0 or (common and overlap_share(ours, theirs) >= min_share):
        return
    found = f"No {what} of {whose} is in {where}"
    if common:
        found = (
            f"Only {len(common):,} {what} names are in both {whose} ({len(ours):,}) and "
            f"{where} ({len(theirs):,}), {overlap_share(ours, theirs):.1%} of the smaller side "
            f"where {min_share:.0%} are wanted"
        )
    advice = guess_mismatch(ours, theirs)
    if hint is not None:
        advice += f" {hint(main_difference(ours, theirs))}"
    raise ValueError(
        f"{found}: {whose} have {examples(ours - common)}; {where} has "
        f"{examples(theirs - common)}. {advice}"
    )


def guess_mismatch(ours: Collection[str], theirs: Collection[str]) -> str:
    """Guess why two collections of gene names share little, and say what to do.

    Parameters
    ----------
    ours, theirs : collection of str
        Names with few or no common elements.

    Returns
    -------
    str
        One sentence for the end of an error message.
    """
    if _mostly_ensembl(ours) != _mostly_ensembl(theirs):
        return "One side holds Ensembl ids, the other gene symbols: translate one of them."
    species = [_species(names) for names in (ours, theirs)]
    if all(species) and species[0] != species[1]:
        return (
            f"The Ensembl ids are of different species: one side has {species[0]!r}, the other "
            f"{species[1]!r}. Translate one of them to its orthologs."
        )
    difference = main_difference(ours, theirs)
    if difference == "versions":
        return "The Ensembl ids differ in their versions: cut everything behind the dot."
    if difference == "case":
        return (
            "They match when letter case is ignored, as between mouse (Pax6) and human (PAX6) "
            "symbols: rename one side."
        )
    return "They do not match in any letter case either: check species and kind of identifier."


def main_difference(ours: Collection[str], theirs: Collection[str]) -> str | None:
    """Return which of `DIFFERENCES` keeps most names apart; None if more than half do anyway."""
    least = 2 * overlap_share(ours, theirs)
    shares = {name: overlap_share(ours, theirs, key) for name, key in DIFFERENCES.items()}
    best = max(shares, key=shares.__getitem__)
    return best if shares[best] > least else None


def _species(names: Collection[str]) -> str | None:
    """Return the letters before the digits of Ensembl ids, if all have the same."""
    found = {match[1] for name in names if (match := _ENSEMBL.match(name))}
    return found.pop() if len(found) == 1 else None


def _mostly_ensembl(names: Collection[str]) -> bool:
    return 2 * sum(_ENSEMBL.match(name) is not None for name in names) > len(names)
