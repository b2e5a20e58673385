"""Links as a graph of networkx."""

from typing import TYPE_CHECKING

import pandas as pd

from ._edges import Edges

if TYPE_CHECKING:
    from networkx import DiGraph


def to_networkx(links: pd.DataFrame) -> "DiGraph":
    """Return links as a directed graph, from TFs to targets.

    Parameters
    ----------
    links : DataFrame
        Links table of one network, with at least ``TF``, ``target`` and ``coef``. Rows that repeat
        a link with the same values count once.

    Returns
    -------
    networkx.DiGraph
        The nodes, sorted, have the attributes ``is_tf`` and ``is_target``. The edges, in the order
        of the links, have all other columns of the links as attributes, as bool, int, float or
        str. Missing values and empty texts have no attribute.

    Raises
    ------
    ImportError
        If networkx is not installed.
    TypeError, ValueError
        If `links` is not a links table, has no rows, lacks a name, repeats the name of a column, or
        repeats a pair with different values, as links of several groups do.

    Examples
    --------
    >>> import pandas as pd
    >>> links = pd.DataFrame({"TF": ["MYC"], "target": ["NCL"], "coef": [0.5], "q": [None]})
    >>> to_networkx(links).edges["MYC", "NCL"]
    {'coef': 0.5}
    """
    try:
        import networkx as nx
    except ImportError as error:
        raise ImportError(
            "to_networkx requires networkx, which the extra `export` installs: pip install "
            "'scifate_sklearn[export]'."
        ) from error
    edges = Edges.from_links(links, "to_networkx")
    graph = nx.DiGraph()
    graph.add_nodes_from(edges.nodes().items())
    graph.add_edges_from(
        (*pair, attributes)
        for pair, attributes in zip(edges.pairs, edges.attributes(), strict=True)
    )
    return graph
