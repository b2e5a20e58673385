"""Pictures in a report: images whose text and scripts are not a part of the page."""

from __future__ import annotations

import base64
import io
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PLOTTING = f"{__name__.split('.')[0]}.plotting"


class Picture(NamedTuple):
    """A picture with its title, as the address of an image."""

    title: str
    address: str


def drawn_pictures(links: pd.DataFrame) -> list[tuple[str, Figure | str]]:
    """Return pictures of the links, none if matplotlib is not installed or there are no links."""
    if not len(links) or any(find_spec(name) is None for name in (_PLOTTING, "matplotlib")):
        return []
    plotting, pyplot = import_module(_PLOTTING), import_module("matplotlib.pyplot")
    figures = {"TFs by their targets": plotting.regulator_ranks(links).figure}
    texts: list[tuple[str, Figure | str]] = [(key, _svg(each)) for key, each in figures.items()]
    for figure in figures.values():
        pyplot.close(figure)
    return texts


def encoded(picture: Figure | str) -> str:
    """Return a figure, or the text of an SVG file, as the address of an image.

    Browsers run no script of an image, and load nothing for it.
    """
    text = picture if isinstance(picture, str) else _svg(picture)
    return f"data:image/svg+xml;base64,{base64.b64encode(text.encode()).decode()}"


def _svg(figure: Figure) -> str:
    file = io.StringIO()
    figure.savefig(file, format="svg")
    return file.getvalue()
