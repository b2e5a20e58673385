"""Examples of names for messages."""

from collections.abc import Iterable, Set

_LONGEST = 40


def examples(names: Iterable[object], n_shown: int = 5) -> str:
    """Return the first few names, quoted, and the number of the others.

    Parameters
    ----------
    names : iterable
        Names. Those of a set are sorted, so that the message does not depend on hashes; others
        keep their order. Long names are cut.
    n_shown : int, default=5
        Number of names to show.

    Returns
    -------
    str
        Such as ``"'a', 'b' and 3 more"``; ``"none"`` if there are none.
    """
    shown = [
        repr(str(name[:_LONGEST])) if isinstance(name, str) else repr(name)[:_LONGEST]
        for name in names
    ]
    if isinstance(names, Set):
        shown.sort()
    hidden = len(shown) - n_shown
    return ", ".join(shown[:n_shown]) + (f" and {hidden:,} more" if hidden > 0 else "") or "none"
