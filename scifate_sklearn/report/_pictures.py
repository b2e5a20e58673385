"""Pictures in a report: images whose text and scripts are not a part of the page."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from .. import plotting
from .._warnings import warn

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Packages of the extra `plot`.
_REQUIRED = ("matplotlib", "marsilea", "adjustText")
ONE_NETWORK = "Pictures show one network; give the links of one group."


class Picture(NamedTuple):
    """A picture with its title, as the address of an image."""

    title: str
    address: str


def has_groups(links: pd.DataFrame) -> bool:
    """Return whether these are the links of several groups, each with a network of its own."""
    return "group" in links.columns and len(links["group"].unique()) > 1


def drawn_pictures(links: pd.DataFrame) -> list[tuple[str, Figure | str]]:
    """Return pictures of the kept links, or of all if none is kept.

    There are none without the extra `plot`, of several groups, and of links that no picture shows:
    those of genes with themselves, and those without an effect.
    """
    if has_groups(links) or any(find_spec(name) is None for name in _REQUIRED):
        return []
    shown, which = _shown(links)
    if not ((shown["coef"] != 0) & (shown["TF"] != shown["target"])).any():
        return []
    drawn: dict[str, Callable[[pd.DataFrame], Axes]] = {
        f"TFs by their targets{which}": plotting.regulator_ranks,
        f"Strongest links of the strongest TFs{which}": plotting.network,
    }
    texts = {title: _drawn(title, draw, shown) for title, draw in drawn.items()}
    return [(title, text) for title, text in texts.items() if text]


def _shown(links: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Return the links to draw, and the end of a title which tells which ones they are."""
    if "kept" not in links.columns:
        return links, ""
    if not links["kept"].any():
        return links, ", of all links, because the tests keep none"
    return links[links["kept"]], ", of the links that all tests keep"


def _drawn(title: str, draw: Callable[[pd.DataFrame], Axes], links: pd.DataFrame) -> str:
    """Return a picture as the text of an SVG file, or "" with a warning if it cannot be drawn."""
    from matplotlib import pyplot as plt

    before = set(plt.get_fignums())
    try:
        return _svg(draw(links).figure)
    except ValueError as error:
        warn(f"The report lacks the picture {title!r}: {error}")
        return ""
    finally:
        for number in set(plt.get_fignums()) - before:
            plt.close(number)


def encoded(picture: Figure | str) -> str:
    """Return a figure, or the text of an SVG file, as the address of an image.

    Browsers run no script of an image, and load nothing for it.
    """
    text = picture if isinstance(picture, str) else _svg(picture)
    return f"data:image/svg+xml;base64,{base64.b64encode(text.encode()).decode()}"


def _svg(figure: Any) -> str:
    file = io.StringIO()
    figure.savefig(file, format="svg")
    return file.getvalue()
