"""Formats of Cytoscape: its JSON, and SIF with tables of edges and nodes."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from ._edges import Edges

# Names that Cytoscape uses itself for edges.
_RESERVED = ("id", "source", "target", "parent", "interaction", "shared name")
_CALLER = "export_links"


def write_cyjs(links: pd.DataFrame, path: Path) -> None:
    """Write Cytoscape JSON (``elements`` with ``nodes`` and ``edges``, each with ``data``).

    Cytoscape identifies nodes by ``id``, networkx by ``value``. Missing values are left out.
    """
    edges = _edges(links)
    nodes = [
        _record({"id": name, "value": name, "name": name, **flags})
        for name, flags in edges.nodes().items()
    ]
    rows = zip(edges.pairs, edges.interactions(_CALLER), edges.attributes(), strict=True)
    links_of_nodes = [
        _record({"id": f"e{i}", "source": tf, "target": target, "interaction": kind, **attributes})
        for i, ((tf, target), kind, attributes) in enumerate(rows)
    ]
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write('{"format_version": "1.0", "generated_by": "scifate_sklearn",\n')
        file.write('"directed": true, "multigraph": false, "data": {"name": "links"},\n')
        file.write('"elements": {"nodes": [\n' + ",\n".join(nodes))
        file.write('\n], "edges": [\n' + ",\n".join(links_of_nodes) + "\n]}}\n")


def write_sif(links: pd.DataFrame, path: Path) -> None:
    """Write a line for each link: TF, "activates" or "represses", target, separated by tabs."""
    edges = _edges(links)
    rows = zip(edges.pairs, edges.interactions(_CALLER), strict=True)
    text = "".join(f"{tf}\t{kind}\t{target}\n" for (tf, target), kind in rows)
    path.write_text(text, encoding="utf-8", newline="\n")


def write_edge_table(links: pd.DataFrame, path: Path) -> None:
    """Write the attributes of the edges by the name that Cytoscape gives to edges of a SIF file."""
    edges = _edges(links)
    kinds = edges.interactions(_CALLER)
    names = {
        "shared name": [
            f"{tf} ({kind}) {target}" for (tf, target), kind in zip(edges.pairs, kinds, strict=True)
        ],
        "source": [tf for tf, _ in edges.pairs],
        "target": [target for _, target in edges.pairs],
        "interaction": kinds,
    }
    _as_table(edges, names).to_csv(path, sep="\t", index=False)


def write_node_table(links: pd.DataFrame, path: Path) -> None:
    """Write for each gene whether it is a TF and whether it is a target."""
    nodes = pd.DataFrame.from_dict(_edges(links).nodes(), orient="index")
    nodes.rename_axis("shared name").to_csv(path, sep="\t")


def _edges(links: pd.DataFrame) -> Edges:
    edges = Edges.from_links(links, _CALLER)
    if taken := [name for name in _RESERVED if name in edges.types]:
        raise ValueError(
            f"{_CALLER}: Cytoscape uses the column {taken[0]!r} of the links itself; rename it."
        )
    return edges


def _record(data: Mapping[str, Any]) -> str:
    pairs = (f"{json.dumps(name)}: {_json(value)}" for name, value in data.items())
    return f'{{"data": {{{", ".join(pairs)}}}}}'


def _json(value: Any) -> str:
    """Return a value as JSON, which has no word for ∞ but no largest number either."""
    text = json.dumps(value)
    return text.replace("Infinity", "1e999") if isinstance(value, float) else text


def _as_table(edges: Edges, first: Mapping[str, list[str]]) -> pd.DataFrame:
    """Return edges as a table of these columns, then of their attributes."""
    attributes = {
        name: pd.Series(values, dtype=None if kind is float else object)
        for (name, values), kind in zip(edges.columns.items(), edges.types.values(), strict=True)
    }
    return pd.DataFrame({**first, **attributes})
