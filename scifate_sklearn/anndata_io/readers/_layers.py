"""Layers of new and total RNA, by the names that tools give them."""

from collections.abc import Collection
from dataclasses import dataclass

from ._source import add_up


@dataclass(frozen=True)
class Convention:
    """Names that a tool gives its layers.

    Attributes
    ----------
    tool : str
        Empty if several tools use these names.
    new : str
        Layer of new RNA.
    total : tuple of str
        Layers that add up to total RNA.
    without : tuple of str
        Layers of other conventions that take precedence.
    optional : str
        Layer that belongs to total RNA if it is there.
    index : tuple of str
        Names of the indices of cells and genes; empty for any.
    """

    tool: str
    new: str
    total: tuple[str, ...]
    without: tuple[str, ...] = ()
    optional: str = ""
    index: tuple[str, str] | None = None

    def matches(self, layers: Collection[str], index: tuple[object, object]) -> bool:
        """Return whether the layers are those of the tool."""
        is_there = {self.new, *self.total} <= {*layers} and not {*self.without} & {*layers}
        return is_there and self.index in (None, index)


# The first that matches counts.
CONVENTIONS = (
    Convention("dynast", "labeled_TC", ("total",)),
    Convention("dynast without splicing", "X_l_TC", ("X",), without=("total",)),
    Convention("", "new", ("total",)),
    Convention("NASC-seq2", "new", ("old", "new"), without=("total",)),
    Convention("sci-FATE2", "new_estimated", ("total",)),
    Convention("kb (nac)", "nascent", ("mature", "nascent"), optional="ambiguous"),
    Convention("", "unspliced", ("spliced", "unspliced"), optional="ambiguous"),
    # Its X has no unspliced counts.
    Convention(
        "pyroe (scRNA)",
        "unspliced",
        ("X", "unspliced"),
        without=("spliced", "ambiguous"),
        index=("barcodes", "gene_ids"),
    ),
)


def recognise_layers(
    layers: Collection[str], index: tuple[object, object] = ("", "")
) -> tuple[str, str, str]:
    """Return the tool, the layer of new RNA and that of total RNA; empty if not recognised.

    Parameters
    ----------
    layers : collection of str
        Names, with ``"X"`` for ``adata.X``.
    index : (str, str)
        Names of the indices of cells and genes.

    Examples
    --------
    >>> recognise_layers(["X", "mature", "nascent", "ambiguous"])
    ('kb (nac)', 'nascent', 'mature+nascent+ambiguous')
    """
    for each in CONVENTIONS:
        if each.matches(layers, index):
            extra = [each.optional] if each.optional in layers else []
            return each.tool, each.new, add_up([*each.total, *extra])
    return "", "", ""
