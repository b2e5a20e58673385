"""motif_scores: how well the promoter of each gene matches the motifs of each TF, links or none."""

import numbers
import os
from collections.abc import Collection
from typing import Literal

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_scalar

from ...names import as_names, require_overlap
from ._annotations import HIGH, LOW, annotations_in, as_annotations
from ._rankings import MotifRankings, as_rankings
from ._tests import motifs_of_tfs


def motif_scores(
    rankings: MotifRankings | pd.DataFrame | str | os.PathLike[str],
    annotations: pd.DataFrame | str | os.PathLike[str],
    *,
    tfs: Collection[str] | None = None,
    genes: Collection[str] | None = None,
    top: float = 0.05,
    confidence: Literal["high", "low"] = "high",
) -> pd.DataFrame:
    """Return how high the motifs of each TF rank each gene, for `prior_penalties`.

    The score of a pair is max(0, 1 − r / T), with r the best rank, from 0, that any motif of the TF
    gives the gene, and T = `top` · the number of ranked genes: 1 for the best gene of a motif, 0
    outside the top of all of them. Unlike `MotifLinkFilter` it asks no links, so it can be had
    before a fit. A TF with many motifs scores more genes.

    Parameters
    ----------
    rankings : MotifRankings, DataFrame or path-like
        The ranking database, as for `MotifLinkFilter`.
    annotations : DataFrame or path-like
        Which TF binds which motif, as for `MotifLinkFilter`.
    tfs, genes : collection of str, default=None
        Names of TFs and genes in the data; those without a motif or a rank are left out. None takes
        all; of a file only the ranks of these genes are read.
    top : float, default=0.05
        Share of the ranked genes that scores at all.
    confidence : {"high", "low"}, default="high"
        Which motifs are a TF's, as for `MotifLinkFilter`.

    Returns
    -------
    DataFrame of shape (n_tfs, n_genes)
        Numbers from 0 to 1.

    Raises
    ------
    TypeError, ValueError
        If a database is none, less than a tenth of the names meet, or `top` or `confidence` is
        something else.

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
    """Return the given names that are known, in their order; all that are known without any."""
    if given is None:
        return known
    if isinstance(given, str):
        raise TypeError(f"{argument} must be a collection of names, got the text {given!r}.")
    names = as_names(dict.fromkeys(given)).tolist()
    require_overlap(names, known, what=what, whose=argument, where="the database")
    there = set(known)
    return [name for name in names if name in there]
