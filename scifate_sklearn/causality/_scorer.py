"""RDIScorer: restricted directed information of links."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from numbers import Integral, Real
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from tqdm.auto import tqdm

from .._warnings import warn
from ..filters.base import Evidence, LinkFilter, Reasons
from ..links import PAIR, first_reason
from ..names import examples
from ..preprocessing import zscore
from ..solvers import announce_compilation, run_jobs
from ._information import check_cells
from ._states import CellStates
from ._target import Null, Target

Floats = NDArray[np.float64]

# Least number of neighbours of "sqrt".
_LEAST_NEIGHBORS = 5
# TFs of one target that are done together.
_BLOCK = 32
# Correlation of successive steps above which a TF changes slowly.
_SLOW = 0.5


class _Pair(NamedTuple):
    """A TF and a target; sorted by target."""

    target: str
    tf: str


class RDIScorer(LinkFilter):
    """Add to each link the restricted directed information from its TF to its target.

    Restricted directed information (RDI) is the conditional mutual information I(X; Y₁ | Y₀, given)
    of the TF X and the target's RNA Y₁ after a step in time, given that before it, Y₀, and what the
    states are conditioned on, such as the sequencing depth. It is 0 if Y₁ does not depend on X
    given these, and does not assume that the relation is linear or monotone.

    RDI does not rank links better than the coefficients of the LASSO do. It adds p-values that do
    not assume linearity, the direction between two TFs, and links that are not monotone. Two genes
    with a common cause have information about each other, and so have a TF and the targets of its
    target; `crdi` removes it only as far as the other TF is measured exactly.

    Parameters
    ----------
    states : CellStates
        Expression of the TFs and the targets before and after each step, from `labelled_states`,
        `velocity_states` or `lagged_states`. Fitted pipelines keep it.
    n_neighbors : int or "sqrt", default="sqrt"
        The neighbour k whose distance is used. "sqrt" is the root of the number of steps, at least
        5. A small k has less bias, a large one less variance.
    n_conditions : int, default=1
        Number of other TFs of the target, those with the largest RDI, that `crdi` is conditioned
        on. They are chosen among the links given to `fit`.
    delays : sequence of int or None, default=None
        Delays of the TFs in steps, of which the one with the largest RDI counts; None for those of
        the states.
    n_permutations : int, default=0
        Number of permutations for the p-values, 99 or more for a test at 5 % after adjustment of
        many links; 0 for none.
    shuffle_neighbors : int, default=5
        Number of nearest cells in Y₀ and `given`, the cell itself included, among which values of
        the TF are permuted.
    alpha : float in [0, 1] or None, default=None
        Largest q-value of links that are kept; None keeps all links.
    n_jobs : int, default=None
        Number of workers, as for `SciFateRegressor`.
    random_state : int, RandomState or None, default=0
        Seed of the permutations. With an int the p-value of a link depends neither on the other
        links nor on the number of workers.
    verbose : int, default=0
        Show a progress bar if above 0.

    Attributes
    ----------
    scores_ : DataFrame
        One row per pair of `fit` in the order of the links: ``TF``, ``target`` and the evidence.
    n_neighbors_ : int
        The neighbour that was used.
    ledger_ : DataFrame
        One row per link given to `fit`: its columns, the evidence, ``kept`` and ``reason``.
    n_features_in_, feature_names_in_ : int, ndarray of str
        Columns of the links table.

    Notes
    -----
    The evidence is, in nats:

    - ``rdi``: I(X; Y₁ | Y₀, given), the largest over the delays; ``rdi_delay``: its delay;
    - ``crdi``: the same at that delay, given also the `n_conditions` other TFs of the target with
      the largest RDI, each at its own best delay; ``rdi`` if the target has no other TF;
    - ``reverse_rdi``: the largest I(target; TF₁ | TF₀, given), missing if the target is not among
      the TFs of the states, or the TF not among their targets; ``direction`` = ``rdi`` −
      ``reverse_rdi``, positive if the TF drives the target. It is also positive for most unlinked
      pairs in which the RNA of the TF lives shorter, so that it is no evidence of a link;
    - ``rdi_p``: the share of permutations with at least this ``rdi`` (Runge 2018), (1 + #)/(1 + B),
      and ``rdi_q``, adjusted over the links of `fit` (Benjamini–Hochberg); missing without
      permutations. Steps must be independent observations, given Y₀ and what is given: smoothed
      velocities and slowly changing series have p-values that are far too small.

    Links of several groups get the scores of these states; make states of each group for scores of
    its own.

    See `conditional_mutual_information` for the estimate. A link takes 0.5 to 5 ms for 2,000 steps
    and 5 neighbours, and as much for each permutation; the time grows with less than the power 1.7
    of the number of steps.

    References
    ----------
    X. Qiu et al., "Inferring causal gene regulatory networks from coupled single-cell expression
    dynamics using Scribe", Cell Systems 10, 2020.

    J. Runge, "Conditional independence testing based on a nearest-neighbor estimator of conditional
    mutual information", AISTATS 2018.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from scifate_sklearn import CellStates, RDIScorer
    >>> from scifate_sklearn.causality import all_pairs
    >>> rng = np.random.default_rng(0)
    >>> tfs = pd.DataFrame(rng.normal(size=(300, 2)), columns=["Pax6", "Sox2"])
    >>> old = pd.DataFrame({"Neurog3": rng.normal(size=300)})
    >>> new = old + tfs[["Pax6"]].to_numpy() ** 2
    >>> states = CellStates(tfs, old, new)
    >>> scorer = RDIScorer(states, n_permutations=99, alpha=0.05)
    >>> scorer.fit_transform(all_pairs(states))["TF"].tolist()
    ['Pax6']
    """

    evidence_columns = (
        "rdi",
        "rdi_delay",
        "crdi",
        "reverse_rdi",
        "direction",
        "rdi_p",
        "rdi_q",
    )

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "states": [CellStates],
        "n_neighbors": [StrOptions({"sqrt"}), Interval(Integral, 1, None, closed="left")],
        "n_conditions": [Interval(Integral, 0, None, closed="left")],
        "delays": ["array-like", None],
        "n_permutations": [Interval(Integral, 0, None, closed="left")],
        "shuffle_neighbors": [Interval(Integral, 2, None, closed="left")],
        "alpha": [Interval(Real, 0, 1, closed="both"), None],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        states: CellStates,
        n_neighbors: int | Literal["sqrt"] = "sqrt",
        n_conditions: int = 1,
        delays: Sequence[int] | None = None,
        n_permutations: int = 0,
        shuffle_neighbors: int = 5,
        alpha: float | None = None,
        n_jobs: int | None = None,
        random_state: Any = 0,
        verbose: int = 0,
    ) -> None:
        self.states = states
        self.n_neighbors = n_neighbors
        self.n_conditions = n_conditions
        self.delays = delays
        self.n_permutations = n_permutations
        self.shuffle_neighbors = shuffle_neighbors
        self.alpha = alpha
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def _learn(self, links: pd.DataFrame) -> None:
        pairs = [_Pair(str(target), str(tf)) for tf, target in links[PAIR].itertuples(index=False)]
        pairs = list(dict.fromkeys(pairs))
        _check_names(pairs, self.states)
        delays = self.states.delays if self.delays is None else self.delays
        delays = self.states.check_delays(delays)
        self._check_sizes(max(delays))
        rdi, reverse = self._directed(pairs, delays)
        best = {pair: int(values.argmax()) for pair, values in rdi.items()}
        largest = {pair: float(rdi[pair][best[pair]]) for pair in pairs}
        lag = {pair: delays[best[pair]] for pair in pairs}
        columns = {
            "TF": [pair.tf for pair in pairs],
            "target": [pair.target for pair in pairs],
            "rdi": [largest[pair] for pair in pairs],
            "rdi_delay": [lag[pair] for pair in pairs],
            "crdi": self._conditioned(pairs, largest, lag),
            "reverse_rdi": reverse,
        }
        scores = pd.DataFrame(columns).astype({"rdi": float, "crdi": float, "reverse_rdi": float})
        scores["direction"] = scores["rdi"] - scores["reverse_rdi"]
        scores["rdi_p"] = self._p_values(pairs, delays)
        is_tested = scores["rdi_p"].notna()
        scores["rdi_q"] = np.nan
        if is_tested.any():
            scores["rdi_q"] = stats.false_discovery_control(scores["rdi_p"])
        self.scores_ = scores

    def _judge(self, links: pd.DataFrame) -> tuple[Evidence, Reasons]:
        known = pd.MultiIndex.from_frame(self.scores_[PAIR])
        position = known.get_indexer(pd.MultiIndex.from_frame(links[PAIR].astype(str)))
        if (position < 0).any():
            tf, target = links[PAIR].iloc[int((position < 0).argmax())]
            raise ValueError(
                f"RDIScorer: {int((position < 0).sum())} of `links` were not given to `fit`, for "
                f"example {tf} → {target}. Fit it again with these links."
            )
        found = self.scores_.iloc[position]
        evidence = {name: found[name].to_numpy() for name in self.evidence_columns}
        if self.alpha is None:
            return evidence, np.full(len(links), "", object)
        is_weak = evidence["rdi_q"] > self.alpha
        return evidence, first_reason((is_weak, f"RDI: q above {self.alpha:g}"))

    def _check_sizes(self, longest: int) -> None:
        n_rows = len(self.states.rows_at(longest)[0])
        root = math.ceil(math.sqrt(self.states.n_steps))
        k = self.n_neighbors
        self.n_neighbors_ = max(_LEAST_NEIGHBORS, root) if isinstance(k, str) else int(k)
        advice = "give more cells" if longest == 1 else "give shorter `delays`"
        check_cells(n_rows, self.n_neighbors_, advice)
        if self.alpha is not None and not self.n_permutations:
            raise ValueError(
                f"`alpha`={self.alpha:g} needs p-values, but `n_permutations` is 0. Set "
                "`n_permutations`, for example to 199, or `alpha`=None."
            )
        if self.alpha is not None and self.alpha < 1.0 / (1 + self.n_permutations):
            raise ValueError(
                f"`alpha`={self.alpha:g} is below the smallest p-value of {self.n_permutations} "
                f"permutations, {1.0 / (1 + self.n_permutations):.2g}, so that no link would be "
                "kept. Raise `n_permutations`."
            )
        if self.n_permutations and self.shuffle_neighbors > n_rows:
            raise ValueError(
                f"`shuffle_neighbors`={self.shuffle_neighbors} needs as many cells, got {n_rows}."
            )

    def _directed(
        self, pairs: list[_Pair], delays: tuple[int, ...]
    ) -> tuple[dict[_Pair, Floats], list[float]]:
        """Return the information at each delay, of each pair, and the largest in reverse."""
        tfs, targets = set(self.states.tf_names), set(self.states.target_names)
        reverse = [_Pair(pair.tf, pair.target) for pair in pairs]
        possible = {each for each in reverse if each.tf in tfs and each.target in targets}
        blocks = _blocks(dict.fromkeys([*pairs, *sorted(possible)]))
        jobs = [
            partial(self._target(block).rdi, [pair.tf for pair in block], delay)
            for block in blocks
            for delay in delays
        ]
        results = iter(self._run(jobs, "RDI"))
        found: dict[_Pair, Floats] = {}
        for block in blocks:
            values = np.column_stack([next(results) for _ in delays])
            found |= dict(zip(block, values, strict=True))
        _check_given(pairs, found)
        return found, [float(found[each].max()) if each in possible else np.nan for each in reverse]

    def _conditioned(
        self, pairs: list[_Pair], rdi: dict[_Pair, float], lag: dict[_Pair, int]
    ) -> list[float]:
        """Return the information given the best other TFs of the target."""
        found = dict(rdi)
        problems: dict[tuple[Any, ...], list[_Pair]] = {}
        for _, of_target in groupby(sorted(pairs), key=lambda pair: pair.target):
            # Of equal ones the first by name, so that the order of the links does not matter.
            ranked = sorted(of_target, key=lambda pair: (-rdi[pair], pair.tf))
            for pair in ranked:
                others = [each for each in ranked if each != pair][: self.n_conditions]
                if others:
                    given = tuple((other.tf, lag[other]) for other in others)
                    problems.setdefault((pair.target, lag[pair], given), []).append(pair)
        jobs = [
            partial(self._target(own).crdi, [pair.tf for pair in own], delay, dict(given))
            for (_, delay, given), own in problems.items()
        ]
        for own, values in zip(problems.values(), self._run(jobs, "cRDI"), strict=True):
            found |= dict(zip(own, values.tolist(), strict=True))
        return [found[pair] for pair in pairs]

    def _p_values(self, pairs: list[_Pair], delays: tuple[int, ...]) -> Any:
        if not self.n_permutations:
            return np.nan
        if self.states.run is not None:
            _warn_of_slow_changes(self.states)
        seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        null = Null(self.n_permutations, self.shuffle_neighbors, seed)
        jobs = [partial(self._target([pair]).p_value, pair.tf, delays, null) for pair in pairs]
        return np.array(self._run(jobs, "permutations"), dtype=float)

    def _target(self, block: Sequence[_Pair]) -> Target:
        return Target(self.states, block[0].target, self.n_neighbors_)

    def _run(self, jobs: Sequence[Callable[[], Any]], what: str) -> list[Any]:
        """Return the results of jobs in their order, from parallel workers."""
        is_shown = bool(self.verbose) and sys.stderr is not None
        write = partial(tqdm.write, file=sys.stderr)
        with announce_compilation(write if is_shown else None):
            results = run_jobs(jobs, self.n_jobs)
            return list(tqdm(results, what, len(jobs), disable=not is_shown, unit="test"))


def _warn_of_slow_changes(states: CellStates) -> None:
    """Warn if TFs change slowly along the lineages."""
    rows, before = states.rows_at(2)
    if rows.size < 2:
        return
    values = states.regulator.to_numpy()
    r = np.mean(zscore(values[rows]) * zscore(values[before]), axis=0)
    n_slow = int(np.count_nonzero(r > _SLOW))
    if n_slow:
        warn(
            f"{n_slow} of {r.size} TFs change slowly along the lineages of `states` (correlation "
            f"of successive steps above {_SLOW:g}), so that steps are no independent observations "
            "and p-values (`n_permutations`) are too small. Use them to rank links only."
        )


def _check_given(pairs: Sequence[_Pair], found: dict[_Pair, Floats]) -> None:
    """Raise ValueError if a TF is what the test of its target is conditioned on."""
    given = next((pair for pair in pairs if np.isnan(found[pair]).any()), None)
    if given is not None:
        raise ValueError(
            f"`links`: the values of TF {given.tf!r} are also what the test of target "
            f"{given.target!r} is conditioned on, so that the information is always 0. Leave out "
            "this link, or use another `regulator` or `given` in the states."
        )


def _blocks(pairs: Any) -> list[list[_Pair]]:
    """Return the pairs of each target, a few at a time."""
    blocks = []
    for _, of_target in groupby(sorted(pairs), key=lambda pair: pair.target):
        own = list(of_target)
        blocks += [own[start : start + _BLOCK] for start in range(0, len(own), _BLOCK)]
    return blocks


def _check_names(pairs: Sequence[_Pair], states: CellStates) -> None:
    """Raise ValueError if names are not in the states."""
    for column, known, argument in (
        ("tf", states.tf_names, "tf_names"),
        ("target", states.target_names, "adata"),
    ):
        names = pd.unique(np.array([getattr(pair, column) for pair in pairs], dtype=object))
        unknown = names[~np.isin(names, known)]
        if len(unknown):
            what = "TF" if column == "tf" else "target"
            raise ValueError(
                f"`links` has {len(unknown)} {what}(s) that `states` lacks ({examples(unknown)}). "
                f"Make the states with them (`{argument}`), or leave out their links; genes that "
                "are in too few cells are not in the states."
            )
