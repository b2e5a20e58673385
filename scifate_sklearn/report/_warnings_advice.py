"""Warnings of a run, and what to do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

# Messages say themselves what to do, except those of results.
_ADVICE = {
    "keep none of": "See the most frequent reasons first. Names that differ in letter case need "
    "--ignore-case, old symbols --aliases. A reference with few of the TFs cannot support their "
    "links: use another one. The page “Questions and errors” of the documentation has the whole "
    "list.",
}


class Advice(NamedTuple):
    """A warning: what was found, and what to do."""

    found: str
    to_do: str


def advised(messages: Sequence[object]) -> list[Advice]:
    """Return each warning, with what to do apart from what was found."""
    return [_advised(str(message)) for message in messages]


def _advised(message: str) -> Advice:
    found, _, rest = message.partition(". ") if ". " in message else (message, "", "")
    more = [text for words, text in _ADVICE.items() if re.search(re.escape(words), message)]
    end = "." if rest else ""
    return Advice(f"{found}{end}", " ".join([*filter(None, [rest]), *more]))
