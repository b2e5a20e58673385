"""Why two lists of gene names do not meet: species case, Ensembl ids, versions."""

import re
from collections.abc import Collection

_ENSEMBL = re.compile(r"^ENS[A-Z]*[GTP]\d{11}")
_ENSEMBL_VERSION = re.compile(r"^(ENS[A-Z]*[GTP]\d{11})\.\d+")
N_EXAMPLES = 5


def examples(names: Collection[str]) -> str:
    """Return the first few names for an error message."""
    shown = ", ".join(map(repr, sorted(names)[:N_EXAMPLES]))
    hidden = len(names) - N_EXAMPLES
    return f"{shown} and {hidden} more" if hidden > 0 else shown or "none"


def require_overlap(ours: Collection[str], theirs: Collection[str], *, what: str) -> None:
    """Raise an error with examples of both sides if no name of the links is in the reference.

    Parameters
    ----------
    ours, theirs : collection of str
        Names in the links and in the reference.
    what : str
        What the names are, for the message.

    Raises
    ------
    ValueError
        If there is no common name.
    """
    if set(ours).isdisjoint(theirs):
        raise ValueError(
            f"No {what} of `links` is in the reference: links have {examples(ours)}; the "
            f"reference has {examples(theirs)}. {guess_mismatch(ours, theirs)}"
        )


def guess_mismatch(ours: Collection[str], theirs: Collection[str]) -> str:
    """Guess why two collections of gene names share nothing, and say what to do.

    Parameters
    ----------
    ours, theirs : collection of str
        Names without a common element.

    Returns
    -------
    str
        One sentence for the end of an error message.
    """
    ours_is_ensembl = _mostly_ensembl(ours)
    if ours_is_ensembl != _mostly_ensembl(theirs):
        return "One side holds Ensembl ids, the other gene symbols: translate one of them."
    if ours_is_ensembl and _unversioned(ours) & _unversioned(theirs):
        return "The Ensembl ids differ in their versions: cut everything behind the dot."
    if {name.upper() for name in ours} & {name.upper() for name in theirs}:
        return (
            "They match when letter case is ignored, as between mouse (Pax6) and human (PAX6) "
            "symbols: rename one side, for a reference with `BindingReference.map_names`."
        )
    return "They do not match in any letter case either: check species and kind of identifier."


def _mostly_ensembl(names: Collection[str]) -> bool:
    return 2 * sum(_ENSEMBL.match(name) is not None for name in names) > len(names)


def _unversioned(names: Collection[str]) -> set[str]:
    return {_ENSEMBL_VERSION.sub(r"\1", name) for name in names}
