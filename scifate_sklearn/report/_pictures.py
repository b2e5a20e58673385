"""Pictures in a report: images whose text and scripts are not a part of the page."""

from __future__ import annotations

import base64
import io
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from .. import plotting

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Packages of the extra `plot`.
_REQUIRED = ("matplotlib", "marsilea", "adjustText")


class Picture(NamedTuple):
    """A picture with its title, as the address of an image."""

    title: str
    address: str


def drawn_pictures(links: pd.DataFrame) -> list[tuple[str, Figure | str]]:
    """Return pictures of the links, none without the extra `plot` or without links."""
    if not len(links) or any(find_spec(name) is None for name in _REQUIRED):
        return []
    from matplotlib import pyplot as plt

    figures: dict[str, Any] = {
        "TFs by their targets": plotting.regulator_ranks(links).figure,
        "Strongest links of the strongest TFs": plotting.network(links).figure,
    }
    texts: list[tuple[str, Figure | str]] = [(key, _svg(each)) for key, each in figures.items()]
    for figure in figures.values():
        plt.close(figure)
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
