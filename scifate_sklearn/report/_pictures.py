"""Pictures in a report: images whose text and scripts are not a part of the page."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
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


def drawn_pictures(links: pd.DataFrame) -> Sequence[tuple[str, Figure | str]]:
    """Return pictures of the links, none if matplotlib is not installed or there are no links."""
    if not len(links) or any(find_spec(name) is None for name in (_PLOTTING, "matplotlib")):
        return []
    plotting = import_module(_PLOTTING)
    return [("TFs by their targets", plotting.regulator_ranks(links).figure)]


def encoded(picture: Figure | str) -> str:
    """Return a figure, or the text of an SVG file, as the address of an image.

    Browsers run no script of an image, and load nothing for it.
    """
    if isinstance(picture, str):
        content = picture.encode("utf-8")
    else:
        file = io.BytesIO()
        picture.savefig(file, format="svg")
        content = file.getvalue()
    return f"data:image/svg+xml;base64,{base64.b64encode(content).decode()}"
