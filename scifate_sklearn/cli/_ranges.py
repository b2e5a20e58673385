"""Ranges of options that are numbers: for the help, and for usage errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

import typer


@dataclass(frozen=True)
class NumberRange:
    """Numbers that an option accepts.

    Typer's own ranges accept NaN and infinity, and cannot exclude their end.

    Attributes
    ----------
    least : float
    most : float or None
    below : float or None
        Like `most`, but not accepted itself.
    """

    least: float
    most: float | None = None
    below: float | None = None

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> NumberRange | None:
        """Return the range of an option, None if it has none."""
        if settings.keys().isdisjoint(("min", "max", "below")):
            return None
        return cls(settings.get("min", -inf), settings.get("max"), settings.get("below"))

    def __str__(self) -> str:
        if self.below is None and self.most is None:
            return f"of at least {self.least:,}"
        end = f"{self.most:,}" if self.below is None else f"below {self.below:,}"
        if self.least == -inf:
            return f"of at most {end}" if self.below is None else end
        return f"from {self.least:,} to {end}"

    def describe(self, text: str) -> str:
        """Return the text for the help with the range after its first sentence."""
        first, stop, rest = text.partition(".")
        return f"{first} ({str(self).removeprefix('of ')}){stop}{rest}"

    def check(self, number: float | None) -> float | None:
        """Return an accepted number, or None if none is given; or raise a usage error."""
        if number is None:
            return None
        is_inside = (
            self.least <= number
            and abs(number) < inf
            and (self.most is None or number <= self.most)
            and (self.below is None or number < self.below)
        )
        if not is_inside:
            raise typer.BadParameter(f"must be a number {self}, got {number}.")
        return number
