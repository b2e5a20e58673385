"""The plot of a report in which its script draws a part of the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bokeh.models import GraphRenderer
    from bokeh.plotting import figure

_NODES = ("index", "name", "role", "size", "marker", "colour")
_EDGES = ("start", "end", "width", "colour")
_LABELS = ("x", "y", "text", "angle", "align", "font_size", "x_offset")


def empty_network() -> figure:
    """Return a plot with a graph without nodes, labels, and the tools to move in it."""
    from bokeh.models import ColumnDataSource, PanTool, Range1d, Text
    from bokeh.plotting import figure

    plot = figure(
        height=620,
        sizing_mode="stretch_width",
        x_range=Range1d(-1, 1),
        y_range=Range1d(-1, 1),
        tools=[PanTool(), "wheel_zoom", "box_zoom", "tap", "save"],
        active_scroll=None,
        outline_line_color=None,
    )
    plot.renderers.append(_graph())
    fields = {name: name for name in _LABELS}
    size, align = fields.pop("font_size"), fields.pop("align")
    glyph = Text(**fields, text_font_size=size, text_align=align, text_baseline="middle")
    labels = plot.add_glyph(ColumnDataSource({name: [] for name in _LABELS}), glyph)
    labels.name = "labels"
    plot.toolbar.logo = None
    plot.axis.visible = plot.grid.visible = False
    return plot


def _graph() -> GraphRenderer:
    from bokeh.models import (
        ColumnDataSource,
        GlyphRenderer,
        GraphRenderer,
        MultiLine,
        Scatter,
        StaticLayoutProvider,
    )

    edge = MultiLine(line_color="colour", line_width="width", line_alpha=0.7)
    node = Scatter(
        size="size", marker="marker", fill_color="colour", line_color="#ffffff", line_width=1
    )
    empty = {"nonselection_glyph": None, "selection_glyph": None}
    return GraphRenderer(
        name="graph",
        layout_provider=StaticLayoutProvider(graph_layout={}),
        edge_renderer=GlyphRenderer(
            data_source=ColumnDataSource({name: [] for name in _EDGES}), glyph=edge, **empty
        ),
        node_renderer=GlyphRenderer(
            data_source=ColumnDataSource({name: [] for name in _NODES}), glyph=node, **empty
        ),
    )
