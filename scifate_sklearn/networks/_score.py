"""Scores of a ranking of pairs against a known network."""

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from ..links import PAIR
from ..names import require_common
from ._candidates import Universe, edges_of, names_of, pairs_of, values_by_pair
from ._metrics import Ranked, Tally, average_precision, early_precision, roc_auc


@dataclass(frozen=True)
class NetworkScore:
    """Result of `score_network`; ``pandas.Series(vars(...))`` shows it as a column.

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
        Edges of the known network that are not candidate pairs and do not count: with a TF or a
        target outside the universe, from a TF to itself, or excluded.
    n_excluded : int
        Pairs that would be candidates if `exclude` did not contain them.
    aupr_se, auroc_se, early_precision_se : float
        Standard errors over samples of targets; NaN without `n_bootstrap`.
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
    aupr_se: float = np.nan
    auroc_se: float = np.nan
    early_precision_se: float = np.nan


def score_network(
    scores: pd.DataFrame,
    gold: pd.DataFrame,
    *,
    by: str = "coef",
    tfs: Collection[str] | None = None,
    targets: Collection[str] | None = None,
    exclude: pd.DataFrame | None = None,
    n_bootstrap: int = 0,
    random_state: int | np.random.RandomState | None = 123456,
) -> NetworkScore:
    r"""Score a ranking of TF → target pairs against a known network.

    Every pair of a TF and a target of the universe is a candidate, except a TF with itself. Pairs
    that are not in `scores` have the score 0.

    Parameters
    ----------
    scores : DataFrame
        A table with the columns ``TF``, ``target`` and `by`, such as a links table; or, if it lacks
        the first two, a matrix of shape (n_tfs, n_targets) with TFs as index and targets as
        columns. A larger score means more confidence; negative scores are not allowed.
    gold : DataFrame
        The edges of the known network, columns ``TF`` and ``target``; repeated pairs count once.
        With a column ``peak``, as in tables of binding evidence, only rows where it is 1 are edges.
    by : str, default="coef"
        Column of a table to rank by. Of ``coef``, ``score`` and ``t`` the absolute value is used;
        of p- and q-values (``q``, ``t_p``, ``t_q``, ``chip_p``, ``chip_q``, ``rdi_p``, ``rdi_q``) 1
        minus the value; of ``rdi``, ``crdi`` and ``reverse_rdi`` negative values count as 0.
    tfs, targets : collection of str, default=None
        The universe. None means all names in `scores` and `gold`. A links table does not contain
        TFs and targets without a link: pass all regulators and targets of the regression if some
        of them are not in `gold`, or if `gold` has others, which could not be found.
    exclude : DataFrame, default=None
        Pairs that are not candidates, columns ``TF`` and ``target``: for example the pairs of a
        prior that was used for the scores, which would otherwise be rewarded for repeating it.
    n_bootstrap : int, default=0
        Number of bootstrap samples of targets for the standard errors; 0 computes none. A sample
        has as many targets as the universe, drawn with replacement. Samples without any edge, or
        without any other pair, are drawn again.
    random_state : int, RandomState or None, default=123456
        Seed of the samples.

    Returns
    -------
    NetworkScore

    Raises
    ------
    TypeError
        If `scores`, `gold` or `exclude` is not a DataFrame, or `tfs` or `targets` is a text.
    ValueError
        If columns or names are missing, a score is negative or not finite, a pair is repeated with
        different scores, no names match (including those of `exclude`), all or none of the
        candidates are edges, or `n_bootstrap` is 1 or negative.

    Notes
    -----
    With N candidates, K edges among them, and over the distinct scores s from high to low
    :math:`P_s` and :math:`R_s`, precision and recall of the pairs with a score of s at least,

    .. math::
        \mathrm{AUPR} = \sum_s (R_s - R_{s-1})\, P_s

    so that pairs with the same score are taken together and their order does not matter. This is
    `sklearn.metrics.average_precision_score`; linear interpolation would be too optimistic for
    rankings with ties. AUROC (`sklearn.metrics.roc_auc_score`) counts ties half. Early precision is
    that of BEELINE [1]_ except for ties at the K-th place: BEELINE includes all of them, whereas
    this function returns the expected value over their random orders. With a candidates above the
    tie, h of them edges, and t candidates in the tie, e of them edges,

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
    if n_bootstrap != 0 and n_bootstrap < 2:
        raise ValueError(f"`n_bootstrap` must be 0 or at least 2, got {n_bootstrap}.")
    edges = edges_of(gold)
    values = values_by_pair(scores, by)
    universe = Universe.from_values(values, edges, tfs, targets)
    is_pair = universe.is_pair()
    is_candidate = is_pair if exclude is None else is_pair & ~_excluded(exclude, universe)
    ranked = Ranked.from_scores(
        universe.spread(values)[is_candidate], universe.spread(edges)[is_candidate] > 0
    )
    n_excluded = int(np.count_nonzero(is_pair & ~is_candidate))
    score = _score(ranked.tally(), n_gold=len(edges), n_excluded=n_excluded)
    if not n_bootstrap:
        return score
    aupr, auroc, early = _standard_errors(
        ranked,
        np.nonzero(is_candidate)[1],
        len(universe.targets),
        n_bootstrap,
        check_random_state(random_state),
    )
    return replace(score, aupr_se=aupr, auroc_se=auroc, early_precision_se=early)


def _excluded(exclude: pd.DataFrame, universe: Universe) -> NDArray[np.bool_]:
    """Return whether each pair (n_tfs, n_targets) is excluded; raise if no names match."""
    pairs = pairs_of(exclude, "exclude")
    if len(pairs):
        own = universe.tfs, universe.targets
        for name, given, names in zip(PAIR, names_of(pairs), own, strict=True):
            require_common(given, names, f"the {name}s of `exclude`", f"the universe's {name}s")
    return universe.spread(pairs) > 0


def _score(tally: Tally, *, n_gold: int, n_excluded: int) -> NetworkScore:
    n_pairs, n_edges = int(tally.n.sum()), int(tally.hits.sum())
    if n_edges in (0, n_pairs):
        raise ValueError(
            f"{'All' if n_edges else 'None'} of the {n_pairs} candidate pairs are edges of `gold`, "
            "so that all rankings are equally good; check the universe (`tfs`, `targets`)."
        )
    density = n_edges / n_pairs
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


def _standard_errors(
    ranked: Ranked,
    target: NDArray[np.intp],
    n_targets: int,
    n_bootstrap: int,
    rng: np.random.RandomState,
) -> list[float]:
    """Return the standard deviations of AUPR, AUROC and early precision over samples of targets."""
    samples: list[list[float]] = []
    while len(samples) < n_bootstrap:
        times = np.bincount(rng.randint(n_targets, size=n_targets), minlength=n_targets)
        tally = ranked.tally(times[target])
        if 0 < tally.hits.sum() < tally.n.sum():
            samples.append([average_precision(tally), roc_auc(tally), early_precision(tally)])
    errors: list[float] = np.std(samples, axis=0, ddof=1).tolist()
    return errors
