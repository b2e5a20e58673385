"""GraphML, the format of networkx, igraph, Cytoscape, Gephi and yEd.

http://graphml.graphdrawing.org/primer/graphml-primer.html
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import pandas as pd

from ._edges import NODE_COLUMNS, Edges

_TYPES = {bool: "boolean", int: "long", float: "double", str: "string"}
_START = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<graphml xmlns="http://graphml.graphdrawing.org/xmlns" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xsi:schemaLocation="http://graphml.graphdrawing.org/xmlns '
    'http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd">\n'
)


def write_graphml(links: pd.DataFrame, path: Path) -> None:
    """Write the nodes and edges of `to_networkx`; missing values are left out."""
    edges = Edges.from_links(links, "export_links")
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(_lines(edges))


def _lines(edges: Edges) -> Iterator[str]:
    node_keys = {name: f"n{i}" for i, name in enumerate(NODE_COLUMNS)}
    edge_keys = {name: f"e{i}" for i, name in enumerate(edges.types)}
    yield _START
    for name, key in node_keys.items():
        yield _declaration(key, "node", name, bool)
    for name, key in edge_keys.items():
        yield _declaration(key, "edge", name, edges.types[name])
    yield '<graph edgedefault="directed">\n'
    for name, flags in edges.nodes().items():
        yield f"<node id={quoteattr(name)}>{_data(flags, node_keys)}</node>\n"
    for (tf, target), attributes in zip(edges.pairs, edges.attributes(), strict=True):
        ends = f"source={quoteattr(tf)} target={quoteattr(target)}"
        yield f"<edge {ends}>{_data(attributes, edge_keys)}</edge>\n"
    yield "</graph>\n</graphml>\n"


def _declaration(key: str, what: str, name: str, kind: type) -> str:
    names = f"attr.name={quoteattr(name)} attr.type={quoteattr(_TYPES[kind])}"
    return f'<key id="{key}" for="{what}" {names}/>\n'


def _data(attributes: Mapping[str, Any], keys: Mapping[str, str]) -> str:
    return "".join(
        f'<data key="{keys[name]}">{escape(_text(value))}</data>'
        for name, value in attributes.items()
    )


def _text(value: Any) -> str:
    """Return a value as readers in Java, C and Python take it: they share one word for ∞."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(value).replace("inf", "Infinity")
    return str(value)
