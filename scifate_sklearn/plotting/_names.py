"""Names of genes as text of a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axis import Axis

_LONGEST = 24


def as_label(name: object, longest: int = _LONGEST) -> str:
    """Return a name for matplotlib: one line, no mathtext, not longer than `longest`.

    Control characters, which names from files may have, are shown as their escape codes.
    """
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(name))
    if len(text) > longest:
        text = f"{text[: longest - 1]}…"
    # matplotlib shows an escaped dollar as a dollar.
    return text.replace("$", r"\$")


def label_ticks(axis: Axis, positions: Sequence[float], names: Sequence[object]) -> None:
    """Show a name at each position of an axis."""
    axis.set_ticks(list(positions), [as_label(name) for name in names])


def and_others(n_shown: int, n_all: int, what: str) -> str:
    """Return such as "10 of 1,200 links"."""
    return f"{n_shown:,} of {n_all:,} {what}" if n_shown < n_all else f"all {n_all:,} {what}"
