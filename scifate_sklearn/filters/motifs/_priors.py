"""Scores of all pairs of TF and gene from motif rankings."""

import numbers
import os
from collections.abc import Collection
from typing import Literal

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_scalar

from ...names import as_names, require_overlap
from ._annotations import HIGH, LOW, annotations_in, as_annotations
from ._enrichment import motifs_of_tfs
from ._rankings import MotifRankings, as_rankings


def motif_scores(
    rankings: MotifRankings | pd.DataFrame | str | os.PathLike[str],
    annotations: pd.DataFrame | str | os.PathLike[str],
    *,
    tfs: Collection[str] | None = None,
    genes: Collection[str] | None = None,
    top: float = 0.05,
    confidence: Literal["high", "low"] = "high",
) -> pd.DataFrame:
    """Return scores of the rank of each gene under the motifs of each TF, for `prior_penalties`.

    The score of a pair is max(0, 1 − r / T), with r the best rank, from 0, that any motif of the TF
    gives the gene, and T = `top` · the number of ranked genes: 1 for the best gene of a motif, 0
    outside the top of all of them. Unlike `MotifLinkFilter` it requires no links, so it can be
    computed before a fit. TFs with many motifs have more genes with a score.

    Parameters
    ----------
    rankings : MotifRankings, DataFrame or path-like
        The ranking database, as for `MotifLinkFilter`.
    annotations : DataFrame or path-like
        Annotations of TFs to motifs, as for `MotifLinkFilter`.
    tfs, genes : collection of str, default=None
        Names of TFs and genes in the data; those without a motif or a rank are left out. None means
        all. Of a file only the ranks of these genes are read.
    top : float, default=0.05
        Share of the ranked genes with a score above 0.
    confidence : {"high", "low"}, default="high"
        Motifs of a TF to use, as for `MotifLinkFilter`.

    Returns
    -------
    DataFrame of shape (n_tfs, n_genes)
        Numbers from 0 to 1.

    Raises
    ------
    TypeError, ValueError
        If the rankings or annotations are invalid, less than a tenth of the names match, or `top`
        or `confidence` has another value.

    Examples
    --------
    >>> import pandas as pd
    >>> ranks = pd.DataFrame({"CDK4": [0, 3], "NCL": [1, 2], "ACTB": [2, 1], "GAPDH": [3, 0]})
    >>> annotations = pd.DataFrame({"motif": ["0", "1"], "TF": ["E2F1", "MYC"]})
    >>> motif_scores(ranks, annotations, top=0.5)
          CDK4  NCL  ACTB  GAPDH
    E2F1   1.0  0.5   0.0    0.0
    MYC    0.0  0.0   0.5    1.0
    """
    check_scalar(top, "top", numbers.Real, min_val=0, max_val=1, include_boundaries="right")
    if confidence not in (HIGH, LOW):
        raise ValueError(f"`confidence` must be {HIGH!r} or {LOW!r}, got {confidence!r}.")
    database = as_rankings(rankings)
    motifs = motifs_of_tfs(
        annotations_in(as_annotations(annotations), database, confidence), database
    )
    names = _common(tfs, list(motifs), "TF", "`tfs`")
    columns = database.columns(_common(genes, database.genes.tolist(), "gene", "`genes`"))
    codes = np.concatenate([motifs[name].codes for name in names])
    first = np.cumsum([0] + [len(motifs[name].codes) for name in names[:-1]])
    n_top = top * database.n_ranked
    scores = {
        gene: np.maximum(0.0, 1.0 - np.minimum.reduceat(ranks[codes], first) / n_top)
        for gene, ranks in columns.items()
    }
    return pd.DataFrame(scores, index=pd.Index(names, dtype=object))


def _common(given: Collection[str] | None, known: list[str], what: str, argument: str) -> list[str]:
    """Return the given names that are known, in their order; all known names if none are given."""
    if given is None:
        return known
    if isinstance(given, str):
        raise TypeError(f"{argument} must be a collection of names, got the string {given!r}.")
    names = as_names(dict.fromkeys(given)).tolist()
    require_overlap(names, known, what=what, whose=argument, where="the database")
    known_names = set(known)
    return [name for name in names if name in known_names]
