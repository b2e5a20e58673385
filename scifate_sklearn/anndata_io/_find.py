"""Layers of an AnnData that are found by their names."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ._conventions import AUTO, FoundLayers, find_names
from ._layers import check_anndata, layer_names

if TYPE_CHECKING:
    from anndata import AnnData

logger = logging.getLogger(__name__)


def find_layers(adata: AnnData) -> FoundLayers:
    """Find the layers of new and total RNA by the names that tools give them.

    Parameters
    ----------
    adata : AnnData of shape (n_cells, n_genes)
        Never modified, and no layer is read.

    Returns
    -------
    FoundLayers

    Raises
    ------
    TypeError
        If `adata` is not an AnnData.
    ValueError
        If no convention applies, or more than one; the message has the candidates.

    Notes
    -----
    ``("new", "total")`` is taken where both exist. Labelled RNA is taken before spliced and
    unspliced RNA if one tool writes both (dynast, NASC-seq2, dynamo's ``uu``, ``ul``, ``su`` and
    ``sl``). Total RNA includes the layer ``ambiguous``: these molecules are of the gene, and only
    their splicing is unknown. Of dynast's labelled layers the observed counts are taken
    (``labeled_TC``), since the estimates (``labeled_TC_est``) are 0 where none was made. Layers of
    one modality follow the same conventions, with its name in front (``rna/spliced``).

    Examples
    --------
    >>> import anndata, numpy as np
    >>> from scifate_sklearn.anndata_io import find_layers
    >>> counts = np.ones((2, 3))
    >>> layers = {"spliced": counts, "unspliced": counts, "ambiguous": counts}
    >>> find_layers(anndata.AnnData(layers=layers))[:2]
    ('unspliced', 'spliced+unspliced+ambiguous')
    """
    check_anndata(adata)
    return find_names(layer_names(adata))


def choose_layers(adata: AnnData, nt_layers: Sequence[str] | str) -> Sequence[str]:
    """Return the layers that the user named, or those found by their names for "auto"."""
    if not isinstance(nt_layers, str) or nt_layers != AUTO:
        return nt_layers
    found = find_layers(adata)
    logger.info("layers: %s (new RNA) and %s (total RNA): %s", *found)
    return found[:2]
