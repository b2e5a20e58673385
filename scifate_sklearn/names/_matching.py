"""Comparison of two lists of names: overlap, and the likely cause of a mismatch."""

import re
from collections.abc import Callable, Collection, Iterable, Set
from typing import Literal, TypeAlias

from ._additions import ignoring_additions
from ._examples import examples

# Share of the smaller of two lists of names below which they are regarded as a mismatch.
MIN_OVERLAP = 0.1

_ENSEMBL = re.compile(r"^(ENS[A-Z]*[GTP])\d{11}")
_ENSEMBL_VERSION = re.compile(r"^(ENS[A-Z]*[GTP]\d{11})\.\d+")

Cause: TypeAlias = Literal["our_ids", "their_ids", "species", "versions", "case", "additions"]
Hint: TypeAlias = Callable[[Cause | None], str]

# Human symbols are upper case, and so are those of Enrichr's libraries for all species.
# `str.casefold` gives the same matches for symbols: the two differ only for letters that no gene
# name contains, such as the dotless ı.
ignoring_case: Callable[[str], str] = str.upper


def ignoring_version(name: str) -> str:
    """Return an Ensembl id without its version (``.3``), any other name as it is."""
    # Most names are symbols, for which the prefix test is ten times faster than the expression.
    return _ENSEMBL_VERSION.sub(r"\1", name) if name.startswith("ENS") else name


_SPELLINGS: dict[Literal["versions", "case", "additions"], Callable[[str], str]] = {
    "versions": ignoring_version,
    "case": ignoring_case,
    "additions": ignoring_additions,
}


def overlap_share(
    ours: Iterable[str], theirs: Iterable[str], key: Callable[[str], str] | None = None
) -> float:
    """Return the share of the smaller of two lists of names that is in the other.

    Parameters
    ----------
    ours, theirs : iterable of str
        Names; repetitions do not count.
    key : callable, optional
        Names are compared by its results. By default they are compared exactly.

    Returns
    -------
    float
        Between 0 and 1; NaN if a list is empty.
    """
    first, second = (set(names if key is None else map(key, names)) for names in (ours, theirs))
    smaller = min(len(first), len(second))
    return len(first & second) / smaller if smaller else float("nan")


def require_overlap(
    ours: Iterable[str],
    theirs: Iterable[str],
    *,
    what: str,
    whose: str = "`links`",
    where: str = "the reference",
    min_share: float = MIN_OVERLAP,
    hint: Hint | None = None,
) -> None:
    """Raise an error with examples of both sides if they have too few names in common.

    The share is that of the smaller side, so that a small reference or a small table of links
    passes if its own names match.

    Parameters
    ----------
    ours, theirs : iterable of str
        Names in the links and in the reference.
    what : str
        Kind of the names, for the message ("TF", "target").
    whose, where : str, default="`links`" and "the reference"
        Origin of `ours` and of `theirs`, for the message.
    min_share : float, default=0.1
        Least share of the smaller side that must be in the other; 0 disables the check.
    hint : callable, optional
        Returns the caller's advice for a cause from `find_cause`, for the end of the message.

    Raises
    ------
    ValueError
        If there are too few common names; the message states the likely cause.
    """
    ours, theirs = _distinct(ours), _distinct(theirs)
    common = set(ours).intersection(theirs)
    share = overlap_share(ours, theirs) if common else 0.0
    if min_share == 0 or (common and share >= min_share):
        return
    found = f"No {what} of {whose} is in {where}"
    if common:
        found = (
            f"Only {len(common):,} {what} names are in both {whose} ({len(ours):,}) and "
            f"{where} ({len(theirs):,}), {share:.1%} of the smaller side where {min_share:.0%} "
            "are required"
        )
    ours_only, theirs_only = (_examples_not_in(common, names) for names in (ours, theirs))
    cause = explain_mismatch(ours, theirs, whose, where, hint)
    raise ValueError(f"{found} ({whose}: {ours_only}; {where}: {theirs_only}). {cause}")


def require_common(
    ours: Iterable[str],
    theirs: Iterable[str],
    whose: str,
    where: str,
    *,
    what: str = "name",
    hint: Hint | None = None,
) -> None:
    """Raise the error of `require_overlap` if there is no common name at all.

    Parameters
    ----------
    ours, theirs : iterable of str
        Names.
    whose, where, what, hint
        As in `require_overlap`.

    Raises
    ------
    ValueError
        If there is no common name.
    """
    ours, theirs = _distinct(ours), _distinct(theirs)
    if set(ours).isdisjoint(theirs):
        require_overlap(ours, theirs, what=what, whose=whose, where=where, hint=hint)


def explain_mismatch(
    ours: Iterable[str],
    theirs: Iterable[str],
    whose: str,
    where: str,
    hint: Hint | None = None,
) -> str:
    """Return why two collections of names have little in common, and what to do.

    Parameters
    ----------
    ours, theirs : iterable of str
        Names with few or no common elements.
    whose, where, hint
        As in `require_overlap`.

    Returns
    -------
    str
        Sentences for the end of an error message.
    """
    ours, theirs = _distinct(ours), _distinct(theirs)
    cause = find_cause(ours, theirs)
    side = whose if cause == "our_ids" else where
    found = {
        "our_ids": f"Ensembl ids are found in {side} only: translate one side.",
        "their_ids": f"Ensembl ids are found in {side} only: translate one side.",
        "species": (
            f"The Ensembl ids are of different species, {_species(ours)!r} and "
            f"{_species(theirs)!r}: translate one side to its orthologs."
        ),
        "versions": "They match without the Ensembl versions ('.3' at the end).",
        "case": (
            "They match when letter case is ignored, as between mouse (Pax6) and human (PAX6) "
            "symbols."
        ),
        "additions": (
            "They match without additions to the names, such as blanks, '(+)', '(human)' or an id "
            "after '|'."
        ),
        None: "They do not match in any letter case either: check species and kind of identifier.",
    }[cause]
    advice = hint(cause) if hint is not None else ""
    if not advice:
        advice = {
            "versions": "Remove these from both sides.",
            "case": "Rename one side.",
            "additions": "Remove these from both sides.",
        }.get(cause or "", "")
    return f"{found} {advice}".rstrip()


def find_cause(ours: Collection[str], theirs: Collection[str]) -> Cause | None:
    """Return the likely cause of a mismatch.

    Parameters
    ----------
    ours, theirs : collection of str
        Names with few or no common elements.

    Returns
    -------
    {"our_ids", "their_ids", "species", "versions", "case", "additions"} or None
        Only ours, or only theirs, are Ensembl ids; the ids are of different species; the names
        differ in Ensembl versions, in letter case or in additions (see `plain_name`), which keeps
        more names apart than match already; None if none of these applies.
    """
    have_ids = [_mostly_ensembl(names) for names in (ours, theirs)]
    if have_ids[0] != have_ids[1]:
        return "our_ids" if have_ids[0] else "their_ids"
    species = [_species(names) for names in (ours, theirs)]
    if all(species) and species[0] != species[1]:
        return "species"
    shares = {name: overlap_share(ours, theirs, key) for name, key in _SPELLINGS.items()}
    best = max(shares, key=shares.__getitem__)
    return best if shares[best] > 2 * overlap_share(ours, theirs) else None


def _distinct(names: Iterable[str]) -> Collection[str]:
    """Return names without repetition; lists keep their order."""
    return names if isinstance(names, Set) else list(dict.fromkeys(names))


def _examples_not_in(common: Set[str], names: Collection[str]) -> str:
    kept = [name for name in names if name not in common]
    return examples(set(kept) if isinstance(names, Set) else kept)


def _species(names: Collection[str]) -> str | None:
    """Return the letters before the digits of Ensembl ids, if all have the same."""
    found = {match[1] for name in names if (match := _ENSEMBL.match(name))}
    return found.pop() if len(found) == 1 else None


def _mostly_ensembl(names: Collection[str]) -> bool:
    return 2 * sum(_ENSEMBL.match(name) is not None for name in names) > len(names)
