"""Files of pictures."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ..files import replacing
from ._style import FILE_TEXT, require


def save(picture: Any, path: str | os.PathLike[str], *, dpi: float = 300.0) -> None:
    """Write a picture to a file, with text that can be edited in PDF, PS and SVG files.

    Parameters
    ----------
    picture : Axes, Figure or board of marsilea
        What a function of this package returns; the whole figure is written.
    path : path-like
        Its ending is the format: ``.pdf``, ``.svg``, ``.png`` and others of matplotlib. An existing
        file is replaced when the new one is complete.
    dpi : float, default=300.0
        Resolution in dots per inch, of formats made of pixels and of the parts of others that are.

    Raises
    ------
    TypeError
        If `picture` is something else.
    ValueError
        If matplotlib cannot write the format.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> from scifate_sklearn.plotting import save
    >>> save(r2_histogram(model), "r2.pdf")  # doctest: +SKIP
    """
    matplotlib = require("matplotlib")
    figure = getattr(picture, "figure", picture)
    if not isinstance(figure, require("matplotlib.figure").FigureBase):
        raise TypeError(
            "`picture` must be what a function of scifate_sklearn.plotting returns, or a figure of "
            f"matplotlib; got {type(picture).__name__}."
        )
    path = Path(path)
    with matplotlib.rc_context(FILE_TEXT), replacing(path) as unfinished:
        figure.savefig(unfinished, format=path.suffix.removeprefix(".") or "png", dpi=dpi)
