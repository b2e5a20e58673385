"""score_network: how well a ranking of pairs finds the edges of a known network."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..links import PAIR
from ..names import require_common
from ._candidates import Universe, edges_of, names_of, pairs_of, values_by_pair
from ._metrics import Tally, average_precision, early_precision, roc_auc


@dataclass(frozen=True)
class NetworkScore:
    """What `score_network` returns; ``pandas.Series(vars(...))`` shows it as a column.

    Attributes
    ----------
    aupr : float
        Area under the precision-recall curve, as the average precision. A random ranking has
        ``density``.
    auroc : float
        Area under the receiver operating characteristic. A random ranking has 0.5.
    early_precision : float
        Share of true edges among the first ``n_edges`` pairs.
    early_precision_ratio : float
        ``early_precision`` over that of a random ranking, ``density``.
    density : float
        Share of true edges among all candidate pairs.
    n_pairs, n_edges : int
        Candidate pairs, and true edges among them.
    n_outside : int
        Edges of the known network that are no candidate pair and do not count: of TFs or targets
        outside the universe, of a TF to itself, or excluded.
    n_excluded : int
        Pairs that were no candidates only because `exclude` names them.
    """

    aupr: float
    auroc: float
    early_precision: float
    early_precision_ratio: float
    density: float
    n_pairs: int
    n_edges: int
    n_outside: int
    n_excluded: int


def score_network(
    scores: pd.DataFrame,
    gold: pd.DataFrame,
    *,
    by: str = "coef",
    tfs: Collection[str] | None = None,
    targets: Collection[str] | None = None,
    exclude: pd.DataFrame | None = None,
) -> NetworkScore:
    r"""Score a ranking of TF → target pairs against a known network.

    Every pair of a TF and a target of the universe is a candidate, except a TF with itself. Pairs
    that `scores` does not hold have the score 0.

    Parameters
    ----------
    scores : DataFrame
        A table with the columns ``TF``, ``target`` and `by`, such as a links table; or, if it lacks
        the first two, a matrix of shape (n_tfs, n_targets) with TFs as index and targets as
        columns. Larger is more believed; no score is negative.
    gold : DataFrame
        The edges of the known network, columns ``TF`` and ``target``; pairs that are there twice
        count once. With a column ``peak``, as in tables of binding evidence, only the rows where it
        is 1 are edges.
    by : str, default="coef"
        Column of a table to rank by. Of ``coef`` the absolute value counts.
    tfs, targets : collection of str, default=None
        The universe. None means all names in `scores` and `gold`. A links table does not name those
        without a link: pass all regulators and targets of the regression where `gold` does not
        hold them, or where it holds others, which could not be found.
    exclude : DataFrame, default=None
        Pairs that are no candidates, columns ``TF`` and ``target``: those named by a prior that
        shaped the scores, say, which would otherwise be rewarded for repeating it.

    Returns
    -------
    NetworkScore

    Raises
    ------
    TypeError
        If `scores`, `gold` or `exclude` is no DataFrame, or `tfs` or `targets` is a text.
    ValueError
        If columns or names are missing, a score is negative or not finite, a pair is there twice
        with different scores, names do not meet (those of `exclude` neither), or the candidates
        are all or none of them edges.

    Notes
    -----
    With N candidates, K edges among them, and over the distinct scores s from high to low
    :math:`P_s` and :math:`R_s`, precision and recall of the pairs with a score of s at least,

    .. math::
        \mathrm{AUPR} = \sum_s (R_s - R_{s-1})\, P_s

    so that pairs of one score are taken together and their order does not matter (scikit-learn's
    ``average_precision_score``; interpolating linearly instead would flatter rankings with ties).
    AUROC counts ties half. Early precision is that of BEELINE [1]_ except for ties at the K-th
    place: BEELINE takes all of them in, here it is the expected value over their random orders,
    with a of the candidates, h of them edges, above the tie and t, e of them edges, in it

    .. math:: \mathrm{EP} = \frac1K \left(h + (K - a)\, \frac{e}{t}\right)

    References
    ----------
    .. [1] Pratapa et al., *Nature Methods* 17 (2020): benchmarking algorithms for gene regulatory
       network inference from single-cell transcriptomic data.

    Examples
    --------
    >>> import pandas as pd
    >>> gold = pd.DataFrame({"TF": ["MYC", "E2F1"], "target": ["NCL", "CDK4"]})
    >>> links = pd.DataFrame({"TF": ["MYC", "MYC"], "target": ["NCL", "CDK4"], "coef": [-0.2, 0.1]})
    >>> score = score_network(links, gold)
    >>> score.n_pairs, score.n_edges, score.early_precision, score.aupr
    (4, 2, 0.5, 0.75)
    """
    edges = edges_of(gold)
    values = values_by_pair(scores, by)
    universe = Universe.of(values, edges, tfs, targets)
    is_pair = universe.is_pair()
    is_candidate = is_pair if exclude is None else is_pair & ~_excluded(exclude, universe)
    return _score(
        universe.spread(values)[is_candidate],
        universe.spread(edges)[is_candidate] > 0,
        n_gold=len(edges),
        n_excluded=int(np.count_nonzero(is_pair & ~is_candidate)),
    )


def _excluded(exclude: pd.DataFrame, universe: Universe) -> NDArray[np.bool_]:
    """Return which pairs (n_tfs, n_targets) are excluded; names that none has are a mistake."""
    pairs = pairs_of(exclude, "exclude")
    if len(pairs):
        own = universe.tfs, universe.targets
        for name, given, names in zip(PAIR, names_of(pairs), own, strict=True):
            require_common(given, names, f"the {name}s of `exclude`", f"the universe's {name}s")
    return universe.spread(pairs) > 0


def _score(
    values: NDArray[np.float64], is_edge: NDArray[np.bool_], *, n_gold: int, n_excluded: int
) -> NetworkScore:
    n_pairs, n_edges = len(values), int(np.count_nonzero(is_edge))
    if n_edges in (0, n_pairs):
        raise ValueError(
            f"{'All' if n_edges else 'None'} of the {n_pairs} candidate pairs are edges of `gold`, "
            "so that no ranking is better than another; check the universe (`tfs`, `targets`)."
        )
    tally, density = Tally.of(values, is_edge), n_edges / n_pairs
    early = early_precision(tally)
    return NetworkScore(
        aupr=average_precision(tally),
        auroc=roc_auc(tally),
        early_precision=early,
        early_precision_ratio=early / density,
        density=density,
        n_pairs=n_pairs,
        n_edges=n_edges,
        n_outside=n_gold - n_edges,
        n_excluded=n_excluded,
    )
