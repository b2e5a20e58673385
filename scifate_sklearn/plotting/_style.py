"""Colours, sizes of text and lines, and the Axes of a picture."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from importlib import import_module
from textwrap import fill
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's colours; the signs have the same ones in all pictures.
ACTIVATION: Final = "#D55E00"
REPRESSION: Final = "#0072B2"
NEUTRAL: Final = "#8C8C8C"
DARK: Final = "#333333"
HIGHLIGHT: Final = "#009E73"
_DIVERGING: Final = ("#00304D", REPRESSION, "#9CCBE6", "#FFFFFF", "#F5BE97", ACTIVATION, "#6B2F00")

COLUMN_MM: Final = 85.0
_MM_PER_INCH = 25.4
# Mean width of a character, in units of the size of the text.
_CHARACTER: Final = 0.52
# Of text, lines and pictures, relative to one column of a journal.
_SCALES: Final = {"column": 1.0, "slide": 2.5}
_scale: ContextVar[float | None] = ContextVar("scale of pictures", default=None)

# Parameters that matplotlib draws with. Pictures begin with its defaults, and do not depend on what
# else was imported.
_OF_DRAWING: Final = (
    "axes.", "errorbar.", "figure.constrained_layout", "figure.edgecolor", "figure.facecolor",
    "font.", "grid.", "hatch.", "hist.", "image.", "legend.", "lines.", "markers.", "mathtext.",
    "patch.", "path.", "savefig.edgecolor", "savefig.facecolor", "scatter.", "text.", "xtick.",
    "ytick.",
)  # fmt: skip

# Names are escaped for mathtext, and TeX would run what they say.
_PLAIN_TEXT: Final = {"text.usetex": False, "text.parse_math": True}
# Letters as wide at every resolution, so that text does not run into what is beside it.
FILE_TEXT: Final = {
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    "svg.fonttype": "none",
    "text.hinting": "no_hinting",
}

# In points (pads of the layout in inches), at the scale of a column.
_SIZES: Final = {
    "font.size": 7.0,
    "axes.titlesize": 7.0,
    "axes.labelsize": 7.0,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "legend.fontsize": 6.5,
    "legend.title_fontsize": 6.5,
    "axes.linewidth": 0.6,
    "lines.linewidth": 1.0,
    "lines.markersize": 3.0,
    "patch.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "xtick.minor.size": 1.5,
    "ytick.minor.size": 1.5,
    "axes.titlepad": 6.0,
    "axes.labelpad": 4.0,
    "xtick.major.pad": 3.5,
    "ytick.major.pad": 3.5,
    "figure.constrained_layout.h_pad": 0.04167,
    "figure.constrained_layout.w_pad": 0.04167,
}
_FIXED: Final = {
    # matplotlib brings this font, so that pictures are the same everywhere.
    "font.family": "DejaVu Sans",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titleweight": "normal",
    "legend.frameon": False,
    "legend.columnspacing": 1.0,
    "figure.dpi": 150,
    "savefig.dpi": 300,
    "savefig.bbox": "standard",
}


def require(module: str) -> Any:
    """Return a module that the extra ``plot`` installs.

    Raises
    ------
    ImportError
        If it is not installed.
    """
    try:
        # Some packages change parameters of matplotlib when they are imported.
        with import_module("matplotlib").rc_context():
            return import_module(module)
    except ImportError as error:
        raise ImportError(
            f"This picture requires {module.split('.')[0]}, which the extra `plot` installs: "
            "pip install 'scifate_sklearn[plot]' (in a copy of the repository: "
            "pip install '.[plot]')."
        ) from error


@contextmanager
def style(kind: str = "column") -> Iterator[None]:
    """Set the sizes of the pictures that are drawn within the block, and editable text in files.

    Nothing is changed outside the block. Pictures drawn without a style have that of a column. A
    style begins with the defaults of matplotlib; to use parameters of your own, give pictures an
    `ax` that was made with them.

    Parameters
    ----------
    kind : {"column", "slide"}, default="column"
        One column of a journal (85 mm wide, text of 7 points), or a slide (all sizes times 2.5).

    Yields
    ------
    None

    Raises
    ------
    ValueError
        If there is no such style.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> from scifate_sklearn.plotting import style
    >>> with style("slide"):  # doctest: +SKIP
    ...     ax = r2_histogram(model)
    ...     ax.figure.savefig("r2.svg")
    """
    check_choice("kind", kind, _SCALES)
    token = _scale.set(_SCALES[kind])
    try:
        with require("matplotlib").rc_context(_parameters(_SCALES[kind])):
            yield
    finally:
        _scale.reset(token)


def check_choice(argument: str, value: object, choices: Any) -> None:
    """Raise ValueError if an option is not one of its choices."""
    if not isinstance(value, str) or value not in choices:
        known = ", ".join(map(repr, choices))
        raise ValueError(f"`{argument}` must be one of {known}, got {value!r}.")


def check_count(argument: str, value: object) -> None:
    """Raise an error if an option is neither None nor a whole number above 0."""
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
        raise ValueError(f"`{argument}` must be a whole number above 0, or None, got {value!r}.")


@contextmanager
def styled() -> Iterator[float]:
    """Apply the style in force, that of a column if there is none; yield its scale."""
    scale = _scale.get()
    with nullcontext() if scale else style():
        yield scale or 1.0


@contextmanager
def drawing(ax: Axes | None, height: float, width: float = COLUMN_MM) -> Iterator[Axes]:
    """Yield the Axes to draw in: those given, or those of a new figure.

    Parameters
    ----------
    ax : Axes or None
    height, width : float
        Of a new figure, in mm at one column.

    Raises
    ------
    TypeError
        If `ax` is something else.
    """
    matplotlib, pyplot = require("matplotlib"), require("matplotlib.pyplot")
    if ax is not None:
        if not isinstance(ax, require("matplotlib.axes").Axes):
            raise TypeError(
                f"`ax` must be the Axes of matplotlib or None, got {type(ax).__name__}."
            )
        with matplotlib.rc_context(_PLAIN_TEXT):
            _avoid_tex(ax)
            yield ax
            _avoid_tex(ax)
        return
    with styled() as scale:
        size = (inches(width) * scale, inches(height) * scale)
        figure = pyplot.figure(figsize=size, layout="constrained")
        try:
            yield figure.add_subplot()
        except BaseException:
            pyplot.close(figure)
            raise


def _avoid_tex(ax: Axes) -> None:
    """Show text as it is where the user has texts set by TeX, which runs commands in names."""
    for text in ax.findobj(require("matplotlib.text").Text):
        text.set_usetex(False)


def inches(mm: float) -> float:
    """Return millimetres in inches."""
    return mm / _MM_PER_INCH


def figure_of(ax: Axes) -> Any:
    """Return the whole figure, also of Axes in a part of it."""
    return ax.figure.figure


def settle(ax: Axes) -> tuple[float, float]:
    """Apply the layout of the figure; return the width and height of the Axes in points."""
    figure = figure_of(ax)
    figure.draw_without_rendering()
    extent = ax.get_window_extent()
    return extent.width * 72.0 / figure.dpi, extent.height * 72.0 / figure.dpi


def points(relative: float) -> float:
    """Return a length in points, given in units of the size of the text."""
    return relative * float(require("matplotlib").rcParams["font.size"])


def set_title(ax: Axes, text: str) -> None:
    """Set the title on the left, in lines that are hardly longer than the Axes."""
    figure = figure_of(ax)
    # The layout, which is not final, leaves about this much to the only Axes.
    share = ax.get_position().width if len(figure.axes) > 1 else 0.87
    most = max(20, int(share * figure.get_figwidth() * 72.0 / points(_CHARACTER)))
    lines = [fill(line, most) for line in text.splitlines()]
    ax.set_title("\n".join(lines), loc="left")


def legend_below(ax: Axes, lines: float, **options: Any) -> Any:
    """Draw the legend below the Axes, under so many lines of text of their own."""
    transforms = require("matplotlib.transforms")
    down = transforms.ScaledTranslation(0, -points(lines) / 72.0, ax.figure.dpi_scale_trans)
    return ax.legend(
        loc="upper left", bbox_to_anchor=(0.0, 0.0), bbox_transform=ax.transAxes + down,
        borderaxespad=0.0, borderpad=0.0, handlelength=1.6, **options,
    )  # fmt: skip


def sized(length: float) -> float:
    """Return a length in points, given for text of 7 points, at the size of the text."""
    return points(length / _SIZES["font.size"])


def area(size: float) -> float:
    """Return the area of a marker in square points, given for text of 7 points."""
    return sized(size**0.5) ** 2


def diverging() -> Any:
    """Return the colour map from repression over white to activation."""
    return require("matplotlib.colors").LinearSegmentedColormap.from_list("scifate", _DIVERGING)


def colour_of(coef: float) -> str:
    """Return the colour of the sign of a coefficient."""
    return ACTIVATION if coef > 0 else REPRESSION


def _parameters(scale: float) -> dict[str, Any]:
    """Return the parameters of matplotlib for a style."""
    defaults = require("matplotlib").rcParamsDefault
    initial = {name: defaults[name] for name in defaults if name.startswith(_OF_DRAWING)}
    scaled = {name: size * scale for name, size in _SIZES.items()}
    return {**initial, **scaled, **_FIXED, **_PLAIN_TEXT, **FILE_TEXT}
